/* SPDX-License-Identifier: MIT */
/*
 * InspLoadPage: a load on a scratch database: what it is to do, what it does while it runs, what came of it
 * beside an earlier one, and all that were made.
 */
#pragma once

#include "insp-page.h"

G_BEGIN_DECLS

#define INSP_TYPE_LOAD_PAGE (insp_load_page_get_type ())
G_DECLARE_FINAL_TYPE (InspLoadPage, insp_load_page, INSP, LOAD_PAGE, InspPage)

GtkWidget *insp_load_page_new (InspSession *session);

G_END_DECLS
