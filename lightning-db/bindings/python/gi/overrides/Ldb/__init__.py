# SPDX-License-Identifier: MIT
"""Lightning DB for Python: what `from gi.repository import Ldb` gives beyond the introspected API.

    db = Ldb.open("notes.db", create=True)
    db[b"k"] = b"v"
    db["user:1"] = {"name": "Alice", "age": 30}
    for key, value in db.scan(prefix="user:"):
        print(key, value)
    with db.begin() as transaction:
        transaction["k"] = b"w"
    value = await db.get_async("k")

Keys and values are bytes; text becomes UTF-8. The introspected methods are there with their names
and arguments; docs/guides/python.md says what is different.
"""

import json
import os
import random
import time
import types

from gi.module import get_introspection_module
from gi.overrides import override
from gi.repository import GLib, GObject

from . import awaiting, calling, errors, rows
from .awaiting import Outcome, spawn
from .calling import as_bytes, relax
from .mapping import (BatchStore, LoaderStore, Loading, OwnStores, Range, ReadingOfStores, ReadStore,
                      Setting, Writing, WriteStore, to_value)

VERSION = "0.1.0"  # this module needs, at least

Ldb = get_introspection_module("Ldb")


def _check_version():
    """A module and a library that do not fit say so at once, and what to do."""
    wrong = Ldb.check_version(*map(int, VERSION.split(".")))
    if wrong is not None:
        raise ImportError(f"Version mismatch: the Python module of Lightning DB is {VERSION}, but "
                          f"the native library is {Ldb.get_version()}. {wrong}")


_check_version()

DatabaseError = errors.DatabaseError
DatabaseError.__module__ = "gi.repository.Ldb"
_error_classes = errors.make_classes(Ldb.Error)
errors.install(_error_classes)
globals().update(_error_classes)
ConflictError = _error_classes["ConflictError"]

__all__ = ["BatchStore", "Changes", "DatabaseError", "LoaderStore", "Outcome", "Range", "ReadStore", "WriteStore", "open",
           "open_async", "spawn", *_error_classes]


def _bytes_or_none(found):
    return None if found is None else found.get_data() or b""


def _value_or_none(found):
    return None if found is None else to_value(found.get_data() or b"")


def _values(found):
    return [_value_or_none(value) for value in found]


def _back_off(attempt):
    """Seconds to wait before another attempt, as ldb_database_run_transaction() does."""
    return 0.01 * (attempt + 1) * random.uniform(0.5, 1.5)


def _not_a_coroutine(result):
    """What run()'s function returned. Of a coroutine nothing has been done yet."""
    if isinstance(result, types.CoroutineType):
        result.close()
        raise TypeError("run() takes a function; for a coroutine function there is run_async()")
    return result


class _Closing:
    """For a `with` statement that closes."""

    def __enter__(self):
        return self

    def __exit__(self, *raised):
        self.close()


@override
class Database(Writing, _Closing, Ldb.Database):
    _raw = Ldb.Database
    _lookup = Ldb.Database.lookup
    _contains = Ldb.Database.contains
    _scan_range = Ldb.Database.scan
    _scan_prefix = Ldb.Database.scan_prefix
    _put = Ldb.Database.put
    _put_variant = Ldb.Database.put_variant
    _delete = Ldb.Database.delete
    _delete_range = Ldb.Database.delete_range
    _get_many = relax(Ldb.Database.get_many)

    def put(self, key, value, cancellable=None):
        """Puts bytes or text."""
        return self._put(key if key.__class__ is bytes else as_bytes(key),
                         value if value.__class__ is bytes else as_bytes(value), cancellable)

    def get_many(self, keys, cancellable=None):
        """The values of many keys, all of one moment; None for a key that is absent."""
        return _values(self._get_many(keys, cancellable))

    async def __aenter__(self):
        return self

    async def __aexit__(self, *raised):
        await self.close_async()

    def batch(self, sync=Ldb.SyncMode.DEFAULT):
        """A batch for a `with` statement, which writes it unless an exception is raised."""
        return _BatchOf(self, sync)

    def update(self, items=(), **named):
        """Puts the items of a mapping, or pairs, in one commit."""
        with self.batch() as batch:
            batch.update(items, **named)

    def setdefault(self, key, default=b""):
        """The value; when there is none, `default`, which is put. In one transaction."""
        return self.run(lambda transaction: transaction.setdefault(key, default))

    def pop(self, key, *default):
        """Deletes a key and returns its value; `default` or KeyError. In one transaction."""
        return self.run(lambda transaction: transaction.pop(key, *default))

    def run(self, function, *, flags=Ldb.TransactionFlags.NONE, sync=Ldb.SyncMode.DEFAULT,
            retries=None):
        """Calls `function (transaction)`, commits, and returns what it returned.

        When the commit conflicts with another one, the function is called again with a new
        transaction: `retries` times, else as often as `max-retries` says. An exception rolls
        back."""
        retries = self.get_max_retries() if retries is None else max(retries, 0)
        for attempt in range(retries + 1):
            try:
                with self.begin(flags) as transaction:
                    result = _not_a_coroutine(function(transaction))
                    transaction._end(sync)
                return result
            except ConflictError:
                if attempt == retries:
                    raise
            time.sleep(_back_off(attempt))

    async def run_async(self, function, *, flags=Ldb.TransactionFlags.NONE,
                        sync=Ldb.SyncMode.DEFAULT, retries=None):
        """The same as run(), with a coroutine function and without blocking."""
        retries = self.get_max_retries() if retries is None else max(retries, 0)
        for attempt in range(retries + 1):
            try:
                async with self.begin(flags) as transaction:
                    result = await function(transaction)
                    await transaction._end_async(sync)
                return result
            except ConflictError:
                if attempt == retries:
                    raise
            await awaiting.sleep(_back_off(attempt))


    def changes(self, *, key=None, prefix=None, start=None, end=None, flags=Ldb.WatchFlags.VALUES):
        """What is committed from now on to a key, a prefix, a range, or all of it, for `async for`."""
        return Changes(_watch(self, key, prefix, start, end, flags))


