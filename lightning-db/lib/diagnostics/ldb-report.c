/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "ldb-language-private.h"
#include "ldb-report-private.h"

#include <inttypes.h>
#include <string.h>

G_DEFINE_BOXED_TYPE (LdbFault, ldb_fault, ldb_fault_copy, ldb_fault_free)
G_DEFINE_BOXED_TYPE (LdbCheckReport, ldb_check_report, ldb_check_report_copy, ldb_check_report_free)
G_DEFINE_BOXED_TYPE (LdbBackupResult, ldb_backup_result, ldb_backup_result_copy,
                     ldb_backup_result_free)
G_DEFINE_BOXED_TYPE (LdbRepairReport, ldb_repair_report, ldb_repair_report_copy,
                     ldb_repair_report_free)

GPtrArray *
ldb_faults_new (void)
{
  return g_ptr_array_new_with_free_func ((GDestroyNotify) ldb_fault_free);
}

void
ldb_faults_add (GPtrArray *list, const char *file, uint64_t page, const char *reason)
{
  if (list->len >= LDB_FAULTS_MAX)
    return;
  LdbFault *fault = g_new (LdbFault, 1);
  fault->file = g_utf8_make_valid (file != NULL ? file : "", -1);
  fault->page = page <= G_MAXINT64 ? (gint64) page : LDB_FAULT_NO_PAGE;
  fault->reason = g_utf8_make_valid (reason != NULL ? reason : "", -1);
  g_ptr_array_add (list, fault);
}

LdbCheckReport *
ldb_check_report_new (const struct engine_check_report *from, GPtrArray *faults)
{
  LdbCheckReport *report = g_new0 (LdbCheckReport, 1);
  report->pages = from->pages;
  report->bytes = from->bytes;
  report->segments = from->segments;
  report->blobs = from->blobs;
  report->logs = from->logs;
  report->records = from->records;
  report->fault_count = MAX (from->faults, faults->len);
  report->page_checksums = from->page_checksums;
  report->tree_structure = from->tree_structure;
  report->log = from->log;
  report->no_orphans = from->no_orphans;
  report->blobs_intact = from->blobs_intact;
  report->faults = faults;
  return report;
}

LdbRepairReport *
ldb_repair_report_new (const struct engine_repair_report *from, GPtrArray *lost)
{
  LdbRepairReport *report = g_new0 (LdbRepairReport, 1);
  report->records = from->records;
  report->lost_pages = from->lost_pages;
  report->lost_log_bytes = from->lost_log_bytes;
  report->files_skipped = from->files_skipped;
  report->lost = lost;
  return report;
}

LdbBackupResult *
ldb_backup_result_new (const struct engine_backup_result *from)
{
  LdbBackupResult *result = g_new0 (LdbBackupResult, 1);
  result->sequence = from->sequence;
  result->files = from->files;
  result->bytes = from->bytes;
  result->copied_files = from->copied_files;
  result->copied_bytes = from->copied_bytes;
  result->linked_files = from->linked_files;
  result->reflinked_files = from->reflinked_files;
  result->kept_files = from->kept_files;
  return result;
}

/**
 * ldb_fault_copy:
 * @self: a fault
 *
 * Makes a copy.
 *
 * Any thread.
 *
 * Returns: (transfer full): the copy
 *
 * Since: 0.1
 */
LdbFault *
ldb_fault_copy (const LdbFault *self)
{
  g_return_val_if_fail (self != NULL, NULL);
  LdbFault *copy = g_memdup2 (self, sizeof *self);
  copy->file = g_strdup (self->file);
  copy->reason = g_strdup (self->reason);
  return copy;
}

/**
 * ldb_fault_free:
 * @self: (transfer full) (nullable): a fault, or %NULL
 *
 * Frees it.
 *
 * Any thread.
 *
 * Since: 0.1
 */
void
ldb_fault_free (LdbFault *self)
{
  if (self == NULL)
    return;
  g_free (self->file);
  g_free (self->reason);
  g_free (self);
}

/* A reason may be a message that names its place itself: "DIRECTORY/FILE: page 7: …". */
static const char *
skip_place (const LdbFault *fault)
{
  const char *rest = strstr (fault->reason, fault->file);
  if (rest == NULL || !g_str_has_prefix (rest + strlen (fault->file), ": "))
    return fault->reason;
  rest += strlen (fault->file) + 2;
  g_autofree char *page = g_strdup_printf ("page %" PRId64 ": ", fault->page);
  return g_str_has_prefix (rest, page) ? rest + strlen (page) : rest;
}

