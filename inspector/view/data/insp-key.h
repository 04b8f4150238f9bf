/* SPDX-License-Identifier: MIT */
/*
 * InspKey: a row of a list of keys. Its key and the beginning of its value may come later than it does.
 *
 * Signal “changed”: it is to be shown anew. Threads: the main one.
 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef enum
{
  INSP_KEY_SETTLED,
  INSP_KEY_NEW,     /* it was put a moment ago */
  INSP_KEY_CHANGED, /* its value was */
} InspKeyMark;

#define INSP_TYPE_KEY (insp_key_get_type ())
G_DECLARE_FINAL_TYPE (InspKey, insp_key, INSP, KEY, GObject)

InspKey *insp_key_new (GBytes *key, GBytes *value); /* NULL, NULL: not known yet */
GBytes *insp_key_get_key (InspKey *self);           /* NULL: not known yet */
GBytes *insp_key_get_value (InspKey *self);         /* its beginning */
InspKeyMark insp_key_get_mark (InspKey *self);

void insp_key_fill (InspKey *self, GBytes *key, GBytes *value);
void insp_key_mark (InspKey *self, InspKeyMark mark);

G_END_DECLS
