/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <glib/gi18n-lib.h>

#include "insp-disk-tile.h"
#include "insp-figure.h"
#include "insp-refresher.h"
#include "insp-unit.h"

#define INTERVAL 5000 /* milliseconds between requests */

struct _InspDiskTile
{
  GtkWidget parent_instance;

  InspRefresher *refresher;
  GtkWidget *figure; /* an InspFigure; child */
};

G_DEFINE_FINAL_TYPE (InspDiskTile, insp_disk_tile, GTK_TYPE_WIDGET)

static void
ask (gpointer tile, LdbInspector *inspector, GCancellable *cancellable,
     GAsyncReadyCallback answered, gpointer data)
{
  ldb_inspector_get_stats_async (inspector, cancellable, answered, data);
}

static gboolean
take (gpointer tile, LdbInspector *inspector, GAsyncResult *result, GError **error)
{
  g_autoptr (LdbStats) stats = ldb_inspector_get_stats_finish (inspector, result, error);
  if (stats == NULL)
    return FALSE;
  g_autofree char *text = insp_unit_format (INSP_UNIT_BYTES, (double) stats->disk_bytes);
  insp_figure_say (INSP_FIGURE (INSP_DISK_TILE (tile)->figure), text);
  return TRUE;
}

/* ---- the object ---- */

static void
insp_disk_tile_dispose (GObject *object)
{
  InspDiskTile *self = INSP_DISK_TILE (object);
  g_clear_pointer (&self->refresher, insp_refresher_free);
  g_clear_pointer (&self->figure, gtk_widget_unparent);
  G_OBJECT_CLASS (insp_disk_tile_parent_class)->dispose (object);
}

static void
insp_disk_tile_class_init (InspDiskTileClass *class)
{
  G_OBJECT_CLASS (class)->dispose = insp_disk_tile_dispose;
  gtk_widget_class_set_layout_manager_type (GTK_WIDGET_CLASS (class), GTK_TYPE_BIN_LAYOUT);
}

static void
insp_disk_tile_init (InspDiskTile *self)
{
  self->figure = insp_figure_new_tile (_ ("On disk"));
  gtk_widget_set_parent (self->figure, GTK_WIDGET (self));
}

GtkWidget *
insp_disk_tile_new (InspSession *session)
{
  InspDiskTile *self = g_object_new (INSP_TYPE_DISK_TILE, NULL);
  self->refresher = insp_refresher_new (GTK_WIDGET (self), session, INTERVAL, ask, take, NULL);
  return GTK_WIDGET (self);
}
