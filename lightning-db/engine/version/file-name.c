/* SPDX-License-Identifier: MIT */
#include "version/manifest-private.h"

#include <inttypes.h>
#include <stdio.h>

static const struct
{
  const char *before; /* the number */
  const char *after;
} patterns[] = {
  [FILE_LOG] = { "", ".log" },       [FILE_SEGMENT] = { "", ".seg" },
  [FILE_BLOB] = { "", ".blob" },     [FILE_MANIFEST] = { "MANIFEST-", "" },
  [FILE_TEMPORARY] = { "", ".tmp" }, [FILE_HISTORY] = { "", ".history" },
};

void
file_name (char to[FILE_NAME_SIZE], enum file_kind kind, uint64_t number)
{
  snprintf (to, FILE_NAME_SIZE, "%s%" PRIu64 "%s", patterns[kind].before, number,
            patterns[kind].after);
}

/* Decimal without leading zeros, 1 … FILE_NUMBER_MAX. Returns the end, or NULL. */
static const char *
parse_number (const char *at, uint64_t *number)
{
  uint64_t value = 0;
  if (*at < '1' || *at > '9')
    return NULL;
  for (; *at >= '0' && *at <= '9'; at++)
    {
      value = value * 10 + (uint64_t) (*at - '0');
      if (value > FILE_NUMBER_MAX)
        return NULL;
    }
  *number = value;
  return at;
}

bool
file_name_parse (const char *name, enum file_kind *kind, uint64_t *number)
{
  for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++)
    {
      size_t before = strlen (patterns[i].before);
      if (strncmp (name, patterns[i].before, before) != 0)
        continue;
      const char *end = parse_number (name + before, number);
      if (end != NULL && strcmp (end, patterns[i].after) == 0)
        {
          *kind = (enum file_kind) i;
          return true;
        }
    }
  return false;
}
