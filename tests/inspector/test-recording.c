/* SPDX-License-Identifier: MIT */
/* What a session saw, written to a file and read again: all of it, or an error that says why not. */
#include <glib/gstdio.h>
#include <math.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>

#include "insp-recording.h"
#include "insp-save.h"
#include "insp-series.h"

#define SECOND ((gint64) G_USEC_PER_SEC)
#define SAMPLES 500u

static const char *const names[] = { "reads", "bytes", NULL };
static const char *const histograms[] = { "get", "put", NULL };

/* Of sample n: 10 n reads, n³ bytes, and n gets that took what bar n % INSP_BARS holds. */
static InspHistory *
known_history (void)
{
  InspHistory *history = insp_history_new (SAMPLES);
  gint64 recorded[2 * INSP_BARS] = { 0 };
  insp_history_set_names (history, names, histograms);
  for (gint64 n = 0; n < SAMPLES + 7; n++)
    {
      const gint64 values[] = { 10 * n, n * n * n };
      recorded[n % INSP_BARS] += n;
      insp_history_append (history, (n + 1) * SECOND / 4, values, recorded);
    }
  return history;
}

static const LdbEvent known_events[] = {
  { .number = 3,
    .kind = LDB_EVENT_FLUSHED,
    .time = 1234567890000000,
    .last = 1234567890000000,
    .times = 1,
    .size = 4096,
    .duration = 5,
    .code = -1 },
  { .number = 4,
    .kind = LDB_EVENT_FAILED,
    .time = 1234567890000001,
    .last = 1234567890000007,
    .times = 6,
    .size_read = 1,
    .code = 2,
    .message = (char *) "what failed" },
};

static const LdbSlowOperation known_operation = { .number = 9,
                                                  .ended = 1234567890000002,
                                                  .duration = 45,
                                                  .kind = LDB_OPERATION_BATCH,
                                                  .sampled = TRUE,
                                                  .size = 10,
                                                  .page_read = 1,
                                                  .decompress = 2,
                                                  .blob_read = 3,
                                                  .lock = 4,
                                                  .stall = 5,
                                                  .nap = 6,
                                                  .log_change = 7,
                                                  .log_sync = 8,
                                                  .turn = 9 };

static const LdbActiveWatch known_watches[] = {
  { .id = 2,
    .kind = LDB_WATCH_KIND_PREFIX,
    .store = (char *) "people",
    .start_length = 10,
    .waiting = TRUE,
    .batch_interval = 12000,
    .deliveries = 4,
    .changes = 5,
    .resyncs = 1,
    .lag = 3,
    .coalesced = 6 },
  { .id = 7, .kind = LDB_WATCH_KIND_LIST, .paused = TRUE },
};

static const LdbWatchDelivery known_deliveries[] = {
  { .number = 5,
    .watch = 2,
    .committed = 1234567890000000,
    .delivered = 1234567890004000,
    .changes = 3 },
  { .number = 6, .watch = 7, .delivered = 1234567890005000, .resync = TRUE },
};

static void
add_known_watches (InspWatchLog *log, GBytes *secret)
{
  g_autoptr (GPtrArray) watches
      = g_ptr_array_new_with_free_func ((GDestroyNotify) ldb_active_watch_free);
  g_autoptr (GPtrArray) deliveries
      = g_ptr_array_new_with_free_func ((GDestroyNotify) ldb_watch_delivery_free);
  for (guint i = 0; i < G_N_ELEMENTS (known_watches); i++)
    g_ptr_array_add (watches, ldb_active_watch_copy (&known_watches[i]));
  ((LdbActiveWatch *) g_ptr_array_index (watches, 0))->start = g_bytes_ref (secret);
  for (guint i = 0; i < G_N_ELEMENTS (known_deliveries); i++)
    g_ptr_array_add (deliveries, ldb_watch_delivery_copy (&known_deliveries[i]));
  insp_watch_log_set_watches (log, watches);
  insp_watch_log_add (log, deliveries);
}

