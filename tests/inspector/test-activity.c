/* SPDX-License-Identifier: MIT */
/* Jobs, events and groups of slow operations: what is known of them appears, exactly. */
#include <math.h>
#include <string.h>

#include "insp-event-table.h"
#include "insp-gantt.h"
#include "insp-plot.h"
#include "insp-slow-groups.h"
#include "insp-work-figures.h"

#define SECOND ((gint64) G_USEC_PER_SEC)

/* Bars of one row never cover one another, and there are no more rows than bars at a moment. */
static void
test_place (void)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (3);
  for (guint turn = 0; turn < 500; turn++)
    {
      gint64 spans[12][2], begin = 0;
      guint rows[12], most = 0, count = (guint) g_rand_int_range (random, 0, 13);
      for (guint i = 0; i < count; i++)
        {
          begin += g_rand_int_range (random, 0, 10);
          spans[i][0] = begin;
          spans[i][1] = begin + g_rand_int_range (random, 1, 30);
        }
      guint used = insp_gantt_place ((const gint64 (*)[2]) spans, count, rows);
      for (guint i = 0; i < count; i++)
        {
          guint together = 0;
          for (guint j = 0; j <= i; j++)
            together += spans[j][1] > spans[i][0];
          most = MAX (most, together);
          for (guint j = 0; j < i && most <= 8; j++)
            g_assert_true (rows[j] != rows[i] || spans[j][1] <= spans[i][0]);
        }
      g_assert_cmpuint (used, ==, MIN (most, 8));
    }
}

static void
test_work (void)
{
  static const char *const names[]
      = { "user_bytes", "log_bytes", "flush_bytes", "merge_bytes_written", "stalls", NULL };
  static const char *const none[] = { NULL };
  g_autoptr (InspHistory) history = insp_history_new (10);
  insp_history_set_names (history, names, none);
  for (gint64 i = 1; i <= 5; i++)
    {
      const gint64 values[] = { 100 * i, 110 * i, 90 * i, 200 * i, i };
      insp_history_append (history, i * SECOND, values, NULL);
    }
  InspWork work = insp_work_of (history, 2 * SECOND, 4 * SECOND);
  g_assert_cmpint (work.user_bytes, ==, 200);
  g_assert_cmpint (work.log_bytes, ==, 220);
  g_assert_cmpint (work.flush_bytes, ==, 180);
  g_assert_cmpint (work.merge_bytes, ==, 400);
  g_assert_cmpint (work.stalls, ==, 2);
  g_assert_cmpfloat_with_epsilon (insp_work_amplification (work), 4, 1e-9);
  work = insp_work_of (history, 3 * SECOND, 3 * SECOND); /* one sample tells of no time */
  g_assert_cmpint (work.user_bytes, ==, 0);
  g_assert_true (isnan (insp_work_amplification (work)));
}

static LdbEvent *
event_new (guint64 number, LdbEventKind kind, const char *key)
{
  LdbEvent event = { .number = number,
                     .kind = kind,
                     .time = g_get_real_time (),
                     .times = 1,
                     .size = 1000 * number,
                     .duration = 2000000000,
                     .code = -1 };
  g_autoptr (GBytes) bytes = key != NULL ? g_bytes_new_static (key, strlen (key)) : NULL;
  event.last = event.time;
  event.key = bytes;
  event.key_length = key != NULL ? strlen (key) : 0;
  return ldb_event_copy (&event);
}

static void
assert_cell (InspEventTable *table, guint row, guint column, const char *expected)
{
  g_autofree char *text = insp_event_table_get_cell (table, row, column);
  g_assert_cmpstr (text, ==, expected);
}

