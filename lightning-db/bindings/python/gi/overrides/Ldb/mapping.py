# SPDX-License-Identifier: MIT
"""The mapping protocol over anything that holds records: a place.

A place that is read has `_lookup (key, cancellable)` → (found, value), `_contains (key, cancellable)`,
`_scan_range (start, end, flags)` and `_scan_prefix (prefix, flags)` → cursor; one that is written also
has `_put (key, value)`, `_put_variant`, `_delete` and `_delete_range`. All take bytes.
"""

import operator

from gi.module import get_introspection_module
from gi.repository import Gio

from . import documents
from .calling import as_bytes

ScanFlags = get_introspection_module("Ldb").ScanFlags
TAIL = documents.TAIL


def to_value(stored):
    """What stored bytes are in Python: a document or themselves."""
    return documents.decode(stored) if stored.endswith(TAIL) else stored


def _nullable(key):
    return None if key is None else as_bytes(key)


def open_cursor(place, start=None, end=None, flags=0, prefix=None, reverse=False, keys_only=False,
                limit=None):
    """A cursor over a range or a prefix of a place."""
    if limit is not None and operator.index(limit) < 1:
        raise ValueError(f"a scan has a limit of 1 or more, not {limit}")
    flags = ScanFlags(flags)
    if reverse:
        flags |= ScanFlags.REVERSE
    if keys_only:
        flags |= ScanFlags.KEYS_ONLY
    if prefix is None:
        cursor = place._scan_range(_nullable(start), _nullable(end), flags)
    elif start is None and end is None:
        cursor = place._scan_prefix(as_bytes(prefix), flags)
    else:
        raise ValueError("give a prefix, or a start and an end, not both")
    if limit is not None:
        cursor.set_limit(limit)
    return cursor


class Range:
    """The keys, values or both of a range. Each iteration reads what is there then, at one moment."""

    def __init__(self, place, form, start=None, stop=None, prefix=None, reverse=False, limit=None):
        if prefix is not None and (start is not None or stop is not None):
            raise ValueError("give a prefix, or a start and a stop, not both")
        self._place, self._form = place, form
        self._start, self._stop, self._prefix = map(_nullable, (start, stop, prefix))
        self._reverse, self._limit = reverse, limit

    def _is_empty(self):
        """Python's idea of an empty range, which the library calls a mistake."""
        return (self._stop is not None and (self._start or b"") >= self._stop) or self._limit == 0

    def __iter__(self):
        if self._is_empty():
            return
        with open_cursor(self._place, self._start, self._stop, 0, self._prefix, self._reverse,
                         self._form == "keys", self._limit) as cursor:
            if self._form == "values":
                for _, value in cursor:
                    yield value
            else:
                yield from cursor

    def __reversed__(self):
        if self._limit is not None:
            raise ValueError("a range with a limit cannot be turned round; ask with reverse=True")
        return iter(Range(self._place, self._form, self._start, self._stop, self._prefix,
                          not self._reverse))

    def __contains__(self, item):
        if self._form != "keys" or self._limit is not None:
            return any(item == other for other in self)
        key = as_bytes(item)
        if self._prefix is not None:
            covered = key.startswith(self._prefix)
        else:
            covered = (self._start or b"") <= key and (self._stop is None or key < self._stop)
        return covered and key in self._place


def _bounds(keys):
    """(start, stop, reverse) of a slice of keys."""
    if keys.step not in (None, 1, -1):
        raise ValueError("a slice of keys has no step but -1, to go backwards")
    return keys.start, keys.stop, keys.step == -1


class Reading:
    """A place that is read."""

    def __getitem__(self, key):
        if key.__class__ is not bytes:
            if isinstance(key, slice):
                start, stop, reverse = _bounds(key)
                return Range(self, "items", start, stop, reverse=reverse)
            key = as_bytes(key)
        found, value = self._lookup(key, None)
        if not found:
            raise KeyError(key)
        return documents.decode(value) if value.endswith(TAIL) else value

    def get(self, key, default=None, cancellable=None):
        """The value, or `default` when there is none."""
        if isinstance(default, Gio.Cancellable):  # the introspected form: get (key, cancellable)
            default, cancellable = None, default
        found, value = self._lookup(key if key.__class__ is bytes else as_bytes(key), cancellable)
        if not found:
            return default
        return documents.decode(value) if value.endswith(TAIL) else value

    def __contains__(self, key):
        return self._contains(key if key.__class__ is bytes else as_bytes(key), None)

    def __iter__(self):
        return iter(Range(self, "keys"))

    def __reversed__(self):
        return iter(Range(self, "keys", reverse=True))

    def __bool__(self):
        return True

    def keys(self, prefix=None, start=None, stop=None, reverse=False, limit=None):
        """The keys of a prefix or range, in their order."""
        return Range(self, "keys", start, stop, prefix, reverse, limit)

    def values(self, prefix=None, start=None, stop=None, reverse=False, limit=None):
        """The values of a prefix or range, in the order of their keys."""
        return Range(self, "values", start, stop, prefix, reverse, limit)

    def items(self, prefix=None, start=None, stop=None, reverse=False, limit=None):
        """The keys and values of a prefix or range, in the order of keys."""
        return Range(self, "items", start, stop, prefix, reverse, limit)

    def scan(self, start=None, end=None, flags=0, *, prefix=None, reverse=False, keys_only=False,
             limit=None):
        """A cursor over a prefix or range; iterated, it gives keys and values."""
        return open_cursor(self, start, end, flags, prefix, reverse, keys_only, limit)


