/* SPDX-License-Identifier: MIT */
/* How a database lies on the disk: storage. */
#include "storage.h"

#include "columns.h"
#include "text-form.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define BAR_WIDTH 16u
#define NAME_WIDTH 22
#define KEY_SHOWN 24u /* bytes of a key in a table */
#define HEX_WIDTH 16u /* bytes a line */

/* What a look is for. */
struct look
{
  gint64 segment;   /* --segment; -1: none */
  gint64 page;      /* --page; -1: none */
  char *key;        /* --locate; owned */
  char *input_name; /* --input; owned */
  gboolean read;    /* --read */
};

/* ---- words ---- */

static const char *
codec_name (LdbPageCodec codec)
{
  static const char *const names[] = { "raw", "zstd", "lz4", "snappy" };
  return codec <= LDB_PAGE_CODEC_SNAPPY ? names[codec] : "?";
}

/* The codec that most pages have. */
static const char *
main_codec (const LdbStorageFigures *figures)
{
  const guint64 pages[]
      = { figures->raw_pages, figures->zstd_pages, figures->lz4_pages, figures->snappy_pages };
  guint most = 0;
  for (guint i = 1; i < G_N_ELEMENTS (pages); i++)
    if (pages[i] > pages[most])
      most = i;
  return codec_name ((LdbPageCodec) most);
}

static const char *
filter_name (LdbFilterKind filter)
{
  return filter == LDB_FILTER_BLOOM ? "bloom" : filter == LDB_FILTER_FUSE ? "fuse" : "none";
}

/* One letter a fact: what the cache knows. */
static void
append_heat (GString *to, LdbPageHeat heat)
{
  if ((heat & LDB_PAGE_HEAT_MAPPED) != 0)
    g_string_append (to, "M");
  else if ((heat & LDB_PAGE_HEAT_CACHED) == 0)
    g_string_append (to, "-");
  else
    g_string_append (to, (heat & LDB_PAGE_HEAT_SCANNED) != 0    ? "s"
                         : (heat & LDB_PAGE_HEAT_FREQUENT) != 0 ? "2"
                                                                : "1");
  if ((heat & LDB_PAGE_HEAT_REFERENCED) != 0)
    g_string_append (to, "r");
  if ((heat & LDB_PAGE_HEAT_PINNED) != 0)
    g_string_append (to, "p");
}

static void
append_key (GString *to, GBytes *key)
{
  if (key == NULL)
    return;
  gsize size;
  const guint8 *data = g_bytes_get_data (key, &size);
  text_form_append_escaped (to, data, MIN (size, KEY_SHOWN));
  if (size > KEY_SHOWN)
    g_string_append (to, "…");
}

static void
append_size (GString *to, guint64 bytes)
{
  g_autofree char *text = command_format_size (bytes);
  column_append_right (to, text, 9);
}

static void
append_count (GString *to, guint64 count)
{
  g_autofree char *text = command_format_count (count);
  column_append_right (to, text, 11);
}

/* A name may have any characters, also such as steer a terminal. */
static void
append_plain (GString *to, const char *name)
{
  for (const char *at = name; *at != '\0'; at = g_utf8_next_char (at))
    {
      gunichar letter = g_utf8_get_char (at);
      g_string_append_unichar (to, g_unichar_iscntrl (letter) ? '?' : letter);
    }
}

/* ---- the map ---- */

static LdbStorageNode *
child_of (LdbStorageNode *node, guint position)
{
  LdbStorageNode *child = g_list_model_get_item (G_LIST_MODEL (node), position);
  g_object_unref (child); /* the parent holds it */
  return child;
}

static guint
count_of (LdbStorageNode *node)
{
  return g_list_model_get_n_items (G_LIST_MODEL (node));
}

