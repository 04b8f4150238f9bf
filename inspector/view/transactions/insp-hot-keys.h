/* SPDX-License-Identifier: MIT */
/*
 * InspHotKeys: the keys that something happens to more than to others.
 */
#pragma once

#include <gtk/gtk.h>

#include "insp-session.h"

G_BEGIN_DECLS

#define INSP_TYPE_HOT_KEYS (insp_hot_keys_get_type ())
G_DECLARE_FINAL_TYPE (InspHotKeys, insp_hot_keys, INSP, HOT_KEYS, GtkWidget)

/* Those that commits conflict about. */
GtkWidget *insp_hot_keys_new (InspSession *session);
void insp_hot_keys_set_kind (InspHotKeys *self, LdbHotKeyKind kind);
void insp_hot_keys_refresh (InspHotKeys *self);

/* How often it was noted: “12”, or “9–12” where that is not sure. Free it. */
char *insp_hot_key_format_count (const LdbHotKey *key);

G_END_DECLS
