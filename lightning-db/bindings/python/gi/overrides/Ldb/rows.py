# SPDX-License-Identifier: MIT
"""Rows of lists that are objects of a Python class.

PyGObject takes an object of such a class that C makes while Python constructs another one for what is
constructed: with Gtk.SingleSelection (model=list) a row would become a second face of the selection.
So the rows are made in Python here, as those of a function are, and follow their entries.
"""

import weakref

from gi.repository import GLib, GObject

_BYTES, _TEXT, _VARIANT = GLib.Bytes.__gtype__, GObject.TYPE_STRING, GObject.TYPE_VARIANT


def _as_text(found):
    """As the library gives it: what is no UTF-8 is replaced, zero characters among it."""
    return (found.get_data() or b"").decode(errors="replace").replace("\0", "\N{REPLACEMENT CHARACTER}")


def _set_key(row, entry, as_text):
    key = entry.props.key
    if key is not None:
        row.set_property("key", _as_text(key) if as_text else key)


def _set_value(row, entry, value_type):
    value = entry.props.value
    if value is not None:
        row.set_property("value", _as_text(value) if value_type == _TEXT
                         else entry.props.variant if value_type == _VARIANT else value)


def _setters(row_type):
    """What brings each property that follows up to date; None where the library says what is wrong."""
    types = {pspec.name: pspec.value_type for pspec in GObject.list_properties(row_type)
             if pspec.flags & GObject.ParamFlags.WRITABLE
             and not pspec.flags & GObject.ParamFlags.CONSTRUCT_ONLY}
    if types.get("key") not in (_BYTES, _TEXT) or types.get("value") not in (_BYTES, _TEXT, _VARIANT):
        return None
    setters = {"key": lambda row, entry: _set_key(row, entry, types["key"] == _TEXT),
               "value": lambda row, entry: _set_value(row, entry, types["value"])}
    if types.get("sequence") == GObject.TYPE_UINT64:
        setters["sequence"] = lambda row, entry: row.set_property("sequence", entry.props.sequence)
    if types.get("loaded") == GObject.TYPE_BOOLEAN:
        setters["loaded"] = lambda row, entry: row.set_property("loaded", entry.props.loaded)
    return setters


def _maker(row_type):
    """A function that makes a row of an entry; None when the library is to make the rows."""
    if not isinstance(row_type, type):
        row_type = getattr(row_type, "pytype", None)  # a GType
    if row_type is None or not issubclass(row_type, GObject.Object) or "__info__" in row_type.__dict__ \
            or row_type.__module__.startswith("gi."):
        return None
    setters = _setters(row_type)
    if setters is None:
        return None

    def make(entry, *data):
        row = row_type()
        row._ldb_entry = entry  # which lives as long as the row, and does not know it
        here = weakref.ref(row)

        def follow(entry, pspec):
            row = here()
            if row is not None and entry.props.exists and pspec.name in setters:
                setters[pspec.name](row, entry)

        entry.connect("notify", follow)
        with row.freeze_notify():
            for name in setters if entry.props.loaded else ("key",):
                setters[name](row, entry)
        return row

    return make


def made_here(make, make_mapped):
    """A constructor of lists; rows of Python classes are made here."""
    def call(*args, **kwargs):
        maker = _maker(kwargs["row_type"] if "row_type" in kwargs else args[-1] if args else None)
        if maker is None:
            return make(*args, **kwargs)
        if "row_type" in kwargs:
            return make_mapped(*args, item_type=kwargs.pop("row_type"), func=maker, **kwargs)
        return make_mapped(*args, maker, **kwargs)

    call.__name__, call.__doc__ = make.__name__, make.__doc__
    return call
