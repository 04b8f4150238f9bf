/* SPDX-License-Identifier: MIT */
/* What a cursor is made of: a merge of the transaction's own writes, memtables and runs, and the
 * range deletes of them all. */
#include "core/cursor-private.h"
#include "core/overlay.h"

#include <stdlib.h>

void
cursor_drop_sources (struct engine_cursor *cursor)
{
  source_release (cursor->source);
  cursor->source = NULL;
  for (size_t i = 0; i < cursor->range_count; i++)
    range_set_unref (cursor->ranges[i]);
  free (cursor->ranges);
  cursor->ranges = NULL;
  cursor->range_count = cursor->table_count = 0;
  cursor->own_ranges = cursor->plain = false;
  cursor->steps = DIRECTION_NONE;
  view_unref (cursor->view);
  cursor->view = NULL;
}

/* Adds the source and range deletes of one memtable. These are asked for where they are: a set of
 * them would have to be built anew behind each one that is added. */
static status
add_table (struct engine_cursor *cursor, struct memtable *table, struct source **sources,
           size_t *count, struct failure *failure)
{
  if (memtable_is_empty (table))
    return STATUS_OK;
  if (memtable_has_range_deletes (table))
    cursor->tables[cursor->table_count++] = table;
  status result = memtable_source_new (table, &sources[*count], failure);
  *count += result == STATUS_OK;
  return result;
}

static status
add_run (struct engine_cursor *cursor, struct run *run, struct source **sources, size_t *count,
         struct failure *failure)
{
  struct segment_source_settings settings
      = engine_source_settings (cursor->engine, cursor->past_cache);
  settings.cached_only = cursor->cached_only;
  for (size_t i = 0; i < run->count && run->has_range_deletes; i++)
    {
      const struct range_set *ranges = segment_range_deletes (run->segments[i]);
      if (ranges != NULL)
        cursor->ranges[cursor->range_count++] = range_set_ref ((struct range_set *) ranges);
    }
  status result = run_source (run, &settings, &sources[*count], failure);
  *count += result == STATUS_OK;
  return result;
}

static status
add_own (struct engine_cursor *cursor, struct source **sources, size_t *count,
         struct failure *failure)
{
  struct memtable *index
      = cursor->transaction != NULL ? transaction_index (cursor->transaction) : NULL;
  cursor->own_index = index;
  if (index == NULL)
    return STATUS_OK;
  cursor->own_ranges = memtable_has_range_deletes (index);
  status result = overlay_source_new (index, &sources[*count], failure);
  *count += result == STATUS_OK;
  return result;
}

status
cursor_build_sources (struct engine_cursor *cursor, struct failure *failure)
{
  cursor_drop_sources (cursor);
  if (cursor->reading.view == NULL)
    cursor->view = engine_view (cursor->engine); /* C1 of cursor.c */
  else if (view_try_ref (cursor->reading.view))  /* it is held: always */
    cursor->view = cursor->reading.view;
  struct view *view = cursor->view;
  if (view == NULL)
    return engine_enter_slow (cursor->engine, failure);
  size_t segments = 0, count = 0;
  for (size_t i = 0; i < view->run_count; i++)
    segments += view->runs[i]->count;
  struct source **sources = calloc (view->run_count + FROZEN_MAX + 2, sizeof *sources);
  cursor->ranges = calloc (segments + 1, sizeof *cursor->ranges);
  status result = sources != NULL && cursor->ranges != NULL
                      ? add_own (cursor, sources, &count, failure)
                      : fail_memory (failure, segments * sizeof *cursor->ranges, "a cursor");
  if (result == STATUS_OK && view->active != NULL)
    result = add_table (cursor, view->active->table, sources, &count, failure);
  for (unsigned i = 0; i < view->frozen_count && result == STATUS_OK; i++)
    result = add_table (cursor, view->frozen[i]->table, sources, &count, failure);
  for (size_t i = 0; i < view->run_count && result == STATUS_OK; i++)
    result = add_run (cursor, view->runs[i], sources, &count, failure);
  if (result == STATUS_OK)
    result = merge_source_new (sources, count, &cursor->source, failure);
  else
    for (size_t i = 0; i < count; i++)
      source_release (sources[i]);
  free (sources);
  if (result != STATUS_OK)
    {
      cursor_drop_sources (cursor);
      return result;
    }
  cursor->source->lean = true;
  cursor->plain = cursor->transaction == NULL && !has_ranges (cursor);
  return STATUS_OK;
}