/* name, size, a bar of its share of everything, records */
static void
append_line (GString *to, guint depth, const char *name, const LdbStorageFigures *figures,
             guint64 whole)
{
  g_autoptr (GString) indented = g_string_new (NULL);
  for (guint i = 0; i < depth; i++)
    g_string_append (indented, "  ");
  append_plain (indented, name);
  column_append_cut (to, indented->str, NAME_WIDTH - 1);
  g_string_append_c (to, ' ');
  append_size (to, figures->bytes);
  g_string_append_c (to, ' ');
  bar_append (to, whole > 0 ? (double) figures->bytes / (double) whole : 0, BAR_WIDTH);
  append_count (to, figures->records);
}

static void
append_segment (GString *to, LdbStorageNode *segment, guint64 whole)
{
  const LdbStorageFigures *figures = ldb_storage_node_get_figures (segment);
  append_line (to, 2, ldb_storage_node_get_name (segment), figures, whole);
  g_string_append_printf (to, "  %3.0f%% ", ldb_storage_node_get_fill (segment) * 100);
  g_string_append_printf (to, "%" PRIu64 " ", figures->depth);
  column_append_left (to, main_codec (figures), 7);
  column_append_left (to, filter_name (ldb_storage_node_get_filter (segment)), 6);
  append_key (to, ldb_storage_node_get_smallest (segment));
  g_string_append (to, " – ");
  append_key (to, ldb_storage_node_get_largest (segment));
  if ((ldb_storage_node_get_state (segment) & LDB_STORAGE_STATE_NARROWED) != 0)
    g_string_append (to, _ (" (in part)"));
  g_string_append_c (to, '\n');
}

static void
append_run (GString *to, LdbStorageNode *run, guint64 whole)
{
  g_autofree char *name = g_strdup_printf (_ ("run %" PRIu64), ldb_storage_node_get_number (run));
  append_line (to, 1, name, ldb_storage_node_get_figures (run), whole);
  if ((ldb_storage_node_get_state (run) & LDB_STORAGE_STATE_MERGING) != 0)
    g_string_append (to, _ ("  being merged"));
  g_string_append_c (to, '\n');
  for (guint i = 0; i < count_of (run); i++)
    append_segment (to, child_of (run, i), whole);
}

static void
append_level (GString *to, LdbStorageNode *level, guint64 whole)
{
  g_autofree char *name
      = g_strdup_printf (_ ("level %" PRIu64), ldb_storage_node_get_number (level));
  append_line (to, 0, name, ldb_storage_node_get_figures (level), whole);
  g_string_append_c (to, '\n');
  for (guint i = 0; i < count_of (level); i++)
    append_run (to, child_of (level, i), whole);
}

static void
append_memtables (GString *to, LdbStorageNode *group)
{
  for (guint i = 0; i < count_of (group); i++)
    {
      LdbStorageNode *table = child_of (group, i);
      const LdbStorageFigures *figures = ldb_storage_node_get_figures (table);
      column_append_left (to, i == 0 ? _ ("in memory") : _ ("  full, to be written"), NAME_WIDTH);
      append_size (to, figures->memory_bytes);
      g_string_append_printf (to, " %*s", (int) BAR_WIDTH, "");
      append_count (to, figures->records);
      g_string_append_c (to, '\n');
    }
}

static void
append_blobs (GString *to, LdbStorageNode *group, guint64 whole)
{
  if (count_of (group) == 0)
    return;
  LdbStorageFigures all = *ldb_storage_node_get_figures (group);
  all.records = all.blob_values;
  append_line (to, 0, _ ("large values"), &all, whole);
  g_string_append_c (to, '\n');
  for (guint i = 0; i < count_of (group); i++)
    {
      LdbStorageNode *file = child_of (group, i);
      const LdbStorageFigures *figures = ldb_storage_node_get_figures (file);
      double live = figures->bytes > 0 ? (double) figures->blob_bytes / (double) figures->bytes : 0;
      column_append_left (to, "", 2);
      column_append_left (to, ldb_storage_node_get_name (file), NAME_WIDTH - 2);
      append_size (to, figures->bytes);
      g_string_append_c (to, ' ');
      bar_append (to, live, BAR_WIDTH);
      append_count (to, figures->blob_values);
      g_string_append_printf (to, _ ("  %3.0f%% alive\n"), MIN (live, 1) * 100);
    }
}

