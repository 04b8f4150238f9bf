/* SPDX-License-Identifier: MIT */
/* Check and repair, through the engine's own header. */
#include "core/upkeep.h"
#include "filled-engine.h"
#include "replaced-vfs.h"

#include <dirent.h>
#include <sys/stat.h>
#include <sys/wait.h>

struct told
{
  unsigned count, pages;
  char file[64], reason[600];
  char span[600]; /* the last that names a span of keys */
};

static void
tell (void *data, const char *file, uint64_t page, const char *reason)
{
  struct told *told = data;
  told->count++;
  told->pages += page != UINT64_MAX;
  snprintf (told->file, sizeof told->file, "%s", file);
  snprintf (told->reason, sizeof told->reason, "%s", reason);
  if (strncmp (reason, "keys ", 5) == 0)
    snprintf (told->span, sizeof told->span, "%s", reason);
}

static char *
filled_database (char **parent)
{
  *parent = fresh_directory ();
  char *path = below (*parent, "database");
  struct engine *engine = open_small (path);
  fill (engine);
  CHECK_OK (engine_compact (engine, NULL, NULL, &failure));
  put_range (engine, 6000, 6100, 1);
  close_it (engine);
  return path;
}

void
test_check_and_repair_sound (void)
{
  char *parent, *path = filled_database (&parent), *repaired = below (parent, "repaired");
  struct engine_check_report report;
  struct engine_repair_report saved;
  struct told told = { 0 };
  CHECK_OK (engine_check (path, true, tell, NULL, &told, &report, &failure));
  CHECK_INT (told.count, 0);
  CHECK (report.page_checksums && report.tree_structure && report.log && report.no_orphans
         && report.blobs_intact && report.pages > 100 && report.records > 7000);
  CHECK_INT (report.segments, count_files (path, ".seg"));
  CHECK_INT (report.blobs, count_files (path, ".blob"));
  CHECK_OK (engine_check (path, false, tell, NULL, &told, &report, &failure));
  CHECK_INT (report.records, 0);
  CHECK_OK (engine_repair (path, repaired, tell, NULL, &told, &saved, &failure));
  CHECK_INT (told.count, 0);
  CHECK (saved.records >= 7799 && saved.lost_pages == 0 && saved.files_skipped == 0);
  check_filled (repaired);
  CHECK_FAILS (engine_repair (path, repaired, tell, NULL, &told, &saved, &failure), STATUS_EXISTS);
  CHECK_FAILS (engine_check (parent, true, NULL, NULL, NULL, NULL, &failure),
               STATUS_NOT_A_DATABASE);
  free (repaired);
  free (path);
  remove_directory (parent);
}

/* The manifest of another database, put back by mistake, says nothing about these files. */
void
test_foreign_manifest (void)
{
  char *parent, *path = filled_database (&parent), *repaired = below (parent, "repaired");
  char *other_parent, *other = filled_database (&other_parent), command[1200];
  struct engine_repair_report saved;
  struct told told = { 0 };
  snprintf (command, sizeof command,
            "rm -- '%s'/MANIFEST-* && cp -- '%s'/CURRENT '%s'/MANIFEST-* '%s'", path, other, other,
            path);
  CHECK_INT (system (command), 0);
  CHECK_OK (engine_repair (path, repaired, tell, NULL, &told, &saved, &failure));
  CHECK (told.count == 1 && strcmp (told.file, "CURRENT") == 0);
  CHECK (strstr (told.reason, "belongs to another database") != NULL);
  check_filled (repaired);
  free (repaired);
  free (path);
  free (other);
  remove_directory (parent);
  remove_directory (other_parent);
}

