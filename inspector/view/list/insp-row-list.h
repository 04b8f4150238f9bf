/* SPDX-License-Identifier: MIT */
/*
 * InspRowList: what was asked for again and again, as a GListModel whose rows stay the same objects:
 * a view of it keeps its place and its selection.
 *
 * Threads: the main one.
 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

#define INSP_TYPE_ROW (insp_row_get_type ())
G_DECLARE_FINAL_TYPE (InspRow, insp_row, INSP, ROW, GObject)

/* Signal changed (): it has other contents. */
gconstpointer insp_row_get (InspRow *self);

/* Which of all there are these contents are of: the same number, the same row. */
typedef guint64 (*InspRowIdentity) (gconstpointer contents);

#define INSP_TYPE_ROW_LIST (insp_row_list_get_type ())
G_DECLARE_FINAL_TYPE (InspRowList, insp_row_list, INSP, ROW_LIST, GObject)

InspRowList *insp_row_list_new (InspRowIdentity identity, GDestroyNotify free_contents);

/* These are the contents now; takes all of them, and leaves the array empty. Of several with one
 * identity the first is taken. What is told to the list's users is as little as a walk over both finds. */
void insp_row_list_set (InspRowList *self, GPtrArray *contents);

/* These come before all others, the last of them first; what is beyond `most` goes. Takes them. */
void insp_row_list_prepend_reversed (InspRowList *self, GPtrArray *contents, guint most);

/* Borrowed. */
gconstpointer insp_row_list_get (InspRowList *self, guint position);

/* Of a row's bytes: for contents that have no number of their own. */
guint64 insp_row_identity_of_bytes (gconstpointer bytes, gsize size);

G_END_DECLS
