/* SPDX-License-Identifier: MIT */
/*
 * InspFacts: what is known of something: names and figures, as many beside one another as there is room
 * for.
 */
#pragma once

#include <gtk/gtk.h>

#include <lightning-db.h>

G_BEGIN_DECLS

#define INSP_TYPE_FACTS (insp_facts_get_type ())
G_DECLARE_FINAL_TYPE (InspFacts, insp_facts, INSP, FACTS, GtkWidget)

GtkWidget *insp_facts_new (void);
/* What is known of a part of the storage; NULL: nothing is shown. `now`: microseconds since 1970. */
void insp_facts_show_node (InspFacts *self, LdbStorageNode *node, gint64 now);
/* What is known of a page. */
void insp_facts_show_page (InspFacts *self, const LdbPage *page);

G_END_DECLS