class Setting:
    """A place that is written without being read."""

    def __setitem__(self, key, value):
        if key.__class__ is not bytes:
            key = as_bytes(key)
        if value.__class__ is bytes:
            self._put(key, documents.check_bytes(value) if value.endswith(TAIL) else value)
        elif isinstance(value, dict):
            self._put_variant(key, documents.encode(value))
        else:
            self._put(key, documents.check_bytes(as_bytes(value)))

    def __delitem__(self, key):
        if not isinstance(key, slice):
            self._delete(as_bytes(key))
            return
        start, stop, _ = _bounds(key)
        if not Range(self, "keys", start, stop)._is_empty():
            self._delete_range(_nullable(start), _nullable(stop))

    def update(self, items=(), **named):
        """Puts the items of a mapping, or pairs."""
        for key, value in items.items() if hasattr(items, "items") else items:
            self[key] = value
        for key, value in named.items():
            self[key] = value


class Writing(Setting, Reading):
    """A place that is read and written."""

    def __delitem__(self, key):
        if not isinstance(key, slice) and key not in self:
            raise KeyError(key)
        Setting.__delitem__(self, key)

    def clear(self):
        """Deletes everything."""
        self._delete_range(None, None)

    def setdefault(self, key, default=b""):
        """The value; when there is none, `default`, which is put."""
        if key not in self:
            self[key] = default
        return self[key]

    def pop(self, key, *default):
        """Deletes a key and returns its value; `default` or KeyError when there is none."""
        if len(default) > 1:
            raise TypeError("pop() takes a key and at most one default")
        if default and key not in self:
            return default[0]
        value = self[key]
        self._delete(as_bytes(key))
        return value


class OfStores:
    """A place that is the default store of an object of many stores. What the object's own methods
    take a store for, the place asks of the default one."""

    _store = None

    def _lookup(self, key, cancellable):
        return self._raw.lookup(self._object, self._store, key, cancellable)

    def _contains(self, key, cancellable):
        return self._raw.contains(self._object, self._store, key, cancellable)

    def _scan_range(self, start, end, flags):
        return self._raw.scan(self._object, self._store, start, end, flags)

    def _scan_prefix(self, prefix, flags):
        return self._raw.scan_prefix(self._object, self._store, prefix, flags)

    def _put(self, key, value):
        self._raw.put(self._object, self._store, key, value)

    def _put_variant(self, key, variant):
        self._raw.put_variant(self._object, self._store, key, variant)

    def _delete(self, key):
        self._raw.delete(self._object, self._store, key)

    def _delete_range(self, start, end):
        self._raw.delete_range(self._object, self._store, start, end)


class _StorePlace(OfStores):
    """One store of such an object."""

    def __init__(self, owner, store):
        self._object, self._store, self._raw = owner, store, owner._raw


class ReadStore(_StorePlace, Reading):
    """A store of a snapshot, as a mapping."""


class WriteStore(_StorePlace, Writing):
    """A store of a transaction, as a mapping."""


class BatchStore(_StorePlace, Setting):
    """A store in a batch: what is assigned and deleted is added to it."""


class Loading(Setting):
    """A place that is only added to."""

    def _put_variant(self, key, variant):
        self._put(key, documents.stored(variant))

    def __delitem__(self, key):
        raise TypeError("a loader only puts; delete beforehand or afterwards")


class LoaderStore(Loading, _StorePlace):
    """A store in a loader: what is assigned is loaded into it."""


class OwnStores(OfStores):
    """The object itself, as the place that its default store is."""

    @property
    def _object(self):
        return self


class ReadingOfStores(OwnStores, Reading):
    """Reading, where the library's own methods take a store first."""

    def get(self, key, default=None, *rest):
        """The value, or `default` when there is none; also get (store, key, cancellable)."""
        if key is not None and not hasattr(key, "put_bytes"):
            return Reading.get(self, key, default, *rest)
        found, value = self._raw.lookup(self, key, as_bytes(default), *rest)
        return to_value(value) if found else None

    def scan(self, store=None, start=None, end=None, flags=0, *, prefix=None, reverse=False,
             keys_only=False, limit=None):
        """A cursor over a prefix or range; iterated, it gives keys and values."""
        return open_cursor(self if store is None else ReadStore(self, store), start, end, flags,
                           prefix, reverse, keys_only, limit)
