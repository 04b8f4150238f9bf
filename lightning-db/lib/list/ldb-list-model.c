/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "ldb-list-model-private.h"

#include "ldb-call-private.h"
#include "ldb-database-private.h"
#include "ldb-enum-types.h"
#include "ldb-error-private.h"
#include "ldb-store-private.h"

static void list_model_init (GListModelInterface *interface);

/**
 * LdbListModel:
 *
 * The records of a range of keys as a live [iface@Gio.ListModel]: for a `GtkListView`, a
 * `GtkColumnView`, or anything else that shows lists.
 *
 * ```c
 * g_autoptr(LdbListModel) contacts
 *     = ldb_list_model_new_prefix (db, NULL, "contact:", 8, LDB_LIST_NONE, LDB_TYPE_ENTRY, &error);
 * gtk_list_view_set_model (view, GTK_SELECTION_MODEL (gtk_single_selection_new (
 *                                    G_LIST_MODEL (g_steal_pointer (&contacts)))));
 * ```
 *
 * Rows are in the order of their keys, or, with %LDB_LIST_REVERSE, the other way round. Whoever
 * commits, in this process or in another one, the list follows: at most once in 16 milliseconds it
 * goes from one state of the database to a later one, and tells exactly what is different. It reads
 * that state alone, so that what it says and what its rows hold agree, whatever is committed
 * meanwhile. A step with changes in up to 32 places is as many signals, none of which has a row in
 * it that stays. Of more places those that are closest together are told as one, rows between them
 * that stay included: a view takes some dozens of rows in one signal faster than as many signals.
 * Such a row is the same object afterwards.
 *
 * A row is an [class@Ldb.Entry], an object of a type of yours with properties `key` and `value`, or
 * what a function of yours makes of the entry. As long as somebody holds a row and its key exists,
 * the list hands out the same object. When a value changes the row stays and notifies; the list
 * itself says nothing.
 *
 * The list holds neither rows nor keys, only some bytes for each sixty or so, and counts on another
 * thread what it did not find in memory at once: [property@Ldb.ListModel:pending] is true until all
 * is there. A row whose page is not in memory is handed out at once, not loaded, and notifies when
 * it is there; with %LDB_LIST_BLOCKING it is read on the spot instead.
 *
 * A list has at most %LDB_LIST_MAX_ITEMS rows, or [property@Ldb.ListModel:max-items]; the rest is
 * not shown. A `GtkListView` can show no more than 2^31 pixels, which is some 60 million rows.
 *
 * Threads: the one that made it, whose thread-default main context it lives in. When the database
 * handle or the list is closed, or its store dropped, it becomes empty, and
 * [property@Ldb.ListModel:closed] notifies.
 *
 * Since: 0.1
 */
G_DEFINE_FINAL_TYPE_WITH_CODE (LdbListModel, ldb_list_model, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (G_TYPE_LIST_MODEL, list_model_init))

enum
{
  PROP_DATABASE = 1,
  PROP_STORE,
  PROP_FLAGS,
  PROP_MAX_ITEMS,
  PROP_BATCH_INTERVAL,
  PROP_ITEM_TYPE,
  PROP_N_ITEMS,
  PROP_PENDING,
  PROP_SEQUENCE,
  PROP_ERROR,
  PROP_CLOSED,
  N_PROPERTIES,
};

static GParamSpec *properties[N_PROPERTIES];

#define BATCH_INTERVAL_DEFAULT (LDB_FRAME_INTERVAL / 1000)
#define BATCH_INTERVAL_MAX 3600000

/* ---- as a list ---- */

static GType
get_item_type (GListModel *list)
{
  return LDB_LIST_MODEL (list)->maker.type;
}

static guint
get_n_items (GListModel *list)
{
  return LDB_LIST_MODEL (list)->shown;
}

static gpointer
get_item (GListModel *list, guint position)
{
  LdbListModel *self = LDB_LIST_MODEL (list);
  if (position >= self->shown)
    return NULL;
  return ldb_list_rows_get (self, ldb_list_model_turn (self, position));
}

static void
list_model_init (GListModelInterface *interface)
{
  interface->get_item_type = get_item_type;
  interface->get_n_items = get_n_items;
  interface->get_item = get_item;
}

