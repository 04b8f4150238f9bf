/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <string.h>

#include "insp-load-copy.h"

#define TOLD_EVERY 256 /* records */

typedef struct
{
  LdbDatabase *from;  /* owned */
  LdbDatabase *to;    /* owned */
  LdbSnapshot *state; /* that is copied; owned */
  guint64 records;    /* copied so far */
  InspLoadCopyProgress progress;
  gpointer data;             /* for it; borrowed */
  GCancellable *cancellable; /* borrowed */
} Copy;

/* A handle of this program, if there is one: the same folder is not opened twice with other options. */
static LdbDatabase *
open_source (const char *path, GCancellable *cancellable, GError **error)
{
  g_autoptr (GPtrArray) open = ldb_database_list_open ();
  for (guint i = 0; i < open->len; i++)
    if (g_strcmp0 (ldb_database_get_path (open->pdata[i]), path) == 0)
      return g_object_ref (open->pdata[i]);
  return ldb_database_open (path, LDB_OPEN_READ_ONLY, NULL, cancellable, error);
}

static gboolean
put_on (Copy *self, LdbCursor *cursor, LdbLoader *loader, LdbStore *store, GError **error)
{
  gsize key_length, value_length;
  const guint8 *key = ldb_cursor_peek_key (cursor, &key_length);
  GError *failure = NULL;
  const guint8 *value = ldb_cursor_peek_value (cursor, &value_length, &failure);
  if (failure != NULL)
    {
      g_propagate_error (error, failure);
      return FALSE;
    }
  if (!ldb_loader_put (loader, store, key, key_length, value, value_length, error))
    return FALSE;
  if (++self->records % TOLD_EVERY != 0 || self->progress (self->records, self->data))
    return TRUE;
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_CANCELLED, "cancelled");
  return FALSE;
}

static gboolean
copy_records (Copy *self, LdbStore *source, LdbStore *target, GError **error)
{
  g_autoptr (LdbCursor) cursor
      = ldb_snapshot_scan (self->state, source, NULL, 0, NULL, 0, LDB_SCAN_NONE, error);
  g_autoptr (LdbLoader) loader
      = cursor != NULL ? ldb_database_create_loader (self->to, error) : NULL;
  GError *failure = NULL;
  if (loader == NULL)
    return FALSE;
  while (ldb_cursor_next (cursor, self->cancellable, &failure))
    if (!put_on (self, cursor, loader, target, error))
      return FALSE;
  ldb_cursor_close (cursor);
  if (failure == NULL)
    return ldb_loader_commit (loader, self->cancellable, error);
  g_propagate_error (error, failure);
  return FALSE;
}

static gboolean
copy_store (Copy *self, const char *name, GError **error)
{
  g_autoptr (LdbStore) source
      = ldb_database_open_store (self->from, name, LDB_OPEN_NONE, self->cancellable, error);
  g_autoptr (LdbStore) target
      = source != NULL
            ? ldb_database_open_store (self->to, name, LDB_OPEN_CREATE, self->cancellable, error)
            : NULL;
  return target != NULL && copy_records (self, source, target, error);
}

static gboolean
copy_all (Copy *self, GError **error)
{
  g_auto (GStrv) names = ldb_database_list_stores (self->from, self->cancellable, error);
  self->state = names != NULL ? ldb_database_create_snapshot (self->from, error) : NULL;
  if (self->state == NULL)
    return FALSE;
  for (guint i = 0; names[i] != NULL; i++)
    if (!copy_store (self, names[i], error))
      return FALSE;
  return TRUE;
}

gboolean
insp_load_copy (const char *from, const char *to, InspLoadCopyProgress progress, gpointer data,
                GCancellable *cancellable, GError **error)
{
  Copy copy = { .progress = progress, .data = data, .cancellable = cancellable };
  gboolean done = FALSE;
  copy.from = open_source (from, cancellable, error);
  if (copy.from != NULL)
    copy.to = ldb_database_open (to, LDB_OPEN_CREATE, NULL, cancellable, error);
  if (copy.to != NULL)
    {
      done = copy_all (&copy, error);
      if (copy.state != NULL)
        ldb_snapshot_close (copy.state);
      done = ldb_database_close (copy.to, NULL, done ? error : NULL) && done;
    }
  g_clear_object (&copy.state);
  g_clear_object (&copy.to);
  g_clear_object (&copy.from);
  return done;
}
