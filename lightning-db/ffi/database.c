/* SPDX-License-Identifier: MIT */
/* database: opening and ending databases, stores and snapshots. */
#include "argument.h"
#include "config.h"
#include "place.h"
#include "transaction.h"

#include <stdlib.h>
#include <sys/stat.h>

static _Atomic uint64_t openings; /* counted, for database.serial */
static pthread_once_t once = PTHREAD_ONCE_INIT;

_Static_assert((int) LightningDBOpenExisting == (int) ENGINE_OPEN_EXISTING
                   && (int) LightningDBOpenCreate == (int) ENGINE_OPEN_CREATE
                   && (int) LightningDBOpenExclusive == (int) ENGINE_OPEN_EXCLUSIVE
                   && (int) LightningDBOpenReadOnly == (int) ENGINE_OPEN_READ_ONLY,
               "the engine takes the flags as they are");

/* ---- forks: no number is half given in the child ---- */

static void
before_fork (void)
{
  pthread_mutex_lock (&place_table.lock);
}

static void
after_fork (void)
{
  pthread_mutex_unlock (&place_table.lock);
}

static void
watch_forks (void)
{
  pthread_atfork (before_fork, after_fork, after_fork);
}

/* ---- places ---- */

/* Gives a place its handle; the references are taken over, also on failure. */
static LightningDB *
place_new (struct caller *caller, const struct place *like)
{
  pthread_once (&once, watch_forks);
  struct place *place = malloc (sizeof *place);
  uint64_t number = 0;
  if (place != NULL)
    {
      *place = *like;
      place->fork_generation = caller_fork_generation;
      number = number_table_add (&place_table, place);
    }
  if (number != 0)
    return (LightningDB *) (uintptr_t) number;
  caller_fail_full (caller);
  free (place);
  moment_unref (like->moment);
  database_unref (like->database);
  return NULL;
}

/* ---- opening ---- */

struct same_directory
{
  dev_t device;
  ino_t inode;
  uint64_t number; /* of the handle it is open under; 0 = none */
};

static bool
is_same_directory (void *data, uint64_t number, void *thing)
{
  struct same_directory *wanted = data;
  const struct place *place = thing;
  const struct database *database = place->database;
  if (place->own && place->fork_generation == caller_fork_generation
      && database->device == wanted->device && database->inode == wanted->inode
      && !engine_is_read_only (place->engine))
    wanted->number = number;
  return wanted->number == 0;
}

/* Somebody has it open for writing: says who, as far as that can be known. */
static void
fail_locked (struct caller *caller, const char *path)
{
  struct stat information;
  if (stat (path, &information) == 0)
    {
      struct same_directory wanted = { information.st_dev, information.st_ino, 0 };
      number_table_visit (&place_table, is_same_directory, &wanted);
      if (wanted.number != 0)
        {
          caller_fail (
              caller, DatabaseLocked,
              "%.200s is open for writing already in this process, as handle %#llx; use that "
              "one, or free it first",
              path, (unsigned long long) wanted.number);
          return;
        }
    }
  caller_fail (
      caller, DatabaseLocked,
      "%.200s is open for writing elsewhere: by another program, or through another library "
      "in this one; close it there first",
      path);
}

static void
fail_open (struct caller *caller, const char *path, status result)
{
  if (result == STATUS_LOCKED)
    fail_locked (caller, path);
  else if (result == STATUS_NOT_FOUND && caller->failure.message[0] == '\0')
    caller_fail (caller, NotFound,
                 "there is no database at %.200s; check the path, or have it created", path);
  else
    caller_fail_status (caller, result);
}

static struct database *
database_new (struct caller *caller, struct engine *engine, const char *path)
{
  struct stat information = { 0 };
  struct database *database = calloc (1, sizeof *database);
  if (database == NULL)
    {
      caller_answer (caller, fail_memory (&caller->failure, sizeof *database, "a database handle"));
      engine_unref (engine);
      return NULL;
    }
  stat (path, &information);
  database->references = 1;
  database->engine = engine;
  database->serial = atomic_fetch_add (&openings, 1) + 1;
  database->device = information.st_dev;
  database->inode = information.st_ino;
  pthread_mutex_init (&database->lock, NULL);
  return database;
}

LightningDB *
lightning_db_open_with (const char *path, const LightningDBConfig *config, uint32_t flags)
{
  struct caller *caller = caller_get ();
  struct engine_options options;
  struct engine *engine;
  if (caller == NULL
      || argument_flags (caller, flags,
                         LightningDBOpenCreate | LightningDBOpenExclusive | LightningDBOpenReadOnly)
             != Success
      || argument_text (caller, path, "the path") != Success
      || config_read (caller, config, &options) != Success)
    return NULL;
  status result = engine_open (path, flags, &options, &engine, &caller->failure);
  if (result != STATUS_OK)
    {
      fail_open (caller, path, result);
      return NULL;
    }
  struct database *database = database_new (caller, engine, path);
  if (database == NULL)
    return NULL;
  return place_new (caller, &(struct place){
                                .engine = engine,
                                .store = ENGINE_STORE_DEFAULT,
                                .database = database,
                                .own = true,
                            });
}

LightningDB *
lightning_db_create (const char *path, const LightningDBConfig *config)
{
  return lightning_db_open_with (path, config, LightningDBOpenCreate);
}

LightningDB *
lightning_db_open (const char *path, const LightningDBConfig *config)
{
  return lightning_db_open_with (path, config, LightningDBOpenExisting);
}

/* ---- ending ---- */

