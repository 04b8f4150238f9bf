/* SPDX-License-Identifier: MIT */
/*
 * Invariants
 *   E1  No two edits are of the same key of a store, and none is idle.
 *   E2  While it is busy nothing is staged, dropped or restaged: what was sent is what is there.
 *   E3  `written` is what takes the last commit back.
 */
#include "config.h"

#include "insp-edits.h"

struct _InspEdits
{
  GObject parent_instance;

  GPtrArray *staged;  /* of InspEdit, E1 */
  GPtrArray *written; /* of InspEdit, E3; NULL: nothing was; owned */
  gboolean is_busy;
};

static void list_init (GListModelInterface *interface);

G_DEFINE_FINAL_TYPE_WITH_CODE (InspEdits, insp_edits, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (G_TYPE_LIST_MODEL, list_init))

enum
{
  CHANGED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

/* What is being written. */
typedef struct
{
  LdbInspector *inspector; /* owned */
  GPtrArray *edits;        /* of InspEdit; owned */
  gboolean is_undo;
  guint compared; /* after a conflict: how many were */
  GError *error;  /* the conflict; owned */
} Writing;

static void
writing_free (gpointer data)
{
  Writing *writing = data;
  g_object_unref (writing->inspector);
  g_ptr_array_unref (writing->edits);
  g_clear_error (&writing->error);
  g_free (writing);
}

/* ---- the list ---- */

static InspEdit *
edit_at (InspEdits *self, guint index)
{
  return g_ptr_array_index (self->staged, index);
}

static GType
get_item_type (GListModel *model)
{
  return INSP_TYPE_EDIT;
}

static guint
get_n_items (GListModel *model)
{
  return INSP_EDITS (model)->staged->len;
}

static gpointer
get_item (GListModel *model, guint position)
{
  InspEdits *self = INSP_EDITS (model);
  return position < self->staged->len ? g_object_ref (edit_at (self, position)) : NULL;
}

static void
list_init (GListModelInterface *interface)
{
  interface->get_item_type = get_item_type;
  interface->get_n_items = get_n_items;
  interface->get_item = get_item;
}

static void
splice (InspEdits *self, guint position, guint removed, guint added)
{
  g_list_model_items_changed (G_LIST_MODEL (self), position, removed, added);
  g_signal_emit (self, signals[CHANGED], 0);
}

static void
add (InspEdits *self, InspEdit *edit)
{
  g_ptr_array_add (self->staged, g_object_ref (edit));
  splice (self, self->staged->len - 1, 0, 1);
}

static void
drop_all (InspEdits *self)
{
  guint count = self->staged->len;
  g_ptr_array_set_size (self->staged, 0);
  splice (self, 0, count, 0);
}

/* ---- staging ---- */

InspEdit *
insp_edits_find (InspEdits *self, const char *store, GBytes *key)
{
  for (guint i = 0; i < self->staged->len; i++)
    if (insp_edit_is_of (edit_at (self, i), store, key))
      return edit_at (self, i);
  return NULL;
}

void
insp_edits_drop (InspEdits *self, InspEdit *edit)
{
  guint index;
  g_return_if_fail (!self->is_busy); /* E2 */
  if (!g_ptr_array_find (self->staged, edit, &index))
    return;
  g_ptr_array_remove_index (self->staged, index);
  splice (self, index, 1, 0);
}

static void
drop_if_idle (InspEdits *self, InspEdit *edit) /* E1 */
{
  if (insp_edit_is_idle (edit) && !insp_edit_is_conflict (edit))
    insp_edits_drop (self, edit);
}

void
insp_edits_stage (InspEdits *self, const char *store, GBytes *key, GBytes *expected, GBytes *value)
{
  InspEdit *edit = insp_edits_find (self, store, key);
  g_return_if_fail (!self->is_busy); /* E2 */
  if (edit != NULL)
    {
      insp_edit_set_value (edit, value);
      drop_if_idle (self, edit);
      return;
    }
  g_autoptr (InspEdit) fresh = insp_edit_new (store, key, expected, value);
  if (!insp_edit_is_idle (fresh))
    add (self, fresh);
}

void
insp_edits_restage (InspEdits *self, InspEdit *edit)
{
  g_return_if_fail (!self->is_busy); /* E2 */
  insp_edit_restage (edit);
  drop_if_idle (self, edit);
  g_signal_emit (self, signals[CHANGED], 0);
}

/* ---- states ---- */

guint
insp_edits_count_conflicts (InspEdits *self)
{
  guint count = 0;
  for (guint i = 0; i < self->staged->len; i++)
    count += insp_edit_is_conflict (edit_at (self, i));
  return count;
}

gboolean
insp_edits_is_busy (InspEdits *self)
{
  return self->is_busy;
}

gboolean
insp_edits_can_commit (InspEdits *self)
{
  return !self->is_busy && self->staged->len > 0 && insp_edits_count_conflicts (self) == 0;
}

gboolean
insp_edits_can_undo (InspEdits *self)
{
  return !self->is_busy && self->written != NULL && self->staged->len == 0;
}

static void
set_busy (InspEdits *self, gboolean busy)
{
  self->is_busy = busy;
  g_signal_emit (self, signals[CHANGED], 0);
}

/* ---- writing ---- */

static GPtrArray *
new_edits (void)
{
  return g_ptr_array_new_with_free_func (g_object_unref);
}

static GVariant *
variant_of_bytes (GBytes *bytes)
{
  return g_variant_new_from_bytes (G_VARIANT_TYPE_BYTESTRING, bytes, TRUE);
}

/* One, or none. */
static GVariant *
variant_of_value (GBytes *value)
{
  GVariant *child = value != NULL ? variant_of_bytes (value) : NULL;
  return g_variant_new_array (G_VARIANT_TYPE_BYTESTRING, &child, child != NULL ? 1 : 0);
}

static GVariant *
operations_of (GPtrArray *edits)
{
  GVariantBuilder operations;
  g_variant_builder_init (&operations, G_VARIANT_TYPE ("a(sayaaybaay)"));
  for (guint i = 0; i < edits->len; i++)
    {
      InspEdit *edit = edits->pdata[i];
      g_variant_builder_add (&operations, "(s@ay@aayb@aay)", insp_edit_get_store (edit),
                             variant_of_bytes (insp_edit_get_key (edit)),
                             variant_of_value (insp_edit_get_value (edit)), TRUE,
                             variant_of_value (insp_edit_get_expected (edit)));
    }
  return g_variant_builder_end (&operations);
}

static void
keep_inverse (InspEdits *self, GPtrArray *edits) /* E3 */
{
  g_clear_pointer (&self->written, g_ptr_array_unref);
  self->written = new_edits ();
  for (guint i = 0; i < edits->len; i++)
    g_ptr_array_add (self->written, insp_edit_invert (edits->pdata[i]));
}

static void compare_next (GTask *task);

static void
on_compared (GObject *source, GAsyncResult *result, gpointer data)
{
  GTask *task = data;
  g_autoptr (GError) error = NULL;
  Writing *writing = g_task_get_task_data (task);
  g_autoptr (GBytes) now = ldb_inspector_get_finish (LDB_INSPECTOR (source), result, &error);
  if (error == NULL)
    insp_edit_compare (writing->edits->pdata[writing->compared], now);
  writing->compared++;
  compare_next (task);
}

/* After a conflict: which of them it was. */
static void
compare_next (GTask *task)
{
  Writing *writing = g_task_get_task_data (task);
  if (writing->compared < writing->edits->len)
    {
      gsize size;
      InspEdit *edit = writing->edits->pdata[writing->compared];
      gconstpointer key = g_bytes_get_data (insp_edit_get_key (edit), &size);
      ldb_inspector_get_async (writing->inspector, 0, insp_edit_get_store (edit), key, size,
                               g_task_get_cancellable (task), on_compared, task);
      return;
    }
  set_busy (g_task_get_source_object (task), FALSE);
  g_task_return_error (task, g_steal_pointer (&writing->error));
  g_object_unref (task);
}

/* What was to be taken back is there to be decided on. */
static void
stage_undo (InspEdits *self, Writing *writing)
{
  g_clear_pointer (&self->written, g_ptr_array_unref);
  for (guint i = 0; i < writing->edits->len; i++)
    add (self, writing->edits->pdata[i]);
}

static void
on_committed (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (GTask) task = data;
  g_autoptr (GError) error = NULL;
  InspEdits *self = g_task_get_source_object (task);
  Writing *writing = g_task_get_task_data (task);
  guint64 sequence = ldb_inspector_commit_finish (LDB_INSPECTOR (source), result, &error);
  if (sequence == 0 && g_error_matches (error, LDB_ERROR, LDB_ERROR_CONFLICT))
    {
      if (writing->is_undo)
        stage_undo (self, writing);
      writing->error = g_steal_pointer (&error);
      compare_next (g_steal_pointer (&task));
      return;
    }
  if (sequence != 0)
    {
      keep_inverse (self, writing->edits);
      if (!writing->is_undo)
        drop_all (self);
    }
  set_busy (self, FALSE);
  if (sequence != 0)
    g_task_return_int (task, writing->edits->len);
  else
    g_task_return_error (task, g_steal_pointer (&error));
}

static void
write_edits (InspEdits *self, LdbInspector *inspector, GPtrArray *edits, gboolean is_undo,
             GTask *task)
{
  Writing *writing = g_new0 (Writing, 1);
  writing->inspector = g_object_ref (inspector);
  writing->edits = new_edits ();
  writing->is_undo = is_undo;
  for (guint i = 0; i < edits->len; i++)
    g_ptr_array_add (writing->edits, g_object_ref (edits->pdata[i]));
  g_task_set_task_data (task, writing, writing_free);
  set_busy (self, TRUE);
  ldb_inspector_commit_async (inspector, operations_of (writing->edits),
                              g_task_get_cancellable (task), on_committed, task);
}

void
insp_edits_commit_async (InspEdits *self, LdbInspector *inspector, GCancellable *cancellable,
                         GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (insp_edits_can_commit (self));
  GTask *task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, insp_edits_commit_async);
  write_edits (self, inspector, self->staged, FALSE, task);
}

