/* SPDX-License-Identifier: MIT */
/* The benchmark itself: its records are what they should be, and its rows notice an engine that
 * loses, mixes up or ages what it was given. */
#include "../check-condition.h"
#include "mix.h"

#include <string.h>

/* ---- Records ---- */

static void
check_every_byte_counts (size_t value_size)
{
  struct generator *generator = generator_new (1000, 16, value_size, 7);
  char *value = malloc (value_size), *other = malloc (value_size);
  CHECK (generator != NULL && value != NULL && other != NULL);
  generator_value (generator, 17, 3, value);
  CHECK (generator_matches (generator, 17, 3, value, value_size));
  CHECK (!generator_matches (generator, 18, 3, value, value_size));
  CHECK (!generator_matches (generator, 17, 4, value, value_size));
  CHECK (!generator_matches (generator, 17, 3, value, value_size - 1));
  CHECK (generator_claimed_version (generator, 17, value, value_size) == 3);
  size_t step = value_size > 10000 ? 977 : 1;
  for (size_t at = 0; at < value_size; at += step)
    {
      value[at] ^= 0x10;
      CHECK (!generator_matches (generator, 17, 3, value, value_size));
      value[at] ^= 0x10;
    }
  generator_value (generator, 18, 3, other);
  CHECK (memcmp (value, other, value_size) != 0);
  free (value);
  free (other);
  generator_free (generator);
}

static void
test_values (void)
{
  const size_t sizes[]
      = { 8, 9, 15, 16, 31, 32, 33, 47, 48, 99, 100, 101, 200, 1000, 4095, 4096, 4097, 100000 };
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
    check_every_byte_counts (sizes[i]);
}

static void
test_order (void)
{
  const uint64_t counts[] = { 100, 127, 128, 129, 1000, 4096, 100003 };
  for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
    {
      struct generator *generator = generator_new (counts[i], 16, 100, i);
      char *seen = calloc (1, counts[i]);
      uint64_t in_place = 0;
      CHECK (generator != NULL && seen != NULL);
      for (uint64_t place = 0; place < counts[i]; place++)
        {
          uint64_t record = generator_shuffle (generator, place);
          CHECK (record < counts[i] && !seen[record]);
          seen[record] = 1;
          in_place += record == place;
        }
      CHECK (in_place < counts[i] / 10 + 5);
      free (seen);
      generator_free (generator);
    }
}

static void
check_key_is_told (size_t key_size)
{
  struct generator *generator = generator_new (40000000, key_size, 8, 1);
  char key[GENERATOR_KEY_MAXIMUM];
  const uint64_t records[] = { 0, 1, 49, 4999, 5000, 12345678, 39999999 };
  CHECK (generator != NULL);
  for (size_t i = 0; i < sizeof records / sizeof *records; i++)
    {
      generator_key (generator, records[i], key);
      CHECK (generator_is_key (generator, records[i], key, key_size));
      CHECK (!generator_is_key (generator, records[i] + 1, key, key_size));
      CHECK (!generator_is_key (generator, records[i], key, key_size - 1));
      for (size_t at = 0; at < key_size; at++)
        {
          key[at] ^= 1;
          CHECK (!generator_is_key (generator, records[i], key, key_size));
          key[at] ^= 1;
        }
      generator_missing_key (generator, records[i], key);
      CHECK (!generator_is_key (generator, records[i], key, key_size));
    }
  generator_free (generator);
}

static void
test_keys (void)
{
  const size_t sizes[] = { 8, 16, 17, 20, 24, 100 };
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
    check_key_is_told (sizes[i]);

  struct generator *generator = generator_new (49000000, 8, 100, 1);
  char key[20] = "", next[20] = "", missing[20] = "";
  CHECK (generator != NULL);
  generator_key (generator, 12345678, key);
  CHECK (strcmp (key, "24691356") == 0);
  generator_free (generator);

  generator = generator_new (1000000, 18, 100, 1);
  CHECK (generator != NULL);
  generator_key (generator, 999, key);
  generator_missing_key (generator, 999, missing);
  generator_key (generator, 1000, next);
  CHECK (strcmp (key, "000000000000001998") == 0);
  CHECK (strcmp (key, missing) < 0 && strcmp (missing, next) < 0);
  generator_free (generator);
}

