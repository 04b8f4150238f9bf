# SPDX-License-Identifier: MIT
"""Errors as classes: one for each code of Ldb.Error.

PyGObject makes every error by calling GLib.Error. Its class is asked here which one to make, so that
no call of the library needs a wrapper and errors of other libraries stay what they are.
"""

from gi._error import GError

DOMAIN = "ldb-error-quark"


class DatabaseError(GError):
    """An error of the library. Its `message` says what happened and what to do."""

    def __str__(self):
        return self.message

    def copy(self):
        return type(self)(self.message, self.domain, self.code)


def class_name(code_name):
    """not_found → NotFoundError; io → IOError"""
    if code_name == "io":
        return "IOError"
    return "".join(word.capitalize() for word in code_name.split("_")) + "Error"


def make_classes(enumeration):
    """A class for each code, by name."""
    classes = {}
    for value in enumeration.__info__.get_values():
        name = class_name(value.get_name_unescaped())
        classes[name] = type(name, (DatabaseError,), {
            "__module__": "gi.repository.Ldb",
            "__doc__": f"Ldb.Error.{value.get_name_unescaped().upper()}",
            "__init__": _initializer(value.get_value()),
            "CODE": value.get_value(),
        })
    return classes


def _initializer(own_code):
    def __init__(self, message="", domain=DOMAIN, code=own_code):
        DatabaseError.__init__(self, message, domain, code)

    return __init__


def install(classes):
    """From now on errors of the library are made as their classes."""
    by_code = {its.CODE: its for its in classes.values()}
    make = GError.__new__

    def __new__(cls, *args, **kwargs):
        if cls is GError:
            said = dict(zip(("message", "domain", "code"), args), **kwargs)
            if said.get("domain") == DOMAIN:
                cls = by_code.get(said.get("code", 0), DatabaseError)
        return make(cls, *args, **kwargs)

    GError.__new__ = __new__
