/* SPDX-License-Identifier: MIT */
/*
 * A question before something that cannot be undone. What can be, is done without asking.
 */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

/* Asks over the window of a widget; `accepted` is called with `data` when the button `accept` (with its
 * mnemonic) is pressed. `data` is freed afterwards, whatever is answered. */
void insp_question_ask (GtkWidget *widget, const char *title, const char *text, const char *accept,
                        void (*accepted) (gpointer data), gpointer data, GDestroyNotify free_data);

G_END_DECLS