static void
append_group (GString *to, const char *name, LdbStorageNode *group, guint64 whole)
{
  g_autofree char *files = g_strdup_printf (
      g_dngettext (NULL, "  %u file", "  %u files", count_of (group)), count_of (group));
  const LdbStorageFigures *figures = ldb_storage_node_get_figures (group);
  column_append_left (to, name, NAME_WIDTH);
  append_size (to, figures->bytes);
  g_string_append_c (to, ' ');
  bar_append (to, whole > 0 ? (double) figures->bytes / (double) whole : 0, BAR_WIDTH);
  column_append_right (to, "", 11);
  g_string_append (to, files);
  g_string_append_c (to, '\n');
}

static void
append_stores (GString *to, LdbStorageMap *map)
{
  GListModel *stores = ldb_storage_map_get_stores (map);
  guint64 whole = 0;
  g_string_append (to, _ ("\nSTORE                      SIZE                      RECORDS\n"));
  for (guint i = 0; i < g_list_model_get_n_items (stores); i++)
    {
      g_autoptr (LdbStorageNode) store = g_list_model_get_item (stores, i);
      whole += ldb_storage_node_get_figures (store)->bytes;
    }
  for (guint i = 0; i < g_list_model_get_n_items (stores); i++)
    {
      g_autoptr (LdbStorageNode) store = g_list_model_get_item (stores, i);
      LdbStorageState state = ldb_storage_node_get_state (store);
      const char *name = ldb_storage_node_get_name (store);
      g_autofree char *dropped
          = g_strdup_printf (_ ("(dropped: %" PRIu64 ")"), ldb_storage_node_get_number (store));
      g_autofree char *system = g_strdup_printf ("(%s)", name != NULL ? name : "");
      if ((state & LDB_STORAGE_STATE_SYSTEM) != 0)
        name = system;
      append_line (to, 0, name != NULL ? name : dropped, ldb_storage_node_get_figures (store),
                   whole);
      g_string_append (to, (state & LDB_STORAGE_STATE_APPROXIMATE) != 0 ? _ ("  about\n") : "\n");
    }
}

static void
append_map (GString *to, LdbStorageMap *map)
{
  LdbStorageNode *root = ldb_storage_map_get_root (map);
  guint64 whole = ldb_storage_node_get_figures (root)->bytes;
  g_string_append (to, _ ("WHERE                      SIZE                      RECORDS  FILL, "
                          "DEPTH, CODEC, FILTER, KEYS\n"));
  for (guint i = 0; i < count_of (root); i++)
    {
      LdbStorageNode *node = child_of (root, i);
      const char *name = ldb_storage_node_get_name (node);
      if (ldb_storage_node_get_kind (node) == LDB_STORAGE_LEVEL)
        append_level (to, node, whole);
      else if (g_strcmp0 (name, "memtables") == 0)
        append_memtables (to, node);
      else if (g_strcmp0 (name, "large values") == 0)
        append_blobs (to, node, whole);
      else if (g_strcmp0 (name, "log") == 0)
        append_group (to, _ ("log"), node, whole);
      else
        append_group (to, _ ("other files"), node, whole);
    }
  append_line (to, 0, _ ("together"), ldb_storage_node_get_figures (root), whole);
  g_string_append_c (to, '\n');
  append_stores (to, map);
}

