/* SPDX-License-Identifier: MIT */
/*
 * InspMemoryControl: has the application keep to another budget, back to the former one too, and drop pages
 * of its cache.
 */
#pragma once

#include "insp-page.h"

G_BEGIN_DECLS

#define INSP_TYPE_MEMORY_CONTROL (insp_memory_control_get_type ())
G_DECLARE_FINAL_TYPE (InspMemoryControl, insp_memory_control, INSP, MEMORY_CONTROL, GtkWidget)

/* What came of it is said by the page. */
GtkWidget *insp_memory_control_new (InspPage *page);
/* The budget as it is now, in bytes. */
void insp_memory_control_set_budget (InspMemoryControl *self, double budget);

G_END_DECLS
