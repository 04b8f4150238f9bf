/* SPDX-License-Identifier: MIT */
/*
 * Invariants
 *   H1  A rule looks at nothing but the facts, and says the same of the same facts.
 *   H2  A rule that counts says nothing of less than it takes to be no chance.
 *   H3  No sentence has a key in it.
 */
#include "config.h"

#include "ldb-health-private.h"
#include "ldb-language-private.h"

#include <inttypes.h>

#define MIB (G_GUINT64_CONSTANT (1) << 20)
#define SECOND G_GUINT64_CONSTANT (1000000000) /* in nanoseconds */

/* From when on something is an issue. */
#define DISK_LEAST (64 * MIB)          /* free: below this, and a memtable, writes fail soon */
#define DISK_LITTLE (1024 * MIB)       /* free, when it is also below 2 % of the file system */
#define RUNS_MANY 24u                  /* at 32 writers slow down */
#define TRANSACTION_LONG (10 * SECOND) /* a third of the usual timeout */
#define STALLS_LEAST 3u
#define STALLED_SHARE 0.01      /* of the time */
#define TRANSACTIONS_LEAST 100u /* to say anything of how they are used */
#define CONFLICTS_LEAST 20u
#define CONFLICT_SHARE 0.05 /* of transactions */
#define GHOSTS_LEAST 1000u
#define GHOST_SHARE 0.1             /* of pages read */
#define COMPRESSED_LEAST (16 * MIB) /* of pages */
#define COMPRESSION_POOR 1.1        /* logical to stored */
#define DELETES_LEAST 10000u        /* of a segment */
#define VALUE_HUGE (8 * MIB)        /* the average of large values */
#define COMMITS_LEAST 1000u
#define SYNC_SHARE 0.25 /* of the time */

static double
share (guint64 part, guint64 whole)
{
  return whole > 0 ? (double) part / (double) whole : 0;
}

/* What part of the facts' time that is, in nanoseconds. */
static double
share_of_time (const LdbHealthFacts *facts, guint64 time)
{
  return facts->span > 0 ? (double) time / 1000 / (double) facts->span : 0;
}

static void
add_count (LdbFinding *finding, const char *name, guint64 count)
{
  g_variant_builder_add (&finding->figures, "{sv}", name, g_variant_new_uint64 (count));
}

static void
add_share (LdbFinding *finding, const char *name, double amount)
{
  g_variant_builder_add (&finding->figures, "{sv}", name, g_variant_new_double (amount));
}

static void
add_text (LdbFinding *finding, const char *name, const char *text)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  g_variant_builder_add (&finding->figures, "{sv}", name, g_variant_new_string (valid));
}

/* ---- what does not work ---- */

static gboolean
say_cause (const struct failure *cause, const char *what, LdbFinding *finding)
{
  if (cause->code == STATUS_OK)
    return FALSE;
  g_autofree char *message = g_utf8_make_valid (cause->message, -1);
  add_text (finding, "cause", message);
  finding->summary = g_strdup_printf (_ ("%s: %s"), what, message);
  return TRUE;
}

static gboolean
writes_refused (const LdbHealthFacts *facts, LdbFinding *finding)
{
  return say_cause (&facts->condition.writing, _ ("Writes are refused since one failed"), finding);
}

static gboolean
flush_failing (const LdbHealthFacts *facts, LdbFinding *finding)
{
  return say_cause (&facts->condition.flushing, _ ("A table in memory can't be written out"),
                    finding);
}

static gboolean
following_failing (const LdbHealthFacts *facts, LdbFinding *finding)
{
  return say_cause (&facts->condition.following,
                    _ ("What the writing process writes can't be read"), finding);
}

static gboolean
damage (const LdbHealthFacts *facts, LdbFinding *finding)
{
  guint64 times = facts->condition.corruptions;
  if (times == 0)
    return FALSE;
  add_count (finding, "times", times);
  return say_cause (&facts->condition.corruption, _ ("Damage was met"), finding);
}

/* ---- the disk ---- */