static gboolean
print_map (struct invocation *invocation, GError **error)
{
  g_autoptr (LdbStorageMap) map
      = invocation->inspector != NULL
            ? ldb_inspector_load_storage_map (invocation->inspector, NULL, error)
            : ldb_database_load_storage_map (invocation->database, NULL, error);
  if (map == NULL)
    return FALSE;
  g_autofree char *json = invocation->json ? ldb_storage_map_to_json (map) : NULL;
  g_autoptr (GString) text = g_string_new (NULL);
  if (json == NULL)
    append_map (text, map);
  command_print (invocation, json != NULL ? json : text->str);
  if (json != NULL)
    putchar ('\n');
  GPtrArray *faults = ldb_storage_map_get_faults (map);
  for (guint i = 0; i < faults->len; i++)
    {
      const LdbFault *fault = g_ptr_array_index (faults, i);
      command_complain (fault->reason);
    }
  return TRUE;
}

/* ---- pages ---- */

static void
append_page_json (GString *to, const LdbPage *page)
{
  g_string_append_printf (to,
                          "{\"page\":%" PRIu64 ",\"level\":%u,\"offset\":%" PRIu64
                          ",\"stored\":%" PRIu64 ",\"used\":%" PRIu64 ",\"logical\":%" PRIu64
                          ",\"codec\":\"%s\",\"heat\":\"",
                          page->number, page->level, page->offset, page->stored_size,
                          page->used_size, page->logical_size, codec_name (page->codec));
  append_heat (to, page->heat);
  g_string_append_c (to, '"');
  if (page->is_read)
    g_string_append_printf (to, ",\"records\":%u,\"deletes\":%u", page->records, page->deletes);
  if (page->key != NULL)
    {
      gsize size;
      const guint8 *data = g_bytes_get_data (page->key, &size);
      g_string_append_printf (to, ",\"store\":%u,", page->store);
      text_form_append_json_member (to, "key", data, size);
    }
  if (page->fault != NULL)
    {
      g_string_append (to, ",\"fault\":");
      text_form_append_json_string (to, page->fault, strlen (page->fault));
    }
  g_string_append (to, "}\n");
}

static void
append_page (GString *to, const LdbPage *page)
{
  double fill = page->logical_size > 0 ? (double) page->used_size / (double) page->logical_size : 0;
  g_string_append_printf (to, "%8" PRIu64 " %5u ", page->number, page->level);
  append_size (to, page->stored_size);
  g_string_append_c (to, ' ');
  bar_append (to, fill, BAR_WIDTH);
  g_string_append_printf (to, " %3.0f%%  ", fill * 100);
  column_append_left (to, codec_name (page->codec), 7);
  g_autoptr (GString) heat = g_string_new (NULL);
  append_heat (heat, page->heat);
  column_append_left (to, heat->str, 5);
  if (page->is_read)
    g_string_append_printf (to, "%7u  ", page->records);
  else
    column_append_left (to, "", 9);
  append_key (to, page->key);
  if (page->fault != NULL)
    g_string_append_printf (to, _ ("DAMAGED: %s"), page->fault);
  g_string_append_c (to, '\n');
}

/* Whether there was a damaged one. */
static gboolean
print_pages (struct invocation *invocation, const struct look *look, gboolean *damaged,
             GError **error)
{
  guint64 segment = (guint64) look->segment;
  g_autoptr (GPtrArray) pages = invocation->inspector != NULL
                                    ? ldb_inspector_list_pages (invocation->inspector, segment, 0,
                                                                G_MAXUINT, look->read, NULL, error)
                                    : ldb_database_list_pages (invocation->database, segment, 0,
                                                               G_MAXUINT, look->read, NULL, error);
  if (pages == NULL)
    return FALSE;
  g_autoptr (GString) text = g_string_new (NULL);
  if (!invocation->json)
    g_string_append (text,
                     _ ("    PAGE LEVEL    STORED FILL                   CODEC  HEAT RECORDS  "
                        "KEYS FROM\n"));
  for (guint i = 0; i < pages->len; i++)
    {
      const LdbPage *page = g_ptr_array_index (pages, i);
      *damaged |= page->fault != NULL;
      if (invocation->json)
        append_page_json (text, page);
      else
        append_page (text, page);
    }
  command_print (invocation, text->str);
  return TRUE;
}