void
test_damaged_page (void)
{
  char *parent, *path = filled_database (&parent), *repaired = below (parent, "repaired");
  struct engine_check_report report;
  struct engine_repair_report saved;
  struct told told = { 0 };
  char name[300];
  CHECK (find_files (path, ".seg", name) > 0);
  flip (path, name, 4096 + 300); /* in the first leaf */
  CHECK_FAILS (engine_check (path, true, tell, NULL, &told, &report, &failure), STATUS_CORRUPT);
  CHECK (told.count >= 1 && told.pages >= 1 && strcmp (told.file, name) == 0);
  CHECK (!report.page_checksums && report.log && report.blobs_intact);
  CHECK_INT (report.faults, told.count);
  CHECK_OK (engine_check (path, false, NULL, NULL, NULL, &report, &failure));
  told = (struct told){ 0 };
  CHECK_OK (engine_repair (path, repaired, tell, NULL, &told, &saved, &failure));
  CHECK_INT (saved.lost_pages, 1);
  CHECK_INT (told.pages, 2); /* it, and the span of its keys */
  struct engine *engine = open_small (repaired);
  unsigned keys = count_keys (engine, ENGINE_STORE_DEFAULT);
  CHECK (keys > 7000 && keys <= 7499);
  CHECK_INT (saved.records, count_all (engine));
  unsigned good = 0;
  for (unsigned i = 0; i < 2000; i++)
    if (has (engine, ENGINE_STORE_DEFAULT, i))
      {
        check_one (engine, ENGINE_STORE_DEFAULT, i, 1);
        good++;
      }
  CHECK (good > 1500);
  close_it (engine);
  CHECK_OK (engine_check (repaired, true, NULL, NULL, NULL, &report, &failure));
  free (repaired);
  free (path);
  remove_directory (parent);
}

/* A long segment with keys of the default store. */
static void
pick_low_segment (const char *path, char name[FILE_NAME_SIZE])
{
  struct manifest_state state = { 0 };
  struct vfs_directory *directory;
  CHECK_OK (vfs_directory_open (vfs_posix (), path, false, &directory, &failure));
  CHECK_OK (manifest_load (directory, &state, &failure));
  name[0] = '\0';
  for (size_t i = 0; name[0] == '\0' && i < state.segment_count; i++)
    {
      const struct segment_information *information = &state.segments[i].information;
      if (information->file_size > 24000 && information->smallest[3] <= 1)
        file_name (name, FILE_SEGMENT, information->number);
    }
  CHECK (name[0] != '\0');
  manifest_state_clear (&state);
  vfs_directory_close (directory);
}

/* A damaged header, or a small block, costs no record. */
void
test_damaged_header (void)
{
  char *parent, *path = filled_database (&parent), *repaired = below (parent, "repaired");
  struct engine_check_report report;
  struct engine_repair_report saved;
  struct told told = { 0 };
  char name[FILE_NAME_SIZE];
  pick_low_segment (path, name);
  flip (path, name, 1000);
  CHECK_FAILS (engine_check (path, true, tell, NULL, &told, &report, &failure), STATUS_CORRUPT);
  CHECK (strcmp (told.file, name) == 0 && strstr (told.reason, "header") != NULL);
  told = (struct told){ 0 };
  CHECK_OK (engine_repair (path, repaired, tell, NULL, &told, &saved, &failure));
  CHECK_INT (told.count, 1);
  CHECK (strcmp (told.file, name) == 0 && strstr (told.reason, "header") != NULL);
  CHECK_INT (saved.lost_pages, 0);
  CHECK_INT (saved.files_skipped, 0);
  check_filled (repaired);
  free (repaired);
  free (path);
  remove_directory (parent);
}

static bool
note_name (void *data, const char *name, engine_store store)
{
  if (strncmp (name, "recovered-", 10) == 0)
    *(engine_store *) data = store;
  return true;
}

/* The page with the names of the stores is lost: what is in them is still to be reached, and no
 * store that is made later gets one's id. */
