/* SPDX-License-Identifier: MIT */
/* What the tests of the flat C ABI are written with. They see the public header only. */
#ifndef LIGHTNING_TESTS_FFI_CHECK_H
#define LIGHTNING_TESTS_FFI_CHECK_H

#include "../fresh-directory.h"
#include "lightning_db_ffi.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHECK(condition)                                                                           \
  do                                                                                               \
    if (!(condition))                                                                              \
      {                                                                                            \
        fprintf (stderr, "%s:%d: check failed: %s (last error: %s)\n", __FILE__, __LINE__,         \
                 #condition, lightning_db_last_error_message ());                                  \
        abort ();                                                                                  \
      }                                                                                            \
  while (0)

/* A call that gives a certain code; failures must leave a message of their own. */
#define CHECK_GIVES(call, expected)                                                                \
  do                                                                                               \
    {                                                                                              \
      LightningDBError check_code = (call);                                                        \
      if (check_code != (expected))                                                                \
        {                                                                                          \
          fprintf (stderr, "%s:%d: %s gave %d (%s), not %d\n", __FILE__, __LINE__, #call,          \
                   (int) check_code, lightning_db_last_error_message (), (int) (expected));        \
          abort ();                                                                                \
        }                                                                                          \
    }                                                                                              \
  while (0)

#define CHECK_FAILS(call, expected)                                                                \
  do                                                                                               \
    {                                                                                              \
      CHECK_GIVES (call, expected);                                                                \
      CHECK (lightning_db_last_error () == (expected));                                            \
      CHECK (strlen (lightning_db_last_error_message ()) > 10);                                    \
    }                                                                                              \
  while (0)

#define CHECK_OK(call) CHECK_GIVES (call, Success)

/* A call that gives no handle. */
#define CHECK_NONE(call, expected)                                                                 \
  do                                                                                               \
    {                                                                                              \
      CHECK ((call) == NULL);                                                                      \
      CHECK (lightning_db_last_error () == (expected));                                            \
      CHECK (strlen (lightning_db_last_error_message ()) > 10);                                    \
    }                                                                                              \
  while (0)

/* A text as the two arguments that keys and values are. */
#define TEXT(text) (const uint8_t *) (text), strlen (text)

static inline void
check_text (LightningDBResult result, const char *expected)
{
  CHECK (result.data != NULL && result.len == strlen (expected));
  CHECK (memcmp (result.data, expected, result.len) == 0);
  lightning_db_free_result (result.data, result.len);
}

static inline void
check_value (LightningDB *db, const char *key, const char *expected)
{
  LightningDBResult result = { (uint8_t *) "stale", 5 };
  CHECK_OK (lightning_db_get (db, TEXT (key), &result));
  if (expected != NULL)
    check_text (result, expected);
  else
    CHECK (result.data == NULL && result.len == 0);
}

/* A path in the directory; good until the fourth call from here. */
static inline const char *
inside (const char *directory, const char *name)
{
  static char paths[4][600];
  static unsigned next;
  char *path = paths[next++ % 4];
  snprintf (path, sizeof paths[0], "%s/%s", directory, name);
  return path;
}

#endif
