/* SPDX-License-Identifier: MIT */
/*
 * Invariants
 *   W1  `waiting` is empty unless it is paused.
 *   W2  Numbers rise in the order in which changes were told, also of those that wait.
 */
#include "config.h"

#include <glib/gi18n-lib.h>

#include "insp-bytes.h"
#include "insp-change-log.h"

#define KEPT_MOST 500u    /* changes */
#define WAITING_MOST 500u /* batches; the oldest come in when there are more */

struct _InspChangeLog
{
  GObject parent_instance;

  InspRowList *list; /* of InspChangeEntry; owned */
  GQueue waiting;    /* W1; GPtrArray of InspChangeEntry, the oldest first; owned */
  guint64 newest;    /* W2; the last number */
  gboolean paused;
};

G_DEFINE_FINAL_TYPE (InspChangeLog, insp_change_log, G_TYPE_OBJECT)

static guint changed;

static void
entry_free (gpointer data)
{
  InspChangeEntry *self = data;
  ldb_change_unref (self->change);
  g_free (self);
}

static guint64
identity (gconstpointer contents)
{
  return ((const InspChangeEntry *) contents)->number;
}

/* Takes the batch. */
static void
let_in (InspChangeLog *self, GPtrArray *batch)
{
  if (batch->len > KEPT_MOST)
    g_ptr_array_remove_range (batch, 0, batch->len - KEPT_MOST);
  insp_row_list_prepend_reversed (self->list, batch, KEPT_MOST);
  g_ptr_array_unref (batch);
}

void
insp_change_log_add (InspChangeLog *self, GPtrArray *changes, gint64 time)
{
  GPtrArray *batch = g_ptr_array_new_with_free_func (entry_free);
  for (guint i = 0; i < changes->len; i++)
    {
      InspChangeEntry *entry = g_new (InspChangeEntry, 1);
      *entry = (InspChangeEntry){ .number = ++self->newest,
                                  .time = time,
                                  .change = ldb_change_ref (g_ptr_array_index (changes, i)) };
      g_ptr_array_add (batch, entry);
    }
  if (self->paused)
    g_queue_push_tail (&self->waiting, batch);
  else
    let_in (self, batch);
  if (self->waiting.length > WAITING_MOST)
    let_in (self, g_queue_pop_head (&self->waiting));
  g_signal_emit (self, changed, 0);
}

void
insp_change_log_step (InspChangeLog *self)
{
  if (g_queue_is_empty (&self->waiting))
    return;
  let_in (self, g_queue_pop_head (&self->waiting));
  g_signal_emit (self, changed, 0);
}

void
insp_change_log_set_paused (InspChangeLog *self, gboolean paused)
{
  if (self->paused == paused)
    return;
  self->paused = paused;
  while (!paused && !g_queue_is_empty (&self->waiting)) /* W1 */
    let_in (self, g_queue_pop_head (&self->waiting));
  g_signal_emit (self, changed, 0);
}

gboolean
insp_change_log_get_paused (InspChangeLog *self)
{
  return self->paused;
}

guint
insp_change_log_get_waiting (InspChangeLog *self)
{
  return self->waiting.length;
}

InspRowList *
insp_change_log_get_list (InspChangeLog *self)
{
  return self->list;
}

/* ---- words ---- */

const char *
insp_change_kind_name (LdbChangeKind kind)
{
  static const char *const names[] = {
    [LDB_CHANGE_PUT] = N_ ("Put"),
    [LDB_CHANGE_DELETE] = N_ ("Deleted"),
    [LDB_CHANGE_DELETE_RANGE] = N_ ("Range deleted"),
    [LDB_CHANGE_RESYNC] = N_ ("Unknown"),
  };
  return kind < G_N_ELEMENTS (names) ? _ (names[kind]) : "";
}

/* Escaped text has no control characters. */
static void
append_text (GString *json, const char *name, const char *text)
{
  g_string_append_printf (json, ",\"%s\":\"", name);
  for (; *text != '\0'; text++)
    {
      if (*text == '"' || *text == '\\')
        g_string_append_c (json, '\\');
      g_string_append_c (json, *text);
    }
  g_string_append_c (json, '"');
}

static void
append_bytes (GString *json, const char *name, GBytes *bytes)
{
  g_autofree char *text = bytes != NULL ? insp_bytes_escape (bytes, 0) : NULL;
  if (text != NULL)
    append_text (json, name, text);
}

char *
insp_change_entry_to_json (const InspChangeEntry *self)
{
  static const char *const kinds[] = { "put", "delete", "delete-range", "resync" };
  LdbChangeKind kind = ldb_change_get_kind (self->change);
  const char *store = ldb_change_get_store (self->change);
  g_autoptr (GDateTime) time = g_date_time_new_from_unix_utc (self->time / G_USEC_PER_SEC);
  g_autofree char *when = g_date_time_format_iso8601 (time);
  GString *json = g_string_new (NULL);
  g_string_append_printf (json, "{\"commit\":%" G_GUINT64_FORMAT,
                          ldb_change_get_sequence (self->change));
  append_text (json, "time", when);
  append_text (json, "kind", kind < G_N_ELEMENTS (kinds) ? kinds[kind] : "");
  append_text (json, "store", store != NULL ? store : "");
  append_bytes (json, "key", ldb_change_get_key (self->change));
  if (kind == LDB_CHANGE_DELETE_RANGE || kind == LDB_CHANGE_RESYNC)
    append_bytes (json, "end", ldb_change_get_end (self->change));
  append_bytes (json, "before", ldb_change_get_old_value (self->change));
  append_bytes (json, "value", ldb_change_get_value (self->change));
  g_string_append_c (json, '}');
  return g_string_free (json, FALSE);
}

/* ---- the object ---- */

static void
insp_change_log_finalize (GObject *object)
{
  InspChangeLog *self = INSP_CHANGE_LOG (object);
  g_queue_clear_full (&self->waiting, (GDestroyNotify) g_ptr_array_unref);
  g_object_unref (self->list);
  G_OBJECT_CLASS (insp_change_log_parent_class)->finalize (object);
}

static void
insp_change_log_class_init (InspChangeLogClass *class)
{
  G_OBJECT_CLASS (class)->finalize = insp_change_log_finalize;
  changed = g_signal_new ("changed", INSP_TYPE_CHANGE_LOG, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                          G_TYPE_NONE, 0);
}

static void
insp_change_log_init (InspChangeLog *self)
{
  self->list = insp_row_list_new (identity, entry_free);
  g_queue_init (&self->waiting);
}

InspChangeLog *
insp_change_log_new (void)
{
  return g_object_new (INSP_TYPE_CHANGE_LOG, NULL);
}