static void
add_known (InspSession *session)
{
  g_autoptr (GPtrArray) events = g_ptr_array_new_with_free_func ((GDestroyNotify) ldb_event_free);
  g_autoptr (GPtrArray) operations
      = g_ptr_array_new_with_free_func ((GDestroyNotify) ldb_slow_operation_free);
  g_autoptr (GBytes) secret = g_bytes_new_static ("secret-key", 10);
  for (guint i = 0; i < G_N_ELEMENTS (known_events); i++)
    {
      LdbEvent *event = ldb_event_copy (&known_events[i]);
      event->key = g_bytes_ref (secret);
      event->key_length = 10;
      g_ptr_array_add (events, event);
    }
  LdbSlowOperation *operation = ldb_slow_operation_copy (&known_operation);
  operation->key = g_bytes_ref (secret);
  operation->key_length = 10;
  g_ptr_array_add (operations, operation);
  insp_seen_add_events (insp_session_get_events (session), events);
  insp_seen_add_operations (insp_session_get_operations (session), operations);
  add_known_watches (insp_session_get_watches (session), secret);
}

static InspSession *
known_session (void)
{
  g_autoptr (InspHistory) history = known_history ();
  InspSession *session
      = insp_session_new_recorded ("program", "/a/folder\xff", history, 1234567890123456);
  add_known (session);
  return session;
}

static GBytes *
packed (GVariant *recording)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) sunk = g_variant_ref_sink (recording);
  GBytes *bytes = insp_recording_pack (sunk, &error);
  g_assert_no_error (error);
  return bytes;
}

static void
assert_refused (GBytes *bytes, int code, const char *text)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (InspSession) session = insp_recording_read (bytes, &error);
  g_assert_null (session);
  g_assert_error (error, G_IO_ERROR, code);
  g_assert_nonnull (strstr (error->message, text));
}

static void
test_round (void)
{
  g_autoptr (InspSession) session = known_session ();
  g_autoptr (GBytes) bytes = packed (insp_recording_new (session));
  g_autoptr (GError) error = NULL;
  g_autoptr (InspSession) again = insp_recording_read (bytes, &error);
  g_assert_no_error (error);
  g_assert_cmpint (insp_session_get_state (again), ==, INSP_SESSION_RECORDED);
  g_assert_cmpstr (insp_session_get_program (again), ==, "program");
  g_assert_cmpstr (insp_session_get_path (again), ==, "/a/folder\xff");
  g_assert_cmpint (insp_session_get_recorded (again), ==, 1234567890123456);
  InspHistory *history = insp_session_get_history (again);
  g_assert_cmpuint (insp_history_get_end (history) - insp_history_get_first (history), ==, SAMPLES);
  int reads = insp_history_find (history, "reads"), size = insp_history_find (history, "bytes");
  int get = insp_history_find_histogram (history, "get");
  for (guint64 i = 0; i < SAMPLES; i++)
    {
      gint64 n = (gint64) i + 7;
      guint64 bars[INSP_BARS] = { 0 };
      g_assert_cmpint (insp_history_get_time (history, i), ==, (n + 1) * SECOND / 4);
      g_assert_cmpint (insp_history_get_value (history, i, reads), ==, 10 * n);
      g_assert_cmpint (insp_history_get_value (history, i, size), ==, n * n * n);
      g_assert_cmpuint (insp_history_add_bars (history, get, i, i + 1, bars), ==, (guint64) n);
      g_assert_cmpuint (bars[n % INSP_BARS], ==, (guint64) n);
    }
}

/* What is reckoned of a recording is what was reckoned of the session. */
static void
test_series (void)
{
  g_autoptr (InspSession) session = known_session ();
  g_autoptr (GBytes) bytes = packed (insp_recording_new (session));
  g_autoptr (InspSession) again = insp_recording_read (bytes, NULL);
  g_autoptr (InspSeries) rate
      = insp_series_new_rate (insp_session_get_history (again), "", INSP_UNIT_PER_SECOND, "reads");
  for (guint64 i = 1; i < SAMPLES; i++)
    g_assert_cmpfloat_with_epsilon (insp_series_get (rate, i), 40, 1e-9);
  g_assert_cmpint (insp_axis_get_end (insp_session_get_axis (again)), ==,
                   (gint64) (SAMPLES + 7) * SECOND / 4);
}

