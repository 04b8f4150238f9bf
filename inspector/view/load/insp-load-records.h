/* SPDX-License-Identifier: MIT */
/*
 * InspLoadRecords: the load tests that were made, the newest first, as an InspRowList of InspLoadRun. They
 * are kept in the user's data folder, INSP_LOAD_RECORDS_KEPT of them, for all databases and programs alike.
 *
 * The file is small, and read and written without waiting for anybody: it is renamed into place.
 * Threads: the main one.
 */
#pragma once

#include "insp-load-run.h"
#include "insp-row-list.h"

G_BEGIN_DECLS

#define INSP_LOAD_RECORDS_KEPT 50u

#define INSP_TYPE_LOAD_RECORDS (insp_load_records_get_type ())
G_DECLARE_FINAL_TYPE (InspLoadRecords, insp_load_records, INSP, LOAD_RECORDS, GObject)

InspLoadRecords *insp_load_records_new (void);

/* As a model of InspRow; borrowed. */
InspRowList *insp_load_records_get_list (InspLoadRecords *self);

/* Reads what was written meanwhile, by other programs, too. */
void insp_load_records_read (InspLoadRecords *self);

/* Takes one more. FALSE with `error`: it is listed, but was not written. */
gboolean insp_load_records_add (InspLoadRecords *self, InspLoadRun *run, GError **error);

/* Forgets one, by its time. */
gboolean insp_load_records_remove (InspLoadRecords *self, gint64 time, GError **error);

/* Borrowed InspLoadRun, the newest first. Free the array. */
GPtrArray *insp_load_records_list (InspLoadRecords *self);
/* NULL: none of that time. */
const InspLoadRun *insp_load_records_find (InspLoadRecords *self, gint64 time);

G_END_DECLS
