/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <glib/gi18n-lib.h>
#include <math.h>

#include "insp-comparison.h"
#include "insp-curve.h"
#include "insp-flow.h"
#include "insp-swatch.h"
#include "insp-table.h"
#include "insp-unit.h"

#define SHOWN 0u /* the line of what is shown; spans follow */
#define LINES (1 + INSP_COMPARISON_SPANS)
#define COUNT_ROW 2.0 /* as a fraction: how many there were */
#define TABLE_HEIGHT 270

/* A row of the table. */
typedef struct
{
  double fraction;      /* or COUNT_ROW */
  double values[LINES]; /* nanoseconds; NAN: nothing is known */
} Percentile;

struct _InspComparison
{
  GtkWidget parent_instance;

  InspDistribution *distribution;         /* owned */
  InspAxis *axis;                         /* owned */
  gint64 spans[INSP_COMPARISON_SPANS][2]; /* from, to; 0: not marked */
  InspRowList *rows;                      /* of Percentile; owned */
  InspTable *table;
  InspCurve *curve;
  GtkWidget *legend[LINES];
  GtkWidget *flow; /* child */
};

G_DEFINE_FINAL_TYPE (InspComparison, insp_comparison, GTK_TYPE_WIDGET)

/* ---- figures ---- */

static guint64
identity (gconstpointer contents)
{
  return (guint64) (((const Percentile *) contents)->fraction * 1e6);
}

static Percentile *
percentile_new (double fraction, const guint64 bars[LINES][INSP_BARS])
{
  Percentile *its = g_new (Percentile, 1);
  its->fraction = fraction;
  for (guint i = 0; i < LINES; i++)
    {
      guint64 count = 0;
      for (guint j = 0; j < INSP_BARS; j++)
        count += bars[i][j];
      its->values[i]
          = fraction == COUNT_ROW ? (double) count : insp_history_percentile (bars[i], fraction);
    }
  return its;
}

static void
fill (InspComparison *self)
{
  static const double fractions[] = { 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 0.9999, 1, COUNT_ROW };
  guint64 bars[LINES][INSP_BARS] = { { 0 } };
  g_autoptr (GPtrArray) rows = g_ptr_array_new_with_free_func (g_free);
  if (!gtk_widget_get_mapped (GTK_WIDGET (self)))
    return;
  insp_distribution_add (self->distribution, insp_axis_get_start (self->axis) + 1,
                         insp_axis_get_end (self->axis), bars[SHOWN]);
  for (guint i = 0; i < INSP_COMPARISON_SPANS; i++)
    if (self->spans[i][0] != 0)
      insp_distribution_add (self->distribution, self->spans[i][0] + 1, self->spans[i][1],
                             bars[i + 1]);
  for (guint i = 0; i < G_N_ELEMENTS (fractions); i++)
    g_ptr_array_add (rows, percentile_new (fractions[i], (const guint64 (*)[INSP_BARS]) bars));
  insp_row_list_set (self->rows, rows);
  insp_curve_set (self->curve, (const guint64 (*)[INSP_BARS]) bars);
}

/* ---- the table ---- */

static char *
format_fraction (gconstpointer contents, gpointer data)
{
  double fraction = ((const Percentile *) contents)->fraction;
  if (fraction == COUNT_ROW)
    return g_strdup (_ ("Operations timed"));
  if (fraction == 0.5)
    return g_strdup (_ ("Median"));
  if (fraction == 1)
    return g_strdup (_ ("Longest"));
  /* Translators: a percentile, with a percent sign */
  return g_strdup_printf (_ ("%g %%"), fraction * 100);
}

static char *
format_value (gconstpointer contents, gpointer index)
{
  const Percentile *its = contents;
  return insp_unit_format (its->fraction == COUNT_ROW ? INSP_UNIT_COUNT : INSP_UNIT_NANOSECONDS,
                           its->values[GPOINTER_TO_UINT (index)]);
}

/* By what part B is more than A. */
static char *
format_difference (gconstpointer contents, gpointer data)
{
  const Percentile *its = contents;
  double a = its->values[1], b = its->values[2];
  return insp_unit_format_change (a > 0 && b > 0 ? b / a : NAN);
}

