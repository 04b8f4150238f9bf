/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "ldb-call-private.h"
#include "ldb-cursor-private.h"
#include "ldb-database-private.h"
#include "ldb-error-private.h"
#include "ldb-place-private.h"
#include "ldb-snapshot-private.h"
#include "ldb-store-private.h"
#include "ldb-transaction-private.h"

/* Values from this size are lent rather than copied: below it a copy is cheaper than a pin. */
#define PIN_SIZE_MIN 1024

gboolean
ldb_place_init (LdbPlace *place, LdbDatabase *database, LdbStore *store, GError **error)
{
  *place = (LdbPlace){ .database = database, .store = ENGINE_STORE_DEFAULT, .name = "default" };
  if (store == NULL)
    return TRUE;
  if (G_UNLIKELY (database == NULL || store->place.database == NULL))
    return ldb_database_is_usable (NULL, error);
  place->store = store->place.store;
  place->name = store->name;
  if (store->place.database == database || ldb_database_is_same (store->place.database, database))
    return TRUE;
  return ldb_error_set (error, LDB_ERROR_INVALID_ARGUMENT,
                        "The store \"%s\" belongs to the database \"%s\", not to \"%s\"; open it "
                        "there.",
                        store->name, store->place.database->path, database->path);
}

/* ---- arguments ---- */

gboolean
ldb_check_key (gconstpointer key, gsize key_length, struct bytes *out, GError **error)
{
  *out = BYTES (key, key_length);
  if (G_UNLIKELY (key_length == 0 || key == NULL))
    return ldb_error_set (error, LDB_ERROR_INVALID_ARGUMENT,
                          key_length == 0 ? "The key is empty; a key has 1 to %u bytes."
                                          : "The key is NULL; a key has 1 to %u bytes.",
                          KEY_SIZE_MAX);
  if (G_UNLIKELY (key_length > KEY_SIZE_MAX))
    return ldb_error_set (error, LDB_ERROR_KEY_TOO_LARGE,
                          "The key has %" G_GSIZE_FORMAT " bytes; a key has 1 to %u bytes.",
                          key_length, KEY_SIZE_MAX);
  return TRUE;
}

gboolean
ldb_check_value (gconstpointer value, gsize value_length, struct bytes *out, GError **error)
{
  *out = BYTES (value, value_length);
  if (G_UNLIKELY (value == NULL && value_length > 0))
    return ldb_error_set (error, LDB_ERROR_INVALID_ARGUMENT,
                          "The value is NULL but has a length; pass length 0 for an empty value.");
  if (G_UNLIKELY (value_length > VALUE_SIZE_MAX))
    return ldb_error_set (error, LDB_ERROR_VALUE_TOO_LARGE,
                          "The value has %" G_GSIZE_FORMAT " bytes; a value has up to "
                          "%" G_GUINT64_FORMAT " bytes. Split it over several keys.",
                          value_length, (guint64) VALUE_SIZE_MAX);
  return TRUE;
}

gboolean
ldb_check_flags (guint flags, guint known, const char *type, GError **error)
{
  if (G_LIKELY ((flags & ~known) == 0))
    return TRUE;
  return ldb_error_set (error, LDB_ERROR_INVALID_ARGUMENT,
                        "The flags 0x%x are none of %s; leave them out.", flags & ~known, type);
}

/* An unknown one is no weaker promise than any. */
gboolean
ldb_check_sync_mode (LdbSyncMode sync, GError **error)
{
  if ((guint) sync <= LDB_SYNC_MODE_NONE)
    return TRUE;
  return ldb_error_set (error, LDB_ERROR_INVALID_ARGUMENT,
                        "The sync mode %d is none of LdbSyncMode; pass LDB_SYNC_MODE_DEFAULT.",
                        (int) sync);
}

