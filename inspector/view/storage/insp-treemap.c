/* SPDX-License-Identifier: MIT */
/*
 * Invariants
 *   T1  `rects` are where the tiles are, if `laid_width` and `laid_height` are the widget's size, and
 *       `laid_title` is the height of a title.
 *   T2  `selected` is the index of a tile that has `selected_id`, or -1.
 */
#include "config.h"

#include <glib/gi18n-lib.h>

#include "insp-palette.h"
#include "insp-plot.h"
#include "insp-squarify.h"
#include "insp-treemap.h"
#include "insp-unit.h"

#define TITLE_HEIGHT 18 /* pixels, of what has parts, at least */
#define LINE_HEIGHT 16  /* likewise, of text */
#define TEXT_LEAST 44   /* width of a rectangle with text */
#define GAP 1
#define DOT 3

struct _InspTreemap
{
  GtkWidget parent_instance;

  GPtrArray *tiles;       /* InspTile; owned */
  graphene_rect_t *rects; /* T1; owned */
  int laid_width, laid_height, laid_title;
  gboolean ordered;
  int selected; /* T2; likewise below */
  guint64 selected_id;
  int height; /* pixels, at least */
};

G_DEFINE_FINAL_TYPE (InspTreemap, insp_treemap, GTK_TYPE_WIDGET)