def _watch(place, key, prefix, start, end, flags):
    if sum(bound is not None for bound in (key, prefix)) + (start is not None or end is not None) > 1:
        raise ValueError("give a key, a prefix, or a start and an end")
    if key is not None:
        return place.watch_key(key, flags)
    if prefix is not None:
        return place.watch_prefix(prefix, flags)
    if start is not None or end is not None:
        return place.watch_range(start, end, flags)
    return place.watch_all(flags)


class Changes(_Closing):
    """Each Ldb.ChangeSet of a watch of its own, with its snapshot. What is committed while the loop's
    body runs gathers, in bounds, and comes with the next one. It ends when it is closed, or its database
    is."""

    def __init__(self, watch):
        self.watch = watch
        self._arrived = None  # paused then, so that there is one at most
        self._arrive = lambda: None
        self._awaited = False
        watch.connect("changed", self._on_changed)
        watch.connect("notify::closed", lambda *data: self._arrive())

    def _on_changed(self, watch, changes):
        watch.pause()
        changes.get_snapshot()  # so that it has one still when the loop's body asks
        self._arrived = changes
        self._arrive()

    def close(self):
        """Ends it; so does the end of a `with` statement."""
        self.watch.close()
        self._arrive()

    def __aiter__(self):
        return self

    async def __anext__(self):
        if self._awaited:
            raise RuntimeError("somebody waits for these changes already; make other changes()")
        self._awaited = True
        try:
            while self._arrived is None:
                if self.watch.is_closed():
                    raise StopAsyncIteration
                self.watch.resume()
                waiting, self._arrive = awaiting.expect()
                await waiting
        finally:
            self._awaited = False
        changes, self._arrived = self._arrived, None
        return changes


@override
class Store(Writing, Ldb.Store):
    _raw = Ldb.Store
    _lookup = Ldb.Store.lookup
    _contains = Ldb.Store.contains
    _scan_range = Ldb.Store.scan
    _scan_prefix = Ldb.Store.scan_prefix
    _put = Ldb.Store.put
    _put_variant = Ldb.Store.put_variant
    _delete = Ldb.Store.delete
    _delete_range = Ldb.Store.delete_range
    _get_many = relax(Ldb.Store.get_many)
    put = Database.put
    get_many = Database.get_many
    changes = Database.changes

    def update(self, items=(), **named):
        """Puts the items of a mapping, or pairs, in one commit."""
        with self.get_database().batch() as batch:
            batch.for_store(self).update(items, **named)

    def setdefault(self, key, default=b""):
        """The value; when there is none, `default`, which is put. In one transaction."""
        return self.get_database().run(
            lambda transaction: transaction.for_store(self).setdefault(key, default))

    def pop(self, key, *default):
        """Deletes a key and returns its value; `default` or KeyError. In one transaction."""
        return self.get_database().run(
            lambda transaction: transaction.for_store(self).pop(key, *default))