/**
 * ldb_fault_describe:
 * @self: a fault
 *
 * Says in a line what is wrong and where: the file, its page, if it is of one, and the reason, which is in
 * English; the place is named once, also if the reason names it.
 *
 * Any thread.
 *
 * Returns: (transfer full): the line
 *
 * Since: 0.1
 */
char *
ldb_fault_describe (const LdbFault *self)
{
  g_return_val_if_fail (self != NULL, NULL);
  if (self->page == LDB_FAULT_NO_PAGE)
    return g_strdup_printf ("%s: %s", self->file, skip_place (self));
  return g_strdup_printf (_ ("%s, page %" PRId64 ": %s"), self->file, self->page,
                          skip_place (self));
}

/**
 * ldb_check_report_copy:
 * @self: a report
 *
 * Makes a copy.
 *
 * Any thread.
 *
 * Returns: (transfer full): the copy
 *
 * Since: 0.1
 */
LdbCheckReport *
ldb_check_report_copy (const LdbCheckReport *self)
{
  g_return_val_if_fail (self != NULL, NULL);
  LdbCheckReport *copy = g_memdup2 (self, sizeof *self);
  g_ptr_array_ref (copy->faults);
  return copy;
}

/**
 * ldb_check_report_free:
 * @self: (transfer full) (nullable): a report, or %NULL
 *
 * Frees it.
 *
 * Any thread.
 *
 * Since: 0.1
 */
void
ldb_check_report_free (LdbCheckReport *self)
{
  if (self == NULL)
    return;
  g_ptr_array_unref (self->faults);
  g_free (self);
}

/**
 * ldb_repair_report_copy:
 * @self: a report
 *
 * Makes a copy.
 *
 * Any thread.
 *
 * Returns: (transfer full): the copy
 *
 * Since: 0.1
 */
LdbRepairReport *
ldb_repair_report_copy (const LdbRepairReport *self)
{
  g_return_val_if_fail (self != NULL, NULL);
  LdbRepairReport *copy = g_memdup2 (self, sizeof *self);
  g_ptr_array_ref (copy->lost);
  return copy;
}

/**
 * ldb_repair_report_free:
 * @self: (transfer full) (nullable): a report, or %NULL
 *
 * Frees it.
 *
 * Any thread.
 *
 * Since: 0.1
 */
void
ldb_repair_report_free (LdbRepairReport *self)
{
  if (self == NULL)
    return;
  g_ptr_array_unref (self->lost);
  g_free (self);
}

/**
 * ldb_backup_result_copy:
 * @self: a result
 *
 * Makes a copy.
 *
 * Any thread.
 *
 * Returns: (transfer full): the copy
 *
 * Since: 0.1
 */
LdbBackupResult *
ldb_backup_result_copy (const LdbBackupResult *self)
{
  g_return_val_if_fail (self != NULL, NULL);
  LdbBackupResult *copy = g_memdup2 (self, sizeof *self);
  return copy;
}

/**
 * ldb_backup_result_free:
 * @self: (transfer full) (nullable): a result, or %NULL
 *
 * Frees it.
 *
 * Any thread.
 *
 * Since: 0.1
 */
void
ldb_backup_result_free (LdbBackupResult *self)
{
  if (self == NULL)
    return;
  g_free (self);
}

/**
 * ldb_check_report_get_faults:
 * @self: a report
 *
 * Gets what is wrong, at most the first 10,000 faults.
 *
 * Any thread.
 *
 * Returns: (transfer none) (element-type LdbFault): the faults
 *
 * Since: 0.1
 */
GPtrArray *
ldb_check_report_get_faults (LdbCheckReport *self)
{
  g_return_val_if_fail (self != NULL, NULL);
  return self->faults;
}

/**
 * ldb_repair_report_get_lost:
 * @self: a report
 *
 * Gets what could not be saved, at most the first 10,000 things.
 *
 * Any thread.
 *
 * Returns: (transfer none) (element-type LdbFault): what was lost, and why
 *
 * Since: 0.1
 */
GPtrArray *
ldb_repair_report_get_lost (LdbRepairReport *self)
{
  g_return_val_if_fail (self != NULL, NULL);
  return self->lost;
}