/* ---- one page ---- */

static void
append_hex (GString *to, GBytes *bytes)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (bytes, &size);
  for (gsize line = 0; line < size; line += HEX_WIDTH)
    {
      gsize length = MIN (size - line, HEX_WIDTH);
      g_string_append_printf (to, "%08" G_GSIZE_MODIFIER "x ", line);
      for (gsize i = 0; i < HEX_WIDTH; i++)
        if (i < length)
          g_string_append_printf (to, " %02x", data[line + i]);
        else
          g_string_append (to, "   ");
      g_string_append (to, "  ");
      for (gsize i = 0; i < length; i++)
        g_string_append_c (to, g_ascii_isprint (data[line + i]) ? (char) data[line + i] : '.');
      g_string_append_c (to, '\n');
    }
}

static const char *
version_name (LdbVersionKind kind)
{
  return kind == LDB_VERSION_PUT ? "put" : kind == LDB_VERSION_DELETE ? "delete" : "blob";
}

static void
append_record (GString *to, const LdbPageRecord *record, guint slot, gboolean leaf)
{
  g_string_append_printf (to, "%5u %6" PRIu64 " +%-6" PRIu64 " ", slot, record->offset,
                          record->size);
  if (leaf)
    g_string_append_printf (to,
                            "%-6s @%-8" PRIu64 " %8" PRIu64 "  %u:", version_name (record->kind),
                            record->sequence, record->value_size, record->store);
  else
    g_string_append_printf (to, _ ("to page %-8" PRIu64 "  %u:"), record->child, record->store);
  append_key (to, record->key);
  if (record->blob_file != 0)
    g_string_append_printf (to, "  %" PRIu64 ".blob +%" PRIu64, record->blob_file,
                            record->blob_offset);
  g_string_append_c (to, '\n');
}

static void
append_contents (GString *to, LdbPageContents *contents)
{
  LdbPage *page = ldb_page_contents_get_page (contents);
  GPtrArray *fields = ldb_page_contents_get_fields (contents);
  GPtrArray *records = ldb_page_contents_get_records (contents);
  GBytes *decoded = ldb_page_contents_get_decoded (contents);
  GBytes *stored = ldb_page_contents_get_stored (contents);
  g_string_append_printf (to, _ ("%s, page %" PRIu64 "\n"), ldb_page_contents_get_file (contents),
                          page->number);
  append_page (to, page);
  for (guint i = 0; i < fields->len; i++)
    {
      const LdbPageField *field = g_ptr_array_index (fields, i);
      g_string_append_printf (to, "%6" PRIu64 " +%-6" PRIu64 " %s", field->offset, field->size,
                              field->name);
      if (field->is_number)
        g_string_append_printf (to, " = %" PRIu64, field->value);
      g_string_append_c (to, '\n');
    }
  for (guint i = 0; i < records->len; i++)
    append_record (to, g_ptr_array_index (records, i), i, page->level == 0);
  if (decoded != NULL || stored != NULL)
    g_string_append (to, decoded != NULL ? _ ("decoded:\n") : _ ("in the file:\n"));
  if (decoded != NULL || stored != NULL)
    append_hex (to, decoded != NULL ? decoded : stored);
}

static void
append_hex_member (GString *to, const char *name, GBytes *bytes)
{
  if (bytes == NULL)
    return;
  gsize size;
  const guint8 *data = g_bytes_get_data (bytes, &size);
  g_string_append_printf (to, ",\"%s\":\"", name);
  text_form_append_hex (to, data, size);
  g_string_append_c (to, '"');
}