/* H2 of core/check.c: each of them is told. */
void
test_damage_everywhere (void)
{
  char *parent, *path = filled_database (&parent);
  struct engine_check_report report;
  struct told told = { 0 };
  DIR *directory = opendir (path);
  unsigned segments = 0, blobs = 0;
  for (struct dirent *entry; (entry = readdir (directory)) != NULL;)
    if (strstr (entry->d_name, ".seg") != NULL || strstr (entry->d_name, ".blob") != NULL)
      {
        flip (path, entry->d_name, 20);
        segments += strstr (entry->d_name, ".seg") != NULL;
        blobs += strstr (entry->d_name, ".blob") != NULL;
      }
  closedir (directory);
  CHECK (segments > 1 && blobs > 0);
  CHECK_FAILS (engine_check (path, false, tell, NULL, &told, &report, &failure), STATUS_CORRUPT);
  CHECK_INT (told.count, segments + blobs);
  CHECK_INT (report.faults, told.count);
  free (path);
  remove_directory (parent);
}

/* ---- beside a writer ---- */

static struct engine *replacing; /* the writer; NULL: it has replaced its files */

static status
open_behind_merge (struct vfs_directory *directory, const char *name, unsigned flags,
                   struct vfs_file **out, struct failure *cause)
{
  struct engine *engine = replacing;
  if (engine != NULL && strstr (name, ".seg") != NULL)
    {
      replacing = NULL;
      CHECK_OK (engine_compact (engine, NULL, NULL, &failure));
    }
  return replaced_open (directory, name, flags, out, cause);
}

/* H1 of core/check.c: a file that a writer replaced after the manifest was read is not missing. */
void
test_replaced_beside (void)
{
  char *parent = fresh_directory (), *path = below (parent, "database");
  struct vfs vfs = replaced_vfs ();
  struct engine_check_report report;
  struct engine *engine = open_small (path);
  vfs.open = open_behind_merge;
  put_range (engine, 0, 3000, 1);
  CHECK_OK (engine_compact (engine, NULL, NULL, &failure));
  put_range (engine, 0, 3000, 2);
  CHECK_OK (engine_flush (engine, &failure));
  replacing = engine;
  CHECK_OK (check_path (&vfs, path, true, NULL, NULL, NULL, &report, &failure));
  CHECK (replacing == NULL && report.faults == 0 && report.blobs_intact);
  close_it (engine);
  free (path);
  remove_directory (parent);
}

void
test_lost_catalogue (void)
{
  char *parent = fresh_directory (), *path = below (parent, "database");
  char *repaired = below (parent, "repaired"), name[300];
  struct engine *engine = open_small (path);
  engine_store store, found = 0, other;
  CHECK_OK (engine_store_open (engine, "second", true, &store, &failure));
  CHECK_OK (engine_store_open (engine, "empty", true, &other, &failure));
  CHECK_OK (engine_flush (engine, &failure));
  CHECK_INT (find_files (path, ".seg", name), 1);
  char key[64], value[9100];
  for (unsigned i = 0; i < 1000; i++)
    CHECK_OK (engine_put (engine, store, number_key (key, i), number_value (value, i, 0),
                          ENGINE_SYNC_DEFAULT, NULL, &failure));
  close_it (engine);
  flip (path, name, 4096 + 40); /* the names' only page */
  struct told told = { 0 };
  struct engine_repair_report saved;
  CHECK_OK (engine_repair (path, repaired, tell, NULL, &told, &saved, &failure));
  CHECK (strcmp (told.file, "catalogue") == 0);
  CHECK_INT (saved.records, 1000);
  engine = open_small (repaired);
  CHECK_FAILS (engine_store_open (engine, "second", false, &other, &failure), STATUS_NOT_FOUND);
  CHECK_OK (engine_store_list (engine, note_name, &found, &failure));
  CHECK_INT (found, store);
  for (unsigned i = 0; i < 1000; i++)
    check_one (engine, found, i, 0);
  CHECK_OK (engine_store_open (engine, "new", true, &other, &failure));
  CHECK (other > store);
  CHECK_INT (count_keys (engine, other), 0);
  close_it (engine);
  free (repaired);
  free (path);
  remove_directory (parent);
}

