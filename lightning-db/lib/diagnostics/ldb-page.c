/* SPDX-License-Identifier: MIT */
/*
 * Pages of a segment: what lies where, and what is in one.
 */
#include "config.h"

#include "engine-storage.h"
#include "ldb-call-private.h"
#include "ldb-database-private.h"
#include "ldb-error-private.h"
#include "ldb-page-private.h"

/**
 * LdbPageContents:
 *
 * What is in one page of a segment: its bytes as they are in the file and decoded, the fields of its
 * layout, its records. Of a page that is damaged the bytes in the file are there, and
 * [struct@Ldb.Page] has the fault.
 *
 * Contents never change. Threads: any.
 *
 * Since: 0.1
 */

G_DEFINE_BOXED_TYPE (LdbPage, ldb_page, ldb_page_copy, ldb_page_free)
G_DEFINE_BOXED_TYPE (LdbPageField, ldb_page_field, ldb_page_field_copy, ldb_page_field_free)
G_DEFINE_BOXED_TYPE (LdbPageRecord, ldb_page_record, ldb_page_record_copy, ldb_page_record_free)
G_DEFINE_BOXED_TYPE (LdbPageContents, ldb_page_contents, ldb_page_contents_copy,
                     ldb_page_contents_free)

/* All of these are counted: a copy is one reference more. */

/**
 * ldb_page_copy:
 * @self: a page
 *
 * Makes a copy.
 *
 * Any thread.
 *
 * Returns: (transfer full): the copy
 *
 * Since: 0.1
 */
LdbPage *
ldb_page_copy (const LdbPage *self)
{
  g_return_val_if_fail (self != NULL, NULL);
  return g_atomic_rc_box_acquire ((gpointer) self);
}

static void
page_clear (gpointer data)
{
  LdbPage *self = data;
  g_clear_pointer (&self->key, g_bytes_unref);
  g_free (self->fault);
}

/**
 * ldb_page_free:
 * @self: (transfer full) (nullable): a page, or %NULL
 *
 * Frees it.
 *
 * Any thread.
 *
 * Since: 0.1
 */
void
ldb_page_free (LdbPage *self)
{
  if (self != NULL)
    g_atomic_rc_box_release_full (self, page_clear);
}

/**
 * ldb_page_field_copy:
 * @self: a field
 *
 * Makes a copy.
 *
 * Any thread.
 *
 * Returns: (transfer full): the copy
 *
 * Since: 0.1
 */
LdbPageField *
ldb_page_field_copy (const LdbPageField *self)
{
  g_return_val_if_fail (self != NULL, NULL);
  return g_atomic_rc_box_acquire ((gpointer) self);
}

/**
 * ldb_page_field_free:
 * @self: (transfer full) (nullable): a field, or %NULL
 *
 * Frees it.
 *
 * Any thread.
 *
 * Since: 0.1
 */
void
ldb_page_field_free (LdbPageField *self)
{
  if (self != NULL)
    g_atomic_rc_box_release (self);
}

/**
 * ldb_page_record_copy:
 * @self: a record
 *
 * Makes a copy.
 *
 * Any thread.
 *
 * Returns: (transfer full): the copy
 *
 * Since: 0.1
 */
LdbPageRecord *
ldb_page_record_copy (const LdbPageRecord *self)
{
  g_return_val_if_fail (self != NULL, NULL);
  return g_atomic_rc_box_acquire ((gpointer) self);
}

static void
record_clear (gpointer data)
{
  LdbPageRecord *self = data;
  g_clear_pointer (&self->key, g_bytes_unref);
  g_clear_pointer (&self->value, g_bytes_unref);
}

/**
 * ldb_page_record_free:
 * @self: (transfer full) (nullable): a record, or %NULL
 *
 * Frees it.
 *
 * Any thread.
 *
 * Since: 0.1
 */
void
ldb_page_record_free (LdbPageRecord *self)
{
  if (self != NULL)
    g_atomic_rc_box_release_full (self, record_clear);
}

/**
 * ldb_page_contents_copy:
 * @self: contents
 *
 * Makes a copy.
 *
 * Any thread.
 *
 * Returns: (transfer full): the copy
 *
 * Since: 0.1
 */
LdbPageContents *
ldb_page_contents_copy (const LdbPageContents *self)
{
  g_return_val_if_fail (self != NULL, NULL);
  return g_atomic_rc_box_acquire ((gpointer) self);
}