/* Rank 0 of 1000 with theta 0.99 is drawn about 13 times of a hundred, rank 9 a tenth as often. */
static void
test_zipf (void)
{
  struct generator_zipf zipf;
  struct generator_random random;
  unsigned counts[1000] = { 0 };
  CHECK (generator_zipf_init (&zipf, 1000, 0.99));
  generator_random_init (&random, 5);
  for (unsigned i = 0; i < 1000000; i++)
    {
      uint32_t rank = generator_zipf_next (&zipf, &random);
      CHECK (rank < 1000);
      counts[rank]++;
    }
  CHECK (counts[0] > 120000 && counts[0] < 145000);
  CHECK (counts[9] > 11000 && counts[9] < 16000);
  CHECK (counts[999] > 50 && counts[999] < 300);
  generator_zipf_clear (&zipf);
}

static void
test_latency (void)
{
  static struct latency latency, other;
  for (uint64_t duration = 1; duration <= 100000; duration++)
    latency_record (duration % 2 == 0 ? &latency : &other, duration);
  latency_merge (&latency, &other);
  CHECK (latency.count == 100000 && latency.maximum == 100000);
  const double fractions[] = { 0.5, 0.9, 0.99, 0.999 };
  for (size_t i = 0; i < 4; i++)
    {
      double exact = fractions[i] * 100000;
      double found = (double) latency_percentile (&latency, fractions[i]);
      CHECK (found > exact * 0.99 && found < exact * 1.01);
    }
  CHECK (latency_percentile (&latency, 1) == 100000);
}

/* ---- Rows against faulty engines ---- */

#define RECORDS 3000

/* Which fault shows, and after how many calls it may. */
static struct fault
{
  enum
  {
    FAULT_NONE,
    FAULT_ABSENT,      /* a get finds nothing */
    FAULT_BYTE,        /* a byte of a value is wrong */
    FAULT_NEIGHBOUR,   /* a get gives another record's value */
    FAULT_SHORT,       /* a value is too short */
    FAULT_INVENTED,    /* every key is found */
    FAULT_LOST_PUT,    /* a put is forgotten */
    FAULT_LOST_DELETE, /* a delete is forgotten */
    FAULT_SKIP,        /* a scan leaves a record out */
    FAULT_END,         /* a scan ends early */
    FAULT_SCAN_BYTE,   /* a byte of a scanned value is wrong */
  } kind;
  unsigned calls; /* until it shows, once or for good */
} fault;

static bool
fault_shows (unsigned kind)
{
  return fault.kind == kind && fault.calls > 0 && --fault.calls == 0;
}

static enum driver_answer
faulty_get (struct driver_session *session, struct driver_bytes key, void *buffer, size_t capacity,
            size_t *size)
{
  char changed[GENERATOR_KEY_MAXIMUM];
  if (fault_shows (FAULT_ABSENT))
    return DRIVER_ABSENT;
  bool other = fault_shows (FAULT_NEIGHBOUR);
  if (other || fault.kind == FAULT_INVENTED)
    {
      memcpy (changed, key.data, key.size);
      changed[key.size - 1] = other && changed[key.size - 1] == '2' ? '4' : '2';
      key.data = changed;
    }
  enum driver_answer answer = benchmark_driver.get (session, key, buffer, capacity, size);
  if (answer == DRIVER_FOUND && fault_shows (FAULT_BYTE))
    ((char *) buffer)[*size - 1] ^= 1;
  if (answer == DRIVER_FOUND && fault_shows (FAULT_SHORT))
    *size -= 1;
  return answer;
}

