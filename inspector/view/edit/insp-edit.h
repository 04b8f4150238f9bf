/* SPDX-License-Identifier: MIT */
/*
 * InspEdit: a change of one record that is not written yet: what is to be there instead of what.
 *
 * Signal “changed”: it is to be shown anew. Threads: the main one.
 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

#define INSP_TYPE_EDIT (insp_edit_get_type ())
G_DECLARE_FINAL_TYPE (InspEdit, insp_edit, INSP, EDIT, GObject)

/* `expected`: the value there was when it was made, NULL: no such key. `value`: the new one, NULL: the key
 * is to go. */
InspEdit *insp_edit_new (const char *store, GBytes *key, GBytes *expected, GBytes *value);

const char *insp_edit_get_store (InspEdit *self);
GBytes *insp_edit_get_key (InspEdit *self);
GBytes *insp_edit_get_expected (InspEdit *self);
GBytes *insp_edit_get_value (InspEdit *self);
gboolean insp_edit_is_of (InspEdit *self, const char *store, GBytes *key);

/* Whether it would change nothing. */
gboolean insp_edit_is_idle (InspEdit *self);

void insp_edit_set_value (InspEdit *self, GBytes *value);

/* What was there when it was to be written. If that is not what was expected there is a conflict, until
 * it is restaged: meant to replace what is there now. */
void insp_edit_compare (InspEdit *self, GBytes *now);
gboolean insp_edit_is_conflict (InspEdit *self);
GBytes *insp_edit_get_now (InspEdit *self); /* of a conflict; NULL: the key is gone */
void insp_edit_restage (InspEdit *self);

/* What takes it back once it was written. */
InspEdit *insp_edit_invert (InspEdit *self);

G_END_DECLS