static gboolean
check_bound (gconstpointer bound, gsize length, const char *side, struct bytes *out, GError **error)
{
  *out = length > 0 ? BYTES (bound, length) : BYTES_NONE;
  if (bound == NULL && length > 0)
    return ldb_error_set (error, LDB_ERROR_INVALID_ARGUMENT,
                          "The %s of the range is NULL but has a length; pass length 0 to leave "
                          "it open.",
                          side);
  if (length > KEY_SIZE_MAX)
    return ldb_error_set (error, LDB_ERROR_KEY_TOO_LARGE,
                          "The %s of the range has %" G_GSIZE_FORMAT " bytes; a key has 1 to %u "
                          "bytes.",
                          side, length, KEY_SIZE_MAX);
  return TRUE;
}

gboolean
ldb_check_range (gconstpointer start, gsize start_length, gconstpointer end, gsize end_length,
                 struct bytes *lower, struct bytes *upper, GError **error)
{
  if (!check_bound (start, start_length, "start", lower, error)
      || !check_bound (end, end_length, "end", upper, error))
    return FALSE;
  if (upper->size > 0 && bytes_compare (*lower, *upper) >= 0)
    return ldb_error_set (error, LDB_ERROR_INVALID_ARGUMENT,
                          "The range is empty: its start does not come before its end. Swap them, "
                          "or leave one open.");
  return TRUE;
}

gboolean
ldb_check_prefix (gconstpointer prefix, gsize prefix_length, struct bytes *lower,
                  struct bytes *upper, GBytes **end, GError **error)
{
  *end = NULL;
  *upper = BYTES_NONE;
  if (!check_bound (prefix, prefix_length, "prefix", lower, error))
    return FALSE;
  /* The first key behind all with the prefix: its last byte that can grow, grown by one. */
  gsize length = lower->size;
  while (length > 0 && lower->data[length - 1] == 0xff)
    length--;
  if (length == 0)
    return TRUE;
  guint8 *bytes = g_memdup2 (lower->data, length);
  bytes[length - 1]++;
  *end = g_bytes_new_take (bytes, length);
  *upper = BYTES (bytes, length);
  return TRUE;
}

GBytes *
ldb_bytes_copy (gconstpointer data, gsize length)
{
  return data != NULL ? g_bytes_new (data, length) : NULL;
}

gboolean
ldb_bytes_give (struct bytes bytes, guint8 **out, gsize *out_length, GError **error)
{
  *out = NULL;
  *out_length = 0;
  if (bytes.size == 0)
    return TRUE;
  *out = g_try_malloc (bytes.size);
  if (*out == NULL)
    return ldb_error_set (error, LDB_ERROR_NO_MEMORY,
                          "There is no memory for %" G_GSIZE_FORMAT " bytes.", bytes.size);
  memcpy (*out, bytes.data, bytes.size);
  *out_length = bytes.size;
  return TRUE;
}

/* ---- values ---- */

static void
release_pinned (gpointer data)
{
  struct engine_value *value = data;
  engine_value_release (value);
  g_free (value);
}

GBytes *
ldb_value_to_bytes (struct engine_value *value)
{
  if (value->data.size >= PIN_SIZE_MIN)
    {
      struct engine_value *pinned = g_new (struct engine_value, 1);
      *pinned = *value;
      return g_bytes_new_with_free_func (pinned->data.data, pinned->data.size, release_pinned,
                                         pinned);
    }
  GBytes *bytes = g_bytes_new (value->data.data, value->data.size);
  engine_value_release (value);
  return bytes;
}

static char *
value_to_string (struct engine_value *value, GError **error)
{
  const char *text = (const char *) value->data.data;
  char *copy = NULL;
  if (value->data.size == 0)
    copy = g_strdup ("");
  else if (g_utf8_validate_len (text, value->data.size, NULL))
    copy = g_strndup (text, value->data.size);
  else
    ldb_error_set (error, LDB_ERROR_WRONG_TYPE,
                   "The value is not UTF-8 text, or has zero bytes; read it as bytes instead.");
  engine_value_release (value);
  return copy;
}

