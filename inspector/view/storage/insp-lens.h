/* SPDX-License-Identifier: MIT */
/*
 * What a map of storage is coloured by, in steps that its legend names.
 *
 * Threads: no state.
 */
#pragma once

#include <lightning-db.h>

G_BEGIN_DECLS

typedef enum
{
  INSP_LENS_AGE,    /* since when it is there */
  INSP_LENS_FILL,   /* which part of its pages is used */
  INSP_LENS_CODEC,  /* how most pages are compressed */
  INSP_LENS_HEAT,   /* which part of it is in the cache; of a page what the cache knows of it */
  INSP_LENS_FILTER, /* bits of the filter for each key */
} InspLens;

#define INSP_LENSES 5u
#define INSP_LENS_STEPS 5u

const char *insp_lens_name (InspLens self);
/* Of a page, a step may mean something else. */
const char *insp_lens_step_name (InspLens self, gboolean of_pages, guint step);
/* Whether the steps are an order, from little to much. */
gboolean insp_lens_is_ordered (InspLens self);

/* The step, or -1: it has none. `now`: microseconds since 1970. */
int insp_lens_step_of (InspLens self, LdbStorageNode *node, gint64 now);
int insp_lens_step_of_page (InspLens self, const LdbPage *page);

/* The figure behind it; “–”: there is none. Free it. */
char *insp_lens_figure_of (InspLens self, LdbStorageNode *node, gint64 now);
char *insp_lens_figure_of_page (InspLens self, const LdbPage *page);

G_END_DECLS
