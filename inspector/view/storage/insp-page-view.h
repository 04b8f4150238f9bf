/* SPDX-License-Identifier: MIT */
/*
 * InspPageView: one page of a segment: its facts, its records, the fields of its layout, and its bytes, decoded
 * and as they are stored.
 */
#pragma once

#include <gtk/gtk.h>

#include "insp-session.h"

G_BEGIN_DECLS

#define INSP_TYPE_PAGE_VIEW (insp_page_view_get_type ())
G_DECLARE_FINAL_TYPE (InspPageView, insp_page_view, INSP, PAGE_VIEW, GtkWidget)

GtkWidget *insp_page_view_new (InspSession *session);
/* Reads a page and shows it. */
void insp_page_view_show (InspPageView *self, guint64 segment, const LdbPage *page);

G_END_DECLS