enum
{
  SELECTED,
  ACTIVATED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

/* ---- where tiles are ---- */

static const InspTile *
tile_at (GPtrArray *tiles, guint index)
{
  return g_ptr_array_index (tiles, index);
}

static gboolean
has_title (const graphene_rect_t *rect, int title_height)
{
  return rect->size.height >= 3 * title_height && rect->size.width >= TEXT_LEAST;
}

/* What is inside of a tile: its title is above, if there is room for it. */
static graphene_rect_t
inside_of (const graphene_rect_t *rect, int title_height)
{
  graphene_rect_t inside;
  double top = has_title (rect, title_height) ? title_height : GAP;
  graphene_rect_init (&inside, rect->origin.x + GAP, (float) (rect->origin.y + top),
                      MAX (rect->size.width - 2 * GAP, 0),
                      (float) MAX (rect->size.height - top - GAP, 0));
  return inside;
}

/* Tiles from `first` on that are `depth` deep, and what is inside of them: as deep as a tree is that was
 * made here. */
static void
lay_out_from (GPtrArray *tiles, guint first, guint depth, const graphene_rect_t *area,
              int title_height, graphene_rect_t *rects)
{
  g_autoptr (GArray) indices = g_array_new (FALSE, FALSE, sizeof (guint));
  g_autoptr (GArray) weights = g_array_new (FALSE, FALSE, sizeof (double));
  for (guint i = first; i < tiles->len && tile_at (tiles, i)->depth >= depth; i++)
    if (tile_at (tiles, i)->depth == depth)
      {
        g_array_append_val (indices, i);
        g_array_append_val (weights, tile_at (tiles, i)->weight);
      }
  g_autofree graphene_rect_t *own = g_new (graphene_rect_t, indices->len + 1);
  insp_squarify ((const double *) (void *) weights->data, indices->len, area, own);
  for (guint i = 0; i < indices->len; i++)
    {
      guint index = g_array_index (indices, guint, i);
      rects[index] = own[i];
      if (!tile_at (tiles, index)->is_leaf)
        {
          graphene_rect_t inside = inside_of (&own[i], title_height);
          lay_out_from (tiles, index + 1, depth + 1, &inside, title_height, rects);
        }
    }
}

void
insp_treemap_lay_out (GPtrArray *tiles, const graphene_rect_t *area, int title_height,
                      graphene_rect_t *rects)
{
  if (tiles->len > 0)
    lay_out_from (tiles, 0, tile_at (tiles, 0)->depth, area, title_height, rects);
}

static void
lay_out (InspTreemap *self)
{
  graphene_rect_t area;
  int width = gtk_widget_get_width (GTK_WIDGET (self));
  int height = gtk_widget_get_height (GTK_WIDGET (self));
  int title = MAX (TITLE_HEIGHT, insp_plot_text_height (GTK_WIDGET (self)) + 1);
  if (width == self->laid_width && height == self->laid_height && title == self->laid_title)
    return;
  graphene_rect_init (&area, 0, 0, (float) width, (float) height);
  g_free (self->rects);
  self->rects = g_new0 (graphene_rect_t, self->tiles->len + 1);
  insp_treemap_lay_out (self->tiles, &area, title, self->rects);
  self->laid_width = width;
  self->laid_height = height;
  self->laid_title = title;
}

/* ---- drawing ---- */

GdkRGBA
insp_treemap_color (GtkWidget *widget, int step, gboolean ordered, GdkRGBA *text)
{
  gboolean dark = insp_palette_is_dark (widget);
  GdkRGBA color = insp_palette_color (ordered ? 0 : (guint) MAX (step, 0), dark);
  *text = insp_palette_faint (widget, 1);
  if (step < 0)
    return insp_palette_faint (widget, 0.1);
  color.alpha = ordered ? 0.15f + 0.21f * (float) step : 0.4f;
  if (ordered && step >= 3)
    *text = dark ? (GdkRGBA){ 0, 0, 0, 1 } : (GdkRGBA){ 1, 1, 1, 1 };
  return color;
}

void
insp_treemap_append_dots (GtkSnapshot *snapshot, double right, double bottom, int step,
                          const GdkRGBA *color)
{
  for (int i = 0; i <= step; i++)
    insp_plot_append_box (snapshot, right - (i + 1) * (DOT + 2), bottom - DOT - 2, DOT, DOT, color);
}

static void
append_text (GtkWidget *widget, GtkSnapshot *snapshot, const char *text, double x, double y,
             double width, const GdkRGBA *color)
{
  g_autoptr (PangoLayout) layout = gtk_widget_create_pango_layout (widget, text);
  graphene_point_t origin = GRAPHENE_POINT_INIT ((float) x, (float) y);
  pango_layout_set_width (layout, (int) (width * PANGO_SCALE));
  pango_layout_set_ellipsize (layout, PANGO_ELLIPSIZE_END);
  gtk_snapshot_save (snapshot);
  gtk_snapshot_translate (snapshot, &origin);
  gtk_snapshot_append_layout (snapshot, layout, color);
  gtk_snapshot_restore (snapshot);
}

/* Its size, and what it is coloured by. */
static char *
format_figures (const InspTile *tile)
{
  char *size = insp_unit_format (INSP_UNIT_BYTES, tile->weight);
  if (tile->step < 0)
    return size;
  g_autofree char *of_size = size;
  /* Translators: of a part of the storage: its size, and what it is coloured by */
  return g_strdup_printf (_ ("%s, %s"), of_size, tile->figure);
}

static void
append_leaf (InspTreemap *self, GtkSnapshot *snapshot, const InspTile *tile,
             const graphene_rect_t *rect)
{
  GdkRGBA text, color = insp_treemap_color (GTK_WIDGET (self), tile->step, self->ordered, &text);
  double x = rect->origin.x, y = rect->origin.y;
  double width = rect->size.width - GAP, height = rect->size.height - GAP;
  int line = self->laid_title - TITLE_HEIGHT + LINE_HEIGHT;
  insp_plot_append_box (snapshot, x, y, MAX (width, 0.5), MAX (height, 0.5), &color);
  if (width >= TEXT_LEAST && height >= line + 4)
    append_text (GTK_WIDGET (self), snapshot, tile->name, x + 4, y + 2, width - 8, &text);
  if (width >= TEXT_LEAST && height >= 2 * line + 4)
    {
      g_autofree char *figures = format_figures (tile);
      append_text (GTK_WIDGET (self), snapshot, figures, x + 4, y + 2 + line, width - 8,
                   &text);
    }
  if (width >= 5 * (DOT + 2) + 4 && height >= DOT + 4)
    insp_treemap_append_dots (snapshot, x + width - 2, y + height - 1, tile->step, &text);
}

static void
append_selection (InspTreemap *self, GtkSnapshot *snapshot)
{
  const graphene_rect_t *rect = &self->rects[self->selected];
  GskRoundedRect outline;
  GdkRGBA color = insp_palette_faint (GTK_WIDGET (self), 1);
  const float widths[] = { 2, 2, 2, 2 };
  const GdkRGBA colors[] = { color, color, color, color };
  gsk_rounded_rect_init_from_rect (&outline, rect, 0);
  gtk_snapshot_append_border (snapshot, &outline, widths, colors);
}

static void
insp_treemap_snapshot (GtkWidget *widget, GtkSnapshot *snapshot)
{
  InspTreemap *self = INSP_TREEMAP (widget);
  GdkRGBA ground = insp_palette_faint (widget, 0.06), text = insp_palette_faint (widget, 0.8);
  lay_out (self);
  for (guint i = 0; i < self->tiles->len; i++)
    {
      const InspTile *tile = tile_at (self->tiles, i);
      const graphene_rect_t *rect = &self->rects[i];
      if (!(rect->size.width > 0))
        continue;
      if (tile->is_leaf)
        append_leaf (self, snapshot, tile, rect);
      else
        insp_plot_append_box (snapshot, rect->origin.x, rect->origin.y, rect->size.width - GAP,
                              rect->size.height - GAP, &ground);
      if (!tile->is_leaf && has_title (rect, self->laid_title))
        append_text (widget, snapshot, tile->name, rect->origin.x + 4, rect->origin.y + 1,
                     rect->size.width - 8, &text);
    }
  if (self->selected >= 0)
    append_selection (self, snapshot);
}

static void
insp_treemap_measure (GtkWidget *widget, GtkOrientation orientation, int for_size, int *minimum,
                      int *natural, int *minimum_baseline, int *natural_baseline)
{
  gboolean across = orientation == GTK_ORIENTATION_HORIZONTAL;
  *minimum = across ? 160 : INSP_TREEMAP (widget)->height;
  *natural = across ? 360 : INSP_TREEMAP (widget)->height;
}

/* ---- selecting ---- */

static char *
describe (const InspTile *tile)
{
  g_autofree char *figures = format_figures (tile);
  /* Translators: a part of the storage: its name and figures */
  return g_strdup_printf (_ ("%s: %s"), tile->name, figures);
}

static void
tell_selected (InspTreemap *self)
{
  g_autofree char *text
      = self->selected >= 0
            ? describe (tile_at (self->tiles, (guint) self->selected))
            : g_strdup_printf (g_dngettext (GETTEXT_PACKAGE, "%u part, none selected",
                                            "%u parts, none selected", self->tiles->len),
                               self->tiles->len);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_DESCRIPTION, text,
                                  -1);
}

