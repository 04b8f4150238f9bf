/* SPDX-License-Identifier: MIT */
/* With liblightning_db_ffi, whose ldb_get_version liblightning-db-1 has, too. */
#include "story.h"

#include "lightning_db_ffi.h"

#include <string.h>

int
flat_story (const char *directory)
{
  int wrong = 0;
  char path[600];
  uint64_t tx;
  snprintf (path, sizeof path, "%s/flat", directory);
  LightningDB *db = lightning_db_create (path, NULL);
  EXPECT (db != NULL);
  EXPECT (lightning_db_begin_transaction (db, &tx) == Success);
  EXPECT (lightning_db_put_tx (db, tx, (const uint8_t *) "kept", 4, (const uint8_t *) "1", 1) == 0);
  EXPECT (lightning_db_commit_transaction (db, tx) == Success);
  EXPECT (lightning_db_contains (db, (const uint8_t *) "kept", 4) == Success);
  EXPECT (lightning_db_close (db) == Success);
  EXPECT (strcmp (ldb_get_version (), lightning_db_version ()) == 0 && ldb_initialize () == 0);
  return wrong;
}
