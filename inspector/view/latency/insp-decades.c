/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <math.h>

#include "insp-decades.h"
#include "insp-history.h"
#include "insp-palette.h"
#include "insp-plot.h"
#include "insp-unit.h"

#define DECADES_LEAST 2

InspDecades
insp_decades_of (const guint64 *bars)
{
  int low = -1, high = 0;
  for (guint i = 0; i < INSP_BARS; i++)
    if (bars[i] > 0)
      {
        double end = log10 (insp_history_bar_end (i));
        if (low < 0)
          low = (int) floor (end - log10 (2) / INSP_BARS_PER_OCTAVE);
        high = (int) ceil (end);
      }
  if (low < 0)
    return (InspDecades){ 3, 6 };
  return (InspDecades){ low, MAX (high, low + DECADES_LEAST) };
}

double
insp_decades_place (InspDecades self, double nanoseconds)
{
  return (log10 (MAX (nanoseconds, 1)) - self.low) / (self.high - self.low);
}

double
insp_decades_at (InspDecades self, double place)
{
  return pow (10, self.low + place * (self.high - self.low));
}

void
insp_decades_append_grid (InspDecades self, GtkWidget *widget, GtkSnapshot *snapshot)
{
  graphene_rect_t plot = insp_plot_of (widget);
  GdkRGBA line = insp_palette_faint (widget, 0.12), text = insp_palette_faint (widget, 0.65);
  for (int exponent = self.low; exponent <= self.high; exponent++)
    {
      double value = pow (10, exponent);
      double y = floor (plot.size.height * (1 - insp_decades_place (self, value)));
      g_autofree char *label = insp_unit_format (INSP_UNIT_NANOSECONDS, value);
      insp_plot_append_box (snapshot, 0, MIN (y, plot.size.height - 1), plot.size.width, 1, &line);
      if (exponent > self.low)
        insp_plot_append_text (widget, snapshot, label, 2, y + 1, 0, &text);
    }
}