/* The bytes may come from anywhere, so they are not trusted to be in normal form. */
GVariant *
ldb_variant_from_bytes (GBytes *bytes, const GVariantType *type, GError **error)
{
  g_autoptr (GVariant) stored
      = g_variant_ref_sink (g_variant_new_from_bytes (G_VARIANT_TYPE_VARIANT, bytes, FALSE));
  if (!g_variant_is_normal_form (stored))
    {
      ldb_error_set (error, LDB_ERROR_WRONG_TYPE,
                     "The value was not stored as a variant; read it as bytes instead.");
      return NULL;
    }
  if (G_BYTE_ORDER == G_BIG_ENDIAN)
    {
      GVariant *swapped = g_variant_byteswap (stored);
      g_variant_unref (stored);
      stored = swapped;
    }
  g_autoptr (GVariant) inner = g_variant_get_variant (stored);
  if (type != NULL && !g_variant_is_of_type (inner, type))
    {
      g_autofree char *wanted = g_variant_type_dup_string (type);
      ldb_error_set (error, LDB_ERROR_WRONG_TYPE,
                     "The value is a variant of type \"%s\", not \"%s\"; ask for its own type.",
                     g_variant_get_type_string (inner), wanted);
      return NULL;
    }
  return g_steal_pointer (&inner);
}

static GVariant *
value_to_variant (struct engine_value *value, const GVariantType *type, GError **error)
{
  g_autoptr (GBytes) bytes = ldb_value_to_bytes (value);
  return ldb_variant_from_bytes (bytes, type, error);
}

GBytes *
ldb_variant_to_bytes (GVariant *value)
{
  g_autoptr (GVariant) wrapped = g_variant_ref_sink (g_variant_new_variant (value));
  g_autoptr (GVariant) normal = g_variant_get_normal_form (wrapped);
  if (G_BYTE_ORDER == G_BIG_ENDIAN)
    {
      GVariant *swapped = g_variant_byteswap (normal);
      g_variant_unref (normal);
      normal = swapped;
    }
  return g_variant_get_data_as_bytes (normal);
}

gpointer
ldb_value_to_form (struct engine_value *value, LdbForm form, const GVariantType *type,
                   GError **error)
{
  switch (form)
    {
    case LDB_FORM_STRING:
      return value_to_string (value, error);
    case LDB_FORM_VARIANT:
      return value_to_variant (value, type, error);
    case LDB_FORM_BYTES:
    default:
      return ldb_value_to_bytes (value);
    }
}

GDestroyNotify
ldb_form_free_func (LdbForm form)
{
  switch (form)
    {
    case LDB_FORM_STRING:
      return g_free;
    case LDB_FORM_VARIANT:
      return (GDestroyNotify) g_variant_unref;
    case LDB_FORM_BYTES:
    default:
      return (GDestroyNotify) g_bytes_unref;
    }
}

/* ---- reading ---- */

/* Looks a key up; `cached` asks memory alone and may answer STATUS_BUSY. `out` NULL: only whether
 * it is there. */
static status
lookup (const LdbPlace *place, struct engine *engine, struct bytes key, gboolean cached,
        struct engine_value *out, struct failure *failure)
{
  if (place->transaction != NULL)
    {
      struct engine_transaction *transaction = place->transaction->transaction;
      if (cached)
        return STATUS_BUSY;
      return out != NULL
                 ? engine_transaction_get_value (transaction, place->store, key, out, failure)
                 : engine_transaction_contains (transaction, place->store, key, failure);
    }
  LdbPin *pin = NULL;
  struct engine_snapshot *snapshot = NULL;
  if (place->snapshot != NULL)
    {
      pin = ldb_snapshot_pin (place->snapshot);
      if (pin == NULL)
        return fail (failure, STATUS_CLOSED, "The snapshot is closed; take a new one.");
      snapshot = pin->snapshot;
      engine = pin->engine;
    }
  status code;
  if (out == NULL)
    code = engine_contains (engine, snapshot, place->store, key, cached, failure);
  else if (cached)
    code = engine_get_value_cached (engine, snapshot, place->store, key, out, failure);
  else
    code = engine_get_value (engine, snapshot, place->store, key, out, failure);
  if (pin != NULL)
    ldb_pin_unref (pin);
  return code;
}