/* Everything that hangs on the database gives DatabaseClosed from here on, or is rolled back. */
static status
close_database (struct caller *caller, struct database *database)
{
  pthread_mutex_lock (&database->lock);
  database->closed = true;
  pthread_mutex_unlock (&database->lock);
  status result = engine_close (database->engine, &caller->failure);
  transaction_end_all (caller, database);
  return result;
}

LightningDBError
lightning_db_close (LightningDB *db)
{
  struct use use;
  status result = STATUS_OK;
  LightningDBError error = use_begin (&use, db);
  if (error == ForkedProcess) /* what it stands for is the parent's; the number is given back */
    number_table_withdraw (&place_table, (uintptr_t) db);
  if (error != Success)
    return error;
  struct caller *caller = use.caller;
  struct place *place = use.place;
  if (!number_table_withdraw (&place_table, (uintptr_t) db))
    return use_end_error (&use, place_refuse (caller, db, NULL));
  use_end_error (&use, Success); /* nobody else frees it now */
  if (place->own)
    result = close_database (caller, place->database);
  caller_wait_unused ((uintptr_t) db); /* P1 */
  number_table_release (&place_table, (uintptr_t) db, place);
  moment_unref (place->moment);
  database_unref (place->database);
  free (place);
  return caller_answer (caller, result);
}

void
lightning_db_free (LightningDB *db)
{
  if (db != NULL)
    lightning_db_close (db);
}

LightningDBError
lightning_db_destroy (const char *path)
{
  struct caller *caller = caller_get ();
  if (caller == NULL)
    return OutOfMemory;
  LightningDBError error = argument_text (caller, path, "the path");
  if (error != Success)
    return error;
  status result = engine_destroy (path, NULL, &caller->failure);
  if (result == STATUS_OK)
    return Success;
  fail_open (caller, path, result);
  return caller->code;
}

/* ---- stores ---- */

LightningDB *
lightning_db_open_store (LightningDB *db, const char *name, int create)
{
  struct use use;
  struct place there;
  LightningDB *handle = NULL;
  if (use_begin (&use, db) != Success)
    return NULL;
  LightningDBError error = argument_text (use.caller, name, "the store's name");
  if (error == Success)
    {
      there = *use.place;
      there.own = false;
      status result = engine_store_open (there.engine, name, create != 0 && there.snapshot == NULL,
                                         &there.store, &use.caller->failure);
      error = caller_answer (use.caller, result);
      if (result == STATUS_NOT_FOUND)
        caller_fail (use.caller, NotFound,
                     "there is no store \"%s\"; check the name, or have it created", name);
    }
  if (error == Success)
    {
      moment_ref (there.moment);
      database_ref (there.database);
      handle = place_new (use.caller, &there);
    }
  use_end_error (&use, error);
  return handle;
}

LightningDBError
lightning_db_drop_store (LightningDB *db, const char *name)
{
  struct use use;
  LightningDBError error = use_begin_writing (&use, db);
  if (error != Success)
    return error;
  error = argument_text (use.caller, name, "the store's name");
  if (error != Success)
    return use_end_error (&use, error);
  status result = engine_store_drop (use.place->engine, name, &use.caller->failure);
  error = caller_answer (use.caller, result);
  if (result == STATUS_NOT_FOUND)
    caller_fail (use.caller, NotFound, "there is no store \"%s\"; check the name", name);
  return use_end_error (&use, error);
}

struct name_list
{
  char *text;   /* names, each with its zero byte; malloc'd */
  size_t size;  /* bytes */
  bool no_room; /* memory ran out */
};

static bool
list_name (void *data, const char *name, engine_store store)
{
  struct name_list *list = data;
  size_t size = strlen (name) + 1;
  char *longer = realloc (list->text, list->size + size);
  list->no_room = longer == NULL;
  if (longer == NULL)
    return false;
  list->text = longer;
  memcpy (longer + list->size, name, size);
  list->size += size;
  return true;
}

LightningDBError
lightning_db_list_stores (LightningDB *db, LightningDBResult *names)
{
  struct use use;
  struct name_list list = { 0 };
  if (names != NULL)
    *names = (LightningDBResult){ NULL, 0 };
  LightningDBError error = use_begin (&use, db);
  if (error != Success)
    return error;
  if (names == NULL)
    return use_end_null (&use, "the result");
  struct caller *caller = use.caller;
  status result = engine_store_list (use.place->engine, list_name, &list, &caller->failure);
  if (result == STATUS_OK && list.no_room)
    result = fail_memory (&caller->failure, list.size, "the names of the stores");
  if (result == STATUS_OK)
    *names = (LightningDBResult){ (uint8_t *) list.text, list.size };
  else
    free (list.text);
  return use_end (&use, result);
}

/* ---- snapshots ---- */

LightningDB *
lightning_db_snapshot (LightningDB *db)
{
  struct use use;
  LightningDB *handle = NULL;
  if (use_begin (&use, db) != Success)
    return NULL;
  struct caller *caller = use.caller;
  struct place there = *use.place;
  there.own = false;
  status result = STATUS_OK;
  if (there.moment != NULL)
    moment_ref (there.moment);
  else if ((there.moment = calloc (1, sizeof *there.moment)) == NULL)
    result = fail_memory (&caller->failure, sizeof *there.moment, "a snapshot");
  else
    {
      there.moment->references = 1;
      result = engine_snapshot_new (there.engine, &there.moment->snapshot, &caller->failure);
      there.snapshot = there.moment->snapshot;
      if (result != STATUS_OK)
        free (there.moment);
    }
  if (caller_answer (caller, result) == Success)
    {
      database_ref (there.database);
      handle = place_new (caller, &there);
    }
  use_end_error (&use, Success);
  return handle;
}
