#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes type stubs for Python: make-python-stubs.py GIR [OVERLAY.pyi] OUTPUT.pyi

What is introspected comes from the GIR, with the easier arguments and awaitable calls that the
override gives it (calling.py, awaiting.py). What the override writes out itself comes from the
overlay, member by member: one that stands there replaces the one of the GIR. A library that stands on
Lightning DB has no override, and so no overlay.
"""

import ast
import sys
import xml.etree.ElementTree

CORE = "{http://www.gtk.org/introspection/core/1.0}"
C = "{http://www.gtk.org/introspection/c/1.0}"
GLIB = "{http://www.gtk.org/introspection/glib/1.0}"

BASIC = {
    "none": "None", "gboolean": "bool", "utf8": "str", "filename": "str", "gpointer": "Any",
    "gdouble": "float", "gfloat": "float", "GType": "GObject.GType", "gconstpointer": "Any",
    **dict.fromkeys(("gint", "guint", "gint8", "guint8", "gint16", "guint16", "gint32", "guint32",
                     "gint64", "guint64", "gsize", "gssize", "glong", "gulong", "GQuark"), "int"),
}

HEADER = '''\
# SPDX-License-Identifier: MIT
# Type stubs of Lightning DB for Python, made by make-python-stubs.py.
import builtins
import enum
import os
from typing import (Any, AsyncIterator, Awaitable, Callable, Coroutine, Generator, Generic, Iterable,
                    Iterator, Mapping, TypeVar, Union, overload)

from gi.repository import Gio, GLib, GObject
'''
ON_LIBRARY = "from gi.repository import Ldb\n\n"


def tag(name):
    return f"{CORE}{name}"


class Writer:
    def __init__(self, namespace, overlay):
        self.namespace = namespace
        self.overlay = {node.name: node for node in overlay.body if isinstance(node, ast.ClassDef)}
        self.lines = []

    # ---- types ----

    def type_name(self, element, argument):
        """The type of an element that has a <type> or <array>; `argument`: as a caller may give it."""
        array = element.find(tag("array"))
        if array is not None:
            item = array.find(tag("type"))
            if item.get("name") == "guint8":
                return "Data" if argument else "bytes"
            inner = self.simple_name(item, argument)
            return f"Iterable[{inner}]" if argument else f"builtins.list[{inner}]"
        return self.simple_name(element.find(tag("type")), argument)

    def simple_name(self, type_element, argument):
        name = type_element.get("name")
        if name in BASIC:
            return BASIC[name]
        if name == "GLib.Bytes" and argument:
            return "Union[Data, GLib.Bytes]"
        if name in ("GLib.PtrArray", "GLib.List"):
            return f"builtins.list[{self.simple_name(type_element.find(tag('type')), argument)}]"
        for callback in self.namespace.findall(tag("callback")):
            if callback.get("name") == name:
                return "Callable[..., Any]"
        if name == "Gio.AsyncReadyCallback":
            return "Callable[..., Any]"
        return name

    def is_enumeration(self, element):
        type_element = element.find(tag("type"))
        name = type_element.get("name") if type_element is not None else None
        return any(its.get("name") == name
                   for kind in ("enumeration", "bitfield") for its in self.namespace.findall(tag(kind)))

    # ---- functions ----

    def arguments(self, function):
        """(parameters a caller gives, parameters that come back)"""
        given = function.find(tag("parameters"))
        every = [] if given is None else given.findall(tag("parameter"))
        hidden = set()
        for parameter in every:
            array = parameter.find(tag("array"))
            if array is not None and array.get("length") is not None:
                hidden.add(int(array.get("length")))
            for attribute in ("closure", "destroy"):
                if parameter.get(attribute) is not None:
                    hidden.add(int(parameter.get(attribute)))
        shown = [parameter for number, parameter in enumerate(every) if number not in hidden]
        return ([its for its in shown if its.get("direction", "in") == "in"],
                [its for its in shown if its.get("direction", "in") != "in"])

    def signature(self, parameters, is_method):
        """Arguments at the end that may be left out have a default."""
        words = []
        may_be_left_out = True
        for parameter in reversed(parameters):
            nullable = parameter.get("nullable") == "1"
            name = self.type_name(parameter, True)
            array = parameter.find(tag("array"))
            open_bound = array is not None and parameter.get("name") in ("start", "end", "prefix")
            may_be_left_out = may_be_left_out and (
                nullable or open_bound or self.is_enumeration(parameter))
            if nullable or open_bound:
                name = f"Union[{name}, None]"
            words.insert(0, f"{parameter.get('name')}: {name}" + (" = ..." if may_be_left_out else ""))
        return ", ".join((["self"] if is_method else []) + words)

    def result(self, function, out):
        value = function.find(tag("return-value"))
        name = self.type_name(value, False)
        if "bytes" not in function.get("name"):
            name = name.replace("GLib.Bytes", "bytes")
        if value.get("nullable") == "1":
            name = f"Union[{name}, None]"
        if not out:
            return name
        names = ([] if name == "None" else [name]) + [self.type_name(its, False) for its in out]
        return names[0] if len(names) == 1 else f"tuple[{', '.join(names)}]"

    def method(self, function, finish, is_method, awaited=None):
        """The lines of a function; `finish` of an asynchronous one, `awaited` what that gives."""
        name = function.get("shadows") or function.get("name")
        parameters, out = self.arguments(function)
        before = [] if is_method else ["@staticmethod"]
        if finish is None:
            return before + [f"def {name}({self.signature(parameters, is_method)}) -> "
                             f"{awaited or self.result(function, out)}: ..."]
        result = awaited or self.result(finish, self.arguments(finish)[1])
        callback = next(number for number, its in enumerate(parameters)
                        if its.find(tag("type")) is not None
                        and its.find(tag("type")).get("name") == "Gio.AsyncReadyCallback")
        without = self.signature(parameters[:callback], is_method)
        words = [f"{its.get('name')}: " + (
            f"Union[{self.type_name(its, True)}, None]" if its.get("nullable") == "1"
            else self.type_name(its, True)) for its in parameters[:callback]]
        with_it = ", ".join((["self"] if is_method else []) + words
                            + ["callback: Callable[..., Any]", "*user_data: Any"])
        overload = ["@overload"] + before
        return (overload + [f"def {name}({without}) -> Outcome[{result}]: ..."]
                + overload + [f"def {name}({with_it}) -> None: ..."])

    # ---- classes ----

    def overlay_members(self, name):
        """name → lines"""
        members = {}
        if name in self.overlay:
            for node in self.overlay[name].body:
                key = getattr(node, "name", None) or getattr(getattr(node, "target", None), "id", None)
                if key is not None:
                    members.setdefault(key, []).extend(ast.unparse(node).splitlines())
        return members

    def class_of(self, element):
        name = element.get("name")
        members = self.overlay_members(name)
        functions = [its for kind in ("constructor", "method", "function")
                     for its in element.findall(tag(kind))
                     if its.get("introspectable") != "0" and its.get("shadowed-by") is None
                     and its.get("moved-to") is None]
        by_name = {its.get("name"): its for its in functions}
        for function in functions:
            own = function.get("shadows") or function.get("name")
            if own in members:
                continue
            finish = by_name.get(own.removesuffix("_async") + "_finish") if own.endswith("_async") else None
            called = own if finish is not None else own.removesuffix("_finish") + "_async"
            awaited = members.get(f"_awaited_{called}", [": "])[0].split(": ", 1)[1]
            members[own] = self.method(function, finish, function.tag == tag("method"), awaited)
        for field in element.findall(tag("field")) if element.tag == tag("record") else []:
            if field.get("private") != "1":
                kind = self.type_name(field, False).replace("GLib.Bytes", "bytes")
                members[field.get("name")] = [f"{field.get('name')}: {kind}"]
        if element.tag == tag("class"):
            words = "".join(f", {its.get('name').replace('-', '_')}: Any = ..."
                            for its in element.findall(tag("property")) if its.get("writable") == "1")
            members["__init__"] = [f"def __init__(self{', *' if words else ''}{words}) -> None: ..."]
        self.lines.append(f"class {name}{self.bases(element, name)}:")
        for key, lines in members.items():
            if not key.startswith("_awaited_"):
                self.lines += ["    " + line for line in lines]
        if not members:
            self.lines.append("    ...")
        self.lines.append("")

    def bases(self, element, name):
        names = []
        if name in self.overlay:
            names += [ast.unparse(base) for base in self.overlay[name].bases]
        if element.tag == tag("class"):
            names.append(element.get("parent"))
            names += [its.get("name") for its in element.findall(tag("implements"))]
        elif element.tag == tag("record"):
            names.append("GObject.GBoxed")
        return f"({', '.join(names)})" if names else ""

    def enumeration(self, element):
        base = "enum.IntFlag" if element.tag == tag("bitfield") else "enum.IntEnum"
        self.lines.append(f"class {element.get('name')}({base}):")
        for member in element.findall(tag("member")):
            self.lines.append(f"    {member.get('name').upper()} = {member.get('value')}")
        for function in element.findall(tag("function")):
            self.lines += ["    " + line for line in self.method(function, None, False)]
        if element.get(f"{GLIB}error-domain"):
            for member in element.findall(tag("member")):
                words = member.get("name").split("_")
                name = "IOError" if words == ["io"] else "".join(map(str.capitalize, words)) + "Error"
                self.lines += ["", f"class {name}(DatabaseError):", "    CODE: int"]
        self.lines.append("")


def main():
    gir, *overlays, output = sys.argv[1:]
    namespace = xml.etree.ElementTree.parse(gir).getroot().find(tag("namespace"))
    overlay = ast.parse("")
    for path in overlays:
        with open(path, encoding="utf-8") as file:
            overlay = ast.parse(file.read())
    writer = Writer(namespace, overlay)
    names = {its.get("name") for its in namespace}
    for node in overlay.body:
        if not isinstance(node, (ast.Import, ast.ImportFrom)) and getattr(node, "name", None) not in names:
            writer.lines += ast.unparse(node).splitlines() + [""]
    for element in namespace:
        if element.get("introspectable") == "0":
            continue
        if element.tag in (tag("enumeration"), tag("bitfield")):
            writer.enumeration(element)
        elif element.tag in (tag("class"), tag("record")) and not element.get(f"{GLIB}is-gtype-struct-for"):
            writer.class_of(element)
        elif element.tag == tag("constant"):
            writer.lines.append(f"{element.get('name')}: {writer.type_name(element, False)}")
        elif element.tag == tag("function") and element.get("moved-to") is None:
            writer.lines += writer.method(element, None, False)[1:]
    with open(output, "w", encoding="utf-8") as file:
        file.write(HEADER + ("\n" if overlays else ON_LIBRARY) + "\n".join(writer.lines) + "\n")


main()