static bool
faulty_multi_get (struct driver_session *session, size_t count, const struct driver_bytes *keys,
                  char *buffer, size_t capacity, size_t *sizes)
{
  for (size_t i = 0; i < count; i++)
    if (faulty_get (session, keys[i], buffer + i * capacity, capacity, &sizes[i]) != DRIVER_FOUND)
      sizes[i] = SIZE_MAX;
  return true;
}

static enum driver_answer
faulty_lend (struct driver_session *session, struct driver_bytes key, struct driver_bytes *value)
{
  static char lent[1000];
  value->data = lent;
  return faulty_get (session, key, lent, sizeof lent, &value->size);
}

static bool
faulty_put (struct driver_session *session, struct driver_bytes key, struct driver_bytes value)
{
  return fault_shows (FAULT_LOST_PUT) || benchmark_driver.put (session, key, value);
}

static bool
faulty_batch_put (struct driver_session *session, struct driver_bytes key,
                  struct driver_bytes value)
{
  return fault_shows (FAULT_LOST_PUT) || benchmark_driver.batch_put (session, key, value);
}

static bool
faulty_remove (struct driver_session *session, struct driver_bytes key)
{
  return fault_shows (FAULT_LOST_DELETE) || benchmark_driver.remove (session, key);
}

static enum driver_answer
faulty_scan_next (struct driver_session *session, struct driver_bytes *key,
                  struct driver_bytes *value)
{
  static char changed[1000];
  if (fault_shows (FAULT_END))
    return DRIVER_ABSENT;
  if (fault_shows (FAULT_SKIP))
    benchmark_driver.scan_next (session, key, value);
  enum driver_answer answer = benchmark_driver.scan_next (session, key, value);
  if (answer == DRIVER_FOUND && fault_shows (FAULT_SCAN_BYTE))
    {
      memcpy (changed, value->data, value->size);
      changed[value->size / 2] ^= 1;
      value->data = changed;
    }
  return answer;
}

/* Fills a database, then runs the row with the fault; did everything go well? */
static bool
row_is_content (const char *fill, const char *row, struct fault its_fault)
{
  struct driver driver = benchmark_driver;
  driver.get = faulty_get;
  driver.multi_get = faulty_multi_get;
  driver.lend = faulty_lend;
  driver.put = faulty_put;
  driver.batch_put = faulty_batch_put;
  driver.remove = faulty_remove;
  driver.scan_next = faulty_scan_next;
  struct benchmark benchmark = {
    .driver = &driver,
    .options = { .directory = "none", .records = RECORDS, .key_size = 16, .value_size = 100 },
    .settings = { .seconds = 1, .seed = 1 },
  };
  static struct workload_result result;
  fault = (struct fault){ FAULT_NONE, 0 };
  CHECK (benchmark_open (&benchmark, false));
  CHECK (workload_run (&benchmark, workload_find (fill), 1, &result));
  CHECK (result.operations == RECORDS && result.seconds > 0);
  fault = its_fault;
  bool content = workload_run (&benchmark, workload_find (row), 1, &result);
  if (content && its_fault.kind >= FAULT_LOST_PUT && its_fault.kind <= FAULT_LOST_DELETE)
    content = workload_run (&benchmark, workload_find ("check"), 1, &result);
  CHECK (!content || result.operations > 0);
  CHECK (benchmark_close (&benchmark));
  return content;
}

