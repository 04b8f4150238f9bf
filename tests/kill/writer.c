/* SPDX-License-Identifier: MIT */
#include "writer.h"

#include "base/random.h"
#include "check.h"

#include <errno.h>
#include <poll.h>
#include <time.h>

#define WRITES_MAX 12u
#define VALUE_MAX 40000u

/* ---- what operation n of a writer does ---- */

enum action
{
  ACTION_PUT,
  ACTION_DELETE,
  ACTION_DELETE_RANGE,
  ACTION_BATCH,
  ACTION_TRANSACTION
};

struct change
{
  bool range, absent; /* a range delete of [key, end); a delete */
  unsigned store, key, end;
  uint32_t size; /* of the value put */
};

struct plan
{
  enum action action;
  enum engine_sync sync;
  unsigned count;
  struct change changes[WRITES_MAX];
};

static void
plan_change (struct random *random, struct change *change)
{
  uint64_t shape = random_below (random, 20);
  *change = (struct change){ .store = (unsigned) random_below (random, WRITER_STORES),
                             .key = (unsigned) random_below (random, WRITER_KEYS) };
  if (shape == 0)
    {
      change->range = true;
      change->end = change->key + 1 + (unsigned) random_below (random, 8);
    }
  else if (shape < 5)
    change->absent = true;
  else if (shape == 19)
    change->size = 8000 + (uint32_t) random_below (random, VALUE_MAX - 8000); /* to a blob file */
  else
    change->size = 16 + (uint32_t) random_below (random, shape == 18 ? 3000 : 200);
}

static void
plan_operation (unsigned writer, uint64_t number, struct plan *plan)
{
  struct random random = { number * 8 + writer };
  random.state = random_next (&random);
  uint64_t shape = random_below (&random, 10);
  plan->sync = random_below (&random, 24) == 0 ? ENGINE_SYNC_FULL : ENGINE_SYNC_ASYNC;
  plan->count = shape < 6 ? 1 : 2 + (unsigned) random_below (&random, WRITES_MAX - 2);
  for (unsigned i = 0; i < plan->count; i++)
    plan_change (&random, &plan->changes[i]);
  const struct change *first = plan->changes;
  plan->action = shape >= 8      ? ACTION_TRANSACTION
                 : shape >= 6    ? ACTION_BATCH
                 : first->range  ? ACTION_DELETE_RANGE
                 : first->absent ? ACTION_DELETE
                                 : ACTION_PUT;
}

static struct bytes
make_key (char to[32], unsigned writer, unsigned key)
{
  return BYTES (to, (size_t) sprintf (to, "thread%u/%03u", writer, key));
}

/* Who wrote it, as what, then a pattern that follows from that. */
static struct bytes
make_value (uint8_t *to, unsigned writer, uint64_t number, unsigned key, uint32_t size)
{
  struct random random = { number * 31 + writer * 7 + key };
  memcpy (to, &number, 8);
  memcpy (to + 8, &writer, 4);
  memcpy (to + 12, &key, 4);
  for (uint32_t i = 16; i < size; i += 8)
    {
      uint64_t word = random_next (&random) & UINT64_C (0x0f0f0f0f0f0f0f0f);
      memcpy (to + i, &word, size - i < 8 ? size - i : 8);
    }
  return BYTES (to, size);
}

/* ---- doing it ---- */

static void
change_batch (const struct writer *writer, struct engine_batch *batch, uint64_t number,
              const struct plan *plan, uint8_t *scratch)
{
  struct failure failure;
  char key[32], end[32];
  for (unsigned i = 0; i < plan->count; i++)
    {
      const struct change *change = &plan->changes[i];
      engine_store store = writer->stores[change->store];
      struct bytes at = make_key (key, writer->number, change->key);
      if (change->range)
        CHECK_OK (engine_batch_delete_range (
            batch, store, at, make_key (end, writer->number, change->end), &failure));
      else if (change->absent)
        CHECK_OK (engine_batch_delete (batch, store, at, &failure));
      else
        CHECK_OK (engine_batch_put (
            batch, store, at,
            make_value (scratch, writer->number, number, change->key, change->size), &failure));
    }
}

static void
change_transaction (const struct writer *writer, struct engine_transaction *transaction,
                    uint64_t number, const struct plan *plan, uint8_t *scratch)
{
  struct failure failure;
  char key[32], end[32];
  for (unsigned i = 0; i < plan->count; i++)
    {
      const struct change *change = &plan->changes[i];
      engine_store store = writer->stores[change->store];
      struct bytes at = make_key (key, writer->number, change->key);
      if (change->range)
        CHECK_OK (engine_transaction_delete_range (
            transaction, store, at, make_key (end, writer->number, change->end), &failure));
      else if (change->absent)
        CHECK_OK (engine_transaction_delete (transaction, store, at, &failure));
      else
        CHECK_OK (engine_transaction_put (
            transaction, store, at,
            make_value (scratch, writer->number, number, change->key, change->size), &failure));
    }
}

