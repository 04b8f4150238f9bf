/* SPDX-License-Identifier: MIT */
#pragma once

#if !defined(LDB_INSIDE) && !defined(LDB_COMPILATION)
#error "Only <lightning-db.h> can be included directly."
#endif

#include "ldb-types.h"

G_BEGIN_DECLS

/**
 * LDB_FAULT_NO_PAGE:
 *
 * The `page` of a [struct@Ldb.Fault] that concerns a whole file.
 *
 * Since: 0.1
 */
#define LDB_FAULT_NO_PAGE (-1)

#define LDB_TYPE_FAULT (ldb_fault_get_type ())
typedef struct _LdbFault LdbFault;

/**
 * LdbFault:
 * @file: the file's name in the database directory
 * @page: the page's number, or %LDB_FAULT_NO_PAGE
 * @reason: what is wrong, in English
 *
 * One thing that is wrong with a database, or could not be saved.
 *
 * Since: 0.1
 */
struct _LdbFault
{
  char *file;
  gint64 page;
  char *reason;
};

LDB_AVAILABLE_IN_ALL
GType ldb_fault_get_type (void) G_GNUC_CONST;
LDB_AVAILABLE_IN_ALL
LdbFault *ldb_fault_copy (const LdbFault *self);
LDB_AVAILABLE_IN_ALL
void ldb_fault_free (LdbFault *self);
LDB_AVAILABLE_IN_ALL
char *ldb_fault_describe (const LdbFault *self);

#define LDB_TYPE_CHECK_REPORT (ldb_check_report_get_type ())
typedef struct _LdbCheckReport LdbCheckReport;

/**
 * LdbCheckReport:
 * @pages: pages read and verified
 * @bytes: bytes read and verified
 * @segments: B+Tree files seen
 * @blobs: files of large values seen
 * @logs: log files seen
 * @records: versions of records seen (deep checks)
 * @fault_count: faults found; 0 for a sound database
 * @page_checksums: whether the page checksums are fine
 * @tree_structure: whether the B+Trees are fine
 * @log: whether the write-ahead log is fine
 * @no_orphans: whether there is no file that belongs to nothing
 * @blobs_intact: whether the large values are fine
 *
 * What [method@Ldb.Database.check] found; the faults themselves are in
 * [method@Ldb.CheckReport.get_faults].
 *
 * Since: 0.1
 */
struct _LdbCheckReport
{
  guint64 pages;
  guint64 bytes;
  guint64 segments;
  guint64 blobs;
  guint64 logs;
  guint64 records;
  guint64 fault_count;
  gboolean page_checksums;
  gboolean tree_structure;
  gboolean log;
  gboolean no_orphans;
  gboolean blobs_intact;
  /*< private >*/
  GPtrArray *faults;
};

LDB_AVAILABLE_IN_ALL
GType ldb_check_report_get_type (void) G_GNUC_CONST;
LDB_AVAILABLE_IN_ALL
LdbCheckReport *ldb_check_report_copy (const LdbCheckReport *self);
LDB_AVAILABLE_IN_ALL
void ldb_check_report_free (LdbCheckReport *self);
LDB_AVAILABLE_IN_ALL
GPtrArray *ldb_check_report_get_faults (LdbCheckReport *self);

#define LDB_TYPE_BACKUP_RESULT (ldb_backup_result_get_type ())
typedef struct _LdbBackupResult LdbBackupResult;

/**
 * LdbBackupResult:
 * @sequence: the commit that the backup stands at
 * @files: files in the backup
 * @bytes: their size
 * @copied_files: files copied
 * @copied_bytes: bytes copied
 * @linked_files: files hard-linked
 * @reflinked_files: files that share their blocks with the original
 * @kept_files: files that an earlier backup had already
 *
 * What [method@Ldb.Database.backup] did.
 *
 * Since: 0.1
 */
struct _LdbBackupResult
{
  guint64 sequence;
  guint64 files;
  guint64 bytes;
  guint64 copied_files;
  guint64 copied_bytes;
  guint64 linked_files;
  guint64 reflinked_files;
  guint64 kept_files;
};

LDB_AVAILABLE_IN_ALL
GType ldb_backup_result_get_type (void) G_GNUC_CONST;
LDB_AVAILABLE_IN_ALL
LdbBackupResult *ldb_backup_result_copy (const LdbBackupResult *self);
LDB_AVAILABLE_IN_ALL
void ldb_backup_result_free (LdbBackupResult *self);

#define LDB_TYPE_REPAIR_REPORT (ldb_repair_report_get_type ())
typedef struct _LdbRepairReport LdbRepairReport;

/**
 * LdbRepairReport:
 * @records: keys saved, in all stores
 * @lost_pages: pages that did not verify
 * @lost_log_bytes: bytes of the log that did not verify
 * @files_skipped: files that could not be used at all
 *
 * What [func@Ldb.Database.repair] saved; what it could not is in
 * [method@Ldb.RepairReport.get_lost]. That also names the span of keys behind each
 * lost page: they may be missing, or have the older value that another file holds.
 *
 * Since: 0.1
 */
struct _LdbRepairReport
{
  guint64 records;
  guint64 lost_pages;
  guint64 lost_log_bytes;
  guint64 files_skipped;
  /*< private >*/
  GPtrArray *lost;
};

LDB_AVAILABLE_IN_ALL
GType ldb_repair_report_get_type (void) G_GNUC_CONST;
LDB_AVAILABLE_IN_ALL
LdbRepairReport *ldb_repair_report_copy (const LdbRepairReport *self);
LDB_AVAILABLE_IN_ALL
void ldb_repair_report_free (LdbRepairReport *self);
LDB_AVAILABLE_IN_ALL
GPtrArray *ldb_repair_report_get_lost (LdbRepairReport *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (LdbFault, ldb_fault_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LdbCheckReport, ldb_check_report_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LdbBackupResult, ldb_backup_result_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LdbRepairReport, ldb_repair_report_free)

G_END_DECLS