LdbPageContents *
ldb_page_contents_new (void)
{
  LdbPageContents *self = g_atomic_rc_box_new0 (LdbPageContents);
  self->fields = g_ptr_array_new_with_free_func ((GDestroyNotify) ldb_page_field_free);
  self->records = g_ptr_array_new_with_free_func ((GDestroyNotify) ldb_page_record_free);
  return self;
}

static void
contents_clear (gpointer data)
{
  LdbPageContents *self = data;
  ldb_page_free (self->page);
  g_free (self->file);
  g_clear_pointer (&self->stored, g_bytes_unref);
  g_clear_pointer (&self->decoded, g_bytes_unref);
  g_clear_pointer (&self->fields, g_ptr_array_unref);
  g_clear_pointer (&self->records, g_ptr_array_unref);
}

/**
 * ldb_page_contents_free:
 * @self: (transfer full) (nullable): contents, or %NULL
 *
 * Frees them.
 *
 * Any thread.
 *
 * Since: 0.1
 */
void
ldb_page_contents_free (LdbPageContents *self)
{
  if (self != NULL)
    g_atomic_rc_box_release_full (self, contents_clear);
}

/* ---- looking ---- */

/**
 * ldb_page_contents_get_page:
 * @self: contents
 *
 * Gets where the page lies and what is known of it.
 *
 * Any thread.
 *
 * Returns: (transfer none): the page
 *
 * Since: 0.1
 */
LdbPage *
ldb_page_contents_get_page (LdbPageContents *self)
{
  g_return_val_if_fail (self != NULL, NULL);
  return self->page;
}

/**
 * ldb_page_contents_get_file:
 * @self: contents
 *
 * Gets the name of the segment's file in the database directory.
 *
 * Any thread.
 *
 * Returns: (transfer none): the name
 *
 * Since: 0.1
 */
const char *
ldb_page_contents_get_file (LdbPageContents *self)
{
  g_return_val_if_fail (self != NULL, NULL);
  return self->file;
}

/**
 * ldb_page_contents_get_stored:
 * @self: contents
 *
 * Gets the bytes of the page in the file, whatever they are: the page, perhaps compressed, and its
 * checksum.
 *
 * Any thread.
 *
 * Returns: (transfer none) (nullable): the bytes, or %NULL when it is not known where they are or
 *   they can't be read
 *
 * Since: 0.1
 */
GBytes *
ldb_page_contents_get_stored (LdbPageContents *self)
{
  g_return_val_if_fail (self != NULL, NULL);
  return self->stored;
}

/**
 * ldb_page_contents_get_decoded:
 * @self: contents
 *
 * Gets the page itself, to which the offsets of fields and records refer.
 *
 * Any thread.
 *
 * Returns: (transfer none) (nullable): the bytes, or %NULL when the page is damaged
 *
 * Since: 0.1
 */
GBytes *
ldb_page_contents_get_decoded (LdbPageContents *self)
{
  g_return_val_if_fail (self != NULL, NULL);
  return self->decoded;
}

/**
 * ldb_page_contents_get_fields:
 * @self: contents
 *
 * Gets the parts of the page's layout, in their order, end to end.
 *
 * Any thread.
 *
 * Returns: (transfer none) (element-type LdbPageField): the fields; none of a damaged page
 *
 * Since: 0.1
 */
GPtrArray *
ldb_page_contents_get_fields (LdbPageContents *self)
{
  g_return_val_if_fail (self != NULL, NULL);
  return self->fields;
}

/**
 * ldb_page_contents_get_records:
 * @self: contents
 *
 * Gets the records of a leaf, or the children of another page, in key order.
 *
 * Any thread.
 *
 * Returns: (transfer none) (element-type LdbPageRecord): the records; none of a damaged page
 *
 * Since: 0.1
 */
GPtrArray *
ldb_page_contents_get_records (LdbPageContents *self)
{
  g_return_val_if_fail (self != NULL, NULL);
  return self->records;
}

/* ---- from the engine ---- */

static LdbPage *
page_from_engine (const struct engine_storage_page *from)
{
  LdbPage *page = g_atomic_rc_box_new0 (LdbPage);
  page->number = from->number;
  page->level = from->level;
  page->offset = from->offset;
  page->stored_size = from->stored_size;
  page->used_size = from->used_size;
  page->logical_size = from->logical_size;
  page->codec = (LdbPageCodec) from->codec;
  page->heat = (LdbPageHeat) from->heat;
  page->store = from->store;
  page->key = from->fault == NULL || from->key.size > 0
                  ? g_bytes_new (from->key.data, from->key.size)
                  : NULL;
  page->is_read = from->read;
  page->records = (guint) from->records;
  page->deletes = (guint) from->deletes;
  page->fault = from->fault != NULL ? g_utf8_make_valid (from->fault->message, -1) : NULL;
  return page;
}