static uint64_t
run_operation (const struct writer *writer, uint64_t number, struct engine_batch *batch,
               uint8_t *scratch)
{
  struct failure failure;
  struct plan plan;
  char key[32], end[32];
  uint64_t sequence = 0;
  plan_operation (writer->number, number, &plan);
  const struct change *first = plan.changes;
  engine_store store = writer->stores[first->store];
  struct bytes at = make_key (key, writer->number, first->key);
  struct engine *engine = writer->engine;
  struct engine_transaction *transaction;
  switch (plan.action)
    {
    case ACTION_PUT:
      CHECK_OK (engine_put (engine, store, at,
                            make_value (scratch, writer->number, number, first->key, first->size),
                            plan.sync, &sequence, &failure));
      break;
    case ACTION_DELETE:
      CHECK_OK (engine_delete (engine, store, at, plan.sync, &sequence, &failure));
      break;
    case ACTION_DELETE_RANGE:
      CHECK_OK (engine_delete_range (engine, store, at, make_key (end, writer->number, first->end),
                                     plan.sync, &sequence, &failure));
      break;
    case ACTION_BATCH:
      engine_batch_clear (batch);
      change_batch (writer, batch, number, &plan, scratch);
      CHECK_OK (engine_write (engine, batch, plan.sync, &sequence, &failure));
      break;
    case ACTION_TRANSACTION:
      CHECK_OK (engine_transaction_begin (engine, 0, &transaction, &failure));
      change_transaction (writer, transaction, number, &plan, scratch);
      CHECK_OK (engine_transaction_commit (transaction, plan.sync, &sequence, &failure));
      engine_transaction_free (transaction);
    }
  return sequence;
}

void
acknowledge (int to, struct acknowledgement what)
{
  if (write (to, &what, sizeof what) != sizeof what)
    _exit (3);
}

void *
writer_main (void *data)
{
  struct failure failure;
  struct writer *writer = data;
  uint8_t *scratch = malloc (VALUE_MAX + 8);
  struct engine_batch *batch;
  CHECK (scratch != NULL);
  CHECK_OK (engine_batch_new (&batch, &failure));
  for (; writer->stop == NULL || !atomic_load (writer->stop); writer->next++)
    {
      uint64_t sequence = run_operation (writer, writer->next, batch, scratch);
      acknowledge (writer->pipe, (struct acknowledgement){ .writer = writer->number,
                                                           .number = writer->next,
                                                           .sequence = sequence });
      if (writer->after != NULL)
        writer->after (writer, writer->next);
    }
  engine_batch_free (batch);
  free (scratch);
  return NULL;
}

/* ---- what a parent knows ---- */

void
writer_apply (writer_picture picture, unsigned writer, uint64_t number)
{
  struct plan plan;
  plan_operation (writer, number, &plan);
  for (unsigned i = 0; i < plan.count; i++)
    {
      const struct change *change = &plan.changes[i];
      unsigned end = change->range ? change->end : change->key + 1;
      for (unsigned key = change->key; key < end && key < WRITER_KEYS; key++)
        picture[change->store][key] = change->range || change->absent
                                          ? (struct writer_cell){ 0, 0 }
                                          : (struct writer_cell){ number, change->size };
    }
}

const char *
writer_difference (struct engine *engine, const engine_store *stores, unsigned writer,
                   writer_picture picture, char *message, size_t size)
{
  static uint8_t expected[VALUE_MAX + 8];
  struct failure failure;
  char key[32];
  for (unsigned store = 0; store < WRITER_STORES; store++)
    for (unsigned i = 0; i < WRITER_KEYS; i++)
      {
        const struct writer_cell *cell = &picture[store][i];
        struct engine_value value;
        failure = FAILURE_INIT;
        status result = engine_get_value (engine, NULL, stores[store], make_key (key, writer, i),
                                          &value, &failure);
        CHECK (result == STATUS_OK || result == STATUS_NOT_FOUND
               || (fprintf (stderr, "%s: %s\n", key, failure.message), false));
        bool same = result == STATUS_NOT_FOUND
                        ? cell->number == 0
                        : cell->number != 0
                              && bytes_equal (value.data, make_value (expected, writer,
                                                                      cell->number, i, cell->size));
        uint64_t got = 0;
        if (result == STATUS_OK && value.data.size >= 8)
          memcpy (&got, value.data.data, 8);
        if (result == STATUS_OK)
          engine_value_release (&value);
        if (same)
          continue;
        snprintf (message, size, "%s in store %u is of operation %llu, not %llu", key, store,
                  (unsigned long long) got, (unsigned long long) cell->number);
        return message;
      }
  return NULL;
}

uint64_t
writer_now (void)
{
  struct timespec time;
  clock_gettime (CLOCK_MONOTONIC, &time);
  return (uint64_t) time.tv_sec * 1000000 + (uint64_t) time.tv_nsec / 1000;
}

enum acknowledged
read_acknowledgement (int from, uint64_t until, struct acknowledgement *out)
{
  for (;;)
    {
      uint64_t at = writer_now ();
      struct pollfd wait = { .fd = from, .events = POLLIN };
      if (at >= until)
        return ACKNOWLEDGED_LATE;
      int ready = poll (&wait, 1, until == UINT64_MAX ? -1 : (int) ((until - at) / 1000 + 1));
      if (ready < 0 && errno == EINTR)
        continue;
      if (ready == 0)
        return ACKNOWLEDGED_LATE;
      ssize_t size = read (from, out, sizeof *out);
      if (size == 0)
        return ACKNOWLEDGED_END;
      CHECK_INT (size, sizeof *out); /* written whole: shorter than PIPE_BUF */
      return ACKNOWLEDGED;
    }
}
