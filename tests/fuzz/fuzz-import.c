/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as a file for lightning-cli's imports and its load, into a real database. The first
 * byte chooses the form and, by its other bits, what else is said. What is refused leaves the database as it was; what is taken is dumped,
 * and the dump is taken back by another database and gives the same dump again.
 */
#include "fuzz-cli.h"

#define AS_JSON 0x04u   /* the result is */
#define NAMED 0x08u     /* the key, and of csv the value's column */
#define TABS 0x10u      /* csv: between the fields; and there is no header */
#define DIRECTORY 0x20u /* in place of a file */
#define SKIPS 0x40u     /* what is bad */
#define LOAD 3u         /* of the forms */

static guint
add_words (const char **words, const char *const *more)
{
  guint count = 0;
  for (; more[count] != NULL; count++)
    words[count] = more[count];
  return count;
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  static const char *const forms[][4] = {
    { "import", "csv", NULL },
    { "import", "json", NULL },
    { "import", "control", NULL },
    { "load", NULL },
  };
  if (size == 0)
    return 0;
  g_autofree char *path = fuzz_cli_path ("input");
  CHECK (g_file_set_contents (path, (const char *) data + 1, (gssize) size - 1, NULL));
  const char *words[16] = { NULL };
  g_autofree char *directory = fuzz_cli_path ("");
  guint form = data[0] % G_N_ELEMENTS (forms), count = add_words (words, forms[form]);
  words[count++] = (data[0] & DIRECTORY) != 0 ? directory : path;
  if ((data[0] & AS_JSON) != 0)
    words[count++] = "--json";
  if ((data[0] & SKIPS) != 0 && form != LOAD)
    words[count++] = "--skip-bad";
  if ((data[0] & NAMED) != 0 && form != LOAD)
    count += add_words (words + count, form == 0 ? (const char *[]){ "--key-column", "name",
                                                                     "--value-column", "2", NULL }
                                                 : (const char *[]){ "--key", "name", NULL });
  if ((data[0] & TABS) != 0 && form == 0)
    count
        += add_words (words + count, (const char *[]){ "--delimiter", "tab", "--no-header", NULL });
  fuzz_cli_take (words);
  return 0;
}
