// SPDX-License-Identifier: MIT
// Contacts, in a window that writes or in one that follows: gjs -m contacts.js [DATABASE]
//
// The first process on a database writes. The windows of others show at once what it commits, and when
// it has ended one of them goes on writing. They are written in any language: what is stored is, below
// "contact:", the name as it sorts, a tab, an id, and as the value a document of name, email and phone.
import Adw from 'gi://Adw?version=1';
import Gio from 'gi://Gio';
import GLib from 'gi://GLib';
import GObject from 'gi://GObject';
import Gtk from 'gi://Gtk?version=4.0';
import Ldb from 'gi://Ldb?version=1';

const FIELDS = ['name', 'email', 'phone'];
const HERE = Gio.File.new_for_uri(import.meta.url).get_parent();

// A row of the list, which sets key and value, also when the value changes.
const text = name => GObject.ParamSpec.string(name, null, null, GObject.ParamFlags.READWRITE, '');
const Contact = GObject.registerClass({
    GTypeName: 'Contact',
    Properties: {
        key: text('key'),
        value: GObject.param_spec_variant('value', null, null,
            new GLib.VariantType('a{sv}'), null, GObject.ParamFlags.READWRITE),
        name: text('name'),
        email: text('email'),
        phone: text('phone'),
    },
}, class extends GObject.Object {
    get value() {
        return this._value ?? null;
    }

    set value(value) {
        this._value = value;
        const document = value === null ? {} : Ldb.from_variant(value);
        for (const field of FIELDS)
            this[field] = document[field] ?? '';
    }
});

// Contacts are in the order of their keys, so a new name is a new key; the id stays.
function makeKey(name, oldKey) {
    const id = oldKey?.split('\t').at(-1) ?? GLib.uuid_string_random();
    return `contact:${name.normalize('NFKD').toLowerCase()}\t${id}`;
}

const ContactsWindow = GObject.registerClass({
    GTypeName: 'ContactsWindow',
    Template: HERE.get_child('window.ui').get_uri(),
    InternalChildren: ['failed', 'follows', 'found', 'search', 'selection', 'stack', 'toasts'],
}, class extends Adw.ApplicationWindow {
    constructor(application, path) {
        super({application});
        this._cancellable = new Gio.Cancellable(); // ends the waiting for the role of the writer
        this._db = null; // read-only while the window follows
        this._removed = null; // the last contact that was, until it is put back
        this._offer = new Adw.Toast(); // to do so
        this._open(path).catch(error => {
            if (error.matches(Gio.IOErrorEnum, Gio.IOErrorEnum.CANCELLED))
                return; // the window was closed
            this._failed.description = error.message;
            this._stack.visible_child_name = 'failed';
        });
    }

    async _open(path) {
        const open = how => Ldb.open_async(path, {...how, cancellable: this._cancellable});
        try {
            this._db = await open({create: true});
            this._showContacts();
        } catch (error) {
            if (!error.matches(Ldb.Error, Ldb.Error.LOCKED))
                throw error;
            this._db = await open({readOnly: true});
            this._showContacts();
            this._follows.visible = true;
            await this._db.take_over_async(this._cancellable); // when the other window has ended
            this._follows.visible = false;
        }
        this._allowWriting();
    }

    // Shows what is there, and from now on whatever is committed, here or elsewhere.
    _showContacts() {
        this._found.model = Ldb.ListModel.new_prefix(this._db, null, 'contact:', Ldb.ListFlags.BLOCKING, Contact);
        this.on_items_changed();
    }

    // While the window follows there are no actions, and what would start them is insensitive.
    _allowWriting() {
        const actions = new Gio.SimpleActionGroup();
        actions.add_action_entries([
            {name: 'add', activate: () => this._edit(null)},
            {name: 'remove', activate: () => this._remove(this._selection.selected_item)},
            {name: 'undo', activate: () => this._putBack()},
        ]);
        this.insert_action_group('contact', actions);
    }

    // In one commit: what is at oldKey goes, the document at key comes.
    async _replace(oldKey, key, document) {
        try {
            const batch = new Ldb.Batch();
            if (oldKey !== null)
                batch.delete(null, oldKey);
            if (key !== null)
                batch.put_variant(null, key, document);
            await this._db.write_batch_async(batch);
        } catch (error) {
            this._toasts.add_toast(new Adw.Toast({title: GLib.markup_escape_text(error.message, -1)}));
        }
    }

    _remove(contact) {
        if (contact === null)
            return;
        this._replace(contact.key, null, null);
        this._removed = contact;
        this._offer.dismiss();
        this._offer = new Adw.Toast({
            title: GLib.markup_escape_text(`“${contact.name}” removed`, -1),
            button_label: '_Undo',
            action_name: 'contact.undo',
        });
        this._toasts.add_toast(this._offer);
    }

    _putBack() {
        if (this._removed === null)
            return;
        this._replace(null, this._removed.key, this._removed.value);
        this._removed = null;
        this._offer.dismiss();
    }

    // Asks for a new contact, or what there is to change about one.
    _edit(contact) {
        const builder = Gtk.Builder.new_from_file(HERE.get_child('dialog.ui').get_path());
        const dialog = builder.get_object('dialog');
        const rows = Object.fromEntries(FIELDS.map(field => [field, builder.get_object(field)]));
        rows.name.connect('changed', () => dialog.set_response_enabled('save', rows.name.text !== ''));
        if (contact !== null) {
            FIELDS.forEach(field => (rows[field].text = contact[field]));
            dialog.heading = 'Edit Contact';
            dialog.add_response('remove', '_Remove');
            dialog.set_response_appearance('remove', Adw.ResponseAppearance.DESTRUCTIVE);
        }
        dialog.connect('response', (_, response) => {
            if (response === 'save') {
                const document = Object.fromEntries(FIELDS.map(field => [field, rows[field].text]));
                const oldKey = contact?.key ?? null;
                this._replace(oldKey, makeKey(document.name, oldKey), Ldb.to_variant(document));
            } else if (response === 'remove') {
                this._remove(contact);
            }
            dialog.transient_for = null; // it may be collected after the window
        });
        dialog.transient_for = this;
        dialog.present();
    }

    on_activate(list, position) {
        if (!this._db.read_only)
            this._edit(this._selection.get_item(position));
    }

    on_items_changed() {
        this._stack.visible_child_name =
            this._found.n_items > 0 ? 'list' : this._search.text !== '' ? 'nothing' : 'empty';
    }

    on_close_request() {
        this._cancellable.cancel();
        this._db?.close();
        return false;
    }
});

const application = new Adw.Application({
    application_id: 'org.example.Contacts',
    flags: Gio.ApplicationFlags.NON_UNIQUE,
});
application.connect('activate', () => new ContactsWindow(application, ARGV[0] ?? 'contacts.db').present());
application.run([]);
