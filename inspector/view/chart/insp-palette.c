/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "insp-palette.h"

gboolean
insp_palette_is_dark (GtkWidget *widget)
{
  GdkRGBA text;
  gtk_style_context_get_color (gtk_widget_get_style_context (widget), &text);
  return 0.299 * text.red + 0.587 * text.green + 0.114 * text.blue > 0.5;
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
  color.alpha = (float) alpha;
  return color;
}
