/* SPDX-License-Identifier: MIT */
/*
 * bytes: a borrowed run of bytes, and the one order every key of the engine is compared in:
 * unsigned bytewise, a prefix before what it is a prefix of (memcmp, then length).
 */
#ifndef LIGHTNING_BASE_BYTES_H
#define LIGHTNING_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Hard limits of the format. An internal key is 4 bytes of store id, then the user's key. */
#define KEY_SIZE_MAX 65536u /* user key, bytes; the least is 1 */
#define STORE_ID_SIZE 4u    /* big-endian, so that stores sort apart */
#define INTERNAL_KEY_SIZE_MAX (KEY_SIZE_MAX + STORE_ID_SIZE)
#define VALUE_SIZE_MAX (UINT64_C (1) << 30)     /* bytes */
#define SEQUENCE_MAX ((UINT64_C (1) << 53) - 1) /* JavaScript holds it exactly */

struct bytes
{
  const uint8_t *data; /* borrowed; may be NULL only when size is 0 */
  size_t size;         /* bytes */
};

#define BYTES(pointer, length) ((struct bytes){ (const uint8_t *) (pointer), (length) })
#define BYTES_LITERAL(text) ((struct bytes){ (const uint8_t *) (text), sizeof (text) - 1 })
#define BYTES_NONE ((struct bytes){ NULL, 0 })

static inline int
bytes_compare (struct bytes a, struct bytes b)
{
  size_t shorter = a.size < b.size ? a.size : b.size;
  int order = shorter > 0 ? memcmp (a.data, b.data, shorter) : 0;
  if (order != 0)
    return order;
  return (a.size > b.size) - (a.size < b.size);
}

static inline bool
bytes_equal (struct bytes a, struct bytes b)
{
  return a.size == b.size && (a.size == 0 || memcmp (a.data, b.data, a.size) == 0);
}

/* memcpy without a call, for the short runs that keys and heads are made of: two pieces that
 * overlap. */
static inline void
bytes_copy (uint8_t *to, struct bytes from)
{
  size_t size = from.size;
  if (size > 32)
    memcpy (to, from.data, size);
  else if (size > 16)
    {
      struct
      {
        uint64_t words[2];
      } first, last;
      memcpy (&first, from.data, 16);
      memcpy (&last, from.data + size - 16, 16);
      memcpy (to, &first, 16);
      memcpy (to + size - 16, &last, 16);
    }
  else if (size >= 8)
    {
      uint64_t first, last;
      memcpy (&first, from.data, 8);
      memcpy (&last, from.data + size - 8, 8);
      memcpy (to, &first, 8);
      memcpy (to + size - 8, &last, 8);
    }
  else
    for (size_t i = 0; i < size; i++)
      to[i] = from.data[i];
}

/* memcmp (a, b, size) == 0 without a call, for the short runs that keys are made of: whole words,
 * the last one overlapping the one before. */
static inline bool
bytes_same (const uint8_t *a, const uint8_t *b, size_t size)
{
  uint64_t left, right;
  if (size >= 8)
    {
      for (size_t at = 0; at + 8 < size; at += 8)
        {
          memcpy (&left, a + at, 8);
          memcpy (&right, b + at, 8);
          if (left != right)
            return false;
        }
      memcpy (&left, a + size - 8, 8);
      memcpy (&right, b + size - 8, 8);
      return left == right;
    }
  if (size >= 4)
    {
      uint32_t low, high, its_low, its_high;
      memcpy (&low, a, 4);
      memcpy (&its_low, b, 4);
      memcpy (&high, a + size - 4, 4);
      memcpy (&its_high, b + size - 4, 4);
      return ((low ^ its_low) | (high ^ its_high)) == 0;
    }
  return size == 0 || (a[0] == b[0] && a[size / 2] == b[size / 2] && a[size - 1] == b[size - 1]);
}

static inline size_t
bytes_common_prefix (struct bytes a, struct bytes b)
{
  size_t shorter = a.size < b.size ? a.size : b.size;
  size_t length = 0;
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
  for (; shorter - length >= 8; length += 8)
    {
      uint64_t left, right;
      memcpy (&left, a.data + length, 8);
      memcpy (&right, b.data + length, 8);
      if (left != right)
        return length + (size_t) (__builtin_ctzll (left ^ right) / 8);
    }
#endif
  while (length < shorter && a.data[length] == b.data[length])
    length++;
  return length;
}

/* What follows the first `size` bytes; there are so many. */
static inline struct bytes
bytes_behind (struct bytes whole, size_t size)
{
  return size > 0 ? BYTES (whole.data + size, whole.size - size) : whole;
}

static inline bool
bytes_has_prefix (struct bytes whole, struct bytes prefix)
{
  return whole.size >= prefix.size
         && (prefix.size == 0 || memcmp (whole.data, prefix.data, prefix.size) == 0);
}

#endif
