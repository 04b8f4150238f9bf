/* SPDX-License-Identifier: MIT */
/* Names of the engine's functions are the program's own, also when it links the library
 * statically. */
#include "lightning_db_ffi.h"

#include <stdio.h>
#include <string.h>

int fail (void);
int engine_open (void);
int handles = 3, callers = 4, engine_fork_generation = 5;

int
fail (void)
{
  return 1;
}

int
engine_open (void)
{
  return 2;
}

int
main (void)
{
  LightningDB *db = lightning_db_create ("./narrow.db", NULL);
  LightningDBResult result;
  if (db == NULL || lightning_db_put (db, (const uint8_t *) "k", 1, (const uint8_t *) "v", 1) != 0
      || lightning_db_get (db, (const uint8_t *) "k", 1, &result) != 0 || result.len != 1
      || lightning_db_open ("./missing", NULL) != NULL
      || strstr (lightning_db_last_error_message (), "missing") == NULL)
    {
      fprintf (stderr, "%s\n", lightning_db_last_error_message ());
      return 1;
    }
  lightning_db_free_result (result.data, result.len);
  lightning_db_free (db);
  return fail () + engine_open () + handles + callers + engine_fork_generation == 15 ? 0 : 1;
}
