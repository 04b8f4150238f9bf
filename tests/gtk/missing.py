# SPDX-License-Identifier: MIT
"""Prints what test_contacts.py would need that is not installed."""

import ctypes.util
import os

import gi


def has_typelib(name, version):
    try:
        gi.require_version(name, version)
    except ValueError:
        return False
    return True


def has_service(name):
    places = os.environ.get("XDG_DATA_DIRS") or "/usr/local/share:/usr/share"
    return any(os.path.exists(f"{place}/dbus-1/services/{name}.service") for place in places.split(":"))


found = {
    "libadwaita's typelib": has_typelib("Adw", "1"),
    "GdkPixbuf's typelib": has_typelib("GdkPixbuf", "2.0"),
    "the accessibility bus": has_service("org.a11y.Bus"),
    **{f"lib{name}": ctypes.util.find_library(name) for name in ("X11", "Xcomposite", "Xtst")},
}
print(*(name for name, there in found.items() if not there), sep=", ")
