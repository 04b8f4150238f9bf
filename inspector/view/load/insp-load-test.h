/* SPDX-License-Identifier: MIT */
/*
 * InspLoadTest: a load on a scratch database, which a thread of its own makes, fills, works on with threads
 * of its own, and removes. What is done can be followed in a history while it is.
 *
 * Nothing is ever written to the database that is copied. Stopping ends the load at once; what is left to
 * clean up goes on, also when nobody holds the test any more, and a program that ends waits for it a while.
 *
 * Threads: the main one.
 */
#pragma once

#include "insp-history.h"
#include "insp-load-run.h"

G_BEGIN_DECLS

typedef enum
{
  INSP_LOAD_IDLE,     /* nothing was started */
  INSP_LOAD_COPYING,  /* the records of a database are copied */
  INSP_LOAD_FILLING,  /* the load's records are written */
  INSP_LOAD_RUNNING,  /* what is measured */
  INSP_LOAD_CLEANING, /* it is over, and the scratch database is removed */
  INSP_LOAD_DONE,     /* there is a run, or an error */
} InspLoadPhase;

#define INSP_TYPE_LOAD_TEST (insp_load_test_get_type ())
G_DECLARE_FINAL_TYPE (InspLoadTest, insp_load_test, INSP, LOAD_TEST, GObject)

/* Signals: changed () of phase or progress, four times a second; ended () once it has a run or an error,
 * while the scratch database may still be cleaned up. */
InspLoadTest *insp_load_test_new (void);

/* `copy_of`: the folder of a database; NULL: of none. Not while one is under way. */
void insp_load_test_start (InspLoadTest *self, const InspLoadPlan *plan, const char *copy_of);
void insp_load_test_stop (InspLoadTest *self);

InspLoadPhase insp_load_test_get_phase (InspLoadTest *self);
/* Of copying: records so far; of filling and running: a share of it. */
double insp_load_test_get_progress (InspLoadTest *self);
const InspLoadPlan *insp_load_test_get_plan (InspLoadTest *self);
const GError *insp_load_test_get_error (InspLoadTest *self); /* NULL: none */
const char *
insp_load_test_get_wrong (InspLoadTest *self); /* the first wrong value, in words; NULL: none */

/* What came of it; NULL: nothing did. The caller's; once. */
InspLoadRun *insp_load_test_take_run (InspLoadTest *self);

/* What was done, as the kinds' ids and "wrong" count, with histograms ID_time; it begins anew with each
 * start. */
InspHistory *insp_load_test_get_history (InspLoadTest *self);

G_END_DECLS
