/* SPDX-License-Identifier: MIT */
#pragma once

#include "engine.h"
#include "ldb-report.h"

G_BEGIN_DECLS

/* How many faults are kept; the count goes on. A hostile file cannot make us keep more. */
#define LDB_FAULTS_MAX 10000

/* An empty list of faults, and how one is added. */
GPtrArray *ldb_faults_new (void);
void ldb_faults_add (GPtrArray *list, const char *file, uint64_t page, const char *reason);

/* Each takes the faults over. */
LdbCheckReport *ldb_check_report_new (const struct engine_check_report *from, GPtrArray *faults);
LdbRepairReport *ldb_repair_report_new (const struct engine_repair_report *from, GPtrArray *lost);
LdbBackupResult *ldb_backup_result_new (const struct engine_backup_result *from);

G_END_DECLS
