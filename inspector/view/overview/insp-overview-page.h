/* SPDX-License-Identifier: MIT */
/*
 * InspOverviewPage: how much is done and how fast, with what memory and disk.
 */
#pragma once

#include <gtk/gtk.h>

#include "insp-session.h"

G_BEGIN_DECLS

#define INSP_TYPE_OVERVIEW_PAGE (insp_overview_page_get_type ())
G_DECLARE_FINAL_TYPE (InspOverviewPage, insp_overview_page, INSP, OVERVIEW_PAGE, GtkWidget)

GtkWidget *insp_overview_page_new (InspSession *session);

G_END_DECLS
