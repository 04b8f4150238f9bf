/* SPDX-License-Identifier: MIT */
/*
 * Charts as inline SVG, for HTML: their colours are classes of the page's style. Numbers are
 * written as integers, so that no language changes their form.
 *
 * Threads: any; nothing is kept.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* One bar, piece or rectangle. */
typedef struct
{
  char *label;   /* owned */
  char *text;    /* its amount, for people; owned */
  double amount; /* what its size says; not negative */
  double shade;  /* 0 … 1: what its colour says; below 0: the chart's own colour */
} LdbMark;

GPtrArray *ldb_marks_new (void);
/* Takes `text` over. */
void ldb_marks_add (GPtrArray *marks, const char *label, char *text, double amount, double shade);

/* Bars from left to right, one below the other, with their labels; they are no SVG, as the longest label
 * says how much is left for them. */
void ldb_html_bars (GString *to, const char *title, const GPtrArray *marks);
/* One bar of pieces end to end, with a legend. One with a shade is what is left of the whole: it has no
 * colour. */
void ldb_svg_pieces (GString *to, const char *title, const GPtrArray *marks);
/* Columns side by side, as of a histogram. */
void ldb_svg_columns (GString *to, const char *title, const GPtrArray *marks);
/* Rectangles whose areas are the amounts. */
void ldb_svg_treemap (GString *to, const char *title, const GPtrArray *marks);

/* Text between tags or in an attribute. */
void ldb_html_escape (GString *to, const char *text);

G_END_DECLS
