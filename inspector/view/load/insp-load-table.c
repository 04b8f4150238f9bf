/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <glib/gi18n-lib.h>
#include <math.h>

#include "insp-load-table.h"
#include "insp-table.h"
#include "insp-unit.h"

#define HEAD_HEIGHT 40 /* pixels; likewise below */
#define ROW_HEIGHT 23
#define TABLE_HEIGHT 420 /* at most */

typedef enum
{
  FIGURE_RATE,
  FIGURE_MEDIAN,
  FIGURE_P99,
  FIGURE_P999,
  FIGURE_LONGEST,
  FIGURES, /* of each kind; those below are of all */
  FIGURE_ALL,
  FIGURE_WRONG,
  FIGURE_DISK,
} Figure;

/* A row. */
typedef struct
{
  Figure figure;
  enum mix_kind kind; /* of the first ones */
  InspUnit unit;
  double values[2]; /* of the run, and of the other; NAN: nothing is known */
} Row;

struct _InspLoadTable
{
  GtkWidget parent_instance;

  InspRowList *rows; /* of Row; owned */
  GtkWidget *table;  /* child */
};

G_DEFINE_FINAL_TYPE (InspLoadTable, insp_load_table, GTK_TYPE_WIDGET)

/* ---- figures ---- */

static double
of_kind (const InspLoadRun *run, Figure figure, enum mix_kind kind)
{
  const InspLoadFigures *its = &run->kinds[kind];
  const double values[FIGURES] = {
    [FIGURE_RATE] = run->seconds > 0 ? (double) its->operations / run->seconds : NAN,
    [FIGURE_MEDIAN] = (double) its->median,
    [FIGURE_P99] = (double) its->p99,
    [FIGURE_P999] = (double) its->p999,
    [FIGURE_LONGEST] = (double) its->longest,
  };
  return its->operations > 0 ? values[figure] : NAN;
}

static double
value_of (const InspLoadRun *run, Figure figure, enum mix_kind kind)
{
  if (run == NULL)
    return NAN;
  if (figure < FIGURES)
    return of_kind (run, figure, kind);
  return figure == FIGURE_ALL     ? insp_load_run_get_rate (run)
         : figure == FIGURE_WRONG ? (double) run->wrong
                                  : (double) run->disk;
}

static InspUnit
unit_of (Figure figure)
{
  switch (figure)
    {
    case FIGURE_RATE:
    case FIGURE_ALL:
      return INSP_UNIT_PER_SECOND;
    case FIGURE_WRONG:
      return INSP_UNIT_COUNT;
    case FIGURE_DISK:
      return INSP_UNIT_BYTES;
    default:
      return INSP_UNIT_NANOSECONDS;
    }
}

static void
add_row (GPtrArray *rows, const InspLoadRun *run, const InspLoadRun *other, Figure figure,
         enum mix_kind kind)
{
  const Row row = {
    figure, kind, unit_of (figure), { value_of (run, figure, kind), value_of (other, figure, kind) }
  };
  g_ptr_array_add (rows, g_memdup2 (&row, sizeof row));
}

static gboolean
has (const InspLoadRun *run, guint kind)
{
  return run != NULL && run->plan.shares[kind] > 0;
}

void
insp_load_table_set (InspLoadTable *self, const InspLoadRun *run, const InspLoadRun *other)
{
  g_autoptr (GPtrArray) rows = g_ptr_array_new_with_free_func (g_free);
  if (run != NULL)
    {
      add_row (rows, run, other, FIGURE_ALL, MIX_GET);
      for (guint kind = 0; kind < MIX_KINDS; kind++)
        for (guint i = 0; i < FIGURES && (has (run, kind) || has (other, kind)); i++)
          add_row (rows, run, other, (Figure) i, (enum mix_kind) kind);
      add_row (rows, run, other, FIGURE_WRONG, MIX_GET);
      add_row (rows, run, other, FIGURE_DISK, MIX_GET);
    }
  insp_table_set_heights (INSP_TABLE (self->table),
                          MIN (HEAD_HEIGHT + (int) rows->len * ROW_HEIGHT, TABLE_HEIGHT),
                          TABLE_HEIGHT);
  insp_row_list_set (self->rows, rows);
}

