/* SPDX-License-Identifier: MIT */
/*
 * InspHistory: what a database counted, look by look, for as long as there is room.
 *
 * Each look is a sample, and has a number that it keeps: they rise by one. The oldest go when there is
 * no more room. Of each counter and gauge a sample has the value, of each histogram what was added
 * since the sample before.
 *
 * Signals: appended (), there is one more; figures (), there are one or two more, for what is read as text;
 * begun-anew (). Threads: the main one.
 */
#pragma once

#include <lightning-db.h>

G_BEGIN_DECLS

/* Bars of a histogram: eight an octave, from 32 ns (or bytes) on; the first and the last take what lies
 * beyond. */
#define INSP_BARS 256u
#define INSP_BARS_PER_OCTAVE 8u

#define INSP_TYPE_HISTORY (insp_history_get_type ())
G_DECLARE_FINAL_TYPE (InspHistory, insp_history, INSP, HISTORY, GObject)

InspHistory *insp_history_new (guint capacity);

/* The names of all that is counted, those of histograms apart. They stay; a later call with the same
 * names does nothing, with others it begins anew. */
void insp_history_set_names (InspHistory *self, const char *const *values,
                             const char *const *histograms);

/* Forgets all samples. */
void insp_history_begin_anew (InspHistory *self);

/* Looks. `time`: monotonic, in microseconds, later than the last one's. */
void insp_history_look (InspHistory *self, LdbMetrics *metrics, gint64 time);

/* A sample as it is given: one value for each name, and for each histogram INSP_BARS numbers of what was
 * recorded until then (NULL: of all of them nothing). */
void insp_history_append (InspHistory *self, gint64 time, const gint64 *values,
                          const gint64 *recorded);

/* All that is kept, as a value that can be written to a file: names of values, names of histograms, and of
 * each sample its time, values, and bars (histogram, bar, count). Floating. */
#define INSP_HISTORY_TYPE "(asasa(xaxa(qqu)))"
GVariant *insp_history_to_variant (InspHistory *self);

/* What that gave, also when it comes from a stranger; NULL with `error`: it cannot be right. */
InspHistory *insp_history_new_from_variant (GVariant *variant, GError **error);

/* Samples from `first` on, up to `end`, are there. */
guint64 insp_history_get_first (InspHistory *self);
guint64 insp_history_get_end (InspHistory *self);
guint insp_history_get_capacity (InspHistory *self);

/* Which column or histogram has that name; -1: none. */
int insp_history_find (InspHistory *self, const char *name);
int insp_history_find_histogram (InspHistory *self, const char *name);

gint64 insp_history_get_time (InspHistory *self, guint64 number);
gint64 insp_history_get_value (InspHistory *self, guint64 number, int column);

/* The first sample that is not earlier; `end` when all are. */
guint64 insp_history_seek (InspHistory *self, gint64 time);

/* Adds to `bars` (INSP_BARS of them) what a histogram recorded in samples `from` … `to` - 1. Returns how
 * many that is. */
guint64 insp_history_add_bars (InspHistory *self, int histogram, guint64 from, guint64 to,
                               guint64 *bars);

/* The value that a fraction of what bars hold does not exceed: within half a bar, 4.5 %. NAN: they are
 * empty. */
double insp_history_percentile (const guint64 *bars, double fraction);

/* The greatest value that a bar takes. */
double insp_history_bar_end (guint bar);

G_END_DECLS