void
insp_edits_undo_async (InspEdits *self, LdbInspector *inspector, GCancellable *cancellable,
                       GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (insp_edits_can_undo (self));
  GTask *task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, insp_edits_undo_async);
  write_edits (self, inspector, self->written, TRUE, task);
}

guint
insp_edits_finish (InspEdits *self, GAsyncResult *result, GError **error)
{
  gssize count = g_task_propagate_int (G_TASK (result), error);
  return count > 0 ? (guint) count : 0;
}

/* ---- the object ---- */

static void
insp_edits_finalize (GObject *object)
{
  InspEdits *self = INSP_EDITS (object);
  g_ptr_array_unref (self->staged);
  g_clear_pointer (&self->written, g_ptr_array_unref);
  G_OBJECT_CLASS (insp_edits_parent_class)->finalize (object);
}

static void
insp_edits_class_init (InspEditsClass *class)
{
  G_OBJECT_CLASS (class)->finalize = insp_edits_finalize;
  signals[CHANGED] = g_signal_new ("changed", INSP_TYPE_EDITS, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                   NULL, G_TYPE_NONE, 0);
}

static void
insp_edits_init (InspEdits *self)
{
  self->staged = new_edits ();
}

InspEdits *
insp_edits_new (void)
{
  return g_object_new (INSP_TYPE_EDITS, NULL);
}
