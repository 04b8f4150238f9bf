/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "ldb-svg-private.h"

#include <math.h>
#include <string.h>

/* Lengths across are parts of a chart's width, and text has the size of the page's, so that it can be read
 * on a telephone, too. What there is no room for then has the class “w”. */
#define WIDTH 960      /* pixels of a chart, about, on a wide page */
#define NARROW 320     /* on a narrow one */
#define TEXT_WIDTH 100 /* for what stands behind a bar */
#define COLUMNS_HEIGHT 220
#define TREEMAP_HEIGHT 380
#define PALETTE 6      /* classes c0 … c5 of pieces */
#define SHADES 10      /* classes s0 … s9 */
#define LETTER_WIDTH 8 /* about, of the font in a chart */

static void
mark_free (gpointer data)
{
  LdbMark *mark = data;
  g_free (mark->label);
  g_free (mark->text);
  g_free (mark);
}

GPtrArray *
ldb_marks_new (void)
{
  return g_ptr_array_new_with_free_func (mark_free);
}

void
ldb_marks_add (GPtrArray *marks, const char *label, char *text, double amount, double shade)
{
  LdbMark *mark = g_new (LdbMark, 1);
  *mark = (LdbMark){ g_strdup (label), text, isfinite (amount) ? MAX (amount, 0) : 0, shade };
  g_ptr_array_add (marks, mark);
}

void
ldb_html_escape (GString *to, const char *text)
{
  g_autofree char *valid = g_utf8_make_valid (text != NULL ? text : "", -1);
  for (char *at = valid; *at != '\0'; at++) /* no control character is allowed in HTML */
    if (((guchar) *at < 0x20 && *at != '\n' && *at != '\t') || *at == 0x7f)
      *at = '?';
  g_autofree char *escaped = g_markup_escape_text (valid, -1);
  g_string_append (to, escaped);
}

static double
total_of (const GPtrArray *marks, double *most)
{
  double total = 0;
  *most = 0;
  for (guint i = 0; i < marks->len; i++)
    {
      const LdbMark *mark = g_ptr_array_index (marks, i);
      total += mark->amount;
      *most = MAX (*most, mark->amount);
    }
  return total;
}

/* A part of the whole, as CSS and SVG have it in every language. */
static const char *
percent (double share, char to[16])
{
  int hundredths = (int) (CLAMP (share, 0, 1) * 10000 + 0.5);
  g_snprintf (to, 16, "%d.%02d%%", hundredths / 100, hundredths % 100);
  return to;
}

static void
begin_chart (GString *to, const char *element, const char *title)
{
  g_string_append_printf (to, "<%s role=\"img\" aria-label=\"", element);
  ldb_html_escape (to, title);
  g_string_append (to, "\">\n");
}

static void
begin_svg (GString *to, const char *title, int height)
{
  char element[32];
  g_snprintf (element, sizeof element, "svg height=\"%d\"", height);
  begin_chart (to, element, title);
}

static void
add_text (GString *to, const char *x, int y, gboolean wide, const char *anchor, const char *text)
{
  g_string_append_printf (to, "<text%s x=\"%s\" y=\"%d\" text-anchor=\"%s\">",
                          wide ? " class=\"w\"" : "", x, y, anchor);
  ldb_html_escape (to, text);
  g_string_append (to, "</text>\n");
}

/* Whether a text has room in so many pixels of a wide page, and of a narrow one. */
static gboolean
fits (const char *text, double across, gboolean narrow)
{
  double room = narrow ? across * NARROW / WIDTH : across;
  return (double) g_utf8_strlen (text, -1) * LETTER_WIDTH <= room;
}

static void
add_hint (GString *to, const LdbMark *mark)
{
  g_string_append (to, "<title>");
  ldb_html_escape (to, mark->label);
  g_string_append (to, ": ");
  ldb_html_escape (to, mark->text);
  g_string_append (to, "</title>");
}

/* With what it says as a hint. */
static void
add_rectangle (GString *to, double from, double part, int y, int height, const char *class,
               const LdbMark *mark)
{
  char x[16], width[16];
  g_string_append_printf (to, "<rect class=\"%s\" x=\"%s\" y=\"%d\" width=\"%s\" height=\"%d\">",
                          class, percent (from, x), y, percent (part, width), height);
  add_hint (to, mark);
  g_string_append (to, "</rect>\n");
}

