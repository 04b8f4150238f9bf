/* SPDX-License-Identifier: MIT */
/*
 * The checkers have teeth: histories written by hand, one or more for each anomaly, which must be
 * found (and no other), and clean ones, in which nothing must be. Then random histories of a small
 * database that is known to be right, and of the same one with a fault.
 */
#include "anomalies.h"
#include "linearizable.h"

#include "base/random.h"
#include "check.h"

#include <string.h>

#define A(name) (1u << ANOMALY_##name)

struct example
{
  const char *name;
  unsigned expected;
  const char *text;
};

static const struct example examples[] = {
  { "nothing", 0, "" },
  { "one after the other", 0,
    "ok serializable 0 1 2 0 1: r 1, a 1 10\n"
    "ok serializable 1 3 4 1 2: r 1 10, a 1 20, r 1 10 20\n"
    "ok serializable 0 5 6 2 0: r 1 10 20\n" },
  { "at once, in some order", 0,
    "ok serializable 0 1 9 0 1: r 1, a 1 10\n"
    "ok serializable 1 1 9 1 2: r 1 10, a 1 20, a 2 21\n"
    "ok serializable 2 1 9 2 0: r 1 10 20, r 2 21\n"
    "ok serializable 3 1 9 0 0: r 1, r 2\n" },
  { "own writes", 0,
    "ok snapshot 0 1 2 0 1: a 1 10, a 1 11, r 1 10 11, c 1, r 1, a 1 12, r 1 12\n"
    "ok snapshot 0 3 4 1 0: r 1 12\n" },
  { "refused ones that saw a snapshot", 0,
    "ok snapshot 0 1 2 0 1: a 1 10\n"
    "no snapshot 1 3 9 1 0: r 1 10, a 1 90\n"
    "ok snapshot 0 4 5 1 2: r 1 10, a 1 11\n"
    "ok snapshot 0 10 11 2 0: r 1 10 11\n" },
  { "deleted and written anew", 0,
    "ok serializable 0 1 2 0 1: a 1 10\n"
    "ok serializable 0 3 4 1 2: c 1\n"
    "ok serializable 1 5 9 2 0: r 1\n"
    "ok serializable 0 6 7 2 3: r 1, a 1 11\n"
    "ok serializable 0 10 11 3 0: r 1 11\n" },
  { "deleted twice: who reads nothing may stand before or behind the second time", 0,
    "ok serializable 0 1 20 0 1: a 1 10\n"
    "ok serializable 0 1 20 1 2: c 1\n"
    "ok serializable 0 1 20 2 3: c 1, a 2 20\n"
    "ok serializable 1 1 20 2 4: r 1, a 3 30\n" },

  { "misses its own write", A (INTERNAL),
    "ok snapshot 0 1 2 0 1: a 1 10\n"
    "ok snapshot 0 3 4 1 2: r 1 10, a 1 11, r 1 10\n"
    "ok snapshot 0 5 6 2 0: r 1 10 11\n" },
  { "misses its own delete", A (INTERNAL),
    "ok snapshot 0 1 2 0 1: a 1 10\n"
    "ok snapshot 0 3 4 1 2: c 1, r 1 10\n" },
  { "reads in two ways", A (INTERNAL),
    "ok snapshot 0 1 9 0 1: a 1 10\n"
    "ok snapshot 1 1 9 0 0: r 1, r 1 10\n" },
  { "reads what nobody wrote", A (GARBAGE), "ok snapshot 0 1 2 0 0: r 1 77\n" },
  { "reads another key's element", A (GARBAGE),
    "ok snapshot 0 1 9 0 1: a 1 10, a 2 20\n"
    "ok snapshot 1 1 9 1 0: r 1 20\n" },
  { "reads an element twice", A (GARBAGE),
    "ok snapshot 0 1 9 0 1: a 1 10\n"
    "ok snapshot 1 1 9 1 0: r 1 10 10\n" },
  { "two orders", A (INCOMPATIBLE),
    "ok snapshot 0 1 9 - 0: a 1 10\n"
    "ok snapshot 1 1 9 - 0: a 1 20\n"
    "ok snapshot 2 1 9 - 0: r 1 10 20\n"
    "ok snapshot 3 1 9 - 0: r 1 20\n" },
  { "a hole", A (INCOMPATIBLE),
    "ok snapshot 0 1 9 - 1: a 1 10\n"
    "ok snapshot 1 1 9 - 2: a 1 20\n"
    "ok snapshot 2 1 9 - 3: a 1 30\n"
    "ok snapshot 2 1 9 - 0: r 1 10 20 30\n"
    "ok snapshot 3 1 9 - 0: r 1 10 30\n" },
  { "reads nothing where there is something, on a deleted key", A (INCOMPATIBLE),
    "ok serializable 0 1 2 0 1: c 1\n"
    "ok serializable 0 3 4 1 2: r 1, a 1 10\n"
    "ok serializable 1 3 9 2 0: r 1\n" },
  { "reads what a delete took away, with what came behind", A (INCOMPATIBLE),
    "ok serializable 0 1 9 0 1: a 1 10\n"
    "ok serializable 0 1 9 1 2: c 1\n"
    "ok serializable 0 1 9 2 3: a 1 11\n"
    "ok serializable 1 1 9 3 0: r 1 10 11\n" },
  { "G1a", A (G1A),
    "no snapshot 0 1 9 0 0: a 1 10\n"
    "ok snapshot 1 1 9 0 0: r 1 10\n" },
  { "G1b", A (G1B),
    "ok snapshot 0 1 9 0 1: a 1 10, a 1 11\n"
    "ok snapshot 1 1 9 1 0: r 1 10\n"
    "ok snapshot 2 1 9 1 0: r 1 10 11\n" },
  { "G1b, deleted", A (G1B),
    "ok snapshot 0 1 9 0 1: a 1 10, c 1, a 1 11\n"
    "ok snapshot 1 1 9 1 0: r 1 10\n"
    "ok snapshot 2 1 9 1 0: r 1 11\n" },
  { "lost update: both read the same", A (LOST_UPDATE) | A (G_SINGLE),
    "ok snapshot 0 1 2 - 0: a 1 10\n"
    "ok snapshot 0 3 9 - 0: r 1 10, a 1 11\n"
    "ok snapshot 1 3 9 - 0: r 1 10, a 1 12\n"
    "ok snapshot 2 10 11 - 0: r 1 10 11 12\n" },
  { "lost update: one is gone", A (LOST_UPDATE),
    "ok snapshot 0 1 2 - 0: a 1 10\n"
    "ok snapshot 0 3 9 - 0: r 1 10, a 1 11\n"
    "ok snapshot 1 3 9 - 0: r 1 10, a 1 12\n"
    "ok snapshot 2 10 11 - 0: r 1 10 12\n" },
  { "G0", A (G0),
    "ok snapshot 0 1 9 - 0: a 1 10, a 2 11\n"
    "ok snapshot 1 1 9 - 0: a 1 20, a 2 21\n"
    "ok snapshot 2 1 9 - 0: r 1 10 20\n"
    "ok snapshot 3 1 9 - 0: r 2 21 11\n" },
  { "G1c", A (G1C),
    "ok snapshot 0 1 9 - 0: a 1 10, r 2 20\n"
    "ok snapshot 1 1 9 - 0: a 2 20, r 1 10\n" },
  { "G1c of three, with a ww", A (G1C),
    "ok snapshot 0 1 9 - 0: a 1 10, r 3 30\n"
    "ok snapshot 1 1 9 - 0: r 1 10, a 2 20\n"
    "ok snapshot 2 1 9 - 0: a 2 21, a 3 30\n"
    "ok snapshot 3 1 9 - 0: r 2 20 21\n" },
  { "G-single: half of a commit", A (G_SINGLE),
    "ok snapshot 0 1 9 - 0: a 1 10, a 2 20\n"
    "ok snapshot 1 1 9 - 0: r 1 10, r 2\n"
    "ok snapshot 2 1 9 - 0: r 2 20\n" },
  { "G-single in one that was refused", A (G_SINGLE),
    "ok snapshot 0 1 9 - 0: a 1 10, a 2 20\n"
    "no snapshot 1 1 9 - 0: r 1 10, r 2, a 3 30\n"
    "ok snapshot 2 1 9 - 0: r 2 20\n" },
  { "G-single over a third", A (G_SINGLE),
    "ok snapshot 0 1 9 - 0: a 1 10\n"
    "ok snapshot 1 1 9 - 0: r 1 10, a 2 20\n"
    "ok snapshot 2 1 9 - 0: r 2 20, r 1\n" },
  { "G-nonadjacent: two readers see two commits in two orders", A (G_NONADJACENT),
    "ok snapshot 0 1 9 - 0: a 1 10\n"
    "ok snapshot 1 1 9 - 0: a 2 20\n"
    "ok snapshot 2 1 9 - 0: r 1 10, r 2\n"
    "ok snapshot 3 1 9 - 0: r 1, r 2 20\n" },
  { "G2: write skew", A (G2),
    "ok snapshot 0 1 2 - 0: a 1 10, a 2 20\n"
    "ok snapshot 0 3 9 - 0: r 1 10, r 2 20, a 1 11\n"
    "ok snapshot 1 3 9 - 0: r 1 10, r 2 20, a 2 21\n"
    "ok snapshot 2 10 11 - 0: r 1 10 11, r 2 20 21\n" },
  { "G2: phantoms, keys that were not there", A (G2),
    "ok snapshot 0 3 9 - 0: r 1, r 2, r 3, a 1 11\n"
    "ok snapshot 1 3 9 - 0: r 1, r 2, r 3, a 3 31\n"
    "ok snapshot 2 10 11 - 0: r 1 11, r 2, r 3 31\n" },
  { "G2: two ranges deleted, each seen whole by the other", A (G2),
    "ok snapshot 0 1 2 0 1: a 1 10, a 2 20\n"
    "ok snapshot 0 3 9 1 2: r 1 10, c 2\n"
    "ok snapshot 1 3 9 1 3: r 2 20, c 1\n"
    "ok snapshot 2 10 11 3 0: r 1, r 2\n" },
  { "G2: a read-only one sees the skew", A (G2),
    "ok snapshot 0 1 20 - 0: r 1, r 2, a 1 10\n"
    "ok snapshot 1 1 20 - 0: r 2, a 2 20\n"
    "ok snapshot 2 1 20 - 0: r 1, r 2 20\n"
    "ok snapshot 3 30 40 - 0: r 1 10, r 2 20\n" },

  { "G0 in real time: the older write won", A (G0_REALTIME),
    "ok snapshot 0 1 2 - 0: a 1 10\n"
    "ok snapshot 1 3 4 - 0: a 1 20\n"
    "ok snapshot 2 3 9 - 0: r 1 20 10\n" },
  { "G1c in real time: read before it was written", A (G1C_REALTIME),
    "ok snapshot 0 1 2 - 0: r 1 10\n"
    "ok snapshot 1 3 4 - 0: a 1 10\n" },
  { "G-single in real time: a stale read", A (G_SINGLE_REALTIME),
    "ok snapshot 0 1 2 - 0: a 1 10\n"
    "ok snapshot 1 3 4 - 0: r 1\n"
    "ok snapshot 1 5 6 - 0: r 1 10\n" },
  { "G-single in real time: a later reader sees less", A (G_SINGLE_REALTIME),
    "ok snapshot 0 1 9 - 0: a 1 10\n"
    "ok snapshot 1 2 3 - 0: r 1 10\n"
    "ok snapshot 2 4 5 - 0: r 1\n" },
  { "G-nonadjacent in real time", A (G_NONADJACENT_REALTIME),
    "ok snapshot 0 5 6 - 0: r 1, a 3 30\n"
    "ok snapshot 1 1 9 - 0: a 1 10\n"
    "ok snapshot 2 1 20 - 0: r 1 10, r 2\n"
    "ok snapshot 3 1 4 - 0: a 2 20\n"
    "ok snapshot 4 1 20 - 0: r 2 20\n" },
  { "G2 in real time", A (G2_REALTIME),
    "ok snapshot 0 10 20 - 0: r 1\n"
    "ok snapshot 1 1 30 - 0: r 2, a 1 10\n"
    "ok snapshot 2 1 5 - 0: a 2 20\n"
    "ok snapshot 3 40 41 - 0: r 1 10, r 2 20\n" },

  { "numbers: newer than the snapshot", A (NUMBERS),
    "ok snapshot 0 1 9 0 1: a 1 10\n"
    "ok snapshot 1 1 9 0 0: r 1 10\n" },
  { "numbers: older than the snapshot", A (NUMBERS),
    "ok snapshot 0 1 9 0 1: a 1 10\n"
    "ok snapshot 1 1 9 1 0: r 1\n"
    "ok snapshot 1 1 9 1 0: r 1 10\n" },
  { "numbers: a serializable one did not notice", A (NUMBERS),
    "ok serializable 0 1 9 0 1: a 1 10\n"
    "ok serializable 1 1 9 0 2: r 1, a 2 20\n"
    "ok snapshot 2 1 9 2 0: r 1 10, r 2 20\n" },
  { "numbers: written over unseen", A (NUMBERS),
    "ok snapshot 0 1 9 0 1: a 1 10\n"
    "ok snapshot 1 1 9 0 2: a 1 20\n"
    "ok snapshot 2 1 9 2 0: r 1 10 20\n" },
  { "numbers: an older commit on top", A (NUMBERS),
    "ok snapshot 0 1 9 0 2: a 1 10\n"
    "ok snapshot 1 1 9 - 1: a 1 20\n"
    "ok snapshot 2 1 9 2 0: r 1 10 20\n" },
};

