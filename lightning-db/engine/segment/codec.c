/* SPDX-License-Identifier: MIT */
/*
 * codec: see codec.h.
 *
 * Invariants
 *   K1  A page is called compressed only when it is at most 7/8 of its size.
 *   K2  A decoder is told the room of its output and the end of its input; what it made must be
 *       exactly the page's size, else the page is corrupt. Nothing of the input sizes an
 *       allocation.
 *   K3  Decompression contexts (96 KB) lie in a small process-wide pool of atomic pointers: taken
 *       by an exchange, given back by a compare-and-exchange. No lock, so nothing to deadlock after
 *       fork, and no thread-exit destructor, so nothing to run after the library was unloaded.
 *       There are never more in it than threads decompressed at once since it was last emptied, and
 *       at most POOL_SIZE.
 */
#include "segment/codec.h"

#include <limits.h>
#include <lz4.h>
#include <snappy-c.h>
#include <stdatomic.h>
#include <stdlib.h>
#ifdef LIGHTNING_HAVE_FAST_COVER
#define ZDICT_STATIC_LINKING_ONLY
#endif
#include <zdict.h>
#include <zstd.h>

#define POOL_SIZE 8
#define UNPAID_LIMIT 4     /* pages in a row that did not pay before sampling begins */
#define SAMPLE_INTERVAL 16 /* when sampling: one page in so many is tried */
#define DICTIONARY_SIZE_MAX ((size_t) 16 << 20)
#define TRAINING_LEVEL 3

struct compressor
{
  enum codec codec;
  unsigned unpaid;        /* pages in a row that did not pay, up to UNPAID_LIMIT */
  unsigned skipped;       /* pages passed over since the last one tried */
  ZSTD_CCtx *context;     /* zstd; owned */
  ZSTD_CDict *dictionary; /* zstd, with a dictionary; owned */
  void *state;            /* LZ4's hash table; owned */
  char *scratch;          /* Snappy's output, which may be longer than its input; owned */
  size_t scratch_size;    /* bytes of it */
};

struct dictionary
{
  ZSTD_DDict *prepared; /* owned; read-only, shared by all threads */
};

/* ---- compression ---- */

static status
compressor_prepare_zstd (struct compressor *compressor, int level, struct bytes dictionary,
                         struct failure *failure)
{
  if (level < 1 || level > 19)
    return fail (failure, STATUS_INVALID, "zstd level %d is outside 1 to 19; choose one inside",
                 level);
  compressor->context = ZSTD_createCCtx ();
  if (compressor->context == NULL)
    return fail_memory (failure, 1u << 20, "a zstd compressor");
  ZSTD_CCtx_setParameter (compressor->context, ZSTD_c_compressionLevel, level);
  ZSTD_CCtx_setParameter (compressor->context, ZSTD_c_checksumFlag, 0);
  ZSTD_CCtx_setParameter (compressor->context, ZSTD_c_dictIDFlag, 0);
  if (dictionary.size == 0)
    return STATUS_OK;
  compressor->dictionary = ZSTD_createCDict (dictionary.data, dictionary.size, level);
  if (compressor->dictionary == NULL)
    return fail_memory (failure, dictionary.size, "a compression dictionary");
  if (ZSTD_isError (ZSTD_CCtx_refCDict (compressor->context, compressor->dictionary)))
    return fail (failure, STATUS_INVALID, "zstd refuses its compression dictionary");
  return STATUS_OK;
}

status
compressor_new (enum codec codec, int level, struct bytes dictionary, struct compressor **out,
                struct failure *failure)
{
  *out = NULL;
  if ((unsigned) codec >= CODEC_COUNT)
    return fail (failure, STATUS_INVALID, "there is no codec %d", (int) codec);
  struct compressor *compressor = calloc (1, sizeof *compressor);
  if (compressor == NULL)
    return fail_memory (failure, sizeof *compressor, "a compressor");
  compressor->codec = codec;
  status result = STATUS_OK;
  if (codec == CODEC_ZSTD)
    result = compressor_prepare_zstd (compressor, level, dictionary, failure);
  else if (codec == CODEC_LZ4)
    {
      compressor->state = malloc ((size_t) LZ4_sizeofState ());
      if (compressor->state == NULL)
        result = fail_memory (failure, (size_t) LZ4_sizeofState (), "an LZ4 compressor");
    }
  if (result != STATUS_OK)
    {
      compressor_free (compressor);
      return result;
    }
  *out = compressor;
  return STATUS_OK;
}

