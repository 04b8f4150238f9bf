/* SPDX-License-Identifier: MIT */
/*
 * flush-sorted: what was sorted becomes a run. Whoever opens a database waits for it, and no other
 * thread of the engine is at work: so it is cut into parts of as many keys, a thread for each.
 *
 *   sort ─► cut between two keys ─► each part: survivors ─► segments ─► one run, in the parts' order
 *
 * Invariants
 *   T1  A key's versions, and what of a range delete lies among a part's keys, are in one part.
 *   T2  All parts are written, or no file is left.
 */
#include "core/memory.h"

#include <signal.h>
#include <stdlib.h>

#define PART_LEAST ((size_t) 2 << 20) /* bytes for which a thread is worth its while */

struct part
{
  struct engine *engine;           /* the caller's */
  struct sorter *sorter;           /* sorted; the caller's */
  const struct flush_view *view;   /* the caller's */
  struct output_settings settings; /* its bounds are the sorter's keys */
  struct flushed output;           /* when `result` is OK */
  status result;
  struct failure failure;
  pthread_t thread; /* when it `runs` */
  bool runs;
};

static void *
part_write (void *data)
{
  struct part *part = data;
  struct source *source;
  part->result = sorter_source_new (part->sorter, &source, &part->failure);
  if (part->result == STATUS_OK)
    part->result = flush_write_seen (part->engine, part->view, source, &part->settings,
                                     &part->output, &part->failure);
  return NULL;
}

static void *
part_main (void *data)
{
  pthread_setname_np (pthread_self (), "ldb-recover");
  return part_write (data);
}

/* All but the first in threads of their own, unless the system gives none. */
static void
write_parts (struct part *parts, unsigned count)
{
  sigset_t all, before;
  sigfillset (&all);
  pthread_sigmask (SIG_SETMASK, &all, &before); /* the application's signals stay its own */
  for (unsigned i = 1; i < count; i++)
    parts[i].runs = pthread_create (&parts[i].thread, NULL, part_main, &parts[i]) == 0;
  pthread_sigmask (SIG_SETMASK, &before, NULL);
  for (unsigned i = 0; i < count; i++)
    if (!parts[i].runs)
      part_write (&parts[i]);
  for (unsigned i = 1; i < count; i++)
    if (parts[i].runs)
      pthread_join (parts[i].thread, NULL);
}

static status
join_parts (struct part *parts, unsigned count, struct flushed *out, struct failure *failure)
{
  size_t segments = 0;
  for (unsigned i = 0; i < count; i++)
    {
      if (parts[i].result != STATUS_OK)
        return fail (failure, parts[i].result, "%s", parts[i].failure.message);
      segments += parts[i].output.count;
    }
  if (segments == 0)
    return STATUS_OK;
  out->segments = malloc (segments * sizeof *out->segments);
  if (out->segments == NULL)
    return fail_memory (failure, segments * sizeof *out->segments, "a list of segments");
  for (unsigned i = 0; i < count; i++)
    {
      struct flushed *output = &parts[i].output;
      for (size_t s = 0; s < output->count; s++)
        out->segments[out->count++] = output->segments[s];
      output->count = 0; /* handed over */
    }
  return STATUS_OK;
}

/* How many are worth their while, at most. */
static unsigned
choose_parts (struct engine *engine, const struct sorter *sorter)
{
  size_t most = sorter_count (sorter) > 0 ? sorter_used (sorter) / PART_LEAST : 1;
  unsigned workers = memory_merge_workers (engine);
  workers = workers < MERGE_WORKERS_MAX ? workers : MERGE_WORKERS_MAX;
  return most > workers ? workers : most > 1 ? (unsigned) most : 1;
}

/* Cuts what is sorted (T1). Fewer parts when many records have one key. */
static unsigned
make_parts (struct part *parts, struct engine *engine, struct sorter *sorter,
            const struct flush_view *view)
{
  unsigned wanted = choose_parts (engine, sorter), count = 0;
  for (unsigned i = 0; i < wanted; i++)
    {
      struct bytes start = BYTES_NONE;
      if (i > 0)
        {
          start = sorter_key (sorter, sorter_count (sorter) * i / wanted);
          if (count > 1 && bytes_equal (start, parts[count - 1].settings.start))
            continue;
          parts[count - 1].settings.end = start;
        }
      parts[count++] = (struct part){
        .engine = engine,
        .sorter = sorter,
        .view = view,
        .settings = {
          .expected_bytes = sorter_used (sorter),
          .memory = wanted > 1 ? memory_of_merge (engine) : memory_of_flush (engine),
          .start = start,
          .part = true,
        },
      };
    }
  return count;
}

status
flush_write_sorted (struct engine *engine, struct sorter *sorter, struct flushed *out,
                    struct failure *failure)
{
  struct part parts[MERGE_WORKERS_MAX] = { 0 };
  struct range_set *ranges = NULL;
  struct flush_view view;
  *out = (struct flushed){ 0 };
  status result = sorter_range_deletes (sorter, &ranges, failure);
  if (result == STATUS_OK)
    result = flush_view_take (engine, ranges, &view, failure);
  if (result != STATUS_OK)
    return result;
  sorter_sort (sorter);
  unsigned count = make_parts (parts, engine, sorter, &view);
  write_parts (parts, count);
  result = join_parts (parts, count, out, failure);
  if (result == STATUS_OK && out->count > 0)
    result = vfs_directory_sync (engine->directory, failure);
  for (unsigned i = 0; i < count; i++)
    {
      flushed_unlink (engine, &parts[i].output); /* T2: what was handed over is not in it */
      flushed_clear (&parts[i].output);
    }
  if (result != STATUS_OK)
    {
      flushed_unlink (engine, out);
      flushed_clear (out);
    }
  flush_view_clear (&view);
  return result;
}