static void
print_kinds (const char *title, unsigned kinds)
{
  fprintf (stderr, "  %s:", title);
  for (unsigned i = 0; i < ANOMALIES; i++)
    if ((kinds & 1u << i) != 0)
      fprintf (stderr, " %s", anomaly_name (i));
  fputc ('\n', stderr);
}

static void
test_example (const struct example *example)
{
  struct history history = { 0 };
  struct findings findings;
  unsigned line;
  CHECK (history_parse (&history, example->text, &line));
  anomalies_find (&history, &findings);
  if (findings.found != example->expected)
    {
      fprintf (stderr, "“%s”\n", example->name);
      print_kinds ("expected", example->expected);
      print_kinds ("found", findings.found);
      findings_print (&findings, ~0u, stderr);
      abort ();
    }
  for (unsigned i = 0; i < ANOMALIES; i++)
    CHECK ((findings.counts[i] > 0) == ((findings.found & 1u << i) != 0)
           && (findings.counts[i] > 0) == (findings.examples[i] != NULL));
  findings_clear (&findings);
  history_clear (&history);
}

/* What is printed is read back as the same. */
static void
test_text (void)
{
  for (size_t i = 0; i < sizeof examples / sizeof examples[0]; i++)
    {
      struct history history = { 0 };
      char *printed = NULL;
      size_t size = 0;
      unsigned line;
      CHECK (history_parse (&history, examples[i].text, &line));
      FILE *to = open_memstream (&printed, &size);
      history_print (&history, to);
      fclose (to);
      CHECK (strcmp (printed, examples[i].text) == 0);
      free (printed);
      history_clear (&history);
    }
  struct history history = { 0 };
  unsigned line;
  CHECK (!history_parse (&history, "ok snapshot 0 1 2 - 0: a 1 10\nok snapshot 0 1: r 1\n", &line));
  CHECK_INT (line, 2);
  history_clear (&history);
}

