/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "insp-figure.h"
#include "insp-refresher.h"
#include "insp-stats-tile.h"

#define INTERVAL 5000 /* milliseconds between requests */

struct _InspStatsTile
{
  GtkWidget parent_instance;

  InspRefresher *refresher;
  GtkWidget *figure; /* an InspFigure; child */
  InspUnit unit;
  gsize offset; /* in LdbStats */
};

G_DEFINE_FINAL_TYPE (InspStatsTile, insp_stats_tile, GTK_TYPE_WIDGET)

static void
ask (gpointer tile, LdbInspector *inspector, GCancellable *cancellable,
     GAsyncReadyCallback answered, gpointer data)
{
  ldb_inspector_get_stats_async (inspector, cancellable, answered, data);
}

static gboolean
take (gpointer tile, LdbInspector *inspector, GAsyncResult *result, GError **error)
{
  InspStatsTile *self = tile;
  g_autoptr (LdbStats) stats = ldb_inspector_get_stats_finish (inspector, result, error);
  if (stats == NULL)
    return FALSE;
  guint64 figure = G_STRUCT_MEMBER (guint64, stats, self->offset);
  g_autofree char *text = insp_unit_format (self->unit, (double) figure);
  insp_figure_say (INSP_FIGURE (self->figure), text);
  return TRUE;
}

/* ---- the object ---- */

static void
insp_stats_tile_dispose (GObject *object)
{
  InspStatsTile *self = INSP_STATS_TILE (object);
  g_clear_pointer (&self->refresher, insp_refresher_free);
  g_clear_pointer (&self->figure, gtk_widget_unparent);
  G_OBJECT_CLASS (insp_stats_tile_parent_class)->dispose (object);
}

static void
insp_stats_tile_class_init (InspStatsTileClass *class)
{
  G_OBJECT_CLASS (class)->dispose = insp_stats_tile_dispose;
  gtk_widget_class_set_layout_manager_type (GTK_WIDGET_CLASS (class), GTK_TYPE_BIN_LAYOUT);
}

static void
insp_stats_tile_init (InspStatsTile *self)
{
}

GtkWidget *
insp_stats_tile_new (InspSession *session, const char *title, InspUnit unit, gsize offset)
{
  InspStatsTile *self = g_object_new (INSP_TYPE_STATS_TILE, NULL);
  self->unit = unit;
  self->offset = offset;
  self->figure = insp_figure_new_tile (title);
  gtk_widget_set_parent (self->figure, GTK_WIDGET (self));
  self->refresher = insp_refresher_new (GTK_WIDGET (self), session, INTERVAL, ask, take, NULL);
  return GTK_WIDGET (self);
}
