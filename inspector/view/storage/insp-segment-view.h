/* SPDX-License-Identifier: MIT */
/*
 * InspSegmentView: what is known of a part of the storage, and, of a segment, its pages: as rectangles and
 * as a table.
 */
#pragma once

#include <gtk/gtk.h>

#include "insp-lens.h"
#include "insp-session.h"

G_BEGIN_DECLS

#define INSP_TYPE_SEGMENT_VIEW (insp_segment_view_get_type ())
G_DECLARE_FINAL_TYPE (InspSegmentView, insp_segment_view, INSP, SEGMENT_VIEW, GtkWidget)

/* Signal selected (): another page is, or none. */
GtkWidget *insp_segment_view_new (InspSession *session);
/* NULL: nothing is shown. `now`: microseconds since 1970. */
void insp_segment_view_set_node (InspSegmentView *self, LdbStorageNode *node, gint64 now);
void insp_segment_view_set_lens (InspSegmentView *self, InspLens lens);
/* Shows a page of the segment, once its pages are there. */
void insp_segment_view_go_to (InspSegmentView *self, guint64 page);

/* The number of the segment; FALSE: it is none. */
gboolean insp_segment_view_get_segment (InspSegmentView *self, guint64 *number);
const LdbPage *insp_segment_view_get_page (InspSegmentView *self); /* NULL: none is selected */

G_END_DECLS
