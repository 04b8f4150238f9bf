/* SPDX-License-Identifier: MIT */
/*
 * InspChangesPage: how soon those who watch are told of changes, and the changes themselves, as they are
 * committed.
 */
#pragma once

#include "insp-page.h"

G_BEGIN_DECLS

#define INSP_TYPE_CHANGES_PAGE (insp_changes_page_get_type ())
G_DECLARE_FINAL_TYPE (InspChangesPage, insp_changes_page, INSP, CHANGES_PAGE, InspPage)

GtkWidget *insp_changes_page_new (InspSession *session);

G_END_DECLS