/* ---- a small database, known to be right, and with faults ---- */

enum fault
{
  FAULT_NONE,
  FAULT_READS_UNCHECKED,  /* a serializable commit ignores what it read */
  FAULT_WRITES_UNCHECKED, /* a commit ignores what it writes over */
  FAULT_STALE,            /* a snapshot is a commit too old, now and then */
  FAULT_TORN,             /* of a commit's keys but the first some are not written, now and then */
  FAULTS
};

#define MODEL_KEYS 5u
#define MODEL_COMMITS 400u
#define MODEL_ELEMENTS 800u
#define MODEL_OPEN 4u

struct model_value
{
  uint32_t count;
  uint32_t list[MODEL_ELEMENTS];
};

static struct
{
  struct model_value values[MODEL_COMMITS + 2][MODEL_KEYS]; /* by commit */
  bool wrote[MODEL_COMMITS + 2][MODEL_KEYS];                /* it did */
  uint32_t commits, elements;
  uint64_t clock;
  enum fault fault;
  bool silent; /* it tells no numbers; then it can't be asked to delete either */
} model;

struct model_transaction
{
  bool open, cleared[MODEL_KEYS], read[MODEL_KEYS], wrote[MODEL_KEYS];
  uint32_t snapshot;
  uint64_t invoked;
  struct history steps;               /* one transaction */
  struct model_value own[MODEL_KEYS]; /* as it sees them */
};