static void
test_events (void)
{
  g_autoptr (InspRowList) list = insp_seen_events_new ();
  g_autoptr (InspEventLog) log = insp_event_log_new (list);
  g_autoptr (GPtrArray) events = g_ptr_array_new_with_free_func ((GDestroyNotify) ldb_event_free);
  InspEventTable *all = INSP_EVENT_TABLE (g_object_ref_sink (insp_event_table_new (log)));
  InspEventTable *work = INSP_EVENT_TABLE (g_object_ref_sink (insp_event_table_new_of_work (log)));
  g_assert_cmpuint (insp_seen_get_newest_event (list), ==, 0);
  g_ptr_array_add (events, event_new (1, LDB_EVENT_OPENED, NULL));
  g_ptr_array_add (events, event_new (2, LDB_EVENT_FLUSHED, NULL));
  g_ptr_array_add (events, event_new (3, LDB_EVENT_CONFLICT, "user:7"));
  insp_event_log_add (log, events);
  g_assert_cmpuint (insp_seen_get_newest_event (list), ==, 3);
  assert_cell (all, 0, 1, "Conflict"); /* the newest is first */
  assert_cell (all, 0, 3, "user:7");
  assert_cell (all, 2, 1, "Opened");
  assert_cell (work, 0, 0, "Flush");
  assert_cell (work, 0, 3, "2 s");
  assert_cell (work, 0, 5, "2 kB");
  assert_cell (work, 1, 0, NULL);
  insp_event_table_set_kind (all, LDB_EVENT_FLUSHED);
  assert_cell (all, 0, 1, "Flush");
  assert_cell (all, 1, 1, NULL);
  insp_event_table_set_kind (all, -1);
  insp_event_table_set_text (all, "USER:");
  assert_cell (all, 0, 1, "Conflict");
  assert_cell (all, 1, 1, NULL);
  insp_event_table_set_text (all, "");
  assert_cell (all, 2, 1, "Opened");
  gint64 from, to;
  insp_event_get_span (insp_row_list_get (insp_event_log_get_list (log), 0), &from, &to);
  g_assert_cmpint (to - from, ==, 2 * SECOND);
  g_object_unref (all);
  g_object_unref (work);
}

static guint64
number_of (gconstpointer contents)
{
  return ((const LdbSlowOperation *) contents)->number;
}

static void
add_operation (GPtrArray *operations, guint64 number, LdbOperationKind kind, const char *key,
               guint64 duration)
{
  g_autoptr (GBytes) bytes = key != NULL ? g_bytes_new_static (key, strlen (key)) : NULL;
  LdbSlowOperation operation = { .number = number,
                                 .kind = kind,
                                 .key = bytes,
                                 .key_length = key != NULL ? strlen (key) : 0,
                                 .duration = duration,
                                 .log_sync = duration / 2 };
  g_ptr_array_add (operations, ldb_slow_operation_copy (&operation));
}

static void
assert_group (InspSlowGroups *groups, guint row, const char *name, const char *count,
              const char *sum, const char *longest)
{
  const char *const expected[] = { name, count, sum, longest };
  for (guint i = 0; i < G_N_ELEMENTS (expected); i++)
    {
      g_autofree char *text = insp_slow_groups_get_cell (groups, row, i);
      g_assert_cmpstr (text, ==, expected[i]);
    }
}

static void
test_groups (void)
{
  g_autoptr (InspRowList) list
      = insp_row_list_new (number_of, (GDestroyNotify) ldb_slow_operation_free);
  g_autoptr (GPtrArray) operations
      = g_ptr_array_new_with_free_func ((GDestroyNotify) ldb_slow_operation_free);
  InspSlowGroups *groups = INSP_SLOW_GROUPS (g_object_ref_sink (insp_slow_groups_new (list)));
  add_operation (operations, 1, LDB_OPERATION_PUT, "user:1", 1000);
  add_operation (operations, 2, LDB_OPERATION_PUT, "town:1", 2000);
  add_operation (operations, 3, LDB_OPERATION_GET, "user:2", 5000);
  add_operation (operations, 4, LDB_OPERATION_BATCH, NULL, 500);
  insp_row_list_prepend_reversed (list, operations, 100);
  assert_group (groups, 0, "Lookup", "1", "5 µs", "5 µs");
  assert_group (groups, 1, "Put", "2", "3 µs", "2 µs");
  assert_group (groups, 2, "Batch", "1", "500 ns", "500 ns");
  g_autofree char *split = insp_slow_groups_get_cell (groups, 1, 4);
  g_assert_cmpstr (split, ==, "syncing the log 50 %, else 50 %");
  insp_slow_groups_set_grouping (groups, INSP_GROUP_PREFIX);
  assert_group (groups, 0, "user:…", "2", "6 µs", "5 µs");
  assert_group (groups, 1, "town:…", "1", "2 µs", "2 µs");
  assert_group (groups, 2, "Of several keys", "1", "500 ns", "500 ns");
  g_object_unref (groups);
}

int
main (int argument_count, char **arguments)
{
  gtk_test_init (&argument_count, &arguments);
  g_test_add_func ("/activity/place", test_place);
  g_test_add_func ("/activity/work", test_work);
  g_test_add_func ("/activity/events", test_events);
  g_test_add_func ("/activity/groups", test_groups);
  return g_test_run ();
}
