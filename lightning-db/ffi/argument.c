/* SPDX-License-Identifier: MIT */
#include "argument.h"

/* Bytes of the character at `at`, which is not at the text's end; 0: none. RFC 3629: shortest forms
 * only, no surrogates, nothing above U+10FFFF. A missing byte is the zero byte that ends the
 * text. */
static unsigned
character_size (const uint8_t *at)
{
  uint8_t first = at[0];
  if (first < 0x80)
    return 1;
  unsigned size = first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
  for (unsigned i = 1; i < size; i++)
    if ((at[i] & 0xc0) != 0x80)
      return 0;
  bool wrong = (first == 0xe0 && at[1] < 0xa0)     /* too long a form */
               || (first == 0xed && at[1] > 0x9f)  /* a surrogate */
               || (first == 0xf0 && at[1] < 0x90)  /* too long a form */
               || (first == 0xf4 && at[1] > 0x8f); /* too high */
  return wrong ? 0 : size;
}

LightningDBError
argument_text (struct caller *caller, const char *text, const char *what)
{
  if (text == NULL)
    return caller_null (caller, what);
  const uint8_t *at = (const uint8_t *) text;
  while (*at != 0)
    {
      unsigned size = character_size (at);
      if (size == 0)
        return caller_fail (caller, InvalidUtf8,
                            "%s is not UTF-8 at byte %zu; encode it as UTF-8 first", what,
                            (size_t) (at - (const uint8_t *) text));
      at += size;
    }
  return Success;
}

LightningDBError
argument_sync_mode (struct caller *caller, LightningDBSyncMode mode)
{
  int number = (int) mode;
  if (number >= LightningDBSyncDefault && number <= LightningDBSyncNone)
    return Success;
  return caller_fail (caller, InvalidArgument,
                      "there is no sync mode %d; pass one of LightningDBSyncMode", number);
}

LightningDBError
argument_flags (struct caller *caller, uint32_t flags, uint32_t known)
{
  if ((flags & ~known) == 0)
    return Success;
  return caller_fail (caller, InvalidArgument,
                      "the flags %#x mean nothing here; pass a combination of those that do",
                      flags & ~known);
}

static LightningDBError
bound (struct caller *caller, const uint8_t *data, size_t size, const char *what, struct bytes *out)
{
  *out = size > 0 ? BYTES (data, size) : BYTES_NONE;
  if (data == NULL && size > 0)
    return caller_null (caller, what);
  if (size > KEY_SIZE_MAX)
    return caller_fail (caller, KeyTooLarge, "%s has %zu bytes; a key has 1 to %u", what, size,
                        KEY_SIZE_MAX);
  return Success;
}

LightningDBError
argument_range (struct caller *caller, const uint8_t *start, size_t start_len, const uint8_t *end,
                size_t end_len, struct bytes *lower, struct bytes *upper)
{
  LightningDBError error = bound (caller, start, start_len, "the start of the range", lower);
  return error == Success ? bound (caller, end, end_len, "the end of the range", upper) : error;
}
