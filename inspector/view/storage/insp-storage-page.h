/* SPDX-License-Identifier: MIT */
/*
 * InspStoragePage: how a database lies on the disk: its parts by size, down to the bytes of a page; where a
 * key is; how large keys and values are.
 */
#pragma once

#include "insp-page.h"

G_BEGIN_DECLS

#define INSP_TYPE_STORAGE_PAGE (insp_storage_page_get_type ())
G_DECLARE_FINAL_TYPE (InspStoragePage, insp_storage_page, INSP, STORAGE_PAGE, InspPage)

GtkWidget *insp_storage_page_new (InspSession *session);

G_END_DECLS