gboolean
ldb_place_lookup (const LdbPlace *place, struct bytes key, struct engine_value *out, GError **error)
{
  struct failure failure;
  struct engine *engine = ldb_database_enter (place->database, error);
  if (engine == NULL)
    return FALSE;
  failure_reset (&failure);
  status code = lookup (place, engine, key, FALSE, out, &failure);
  if (code != STATUS_OK && code != STATUS_NOT_FOUND)
    ldb_error_take_failure (error, code, &failure);
  return code == STATUS_OK;
}

gboolean
ldb_place_get_cached (const LdbPlace *place, struct bytes key, GBytes **value)
{
  struct engine_value found;
  struct engine *engine = ldb_database_enter (place->database, NULL);
  *value = NULL;
  if (engine == NULL)
    return FALSE;
  status code = lookup (place, engine, key, TRUE, &found, NULL);
  if (code == STATUS_OK)
    *value = ldb_value_to_bytes (&found);
  return code == STATUS_OK || code == STATUS_NOT_FOUND;
}

gboolean
ldb_place_peek (const LdbPlace *place, gconstpointer key, gsize key_length, LdbView *view,
                GError **error)
{
  struct bytes bytes;
  struct engine_value *value = (struct engine_value *) (void *) view;
  view->data = NULL;
  view->size = 0;
  view->in_use = FALSE;
  if (!ldb_check_key (key, key_length, &bytes, error)
      || !ldb_place_lookup (place, bytes, value, error))
    return FALSE;
  view->in_use = TRUE;
  return TRUE;
}

gboolean
ldb_place_get_into (const LdbPlace *place, gconstpointer key, gsize key_length, gpointer buffer,
                    gsize capacity, gsize *size, GError **error)
{
  struct failure failure;
  struct bytes bytes;
  size_t found_size = 0;
  struct engine *engine = ldb_database_enter (place->database, error);
  if (engine == NULL || !ldb_check_key (key, key_length, &bytes, error))
    return FALSE;
  failure_reset (&failure);
  status code
      = engine_get (engine, NULL, place->store, bytes, buffer, capacity, &found_size, &failure);
  if (size != NULL)
    *size = found_size;
  if (G_LIKELY (code == STATUS_OK))
    return TRUE;
  return code != STATUS_NOT_FOUND && ldb_error_take_failure (error, code, &failure);
}

gpointer
ldb_place_get (const LdbPlace *place, gconstpointer key, gsize key_length, LdbForm form,
               const GVariantType *type, GCancellable *cancellable, GError **error)
{
  struct bytes bytes;
  struct engine_value value;
  if (!ldb_check_key (key, key_length, &bytes, error)
      || g_cancellable_set_error_if_cancelled (cancellable, error)
      || !ldb_place_lookup (place, bytes, &value, error))
    return NULL;
  return ldb_value_to_form (&value, form, type, error);
}

gboolean
ldb_place_copy (const LdbPlace *place, gconstpointer key, gsize key_length, guint8 **value,
                gsize *value_length, GCancellable *cancellable, GError **error)
{
  struct bytes bytes;
  struct engine_value found;
  *value = NULL;
  *value_length = 0;
  if (!ldb_check_key (key, key_length, &bytes, error)
      || g_cancellable_set_error_if_cancelled (cancellable, error)
      || !ldb_place_lookup (place, bytes, &found, error))
    return FALSE;
  gboolean given = ldb_bytes_give (found.data, value, value_length, error);
  engine_value_release (&found);
  return given;
}

static gboolean
run_get (LdbCall *call, GError **error)
{
  struct engine_value value;
  gsize length;
  const void *key = g_bytes_get_data (call->first, &length);
  if (!ldb_place_lookup (&call->place, BYTES (key, length), &value, error))
    return FALSE;
  call->result = ldb_value_to_form (&value, call->form, call->type, error);
  return call->result != NULL;
}

