#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Contacts, in a window that writes or in one that follows: contacts.py [DATABASE]

The first process on a database writes. The windows of others show at once what it commits, and when
it has ended one of them goes on writing. They are written in any language: what is stored is, below
"contact:", the name as it sorts, a tab, an id, and as the value a document of name, email and phone.
"""

import pathlib
import sys
import unicodedata

import gi

gi.require_version("Adw", "1")
gi.require_version("Gtk", "4.0")
gi.require_version("Ldb", "1")
from gi.repository import Adw, Gio, GLib, GObject, Gtk, Ldb  # noqa: E402

HERE = pathlib.Path(__file__).parent
FIELDS = ("name", "email", "phone")


class Contact(GObject.Object):
    """A row of the list, which sets key and value, also when the value changes."""

    __gtype_name__ = "Contact"
    key = GObject.Property(type=str)
    name = GObject.Property(type=str)
    email = GObject.Property(type=str)
    phone = GObject.Property(type=str)
    _value = None

    @GObject.Property(type=GObject.TYPE_VARIANT)
    def value(self):
        return self._value

    @value.setter
    def value(self, value):
        self._value = value
        document = {} if value is None else value.unpack()
        for field in FIELDS:
            self.set_property(field, document.get(field, ""))


def make_key(name, old_key):
    """Contacts are in the order of their keys, so a new name is a new key; the id stays."""
    identity = old_key.rpartition("\t")[2] if old_key else GLib.uuid_string_random()
    return f"contact:{unicodedata.normalize('NFKD', name).casefold()}\t{identity}"


@Gtk.Template(filename=str(HERE / "window.ui"))
class ContactsWindow(Adw.ApplicationWindow):
    __gtype_name__ = "ContactsWindow"
    failed, follows, found, search, selection, stack, toasts = (Gtk.Template.Child() for _ in range(7))

    def __init__(self, application, path):
        super().__init__(application=application)
        self.db = None  # read-only while the window follows
        self.removed = None  # the last contact that was, until it is put back
        self.offer = Adw.Toast()  # to do so
        self.opening = Ldb.spawn(self.open(path))

    async def open(self, path):
        try:
            try:
                self.db = await Ldb.open_async(path, create=True)
                self.show_contacts()
            except Ldb.LockedError:
                self.db = await Ldb.open_async(path, read_only=True)
                self.show_contacts()
                self.follows.set_visible(True)
                await self.db.take_over_async()  # when the other window has ended
                self.follows.set_visible(False)
            self.allow_writing()
        except GLib.Error as error:
            self.failed.set_description(error.message)
            self.stack.set_visible_child_name("failed")

    def show_contacts(self):
        """Shows what is there, and from now on whatever is committed, here or elsewhere."""
        self.found.set_model(Ldb.ListModel.new_prefix(
            self.db, None, "contact:", Ldb.ListFlags.BLOCKING, Contact))
        self.on_items_changed()

    def allow_writing(self):
        """While the window follows there are no actions, and what would start them is insensitive."""
        actions = Gio.SimpleActionGroup()
        actions.add_action_entries([
            ("add", lambda *_: self.edit(None)),
            ("remove", lambda *_: self.remove(self.selection.get_selected_item())),
            ("undo", lambda *_: self.put_back()),
        ])
        self.insert_action_group("contact", actions)

    def replace(self, old_key, key=None, document=None):
        """In one commit: what is at old_key goes, the document at key comes."""
        async def commit():
            try:
                async with self.db.batch() as batch:
                    if old_key is not None:
                        del batch[old_key]
                    if key is not None:
                        batch[key] = document
            except GLib.Error as error:
                self.toasts.add_toast(Adw.Toast(title=GLib.markup_escape_text(error.message)))

        Ldb.spawn(commit())

    def remove(self, contact):
        if contact is None:
            return
        self.replace(contact.key)
        self.removed = contact
        self.offer.dismiss()
        self.offer = Adw.Toast(title=GLib.markup_escape_text(f"“{contact.name}” removed"),
                               button_label="_Undo", action_name="contact.undo")
        self.toasts.add_toast(self.offer)

    def put_back(self):
        if self.removed is not None:
            self.replace(None, self.removed.key, self.removed.value.unpack())
            self.removed = None
            self.offer.dismiss()

    def edit(self, contact):
        """Asks for a new contact, or what there is to change about one."""
        builder = Gtk.Builder.new_from_file(str(HERE / "dialog.ui"))
        dialog = builder.get_object("dialog")
        rows = {field: builder.get_object(field) for field in FIELDS}
        rows["name"].connect("changed", lambda row: dialog.set_response_enabled("save", row.get_text() != ""))
        if contact is not None:
            for field, row in rows.items():
                row.set_text(contact.get_property(field))
            dialog.set_heading("Edit Contact")
            dialog.add_response("remove", "_Remove")
            dialog.set_response_appearance("remove", Adw.ResponseAppearance.DESTRUCTIVE)

        def on_response(dialog, response):
            if response == "save":
                document = {field: row.get_text() for field, row in rows.items()}
                old_key = contact and contact.key
                self.replace(old_key, make_key(document["name"], old_key), document)
            elif response == "remove":
                self.remove(contact)

        dialog.connect("response", on_response)
        dialog.set_transient_for(self)
        dialog.present()

    @Gtk.Template.Callback()
    def on_activate(self, view, position):
        if not self.db.is_read_only():
            self.edit(self.selection.get_item(position))

    @Gtk.Template.Callback()
    def on_items_changed(self, *_):
        self.stack.set_visible_child_name(
            "list" if len(self.found) > 0 else "nothing" if self.search.get_text() else "empty")

    @Gtk.Template.Callback()
    def on_close_request(self, *_):
        self.opening.cancel()
        if self.db is not None:
            self.db.close()
        return False


path = sys.argv[1] if len(sys.argv) > 1 else "contacts.db"
application = Adw.Application(application_id="org.example.Contacts",
                              flags=Gio.ApplicationFlags.NON_UNIQUE)
application.connect("activate", lambda application: ContactsWindow(application, path).present())
sys.exit(application.run())
