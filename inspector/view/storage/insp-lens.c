/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <glib/gi18n-lib.h>
#include <math.h>

#include "insp-lens.h"
#include "insp-unit.h"

static const struct
{
  const char *name;
  const char *steps[INSP_LENS_STEPS]; /* NULL: there are fewer */
  const char
      *page_steps[INSP_LENS_STEPS]; /* of pages, where these differ; first one NULL: they don't */
  double ends[INSP_LENS_STEPS - 1]; /* a value below the first is of step 0, … */
} lenses[] = {
  [INSP_LENS_AGE] = { N_ ("Age"),
                      { N_ ("below a minute"), N_ ("below 10 minutes"), N_ ("below an hour"),
                        N_ ("below a day"), N_ ("older") },
                      { NULL },
                      { 60, 600, 3600, 86400 } },
  [INSP_LENS_FILL]
  = { N_ ("Fill"),
      { N_ ("below 50 %"), N_ ("below 70 %"), N_ ("below 85 %"), N_ ("below 95 %"), N_ ("fuller") },
      { NULL },
      { 0.5, 0.7, 0.85, 0.95 } },
  [INSP_LENS_CODEC] = { N_ ("Compression"),
                        { N_ ("none"), N_ ("zstd"), N_ ("LZ4"), N_ ("Snappy") },
                        { NULL },
                        { 0 } },
  [INSP_LENS_HEAT] = { N_ ("Cache"),
                       { N_ ("nothing of it"), N_ ("below 10 %"), N_ ("below 50 %"),
                         N_ ("below 90 %"), N_ ("nearly all") },
                       { N_ ("not cached"), N_ ("by a scan"), N_ ("wanted once"),
                         N_ ("wanted often"), N_ ("in use now") },
                       { 1e-9, 0.1, 0.5, 0.9 } },
  [INSP_LENS_FILTER] = { N_ ("Filter"),
                         { N_ ("no filter"), N_ ("below 6 bits a key"), N_ ("below 9 bits"),
                           N_ ("below 12 bits"), N_ ("more") },
                         { NULL },
                         { 1e-9, 6, 9, 12 } },
};

const char *
insp_lens_name (InspLens self)
{
  return _ (lenses[self].name);
}

const char *
insp_lens_step_name (InspLens self, gboolean of_pages, guint step)
{
  const char *const *names = of_pages && lenses[self].page_steps[0] != NULL
                                 ? lenses[self].page_steps
                                 : lenses[self].steps;
  return names[step] != NULL ? _ (names[step]) : NULL;
}

gboolean
insp_lens_is_ordered (InspLens self)
{
  return self != INSP_LENS_CODEC;
}

/* ---- values ---- */

/* The codec of most pages; -1: there are none. */
static int
main_codec (const LdbStorageFigures *figures)
{
  const guint64 pages[] = {
    [LDB_PAGE_CODEC_NONE] = figures->raw_pages,
    [LDB_PAGE_CODEC_ZSTD] = figures->zstd_pages,
    [LDB_PAGE_CODEC_LZ4] = figures->lz4_pages,
    [LDB_PAGE_CODEC_SNAPPY] = figures->snappy_pages,
  };
  guint most = 0;
  for (guint i = 1; i < G_N_ELEMENTS (pages); i++)
    if (pages[i] > pages[most])
      most = i;
  return pages[most] > 0 ? (int) most : -1;
}

/* NAN: it has none. */
static double
value_of (InspLens self, LdbStorageNode *node, gint64 now)
{
  const LdbStorageFigures *figures = ldb_storage_node_get_figures (node);
  double pages = (double) (figures->leaves + figures->inner_pages);
  if (pages == 0)
    return NAN;
  switch (self)
    {
    case INSP_LENS_AGE:
      return figures->created > 0
                 ? (double) MAX (now - (gint64) figures->created, 0) / G_USEC_PER_SEC
                 : NAN;
    case INSP_LENS_FILL:
      return ldb_storage_node_get_fill (node);
    case INSP_LENS_CODEC:
      return main_codec (figures);
    case INSP_LENS_HEAT:
      return (double) figures->cached_pages / pages;
    case INSP_LENS_FILTER:
    default:
      return figures->records > 0 ? 8 * (double) figures->filter_bytes / (double) figures->records
                                  : NAN;
    }
}