static void
select_index (InspTreemap *self, int index)
{
  if (index == self->selected)
    return;
  self->selected = index;
  self->selected_id = index >= 0 ? tile_at (self->tiles, (guint) index)->id : 0;
  gtk_widget_queue_draw (GTK_WIDGET (self));
  tell_selected (self);
  g_signal_emit (self, signals[SELECTED], 0);
}

static int
find (InspTreemap *self, guint64 id)
{
  for (guint i = 0; i < self->tiles->len; i++)
    if (tile_at (self->tiles, i)->id == id)
      return (int) i;
  return -1;
}

const InspTile *
insp_treemap_get_selected (InspTreemap *self)
{
  return self->selected >= 0 ? tile_at (self->tiles, (guint) self->selected) : NULL;
}

void
insp_treemap_select (InspTreemap *self, guint64 id)
{
  select_index (self, find (self, id));
}

void
insp_treemap_set_tiles (InspTreemap *self, GPtrArray *tiles, gboolean ordered)
{
  gboolean had_selected = self->selected >= 0;
  g_ptr_array_ref (tiles);
  g_ptr_array_unref (self->tiles);
  self->tiles = tiles;
  self->ordered = ordered;
  self->laid_width = -1;
  self->selected = had_selected ? find (self, self->selected_id) : -1;
  gtk_widget_queue_draw (GTK_WIDGET (self));
  tell_selected (self);
  if (had_selected && self->selected < 0)
    g_signal_emit (self, signals[SELECTED], 0);
}

/* The smallest tile around a point; -1: none. */
static int
index_at (InspTreemap *self, double x, double y)
{
  graphene_point_t point = GRAPHENE_POINT_INIT ((float) x, (float) y);
  lay_out (self);
  for (guint i = self->tiles->len; i > 0; i--)
    if (graphene_rect_contains_point (&self->rects[i - 1], &point)
        && self->rects[i - 1].size.width > 0)
      return (int) i - 1;
  return -1;
}

static void
on_pressed (InspTreemap *self, int times, double x, double y)
{
  gtk_widget_grab_focus (GTK_WIDGET (self));
  select_index (self, index_at (self, x, y));
  if (times == 2 && self->selected >= 0)
    g_signal_emit (self, signals[ACTIVATED], 0);
}

static gboolean
on_tooltip (InspTreemap *self, int x, int y, gboolean by_keyboard, GtkTooltip *tooltip)
{
  int index = by_keyboard ? self->selected : index_at (self, x, y);
  if (index < 0)
    return FALSE;
  g_autofree char *text = describe (tile_at (self->tiles, (guint) index));
  gtk_tooltip_set_text (tooltip, text);
  return TRUE;
}

/* The largest leaf: where the keyboard begins. */
static int
largest (InspTreemap *self)
{
  int found = -1;
  for (guint i = 0; i < self->tiles->len; i++)
    if (tile_at (self->tiles, i)->is_leaf
        && (found < 0
            || tile_at (self->tiles, i)->weight > tile_at (self->tiles, (guint) found)->weight))
      found = (int) i;
  return found;
}

void
insp_treemap_move (InspTreemap *self, GtkDirectionType direction)
{
  lay_out (self);
  if (self->selected < 0)
    {
      select_index (self, largest (self));
      return;
    }
  g_autofree gboolean *skip = g_new (gboolean, self->tiles->len);
  for (guint i = 0; i < self->tiles->len; i++)
    skip[i] = !tile_at (self->tiles, i)->is_leaf;
  select_index (self, (int) insp_squarify_beside (self->rects, skip, self->tiles->len,
                                                  (guint) self->selected, direction));
}