size_t
compressor_memory (const struct compressor *compressor)
{
  if (compressor == NULL)
    return 0;
  return sizeof *compressor + ZSTD_sizeof_CCtx (compressor->context)
         + ZSTD_sizeof_CDict (compressor->dictionary)
         + (compressor->state != NULL ? (size_t) LZ4_sizeofState () : 0) + compressor->scratch_size;
}

void
compressor_free (struct compressor *compressor)
{
  if (compressor == NULL)
    return;
  ZSTD_freeCCtx (compressor->context);
  ZSTD_freeCDict (compressor->dictionary);
  free (compressor->state);
  free (compressor->scratch);
  free (compressor);
}

/* Snappy has no limit on its output: it goes to a buffer of its own worst case first. Each of the
 * three returns the compressed size, or 0 when it is above `limit` (or memory is out: raw is
 * always right). */
static size_t
compress_snappy (struct compressor *compressor, struct bytes page, uint8_t *to, size_t limit)
{
  size_t size = snappy_max_compressed_length (page.size);
  if (size > compressor->scratch_size)
    {
      free (compressor->scratch);
      compressor->scratch = malloc (size);
      compressor->scratch_size = compressor->scratch != NULL ? size : 0;
      if (compressor->scratch == NULL)
        return 0;
    }
  if (snappy_compress ((const char *) page.data, page.size, compressor->scratch, &size) != SNAPPY_OK
      || size > limit)
    return 0;
  memcpy (to, compressor->scratch, size);
  return size;
}

static size_t
compress_lz4 (struct compressor *compressor, struct bytes page, uint8_t *to, size_t limit)
{
  if (page.size > LZ4_MAX_INPUT_SIZE)
    return 0;
  int size = LZ4_compress_fast_extState (compressor->state, (const char *) page.data, (char *) to,
                                         (int) page.size, (int) limit, 1);
  return size > 0 ? (size_t) size : 0;
}

static size_t
compress_zstd (struct compressor *compressor, struct bytes page, uint8_t *to, size_t limit)
{
  size_t size = ZSTD_compress2 (compressor->context, to, limit, page.data, page.size);
  return ZSTD_isError (size) ? 0 : size;
}

/* Whether this page is to be tried: all of them, or one in SAMPLE_INTERVAL after a run that did
 * not pay. */
static bool
compressor_tries (struct compressor *compressor)
{
  if (compressor->unpaid < UNPAID_LIMIT)
    return true;
  if (++compressor->skipped < SAMPLE_INTERVAL)
    return false;
  compressor->skipped = 0;
  return true;
}

enum codec
compressor_run (struct compressor *compressor, struct bytes page, uint8_t *to, size_t *size)
{
  size_t limit = page.size - page.size / 8; /* K1 */
  size_t made = 0;
  *size = page.size;
  if (compressor->codec == CODEC_NONE || page.size < 8 || !compressor_tries (compressor))
    return CODEC_NONE;
  if (compressor->codec == CODEC_ZSTD)
    made = compress_zstd (compressor, page, to, limit);
  else if (compressor->codec == CODEC_LZ4)
    made = compress_lz4 (compressor, page, to, limit);
  else
    made = compress_snappy (compressor, page, to, limit);
  if (made == 0 || made > limit)
    {
      if (compressor->unpaid < UNPAID_LIMIT)
        compressor->unpaid++;
      return CODEC_NONE;
    }
  compressor->unpaid = 0;
  *size = made;
  return compressor->codec;
}

/* ---- decompression ---- */

static _Atomic (ZSTD_DCtx *) context_pool[POOL_SIZE]; /* idle contexts; K3 */

static ZSTD_DCtx *
context_take (void)
{
  for (size_t i = 0; i < POOL_SIZE; i++)
    if (atomic_load_explicit (&context_pool[i], memory_order_relaxed) != NULL)
      {
        ZSTD_DCtx *context = atomic_exchange (&context_pool[i], NULL);
        if (context != NULL)
          return context;
      }
  return ZSTD_createDCtx ();
}