/* Events and slow operations come again, the newest first, without keys. */
static void
test_seen (void)
{
  g_autoptr (InspSession) session = known_session ();
  g_autoptr (GBytes) bytes = packed (insp_recording_new (session));
  g_autoptr (InspSession) again = insp_recording_read (bytes, NULL);
  InspRowList *events = insp_session_get_events (again);
  g_assert_cmpuint (g_list_model_get_n_items (G_LIST_MODEL (events)), ==, 2);
  for (guint i = 0; i < 2; i++)
    {
      const LdbEvent *its = insp_row_list_get (events, 1 - i), *known = &known_events[i];
      g_assert_cmpuint (its->number, ==, known->number);
      g_assert_cmpint (its->kind, ==, known->kind);
      g_assert_cmpint (its->time, ==, known->time);
      g_assert_cmpint (its->last, ==, known->last);
      g_assert_cmpuint (its->times, ==, known->times);
      g_assert_cmpuint (its->size, ==, known->size);
      g_assert_cmpuint (its->size_read, ==, known->size_read);
      g_assert_cmpuint (its->duration, ==, known->duration);
      g_assert_cmpint (its->code, ==, known->code);
      g_assert_cmpstr (its->message, ==, known->message);
      g_assert_null (its->key);
    }
  LdbSlowOperation its
      = *(const LdbSlowOperation *) insp_row_list_get (insp_session_get_operations (again), 0);
  g_assert_null (its.key);
  g_assert_cmpmem (&its, sizeof its, &known_operation, sizeof known_operation);
  g_autoptr (GVariant) plain = g_variant_ref_sink (insp_recording_new (session));
  g_assert_null (memmem (g_variant_get_data (plain), g_variant_get_size (plain), "secret", 6));
}

/* So do watches and what they were told: one whose keys are not there is called by its number. */
static void
test_watches (void)
{
  g_autoptr (InspSession) session = known_session ();
  g_autoptr (GBytes) bytes = packed (insp_recording_new (session));
  g_autoptr (InspSession) again = insp_recording_read (bytes, NULL);
  InspWatchLog *log = insp_session_get_watches (again);
  for (guint i = 0; i < G_N_ELEMENTS (known_watches); i++)
    {
      LdbActiveWatch its
          = *(const LdbActiveWatch *) insp_row_list_get (insp_watch_log_get_watches (log), i);
      g_assert_cmpstr (its.store, ==, known_watches[i].store);
      its.store = known_watches[i].store;
      g_assert_cmpmem (&its, sizeof its, &known_watches[i], sizeof its);
    }
  for (guint i = 0; i < G_N_ELEMENTS (known_deliveries); i++)
    {
      const LdbWatchDelivery *its = insp_row_list_get (insp_watch_log_get_deliveries (log), 1 - i);
      g_assert_cmpmem (its, sizeof *its, &known_deliveries[i], sizeof *its);
    }
  g_assert_cmpstr (insp_watch_log_get_name (insp_session_get_watches (session), 2), ==,
                   "Prefix secret-key… · people");
  g_assert_cmpstr (insp_watch_log_get_name (log, 2), ==, "Prefix #2 · people");
  g_assert_cmpstr (insp_watch_log_get_name (log, 7), ==, "List");
}

/* What was seen is shown with the time of the clock that belongs to it, on a machine that has another. */
static void
test_clock (void)
{
  g_autoptr (InspSession) session = known_session ();
  g_autoptr (GBytes) bytes = packed (insp_recording_new (session));
  g_autoptr (InspSession) again = insp_recording_read (bytes, NULL);
  InspHistory *history = insp_session_get_history (again);
  InspAxis *axis = insp_session_get_axis (again);
  gint64 newest = insp_history_get_time (history, SAMPLES - 1);
  g_assert_cmpint (insp_axis_to_clock (axis, newest), ==, 1234567890123456);
  g_assert_cmpint (insp_axis_to_clock (axis, insp_history_get_time (history, 0)), ==,
                   1234567890123456 - (SAMPLES - 1) * SECOND / 4);
  g_assert_cmpint (insp_axis_from_clock (axis, 1234567890123455), ==, newest - 1);
}

/* A clock that says what none can: the recording is shown by this machine's. */
static void
test_no_clock (void)
{
  static const char *const saved[]
      = { "-1", "-9223372036854775808", "253402300800000000", "9223372036854775807" };
  for (guint i = 0; i < G_N_ELEMENTS (saved); i++)
    {
      g_autofree char *whole
          = g_strdup_printf ("('lightning-db-recording', 1, {'path': <b'/x'>, 'saved': <int64 %s>, "
                             "'history': <@(asasa(xaxa(qqu))) (['a'], [], [(5, [1], [])])>})",
                             saved[i]);
      GVariant *recording = g_variant_parse (G_VARIANT_TYPE ("(sua{sv})"), whole, NULL, NULL, NULL);
      g_autoptr (GBytes) bytes = packed (recording);
      g_autoptr (InspSession) session = insp_recording_read (bytes, NULL);
      g_assert_cmpint (insp_session_get_recorded (session), ==, 0);
      gint64 shown = insp_axis_to_clock (insp_session_get_axis (session), 5);
      g_assert_cmpint (shown, >, 0);
      g_assert_cmpint (shown, <=, g_get_real_time ());
    }
}