/* The value stays in the page: there may be a GiB of it. */
static LdbPageRecord *
record_from_engine (const struct engine_page_record *from, GBytes *page)
{
  LdbPageRecord *record = g_atomic_rc_box_new0 (LdbPageRecord);
  record->offset = from->offset;
  record->size = from->size;
  record->store = from->store;
  record->key = g_bytes_new (from->key.data, from->key.size);
  record->kind = (LdbVersionKind) from->kind;
  record->sequence = from->sequence;
  record->value_size = from->value_size;
  const uint8_t *start = g_bytes_get_data (page, NULL);
  if (from->value.data != NULL)
    record->value
        = g_bytes_new_from_bytes (page, (gsize) (from->value.data - start), from->value.size);
  record->blob_file = from->blob_file;
  record->blob_offset = from->blob_offset;
  record->child = from->child;
  return record;
}

/* The bytes, which malloc allocated, become the result's. */
static GBytes *
take_bytes (uint8_t *data, size_t size)
{
  return data != NULL ? g_bytes_new_with_free_func (data, size, free, data) : NULL;
}

static LdbPageContents *
contents_from_engine (struct engine_page_contents *from)
{
  LdbPageContents *contents = ldb_page_contents_new ();
  struct engine_page_field field;
  struct engine_page_record record;
  contents->page = page_from_engine (&from->page);
  contents->file = g_strdup (from->file);
  for (unsigned i = 0; engine_page_field (from, i, &field); i++)
    {
      LdbPageField *copy = g_atomic_rc_box_new0 (LdbPageField);
      *copy = (LdbPageField){ field.name, field.offset, field.size, field.is_number, field.value };
      g_ptr_array_add (contents->fields, copy);
    }
  contents->stored = take_bytes (from->stored, from->stored_size);
  contents->decoded = take_bytes (from->decoded, from->decoded_size);
  for (unsigned i = 0; engine_page_record (from, i, &record); i++)
    g_ptr_array_add (contents->records, record_from_engine (&record, contents->decoded));
  from->stored = from->decoded = NULL;
  return contents;
}

/* ---- listing ---- */

typedef struct
{
  GPtrArray *pages;          /* of LdbPage; owned */
  GCancellable *cancellable; /* borrowed */
} Listing;

static bool
list_page (void *data, const struct engine_storage_page *page)
{
  Listing *listing = data;
  g_ptr_array_add (listing->pages, page_from_engine (page));
  return !g_cancellable_is_cancelled (listing->cancellable);
}

static gboolean
run_list (LdbCall *call, GError **error)
{
  struct failure failure = FAILURE_INIT;
  struct engine *engine = ldb_database_enter (call->place.database, error);
  if (engine == NULL)
    return FALSE;
  Listing listing = { g_ptr_array_new_with_free_func ((GDestroyNotify) ldb_page_free),
                      call->progress.cancellable };
  status code = engine_storage_pages (engine, call->number, call->start, call->count,
                                      call->flags != 0, list_page, &listing, &failure);
  if (!ldb_error_check (error, code, &failure))
    {
      g_ptr_array_unref (listing.pages);
      return FALSE;
    }
  call->result = listing.pages;
  return TRUE;
}

static LdbCall *
new_list (LdbDatabase *self, guint64 segment, guint64 first, guint n_pages, gboolean read)
{
  LdbCall *call = ldb_call_new (run_list, &self->place);
  call->number = segment;
  call->start = first;
  call->count = n_pages;
  call->flags = read ? 1 : 0;
  call->result_free = (GDestroyNotify) g_ptr_array_unref;
  return call;
}

/**
 * ldb_database_list_pages:
 * @self: a database
 * @segment: the number of a segment: see [method@Ldb.StorageNode.get_number]
 * @first: the first page
 * @n_pages: how many, as far as there are so many
 * @read: whether to read and verify each; else only what the page directory and the cache know
 * @cancellable: (nullable): to give up
 * @error: return location for an error
 *
 * Lists pages of a segment. A damaged one is in the list, with its fault.
 *
 * Fails with %LDB_ERROR_NOT_FOUND when the segment was merged away, %LDB_ERROR_CLOSED or
 * %LDB_ERROR_NO_MEMORY. Blocks for the disk; any thread.
 *
 * Returns: (transfer container) (element-type LdbPage): the pages
 *
 * Since: 0.1
 */
