/* SPDX-License-Identifier: MIT */
/*
 * InspValueEditor: a value that is being written, as text, JSON or bytes in hexadecimal digits, and for a
 * new record its key. What is wrong is said as it is typed, and where.
 *
 * Signals: “done”: the value can be taken. “left”: it is not wanted. “changed”: something was typed.
 * Threads: the main one.
 */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define INSP_VALUE_EDITOR_MAX (1u << 20) /* bytes of a value that can be edited */

#define INSP_TYPE_VALUE_EDITOR (insp_value_editor_get_type ())
G_DECLARE_FINAL_TYPE (InspValueEditor, insp_value_editor, INSP, VALUE_EDITOR, GtkWidget)

GtkWidget *insp_value_editor_new (void);

/* Begins with a value; `key` NULL: a new record. */
void insp_value_editor_edit (InspValueEditor *self, GBytes *key, GBytes *value);

/* What was written; NULL: it is wrong. Free them. */
GBytes *insp_value_editor_get_key (InspValueEditor *self);
GBytes *insp_value_editor_get_value (InspValueEditor *self);

/* Whether anything was written since it began. */
gboolean insp_value_editor_is_changed (InspValueEditor *self);

/* Says that what was written is to be staged or left first, and takes the keyboard. */
void insp_value_editor_remind (InspValueEditor *self);

/* Something else that is wrong with it. */
void insp_value_editor_refuse (InspValueEditor *self, const char *reason);

G_END_DECLS