static int
step_of_value (InspLens self, double value)
{
  int step = 0;
  if (isnan (value))
    return -1;
  if (self == INSP_LENS_CODEC)
    return (int) value;
  while (step < (int) G_N_ELEMENTS (lenses[self].ends) && value >= lenses[self].ends[step])
    step++;
  return step;
}

int
insp_lens_step_of (InspLens self, LdbStorageNode *node, gint64 now)
{
  return step_of_value (self, value_of (self, node, now));
}

int
insp_lens_step_of_page (InspLens self, const LdbPage *page)
{
  switch (self)
    {
    case INSP_LENS_FILL:
      return page->logical_size > 0
                 ? step_of_value (self, (double) page->used_size / (double) page->logical_size)
                 : -1;
    case INSP_LENS_CODEC:
      return (int) page->codec;
    case INSP_LENS_HEAT:
      return page->heat & (LDB_PAGE_HEAT_PINNED | LDB_PAGE_HEAT_MAPPED) ? 4
             : page->heat & LDB_PAGE_HEAT_FREQUENT                      ? 3
             : page->heat & LDB_PAGE_HEAT_SCANNED                       ? 1
             : page->heat != LDB_PAGE_HEAT_COLD                         ? 2
                                                                        : 0;
    case INSP_LENS_AGE:
    case INSP_LENS_FILTER:
    default:
      return -1; /* a page has none of its own */
    }
}

/* ---- figures ---- */

static const char *
filter_name (LdbFilterKind kind)
{
  return kind == LDB_FILTER_BLOOM  ? C_ ("filter", "Bloom")
         : kind == LDB_FILTER_FUSE ? C_ ("filter", "fuse")
                                   : C_ ("filter", "none");
}

static char *
format_filter (LdbStorageNode *node, double bits)
{
  LdbFilterKind kind = ldb_storage_node_get_filter (node);
  g_autofree char *number = g_strdup_printf ("%.1f", bits);
  if (kind == LDB_FILTER_NONE)
    /* Translators: the size of a filter, for each key */
    return bits > 0 ? g_strdup_printf (_ ("%s bits"), number) : g_strdup (C_ ("filter", "none"));
  /* Translators: a kind of filter, and its size for each key */
  return g_strdup_printf (_ ("%s, %s bits"), filter_name (kind), number);
}

char *
insp_lens_figure_of (InspLens self, LdbStorageNode *node, gint64 now)
{
  double value = value_of (self, node, now);
  if (isnan (value) || (self == INSP_LENS_CODEC && value < 0))
    return g_strdup ("–");
  switch (self)
    {
    case INSP_LENS_AGE:
      return insp_unit_format (INSP_UNIT_NANOSECONDS, round (value) * 1e9);
    case INSP_LENS_CODEC:
      return g_strdup (insp_lens_step_name (self, FALSE, (guint) value));
    case INSP_LENS_FILTER:
      return format_filter (node, value);
    case INSP_LENS_FILL:
    case INSP_LENS_HEAT:
    default:
      return insp_unit_format (INSP_UNIT_SHARE, value);
    }
}

char *
insp_lens_figure_of_page (InspLens self, const LdbPage *page)
{
  int step = insp_lens_step_of_page (self, page);
  if (step < 0)
    return g_strdup ("–");
  if (self == INSP_LENS_FILL)
    return insp_unit_format (INSP_UNIT_SHARE,
                             (double) page->used_size / (double) page->logical_size);
  return g_strdup (insp_lens_step_name (self, TRUE, (guint) step));
}