static void
test_rows (void)
{
  const struct
  {
    const char *row;
    struct fault fault;
  } cases[] = {
    { "readrandom", { FAULT_ABSENT, 1000 } },
    { "readrandom", { FAULT_BYTE, 1000 } },
    { "readrandom", { FAULT_NEIGHBOUR, 1000 } },
    { "readrandom", { FAULT_SHORT, 1000 } },
    { "readlent", { FAULT_ABSENT, 1000 } },
    { "readlent", { FAULT_BYTE, 1000 } },
    { "readlent", { FAULT_NEIGHBOUR, 1000 } },
    { "readhot", { FAULT_NEIGHBOUR, 2000 } },
    { "readmissing", { FAULT_INVENTED, 1 } },
    { "multiget", { FAULT_ABSENT, 1500 } },
    { "multiget", { FAULT_BYTE, 1500 } },
    { "readseq", { FAULT_SKIP, 500 } },
    { "readseq", { FAULT_END, 500 } },
    { "readseq", { FAULT_SCAN_BYTE, 2999 } },
    { "readreverse", { FAULT_SKIP, 2000 } },
    { "readreverse", { FAULT_SCAN_BYTE, 1 } },
    { "seek", { FAULT_SKIP, 777 } },
    { "seek", { FAULT_END, 777 } },
    { "seek", { FAULT_SCAN_BYTE, 5000 } },
    { "check", { FAULT_SKIP, 100 } },
    { "check", { FAULT_END, 3000 } },
    { "mixed", { FAULT_BYTE, 1000 } },
    { "mixed", { FAULT_LOST_PUT, 550 } },
    { "overwrite", { FAULT_LOST_PUT, 3000 } },
    { "overwriteall-batch", { FAULT_LOST_PUT, 8000 } },
    { "deleterandom", { FAULT_LOST_DELETE, 2 } },
    { "read-latency", { FAULT_BYTE, 500 } },
  };
  const char *const fills[] = { "fillseq", "fillseq-batch", "fillrandom", "fillrandom-batch" };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    {
      const char *row = cases[i].row, *fill = fills[i % 4];
      CHECK (row_is_content (fill, row, (struct fault){ FAULT_NONE, 0 }));
      if (row_is_content (fill, row, cases[i].fault))
        {
          fprintf (stderr, "%s did not notice fault %d\n", row, (int) cases[i].fault.kind);
          abort ();
        }
    }
}

/* ---- The mix ---- */

static bool
stops_at_once (void *asked)
{
  return ++*(unsigned *) asked > 100;
}

/* What a mix did on a filled database with a fault. */
static void
run_mix (const struct mix *asked, unsigned threads, struct fault its_fault, bool stopped,
         struct mix_board *board)
{
  struct driver driver = benchmark_driver;
  struct mix mix = *asked;
  unsigned questions = 0;
  driver.get = faulty_get;
  driver.put = faulty_put;
  driver.remove = faulty_remove;
  driver.scan_next = faulty_scan_next;
  struct benchmark benchmark = {
    .driver = &driver,
    .options = { .directory = "none", .records = RECORDS, .key_size = 16, .value_size = 100 },
    .settings = { .seconds = stopped ? 1000 : 0.2, .seed = 1 },
  };
  static struct workload_result result;
  mix_board_init (board);
  mix.board = board;
  fault = (struct fault){ FAULT_NONE, 0 };
  CHECK (benchmark_open (&benchmark, false));
  CHECK (workload_run (&benchmark, workload_find ("fillrandom-batch"), 1, &result));
  CHECK (benchmark.filled == RECORDS);
  fault = its_fault;
  benchmark.mix = &mix;
  if (stopped)
    {
      benchmark.settings.stopped = stops_at_once;
      benchmark.settings.stopped_data = &questions;
    }
  CHECK (workload_run (&benchmark, &mix_workload, threads, &result));
  CHECK (benchmark_close (&benchmark));
  mix_board_clear (board);
}

/* What is deleted must not be found, by reads, scans and transactions, until it is put again; and what is not
 * must be, also where much is deleted. */
