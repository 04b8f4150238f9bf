/* SPDX-License-Identifier: MIT */
/*
 * One file of a golden database says that a later version wrote it: a higher format version, a
 * feature or an encryption that this version does not know, with checksums that are right. Every
 * way to open, check, copy or repair the database must refuse with NEWER_FORMAT, name the file, say
 * what to do, and leave each byte of each file as it was; and there must be nothing left where a
 * copy was to be made.
 *
 *   test-newer DIRECTORY
 */
#include "golden-files.h"

#include "base/coding.h"
#include "engine.h"

static struct failure failure;
static unsigned cases, bad;

/* ---- what a later version writes ---- */

/* A kind of file that carries a version, and where its header says what (docs/design/). */
struct kind
{
  const char *name;
  size_t database, number;              /* offsets of the database's id and the file's number */
  size_t checked;                       /* the checksum's offset; it covers all before it */
  uint64_t position;                    /* of the checksum */
  unsigned version_size, features_size; /* bytes */
  size_t features;
  size_t key_epoch; /* 4 bytes; 0: none */
};

static const struct kind kinds[] = {
  { "MANIFEST-", 24, 40, 56, 0, 4, 4, 16, 48 },
  { ".seg", 16, 32, 4088, UINT64_C (1) << 62, 4, 4, 12, 48 },
  { ".blob", 24, 16, 56, 0, 4, 4, 12, 40 },
  { ".log", 24, 16, 56, 0, 2, 2, 10, 0 },
  { ".history", 24, 16, 56, 0, 2, 2, 10, 0 },
};

enum novelty
{
  NOVEL_VERSION,   /* the next one */
  NOVEL_LAST,      /* the last that there can be */
  NOVEL_FEATURE,   /* a bit that this version does not know */
  NOVEL_KEY_EPOCH, /* encrypted */
  NOVELTIES,
};
static const char *const novelty_names[NOVELTIES]
    = { "next version", "last version", "feature", "encryption" };

static void
add_to_header (const struct kind *kind, uint8_t *header, enum novelty novelty)
{
  switch (novelty)
    {
    case NOVEL_VERSION:
      header[8]++;
      break;
    case NOVEL_LAST:
      memset (header + 8, 0xff, kind->version_size);
      break;
    case NOVEL_FEATURE:
      header[kind->features + kind->features_size - 1] |= 0x40;
      break;
    case NOVEL_KEY_EPOCH:
      header[kind->key_epoch]++;
      break;
    case NOVELTIES:
      abort ();
    }
  uint64_t seed = checksum_seed (header + kind->database, load_u64 (header + kind->number));
  store_u64 (header + kind->checked,
             checksum (seed, kind->position, BYTES (header, kind->checked)));
}

/* The proof that the table above is right: a header that is not changed verifies. */
static void
check_header (const struct kind *kind, const uint8_t *header)
{
  uint64_t seed = checksum_seed (header + kind->database, load_u64 (header + kind->number));
  CHECK (load_u64 (header + kind->checked)
         == checksum (seed, kind->position, BYTES (header, kind->checked)));
}

static void
make_newer (const char *path, const struct kind *kind, enum novelty novelty)
{
  uint8_t header[4096];
  FILE *file = fopen (path, "r+b");
  size_t size = kind->checked + 8;
  CHECK (file != NULL && fread (header, 1, size, file) == size);
  check_header (kind, header);
  add_to_header (kind, header, novelty);
  CHECK (fseek (file, 0, SEEK_SET) == 0 && fwrite (header, 1, size, file) == size);
  CHECK (fclose (file) == 0);
}

/* ---- who must refuse it ---- */

struct subject
{
  const char *path;  /* of the database */
  const char *other; /* where nothing is, and nothing may be left */
};

