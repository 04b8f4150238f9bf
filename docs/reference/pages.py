#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes content pages of the reference manual from the guides: pages.py GIR OUTPUT-DIRECTORY PAGE …

A guide is plain Markdown that reads well by itself. In the manual it needs more: the title as
metadata, links to other pages and pictures by their names there, and links from `ldb_thing_verb()`
and `LdbThing` in its text to what documents them. Comments are left out, and so are links to files
that are no pages of the manual.
"""

import pathlib
import re
import sys
import xml.etree.ElementTree

CORE = "{http://www.gtk.org/introspection/core/1.0}"
TYPES = ("class", "record", "enumeration", "bitfield", "callback")
C = "{http://www.gtk.org/introspection/c/1.0}"


def public_names(gir):
    """C functions, with the links to them, and types that the manual documents."""
    functions, types = {}, set()
    namespace = xml.etree.ElementTree.parse(gir).getroot().find(f"{CORE}namespace")
    kinds = {f"{CORE}method": "method", f"{CORE}constructor": "ctor", f"{CORE}function": "func"}
    for owner in (namespace, *namespace):
        place = "Ldb." if owner is namespace else f"Ldb.{owner.get('name')}."
        for element in owner:
            if element.get("introspectable") == "0" or "moved-to" in element.attrib:
                continue
            if element.tag in kinds:
                functions[element.get(f"{C}identifier")] = (
                    f"[{kinds[element.tag]}@{place}{element.get('name')}]")
            elif owner is namespace and element.tag.removeprefix(CORE) in TYPES:
                types.add(element.get(f"{C}type"))
    return functions, types


def make_page(path, pages, functions, types):
    text = re.sub(r"<!--.*?-->\n*", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    title = re.search(r"^# (.+)$", text, re.MULTILINE).group(1).replace("`", "")

    def show_picture(match):
        label, target = match.group(1), match.group(2)
        if not (path.parent / target).exists():
            sys.exit(f"{path} shows {target}, which is not there")
        return f"![{label}]({pathlib.PurePath(target).name})"

    def link_page(match):
        label, target, anchor = match.group(1), match.group(2), match.group(3) or ""
        file = (path.parent / target).resolve()
        if not file.exists():
            sys.exit(f"{path} links to {target}, which is not there")
        return f"[{label}]({file.stem}.html{anchor})" if file in pages else label

    def link_function(match):
        return functions.get(match.group(1), match.group(0))

    def link_type(match):
        return f"[type@Ldb.{match.group(1)[3:]}]" if match.group(1) in types else match.group(0)

    parts = re.split(r"(^```.*?^```$)", text, flags=re.DOTALL | re.MULTILINE)
    for number in range(0, len(parts), 2):  # between the blocks of code
        prose = re.sub(r"!\[([^]]*)\]\(([^)]+)\)", show_picture, parts[number])
        prose = re.sub(r"(?<!!)\[([^]]*)\]\((?!\w+:)([^)#]+)(#[^)]*)?\)", link_page, prose)
        prose = re.sub(r"(?<!\[)`(ldb_\w+)\(\)`", link_function, prose)
        parts[number] = re.sub(r"(?<!\[)`(Ldb\w+)`", link_type, prose)
    return f"Title: {title}\n\n" + "".join(parts)


def main():
    gir, output, *names = sys.argv[1:]
    functions, types = public_names(gir)
    paths = [pathlib.Path(name).resolve() for name in names]
    for path in paths:
        page = make_page(path, set(paths), functions, types)
        (pathlib.Path(output) / path.name).write_text(page, encoding="utf-8")


main()
