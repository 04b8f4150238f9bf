/* SPDX-License-Identifier: MIT */
/*
 * coding: the little-endian integers and varints every file of the database is made of, and a
 * bounded reader that never passes the end of its input.
 *
 * A varint is LEB128: 7 bits a byte, least significant first, at most 10 bytes, the shortest form
 * only (a decoder rejects a padded one, so that equal values have equal bytes).
 */
#ifndef LIGHTNING_BASE_CODING_H
#define LIGHTNING_BASE_CODING_H

#include "base/bytes.h"

#define VARINT_SIZE_MAX 10

static inline uint16_t
load_u16 (const void *from)
{
  uint16_t value;
  memcpy (&value, from, sizeof value);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  value = __builtin_bswap16 (value);
#endif
  return value;
}

static inline uint32_t
load_u32 (const void *from)
{
  uint32_t value;
  memcpy (&value, from, sizeof value);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  value = __builtin_bswap32 (value);
#endif
  return value;
}

static inline uint64_t
load_u64 (const void *from)
{
  uint64_t value;
  memcpy (&value, from, sizeof value);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  value = __builtin_bswap64 (value);
#endif
  return value;
}

static inline void
store_u16 (void *to, uint16_t value)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  value = __builtin_bswap16 (value);
#endif
  memcpy (to, &value, sizeof value);
}

static inline void
store_u32 (void *to, uint32_t value)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  value = __builtin_bswap32 (value);
#endif
  memcpy (to, &value, sizeof value);
}

static inline void
store_u64 (void *to, uint64_t value)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  value = __builtin_bswap64 (value);
#endif
  memcpy (to, &value, sizeof value);
}

/* Big-endian, for numbers that must sort as bytes (store ids, key heads). */
static inline uint32_t
load_u32_big (const void *from)
{
  return __builtin_bswap32 (load_u32 (from));
}

static inline void
store_u32_big (void *to, uint32_t value)
{
  store_u32 (to, __builtin_bswap32 (value));
}

static inline uint64_t
load_u64_big (const void *from)
{
  return __builtin_bswap64 (load_u64 (from));
}

/* The 8 bytes of a key behind its first `skip` ones, zeros behind a shorter key, as a number that
 * orders as they do. */
static inline uint64_t
key_head (struct bytes key, size_t skip)
{
  size_t left = key.size - skip;
  if (left >= 8)
    return load_u64_big (key.data + skip);
  if (left == 0)
    return 0;
  if (key.size >= 8) /* the key's last 8 bytes, without those in front */
    return load_u64_big (key.data + key.size - 8) << (64 - 8 * left);
  uint64_t head = 0;
  for (size_t i = 0; i < left; i++)
    head |= (uint64_t) key.data[skip + i] << (56 - 8 * i);
  return head;
}

static inline size_t
varint_size (uint64_t value)
{
  size_t size = 1;
  while (value >= 0x80)
    {
      value >>= 7;
      size++;
    }
  return size;
}

/* Writes `value` at `to` (VARINT_SIZE_MAX bytes of room) and returns the end of what it wrote. */
static inline uint8_t *
varint_store (uint8_t *to, uint64_t value)
{
  while (value >= 0x80)
    {
      *to++ = (uint8_t) (value | 0x80);
      value >>= 7;
    }
  *to++ = (uint8_t) value;
  return to;
}

/* A reader over untrusted bytes. Every take_ moves `at` only on success; once one fails, `bad`
 * stays set and all later ones fail too, so a parser may check once at the end of a group. */
struct reader
{
  const uint8_t *at;  /* next byte */
  const uint8_t *end; /* one past the last */
  bool bad;           /* a take_ ran past the end or met a malformed varint */
};

static inline struct reader
reader_over (struct bytes input)
{
  return (struct reader){ input.data, input.data + input.size, false };
}

static inline size_t
reader_left (const struct reader *reader)
{
  return (size_t) (reader->end - reader->at);
}

static inline bool
take_bytes (struct reader *reader, size_t size, struct bytes *out)
{
  if (reader->bad || reader_left (reader) < size)
    {
      reader->bad = true;
      *out = BYTES_NONE;
      return false;
    }
  *out = BYTES (reader->at, size);
  reader->at += size;
  return true;
}

static inline bool
take_u8 (struct reader *reader, uint8_t *out)
{
  struct bytes raw;
  *out = take_bytes (reader, 1, &raw) ? raw.data[0] : 0;
  return !reader->bad;
}

static inline bool
take_u32 (struct reader *reader, uint32_t *out)
{
  struct bytes raw;
  *out = take_bytes (reader, 4, &raw) ? load_u32 (raw.data) : 0;
  return !reader->bad;
}

static inline bool
take_u64 (struct reader *reader, uint64_t *out)
{
  struct bytes raw;
  *out = take_bytes (reader, 8, &raw) ? load_u64 (raw.data) : 0;
  return !reader->bad;
}

static inline bool
take_varint (struct reader *reader, uint64_t *out)
{
  uint64_t value = 0;
  const uint8_t *at = reader->at;
  if (__builtin_expect (!reader->bad && at < reader->end && *at < 0x80, 1))
    {
      *out = *at;
      reader->at = at + 1;
      return true;
    }
  *out = 0;
  for (unsigned shift = 0; !reader->bad && at < reader->end && shift < 64; shift += 7)
    {
      uint8_t byte = *at++;
      if ((shift == 63 && byte > 1) || (byte == 0 && shift > 0))
        break;
      value |= (uint64_t) (byte & 0x7f) << shift;
      if (byte < 0x80)
        {
          reader->at = at;
          *out = value;
          return true;
        }
    }
  reader->bad = true;
  return false;
}

/* A varint length, then that many bytes. */
static inline bool
take_sized (struct reader *reader, struct bytes *out)
{
  uint64_t size;
  *out = BYTES_NONE;
  return take_varint (reader, &size) && size <= reader_left (reader)
             ? take_bytes (reader, (size_t) size, out)
             : (reader->bad = true, false);
}

#endif