void
ldb_list_model_changed (LdbListModel *self, guint position, guint removed, guint added)
{
  gboolean showing = self->showing;
  self->showing = TRUE;
  g_list_model_items_changed (G_LIST_MODEL (self), position, removed, added);
  if (self->shown != self->told_items)
    {
      self->told_items = self->shown;
      g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_N_ITEMS]);
    }
  self->showing = showing;
}

/* ---- what goes on ---- */

static void empty (LdbListModel *self);

void
ldb_list_model_get_counted (LdbListModel *self, GBytes **lower, GBytes **upper)
{
  gboolean reverse = ldb_list_model_is_reverse (self);
  *lower = reverse && self->edge != NULL ? self->edge : self->lower;
  *upper = !reverse && self->edge != NULL ? self->edge : self->upper;
}

LdbListWalk
ldb_list_model_walk (LdbListModel *self)
{
  GBytes *lower, *upper;
  ldb_list_model_get_counted (self, &lower, &upper);
  return (LdbListWalk){
    .store = self->place.store,
    .lower = ldb_bytes_of (lower),
    .upper = ldb_bytes_of (upper),
  };
}

void
ldb_list_model_update_pending (LdbListModel *self)
{
  gboolean pending
      = self->observer != NULL && self->shown < self->max_items && ldb_list_fill_is_due (self);
  if (pending == self->pending)
    return;
  self->pending = pending;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_PENDING]);
}

void
ldb_list_model_tell_sequence (LdbListModel *self)
{
  if (self->sequence == self->told_sequence)
    return;
  self->told_sequence = self->sequence;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_SEQUENCE]);
}

void
ldb_list_model_set_error (LdbListModel *self, status code, const struct failure *failure)
{
  g_autoptr (GError) error = NULL;
  ldb_error_take_failure (&error, code, failure);
  if (self->error != NULL && g_error_matches (self->error, error->domain, error->code)
      && strcmp (self->error->message, error->message) == 0)
    return;
  g_clear_error (&self->error);
  self->error = g_steal_pointer (&error);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_ERROR]);
}

/* Nothing comes in any more. */
static void
stop (LdbListModel *self)
{
  g_clear_pointer (&self->observer, ldb_observer_free);
  g_clear_pointer (&self->frame, ldb_frame_unref);
  if (self->job != NULL)
    ldb_list_job_cancel (self->job);
  g_clear_pointer (&self->job, ldb_list_job_unref);
}

void
ldb_list_model_fail (LdbListModel *self, status code, const struct failure *failure)
{
  if (code == STATUS_CLOSED)
    {
      ldb_list_model_close (self);
      return;
    }
  stop (self);
  ldb_list_model_set_error (self, code, failure);
  ldb_list_model_update_pending (self);
}

void
ldb_list_model_proceed (LdbListModel *self)
{
  while (!self->showing && !self->closed && ldb_list_fill_adjust (self))
    ;
  if (self->showing)
    return;
  if (self->closed)
    {
      if (self->state != NULL)
        empty (self);
      return;
    }
  if (self->observer != NULL && self->job == NULL)
    {
      ldb_list_fill_trim (self);
      if (self->frame != NULL)
        ldb_list_frame_begin (self);
      else if (ldb_list_fill_is_due (self))
        ldb_list_fill_continue (self);
    }
  ldb_list_model_update_pending (self);
  ldb_list_rows_read (self);
}

/* ---- its end ---- */

/* Lets go of everything that the rows stand on; nothing is shown any more. */
static void
let_go (LdbListModel *self)
{
  stop (self);
  if (self->reading != NULL)
    ldb_list_job_cancel (self->reading);
  g_clear_pointer (&self->reading, ldb_list_job_unref);
  ldb_list_rows_reset (self);
  if (self->cursor_release != NULL)
    g_source_destroy (self->cursor_release);
  g_clear_pointer (&self->cursor_release, g_source_unref);
  g_hash_table_remove_all (self->wanted);
  g_clear_pointer (&self->index, ldb_rank_index_unref);
  self->index = ldb_rank_index_new (ldb_list_row_free);
  g_clear_pointer (&self->before, ldb_pin_unref);
  g_clear_pointer (&self->state, ldb_pin_unref);
  self->shown = 0;
  self->complete = TRUE;
}

