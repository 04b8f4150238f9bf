/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "ldb-storage-variant-private.h"

#include <math.h>
#include <string.h>

#include "base/histogram.h"
#include "ldb-error-private.h"
#include "ldb-report-private.h"
#include "ldb-report.h"

#define NODES_MAX (8u << 20) /* of a map that is told: that many segments of 16 MB are 128 TB */
#define DEPTH_MAX 8          /* of its trees: database, level, run, segment, and some */
#define PAGE_MAX ((guint64) 2 << 30)
#define FIGURES (sizeof (LdbStorageFigures) / sizeof (guint64))

static gboolean
fail_wrong (GError **error)
{
  return ldb_error_set (error, LDB_ERROR_FAILED, "The running process gave a wrong answer.");
}

static GVariant *
bytes_variant (gconstpointer data, gsize size)
{
  return g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, data, size, 1);
}

/* None, or the one there is. */
static GVariant *
key_variant (GBytes *key)
{
  gsize size;
  GVariantBuilder one;
  g_variant_builder_init (&one, G_VARIANT_TYPE ("aay"));
  if (key != NULL)
    {
      gconstpointer data = g_bytes_get_data (key, &size);
      g_variant_builder_add_value (&one, bytes_variant (data, size));
    }
  return g_variant_builder_end (&one);
}

static GBytes *
bytes_of (GVariant *array)
{
  gsize size;
  gconstpointer data = g_variant_get_fixed_array (array, &size, 1);
  return g_bytes_new (data, size);
}

static GBytes *
key_of (GVariant *one)
{
  if (g_variant_n_children (one) == 0)
    return NULL;
  g_autoptr (GVariant) key = g_variant_get_child_value (one, 0);
  return bytes_of (key);
}

/* ---- maps ---- */

static void
add_step (GArray *steps, LdbStorageNode *node, int parent)
{
  LdbStorageStep step = { node, parent };
  g_array_append_val (steps, step);
}

/* What was added is gone through for its parts, which are added behind: no recursion. */
static void
add_parts (GArray *steps, guint from)
{
  for (guint i = from; i < steps->len; i++)
    {
      GPtrArray *parts = g_array_index (steps, LdbStorageStep, i).node->children;
      for (guint j = 0; parts != NULL && j < parts->len; j++)
        add_step (steps, g_ptr_array_index (parts, j), (int) i);
    }
}

GArray *
ldb_storage_map_list_steps (LdbStorageMap *self)
{
  GArray *steps = g_array_new (FALSE, FALSE, sizeof (LdbStorageStep));
  GListModel *stores = G_LIST_MODEL (self->stores);
  add_step (steps, self->root, -1);
  for (guint i = 0; i < g_list_model_get_n_items (stores); i++)
    {
      g_autoptr (LdbStorageNode) store = g_list_model_get_item (stores, i);
      add_step (steps, store, -1); /* the map holds it */
    }
  add_parts (steps, 0);
  return steps;
}

GVariant *
ldb_storage_step_to_variant (const LdbStorageStep *step)
{
  const LdbStorageNode *node = step->node;
  return g_variant_new (
      "(iustiuu@at@aay@aay)", step->parent, (guint32) node->kind,
      node->name != NULL ? node->name : "", node->number, node->level, (guint32) node->state,
      (guint32) node->filter,
      g_variant_new_fixed_array (G_VARIANT_TYPE_UINT64, &node->figures, FIGURES, sizeof (guint64)),
      key_variant (node->smallest), key_variant (node->largest));
}

void
ldb_storage_reading_begin (LdbStorageReading *self, guint64 sequence, gint64 time)
{
  *self = (LdbStorageReading){
    .map = g_object_new (LDB_TYPE_STORAGE_MAP, NULL),
    .nodes = g_ptr_array_new (),
    .depths = g_byte_array_new (),
  };
  self->map->sequence = sequence;
  self->map->time = time;
}

void
ldb_storage_reading_clear (LdbStorageReading *self)
{
  g_clear_object (&self->map);
  g_clear_pointer (&self->nodes, g_ptr_array_unref);
  g_clear_pointer (&self->depths, g_byte_array_unref);
}

/* Later versions may tell more figures, earlier ones fewer. */
static void
take_figures (LdbStorageFigures *figures, GVariant *told)
{
  gsize count;
  const guint64 *all = g_variant_get_fixed_array (told, &count, sizeof *all);
  if (count > 0)
    memcpy (figures, all, MIN (count, FIGURES) * sizeof *all);
}

