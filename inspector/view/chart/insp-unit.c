/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <glib/gi18n-lib.h>
#include <math.h>

#include "insp-unit.h"

typedef struct
{
  double size;        /* in the unit's base */
  const char *format; /* of a figure in it */
} Step;

static const Step counts[] = {
  { 1e9, N_ ("%s G") },
  { 1e6, N_ ("%s M") },
  { 1e3, N_ ("%s k") },
  { 1, "%s" },
};
static const Step rates[] = {
  { 1e9, N_ ("%s G/s") },
  { 1e6, N_ ("%s M/s") },
  { 1e3, N_ ("%s k/s") },
  { 1, N_ ("%s/s") },
};
static const Step bytes[] = {
  { 1e12, N_ ("%s TB") }, { 1e9, N_ ("%s GB") }, { 1e6, N_ ("%s MB") },
  { 1e3, N_ ("%s kB") },  { 1, N_ ("%s B") },
};
static const Step bytes_per_second[] = {
  { 1e9, N_ ("%s GB/s") },
  { 1e6, N_ ("%s MB/s") },
  { 1e3, N_ ("%s kB/s") },
  { 1, N_ ("%s B/s") },
};
static const Step times[] = {
  { 1e9, N_ ("%s s") },
  { 1e6, N_ ("%s ms") },
  { 1e3, N_ ("%s µs") },
  { 1, N_ ("%s ns") },
};
static const Step shares[] = { { 0.01, N_ ("%s %%") } };

static const struct
{
  const Step *steps; /* the largest first */
  guint count;
} units[] = {
  [INSP_UNIT_COUNT] = { counts, G_N_ELEMENTS (counts) },
  [INSP_UNIT_PER_SECOND] = { rates, G_N_ELEMENTS (rates) },
  [INSP_UNIT_BYTES] = { bytes, G_N_ELEMENTS (bytes) },
  [INSP_UNIT_BYTES_PER_SECOND] = { bytes_per_second, G_N_ELEMENTS (bytes_per_second) },
  [INSP_UNIT_NANOSECONDS] = { times, G_N_ELEMENTS (times) },
  [INSP_UNIT_SHARE] = { shares, G_N_ELEMENTS (shares) },
};

/* 1234 stays whole; below a thousand three digits count. */
static char *
format_number (double value)
{
  double size = fabs (value);
  if (value == floor (value) || size >= 99.95)
    return g_strdup_printf ("%'.0f", value);
  return g_strdup_printf (size >= 9.995 ? "%'.1f" : "%'.2f", value);
}

char *
insp_unit_format (InspUnit unit, double value)
{
  const Step *steps = units[unit].steps;
  guint last = units[unit].count - 1, i = 0;
  if (isnan (value))
    return g_strdup ("–");
  while (i < last && fabs (value) < 0.9995 * steps[i].size)
    i++;
  g_autofree char *number = format_number (value / steps[i].size);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
  return g_strdup_printf (_ (steps[i].format), number);
#pragma GCC diagnostic pop
}

char *
insp_unit_format_change (double ratio)
{
  double change = (ratio - 1) * 100;
  if (!isfinite (change))
    return g_strdup ("–");
  const char *sign = fabs (change) < 0.5 ? "" : change < 0 ? "−" : "+";
  /* Translators: a change: its sign, and how much it is in percent */
  return g_strdup_printf (_ ("%s%.0f %%"), sign, fabs (change));
}

double
insp_unit_round_up (InspUnit unit, double value)
{
  static const double round[] = { 1, 2, 2.5, 5, 10 };
  if (unit == INSP_UNIT_SHARE)
    return 1;
  if (!(value > 0))
    return 1;
  double power = pow (10, floor (log10 (value)));
  for (guint i = 0; i < G_N_ELEMENTS (round); i++)
    if (round[i] * power >= value * (1 - 1e-9))
      return unit == INSP_UNIT_COUNT && round[i] * power < 1 ? 1 : round[i] * power;
  return 10 * power;
}
