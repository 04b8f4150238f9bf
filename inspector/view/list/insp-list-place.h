/* SPDX-License-Identifier: MIT */
/*
 * Where a list is scrolled to while its rows come and go. GTK 4.8 keeps what is shown in place, but
 * shows nothing at all once all of that has gone; and a list whose newest rows come first soon shows
 * its oldest ones, then.
 */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

/* A GtkListView or GtkColumnView in a GtkScrolledWindow. Scrolled to its beginning it stays there, unless
 * a row is selected or has the keyboard: then that stays where it is. When all rows that were shown
 * have gone it is scrolled to its beginning. */
void insp_list_place_keep (GtkWidget *view);

G_END_DECLS
