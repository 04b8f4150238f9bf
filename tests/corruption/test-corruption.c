/* SPDX-License-Identifier: MIT */
/*
 * Damages the files of a small database in every way that damage.h knows, and judges what reading,
 * checking, recovering and repairing make of it (verdict.h). See docs/reliability.md.
 *
 *   test-corruption                 a sample, some 20 seconds
 *   test-corruption --long          every bit of a database of each codec, and every other damage
 *   test-corruption --bits [CODEC [N]]   every bit, or so many
 *   test-corruption --damages [CODEC [KIND]]   every other damage, of each codec, killed and closed
 *   test-corruption --replay WHERE  the damage that a failure named, judged in every way
 *
 * --seed N and --jobs N go with all of them. Work is handed to processes in pieces; when one dies
 * or hangs, what it was doing is reported, and another goes on behind it. What takes long says every
 * few minutes how far it is; --from N goes on there, for one codec.
 */
#include "verdict.h"

#include "../crash/simulated-memory.h"
#include "base/epoch.h"
#include "base/hash.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define JOBS_MOST 64u
#define PIECE 512u         /* damages handed out at once */
#define SECONDS_MOST 120u  /* of the processor, for one damage: it hangs */
#define TELL_EVERY 300u    /* seconds */
#define BROKEN_MOST 10u    /* after which a task ends */
#define OTHER_SEED 0x5eedu /* of the database that foreign pages come from, beside the seed */

/* How thoroughly a damage is judged. */
enum depth
{
  DEPTH_READ = 1 << 0, /* what is near it is read */
  DEPTH_ALL = 1 << 1,  /* everything is read */
  DEPTH_CHECK = 1 << 2,
  DEPTH_RECOVER = 1 << 3,
  DEPTH_REPAIR = 1 << 4,
  DEPTH_WHOLE = DEPTH_ALL | DEPTH_CHECK | DEPTH_RECOVER | DEPTH_REPAIR,
};

/* The damages to one subject. Numbers count through all kinds. */
struct task
{
  enum subject_codec codec;
  bool closed;
  uint64_t seed;
  uint64_t most[DAMAGE_KINDS];  /* of each kind so many are judged, about, chosen by hash */
  uint64_t count[DAMAGE_KINDS]; /* that there are; 0 where none are judged */
};

/* What a process of a task tells. */
struct job
{
  struct damage doing; /* by it, for who finds it dead */
  uint64_t next, end;  /* of its piece */
  bool busy;
  struct verdict totals[DAMAGE_KINDS]; /* the counters of them */
  uint64_t damages[DAMAGE_KINDS];
};

struct board
{
  _Atomic uint64_t next;   /* piece that nobody has yet: its first damage */
  _Atomic uint64_t total;  /* damages of the present task; 0: not counted yet */
  _Atomic uint64_t broken; /* in the present task */
  struct job jobs[JOBS_MOST];
};

static struct board *board;
static unsigned job_count;
static uint64_t seed = 1, broken_before; /* the present task */
static uint64_t first;                   /* damage of the first task: what is before it is done */

static double
seconds (void)
{
  struct timespec now;
  clock_gettime (CLOCK_MONOTONIC, &now); /* the real one: this process simulates nothing */
  return (double) now.tv_sec + (double) now.tv_nsec / 1e9;
}

/* ---- one damage ---- */

static void
report (const struct task *task, const struct subject *subject, const struct damage *damage,
        const char *reason)
{
  char what[200];
  damage_print (subject, damage, what);
  fprintf (stderr, "%s, %s: %s: %s\nreplay: test-corruption --replay %u:%u:%llu:%u:%u:%llu:%llu\n",
           subject_codec_name (task->codec), task->closed ? "closed" : "killed", what, reason,
           task->codec, task->closed, (unsigned long long) task->seed, damage->kind, damage->file,
           (unsigned long long) damage->a, (unsigned long long) damage->b);
  board->broken++;
}

static void
add_counts (struct verdict *to, const struct verdict *verdict)
{
  to->opens += verdict->opens;
  to->refused += verdict->refused;
  to->unreadable += verdict->unreadable;
  to->torn += verdict->torn;
  to->checks += verdict->checks;
  to->repairs += verdict->repairs;
  to->recoveries += verdict->recoveries;
}

