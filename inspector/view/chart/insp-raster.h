/* SPDX-License-Identifier: MIT */
/*
 * InspRaster: a picture of lines, column by column, as a texture.
 *
 * GTK draws what changed through cairo twice over; a texture is copied once. What is drawn into a
 * column is a span from `top` to `bottom` (fractions of a pixel count), over what is there.
 */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

typedef struct
{
  int width, height; /* pixels */
  guint32 *pixels;   /* GDK_MEMORY_DEFAULT, row by row; owned */
} InspRaster;

void insp_raster_init (InspRaster *self, int width, int height);
void insp_raster_span (InspRaster *self, int column, double top, double bottom,
                       const GdkRGBA *color);
/* Sets pixels, whatever was there; what is outside is left out. */
void insp_raster_box (InspRaster *self, int x, int y, int width, int height, const GdkRGBA *color);
/* Gives the pixels away. */
GdkTexture *insp_raster_finish (InspRaster *self);

G_END_DECLS
