/* SPDX-License-Identifier: MIT */
/* What memory is used for, as it was counted. */
#include "insp-memory-parts.h"

static const char *const names[] = {
  "memory_budget_bytes", "memory_cache_bytes", "memory_memtable_bytes", "memory_log_bytes",
  "memory_index_bytes",  "cache_t1_pages",     "cache_t2_pages",        "cache_scan_pages",
  "cache_b1_ghosts",     "cache_b2_ghosts",    "cache_t1_target",       NULL,
};
static const char *const none[] = { NULL };

static void
test_parts (void)
{
  InspMemory memory;
  g_autoptr (InspHistory) history = insp_history_new (4);
  insp_history_set_names (history, names, none);
  g_assert_false (insp_memory_of (history, 0, &memory));
  insp_history_append (history, 1000,
                       (const gint64[]){ 1000, 400, 100, 50, 25, 10, 5, 5, 7, 8, 12 }, NULL);
  g_assert_true (insp_memory_of (history, 0, &memory));
  g_assert_cmpfloat (memory.budget, ==, 1000);
  g_assert_cmpfloat (memory.bytes[INSP_MEMORY_T1], ==, 200); /* by pages: 10 of 20 */
  g_assert_cmpfloat (memory.bytes[INSP_MEMORY_T2], ==, 100);
  g_assert_cmpfloat (memory.bytes[INSP_MEMORY_SCAN], ==, 100);
  g_assert_cmpfloat (memory.bytes[INSP_MEMORY_IDLE], ==, 0);
  g_assert_cmpfloat (memory.bytes[INSP_MEMORY_MEMTABLES], ==, 100);
  g_assert_cmpfloat (memory.bytes[INSP_MEMORY_LOG], ==, 50);
  g_assert_cmpfloat (memory.bytes[INSP_MEMORY_INDEXES], ==, 25);
  g_assert_cmpfloat (memory.bytes[INSP_MEMORY_FILTERS], ==, 0); /* that is not counted here */
  g_assert_cmpfloat (memory.used, ==, 575);
  g_assert_cmpint (memory.b1, ==, 7);
  g_assert_cmpint (memory.b2, ==, 8);
  g_assert_cmpint (memory.target, ==, 12);
}

/* Frames that no page is in are told as such. */
static void
test_idle (void)
{
  InspMemory memory;
  g_autoptr (InspHistory) history = insp_history_new (4);
  insp_history_set_names (history, names, none);
  insp_history_append (history, 1000, (const gint64[]){ 1000, 400, 0, 0, 0, 0, 0, 0, 0, 0, 0 },
                       NULL);
  g_assert_true (insp_memory_of (history, 0, &memory));
  g_assert_cmpfloat (memory.bytes[INSP_MEMORY_IDLE], ==, 400);
  g_assert_cmpfloat (memory.used, ==, 400);
  for (guint i = 0; i < INSP_MEMORY_PARTS; i++)
    g_assert_nonnull (insp_memory_part_name ((InspMemoryPart) i));
}

int
main (int argument_count, char **arguments)
{
  g_test_init (&argument_count, &arguments, NULL);
  g_test_add_func ("/memory/parts", test_parts);
  g_test_add_func ("/memory/idle", test_idle);
  return g_test_run ();
}