/* What has none is called by its number; a store that was dropped has lost it. */
static gboolean
has_name (guint32 kind)
{
  return kind != LDB_STORAGE_LEVEL && kind != LDB_STORAGE_RUN && kind != LDB_STORAGE_STORE;
}

static LdbStorageNode *
node_from_variant (GVariant *told, int *parent)
{
  guint32 kind, state, filter;
  guint64 number;
  gint32 level;
  const char *name;
  g_autoptr (GVariant) figures = NULL;
  g_autoptr (GVariant) smallest = NULL;
  g_autoptr (GVariant) largest = NULL;
  g_variant_get (told, "(iu&stiuu@at@aay@aay)", parent, &kind, &name, &number, &level, &state,
                 &filter, &figures, &smallest, &largest);
  if (kind > LDB_STORAGE_FILE || filter > LDB_FILTER_FUSE || (has_name (kind) && name[0] == '\0'))
    return NULL;
  LdbStorageNode *node
      = ldb_storage_node_new ((LdbStorageKind) kind, name[0] != '\0' ? name : NULL, number);
  node->level = level;
  node->state = (LdbStorageState) state;
  node->filter = (LdbFilterKind) filter;
  take_figures (&node->figures, figures);
  node->smallest = key_of (smallest);
  node->largest = key_of (largest);
  return node;
}

/* Puts it where it belongs, which takes it over. FALSE: nowhere. */
static gboolean
place_node (LdbStorageReading *self, LdbStorageNode *node, int parent)
{
  LdbStorageMap *map = self->map;
  guint8 depth = 0;
  if (parent >= (int) self->nodes->len
      || (parent >= 0 && (depth = self->depths->data[parent] + 1) > DEPTH_MAX))
    return FALSE;
  if (parent >= 0)
    ldb_storage_node_add (g_ptr_array_index (self->nodes, parent), g_object_ref (node));
  else if (map->root == NULL)
    map->root = g_object_ref (node);
  else
    g_list_store_append (map->stores, node);
  if (node->kind == LDB_STORAGE_SEGMENT)
    g_hash_table_insert (map->segments, &node->number, node);
  g_ptr_array_add (self->nodes, node);
  g_byte_array_append (self->depths, &depth, 1);
  return TRUE;
}

gboolean
ldb_storage_reading_add (LdbStorageReading *self, GVariant *nodes, GVariant *faults, GError **error)
{
  gsize count = g_variant_n_children (nodes);
  if (count > NODES_MAX - self->nodes->len)
    return fail_wrong (error);
  for (gsize i = 0; i < count; i++)
    {
      int parent;
      g_autoptr (GVariant) told = g_variant_get_child_value (nodes, i);
      g_autoptr (LdbStorageNode) node = node_from_variant (told, &parent);
      if (node == NULL || !place_node (self, node, parent))
        return fail_wrong (error);
    }
  for (gsize i = 0; i < g_variant_n_children (faults); i++)
    {
      gint64 page;
      const char *file, *reason;
      g_variant_get_child (faults, i, "(&sx&s)", &file, &page, &reason);
      ldb_faults_add (self->map->faults, file, (uint64_t) page, reason);
    }
  return TRUE;
}

LdbStorageMap *
ldb_storage_reading_end (LdbStorageReading *self, GError **error)
{
  if (self->map->root == NULL)
    {
      fail_wrong (error);
      return NULL;
    }
  return g_steal_pointer (&self->map);
}

/* ---- pages ---- */

GVariant *
ldb_page_to_variant (const LdbPage *page)
{
  return g_variant_new ("(tuttttuuu@aaybuus)", page->number, (guint32) page->level, page->offset,
                        page->stored_size, page->used_size, page->logical_size,
                        (guint32) page->codec, (guint32) page->heat, page->store,
                        key_variant (page->key), page->is_read, (guint32) page->records,
                        (guint32) page->deletes, page->fault != NULL ? page->fault : "");
}

LdbPage *
ldb_page_from_variant (GVariant *told)
{
  guint32 codec, heat;
  const char *fault;
  g_autoptr (GVariant) key = NULL;
  LdbPage *page = g_atomic_rc_box_new0 (LdbPage);
  g_variant_get (told, "(tuttttuuu@aaybuu&s)", &page->number, &page->level, &page->offset,
                 &page->stored_size, &page->used_size, &page->logical_size, &codec, &heat,
                 &page->store, &key, &page->is_read, &page->records, &page->deletes, &fault);
  page->codec = (LdbPageCodec) MIN (codec, LDB_PAGE_CODEC_SNAPPY);
  page->heat = (LdbPageHeat) heat;
  page->key = key_of (key);
  page->fault = fault[0] != '\0' ? g_strdup (fault) : NULL;
  return page;
}

