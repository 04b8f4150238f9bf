// SPDX-License-Identifier: MIT
// Contacts, in a window that writes or in one that follows: contacts [DATABASE]
//
// The first process on a database writes. The windows of others show at once what it commits, and when
// it has ended one of them goes on writing. They are written in any language: what is stored is, below
// "contact:", the name as it sorts, a tab, an id, and as the value a document of name, email and phone.

// A row of the list, which sets key and value, also when the value changes.
public class Contact : Object {
	public string key { get; set; }
	public string name { get; private set; default = ""; }
	public string email { get; private set; default = ""; }
	public string phone { get; private set; default = ""; }
	private Variant? document;

	public Variant? value {
		get {
			return document;
		}
		set {
			document = value;
			name = field ("name");
			email = field ("email");
			phone = field ("phone");
		}
	}

	private string field (string field) {
		var text = document != null ? document.lookup_value (field, VariantType.STRING) : null;
		return text != null ? text.get_string () : "";
	}
}

[GtkTemplate (ui = "/org/example/Contacts/window.ui")]
public class ContactsWindow : Adw.ApplicationWindow {
	[GtkChild] private unowned Adw.StatusPage failed;
	[GtkChild] private unowned Gtk.InfoBar follows;
	[GtkChild] private unowned Gtk.FilterListModel found;
	[GtkChild] private unowned Gtk.SearchEntry search;
	[GtkChild] private unowned Gtk.SingleSelection selection;
	[GtkChild] private unowned Gtk.Stack stack;
	[GtkChild] private unowned Adw.ToastOverlay toasts;

	private Cancellable cancellable = new Cancellable (); // ends the waiting for the role of the writer
	private Ldb.Database? db; // read-only while the window follows; null until it is open
	private Contact? removed; // the last contact that was, until it is put back
	private Adw.Toast offer = new Adw.Toast (""); // to do so

	public ContactsWindow (Gtk.Application application, string path) {
		Object (application: application);
		open.begin (path);
	}

	private async void open (string path) {
		try {
			try {
				db = yield Ldb.Database.open_async (path, Ldb.OpenFlags.CREATE, null, cancellable);
				show_contacts ();
			} catch (Ldb.Error.LOCKED error) {
				db = yield Ldb.Database.open_async (path, Ldb.OpenFlags.READ_ONLY, null, cancellable);
				show_contacts ();
				follows.visible = true;
				yield db.take_over_async (cancellable); // when the other window has ended
				follows.visible = false;
			}
			allow_writing ();
		} catch (IOError.CANCELLED error) {
			// The window was closed.
		} catch (Error error) {
			failed.description = error.message;
			stack.visible_child_name = "failed";
		}
	}

	// Shows what is there, and from now on whatever is committed, here or elsewhere.
	private void show_contacts () throws Error {
		found.model = new Ldb.ListModel.prefix (db, null, "contact:".data, Ldb.ListFlags.BLOCKING, typeof (Contact));
		on_items_changed ();
	}

	// While the window follows there are no actions, and what would start them is insensitive.
	private void allow_writing () {
		var actions = new SimpleActionGroup ();
		ActionEntry[] entries = {
			{ "add", () => edit (null) },
			{ "remove", on_remove },
			{ "undo", on_undo },
		};
		actions.add_action_entries (entries, this);
		insert_action_group ("contact", actions);
	}

	private void on_remove () {
		if (selection.selected_item != null)
			remove_contact ((Contact) selection.selected_item);
	}

	private void on_undo () {
		if (removed != null)
			replace.begin (null, removed.key, removed.value);
		removed = null;
		offer.dismiss ();
	}

	// In one commit: what is at old_key goes, the document at key comes.
	private async void replace (string? old_key, string? key, Variant? document) {
		try {
			var batch = new Ldb.Batch ();
			if (old_key != null)
				batch.delete_string (null, old_key);
			if (key != null)
				batch.put_variant (null, key.data, document);
			yield db.write_batch_async (batch, Ldb.SyncMode.DEFAULT, null);
		} catch (Error error) {
			toasts.add_toast (new Adw.Toast (Markup.escape_text (error.message)));
		}
	}

	private void remove_contact (Contact contact) {
		replace.begin (contact.key, null, null);
		removed = contact;
		offer.dismiss ();
		offer = new Adw.Toast (Markup.escape_text ("“%s” removed".printf (contact.name))) {
			button_label = "_Undo",
			action_name = "contact.undo"
		};
		toasts.add_toast (offer);
	}

	// Contacts are in the order of their keys, so a new name is a new key; the id stays.
	private static string make_key (string name, string? old_key) {
		var id = old_key != null ? old_key.substring (old_key.last_index_of ("\t") + 1) : Uuid.string_random ();
		return "contact:%s\t%s".printf (name.normalize (-1, NormalizeMode.ALL).casefold (), id);
	}

	// Asks for a new contact, or what there is to change about one.
	private void edit (Contact? contact) {
		var builder = new Gtk.Builder.from_resource ("/org/example/Contacts/dialog.ui");
		var dialog = (Adw.MessageDialog) builder.get_object ("dialog");
		var name = (Adw.EntryRow) builder.get_object ("name");
		var email = (Adw.EntryRow) builder.get_object ("email");
		var phone = (Adw.EntryRow) builder.get_object ("phone");
		name.changed.connect (() => dialog.set_response_enabled ("save", name.text != ""));
		if (contact != null) {
			name.text = contact.name;
			email.text = contact.email;
			phone.text = contact.phone;
			dialog.heading = "Edit Contact";
			dialog.add_response ("remove", "_Remove");
			dialog.set_response_appearance ("remove", Adw.ResponseAppearance.DESTRUCTIVE);
		}
		dialog.response.connect ((response) => {
			if (response == "save") {
				var document = new VariantDict ();
				document.insert ("name", "s", name.text);
				document.insert ("email", "s", email.text);
				document.insert ("phone", "s", phone.text);
				var old_key = contact != null ? contact.key : null;
				replace.begin (old_key, make_key (name.text, old_key), document.end ());
			} else if (response == "remove") {
				remove_contact (contact);
			}
		});
		dialog.transient_for = this;
		dialog.present ();
	}

	[GtkCallback]
	private void on_activate (uint position) {
		if (!db.read_only)
			edit ((Contact) selection.get_item (position));
	}

	[GtkCallback]
	private void on_items_changed () {
		if (found.get_n_items () > 0)
			stack.visible_child_name = "list";
		else
			stack.visible_child_name = search.text != "" ? "nothing" : "empty";
	}

	[GtkCallback]
	private bool on_close_request () {
		cancellable.cancel ();
		try {
			if (db != null)
				db.close ();
		} catch (Error error) {
			warning ("%s", error.message);
		}
		return false;
	}
}

int main (string[] args) {
	typeof (Contact).ensure ();
	var path = args.length > 1 ? args[1] : "contacts.db";
	var application = new Adw.Application ("org.example.Contacts", ApplicationFlags.NON_UNIQUE);
	application.activate.connect (() => new ContactsWindow (application, path).present ());
	return application.run ();
}
