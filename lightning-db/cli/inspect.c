/* SPDX-License-Identifier: MIT */
/* What a database looks like: inspect. */
#include "text-form.h"
#include "upkeep.h"

#include <stdio.h>

enum figure_kind
{
  FIGURE_COUNT,
  FIGURE_SIZE,
  FIGURE_SHARE, /* 0 … 1, printed in percent */
  FIGURE_RATIO,
};

struct figure
{
  const char *name;      /* in JSON */
  const char *label;     /* for people; to be translated */
  enum figure_kind kind; /* how it is printed */
  gsize offset;          /* in LdbStats */
};

#define FIGURE(member, label, kind)                                                                \
  {                                                                                                \
#member, label, kind, G_STRUCT_OFFSET(LdbStats, member)                                        \
  }

/* The four that say most. */
static const struct figure main_figures[] = {
  FIGURE (keys, N_ ("Total keys"), FIGURE_COUNT),
  FIGURE (disk_bytes, N_ ("Database size"), FIGURE_SIZE),
  FIGURE (tree_depth, N_ ("B+Tree depth"), FIGURE_COUNT),
  FIGURE (page_utilisation, N_ ("Page utilisation"), FIGURE_SHARE),
};

/* --verbose: what lies on the disk and in memory. What was counted since the opening says nothing
 * here, as the opening was a moment ago. */
static const struct figure more_figures[] = {
  FIGURE (sequence, N_ ("Newest commit"), FIGURE_COUNT),
  FIGURE (data_bytes, N_ ("Keys and values"), FIGURE_SIZE),
  FIGURE (compression_ratio, N_ ("Compression ratio"), FIGURE_RATIO),
  FIGURE (runs, N_ ("Sorted runs"), FIGURE_COUNT),
  FIGURE (segments, N_ ("B+Tree files"), FIGURE_COUNT),
  FIGURE (segment_bytes, N_ ("Size of B+Tree files"), FIGURE_SIZE),
  FIGURE (blobs, N_ ("Files of large values"), FIGURE_COUNT),
  FIGURE (blob_bytes, N_ ("Size of large values"), FIGURE_SIZE),
  FIGURE (log_bytes, N_ ("Write-ahead log"), FIGURE_SIZE),
  FIGURE (spare_log_bytes, N_ ("Spare log segments"), FIGURE_SIZE),
  FIGURE (memtable_records, N_ ("Records in memory only"), FIGURE_COUNT),
  FIGURE (pending_compaction_bytes, N_ ("Still to be merged"), FIGURE_SIZE),
  FIGURE (memory_used, N_ ("Memory used"), FIGURE_SIZE),
  FIGURE (memory_budget, N_ ("Memory budget"), FIGURE_SIZE),
};

static char *
format_figure (const LdbStats *stats, const struct figure *figure)
{
  guint64 count = G_STRUCT_MEMBER (guint64, stats, figure->offset);
  double real = G_STRUCT_MEMBER (double, stats, figure->offset);
  switch (figure->kind)
    {
    case FIGURE_SIZE:
      return command_format_size (count);
    case FIGURE_SHARE:
      return g_strdup_printf ("%.0f%%", real * 100);
    case FIGURE_RATIO:
      return g_strdup_printf ("%.2f", real);
    case FIGURE_COUNT:
    default:
      return command_format_count (count);
    }
}

static void
print_figures (const LdbStats *stats, const struct figure *figures, gsize count)
{
  for (gsize i = 0; i < count; i++)
    {
      g_autofree char *text = format_figure (stats, &figures[i]);
      printf ("%s: %s\n", _ (figures[i].label), text);
    }
}

static void
add_figures (JsonBuilder *builder, const LdbStats *stats, const struct figure *figures, gsize count)
{
  for (gsize i = 0; i < count; i++)
    if (figures[i].kind == FIGURE_COUNT || figures[i].kind == FIGURE_SIZE)
      command_add_number (builder, figures[i].name,
                          G_STRUCT_MEMBER (guint64, stats, figures[i].offset));
    else
      {
        json_builder_set_member_name (builder, figures[i].name);
        json_builder_add_double_value (builder, G_STRUCT_MEMBER (double, stats, figures[i].offset));
      }
}

struct store_count
{
  char *name;    /* owned */
  guint64 keys;  /* counted */
  guint64 bytes; /* of the keys */
};

static void
store_count_clear (gpointer count)
{
  g_free (((struct store_count *) count)->name);
}

static gboolean
count_store (LdbDatabase *database, struct store_count *count, GError **error)
{
  g_autoptr (LdbStore) store
      = ldb_database_open_store (database, count->name, LDB_OPEN_NONE, NULL, error);
  if (store == NULL)
    return FALSE;
  g_autoptr (LdbCursor) cursor
      = ldb_store_scan (store, NULL, 0, NULL, 0, LDB_SCAN_KEYS_ONLY, error);
  if (cursor == NULL)
    return FALSE;
  GError *failure = NULL;
  while (ldb_cursor_next (cursor, NULL, &failure))
    {
      gsize size;
      ldb_cursor_peek_key (cursor, &size);
      count->keys++;
      count->bytes += size;
    }
  if (failure != NULL)
    g_propagate_error (error, failure);
  return failure == NULL;
}