static bool
judge (const struct subject *subject, struct disk *disk, const struct effect *effect,
       unsigned depth, struct verdict *verdict)
{
  *verdict = (struct verdict){ .subject = subject, .disk = disk, .effect = effect };
  bool good = true;
  if ((depth & (DEPTH_READ | DEPTH_ALL)) != 0)
    good = verdict_read (verdict, (depth & DEPTH_ALL) != 0);
  if (good && (depth & DEPTH_CHECK) != 0)
    good = verdict_check (verdict);
  if (good && (depth & DEPTH_REPAIR) != 0)
    {
      verdict->disk = disk_clone (disk);
      good = verdict_repair (verdict);
      disk_free (verdict->disk);
    }
  if (good && (depth & DEPTH_RECOVER) != 0)
    {
      verdict->disk = disk_clone (disk);
      good = verdict_recover (verdict);
      disk_free (verdict->disk);
    }
  epoch_collect (true);
  return good;
}

/* Any damage, to a clone of the disk. */
static bool
judge_damage (const struct subject *subject, const struct subject *other,
              const struct damage *damage, unsigned depth, struct verdict *verdict, bool *harmless)
{
  struct effect effect;
  struct disk *disk = disk_clone (subject->disk);
  damage_do (subject, other, disk, damage);
  effect_init (subject, &effect);
  effect_find (subject, disk, &effect);
  bool good = true;
  *harmless = !effect.any;
  *verdict = (struct verdict){ 0 };
  if (effect.any)
    good = judge (subject, disk, &effect, depth, verdict);
  effect_clear (&effect);
  disk_free (disk);
  return good;
}

/* ---- flipped bits, in place ---- */

struct flipping
{
  const struct subject *subject;
  struct disk *disk;     /* a deep copy of the subject's */
  struct effect effect;  /* nothing, but of the bit at hand */
  struct engine *engine; /* has it open, while bits are flipped that no opening sees; or NULL */
};

static void
flipping_init (struct flipping *flipping, const struct subject *subject)
{
  flipping->subject = subject;
  flipping->engine = NULL;
  flipping->disk = disk_clone (subject->disk);
  for (uint32_t i = 0; i < subject->file_count; i++)
    {
      /* Nothing twice, so every file is copied and none is changed. */
      struct damage nothing = { DAMAGE_ZERO, i, 0, 0 };
      damage_do (subject, NULL, flipping->disk, &nothing);
    }
  effect_init (subject, &flipping->effect);
}

/* Whether an engine has it open, or none. */
static void
flipping_keep (struct flipping *flipping, bool open)
{
  if (open && flipping->engine == NULL)
    flipping->engine = verdict_open (flipping->subject, flipping->disk);
  else if (!open && flipping->engine != NULL)
    {
      verdict_close (flipping->engine);
      flipping->engine = NULL;
    }
}

/* One that no opening sees is read by an engine that stays open: an opening takes twenty times as
 * long. */
static bool
judge_flipped (struct flipping *flipping, unsigned depth, struct verdict *verdict)
{
  *verdict = (struct verdict){ .subject = flipping->subject,
                               .disk = flipping->disk,
                               .effect = &flipping->effect };
  if (depth == DEPTH_READ && verdict_is_unseen (verdict))
    return verdict_read_open (verdict, flipping->engine);
  return judge (flipping->subject, flipping->disk, &flipping->effect, depth, verdict);
}

static bool
judge_flip (struct flipping *flipping, const struct damage *damage, unsigned depth,
            struct verdict *verdict)
{
  const struct subject *subject = flipping->subject;
  size_t spot = (size_t) (subject_spot (subject, damage->file, damage->a) - subject->spots);
  uint8_t *byte = subject_content (subject, flipping->disk, damage->file)->bytes + damage->a;
  flipping_keep (flipping, depth == DEPTH_READ);
  *byte ^= (uint8_t) (1u << damage->b);
  flipping->effect.hit[spot] = flipping->effect.file_hit[damage->file] = true;
  bool good = judge_flipped (flipping, depth, verdict);
  flipping->effect.hit[spot] = flipping->effect.file_hit[damage->file] = false;
  *byte ^= (uint8_t) (1u << damage->b);
  return good;
}

