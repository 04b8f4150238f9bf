/* SPDX-License-Identifier: MIT */
/*
 * LdbPlace: where a read or write goes: a store of a database, now, at a snapshot or within a
 * transaction. The public classes fill one in and call the functions here, so that each rule
 * about keys, ranges, values and errors stands once.
 *
 * Threads: those of the handles in the place. Places are values; they own nothing.
 */
#pragma once

#include "engine.h"
#include "ldb-reply-private.h"
#include "ldb-types.h"
#include "ldb-view.h"

G_BEGIN_DECLS

typedef struct
{
  LdbDatabase *database;       /* always */
  engine_store store;          /* its number */
  const char *name;            /* its name, good as long as the handle of the place is; NULL: ask */
  LdbSnapshot *snapshot;       /* read at this snapshot, or NULL */
  LdbTransaction *transaction; /* within this transaction, or NULL */
} LdbPlace;

/* What a value is returned as. */
typedef enum
{
  LDB_FORM_BYTES,   /* GBytes */
  LDB_FORM_STRING,  /* char *, UTF-8 */
  LDB_FORM_VARIANT, /* GVariant, not floating */
} LdbForm;

/* Fills `place`; a store (may be NULL) has to belong to the database. */
gboolean ldb_place_init (LdbPlace *place, LdbDatabase *database, LdbStore *store, GError **error);

/* ---- arguments ---- */

/* A key of 1 … KEY_SIZE_MAX bytes. */
gboolean ldb_check_key (gconstpointer key, gsize key_length, struct bytes *out, GError **error);
/* A later version may mean something by flags that this one does not know, so they are refused. */
gboolean ldb_check_flags (guint flags, guint known, const char *type, GError **error);
gboolean ldb_check_sync_mode (LdbSyncMode sync, GError **error);
/* A value of 0 … VALUE_SIZE_MAX bytes. */
gboolean ldb_check_value (gconstpointer value, gsize value_length, struct bytes *out,
                          GError **error);
/* A half-open range; length 0 leaves a side open. */
gboolean ldb_check_range (gconstpointer start, gsize start_length, gconstpointer end,
                          gsize end_length, struct bytes *lower, struct bytes *upper,
                          GError **error);
/* The range of all keys with a prefix. `end` receives memory that `upper` points to, or NULL. */
gboolean ldb_check_prefix (gconstpointer prefix, gsize prefix_length, struct bytes *lower,
                           struct bytes *upper, GBytes **end, GError **error);

/* How a variant is stored: wrapped in a variant of its own, little-endian, in normal form. Sinks
 * a floating reference. */
GBytes *ldb_variant_to_bytes (GVariant *value);
/* The way back; `type` may be NULL for any. WRONG_TYPE. */
GVariant *ldb_variant_from_bytes (GBytes *bytes, const GVariantType *type, GError **error);

/* ---- values; each consumes `value` ---- */

GBytes *ldb_value_to_bytes (struct engine_value *value);
gpointer ldb_value_to_form (struct engine_value *value, LdbForm form, const GVariantType *type,
                            GError **error);
/* The free function of what a form returns. */
GDestroyNotify ldb_form_free_func (LdbForm form);

/* ---- reading: NULL or FALSE without error when absent ---- */

gboolean ldb_place_lookup (const LdbPlace *place, struct bytes key, struct engine_value *out,
                           GError **error);
/* FALSE: memory alone cannot tell. Else *value is the value, or NULL when there is none. */
gboolean ldb_place_get_cached (const LdbPlace *place, struct bytes key, GBytes **value);
gboolean ldb_place_peek (const LdbPlace *place, gconstpointer key, gsize key_length, LdbView *view,
                         GError **error);
/* All of one snapshot; a view without data: absent. */
gboolean ldb_place_peek_many (const LdbPlace *place, const gconstpointer *keys,
                              const gsize *key_lengths, gsize n_keys, LdbView *views,
                              GError **error);
gboolean ldb_place_get_into (const LdbPlace *place, gconstpointer key, gsize key_length,
                             gpointer buffer, gsize capacity, gsize *size, GError **error);
/* A copy of the value: `*value` is owned by the caller, NULL when absent or empty. */
gboolean ldb_place_copy (const LdbPlace *place, gconstpointer key, gsize key_length, guint8 **value,
                         gsize *value_length, GCancellable *cancellable, GError **error);
gpointer ldb_place_get (const LdbPlace *place, gconstpointer key, gsize key_length, LdbForm form,
                        const GVariantType *type, GCancellable *cancellable, GError **error);
void ldb_place_get_async (const LdbPlace *place, const LdbReply *reply, gconstpointer key,
                          gsize key_length, LdbForm form, const GVariantType *type);
gboolean ldb_place_contains (const LdbPlace *place, gconstpointer key, gsize key_length,
                             GCancellable *cancellable, GError **error);
void ldb_place_contains_async (const LdbPlace *place, const LdbReply *reply, gconstpointer key,
                               gsize key_length);
GPtrArray *ldb_place_get_many (const LdbPlace *place, GBytes *const *keys, gsize n_keys,
                               GCancellable *cancellable, GError **error);
void ldb_place_get_many_async (const LdbPlace *place, const LdbReply *reply, GBytes *const *keys,
                               gsize n_keys);
LdbCursor *ldb_place_scan (const LdbPlace *place, gconstpointer start, gsize start_length,
                           gconstpointer end, gsize end_length, LdbScanFlags flags, GError **error);
LdbCursor *ldb_place_scan_prefix (const LdbPlace *place, gconstpointer prefix, gsize prefix_length,
                                  LdbScanFlags flags, GError **error);

/* ---- writing ---- */

gboolean ldb_place_put (const LdbPlace *place, gconstpointer key, gsize key_length,
                        gconstpointer value, gsize value_length, GCancellable *cancellable,
                        GError **error);
gboolean ldb_place_delete (const LdbPlace *place, gconstpointer key, gsize key_length,
                           GCancellable *cancellable, GError **error);
gboolean ldb_place_delete_range (const LdbPlace *place, gconstpointer start, gsize start_length,
                                 gconstpointer end, gsize end_length, GCancellable *cancellable,
                                 GError **error);
gboolean ldb_place_delete_prefix (const LdbPlace *place, gconstpointer prefix, gsize prefix_length,
                                  GCancellable *cancellable, GError **error);

/* The asynchronous forms take their bytes as GBytes (transfer full; NULL = absent): key and
 * value, or start and end. */
typedef enum
{
  LDB_WRITE_PUT,
  LDB_WRITE_DELETE,
  LDB_WRITE_DELETE_RANGE,
  LDB_WRITE_DELETE_PREFIX,
} LdbWriteKind;
void ldb_place_write_async (const LdbPlace *place, const LdbReply *reply, LdbWriteKind kind,
                            GBytes *first, GBytes *second);

/* Bytes of a caller's array, copied; NULL for NULL. */
GBytes *ldb_bytes_copy (gconstpointer data, gsize length);

/* Bytes for a caller, copied into `*out` and `*out_length`; NULL when there are none. FALSE with
 * LDB_ERROR_NO_MEMORY, as a value may be large. */
gboolean ldb_bytes_give (struct bytes bytes, guint8 **out, gsize *out_length, GError **error);

G_END_DECLS