@override
class Snapshot(ReadingOfStores, _Closing, Ldb.Snapshot):
    _raw = Ldb.Snapshot
    _get_many = relax(Ldb.Snapshot.get_many)

    def for_store(self, store):
        """A store as it was, as a mapping."""
        return ReadStore(self, store)

    def get_many(self, store, keys, cancellable=None):
        """The values of many keys; None for a key that was absent."""
        return _values(self._get_many(store, keys, cancellable))


@override
class Transaction(ReadingOfStores, Writing, Ldb.Transaction):
    """In a `with` statement it commits at the end, or rolls back when an exception is raised."""

    _raw = Ldb.Transaction
    _has_ended = False  # by commit or rollback, and not by itself

    def for_store(self, store):
        """A store as the transaction sees it, as a mapping."""
        return WriteStore(self, store)

    def commit(self, sync=Ldb.SyncMode.DEFAULT, cancellable=None):
        """Commits. Fails with ConflictError when another commit was in the way."""
        result = self._raw.commit(self, sync, cancellable)
        self._has_ended = True
        return result

    def rollback(self):
        """Undoes everything."""
        result = self._raw.rollback(self)
        self._has_ended = True
        return result

    def _end(self, sync=Ldb.SyncMode.DEFAULT):
        """Commits, unless that was done. One that timed out tells so here."""
        if not self._has_ended:
            self.commit(sync)

    async def _end_async(self, sync=Ldb.SyncMode.DEFAULT):
        if not self._has_ended:
            await self.commit_async(sync)

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if kind is None:
            self._end()
        elif self.is_active():
            self.rollback()

    async def __aenter__(self):
        return self

    async def __aexit__(self, kind, error, trace):
        if kind is None:
            await self._end_async()
        elif self.is_active():
            self.rollback()


def _note_commit(value, transaction):
    transaction._has_ended = True
    return value


@override
class Cursor(_Closing, Ldb.Cursor):
    """Iterated, it gives what is ahead: keys and values, or keys when it reads keys only."""

    def __iter__(self):
        return _keys(self) if self.get_flags() & Ldb.ScanFlags.KEYS_ONLY else _records(self)

    async def __aiter__(self):
        keys_only = self.get_flags() & Ldb.ScanFlags.KEYS_ONLY
        while records := await self.read_async(256):
            for record in records:
                yield record.get_key() if keys_only else (record.get_key(), record.value)

    def get_key(self):
        """The key that it is on, or None."""
        return _bytes_or_none(Ldb.Cursor.get_key(self))

    def get_value(self, cancellable=None):
        """The stored bytes that it is on."""
        return _bytes_or_none(Ldb.Cursor.get_value(self, cancellable))

    @property
    def key(self):
        """The key that it is on, or None."""
        return self.get_key()

    @property
    def value(self):
        """The value that it is on."""
        return to_value(self.get_value())


_fetch = Ldb.Cursor.fetch


def _records(cursor):
    fetch = _fetch
    found, key, value = fetch(cursor, None)
    while found:
        yield key, to_value(value)
        found, key, value = fetch(cursor, None)


def _keys(cursor):
    fetch = _fetch
    found, key, _ = fetch(cursor, None)
    while found:
        yield key
        found, key, _ = fetch(cursor, None)


@override
class Record(Ldb.Record):
    def get_key(self):
        """The key."""
        return _bytes_or_none(Ldb.Record.get_key(self))

    def get_value(self):
        """The stored bytes; None when only keys were read."""
        return _bytes_or_none(Ldb.Record.get_value(self))

    @property
    def key(self):
        """The key."""
        return self.get_key()

    @property
    def value(self):
        """The value; None when only keys were read."""
        return _value_or_none(Ldb.Record.get_value(self))

    def __iter__(self):
        return iter((self.key, self.value))


@override
class Batch(OwnStores, Setting, Ldb.Batch):
    """What is assigned and deleted is added to the batch."""

    _raw = Ldb.Batch

    def for_store(self, store):
        """The batch's operations on a store, as a mapping that is only written."""
        return BatchStore(self, store)


class _BatchOf:
    """The `with` statement of Database.batch()."""

    def __init__(self, database, sync):
        self._database, self._sync = database, sync

    def __enter__(self):
        self._batch = Ldb.Batch.new()
        return self._batch

    def __exit__(self, kind, error, trace):
        if kind is None and self._batch.get_count() > 0:
            self._database.write_batch(self._batch, self._sync)

    async def __aenter__(self):
        return self.__enter__()

    async def __aexit__(self, kind, error, trace):
        if kind is None and self._batch.get_count() > 0:
            await self._database.write_batch_async(self._batch, self._sync)