/* ---- columns ---- */

static char *
format_name (gconstpointer contents, gpointer data)
{
  const Row *row = contents;
  const char *kind = insp_load_kind_name (row->kind);
  switch (row->figure)
    {
    case FIGURE_RATE:
      return g_strdup (kind);
    case FIGURE_MEDIAN:
      /* Translators: of a kind of operations, for example “Reads” */
      return g_strdup_printf (_ ("%s: median"), kind);
    case FIGURE_P99:
      /* Translators: of a kind of operations: 99 of a hundred took no longer */
      return g_strdup_printf (_ ("%s: 99 %%"), kind);
    case FIGURE_P999:
      return g_strdup_printf (_ ("%s: 99.9 %%"), kind);
    case FIGURE_LONGEST:
      return g_strdup_printf (_ ("%s: longest"), kind);
    case FIGURE_ALL:
      return g_strdup (_ ("All operations"));
    case FIGURE_WRONG:
      return g_strdup (_ ("Wrong values"));
    case FIGURE_DISK:
    default:
      return g_strdup (_ ("Size on disk"));
    }
}

static char *
format_value (gconstpointer contents, gpointer index)
{
  const Row *row = contents;
  return insp_unit_format (row->unit, row->values[GPOINTER_TO_UINT (index)]);
}

/* By what the run has more than the other. */
static char *
format_change (gconstpointer contents, gpointer data)
{
  const Row *row = contents;
  return insp_unit_format_change (row->values[0] / row->values[1]);
}

/* ---- the object ---- */

static guint64
identity (gconstpointer contents)
{
  const Row *row = contents;
  return row->figure * MIX_KINDS + row->kind;
}

static void
insp_load_table_dispose (GObject *object)
{
  g_clear_pointer (&INSP_LOAD_TABLE (object)->table, gtk_widget_unparent);
  G_OBJECT_CLASS (insp_load_table_parent_class)->dispose (object);
}

static void
insp_load_table_finalize (GObject *object)
{
  g_object_unref (INSP_LOAD_TABLE (object)->rows);
  G_OBJECT_CLASS (insp_load_table_parent_class)->finalize (object);
}

static void
insp_load_table_class_init (InspLoadTableClass *class)
{
  G_OBJECT_CLASS (class)->dispose = insp_load_table_dispose;
  G_OBJECT_CLASS (class)->finalize = insp_load_table_finalize;
  gtk_widget_class_set_layout_manager_type (GTK_WIDGET_CLASS (class), GTK_TYPE_BIN_LAYOUT);
}

static void
insp_load_table_init (InspLoadTable *self)
{
  self->rows = insp_row_list_new (identity, g_free);
  self->table = insp_table_new (_ ("Figures"), _ ("No load test was made yet."),
                                g_object_ref (G_LIST_MODEL (self->rows)));
  InspTable *table = INSP_TABLE (self->table);
  insp_table_add_column (table, _ ("Figure"), INSP_TABLE_WIDE, format_name, NULL);
  insp_table_add_column (table, _ ("This Test"), INSP_TABLE_NUMBER, format_value,
                         GUINT_TO_POINTER (0));
  insp_table_add_column (table, _ ("Compared"), INSP_TABLE_NUMBER, format_value,
                         GUINT_TO_POINTER (1));
  insp_table_add_column (table, _ ("Change"), INSP_TABLE_NUMBER, format_change, NULL);
  gtk_widget_set_parent (self->table, GTK_WIDGET (self));
}

GtkWidget *
insp_load_table_new (void)
{
  return g_object_new (INSP_TYPE_LOAD_TABLE, NULL);
}
