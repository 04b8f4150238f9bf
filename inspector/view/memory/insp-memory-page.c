/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <glib/gi18n-lib.h>
#include <math.h>

#include "insp-chart-card.h"
#include "insp-export.h"
#include "insp-figure.h"
#include "insp-flow.h"
#include "insp-memory-control.h"
#include "insp-memory-page.h"
#include "insp-memory-parts.h"
#include "insp-palette.h"
#include "insp-stack-bar.h"
#include "insp-stats-tile.h"
#include "insp-table.h"
#include "insp-twin.h"

/* A row of the table. */
typedef struct
{
  InspMemoryPart part;
  double bytes, budget;
} Row;

struct _InspMemoryPage
{
  InspPage parent_instance;

  InspHistory *history; /* of the session; borrowed */
  InspRowList *rows;    /* of Row; owned */
  InspStackBar *budget;
  InspStackBar *lists; /* of the cache */
  GtkWidget *summary;  /* a label */
  InspMemoryControl *control;
};

G_DEFINE_FINAL_TYPE (InspMemoryPage, insp_memory_page, INSP_TYPE_PAGE)

/* ---- showing ---- */

static void
show_budget (InspMemoryPage *self, const InspMemory *memory)
{
  G_STATIC_ASSERT (INSP_MEMORY_PARTS <= INSP_PALETTE_SIZE); /* no two parts have one colour */
  InspStackPart parts[INSP_MEMORY_PARTS];
  g_autofree char *used = insp_unit_format (INSP_UNIT_BYTES, memory->used);
  g_autofree char *budget = insp_unit_format (INSP_UNIT_BYTES, memory->budget);
  g_autofree char *share = insp_unit_format (
      INSP_UNIT_SHARE, memory->budget > 0 ? memory->used / memory->budget : NAN);
  /* Translators: how much memory is used, of which budget, and which share of it that is */
  g_autofree char *text = g_strdup_printf (_ ("%s of %s are in use: %s"), used, budget, share);
  for (guint i = 0; i < INSP_MEMORY_PARTS; i++)
    parts[i]
        = (InspStackPart){ insp_memory_part_name ((InspMemoryPart) i), memory->bytes[i], i, FALSE };
  insp_stack_bar_set (self->budget, parts, INSP_MEMORY_PARTS, memory->budget,
                      memory->used > memory->budget && memory->budget > 0 ? memory->budget : NAN);
  gtk_label_set_text (GTK_LABEL (self->summary), text);
}

static void
show_lists (InspMemoryPage *self, const InspMemory *memory)
{
  const InspStackPart parts[] = {
    { _ ("Dropped, wanted once"), (double) memory->b1, 0, TRUE },
    { _ ("Wanted once"), (double) memory->t1, 0, FALSE },
    { _ ("Wanted often"), (double) memory->t2, 1, FALSE },
    { _ ("Dropped, wanted often"), (double) memory->b2, 1, TRUE },
    { _ ("By scans"), (double) memory->scan, 2, FALSE },
  };
  insp_stack_bar_set (self->lists, parts, G_N_ELEMENTS (parts), 1,
                      memory->t1 + memory->t2 > 0 ? (double) (memory->b1 + memory->target) : NAN);
}

static void
show_rows (InspMemoryPage *self, const InspMemory *memory)
{
  g_autoptr (GPtrArray) rows = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; i < INSP_MEMORY_PARTS; i++)
    {
      const Row row = { (InspMemoryPart) i, memory->bytes[i], memory->budget };
      g_ptr_array_add (rows, g_memdup2 (&row, sizeof row));
    }
  insp_row_list_set (self->rows, rows);
}

static void
follow (InspMemoryPage *self)
{
  InspMemory memory;
  guint64 end = insp_history_get_end (self->history);
  if (!gtk_widget_get_mapped (GTK_WIDGET (self)) || end == 0
      || !insp_memory_of (self->history, end - 1, &memory))
    return;
  show_budget (self, &memory);
  show_lists (self, &memory);
  show_rows (self, &memory);
  insp_memory_control_set_budget (self->control, memory.budget);
}

static void
insp_memory_page_map (GtkWidget *widget)
{
  GTK_WIDGET_CLASS (insp_memory_page_parent_class)->map (widget);
  follow (INSP_MEMORY_PAGE (widget));
}

/* ---- columns ---- */

static char *
format_name (gconstpointer contents, gpointer data)
{
  return g_strdup (insp_memory_part_name (((const Row *) contents)->part));
}

static char *
format_bytes (gconstpointer contents, gpointer data)
{
  return insp_unit_format (INSP_UNIT_BYTES, ((const Row *) contents)->bytes);
}

static char *
format_share (gconstpointer contents, gpointer data)
{
  const Row *row = contents;
  return insp_unit_format (INSP_UNIT_SHARE, row->budget > 0 ? row->bytes / row->budget : NAN);
}

/* ---- parts ---- */

static void
add_budget (InspMemoryPage *self)
{
  GtkWidget *picture = gtk_box_new (GTK_ORIENTATION_VERTICAL, 6);
  GtkWidget *table = insp_table_new (_ ("Uses of Memory"), _ ("Nothing was counted yet."),
                                     g_object_ref (G_LIST_MODEL (self->rows)));
  insp_table_add_column (INSP_TABLE (table), _ ("Use"), INSP_TABLE_WIDE, format_name, NULL);
  insp_table_add_column (INSP_TABLE (table), _ ("Size"), INSP_TABLE_NUMBER, format_bytes, NULL);
  insp_table_add_column (INSP_TABLE (table), _ ("Of the Budget"), INSP_TABLE_NUMBER, format_share,
                         NULL);
  self->budget = INSP_STACK_BAR (insp_stack_bar_new (_ ("Uses of memory"), INSP_UNIT_BYTES));
  self->summary = gtk_label_new (_ ("Nothing was counted yet."));
  gtk_label_set_xalign (GTK_LABEL (self->summary), 0);
  gtk_label_set_wrap (GTK_LABEL (self->summary), TRUE);
  gtk_box_append (GTK_BOX (picture), self->summary);
  gtk_box_append (GTK_BOX (picture), GTK_WIDGET (self->budget));
  insp_page_add (INSP_PAGE (self), insp_twin_new (_ ("Memory Budget"), picture, table));
}