/* Answers from memory if that is possible: TRUE when the call holds the answer. */
static gboolean
answer_from_memory (LdbCall *call, struct bytes key, GError **error)
{
  struct failure failure = FAILURE_INIT;
  struct engine_value value;
  struct engine *engine = ldb_database_enter (call->place.database, error);
  if (engine == NULL)
    return TRUE;
  gboolean wanted = call->run == run_get;
  status code = lookup (&call->place, engine, key, TRUE, wanted ? &value : NULL, &failure);
  if (code == STATUS_BUSY)
    return FALSE;
  if (code == STATUS_OK && wanted)
    call->result = ldb_value_to_form (&value, call->form, call->type, error);
  else if (code != STATUS_OK && code != STATUS_NOT_FOUND)
    ldb_error_take_failure (error, code, &failure);
  call->succeeded = code == STATUS_OK;
  return TRUE;
}

/* A transaction is one thread's at a time: claims it for the call. */
static gboolean
claim_transaction (LdbCall *call, GError **error)
{
  if (call->place.transaction == NULL)
    return TRUE;
  if (!ldb_transaction_claim (call->place.transaction, error))
    return FALSE;
  call->busy = &call->place.transaction->busy;
  return TRUE;
}

/* Takes `call` over: checks the key, answers from memory, or sends it to a worker. */
static void
start_lookup (LdbCall *call, const LdbReply *reply, gconstpointer key, gsize key_length)
{
  GError *error = NULL;
  struct bytes bytes;
  if (!ldb_check_key (key, key_length, &bytes, &error)
      || g_cancellable_set_error_if_cancelled (reply->cancellable, &error)
      || !claim_transaction (call, &error) || answer_from_memory (call, bytes, &error))
    {
      ldb_call_complete (call, reply, error);
      return;
    }
  call->first = g_bytes_new (key, key_length);
  ldb_call_start (call, reply, LDB_WORK_SHORT);
}

void
ldb_place_get_async (const LdbPlace *place, const LdbReply *reply, gconstpointer key,
                     gsize key_length, LdbForm form, const GVariantType *type)
{
  LdbCall *call = ldb_call_new (run_get, place);
  call->form = form;
  call->type = type != NULL ? g_variant_type_copy (type) : NULL;
  call->result_free = ldb_form_free_func (form);
  start_lookup (call, reply, key, key_length);
}

gboolean
ldb_place_contains (const LdbPlace *place, gconstpointer key, gsize key_length,
                    GCancellable *cancellable, GError **error)
{
  struct bytes bytes;
  return ldb_check_key (key, key_length, &bytes, error)
         && !g_cancellable_set_error_if_cancelled (cancellable, error)
         && ldb_place_lookup (place, bytes, NULL, error);
}

static gboolean
run_contains (LdbCall *call, GError **error)
{
  gsize length;
  const void *key = g_bytes_get_data (call->first, &length);
  return ldb_place_contains (&call->place, key, length, NULL, error);
}

void
ldb_place_contains_async (const LdbPlace *place, const LdbReply *reply, gconstpointer key,
                          gsize key_length)
{
  start_lookup (ldb_call_new (run_contains, place), reply, key, key_length);
}

/* ---- many keys at once ---- */

static void
unref_bytes_or_null (gpointer bytes)
{
  if (bytes != NULL)
    g_bytes_unref (bytes);
}

/* All keys of the array as the engine wants them; NULL with an error when one is no key. */
static struct bytes *
collect_keys (GBytes *const *keys, gsize n_keys, GError **error)
{
  g_autofree struct bytes *collected = NULL;
  if (n_keys > G_MAXINT || (collected = g_try_new (struct bytes, MAX (n_keys, 1))) == NULL)
    {
      ldb_error_set (error, LDB_ERROR_NO_MEMORY,
                     "There is no memory for %" G_GSIZE_FORMAT " keys; ask for fewer at once.",
                     n_keys);
      return NULL;
    }
  for (gsize i = 0; i < n_keys; i++)
    {
      GBytes *key = keys[i];
      gsize length = 0;
      gconstpointer data = key != NULL ? g_bytes_get_data (key, &length) : NULL;
      if (!ldb_check_key (data, length, &collected[i], error))
        {
          g_prefix_error (error, "Key %" G_GSIZE_FORMAT " of %" G_GSIZE_FORMAT ": ", i + 1, n_keys);
          return NULL;
        }
    }
  return g_steal_pointer (&collected);
}