static void
append_contents_json (GString *to, LdbPageContents *contents)
{
  GPtrArray *fields = ldb_page_contents_get_fields (contents);
  GPtrArray *records = ldb_page_contents_get_records (contents);
  append_page_json (to, ldb_page_contents_get_page (contents));
  g_string_truncate (to, to->len - 2); /* to go on in the object */
  g_string_append (to, ",\"fields\":[");
  for (guint i = 0; i < fields->len; i++)
    {
      const LdbPageField *field = g_ptr_array_index (fields, i);
      g_string_append (to, i > 0 ? ",{\"name\":" : "{\"name\":");
      text_form_append_json_string (to, field->name, strlen (field->name));
      g_string_append_printf (to, ",\"offset\":%" PRIu64 ",\"size\":%" PRIu64, field->offset,
                              field->size);
      if (field->is_number)
        g_string_append_printf (to, ",\"value\":%" PRIu64, field->value);
      g_string_append_c (to, '}');
    }
  g_string_append (to, "],\"contents\":[");
  for (guint i = 0; i < records->len; i++)
    {
      const LdbPageRecord *record = g_ptr_array_index (records, i);
      gsize size;
      const guint8 *data = g_bytes_get_data (record->key, &size);
      g_string_append_printf (to, "%s{\"offset\":%" PRIu64 ",\"size\":%" PRIu64 ",\"store\":%u,",
                              i > 0 ? "," : "", record->offset, record->size, record->store);
      text_form_append_json_member (to, "key", data, size);
      if (ldb_page_contents_get_page (contents)->level == 0)
        g_string_append_printf (
            to, ",\"kind\":\"%s\",\"sequence\":%" PRIu64 ",\"value_size\":%" PRIu64 "}",
            version_name (record->kind), record->sequence, record->value_size);
      else
        g_string_append_printf (to, ",\"child\":%" PRIu64 "}", record->child);
    }
  g_string_append_c (to, ']');
  append_hex_member (to, "stored_hex", ldb_page_contents_get_stored (contents));
  append_hex_member (to, "decoded_hex", ldb_page_contents_get_decoded (contents));
  g_string_append (to, "}\n");
}

static gboolean
print_page (struct invocation *invocation, const struct look *look, gboolean *damaged,
            GError **error)
{
  guint64 segment = (guint64) look->segment, page = (guint64) look->page;
  g_autoptr (LdbPageContents) contents
      = invocation->inspector != NULL
            ? ldb_inspector_read_page (invocation->inspector, segment, page, NULL, error)
            : ldb_database_read_page (invocation->database, segment, page, NULL, error);
  if (contents == NULL)
    return FALSE;
  *damaged = ldb_page_contents_get_page (contents)->fault != NULL;
  g_autoptr (GString) text = g_string_new (NULL);
  if (invocation->json)
    append_contents_json (text, contents);
  else
    append_contents (text, contents);
  command_print (invocation, text->str);
  return TRUE;
}

/* ---- one key ---- */

static const char *
verdict_name (LdbLocationVerdict verdict)
{
  static const char *const names[] = { "outside", "filtered", "absent", "found", "fault" };
  return names[verdict];
}

static const char *
verdict_words (const LdbKeyLocation *location)
{
  switch (location->verdict)
    {
    case LDB_LOCATION_OUTSIDE:
      return _ ("no segment reaches over the key");
    case LDB_LOCATION_FILTERED:
      return _ ("the filter rules it out");
    case LDB_LOCATION_FOUND:
      return C_ ("key", "found");
    case LDB_LOCATION_FAULT:
      return _ ("damaged");
    case LDB_LOCATION_ABSENT:
    default:
      return location->filter != LDB_FILTER_NONE ? _ ("not there, though the filter said perhaps")
                                                 : _ ("not there");
    }
}