static void
test_deletes (struct mix_board *board)
{
  const struct mix some
      = { .shares = { [MIX_GET] = 40, [MIX_PUT] = 10, [MIX_SCAN] = 20, [MIX_DELETE] = 30 } };
  const struct mix all = { .shares = { [MIX_DELETE] = 100 } };
  for (enum mix_order order = MIX_EVENLY; order < MIX_ORDERS; order++)
    {
      struct mix mix = some;
      mix.order = order;
      run_mix (&mix, 1, (struct fault){ FAULT_NONE, 0 }, false, board);
      CHECK (board->tally.wrong == 0 && board->wrong[0] == '\0');
      CHECK (board->tally.operations[MIX_DELETE] > 0 && board->tally.operations[MIX_SCAN] > 0);
    }
  run_mix (&all, 1, (struct fault){ FAULT_NONE, 0 }, false, board);
  CHECK (board->tally.wrong == 0 && board->tally.operations[MIX_DELETE] > RECORDS);
  run_mix (&some, 1, (struct fault){ FAULT_LOST_DELETE, 20 }, false, board);
  CHECK (board->tally.wrong > 0 && board->wrong[0] != '\0');
  run_mix (&some, 1, (struct fault){ FAULT_BYTE, 20 }, false, board);
  CHECK (board->tally.wrong == 1);
  run_mix (&some, 1, (struct fault){ FAULT_SKIP, 20 }, false, board);
  CHECK (board->tally.wrong == 1 && strstr (board->wrong, "record") != NULL);
}

static void
test_mix (void)
{
  static struct mix_board board;
  const struct mix all
      = { .shares = { [MIX_GET] = 50, [MIX_MISSING] = 10, [MIX_PUT] = 30, [MIX_SCAN] = 10 } };
  for (enum mix_order order = MIX_EVENLY; order < MIX_ORDERS; order++)
    {
      struct mix mix = all;
      mix.order = order;
      run_mix (&mix, 1, (struct fault){ FAULT_NONE, 0 }, false, &board);
      CHECK (board.tally.wrong == 0 && board.wrong[0] == '\0');
      for (unsigned kind = MIX_GET; kind <= MIX_SCAN; kind++)
        {
          CHECK (board.tally.operations[kind] > 0);
          CHECK (board.tally.latencies[kind].count == board.tally.operations[kind]);
        }
      CHECK (board.tally.operations[MIX_TRANSACTION] == 0);
    }
  const struct fault faults[]
      = { { FAULT_ABSENT, 50 }, { FAULT_BYTE, 50 }, { FAULT_NEIGHBOUR, 50 },
          { FAULT_SKIP, 20 },   { FAULT_END, 20 },  { FAULT_SCAN_BYTE, 20 } };
  for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
    {
      run_mix (&all, 1, faults[i], false, &board);
      CHECK (board.tally.wrong == 1 && board.wrong[0] != '\0'); /* counted, and it went on */
    }
  test_deletes (&board);
  run_mix (&all, 1, (struct fault){ FAULT_NONE, 0 }, true, &board);
  uint64_t done = 0;
  for (unsigned kind = 0; kind < MIX_KINDS; kind++)
    done += board.tally.operations[kind];
  CHECK (done == 100);
  for (const struct mix_preset *preset = mix_presets; preset->row != NULL; preset++)
    CHECK (workload_find (preset->row) != NULL);
}

/* ---- Beside a writer ---- */

#define HELD_UP 17 /* the record that is read meanwhile, of the second worker of two */

/* What the record's owner does while another's read of it is held up, before the engine answers and
 * after. Each letter is a call: p puts, d deletes. */
static struct
{
  struct worker *owner;       /* of the record */
  const char *before, *after; /* its calls */
  unsigned times;             /* each of them */
  bool stale;                 /* the engine answers with what it had first */
} meanwhile;

static struct fault lost; /* of what the owner did before the read */

static void
owner_acts (const char *calls)
{
  struct worker *owner = meanwhile.owner;
  for (unsigned i = 0; i < meanwhile.times; i++)
    for (const char *call = calls; *call != '\0'; call++)
      CHECK (*call == 'p' ? worker_overwrite (owner, HELD_UP) : worker_delete (owner, HELD_UP));
}

