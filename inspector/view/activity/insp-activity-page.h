/* SPDX-License-Identifier: MIT */
/*
 * InspActivityPage: the work that a database does in the background, what happened to it, and which
 * operations were slow.
 */
#pragma once

#include "insp-page.h"

G_BEGIN_DECLS

#define INSP_TYPE_ACTIVITY_PAGE (insp_activity_page_get_type ())
G_DECLARE_FINAL_TYPE (InspActivityPage, insp_activity_page, INSP, ACTIVITY_PAGE, InspPage)

GtkWidget *insp_activity_page_new (InspSession *session);

G_END_DECLS
