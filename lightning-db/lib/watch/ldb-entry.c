/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "ldb-call-private.h"
#include "ldb-database-private.h"
#include "ldb-entry-private.h"
#include "ldb-error-private.h"
#include "ldb-observer-private.h"
#include "ldb-store-private.h"

/**
 * LdbEntry:
 *
 * One key as a live object: its properties follow what is committed, and notify.
 *
 * ```c
 * g_autoptr(LdbEntry) entry = ldb_database_watch_entry (db, "greeting", 8, &error);
 * g_object_bind_property (entry, "text", label, "label", G_BINDING_SYNC_CREATE);
 * ```
 *
 * Properties change only in the main context that was the thread's default when the entry was made,
 * and all together: what notifies first finds the others new already. When the value would have to
 * be read from the disk first, [property@Ldb.Entry:loaded] is %FALSE until it is there.
 *
 * Rows of lists are entries too; they follow their list.
 *
 * Threads: the one of its main context. It stays as it is after [method@Ldb.Entry.close], and when
 * its database handle is closed. When its store is dropped there is no value any more, and then
 * [property@Ldb.Entry:closed] notifies.
 *
 * Since: 0.1
 */
struct _LdbEntry
{
  GObject parent_instance;

  LdbDatabase *database; /* owned */
  LdbStore *store;       /* owned; NULL: the default one */
  GBytes *key;           /* owned; NULL: not known yet, of a row */
  GBytes *value;         /* owned; NULL: there is none, or it is not loaded */
  gboolean loaded;       /* value is right */
  guint64 sequence;      /* the commit as of which it is */
  guint64 wanted;        /* the commit as of which it is being loaded */
  LdbObserver *observer; /* that follows the key; owned; NULL: of a row */
};

G_DEFINE_FINAL_TYPE (LdbEntry, ldb_entry, G_TYPE_OBJECT)

enum
{
  PROP_DATABASE = 1,
  PROP_STORE,
  PROP_KEY,
  PROP_VALUE,
  PROP_TEXT,
  PROP_VARIANT,
  PROP_EXISTS,
  PROP_LOADED,
  PROP_SEQUENCE,
  PROP_CLOSED,
  N_PROPERTIES,
};

static GParamSpec *properties[N_PROPERTIES];

/* ---- the object ---- */

static void
ldb_entry_dispose (GObject *object)
{
  ldb_entry_close (LDB_ENTRY (object));
  G_OBJECT_CLASS (ldb_entry_parent_class)->dispose (object);
}

static void
ldb_entry_finalize (GObject *object)
{
  LdbEntry *self = LDB_ENTRY (object);
  g_clear_pointer (&self->observer, ldb_observer_free);
  g_clear_pointer (&self->key, g_bytes_unref);
  g_clear_pointer (&self->value, g_bytes_unref);
  g_clear_object (&self->store);
  g_clear_object (&self->database);
  G_OBJECT_CLASS (ldb_entry_parent_class)->finalize (object);
}