@override
class Loader(Loading, OwnStores, Ldb.Loader):
    """In a `with` statement it commits at the end, or loads nothing when an exception is raised."""

    _raw = Ldb.Loader

    def for_store(self, store):
        """The loader's puts into a store, as a mapping that is only written."""
        return LoaderStore(self, store)

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if kind is None:
            self.commit()
        else:
            self.close()


@override
class Watch(_Closing, Ldb.Watch):
    """Signals; to loop over changes, see Database.changes()."""


@override
class Feed(_Closing, Ldb.Feed):
    """Iterated, it gives each commit since its position as an Ldb.ChangeSet: up to the newest one in a
    `for`, and for ever in an `async for`."""

    def __iter__(self):
        while (commit := self.read_commit()) is not None:
            yield commit

    async def __aiter__(self):
        while True:
            commit = await self.read_commit_async()
            if commit is None:
                await self.wait_async()
            else:
                yield commit


@override
class Entry(_Closing, Ldb.Entry):
    def get_key(self):
        """The key."""
        return _bytes_or_none(Ldb.Entry.get_key(self))

    def get_value(self):
        """The stored bytes; None when there are none."""
        return _bytes_or_none(Ldb.Entry.get_value(self))


@override
class ListModel(_Closing, Ldb.ListModel):
    """A sequence of rows; `key in model` looks for a key. It changes only while the main loop runs."""

    def __contains__(self, key):
        return self.find(key) >= 0

    def index(self, key):
        """The position of a key; ValueError when it is not shown."""
        position = self.find(key)
        if position < 0:
            raise ValueError(f"{key!r} is not in the list")
        return position

    def __iter__(self):
        position = 0
        while (row := self.get_item(position)) is not None:
            yield row
            position += 1

    def __bool__(self):
        return True


@override
class ChangeSet(Ldb.ChangeSet):
    """Iterated, it gives the changes."""

    def __iter__(self):
        return iter(self.list())

    def __len__(self):
        return self.get_n_changes()

    def __bool__(self):
        return True


@override
class Change(Ldb.Change):
    def get_key(self):
        """The key, or the first of the range."""
        return _bytes_or_none(Ldb.Change.get_key(self))

    def get_end(self):
        """The end of the range."""
        return _bytes_or_none(Ldb.Change.get_end(self))

    def get_value(self):
        """The stored bytes, where they were asked for."""
        return _bytes_or_none(Ldb.Change.get_value(self))

    def get_old_value(self):
        """The bytes stored before, where they were asked for."""
        return _bytes_or_none(Ldb.Change.get_old_value(self))

    @property
    def kind(self):
        """An Ldb.ChangeKind."""
        return self.get_kind()

    @property
    def key(self):
        """The key, or the first of the range."""
        return self.get_key()

    @property
    def value(self):
        """The new value, where it was asked for."""
        return _value_or_none(Ldb.Change.get_value(self))

    @property
    def old_value(self):
        """The value before, where it was asked for."""
        return _value_or_none(Ldb.Change.get_old_value(self))


@override
class Health(Ldb.Health):
    """Iterated, it gives the issues, the worst first; `health["disk-space"]` is one of them."""

    def __iter__(self):
        return iter(self.get_issues())

    def __len__(self):
        return len(self.get_issues())

    def __bool__(self):
        return True

    def __contains__(self, name):
        return self.find_issue(name) is not None

    def __getitem__(self, name):
        issue = self.find_issue(name)
        if issue is None:
            raise KeyError(name)
        return issue

    def to_dict(self):
        """All of it, as to_json() has it."""
        return json.loads(self.to_json())


@override
class HealthIssue(Ldb.HealthIssue):
    @property
    def figures(self):
        """Those of get_evidence(), by name."""
        return self.get_evidence().unpack()


@override
class Event(Ldb.Event):
    def to_dict(self):
        """The fields by name, the kind in words; without those that say nothing of such an event."""
        found = {name: getattr(self, name) for name in
                 ("number", "time", "last", "times", "size", "size_read", "duration", "message", "key")}
        found = {name: value for name, value in found.items() if value not in (0, None)}
        if self.code >= 0:
            found["code"] = Ldb.Error(self.code).value_nick
        return {"number": found.pop("number"), "kind": self.kind.value_nick, **found}