static gint64
size_of (GBytes *bytes)
{
  return bytes != NULL ? (gint64) g_bytes_get_size (bytes) : -1;
}

/* The part of it from `byte` on. */
static GVariant *
part_variant (GBytes *bytes, guint64 byte, gsize room)
{
  gsize size = 0;
  const guint8 *data = bytes != NULL ? g_bytes_get_data (bytes, &size) : NULL;
  gsize begin = (gsize) MIN (byte, size);
  gsize part = MIN (size - begin, room);
  return bytes_variant (part > 0 ? data + begin : NULL, part);
}

static GVariant *
fields_variant (GPtrArray *fields)
{
  GVariantBuilder all;
  g_variant_builder_init (&all, G_VARIANT_TYPE ("a" LDB_FIELD_VARIANT_TYPE));
  for (guint i = 0; i < fields->len; i++)
    {
      const LdbPageField *field = g_ptr_array_index (fields, i);
      g_variant_builder_add (&all, LDB_FIELD_VARIANT_TYPE, field->name, field->offset, field->size,
                             field->is_number, field->value);
    }
  return g_variant_builder_end (&all);
}

/* Where a value lies in the page that it is a part of. */
static guint64
offset_in_page (GBytes *value, GBytes *decoded)
{
  const guint8 *at = g_bytes_get_data (value, NULL);
  const guint8 *page = g_bytes_get_data (decoded, NULL);
  return (guint64) (at - page);
}

static GVariant *
record_variant (const LdbPageRecord *record, GBytes *decoded)
{
  gsize key_size, length = record->value != NULL ? g_bytes_get_size (record->value) : 0;
  gconstpointer key = g_bytes_get_data (record->key, &key_size);
  return g_variant_new ("(ttu@ayuttbttttt)", record->offset, record->size, record->store,
                        bytes_variant (key, key_size), (guint32) record->kind, record->sequence,
                        record->value_size, record->value != NULL,
                        length > 0 ? offset_in_page (record->value, decoded) : 0, (guint64) length,
                        record->blob_file, record->blob_offset, record->child);
}

/* Those from `first` on; *end: the first that is left out. */
static GVariant *
records_variant (LdbPageContents *self, guint first, gsize room, guint *end)
{
  gsize bytes = 0;
  guint i = MIN (first, self->records->len);
  GVariantBuilder all;
  g_variant_builder_init (&all, G_VARIANT_TYPE ("a" LDB_RECORD_VARIANT_TYPE));
  for (; i < self->records->len && bytes < room; i++)
    {
      const LdbPageRecord *record = g_ptr_array_index (self->records, i);
      GVariant *told = record_variant (record, self->decoded);
      bytes += g_variant_get_size (told);
      g_variant_builder_add_value (&all, told);
    }
  *end = i;
  return g_variant_builder_end (&all);
}

GVariant *
ldb_page_contents_to_variant (LdbPageContents *self, guint64 byte, guint record, gsize room,
                              gboolean *more)
{
  guint end;
  gint64 stored = size_of (self->stored), decoded = size_of (self->decoded);
  GVariant *records = records_variant (self, record, room, &end);
  *more = end < self->records->len
          || (byte < (guint64) G_MAXINT64 - room && (gint64) (byte + room) < MAX (stored, decoded));
  return g_variant_new ("(@" LDB_PAGE_VARIANT_TYPE "sx@ayx@ay@a" LDB_FIELD_VARIANT_TYPE
                        "u@a" LDB_RECORD_VARIANT_TYPE "b)",
                        ldb_page_to_variant (self->page), self->file, stored,
                        part_variant (self->stored, byte, room), decoded,
                        part_variant (self->decoded, byte, room), fields_variant (self->fields),
                        (guint32) self->records->len, records, *more);
}

/* Where the value of a record is in the page. */
typedef struct
{
  guint64 offset;     /* bytes */
  guint64 length;     /* bytes */
  gboolean is_inside; /* else there is none */
} PlaceInPage;

void
ldb_page_reading_begin (LdbPageReading *self)
{
  *self = (LdbPageReading){
    .contents = ldb_page_contents_new (),
    .stored = g_byte_array_new (),
    .decoded = g_byte_array_new (),
    .values = g_array_new (FALSE, FALSE, sizeof (PlaceInPage)),
  };
}

void
ldb_page_reading_clear (LdbPageReading *self)
{
  g_clear_pointer (&self->contents, ldb_page_contents_free);
  g_clear_pointer (&self->stored, g_byte_array_unref);
  g_clear_pointer (&self->decoded, g_byte_array_unref);
  g_clear_pointer (&self->values, g_array_unref);
}