static void
ldb_entry_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  LdbEntry *self = LDB_ENTRY (object);
  switch (id)
    {
    case PROP_DATABASE:
      g_value_set_object (value, self->database);
      break;
    case PROP_STORE:
      g_value_set_object (value, self->store);
      break;
    case PROP_KEY:
      g_value_set_boxed (value, self->key);
      break;
    case PROP_VALUE:
      g_value_set_boxed (value, self->value);
      break;
    case PROP_TEXT:
      g_value_take_string (value, ldb_entry_dup_text (self));
      break;
    case PROP_VARIANT:
      g_value_take_variant (value, ldb_entry_dup_variant (self));
      break;
    case PROP_EXISTS:
      g_value_set_boolean (value, self->value != NULL);
      break;
    case PROP_LOADED:
      g_value_set_boolean (value, self->loaded);
      break;
    case PROP_SEQUENCE:
      g_value_set_uint64 (value, self->sequence);
      break;
    case PROP_CLOSED:
      g_value_set_boolean (value, ldb_entry_is_closed (self));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
install_place_properties (void)
{
  GParamFlags flags = G_PARAM_READABLE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS;
  /**
   * LdbEntry:database:
   *
   * The database it is in.
   *
   * Since: 0.1
   */
  properties[PROP_DATABASE]
      = g_param_spec_object ("database", NULL, NULL, LDB_TYPE_DATABASE, flags);
  /**
   * LdbEntry:store:
   *
   * The store it is in; %NULL for the default one.
   *
   * Since: 0.1
   */
  properties[PROP_STORE] = g_param_spec_object ("store", NULL, NULL, LDB_TYPE_STORE, flags);
  /**
   * LdbEntry:key:
   *
   * The key. Of a row whose page is still being read it may be %NULL for the moment.
   *
   * Since: 0.1
   */
  properties[PROP_KEY] = g_param_spec_boxed ("key", NULL, NULL, G_TYPE_BYTES, flags);
}

static void
install_value_properties (void)
{
  GParamFlags flags = G_PARAM_READABLE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS;
  /**
   * LdbEntry:value:
   *
   * The value; %NULL when there is none.
   *
   * Since: 0.1
   */
  properties[PROP_VALUE] = g_param_spec_boxed ("value", NULL, NULL, G_TYPE_BYTES, flags);
  /**
   * LdbEntry:text:
   *
   * The value as text; %NULL when there is none, or when it is no text.
   *
   * Since: 0.1
   */
  properties[PROP_TEXT] = g_param_spec_string ("text", NULL, NULL, NULL, flags);
  /**
   * LdbEntry:variant:
   *
   * The value that was put as a variant; %NULL when there is none, or when it is no variant.
   *
   * Since: 0.1
   */
  properties[PROP_VARIANT]
      = g_param_spec_variant ("variant", NULL, NULL, G_VARIANT_TYPE_ANY, NULL, flags);
  /**
   * LdbEntry:exists:
   *
   * Whether there is a value.
   *
   * Since: 0.1
   */
  properties[PROP_EXISTS] = g_param_spec_boolean ("exists", NULL, NULL, FALSE, flags);
  /**
   * LdbEntry:loaded:
   *
   * Whether the value is known; %FALSE while it is being read.
   *
   * Since: 0.1
   */
  properties[PROP_LOADED] = g_param_spec_boolean ("loaded", NULL, NULL, FALSE, flags);
  /**
   * LdbEntry:sequence:
   *
   * The commit as of which the value is known: the last that changed it, or that at which the entry
   * was made.
   *
   * Since: 0.1
   */
  properties[PROP_SEQUENCE]
      = g_param_spec_uint64 ("sequence", NULL, NULL, 0, G_MAXUINT64, 0, flags);
  /**
   * LdbEntry:closed:
   *
   * Whether it has ceased to follow its key. It notifies when the database handle was closed or the
   * store was dropped, in the entry's main context. A row, which follows its list, is closed by
   * that.
   *
   * Since: 0.1
   */
  properties[PROP_CLOSED] = g_param_spec_boolean ("closed", NULL, NULL, FALSE, flags);
}

static void
ldb_entry_class_init (LdbEntryClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  object_class->dispose = ldb_entry_dispose;
  object_class->finalize = ldb_entry_finalize;
  object_class->get_property = ldb_entry_get_property;
  install_place_properties ();
  install_value_properties ();
  g_object_class_install_properties (object_class, N_PROPERTIES, properties);
}

static void
ldb_entry_init (LdbEntry *self)
{
}

/* ---- what is known ---- */

static gboolean
is_text (GBytes *value)
{
  gsize size;
  const char *text = value != NULL ? g_bytes_get_data (value, &size) : NULL;
  return value != NULL && (text == NULL || g_utf8_validate_len (text, size, NULL));
}

static gboolean
is_variant (GBytes *value)
{
  g_autoptr (GVariant) variant = value != NULL ? ldb_variant_from_bytes (value, NULL, NULL) : NULL;
  return variant != NULL;
}

static void
notify_value (LdbEntry *self, GBytes *old)
{
  GObject *object = G_OBJECT (self);
  g_object_notify_by_pspec (object, properties[PROP_VALUE]);
  if (is_text (old) || is_text (self->value))
    g_object_notify_by_pspec (object, properties[PROP_TEXT]);
  if (is_variant (old) || is_variant (self->value))
    g_object_notify_by_pspec (object, properties[PROP_VARIANT]);
  if ((old != NULL) != (self->value != NULL))
    g_object_notify_by_pspec (object, properties[PROP_EXISTS]);
}

void
ldb_entry_set (LdbEntry *self, GBytes *value, guint64 sequence)
{
  gboolean same = value == self->value
                  || (value != NULL && self->value != NULL && g_bytes_equal (value, self->value));
  gboolean first = !self->loaded;
  gboolean later = self->sequence != sequence;
  g_autoptr (GBytes) old = g_steal_pointer (&self->value);
  /* All of the state, then all signals. */
  self->value = value != NULL ? g_bytes_ref (value) : NULL;
  self->loaded = TRUE;
  self->sequence = sequence;
  g_object_freeze_notify (G_OBJECT (self));
  if (!same)
    notify_value (self, old);
  if (later)
    g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_SEQUENCE]);
  if (first)
    g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_LOADED]);
  g_object_thaw_notify (G_OBJECT (self));
}

