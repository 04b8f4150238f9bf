/* SPDX-License-Identifier: MIT */
/*
 * Whoever has the keyboard lives a moment longer than they have it. GTK 4.8 looks at them behind the
 * move: a label whose text can be selected asks, once it has the keyboard, whether who had it before
 * was inside it. The row of a list may be gone by then: when its place in the list is no longer
 * shown, only the keyboard kept it.
 */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

/* In this window, from now on; again does nothing. */
void insp_keep_focused (GtkRoot *root);

G_END_DECLS
