# SPDX-License-Identifier: MIT
"""A window out of which a folder can be dragged, as from a file manager: file_manager.py FOLDER

It says when it is there, and ends with its standard input.
"""

import pathlib
import sys

import gi

gi.require_version("Gdk", "4.0")
gi.require_version("Gtk", "4.0")
from gi.repository import Gdk, GLib, Gtk  # noqa: E402

Gtk.init()
uris = f"{pathlib.Path(sys.argv[1]).as_uri()}\r\n".encode()
source = Gtk.DragSource(actions=Gdk.DragAction.COPY | Gdk.DragAction.MOVE)
source.connect("prepare", lambda *_: Gdk.ContentProvider.new_for_bytes("text/uri-list", GLib.Bytes.new(uris)))
folder = Gtk.Label(label="folder")
folder.add_controller(source)
window = Gtk.Window(child=folder, decorated=False, default_width=100, default_height=100)
window.connect("map", lambda *_: print("there", flush=True))
window.present()
loop = GLib.MainLoop()
GLib.io_add_watch(sys.stdin, GLib.PRIORITY_DEFAULT, GLib.IOCondition.HUP | GLib.IOCondition.IN, lambda *_: loop.quit())
loop.run()