void
ldb_entry_begin (LdbEntry *self, GBytes *value, guint64 sequence)
{
  g_assert (!self->loaded && self->value == NULL);
  self->value = g_bytes_ref (value);
  self->loaded = TRUE;
  self->sequence = sequence;
}

void
ldb_entry_set_key (LdbEntry *self, GBytes *key)
{
  g_assert (self->key == NULL);
  self->key = g_bytes_ref (key);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_KEY]);
}

void
ldb_entry_unload (LdbEntry *self)
{
  if (!self->loaded)
    return;
  self->loaded = FALSE;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_LOADED]);
}

/* ---- following the key ---- */

/* An entry on its way to its value. */
typedef struct
{
  LdbEntry *entry;  /* a reference */
  guint64 sequence; /* the commit as of which it is read */
} Load;

static void
end_load (GObject *source, GAsyncResult *result, gpointer data)
{
  Load *load = data;
  g_autoptr (LdbEntry) self = load->entry;
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) value = ldb_call_finish_pointer (source, result, end_load, &error);
  /* What came meanwhile knows better. */
  if (error == NULL && !self->loaded && load->sequence == self->wanted
      && !ldb_entry_is_closed (self))
    ldb_entry_set (self, value, load->sequence);
  else if (error != NULL && !g_error_matches (error, LDB_ERROR, LDB_ERROR_CLOSED))
    ldb_database_log_error (self->database, LDB_LOG_ENTRY, error);
  g_free (load);
}

/* Gets the value in a state: at once if memory has it, else when it was read. */
static void
load_value (LdbEntry *self, LdbPin *state, guint64 sequence)
{
  LdbPlace place = { .database = self->database, .store = ENGINE_STORE_DEFAULT };
  g_autoptr (LdbSnapshot) snapshot = ldb_snapshot_new_for_pin (self->database, state);
  g_autoptr (GBytes) value = NULL;
  gsize size;
  gconstpointer key = g_bytes_get_data (self->key, &size);
  place.store = self->store != NULL ? self->store->place.store : ENGINE_STORE_DEFAULT;
  place.snapshot = snapshot;
  if (ldb_place_get_cached (&place, BYTES (key, size), &value))
    {
      ldb_entry_set (self, value, sequence);
      return;
    }
  ldb_entry_unload (self);
  self->wanted = sequence;
  Load *load = g_new (Load, 1);
  *load = (Load){ g_object_ref (self), sequence };
  LdbReply reply = { self->database, end_load, "ldb_entry_load", NULL, end_load, load };
  ldb_place_get_async (&place, &reply, key, size, LDB_FORM_BYTES, NULL);
}

