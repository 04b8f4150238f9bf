/* SPDX-License-Identifier: MIT */
/*
 * codec: compresses one page at a time; raw where it does not pay.
 *
 * The numbers are part of the file format. A page is stored compressed only when that saves at
 * least an eighth. Compressors keep their contexts: one per writer; decompression contexts are the
 * process's, one for each thread that decompresses at a time. A dictionary (zstd only) belongs to
 * one segment and is stored in it.
 */
#ifndef LIGHTNING_CODEC_H
#define LIGHTNING_CODEC_H

#include "base/bytes.h"
#include "base/status.h"

enum codec
{
  CODEC_NONE = 0,
  CODEC_ZSTD = 1,
  CODEC_LZ4 = 2,
  CODEC_SNAPPY = 3,
  CODEC_COUNT,
};

struct compressor; /* not thread-safe; one per writer */

/* `level`: zstd 1..19 (others ignore it). `dictionary` may be empty; copied. */
status compressor_new (enum codec codec, int level, struct bytes dictionary,
                       struct compressor **out, struct failure *failure);
size_t compressor_memory (const struct compressor *compressor); /* bytes; NULL: 0 */
void compressor_free (struct compressor *compressor);
/* Compresses `page` into `to` (room: page.size bytes). Returns the codec used: its own with
 * *size set, or CODEC_NONE (nothing written) when less than an eighth would be saved. Adaptive:
 * after pages that did not pay it only samples (1 in 16) until one does again. */
enum codec compressor_run (struct compressor *compressor, struct bytes page, uint8_t *to,
                           size_t *size);

struct dictionary; /* a prepared decompression dictionary, shared by readers of one segment */
status dictionary_new (struct bytes content, struct dictionary **out, struct failure *failure);
size_t dictionary_memory (const struct dictionary *dictionary); /* bytes; NULL: 0 */
void dictionary_free (struct dictionary *dictionary);
/* Trains one from sample pages laid end to end (sizes[i] bytes each); *out is malloc'd. Empty and
 * OK when training says it does not pay. */
status dictionary_train (const uint8_t *samples, const size_t *sizes, size_t count, size_t size_max,
                         uint8_t **out, size_t *out_size, struct failure *failure);

/* Exactly `size` bytes to `to`, or CORRUPT. Never reads or writes outside either, whatever the
 * input; message without the place (the caller knows file and page). */
status codec_decompress (enum codec codec, const struct dictionary *dictionary, struct bytes stored,
                         uint8_t *to, size_t size, struct failure *failure);

/* Frees the contexts of the process that no thread is using: when a database closes or has settled.
 * The next page that is decompressed makes one again. */
void codec_trim (void);

#endif