/* Which keys may be missing, or older than they were, is told: no other is. */
void
test_lost_span (void)
{
  char *parent, *path = filled_database (&parent), *repaired = below (parent, "repaired");
  struct engine_repair_report saved;
  struct told told = { 0 };
  char name[FILE_NAME_SIZE];
  bool had[8000];
  unsigned low = 0, high = 0, lost = 0;
  struct engine *engine = open_small (path);
  for (unsigned i = 0; i < 8000; i++)
    had[i] = has (engine, ENGINE_STORE_DEFAULT, i);
  close_it (engine);
  pick_low_segment (path, name);
  flip (path, name, 12000);
  CHECK_OK (engine_repair (path, repaired, tell, NULL, &told, &saved, &failure));
  CHECK_INT (saved.lost_pages, 1);
  CHECK_INT (told.count, 2); /* the page, then its span */
  CHECK (strstr (told.span, "may be missing, or have an older value") != NULL);
  CHECK_INT (
      sscanf (told.span, "keys after \"key-%u\" (store 1) up to \"key-%u\" (store 1)", &low, &high),
      2);
  engine = open_small (repaired);
  for (unsigned i = 0; i < 8000; i++)
    if (had[i] && !has (engine, ENGINE_STORE_DEFAULT, i))
      {
        CHECK (i > low && i <= high);
        lost++;
      }
  CHECK (lost > 0 && high - low <= lost + 502); /* where a range was deleted */
  CHECK_INT (saved.records, count_all (engine));
  close_it (engine);
  free (repaired);
  free (path);
  remove_directory (parent);
}

/* A lost page that held the newest versions of a segment's first key, and nothing else: an older
 * one of it is saved, and that is told. */
void
test_lost_first_versions (void)
{
  enum
  {
    VERSIONS = 6
  };
  char *parent = fresh_directory (), *path = below (parent, "database");
  char *repaired = below (parent, "repaired"), name[300];
  struct engine_options options = small_options ();
  struct engine_snapshot *snapshots[VERSIONS];
  struct engine_repair_report saved;
  struct told told = { 0 };
  uint8_t value[3000], got[3000];
  size_t size;
  options.compression = ENGINE_COMPRESSION_NONE;
  struct engine *engine = open_with (path, &options);
  for (int i = 0; i < VERSIONS; i++)
    {
      memset (value, i, sizeof value);
      CHECK_OK (engine_put (engine, ENGINE_STORE_DEFAULT, BYTES_LITERAL ("first"),
                            BYTES (value, sizeof value), ENGINE_SYNC_DEFAULT, NULL, &failure));
      CHECK_OK (engine_snapshot_new (engine, &snapshots[i], &failure));
    }
  CHECK_OK (engine_put (engine, ENGINE_STORE_DEFAULT, BYTES_LITERAL ("second"),
                        BYTES_LITERAL ("2"), ENGINE_SYNC_DEFAULT, NULL, &failure));
  CHECK_OK (engine_flush (engine, &failure));
  for (int i = 0; i < VERSIONS; i++)
    engine_snapshot_free (snapshots[i]);
  close_it (engine);
  CHECK_INT (find_files (path, ".seg", name), 1);
  flip (path, name, 4096 + 300); /* in the first leaf */
  CHECK_OK (engine_repair (path, repaired, tell, NULL, &told, &saved, &failure));
  CHECK_INT (saved.lost_pages, 1);
  engine = open_with (repaired, &options);
  CHECK_OK (engine_get (engine, NULL, ENGINE_STORE_DEFAULT, BYTES_LITERAL ("first"), got,
                        sizeof got, &size, &failure));
  CHECK_INT (size, sizeof got);
  CHECK (got[0] > 0 && got[0] < VERSIONS - 1); /* the newest of what is left */
  CHECK (strstr (told.span, "keys from \"first\" (store 1) up to \"first\" (store 1)") != NULL);
  close_it (engine);
  free (repaired);
  free (path);
  remove_directory (parent);
}

/* X4: of several versions in one segment the newest is saved, and none that a range delete beside it
 * hides. */