static gboolean
move (GtkWidget *widget, GVariant *arguments, gpointer data)
{
  insp_treemap_move (INSP_TREEMAP (widget), (GtkDirectionType) g_variant_get_int32 (arguments));
  return GDK_EVENT_STOP;
}

static gboolean
activate (GtkWidget *widget, GVariant *arguments, gpointer data)
{
  if (INSP_TREEMAP (widget)->selected < 0)
    return GDK_EVENT_PROPAGATE;
  g_signal_emit (widget, signals[ACTIVATED], 0);
  return GDK_EVENT_STOP;
}

static gboolean
unselect (GtkWidget *widget, GVariant *arguments, gpointer data)
{
  gboolean had_selected = INSP_TREEMAP (widget)->selected >= 0;
  select_index (INSP_TREEMAP (widget), -1);
  return had_selected;
}

/* ---- the object ---- */

static void
insp_treemap_finalize (GObject *object)
{
  InspTreemap *self = INSP_TREEMAP (object);
  g_ptr_array_unref (self->tiles);
  g_free (self->rects);
  G_OBJECT_CLASS (insp_treemap_parent_class)->finalize (object);
}

static void
insp_treemap_class_init (InspTreemapClass *class)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (class);
  static const struct
  {
    guint key, keypad_key;
    GtkDirectionType direction;
  } moves[] = {
    { GDK_KEY_Left, GDK_KEY_KP_Left, GTK_DIR_LEFT },
    { GDK_KEY_Right, GDK_KEY_KP_Right, GTK_DIR_RIGHT },
    { GDK_KEY_Up, GDK_KEY_KP_Up, GTK_DIR_UP },
    { GDK_KEY_Down, GDK_KEY_KP_Down, GTK_DIR_DOWN },
  };
  G_OBJECT_CLASS (class)->finalize = insp_treemap_finalize;
  widget_class->snapshot = insp_treemap_snapshot;
  widget_class->measure = insp_treemap_measure;
  signals[SELECTED] = g_signal_new ("selected", INSP_TYPE_TREEMAP, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                    NULL, G_TYPE_NONE, 0);
  signals[ACTIVATED] = g_signal_new ("activated", INSP_TYPE_TREEMAP, G_SIGNAL_RUN_LAST, 0, NULL,
                                     NULL, NULL, G_TYPE_NONE, 0);
  for (guint i = 0; i < G_N_ELEMENTS (moves); i++)
    {
      gtk_widget_class_add_binding (widget_class, moves[i].key, 0, move, "i", moves[i].direction);
      gtk_widget_class_add_binding (widget_class, moves[i].keypad_key, 0, move, "i",
                                    moves[i].direction);
    }
  gtk_widget_class_add_binding (widget_class, GDK_KEY_Return, 0, activate, NULL);
  gtk_widget_class_add_binding (widget_class, GDK_KEY_KP_Enter, 0, activate, NULL);
  gtk_widget_class_add_binding (widget_class, GDK_KEY_Escape, 0, unselect, NULL);
  gtk_widget_class_set_css_name (widget_class, "insp-chart");
  gtk_widget_class_set_accessible_role (widget_class, GTK_ACCESSIBLE_ROLE_IMG);
}

static void
insp_treemap_init (InspTreemap *self)
{
  GtkGesture *click = gtk_gesture_click_new ();
  self->tiles = g_ptr_array_new ();
  self->selected = -1;
  self->laid_width = -1;
  g_signal_connect_swapped (click, "pressed", G_CALLBACK (on_pressed), self);
  gtk_widget_add_controller (GTK_WIDGET (self), GTK_EVENT_CONTROLLER (click));
  gtk_widget_set_focusable (GTK_WIDGET (self), TRUE);
  gtk_widget_set_hexpand (GTK_WIDGET (self), TRUE);
  gtk_widget_set_vexpand (GTK_WIDGET (self), TRUE);
  gtk_widget_set_has_tooltip (GTK_WIDGET (self), TRUE);
  gtk_widget_set_overflow (GTK_WIDGET (self), GTK_OVERFLOW_HIDDEN);
  g_signal_connect (self, "query-tooltip", G_CALLBACK (on_tooltip), NULL);
}

GtkWidget *
insp_treemap_new (const char *title, int height)
{
  InspTreemap *self = g_object_new (INSP_TYPE_TREEMAP, NULL);
  self->height = height;
  gtk_accessible_update_property (GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_LABEL, title, -1);
  return GTK_WIDGET (self);
}
