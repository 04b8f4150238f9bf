/* SPDX-License-Identifier: MIT */
/*
 * An image out of a value, decoded by a thread. Whoever wrote the value need not be a friend: a picture of
 * a few hundred bytes may say that it is 100,000 pixels wide, so what it says is looked at before anything
 * is allocated, and what is drawn is no larger than a window.
 */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define INSP_IMAGE_PIXELS_MAX (64u << 20) /* of an image that is decoded */
#define INSP_IMAGE_SIDE_MAX 2048          /* pixels of what is shown: larger ones are scaled down */

/* `callback` comes in the main context that this is called in. */
void insp_image_load_async (GBytes *bytes, GCancellable *cancellable, GAsyncReadyCallback callback,
                            gpointer data);

/* NULL: it is none, or too large; `error` says so in a sentence for the user. */
GdkTexture *insp_image_load_finish (GAsyncResult *result, GError **error);

G_END_DECLS
