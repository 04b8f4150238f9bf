/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "ldb-svg-private.h"

#include <math.h>
#include <string.h>

#define WIDTH 960 /* of a chart, in its own units */
#define LABEL_WIDTH 240
#define TEXT_WIDTH 130 /* for what stands behind a bar */
#define BAR_HEIGHT 22
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

static void
begin_svg (GString *to, const char *title, int height)
{
  g_string_append_printf (to, "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"", WIDTH,
                          height);
  ldb_html_escape (to, title);
  g_string_append (to, "\">\n");
}

static void
add_text (GString *to, int x, int y, const char *anchor, const char *text)
{
  g_string_append_printf (to, "<text x=\"%d\" y=\"%d\" text-anchor=\"%s\">", x, y, anchor);
  ldb_html_escape (to, text);
  g_string_append (to, "</text>\n");
}

/* With what it says as a hint. */
static void
add_rectangle (GString *to, int x, int y, int width, int height, const char *class,
               const LdbMark *mark)
{
  g_string_append_printf (to,
                          "<rect class=\"%s\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"><title>",
                          class, x, y, width, height);
  ldb_html_escape (to, mark->label);
  g_string_append (to, ": ");
  ldb_html_escape (to, mark->text);
  g_string_append (to, "</title></rect>\n");
}

/* As much of a text as so many letters have room for. */
static char *
cut (const char *text, glong letters)
{
  if (g_utf8_strlen (text, -1) <= letters)
    return g_strdup (text);
  g_autofree char *head = g_utf8_substring (text, 0, MAX (letters - 1, 0));
  return g_strconcat (head, "…", NULL);
}

static void
class_of (const LdbMark *mark, char to[8])
{
  int shade = (int) (CLAMP (mark->shade, 0, 1) * (SHADES - 1) + 0.5);
  g_snprintf (to, 8, mark->shade < 0 ? "c0" : "s%d", shade);
}

void
ldb_svg_bars (GString *to, const char *title, const GPtrArray *marks)
{
  double most;
  total_of (marks, &most);
  begin_svg (to, title, (int) marks->len * (BAR_HEIGHT + 6) + 6);
  for (guint i = 0; i < marks->len; i++)
    {
      const LdbMark *mark = g_ptr_array_index (marks, i);
      int y = 4 + (int) i * (BAR_HEIGHT + 6), room = WIDTH - LABEL_WIDTH - TEXT_WIDTH;
      int width = most > 0 ? (int) (mark->amount / most * room) : 0;
      g_autofree char *label = cut (mark->label, LABEL_WIDTH / LETTER_WIDTH);
      char class[8];
      class_of (mark, class);
      add_text (to, LABEL_WIDTH - 8, y + 16, "end", label);
      add_rectangle (to, LABEL_WIDTH, y, MAX (width, mark->amount > 0 ? 2 : 0), BAR_HEIGHT, class,
                     mark);
      add_text (to, LABEL_WIDTH + MAX (width, 2) + 8, y + 16, "start", mark->text);
    }
  g_string_append (to, "</svg>\n");
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
      int from = total > 0 ? (int) (before / total * WIDTH) : 0;
      before += mark->amount;
      int end = total > 0 ? (int) (before / total * WIDTH) : 0;
      char class[8];
      class_of_piece (mark, i, class);
      add_rectangle (to, from, 2, MAX (end - from, 0), 36, class, mark);
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

void
ldb_svg_columns (GString *to, const char *title, const GPtrArray *marks)
{
  double most;
  total_of (marks, &most);
  int step = marks->len > 0 ? MIN (WIDTH / (int) marks->len, 120) : WIDTH;
  begin_svg (to, title, COLUMNS_HEIGHT + 52);
  for (guint i = 0; i < marks->len; i++)
    {
      const LdbMark *mark = g_ptr_array_index (marks, i);
      int height = most > 0 ? (int) (mark->amount / most * COLUMNS_HEIGHT) : 0;
      int x = (int) i * step, middle = x + step / 2;
      height = MAX (height, mark->amount > 0 ? 2 : 0);
      add_rectangle (to, x + 2, 20 + COLUMNS_HEIGHT - height, MAX (step - 4, 1), height, "c0",
                     mark);
      if (mark->amount > 0 && (glong) step / LETTER_WIDTH >= g_utf8_strlen (mark->text, -1))
        add_text (to, middle, 14 + COLUMNS_HEIGHT - height, "middle", mark->text);
      /* Where labels would run into each other, not every column has one. */
      int letters = (int) g_utf8_strlen (mark->label, -1);
      int every = MAX (1, (letters * LETTER_WIDTH + step - 1) / step);
      if ((int) i % every == 0)
        add_text (to, middle, COLUMNS_HEIGHT + 42, "middle", mark->label);
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

static void
add_tile (GString *to, const LdbMark *mark, double x, double y, double width, double height)
{
  int left = (int) x, top = (int) y;
  int across = (int) (x + width) - left, down = (int) (y + height) - top;
  char class[8];
  class_of (mark, class);
  add_rectangle (to, left, top, MAX (across, 1), MAX (down, 1), class, mark);
  if (across < 9 * LETTER_WIDTH || down < 20)
    return;
  g_autofree char *label = cut (mark->label, across / LETTER_WIDTH - 1);
  g_autofree char *text = cut (mark->text, across / LETTER_WIDTH - 1);
  add_text (to, left + 6, top + 16, "start", label);
  if (down >= 40)
    add_text (to, left + 6, top + 34, "start", text);
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