/* Of type LdbFrameFunc. */
static gboolean
handle_frame (gpointer owner, LdbFrame *frame)
{
  LdbEntry *self = owner;
  if (frame == NULL)
    g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_CLOSED]);
  if (frame == NULL || frame->changes->len == 0) /* the key was not in the store that was dropped */
    return TRUE;
  LdbChange *change = g_ptr_array_index (frame->changes, 0);
  if (change->kind == LDB_CHANGE_RESYNC)
    {
      g_main_context_push_thread_default (self->observer->context);
      load_value (self, frame->after, frame->sequence);
      g_main_context_pop_thread_default (self->observer->context);
    }
  else
    ldb_entry_set (self, change->value, change->sequence);
  return TRUE;
}

static LdbEntry *
entry_new (LdbDatabase *database, LdbStore *store)
{
  LdbEntry *self = g_object_new (LDB_TYPE_ENTRY, NULL);
  self->database = database != NULL ? g_object_ref (database) : NULL;
  self->store = store != NULL ? g_object_ref (store) : NULL;
  return self;
}

LdbEntry *
ldb_entry_new_row (LdbDatabase *database, LdbStore *store, GBytes *key)
{
  LdbEntry *self = entry_new (database, store);
  self->key = key != NULL ? g_bytes_ref (key) : NULL;
  return self;
}

LdbEntry *
ldb_entry_new (const LdbPlace *place, LdbStore *store, gconstpointer key, gsize key_length,
               GError **error)
{
  struct bytes bytes;
  LdbPin *base;
  guint64 sequence;
  if (!ldb_check_key (key, key_length, &bytes, error))
    return NULL;
  g_autoptr (LdbEntry) self = entry_new (place->database, store);
  self->key = g_bytes_new (key, key_length);
  self->observer = ldb_observer_new_key (self, place, bytes, LDB_WATCH_VALUES, handle_frame, &base,
                                         &sequence, error);
  if (self->observer == NULL)
    return NULL;
  load_value (self, base, sequence);
  ldb_pin_unref (base);
  return g_steal_pointer (&self);
}

/* ---- the public calls ---- */

/**
 * ldb_entry_get_database:
 * @self: an entry
 *
 * Gets the database it is in.
 *
 * Any thread.
 *
 * Returns: (transfer none): the database
 *
 * Since: 0.1
 */
LdbDatabase *
ldb_entry_get_database (LdbEntry *self)
{
  g_return_val_if_fail (LDB_IS_ENTRY (self), NULL);
  return self->database;
}

/**
 * ldb_entry_get_store:
 * @self: an entry
 *
 * Gets the store it is in.
 *
 * Any thread.
 *
 * Returns: (transfer none) (nullable): the store; %NULL for the default one
 *
 * Since: 0.1
 */
LdbStore *
ldb_entry_get_store (LdbEntry *self)
{
  g_return_val_if_fail (LDB_IS_ENTRY (self), NULL);
  return self->store;
}

/**
 * ldb_entry_get_key:
 * @self: an entry
 *
 * Gets its key.
 *
 * Its thread.
 *
 * Returns: (transfer none) (nullable): the key; %NULL of a row whose page is still being read
 *
 * Since: 0.1
 */
GBytes *
ldb_entry_get_key (LdbEntry *self)
{
  g_return_val_if_fail (LDB_IS_ENTRY (self), NULL);
  return self->key;
}

/**
 * ldb_entry_get_value:
 * @self: an entry
 *
 * Gets its value.
 *
 * Its thread.
 *
 * Returns: (transfer none) (nullable): the value; %NULL when there is none, or it is not loaded
 *
 * Since: 0.1
 */