static gboolean
disk_space (const LdbHealthFacts *facts, LdbFinding *finding)
{
  guint64 available = facts->disk_available, least = DISK_LEAST + facts->memtable_size;
  guint64 wanted = facts->segment_bytes + least; /* everything written once more, by a merge */
  gboolean little = available < DISK_LITTLE && available < facts->disk_total / 50;
  if (!facts->space_known || (available >= wanted && !little))
    return FALSE;
  if (available < least)
    finding->severity = LDB_SEVERITY_CRITICAL;
  g_autofree char *free_size = g_format_size (available), *size = g_format_size (facts->disk_bytes);
  add_count (finding, "available_bytes", available);
  add_count (finding, "total_bytes", facts->disk_total);
  add_count (finding, "database_bytes", facts->disk_bytes);
  add_count (finding, "wanted_bytes", wanted);
  finding->summary = g_strdup_printf (
      _ ("The disk is almost full: %s are free; the database takes %s"), free_size, size);
  return TRUE;
}

/* A program that serves a file system may keep it anywhere: it is advice to see where. Who only reads on
 * such a one was told so at the opening. */
static gboolean
network_file_system (const LdbHealthFacts *facts, LdbFinding *finding)
{
  const char *name = facts->foreign_file_system;
  if (name == NULL || (facts->read_only && !facts->network))
    return FALSE;
  if (facts->read_only || !facts->network)
    finding->severity = LDB_SEVERITY_ADVICE;
  add_text (finding, "file_system", name);
  if (facts->read_only)
    finding->summary = g_strdup_printf (
        _ ("The database is on a network file system (%s): what other machines write there is "
           "seen late, or not at all"),
        name);
  else if (facts->network)
    finding->summary = g_strdup_printf (
        _ ("The database is on a network file system (%s): other machines may not see its locks, "
           "and synced commits may be lost with the server"),
        name);
  else
    finding->summary = g_strdup_printf (
        /* Translators: %s is FUSE */
        _ ("The database is on a file system that a program serves (%s): if that is on another "
           "machine, as with sshfs, locks and syncs may not reach it"),
        name);
  return TRUE;
}

static gboolean
moved (const LdbHealthFacts *facts, LdbFinding *finding)
{
  if (!facts->moved)
    return FALSE;
  add_count (finding, "database_bytes", facts->disk_bytes);
  finding->summary = g_strdup (
      _ ("The database's directory is not where it was opened any more: it was moved or deleted"));
  return TRUE;
}

static gboolean
exposed (const LdbHealthFacts *facts, LdbFinding *finding)
{
  if (facts->directory_mode == 0 || ((facts->directory_mode & 077) == 0 && !facts->foreign_owner))
    return FALSE;
  if (facts->exposed_files == 0 && !facts->foreign_owner && (facts->directory_mode & 022) == 0)
    finding->severity = LDB_SEVERITY_ADVICE; /* they see that it is there */
  if (facts->foreign_owner)
    finding->action = LDB_REMEDY_NONE; /* it is not ours to change */
  g_autofree char *mode = g_strdup_printf ("%04o", facts->directory_mode);
  add_text (finding, "directory_mode", mode);
  add_count (finding, "files", facts->exposed_files);
  g_variant_builder_add (&finding->figures, "{sv}", "foreign_owner",
                         g_variant_new_boolean (facts->foreign_owner));
  if (facts->foreign_owner)
    {
      finding->summary = g_strdup (_ ("The directory belongs to another user"));
      finding->remedy
          = _ ("Give it to the user who works with it (chown), or put the database where "
               "nobody else can replace it.");
    }
  else if (facts->exposed_files == 0)
    finding->summary
        = g_strdup_printf (_ ("Other users can get into the directory (mode %s)"), mode);
  else
    finding->summary = g_strdup_printf (_ ("Other users can get into the directory (mode %s), and "
                                           "at %u of its files"),
                                        mode, facts->exposed_files);
  return TRUE;
}

/* ---- writing ---- */

static gboolean
stalls (const LdbHealthFacts *facts, LdbFinding *finding)
{
  double part = share_of_time (facts, facts->load.stall_time);
  if (facts->load.stalls < STALLS_LEAST || part < STALLED_SHARE)
    return FALSE;
  add_count (finding, "stalls", facts->load.stalls);
  add_count (finding, "stall_ns", facts->load.stall_time);
  add_share (finding, "share", part);
  finding->summary = g_strdup_printf (
      _ ("Writers waited %" PRIu64 " times for memory to be written out, %.0f %% of the time"),
      facts->load.stalls, part * 100);
  return TRUE;
}

