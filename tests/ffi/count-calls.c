/* SPDX-License-Identifier: MIT */
/*
 * What a call through the flat ABI costs beside the engine's own, in instructions (docs/design/
 * flat-abi.md has the figures): tests/ffi/count-calls runs this below callgrind, a row at a time.
 *
 *   count-calls DIRECTORY ROW     prints the count of calls that run_row made
 */
#include "engine.h"
#include "lightning_db_ffi.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RECORDS 2000u
#define VALUE_SIZE 100u
#define KEY_SIZE 9u

static struct engine *engine;
static LightningDB *db;
static uint64_t tx;
static char keys[RECORDS][KEY_SIZE + 1];
static uint8_t value[VALUE_SIZE];
static size_t found_bytes;

static struct bytes
key (unsigned i)
{
  return BYTES (keys[i], KEY_SIZE);
}

static void
must (int failed)
{
  if (failed)
    {
      fprintf (stderr, "a call failed: %s\n", lightning_db_last_error_message ());
      exit (1);
    }
}

/* ---- rows: each makes RECORDS calls ---- */

static void
engine_put_row (void)
{
  for (unsigned i = 0; i < RECORDS; i++)
    must (engine_put (engine, ENGINE_STORE_DEFAULT, key (i), BYTES (value, VALUE_SIZE),
                      ENGINE_SYNC_DEFAULT, NULL, NULL));
}

static void
flat_put_row (void)
{
  for (unsigned i = 0; i < RECORDS; i++)
    must (lightning_db_put (db, key (i).data, KEY_SIZE, value, VALUE_SIZE));
}

/* With what the flat call has to do: a copy that the caller frees. */
static void
engine_get_row (void)
{
  for (unsigned i = 0; i < RECORDS; i++)
    {
      struct engine_value out;
      must (engine_get_value (engine, NULL, ENGINE_STORE_DEFAULT, key (i), &out, NULL));
      uint8_t *copy = malloc (out.data.size);
      memcpy (copy, out.data.data, out.data.size);
      found_bytes += out.data.size;
      engine_value_release (&out);
      free (copy);
    }
}

static void
flat_get_row (void)
{
  for (unsigned i = 0; i < RECORDS; i++)
    {
      LightningDBResult result;
      must (lightning_db_get (db, key (i).data, KEY_SIZE, &result));
      found_bytes += result.len;
      lightning_db_free_result (result.data, result.len);
    }
}

static void
engine_into_row (void)
{
  uint8_t buffer[VALUE_SIZE];
  for (unsigned i = 0; i < RECORDS; i++)
    {
      size_t size;
      must (engine_get (engine, NULL, ENGINE_STORE_DEFAULT, key (i), buffer, sizeof buffer, &size,
                        NULL));
      found_bytes += size;
    }
}

static void
flat_into_row (void)
{
  uint8_t buffer[VALUE_SIZE];
  for (unsigned i = 0; i < RECORDS; i++)
    {
      size_t size;
      must (lightning_db_get_into (db, key (i).data, KEY_SIZE, buffer, sizeof buffer, &size));
      found_bytes += size;
    }
}

static void
engine_scan_row (void)
{
  struct engine_cursor *cursor;
  const struct engine_cursor_settings settings = { .store = ENGINE_STORE_DEFAULT };
  must (engine_cursor_new (engine, &settings, &cursor, NULL));
  must (engine_cursor_first (cursor, NULL));
  while (engine_cursor_valid (cursor))
    {
      struct bytes shown;
      must (engine_cursor_value (cursor, &shown, NULL));
      found_bytes += shown.size;
      must (engine_cursor_next (cursor, NULL));
    }
  engine_cursor_free (cursor);
}

static void
flat_scan_row (void)
{
  LightningDBEntry entry;
  LightningDBIterator *iterator = lightning_db_scan (db, NULL, 0, NULL, 0, 0);
  for (;;)
    {
      must (lightning_db_iterator_next (iterator, &entry));
      if (entry.key == NULL)
        break;
      found_bytes += entry.value_len;
    }
  lightning_db_iterator_free (iterator);
}

static void
engine_put_tx_row (void)
{
  struct engine_transaction *transaction;
  must (engine_transaction_begin (engine, 0, &transaction, NULL));
  for (unsigned i = 0; i < RECORDS; i++)
    must (engine_transaction_put (transaction, ENGINE_STORE_DEFAULT, key (i),
                                  BYTES (value, VALUE_SIZE), NULL));
  must (engine_transaction_commit (transaction, ENGINE_SYNC_DEFAULT, NULL, NULL));
  engine_transaction_free (transaction);
}

static void
flat_put_tx_row (void)
{
  must (lightning_db_begin_transaction (db, &tx));
  for (unsigned i = 0; i < RECORDS; i++)
    must (lightning_db_put_tx (db, tx, key (i).data, KEY_SIZE, value, VALUE_SIZE));
  must (lightning_db_commit_transaction (db, tx));
}

static const struct
{
  const char *name;
  void (*run) (void);
} rows[] = {
  { "engine-put", engine_put_row },       { "flat-put", flat_put_row },
  { "engine-get", engine_get_row },       { "flat-get", flat_get_row },
  { "engine-get-into", engine_into_row }, { "flat-get-into", flat_into_row },
  { "engine-scan", engine_scan_row },     { "flat-scan", flat_scan_row },
  { "engine-put-tx", engine_put_tx_row }, { "flat-put-tx", flat_put_tx_row },
};

/* What callgrind counts. */
void run_row (void (*run) (void));
__attribute__ ((noinline)) void
run_row (void (*run) (void))
{
  run ();
}

int
main (int argc, char **argv)
{
  char path[600];
  if (argc != 3)
    return 2;
  for (unsigned i = 0; i < RECORDS; i++)
    snprintf (keys[i], sizeof keys[i], "user:%04u", i);
  snprintf (path, sizeof path, "%s/engine", argv[1]);
  must (engine_open (path, ENGINE_OPEN_CREATE, NULL, &engine, NULL));
  snprintf (path, sizeof path, "%s/flat", argv[1]);
  must ((db = lightning_db_create (path, NULL)) == NULL);
  engine_put_row ();
  flat_put_row ();
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    if (strcmp (argv[2], rows[i].name) == 0)
      {
        rows[i].run (); /* so that both have their thread's records */
        run_row (rows[i].run);
        printf ("%u\n", RECORDS);
      }
  engine_close (engine, NULL);
  engine_unref (engine);
  lightning_db_free (db);
  return found_bytes == 1;
}
