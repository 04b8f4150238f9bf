/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <glib/gi18n-lib.h>

#include "insp-image.h"

#define BYTES_MAX ((gsize) 32 << 20) /* that are decoded */
#define PIECE ((gsize) 64 << 10)     /* bytes between looks at whether it is still wanted */

/* What an image says of itself, before its pixels are read. No width: it is not decoded. */
static void
on_size (GdkPixbufLoader *loader, int width, int height, gboolean *is_too_large)
{
  *is_too_large = (guint64) width * (guint64) height > INSP_IMAGE_PIXELS_MAX;
  if (*is_too_large)
    gdk_pixbuf_loader_set_size (loader, 0, 0);
}

static gboolean
feed (GdkPixbufLoader *loader, GBytes *bytes, GCancellable *cancellable)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (bytes, &size);
  gboolean fine = TRUE;
  for (gsize at = 0; fine && at < size; at += PIECE)
    fine = !g_cancellable_is_cancelled (cancellable)
           && gdk_pixbuf_loader_write (loader, data + at, MIN (PIECE, size - at), NULL);
  return gdk_pixbuf_loader_close (loader, NULL) && fine;
}

static GdkTexture *
texture_of (GdkPixbuf *image)
{
  int width = gdk_pixbuf_get_width (image), height = gdk_pixbuf_get_height (image);
  double scale = (double) INSP_IMAGE_SIDE_MAX / MAX (width, height);
  if (scale >= 1)
    return gdk_texture_new_for_pixbuf (image);
  g_autoptr (GdkPixbuf) small
      = gdk_pixbuf_scale_simple (image, MAX ((int) (width * scale), 1),
                                 MAX ((int) (height * scale), 1), GDK_INTERP_BILINEAR);
  return small != NULL ? gdk_texture_new_for_pixbuf (small) : NULL;
}

static void
load_in_thread (GTask *task, gpointer source, gpointer bytes, GCancellable *cancellable)
{
  g_autoptr (GdkPixbufLoader) loader = gdk_pixbuf_loader_new ();
  gboolean is_too_large = g_bytes_get_size (bytes) > BYTES_MAX;
  g_signal_connect (loader, "size-prepared", G_CALLBACK (on_size), &is_too_large);
  gboolean fine = !is_too_large && feed (loader, bytes, cancellable);
  if (is_too_large)
    gdk_pixbuf_loader_close (loader, NULL);
  GdkPixbuf *image = fine ? gdk_pixbuf_loader_get_pixbuf (loader) : NULL;
  GdkTexture *texture = image != NULL ? texture_of (image) : NULL;
  if (texture != NULL)
    g_task_return_pointer (task, texture, g_object_unref);
  else
    g_task_return_new_error (task, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "%s",
                             is_too_large ? _ ("The image is too large to be shown here.")
                                          : _ ("The value is no image that can be shown."));
}

void
insp_image_load_async (GBytes *bytes, GCancellable *cancellable, GAsyncReadyCallback callback,
                       gpointer data)
{
  g_autoptr (GTask) task = g_task_new (NULL, cancellable, callback, data);
  g_task_set_source_tag (task, insp_image_load_async);
  g_task_set_task_data (task, g_bytes_ref (bytes), (GDestroyNotify) g_bytes_unref);
  g_task_run_in_thread (task, load_in_thread);
}

GdkTexture *
insp_image_load_finish (GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}