# What the results of calls become that are not written out above, in each form that a call has. Bytes
# become bytes wherever they come from, but where the name asks for them (get_bytes()).
_RESULTS = {
    ("Transaction", "commit"): _note_commit,
    **{(name, "get"): lambda found, source: _value_or_none(found)
       for name in ("Database", "Store", "Snapshot", "Transaction", "Inspector")},
    **{(name, "get_many"): lambda found, source: _values(found)
       for name in ("Database", "Store", "Snapshot")},
}


def _conversion(cls, name, method):
    found = _RESULTS.get((cls.__name__, name.removesuffix("_finish")))
    if found is None and calling.is_bytes(method.get_return_type()) and "bytes" not in name:
        found = lambda found, source: _bytes_or_none(found)
    return found


def _complete_fields(cls, info):
    for field in info.get_fields() if hasattr(info, "get_fields") else ():
        if calling.is_bytes(field.get_type()):
            read = getattr(cls, field.get_name()).fget
            setattr(cls, field.get_name(), property(lambda self, read=read: _bytes_or_none(read(self))))


def _complete(cls):
    """Gives a class what can be made from introspection: awaitable calls, easier arguments, bytes."""
    info = cls.__info__
    introspected = next(base for base in cls.__mro__ if base.__module__ == "gi.repository.Ldb")
    # Through the class, so that constructors know what to construct.
    infos = {method.__name__: getattr(introspected, method.__name__) for method in info.get_methods()}
    written = set().union(*(base.__dict__ for base in cls.__mro__[:cls.__mro__.index(introspected)]))
    for name, method in infos.items():
        finish = infos.get(name.removesuffix("_async") + "_finish")
        if name in written:
            continue
        if name.endswith("_async") and finish is not None:
            convert = _conversion(cls, finish.__name__, finish)
            made = awaiting.make_awaitable(method, finish, convert)
        else:
            made = relax(method)
            convert = _conversion(cls, name, method)
            if convert is not None:
                made = calling.converting(made or method, method, convert)
            if name.startswith("watch_") or (cls is ListModel and name.startswith("new")):
                made = awaiting.listening(made or method)
        if made is not None:
            setattr(cls, name, made if method.is_method() else staticmethod(made))
    _complete_fields(cls, info)


_written = {its.__name__: its for its in (Database, Store, Snapshot, Transaction, Cursor, Record, Batch,
                                         Loader, Watch, Feed, Entry, ListModel, ChangeSet, Change,
                                         Health, HealthIssue, Event)}
for _name in dir(Ldb):
    _class = _written.get(_name) or getattr(Ldb, _name)
    if isinstance(_class, type) and hasattr(getattr(_class, "__info__", None), "get_methods") \
            and issubclass(_class, (GObject.Object, GObject.GBoxed)):
        _complete(_class)

for _name in ("new", "new_prefix"):
    setattr(ListModel, _name, staticmethod(rows.made_here(getattr(ListModel, _name),
                                                          getattr(ListModel, _name + "_mapped"))))



def _flags(create, exclusive, read_only, static, wait):
    flags = Ldb.OpenFlags.NONE
    if create or exclusive:
        flags |= Ldb.OpenFlags.CREATE
    if exclusive:
        flags |= Ldb.OpenFlags.EXCLUSIVE
    if read_only:
        flags |= Ldb.OpenFlags.READ_ONLY
    if static:
        flags |= Ldb.OpenFlags.STATIC
    if wait:
        flags |= Ldb.OpenFlags.WAIT
    return flags


def _options(options, settings):
    if settings:
        options = options.copy() if options is not None else Ldb.Options.new()
        for name, value in settings.items():
            options.set_property(name.replace("_", "-"), value)
    return options


def open(path, *, create=False, exclusive=False, read_only=False, static=False, wait=False,
         options=None, cancellable=None, **settings):
    """Opens a database. Settings are properties of Ldb.Options, such as cache_size=1 << 30."""
    return Database.open(os.fspath(path), _flags(create, exclusive, read_only, static, wait),
                         _options(options, settings), cancellable)


def open_async(path, *, create=False, exclusive=False, read_only=False, static=False, wait=False,
               options=None, cancellable=None, **settings):
    """Opens a database without blocking, to be awaited. A Gio.Cancellable ends it, and a wait for
    the process that writes, with a GLib.Error; cancel() of what is awaited does so with
    asyncio.CancelledError."""
    return Database.open_async(os.fspath(path), _flags(create, exclusive, read_only, static, wait),
                               _options(options, settings), cancellable)