/* Watches as they were recorded before it was counted what went up in others. */
static void
test_earlier_watches (void)
{
  GVariant *recording = g_variant_parse (
      G_VARIANT_TYPE ("(sua{sv})"),
      "('lightning-db-recording', 1, {'path': <b'/x'>, 'history': <@(asasa(xaxa(qqu))) ([], [], "
      "[])>, "
      "'watches': <@a(tisttbbttttt) [(2, 1, 'people', 10, 0, false, true, 12000, 4, 5, 1, 3)]>})",
      NULL, NULL, NULL);
  g_autoptr (GBytes) bytes = packed (recording);
  g_autoptr (InspSession) session = insp_recording_read (bytes, NULL);
  InspRowList *watches = insp_watch_log_get_watches (insp_session_get_watches (session));
  const LdbActiveWatch *its = insp_row_list_get (watches, 0);
  g_assert_cmpuint (its->id, ==, 2);
  g_assert_cmpstr (its->store, ==, "people");
  g_assert_cmpuint (its->lag, ==, 3);
  g_assert_cmpuint (its->coalesced, ==, 0);
}

static void
assert_seen_damaged (const char *what)
{
  g_autofree char *whole = g_strdup_printf ("('lightning-db-recording', 1, {'path': <b'/x'>, "
                                            "'history': <@(asasa(xaxa(qqu))) ([], [], [])>, %s})",
                                            what);
  g_autoptr (GError) error = NULL;
  GVariant *recording = g_variant_parse (G_VARIANT_TYPE ("(sua{sv})"), whole, NULL, NULL, &error);
  g_assert_no_error (error);
  g_autoptr (GBytes) bytes = packed (recording);
  assert_refused (bytes, G_IO_ERROR_INVALID_DATA, "events, slow operations or watches");
}

/* Numbers that do not rise, more than are kept; of an unknown kind, or another type: passed over. */
static void
test_seen_malice (void)
{
  assert_seen_damaged (
      "'events': <@a(tixxttttis) [(2, 0, 0, 0, 1, 0, 0, 0, -1, ''), (2, 0, 0, 0, 1, 0, 0, "
      "0, -1, '')]>");
  assert_seen_damaged (
      "'operations': <@a(tixtbtttttttttt) [(0, 0, 0, 0, false, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)]>");
  assert_seen_damaged ("'watches': <@a(tisttbbttttt) [(0, 0, '', 0, 0, false, false, 0, 0, 0, 0, "
                       "0)]>");
  assert_seen_damaged ("'watches': <@a(tisttbbtttttt) [(0, 0, '', 0, 0, false, false, 0, 0, 0, 0, "
                       "0, 0)]>");
  assert_seen_damaged (
      "'deliveries': <@a(ttxxtb) [(2, 1, 0, 0, 1, false), (1, 1, 0, 0, 1, false)]>");
  GVariantBuilder many;
  g_variant_builder_init (&many, G_VARIANT_TYPE (INSP_EVENTS_TYPE));
  for (guint64 i = 1; i <= INSP_EVENTS_MOST + 1; i++)
    g_variant_builder_add (&many, INSP_EVENTS_TYPE + 1, i, 0, (gint64) 0, (gint64) 0, i, i, i, i,
                           -1, "");
  g_autoptr (GVariant) all = g_variant_ref_sink (g_variant_builder_end (&many));
  g_assert_null (insp_seen_events_from_variant (all, NULL));
  g_autoptr (GVariant) odd = g_variant_ref_sink (
      g_variant_new_parsed ("@a(tixxttttis) [(1, -1, 0, 0, 1, 0, 0, 0, -1, ''), (1, 99, 0, 0, 1, "
                            "0, 0, 0, -1, ''), (1, 2, -1, 0, 1, 0, 0, 0, -1, '')]"));
  g_autoptr (GPtrArray) none = insp_seen_events_from_variant (odd, NULL);
  g_assert_cmpuint (none->len, ==, 0);
  g_autoptr (GVariant) odd_delivery = g_variant_ref_sink (
      g_variant_new_parsed ("@a(ttxxtb) [(1, 1, 0, 9223372036854775807, 1, false)]"));
  g_autoptr (GPtrArray) no_delivery = insp_seen_deliveries_from_variant (odd_delivery, NULL);
  g_assert_cmpuint (no_delivery->len, ==, 0);
}