static gboolean
many_runs (const LdbHealthFacts *facts, LdbFinding *finding)
{
  if (facts->runs < RUNS_MANY || facts->read_only)
    return FALSE;
  add_count (finding, "runs", facts->runs);
  if (!facts->merging)
    finding->remedy
        = _ ("Merging in the background is off: turn background-compaction on, or compact "
             "the database at a time that suits.");
  finding->summary = g_strdup_printf (_ ("%" PRIu64 " sorted runs wait to be merged, and "
                                         "reads look into each of them"),
                                      facts->runs);
  return TRUE;
}

static gboolean
sync_load (const LdbHealthFacts *facts, LdbFinding *finding)
{
  const LdbHealthCounts *load = &facts->load;
  double part = share_of_time (facts, load->log_sync_time);
  if (facts->sync != ENGINE_SYNC_FULL || load->commits < COMMITS_LEAST
      || load->log_syncs < load->commits / 2 || part < SYNC_SHARE)
    return FALSE;
  add_count (finding, "commits", load->commits);
  add_count (finding, "syncs", load->log_syncs);
  add_share (finding, "share", part);
  finding->summary = g_strdup_printf (
      _ ("%" PRIu64 " commits waited for %" PRIu64 " syncs of the disk, %.0f %% of the time"),
      load->commits, load->log_syncs, part * 100);
  return TRUE;
}

static gboolean
not_durable (const LdbHealthFacts *facts, LdbFinding *finding)
{
  if (facts->read_only || facts->load.commits == 0
      || (facts->log_enabled && facts->sync != ENGINE_SYNC_NONE))
    return FALSE;
  add_count (finding, "commits", facts->load.commits);
  finding->summary
      = facts->log_enabled
            ? g_strdup (_ ("Commits are not synced: the newest ones may be lost with the process"))
            : g_strdup (
                _ ("There is no log: what was written since the last checkpoint is lost with "
                   "the process"));
  if (!facts->log_enabled)
    finding->remedy = _ ("Turn the log on, or make checkpoints where it matters.");
  return TRUE;
}

/* ---- transactions ---- */

static gboolean
long_transaction (const LdbHealthFacts *facts, LdbFinding *finding)
{
  if (facts->transaction == 0 || facts->transaction_age < TRANSACTION_LONG)
    return FALSE;
  finding->target = facts->transaction;
  add_count (finding, "transaction", facts->transaction);
  add_count (finding, "age_ns", facts->transaction_age);
  add_count (finding, "operations", facts->transaction_operations);
  finding->summary
      = g_strdup_printf (_ ("Transaction %" PRIu64 " has been open for %.0f s, "
                            "with %" PRIu64 " writes; what it may read is kept"),
                         facts->transaction, (double) facts->transaction_age / (double) SECOND,
                         facts->transaction_operations);
  return TRUE;
}

static gboolean
only_reads (const LdbHealthFacts *facts, LdbFinding *finding)
{
  guint64 committed = facts->load.committed, unwritten = facts->load.unwritten;
  if (unwritten < TRANSACTIONS_LEAST || unwritten < committed / 2)
    return FALSE;
  add_count (finding, "transactions", committed);
  add_count (finding, "unwritten", unwritten);
  finding->summary
      = g_strdup_printf (_ ("%" PRIu64 " of %" PRIu64 " transactions could write and only read"),
                         unwritten, committed);
  return TRUE;
}

static gboolean
hot_key (const LdbHealthFacts *facts, LdbFinding *finding)
{
  guint64 conflicts = facts->load.conflicts, tried = conflicts + facts->load.committed;
  if (conflicts < CONFLICTS_LEAST || share (conflicts, tried) < CONFLICT_SHARE
      || facts->hot_key == NULL || share (facts->hot_conflicts, facts->kept_conflicts) < 0.5)
    return FALSE;
  finding->key = g_bytes_ref (facts->hot_key);
  add_count (finding, "conflicts", conflicts);
  add_share (finding, "share", share (conflicts, tried));
  add_share (finding, "share_of_key", share (facts->hot_conflicts, facts->kept_conflicts));
  finding->summary = g_strdup_printf (_ ("%.0f %% of transactions were refused because of a "
                                         "conflict, %.0f %% of these about one key"),
                                      share (conflicts, tried) * 100,
                                      share (facts->hot_conflicts, facts->kept_conflicts) * 100);
  return TRUE;
}

/* ---- memory ---- */

static gboolean
over_budget (const LdbHealthFacts *facts, LdbFinding *finding)
{
  if (facts->memory_used <= facts->memory_budget + facts->memory_budget / 10)
    return FALSE;
  g_autofree char *used = g_format_size (facts->memory_used);
  g_autofree char *budget = g_format_size (facts->memory_budget);
  add_count (finding, "used_bytes", facts->memory_used);
  add_count (finding, "budget_bytes", facts->memory_budget);
  finding->summary
      = g_strdup_printf (_ ("%s of memory are in use; the budget is %s"), used, budget);
  return TRUE;
}

