/* SPDX-License-Identifier: MIT */
/*
 * What can be looked at of how long things take: names of histograms of a history, and what people call
 * them.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct
{
  const char *title;      /* to be translated */
  const char *histograms; /* names, separated by spaces */
  guint32 kinds;          /* which slow operations are of it: a bit for each LdbOperationKind */
} InspOperation;

extern const InspOperation insp_operations[];
extern const guint insp_operation_count;

G_END_DECLS