static void
class_of (const LdbMark *mark, char to[8])
{
  int shade = (int) (CLAMP (mark->shade, 0, 1) * (SHADES - 1) + 0.5);
  g_snprintf (to, 8, mark->shade < 0 ? "c0" : "s%d", shade);
}

void
ldb_html_bars (GString *to, const char *title, const GPtrArray *marks)
{
  double most;
  total_of (marks, &most);
  begin_chart (to, "div class=\"bars\"", title);
  for (guint i = 0; i < marks->len; i++)
    {
      const LdbMark *mark = g_ptr_array_index (marks, i);
      int thousandths = most > 0 ? (int) (mark->amount / most * 1000) : 0;
      char class[8];
      class_of (mark, class);
      g_string_append (to, "<span>");
      ldb_html_escape (to, mark->label);
      g_string_append_printf (to,
                              "</span><div><i class=\"%s\" style=\"width:calc((100%% - "
                              "%dpx)*%d/1000)%s\"></i>",
                              class, TEXT_WIDTH, thousandths,
                              mark->amount > 0 ? ";min-width:2px" : "");
      ldb_html_escape (to, mark->text);
      g_string_append (to, "</div>\n");
    }
  g_string_append (to, "</div>\n");
}

static void
class_of_piece (const LdbMark *mark, guint number, char to[8])
{
  g_snprintf (to, 8, mark->shade < 0 ? "c%u" : "rest", number % PALETTE);
}

void
ldb_svg_pieces (GString *to, const char *title, const GPtrArray *marks)
{
  double most, total = total_of (marks, &most), before = 0;
  begin_svg (to, title, 40);
  for (guint i = 0; i < marks->len; i++)
    {
      const LdbMark *mark = g_ptr_array_index (marks, i);
      char class[8];
      class_of_piece (mark, i, class);
      if (total > 0)
        add_rectangle (to, before / total, mark->amount / total, 2, 36, class, mark);
      before += mark->amount;
    }
  g_string_append (to, "</svg>\n<ul class=\"legend\">");
  for (guint i = 0; i < marks->len; i++)
    {
      const LdbMark *mark = g_ptr_array_index (marks, i);
      char class[8];
      class_of_piece (mark, i, class);
      g_string_append_printf (to, "<li><span class=\"%s\"></span>", class);
      ldb_html_escape (to, mark->label);
      g_string_append (to, " <b>");
      ldb_html_escape (to, mark->text);
      g_string_append (to, "</b></li>");
    }
  g_string_append (to, "</ul>\n");
}

/* What stands over a column, if there is room, or it is the highest, and below it: where labels would run
 * into each other, not every column has one. */
static void
add_column_texts (GString *to, const LdbMark *mark, guint number, double step, int height,
                  gboolean highest)
{
  char middle[16];
  percent ((number + 0.5) * step, middle);
  if (mark->amount > 0 && (highest || fits (mark->text, step * WIDTH, FALSE)))
    add_text (to, middle, 14 + COLUMNS_HEIGHT - height,
              !highest && !fits (mark->text, step * WIDTH, TRUE), "middle", mark->text);
  double length = (double) g_utf8_strlen (mark->label, -1) * LETTER_WIDTH;
  guint every = 1 + (guint) (length / (step * WIDTH));
  guint every_narrow = 1 + (guint) (length / (step * NARROW));
  if (number % every == 0)
    add_text (to, middle, COLUMNS_HEIGHT + 42, number % every_narrow != 0, "middle", mark->label);
}

void
ldb_svg_columns (GString *to, const char *title, const GPtrArray *marks)
{
  double most;
  total_of (marks, &most);
  double step = MIN (1 / (double) MAX (marks->len, 1), 0.125);
  gboolean told = FALSE;
  begin_svg (to, title, COLUMNS_HEIGHT + 52);
  for (guint i = 0; i < marks->len; i++)
    {
      const LdbMark *mark = g_ptr_array_index (marks, i);
      int height = most > 0 ? (int) (mark->amount / most * COLUMNS_HEIGHT) : 0;
      gboolean highest = !told && mark->amount == most;
      told = told || highest;
      height = MAX (height, mark->amount > 0 ? 2 : 0);
      add_rectangle (to, (i + 0.04) * step, step * 0.92, 20 + COLUMNS_HEIGHT - height, height, "c0",
                     mark);
      add_column_texts (to, mark, i, step, height, highest);
    }
  g_string_append (to, "</svg>\n");
}

