/* SPDX-License-Identifier: MIT */
/*
 * What a window looks like, as a picture.
 */
#pragma once

#include <gtk/gtk.h>

/* Draws the widget as it is now and writes it to a PNG file; FALSE when it could not be. */
gboolean picture_save (GtkWidget *widget, const char *path);
