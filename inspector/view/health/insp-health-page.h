/* SPDX-License-Identifier: MIT */
/*
 * InspHealthPage: how well a database is, what is wrong with it and what to do; its upkeep. Nothing is
 * done unasked.
 */
#pragma once

#include "insp-page.h"

G_BEGIN_DECLS

#define INSP_TYPE_HEALTH_PAGE (insp_health_page_get_type ())
G_DECLARE_FINAL_TYPE (InspHealthPage, insp_health_page, INSP, HEALTH_PAGE, InspPage)

GtkWidget *insp_health_page_new (InspSession *session);

G_END_DECLS