/* Its name lies behind it. */
static LdbPageField *
field_from_variant (GVariant *told)
{
  const char *name;
  LdbPageField from = { 0 };
  g_variant_get (told, "(&sttbt)", &name, &from.offset, &from.size, &from.is_number, &from.value);
  gsize size = strlen (name) + 1;
  LdbPageField *field = g_atomic_rc_box_alloc0 (sizeof *field + size);
  *field = from;
  memcpy (field + 1, name, size);
  field->name = (const char *) (field + 1);
  return field;
}

static LdbPageRecord *
record_from_variant (GVariant *told, PlaceInPage *value)
{
  guint32 kind;
  g_autoptr (GVariant) key = NULL;
  LdbPageRecord *record = g_atomic_rc_box_new0 (LdbPageRecord);
  g_variant_get (told, "(ttu@ayuttbttttt)", &record->offset, &record->size, &record->store, &key,
                 &kind, &record->sequence, &record->value_size, &value->is_inside, &value->offset,
                 &value->length, &record->blob_file, &record->blob_offset, &record->child);
  record->kind = (LdbVersionKind) MIN (kind, LDB_VERSION_BLOB);
  record->key = bytes_of (key);
  return record;
}

static void
add_part (GByteArray *bytes, GVariant *part)
{
  gsize size;
  gconstpointer data = g_variant_get_fixed_array (part, &size, 1);
  if (size > 0)
    g_byte_array_append (bytes, data, (guint) size);
}

/* What is the same in each part. */
static void
take_head (LdbPageReading *self, GVariant *page, const char *file, GVariant *fields)
{
  LdbPageContents *contents = self->contents;
  if (contents->page != NULL)
    return;
  contents->page = ldb_page_from_variant (page);
  contents->file = g_strdup (file);
  for (gsize i = 0; i < g_variant_n_children (fields); i++)
    {
      g_autoptr (GVariant) told = g_variant_get_child_value (fields, i);
      g_ptr_array_add (contents->fields, field_from_variant (told));
    }
}

gboolean
ldb_page_reading_add (LdbPageReading *self, GVariant *told, GError **error)
{
  const char *file;
  guint32 count;
  g_autoptr (GVariant) page = NULL;
  g_autoptr (GVariant) stored = NULL;
  g_autoptr (GVariant) decoded = NULL;
  g_autoptr (GVariant) fields = NULL;
  g_autoptr (GVariant) records = NULL;
  g_variant_get (told,
                 "(@" LDB_PAGE_VARIANT_TYPE "&sx@ayx@ay@a" LDB_FIELD_VARIANT_TYPE
                 "u@a" LDB_RECORD_VARIANT_TYPE "b)",
                 &page, &file, &self->stored_size, &stored, &self->decoded_size, &decoded, &fields,
                 &count, &records, NULL);
  take_head (self, page, file, fields);
  if (self->stored->len + g_variant_get_size (stored) > PAGE_MAX
      || self->decoded->len + g_variant_get_size (decoded) > PAGE_MAX
      || self->contents->records->len + g_variant_n_children (records) > count)
    return fail_wrong (error);
  add_part (self->stored, stored);
  add_part (self->decoded, decoded);
  for (gsize i = 0; i < g_variant_n_children (records); i++)
    {
      PlaceInPage value;
      g_autoptr (GVariant) one = g_variant_get_child_value (records, i);
      g_ptr_array_add (self->contents->records, record_from_variant (one, &value));
      g_array_append_val (self->values, value);
    }
  return TRUE;
}

/* A stretch of the page: as much of it as there is. */
static void
clamp_stretch (guint64 *offset, guint64 *length, gsize size)
{
  *offset = MIN (*offset, size);
  *length = MIN (*length, size - *offset);
}

LdbPageContents *
ldb_page_reading_end (LdbPageReading *self)
{
  LdbPageContents *contents = self->contents;
  gsize size = self->decoded->len;
  if (self->stored_size >= 0)
    contents->stored = g_byte_array_free_to_bytes (g_steal_pointer (&self->stored));
  if (self->decoded_size >= 0)
    contents->decoded = g_byte_array_free_to_bytes (g_steal_pointer (&self->decoded));
  for (guint i = 0; i < contents->fields->len; i++)
    {
      LdbPageField *field = g_ptr_array_index (contents->fields, i);
      clamp_stretch (&field->offset, &field->size, size);
    }
  for (guint i = 0; i < contents->records->len; i++)
    {
      LdbPageRecord *record = g_ptr_array_index (contents->records, i);
      PlaceInPage *value = &g_array_index (self->values, PlaceInPage, i);
      clamp_stretch (&record->offset, &record->size, size);
      clamp_stretch (&value->offset, &value->length, size);
      if (value->is_inside && contents->decoded != NULL)
        record->value = g_bytes_new_from_bytes (contents->decoded, value->offset, value->length);
    }
  return g_steal_pointer (&self->contents);
}

