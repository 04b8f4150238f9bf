/* SPDX-License-Identifier: MIT */
/* What the engine does with keys that came in a long rising row (H4 of memtable-hash.c): it hashes
 * them when nobody writes any more, or when somebody reads beside a slow writer; and where nobody
 * would do that, nothing is put off. */
#include "small-engine.h"

#include "core/engine-private.h"
#include "memtable/memtable-private.h"

#define ROW (PUT_OFF_AFTER + 2000u)
#define PATIENCE 200u /* naps of 50 ms */

static struct failure failure;

static void
put_row (struct engine *engine, unsigned from, unsigned to)
{
  char key[32];
  for (unsigned i = from; i < to; i++)
    CHECK_OK (engine_put (engine, ENGINE_STORE_DEFAULT, number_key (key, i), BYTES (&i, sizeof i),
                          ENGINE_SYNC_DEFAULT, NULL, &failure));
}

static void
check_row (struct engine *engine, struct engine_transaction *transaction, unsigned count)
{
  char key[32];
  for (unsigned i = 0; i < count + 10; i++)
    {
      struct engine_value value;
      status result = transaction != NULL
                          ? engine_transaction_get_value (transaction, ENGINE_STORE_DEFAULT,
                                                          number_key (key, i), &value, &failure)
                          : engine_get_value (engine, NULL, ENGINE_STORE_DEFAULT,
                                              number_key (key, i), &value, &failure);
      CHECK_INT (result, i < count ? STATUS_OK : STATUS_NOT_FOUND);
      if (i >= count)
        continue;
      CHECK (bytes_equal (value.data, BYTES (&i, sizeof i)));
      engine_value_release (&value);
    }
}

static size_t
put_off (struct engine *engine)
{
  pthread_mutex_lock (&engine->commit_lock);
  size_t count = engine->active->table->put_off_count;
  CHECK_INT (count > 0, atomic_load (&engine->active->table->put_off));
  pthread_mutex_unlock (&engine->commit_lock);
  return count;
}

static void
nap (void)
{
  nanosleep (&(struct timespec){ 0, 50000000 }, NULL);
}

/* Nobody writes or reads: half a second later all are hashed. */
static void
test_quiet (struct engine *engine)
{
  put_row (engine, 0, ROW);
  CHECK (put_off (engine) > 1900); /* within half a second, or it was hashed already */
  unsigned waited = 0;
  while (put_off (engine) > 0 && waited++ < PATIENCE)
    nap ();
  CHECK (waited < PATIENCE);
  CHECK (engine->active->table->hashed > ROW - 10);
  check_row (engine, NULL, ROW);
  CHECK (!atomic_load (&engine->active->table->wanted)); /* the hash knew all of them */
}

/* It is never quiet, but somebody reads. */
static void
test_slow_writer (struct engine *engine)
{
  put_row (engine, ROW, 2 * ROW);
  CHECK (put_off (engine) > 2900);
  check_row (engine, NULL, 2 * ROW);
  unsigned waited = 0;
  for (; put_off (engine) > 0 && waited < PATIENCE; waited++)
    {
      put_row (engine, waited, waited + 1);
      nap ();
    }
  CHECK (waited < 60); /* eight at each put would take three hundred */
}

/* A transaction's writes, and what another opening reads of the log. */
static void
test_nobody_catches_up (struct engine *engine, const char *path)
{
  struct engine_transaction *transaction;
  char key[32];
  CHECK_OK (engine_transaction_begin (engine, 0, &transaction, &failure));
  for (unsigned i = 0; i < ROW; i++)
    CHECK_OK (engine_transaction_put (transaction, ENGINE_STORE_DEFAULT, number_key (key, i),
                                      BYTES (&i, sizeof i), &failure));
  CHECK_INT (transaction_index (transaction)->put_off_count, 0);
  check_row (engine, transaction, 2 * ROW);
  engine_transaction_free (transaction);

  struct engine *reader;
  CHECK_OK (engine_open (path, ENGINE_OPEN_READ_ONLY, NULL, &reader, &failure));
  check_row (reader, NULL, 2 * ROW);
  struct view *view = engine_view (reader);
  for (unsigned i = 0; i < view->frozen_count; i++)
    CHECK_INT (view->frozen[i]->table->put_off_count, 0);
  if (view->active != NULL)
    CHECK (view->active->table->put_off_count == 0 && view->active->table->hashed > ROW);
  view_unref (view);
  engine_unref (reader);
}

int
main (void)
{
  char *path = fresh_directory ();
  struct engine *engine;
  CHECK_OK (engine_open (path, ENGINE_OPEN_CREATE, NULL, &engine, &failure));
  test_quiet (engine);
  test_slow_writer (engine);
  test_nobody_catches_up (engine, path);
  engine_unref (engine);
  remove_directory (path);
  return 0;
}