static void
ldb_list_model_dispose (GObject *object)
{
  LdbListModel *self = LDB_LIST_MODEL (object);
  let_go (self);
  self->closed = TRUE;
  ldb_row_maker_clear (&self->maker);
  G_OBJECT_CLASS (ldb_list_model_parent_class)->dispose (object);
}

static void
ldb_list_model_finalize (GObject *object)
{
  LdbListModel *self = LDB_LIST_MODEL (object);
  g_clear_pointer (&self->index, ldb_rank_index_unref);
  g_clear_pointer (&self->wanted, g_hash_table_unref);
  g_clear_pointer (&self->seam, g_byte_array_unref);
  g_clear_pointer (&self->lower, g_bytes_unref);
  g_clear_pointer (&self->upper, g_bytes_unref);
  g_clear_pointer (&self->edge, g_bytes_unref);
  g_clear_error (&self->error);
  g_clear_pointer (&self->context, g_main_context_unref);
  g_clear_object (&self->store);
  g_clear_object (&self->place.database);
  G_OBJECT_CLASS (ldb_list_model_parent_class)->finalize (object);
}

/* What closing means, once nothing is being told any more. */
static void
empty (LdbListModel *self)
{
  guint shown = self->shown;
  let_go (self);
  if (shown > 0)
    ldb_list_model_changed (self, 0, shown, 0);
  ldb_list_model_update_pending (self);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_CLOSED]);
}

/**
 * ldb_list_model_close:
 * @self: a list
 *
 * Stops following and lets go of the state of the database that the list reads. The list becomes
 * empty; rows that somebody holds keep what they have. Closing it again does nothing.
 *
 * In a handler of [signal@Gio.ListModel::items-changed] the list becomes empty when all handlers of
 * that signal have been called, so that none of them is told of it before what happened first.
 *
 * A list that nobody holds any more closes by itself.
 *
 * In the list's thread.
 *
 * Since: 0.1
 */
void
ldb_list_model_close (LdbListModel *self)
{
  g_return_if_fail (LDB_IS_LIST_MODEL (self));
  if (self->closed)
    return;
  g_object_ref (self);
  self->closed = TRUE;
  stop (self);
  if (!self->showing)
    empty (self);
  g_object_unref (self);
}

/**
 * ldb_list_model_is_closed:
 * @self: a list
 *
 * Whether the list, or its database handle, was closed, or its store was dropped:
 * [property@Ldb.ListModel:closed].
 *
 * In the list's thread.
 *
 * Returns: %TRUE if it follows nothing any more
 *
 * Since: 0.1
 */
gboolean
ldb_list_model_is_closed (LdbListModel *self)
{
  g_return_val_if_fail (LDB_IS_LIST_MODEL (self), TRUE);
  return self->closed;
}

/* ---- the object ---- */