static void
model_begin (struct model_transaction *transaction, struct random *random)
{
  memset (transaction, 0, sizeof *transaction);
  transaction->open = true;
  transaction->invoked = ++model.clock;
  transaction->snapshot = model.commits;
  if (model.fault == FAULT_STALE && model.commits > 0 && random_below (random, 4) == 0)
    transaction->snapshot--;
  memcpy (transaction->own, model.values[transaction->snapshot], sizeof transaction->own);
  history_begin (&transaction->steps);
}

static void
model_step (struct model_transaction *transaction, struct random *random)
{
  uint32_t key = (uint32_t) random_below (random, MODEL_KEYS);
  struct model_value *own = &transaction->own[key];
  uint64_t shape = random_below (random, model.silent ? 9 : 10);
  if (shape <= 5)
    {
      history_read (&transaction->steps, key, own->list, own->count);
      transaction->read[key] = true;
    }
  if (shape >= 5 && shape < 9 && model.elements + 1 < MODEL_ELEMENTS)
    {
      history_append (&transaction->steps, key, ++model.elements);
      own->list[own->count++] = model.elements;
      transaction->wrote[key] = true;
    }
  else if (shape == 9)
    {
      history_wipe (&transaction->steps, key);
      own->count = 0;
      transaction->cleared[key] = transaction->wrote[key] = true;
    }
}

