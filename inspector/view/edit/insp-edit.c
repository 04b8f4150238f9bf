/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "insp-edit.h"

struct _InspEdit
{
  GObject parent_instance;

  char *store;
  GBytes *key;      /* owned */
  GBytes *expected; /* NULL: no such key; owned */
  GBytes *value;    /* NULL: the key is to go; owned */
  GBytes *now;      /* of a conflict; NULL: the key is gone; owned */
  gboolean is_conflict;
};

G_DEFINE_FINAL_TYPE (InspEdit, insp_edit, G_TYPE_OBJECT)

enum
{
  CHANGED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

static void
insp_edit_finalize (GObject *object)
{
  InspEdit *self = INSP_EDIT (object);
  g_free (self->store);
  g_clear_pointer (&self->key, g_bytes_unref);
  g_clear_pointer (&self->expected, g_bytes_unref);
  g_clear_pointer (&self->value, g_bytes_unref);
  g_clear_pointer (&self->now, g_bytes_unref);
  G_OBJECT_CLASS (insp_edit_parent_class)->finalize (object);
}

static void
insp_edit_class_init (InspEditClass *class)
{
  G_OBJECT_CLASS (class)->finalize = insp_edit_finalize;
  signals[CHANGED] = g_signal_new ("changed", INSP_TYPE_EDIT, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                   NULL, G_TYPE_NONE, 0);
}

static void
insp_edit_init (InspEdit *self)
{
}

static GBytes *
hold (GBytes *bytes)
{
  return bytes != NULL ? g_bytes_ref (bytes) : NULL;
}

static void
replace (GBytes **kept, GBytes *bytes)
{
  GBytes *held = hold (bytes);
  g_clear_pointer (kept, g_bytes_unref);
  *kept = held;
}

static gboolean
are_equal (GBytes *a, GBytes *b)
{
  return a == b || (a != NULL && b != NULL && g_bytes_equal (a, b));
}

InspEdit *
insp_edit_new (const char *store, GBytes *key, GBytes *expected, GBytes *value)
{
  InspEdit *self = g_object_new (INSP_TYPE_EDIT, NULL);
  self->store = g_strdup (store);
  self->key = g_bytes_ref (key);
  self->expected = hold (expected);
  self->value = hold (value);
  return self;
}

const char *
insp_edit_get_store (InspEdit *self)
{
  return self->store;
}

GBytes *
insp_edit_get_key (InspEdit *self)
{
  return self->key;
}

GBytes *
insp_edit_get_expected (InspEdit *self)
{
  return self->expected;
}

GBytes *
insp_edit_get_value (InspEdit *self)
{
  return self->value;
}

gboolean
insp_edit_is_of (InspEdit *self, const char *store, GBytes *key)
{
  return g_str_equal (self->store, store) && g_bytes_equal (self->key, key);
}

gboolean
insp_edit_is_idle (InspEdit *self)
{
  return are_equal (self->expected, self->value);
}

void
insp_edit_set_value (InspEdit *self, GBytes *value)
{
  replace (&self->value, value);
  g_signal_emit (self, signals[CHANGED], 0);
}

void
insp_edit_compare (InspEdit *self, GBytes *now)
{
  self->is_conflict = !are_equal (now, self->expected);
  replace (&self->now, self->is_conflict ? now : NULL);
  g_signal_emit (self, signals[CHANGED], 0);
}

gboolean
insp_edit_is_conflict (InspEdit *self)
{
  return self->is_conflict;
}

GBytes *
insp_edit_get_now (InspEdit *self)
{
  return self->now;
}

void
insp_edit_restage (InspEdit *self)
{
  g_return_if_fail (self->is_conflict);
  replace (&self->expected, self->now);
  insp_edit_compare (self, self->expected);
}

InspEdit *
insp_edit_invert (InspEdit *self)
{
  return insp_edit_new (self->store, self->key, self->value, self->expected);
}