static void
context_give (ZSTD_DCtx *context)
{
  for (size_t i = 0; i < POOL_SIZE; i++)
    {
      ZSTD_DCtx *expected = NULL;
      if (atomic_compare_exchange_strong (&context_pool[i], &expected, context))
        return;
    }
  ZSTD_freeDCtx (context);
}

__attribute__ ((destructor)) void
codec_trim (void)
{
  for (size_t i = 0; i < POOL_SIZE; i++)
    ZSTD_freeDCtx (atomic_exchange (&context_pool[i], NULL));
}

static status
decompress_zstd (const struct dictionary *dictionary, struct bytes stored, uint8_t *to, size_t size,
                 struct failure *failure)
{
  ZSTD_DCtx *context = context_take ();
  if (context == NULL)
    return fail_memory (failure, 160u << 10, "a zstd decompressor");
  size_t made = dictionary != NULL
                    ? ZSTD_decompress_usingDDict (context, to, size, stored.data, stored.size,
                                                  dictionary->prepared)
                    : ZSTD_decompressDCtx (context, to, size, stored.data, stored.size);
  context_give (context);
  if (ZSTD_isError (made))
    return fail (failure, STATUS_CORRUPT, "zstd cannot decode it: %s", ZSTD_getErrorName (made));
  if (made != size)
    return fail (failure, STATUS_CORRUPT, "zstd decodes it to %zu bytes instead of %zu", made,
                 size);
  return STATUS_OK;
}

static status
decompress_lz4 (struct bytes stored, uint8_t *to, size_t size, struct failure *failure)
{
  if (stored.size > INT_MAX || size > INT_MAX)
    return fail (failure, STATUS_CORRUPT, "%zu bytes are more than LZ4 can hold", size);
  int made = LZ4_decompress_safe ((const char *) stored.data, (char *) to, (int) stored.size,
                                  (int) size);
  if (made < 0 || (size_t) made != size)
    return fail (failure, STATUS_CORRUPT, "LZ4 cannot decode it to %zu bytes", size);
  return STATUS_OK;
}

static status
decompress_snappy (struct bytes stored, uint8_t *to, size_t size, struct failure *failure)
{
  size_t claimed = 0;
  if (snappy_uncompressed_length ((const char *) stored.data, stored.size, &claimed) != SNAPPY_OK
      || claimed != size)
    return fail (failure, STATUS_CORRUPT, "Snappy claims %zu bytes instead of %zu", claimed, size);
  if (snappy_uncompress ((const char *) stored.data, stored.size, (char *) to, &claimed)
          != SNAPPY_OK
      || claimed != size)
    return fail (failure, STATUS_CORRUPT, "Snappy cannot decode it to %zu bytes", size);
  return STATUS_OK;
}

status
codec_decompress (enum codec codec, const struct dictionary *dictionary, struct bytes stored,
                  uint8_t *to, size_t size, struct failure *failure)
{
  if (codec != CODEC_NONE && stored.size == 0)
    return fail (failure, STATUS_CORRUPT, "nothing is stored where %zu bytes should be", size);
  switch (codec)
    {
    case CODEC_NONE:
      if (stored.size != size)
        return fail (failure, STATUS_CORRUPT, "%zu bytes are stored raw instead of %zu",
                     stored.size, size);
      if (size > 0)
        memcpy (to, stored.data, size);
      return STATUS_OK;
    case CODEC_ZSTD:
      return decompress_zstd (dictionary, stored, to, size, failure);
    case CODEC_LZ4:
      return decompress_lz4 (stored, to, size, failure);
    case CODEC_SNAPPY:
      return decompress_snappy (stored, to, size, failure);
    case CODEC_COUNT:
      break;
    }
  return fail (failure, STATUS_CORRUPT, "there is no codec %d", (int) codec);
}

/* ---- dictionaries ---- */

status
dictionary_new (struct bytes content, struct dictionary **out, struct failure *failure)
{
  *out = NULL;
  if (content.size == 0)
    return STATUS_OK;
  if (content.size > DICTIONARY_SIZE_MAX)
    return fail (failure, STATUS_CORRUPT, "a dictionary of %zu bytes is above the limit of %zu",
                 content.size, DICTIONARY_SIZE_MAX);
  struct dictionary *dictionary = calloc (1, sizeof *dictionary);
  if (dictionary == NULL)
    return fail_memory (failure, sizeof *dictionary, "a dictionary");
  dictionary->prepared = ZSTD_createDDict (content.data, content.size);
  if (dictionary->prepared == NULL)
    {
      free (dictionary);
      if (ZDICT_isError (ZDICT_getDictHeaderSize (content.data, content.size)))
        return fail (failure, STATUS_CORRUPT, "its dictionary is damaged");
      return fail_memory (failure, content.size, "a dictionary");
    }
  *out = dictionary;
  return STATUS_OK;
}

