/* SPDX-License-Identifier: MIT */
/*
 * InspLatencyPage: how long operations take: over time, as percentiles, two spans of time compared, and
 * the slow ones of a region.
 */
#pragma once

#include "insp-page.h"

G_BEGIN_DECLS

#define INSP_TYPE_LATENCY_PAGE (insp_latency_page_get_type ())
G_DECLARE_FINAL_TYPE (InspLatencyPage, insp_latency_page, INSP, LATENCY_PAGE, InspPage)

GtkWidget *insp_latency_page_new (InspSession *session);

G_END_DECLS
