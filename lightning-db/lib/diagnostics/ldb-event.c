/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "ldb-database-private.h"
#include "ldb-error-private.h"
#include "ldb-event-private.h"
#include "ldb-json-private.h"
#include "ldb-language-private.h"

#include "ldb-enum-types.h"

#include <inttypes.h>

G_DEFINE_BOXED_TYPE (LdbEvent, ldb_event, ldb_event_copy, ldb_event_free)

G_STATIC_ASSERT ((int) LDB_EVENT_OPENED == (int) ENGINE_EVENT_OPENED
                 && (int) LDB_EVENT_CONFLICT == (int) ENGINE_EVENT_CONFLICT
                 && (int) LDB_EVENT_HEALTH == (int) ENGINE_EVENT_HEALTH
                 && (int) LDB_EVENT_HEALTH + 1 == (int) ENGINE_EVENTS);

/**
 * ldb_event_copy:
 * @self: an event
 *
 * Makes a copy.
 *
 * Any thread.
 *
 * Returns: (transfer full): the copy
 *
 * Since: 0.1
 */
LdbEvent *
ldb_event_copy (const LdbEvent *self)
{
  g_return_val_if_fail (self != NULL, NULL);
  LdbEvent *copy = g_memdup2 (self, sizeof *self);
  copy->message = g_strdup (self->message);
  if (copy->key != NULL)
    g_bytes_ref (copy->key);
  return copy;
}

/**
 * ldb_event_free:
 * @self: (transfer full): an event
 *
 * Frees it.
 *
 * Any thread.
 *
 * Since: 0.1
 */
void
ldb_event_free (LdbEvent *self)
{
  g_clear_pointer (&self->key, g_bytes_unref);
  g_free (self->message);
  g_free (self);
}

static LdbEvent *
event_new (const struct engine_event *from)
{
  LdbEvent *event = g_new0 (LdbEvent, 1);
  event->number = from->number;
  event->kind = (LdbEventKind) from->kind;
  event->time = (gint64) from->time;
  event->last = (gint64) from->last;
  event->times = from->times;
  event->size = from->bytes;
  event->size_read = from->bytes_read;
  event->duration = from->microseconds * 1000;
  event->code = from->kind == ENGINE_EVENT_FAILED || from->kind == ENGINE_EVENT_CORRUPT
                    ? (gint) ldb_error_from_status (from->code)
                    : -1;
  if (from->message[0] != '\0')
    event->message = g_utf8_make_valid (from->message, -1);
  if (from->key_size > 0)
    event->key = g_bytes_new (from->key, MIN (from->key_size, sizeof from->key));
  event->key_length = from->key_size;
  return event;
}

GPtrArray *
ldb_events_list (struct engine *engine, guint64 after)
{
  g_autofree struct engine_event *events = g_new (struct engine_event, ENGINE_EVENTS_KEPT);
  size_t count = engine_events (engine, after, events, ENGINE_EVENTS_KEPT, NULL);
  GPtrArray *list = g_ptr_array_new_with_free_func ((GDestroyNotify) ldb_event_free);
  for (size_t i = 0; i < count; i++)
    g_ptr_array_add (list, event_new (&events[i]));
  return list;
}

/**
 * ldb_database_list_events:
 * @self: a database
 * @after: the number of the last one that is known, or 0
 * @error: return location for an error
 *
 * Lists what happened to the database since this process opened it, oldest first. The newest 256 are
 * kept: 192 of what a load brings with it, and 64 of what is rare, so that many flushes do not drive
 * an error out. Numbers have no gaps: what is missing between two was not kept. After
 * [method@Ldb.Database.take_over] they begin anew.
 *
 * [signal@Ldb.Database::event] tells of events as they happen.
 *
 * Fails with %LDB_ERROR_CLOSED or %LDB_ERROR_FORKED. Does not block; any thread.
 *
 * Returns: (transfer container) (element-type LdbEvent): those with a number above @after
 *
 * Since: 0.1
 */
GPtrArray *
ldb_database_list_events (LdbDatabase *self, guint64 after, GError **error)
{
  g_return_val_if_fail (LDB_IS_DATABASE (self), NULL);
  struct engine *engine = ldb_database_enter (self, error);
  return engine != NULL ? ldb_events_list (engine, after) : NULL;
}

/* ---- in words ---- */

static char *
describe_duration (guint64 nanoseconds)
{
  return nanoseconds < 1000000000 ? g_strdup_printf ("%.1f ms", (double) nanoseconds / 1e6)
                                  : g_strdup_printf ("%.2f s", (double) nanoseconds / 1e9);
}

/* In the language of the process, or as it is in the log. */
static const char *say (gboolean translated, const char *text) G_GNUC_FORMAT (2);

static const char *
say (gboolean translated, const char *text)
{
  return translated ? _ (text) : text;
}