static void
ldb_list_model_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  LdbListModel *self = LDB_LIST_MODEL (object);
  switch (id)
    {
    case PROP_DATABASE:
      g_value_set_object (value, self->place.database);
      break;
    case PROP_STORE:
      g_value_set_object (value, self->store);
      break;
    case PROP_FLAGS:
      g_value_set_flags (value, self->flags);
      break;
    case PROP_MAX_ITEMS:
      g_value_set_uint (value, self->max_items);
      break;
    case PROP_BATCH_INTERVAL:
      g_value_set_uint (value, self->batch_interval);
      break;
    case PROP_ITEM_TYPE:
      g_value_set_gtype (value, self->maker.type);
      break;
    case PROP_N_ITEMS:
      g_value_set_uint (value, self->shown);
      break;
    case PROP_PENDING:
      g_value_set_boolean (value, self->pending);
      break;
    case PROP_SEQUENCE:
      g_value_set_uint64 (value, self->sequence);
      break;
    case PROP_ERROR:
      g_value_set_boxed (value, self->error);
      break;
    case PROP_CLOSED:
      g_value_set_boolean (value, self->closed);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
ldb_list_model_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  switch (id)
    {
    case PROP_MAX_ITEMS:
      ldb_list_model_set_max_items (LDB_LIST_MODEL (object), g_value_get_uint (value));
      break;
    case PROP_BATCH_INTERVAL:
      ldb_list_model_set_batch_interval (LDB_LIST_MODEL (object), g_value_get_uint (value));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
install_fixed_properties (void)
{
  GParamFlags flags = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS;
  /**
   * LdbListModel:database:
   *
   * The database whose records it shows.
   *
   * Since: 0.1
   */
  properties[PROP_DATABASE]
      = g_param_spec_object ("database", NULL, NULL, LDB_TYPE_DATABASE, flags);
  /**
   * LdbListModel:store:
   *
   * The store whose records it shows; %NULL for the default store.
   *
   * Since: 0.1
   */
  properties[PROP_STORE] = g_param_spec_object ("store", NULL, NULL, LDB_TYPE_STORE, flags);
  /**
   * LdbListModel:flags:
   *
   * How it shows them.
   *
   * Since: 0.1
   */
  properties[PROP_FLAGS]
      = g_param_spec_flags ("flags", NULL, NULL, LDB_TYPE_LIST_FLAGS, LDB_LIST_NONE, flags);
  /**
   * LdbListModel:item-type:
   *
   * The type of the rows.
   *
   * Since: 0.1
   */
  properties[PROP_ITEM_TYPE] = g_param_spec_gtype ("item-type", NULL, NULL, G_TYPE_OBJECT, flags);
}

static void
install_settings (void)
{
  GParamFlags flags = G_PARAM_READWRITE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS;
  /**
   * LdbListModel:max-items:
   *
   * How many rows are shown at most, from 1 to %LDB_LIST_MAX_ITEMS, the first ones in the list's
   * order: with %LDB_LIST_REVERSE and 100, say, the hundred greatest keys. Not many more than those
   * are counted.
   *
   * Since: 0.1
   */
  properties[PROP_MAX_ITEMS] = g_param_spec_uint ("max-items", NULL, NULL, 1, LDB_LIST_MAX_ITEMS,
                                                  LDB_LIST_MAX_ITEMS, flags);
  /**
   * LdbListModel:batch-interval:
   *
   * The least time between two steps from one state of the database to a later one, in
   * milliseconds. The first change after a quiet time is told at once. With 0 the next step follows
   * as soon as the last one was told and the main loop has turned.
   *
   * Since: 0.1
   */
  properties[PROP_BATCH_INTERVAL] = g_param_spec_uint (
      "batch-interval", NULL, NULL, 0, BATCH_INTERVAL_MAX, BATCH_INTERVAL_DEFAULT, flags);
}

static void
install_state_properties (void)
{
  GParamFlags flags = G_PARAM_READABLE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS;
  /**
   * LdbListModel:n-items:
   *
   * How many rows there are. It notifies, unlike the function of the interface.
   *
   * Since: 0.1
   */
  properties[PROP_N_ITEMS] = g_param_spec_uint ("n-items", NULL, NULL, 0, G_MAXUINT, 0, flags);
  /**
   * LdbListModel:pending:
   *
   * Whether rows are still being counted, so that more of them will come at the end without
   * anything having been written.
   *
   * Since: 0.1
   */
  properties[PROP_PENDING] = g_param_spec_boolean ("pending", NULL, NULL, FALSE, flags);
  /**
   * LdbListModel:sequence:
   *
   * The commit whose state the list shows. It is set together with the last change that belongs to
   * it, and, when nothing of the list changes for long, to a later commit now and then: so that the
   * database need not keep what was overwritten elsewhere.
   *
   * Since: 0.1
   */
  properties[PROP_SEQUENCE]
      = g_param_spec_uint64 ("sequence", NULL, NULL, 0, G_MAXUINT64, 0, flags);
  /**
   * LdbListModel:error:
   *
   * Why something could not be read, or %NULL. If that was a row, it stays as it is, not loaded. If
   * it was what the list needs to follow changes, the list stays as it is, and follows no more;
   * make a new one.
   *
   * Since: 0.1
   */
  properties[PROP_ERROR] = g_param_spec_boxed ("error", NULL, NULL, G_TYPE_ERROR, flags);
  /**
   * LdbListModel:closed:
   *
   * Whether the list, or its database handle, was closed, or its store was dropped. It is empty
   * then, and stays so.
   *
   * Since: 0.1
   */
  properties[PROP_CLOSED] = g_param_spec_boolean ("closed", NULL, NULL, FALSE, flags);
}

static void
ldb_list_model_class_init (LdbListModelClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  object_class->dispose = ldb_list_model_dispose;
  object_class->finalize = ldb_list_model_finalize;
  object_class->get_property = ldb_list_model_get_property;
  object_class->set_property = ldb_list_model_set_property;
  install_fixed_properties ();
  install_settings ();
  install_state_properties ();
  g_object_class_install_properties (object_class, N_PROPERTIES, properties);
}

/* A list that a binding made by its type alone is empty and follows nothing. */
static void
ldb_list_model_init (LdbListModel *self)
{
  self->maker.type = LDB_TYPE_ENTRY;
  self->max_items = LDB_LIST_MAX_ITEMS;
  self->batch_interval = BATCH_INTERVAL_DEFAULT;
  self->complete = TRUE;
  self->index = ldb_rank_index_new (ldb_list_row_free);
  self->seam = g_byte_array_new ();
  self->wanted
      = g_hash_table_new_full (g_bytes_hash, g_bytes_equal, (GDestroyNotify) g_bytes_unref, NULL);
}

/* ---- making ---- */

/* Takes over what the maker owns, also when it fails. */
static LdbListModel *
create (LdbDatabase *database, LdbStore *store, struct bytes lower, struct bytes upper,
        LdbListFlags flags, LdbRowMaker *maker, GError **error)
{
  g_autoptr (LdbListModel) self = g_object_new (LDB_TYPE_LIST_MODEL, NULL);
  const guint known = LDB_LIST_REVERSE | LDB_LIST_KEYS_ONLY | LDB_LIST_BLOCKING;
  LdbPlace place;
  self->maker = *maker;
  if (!ldb_check_flags (flags, known, "LdbListFlags", error)
      || !ldb_place_init (&place, database, store, error))
    return NULL;
  self->context = g_main_context_ref_thread_default ();
  self->place = place;
  g_object_ref (self->place.database);
  g_set_object (&self->store, store);
  self->lower = lower.size > 0 ? g_bytes_new (lower.data, lower.size) : NULL;
  self->upper = upper.size > 0 ? g_bytes_new (upper.data, upper.size) : NULL;
  self->flags = flags;
  self->complete = FALSE;
  self->observer = ldb_observer_new (self, &place, FALSE, lower, upper, LDB_OBSERVE_STATE,
                                     ldb_list_frame_come, &self->state, &self->sequence, error);
  if (self->observer == NULL)
    return NULL;
  self->told_sequence = self->sequence;
  ldb_list_fill_begin (self);
  return g_steal_pointer (&self);
}

static LdbListModel *
create_range (LdbDatabase *database, LdbStore *store, gconstpointer start, gsize start_length,
              gconstpointer end, gsize end_length, LdbListFlags flags, LdbRowMaker *maker,
              GError **error)
{
  struct bytes lower, upper;
  if (ldb_check_range (start, start_length, end, end_length, &lower, &upper, error))
    return create (database, store, lower, upper, flags, maker, error);
  ldb_row_maker_clear (maker);
  return NULL;
}

static LdbListModel *
create_prefix (LdbDatabase *database, LdbStore *store, gconstpointer prefix, gsize prefix_length,
               LdbListFlags flags, LdbRowMaker *maker, GError **error)
{
  struct bytes lower, upper;
  g_autoptr (GBytes) end = NULL;
  if (ldb_check_prefix (prefix, prefix_length, &lower, &upper, &end, error))
    return create (database, store, lower, upper, flags, maker, error);
  ldb_row_maker_clear (maker);
  return NULL;
}

/**
 * ldb_list_model_new: (constructor)
 * @database: a database
 * @store: (nullable): one of its stores; %NULL for the default store
 * @start: (array length=start_length) (element-type guint8) (nullable): the first key; %NULL for an
 *   open start
 * @start_length: its bytes, up to 65,536
 * @end: (array length=end_length) (element-type guint8) (nullable): the first key that does not
 *   belong to the list; %NULL for an open end
 * @end_length: its bytes, up to 65,536
 * @flags: how to show the records
 * @row_type: what rows are: %LDB_TYPE_ENTRY, or a type of yours, see below
 * @error: return location for an error
 *
 * Makes a live list of the records of a range, or of a whole store.
 *
 * A type of yours is one that can be made without arguments and has writable properties `key` and
 * `value`, each of type [struct@GLib.Bytes], string (what is not UTF-8 is shown with replacement
 * characters) or [struct@GLib.Variant] (as [method@Ldb.Database.put_variant] stores it). The list
 * sets them when it makes the row and whenever they change, and also a `sequence` (`guint64`) and
 * `loaded` (`gboolean`) where the type has them.
 *
 * Fails with %LDB_ERROR_INVALID_ARGUMENT for a range that is empty, a store of another database or
 * a type that does not fit, %LDB_ERROR_KEY_TOO_LARGE, %LDB_ERROR_CLOSED. Never blocks: what memory
 * answers within a millisecond is there at once, the rest follows.
 *
 * The calling thread becomes the list's thread.
 *
 * Returns: (transfer full): the list, or %NULL with an error
 *
 * Since: 0.1
 */
LdbListModel *
ldb_list_model_new (LdbDatabase *database, LdbStore *store, gconstpointer start, gsize start_length,
                    gconstpointer end, gsize end_length, LdbListFlags flags, GType row_type,
                    GError **error)
{
  LdbRowMaker maker;
  g_return_val_if_fail (LDB_IS_DATABASE (database), NULL);
  if (!ldb_row_maker_init (&maker, row_type, error))
    return NULL;
  return create_range (database, store, start, start_length, end, end_length, flags, &maker, error);
}

/**
 * ldb_list_model_new_prefix: (constructor)
 * @database: a database
 * @store: (nullable): one of its stores; %NULL for the default store
 * @prefix: (array length=prefix_length) (element-type guint8) (nullable): what the keys begin with
 * @prefix_length: its bytes, up to 65,536
 * @flags: how to show the records
 * @row_type: what rows are: see [ctor@Ldb.ListModel.new]
 * @error: return location for an error
 *
 * Makes a live list of the records whose keys have a prefix. Otherwise as [ctor@Ldb.ListModel.new].
 *
 * The calling thread becomes the list's thread.
 *
 * Returns: (transfer full): the list, or %NULL with an error
 *
 * Since: 0.1
 */
LdbListModel *
ldb_list_model_new_prefix (LdbDatabase *database, LdbStore *store, gconstpointer prefix,
                           gsize prefix_length, LdbListFlags flags, GType row_type, GError **error)
{
  LdbRowMaker maker;
  g_return_val_if_fail (LDB_IS_DATABASE (database), NULL);
  if (!ldb_row_maker_init (&maker, row_type, error))
    return NULL;
  return create_prefix (database, store, prefix, prefix_length, flags, &maker, error);
}

/**
 * ldb_list_model_new_mapped: (constructor)
 * @database: a database
 * @store: (nullable): one of its stores; %NULL for the default store
 * @start: (array length=start_length) (element-type guint8) (nullable): the first key; %NULL for an
 *   open start
 * @start_length: its bytes, up to 65,536
 * @end: (array length=end_length) (element-type guint8) (nullable): the first key that does not
 *   belong to the list; %NULL for an open end
 * @end_length: its bytes, up to 65,536
 * @flags: how to show the records
 * @item_type: the type of the rows, an object or interface type
 * @func: (scope notified) (closure user_data) (destroy destroy): makes a row
 * @user_data: for @func
 * @destroy: (nullable): frees @user_data
 * @error: return location for an error
 *
 * Makes a live list whose rows a function makes, see [callback@Ldb.RowFunc]. Otherwise as
 * [ctor@Ldb.ListModel.new].
 *
 * If the function returns something else than an object of @item_type there is a critical warning,
 * and the row is an object of that type, as it is when it is made without arguments; if there is no
 * such thing, the row is the entry.
 *
 * The calling thread becomes the list's thread; @func is called in it alone.
 *
 * Returns: (transfer full): the list, or %NULL with an error
 *
 * Since: 0.1
 */
LdbListModel *
ldb_list_model_new_mapped (LdbDatabase *database, LdbStore *store, gconstpointer start,
                           gsize start_length, gconstpointer end, gsize end_length,
                           LdbListFlags flags, GType item_type, LdbRowFunc func, gpointer user_data,
                           GDestroyNotify destroy, GError **error)
{
  LdbRowMaker maker;
  g_return_val_if_fail (LDB_IS_DATABASE (database), NULL);
  g_return_val_if_fail (func != NULL, NULL);
  if (!ldb_row_maker_init_mapped (&maker, item_type, func, user_data, destroy, error))
    return NULL;
  return create_range (database, store, start, start_length, end, end_length, flags, &maker, error);
}

/**
 * ldb_list_model_new_prefix_mapped: (constructor)
 * @database: a database
 * @store: (nullable): one of its stores; %NULL for the default store
 * @prefix: (array length=prefix_length) (element-type guint8) (nullable): what the keys begin with
 * @prefix_length: its bytes, up to 65,536
 * @flags: how to show the records
 * @item_type: the type of the rows, an object or interface type
 * @func: (scope notified) (closure user_data) (destroy destroy): makes a row
 * @user_data: for @func
 * @destroy: (nullable): frees @user_data
 * @error: return location for an error
 *
 * Makes a live list of the records whose keys have a prefix, with rows that a function makes.
 * Otherwise as [ctor@Ldb.ListModel.new_mapped].
 *
 * The calling thread becomes the list's thread; @func is called in it alone.
 *
 * Returns: (transfer full): the list, or %NULL with an error
 *
 * Since: 0.1
 */
LdbListModel *
ldb_list_model_new_prefix_mapped (LdbDatabase *database, LdbStore *store, gconstpointer prefix,
                                  gsize prefix_length, LdbListFlags flags, GType item_type,
                                  LdbRowFunc func, gpointer user_data, GDestroyNotify destroy,
                                  GError **error)
{
  LdbRowMaker maker;
  g_return_val_if_fail (LDB_IS_DATABASE (database), NULL);
  g_return_val_if_fail (func != NULL, NULL);
  if (!ldb_row_maker_init_mapped (&maker, item_type, func, user_data, destroy, error))
    return NULL;
  return create_prefix (database, store, prefix, prefix_length, flags, &maker, error);
}

/* ---- settings ---- */

/**
 * ldb_list_model_set_max_items:
 * @self: a list
 * @max_items: how many rows to show at most, from 1 to %LDB_LIST_MAX_ITEMS; 0 is taken for 1
 *
 * Sets [property@Ldb.ListModel:max-items]. What becomes visible comes at once, as far as it was
 * counted, or soon. In a handler of a signal of the list it comes when that was told.
 *
 * In the list's thread.
 *
 * Since: 0.1
 */
void
ldb_list_model_set_max_items (LdbListModel *self, guint max_items)
{
  g_return_if_fail (LDB_IS_LIST_MODEL (self));
  max_items = CLAMP (max_items, 1, LDB_LIST_MAX_ITEMS);
  if (self->max_items == max_items)
    return;
  g_object_ref (self);
  self->max_items = max_items;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_MAX_ITEMS]);
  ldb_list_model_proceed (self);
  g_object_unref (self);
}

/**
 * ldb_list_model_set_batch_interval:
 * @self: a list
 * @milliseconds: the least time between two steps from one state to the next; up to an hour
 *
 * Sets [property@Ldb.ListModel:batch-interval].
 *
 * In the list's thread.
 *
 * Since: 0.1
 */
void
ldb_list_model_set_batch_interval (LdbListModel *self, guint milliseconds)
{
  g_return_if_fail (LDB_IS_LIST_MODEL (self));
  milliseconds = MIN (milliseconds, BATCH_INTERVAL_MAX);
  if (self->batch_interval == milliseconds)
    return;
  self->batch_interval = milliseconds;
  if (self->observer != NULL)
    ldb_observer_set_interval (self->observer, (gint64) milliseconds * 1000);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_BATCH_INTERVAL]);
}
