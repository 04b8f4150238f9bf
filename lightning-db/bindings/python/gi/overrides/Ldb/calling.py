# SPDX-License-Identifier: MIT
"""Introspected functions, made easy to call.

What keys and values are given as (str, bytes-like) becomes bytes, and arguments at the end that have
a natural default may be left out: flags (none), bounds of a range (open), whatever may be NULL.
"""

from gi.repository import GLib

_ARRAY, _INTERFACE, _UINT8, _UTF8 = 15, 16, 3, 13  # GITypeTag


def as_bytes(value):
    """A key or value as bytes: text is UTF-8."""
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, GLib.Bytes):
        return value.get_data() or b""
    if isinstance(value, (bytearray, memoryview)):
        return bytes(value)
    raise TypeError(f"keys and values are str or bytes, not {type(value).__name__}")


def _as_nullable_bytes(value):
    return None if value is None else as_bytes(value)


def _as_glib_bytes(value):
    return value if value is None or isinstance(value, GLib.Bytes) else GLib.Bytes.new(as_bytes(value))


def _as_text(value):
    """Text for C, where it ends at a zero byte: PyGObject cuts it off there."""
    if isinstance(value, str) and "\0" in value:
        raise ValueError("text has no zero bytes here; keys and values that do are given as bytes")
    return value


def _as_list_of_bytes(values):
    return [_as_glib_bytes(value) for value in values]


def _as_list_of_records(values):
    """Records, or pairs of a key and stored bytes."""
    from gi.repository import Ldb
    return [value if isinstance(value, Ldb.Record)
            else Ldb.Record.new(*map(_as_glib_bytes, value)) for value in values]


def is_bytes(type_info):
    return type_info.get_tag() == _INTERFACE and type_info.get_interface().get_name() == "Bytes"


class Parameter:
    """One argument as Python passes it."""

    def __init__(self, info):
        self.name = info.get_name()
        self.default = None
        self.convert = None
        self.is_callback = False
        type_info = info.get_type()
        tag = type_info.get_tag()
        if tag == _ARRAY:
            item = type_info.get_param_type(0)
            if item.get_tag() == _UINT8:
                self.convert = _as_nullable_bytes
            elif is_bytes(item):
                self.convert = _as_list_of_bytes
            elif item.get_tag() == _INTERFACE and item.get_interface().get_name() == "Record":
                self.convert = _as_list_of_records
        elif tag == _UTF8:
            self.convert = _as_text
        elif tag == _INTERFACE:
            interface = type_info.get_interface()
            self.is_callback = interface.get_name() == "AsyncReadyCallback"
            if is_bytes(type_info):
                self.convert = _as_glib_bytes
            if type(interface).__name__ == "EnumInfo":
                self.default = 0


def parameters(info):
    """The arguments as Python passes them, without `self`, and without what follows a callback."""
    arguments = [argument for argument in info.get_arguments()]
    hidden = set()
    closure_data = set()
    for argument in arguments:
        type_info = argument.get_type()
        if type_info.get_tag() == _ARRAY and type_info.get_array_length() >= 0:
            hidden.add(type_info.get_array_length())
        if argument.get_closure() >= 0:
            closure_data.add(argument.get_closure())
        if argument.get_destroy() >= 0:
            hidden.add(argument.get_destroy())
    visible = []
    for number, argument in enumerate(arguments):
        if number in hidden or argument.get_direction() != 0:
            continue
        parameter = Parameter(argument)
        if number in closure_data:
            parameter.default = ()  # PyGObject wants a tuple when a second callback follows
        visible.append(parameter)
        if parameter.is_callback:
            break
    return visible


def arrange(name, expected, args, kwargs, skip):
    """All arguments in order, converted, with defaults; the first `skip` are passed as they are."""
    if len(args) > len(expected) + skip:
        raise TypeError(f"{name}() takes {len(expected)} arguments, but {len(args) - skip} were given")
    arranged = list(args[:skip])
    for number, parameter in enumerate(expected, skip):
        if number < len(args):
            value = args[number]
            if parameter.name in kwargs:
                raise TypeError(f"{name}() got “{parameter.name}” twice")
        else:
            value = kwargs.pop(parameter.name, parameter.default)
        arranged.append(parameter.convert(value) if parameter.convert else value)
    if kwargs:
        raise TypeError(f"{name}() has no argument “{next(iter(kwargs))}”")
    return arranged


def relax(info):
    """A function that is called as the introspected one, or more easily; None if nothing is gained."""
    expected = parameters(info)
    if not any(parameter.convert or parameter.default == 0 for parameter in expected):
        return None
    name = info.__name__
    skip = 1 if info.is_method() else 0

    def call(*args, **kwargs):
        return info(*arrange(name, expected, args, kwargs, skip))

    return describe(call, info)


def converting(function, info, convert):
    """The same function, what it returns converted; `convert` also gets the object it was called on."""
    has_source = info.is_method()

    def call(*args, **kwargs):
        return convert(function(*args, **kwargs), args[0] if has_source else None)

    return describe(call, info)


def describe(function, info):
    function.__name__ = info.__name__
    function.__qualname__ = f"{info.get_container().__name__}.{info.__name__}"
    function.__doc__ = info.__doc__
    return function