/* `retention`: 0: without history. */
static status
open_retaining (const struct subject *subject, unsigned flags, uint64_t retention)
{
  struct engine_options options;
  struct engine *engine;
  engine_options_init (&options);
  options.change_retention = retention;
  status result = engine_open (subject->path, flags, &options, &engine, &failure);
  if (result == STATUS_OK)
    {
      engine_close (engine, NULL);
      engine_unref (engine);
    }
  return result;
}

static status
open_as (const struct subject *subject, unsigned flags)
{
  return open_retaining (subject, flags, 1 << 20);
}

static status
open_writer (const struct subject *subject)
{
  return open_as (subject, ENGINE_OPEN_EXISTING);
}

static status
open_or_create (const struct subject *subject)
{
  return open_as (subject, ENGINE_OPEN_CREATE);
}

static status
open_without_history (const struct subject *subject)
{
  return open_retaining (subject, ENGINE_OPEN_EXISTING, 0);
}

static status
open_reader (const struct subject *subject)
{
  return open_as (subject, ENGINE_OPEN_READ_ONLY);
}

static status
open_static (const struct subject *subject)
{
  return open_as (subject, ENGINE_OPEN_READ_ONLY | ENGINE_OPEN_STATIC);
}

static status
check (const struct subject *subject)
{
  struct engine_check_report report;
  return engine_check (subject->path, false, NULL, NULL, NULL, &report, &failure);
}

static status
check_deeply (const struct subject *subject)
{
  struct engine_check_report report;
  return engine_check (subject->path, true, NULL, NULL, NULL, &report, &failure);
}

static status
repair (const struct subject *subject)
{
  struct engine_repair_report report;
  return engine_repair (subject->path, subject->other, NULL, NULL, NULL, &report, &failure);
}

static status
restore (const struct subject *subject)
{
  return engine_restore (subject->path, subject->other, NULL, NULL, &failure);
}

static const struct
{
  const char *name;
  status (*call) (const struct subject *);
} ways[] = {
  { "open", open_writer },
  { "open or create", open_or_create },
  { "open without history", open_without_history },
  { "open read-only", open_reader },
  { "open static", open_static },
  { "check", check },
  { "deep check", check_deeply },
  { "repair", repair },
  { "restore", restore },
};

static void
complain (const char *database, const char *file, enum novelty novelty, const char *way,
          const char *what)
{
  bad++;
  fprintf (stderr, "%s, %s, %s: %s: %s (%s)\n", database, file, novelty_names[novelty], way, what,
           failure.message);
}

/* The message names the file, the version or what else is new, and the remedy. */
static bool
message_is_clear (const char *file, enum novelty novelty)
{
  const char *text = failure.message;
  return strstr (text, file) != NULL && strstr (text, "version") != NULL
         && strstr (text, "later") != NULL && strstr (text, "open") != NULL
         && (novelty == NOVEL_VERSION ? strstr (text, "format 2") != NULL
             : novelty == NOVEL_LAST  ? strstr (text, "format 4294967295") != NULL
                                           || strstr (text, "format 65535") != NULL
                                     : strstr (text, "features") != NULL);
}

static void
judge (const struct subject *subject, const char *database, const char *file, enum novelty novelty)
{
  uint64_t before = golden_sum (subject->path);
  for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
    {
      failure = FAILURE_INIT;
      status result = ways[i].call (subject);
      cases++;
      if (result != STATUS_NEWER_FORMAT)
        complain (database, file, novelty, ways[i].name, status_name (result));
      else if (!message_is_clear (file, novelty))
        complain (database, file, novelty, ways[i].name, "the message is not clear");
      if (access (subject->other, F_OK) == 0)
        {
          char command[GOLDEN_PATH_SIZE];
          complain (database, file, novelty, ways[i].name, "it left a copy");
          snprintf (command, sizeof command, "rm -r '%s'", subject->other);
          CHECK (system (command) == 0);
        }
      if (golden_sum (subject->path) == before)
        continue;
      complain (database, file, novelty, ways[i].name, "it changed the files");
      return;
    }
}

/* ---- all of them ---- */