static bool
model_conflicts (const struct model_transaction *transaction, enum level level, uint32_t key)
{
  bool matters
      = (transaction->wrote[key] && model.fault != FAULT_WRITES_UNCHECKED)
        || (transaction->read[key] && level == LEVEL_SERIALIZABLE
            && model.fault != FAULT_READS_UNCHECKED && model.fault != FAULT_WRITES_UNCHECKED);
  for (uint32_t commit = transaction->snapshot; matters && commit < model.commits; commit++)
    if (model.wrote[commit + 1][key])
      return true;
  return false;
}

static void
model_commit (struct model_transaction *transaction, enum level level, struct random *random,
              struct history *history)
{
  bool writes = false, conflict = random_below (random, 12) == 0, second = false;
  for (uint32_t key = 0; key < MODEL_KEYS; key++)
    {
      writes |= transaction->wrote[key];
      conflict |= model_conflicts (transaction, level, key);
    }
  if (writes && !conflict)
    {
      struct model_value *to = model.values[++model.commits];
      memcpy (to, model.values[model.commits - 1], sizeof model.values[0]);
      memcpy (model.wrote[model.commits], transaction->wrote, sizeof model.wrote[0]);
      for (uint32_t key = 0; key < MODEL_KEYS; key++)
        if (transaction->wrote[key])
          {
            if (model.fault != FAULT_TORN || !second || random_below (random, 3) != 0)
              to[key] = transaction->own[key];
            second = true;
          }
    }
  struct transaction *it = &transaction->steps.transactions[0];
  it->committed = !conflict;
  it->level = level;
  it->invoked = transaction->invoked;
  it->completed = ++model.clock;
  it->has_snapshot = !model.silent;
  it->snapshot = transaction->snapshot;
  it->sequence = writes && !conflict && !model.silent ? model.commits : 0;
  history_add (history, &transaction->steps);
  history_clear (&transaction->steps);
  transaction->open = false;
}

