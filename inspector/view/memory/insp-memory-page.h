/* SPDX-License-Identifier: MIT */
/*
 * InspMemoryPage: what a database's memory is used for, against its budget; how its cache stands; another
 * budget, and pages that are to go.
 */
#pragma once

#include "insp-page.h"

G_BEGIN_DECLS

#define INSP_TYPE_MEMORY_PAGE (insp_memory_page_get_type ())
G_DECLARE_FINAL_TYPE (InspMemoryPage, insp_memory_page, INSP, MEMORY_PAGE, InspPage)

GtkWidget *insp_memory_page_new (InspSession *session);

G_END_DECLS
