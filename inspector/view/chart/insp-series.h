/* SPDX-License-Identifier: MIT */
/*
 * InspSeries: one line of a chart: a figure for each sample of a history, reckoned from what was
 * counted.
 *
 * It follows its history by itself. Threads: the main one.
 */
#pragma once

#include "insp-history.h"
#include "insp-unit.h"

G_BEGIN_DECLS

/* What counts as a lookup, and as a write. */
#define INSP_LOOKUPS "gets_hot gets_memtable gets_run gets_missing gets_deleted gets_failed"
#define INSP_WRITES "puts deletes range_deletes"

#define INSP_TYPE_SERIES (insp_series_get_type ())
G_DECLARE_FINAL_TYPE (InspSeries, insp_series, INSP, SERIES, GObject)

/* The sum of some values. `names`: separated by spaces. */
InspSeries *insp_series_new_value (InspHistory *history, const char *title, InspUnit unit,
                                   const char *names);

/* How much a sum of counters rose in a second, since the sample before. */
InspSeries *insp_series_new_rate (InspHistory *history, const char *title, InspUnit unit,
                                  const char *names);

/* How much one sum rose for each that another did; NAN while that stands still. `less`: the rest, what
 * is not in `parts`. */
InspSeries *insp_series_new_share (InspHistory *history, const char *title, const char *parts,
                                   const char *wholes, gboolean less);

/* How much one sum rose for each that another did, in some unit: a mean. */
InspSeries *insp_series_new_mean (InspHistory *history, const char *title, InspUnit unit,
                                  const char *sums, const char *counts);

/* Of what histograms recorded in the second up to the sample. */
InspSeries *insp_series_new_percentile (InspHistory *history, const char *title,
                                        const char *histograms, double fraction);

InspHistory *insp_series_get_history (InspSeries *self);
const char *insp_series_get_title (InspSeries *self);
InspUnit insp_series_get_unit (InspSeries *self);

/* NAN: nothing is known. */
double insp_series_get (InspSeries *self, guint64 number);
/* What is counted rarely is told of for a few seconds: the last that is known up to a sample. */
double insp_series_get_recent (InspSeries *self, guint64 number);

/* Of samples `from` … `to` - 1; FALSE when nothing is known of any. */
gboolean insp_series_get_extent (InspSeries *self, guint64 from, guint64 to, double *least,
                                 double *greatest);

/* As people read it; free it. */
char *insp_series_format (InspSeries *self, double value);

G_END_DECLS
