/* SPDX-License-Identifier: MIT */
/*
 * The bytes of the log, shared by its writing and its reading side. docs/design/log.md draws them.
 * All integers are little-endian, varints in their shortest form.
 *
 *   segment header            short record               long record
 *    0  magic, 8               0  varint: size + 1        0  1
 *    8  format version, 2      …  checksum, 4             1  tag: the salt folded, 4
 *   10  flags, 2               …  payload                 5  checksum, 8
 *   12  log, 4                                           13  varint: size
 *   16  number, 8                                         …  varint: sequence - first sequence
 *   24  database id, 16                                   …  varint: sequence - synced up to
 *   40  salt, 8                                           …  payload
 *   48  first sequence, 8
 *   56  checksum of 0 … 56, 8
 *
 * A byte of 0 where a record would begin: none is there. A short record's sequence is the one
 * behind its neighbour's, and its payload is not empty. A long record tells all about itself, so
 * that a reader who has lost its way finds the next one by its tag; it carries the claim of what
 * was durable. The writer makes the first record of a segment long, each that has a new claim to
 * make, and then one in 512 bytes, 1 KiB, 2 KiB, 4 KiB, 4 KiB, …, so that no damage takes a claim
 * and all its repetitions.
 *
 * A segment that is kept as history is renamed "<number>.history", cut behind its last record, and
 * ends with a note:
 *
 *    0  magic, 8
 *    8  first sequence, 8
 *   16  last sequence, 8: of the last record that counts
 *   24  end, 8: offset behind it
 *   32  oldest file, 8: lowest number of a file that its records refer to; all ones: none
 *   40  referred bytes, 8: about, in such files
 *   48  0, 8
 *   56  checksum of 0 … 56, seeded with the segment's place and salt, 8
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
#define WAL_PAYLOAD_MAX UINT64_C (0xfffff000)
#define WAL_FLAG_RECYCLED 1u /* stale bytes of an earlier use may follow the last record */
#define WAL_FLAGS_KNOWN WAL_FLAG_RECYCLED

#define WAL_LONG_MARK 1u /* the first byte of a long record */
#define WAL_LONG_TAG 1u  /* where its tag, checksum and varints stand */
#define WAL_LONG_CHECKSUM 5u
#define WAL_LONG_VARINTS 13u
#define WAL_LONG_HEAD_LEAST (WAL_LONG_VARINTS + 3)
#define WAL_HEAD_MOST (WAL_LONG_VARINTS + 3 * VARINT_SIZE_MAX)
#define WAL_SHORT_CHECKSUM_SIZE 4u
#define WAL_RECORD_LEAST 6u /* bytes of the smallest record */

/* Longest "<number>.history" with its terminator. */
#define WAL_NAME_SIZE 32
#define WAL_LOG_SUFFIX ".log"
#define WAL_HISTORY_SUFFIX ".history"

#define WAL_NOTE_MAGIC "LDB-HIS\n"
#define WAL_NOTE_SIZE 64u
#define WAL_NO_FILE UINT64_MAX /* no record refers to any */

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

/* What the end of a history file says of it. */
struct wal_note
{
  uint64_t first_sequence; /* as in the header */
  uint64_t last_sequence;  /* of the last record that counts, at least the first */
  uint64_t end;            /* offset behind it */
  uint64_t oldest_file;    /* lowest number its records refer to, or WAL_NO_FILE */
  uint64_t referred_bytes; /* about, in files its records refer to */
};

static inline void
wal_name (uint64_t number, char name[WAL_NAME_SIZE])
{
  snprintf (name, WAL_NAME_SIZE, "%" PRIu64 WAL_LOG_SUFFIX, number);
}

static inline void
wal_history_name (uint64_t number, char name[WAL_NAME_SIZE])
{
  snprintf (name, WAL_NAME_SIZE, "%" PRIu64 WAL_HISTORY_SUFFIX, number);
}

/* Whether the name is a number (decimal, from 1, without leading zeros) and `suffix`. */
static inline bool
wal_name_parse (const char *name, const char *suffix, uint64_t *number)
{
  uint64_t value = 0;
  const char *at = name;
  if (*at < '1' || *at > '9')
    return false;
  for (; *at >= '0' && *at <= '9'; at++)
    if (__builtin_mul_overflow (value, UINT64_C (10), &value)
        || __builtin_add_overflow (value, (uint64_t) (*at - '0'), &value))
      return false;
  *number = value;
  return strcmp (at, suffix) == 0;
}

