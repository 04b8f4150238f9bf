/* SPDX-License-Identifier: MIT */
/*
 * The pages of an inspector, in the order of the sidebar. To add one: a folder with its parts, and a line
 * in insp-pages.c.
 */
#pragma once

#include <gtk/gtk.h>

#include "insp-session.h"

G_BEGIN_DECLS

/* Adds a page of each kind to a stack, for one session. */
void insp_pages_add (GtkStack *stack, InspSession *session);

G_END_DECLS
