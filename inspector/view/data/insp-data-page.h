/* SPDX-License-Identifier: MIT */
/*
 * InspDataPage: the stores, their keys and their values.
 */
#pragma once

#include <gtk/gtk.h>

#include "insp-session.h"

G_BEGIN_DECLS

#define INSP_TYPE_DATA_PAGE (insp_data_page_get_type ())
G_DECLARE_FINAL_TYPE (InspDataPage, insp_data_page, INSP, DATA_PAGE, GtkWidget)

GtkWidget *insp_data_page_new (InspSession *session);

G_END_DECLS
