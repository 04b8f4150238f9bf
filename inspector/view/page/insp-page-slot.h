/* SPDX-License-Identifier: MIT */
/*
 * InspPageSlot: where a page is in the stack of pages. The page is made when it is shown first, and is only
 * there for assistive technology while it is shown: GTK says that what a stack hides is visible.
 *
 * Threads: the main one.
 */
#pragma once

#include <gtk/gtk.h>

#include "insp-session.h"

G_BEGIN_DECLS

typedef GtkWidget *(*InspMakePage) (InspSession *session);

#define INSP_TYPE_PAGE_SLOT (insp_page_slot_get_type ())
G_DECLARE_FINAL_TYPE (InspPageSlot, insp_page_slot, INSP, PAGE_SLOT, GtkWidget)

GtkWidget *insp_page_slot_new (InspSession *session, InspMakePage make);

G_END_DECLS
