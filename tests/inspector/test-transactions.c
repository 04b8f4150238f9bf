/* SPDX-License-Identifier: MIT */
/* Who keeps which state of a database, and how often a key was in conflict. */
#include "insp-hot-keys.h"
#include "insp-pins.h"

static guint64
identity (gconstpointer contents)
{
  return ((const LdbActiveTransaction *) contents)->id;
}

static InspRowList *
transactions_new (const LdbActiveTransaction *all, guint count)
{
  InspRowList *list = insp_row_list_new (identity, (GDestroyNotify) ldb_active_transaction_free);
  g_autoptr (GPtrArray) contents = g_ptr_array_new ();
  for (guint i = 0; i < count; i++)
    g_ptr_array_add (contents, ldb_active_transaction_copy (&all[i]));
  insp_row_list_set (list, contents);
  return list;
}

static void
assert_pin (GPtrArray *pins, guint index, guint64 sequence, const char *transactions,
            const char *description)
{
  const InspPin *pin = g_ptr_array_index (pins, index);
  g_autofree char *numbers = insp_pin_format_transactions (pin);
  g_autofree char *text = insp_pin_describe (pin);
  g_assert_cmpuint (pin->snapshot.sequence, ==, sequence);
  g_assert_cmpstr (numbers, ==, transactions);
  g_assert_cmpstr (text, ==, description);
}

static void
test_pins (void)
{
  const LdbActiveTransaction open[]
      = { { .id = 3, .snapshot = 20 }, { .id = 5, .snapshot = 20 }, { .id = 8, .snapshot = 10 } };
  LdbHeldSnapshot held[] = {
    { .sequence = 30, .behind = 0, .holders = 1 },
    { .sequence = 20, .behind = 10, .holders = 3 },
    { .sequence = 10, .behind = 1, .holders = 1 },
    { .sequence = 15, .behind = 2000, .holders = 2 },
  };
  g_autoptr (InspRowList) transactions = transactions_new (open, G_N_ELEMENTS (open));
  g_autoptr (GPtrArray) snapshots = g_ptr_array_new ();
  for (guint i = 0; i < G_N_ELEMENTS (held); i++)
    g_ptr_array_add (snapshots, &held[i]);
  g_autoptr (GPtrArray) pins = insp_pins_of (snapshots, transactions);
  g_assert_cmpuint (pins->len, ==, 4); /* the oldest first */
  assert_pin (pins, 0, 10, "8",
              "The oldest state that is read is 1 commit back. Transaction 8 reads there. What was "
              "overwritten since is kept.");
  assert_pin (pins, 1, 15, "–",
              "The oldest state that is read is 2 k commits back. 2 readers hold it: snapshots, "
              "cursors or read-only transactions. What was overwritten since is kept.");
  assert_pin (pins, 2, 20, "3, 5",
              "The oldest state that is read is 10 commits back. Transactions 3, 5 read there, and "
              "1 other reader. What was overwritten since is kept.");
  assert_pin (pins, 3, 30, "–",
              "What is read is the newest state. 1 reader holds it: a snapshot, a cursor or a "
              "read-only transaction.");
}

static void
assert_count (guint64 count, guint64 uncertainty, const char *expected)
{
  const LdbHotKey key = { .count = count, .uncertainty = uncertainty };
  g_autofree char *text = insp_hot_key_format_count (&key);
  g_assert_cmpstr (text, ==, expected);
}

static void
test_counts (void)
{
  assert_count (12, 0, "12");
  assert_count (12, 3, "9–12");
  assert_count (3, 5, "0–3");
}

int
main (int argument_count, char **arguments)
{
  g_test_init (&argument_count, &arguments, NULL);
  g_test_add_func ("/transactions/pins", test_pins);
  g_test_add_func ("/transactions/counts", test_counts);
  return g_test_run ();
}
