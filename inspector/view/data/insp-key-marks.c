/* SPDX-License-Identifier: MIT */
/*
 * Invariant
 *   M1  The timer runs exactly while a row is marked. Rows are in the order in which their time ends.
 */
#include "config.h"

#include "insp-key-marks.h"

#define MARK_TIME (2 * G_USEC_PER_SEC)
#define SETTLE_INTERVAL 500 /* milliseconds between looks at whose time is over */
#define TOUCHED_MAX 20000u  /* keys that are remembered */

struct _InspKeyMarks
{
  GHashTable *touched; /* GBytes: keys that were written, whose row was not read since */
  GPtrArray *marked;   /* of InspKey, in the order of … */
  GArray *until;       /* … gint64: monotonic microseconds */
  guint timer;         /* M1; 0: none */
};

InspKeyMarks *
insp_key_marks_new (void)
{
  InspKeyMarks *self = g_new0 (InspKeyMarks, 1);
  self->touched
      = g_hash_table_new_full (g_bytes_hash, g_bytes_equal, (GDestroyNotify) g_bytes_unref, NULL);
  self->marked = g_ptr_array_new_with_free_func (g_object_unref);
  self->until = g_array_new (FALSE, FALSE, sizeof (gint64));
  return self;
}

void
insp_key_marks_free (InspKeyMarks *self)
{
  g_clear_handle_id (&self->timer, g_source_remove);
  g_hash_table_unref (self->touched);
  g_ptr_array_unref (self->marked);
  g_array_unref (self->until);
  g_free (self);
}

void
insp_key_marks_touch (InspKeyMarks *self, GBytes *key)
{
  if (g_hash_table_size (self->touched) >= TOUCHED_MAX)
    g_hash_table_remove_all (self->touched);
  g_hash_table_add (self->touched, g_bytes_ref (key));
}

gboolean
insp_key_marks_take (InspKeyMarks *self, GBytes *key)
{
  return g_hash_table_remove (self->touched, key);
}

static gboolean
settle (gpointer data)
{
  InspKeyMarks *self = data;
  gint64 now = g_get_monotonic_time ();
  guint count = 0;
  while (count < self->marked->len && g_array_index (self->until, gint64, count) <= now)
    insp_key_mark (g_ptr_array_index (self->marked, count++), INSP_KEY_SETTLED);
  if (count > 0)
    {
      g_ptr_array_remove_range (self->marked, 0, count);
      g_array_remove_range (self->until, 0, count);
    }
  if (self->marked->len > 0)
    return G_SOURCE_CONTINUE;
  self->timer = 0; /* M1 */
  return G_SOURCE_REMOVE;
}

void
insp_key_marks_mark (InspKeyMarks *self, InspKey *row, InspKeyMark as)
{
  gint64 until = g_get_monotonic_time () + MARK_TIME;
  insp_key_mark (row, as);
  g_ptr_array_add (self->marked, g_object_ref (row));
  g_array_append_val (self->until, until);
  if (self->timer == 0)
    self->timer = g_timeout_add (SETTLE_INTERVAL, settle, self);
}
