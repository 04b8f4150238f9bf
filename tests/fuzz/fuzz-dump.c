/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as a dump that lightning-cli load takes back. By the bits of the first byte the lines
 * get the header that a dump begins with, and the end line with the right count and checksum, so
 * that what lies behind them is reached; and only one store is wanted. What is refused leaves the
 * database as it was; what is taken is dumped, and that is taken back by another database and gives
 * the same dump again.
 */
#include "fuzz-cli.h"

#include "dump.h"

#define HAS_HEADER 1u /* it is put in front */
#define HAS_END 2u    /* it is put behind */
#define ONE_STORE 4u  /* --store second */

/* Records, as the end line counts them. */
static guint64
count_records (const GString *text)
{
  guint64 count = g_str_has_prefix (text->str, "+ ") ? 1 : 0;
  for (const char *at = text->str; at < text->str + text->len; at++)
    count += at[0] == '\n' && at[1] == '+' && at[2] == ' ';
  return count;
}

static void
append_end (GString *text)
{
  if (text->len > 0 && text->str[text->len - 1] != '\n')
    g_string_append_c (text, '\n');
  g_autofree char *sum
      = g_compute_checksum_for_data (G_CHECKSUM_SHA256, (const guint8 *) text->str, text->len);
  g_string_append_printf (text, "end %" G_GUINT64_FORMAT " %s\n", count_records (text), sum);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  if (size == 0)
    return 0;
  g_autoptr (GString) text = g_string_new (NULL);
  if ((data[0] & HAS_HEADER) != 0)
    g_string_append (text, DUMP_HEADER "\n");
  g_string_append_len (text, (const char *) data + 1, (gssize) size - 1);
  if ((data[0] & HAS_END) != 0)
    append_end (text);
  g_autofree char *path = fuzz_cli_path ("input");
  CHECK (g_file_set_contents (path, text->str, (gssize) text->len, NULL));
  const char *words[]
      = { "load", path, (data[0] & ONE_STORE) != 0 ? "--store" : NULL, "second", NULL };
  fuzz_cli_take (words);
  return 0;
}
