/* SPDX-License-Identifier: MIT */
/*
 * InspSizesView: how large the keys and values of a store are, once that was measured: a histogram whose
 * bars are a table, and the largest values.
 */
#pragma once

#include <gtk/gtk.h>

#include "insp-session.h"

G_BEGIN_DECLS

/* A bar each of keys and values of some sizes. */
typedef struct
{
  guint64 least, most; /* bytes */
  guint64 keys, values;
} InspSizeRow;

#define INSP_TYPE_SIZES_VIEW (insp_sizes_view_get_type ())
G_DECLARE_FINAL_TYPE (InspSizesView, insp_sizes_view, INSP, SIZES_VIEW, GtkWidget)

GtkWidget *insp_sizes_view_new (InspSession *session);
/* The store that is measured. What was measured of another goes. */
void insp_sizes_view_set_store (InspSizesView *self, const char *store);
void insp_sizes_view_measure (InspSizesView *self);

/* LdbSizeBucket of keys and of values, side by side: InspSizeRow, from the smallest size on. */
GPtrArray *insp_size_rows_of (GPtrArray *keys, GPtrArray *values);

G_END_DECLS