/* Counts every key of every store. NULL: error. */
static GArray *
count_stores (LdbDatabase *database, GError **error)
{
  g_auto (GStrv) names = ldb_database_list_stores (database, NULL, error);
  if (names == NULL)
    return NULL;
  g_autoptr (GArray) counts = g_array_new (FALSE, FALSE, sizeof (struct store_count));
  g_array_set_clear_func (counts, store_count_clear);
  for (gsize i = 0; names[i] != NULL; i++)
    {
      struct store_count count = { .name = g_strdup (names[i]) };
      g_array_append_val (counts, count);
      if (!count_store (database, &g_array_index (counts, struct store_count, i), error))
        return NULL;
    }
  return g_steal_pointer (&counts);
}

static void
print_counts (const GArray *counts)
{
  for (guint i = 0; counts != NULL && i < counts->len; i++)
    {
      const struct store_count *count = &g_array_index (counts, struct store_count, i);
      g_autofree char *keys = command_format_count (count->keys);
      g_autofree char *size = command_format_size (count->bytes);
      g_autofree char *name = text_form_show (count->name, "");
      printf (_ ("Store “%s”: %s keys, together %s\n"), name, keys, size);
    }
}

/* Of the database, here or in the application. */
static const char *
path_of (const struct invocation *invocation)
{
  return invocation->inspector != NULL ? ldb_running_database_get_path (
             ldb_inspector_get_running_database (invocation->inspector))
                                       : ldb_database_get_path (invocation->database);
}

static const char *
id_of (const struct invocation *invocation)
{
  return invocation->inspector != NULL ? ldb_running_database_get_id (
             ldb_inspector_get_running_database (invocation->inspector))
                                       : ldb_database_get_id (invocation->database);
}

/* The statistics; with `count`, what is in each store, which is read here. */
static LdbStats *
look (struct invocation *invocation, gboolean count, GArray **counts, GError **error)
{
  g_autoptr (LdbStats) stats = invocation->inspector != NULL
                                   ? ldb_inspector_get_stats (invocation->inspector, NULL, error)
                                   : ldb_database_get_stats (invocation->database, error);
  if (stats == NULL
      || (count
          && ((invocation->inspector != NULL && !command_open_beside (invocation, error))
              || (*counts = count_stores (invocation->database, error)) == NULL)))
    return NULL;
  return g_steal_pointer (&stats);
}

static void
print_json (struct invocation *invocation, const LdbStats *stats, const GArray *counts)
{
  JsonBuilder *builder = json_builder_new ();
  json_builder_begin_object (builder);
  command_add_text (builder, "path", path_of (invocation));
  command_add_text (builder, "id", id_of (invocation));
  add_figures (builder, stats, main_figures, G_N_ELEMENTS (main_figures));
  add_figures (builder, stats, more_figures, G_N_ELEMENTS (more_figures));
  if (counts != NULL)
    {
      json_builder_set_member_name (builder, "stores");
      json_builder_begin_object (builder);
      for (guint i = 0; i < counts->len; i++)
        {
          const struct store_count *count = &g_array_index (counts, struct store_count, i);
          command_add_number (builder, count->name, count->keys);
        }
      json_builder_end_object (builder);
    }
  json_builder_end_object (builder);
  command_print_json (builder);
}

enum exit_status
inspect_run (struct invocation *invocation)
{
  gboolean verbose = FALSE;
  gboolean count = FALSE;
  const GOptionEntry entries[] = {
    { "verbose", 'v', 0, G_OPTION_ARG_NONE, &verbose, N_ ("Print everything there is to know"),
      NULL },
    { "count", 0, 0, G_OPTION_ARG_NONE, &count,
      N_ ("Count the keys of every store by reading them all"), NULL },
    { NULL },
  };
  GError *error = NULL;
  g_autoptr (LdbStats) stats = NULL;
  g_autoptr (GArray) counts = NULL;
  if (!command_parse (invocation, entries, NULL,
                      _ ("The total of keys is exact once the database has settled to one sorted "
                         "run; before, deleted and overwritten ones may count."),
                      &error)
      || !command_open_look (invocation, &error) || !command_finish (invocation, &error)
      || (stats = look (invocation, count, &counts, &error)) == NULL)
    return command_fail (invocation, error);
  if (invocation->json)
    {
      print_json (invocation, stats, counts);
      return EXIT_STATUS_DONE;
    }
  print_figures (stats, main_figures, G_N_ELEMENTS (main_figures));
  if (verbose)
    {
      g_autofree char *path = text_form_show (path_of (invocation), "");
      printf (_ ("Path: %s\n"), path);
      printf (_ ("Identity: %s\n"), id_of (invocation));
      print_figures (stats, more_figures, G_N_ELEMENTS (more_figures));
    }
  print_counts (counts);
  return EXIT_STATUS_DONE;
}
