/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <math.h>

#include "insp-raster.h"

void
insp_raster_init (InspRaster *self, int width, int height)
{
  self->width = MAX (width, 1);
  self->height = MAX (height, 1);
  self->pixels = g_new0 (guint32, (gsize) self->width * (gsize) self->height);
}

/* `color` with `coverage` over a premultiplied pixel. */
static guint32
blend (guint32 under, const GdkRGBA *color, double coverage)
{
  double alpha = color->alpha * coverage;
  const double over[] = { color->blue, color->green, color->red, 1 }; /* from the lowest byte */
  guint32 pixel = 0;
  for (guint i = 0; i < 4; i++)
    {
      double below = (double) (under >> 8 * i & 0xff);
      pixel |= (guint32) (over[i] * alpha * 255 + below * (1 - alpha) + 0.5) << 8 * i;
    }
  return pixel;
}

void
insp_raster_span (InspRaster *self, int column, double top, double bottom, const GdkRGBA *color)
{
  if (column < 0 || column >= self->width || !(top < bottom))
    return;
  top = CLAMP (top, 0, self->height);
  bottom = CLAMP (bottom, 0, self->height);
  for (int row = (int) floor (top); row < (int) ceil (bottom); row++)
    {
      double coverage = MIN (bottom, row + 1) - MAX (top, row);
      guint32 *pixel = &self->pixels[(gsize) row * (gsize) self->width + (gsize) column];
      *pixel = blend (*pixel, color, coverage);
    }
}

void
insp_raster_box (InspRaster *self, int x, int y, int width, int height, const GdkRGBA *color)
{
  guint32 pixel = blend (0, color, 1);
  int right = MIN (x + width, self->width), bottom = MIN (y + height, self->height);
  for (int row = MAX (y, 0); row < bottom; row++)
    for (int column = MAX (x, 0); column < right; column++)
      self->pixels[(gsize) row * (gsize) self->width + (gsize) column] = pixel;
}

GdkTexture *
insp_raster_finish (InspRaster *self)
{
  gsize stride = (gsize) self->width * sizeof *self->pixels;
  g_autoptr (GBytes) bytes
      = g_bytes_new_take (g_steal_pointer (&self->pixels), stride * (gsize) self->height);
#if G_BYTE_ORDER == G_LITTLE_ENDIAN
  GdkMemoryFormat format = GDK_MEMORY_B8G8R8A8_PREMULTIPLIED;
#else
  GdkMemoryFormat format = GDK_MEMORY_A8R8G8B8_PREMULTIPLIED;
#endif
  return gdk_memory_texture_new (self->width, self->height, format, bytes, stride);
}
