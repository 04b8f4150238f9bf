/* SPDX-License-Identifier: MIT */
/*
 * What a visitor may do once the application has granted it control. What takes long runs on the
 * library's workers, and is cancelled when the visitor goes.
 */
#include "config.h"

#include "ldb-visitor-private.h"

#include <string.h>

#include "ldb-error-private.h"
#include "ldb-place-private.h"
#include "ldb-transaction-private.h"

#define OPERATIONS_MAX 10000 /* of one commit */

/* ---- control ---- */

static void
log_control (LdbVisit *self)
{
  LdbHost *host = self->visitor->host;
  LdbLogLine *line = ldb_host_begin_line (host, LDB_LOG_INSPECTOR_CONTROL, self->visitor->process);
  if (line == NULL)
    return;
  ldb_log_line_set (line, "LDB_DATABASE", "%s", self->export->path);
  ldb_log_line_say (line,
                    "The inspector that is process %" G_GINT64_FORMAT
                    " asked for control of \"%s\" and has it",
                    self->visitor->process, self->export->path);
  ldb_host_end_line (host, line);
}

void
ldb_visit_request_control (LdbVisit *self)
{
  gint permission = g_atomic_int_get (&self->export->control);
  if (permission == 0)
    {
      ldb_visit_refuse (self, LDB_ERROR_PERMISSION_DENIED,
                        "The application does not allow inspectors to change anything: it would "
                        "set LdbDatabase:control-allowed.");
      return;
    }
  g_hash_table_replace (self->visitor->grants, ldb_export_ref (self->export),
                        GINT_TO_POINTER (permission));
  log_control (self);
  ldb_visit_return (self, NULL);
}

gboolean
ldb_visitor_has_control (LdbVisitor *self, LdbExport *export)
{
  gint permission = GPOINTER_TO_INT (g_hash_table_lookup (self->grants, export));
  return permission != 0 && permission == g_atomic_int_get (&export->control);
}

/* ---- upkeep ---- */

static void
finish (LdbVisit *self, gboolean done, GError *error)
{
  if (done)
    ldb_visit_return (self, NULL);
  else
    ldb_visit_fail (self, error);
}

static void
flushed (GObject *source, GAsyncResult *result, gpointer data)
{
  GError *error = NULL;
  gboolean done = ldb_database_flush_finish (LDB_DATABASE (source), result, &error);
  finish (data, done, error);
}

void
ldb_visit_flush (LdbVisit *self)
{
  ldb_database_flush_async (self->export->handle, self->cancellable, flushed, self);
}

static void
checkpointed (GObject *source, GAsyncResult *result, gpointer data)
{
  GError *error = NULL;
  gboolean done = ldb_database_checkpoint_finish (LDB_DATABASE (source), result, &error);
  finish (data, done, error);
}

void
ldb_visit_checkpoint (LdbVisit *self)
{
  ldb_database_checkpoint_async (self->export->handle, self->cancellable, checkpointed, self);
}

static void
synced (GObject *source, GAsyncResult *result, gpointer data)
{
  GError *error = NULL;
  gboolean done = ldb_database_sync_finish (LDB_DATABASE (source), result, &error);
  finish (data, done, error);
}

void
ldb_visit_sync (LdbVisit *self)
{
  ldb_database_sync_async (self->export->handle, self->cancellable, synced, self);
}

static void
compacted (GObject *source, GAsyncResult *result, gpointer data)
{
  GError *error = NULL;
  gboolean done = ldb_database_compact_finish (LDB_DATABASE (source), result, &error);
  finish (data, done, error);
}

void
ldb_visit_compact (LdbVisit *self)
{
  ldb_database_compact_async (self->export->handle, ldb_visit_tell_progress, self, NULL,
                              self->cancellable, compacted, self);
}

void
ldb_visit_evict (LdbVisit *self)
{
  double fraction;
  GError *error = NULL;
  g_variant_get (self->arguments, "(d)", &fraction);
  ldb_database_evict_cache (self->export->handle, fraction, &error); /* perhaps nothing is there */
  finish (self, error == NULL, error);
}

