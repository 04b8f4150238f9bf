/* SPDX-License-Identifier: MIT */
/*
 * The bytes of the log, shared by its writing and its reading side. docs/design/log.md draws them.
 * All integers are little-endian.
 *
 *   segment header            record header
 *    0  magic, 8               0  checksum, 8: of bytes 8 … 32 + size, never 0
 *    8  format version, 2      8  size of the payload, 4
 *   10  flags, 2              12  tag: the salt folded to 4 bytes
 *   12  log, 4                16  sequence, 8
 *   16  number, 8             24  synced up to, 8: below sequence
 *   24  database id, 16       32  payload, then zeros up to a multiple of 8
 *   40  salt, 8
 *   48  first sequence, 8
 *   56  checksum of 0 … 56, 8
 *
 * `log` is the number (its low half) of the first segment written since the log was opened: it
 * tells segments of one run of the writer from those of the run after a recovery.
 */
#ifndef LIGHTNING_WAL_FORMAT_PRIVATE_H
#define LIGHTNING_WAL_FORMAT_PRIVATE_H

#include "base/coding.h"
#include "base/hash.h"

#include <inttypes.h>
#include <stdio.h>

#define WAL_MAGIC "LDB-LOG\n"
#define WAL_FORMAT_VERSION 1
#define WAL_HEADER_SIZE 64u
#define WAL_RECORD_HEADER_SIZE 32u
#define WAL_ALIGNMENT 8u
#define WAL_PAYLOAD_MAX UINT64_C (0xfffff000)
#define WAL_FLAG_RECYCLED 1u /* stale bytes of an earlier use may follow the last record */

/* Longest "<number>.log" with its terminator. */
#define WAL_NAME_SIZE 32

/* What the checksums of one segment's records are bound to. */
struct wal_binding
{
  uint64_t seed; /* of database id, number and salt */
  uint32_t tag;  /* the salt folded: rejects stale records without a checksum */
};

struct wal_segment_header
{
  uint16_t version;        /* WAL_FORMAT_VERSION or later */
  uint16_t flags;          /* WAL_FLAG_… */
  uint32_t log;            /* which run of the writer */
  uint64_t number;         /* of the file name */
  uint8_t database_id[16]; /* whose log it is */
  uint64_t salt;           /* random, new with each use of the file */
  uint64_t first_sequence; /* of the first record that may stand in it */
};

static inline void
wal_name (uint64_t number, char name[WAL_NAME_SIZE])
{
  snprintf (name, WAL_NAME_SIZE, "%" PRIu64 ".log", number);
}

static inline struct wal_binding
wal_bind (const uint8_t database_id[16], uint64_t number, uint64_t salt)
{
  return (struct wal_binding){ checksum_seed (database_id, number) ^ salt,
                               (uint32_t) (salt ^ (salt >> 32)) };
}

/* Bytes that a record with `payload` bytes takes in a segment; payload <= WAL_PAYLOAD_MAX. */
static inline uint64_t
wal_record_size (uint64_t payload)
{
  return (WAL_RECORD_HEADER_SIZE + payload + WAL_ALIGNMENT - 1) & ~(uint64_t) (WAL_ALIGNMENT - 1);
}

/* 0 is the mark of "no record here yet", so a checksum that comes out as 0 is stored as 1. */
static inline uint64_t
wal_checksum_word (uint64_t value)
{
  return value != 0 ? value : 1;
}

static inline void
wal_header_encode (const struct wal_segment_header *header, uint8_t to[WAL_HEADER_SIZE])
{
  memcpy (to, WAL_MAGIC, 8);
  store_u16 (to + 8, header->version);
  store_u16 (to + 10, header->flags);
  store_u32 (to + 12, header->log);
  store_u64 (to + 16, header->number);
  memcpy (to + 24, header->database_id, 16);
  store_u64 (to + 40, header->salt);
  store_u64 (to + 48, header->first_sequence);
  store_u64 (to + 56,
             checksum (checksum_seed (header->database_id, header->number), 0, BYTES (to, 56)));
}

/* Whether the 64 bytes are a header that verifies, of whatever database, number and version. */
static inline bool
wal_header_decode (const uint8_t from[WAL_HEADER_SIZE], struct wal_segment_header *out)
{
  out->version = load_u16 (from + 8);
  out->flags = load_u16 (from + 10);
  out->log = load_u32 (from + 12);
  out->number = load_u64 (from + 16);
  memcpy (out->database_id, from + 24, 16);
  out->salt = load_u64 (from + 40);
  out->first_sequence = load_u64 (from + 48);
  return memcmp (from, WAL_MAGIC, 8) == 0
         && load_u64 (from + 56)
                == checksum (checksum_seed (out->database_id, out->number), 0, BYTES (from, 56));
}

/* The header's fields behind the checksum word. */
static inline void
wal_record_encode (uint8_t *to, uint32_t size, uint32_t tag, uint64_t sequence, uint64_t synced)
{
  store_u32 (to + 8, size);
  store_u32 (to + 12, tag);
  store_u64 (to + 16, sequence);
  store_u64 (to + 24, synced);
}

#endif
