/* SPDX-License-Identifier: MIT */
/* With liblightning-db-1. ldb_transaction_commit and ldb_options_copy are names that libldb has,
 * too. */
#include "story.h"

#include <lightning-db.h>

int
lightning_story (const char *directory)
{
  int wrong = 0;
  g_autoptr (GError) error = NULL;
  g_autofree char *path = g_build_filename (directory, "lightning", NULL);
  g_autoptr (LdbOptions) options = ldb_options_new ();
  ldb_options_set_cache_size (options, 16 << 20);
  g_autoptr (LdbOptions) copy = ldb_options_copy (options);
  EXPECT (LDB_IS_OPTIONS (copy) && ldb_options_get_cache_size (copy) == 16 << 20);
  g_autoptr (LdbDatabase) database = ldb_database_open (path, LDB_OPEN_CREATE, copy, NULL, &error);
  EXPECT (database != NULL);
  if (database == NULL)
    return wrong;
  g_autoptr (LdbTransaction) kept = ldb_database_begin (database, LDB_TRANSACTION_NONE, &error);
  EXPECT (ldb_transaction_put_string (kept, NULL, "kept", "1", &error));
  EXPECT (ldb_transaction_commit (kept, LDB_SYNC_MODE_DEFAULT, NULL, &error));
  EXPECT (!ldb_transaction_commit (kept, LDB_SYNC_MODE_DEFAULT, NULL, NULL)); /* it has ended */
  g_autoptr (LdbTransaction) dropped = ldb_database_begin (database, LDB_TRANSACTION_NONE, &error);
  EXPECT (ldb_transaction_put_string (dropped, NULL, "dropped", "1", &error));
  EXPECT (ldb_transaction_rollback (dropped, &error));
  g_autofree char *value = ldb_database_get_string (database, "kept", NULL, &error);
  EXPECT (g_strcmp0 (value, "1") == 0);
  g_autofree char *absent = ldb_database_get_string (database, "dropped", NULL, &error);
  EXPECT (absent == NULL && error == NULL);
  EXPECT (ldb_database_close (database, NULL, &error));
  if (error != NULL)
    fprintf (stderr, "%s\n", error->message);
  return wrong;
}