static inline struct wal_binding
wal_bind (const uint8_t database_id[16], uint64_t number, uint64_t salt)
{
  return (struct wal_binding){ checksum_seed (database_id, number) ^ salt,
                               (uint32_t) (salt ^ (salt >> 32)) };
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

static inline void
wal_note_encode (const struct wal_note *note, const struct wal_binding *binding,
                 uint8_t to[WAL_NOTE_SIZE])
{
  memcpy (to, WAL_NOTE_MAGIC, 8);
  store_u64 (to + 8, note->first_sequence);
  store_u64 (to + 16, note->last_sequence);
  store_u64 (to + 24, note->end);
  store_u64 (to + 32, note->oldest_file);
  store_u64 (to + 40, note->referred_bytes);
  store_u64 (to + 48, 0);
  store_u64 (to + 56, checksum (binding->seed, 1, BYTES (to, 56)));
}

/* Whether the bytes are the note of a segment of `size` bytes. */
static inline bool
wal_note_decode (const uint8_t from[WAL_NOTE_SIZE], const struct wal_binding *binding,
                 uint64_t size, struct wal_note *out)
{
  out->first_sequence = load_u64 (from + 8);
  out->last_sequence = load_u64 (from + 16);
  out->end = load_u64 (from + 24);
  out->oldest_file = load_u64 (from + 32);
  out->referred_bytes = load_u64 (from + 40);
  return memcmp (from, WAL_NOTE_MAGIC, 8) == 0
         && load_u64 (from + 56) == checksum (binding->seed, 1, BYTES (from, 56))
         && out->first_sequence >= 1 && out->first_sequence <= out->last_sequence
         && out->last_sequence <= SEQUENCE_MAX && out->end > WAL_HEADER_SIZE
         && out->end <= size - WAL_NOTE_SIZE;
}

/* What stands before a record's payload. */
struct wal_record_head
{
  uint64_t size;        /* bytes of the payload */
  uint64_t sequence;    /* of the commit */
  uint64_t synced;      /* the newest sequence known durable then; 0 in a short record: no claim */
  uint64_t checksum;    /* as stored: 4 bytes of it in a short record */
  uint32_t checksum_at; /* where it is stored */
  uint32_t checked;     /* where the checked bytes begin; they end with the payload */
  uint32_t payload;     /* where the payload begins */
  bool is_long;
};

/* The checksum of a record at `offset` of its segment, over its checked bytes. */
static inline uint64_t
wal_record_seed (const struct wal_binding *binding, uint64_t sequence)
{
  return binding->seed ^ (sequence * UINT64_C (0xd6e8feb86659fd93));
}

/* What of a checksum a record stores. */
static inline uint64_t
wal_record_checksum (const struct wal_record_head *head, uint64_t checksum)
{
  return head->is_long ? checksum : (uint32_t) checksum;
}

/* Lays out all but the checksum at `to`, which has room for WAL_HEAD_MOST; size, sequence, synced
 * and is_long are given, the places come out. The first byte is written too. */
static inline void
wal_record_head_encode (struct wal_record_head *head, uint32_t tag, uint64_t first_sequence,
                        uint8_t *to)
{
  uint8_t *at = to;
  if (head->is_long)
    {
      *at = WAL_LONG_MARK;
      store_u32 (to + WAL_LONG_TAG, tag);
      at = varint_store (to + WAL_LONG_VARINTS, head->size);
      at = varint_store (at, head->sequence - first_sequence);
      at = varint_store (at, head->sequence - head->synced);
      head->checksum_at = WAL_LONG_CHECKSUM;
      head->checked = WAL_LONG_VARINTS;
      head->payload = (uint32_t) (at - to);
      return;
    }
  at = varint_store (at, head->size + 1);
  head->checksum_at = (uint32_t) (at - to);
  head->payload = head->checked = head->checksum_at + WAL_SHORT_CHECKSUM_SIZE;
}

/* Whether untrusted bytes begin with a record's head. `next` is the sequence that a short record
 * has here; 0: not known, only a long one will do. Sequence and sizes are checked against
 * themselves only, nothing is verified. */
static inline bool
wal_record_head_decode (struct bytes from, uint32_t tag, uint64_t first_sequence, uint64_t next,
                        struct wal_record_head *out)
{
  struct reader reader = reader_over (from);
  uint64_t number, behind, distance;
  uint32_t low;
  if (!take_varint (&reader, &number) || number == 0)
    return false;
  out->is_long = number == WAL_LONG_MARK;
  if (!out->is_long)
    {
      out->checksum_at = (uint32_t) (reader.at - from.data);
      take_u32 (&reader, &low);
      out->checksum = low;
      out->size = number - 1;
      out->sequence = next;
      out->synced = 0;
      out->payload = out->checked = (uint32_t) (reader.at - from.data);
      return !reader.bad && next != 0 && out->size <= WAL_PAYLOAD_MAX;
    }
  out->checksum_at = WAL_LONG_CHECKSUM;
  out->checked = WAL_LONG_VARINTS;
  if (!take_u32 (&reader, &low) || low != tag || !take_u64 (&reader, &out->checksum)
      || !take_varint (&reader, &out->size) || !take_varint (&reader, &behind)
      || !take_varint (&reader, &distance)
      || __builtin_add_overflow (first_sequence, behind, &out->sequence))
    return false;
  out->synced = out->sequence - distance;
  out->payload = (uint32_t) (reader.at - from.data);
  return out->size <= WAL_PAYLOAD_MAX && distance != 0 && distance <= out->sequence;
}

#endif