GPtrArray *
ldb_database_list_pages (LdbDatabase *self, guint64 segment, guint64 first, guint n_pages,
                         gboolean read, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (LDB_IS_DATABASE (self), NULL);
  return ldb_call_now_pointer (new_list (self, segment, first, n_pages, read), cancellable, error);
}

/**
 * ldb_database_list_pages_async:
 * @self: a database
 * @segment: the number of a segment: see [method@Ldb.StorageNode.get_number]
 * @first: the first page
 * @n_pages: how many, as far as there are so many
 * @read: whether to read and verify each; else only what the page directory and the cache know
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Database.list_pages], without blocking.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_database_list_pages_async (LdbDatabase *self, guint64 segment, guint64 first, guint n_pages,
                               gboolean read, GCancellable *cancellable,
                               GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (LDB_IS_DATABASE (self));
  ldb_call_start (new_list (self, segment, first, n_pages, read),
                  LDB_REPLY (self, ldb_database_list_pages_async, cancellable, callback, user_data),
                  LDB_WORK_LONG);
}

/**
 * ldb_database_list_pages_finish:
 * @self: a database
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Database.list_pages_async].
 *
 * Returns: (transfer container) (element-type LdbPage): the pages
 *
 * Since: 0.1
 */
GPtrArray *
ldb_database_list_pages_finish (LdbDatabase *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish_pointer (self, result, ldb_database_list_pages_async, error);
}

/* ---- reading one ---- */

static gboolean
run_read (LdbCall *call, GError **error)
{
  struct failure failure = FAILURE_INIT;
  struct engine_page_contents contents;
  struct engine *engine = ldb_database_enter (call->place.database, error);
  if (engine == NULL)
    return FALSE;
  status code = engine_page_read (engine, call->number, call->start, &contents, &failure);
  if (!ldb_error_check (error, code, &failure))
    return FALSE;
  call->result = contents_from_engine (&contents);
  engine_page_clear (&contents);
  return TRUE;
}

static LdbCall *
new_read (LdbDatabase *self, guint64 segment, guint64 page)
{
  LdbCall *call = ldb_call_new (run_read, &self->place);
  call->number = segment;
  call->start = page;
  call->result_free = (GDestroyNotify) ldb_page_contents_free;
  return call;
}

/**
 * ldb_database_read_page:
 * @self: a database
 * @segment: the number of a segment: see [method@Ldb.StorageNode.get_number]
 * @page: the number of the page
 * @cancellable: (nullable): to give up
 * @error: return location for an error
 *
 * Reads one page of a segment, past the cache, and takes it apart. A damaged page is no error: the
 * contents have its fault.
 *
 * Fails with %LDB_ERROR_NOT_FOUND when the segment was merged away or has no such page,
 * %LDB_ERROR_CLOSED or %LDB_ERROR_NO_MEMORY. Blocks for the disk; any thread.
 *
 * Returns: (transfer full): what is in it
 *
 * Since: 0.1
 */
LdbPageContents *
ldb_database_read_page (LdbDatabase *self, guint64 segment, guint64 page, GCancellable *cancellable,
                        GError **error)
{
  g_return_val_if_fail (LDB_IS_DATABASE (self), NULL);
  return ldb_call_now_pointer (new_read (self, segment, page), cancellable, error);
}

/**
 * ldb_database_read_page_async:
 * @self: a database
 * @segment: the number of a segment: see [method@Ldb.StorageNode.get_number]
 * @page: the number of the page
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * The same as [method@Ldb.Database.read_page], without blocking.
 *
 * Any thread; completes in its thread-default main context.
 *
 * Since: 0.1
 */
void
ldb_database_read_page_async (LdbDatabase *self, guint64 segment, guint64 page,
                              GCancellable *cancellable, GAsyncReadyCallback callback,
                              gpointer user_data)
{
  g_return_if_fail (LDB_IS_DATABASE (self));
  ldb_call_start (new_read (self, segment, page),
                  LDB_REPLY (self, ldb_database_read_page_async, cancellable, callback, user_data),
                  LDB_WORK_SHORT);
}

/**
 * ldb_database_read_page_finish:
 * @self: a database
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Finishes [method@Ldb.Database.read_page_async].
 *
 * Returns: (transfer full): what is in it
 *
 * Since: 0.1
 */
LdbPageContents *
ldb_database_read_page_finish (LdbDatabase *self, GAsyncResult *result, GError **error)
{
  return ldb_call_finish_pointer (self, result, ldb_database_read_page_async, error);
}
