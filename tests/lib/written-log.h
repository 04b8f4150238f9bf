/* SPDX-License-Identifier: MIT */
/*
 * What the library writes to the log, for tests: each line with its fields, checked to be as
 * ldb-log-list.h says, and to come on the application's thread.
 */
#pragma once

#include <string.h>

#include "ldb-test.h"

static const struct
{
  const char *name, *id, *domain, *fields; /* as in ldb-log-list.h */
  GLogLevelFlags level;
} log_kinds[] = {
#define LDB_LOG_KIND(constant, name, level, domain, id, fields)                                    \
  { name, id, domain, fields, G_LOG_LEVEL_##level },
#include "base/ldb-log-list.h"
#undef LDB_LOG_KIND
};

/* What was seen of each kind in this program: a set of names of fields; NULL: no line. */
static GHashTable *log_seen[G_N_ELEMENTS (log_kinds)];

typedef struct
{
  GThread *thread;  /* that may write */
  GPtrArray *lines; /* what was written: GHashTable of fields; owned */
} WrittenLog;

static WrittenLog written_log;

static inline gboolean
written_field_is_of_all (const char *name)
{
  static const char *const of_all[]
      = { "GLIB_DOMAIN", "PRIORITY", "MESSAGE", "MESSAGE_ID", "LDB_EVENT", NULL };
  return g_strv_contains (of_all, name);
}

/* As the list has it. */
static inline void
written_line_check (GHashTable *line, GLogLevelFlags level)
{
  guint kind = 0;
  GHashTableIter iter;
  gpointer name, value;
  while (kind < G_N_ELEMENTS (log_kinds)
         && strcmp (log_kinds[kind].name, g_hash_table_lookup (line, "LDB_EVENT")) != 0)
    kind++;
  g_assert_cmpuint (kind, <, G_N_ELEMENTS (log_kinds));
  g_assert_cmpint (log_kinds[kind].level, ==, level);
  g_assert_cmpstr (g_hash_table_lookup (line, "MESSAGE_ID"), ==, log_kinds[kind].id);
  g_assert_cmpstr (g_hash_table_lookup (line, "GLIB_DOMAIN"), ==, log_kinds[kind].domain);
  g_assert_nonnull (g_hash_table_lookup (line, "PRIORITY"));
  g_auto (GStrv) fields = g_strsplit (log_kinds[kind].fields, " ", -1);
  if (log_seen[kind] == NULL)
    log_seen[kind] = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_hash_table_iter_init (&iter, line);
  while (g_hash_table_iter_next (&iter, &name, &value))
    {
      g_hash_table_add (log_seen[kind], g_strdup (name));
      g_assert_true (written_field_is_of_all (name)
                     || g_strv_contains ((const char *const *) fields, name));
      /* A path is told as it is, in its field. */
      for (const guchar *at = value; *at != '\0' && strcmp (name, "LDB_DATABASE") != 0; at++)
        g_assert_cmpuint (*at, >=, 0x20);
    }
}

static inline GLogWriterOutput
written_log_write (GLogLevelFlags level, const GLogField *fields, gsize count, gpointer data)
{
  g_autoptr (GHashTable) line = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  for (gsize i = 0; i < count; i++)
    if (fields[i].length < 0)
      g_hash_table_insert (line, g_strdup (fields[i].key), g_strdup (fields[i].value));
  if (!g_hash_table_contains (line, "LDB_EVENT"))
    return g_log_writer_default (level, fields, count, NULL);
  g_assert_true (g_thread_self () == written_log.thread);
  written_line_check (line, level);
  g_ptr_array_add (written_log.lines, g_steal_pointer (&line));
  return G_LOG_WRITER_HANDLED;
}

/* From here on; once in a program. */
static inline void
written_log_begin (void)
{
  written_log.thread = g_thread_self ();
  written_log.lines = g_ptr_array_new_with_free_func ((GDestroyNotify) g_hash_table_unref);
  g_log_set_writer_func (written_log_write, NULL, NULL);
}

static inline void
written_log_clear (void)
{
  g_ptr_array_set_size (written_log.lines, 0);
}

/* The newest line of that kind (and, unless NULL, for that LDB_REASON); NULL: there is none. */
static inline GHashTable *
written_log_find (const char *event, const char *reason)
{
  for (guint i = written_log.lines->len; i > 0; i--)
    {
      GHashTable *line = g_ptr_array_index (written_log.lines, i - 1);
      if (g_str_equal (g_hash_table_lookup (line, "LDB_EVENT"), event)
          && (reason == NULL || g_strcmp0 (g_hash_table_lookup (line, "LDB_REASON"), reason) == 0))
        return line;
    }
  return NULL;
}

static inline guint
written_log_count (const char *event)
{
  guint count = 0;
  for (guint i = 0; i < written_log.lines->len; i++)
    count += g_str_equal (
        g_hash_table_lookup (g_ptr_array_index (written_log.lines, i), "LDB_EVENT"), event);
  return count;
}

/* Runs the main loop until there is one. */
static inline GHashTable *
written_log_wait (const char *event, const char *reason)
{
  GHashTable *line;
  while ((line = written_log_find (event, reason)) == NULL)
    g_main_context_iteration (NULL, TRUE);
  return line;
}

static inline const char *
written_field (GHashTable *line, const char *name)
{
  g_assert_nonnull (line);
  const char *value = g_hash_table_lookup (line, name);
  g_assert_nonnull (value);
  return value;
}

/* Which program shows a kind: that of those whose names begin so, or test-log. A kind that is added belongs
 * to one of them, and fails there until it is shown. */
static const char *const written_log_elsewhere[] = { "inspector-", "monitor-" };

static inline gboolean
written_log_is_ours (const char *name, const char *prefix)
{
  if (prefix != NULL)
    return g_str_has_prefix (name, prefix);
  for (guint i = 0; i < G_N_ELEMENTS (written_log_elsewhere); i++)
    if (g_str_has_prefix (name, written_log_elsewhere[i]))
      return FALSE;
  return TRUE;
}

/* At the end: every kind whose name begins with `prefix` (NULL: that is shown nowhere else) was written
 * in this program, and all its fields. How many lines a flood left out (LDB_HELD_BACK) is one way for all
 * kinds: test-inspection-abuse has it. */
static inline void
written_log_check_complete (const char *prefix)
{
  gboolean complete = TRUE;
  for (guint kind = 0; kind < G_N_ELEMENTS (log_kinds); kind++)
    {
      g_auto (GStrv) fields = g_strsplit (log_kinds[kind].fields, " ", -1);
      if (!written_log_is_ours (log_kinds[kind].name, prefix))
        continue;
      for (guint i = 0; fields[i] != NULL; i++)
        if (!g_str_equal (fields[i], "LDB_HELD_BACK")
            && (log_seen[kind] == NULL || !g_hash_table_contains (log_seen[kind], fields[i])))
          {
            g_printerr ("no test shows %s of the log line %s\n", fields[i], log_kinds[kind].name);
            complete = FALSE;
          }
    }
  g_assert_true (complete);
}
