/* SPDX-License-Identifier: MIT */
/* A transfer of money that happens whole or not at all: transactions DIRECTORY */
#include <lightning-db.h>
#include <stdlib.h>

static int
balance (LdbTransaction *transaction, const char *account, GError **error)
{
  g_autofree char *text = ldb_transaction_get_string (transaction, NULL, account, NULL, error);
  return text != NULL ? atoi (text) : 0;
}

static gboolean
set_balance (LdbTransaction *transaction, const char *account, int amount, GError **error)
{
  g_autofree char *text = g_strdup_printf ("%d", amount);
  return ldb_transaction_put_string (transaction, NULL, account, text, error);
}

/* Called again, with a fresh transaction, when somebody else was in the way. */
static gboolean
transfer (LdbTransaction *transaction, gpointer data, GError **error)
{
  int amount = *(const int *) data;
  int alice = balance (transaction, "alice", error);
  int bob = balance (transaction, "bob", error);
  if (alice < amount)
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "alice has %d, not %d", alice, amount);
      return FALSE; /* rolls back */
    }
  return set_balance (transaction, "alice", alice - amount, error)
         && set_balance (transaction, "bob", bob + amount, error);
}

static void
print_balances (LdbDatabase *db, const char *before)
{
  g_autofree char *alice = ldb_database_get_string (db, "alice", NULL, NULL);
  g_autofree char *bob = ldb_database_get_string (db, "bob", NULL, NULL);
  g_print ("%salice %s, bob %s\n", before, alice, bob);
}

static gboolean
use (LdbDatabase *db, GError **error)
{
  g_autoptr (GError) refused = NULL;
  int amount = 30, too_much = 500;
  if (!ldb_database_put_string (db, "alice", "100", NULL, error)
      || !ldb_database_put_string (db, "bob", "50", NULL, error)
      || !ldb_database_run_transaction (db, LDB_TRANSACTION_NONE, transfer, &amount, NULL, error))
    return FALSE;
  print_balances (db, "");

  ldb_database_run_transaction (db, LDB_TRANSACTION_NONE, transfer, &too_much, NULL, &refused);
  g_print ("refused: %s\n", refused->message);
  print_balances (db, "");

  /* By hand: of two that change the same, the second commit fails. */
  g_autoptr (LdbTransaction) one = ldb_database_begin (db, LDB_TRANSACTION_NONE, error);
  g_autoptr (LdbTransaction) two = ldb_database_begin (db, LDB_TRANSACTION_NONE, error);
  g_autoptr (GError) conflict = NULL;
  if (one == NULL || two == NULL || !set_balance (one, "alice", 60, error)
      || !set_balance (two, "alice", 0, error)
      || !ldb_transaction_commit (one, LDB_SYNC_MODE_FULL, NULL, error))
    return FALSE;
  if (!ldb_transaction_commit (two, LDB_SYNC_MODE_DEFAULT, NULL, &conflict))
    g_print ("conflict: %s\n",
             g_error_matches (conflict, LDB_ERROR, LDB_ERROR_CONFLICT) ? "yes" : "?");

  /* Back to a savepoint, and on from there. */
  g_autoptr (LdbTransaction) three = ldb_database_begin (db, LDB_TRANSACTION_NONE, error);
  if (three == NULL || !set_balance (three, "bob", 90, error))
    return FALSE;
  guint64 savepoint = ldb_transaction_savepoint (three, error);
  if (savepoint == 0 || !set_balance (three, "alice", 0, error)
      || !ldb_transaction_rollback_to (three, savepoint, error)
      || !ldb_transaction_commit (three, LDB_SYNC_MODE_DEFAULT, NULL, error))
    return FALSE;
  print_balances (db, "after going back: ");
  return ldb_database_close (db, NULL, error);
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = g_build_filename (argc > 1 ? argv[1] : ".", "bank.db", NULL);
  g_autoptr (LdbDatabase) db = ldb_database_open (path, LDB_OPEN_CREATE, NULL, NULL, &error);
  if (db == NULL || !use (db, &error))
    {
      g_printerr ("%s\n", error->message);
      return 1;
    }
  return 0;
}
