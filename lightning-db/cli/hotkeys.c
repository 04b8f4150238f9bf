/* SPDX-License-Identifier: MIT */
/*
 * What an application knows of its own work: slow operations and hot keys. They are in its memory, so
 * it has to be running, and to let the database be inspected. Where none does, the command does some
 * work of its own.
 */
#include "live.h"
#include "own-load.h"
#include "text-form.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Whose work it is. */
typedef struct worked_database
{
  LdbInspector *inspector; /* in the application that has it open; owned; NULL: our own */
  struct own_load load;    /* where no application shares it */
} worked_database;

static void
worked_database_clear (worked_database *self)
{
  g_clear_object (&self->inspector);
  own_load_clear (&self->load);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (worked_database, worked_database_clear)

/* Reads, and says so. */
static gboolean
do_own_work (worked_database *self, const struct invocation *invocation, const char *path,
             double seconds, GError **error)
{
  if (!own_load_open (&self->load, path, error))
    return FALSE;
  if (!invocation->json && !invocation->quiet)
    printf (_ ("No running application lets “%s” be inspected: its keys are read at random for "
               "%.1f s.\n"),
            path, seconds);
  command_catch_interrupts ();
  gboolean read = own_load_run (
      &self->load, g_get_monotonic_time () + (gint64) (seconds * G_USEC_PER_SEC), error);
  command_forget_interrupt ();
  return read;
}

/* `seconds`: of work of our own, where nobody else does any. FALSE: error. */
static gboolean
find_work (worked_database *self, struct invocation *invocation, double seconds, GError **error)
{
  const char *path;
  if (!own_load_check_duration (seconds, error)
      || (path = command_take (invocation, _ ("the database"), error)) == NULL
      || !command_finish (invocation, error))
    return FALSE;
  g_autoptr (LdbRunningList) list = ldb_running_list_new ();
  g_autoptr (LdbRunningDatabase) running = ldb_running_list_find (list, path);
  if (running != NULL)
    return (self->inspector = command_connect (running, error)) != NULL;
  return command_check_running (list, error)
         && do_own_work (self, invocation, path, seconds, error);
}

static void
append_key_json (GString *to, GBytes *key)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (key, &size);
  text_form_append_json_member (to, "key", data, size);
}

static void
append_key (GString *to, GBytes *key, gsize length)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (key, &size);
  text_form_append_escaped (to, data, size);
  if (size < length)
    g_string_append (to, "…");
}

/* ---- slow ---- */

static const struct
{
  const char *name; /* in JSON, and shown */
  gsize offset;     /* in LdbSlowOperation */
} waits[] = {
  { "page_read", G_STRUCT_OFFSET (LdbSlowOperation, page_read) },
  { "decompress", G_STRUCT_OFFSET (LdbSlowOperation, decompress) },
  { "blob_read", G_STRUCT_OFFSET (LdbSlowOperation, blob_read) },
  { "lock", G_STRUCT_OFFSET (LdbSlowOperation, lock) },
  { "stall", G_STRUCT_OFFSET (LdbSlowOperation, stall) },
  { "nap", G_STRUCT_OFFSET (LdbSlowOperation, nap) },
  { "log_change", G_STRUCT_OFFSET (LdbSlowOperation, log_change) },
  { "log_sync", G_STRUCT_OFFSET (LdbSlowOperation, log_sync) },
  { "turn", G_STRUCT_OFFSET (LdbSlowOperation, turn) },
};

/* "put"; a kind of another version: "?". */
static const char *
kind_name (LdbOperationKind kind)
{
  g_autoptr (GEnumClass) kinds = g_type_class_ref (LDB_TYPE_OPERATION_KIND);
  const GEnumValue *value = g_enum_get_value (kinds, (gint) kind);
  return value != NULL ? value->value_nick : "?";
}

static void
append_slow_json (GString *to, const LdbSlowOperation *slow)
{
  g_string_append_printf (to,
                          "{\"number\":%" PRIu64 ",\"ended\":%" PRIi64
                          ",\"operation\":\"%s\",\"nanoseconds\":%" PRIu64 ",\"sampled\":%s",
                          slow->number, slow->ended, kind_name (slow->kind), slow->duration,
                          slow->sampled ? "true" : "false");
  if (slow->key != NULL)
    {
      g_string_append_c (to, ',');
      append_key_json (to, slow->key);
      g_string_append_printf (to, ",\"key_length\":%zu", slow->key_length);
    }
  g_string_append_printf (to, ",\"size\":%zu,\"waits\":{", slow->size);
  const char *separator = "";
  for (guint i = 0; i < G_N_ELEMENTS (waits); i++)
    {
      guint64 time = G_STRUCT_MEMBER (guint64, slow, waits[i].offset);
      if (time == 0)
        continue;
      g_string_append_printf (to, "%s\"%s\":%" PRIu64, separator, waits[i].name, time);
      separator = ",";
    }
  g_string_append (to, "}}\n");
}

