/* SPDX-License-Identifier: MIT */
#include "merge/picker.h"

#define CLASS_FACTOR 16u                  /* between the bounds of two size classes */
#define CLASS_LEAST (UINT64_C (64) << 10) /* bytes: smaller runs are of one class */
#define LARGE_MEMTABLES 8u                /* fewer bytes than so many may be dead as they like */

static const struct picker_decision nothing = { 0 };

static uint64_t
saturating_add (uint64_t a, uint64_t b)
{
  uint64_t sum;
  return __builtin_add_overflow (a, b, &sum) ? UINT64_MAX : sum;
}

static uint64_t
saturating_multiply (uint64_t a, uint64_t b)
{
  uint64_t product;
  return __builtin_mul_overflow (a, b, &product) ? UINT64_MAX : product;
}

static struct picker_decision
decide (const struct picker_settings *settings, size_t first, size_t count)
{
  bool bottom = settings->whole && first + count == settings->count;
  return (struct picker_decision){
    .first = first,
    .count = count,
    .bottom = bottom,
    .settles = bottom && first == 0,
  };
}

/* What a merge rewrites of a run. */
static uint64_t
cost_of (const struct picker_run *run)
{
  return run->bytes - (run->apart < run->bytes ? run->apart : run->bytes);
}

/* ---- while writes go on ---- */

/* The least bound of a size class above what a flush writes at most. */
static uint64_t
flush_class_bound (const struct picker_settings *settings)
{
  return saturating_add (saturating_multiply (settings->memtable_size, 2), 1);
}

/* The least bound of any class: the flush class divided down to CLASS_LEAST. */
static uint64_t
least_bound (const struct picker_settings *settings)
{
  uint64_t bound = flush_class_bound (settings);
  while (bound / CLASS_FACTOR >= CLASS_LEAST)
    bound /= CLASS_FACTOR;
  return bound;
}

/* The first stretch, newest first, of runs that are free and below `bound`, with at least `least`
 * of them not below `floor`. */
static struct picker_decision
find_stretch (const struct picker_settings *settings, uint64_t floor, uint64_t bound, size_t least)
{
  size_t first = 0, members = 0;
  for (size_t i = 0; i <= settings->count; i++)
    {
      const struct picker_run *run = &settings->runs[i];
      if (i < settings->count && !run->busy && (run->bytes < bound || bound == UINT64_MAX))
        {
          members += run->bytes >= floor;
          continue;
        }
      if (members >= least)
        return decide (settings, first, i - first);
      first = i + 1;
      members = 0;
    }
  return nothing;
}

/* The stretch of the smallest size class that has `least` members. */
static struct picker_decision
smallest_stretch (const struct picker_settings *settings, size_t least)
{
  uint64_t floor = 0, bound = least_bound (settings);
  for (;;)
    {
      struct picker_decision decision = find_stretch (settings, floor, bound, least);
      if (decision.count > 0 || bound == UINT64_MAX)
        return decision;
      floor = bound;
      bound = saturating_multiply (bound, CLASS_FACTOR);
    }
}

/* Runs there will be once the merges under way have ended: a busy stretch is one. */
static size_t
count_after_merges (const struct picker_settings *settings)
{
  size_t count = 0;
  for (size_t i = 0; i < settings->count; i++)
    count += !settings->runs[i].busy || i == 0 || !settings->runs[i - 1].busy;
  return count;
}

/* Q5. */
static bool
is_overgrown (const struct picker_settings *settings)
{
  uint64_t total = 0, dead = 0;
  if (!settings->whole || settings->count < 2)
    return false;
  for (size_t i = 0; i < settings->count; i++)
    {
      total = saturating_add (total, settings->runs[i].bytes);
      dead = saturating_add (dead, settings->runs[i].shadowing);
    }
  return dead >= total / PICKER_DEAD_PART
         && total >= saturating_multiply (settings->memtable_size, LARGE_MEMTABLES);
}

static bool
is_anything_busy (const struct picker_settings *settings)
{
  for (size_t i = 0; i < settings->count; i++)
    if (settings->runs[i].busy)
      return true;
  return false;
}

/* The oldest of the stretch, more of them the more runs there are beside it. */
static struct picker_decision
oldest_of (const struct picker_settings *settings, struct picker_decision stretch)
{
  size_t wanted = PICKER_GROUP + settings->count - stretch.count;
  if (stretch.count <= wanted)
    return stretch;
  return decide (settings, stretch.first + stretch.count - wanted, wanted);
}

static struct picker_decision
choose_busy (const struct picker_settings *settings)
{
  /* With the oldest run busy that is under way. Else smaller merges come to an end first. */
  if (is_overgrown (settings) && !settings->runs[settings->count - 1].busy)
    return is_anything_busy (settings) ? nothing : decide (settings, 0, settings->count);
  if (count_after_merges (settings) < PICKER_RUNS_MAX)
    return nothing;
  struct picker_decision stretch = smallest_stretch (settings, PICKER_GROUP_MIN);
  return stretch.count > 0 ? oldest_of (settings, stretch)
                           : find_stretch (settings, 0, UINT64_MAX, 2);
}

/* ---- while quiet ---- */

/* Bytes that may still be rewritten (Q3). */
static uint64_t
allowance (const struct picker_settings *settings)
{
  uint64_t whole = saturating_multiply (settings->user_bytes_since_settled, PICKER_SETTLE_FACTOR);
  return whole > settings->settle_written ? whole - settings->settle_written : 0;
}

/* The newest runs that are free and affordable, as many as there are; with `growing`, as many as
 * end in a run not more than twice those above it: a byte then takes part in few such merges. */
static struct picker_decision
newest_within (const struct picker_settings *settings, uint64_t allowed, bool growing)
{
  uint64_t cost = 0, above = 0;
  size_t count = 0;
  for (size_t i = 0; i < settings->count && !settings->runs[i].busy; i++)
    {
      const struct picker_run *run = &settings->runs[i];
      cost = saturating_add (cost, cost_of (run));
      if (cost > allowed)
        break;
      if (!growing || run->bytes / 2 <= above)
        count = i + 1;
      above = saturating_add (above, run->bytes);
    }
  return count >= 2 ? decide (settings, 0, count) : nothing;
}

static struct picker_decision
choose_quiet (const struct picker_settings *settings)
{
  uint64_t allowed = allowance (settings);
  struct picker_decision decision = newest_within (settings, allowed, false);
  if (decision.settles)
    return decision;
  return newest_within (settings, allowed, true);
}

struct picker_decision
picker_choose (const struct picker_settings *settings)
{
  if (settings->count < 2)
    return nothing;
  struct picker_decision decision = settings->quiet ? choose_quiet (settings) : nothing;
  return decision.count > 0 ? decision
                            : choose_busy (settings); /* the limits on numbers always hold */
}

uint64_t
picker_segment_size (uint64_t total)
{
  const uint64_t least = UINT64_C (16) << 20, most = UINT64_C (256) << 20;
  uint64_t size = total / 64;
  return size < least ? least : size > most ? most : size;
}
