/* SPDX-License-Identifier: MIT */
/*
 * Fuzz target of the parsers that lightning-cli reads foreign bytes with: comma-separated values
 * and escaped text. With -fsanitize=fuzzer it is a libFuzzer target; by itself it changes the
 * samples below many times over, from a fixed seed.
 *
 * What must hold for any bytes: reading ends; escaped text is one line and comes back as it was;
 * what the reader of comma-separated values found, written with every field quoted, reads the same.
 */
#include "../check-condition.h"
#include "command.h"
#include "csv.h"
#include "text-form.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

/* The parsers need no more of the tool than this. */
GQuark
command_error_quark (void)
{
  return g_quark_from_static_string ("fuzz");
}

gboolean
command_is_interrupted (void)
{
  return FALSE;
}

gboolean
command_interrupted (GError **error)
{
  return FALSE;
}

static struct input *
open_bytes (const void *data, gsize size)
{
  int descriptor = memfd_create ("fuzz", MFD_CLOEXEC);
  CHECK (descriptor >= 0 && write (descriptor, data, size) == (gssize) size);
  g_autofree char *path = g_strdup_printf ("/proc/self/fd/%d", descriptor);
  struct input *input = input_open (path, NULL);
  close (descriptor);
  CHECK (input != NULL);
  return input;
}

/* Every record as its fields in quotes, and how many records broke the rules. */
static GString *
read_all (const void *data, gsize size, guint *bad)
{
  struct input *input = open_bytes (data, size);
  struct csv_reader reader;
  GString *quoted = g_string_new (NULL);
  enum csv_result result;
  gsize calls = 0;
  csv_reader_init (&reader, input, ',');
  do
    {
      g_autoptr (GError) error = NULL;
      result = csv_reader_next (&reader, &error);
      CHECK ((result == CSV_BAD) == (error != NULL));
      CHECK (calls++ <= size + 1);
      *bad += result == CSV_BAD;
      for (guint i = 0; result == CSV_RECORD && i < csv_reader_count (&reader); i++)
        {
          gsize length;
          const char *field = csv_reader_field (&reader, i, &length);
          g_string_append (quoted, i > 0 ? ",\"" : "\"");
          for (gsize j = 0; j < length; j++)
            {
              if (field[j] == '"')
                g_string_append_c (quoted, '"');
              g_string_append_c (quoted, field[j]);
            }
          g_string_append_c (quoted, '"');
        }
      if (result == CSV_RECORD)
        g_string_append_c (quoted, '\n');
    }
  while (result == CSV_RECORD || result == CSV_BAD);
  CHECK (result == CSV_END);
  csv_reader_clear (&reader);
  input_free (input);
  return quoted;
}

static void
fuzz_csv (const guint8 *data, gsize size)
{
  guint bad = 0, bad_again = 0;
  GString *first = read_all (data, size, &bad);
  GString *second = read_all (first->str, first->len, &bad_again);
  CHECK (bad_again == 0 && g_string_equal (first, second));
  g_string_free (first, TRUE);
  g_string_free (second, TRUE);
}

static void
fuzz_text (const guint8 *data, gsize size)
{
  g_autoptr (GString) escaped = g_string_new (NULL);
  g_autoptr (GByteArray) back = g_byte_array_new ();
  text_form_append_escaped (escaped, data, size);
  CHECK (strlen (escaped->str) == escaped->len && strpbrk (escaped->str, "\t\r\n") == NULL);
  CHECK (g_utf8_validate (escaped->str, -1, NULL));
  CHECK (text_form_parse_escaped (escaped->str, escaped->len, back, NULL));
  CHECK (back->len == size && (size == 0 || memcmp (back->data, data, size) == 0));
  g_byte_array_set_size (back, 0);
  g_string_truncate (escaped, 0);
  text_form_append_hex (escaped, data, size);
  CHECK (text_form_parse_hex (escaped->str, escaped->len, back, NULL));
  CHECK (back->len == size && (size == 0 || memcmp (back->data, data, size) == 0));
  /* As a foreign escape: it may be wrong, and says so. */
  g_autoptr (GError) error = NULL;
  g_byte_array_set_size (back, 0);
  gboolean parsed = text_form_parse_escaped ((const char *) data, size, back, &error);
  CHECK (parsed == (error == NULL));
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  fuzz_csv (data, size);
  fuzz_text (data, size);
  return 0;
}

#ifndef LIGHTNING_LIBFUZZER
static const char *const samples[] = {
  "id,name,note\r\n1,Ada,\"first, of course\"\r\n2,\"a \"\"b\"\"\",\"two\nlines\"\n",
  "\xef\xbb\xbfk,v\n\n\n,\n\"\"\n\"\",\"\"",
  "\\x00\\n\\t\\r\\\\ \\xff sch\xc3\xbcssel \xe2\x82\xac \xf0\x9f\x98\x80 \xff\xfe\\",
  "a\r\r\nb\"c,\"d\"e,\"f",
};

/* One of the samples with some bytes changed, doubled, cut or swapped for telling ones. */
static void
fuzz_once (GRand *random)
{
  static const char telling[] = "\",\r\n\\x0\t\xef\xbb\xbf\xff\xc3";
  const char *sample = samples[g_rand_int_range (random, 0, G_N_ELEMENTS (samples))];
  g_autoptr (GString) text = g_string_new (sample);
  for (int changes = g_rand_int_range (random, 0, 12); changes > 0; changes--)
    {
      gssize at = g_rand_int_range (random, 0, (gint32) text->len + 1);
      char byte = g_rand_boolean (random)
                      ? telling[g_rand_int_range (random, 0, sizeof telling - 1)]
                      : (char) g_rand_int_range (random, 0, 256);
      if (g_rand_int_range (random, 0, 3) > 0)
        g_string_insert_c (text, at, byte);
      else if ((gsize) at < text->len)
        g_string_erase (text, at,
                        g_rand_int_range (random, 1, (gint32) text->len - (gint32) at + 1));
    }
  LLVMFuzzerTestOneInput ((const guint8 *) text->str, text->len);
}

int
main (void)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (4711);
  for (int i = 0; i < 20000; i++)
    fuzz_once (random);
  return 0;
}
#endif