void
test_repair_versions (void)
{
  enum
  {
    VERSIONS = 6
  };
  char *parent = fresh_directory (), *path = below (parent, "database");
  char *repaired = below (parent, "repaired");
  struct engine_snapshot *snapshots[VERSIONS];
  struct engine_repair_report saved;
  uint8_t value, got;
  size_t size;
  struct engine *engine = open_small (path);
  for (value = 0; value < VERSIONS; value++)
    {
      CHECK_OK (engine_put (engine, ENGINE_STORE_DEFAULT, BYTES_LITERAL ("changed"),
                            BYTES (&value, 1), ENGINE_SYNC_DEFAULT, NULL, &failure));
      CHECK_OK (engine_put (engine, ENGINE_STORE_DEFAULT, BYTES_LITERAL ("hidden"),
                            BYTES (&value, 1), ENGINE_SYNC_DEFAULT, NULL, &failure));
      CHECK_OK (engine_snapshot_new (engine, &snapshots[value], &failure));
    }
  CHECK_OK (engine_delete_range (engine, ENGINE_STORE_DEFAULT, BYTES_LITERAL ("h"),
                                 BYTES_LITERAL ("i"), ENGINE_SYNC_DEFAULT, NULL, &failure));
  CHECK_OK (engine_flush (engine, &failure));
  for (int i = 0; i < VERSIONS; i++)
    engine_snapshot_free (snapshots[i]);
  CHECK_INT (count_files (path, ".seg"), 1);
  close_it (engine);
  CHECK_OK (engine_repair (path, repaired, NULL, NULL, NULL, &saved, &failure));
  engine = open_small (repaired);
  CHECK_OK (engine_get (engine, NULL, ENGINE_STORE_DEFAULT, BYTES_LITERAL ("changed"), &got, 1,
                        &size, &failure));
  CHECK_INT (got, VERSIONS - 1);
  CHECK_INT (count_keys (engine, ENGINE_STORE_DEFAULT), 1);
  close_it (engine);
  free (repaired);
  free (path);
  remove_directory (parent);
}

void
test_damaged_manifest (void)
{
  char *parent, *path = filled_database (&parent), *repaired = below (parent, "repaired");
  struct engine_check_report report;
  struct engine_repair_report saved;
  struct told told = { 0 };
  char *current = below (path, "CURRENT"), name[300];
  FILE *names = fopen (current, "r");
  CHECK (names != NULL && fscanf (names, "%299s", name) == 1);
  fclose (names);
  fclose (fopen (current, "w"));
  CHECK_FAILS (engine_check (path, true, tell, NULL, &told, &report, &failure), STATUS_CORRUPT);
  CHECK (!report.tree_structure && report.page_checksums && report.segments > 0);
  told = (struct told){ 0 };
  CHECK_OK (engine_repair (path, repaired, tell, NULL, &told, &saved, &failure));
  CHECK_INT (told.count, 1); /* the manifest itself */
  check_filled (repaired);

  /* With CURRENT and manifest gone, what is told is their loss, not that this is no database. */
  char *again = below (parent, "again"), *manifest = below (path, name);
  CHECK (unlink (current) == 0 && unlink (manifest) == 0);
  told = (struct told){ 0 };
  CHECK_OK (engine_repair (path, again, tell, NULL, &told, &saved, &failure));
  CHECK_INT (told.count, 1);
  CHECK (strcmp (told.file, "CURRENT") == 0 && strstr (told.reason, "it is missing") != NULL);
  check_filled (again);
  free (manifest);
  free (again);
  free (current);
  free (repaired);
  free (path);
  remove_directory (parent);
}