GBytes *
ldb_entry_get_value (LdbEntry *self)
{
  g_return_val_if_fail (LDB_IS_ENTRY (self), NULL);
  return self->value;
}

/**
 * ldb_entry_dup_text: (get-property text)
 * @self: an entry
 *
 * Gets its value as text.
 *
 * Its thread.
 *
 * Returns: (transfer full) (nullable): the text; %NULL when there is no value, or it is no UTF-8
 *   text or has zero bytes
 *
 * Since: 0.1
 */
char *
ldb_entry_dup_text (LdbEntry *self)
{
  g_return_val_if_fail (LDB_IS_ENTRY (self), NULL);
  if (!is_text (self->value))
    return NULL;
  gsize size;
  const char *text = g_bytes_get_data (self->value, &size);
  return g_strndup (text != NULL ? text : "", size);
}

/**
 * ldb_entry_dup_variant: (get-property variant)
 * @self: an entry
 *
 * Gets its value as the variant that was put, for example by [method@Ldb.Database.put_variant].
 *
 * Its thread.
 *
 * Returns: (transfer full) (nullable): the variant; %NULL when there is no value, or it was not put
 *   as a variant
 *
 * Since: 0.1
 */
GVariant *
ldb_entry_dup_variant (LdbEntry *self)
{
  g_return_val_if_fail (LDB_IS_ENTRY (self), NULL);
  return self->value != NULL ? ldb_variant_from_bytes (self->value, NULL, NULL) : NULL;
}

/**
 * ldb_entry_get_exists:
 * @self: an entry
 *
 * Whether there is a value.
 *
 * Its thread.
 *
 * Returns: %TRUE if there is one
 *
 * Since: 0.1
 */
gboolean
ldb_entry_get_exists (LdbEntry *self)
{
  g_return_val_if_fail (LDB_IS_ENTRY (self), FALSE);
  return self->value != NULL;
}

/**
 * ldb_entry_get_loaded:
 * @self: an entry
 *
 * Whether its value is known.
 *
 * Its thread.
 *
 * Returns: %FALSE while the value is being read
 *
 * Since: 0.1
 */
gboolean
ldb_entry_get_loaded (LdbEntry *self)
{
  g_return_val_if_fail (LDB_IS_ENTRY (self), FALSE);
  return self->loaded;
}

/**
 * ldb_entry_get_sequence:
 * @self: an entry
 *
 * Gets the commit as of which the value is known: the last that changed it, or that at which the
 * entry was made.
 *
 * Its thread.
 *
 * Returns: the sequence number, below 2^53
 *
 * Since: 0.1
 */
guint64
ldb_entry_get_sequence (LdbEntry *self)
{
  g_return_val_if_fail (LDB_IS_ENTRY (self), 0);
  return self->sequence;
}

/**
 * ldb_entry_is_closed:
 * @self: an entry
 *
 * Whether it has ceased to follow its key: it was closed, its database handle was, or its store was
 * dropped. A row, which follows its list, is closed by that.
 *
 * Any thread.
 *
 * Returns: %TRUE if it stays as it is
 *
 * Since: 0.1
 */
gboolean
ldb_entry_is_closed (LdbEntry *self)
{
  g_return_val_if_fail (LDB_IS_ENTRY (self), TRUE);
  return self->observer == NULL || ldb_observer_is_closed (self->observer);
}

/**
 * ldb_entry_close:
 * @self: an entry
 *
 * Ends it: it stays as it is. Closing it again does nothing; the last unref closes it too.
 *
 * Does not block; any thread.
 *
 * Since: 0.1
 */
void
ldb_entry_close (LdbEntry *self)
{
  g_return_if_fail (LDB_IS_ENTRY (self));
  if (self->observer != NULL)
    ldb_observer_close (self->observer);
}
