/* SPDX-License-Identifier: MIT */
/* The rules of LdbHealth, each both ways: it fires, alone, on facts that are just bad enough; and says
 * nothing where one of them is not. */
#include "ldb-health-private.h"

#include <string.h>

#define MIB (G_GUINT64_CONSTANT (1) << 20)
#define SECOND G_GUINT64_CONSTANT (1000000000) /* in nanoseconds */

/* A database that is well. */
static LdbHealthFacts
good_facts (void)
{
  return (LdbHealthFacts){
    .sync = ENGINE_SYNC_ASYNC,
    .log_enabled = TRUE,
    .compression = TRUE,
    .merging = TRUE,
    .memory_budget = 64 * MIB,
    .memory_used = 60 * MIB,
    .span = 100 * G_USEC_PER_SEC,
    .load = { .commits = 10000,
              .log_syncs = 100,
              .log_sync_time = SECOND,
              .page_reads = 10000,
              .committed = 10000 },
    .runs = 3,
    .disk_bytes = 200 * MIB,
    .segment_bytes = 150 * MIB,
    .memtable_size = 8 * MIB,
    .space_known = TRUE,
    .disk_total = 100000 * MIB,
    .disk_available = 50000 * MIB,
    .directory_mode = 0700,
    .logical_bytes = 300 * MIB,
    .stored_bytes = 150 * MIB,
    .dead_records = 100000,
    .dead_deletes = 1000,
    .blob_values = 100,
    .blob_bytes = 100 * MIB,
  };
}

static struct failure
failure_of (status code, const char *message)
{
  struct failure failure = FAILURE_INIT;
  failure.code = code;
  g_strlcpy (failure.message, message, sizeof failure.message);
  return failure;
}

static LdbHealth *
judge (LdbHealthFacts *facts)
{
  LdbHealth *health = ldb_health_judge (facts, 1234);
  ldb_health_facts_clear (facts);
  return health;
}

/* Exactly this, and the verdict follows from it. */
static void
assert_only (LdbHealthFacts facts, const char *id, LdbSeverity severity, LdbRemedy action)
{
  g_autoptr (LdbHealth) health = judge (&facts);
  GPtrArray *issues = ldb_health_get_issues (health);
  g_autofree char *name = ldb_health_name (health);
  if (issues->len != 1)
    g_error ("not only %s: %s", id, name);
  const LdbHealthIssue *issue = g_ptr_array_index (issues, 0);
  g_assert_cmpstr (issue->id, ==, id);
  g_assert_cmpint (issue->severity, ==, severity);
  g_assert_cmpint (issue->action, ==, action);
  g_assert_true (g_utf8_validate (issue->summary, -1, NULL));
  g_assert_cmpuint (strlen (issue->summary), >, 10);
  g_assert_true (g_str_has_suffix (issue->remedy, "."));
  g_assert_cmpuint (g_variant_n_children (ldb_health_issue_get_evidence (issue)), >=, 1);
  g_assert_true (ldb_health_find_issue (health, id) == issue);
  g_assert_cmpint (ldb_health_get_severity (health), ==, severity);
  g_assert_cmpint (ldb_health_is_healthy (health), ==, severity == LDB_SEVERITY_ADVICE);
}

static void
assert_nothing (LdbHealthFacts facts)
{
  g_autoptr (LdbHealth) health = judge (&facts);
  g_autofree char *name = ldb_health_name (health);
  g_assert_cmpstr (name, ==, "healthy");
  g_assert_true (ldb_health_is_healthy (health));
  g_assert_cmpint (ldb_health_get_severity (health), ==, LDB_SEVERITY_NONE);
}