static enum driver_answer
held_up_get (struct driver_session *session, struct driver_bytes key, void *buffer, size_t capacity,
             size_t *size)
{
  enum driver_answer answer = benchmark_driver.get (session, key, buffer, capacity, size);
  owner_acts (meanwhile.before);
  if (!meanwhile.stale)
    answer = benchmark_driver.get (session, key, buffer, capacity, size);
  owner_acts (meanwhile.after);
  return answer;
}

/* Is a read content that is held up so? `first`: what the owner did before it. */
static bool
held_up_is_content (const char *first, const char *before, const char *after, unsigned times,
                    bool stale)
{
  struct driver driver = benchmark_driver;
  const struct mix mix = { .shares = { [MIX_GET] = 1, [MIX_PUT] = 1, [MIX_DELETE] = 1 } };
  struct benchmark benchmark = {
    .driver = &driver,
    .options = { .directory = "none", .records = RECORDS, .key_size = 16, .value_size = 100 },
    .settings = { .seconds = 1, .seed = 1 },
  };
  static struct workload_result result;
  char values[2][100], buffer[100];
  driver.get = held_up_get;
  driver.put = faulty_put;
  driver.remove = faulty_remove;
  fault = (struct fault){ FAULT_NONE, 0 };
  CHECK (benchmark_open (&benchmark, false));
  CHECK (workload_run (&benchmark, workload_find ("fillseq"), 1, &result));
  benchmark.mix = &mix;
  benchmark.uniform = false;
  struct worker workers[2];
  for (unsigned i = 0; i < 2; i++)
    {
      workers[i] = (struct worker){ .benchmark = &benchmark, .workload = &mix_workload };
      workers[i].session = driver.session_open (benchmark.database);
      workers[i].number = i;
      workers[i].threads = 2;
      workers[i].value = values[i];
      workers[i].buffer = buffer;
      workers[i].calls = &workers[i].latency;
    }
  meanwhile.owner = &workers[1];
  meanwhile.times = 1;
  fault = lost;
  owner_acts (first);
  meanwhile.before = before;
  meanwhile.after = after;
  meanwhile.times = times;
  meanwhile.stale = stale;
  bool content = worker_get (&workers[0], HELD_UP);
  CHECK (content == (workers[0].wrong == 0));
  for (unsigned i = 0; i < 2; i++)
    driver.session_close (workers[i].session);
  CHECK (benchmark_close (&benchmark));
  return content;
}

/* However long a read is held up, and whatever its record's owner did meanwhile: what the engine
 * had at some moment of it is right, and nothing else. */
static void
test_held_up (void)
{
  const char *const firsts[] = { "", "p", "d", "pd", "dp" };
  const char *const calls[] = { "", "p", "d", "pd", "dp", "pp" };
  const unsigned times[] = { 1, 2, 254, 255, 256, 1000 };
  for (size_t i = 0; i < sizeof firsts / sizeof *firsts; i++)
    for (size_t j = 0; j < sizeof calls / sizeof *calls; j++)
      for (size_t k = 0; k < sizeof times / sizeof *times; k++)
        for (size_t l = 0; l < sizeof calls / sizeof *calls; l++)
          {
            CHECK (held_up_is_content (firsts[i], calls[j], calls[l], times[k], false));
            CHECK (held_up_is_content (firsts[i], calls[j], calls[l], times[k], true));
          }
  lost = (struct fault){ FAULT_LOST_PUT, 1 };
  CHECK (!held_up_is_content ("p", "", "", 1, false));
  lost = (struct fault){ FAULT_LOST_PUT, 2 };
  CHECK (!held_up_is_content ("pp", "", "p", 1, false));
  lost = (struct fault){ FAULT_LOST_DELETE, 1 };
  CHECK (!held_up_is_content ("d", "", "p", 1, false));
  CHECK (!held_up_is_content ("d", "", "dp", 1000, false));
}

int
main (void)
{
  test_values ();
  test_order ();
  test_keys ();
  test_zipf ();
  test_latency ();
  test_rows ();
  test_mix ();
  test_held_up ();
  return 0;
}
