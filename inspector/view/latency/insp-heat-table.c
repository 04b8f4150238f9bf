/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <glib/gi18n-lib.h>
#include <math.h>

#include "insp-heat-map.h"
#include "insp-heat-table.h"
#include "insp-plot.h"
#include "insp-table.h"
#include "insp-unit.h"

#define DECADES 7u  /* columns */
#define FIRST_TEN 3 /* the first is below 10^3 ns, the last from 10^8 on */
#define HEIGHT 240  /* pixels */

typedef struct
{
  gint64 from; /* a cell in time begins behind this */
  guint64 counts[DECADES];
  guint64 sum;
} Cell;

struct _InspHeatTable
{
  GtkWidget parent_instance;

  InspDistribution *distribution; /* owned */
  InspAxis *axis;                 /* owned */
  InspRowList *rows;              /* of Cell; owned */
  InspTable *table;               /* child */
};

G_DEFINE_FINAL_TYPE (InspHeatTable, insp_heat_table, GTK_TYPE_WIDGET)

static guint64
identity (gconstpointer contents)
{
  return (guint64) ((const Cell *) contents)->from;
}

static Cell *
cell_new (InspHeatTable *self, gint64 from, gint64 to)
{
  guint64 bars[INSP_BARS] = { 0 }, below = 0;
  Cell *cell = g_new0 (Cell, 1);
  cell->from = from;
  cell->sum = insp_distribution_add (self->distribution, from + 1, to, bars);
  for (guint i = 0; i < DECADES; i++)
    {
      guint64 end = i == DECADES - 1
                        ? cell->sum
                        : insp_distribution_count_below (bars, pow (10, FIRST_TEN + (double) i));
      cell->counts[i] = end - below;
      below = end;
    }
  return cell;
}

void
insp_heat_table_fill (InspHeatTable *self)
{
  gint64 step = insp_heat_map_step (self->axis), start = insp_axis_get_start (self->axis);
  g_autoptr (GPtrArray) cells = g_ptr_array_new_with_free_func (g_free);
  for (gint64 from = (insp_axis_get_end (self->axis) - 1) / step * step; from + step > start;
       from -= step)
    {
      Cell *cell = cell_new (self, from, from + step);
      if (cell->sum > 0)
        g_ptr_array_add (cells, cell);
      else
        g_free (cell);
    }
  insp_row_list_set (self->rows, cells);
}

static void
fill (InspHeatTable *self)
{
  if (gtk_widget_get_mapped (GTK_WIDGET (self)))
    insp_heat_table_fill (self);
}

static char *
format_time (gconstpointer contents, gpointer table)
{
  InspHeatTable *self = table;
  return insp_plot_format_clock (insp_axis_to_clock (self->axis, ((const Cell *) contents)->from));
}

static char *
format_count (gconstpointer contents, gpointer index)
{
  return g_strdup_printf ("%" G_GUINT64_FORMAT,
                          ((const Cell *) contents)->counts[GPOINTER_TO_UINT (index)]);
}

static char *
format_sum (gconstpointer contents, gpointer data)
{
  return g_strdup_printf ("%" G_GUINT64_FORMAT, ((const Cell *) contents)->sum);
}

static char *
title_of (guint decade)
{
  double from = pow (10, FIRST_TEN + (double) decade - 1), to = from * 10;
  g_autofree char *low = insp_unit_format (INSP_UNIT_NANOSECONDS, from);
  g_autofree char *high = insp_unit_format (INSP_UNIT_NANOSECONDS, to);
  if (decade == 0)
    /* Translators: a range of durations: all below one */
    return g_strdup_printf (_ ("Below %s"), high);
  if (decade == DECADES - 1)
    /* Translators: a range of durations: all from one on */
    return g_strdup_printf (_ ("From %s"), low);
  /* Translators: a range of durations: from one up to another */
  return g_strdup_printf (_ ("%s to %s"), low, high);
}

char *
insp_heat_table_get_cell (InspHeatTable *self, guint row, guint column)
{
  return insp_table_get_cell (self->table, row, column);
}

/* ---- the object ---- */

static void
insp_heat_table_map (GtkWidget *widget)
{
  GTK_WIDGET_CLASS (insp_heat_table_parent_class)->map (widget);
  fill (INSP_HEAT_TABLE (widget));
}

static void
insp_heat_table_dispose (GObject *object)
{
  InspHeatTable *self = INSP_HEAT_TABLE (object);
  g_clear_pointer ((GtkWidget **) &self->table, gtk_widget_unparent);
  g_clear_object (&self->rows);
  g_clear_object (&self->distribution);
  g_clear_object (&self->axis);
  G_OBJECT_CLASS (insp_heat_table_parent_class)->dispose (object);
}

static void
insp_heat_table_class_init (InspHeatTableClass *class)
{
  G_OBJECT_CLASS (class)->dispose = insp_heat_table_dispose;
  GTK_WIDGET_CLASS (class)->map = insp_heat_table_map;
  gtk_widget_class_set_layout_manager_type (GTK_WIDGET_CLASS (class), GTK_TYPE_BIN_LAYOUT);
}

static void
insp_heat_table_init (InspHeatTable *self)
{
  self->rows = insp_row_list_new (identity, g_free);
  self->table = INSP_TABLE (insp_table_new (_ ("Durations over time"), _ ("None in this time"),
                                            G_LIST_MODEL (g_object_ref (self->rows))));
  insp_table_set_heights (self->table, HEIGHT, HEIGHT);
  insp_table_add_column (self->table, _ ("Time"), INSP_TABLE_TEXT, format_time, self);
  for (guint i = 0; i < DECADES; i++)
    {
      g_autofree char *title = title_of (i);
      insp_table_add_column (self->table, title, INSP_TABLE_NUMBER, format_count,
                             GUINT_TO_POINTER (i));
    }
  /* Translators: the column of a table: the sum of those beside it */
  insp_table_add_column (self->table, _ ("All"), INSP_TABLE_NUMBER, format_sum, NULL);
  gtk_widget_set_parent (GTK_WIDGET (self->table), GTK_WIDGET (self));
}

GtkWidget *
insp_heat_table_new (InspDistribution *distribution, InspAxis *axis)
{
  InspHeatTable *self = g_object_new (INSP_TYPE_HEAT_TABLE, NULL);
  self->distribution = g_object_ref (distribution);
  self->axis = g_object_ref (axis);
  g_signal_connect_object (distribution, "changed", G_CALLBACK (fill), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (axis, "changed", G_CALLBACK (fill), self, G_CONNECT_SWAPPED);
  return GTK_WIDGET (self);
}
