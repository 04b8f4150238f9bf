/* SPDX-License-Identifier: MIT */
/*
 * InspDistribution: how long an operation took, over any stretch of a history. Which operation it is
 * can be changed.
 *
 * Signal changed (): it is of another operation, or all samples are gone. Of another sample the axis
 * tells, which moves with it. Threads: the main one.
 */
#pragma once

#include "insp-axis.h"
#include "insp-history.h"
#include "insp-operations.h"

G_BEGIN_DECLS

#define INSP_TYPE_DISTRIBUTION (insp_distribution_get_type ())
G_DECLARE_FINAL_TYPE (InspDistribution, insp_distribution, INSP, DISTRIBUTION, GObject)

InspDistribution *insp_distribution_new (InspHistory *history, const InspOperation *operation);
void insp_distribution_set_operation (InspDistribution *self, const InspOperation *operation);
const InspOperation *insp_distribution_get_operation (InspDistribution *self);
InspHistory *insp_distribution_get_history (InspDistribution *self);

/* Adds what was recorded in samples taken at `from` … `to`, both included, to INSP_BARS bars; returns
 * how many that is. */
guint64 insp_distribution_add (InspDistribution *self, gint64 from, gint64 to, guint64 *bars);

/* How many of what bars hold took less than `nanoseconds`: whole bars, by their middle. */
guint64 insp_distribution_count_below (const guint64 *bars, double nanoseconds);

G_END_DECLS
