/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as a file for lightning-cli's imports and its load, into a real database. The first
 * byte chooses the form. What is refused leaves the database as it was; what is taken is dumped,
 * and the dump is taken back by another database and gives the same dump again.
 */
#include "fuzz-cli.h"

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
  const char *words[6] = { NULL };
  guint count = 0;
  for (const char *const *word = forms[data[0] % G_N_ELEMENTS (forms)]; *word != NULL; word++)
    words[count++] = *word;
  words[count++] = path;
  if ((data[0] & 0x40) != 0 && data[0] % G_N_ELEMENTS (forms) != 3)
    words[count++] = "--skip-bad";
  fuzz_cli_take (words);
  return 0;
}
