/* SPDX-License-Identifier: MIT */
/*
 * What differs between two values, line by line.
 *
 * Threads: no state.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum
{
  INSP_DIFF_SAME,
  INSP_DIFF_OLD, /* only there before */
  INSP_DIFF_NEW,
  INSP_DIFF_SKIPPED, /* lines that are the same, left out; no text */
} InspDiffKind;

typedef struct
{
  InspDiffKind kind;
  char *text; /* without the line end; of a long one what is around the first difference; NULL: SKIPPED */
} InspDiffLine;

/* An array of InspDiffLine: the lines of both texts, few where much is different. Free it. */
GPtrArray *insp_diff_compare (const char *old, const char *new);

/* The same of two values (NULL: there is none), as JSON or text if both are, else as bytes in hexadecimal
 * digits. */
GPtrArray *insp_diff_compare_values (GBytes *old, GBytes *new);

G_END_DECLS