static void
budget_set (GObject *source, GAsyncResult *result, gpointer data)
{
  GError *error = NULL;
  gboolean done = ldb_database_set_memory_budget_finish (LDB_DATABASE (source), result, &error);
  finish (data, done, error);
}

void
ldb_visit_set_memory_budget (LdbVisit *self)
{
  guint64 bytes;
  g_variant_get (self->arguments, "(t)", &bytes);
  ldb_database_set_memory_budget_async (self->export->handle, bytes, self->cancellable, budget_set,
                                        self);
}

static void
checked (GObject *source, GAsyncResult *result, gpointer data)
{
  LdbVisit *self = data;
  GError *error = NULL;
  GVariantBuilder faults;
  g_autoptr (LdbCheckReport) report
      = ldb_database_check_finish (LDB_DATABASE (source), result, &error);
  if (report == NULL)
    {
      ldb_visit_fail (self, error);
      return;
    }
  GPtrArray *list = ldb_check_report_get_faults (report);
  g_variant_builder_init (&faults, G_VARIANT_TYPE ("a(sxs)"));
  for (guint i = 0; i < list->len; i++)
    {
      const LdbFault *fault = g_ptr_array_index (list, i);
      g_variant_builder_add (&faults, "(sxs)", fault->file, fault->page, fault->reason);
    }
  ldb_visit_return (
      self, g_variant_new ("(@a{sv}a(sxs))", ldb_check_report_to_variant (report), &faults));
}

void
ldb_visit_check (LdbVisit *self)
{
  gboolean deep;
  g_variant_get (self->arguments, "(b)", &deep);
  ldb_database_check_async (self->export->handle, deep ? LDB_CHECK_DEEP : LDB_CHECK_NONE,
                            ldb_visit_tell_progress, self, NULL, self->cancellable, checked, self);
}

static void
backed_up (GObject *source, GAsyncResult *result, gpointer data)
{
  LdbVisit *self = data;
  GError *error = NULL;
  g_autoptr (LdbBackupResult) backup
      = ldb_database_backup_finish (LDB_DATABASE (source), result, &error);
  if (backup == NULL)
    ldb_visit_fail (self, error);
  else
    ldb_visit_return (self, g_variant_new ("(@a{st})", ldb_backup_result_to_variant (backup)));
}

void
ldb_visit_backup (LdbVisit *self)
{
  const char *path;
  gboolean verify;
  g_variant_get (self->arguments, "(^&ayb)", &path, &verify);
  if (!g_path_is_absolute (path))
    {
      ldb_visit_refuse (self, LDB_ERROR_INVALID_ARGUMENT,
                        "The path of the backup is not absolute; it is made by the application, "
                        "whose folder is another.");
      return;
    }
  ldb_database_backup_async (self->export->handle, path,
                             verify ? LDB_BACKUP_VERIFY : LDB_BACKUP_NONE, ldb_visit_tell_progress,
                             self, NULL, self->cancellable, backed_up, self);
}

/* ---- commits ---- */

/* The value there is, or NULL; FALSE with an error when there are several. */
static gboolean
take_value (GVariant *values, GBytes **value, GError **error)
{
  gsize count = g_variant_n_children (values);
  *value = NULL;
  if (count > 1)
    return ldb_error_set (error, LDB_ERROR_INVALID_ARGUMENT,
                          "There are several values for one key; give one, or none.");
  if (count == 1)
    {
      g_autoptr (GVariant) child = g_variant_get_child_value (values, 0);
      *value = g_variant_get_data_as_bytes (child);
    }
  return TRUE;
}

/* Whether the key has this value, or for NULL none. One of another size is not read if it is large,
 * so what is read is about as much as the visitor sent. */
