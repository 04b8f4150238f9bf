# SPDX-License-Identifier: MIT
"""Dictionaries as values.

A document is stored as what put_variant() stores for a variant of type a{sv}, so that every language
reads it. Such bytes end with the type, after a zero byte; everything before has to be in GVariant's
normal form. Bytes that are both are a document, all others are bytes. Nothing is guessed when it
counts: the mapping protocol refuses to store bytes that it would read back as a document.
"""

from gi.repository import GLib

TAIL = b"\0a{sv}"
DEEPEST = 40  # documents in documents: three of the 128 levels that GVariant allows for each

_VARIANT = GLib.VariantType.new("v")
_BYTES = GLib.VariantType.new("ay")


def encode(document):
    """The GLib.Variant of a dictionary."""
    return _encode(document, 0)


def _encode(value, depth):
    if depth > DEEPEST:
        raise ValueError(f"a document may hold others {DEEPEST} deep; this one goes deeper, or in "
                         "a circle")
    if isinstance(value, GLib.Variant):
        return value
    if value is None:
        return GLib.Variant("mv", None)
    if isinstance(value, bool):
        return GLib.Variant.new_boolean(value)
    if isinstance(value, int):
        return _encode_integer(value)
    if isinstance(value, float):
        return GLib.Variant.new_double(value)
    if isinstance(value, str):
        return GLib.Variant.new_string(_checked(value))
    if isinstance(value, (bytes, bytearray, memoryview)):
        return GLib.Variant.new_from_bytes(_BYTES, GLib.Bytes.new(bytes(value)), True)
    if isinstance(value, (list, tuple)):
        return GLib.Variant("av", [_encode(item, depth + 1) for item in value])
    if isinstance(value, dict):
        return GLib.Variant("a{sv}", {_checked(key): _encode(item, depth + 1)
                                      for key, item in value.items()})
    raise TypeError("a document holds None, bool, int, float, str, bytes, lists, dictionaries and "
                    f"GLib.Variant, not {type(value).__name__}")


def _encode_integer(value):
    if -(1 << 63) <= value < 1 << 63:
        return GLib.Variant.new_int64(value)
    if value < 1 << 64 and value > 0:
        return GLib.Variant.new_uint64(value)
    raise ValueError(f"{value} does not fit into 64 bits")


def _checked(text):
    if not isinstance(text, str):
        raise TypeError(f"a key in a document is str, not {type(text).__name__}")
    if "\0" in text:
        raise ValueError("text in a document has no zero bytes; store it as bytes")
    return text


def stored(variant):
    """The bytes that put_variant() stores for a variant."""
    return GLib.Variant.new_variant(variant).get_data_as_bytes().get_data()


def decode(value):
    """The dictionary that bytes with the tail are, or the bytes when they are none."""
    variant = GLib.Variant.new_from_bytes(_VARIANT, GLib.Bytes.new(value), False)
    if not variant.is_normal_form():
        return value
    return to_python(variant.get_variant())


def to_python(variant):
    """What a variant means in Python: like GLib.Variant.unpack(), but ay is bytes."""
    kind = variant.get_type_string()
    if kind == "ay":
        return variant.get_data_as_bytes().get_data()
    if kind == "v":
        return to_python(variant.get_variant())
    if kind[0] == "m":
        return to_python(variant.get_child_value(0)) if variant.n_children() else None
    if kind[0] not in "a({":
        return variant.unpack()
    children = [variant.get_child_value(index) for index in range(variant.n_children())]
    if kind.startswith("a{"):
        return {to_python(child.get_child_value(0)): to_python(child.get_child_value(1))
                for child in children}
    values = [to_python(child) for child in children]
    return values if kind[0] == "a" else tuple(values)


def check_bytes(value):
    """Bytes that the mapping protocol may store."""
    if value.endswith(TAIL) and decode(value) is not value:
        raise ValueError("these bytes would be read back as a document; store them with put(), and "
                         "read them with lookup()")
    return value