/* ---- sizes ---- */

static void
add_histogram (GVariantBuilder *to, const struct histogram *histogram)
{
  g_variant_builder_open (to, G_VARIANT_TYPE ("a(ut)"));
  for (guint32 i = 0; i < HISTOGRAM_BUCKETS; i++)
    {
      guint64 count = atomic_load_explicit (&histogram->counts[i], memory_order_relaxed);
      if (count > 0)
        g_variant_builder_add (to, "(ut)", i, count);
    }
  g_variant_builder_close (to);
  g_variant_builder_add (to, "t", histogram_sum (histogram));
  g_variant_builder_add (to, "t", histogram_maximum (histogram));
}

GVariant *
ldb_sizes_to_variant (LdbSizes *self, gsize room)
{
  gsize bytes = 0;
  GVariantBuilder all;
  g_variant_builder_init (&all, G_VARIANT_TYPE (LDB_SIZES_VARIANT_TYPE));
  g_variant_builder_add (&all, "t", self->records);
  g_variant_builder_add (&all, "t", self->key_bytes);
  g_variant_builder_add (&all, "t", self->value_bytes);
  g_variant_builder_add (&all, "d", self->share);
  g_variant_builder_add (&all, "t", self->faults);
  add_histogram (&all, self->keys);
  add_histogram (&all, self->values);
  g_variant_builder_open (&all, G_VARIANT_TYPE ("a(ayt)"));
  for (guint i = 0; i < self->biggest->len && bytes < room; i++)
    {
      gsize size;
      const LdbBigValue *value = g_ptr_array_index (self->biggest, i);
      gconstpointer key = g_bytes_get_data (value->key, &size);
      bytes += size;
      g_variant_builder_add (&all, "(@ayt)", bytes_variant (key, size), value->size);
    }
  g_variant_builder_close (&all);
  g_variant_builder_add (&all, "s", self->first_fault != NULL ? self->first_fault : "");
  return g_variant_builder_end (&all);
}

static struct histogram *
histogram_from_variant (GVariant *buckets, guint64 sum, guint64 maximum)
{
  struct histogram *histogram = g_new0 (struct histogram, 1);
  for (gsize i = 0; i < g_variant_n_children (buckets); i++)
    {
      guint32 bucket;
      guint64 count;
      g_variant_get_child (buckets, i, "(ut)", &bucket, &count);
      if (bucket < HISTOGRAM_BUCKETS)
        atomic_store_explicit (&histogram->counts[bucket], count, memory_order_relaxed);
    }
  atomic_store_explicit (&histogram->sum, sum, memory_order_relaxed);
  atomic_store_explicit (&histogram->maximum, maximum, memory_order_relaxed);
  return histogram;
}

LdbSizes *
ldb_sizes_from_variant (GVariant *told)
{
  guint64 sum, maximum, value_sum, value_maximum;
  const char *fault;
  g_autoptr (GVariant) keys = NULL;
  g_autoptr (GVariant) values = NULL;
  g_autoptr (GVariant) biggest = NULL;
  LdbSizes *sizes = g_atomic_rc_box_new0 (LdbSizes);
  g_variant_get (told, "(tttdt@a(ut)tt@a(ut)tt@a(ayt)&s)", &sizes->records, &sizes->key_bytes,
                 &sizes->value_bytes, &sizes->share, &sizes->faults, &keys, &sum, &maximum, &values,
                 &value_sum, &value_maximum, &biggest, &fault);
  sizes->share = isfinite (sizes->share) ? CLAMP (sizes->share, 0, 1) : 0;
  sizes->keys = histogram_from_variant (keys, sum, maximum);
  sizes->values = histogram_from_variant (values, value_sum, value_maximum);
  sizes->biggest = g_ptr_array_new_with_free_func ((GDestroyNotify) ldb_big_value_free);
  for (gsize i = 0; i < g_variant_n_children (biggest); i++)
    {
      g_autoptr (GVariant) key = NULL;
      LdbBigValue *value = g_new0 (LdbBigValue, 1);
      g_variant_get_child (biggest, i, "(@ayt)", &key, &value->size);
      value->key = bytes_of (key);
      g_ptr_array_add (sizes->biggest, value);
    }
  sizes->first_fault = fault[0] != '\0' ? g_strdup (fault) : NULL;
  return sizes;
}
