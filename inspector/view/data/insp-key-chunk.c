/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <lightning-db.h>

#include "insp-key-chunk.h"

InspKeyChunk *
insp_key_chunk_new (GBytes *start, guint count)
{
  InspKeyChunk *self = g_rc_box_new0 (InspKeyChunk);
  self->start = g_bytes_ref (start);
  self->count = count;
  self->listed = TRUE;
  return self;
}

InspKeyChunk *
insp_key_chunk_ref (InspKeyChunk *self)
{
  return g_rc_box_acquire (self);
}

static void
clear (gpointer data)
{
  InspKeyChunk *self = data;
  g_bytes_unref (self->start);
  g_clear_pointer (&self->rows, g_ptr_array_unref);
  g_clear_pointer (&self->pending, g_ptr_array_unref);
}

void
insp_key_chunk_unref (InspKeyChunk *self)
{
  g_rc_box_release_full (self, clear);
}

void
insp_key_chunk_leave (gpointer chunk)
{
  ((InspKeyChunk *) chunk)->listed = FALSE;
  insp_key_chunk_unref (chunk);
}

/* ---- rows ---- */

GPtrArray *
insp_key_chunk_new_rows (void)
{
  return g_ptr_array_new_with_free_func (g_object_unref);
}

void
insp_key_chunk_make_rows (InspKeyChunk *self)
{
  self->rows = insp_key_chunk_new_rows ();
  for (guint i = 0; i < self->count; i++)
    g_ptr_array_add (self->rows, insp_key_new (NULL, NULL));
}

void
insp_key_chunk_drop_rows (InspKeyChunk *self)
{
  g_clear_pointer (&self->rows, g_ptr_array_unref);
  self->loaded = FALSE;
}

InspKey *
insp_key_chunk_get_row (const InspKeyChunk *self, guint index)
{
  return g_ptr_array_index (self->rows, index);
}

gboolean
insp_key_chunk_is_held (const InspKeyChunk *self)
{
  for (guint i = 0; self->rows != NULL && i < self->rows->len; i++)
    if (G_OBJECT (insp_key_chunk_get_row (self, i))->ref_count > 1)
      return TRUE;
  return FALSE;
}

guint
insp_key_chunk_find_row (const InspKeyChunk *self, GBytes *key)
{
  guint row = 0;
  while (row < self->count
         && g_bytes_compare (insp_key_get_key (insp_key_chunk_get_row (self, row)), key) < 0)
    row++;
  return row;
}

int
insp_key_chunk_compare (const InspKeyChunk *self, guint row, GPtrArray *records, guint record)
{
  if (row >= self->rows->len)
    return record < records->len ? 1 : 0;
  if (record >= records->len)
    return -1;
  return g_bytes_compare (insp_key_get_key (insp_key_chunk_get_row (self, row)),
                          ldb_record_get_key (g_ptr_array_index (records, record)));
}