static void
append_slow (GString *to, const LdbSlowOperation *slow)
{
  g_autoptr (GDateTime) universal = g_date_time_new_from_unix_utc (slow->ended / G_USEC_PER_SEC);
  g_autoptr (GDateTime) local = universal != NULL ? g_date_time_to_local (universal) : NULL;
  g_autofree char *when = local != NULL ? g_date_time_format (local, "%F %T") : g_strdup ("?");
  g_string_append_printf (to, "%s  %10.1f ms  %-18s ", when, (double) slow->duration / 1e6,
                          kind_name (slow->kind));
  if (slow->key != NULL)
    append_key (to, slow->key, slow->key_length);
  else
    g_string_append_c (to, '-');
  for (guint i = 0; i < G_N_ELEMENTS (waits); i++)
    {
      guint64 time = G_STRUCT_MEMBER (guint64, slow, waits[i].offset);
      if (time > 0)
        g_string_append_printf (to, "  %s %.1f", waits[i].name, (double) time / 1e6);
    }
  g_string_append_c (to, '\n');
}

static GPtrArray *
list_slow (const worked_database *work, guint64 after, GError **error)
{
  return work->inspector != NULL
             ? ldb_inspector_list_slow_operations (work->inspector, after, NULL, error)
             : ldb_database_list_slow_operations (work->load.database, after, error);
}

enum exit_status
slow_run (struct invocation *invocation)
{
  gint64 after = 0;
  double seconds = 2;
  GError *error = NULL;
  g_auto (worked_database) work = { NULL };
  g_autoptr (GPtrArray) list = NULL;
  const GOptionEntry entries[] = {
    { "after", 0, 0, G_OPTION_ARG_INT64, &after, N_ ("Only those with a higher number"),
      N_ ("NUMBER") },
    { "duration", 0, 0, G_OPTION_ARG_DOUBLE, &seconds,
      N_ ("How long to read at random where no application is at work (2)"), N_ ("SECONDS") },
    { NULL },
  };
  if (!command_parse (invocation, entries, NULL,
                      _ ("Prints which operations of the application took long (10 ms, unless it "
                         "set another threshold), oldest first, and what they waited for, in "
                         "milliseconds. The newest 256 are kept. Of a database that nobody "
                         "shares, keys are read at random."),
                      &error)
      || !command_check_not_negative ("--after", after, &error)
      || !find_work (&work, invocation, seconds, &error)
      || (list = list_slow (&work, (guint64) after, &error)) == NULL)
    return command_fail (invocation, error);
  g_autoptr (GString) text = g_string_new (NULL);
  for (guint i = 0; i < list->len; i++)
    if (invocation->json)
      append_slow_json (text, g_ptr_array_index (list, i));
    else
      append_slow (text, g_ptr_array_index (list, i));
  command_print (invocation, text->str);
  if (list->len == 0 && !invocation->json && !invocation->quiet)
    puts (_ ("No operation was slow."));
  return EXIT_STATUS_DONE;
}

/* ---- hotkeys ---- */

static const char *const kind_names[] = { "conflicts", "reads", "writes" };

static gboolean
parse_kind (const char *name, LdbHotKeyKind *kind, GError **error)
{
  for (guint i = 0; i < G_N_ELEMENTS (kind_names); i++)
    if (name == NULL || strcmp (name, kind_names[i]) == 0)
      {
        *kind = name != NULL ? (LdbHotKeyKind) i : LDB_HOT_KEY_READ;
        return TRUE;
      }
  g_set_error (error, COMMAND_ERROR, COMMAND_ERROR_USAGE,
               _ ("--kind is reads, writes or conflicts, not “%s”"), name);
  return FALSE;
}

/* By how much a share that was sampled may be off, 19 times in 20. */
static double
chance (double share, guint64 total)
{
  return total > 0 ? 2 * sqrt (share * (1 - share) / (double) total) : 0;
}

