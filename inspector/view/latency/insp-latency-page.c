/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <glib/gi18n-lib.h>

#include "insp-choice.h"
#include "insp-comparison.h"
#include "insp-export.h"
#include "insp-flow.h"
#include "insp-heat-map.h"
#include "insp-heat-table.h"
#include "insp-latency-page.h"
#include "insp-plot.h"
#include "insp-slow-table.h"
#include "insp-twin.h"
#include "insp-unit.h"

struct _InspLatencyPage
{
  InspPage parent_instance;

  InspDistribution *distribution; /* owned */
  InspAxis *axis;                 /* of the session; borrowed */
  GtkWidget *operation;           /* a drop-down */
  InspHeatMap *map;
  InspHeatTable *cells; /* of the same */
  InspComparison *comparison;
  InspSlowTable *slow;
  GtkWidget *region;       /* a label: what the slow operations are of */
  GtkWidget *clear_region; /* a button */
  GtkWidget *clear_spans;  /* a button */
};

G_DEFINE_FINAL_TYPE (InspLatencyPage, insp_latency_page, INSP_TYPE_PAGE)

/* ---- what the slow operations are of ---- */

static void
tell_region (InspLatencyPage *self, const InspRegion *region)
{
  if (region == NULL)
    {
      gtk_label_set_text (GTK_LABEL (self->region),
                          _ ("Drag over a part of the heat map to see the slow operations in it."));
      return;
    }
  InspAxis *axis = insp_session_get_axis (insp_page_get_session (INSP_PAGE (self)));
  g_autofree char *from = insp_plot_format_clock (insp_axis_to_clock (axis, region->from));
  g_autofree char *to = insp_plot_format_clock (insp_axis_to_clock (axis, region->to));
  g_autofree char *least = insp_unit_format (INSP_UNIT_NANOSECONDS, region->least);
  g_autofree char *most = insp_unit_format (INSP_UNIT_NANOSECONDS, region->most);
  /* Translators: a region of a heat map: from one moment to another, and two durations */
  g_autofree char *text = g_strdup_printf (_ ("From %s to %s, %s to %s"), from, to, least, most);
  gtk_label_set_text (GTK_LABEL (self->region), text);
}

static void
review_region (InspLatencyPage *self)
{
  const InspRegion *region = insp_heat_map_get_region (self->map);
  InspSlowRange range = INSP_SLOW_ALL;
  range.kinds = insp_distribution_get_operation (self->distribution)->kinds;
  if (region != NULL)
    {
      InspAxis *axis = insp_session_get_axis (insp_page_get_session (INSP_PAGE (self)));
      range.from = insp_axis_to_clock (axis, region->from);
      range.to = insp_axis_to_clock (axis, region->to);
      range.least = (guint64) region->least;
      range.most = (guint64) region->most;
    }
  insp_slow_table_set_range (self->slow, range);
  tell_region (self, region);
  gtk_widget_set_visible (self->clear_region, region != NULL);
}

static void
on_clear_region (InspLatencyPage *self)
{
  insp_heat_map_set_region (self->map, NULL);
}

/* ---- spans ---- */

static void
set_span (InspLatencyPage *self, guint index, gint64 from, gint64 to)
{
  insp_heat_map_set_span (self->map, index, from, to);
  insp_comparison_set_span (self->comparison, index, from, to);
  gtk_widget_set_sensitive (self->clear_spans, from != 0);
}

/* What is selected, or all that is shown. */
static void
mark (InspLatencyPage *self, guint index)
{
  const InspRegion *region = insp_heat_map_get_region (self->map);
  gint64 from = region != NULL ? region->from : insp_axis_get_start (self->axis);
  gint64 to = region != NULL ? region->to : insp_axis_get_end (self->axis);
  set_span (self, index, from, to);
  on_clear_region (self);
}

static void
on_mark_a (InspLatencyPage *self)
{
  mark (self, 0);
}

static void
on_mark_b (InspLatencyPage *self)
{
  mark (self, 1);
}

static void
on_clear_spans (InspLatencyPage *self)
{
  for (guint i = 0; i < INSP_COMPARISON_SPANS; i++)
    set_span (self, i, 0, 0);
}

static void
on_operation (InspLatencyPage *self)
{
  guint index = gtk_drop_down_get_selected (GTK_DROP_DOWN (self->operation));
  insp_distribution_set_operation (self->distribution, &insp_operations[index]);
  review_region (self);
}

static void
insp_latency_page_refresh (InspPage *page)
{
  insp_slow_table_refresh (INSP_LATENCY_PAGE (page)->slow);
}

/* ---- a file ---- */

static GBytes *
to_file (gpointer page, const char *name)
{
  insp_heat_table_fill (INSP_LATENCY_PAGE (page)->cells);
  return insp_export_tables (page, name);
}

