/* SPDX-License-Identifier: MIT */
/*
 * What others see of an open transaction: which keys it wrote and depends on, in every state, and
 * while it is at work.
 */
#include "small-engine.h"

#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#define ROOM (2 * ENGINE_TRANSACTION_KEYS)

static struct failure failure;
static struct engine_transaction_key keys[ROOM];

static struct engine_transaction *
begin (struct engine *engine, unsigned flags)
{
  struct engine_transaction *transaction;
  CHECK_OK (engine_transaction_begin (engine, flags, &transaction, &failure));
  return transaction;
}

static struct bytes
text (const char *string)
{
  return BYTES (string, strlen (string));
}

static void
put (struct engine_transaction *transaction, const char *key, const char *value)
{
  CHECK_OK (engine_transaction_put (transaction, ENGINE_STORE_DEFAULT, text (key), text (value),
                                    &failure));
}

/* As "put a 1", "delete-range #b-c": what was done, "#" in another store than the default one, key,
 * size of the value or end. Returns the length. */
static size_t
describe (const struct engine_transaction_key *key, char *to, size_t room)
{
  static const char *const words[] = { "put", "delete", "delete-range", "read", "read-range" };
  const char *store = key->store == ENGINE_STORE_DEFAULT ? "" : "#";
  int length = snprintf (to, room, "%s %s%.*s", words[key->access], store, (int) key->key_size,
                         (const char *) key->key);
  if (key->access == ENGINE_ACCESS_PUT)
    length += snprintf (to + length, room - (size_t) length, " %zu", key->value_size);
  else if (key->access == ENGINE_ACCESS_DELETE_RANGE || key->access == ENGINE_ACCESS_READ_RANGE)
    length += snprintf (to + length, room - (size_t) length, "-%.*s", (int) key->end_size,
                        (const char *) key->end);
  return (size_t) length;
}

static void
check_keys (struct engine *engine, const struct engine_transaction *transaction,
            const char *expected)
{
  char found[1000] = "";
  size_t count, length = 0;
  CHECK_OK (engine_transaction_keys (engine, engine_transaction_id (transaction), keys, &count));
  for (size_t i = 0; i < count; i++)
    {
      if (i > 0)
        length += (size_t) snprintf (found + length, sizeof found - length, ", ");
      length += describe (&keys[i], found + length, sizeof found - length);
    }
  if (strcmp (found, expected) != 0)
    fprintf (stderr, "\"%s\", not \"%s\"\n", found, expected);
  CHECK (strcmp (found, expected) == 0);
}

static void
check_gone (struct engine *engine, const struct engine_transaction *transaction)
{
  size_t count = 1;
  CHECK_INT (engine_transaction_keys (engine, engine_transaction_id (transaction), keys, &count),
             STATUS_NOT_FOUND);
  CHECK_INT (count, 0);
}

static void
test_writes (struct engine *engine)
{
  engine_store store;
  uint64_t savepoint;
  CHECK_OK (engine_store_open (engine, "other", true, &store, &failure));
  struct engine_transaction *transaction = begin (engine, 0);
  check_keys (engine, transaction, "");
  put (transaction, "b", "1");
  put (transaction, "a", "");
  put (transaction, "b", "22");
  CHECK_OK (engine_transaction_delete (transaction, ENGINE_STORE_DEFAULT, text ("c"), &failure));
  CHECK_OK (engine_transaction_savepoint (transaction, &savepoint, &failure));
  CHECK_OK (engine_transaction_delete_range (transaction, store, text ("d"), text ("e"), &failure));
  CHECK_OK (engine_transaction_delete_range (transaction, store, BYTES_NONE, BYTES_NONE, &failure));
  check_keys (engine, transaction,
              "put b 1, put a 0, put b 2, delete c, delete-range #d-e, delete-range #-");
  CHECK_OK (engine_transaction_rollback_to (transaction, savepoint, &failure));
  check_keys (engine, transaction, "put b 1, put a 0, put b 2, delete c");
  CHECK_OK (engine_transaction_commit (transaction, ENGINE_SYNC_DEFAULT, NULL, &failure));
  check_gone (engine, transaction);
  engine_transaction_free (transaction);
}