static void
test_nothing_seen (void)
{
  g_autoptr (InspHistory) history = insp_history_new (5);
  g_autoptr (InspSession) session = insp_session_new_recorded ("", "/x", history, 1);
  g_autoptr (GBytes) bytes = packed (insp_recording_new (session));
  g_autoptr (InspSession) again = insp_recording_read (bytes, NULL);
  g_assert_nonnull (again);
  g_assert_cmpuint (insp_history_get_end (insp_session_get_history (again)), ==, 0);
  g_assert_cmpstr (insp_session_get_title (again), ==, "/x");
}

/* Cut anywhere, and each bit of its first and last bytes and some between flipped: refused, or as it was. */
static void
test_damage (void)
{
  g_autoptr (InspSession) session = known_session ();
  g_autoptr (GBytes) bytes = packed (insp_recording_new (session));
  gsize size;
  const guint8 *data = g_bytes_get_data (bytes, &size);
  for (gsize cut = 0; cut < size; cut += size / 200 + 1)
    {
      g_autoptr (GBytes) part = g_bytes_new (data, cut);
      assert_refused (part, G_IO_ERROR_INVALID_DATA, "recording");
    }
  g_autofree guint8 *copy = g_memdup2 (data, size);
  guint read = 0;
  for (gsize at = 0; at < size; at += at < 32 || at > size - 32 ? 1 : size / 100)
    for (guint bit = 0; bit < 8; bit++)
      {
        copy[at] ^= (guint8) (1u << bit);
        g_autoptr (GBytes) changed = g_bytes_new (copy, size);
        g_autoptr (InspSession) again = insp_recording_read (changed, NULL);
        if (again != NULL) /* gzip's time and the like */
          {
            g_autoptr (GVariant) one = g_variant_ref_sink (insp_recording_new (session));
            g_autoptr (GVariant) other = g_variant_ref_sink (insp_recording_new (again));
            g_assert_true (g_variant_equal (one, other));
            read++;
          }
        copy[at] ^= (guint8) (1u << bit);
      }
  g_assert_cmpuint (read, <, 12 * 8); /* no more than gzip's header without its magic */
}

static void
assert_malformed (const char *history, const char *text)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *whole = g_strdup_printf (
      "('lightning-db-recording', 1, {'path': <b'/x'>, 'history': <%s>})", history);
  GVariant *recording = g_variant_parse (G_VARIANT_TYPE ("(sua{sv})"), whole, NULL, NULL, &error);
  g_assert_no_error (error);
  g_autoptr (GBytes) bytes = packed (recording);
  assert_refused (bytes, G_IO_ERROR_INVALID_DATA, text);
}

/* Checksums and form right, and nonsense all the same. */
static void
test_malice (void)
{
  assert_malformed ("@(asasa(xaxa(qqu))) (['a'], ['h'], [(1, [1, 2], [])])", "Sample 0 is damaged");
  assert_malformed ("@(asasa(xaxa(qqu))) (['a'], ['h'], [(1, [], [])])", "Sample 0 is damaged");
  assert_malformed ("@(asasa(xaxa(qqu))) (['a'], ['h'], [(-1, [1], [])])", "Sample 0 is damaged");
  assert_malformed ("@(asasa(xaxa(qqu))) (['a'], ['h'], [(5, [1], []), (5, [1], [])])",
                    "Sample 1 is damaged");
  assert_malformed ("@(asasa(xaxa(qqu))) (['a'], ['h'], [(9223372036854775807, [1], [])])",
                    "Sample 0 is damaged");
  assert_malformed ("@(asasa(xaxa(qqu))) (['a'], ['h'], [(5, [1], [(1, 0, 1)])])", "is damaged");
  assert_malformed ("@(asasa(xaxa(qqu))) (['a'], ['h'], [(5, [1], [(0, 256, 1)])])", "is damaged");
  assert_malformed ("'something else'", "nothing in it");
  GVariantBuilder builder;
  g_variant_builder_init (&builder, G_VARIANT_TYPE_STRING_ARRAY);
  for (guint i = 0; i < 5000; i++)
    g_variant_builder_add (&builder, "s", "");
  g_autofree char *many
      = g_variant_print (g_variant_ref_sink (g_variant_builder_end (&builder)), FALSE);
  g_autofree char *history = g_strdup_printf ("@(asasa(xaxa(qqu))) (%s, [], [])", many);
  assert_malformed (history, "more samples or names");
}