void
test_damaged_blob (void)
{
  char *parent, *path = filled_database (&parent), *repaired = below (parent, "repaired");
  struct engine_check_report report;
  struct engine_repair_report saved;
  struct told told = { 0 };
  char name[300];
  CHECK (find_files (path, ".blob", name) > 0);
  flip (path, name, 64 + 100);
  CHECK_FAILS (engine_check (path, true, tell, NULL, &told, &report, &failure), STATUS_CORRUPT);
  CHECK (told.count == 1 && !report.blobs_intact && report.page_checksums);
  CHECK (strcmp (told.file, name) == 0);
  told = (struct told){ 0 };
  CHECK_OK (engine_repair (path, repaired, tell, NULL, &told, &saved, &failure));
  CHECK_INT (told.count, 1);
  CHECK (strstr (told.reason, "key-00") != NULL);
  struct engine *engine = open_small (repaired);
  CHECK_INT (count_keys (engine, ENGINE_STORE_DEFAULT), 7498);
  close_it (engine);
  char *file = below (path, name);
  unlink (file);
  told = (struct told){ 0 };
  CHECK_FAILS (engine_check (path, true, tell, NULL, &told, &report, &failure), STATUS_CORRUPT);
  CHECK (told.count >= 1 && !report.blobs_intact);
  free (file);
  free (repaired);
  free (path);
  remove_directory (parent);
}

/* A process dies that wrote a small value, synced, and a large one: before it, synced, too, or behind
 * it, not synced. */
static void
leave_values (const char *path, bool large_first)
{
  int outcome;
  pid_t child = fork ();
  if (child == 0)
    {
      static const uint8_t large[20000];
      struct engine *engine = open_small (path);
      for (int i = 0; i < 2; i++)
        if ((i == 0) == large_first)
          CHECK_OK (engine_put (engine, ENGINE_STORE_DEFAULT, BYTES_LITERAL ("large"),
                                BYTES (large, sizeof large),
                                large_first ? ENGINE_SYNC_FULL : ENGINE_SYNC_ASYNC, NULL, &failure));
        else
          CHECK_OK (engine_put (engine, ENGINE_STORE_DEFAULT, BYTES_LITERAL ("small"),
                                BYTES_LITERAL ("1"), ENGINE_SYNC_FULL, NULL, &failure));
      _exit (0);
    }
  CHECK (waitpid (child, &outcome, 0) == child && outcome == 0);
}

/* A large value that is only in the log yet, and of which the record behind it says that it was
 * synced, is no end that a crash tore off. */
void
test_damaged_synced_value (void)
{
  char *parent = fresh_directory (), *path = below (parent, "database"), name[300];
  struct engine *engine;
  struct engine_check_report report;
  struct told told = { 0 };
  leave_values (path, true);
  CHECK_INT (find_files (path, ".blob", name), 1);
  flip (path, name, 64 + 100);
  CHECK_FAILS (engine_check (path, true, tell, NULL, &told, &report, &failure), STATUS_CORRUPT);
  CHECK (!report.blobs_intact && strstr (told.reason, "although it was synced") != NULL);
  failure = FAILURE_INIT;
  CHECK_INT (engine_open (path, 0, NULL, &engine, &failure), STATUS_CORRUPT);
  CHECK (strstr (failure.message, "although it was synced") != NULL);
  free (path);
  remove_directory (parent);
}

/* What opening refuses a check does not pass: a large value of the log whose file is none. What a
 * crash takes with it, a commit that was not synced, is neither a fault nor counted. */