static void
add_control (InspMemoryPage *self)
{
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 6);
  GtkWidget *text
      = gtk_label_new (_ ("Another budget is in force at once, until the database is closed. Pages "
                          "that are evicted are read "
                          "again when they are wanted. Both need the application's consent."));
  gtk_label_set_wrap (GTK_LABEL (text), TRUE);
  gtk_label_set_xalign (GTK_LABEL (text), 0);
  gtk_widget_add_css_class (text, "dim-label");
  self->control = INSP_MEMORY_CONTROL (insp_memory_control_new (INSP_PAGE (self)));
  gtk_box_append (GTK_BOX (box), text);
  gtk_box_append (GTK_BOX (box), GTK_WIDGET (self->control));
  insp_page_add_section (INSP_PAGE (self), _ ("Budget and Eviction"), NULL, box);
}

static void
add_cache (InspMemoryPage *self, InspSession *session)
{
  InspHistory *history = self->history;
  InspSeries *tiles[] = {
    insp_series_new_share (history, _ ("Reads from memory"), "gets_disk", INSP_LOOKUPS, TRUE),
    insp_series_new_value (history, _ ("May hold now"), INSP_UNIT_BYTES, "cache_capacity_bytes"),
    insp_series_new_value (history, _ ("Pages"), INSP_UNIT_COUNT,
                           "cache_t1_pages cache_t2_pages cache_scan_pages"),
    insp_series_new_value (history, _ ("Remembered"), INSP_UNIT_COUNT,
                           "cache_b1_ghosts cache_b2_ghosts"),
  };
  InspSeries *lines[] = {
    insp_series_new_rate (history, _ ("Evicted"), INSP_UNIT_PER_SECOND, "cache_evictions"),
    insp_series_new_rate (history, _ ("Wanted again"), INSP_UNIT_PER_SECOND, "cache_ghost_hits"),
  };
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 12);
  GtkWidget *text = gtk_label_new (_ ("Pages that were wanted once and those that were wanted "
                                      "often share the cache; the line is where the cache "
                                      "would part them. Outlines are pages that were dropped and "
                                      "are remembered: one that is wanted again "
                                      "moves the line."));
  GtkWidget *card = insp_chart_card_new (_ ("Pages That Go"), insp_session_get_axis (session));
  GtkWidget *figures = insp_figure_new_tiles (tiles, G_N_ELEMENTS (tiles));
  gtk_label_set_wrap (GTK_LABEL (text), TRUE);
  gtk_label_set_xalign (GTK_LABEL (text), 0);
  gtk_widget_add_css_class (text, "dim-label");
  for (guint i = 0; i < G_N_ELEMENTS (lines); i++)
    {
      insp_chart_card_add (INSP_CHART_CARD (card), lines[i]);
      g_object_unref (lines[i]);
    }
  self->lists
      = INSP_STACK_BAR (insp_stack_bar_new (_ ("Pages of the cache, by list"), INSP_UNIT_COUNT));
  if (insp_session_get_state (session) != INSP_SESSION_RECORDED)
    /* Translators: pages of memory that somebody uses, so that they cannot go */
    insp_flow_add (figures, insp_stats_tile_new (session, _ ("Pinned"), INSP_UNIT_COUNT,
                                                 G_STRUCT_OFFSET (LdbStats, cache_pinned)));
  gtk_box_append (GTK_BOX (box), figures);
  gtk_box_append (GTK_BOX (box), GTK_WIDGET (self->lists));
  gtk_box_append (GTK_BOX (box), text);
  insp_page_add_section (INSP_PAGE (self), _ ("Page Cache"), NULL, box);
  insp_page_add (INSP_PAGE (self), card);
}

/* ---- the object ---- */

static guint64
identity (gconstpointer contents)
{
  return ((const Row *) contents)->part;
}

static void
insp_memory_page_finalize (GObject *object)
{
  g_object_unref (INSP_MEMORY_PAGE (object)->rows);
  G_OBJECT_CLASS (insp_memory_page_parent_class)->finalize (object);
}

static void
insp_memory_page_class_init (InspMemoryPageClass *class)
{
  G_OBJECT_CLASS (class)->finalize = insp_memory_page_finalize;
  GTK_WIDGET_CLASS (class)->map = insp_memory_page_map;
}

static void
insp_memory_page_init (InspMemoryPage *self)
{
  self->rows = insp_row_list_new (identity, g_free);
}

GtkWidget *
insp_memory_page_new (InspSession *session)
{
  InspMemoryPage *self = g_object_new (INSP_TYPE_MEMORY_PAGE, "session", session, NULL);
  self->history = insp_session_get_history (session);
  add_budget (self);
  add_control (self);
  add_cache (self, session);
  g_signal_connect_object (self->history, "appended", G_CALLBACK (follow), self, G_CONNECT_SWAPPED);
  insp_export_offer (GTK_WIDGET (self), "memory");
  return GTK_WIDGET (self);
}