static void
test_reads (struct engine *engine)
{
  struct engine_cursor *cursor;
  struct engine_transaction *plain = begin (engine, 0);
  struct engine_transaction *strict = begin (engine, ENGINE_TRANSACTION_SERIALIZABLE);
  CHECK_OK (engine_transaction_contains (plain, ENGINE_STORE_DEFAULT, text ("a"), &failure));
  check_keys (engine, plain, "");
  CHECK_OK (engine_transaction_lock_key (plain, ENGINE_STORE_DEFAULT, text ("a"), &failure));
  check_keys (engine, plain, "read a");
  engine_transaction_rollback (plain);
  check_gone (engine, plain);
  engine_transaction_free (plain);

  CHECK_OK (engine_transaction_contains (strict, ENGINE_STORE_DEFAULT, text ("b"), &failure));
  put (strict, "own", "1");
  CHECK_OK (engine_transaction_contains (strict, ENGINE_STORE_DEFAULT, text ("own"), &failure));
  struct engine_cursor_settings settings = { ENGINE_STORE_DEFAULT, .transaction = strict };
  CHECK_OK (engine_cursor_new (engine, &settings, &cursor, &failure));
  CHECK_OK (engine_cursor_seek (cursor, text ("a"), &failure));
  /* The range ends with the key and a zero byte, which is not shown. */
  check_keys (engine, strict, "put own 1, read b, read-range a-a");
  CHECK_INT (keys[2].end_size, 2);
  CHECK_OK (engine_cursor_next (cursor, &failure));
  check_keys (engine, strict, "put own 1, read b, read-range a-b");
  while (engine_cursor_valid (cursor))
    CHECK_OK (engine_cursor_next (cursor, &failure));
  check_keys (engine, strict, "put own 1, read b, read-range a-"); /* to the end of the store */
  CHECK_INT (keys[2].end_size, 0);
  engine_cursor_free (cursor);
  CHECK_OK (engine_transaction_abort (engine, engine_transaction_id (strict)));
  check_gone (engine, strict);
  engine_transaction_free (strict);
}

static void
test_limits (struct engine *engine)
{
  char name[32], key[100];
  size_t count;
  struct engine_transaction *transaction = begin (engine, ENGINE_TRANSACTION_SERIALIZABLE);
  uint64_t id = engine_transaction_id (transaction);
  memset (key, 'k', sizeof key);
  CHECK_OK (engine_transaction_put (transaction, ENGINE_STORE_DEFAULT, BYTES (key, sizeof key),
                                    BYTES_NONE, &failure));
  CHECK_OK (engine_transaction_keys (engine, id, keys, &count));
  CHECK_INT (count, 1);
  CHECK_INT (keys[0].key_size, 100); /* of which the beginning is there */
  CHECK (memcmp (keys[0].key, key, sizeof keys[0].key) == 0);
  for (unsigned i = 0; i < ENGINE_TRANSACTION_KEYS + 500; i++)
    {
      CHECK_INT (engine_transaction_contains (transaction, ENGINE_STORE_DEFAULT,
                                              number_key (name, i), &failure),
                 STATUS_NOT_FOUND);
      put (transaction, name, "1");
    }
  CHECK_OK (engine_transaction_keys (engine, id, keys, &count));
  CHECK_INT (count, ROOM);
  for (unsigned i = 0; i < ROOM; i++)
    {
      bool is_read = i >= ENGINE_TRANSACTION_KEYS;
      CHECK_INT (keys[i].access, is_read ? ENGINE_ACCESS_READ : ENGINE_ACCESS_PUT);
      struct bytes its = number_key (name, is_read ? i - ENGINE_TRANSACTION_KEYS : i - 1);
      CHECK (i == 0 || (keys[i].key_size == its.size && memcmp (keys[i].key, name, its.size) == 0));
    }
  engine_transaction_free (transaction);
}

/* ---- at work ---- */