/* Transactions that overlap at random, and one that reads everything at the end. */
static unsigned
run_model (uint64_t seed, enum fault fault, enum level level, bool silent)
{
  static struct model_transaction open[MODEL_OPEN];
  struct random random = { seed };
  struct history history = { 0 };
  struct findings findings;
  memset (&model, 0, sizeof model);
  model.fault = fault;
  model.silent = silent;
  while (model.commits < 150 && model.elements + 1 < MODEL_ELEMENTS)
    {
      struct model_transaction *one = &open[random_below (&random, MODEL_OPEN)];
      if (!one->open)
        model_begin (one, &random);
      else if (random_below (&random, 4) == 0)
        model_commit (one, level, &random, &history);
      else
        model_step (one, &random);
    }
  for (unsigned i = 0; i < MODEL_OPEN; i++)
    if (open[i].open)
      model_commit (&open[i], level, &random, &history);
  model_begin (&open[0], &random);
  for (uint32_t key = 0; key < MODEL_KEYS; key++)
    history_read (&open[0].steps, key, open[0].own[key].list, open[0].own[key].count);
  model_commit (&open[0], level, &random, &history);
  anomalies_find (&history, &findings);
  unsigned found = findings.found;
  unsigned allowed = level == LEVEL_SNAPSHOT ? ANOMALIES_OF_SNAPSHOT : 0;
  if (fault == FAULT_NONE && (found & ~allowed) != 0)
    {
      fprintf (stderr, "model, seed %llu: %zu transactions\n", (unsigned long long) seed,
               history.count);
      findings_print (&findings, ~allowed, stderr);
      abort ();
    }
  findings_clear (&findings);
  history_clear (&history);
  return found;
}

static void
test_models (void)
{
  unsigned skews = 0, found[FAULTS][2] = { { 0 } };
  for (uint64_t seed = 1; seed <= 60; seed++)
    for (unsigned silent = 0; silent < 2; silent++)
      {
        run_model (seed, FAULT_NONE, LEVEL_SERIALIZABLE, silent);
        skews += (run_model (seed, FAULT_NONE, LEVEL_SNAPSHOT, silent) & A (G2)) != 0;
        for (enum fault fault = FAULT_NONE + 1; fault < FAULTS; fault++)
          found[fault][silent] += run_model (seed, fault, LEVEL_SERIALIZABLE, silent) != 0;
      }
  printf (
      "write skew found in %u of 120 runs of a model of snapshot isolation; faults of the model "
      "found in 60 runs with commit numbers, 60 without: reads unchecked %u, %u; writes "
      "unchecked %u, %u; stale snapshots %u, %u; torn commits %u, %u\n",
      skews, found[FAULT_READS_UNCHECKED][0], found[FAULT_READS_UNCHECKED][1],
      found[FAULT_WRITES_UNCHECKED][0], found[FAULT_WRITES_UNCHECKED][1], found[FAULT_STALE][0],
      found[FAULT_STALE][1], found[FAULT_TORN][0], found[FAULT_TORN][1]);
  CHECK_INT (skews, 120);
  for (enum fault fault = FAULT_NONE + 1; fault < FAULTS; fault++)
    CHECK (found[fault][0] == 60 && found[fault][1] == 60);
}

/* ---- registers ---- */

#define READ(from, to, value)                                                                      \
  {                                                                                                \
    REGISTER_READ, 0, from, to, value, 0                                                           \
  }
#define WRITE(from, to, value)                                                                     \
  {                                                                                                \
    REGISTER_WRITE, 0, from, to, value, 0                                                          \
  }
#define CHANGE(from, to, expected, value)                                                          \
  {                                                                                                \
    REGISTER_CHANGE, 0, from, to, value, expected                                                  \
  }

