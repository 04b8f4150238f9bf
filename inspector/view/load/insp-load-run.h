/* SPDX-License-Identifier: MIT */
/*
 * InspLoadRun: a load test that is over: what was to be done, and what came of it.
 *
 * Threads: made by one, then nobody changes it.
 */
#pragma once

#include "insp-load-plan.h"

G_BEGIN_DECLS

typedef struct
{
  guint64 operations; /* done */
  guint64 median;     /* ns, of each operation; likewise below */
  guint64 p99;
  guint64 p999;
  guint64 longest;
} InspLoadFigures;

typedef struct
{
  gint64 time;       /* when it began, microseconds since 1970; tells it from others */
  char *copy_of;     /* the folder whose copy it ran on; NULL: a new database; owned */
  InspLoadPlan plan; /* what was to be done */
  double seconds;    /* that it worked */
  InspLoadFigures kinds[MIX_KINDS]; /* what was done */
  guint64 wrong;                    /* values that were not what was written */
  guint64 disk;                     /* bytes that the database had in the end */
  gboolean stopped;                 /* before its time */
} InspLoadRun;

InspLoadRun *insp_load_run_new (gint64 time, const char *copy_of, const InspLoadPlan *plan);
void insp_load_run_free (InspLoadRun *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (InspLoadRun, insp_load_run_free)

void insp_load_run_set_tally (InspLoadRun *self, const struct mix_tally *tally);

/* Of all kinds, in a second. */
double insp_load_run_get_rate (const InspLoadRun *self);
guint64 insp_load_run_get_operations (const InspLoadRun *self);

/* As people tell it from others: what it did, on what, when. Free it. */
char *insp_load_run_title (const InspLoadRun *self);

/* A dictionary, and back; NULL: that is no run. */
GVariant *insp_load_run_to_variant (const InspLoadRun *self);
InspLoadRun *insp_load_run_new_from_variant (GVariant *variant);

/* Runs (InspLoadRun) as files have them: a JSON array; a table with a line for each kind of operation. */
char *insp_load_runs_to_json (GPtrArray *runs);
char *insp_load_runs_to_csv (GPtrArray *runs);

G_END_DECLS