static void
append_location (GString *to, const LdbKeyLocation *location)
{
  g_string_append (to, location->decides ? "→ " : "  ");
  if (location->in_memory)
    g_string_append (to, location->memtable == 0 ? _ ("memory: ") : _ ("memory, full: "));
  else
    g_string_append_printf (to, _ ("run %" PRIu64 ", level %u: "), location->run, location->level);
  g_string_append (to, verdict_words (location));
  if (location->verdict == LDB_LOCATION_FOUND)
    {
      g_string_append_printf (to, ": %s @%" PRIu64, version_name (location->kind),
                              location->sequence);
      if (location->kind != LDB_VERSION_DELETE)
        g_string_append_printf (to, _ (", %" PRIu64 " bytes"), location->value_size);
      if (location->blob_file != 0)
        g_string_append_printf (to, _ (" in %" PRIu64 ".blob"), location->blob_file);
      if (!location->in_memory)
        g_string_append_printf (to, _ ("; segment %" PRIu64 ", page %" PRIu64 ", slot %" PRIu64),
                                location->segment, location->page, location->slot);
    }
  else if (location->segment != 0)
    g_string_append_printf (to, _ ("; segment %" PRIu64), location->segment);
  if (location->range_delete != 0)
    g_string_append_printf (to, _ ("; a range deleted @%" PRIu64 " covers it"),
                            location->range_delete);
  if (location->fault != NULL)
    g_string_append_printf (to, ": %s", location->fault);
  g_string_append_c (to, '\n');
}

static void
append_location_json (GString *to, const LdbKeyLocation *location)
{
  g_string_append_printf (to, "{\"verdict\":\"%s\",\"decides\":%s",
                          verdict_name (location->verdict), location->decides ? "true" : "false");
  if (location->in_memory)
    g_string_append_printf (to, ",\"memtable\":%u", location->memtable);
  else
    g_string_append_printf (to,
                            ",\"run\":%" PRIu64 ",\"level\":%u,\"segment\":%" PRIu64
                            ",\"filter\":\"%s\",\"filter_loaded\":%s",
                            location->run, location->level, location->segment,
                            filter_name (location->filter),
                            location->filter_loaded ? "true" : "false");
  if (location->verdict == LDB_LOCATION_FOUND)
    g_string_append_printf (to, ",\"kind\":\"%s\",\"sequence\":%" PRIu64 ",\"value_size\":%" PRIu64,
                            version_name (location->kind), location->sequence,
                            location->value_size);
  if (location->verdict == LDB_LOCATION_FOUND && !location->in_memory)
    g_string_append_printf (to, ",\"page\":%" PRIu64 ",\"slot\":%" PRIu64, location->page,
                            location->slot);
  if (location->range_delete != 0)
    g_string_append_printf (to, ",\"range_delete\":%" PRIu64, location->range_delete);
  if (location->fault != NULL)
    {
      g_string_append (to, ",\"fault\":");
      text_form_append_json_string (to, location->fault, strlen (location->fault));
    }
  g_string_append (to, "}\n");
}

/* Whether a reader finds it is the answer. */
static gboolean
print_places (struct invocation *invocation, const struct look *look, gboolean *there,
              GError **error)
{
  enum text_form input = TEXT_FORM_TEXT;
  if (look->input_name != NULL && !text_form_parse_name (look->input_name, &input, error))
    return FALSE;
  g_autoptr (GBytes) key = text_form_parse (input, look->key, error);
  if (key == NULL)
    return FALSE;
  gsize size;
  const void *data = g_bytes_get_data (key, &size);
  g_autoptr (GPtrArray) places
      = invocation->inspector != NULL
            ? ldb_inspector_locate_key (invocation->inspector, command_get_store_name (invocation),
                                        data, size, NULL, error)
            : ldb_database_locate_key (invocation->database, invocation->store, data, size, NULL,
                                       error);
  if (places == NULL)
    return FALSE;
  g_autoptr (GString) text = g_string_new (NULL);
  for (guint i = 0; i < places->len; i++)
    {
      const LdbKeyLocation *location = g_ptr_array_index (places, i);
      if (location->decides)
        *there = location->verdict == LDB_LOCATION_FOUND && location->kind != LDB_VERSION_DELETE
                 && location->range_delete <= location->sequence;
      if (invocation->json)
        append_location_json (text, location);
      else
        append_location (text, location);
    }
  command_print (invocation, text->str);
  return TRUE;
}