static void
test_foreign (void)
{
  g_autoptr (GBytes) text = g_bytes_new_static ("hello", 5);
  assert_refused (text, G_IO_ERROR_INVALID_DATA, "no recording");
  g_autoptr (GBytes) other = packed (g_variant_new ("(sua{sv})", "something", 1, NULL));
  assert_refused (other, G_IO_ERROR_INVALID_DATA, "no recording");
  g_autoptr (GBytes) newer
      = packed (g_variant_new ("(sua{sv})", "lightning-db-recording", 2, NULL));
  assert_refused (newer, G_IO_ERROR_NOT_SUPPORTED, "later version");
}

/* A small file that unpacks to a very large one. */
static void
test_bomb (void)
{
  gsize size = (gsize) 300 << 20;
  g_autoptr (GBytes) zeros = g_bytes_new_take (g_malloc0 (size), size);
  g_autoptr (GZlibCompressor) gzip = g_zlib_compressor_new (G_ZLIB_COMPRESSOR_FORMAT_GZIP, 1);
  g_autoptr (GInputStream) memory = g_memory_input_stream_new_from_bytes (zeros);
  g_autoptr (GInputStream) stream = g_converter_input_stream_new (memory, G_CONVERTER (gzip));
  gsize room = (gsize) 8 << 20, used = 0;
  guint8 *file = g_malloc (room);
  g_assert_true (g_input_stream_read_all (stream, file, room, &used, NULL, NULL));
  g_autoptr (GBytes) bomb = g_bytes_new_take (file, used);
  g_assert_cmpuint (g_bytes_get_size (bomb), <, (gsize) 8 << 20);
  assert_refused (bomb, G_IO_ERROR_NO_SPACE, "larger than 256 MiB");
}

/* ---- where it goes ---- */

static void
on_saved (GObject *file, GAsyncResult *result, gpointer at)
{
  *(GAsyncResult **) at = g_object_ref (result);
}

static gboolean
save (GFile *file, gsize size, GFileCreateFlags flags, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GBytes) bytes = g_bytes_new_take (g_malloc0 (size), size);
  insp_save_async (file, bytes, flags, NULL, on_saved, &result);
  while (result == NULL)
    g_main_context_iteration (NULL, TRUE);
  return insp_save_finish (file, result, error);
}

/* Where there is no room for all of it the old file stays, and nothing else. */
static void
test_full_disk (void)
{
  static const GFileCreateFlags flags[]
      = { G_FILE_CREATE_PRIVATE, G_FILE_CREATE_REPLACE_DESTINATION };
  g_autofree char *folder = g_dir_make_tmp ("recording-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (folder, "old", NULL);
  g_autoptr (GFile) file = g_file_new_for_path (path);
  struct rlimit before, small;
  getrlimit (RLIMIT_FSIZE, &before);
  small = before;
  small.rlim_cur = 4096;
  signal (SIGXFSZ, SIG_IGN);
  for (guint i = 0; i < 2 * G_N_ELEMENTS (flags); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *text = NULL;
      gboolean was_there = i % 2 == 0;
      g_remove (path);
      g_assert_true (!was_there || g_file_set_contents (path, "old", -1, NULL));
      setrlimit (RLIMIT_FSIZE, &small);
      g_assert_false (save (file, 100000, flags[i / 2], &error));
      setrlimit (RLIMIT_FSIZE, &before);
      g_assert_nonnull (error);
      g_assert_true (g_file_get_contents (path, &text, NULL, NULL) == was_there);
      g_assert_cmpstr (text, ==, was_there ? "old" : NULL);
      g_assert_true (save (file, 100000, flags[i / 2], NULL));
    }
  g_remove (path);
  g_assert_cmpint (g_rmdir (folder), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/recording/round", test_round);
  g_test_add_func ("/recording/series", test_series);
  g_test_add_func ("/recording/seen", test_seen);
  g_test_add_func ("/recording/watches", test_watches);
  g_test_add_func ("/recording/watches/earlier", test_earlier_watches);
  g_test_add_func ("/recording/clock", test_clock);
  g_test_add_func ("/recording/no-clock", test_no_clock);
  g_test_add_func ("/recording/seen-malice", test_seen_malice);
  g_test_add_func ("/recording/nothing-seen", test_nothing_seen);
  g_test_add_func ("/recording/damage", test_damage);
  g_test_add_func ("/recording/malice", test_malice);
  g_test_add_func ("/recording/foreign", test_foreign);
  g_test_add_func ("/recording/bomb", test_bomb);
  g_test_add_func ("/recording/full-disk", test_full_disk);
  return g_test_run ();
}