static void
insp_latency_page_export (InspPage *page)
{
  insp_export_ask (GTK_WIDGET (page), _ ("Export Charts and Tables"), "latency.csv", to_file);
}

/* ---- the object ---- */

static void
insp_latency_page_dispose (GObject *object)
{
  g_clear_object (&INSP_LATENCY_PAGE (object)->distribution);
  G_OBJECT_CLASS (insp_latency_page_parent_class)->dispose (object);
}

static void
insp_latency_page_class_init (InspLatencyPageClass *class)
{
  G_OBJECT_CLASS (class)->dispose = insp_latency_page_dispose;
  INSP_PAGE_CLASS (class)->refresh = insp_latency_page_refresh;
  INSP_PAGE_CLASS (class)->export = insp_latency_page_export;
}

static void
insp_latency_page_init (InspLatencyPage *self)
{
}

static GtkWidget *
add_button (InspLatencyPage *self, GtkWidget *box, const char *label, const char *hint,
            void (*pressed) (InspLatencyPage *))
{
  GtkWidget *button = gtk_button_new_with_label (label);
  gtk_widget_set_tooltip_text (button, hint);
  g_signal_connect_swapped (button, "clicked", G_CALLBACK (pressed), self);
  gtk_box_append (GTK_BOX (box), button);
  return button;
}

static void
add_controls (InspLatencyPage *self)
{
  GtkWidget *flow = insp_flow_new (2, 6), *marks = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 6);
  g_autoptr (GtkStringList) names = gtk_string_list_new (NULL);
  for (guint i = 0; i < insp_operation_count; i++)
    gtk_string_list_append (names, _ (insp_operations[i].title));
  self->operation
      = insp_choice_new (G_LIST_MODEL (g_steal_pointer (&names)), NULL, _ ("Operation"));
  gtk_widget_set_halign (self->operation, GTK_ALIGN_START);
  gtk_widget_set_halign (marks, GTK_ALIGN_END);
  g_signal_connect_swapped (self->operation, "notify::selected", G_CALLBACK (on_operation), self);
  insp_flow_add (flow, self->operation);
  insp_flow_add (flow, marks);
  add_button (self, marks, _ ("Mark A"), _ ("Compare what is selected, or shown, as span A"),
              on_mark_a);
  add_button (self, marks, _ ("Mark B"), _ ("Compare what is selected, or shown, as span B"),
              on_mark_b);
  self->clear_spans
      = add_button (self, marks, _ ("Clear"), _ ("Forget both spans"), on_clear_spans);
  gtk_widget_set_sensitive (self->clear_spans, FALSE);
  insp_page_add (INSP_PAGE (self), flow);
}

static void
add_slow_operations (InspLatencyPage *self, InspSession *session)
{
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 6);
  self->slow = INSP_SLOW_TABLE (insp_slow_table_new (session));
  self->region = gtk_label_new (NULL);
  gtk_label_set_xalign (GTK_LABEL (self->region), 0);
  gtk_label_set_wrap (GTK_LABEL (self->region), TRUE);
  gtk_widget_add_css_class (self->region, "dim-label");
  self->clear_region = gtk_button_new_with_label (_ ("Show All"));
  g_signal_connect_swapped (self->clear_region, "clicked", G_CALLBACK (on_clear_region), self);
  gtk_box_append (GTK_BOX (box), self->region);
  gtk_box_append (GTK_BOX (box), GTK_WIDGET (self->slow));
  insp_page_add_section (INSP_PAGE (self), _ ("Slow Operations"), self->clear_region, box);
}

GtkWidget *
insp_latency_page_new (InspSession *session)
{
  InspLatencyPage *self = g_object_new (INSP_TYPE_LATENCY_PAGE, "session", session, NULL);
  self->axis = insp_session_get_axis (session);
  self->distribution
      = insp_distribution_new (insp_session_get_history (session), &insp_operations[0]);
  add_controls (self);
  self->map = INSP_HEAT_MAP (insp_heat_map_new (self->distribution, self->axis));
  self->cells = INSP_HEAT_TABLE (insp_heat_table_new (self->distribution, self->axis));
  insp_page_add (INSP_PAGE (self), insp_twin_new (_ ("Durations over Time"), GTK_WIDGET (self->map),
                                                  GTK_WIDGET (self->cells)));
  self->comparison = INSP_COMPARISON (insp_comparison_new (self->distribution, self->axis));
  insp_page_add_section (INSP_PAGE (self), _ ("Percentiles"), NULL, GTK_WIDGET (self->comparison));
  add_slow_operations (self, session);
  g_signal_connect_object (self->map, "selected", G_CALLBACK (review_region), self,
                           G_CONNECT_SWAPPED);
  review_region (self);
  return GTK_WIDGET (self);
}