/* ---- many ---- */

static uint64_t
hash_of (const struct task *task, uint64_t number)
{
  uint64_t words[] = { task->seed, task->codec, task->closed, number };
  return checksum (3, 4, BYTES ((const uint8_t *) words, sizeof words));
}

/* All bits are read; of some more is judged, of a sample more often than of all. Of other damages
 * everything always, but recovery and repair of every second. */
static unsigned
depth_of (const struct task *task, enum damage_kind kind, uint64_t hash)
{
  uint64_t sparse = task->most[DAMAGE_FLIP] == UINT64_MAX ? 8 : 1;
  if (kind == DAMAGE_FLIP)
    return hash % (1024 * sparse) == 0 ? DEPTH_WHOLE
           : hash % (64 * sparse) == 0 ? DEPTH_READ | DEPTH_CHECK
                                       : DEPTH_READ;
  return hash % 2 == 0 ? DEPTH_WHOLE : DEPTH_ALL | DEPTH_CHECK;
}

/* The damage of that number, if it is to be judged. */
static bool
choose (const struct task *task, const struct subject *subject, uint64_t number, uint64_t hash,
        struct damage *out)
{
  enum damage_kind kind = 0;
  for (; number >= task->count[kind]; kind++)
    number -= task->count[kind];
  if (hash / 4096 % task->count[kind] >= task->most[kind])
    return false;
  *out = damage_numbered (subject, kind, number);
  return true;
}

/* Of the processor's: a machine that is busy is not taken for a hang. What waits for ever, the
 * simulated threads notice. */
static void
limit_time (unsigned most)
{
  struct itimerval timer = { .it_value = { .tv_sec = most } };
  setitimer (ITIMER_PROF, &timer, NULL);
}

static void
do_one (const struct task *task, const struct subject *subject, const struct subject *other,
        struct flipping *flipping, struct job *job, unsigned depth)
{
  struct verdict verdict;
  bool harmless = false, good;
  enum damage_kind kind = job->doing.kind;
  limit_time (SECONDS_MOST);
  if (kind == DAMAGE_FLIP)
    good = judge_flip (flipping, &job->doing, depth, &verdict);
  else
    good = judge_damage (subject, other, &job->doing, depth, &verdict, &harmless);
  limit_time (0);
  job->damages[kind] += !harmless;
  add_counts (&job->totals[kind], &verdict);
  if (!good)
    report (task, subject, &job->doing, verdict.reason);
}

static void
work (const struct task *task, const struct subject *subject, const struct subject *other,
      struct job *job)
{
  struct flipping flipping;
  uint64_t total = 0;
  for (enum damage_kind kind = 0; kind < DAMAGE_KINDS; kind++)
    total += task->count[kind];
  board->total = total;
  flipping_init (&flipping, subject);
  while (board->broken < BROKEN_MOST)
    {
      if (!job->busy)
        {
          job->next = atomic_fetch_add (&board->next, PIECE);
          job->end = job->next + PIECE < total ? job->next + PIECE : total;
          job->busy = job->next < total;
        }
      if (!job->busy)
        return;
      while (job->next < job->end)
        {
          uint64_t number = job->next++, hash = hash_of (task, number);
          if (choose (task, subject, number, hash, &job->doing))
            do_one (task, subject, other, &flipping, job, depth_of (task, job->doing.kind, hash));
        }
      job->busy = false;
    }
}

static void __attribute__ ((noreturn)) run_worker (struct task *task, struct job *job)
{
  struct subject subject, other;
  subject_make (&other, task->codec, task->closed, task->seed ^ OTHER_SEED);
  subject_make (&subject, task->codec, task->closed, task->seed);
  for (enum damage_kind kind = 0; kind < DAMAGE_KINDS; kind++)
    task->count[kind] = task->most[kind] > 0 ? damage_count (&subject, kind) : 0;
  work (task, &subject, &other, job);
  _exit (0);
}