/* The values in the order of the keys; consumes them, also on failure. */
static GPtrArray *
collect_values (struct engine_value *values, const status *results, guint count,
                const struct failure *failure, GError **error)
{
  g_autoptr (GPtrArray) found = g_ptr_array_new_full (count, unref_bytes_or_null);
  status first_failure = STATUS_OK;
  for (guint i = 0; i < count; i++)
    {
      g_ptr_array_add (found, results[i] == STATUS_OK ? ldb_value_to_bytes (&values[i]) : NULL);
      if (results[i] != STATUS_OK && results[i] != STATUS_NOT_FOUND && first_failure == STATUS_OK)
        first_failure = results[i];
    }
  if (first_failure == STATUS_OK)
    return g_steal_pointer (&found);
  ldb_error_take_failure (error, first_failure, failure);
  return NULL;
}

GPtrArray *
ldb_place_get_many (const LdbPlace *place, GBytes *const *keys, gsize n_keys,
                    GCancellable *cancellable, GError **error)
{
  struct failure failure = FAILURE_INIT;
  struct engine *engine = ldb_database_enter (place->database, error);
  if (engine == NULL || g_cancellable_set_error_if_cancelled (cancellable, error))
    return NULL;
  g_autofree struct bytes *wanted = collect_keys (keys, n_keys, error);
  if (wanted == NULL)
    return NULL;
  LdbPin *pin = NULL;
  if (place->snapshot != NULL && (pin = ldb_snapshot_pin (place->snapshot)) == NULL)
    {
      ldb_error_set (error, LDB_ERROR_CLOSED, "The snapshot is closed; take a new one.");
      return NULL;
    }
  g_autofree struct engine_value *values = g_try_new0 (struct engine_value, MAX (n_keys, 1));
  g_autofree status *results = g_try_new0 (status, MAX (n_keys, 1));
  if (values == NULL || results == NULL)
    fail_memory (&failure, n_keys * sizeof *values, "values");
  status code = failure.code != STATUS_OK
                    ? failure.code
                    : engine_get_many (pin != NULL ? pin->engine : engine,
                                       pin != NULL ? pin->snapshot : NULL, place->store, wanted,
                                       n_keys, values, results, &failure);
  if (pin != NULL)
    ldb_pin_unref (pin);
  if (code == STATUS_OK)
    return collect_values (values, results, (guint) n_keys, &failure, error);
  ldb_error_take_failure (error, code, &failure);
  return NULL;
}

/* Keys that are looked up without an allocation. */
#define PEEKED_AT_ONCE 128

/* Hands the values to the views; consumes them, also on failure. */
static gboolean
fill_views (struct engine_value *values, const status *results, gsize count, LdbView *views,
            const struct failure *failure, GError **error)
{
  status first_failure = STATUS_OK;
  for (gsize i = 0; i < count; i++)
    if (results[i] != STATUS_OK && results[i] != STATUS_NOT_FOUND && first_failure == STATUS_OK)
      first_failure = results[i];
  for (gsize i = 0; i < count; i++)
    {
      views[i] = (LdbView) LDB_VIEW_INIT;
      if (results[i] != STATUS_OK)
        continue;
      if (first_failure != STATUS_OK)
        {
          engine_value_release (&values[i]);
          continue;
        }
      memcpy (&views[i], &values[i], sizeof values[i]);
      views[i].in_use = TRUE;
      if (views[i].data == NULL)
        views[i].data = ""; /* an empty value is not an absent one */
    }
  return first_failure == STATUS_OK || ldb_error_take_failure (error, first_failure, failure);
}

static gboolean
peek_group (const LdbPlace *place, const struct bytes *keys, gsize n_keys,
            struct engine_value *values, status *results, LdbView *views, GError **error)
{
  struct failure failure = FAILURE_INIT;
  struct engine *engine = ldb_database_enter (place->database, error);
  if (engine == NULL)
    return FALSE;
  status code
      = engine_get_many (engine, NULL, place->store, keys, n_keys, values, results, &failure);
  if (code != STATUS_OK)
    return ldb_error_take_failure (error, code, &failure);
  return fill_views (values, results, n_keys, views, &failure, error);
}

