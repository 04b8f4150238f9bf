/* SPDX-License-Identifier: MIT */
/*
 * A widget that had the keyboard lives until the main loop is idle. GTK 4.8 looks at it behind the
 * move: a label whose text can be selected asks, once it has the keyboard, whether the one that had
 * it before was inside it. The row of a list may be freed by then: when its place in the list is no
 * longer shown, only the keyboard kept it.
 */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

/* In this window, from now on; again does nothing. */
void insp_keep_focused (GtkRoot *root);

G_END_DECLS