/* What the process was doing when it died. */
static void
report_death (const struct task *task, const struct job *job, int how)
{
  static char reason[100];
  struct subject subject;
  pid_t child = fork (); /* this process makes no subject: it simulates nothing */
  if (child == 0)
    {
      subject_make (&subject, task->codec, task->closed, task->seed);
      if (WIFSIGNALED (how))
        snprintf (reason, sizeof reason, "it dies of signal %d (%s)", WTERMSIG (how),
                  strsignal (WTERMSIG (how)));
      else
        snprintf (reason, sizeof reason, "it ends with %d", WEXITSTATUS (how));
      report (task, &subject, &job->doing, reason);
      _exit (0);
    }
  waitpid (child, NULL, 0);
}

static void
start (struct task *task, struct job *job, pid_t *child)
{
  *child = fork ();
  if (*child < 0)
    abort ();
  if (*child == 0)
    run_worker (task, job);
}

/* What was judged so far, by kind. */
static struct verdict totals[DAMAGE_KINDS];
static uint64_t damages[DAMAGE_KINDS];

static void
add_totals (void)
{
  for (enum damage_kind kind = 0; kind < DAMAGE_KINDS; kind++)
    for (unsigned i = 0; i < job_count; i++)
      {
        add_counts (&totals[kind], &board->jobs[i].totals[kind]);
        damages[kind] += board->jobs[i].damages[kind];
      }
}

static void
print_totals (void)
{
  for (enum damage_kind kind = 0; kind < DAMAGE_KINDS; kind++)
    if (damages[kind] > 0)
      printf ("%-12s %9llu: %9llu opens refused, %9llu reads in error, %7llu torn tails; %7llu "
              "checks, %6llu repairs, %6llu recoveries\n",
              damage_kind_name (kind), (unsigned long long) damages[kind],
              (unsigned long long) totals[kind].refused,
              (unsigned long long) totals[kind].unreadable, (unsigned long long) totals[kind].torn,
              (unsigned long long) totals[kind].checks, (unsigned long long) totals[kind].repairs,
              (unsigned long long) totals[kind].recoveries);
}

/* All before this are judged. */
static uint64_t
judged (void)
{
  uint64_t least = board->next < board->total ? board->next : board->total;
  for (unsigned i = 0; i < job_count; i++)
    if (board->jobs[i].busy && board->jobs[i].next <= least)
      least = board->jobs[i].next - 1; /* it is at that one */
  return least;
}

/* The process that ended, telling now and then how far all are. */
static pid_t
wait_for_end (const struct task *task, int *how)
{
  struct timespec moment = { .tv_nsec = 20 * 1000 * 1000 };
  for (double told = seconds ();; nanosleep (&moment, NULL))
    {
      pid_t ended = waitpid (-1, how, WNOHANG);
      if (ended != 0)
        return ended;
      if (seconds () - told < TELL_EVERY)
        continue;
      told = seconds ();
      printf ("%s, %s: %llu of %llu, %llu broken; --from %llu goes on here\n",
              subject_codec_name (task->codec), task->closed ? "closed" : "killed",
              (unsigned long long) judged (), (unsigned long long) board->total,
              (unsigned long long) board->broken, (unsigned long long) judged ());
    }
}

static void
run_task (struct task *task)
{
  pid_t children[JOBS_MOST];
  unsigned alive = job_count;
  double started = seconds ();
  broken_before += board->broken;
  board->broken = 0;
  board->next = first;
  board->total = first = 0;
  memset (board->jobs, 0, sizeof board->jobs);
  for (unsigned i = 0; i < job_count; i++)
    start (task, &board->jobs[i], &children[i]);
  while (alive > 0)
    {
      int how;
      pid_t ended = wait_for_end (task, &how);
      for (unsigned i = 0; i < job_count; i++)
        if (children[i] == ended)
          {
            alive--;
            if (how == 0)
              continue;
            report_death (task, &board->jobs[i], how);
            if (board->broken >= BROKEN_MOST)
              continue;
            start (task, &board->jobs[i], &children[i]);
            alive++;
          }
    }
  add_totals ();
  printf ("%s, %s: %.0f s\n", subject_codec_name (task->codec), task->closed ? "closed" : "killed",
          seconds () - started);
}