gboolean
ldb_place_peek_many (const LdbPlace *place, const gconstpointer *keys, const gsize *key_lengths,
                     gsize n_keys, LdbView *views, GError **error)
{
  struct bytes near_keys[PEEKED_AT_ONCE];
  struct engine_value near_values[PEEKED_AT_ONCE];
  status near_results[PEEKED_AT_ONCE];
  g_autofree struct bytes *far_keys = NULL;
  g_autofree struct engine_value *far_values = NULL;
  g_autofree status *far_results = NULL;
  gboolean near = n_keys <= PEEKED_AT_ONCE;
  if (!near)
    {
      far_keys = g_try_new (struct bytes, n_keys);
      far_values = g_try_new (struct engine_value, n_keys);
      far_results = g_try_new (status, n_keys);
      if (far_keys == NULL || far_values == NULL || far_results == NULL)
        return ldb_error_set (
            error, LDB_ERROR_NO_MEMORY,
            "There is no memory for %" G_GSIZE_FORMAT " keys; ask for fewer at once.", n_keys);
    }
  struct bytes *wanted = near ? near_keys : far_keys;
  for (gsize i = 0; i < n_keys; i++)
    if (!ldb_check_key (keys[i], key_lengths[i], &wanted[i], error))
      {
        g_prefix_error (error, "Key %" G_GSIZE_FORMAT " of %" G_GSIZE_FORMAT ": ", i + 1, n_keys);
        return FALSE;
      }
  return peek_group (place, wanted, n_keys, near ? near_values : far_values,
                     near ? near_results : far_results, views, error);
}

static gboolean
run_get_many (LdbCall *call, GError **error)
{
  call->result = ldb_place_get_many (&call->place, (GBytes *const *) call->array->pdata,
                                     call->array->len, NULL, error);
  return call->result != NULL;
}

void
ldb_place_get_many_async (const LdbPlace *place, const LdbReply *reply, GBytes *const *keys,
                          gsize n_keys)
{
  LdbCall *call = ldb_call_new (run_get_many, place);
  call->result_free = (GDestroyNotify) g_ptr_array_unref;
  /* The caller keeps its array and may change it. */
  call->array = g_ptr_array_new_full ((guint) MIN (n_keys, G_MAXINT), unref_bytes_or_null);
  for (gsize i = 0; i < n_keys; i++)
    g_ptr_array_add (call->array, keys[i] != NULL ? g_bytes_ref (keys[i]) : NULL);
  ldb_call_start (call, reply, LDB_WORK_SHORT);
}

/* ---- scanning ---- */

LdbCursor *
ldb_place_scan (const LdbPlace *place, gconstpointer start, gsize start_length, gconstpointer end,
                gsize end_length, LdbScanFlags flags, GError **error)
{
  struct bytes lower, upper;
  if (!ldb_check_range (start, start_length, end, end_length, &lower, &upper, error))
    return NULL;
  return ldb_cursor_new (place, lower, upper, flags, error);
}

LdbCursor *
ldb_place_scan_prefix (const LdbPlace *place, gconstpointer prefix, gsize prefix_length,
                       LdbScanFlags flags, GError **error)
{
  struct bytes lower, upper;
  g_autoptr (GBytes) end = NULL;
  if (!ldb_check_prefix (prefix, prefix_length, &lower, &upper, &end, error))
    return NULL;
  return ldb_cursor_new (place, lower, upper, flags, error);
}

/* ---- writing ---- */

gboolean
ldb_place_put (const LdbPlace *place, gconstpointer key, gsize key_length, gconstpointer value,
               gsize value_length, GCancellable *cancellable, GError **error)
{
  struct failure failure;
  struct bytes key_bytes, value_bytes;
  struct engine *engine = ldb_database_enter_write (place->database, error);
  if (engine == NULL || !ldb_check_key (key, key_length, &key_bytes, error)
      || !ldb_check_value (value, value_length, &value_bytes, error)
      || g_cancellable_set_error_if_cancelled (cancellable, error))
    return FALSE;
  failure_reset (&failure);
  status code = place->transaction != NULL
                    ? engine_transaction_put (place->transaction->transaction, place->store,
                                              key_bytes, value_bytes, &failure)
                    : engine_put (engine, place->store, key_bytes, value_bytes, ENGINE_SYNC_DEFAULT,
                                  NULL, &failure);
  return ldb_error_check (error, code, &failure);
}

