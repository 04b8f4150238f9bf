/* SPDX-License-Identifier: MIT */
/*
 * InspSlowGroups: slow operations by what they are, or by how their keys begin: how many, how long, and
 * what they spent their time with.
 */
#pragma once

#include <gtk/gtk.h>

#include "insp-row-list.h"

G_BEGIN_DECLS

typedef enum
{
  INSP_GROUP_KIND,
  INSP_GROUP_PREFIX,
} InspGrouping;

#define INSP_TYPE_SLOW_GROUPS (insp_slow_groups_get_type ())
G_DECLARE_FINAL_TYPE (InspSlowGroups, insp_slow_groups, INSP, SLOW_GROUPS, GtkWidget)

/* Of rows of LdbSlowOperation, which it follows. */
GtkWidget *insp_slow_groups_new (InspRowList *operations);
void insp_slow_groups_set_grouping (InspSlowGroups *self, InspGrouping grouping);

/* For tests. Free it. */
char *insp_slow_groups_get_cell (InspSlowGroups *self, guint row, guint column);

G_END_DECLS
