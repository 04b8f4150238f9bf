/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <math.h>

#include "insp-palette.h"

#define HIGH_CONTRAST 1.85 /* of borders, to 1 */

gboolean
insp_palette_is_dark (GtkWidget *widget)
{
  GdkRGBA text;
  gtk_style_context_get_color (gtk_widget_get_style_context (widget), &text);
  return 0.299 * text.red + 0.587 * text.green + 0.114 * text.blue > 0.5;
}

/* As WCAG has it, of a colour over another: 0 to 1. */
static double
luminance (const GdkRGBA *color, const GdkRGBA *ground)
{
  const float of[] = { color->red, color->green, color->blue };
  const float under[] = { ground->red, ground->green, ground->blue };
  const double weights[] = { 0.2126, 0.7152, 0.0722 };
  double sum = 0;
  for (guint i = 0; i < G_N_ELEMENTS (of); i++)
    {
      double its = (double) of[i] * color->alpha + (double) under[i] * (1 - color->alpha);
      sum += weights[i] * (its <= 0.04045 ? its / 12.92 : pow ((its + 0.055) / 1.055, 2.4));
    }
  return sum;
}

/* GTK 4.8 has no setting for it; “borders” is a colour of GTK's own theme and of libadwaita's, against the
 * ground 1.5 to 1 and less, and 2.2 to 1 and more in those of high contrast. */
gboolean
insp_palette_is_high_contrast (GtkWidget *widget)
{
  GdkRGBA border, ground;
  GtkStyleContext *style = gtk_widget_get_style_context (widget);
  if (!gtk_style_context_lookup_color (style, "borders", &border)
      || !gtk_style_context_lookup_color (style, "theme_bg_color", &ground))
    return FALSE;
  double one = luminance (&border, &ground), other = luminance (&ground, &ground);
  return (MAX (one, other) + 0.05) / (MIN (one, other) + 0.05) > HIGH_CONTRAST;
}

GdkRGBA
insp_palette_color (guint index, gboolean dark)
{
  static const struct
  {
    const char *light, *dark; /* on a light ground, on a dark one */
  } colors[INSP_PALETTE_SIZE] = {
    { "#1c71d8", "#62a0ea" }, { "#e66100", "#ffbe6f" }, { "#26a269", "#8ff0a4" },
    { "#813d9c", "#dc8add" }, { "#a51d2d", "#f66151" }, { "#63452c", "#cdab8f" },
    { "#00757f", "#66d4dd" }, { "#b83b78", "#ff9ec7" }, { "#667500", "#d2dc64" },
    { "#2b3f9e", "#a3b1ff" }, { "#9a6700", "#f5c451" }, { "#5e5c64", "#c0bfbc" },
  };
  GdkRGBA color;
  index %= INSP_PALETTE_SIZE;
  gdk_rgba_parse (&color, dark ? colors[index].dark : colors[index].light);
  return color;
}

GdkRGBA
insp_palette_faint (GtkWidget *widget, double alpha)
{
  GdkRGBA color;
  gtk_style_context_get_color (gtk_widget_get_style_context (widget), &color);
  color.alpha = (float) (insp_palette_is_high_contrast (widget) ? sqrt (alpha) : alpha);
  return color;
}