struct work
{
  struct engine *engine;
  _Atomic uint64_t id; /* of the transaction that is at work; 0: none is any longer */
};

/* Writes until the log has outgrown what one page of the heap holds, reads, scans, undoes, commits. */
static void
work_once (struct work *work, unsigned seed)
{
  char name[32], value[2000];
  uint64_t savepoint;
  struct engine_cursor *cursor;
  struct engine_transaction *transaction = begin (work->engine, ENGINE_TRANSACTION_SERIALIZABLE);
  atomic_store (&work->id, engine_transaction_id (transaction));
  memset (value, 'v', sizeof value);
  for (unsigned i = 0; i < 400; i++)
    {
      struct bytes key = number_key (name, seed * 1000 + i);
      CHECK_OK (engine_transaction_put (transaction, ENGINE_STORE_DEFAULT, key,
                                        BYTES (value, sizeof value), &failure));
      key = number_key (name, seed * 1000 + 500 + i);
      CHECK_INT (engine_transaction_contains (transaction, ENGINE_STORE_DEFAULT, key, &failure),
                 STATUS_NOT_FOUND);
      if (i == 200)
        CHECK_OK (engine_transaction_savepoint (transaction, &savepoint, &failure));
    }
  struct engine_cursor_settings settings = { ENGINE_STORE_DEFAULT, .transaction = transaction };
  CHECK_OK (engine_cursor_new (work->engine, &settings, &cursor, &failure));
  CHECK_OK (engine_cursor_first (cursor, &failure));
  for (unsigned i = 0; i < 100 && engine_cursor_valid (cursor); i++)
    CHECK_OK (engine_cursor_next (cursor, &failure));
  engine_cursor_free (cursor);
  CHECK_OK (engine_transaction_rollback_to (transaction, savepoint, &failure));
  if (seed % 2 == 0)
    CHECK_OK (engine_transaction_commit (transaction, ENGINE_SYNC_NONE, NULL, &failure));
  engine_transaction_free (transaction);
}

static void *
run_work (void *data)
{
  struct work *work = data;
  for (unsigned i = 1; i <= 200; i++)
    work_once (work, i);
  atomic_store (&work->id, 0);
  return NULL;
}

/* Every key that is seen is one of those that the transactions have. */
static void
check_seen (const struct engine_transaction_key *key)
{
  unsigned number;
  CHECK (key->access <= ENGINE_ACCESS_READ_RANGE);
  if (key->access == ENGINE_ACCESS_READ_RANGE)
    return;
  CHECK_INT (key->key_size, strlen ("key-00000000"));
  char name[13] = "";
  memcpy (name, key->key, 12);
  CHECK_INT (sscanf (name, "key-%8u", &number), 1);
  CHECK (number >= 1000 && number < 202000);
  CHECK ((key->access == ENGINE_ACCESS_PUT) == (key->value_size == 2000));
}

/* Memory of lists that grow moves away each time, and is gone from where it was: who looks there without
 * the lock falls. */
static void
test_at_work (struct engine *engine)
{
  pthread_t thread;
  uint64_t id, seen = 0;
  size_t count;
  struct work work = { engine, UINT64_MAX };
  mallopt (M_MMAP_THRESHOLD, 4096);
  CHECK_INT (pthread_create (&thread, NULL, run_work, &work), 0);
  for (unsigned i = 0; (id = atomic_load (&work.id)) != 0; i++)
    {
      status result = engine_transaction_keys (engine, id, keys, &count);
      CHECK (result == STATUS_OK || (result == STATUS_NOT_FOUND && count == 0));
      for (size_t k = 0; k < count && i % 8 == 0; k++)
        check_seen (&keys[k]);
      seen += count;
    }
  pthread_join (thread, NULL);
  CHECK (seen > 0);
}

int
main (void)
{
  char *path = fresh_directory ();
  struct engine_options options;
  engine_options_init (&options);
  struct engine *engine = open_with (path, &options);
  test_writes (engine);
  test_reads (engine);
  test_limits (engine);
  test_at_work (engine);
  close_it (engine);
  remove_directory (path);
  return 0;
}
