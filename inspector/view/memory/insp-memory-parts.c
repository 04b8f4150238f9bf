/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <glib/gi18n-lib.h>

#include "insp-memory-parts.h"

const char *
insp_memory_part_name (InspMemoryPart part)
{
  static const char *const names[] = {
    [INSP_MEMORY_T1] = N_ ("Cache, wanted once"),
    [INSP_MEMORY_T2] = N_ ("Cache, wanted often"),
    [INSP_MEMORY_SCAN] = N_ ("Cache, by scans"),
    [INSP_MEMORY_IDLE] = N_ ("Cache, empty"),
    [INSP_MEMORY_MEMTABLES] = N_ ("Memory tables"),
    [INSP_MEMORY_LOG] = N_ ("Log, mapped"),
    [INSP_MEMORY_INDEXES] = N_ ("Indexes"),
    [INSP_MEMORY_FILTERS] = N_ ("Filters"),
    [INSP_MEMORY_PAGE_TABLES] = N_ ("Page tables"),
    [INSP_MEMORY_MERGES] = N_ ("Flushes and merges"),
    [INSP_MEMORY_SEGMENTS] = N_ ("Open segments"),
    [INSP_MEMORY_OTHER] = N_ ("Other"),
  };
  return _ (names[part]);
}

static gint64
value_of (InspHistory *history, guint64 number, const char *name)
{
  int column = insp_history_find (history, name);
  return column >= 0 ? insp_history_get_value (history, number, column) : 0;
}

/* The cache's frames are all of one size, so its lists share them by their pages. */
static void
part_cache (InspMemory *self, double bytes)
{
  double pages = (double) (self->t1 + self->t2 + self->scan);
  if (pages > 0)
    {
      self->bytes[INSP_MEMORY_T1] = bytes * (double) self->t1 / pages;
      self->bytes[INSP_MEMORY_T2] = bytes * (double) self->t2 / pages;
      self->bytes[INSP_MEMORY_SCAN] = bytes * (double) self->scan / pages;
    }
  else
    self->bytes[INSP_MEMORY_IDLE] = bytes;
}

gboolean
insp_memory_of (InspHistory *history, guint64 number, InspMemory *self)
{
  static const struct
  {
    InspMemoryPart part;
    const char *name;
  } accounts[] = {
    { INSP_MEMORY_MEMTABLES, "memory_memtable_bytes" },
    { INSP_MEMORY_LOG, "memory_log_bytes" },
    { INSP_MEMORY_INDEXES, "memory_index_bytes" },
    { INSP_MEMORY_FILTERS, "memory_filter_bytes" },
    { INSP_MEMORY_PAGE_TABLES, "memory_page_table_bytes" },
    { INSP_MEMORY_MERGES, "memory_merge_bytes" },
    { INSP_MEMORY_SEGMENTS, "memory_segment_bytes" },
    { INSP_MEMORY_OTHER, "memory_other_bytes" },
  };
  if (number < insp_history_get_first (history) || number >= insp_history_get_end (history))
    return FALSE;
  *self = (InspMemory){
    .budget = (double) value_of (history, number, "memory_budget_bytes"),
    .b1 = value_of (history, number, "cache_b1_ghosts"),
    .t1 = value_of (history, number, "cache_t1_pages"),
    .t2 = value_of (history, number, "cache_t2_pages"),
    .b2 = value_of (history, number, "cache_b2_ghosts"),
    .scan = value_of (history, number, "cache_scan_pages"),
    .target = value_of (history, number, "cache_t1_target"),
  };
  part_cache (self, (double) value_of (history, number, "memory_cache_bytes"));
  for (guint i = 0; i < G_N_ELEMENTS (accounts); i++)
    self->bytes[accounts[i].part] = (double) value_of (history, number, accounts[i].name);
  for (guint i = 0; i < INSP_MEMORY_PARTS; i++)
    self->used += self->bytes[i];
  return TRUE;
}
