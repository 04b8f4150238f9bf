/* SPDX-License-Identifier: MIT */
/*
 * replay: drives a fuzz target without libFuzzer.
 *
 *   fuzz-NAME [--seed S] [--changed N] FILE|DIRECTORY…
 *
 * Every file as it stands, then N changed copies of each, which follow from the seed. Before each
 * input its name is put into a line that an abort prints; what a sanitizer finds ends in one.
 */
#include "fuzz.h"

#include "base/random.h"

#include <dirent.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>

#define INPUT_SIZE_MAX ((size_t) 1 << 20)

static const char *program;
static char doing[2 * PATH_MAX + 64]; /* the present input, for who finds the crash */

const char *__asan_default_options (void);
const char *__ubsan_default_options (void);

/* AddressSanitizer's own report of a wild access comes first. */
__attribute__ ((visibility ("default"))) const char *
__asan_default_options (void)
{
  return "abort_on_error=1:handle_segv=2:strict_string_checks=1";
}

__attribute__ ((visibility ("default"))) const char *
__ubsan_default_options (void)
{
  return "abort_on_error=1:print_stacktrace=1";
}

static void
say_what (int number)
{
  ssize_t written = write (STDERR_FILENO, doing, strlen (doing));
  signal (number, SIG_DFL);
  raise (written >= 0 ? number : SIGABRT);
}

static void
change_byte (struct random *random, uint8_t *data, size_t size)
{
  static const uint8_t telling[] = { 0, 1, 0x7f, 0x80, 0xff };
  size_t at = random_below (random, size);
  if (random_below (random, 2) == 0)
    data[at] ^= (uint8_t) (1u << random_below (random, 8));
  else
    data[at] = telling[random_below (random, sizeof telling)];
}

static size_t
change (struct random *random, uint8_t *data, size_t size)
{
  switch (size == 0 ? 5 : random_below (random, 10))
    {
    case 0: /* cut */
      return random_below (random, size);
    case 1: /* move a piece onto another */
      {
        size_t from = random_below (random, size), to = random_below (random, size);
        size_t most = size - (from > to ? from : to);
        memmove (data + to, data + from, random_below (random, most + 1));
        return size;
      }
    case 2: /* a large number */
      for (size_t i = random_below (random, size), end = i + 8; i < end && i < size; i++)
        data[i] = (uint8_t) (random_below (random, 4) == 0 ? random_next (random) : 0xff);
      return size;
    case 5: /* more */
      {
        size_t more = random_below (random, 64);
        if (size + more > INPUT_SIZE_MAX)
          return size;
        for (size_t i = 0; i < more; i++)
          data[size + i] = (uint8_t) random_next (random);
        return size + more;
      }
    default:
      change_byte (random, data, size);
      return size;
    }
}

static void
run (const uint8_t *data, size_t size)
{
  uint8_t *exact = malloc (size > 0 ? size : 1); /* so that a sanitizer sees its end */
  CHECK (exact != NULL);
  memcpy (exact, data, size);
  LLVMFuzzerTestOneInput (exact, size);
  free (exact);
}

static void
run_file (const char *path, uint64_t seed, uint64_t changed)
{
  uint8_t *original = malloc (INPUT_SIZE_MAX), *copy = malloc (INPUT_SIZE_MAX);
  FILE *file = fopen (path, "rb");
  CHECK (original != NULL && copy != NULL && file != NULL);
  size_t size = fread (original, 1, INPUT_SIZE_MAX, file);
  fclose (file);
  snprintf (doing, sizeof doing, "\nagain:  %s %s\n", program, path);
  run (original, size);
  for (uint64_t i = 0; i < changed; i++)
    {
      struct random random = { seed * UINT64_C (0x9e3779b97f4a7c15) + i };
      size_t now = size;
      memcpy (copy, original, size);
      snprintf (doing, sizeof doing, "\nagain:  %s --seed %llu --changed %llu %s\n", program,
                (unsigned long long) seed, (unsigned long long) i + 1, path);
      for (uint64_t times = 1 + random_below (&random, 6); times > 0; times--)
        now = change (&random, copy, now);
      run (copy, now);
    }
  free (original);
  free (copy);
}

static unsigned
run_path (const char *path, uint64_t seed, uint64_t changed)
{
  struct dirent **entries;
  int count = scandir (path, &entries, NULL, alphasort);
  unsigned files = 0;
  if (count < 0)
    {
      run_file (path, seed, changed);
      return 1;
    }
  for (int i = 0; i < count; i++)
    {
      char name[PATH_MAX];
      snprintf (name, sizeof name, "%s/%s", path, entries[i]->d_name);
      if (entries[i]->d_name[0] != '.')
        {
          run_file (name, seed, changed);
          files++;
        }
      free (entries[i]);
    }
  free (entries);
  return files;
}

int
main (int argc, char **argv)
{
  uint64_t seed = 1, changed = 0;
  unsigned files = 0;
  program = argv[0];
  signal (SIGABRT, say_what);
  signal (SIGSEGV, say_what);
  for (int i = 1; i < argc; i++)
    if (i + 1 < argc && strcmp (argv[i], "--seed") == 0)
      seed = strtoull (argv[++i], NULL, 10);
    else if (i + 1 < argc && strcmp (argv[i], "--changed") == 0)
      changed = strtoull (argv[++i], NULL, 10);
    else
      files += run_path (argv[i], seed, changed);
  printf ("%u inputs, each as it is and %llu times changed\n", files, (unsigned long long) changed);
  CHECK (files > 0);
  return 0;
}
