/* SPDX-License-Identifier: MIT */
#pragma once

#if !defined(LDB_INSIDE) && !defined(LDB_COMPILATION)
#error "Only <lightning-db.h> can be included directly."
#endif

#include "ldb-enums.h"
#include "ldb-types.h"

G_BEGIN_DECLS

#define LDB_TYPE_PAGE (ldb_page_get_type ())
typedef struct _LdbPage LdbPage;

/**
 * LdbPage:
 * @number: leaves from 0 on, in key order; then the inner pages by rising level, the root last
 * @level: 0 is a leaf
 * @offset: where it begins in the file
 * @stored_size: its bytes there, checksum included
 * @used_size: bytes of the decoded page
 * @logical_size: the same as whole units
 * @codec: how it is stored
 * @heat: what the cache knows of it
 * @store: the store of @key
 * @key: (nullable): a lower bound of its keys; if it was read, its first key; cut to 1,024 bytes
 * @is_read: whether it was read and verified, so that @records and @deletes are known
 * @records: records of a leaf, children of another page
 * @deletes: deletes among them
 * @fault: (nullable): why it can't be used, in English; %NULL of a sound page
 *
 * One page of a segment.
 *
 * Only the library makes these; they do not change; later versions may append fields.
 *
 * Since: 0.1
 */
struct _LdbPage
{
  guint64 number;
  guint level;
  guint64 offset;
  guint64 stored_size;
  guint64 used_size;
  guint64 logical_size;
  LdbPageCodec codec;
  LdbPageHeat heat;
  guint32 store;
  GBytes *key;
  gboolean is_read;
  guint records;
  guint deletes;
  char *fault;
};

LDB_AVAILABLE_IN_ALL
GType ldb_page_get_type (void) G_GNUC_CONST;
LDB_AVAILABLE_IN_ALL
LdbPage *ldb_page_copy (const LdbPage *self);
LDB_AVAILABLE_IN_ALL
void ldb_page_free (LdbPage *self);

#define LDB_TYPE_PAGE_FIELD (ldb_page_field_get_type ())
typedef struct _LdbPageField LdbPageField;

/**
 * LdbPageField:
 * @name: its name, in English
 * @offset: its first byte in the decoded page
 * @size: its bytes
 * @is_number: whether it is a number: @value
 * @value: the number
 *
 * A part of a page's layout. The records or children behind the fields are
 * [struct@Ldb.PageRecord]s.
 *
 * Since: 0.1
 */
struct _LdbPageField
{
  const char *name;
  guint64 offset;
  guint64 size;
  gboolean is_number;
  guint64 value;
};

LDB_AVAILABLE_IN_ALL
GType ldb_page_field_get_type (void) G_GNUC_CONST;
LDB_AVAILABLE_IN_ALL
LdbPageField *ldb_page_field_copy (const LdbPageField *self);
LDB_AVAILABLE_IN_ALL
void ldb_page_field_free (LdbPageField *self);

#define LDB_TYPE_PAGE_RECORD (ldb_page_record_get_type ())
typedef struct _LdbPageRecord LdbPageRecord;

/**
 * LdbPageRecord:
 * @offset: its first byte in the decoded page
 * @size: its bytes there; the key's prefix is elsewhere
 * @store: the store it is in
 * @key: the key; of a page above the leaves the key that separates the child from the one before
 * @kind: what it says
 * @sequence: the commit that wrote it; 0 settled long ago
 * @value_size: bytes of the value, also of one in a file of large values
 * @value: (nullable): the value, if it is in the page
 * @blob_file: the number of the file of large values, or 0
 * @blob_offset: where in that file the value begins
 * @child: of a page above the leaves: the page it leads to
 *
 * A version of a key in a leaf, or a child of another page.
 *
 * Only the library makes these; they do not change; later versions may append fields.
 *
 * Since: 0.1
 */
struct _LdbPageRecord
{
  guint64 offset;
  guint64 size;
  guint32 store;
  GBytes *key;
  LdbVersionKind kind;
  guint64 sequence;
  guint64 value_size;
  GBytes *value;
  guint64 blob_file;
  guint64 blob_offset;
  guint64 child;
};

LDB_AVAILABLE_IN_ALL
GType ldb_page_record_get_type (void) G_GNUC_CONST;
LDB_AVAILABLE_IN_ALL
LdbPageRecord *ldb_page_record_copy (const LdbPageRecord *self);
LDB_AVAILABLE_IN_ALL
void ldb_page_record_free (LdbPageRecord *self);

#define LDB_TYPE_PAGE_CONTENTS (ldb_page_contents_get_type ())
typedef struct _LdbPageContents LdbPageContents;

LDB_AVAILABLE_IN_ALL
GType ldb_page_contents_get_type (void) G_GNUC_CONST;
LDB_AVAILABLE_IN_ALL
LdbPageContents *ldb_page_contents_copy (const LdbPageContents *self);
LDB_AVAILABLE_IN_ALL
void ldb_page_contents_free (LdbPageContents *self);
LDB_AVAILABLE_IN_ALL
LdbPage *ldb_page_contents_get_page (LdbPageContents *self);
LDB_AVAILABLE_IN_ALL
const char *ldb_page_contents_get_file (LdbPageContents *self);
LDB_AVAILABLE_IN_ALL
GBytes *ldb_page_contents_get_stored (LdbPageContents *self);
LDB_AVAILABLE_IN_ALL
GBytes *ldb_page_contents_get_decoded (LdbPageContents *self);
LDB_AVAILABLE_IN_ALL
GPtrArray *ldb_page_contents_get_fields (LdbPageContents *self);
LDB_AVAILABLE_IN_ALL
GPtrArray *ldb_page_contents_get_records (LdbPageContents *self);

LDB_AVAILABLE_IN_ALL
GPtrArray *ldb_database_list_pages (LdbDatabase *self, guint64 segment, guint64 first,
                                    guint n_pages, gboolean read, GCancellable *cancellable,
                                    GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_database_list_pages_async (LdbDatabase *self, guint64 segment, guint64 first,
                                    guint n_pages, gboolean read, GCancellable *cancellable,
                                    GAsyncReadyCallback callback, gpointer user_data);
LDB_AVAILABLE_IN_ALL
GPtrArray *ldb_database_list_pages_finish (LdbDatabase *self, GAsyncResult *result, GError **error);
LDB_AVAILABLE_IN_ALL
LdbPageContents *ldb_database_read_page (LdbDatabase *self, guint64 segment, guint64 page,
                                         GCancellable *cancellable, GError **error);
LDB_AVAILABLE_IN_ALL
void ldb_database_read_page_async (LdbDatabase *self, guint64 segment, guint64 page,
                                   GCancellable *cancellable, GAsyncReadyCallback callback,
                                   gpointer user_data);
LDB_AVAILABLE_IN_ALL
LdbPageContents *ldb_database_read_page_finish (LdbDatabase *self, GAsyncResult *result,
                                                GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (LdbPage, ldb_page_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LdbPageField, ldb_page_field_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LdbPageRecord, ldb_page_record_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LdbPageContents, ldb_page_contents_free)

G_END_DECLS
