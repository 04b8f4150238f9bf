/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <math.h>

#include "insp-squarify.h"

static int
compare_weights (gconstpointer first, gconstpointer second, gpointer data)
{
  const double *weights = data;
  double a = weights[*(const guint *) first], b = weights[*(const guint *) second];
  return (a < b) - (a > b);
}

/* How far the worst rectangle of a row is from a square: its areas lie between `least` and `greatest`. */
static double
worst_of (double least, double greatest, double sum, double side)
{
  double thickness = sum / side;
  return MAX (greatest / (thickness * thickness), thickness * thickness / least);
}

/* How many from `first` on make the best row along a side, and their area. */
static guint
fill_row (const double *areas, guint count, guint first, double side, double *row_area)
{
  double sum = areas[first], best = worst_of (sum, sum, sum, side);
  guint end = first + 1;
  for (; end < count; end++)
    {
      double worst = worst_of (areas[end], areas[first], sum + areas[end], side);
      if (worst > best)
        break;
      best = worst;
      sum += areas[end];
    }
  *row_area = sum;
  return end - first;
}

static void
place_row (const double *areas, const guint *order, guint count, double row_area,
           graphene_rect_t *left, graphene_rect_t *rects)
{
  gboolean upright = left->size.width >= left->size.height;
  double side = upright ? left->size.height : left->size.width, thickness = row_area / side, at = 0;
  for (guint i = 0; i < count; i++)
    {
      double length = areas[i] / thickness;
      if (upright)
        graphene_rect_init (&rects[order[i]], left->origin.x, (float) (left->origin.y + at),
                            (float) thickness, (float) length);
      else
        graphene_rect_init (&rects[order[i]], (float) (left->origin.x + at), left->origin.y,
                            (float) length, (float) thickness);
      at += length;
    }
  if (upright)
    graphene_rect_init (left, (float) (left->origin.x + thickness), left->origin.y,
                        (float) MAX (left->size.width - thickness, 0), left->size.height);
  else
    graphene_rect_init (left, left->origin.x, (float) (left->origin.y + thickness),
                        left->size.width, (float) MAX (left->size.height - thickness, 0));
}

/* The indices of what weighs something, the heaviest first. */
static guint
sort (const double *weights, guint count, guint *order, double *total)
{
  guint some = 0;
  *total = 0;
  for (guint i = 0; i < count; i++)
    if (weights[i] > 0)
      {
        order[some++] = i;
        *total += weights[i];
      }
  g_qsort_with_data (order, (int) some, sizeof *order, compare_weights, (gpointer) weights);
  return some;
}

void
insp_squarify (const double *weights, guint count, const graphene_rect_t *area,
               graphene_rect_t *rects)
{
  double total, row_area;
  graphene_rect_t left = *area;
  g_autofree guint *order = g_new (guint, count + 1);
  g_autofree double *areas = g_new (double, count + 1);
  guint some = sort (weights, count, order, &total), row;
  for (guint i = 0; i < count; i++)
    graphene_rect_init (&rects[i], area->origin.x, area->origin.y, 0, 0);
  for (guint i = 0; i < some; i++)
    areas[i] = weights[order[i]] / total * area->size.width * area->size.height;
  for (guint i = 0; i < some; i += row)
    {
      double side = MIN (left.size.width, left.size.height);
      if (!(side > 0))
        return;
      row = fill_row (areas, some, i, side, &row_area);
      place_row (areas + i, order + i, row, row_area, &left, rects);
    }
}

/* How far `to` is from `from` along a direction, and twice what it is off beside that; INFINITY: it does not
 * lie there. */
static double
distance (const graphene_rect_t *from, const graphene_rect_t *to, GtkDirectionType direction)
{
  gboolean across = direction == GTK_DIR_LEFT || direction == GTK_DIR_RIGHT;
  gboolean back = direction == GTK_DIR_LEFT || direction == GTK_DIR_UP;
  double from_start = across ? from->origin.x : from->origin.y;
  double from_end = from_start + (across ? from->size.width : from->size.height);
  double start = across ? to->origin.x : to->origin.y;
  double end = start + (across ? to->size.width : to->size.height);
  double middle
      = across ? from->origin.y + from->size.height / 2 : from->origin.x + from->size.width / 2;
  double side_start = across ? to->origin.y : to->origin.x;
  double side_end = side_start + (across ? to->size.height : to->size.width);
  double along = back ? from_start - end : start - from_end;
  double off = middle < side_start ? side_start - middle
               : middle > side_end ? middle - side_end
                                   : 0;
  if (along < -1)
    return INFINITY; /* but for what rounding does */
  return along + 2 * off;
}

guint
insp_squarify_beside (const graphene_rect_t *rects, const gboolean *skip, guint count, guint from,
                      GtkDirectionType direction)
{
  double best = INFINITY;
  guint found = from;
  for (guint i = 0; i < count; i++)
    {
      double its;
      if (i == from || skip[i] || !(rects[i].size.width > 0))
        continue;
      its = distance (&rects[from], &rects[i], direction);
      if (its < best)
        {
          best = its;
          found = i;
        }
    }
  return found;
}