gboolean
ldb_place_delete (const LdbPlace *place, gconstpointer key, gsize key_length,
                  GCancellable *cancellable, GError **error)
{
  struct failure failure = FAILURE_INIT;
  struct bytes bytes;
  struct engine *engine = ldb_database_enter_write (place->database, error);
  if (engine == NULL || !ldb_check_key (key, key_length, &bytes, error)
      || g_cancellable_set_error_if_cancelled (cancellable, error))
    return FALSE;
  status code
      = place->transaction != NULL
            ? engine_transaction_delete (place->transaction->transaction, place->store, bytes,
                                         &failure)
            : engine_delete (engine, place->store, bytes, ENGINE_SYNC_DEFAULT, NULL, &failure);
  return ldb_error_check (error, code, &failure);
}

static gboolean
delete_between (const LdbPlace *place, struct bytes lower, struct bytes upper,
                GCancellable *cancellable, GError **error)
{
  struct failure failure = FAILURE_INIT;
  struct engine *engine = ldb_database_enter_write (place->database, error);
  if (engine == NULL || g_cancellable_set_error_if_cancelled (cancellable, error))
    return FALSE;
  status code = place->transaction != NULL
                    ? engine_transaction_delete_range (place->transaction->transaction,
                                                       place->store, lower, upper, &failure)
                    : engine_delete_range (engine, place->store, lower, upper, ENGINE_SYNC_DEFAULT,
                                           NULL, &failure);
  return ldb_error_check (error, code, &failure);
}

gboolean
ldb_place_delete_range (const LdbPlace *place, gconstpointer start, gsize start_length,
                        gconstpointer end, gsize end_length, GCancellable *cancellable,
                        GError **error)
{
  struct bytes lower, upper;
  return ldb_check_range (start, start_length, end, end_length, &lower, &upper, error)
         && delete_between (place, lower, upper, cancellable, error);
}

gboolean
ldb_place_delete_prefix (const LdbPlace *place, gconstpointer prefix, gsize prefix_length,
                         GCancellable *cancellable, GError **error)
{
  struct bytes lower, upper;
  g_autoptr (GBytes) end = NULL;
  if (prefix_length == 0)
    return ldb_error_set (error, LDB_ERROR_INVALID_ARGUMENT,
                          "The prefix is empty; to delete everything, delete the range that is "
                          "open on both sides.");
  return ldb_check_prefix (prefix, prefix_length, &lower, &upper, &end, error)
         && delete_between (place, lower, upper, cancellable, error);
}

static gboolean
run_write (LdbCall *call, GError **error)
{
  gsize first_length = 0;
  gsize second_length = 0;
  gconstpointer first = call->first != NULL ? g_bytes_get_data (call->first, &first_length) : NULL;
  gconstpointer second
      = call->second != NULL ? g_bytes_get_data (call->second, &second_length) : NULL;
  switch ((LdbWriteKind) call->flags)
    {
    case LDB_WRITE_PUT:
      return ldb_place_put (&call->place, first, first_length, second, second_length, NULL, error);
    case LDB_WRITE_DELETE:
      return ldb_place_delete (&call->place, first, first_length, NULL, error);
    case LDB_WRITE_DELETE_RANGE:
      return ldb_place_delete_range (&call->place, first, first_length, second, second_length, NULL,
                                     error);
    case LDB_WRITE_DELETE_PREFIX:
    default:
      return ldb_place_delete_prefix (&call->place, first, first_length, NULL, error);
    }
}

void
ldb_place_write_async (const LdbPlace *place, const LdbReply *reply, LdbWriteKind kind,
                       GBytes *first, GBytes *second)
{
  LdbCall *call = ldb_call_new (run_write, place);
  call->flags = kind;
  call->first = first;
  call->second = second;
  ldb_call_start (call, reply, LDB_WORK_SHORT);
}
