/* SPDX-License-Identifier: MIT */
/*
 * InspStackBar: parts of a whole beside one another in one bar, with their names on them where there is
 * room, and their figures in a legend of the same order.
 */
#pragma once

#include <gtk/gtk.h>

#include "insp-unit.h"

G_BEGIN_DECLS

typedef struct
{
  const char *name;
  double value;
  guint color;     /* in the palette */
  gboolean hollow; /* what is only remembered: an outline */
} InspStackPart;

#define INSP_TYPE_STACK_BAR (insp_stack_bar_get_type ())
G_DECLARE_FINAL_TYPE (InspStackBar, insp_stack_bar, INSP, STACK_BAR, GtkWidget)

#define INSP_STACK_PARTS 16u /* at most */

GtkWidget *insp_stack_bar_new (const char *title, InspUnit unit);
/* The same names each time, in the same order. `whole`: what the bar's length stands for, if that is more
 * than all parts; `mark`: where a line is, NAN: nowhere. */
void insp_stack_bar_set (InspStackBar *self, const InspStackPart *parts, guint count, double whole,
                         double mark);

G_END_DECLS