static void
append_hot_json (GString *to, const LdbHotKey *hot, guint64 total)
{
  char share[G_ASCII_DTOSTR_BUF_SIZE];
  g_ascii_formatd (share, sizeof share, "%.6g",
                   total > 0 ? (double) hot->count / (double) total : 0);
  g_string_append (to, "{");
  append_key_json (to, hot->key);
  g_string_append_printf (to, ",\"key_length\":%zu,\"store\":", hot->key_length);
  if (hot->store != NULL)
    text_form_append_json_string (to, hot->store, strlen (hot->store));
  else
    g_string_append (to, "null");
  g_string_append_printf (
      to, ",\"count\":%" PRIu64 ",\"uncertainty\":%" PRIu64 ",\"total\":%" PRIu64 ",\"share\":%s",
      hot->count, hot->uncertainty, total, share);
  if (hot->last != 0)
    g_string_append_printf (to, ",\"last\":%" PRIi64, hot->last);
  g_string_append (to, "}\n");
}

static void
append_hot (GString *to, const LdbHotKey *hot, guint64 total, LdbHotKeyKind kind)
{
  double share = total > 0 ? (double) hot->count / (double) total : 0;
  if (kind == LDB_HOT_KEY_CONFLICT)
    g_string_append_printf (to, "%10" PRIu64 "  ", hot->count);
  else
    g_string_append_printf (to, "%6.2f%% ±%5.2f  ", share * 100, chance (share, total) * 100);
  append_key (to, hot->key, hot->key_length);
  if (g_strcmp0 (hot->store, "default") != 0)
    g_string_append_printf (to, "  (%s)", hot->store != NULL ? hot->store : "?");
  if (hot->uncertainty > 0)
    g_string_append_printf (to, _ ("  at most; at least %.2f%%"),
                            (double) (hot->count - hot->uncertainty) / (double) MAX (total, 1)
                                * 100);
  g_string_append_c (to, '\n');
}

static void
append_heading (GString *to, guint64 total, LdbHotKeyKind kind)
{
  g_autofree char *count = command_format_count (total);
  if (total == 0)
    g_string_append (to, kind == LDB_HOT_KEY_CONFLICT ? _ ("No commit was in conflict.\n")
                                                      : _ ("Nothing was sampled.\n"));
  else if (kind == LDB_HOT_KEY_CONFLICT)
    g_string_append_printf (to, _ ("Of %s commits in conflict:\n"), count);
  else
    g_string_append_printf (to, _ ("Of %s keys in sampled operations, ± chance (95%%):\n"), count);
}

static GPtrArray *
list_hot (const worked_database *work, LdbHotKeyKind kind, guint64 *total, GError **error)
{
  return work->inspector != NULL
             ? ldb_inspector_list_hot_keys (work->inspector, kind, total, NULL, error)
             : ldb_database_list_hot_keys (work->load.database, kind, total, error);
}

enum exit_status
hotkeys_run (struct invocation *invocation)
{
  gint limit = 20;
  guint64 total = 0;
  double seconds = 2;
  GError *error = NULL;
  LdbHotKeyKind kind;
  g_autofree char *kind_text = NULL;
  g_auto (worked_database) work = { NULL };
  g_autoptr (GPtrArray) list = NULL;
  const GOptionEntry entries[] = {
    { "kind", 'k', 0, G_OPTION_ARG_STRING, &kind_text,
      N_ ("What happens to them: reads (unless said otherwise), writes or conflicts"),
      N_ ("KIND") },
    { "limit", 'n', 0, G_OPTION_ARG_INT, &limit, N_ ("Name so many at most (20)"), N_ ("COUNT") },
    { "duration", 0, 0, G_OPTION_ARG_DOUBLE, &seconds,
      N_ ("How long to read at random where no application is at work (2)"), N_ ("SECONDS") },
    { NULL },
  };
  if (!command_parse (invocation, entries, NULL,
                      _ ("Prints the keys that the application reads or writes most, of the "
                         "operations that are sampled, or about which commits were in conflict. "
                         "Counts of keys that made room for others meanwhile are bounds. Of a "
                         "database that nobody shares, keys are read at random."),
                      &error)
      || !parse_kind (kind_text, &kind, &error)
      || !command_check_not_negative ("--limit", limit, &error)
      || !find_work (&work, invocation, seconds, &error)
      || (list = list_hot (&work, kind, &total, &error)) == NULL)
    return command_fail (invocation, error);
  g_autoptr (GString) text = g_string_new (NULL);
  if (!invocation->json)
    append_heading (text, total, kind);
  for (guint i = 0; i < list->len && i < (guint) limit; i++)
    if (invocation->json)
      append_hot_json (text, g_ptr_array_index (list, i), total);
    else
      append_hot (text, g_ptr_array_index (list, i), total, kind);
  command_print (invocation, text->str);
  return EXIT_STATUS_DONE;
}
