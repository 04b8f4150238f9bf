/* SPDX-License-Identifier: MIT */
/*
 * check: what the engine's unit tests are written with. A failed check prints file, line and the
 * expression, then aborts, so that a core or sanitizer report stands at the place. Never compiled
 * out.
 */
#ifndef LIGHTNING_TESTS_CHECK_H
#define LIGHTNING_TESTS_CHECK_H

#include "base/bytes.h"
#include "base/status.h"

#include "../check-condition.h"
#include "../fresh-directory.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define CHECK_INT(actual, expected)                                                                \
  do                                                                                               \
    {                                                                                              \
      long long check_actual = (long long) (actual), check_expected = (long long) (expected);      \
      if (check_actual != check_expected)                                                          \
        {                                                                                          \
          fprintf (stderr, "%s:%d: %s is %lld, not %lld\n", __FILE__, __LINE__, #actual,           \
                   check_actual, check_expected);                                                  \
          abort ();                                                                                \
        }                                                                                          \
    }                                                                                              \
  while (0)

/* Runs a call that takes `&failure` last and must succeed. */
#define CHECK_OK(call)                                                                             \
  do                                                                                               \
    {                                                                                              \
      failure = FAILURE_INIT;                                                                      \
      status check_status = (call);                                                                \
      if (check_status != STATUS_OK)                                                               \
        {                                                                                          \
          fprintf (stderr, "%s:%d: %s: %s (%s)\n", __FILE__, __LINE__, #call,                      \
                   status_name (check_status), failure.message);                                   \
          abort ();                                                                                \
        }                                                                                          \
    }                                                                                              \
  while (0)

#define CHECK_FAILS(call, expected)                                                                \
  do                                                                                               \
    {                                                                                              \
      failure = FAILURE_INIT;                                                                      \
      status check_status = (call);                                                                \
      if (check_status != (expected))                                                              \
        {                                                                                          \
          fprintf (stderr, "%s:%d: %s gave %s, not %s (%s)\n", __FILE__, __LINE__, #call,          \
                   status_name (check_status), status_name (expected), failure.message);           \
          abort ();                                                                                \
        }                                                                                          \
    }                                                                                              \
  while (0)

#endif
