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

static inline size_t
bytes_common_prefix (struct bytes a, struct bytes b)
{
  size_t shorter = a.size < b.size ? a.size : b.size;
  size_t length = 0;
  while (length < shorter && a.data[length] == b.data[length])
    length++;
  return length;
}

static inline bool
bytes_has_prefix (struct bytes whole, struct bytes prefix)
{
  return whole.size >= prefix.size
         && (prefix.size == 0 || memcmp (whole.data, prefix.data, prefix.size) == 0);
}

#endif