/* With what there is beside the message. */
static char *
describe_figures (const LdbEvent *self, gboolean translated)
{
  g_autofree char *size = g_format_size (self->size);
  g_autofree char *read = g_format_size (self->size_read);
  g_autofree char *duration = describe_duration (self->duration);
  switch (self->kind)
    {
    case LDB_EVENT_OPENED:
      return g_strdup (say (translated, N_ ("The database was opened")));
    case LDB_EVENT_RECOVERED:
      return g_strdup_printf (say (translated, N_ ("%s of the log were read back in %s")), size,
                              duration);
    case LDB_EVENT_FLUSHED:
      return g_strdup_printf (say (translated, N_ ("A memtable was written out: %s in %s")), size,
                              duration);
    case LDB_EVENT_MERGED:
      return g_strdup_printf (say (translated, N_ ("A merge made %s of %s in %s")), size, read,
                              duration);
    case LDB_EVENT_LOADED:
      return g_strdup_printf (say (translated, N_ ("%" PRIu64 " records were loaded")), self->size);
    case LDB_EVENT_BACKED_UP:
      return g_strdup_printf (say (translated, N_ ("A backup of %s was made")), size);
    case LDB_EVENT_STALLED:
      return g_strdup_printf (
          say (translated, N_ ("A writer waited %s for a memtable to be written out")), duration);
    case LDB_EVENT_CONFLICT:
      return g_strdup (say (translated, N_ ("A transaction was refused: another one was quicker")));
    case LDB_EVENT_TIMED_OUT:
      return g_strdup_printf (say (translated, N_ ("A transaction was rolled back after %s")),
                              duration);
    case LDB_EVENT_HEALED:
      return g_strdup (say (translated, N_ ("What had failed works again")));
    case LDB_EVENT_FAILED:
      return g_strdup (say (translated, N_ ("Something failed")));
    case LDB_EVENT_CORRUPT:
      return g_strdup (say (translated, N_ ("Damage was met")));
    case LDB_EVENT_HEALTH:
    default:
      return g_strdup (say (translated, N_ ("The health changed")));
    }
}

char *
ldb_event_describe_in (const LdbEvent *self, gboolean translated)
{
  GString *text = g_string_new (NULL);
  g_autofree char *figures = describe_figures (self, translated);
  g_string_append (text, figures);
  if (self->message != NULL)
    g_string_append_printf (text, say (translated, N_ (": %s")), self->message);
  if (self->times > 1)
    g_string_append_printf (text, say (translated, N_ (" (%" PRIu64 " times)")), self->times);
  return g_string_free (text, FALSE);
}

/**
 * ldb_event_describe:
 * @self: an event
 *
 * Says in a sentence, in the language of the process, what happened. No key is in it, but what an
 * error says, in English, may name files.
 *
 * Any thread.
 *
 * Returns: (transfer full): the sentence
 *
 * Since: 0.1
 */
char *
ldb_event_describe (const LdbEvent *self)
{
  g_return_val_if_fail (self != NULL, NULL);
  return ldb_event_describe_in (self, TRUE);
}

void
ldb_event_write_json (const LdbEvent *self, LdbJson *json)
{
  g_autoptr (GEnumClass) kinds = g_type_class_ref (LDB_TYPE_EVENT_KIND);
  g_autofree char *text = ldb_event_describe_in (self, FALSE);
  ldb_json_begin (json, NULL, '{');
  ldb_json_number (json, "number", self->number);
  ldb_json_text (json, "kind", g_enum_get_value (kinds, (gint) self->kind)->value_nick);
  ldb_json_number (json, "time", (guint64) self->time);
  ldb_json_number (json, "last", (guint64) self->last);
  ldb_json_number (json, "times", self->times);
  ldb_json_number (json, "size", self->size);
  ldb_json_number (json, "size_read", self->size_read);
  ldb_json_number (json, "duration_ns", self->duration);
  ldb_json_text (json, "text", text);
  if (self->key != NULL)
    {
      ldb_json_bytes (json, "key", self->key);
      ldb_json_number (json, "key_length", self->key_length);
    }
  ldb_json_end (json, '}');
}

/**
 * ldb_event_to_json:
 * @self: an event
 *
 * Writes it as one JSON object, the key in conflict among it: as text where it is UTF-8, else in
 * hexadecimal digits as `key_hex`.
 *
 * Any thread.
 *
 * Returns: (transfer full): the object, on one line
 *
 * Since: 0.1
 */
char *
ldb_event_to_json (const LdbEvent *self)
{
  LdbJson json;
  g_return_val_if_fail (self != NULL, NULL);
  ldb_json_init (&json);
  ldb_event_write_json (self, &json);
  return ldb_json_end_text (&json);
}

/* ---- between processes ---- */

GVariant *
ldb_event_to_variant (const LdbEvent *self)
{
  gsize size = 0;
  gconstpointer key = self->key != NULL ? g_bytes_get_data (self->key, &size) : NULL;
  return g_variant_new ("(tuxxttttis@ayt)", self->number, (guint32) self->kind, self->time,
                        self->last, self->times, self->size, self->size_read, self->duration,
                        self->code, self->message != NULL ? self->message : "",
                        g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, key, size, 1),
                        (guint64) self->key_length);
}

/* A kind of a later version is told as news of the health, with its message. */
LdbEvent *
ldb_event_from_variant (GVariant *variant)
{
  LdbEvent *event = g_new0 (LdbEvent, 1);
  guint32 kind;
  guint64 key_length;
  gsize size;
  g_autoptr (GVariant) key = NULL;
  g_variant_get (variant, "(tuxxttttis@ayt)", &event->number, &kind, &event->time, &event->last,
                 &event->times, &event->size, &event->size_read, &event->duration, &event->code,
                 &event->message, &key, &key_length);
  event->kind = kind <= LDB_EVENT_HEALTH ? (LdbEventKind) kind : LDB_EVENT_HEALTH;
  if (*event->message == '\0')
    g_clear_pointer (&event->message, g_free);
  gconstpointer data = g_variant_get_fixed_array (key, &size, 1);
  if (size > 0)
    event->key = g_bytes_new (data, size);
  event->key_length = (gsize) key_length;
  return event;
}
