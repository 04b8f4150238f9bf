/* SPDX-License-Identifier: MIT */
/*
 * Bytes to a file that the user named: all of them, or what was there stays. On a disk that fills up
 * g_file_replace_contents() puts the part that was written in the place of the old file.
 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

void insp_save_async (GFile *file, GBytes *bytes, GFileCreateFlags flags, GCancellable *cancellable,
                      GAsyncReadyCallback callback, gpointer data);
/* The source of the result is the file. */
gboolean insp_save_finish (GFile *file, GAsyncResult *result, GError **error);

G_END_DECLS
