/* SPDX-License-Identifier: MIT */
/*
 * InspPermission: whether the database that is looked into may be changed through this connection: not
 * before the user was told what that means and said so, and then only if the application lets us. It is a
 * panel, which is there while something is asked, awaited or refused.
 *
 * A database that this program opened to be read only is made to be written to, once no other program
 * writes to it.
 *
 * Signal “changed”: is_granted() or is_pending() is another. Threads: the main one.
 */
#pragma once

#include <gtk/gtk.h>

#include "insp-session.h"

G_BEGIN_DECLS

#define INSP_TYPE_PERMISSION (insp_permission_get_type ())
G_DECLARE_FINAL_TYPE (InspPermission, insp_permission, INSP, PERMISSION, GtkWidget)

GtkWidget *insp_permission_new (InspSession *session);

gboolean insp_permission_is_granted (InspPermission *self);
gboolean insp_permission_is_pending (InspPermission *self); /* the panel is there */

/* Says what it means, at first; once that was agreed to, asks for control. */
void insp_permission_ask (InspPermission *self);

/* No more changes, by the user's wish. */
void insp_permission_give_up (InspPermission *self);

/* The application refused something after all. */
void insp_permission_lose (InspPermission *self, const GError *error);

G_END_DECLS