static gboolean
small_cache (const LdbHealthFacts *facts, LdbFinding *finding)
{
  guint64 ghosts = facts->load.ghost_hits, reads = facts->load.page_reads;
  if (ghosts < GHOSTS_LEAST || share (ghosts, reads) < GHOST_SHARE)
    return FALSE;
  add_count (finding, "ghost_hits", ghosts);
  add_count (finding, "page_reads", reads);
  add_count (finding, "budget_bytes", facts->memory_budget);
  finding->summary = g_strdup_printf (
      _ ("%.0f %% of the pages that were read had been dropped from the cache just before"),
      share (ghosts, reads) * 100);
  return TRUE;
}

/* ---- what is stored ---- */

static gboolean
useless_compression (const LdbHealthFacts *facts, LdbFinding *finding)
{
  double ratio = share (facts->logical_bytes, facts->stored_bytes);
  if (!facts->compression || facts->logical_bytes < COMPRESSED_LEAST || ratio >= COMPRESSION_POOR)
    return FALSE;
  add_share (finding, "ratio", ratio);
  add_count (finding, "logical_bytes", facts->logical_bytes);
  add_count (finding, "stored_bytes", facts->stored_bytes);
  finding->summary = g_strdup_printf (_ ("Compression saves %.0f %% only"),
                                      MAX (1 - 1 / MAX (ratio, 0.01), 0) * 100);
  return TRUE;
}

static gboolean
tombstones (const LdbHealthFacts *facts, LdbFinding *finding)
{
  if (facts->dead_deletes < DELETES_LEAST || facts->dead_deletes < facts->dead_records / 2)
    return FALSE;
  add_count (finding, "segment", facts->dead_segment);
  add_count (finding, "deletes", facts->dead_deletes);
  add_count (finding, "records", facts->dead_records);
  if (facts->dead_store != NULL)
    add_text (finding, "store", facts->dead_store);
  finding->summary = g_strdup_printf (
      _ ("%" PRIu64 " of %" PRIu64 " records of a segment are deletes, which scans pass over"),
      facts->dead_deletes, facts->dead_records);
  return TRUE;
}

static gboolean
huge_values (const LdbHealthFacts *facts, LdbFinding *finding)
{
  if (facts->blob_values == 0 || facts->blob_bytes / facts->blob_values < VALUE_HUGE)
    return FALSE;
  g_autofree char *size = g_format_size (facts->blob_bytes / facts->blob_values);
  add_count (finding, "values", facts->blob_values);
  add_count (finding, "bytes", facts->blob_bytes);
  finding->summary = g_strdup_printf (_ ("%" PRIu64 " large values have %s each, on average"),
                                      facts->blob_values, size);
  return TRUE;
}

/* ---- the table ---- */

