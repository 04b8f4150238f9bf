/* SPDX-License-Identifier: MIT */
/*
 * How figures are written for people: in their unit, with three digits that count, in the user's
 * locale.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum
{
  INSP_UNIT_COUNT,
  INSP_UNIT_PER_SECOND,
  INSP_UNIT_BYTES,
  INSP_UNIT_BYTES_PER_SECOND,
  INSP_UNIT_NANOSECONDS,
  INSP_UNIT_SHARE, /* 0 … 1, written in percent */
} InspUnit;

/* NAN is a dash: nothing is known. Free it. */
char *insp_unit_format (InspUnit unit, double value);

/* By what something is more than something else, of which it is `ratio` times as much: “+20 %”, “−5 %”. A
 * dash when that is no number. Free it. */
char *insp_unit_format_change (double ratio);

/* The least round number that is not below `value`: where a scale ends. */
double insp_unit_round_up (InspUnit unit, double value);

G_END_DECLS
