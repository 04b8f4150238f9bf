/* SPDX-License-Identifier: MIT */
/* Who keeps which state of a database, how often a key was in conflict, and what a transaction wrote. */
#include "insp-hot-keys.h"
#include "insp-pins.h"
#include "insp-transaction-keys.h"

#include <string.h>

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

/* A program may have thousands of them open: a sentence names the first ones. */
static void
test_pin_of_many (void)
{
  LdbActiveTransaction open[21];
  LdbHeldSnapshot held = { .sequence = 7, .behind = 0, .holders = G_N_ELEMENTS (open) };
  for (guint i = 0; i < G_N_ELEMENTS (open); i++)
    open[i] = (LdbActiveTransaction){ .id = i + 1, .snapshot = held.sequence };
  g_autoptr (InspRowList) transactions = transactions_new (open, G_N_ELEMENTS (open));
  g_autoptr (GPtrArray) snapshots = g_ptr_array_new ();
  g_ptr_array_add (snapshots, &held);
  g_autoptr (GPtrArray) pins = insp_pins_of (snapshots, transactions);
#define TWENTY "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20"
  assert_pin (pins, 0, 7, TWENTY ", …",
              "What is read is the newest state. Transactions " TWENTY ", … read there.");
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

/* NULL for no end. */
static void
assert_key (LdbKeyAccess access, const char *key, const char *end, gsize end_length,
            const char *expected)
{
  g_autoptr (GBytes) key_bytes = g_bytes_new_static (key, strlen (key));
  g_autoptr (GBytes) end_bytes = end != NULL ? g_bytes_new_static (end, end_length) : NULL;
  const LdbTransactionKey its = { .access = access,
                                  .key = key_bytes,
                                  .key_length = strlen (key),
                                  .end = end_bytes,
                                  .end_length = end != NULL ? end_length : 0 };
  g_autofree char *text = insp_transaction_key_format (&its);
  g_assert_cmpstr (text, ==, expected);
}

static void
test_keys (void)
{
  assert_key (LDB_KEY_ACCESS_PUT, "a", NULL, 0, "a");
  assert_key (LDB_KEY_ACCESS_READ, "a", NULL, 0, "a");
  assert_key (LDB_KEY_ACCESS_DELETE_RANGE, "a", "c", 1, "a to c");
  assert_key (LDB_KEY_ACCESS_DELETE_RANGE, "a", NULL, 0, "from a");
  assert_key (LDB_KEY_ACCESS_DELETE_RANGE, "", "c", 1, "before c");
  assert_key (LDB_KEY_ACCESS_DELETE_RANGE, "", NULL, 0, "All keys");
  assert_key (LDB_KEY_ACCESS_READ_RANGE, "a", "a\0", 2, "a");
  assert_key (LDB_KEY_ACCESS_READ_RANGE, "a", "b\0", 2, "a to b\\x00");
  assert_key (LDB_KEY_ACCESS_READ_RANGE, "a", "ab", 2, "a to ab");
}

/* What another process says of its own keys need not be so. */
static void
test_untrue_keys (void)
{
  g_autoptr (GBytes) zero = g_bytes_new_static ("\0", 2);
  g_autoptr (GBytes) none = g_bytes_new_from_bytes (zero, 1, 0);
  g_autoptr (GBytes) end = g_bytes_new_static ("a\0", 2);
  g_autofree char *many = g_malloc (1 << 20);
  memset (many, 'a', 1 << 20);
  g_autoptr (GBytes) large = g_bytes_new (many, 1 << 20);
  const struct
  {
    GBytes *key, *end;
    gsize key_length, end_length;
    const char *expected;
  } told[] = {
    { none, none, G_MAXSIZE, 0, "… to " },
    { large, end, 1, 2, NULL },
    { none, end, 1, 2, "… to a\\x00" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (told); i++)
    {
      const LdbTransactionKey its = { .access = LDB_KEY_ACCESS_READ_RANGE,
                                      .key = told[i].key,
                                      .key_length = told[i].key_length,
                                      .end = told[i].end,
                                      .end_length = told[i].end_length };
      g_autofree char *text = insp_transaction_key_format (&its);
      if (told[i].expected != NULL)
        g_assert_cmpstr (text, ==, told[i].expected);
      else
        g_assert_true (g_str_has_suffix (text, "… to a\\x00"));
    }
}

int
main (int argument_count, char **arguments)
{
  g_test_init (&argument_count, &arguments, NULL);
  g_test_add_func ("/transactions/pins", test_pins);
  g_test_add_func ("/transactions/pin-of-many", test_pin_of_many);
  g_test_add_func ("/transactions/counts", test_counts);
  g_test_add_func ("/transactions/keys", test_keys);
  g_test_add_func ("/transactions/untrue-keys", test_untrue_keys);
  return g_test_run ();
}
