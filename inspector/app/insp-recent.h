/* SPDX-License-Identifier: MIT */
/*
 * InspRecent: the folders of databases that were opened, the last one first, as a GListModel of GFile. They
 * are kept in the settings. What is not there any more stays, until it is removed.
 *
 * Threads: the main one.
 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

#define INSP_TYPE_RECENT (insp_recent_get_type ())
G_DECLARE_FINAL_TYPE (InspRecent, insp_recent, INSP, RECENT, GObject)

InspRecent *insp_recent_new (void);
void insp_recent_add (InspRecent *self, GFile *folder);
void insp_recent_remove (InspRecent *self, GFile *folder);

G_END_DECLS