static const struct
{
  const char *name;
  bool fine;
  size_t count;
  struct register_operation operations[6];
} windows[] = {
  { "nothing", true, 0, { { 0 } } },
  { "in a row", true, 4, { WRITE (1, 2, 7), READ (3, 4, 7), WRITE (5, 6, 0), READ (7, 8, 0) } },
  { "a read beside a write: before it", true, 2, { WRITE (1, 9, 7), READ (2, 3, 0) } },
  { "a read beside a write: behind it", true, 2, { WRITE (1, 9, 7), READ (2, 3, 7) } },
  { "two writes at once, the one that began first wins",
    true,
    3,
    { WRITE (1, 9, 7), WRITE (2, 8, 8), READ (10, 11, 7) } },
  { "two changes at once",
    true,
    3,
    { CHANGE (1, 9, 0, 7), CHANGE (2, 8, 7, 8), READ (10, 11, 8) } },
  { "needs going back",
    true,
    5,
    { WRITE (1, 20, 1), WRITE (1, 20, 2), READ (2, 3, 2), READ (4, 5, 1), READ (6, 7, 1) } },
  { "a stale read", false, 2, { WRITE (1, 2, 7), READ (3, 4, 0) } },
  { "new, then old", false, 3, { WRITE (1, 9, 7), READ (2, 3, 7), READ (4, 5, 0) } },
  { "never written", false, 2, { WRITE (1, 2, 7), READ (1, 9, 8) } },
  { "read before it was written", false, 2, { READ (1, 2, 7), WRITE (3, 4, 7) } },
  { "a write that is gone", false, 3, { WRITE (1, 2, 7), WRITE (3, 4, 8), READ (5, 6, 7) } },
  { "a delete that did not last", false, 3, { WRITE (1, 2, 7), WRITE (3, 4, 0), READ (5, 6, 7) } },
  { "two changes of the same value", false, 2, { CHANGE (1, 9, 0, 7), CHANGE (1, 9, 0, 8) } },
  { "two readers, two orders",
    false,
    6,
    { WRITE (1, 20, 1), WRITE (1, 20, 2), READ (2, 3, 1), READ (4, 5, 2), READ (6, 7, 1),
      READ (8, 9, 2) } },
};

/* Windows of operations that did happen one at a time are fine; with one read changed they are
 * not. */
static void
test_random_windows (void)
{
  struct random random = { 5 };
  for (unsigned round = 0; round < 2000; round++)
    {
      struct register_operation list[48];
      uint64_t held = 0, clock = 100;
      for (size_t i = 0; i < 48; i++)
        {
          uint64_t shape = random_below (&random, 4);
          clock += 10;
          list[i] = (struct register_operation){
            .kind = shape < 2    ? REGISTER_READ
                    : shape == 2 ? REGISTER_WRITE
                                 : REGISTER_CHANGE,
            .called = clock - random_below (&random, 40),
            .returned = clock + 1 + random_below (&random, 40),
            .expected = held,
          };
          if (shape >= 2)
            held = random_below (&random, 4) == 0 ? 0 : i + 1;
          list[i].value = held;
        }
      for (size_t i = 47; i > 0; i--) /* the order they stand in says nothing */
        {
          size_t j = random_below (&random, i + 1);
          struct register_operation other = list[i];
          list[i] = list[j];
          list[j] = other;
        }
      CHECK (window_is_linearizable (list, 48, 0));
      size_t wrong = 0;
      while (wrong < 48 && list[wrong].kind != REGISTER_READ)
        wrong++;
      CHECK (wrong < 48);
      list[wrong].value = 1000;
      CHECK (!window_is_linearizable (list, 48, 0));
    }
}

static void
test_windows (void)
{
  for (size_t i = 0; i < sizeof windows / sizeof windows[0]; i++)
    if (window_is_linearizable (windows[i].operations, windows[i].count, 0) != windows[i].fine)
      {
        fprintf (stderr, "“%s” is judged wrongly:\n", windows[i].name);
        window_print (windows[i].operations, windows[i].count, stderr);
        abort ();
      }
  test_random_windows ();
}

int
main (void)
{
  for (size_t i = 0; i < sizeof examples / sizeof examples[0]; i++)
    test_example (&examples[i]);
  test_text ();
  test_models ();
  test_windows ();
  printf ("%zu histories and %zu windows judged as they must be\n",
          sizeof examples / sizeof examples[0], sizeof windows / sizeof windows[0]);
  return 0;
}