/* ---- the forms ---- */

/* Of each codec, killed and closed. `codec_name`, `kind_name`: only those, "" = all. `bits`,
 * `others`: how many of them; bits of killed ones only. */
static void
run_all (const char *codec_name, const char *kind_name, uint64_t bits, uint64_t others)
{
  for (enum subject_codec codec = 0; codec < SUBJECT_CODECS; codec++)
    for (int closed = 0; closed < 2; closed++)
      {
        struct task task = { .codec = codec, .closed = closed, .seed = seed };
        bool any = false;
        for (enum damage_kind kind = 0; kind < DAMAGE_KINDS; kind++)
          {
            bool wanted = *kind_name == '\0' || strcmp (kind_name, damage_kind_name (kind)) == 0;
            task.most[kind] = !wanted ? 0 : kind > DAMAGE_FLIP ? others : closed ? 0 : bits;
            any |= task.most[kind] > 0;
          }
        if (any && (*codec_name == '\0' || strcmp (codec_name, subject_codec_name (codec)) == 0))
          run_task (&task);
      }
}

static int
replay (const char *where)
{
  unsigned codec, closed, kind, file;
  unsigned long long from, a, b;
  if (sscanf (where, "%u:%u:%llu:%u:%u:%llu:%llu", &codec, &closed, &from, &kind, &file, &a, &b)
      != 7)
    return 2;
  struct task task = { .codec = codec, .closed = closed != 0, .seed = from };
  struct damage damage = { kind, file, a, b };
  struct subject subject, other;
  struct verdict verdict;
  bool harmless, good = true;
  subject_make (&other, codec, closed != 0, from ^ OTHER_SEED);
  subject_make (&subject, codec, closed != 0, from);
  for (unsigned depth = DEPTH_READ; good && depth <= DEPTH_REPAIR; depth *= 2)
    {
      good = judge_damage (&subject, &other, &damage, depth, &verdict, &harmless);
      if (!good)
        report (&task, &subject, &damage, verdict.reason);
    }
  if (good)
    printf ("%s\n", harmless ? "nothing is different" : "as demanded");
  return !good;
}

int
main (int argument_count, char **arguments)
{
  const char *form = "";
  const char *values[2] = { "", "" };
  unsigned value_count = 0;
  job_count = (unsigned) sysconf (_SC_NPROCESSORS_ONLN);
  board = mmap (NULL, sizeof *board, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (board == MAP_FAILED)
    abort ();
  setvbuf (stdout, NULL, _IOLBF, 0);
  for (int i = 1; i < argument_count; i++)
    if (strcmp (arguments[i], "--seed") == 0 && i + 1 < argument_count)
      seed = strtoull (arguments[++i], NULL, 10);
    else if (strcmp (arguments[i], "--jobs") == 0 && i + 1 < argument_count)
      job_count = (unsigned) strtoul (arguments[++i], NULL, 10);
    else if (strcmp (arguments[i], "--from") == 0 && i + 1 < argument_count)
      first = strtoull (arguments[++i], NULL, 10);
    else if (strncmp (arguments[i], "--", 2) == 0)
      form = arguments[i];
    else if (value_count < 2)
      values[value_count++] = arguments[i];
  if (job_count == 0 || job_count > JOBS_MOST)
    job_count = 2;
  if (strcmp (form, "--replay") == 0)
    return replay (values[0]);
  if (strcmp (form, "--long") == 0)
    run_all ("", "", UINT64_MAX, UINT64_MAX);
  else if (strcmp (form, "--bits") == 0)
    run_all (values[0], "", *values[1] != '\0' ? strtoull (values[1], NULL, 10) : UINT64_MAX, 0);
  else if (strcmp (form, "--damages") == 0)
    run_all (values[0], values[1], 0, UINT64_MAX);
  else
    run_all ("", "", 2000, 10);
  print_totals ();
  broken_before += board->broken;
  if (broken_before > 0)
    fprintf (stderr, "%llu broken demands\n", (unsigned long long) broken_before);
  return broken_before > 0;
}
