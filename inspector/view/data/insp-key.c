/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "insp-key.h"

struct _InspKey
{
  GObject parent_instance;

  GBytes *key;   /* NULL: not known yet; owned */
  GBytes *value; /* its beginning; NULL: not known yet; owned */
  InspKeyMark mark;
};

G_DEFINE_FINAL_TYPE (InspKey, insp_key, G_TYPE_OBJECT)

enum
{
  CHANGED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

static void
insp_key_finalize (GObject *object)
{
  InspKey *self = INSP_KEY (object);
  g_clear_pointer (&self->key, g_bytes_unref);
  g_clear_pointer (&self->value, g_bytes_unref);
  G_OBJECT_CLASS (insp_key_parent_class)->finalize (object);
}

static void
insp_key_class_init (InspKeyClass *class)
{
  G_OBJECT_CLASS (class)->finalize = insp_key_finalize;
  signals[CHANGED] = g_signal_new ("changed", INSP_TYPE_KEY, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                   G_TYPE_NONE, 0);
}

static void
insp_key_init (InspKey *self)
{
}

InspKey *
insp_key_new (GBytes *key, GBytes *value)
{
  InspKey *self = g_object_new (INSP_TYPE_KEY, NULL);
  self->key = key != NULL ? g_bytes_ref (key) : NULL;
  self->value = value != NULL ? g_bytes_ref (value) : NULL;
  return self;
}

GBytes *
insp_key_get_key (InspKey *self)
{
  return self->key;
}

GBytes *
insp_key_get_value (InspKey *self)
{
  return self->value;
}

InspKeyMark
insp_key_get_mark (InspKey *self)
{
  return self->mark;
}

static gboolean
replace (GBytes **kept, GBytes *bytes)
{
  if (*kept == bytes || (*kept != NULL && bytes != NULL && g_bytes_equal (*kept, bytes)))
    return FALSE;
  g_clear_pointer (kept, g_bytes_unref);
  *kept = bytes != NULL ? g_bytes_ref (bytes) : NULL;
  return TRUE;
}

void
insp_key_fill (InspKey *self, GBytes *key, GBytes *value)
{
  gboolean other_key = replace (&self->key, key), other_value = replace (&self->value, value);
  if (other_key || other_value)
    g_signal_emit (self, signals[CHANGED], 0);
}

void
insp_key_mark (InspKey *self, InspKeyMark mark)
{
  if (mark == INSP_KEY_SETTLED && self->mark == mark)
    return;
  self->mark = mark;
  g_signal_emit (self, signals[CHANGED], 0);
}