void
test_unsynced_value (void)
{
  char *parent = fresh_directory (), *path = below (parent, "database"), name[300];
  struct engine *engine;
  struct engine_check_report report;
  struct told told = { 0 };
  leave_values (path, false);
  CHECK_INT (find_files (path, ".blob", name), 1);
  CHECK_OK (engine_check (path, true, NULL, NULL, NULL, &report, &failure));
  uint64_t records = report.records;
  char *file = below (path, name);
  CHECK (unlink (file) == 0);
  CHECK_OK (engine_check (path, true, NULL, NULL, NULL, &report, &failure));
  CHECK_INT (report.records, records - 1);

  for (int directory = 0; directory < 2; directory++)
    {
      CHECK ((directory ? mkdir (file, 0700) : mkfifo (file, 0600)) == 0);
      for (int deep = 0; deep < 2; deep++)
        {
          told = (struct told){ 0 };
          CHECK_FAILS (engine_check (path, deep, tell, NULL, &told, &report, &failure),
                       STATUS_CORRUPT);
          CHECK (told.count == 1 && !report.blobs_intact && report.log);
          CHECK (strstr (told.reason, "not a regular file") != NULL);
        }
      CHECK_FAILS (engine_open (path, 0, NULL, &engine, &failure), STATUS_INVALID);
      CHECK (remove (file) == 0);
    }
  CHECK_OK (engine_open (path, 0, NULL, &engine, &failure));
  CHECK_INT (count_keys (engine, ENGINE_STORE_DEFAULT), 1);
  close_it (engine);
  free (file);
  free (path);
  remove_directory (parent);
}

/* The last segment of a database settled to one run; returns the records of the others. */
static uint64_t
pick_segment (const char *path, struct manifest_segment *out, struct manifest_state *state)
{
  struct vfs_directory *directory;
  uint64_t others = 0;
  CHECK_OK (vfs_directory_open (vfs_posix (), path, false, &directory, &failure));
  CHECK_OK (manifest_load (directory, state, &failure));
  vfs_directory_close (directory);
  CHECK (state->segment_count > 1);
  for (size_t i = 0; i < state->segment_count; i++)
    {
      const struct segment_information *information = &state->segments[i].information;
      CHECK (state->segments[i].run == state->segments[0].run);
      CHECK (information->deletes == 0 && information->range_deletes == 0);
      others += information->records;
    }
  *out = state->segments[state->segment_count - 1];
  return others - out->information.records;
}

static bool
segment_holds (const struct manifest_segment *segment, struct bytes key)
{
  uint8_t internal[100];
  const struct segment_information *information = &segment->information;
  struct bytes whole = internal_key_store (internal, ENGINE_STORE_DEFAULT, key);
  return bytes_compare (whole, BYTES (information->smallest, information->smallest_size)) >= 0
         && bytes_compare (whole, BYTES (information->largest, information->largest_size)) <= 0;
}

void
test_missing_segment (void)
{
  char *parent = fresh_directory (), *path = below (parent, "database");
  char *repaired = below (parent, "repaired");
  struct engine_check_report report;
  struct engine_repair_report saved;
  struct told told = { 0 };
  struct manifest_state state = { 0 };
  struct manifest_segment gone;
  char name[300], key[64];
  struct engine *engine = open_small (path);
  fill (engine);
  CHECK_OK (engine_compact (engine, NULL, NULL, &failure));
  unsigned before = count_keys (engine, ENGINE_STORE_DEFAULT);
  bool had[8000];
  for (unsigned i = 0; i < 8000; i++)
    had[i] = has (engine, ENGINE_STORE_DEFAULT, i);
  close_it (engine);
  uint64_t others = pick_segment (path, &gone, &state);
  file_name (name, FILE_SEGMENT, gone.information.number);
  char *file = below (path, name);
  CHECK (truncate (file, 5000) == 0);
  CHECK_FAILS (engine_check (path, false, tell, NULL, &told, &report, &failure), STATUS_CORRUPT);
  CHECK_INT (told.count, 1);
  unlink (file);
  told = (struct told){ 0 };
  CHECK_FAILS (engine_check (path, true, tell, NULL, &told, &report, &failure), STATUS_CORRUPT);
  CHECK (told.count == 1 && strcmp (told.file, name) == 0);
  CHECK_OK (engine_repair (path, repaired, tell, NULL, &told, &saved, &failure));
  CHECK_INT (saved.files_skipped, 1);
  engine = open_small (repaired);
  CHECK (saved.records <= others && strstr (told.span, "keys from \"key-") != NULL);
  CHECK_INT (saved.records, count_all (engine));
  unsigned lost = 0;
  for (unsigned i = 0; i < 8000; i++)
    {
      bool held = segment_holds (&gone, number_key (key, i));
      lost += had[i] && held;
      CHECK_INT (has (engine, ENGINE_STORE_DEFAULT, i), had[i] && !held);
    }
  CHECK (lost > 0 && lost < before);
  CHECK_INT (count_keys (engine, ENGINE_STORE_DEFAULT), before - lost);
  manifest_state_clear (&state);
  close_it (engine);
  /* Given up in the middle, nothing is left. */
  char *other = below (parent, "other");
  CHECK_FAILS (engine_repair (path, other, NULL, cancel_at_once, "log", NULL, &failure),
               STATUS_CANCELLED);
  CHECK (access (other, F_OK) != 0);
  free (other);
  free (file);
  free (repaired);
  free (path);
  remove_directory (parent);
}

