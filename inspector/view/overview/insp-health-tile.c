/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <glib/gi18n-lib.h>

#include "insp-health-tile.h"
#include "insp-issue-row.h"
#include "insp-refresher.h"

#define INTERVAL 10000 /* milliseconds between examinations */

struct _InspHealthTile
{
  GtkWidget parent_instance;

  InspRefresher *refresher;
  GtkWidget *button; /* child */
  GtkWidget *icon;   /* in it; likewise below */
  GtkWidget *verdict;
};

G_DEFINE_FINAL_TYPE (InspHealthTile, insp_health_tile, GTK_TYPE_WIDGET)

static void
ask (gpointer tile, LdbInspector *inspector, GCancellable *cancellable,
     GAsyncReadyCallback answered, gpointer data)
{
  ldb_inspector_examine_health_async (inspector, cancellable, answered, data);
}

static gboolean
take (gpointer tile, LdbInspector *inspector, GAsyncResult *result, GError **error)
{
  InspHealthTile *self = tile;
  g_autoptr (LdbHealth) health = ldb_inspector_examine_health_finish (inspector, result, error);
  if (health == NULL)
    return FALSE;
  LdbSeverity severity = LDB_SEVERITY_NONE;
  GPtrArray *issues = ldb_health_get_issues (health);
  g_autoptr (GString) summaries = g_string_new (NULL);
  for (guint i = 0; i < issues->len; i++)
    {
      const LdbHealthIssue *issue = g_ptr_array_index (issues, i);
      severity = MAX (severity, issue->severity);
      g_string_append_printf (summaries, "%s%s", i > 0 ? "\n" : "", issue->summary);
    }
  gtk_image_set_from_icon_name (GTK_IMAGE (self->icon), insp_severity_icon (severity));
  gtk_label_set_text (GTK_LABEL (self->verdict), insp_severity_name (severity));
  gtk_widget_set_tooltip_text (self->button, summaries->len > 0 ? summaries->str : NULL);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->button),
                                  GTK_ACCESSIBLE_PROPERTY_DESCRIPTION, summaries->str, -1);
  return TRUE;
}

/* ---- the object ---- */

static void
insp_health_tile_dispose (GObject *object)
{
  InspHealthTile *self = INSP_HEALTH_TILE (object);
  g_clear_pointer (&self->refresher, insp_refresher_free);
  g_clear_pointer (&self->button, gtk_widget_unparent);
  G_OBJECT_CLASS (insp_health_tile_parent_class)->dispose (object);
}

static void
insp_health_tile_class_init (InspHealthTileClass *class)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (class);
  G_OBJECT_CLASS (class)->dispose = insp_health_tile_dispose;
  gtk_widget_class_set_layout_manager_type (widget_class, GTK_TYPE_BIN_LAYOUT);
}

static void
insp_health_tile_init (InspHealthTile *self)
{
  GtkWidget *lines = gtk_box_new (GTK_ORIENTATION_VERTICAL, 0);
  GtkWidget *line = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 6);
  GtkWidget *name = gtk_label_new (_ ("Health"));
  self->button = gtk_button_new ();
  self->icon = gtk_image_new_from_icon_name ("content-loading-symbolic");
  self->verdict = gtk_label_new ("–");
  gtk_widget_add_css_class (self->button, "flat");
  gtk_widget_add_css_class (self->button, "insp-tile");
  gtk_widget_add_css_class (self->verdict, "title-4");
  gtk_widget_add_css_class (name, "dim-label");
  gtk_widget_add_css_class (name, "caption");
  gtk_label_set_xalign (GTK_LABEL (name), 0);
  gtk_label_set_ellipsize (GTK_LABEL (self->verdict), PANGO_ELLIPSIZE_END);
  gtk_widget_set_vexpand (line, TRUE);
  gtk_box_append (GTK_BOX (line), self->icon);
  gtk_box_append (GTK_BOX (line), self->verdict);
  gtk_box_append (GTK_BOX (lines), line);
  gtk_box_append (GTK_BOX (lines), name);
  gtk_button_set_child (GTK_BUTTON (self->button), lines);
  gtk_actionable_set_detailed_action_name (GTK_ACTIONABLE (self->button),
                                           "inspector-view.show-page::health");
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->button), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  _ ("Health"), -1);
  gtk_widget_set_parent (self->button, GTK_WIDGET (self));
}

GtkWidget *
insp_health_tile_new (InspSession *session)
{
  InspHealthTile *self = g_object_new (INSP_TYPE_HEALTH_TILE, NULL);
  self->refresher = insp_refresher_new (GTK_WIDGET (self), session, INTERVAL, ask, take, NULL);
  return GTK_WIDGET (self);
}
