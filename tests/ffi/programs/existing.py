# SPDX-License-Identifier: MIT
"""A ctypes program as they were written to the flat C ABI before there was this library. It declares
no argument types, so that every handle it passes is cut to 32 bits."""
import ctypes
from enum import IntEnum

lib = ctypes.CDLL("liblightning_db_ffi.so")


class LightningDBError(IntEnum):
    Success = 0
    NullPointer = -1
    InvalidUtf8 = -2
    IoError = -3


class LightningDBResult(ctypes.Structure):
    _fields_ = [("data", ctypes.POINTER(ctypes.c_uint8)), ("len", ctypes.c_size_t)]


lib.lightning_db_config_new.restype = ctypes.c_void_p
lib.lightning_db_create.restype = ctypes.c_void_p
lib.lightning_db_error_string.restype = ctypes.c_char_p


def check(error):
    if error != LightningDBError.Success:
        raise RuntimeError(lib.lightning_db_error_string(error).decode())


def get(db, key):
    result = LightningDBResult()
    check(lib.lightning_db_get(db, key, len(key), ctypes.byref(result)))
    if not result.data:
        return None
    value = bytes(result.data[i] for i in range(result.len))
    lib.lightning_db_free_result(result.data, result.len)
    return value


config = lib.lightning_db_config_new()
check(lib.lightning_db_config_set_cache_size(config, 64 * 1024 * 1024))
db = lib.lightning_db_create(b"./mydb", config)
if not db:
    raise RuntimeError("Failed to create the database")

check(lib.lightning_db_put(db, b"greeting", 8, b"good morning", 12))
print("greeting =", get(db, b"greeting").decode())
tx_id = ctypes.c_uint64()
check(lib.lightning_db_begin_transaction(db, ctypes.byref(tx_id)))
for i in range(3):
    key, value = f"item:{i}".encode(), f"number {i}".encode()
    check(lib.lightning_db_put_tx(db, tx_id.value, key, len(key), value, len(value)))
check(lib.lightning_db_commit_transaction(db, tx_id.value))
print("item:2 =", get(db, b"item:2").decode())
check(lib.lightning_db_begin_transaction(db, ctypes.byref(tx_id)))
check(lib.lightning_db_put_tx(db, tx_id, b"item:9", 6, b"x", 1))
check(lib.lightning_db_abort_transaction(db, tx_id))
print("item:9", "is not there" if get(db, b"item:9") is None else "is there")
check(lib.lightning_db_delete(db, b"greeting", 8))
print("greeting", "is not there" if get(db, b"greeting") is None else "is there")
check(lib.lightning_db_checkpoint(db))
lib.lightning_db_free(db)
lib.lightning_db_config_free(config)

db = lib.lightning_db_open(b"./mydb", None)  # an int: nobody said that it is a pointer
print("item:0 =", get(db, b"item:0").decode())
lib.lightning_db_free(db)