/* ---- the command ---- */

static gboolean
check_look (const struct look *look, GError **error)
{
  const char *wrong = NULL;
  if (look->key != NULL && look->segment >= 0)
    wrong = _ ("--locate cannot stand beside --segment; choose one");
  else if (look->page >= 0 && look->segment < 0)
    wrong = _ ("--page is a page of a segment; name that, too: --segment NUMBER");
  else if (look->segment < -1 || look->page < -1)
    wrong = _ ("segments and pages have numbers from 0 on");
  else if (look->input_name != NULL && look->key == NULL)
    wrong = _ ("--input says how the key of --locate is written; there is none");
  if (wrong != NULL)
    g_set_error_literal (error, COMMAND_ERROR, COMMAND_ERROR_USAGE, wrong);
  return wrong == NULL;
}

static gboolean
look_at (struct invocation *invocation, const struct look *look, enum exit_status *status,
         GError **error)
{
  gboolean damaged = FALSE, there = FALSE, done;
  if (look->key != NULL)
    {
      done = (invocation->inspector != NULL || command_choose_store (invocation, FALSE, error))
             && print_places (invocation, look, &there, error);
      *status = there ? EXIT_STATUS_DONE : EXIT_STATUS_NEGATIVE;
      return done;
    }
  if (look->segment < 0)
    return print_map (invocation, error);
  done = look->page >= 0 ? print_page (invocation, look, &damaged, error)
                         : print_pages (invocation, look, &damaged, error);
  *status = damaged ? EXIT_STATUS_NEGATIVE : EXIT_STATUS_DONE;
  return done;
}

enum exit_status
storage_run (struct invocation *invocation)
{
  struct look look = { .segment = -1, .page = -1 };
  const GOptionEntry entries[] = {
    { "segment", 0, 0, G_OPTION_ARG_INT64, &look.segment, N_ ("List the pages of a segment"),
      N_ ("NUMBER") },
    { "read", 0, 0, G_OPTION_ARG_NONE, &look.read,
      N_ ("With --segment: read and verify each page, and count its records"), NULL },
    { "page", 0, 0, G_OPTION_ARG_INT64, &look.page,
      N_ ("With --segment: show what is in a page, field by field, and its bytes"), N_ ("NUMBER") },
    { "locate", 0, 0, G_OPTION_ARG_FILENAME, &look.key,
      N_ ("Say where a key is: in which table in memory, run, segment, page"), N_ ("KEY") },
    { "input", 'i', 0, G_OPTION_ARG_STRING, &look.input_name,
      N_ ("How the key is written: text, escaped or hex"), N_ ("FORM") },
    { NULL },
  };
  GError *error = NULL;
  enum exit_status status = EXIT_STATUS_DONE;
  gboolean done
      = command_parse (invocation, entries, NULL,
                       _ ("Without options it prints a map of all levels, runs, segments and other "
                          "files; of an application that has the database open and lets it be "
                          "inspected it is the application's. Looking changes nothing and disturbs "
                          "nobody. HEAT is 1 or 2 for "
                          "the two lists of the cache, s for what a scan brought in, - for what "
                          "is not cached; r: read lately; p: in use. Exit status 1: the key is "
                          "not there, or a page is damaged."),
                       &error)
        && check_look (&look, &error) && command_open_look (invocation, &error)
        && command_finish (invocation, &error) && look_at (invocation, &look, &status, &error);
  g_free (look.key);
  g_free (look.input_name);
  return done ? status : command_fail (invocation, error);
}
