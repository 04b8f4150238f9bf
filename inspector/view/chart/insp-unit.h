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

/* The least round number that is not below `value`: where a scale ends. */
double insp_unit_round_up (InspUnit unit, double value);

G_END_DECLS