static GtkWidget *
make_table (InspComparison *self)
{
  GtkWidget *widget
      = insp_table_new (_ ("Percentiles"), "", G_LIST_MODEL (g_object_ref (self->rows)));
  self->table = INSP_TABLE (widget);
  insp_table_set_heights (self->table, TABLE_HEIGHT, TABLE_HEIGHT);
  insp_table_add_column (self->table, _ ("Percentile"), INSP_TABLE_WIDE, format_fraction, NULL);
  /* Translators: the column of a table: of the time that charts show */
  insp_table_add_column (self->table, _ ("Shown"), INSP_TABLE_NUMBER, format_value,
                         GUINT_TO_POINTER (0));
  /* Translators: the columns of a table: of the first and the second span that was marked */
  insp_table_add_column (self->table, _ ("A"), INSP_TABLE_NUMBER, format_value,
                         GUINT_TO_POINTER (1));
  insp_table_add_column (self->table, _ ("B"), INSP_TABLE_NUMBER, format_value,
                         GUINT_TO_POINTER (2));
  /* Translators: the column of a table: by what B differs from A */
  insp_table_add_column (self->table, _ ("B to A"), INSP_TABLE_NUMBER, format_difference, NULL);
  return widget;
}

char *
insp_comparison_get_cell (InspComparison *self, guint row, guint column)
{
  fill (self);
  return insp_table_get_cell (self->table, row, column);
}

/* ---- spans ---- */

void
insp_comparison_set_span (InspComparison *self, guint index, gint64 from, gint64 to)
{
  self->spans[index][0] = from;
  self->spans[index][1] = to;
  gtk_widget_set_visible (self->legend[index + 1], from != 0);
  fill (self);
}

/* ---- the object ---- */

static void
insp_comparison_map (GtkWidget *widget)
{
  GTK_WIDGET_CLASS (insp_comparison_parent_class)->map (widget);
  fill (INSP_COMPARISON (widget));
}

static void
insp_comparison_dispose (GObject *object)
{
  InspComparison *self = INSP_COMPARISON (object);
  g_clear_pointer (&self->flow, gtk_widget_unparent);
  g_clear_object (&self->rows);
  g_clear_object (&self->distribution);
  g_clear_object (&self->axis);
  G_OBJECT_CLASS (insp_comparison_parent_class)->dispose (object);
}

static void
insp_comparison_class_init (InspComparisonClass *class)
{
  G_OBJECT_CLASS (class)->dispose = insp_comparison_dispose;
  GTK_WIDGET_CLASS (class)->map = insp_comparison_map;
  gtk_widget_class_set_layout_manager_type (GTK_WIDGET_CLASS (class), GTK_TYPE_BIN_LAYOUT);
}

static GtkWidget *
make_curve (InspComparison *self)
{
  const char *const names[LINES] = { _ ("Shown"), _ ("A"), _ ("B") };
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 6);
  GtkWidget *legend = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 12);
  GtkWidget *curve = insp_curve_new (_ ("Percentile curve"));
  self->curve = INSP_CURVE (curve);
  for (guint i = 0; i < LINES; i++)
    {
      self->legend[i] = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 6);
      gtk_box_append (GTK_BOX (self->legend[i]), insp_swatch_new (i));
      gtk_box_append (GTK_BOX (self->legend[i]), gtk_label_new (names[i]));
      gtk_box_append (GTK_BOX (legend), self->legend[i]);
      gtk_widget_set_visible (self->legend[i], i == SHOWN);
    }
  gtk_widget_set_vexpand (curve, TRUE);
  gtk_box_append (GTK_BOX (box), curve);
  gtk_box_append (GTK_BOX (box), legend);
  return box;
}

static void
insp_comparison_init (InspComparison *self)
{
  self->rows = insp_row_list_new (identity, g_free);
  self->flow = insp_flow_new_even (1, 2, 18);
  insp_flow_add (self->flow, make_curve (self));
  insp_flow_add (self->flow, make_table (self));
  gtk_widget_set_parent (self->flow, GTK_WIDGET (self));
}

GtkWidget *
insp_comparison_new (InspDistribution *distribution, InspAxis *axis)
{
  InspComparison *self = g_object_new (INSP_TYPE_COMPARISON, NULL);
  self->distribution = g_object_ref (distribution);
  self->axis = g_object_ref (axis);
  g_signal_connect_object (distribution, "changed", G_CALLBACK (fill), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (axis, "changed", G_CALLBACK (fill), self, G_CONNECT_SWAPPED);
  return GTK_WIDGET (self);
}
