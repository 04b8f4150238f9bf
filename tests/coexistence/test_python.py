# SPDX-License-Identifier: MIT
"""One Python process with Samba's libldb, visible to all, and our library through the typelib.

  test_python.py samba-first|lightning-first
"""
import ctypes
import pathlib
import shutil
import sys
import tempfile

directory = pathlib.Path(tempfile.mkdtemp(prefix="lightning-coexistence-"))


def load_samba():
    samba = ctypes.CDLL("libldb.so.2", mode=ctypes.RTLD_GLOBAL)
    talloc = ctypes.CDLL("libtalloc.so.2", mode=ctypes.RTLD_GLOBAL)
    samba.ldb_init.restype = ctypes.c_void_p
    samba.ldb_init.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
    samba.ldb_connect.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_uint, ctypes.c_void_p]
    samba.ldb_errstring.restype = ctypes.c_char_p
    for name in ("start", "commit", "cancel"):
        getattr(samba, f"ldb_transaction_{name}").argtypes = [ctypes.c_void_p]
    samba.ldb_errstring.argtypes = [ctypes.c_void_p]
    talloc._talloc_free.argtypes = [ctypes.c_void_p, ctypes.c_char_p]
    return samba, talloc


def load_lightning():
    import gi
    gi.require_version("Ldb", "1")
    from gi.repository import Ldb
    return Ldb


if sys.argv[1] == "samba-first":
    samba, talloc = load_samba()
    Ldb = load_lightning()
else:
    Ldb = load_lightning()
    samba, talloc = load_samba()


def samba_story():
    ldb = samba.ldb_init(None, None)
    url = f"tdb://{directory}/samba.ldb".encode()
    assert samba.ldb_connect(ldb, url, 0, None) == 0, samba.ldb_errstring(ldb)
    for end in ("commit", "cancel"):
        assert samba.ldb_transaction_start(ldb) == 0
        assert getattr(samba, f"ldb_transaction_{end}")(ldb) == 0, samba.ldb_errstring(ldb)
    assert samba.ldb_transaction_commit(ldb) != 0  # there is none
    talloc._talloc_free(ldb, b"")


def lightning_story():
    options = Ldb.Options.new()
    options.set_cache_size(16 << 20)
    options = options.copy()
    assert options.get_cache_size() == 16 << 20
    db = Ldb.Database.open(str(directory / "lightning"), Ldb.OpenFlags.CREATE, options, None)
    kept = db.begin(Ldb.TransactionFlags.NONE)
    kept.put_string(None, "kept", "1")
    kept.commit(Ldb.SyncMode.FULL, None)
    dropped = db.begin(Ldb.TransactionFlags.NONE)
    dropped.put_string(None, "dropped", "1")
    dropped.rollback()
    assert db.get_string("kept", None) == "1"
    assert db.get_string("dropped", None) is None
    db.close(None)


try:
    for _ in range(3):
        samba_story()
        lightning_story()
finally:
    shutil.rmtree(directory, ignore_errors=True)