const LdbHealthRule ldb_health_rules[] = {
  { "writes-refused", LDB_SEVERITY_CRITICAL, LDB_REMEDY_NONE,
    N_ ("Close every handle of the database and open it again; if that fails, look at the disk."),
    writes_refused },
  { "flush-failing", LDB_SEVERITY_CRITICAL, LDB_REMEDY_FLUSH,
    N_ ("Remove the cause, and flush the database; each write tries it, too."), flush_failing },
  { "damage", LDB_SEVERITY_CRITICAL, LDB_REMEDY_CHECK,
    N_ ("Check the database; restore a backup, or repair it into a new directory."), damage },
  { "following-failing", LDB_SEVERITY_WARNING, LDB_REMEDY_NONE,
    N_ ("It is tried again by itself; if it goes on, open the database anew."), following_failing },
  { "moved", LDB_SEVERITY_CRITICAL, LDB_REMEDY_NONE,
    N_ ("Move it back; if it was deleted, read what you need before the database is closed, and "
        "restore a backup."),
    moved },
  { "disk-space", LDB_SEVERITY_WARNING, LDB_REMEDY_NONE,
    N_ ("Make room on the file system; without it writes fail, and merges rest."), disk_space },
  { "network-file-system", LDB_SEVERITY_WARNING, LDB_REMEDY_NONE,
    N_ ("Move the database to a local disk, and back it up to the network; or see to it that one "
        "machine alone works with it."),
    network_file_system },
  { "exposed", LDB_SEVERITY_WARNING, LDB_REMEDY_RESTRICT_ACCESS,
    N_ ("Take the permissions of others away: directory 0700, files 0600."), exposed },
  { "stalls", LDB_SEVERITY_WARNING, LDB_REMEDY_NONE,
    N_ ("Give the database more memory (cache-size), or write in larger batches at a steadier "
        "pace."),
    stalls },
  { "many-runs", LDB_SEVERITY_WARNING, LDB_REMEDY_COMPACT,
    N_ ("Compact the database, or let it rest; more merging threads keep up with more writes."),
    many_runs },
  { "over-budget", LDB_SEVERITY_WARNING, LDB_REMEDY_NONE,
    N_ ("Close snapshots, cursors and values that are held for long, or raise cache-size."),
    over_budget },
  { "long-transaction", LDB_SEVERITY_WARNING, LDB_REMEDY_ABORT_TRANSACTION,
    N_ ("Commit or roll it back sooner; a snapshot or a read-only transaction holds up nothing."),
    long_transaction },
  { "hot-key", LDB_SEVERITY_ADVICE, LDB_REMEDY_NONE,
    N_ ("Let transactions on that key be short, spread what it counts over several keys, or gather "
        "its changes in one place."),
    hot_key },
  { "only-reads", LDB_SEVERITY_ADVICE, LDB_REMEDY_NONE,
    N_ ("Begin transactions that only read as read-only: they never conflict and need no check."),
    only_reads },
  { "small-cache", LDB_SEVERITY_ADVICE, LDB_REMEDY_NONE,
    N_ ("Give the database more memory: raise cache-size."), small_cache },
  { "sync-load", LDB_SEVERITY_ADVICE, LDB_REMEDY_NONE,
    N_ ("Gather writes in batches or transactions, or use the sync mode async where the last "
        "second "
        "may be lost with the power."),
    sync_load },
  { "not-durable", LDB_SEVERITY_ADVICE, LDB_REMEDY_NONE,
    N_ ("Use the sync mode async, or sync where it matters."), not_durable },
  { "useless-compression", LDB_SEVERITY_ADVICE, LDB_REMEDY_NONE,
    N_ ("Turn compression off: set compression-enabled to false."), useless_compression },
  { "tombstones", LDB_SEVERITY_ADVICE, LDB_REMEDY_COMPACT,
    N_ ("Compact the database; a delete of the whole range costs less than one of each key."),
    tombstones },
  { "huge-values", LDB_SEVERITY_ADVICE, LDB_REMEDY_NONE,
    N_ ("Keep such values in files beside the database, or cut them in pieces: each is read as a "
        "whole."),
    huge_values },
  { 0 },
};

static LdbHealthIssue *
issue_new (const LdbHealthRule *rule, LdbFinding *finding)
{
  LdbHealthIssue *issue = g_new0 (LdbHealthIssue, 1);
  issue->id = g_strdup (rule->id);
  issue->severity = finding->severity;
  issue->summary = finding->summary;
  issue->remedy = g_strdup (finding->remedy);
  issue->action = finding->action;
  issue->target = finding->target;
  issue->evidence = g_variant_ref_sink (g_variant_builder_end (&finding->figures));
  issue->key = finding->key;
  return issue;
}

/* Behind those that are as bad. */
static void
add_issue (GPtrArray *issues, LdbHealthIssue *issue)
{
  guint at = issues->len;
  while (at > 0
         && ((LdbHealthIssue *) g_ptr_array_index (issues, at - 1))->severity < issue->severity)
    at--;
  g_ptr_array_insert (issues, (gint) at, issue);
}

LdbHealth *
ldb_health_judge (const LdbHealthFacts *facts, gint64 time)
{
  GPtrArray *issues = g_ptr_array_new_with_free_func ((GDestroyNotify) ldb_health_issue_free);
  for (const LdbHealthRule *rule = ldb_health_rules; rule->id != NULL; rule++)
    {
      LdbFinding finding
          = { .severity = rule->severity, .remedy = _ (rule->remedy), .action = rule->action };
      g_variant_builder_init (&finding.figures, G_VARIANT_TYPE_VARDICT);
      if (rule->applies (facts, &finding))
        add_issue (issues, issue_new (rule, &finding));
      else
        g_variant_builder_clear (&finding.figures);
    }
  return ldb_health_new (time, issues);
}
