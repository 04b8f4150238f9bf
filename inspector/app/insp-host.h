/* SPDX-License-Identifier: MIT */
/*
 * InspHost: a database that this program has open and shares with itself, so that it is looked into in
 * the same way as those of other programs: one in a folder, to be read only, or one for trying the
 * inspector, with a load of its own.
 *
 * Nothing is ever written, upgraded or repaired in a folder, unless the user allows edits in the view. Closing is dropping the last reference; the
 * trial database is deleted with it.
 */
#pragma once

#include <lightning-db.h>

G_BEGIN_DECLS

#define INSP_TYPE_HOST (insp_host_get_type ())
G_DECLARE_FINAL_TYPE (InspHost, insp_host, INSP, HOST, GObject)

/* `is_static`: as it is now, without following what is written. */
InspHost *insp_host_new_for_folder (GFile *folder, gboolean is_static);
InspHost *insp_host_new_for_demo (void);

/* Until all that were dropped are closed, and those for trying deleted; not long: before the program ends. */
void insp_host_wait_for_ends (void);

/* Opens it. The result is borrowed from the host. */
void insp_host_share_async (InspHost *self, GAsyncReadyCallback callback, gpointer user_data);
LdbRunningDatabase *insp_host_share_finish (InspHost *self, GAsyncResult *result, GError **error);

const char *insp_host_get_path (InspHost *self); /* NULL: it has none here */

/* The handle, once it is shared; NULL: what is shown is another program's. */
LdbDatabase *insp_host_get_database (InspHost *self);

G_END_DECLS
