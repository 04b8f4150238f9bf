/* SPDX-License-Identifier: MIT */
/* With Samba's libldb. */
#include "story.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <ldb.h>

static int
add (struct ldb_context *ldb, const char *name)
{
  struct ldb_message *message = ldb_msg_new (ldb);
  message->dn = ldb_dn_new_fmt (message, ldb, "cn=%s,dc=test", name);
  ldb_msg_add_string (message, "cn", name);
  int code = ldb_add (ldb, message);
  talloc_free (message);
  return code;
}

static unsigned
count (struct ldb_context *ldb)
{
  struct ldb_result *result = NULL;
  struct ldb_dn *base = ldb_dn_new (ldb, ldb, "dc=test");
  if (ldb_search (ldb, ldb, &result, base, LDB_SCOPE_SUBTREE, NULL, "(cn=*)") != LDB_SUCCESS)
    return 1000;
  unsigned found = result->count;
  talloc_free (result);
  return found;
}

int
samba_story (const char *directory)
{
  int wrong = 0;
  char url[600];
  TALLOC_CTX *memory = talloc_new (NULL);
  struct ldb_context *ldb = ldb_init (memory, NULL);
  snprintf (url, sizeof url, "tdb://%s/samba.ldb", directory);
  EXPECT (ldb != NULL && ldb_connect (ldb, url, 0, NULL) == LDB_SUCCESS);
  unsigned before = count (ldb);
  char name[32];
  snprintf (name, sizeof name, "kept%u", before);
  EXPECT (before < 1000);
  EXPECT (ldb_transaction_start (ldb) == LDB_SUCCESS);
  EXPECT (add (ldb, name) == LDB_SUCCESS);
  EXPECT (ldb_transaction_commit (ldb) == LDB_SUCCESS);
  EXPECT (ldb_transaction_start (ldb) == LDB_SUCCESS);
  EXPECT (add (ldb, "dropped") == LDB_SUCCESS);
  EXPECT (count (ldb) == before + 2);
  EXPECT (ldb_transaction_cancel (ldb) == LDB_SUCCESS);
  EXPECT (count (ldb) == before + 1);
  EXPECT (ldb_transaction_commit (ldb) != LDB_SUCCESS); /* there is none */
  talloc_free (memory);
  return wrong;
}