static gboolean
has_value (LdbTransaction *transaction, LdbStore *store, struct bytes key, GBytes *expected,
           gboolean *has, GError **error)
{
  LdbPlace place;
  struct failure failure = FAILURE_INIT;
  gsize size, expected_size = expected != NULL ? g_bytes_get_size (expected) : 0;
  g_autofree gpointer found = g_malloc (expected_size);
  if (!ldb_place_init (&place, transaction->database, store, error))
    return FALSE;
  status code = engine_transaction_get (transaction->transaction, place.store, key, found,
                                        expected_size, &size, &failure);
  if (code != STATUS_OK && code != STATUS_NOT_FOUND)
    return ldb_error_take_failure (error, code, &failure);
  *has = expected == NULL
             ? code == STATUS_NOT_FOUND
             : code == STATUS_OK && size == expected_size
                   && (size == 0 || memcmp (found, g_bytes_get_data (expected, NULL), size) == 0);
  return TRUE;
}

static gboolean
is_as_expected (LdbTransaction *transaction, LdbStore *store, gconstpointer key, gsize size,
                GBytes *expected, GError **error)
{
  struct bytes bytes;
  gboolean has = FALSE;
  if (!ldb_check_key (key, size, &bytes, error)
      || !has_value (transaction, store, bytes, expected, &has, error))
    return FALSE;
  if (has)
    return ldb_transaction_lock_key (transaction, store, key, size, error);
  return ldb_error_set (error, LDB_ERROR_CONFLICT,
                        "A key has another value than expected; read it again.");
}

static gboolean
apply (LdbVisit *self, LdbTransaction *transaction, GVariant *operation, GError **error)
{
  const char *name;
  gboolean checks;
  gsize size;
  g_autoptr (GVariant) key = NULL;
  g_autoptr (GVariant) values = NULL;
  g_autoptr (GVariant) expected_values = NULL;
  g_autoptr (GBytes) value = NULL;
  g_autoptr (GBytes) expected = NULL;
  g_variant_get (operation, "(&s@ay@aayb@aay)", &name, &key, &values, &checks, &expected_values);
  gconstpointer data = g_variant_get_fixed_array (key, &size, 1);
  g_autoptr (LdbStore) store = ldb_visit_open_store (self, name, error);
  if (store == NULL || !take_value (values, &value, error)
      || !take_value (expected_values, &expected, error)
      || (checks && !is_as_expected (transaction, store, data, size, expected, error)))
    return FALSE;
  if (value == NULL)
    return ldb_transaction_delete (transaction, store, data, size, error);
  gsize value_size;
  gconstpointer value_data = g_bytes_get_data (value, &value_size);
  return ldb_transaction_put (transaction, store, data, size, value_data, value_size, error);
}

static gboolean
apply_all (LdbVisit *self, LdbTransaction *transaction, GError **error)
{
  g_autoptr (GVariant) operations = g_variant_get_child_value (self->arguments, 0);
  gsize count = g_variant_n_children (operations);
  if (count == 0 || count > OPERATIONS_MAX)
    return ldb_error_set (error, LDB_ERROR_LIMIT_EXCEEDED,
                          "A commit has 1 to %d operations, not %" G_GSIZE_FORMAT ".",
                          OPERATIONS_MAX, count);
  for (gsize i = 0; i < count; i++)
    {
      g_autoptr (GVariant) operation = g_variant_get_child_value (operations, i);
      if (!apply (self, transaction, operation, error))
        return FALSE;
    }
  return TRUE;
}

static void
committed (GObject *source, GAsyncResult *result, gpointer data)
{
  LdbVisit *self = data;
  GError *error = NULL;
  LdbTransaction *transaction = LDB_TRANSACTION (source);
  if (ldb_transaction_commit_finish (transaction, result, &error))
    ldb_visit_return (self,
                      g_variant_new ("(t)", ldb_transaction_get_commit_sequence (transaction)));
  else
    ldb_visit_fail (self, error);
}

void
ldb_visit_commit (LdbVisit *self)
{
  GError *error = NULL;
  g_autoptr (LdbTransaction) transaction
      = ldb_database_begin (self->export->handle, LDB_TRANSACTION_NONE, &error);
  if (transaction != NULL && apply_all (self, transaction, &error))
    ldb_transaction_commit_async (transaction, LDB_SYNC_MODE_DEFAULT, self->cancellable, committed,
                                  self);
  else
    ldb_visit_fail (self, error);
}