/* What only the log holds, after a kill. */
void
test_repair_log (void)
{
  char *parent = fresh_directory (), *path = below (parent, "database");
  char *repaired = below (parent, "repaired");
  pid_t child = fork ();
  if (child == 0)
    {
      struct engine *engine = open_small (path);
      fill (engine);
      put_range (engine, 30000, 30010, 1);
      _exit (0);
    }
  int state;
  waitpid (child, &state, 0);
  CHECK (WIFEXITED (state) && WEXITSTATUS (state) == 0);
  struct engine_check_report report;
  struct engine_repair_report saved;
  CHECK_OK (engine_check (path, true, NULL, NULL, NULL, &report, &failure));
  CHECK (report.logs > 0);
  CHECK_OK (engine_repair (path, repaired, NULL, NULL, NULL, &saved, &failure));
  check_filled (repaired);
  struct engine *engine = open_small (repaired);
  check_range_of (engine, 30000, 30010, 1);
  CHECK_FAILS (engine_repair (repaired, path, NULL, NULL, NULL, &saved, &failure), STATUS_LOCKED);
  close_it (engine);
  free (repaired);
  free (path);
  remove_directory (parent);
}

static bool
die_at (void *data, uint64_t done, uint64_t total, const char *step)
{
  (void) done;
  (void) total;
  if (strcmp (step, data) == 0)
    _exit (7);
  return true;
}

/* What a repair that was killed leaves is no database, and is no hindrance to the next one. */
static void
cut_short (const char *path, const char *repaired, char *step)
{
  struct engine *engine;
  pid_t child = fork ();
  if (child == 0)
    {
      engine_repair (path, repaired, NULL, die_at, step, NULL, NULL);
      _exit (0);
    }
  int state;
  waitpid (child, &state, 0);
  CHECK (WIFEXITED (state) && WEXITSTATUS (state) == 7);
  CHECK_FAILS (engine_open (repaired, ENGINE_OPEN_CREATE, NULL, &engine, &failure),
               STATUS_NOT_A_DATABASE);
  CHECK (strstr (failure.message, "repair the damaged database again") != NULL);
  CHECK_FAILS (engine_open (repaired, ENGINE_OPEN_READ_ONLY, NULL, &engine, &failure),
               STATUS_NOT_A_DATABASE);
  CHECK_FAILS (engine_check (repaired, true, NULL, NULL, NULL, NULL, &failure),
               STATUS_NOT_A_DATABASE);
  CHECK_FAILS (engine_restore (repaired, path, NULL, NULL, &failure), STATUS_NOT_A_DATABASE);
}

void
test_repair_cut_short (void)
{
  char *parent, *path = filled_database (&parent), *repaired = below (parent, "repaired");
  struct engine_repair_report saved;
  char *steps[] = { "segments", "log", "counting" };
  for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
    cut_short (path, repaired, steps[i]);
  CHECK_OK (engine_repair (path, repaired, NULL, NULL, NULL, &saved, &failure));
  check_filled (repaired);
  CHECK_FAILS (engine_repair (path, repaired, NULL, NULL, NULL, &saved, &failure), STATUS_EXISTS);
  free (repaired);
  free (path);
  remove_directory (parent);
}