size_t
dictionary_memory (const struct dictionary *dictionary)
{
  return dictionary != NULL ? sizeof *dictionary + ZSTD_sizeof_DDict (dictionary->prepared) : 0;
}

void
dictionary_free (struct dictionary *dictionary)
{
  if (dictionary == NULL)
    return;
  ZSTD_freeDDict (dictionary->prepared);
  free (dictionary);
}

/* Bytes the samples from `from` on take when each is compressed on its own; 0 when out of memory.
 */
static uint64_t
compressed_total (const uint8_t *samples, const size_t *sizes, size_t from, size_t count,
                  struct bytes dictionary)
{
  struct compressor *compressor = NULL;
  uint64_t total = 0;
  size_t largest = 1;
  for (size_t i = 0; i < count; i++)
    largest = sizes[i] > largest ? sizes[i] : largest;
  uint8_t *to = malloc (largest);
  if (to == NULL
      || compressor_new (CODEC_ZSTD, TRAINING_LEVEL, dictionary, &compressor, NULL) != STATUS_OK)
    goto out;
  for (size_t i = 0; i < count; i++)
    {
      size_t size;
      compressor->unpaid = 0; /* every sample is tried */
      if (i >= from)
        {
          compressor_run (compressor, BYTES (samples, sizes[i]), to, &size);
          total += size;
        }
      samples += sizes[i];
    }
out:
  free (to);
  compressor_free (compressor);
  return total;
}

/* Trained on three quarters of the samples and judged on the last quarter, which it has not seen:
 * a dictionary must save a twentieth there, and over all samples more than its own size. */
static bool
dictionary_pays (const uint8_t *samples, const size_t *sizes, size_t from, size_t count,
                 struct bytes content)
{
  uint64_t without = compressed_total (samples, sizes, from, count, BYTES_NONE);
  uint64_t with = compressed_total (samples, sizes, from, count, content);
  if (with == 0 || with >= without)
    return false;
  uint64_t saved = without - with;
  return saved >= without / 20 && saved * count / (count - from) > content.size;
}

/* The size of the dictionary, or a zstd error. Left to itself zstd counts in tables of 20 MiB; with
 * these, of 640 KiB, dictionaries are as good (docs/design/memory.md) and made five times
 * faster. */
static size_t
train_content (uint8_t *content, size_t size_max, const uint8_t *samples, const size_t *sizes,
               unsigned count)
{
#ifdef LIGHTNING_HAVE_FAST_COVER
  ZDICT_fastCover_params_t parameters = {
    .d = 8,
    .f = 16,
    .steps = 4,
    .accel = 1,
    .zParams = { .compressionLevel = TRAINING_LEVEL },
  };
  return ZDICT_optimizeTrainFromBuffer_fastCover (content, size_max, samples, sizes, count,
                                                  &parameters);
#else
  return ZDICT_trainFromBuffer (content, size_max, samples, sizes, count);
#endif
}

status
dictionary_train (const uint8_t *samples, const size_t *sizes, size_t count, size_t size_max,
                  uint8_t **out, size_t *out_size, struct failure *failure)
{
  *out = NULL;
  *out_size = 0;
  if (count < 16 || count > UINT_MAX || size_max < 256)
    return STATUS_OK;
  if (size_max > DICTIONARY_SIZE_MAX)
    size_max = DICTIONARY_SIZE_MAX;
  uint8_t *content = malloc (size_max);
  if (content == NULL)
    return fail_memory (failure, size_max, "training a dictionary");
  size_t training = count - count / 4;
  size_t size = train_content (content, size_max, samples, sizes, (unsigned) training);
  if (ZDICT_isError (size)
      || !dictionary_pays (samples, sizes, training, count, BYTES (content, size)))
    {
      free (content);
      return STATUS_OK;
    }
  *out = content;
  *out_size = size;
  return STATUS_OK;
}