/* ---- the treemap: squarified, after Bruls, Huizing and van Wijk ---- */

typedef struct
{
  double x, y, width, height; /* what is left */
} Room;

/* The worst ratio of the sides of rectangles that fill a strip of this length. */
static double
worst_ratio (double least, double most, double sum, double length)
{
  double square = length * length, area = sum * sum;
  return MAX (square * most / area, area / (square * least));
}

/* In a tile: all of a text that has room, or what stands before its last comma that does. */
static void
add_tile_text (GString *to, const char *text, double across, int y)
{
  g_autofree char *shown = g_strdup (text);
  char *comma;
  while (!fits (shown, across - 12, FALSE) && (comma = strrchr (shown, ',')) != NULL)
    *comma = '\0';
  if (fits (shown, across - 12, FALSE))
    add_text (to, "6", y, !fits (shown, across - 12 * WIDTH / NARROW, TRUE), "start", shown);
}

/* In pixels of a wide page. */
static void
add_tile (GString *to, const LdbMark *mark, double x, double y, double width, double height)
{
  char class[8], left[16], across[16];
  int top = (int) y, down = MAX ((int) (y + height) - top, 1);
  class_of (mark, class);
  g_string_append_printf (to,
                          "<svg x=\"%s\" y=\"%d\" width=\"%s\" height=\"%d\"><rect class=\"%s\" "
                          "width=\"100%%\" height=\"100%%\">",
                          percent (x / WIDTH, left), top, percent (width / WIDTH, across), down,
                          class);
  add_hint (to, mark);
  g_string_append (to, "</rect>\n");
  if (down >= 20)
    add_tile_text (to, mark->label, width, 16);
  if (down >= 40)
    add_tile_text (to, mark->text, width, 34);
  g_string_append (to, "</svg>\n");
}

/* Places marks [first, end), `sum` of area together, along the shorter side. */
static void
add_strip (GString *to, const GPtrArray *marks, guint first, guint end, double sum, double scale,
           Room *room)
{
  gboolean upright = room->width >= room->height;
  double length = upright ? room->height : room->width, thickness = length > 0 ? sum / length : 0;
  double at = 0;
  for (guint i = first; i < end; i++)
    {
      const LdbMark *mark = g_ptr_array_index (marks, i);
      double side = thickness > 0 ? mark->amount * scale / thickness : 0;
      if (upright)
        add_tile (to, mark, room->x, room->y + at, thickness, side);
      else
        add_tile (to, mark, room->x + at, room->y, side, thickness);
      at += side;
    }
  if (upright)
    {
      room->x += thickness;
      room->width -= thickness;
    }
  else
    {
      room->y += thickness;
      room->height -= thickness;
    }
}

static int
compare_marks (gconstpointer a, gconstpointer b)
{
  const LdbMark *left = *(LdbMark *const *) a, *right = *(LdbMark *const *) b;
  return (left->amount < right->amount) - (left->amount > right->amount);
}

void
ldb_svg_treemap (GString *to, const char *title, const GPtrArray *marks)
{
  double most, total = total_of (marks, &most);
  Room room = { 0, 0, WIDTH, TREEMAP_HEIGHT };
  begin_svg (to, title, TREEMAP_HEIGHT);
  g_autoptr (GPtrArray) sorted = g_ptr_array_new ();
  for (guint i = 0; i < marks->len; i++)
    if (((LdbMark *) g_ptr_array_index (marks, i))->amount > 0)
      g_ptr_array_add (sorted, g_ptr_array_index (marks, i));
  g_ptr_array_sort (sorted, compare_marks);
  double scale = total > 0 ? WIDTH * (double) TREEMAP_HEIGHT / total : 0;
  for (guint first = 0, end; first < sorted->len; first = end)
    {
      double largest = ((LdbMark *) g_ptr_array_index (sorted, first))->amount * scale;
      double length = MIN (room.width, room.height), sum = largest;
      for (end = first + 1; end < sorted->len; end++)
        {
          double next = ((LdbMark *) g_ptr_array_index (sorted, end))->amount * scale;
          double last = ((LdbMark *) g_ptr_array_index (sorted, end - 1))->amount * scale;
          if (worst_ratio (next, largest, sum + next, length)
              > worst_ratio (last, largest, sum, length))
            break;
          sum += next;
        }
      add_strip (to, sorted, first, end, sum, scale, &room);
    }
  g_string_append (to, "</svg>\n");
}