#define FACTS LdbHealthFacts facts = good_facts ()
#define FIRES(id, severity, action)                                                                \
  assert_only (facts, id, LDB_SEVERITY_##severity, LDB_REMEDY_##action)
/* The facts with one change. */
#define NOT_WHEN(change)                                                                           \
  do                                                                                               \
    {                                                                                              \
      LdbHealthFacts before = facts;                                                               \
      change;                                                                                      \
      assert_nothing (facts);                                                                      \
      facts = before;                                                                              \
    }                                                                                              \
  while (0)

static void
test_good (void)
{
  assert_nothing (good_facts ());
  assert_nothing ((LdbHealthFacts){ .log_enabled = TRUE, .memory_budget = 1 }); /* nothing known */
}

static void
test_causes (void)
{
  FACTS;
  facts.condition.writing = failure_of (STATUS_IO, "log-1 can't be synced");
  FIRES ("writes-refused", CRITICAL, NONE);
  facts = good_facts ();
  facts.condition.flushing = failure_of (STATUS_NO_SPACE, "there is no room for 7.seg");
  FIRES ("flush-failing", CRITICAL, FLUSH);
  facts = good_facts ();
  facts.condition.following = failure_of (STATUS_IO, "the manifest can't be read");
  FIRES ("following-failing", WARNING, NONE);
  facts = good_facts ();
  facts.condition.corruption = failure_of (STATUS_CORRUPT, "page 3 of 1.seg \xff does not verify");
  NOT_WHEN ((void) 0);
  facts.condition.corruptions = 2;
  FIRES ("damage", CRITICAL, CHECK);
}

static void
test_disk_space (void)
{
  FACTS;
  facts.disk_available = 150 * MIB + 64 * MIB + 8 * MIB - 1; /* all once more, and some */
  facts.disk_total = 5000 * MIB;
  FIRES ("disk-space", WARNING, NONE);
  NOT_WHEN (facts.disk_available++);
  NOT_WHEN (facts.space_known = FALSE);
  facts.disk_available = 72 * MIB - 1;
  FIRES ("disk-space", CRITICAL, NONE);
  facts.disk_available++;
  FIRES ("disk-space", WARNING, NONE);
  facts.disk_available = 1024 * MIB - 1; /* little of a large disk */
  facts.disk_total = 100000 * MIB;
  FIRES ("disk-space", WARNING, NONE);
  NOT_WHEN (facts.disk_available++);
  NOT_WHEN (facts.disk_total = 50000 * MIB);
}

static void
test_network (void)
{
  FACTS;
  facts.foreign_file_system = "NFS";
  facts.network = TRUE;
  FIRES ("network-file-system", WARNING, NONE);
  facts.read_only = TRUE;
  FIRES ("network-file-system", ADVICE, NONE);
  facts.network = FALSE; /* a program serves it, nobody knows where from */
  facts.foreign_file_system = "FUSE";
  NOT_WHEN (facts.read_only = TRUE);
  facts.read_only = FALSE;
  FIRES ("network-file-system", ADVICE, NONE);
  NOT_WHEN (facts.foreign_file_system = NULL);
}

static void
test_moved (void)
{
  FACTS;
  facts.moved = TRUE;
  FIRES ("moved", CRITICAL, NONE);
  NOT_WHEN (facts.moved = FALSE);
}

static void
test_exposed (void)
{
  FACTS;
  facts.directory_mode = 0755;
  facts.exposed_files = 3;
  FIRES ("exposed", WARNING, RESTRICT_ACCESS);
  NOT_WHEN (facts.directory_mode = 0700); /* nobody gets in */
  NOT_WHEN (facts.directory_mode = 0);    /* not known */
  facts.exposed_files = 0;
  FIRES ("exposed", ADVICE, RESTRICT_ACCESS);
  facts.directory_mode = 0720; /* others may make files in it */
  FIRES ("exposed", WARNING, RESTRICT_ACCESS);
  facts.directory_mode = 0700;
  facts.foreign_owner = TRUE;
  FIRES ("exposed", WARNING, NONE);
  g_autoptr (LdbHealth) foreign = ldb_health_judge (&facts, 0); /* permissions are not at fault */
  const LdbHealthIssue *issue = ldb_health_find_issue (foreign, "exposed");
  g_assert_nonnull (strstr (issue->remedy, "chown"));
  g_assert_null (strstr (issue->remedy, "0700"));
}

static void
test_stalls (void)
{
  FACTS;
  facts.load.stalls = 3;
  facts.load.stall_time = SECOND; /* of 100 */
  FIRES ("stalls", WARNING, NONE);
  NOT_WHEN (facts.load.stalls = 2);
  NOT_WHEN (facts.load.stall_time -= 1000);
  NOT_WHEN (facts.span *= 2);
}

static void
test_many_runs (void)
{
  FACTS;
  facts.runs = 24;
  FIRES ("many-runs", WARNING, COMPACT);
  NOT_WHEN (facts.runs--);
  NOT_WHEN (facts.read_only = TRUE);
  facts.merging = FALSE;
  g_autoptr (LdbHealth) health = judge (&facts);
  g_assert_nonnull (
      strstr (ldb_health_find_issue (health, "many-runs")->remedy, "background-compaction"));
}

static void
test_sync_load (void)
{
  FACTS;
  facts.sync = ENGINE_SYNC_FULL;
  facts.load.commits = 1000;
  facts.load.log_syncs = 500;
  facts.load.log_sync_time = 25 * SECOND;
  FIRES ("sync-load", ADVICE, NONE);
  NOT_WHEN (facts.sync = ENGINE_SYNC_ASYNC);
  NOT_WHEN (facts.load.commits = 999);
  NOT_WHEN (facts.load.log_syncs--);
  NOT_WHEN (facts.load.log_sync_time -= 1000);
}

static void
test_not_durable (void)
{
  FACTS;
  facts.sync = ENGINE_SYNC_NONE;
  FIRES ("not-durable", ADVICE, NONE);
  NOT_WHEN (facts.load.commits = 0);
  NOT_WHEN (facts.read_only = TRUE);
  facts.sync = ENGINE_SYNC_ASYNC;
  facts.log_enabled = FALSE;
  FIRES ("not-durable", ADVICE, NONE);
  NOT_WHEN (facts.log_enabled = TRUE);
}

static void
test_long_transaction (void)
{
  FACTS;
  facts.transaction = 42;
  facts.transaction_age = 10 * SECOND;
  FIRES ("long-transaction", WARNING, ABORT_TRANSACTION);
  NOT_WHEN (facts.transaction_age--);
  NOT_WHEN (facts.transaction = 0);
  g_autoptr (LdbHealth) health = judge (&facts);
  g_assert_cmpuint (ldb_health_find_issue (health, "long-transaction")->target, ==, 42);
}

static void
test_only_reads (void)
{
  FACTS;
  facts.load.committed = 200;
  facts.load.unwritten = 100;
  FIRES ("only-reads", ADVICE, NONE);
  NOT_WHEN (facts.load.unwritten--);
  NOT_WHEN (facts.load.committed = 202);
}

static void
test_hot_key (void)
{
  FACTS;
  facts.load.committed = 380;
  facts.load.conflicts = 20;
  facts.kept_conflicts = 20;
  facts.hot_conflicts = 10;
  facts.hot_key = g_bytes_new_static ("the-hot-one", 11);
  g_bytes_ref (facts.hot_key);
  FIRES ("hot-key", ADVICE, NONE);
  NOT_WHEN ((facts.hot_key = NULL));
  NOT_WHEN ((g_bytes_ref (facts.hot_key), facts.load.committed = 381));
  NOT_WHEN ((g_bytes_ref (facts.hot_key), facts.load.conflicts = 19));
  NOT_WHEN ((g_bytes_ref (facts.hot_key), facts.hot_conflicts = 9));
  g_autoptr (LdbHealth) health = judge (&facts);
  LdbHealthIssue *issue = ldb_health_find_issue (health, "hot-key");
  g_assert_null (strstr (issue->summary, "the-hot-one")); /* H3 */
  g_assert_cmpuint (g_bytes_get_size (ldb_health_issue_get_key (issue)), ==, 11);
}

static void
test_over_budget (void)
{
  FACTS;
  facts.memory_budget = 100 * MIB;
  facts.memory_used = 110 * MIB + 1;
  FIRES ("over-budget", WARNING, NONE);
  NOT_WHEN (facts.memory_used--);
}

static void
test_small_cache (void)
{
  FACTS;
  facts.load.ghost_hits = 1000;
  FIRES ("small-cache", ADVICE, NONE);
  NOT_WHEN (facts.load.page_reads++);
  facts.load.page_reads = 9000;
  NOT_WHEN (facts.load.ghost_hits--);
}

static void
test_useless_compression (void)
{
  FACTS;
  facts.logical_bytes = 16 * MIB;
  facts.stored_bytes = 16 * MIB;
  FIRES ("useless-compression", ADVICE, NONE);
  NOT_WHEN (facts.logical_bytes--);
  NOT_WHEN (facts.compression = FALSE);
  NOT_WHEN (facts.stored_bytes = 14 * MIB);
}

static void
test_tombstones (void)
{
  FACTS;
  facts.dead_deletes = 10000;
  facts.dead_records = 20000;
  FIRES ("tombstones", ADVICE, COMPACT);
  NOT_WHEN (facts.dead_records = 20002);
  facts.dead_records = 10000;
  NOT_WHEN (facts.dead_deletes--);
}

static void
test_huge_values (void)
{
  FACTS;
  facts.blob_values = 3;
  facts.blob_bytes = 24 * MIB;
  FIRES ("huge-values", ADVICE, NONE);
  NOT_WHEN (facts.blob_bytes--);
  NOT_WHEN (facts.blob_values = 0);
}

/* ---- verdicts ---- */

/* Everything at once: the worst first, of equals in the table's order; over D-Bus and as JSON. */
static LdbHealth *
everything (void)
{
  FACTS;
  facts.condition.writing = failure_of (STATUS_IO, "no \"disk\"");
  facts.condition.flushing = facts.condition.following = facts.condition.writing;
  facts.condition.corruption = facts.condition.writing;
  facts.condition.corruptions = 1;
  facts.sync = ENGINE_SYNC_FULL;
  facts.log_enabled = FALSE;
  facts.directory_mode = 0777;
  facts.moved = TRUE;
  facts.disk_available = 0;
  facts.memory_used = 100 * MIB;
  facts.foreign_file_system = "NFS";
  facts.network = TRUE;
  facts.runs = 100;
  facts.transaction = 7;
  facts.transaction_age = 100 * SECOND;
  facts.load = (LdbHealthCounts){ 10000, 10000, 90 * SECOND, 10,   50 * SECOND,
                                  10000, 10000, 10000,       9000, 9000 };
  facts.hot_key = g_bytes_new_static ("\xff\x01key", 5);
  facts.hot_conflicts = facts.kept_conflicts = 100;
  facts.logical_bytes = facts.stored_bytes = 100 * MIB;
  facts.dead_deletes = facts.dead_records = 100000;
  facts.dead_store = g_strdup ("things");
  facts.blob_values = 1;
  facts.blob_bytes = 100 * MIB;
  return judge (&facts);
}

static void
test_everything (void)
{
  g_autoptr (LdbHealth) health = everything ();
  GPtrArray *issues = ldb_health_get_issues (health);
  guint rules = 0;
  for (; ldb_health_rules[rules].id != NULL; rules++)
    g_assert_nonnull (ldb_health_find_issue (health, ldb_health_rules[rules].id));
  g_assert_cmpuint (issues->len, ==, rules);
  for (guint i = 1; i < issues->len; i++)
    {
      const LdbHealthIssue *a = g_ptr_array_index (issues, i - 1),
                           *b = g_ptr_array_index (issues, i);
      g_assert_cmpint (a->severity, >=, b->severity);
    }
  g_assert_cmpstr (((LdbHealthIssue *) g_ptr_array_index (issues, 0))->id, ==, "writes-refused");
  g_assert_null (ldb_health_find_issue (health, "nonsense"));
}

static void
test_variant (void)
{
  g_autoptr (LdbHealth) health = everything ();
  g_autoptr (GVariant) sent = g_variant_ref_sink (ldb_health_to_variant (health));
  g_assert_true (g_variant_is_of_type (sent, G_VARIANT_TYPE (LDB_HEALTH_VARIANT_TYPE)));
  g_autoptr (LdbHealth) received = ldb_health_from_variant (sent);
  g_assert_true (ldb_health_agrees (health, received));
  g_autofree char *before = ldb_health_to_json (health), *after = ldb_health_to_json (received);
  g_assert_cmpstr (before, ==, after);
  g_assert_nonnull (strstr (before, "\"healthy\":false"));
  g_assert_nonnull (strstr (before, "\"target\":7"));
  g_assert_nonnull (strstr (before, "\"store\":\"things\""));
  g_assert_nonnull (strstr (before, "\"key_hex\":\"ff016b6579\""));
  g_assert_nonnull (strstr (before, "no \\\"disk\\\""));

  /* What a later version, or a hostile one, says. */
  g_autoptr (GVariant) strange = g_variant_ref_sink (
      g_variant_new_parsed ("(int64 5, [('a', uint32 1, 's', 'r', uint32 0, uint64 0, @a{sv} {}, "
                            "@ay []), ('b', 99, '', '', 77, 0, {'x': <@ay [1]>}, [0x61])])"));
  g_autoptr (LdbHealth) taken = ldb_health_from_variant (strange);
  g_assert_cmpint (ldb_health_get_severity (taken), ==, LDB_SEVERITY_CRITICAL);
  LdbHealthIssue *b = g_ptr_array_index (ldb_health_get_issues (taken), 0);
  g_assert_cmpstr (b->id, ==, "b");
  g_assert_cmpint (b->action, ==, LDB_REMEDY_NONE);
  g_autofree char *json = ldb_health_to_json (taken);
  g_assert_nonnull (json);
}

static void
test_agreement (void)
{
  FACTS;
  g_autoptr (LdbHealth) good = judge (&facts);
  facts = good_facts ();
  facts.runs = 24;
  g_autoptr (LdbHealth) runs = judge (&facts);
  facts.runs = 30;
  g_autoptr (LdbHealth) more = judge (&facts);
  facts.transaction = 1;
  facts.transaction_age = 100 * SECOND;
  g_autoptr (LdbHealth) both = judge (&facts);
  g_assert_true (ldb_health_agrees (runs, more)); /* the figures do not matter */
  g_assert_false (ldb_health_agrees (good, runs));
  g_assert_false (ldb_health_agrees (both, runs));
  facts = good_facts ();
  facts.disk_available = 100 * MIB;
  g_autoptr (LdbHealth) little = judge (&facts);
  facts.disk_available = 0;
  g_autoptr (LdbHealth) none = judge (&facts);
  g_assert_false (ldb_health_agrees (little, none)); /* it got worse */
  g_autofree char *name = ldb_health_name (none);
  g_assert_cmpstr (name, ==, "disk-space (critical)");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/health-rules/good", test_good);
  g_test_add_func ("/health-rules/causes", test_causes);
  g_test_add_func ("/health-rules/disk-space", test_disk_space);
  g_test_add_func ("/health-rules/moved", test_moved);
  g_test_add_func ("/health-rules/network", test_network);
  g_test_add_func ("/health-rules/exposed", test_exposed);
  g_test_add_func ("/health-rules/stalls", test_stalls);
  g_test_add_func ("/health-rules/many-runs", test_many_runs);
  g_test_add_func ("/health-rules/sync-load", test_sync_load);
  g_test_add_func ("/health-rules/not-durable", test_not_durable);
  g_test_add_func ("/health-rules/long-transaction", test_long_transaction);
  g_test_add_func ("/health-rules/only-reads", test_only_reads);
  g_test_add_func ("/health-rules/hot-key", test_hot_key);
  g_test_add_func ("/health-rules/over-budget", test_over_budget);
  g_test_add_func ("/health-rules/small-cache", test_small_cache);
  g_test_add_func ("/health-rules/useless-compression", test_useless_compression);
  g_test_add_func ("/health-rules/tombstones", test_tombstones);
  g_test_add_func ("/health-rules/huge-values", test_huge_values);
  g_test_add_func ("/health-rules/everything", test_everything);
  g_test_add_func ("/health-rules/variant", test_variant);
  g_test_add_func ("/health-rules/agreement", test_agreement);
  return g_test_run ();
}