/* The first file of a kind in the directory, by number. */
static bool
find_file (const char *path, const struct kind *kind, char to[256])
{
  unsigned long least = 0;
  struct dirent *entry;
  DIR *list = opendir (path);
  CHECK (list != NULL);
  while ((entry = readdir (list)) != NULL)
    {
      const char *name = entry->d_name;
      bool is_it = kind->name[0] == '.' ? strchr (name, '.') != NULL && name[0] != '.'
                                              && strcmp (strchr (name, '.'), kind->name) == 0
                                        : strncmp (name, kind->name, strlen (kind->name)) == 0;
      unsigned long number = strtoul (name, NULL, 10);
      if (!is_it || (least != 0 && number >= least))
        continue;
      least = number;
      snprintf (to, 256, "%s", name);
    }
  closedir (list);
  return least != 0 || kind->name[0] != '.';
}

static void
test_case (const char *directory, const char *database, const struct kind *kind,
           enum novelty novelty)
{
  char *own = fresh_directory (), path[GOLDEN_PATH_SIZE], other[GOLDEN_PATH_SIZE], file[256],
       whole[GOLDEN_PATH_SIZE + sizeof file];
  golden_copy (directory, database, own);
  snprintf (path, sizeof path, "%s/%s", own, database);
  snprintf (other, sizeof other, "%s/other", own);
  if (find_file (path, kind, file))
    {
      snprintf (whole, sizeof whole, "%s/%s", path, file);
      make_newer (whole, kind, novelty);
      judge (&(struct subject){ path, other }, database, file, novelty);
    }
  remove_directory (own);
}

/* An earlier backup that a later version has brought up to date since. */
static void
test_backup_over (const char *directory)
{
  char *own = fresh_directory (), path[GOLDEN_PATH_SIZE], backup[GOLDEN_PATH_SIZE], file[256],
       whole[GOLDEN_PATH_SIZE + sizeof file];
  struct engine_backup_result made;
  struct engine *engine;
  golden_copy (directory, "none-closed", own);
  snprintf (path, sizeof path, "%s/none-closed", own);
  snprintf (backup, sizeof backup, "%s/backup", own);
  CHECK_OK (engine_open (path, ENGINE_OPEN_EXISTING, NULL, &engine, &failure));
  CHECK_OK (engine_backup (engine, backup, true, NULL, NULL, &made, &failure));
  CHECK (find_file (backup, &kinds[0], file));
  snprintf (whole, sizeof whole, "%s/%s", backup, file);
  make_newer (whole, &kinds[0], NOVEL_VERSION);
  uint64_t before = golden_sum (backup);
  failure = FAILURE_INIT;
  status result = engine_backup (engine, backup, true, NULL, NULL, &made, &failure);
  cases++;
  if (result != STATUS_NEWER_FORMAT || !message_is_clear (file, NOVEL_VERSION))
    complain ("none-closed", file, NOVEL_VERSION, "backup", status_name (result));
  if (golden_sum (backup) != before)
    complain ("none-closed", file, NOVEL_VERSION, "backup", "it changed the files");
  CHECK_OK (engine_close (engine, &failure));
  engine_unref (engine);
  remove_directory (own);
}

int
main (int argument_count, char **arguments)
{
  static const char *const databases[] = { "none-closed", "none-killed", "lz4-killed" };
  if (argument_count != 2)
    {
      fprintf (stderr, "usage: test-newer DIRECTORY\n");
      return 2;
    }
  for (size_t d = 0; d < sizeof databases / sizeof *databases; d++)
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
      for (unsigned novelty = 0; novelty < NOVELTIES; novelty++)
        if (novelty != NOVEL_KEY_EPOCH || kinds[k].key_epoch != 0)
          test_case (arguments[1], databases[d], &kinds[k], (enum novelty) novelty);
  test_backup_over (arguments[1]);
  printf ("%u attempts at files of a later version, %u not refused as they should be\n", cases,
          bad);
  CHECK (cases > 300);
  return bad > 0;
}
