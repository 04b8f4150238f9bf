/* SPDX-License-Identifier: MIT */
#include "subject.h"

#include "check.h"

#include <string.h>

#define PADDING 1100u /* bytes: more than the blob threshold */

size_t
subject_key (char to[KEY_ROOM], uint32_t key)
{
  return (size_t) snprintf (to, KEY_ROOM, "key%08x", key);
}

uint32_t
subject_key_number (const void *data, size_t size)
{
  char text[KEY_ROOM] = "", expected[KEY_ROOM];
  CHECK (size < sizeof text);
  memcpy (text, data, size);
  uint32_t key = (uint32_t) strtoul (text + 3, NULL, 16);
  CHECK (subject_key (expected, key) == size && memcmp (expected, data, size) == 0);
  return key;
}

/* How many elements there are, these, and behind every 16th list something. */
size_t
subject_value (uint8_t to[VALUE_MOST], const uint32_t *list, uint32_t count)
{
  size_t size = sizeof count + count * sizeof *list;
  CHECK (count > 0 && count <= LIST_MOST);
  memcpy (to, &count, sizeof count);
  memcpy (to + sizeof count, list, count * sizeof *list);
  if (list[count - 1] % 16 != 0)
    return size;
  memset (to + size, (int) (list[count - 1] & 0xff), PADDING);
  return size + PADDING;
}

uint32_t
subject_list (uint32_t *to, const void *data, size_t size)
{
  uint32_t count;
  uint8_t expected[VALUE_MOST];
  CHECK (size >= sizeof count && size <= VALUE_MOST);
  memcpy (&count, data, sizeof count);
  CHECK (count > 0 && count <= LIST_MOST && sizeof count + count * sizeof *to <= size);
  memcpy (to, (const uint8_t *) data + sizeof count, count * sizeof *to);
  CHECK (subject_value (expected, to, count) == size && memcmp (expected, data, size) == 0);
  return count;
}
