/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <glib/gi18n-lib.h>

#include "insp-palette.h"
#include "insp-plot.h"
#include "insp-time-split.h"

#define NO_COLOR INSP_PALETTE_SIZE /* all else: it is not waiting */
#define BAR_HEIGHT 4               /* pixels, in the padding below the text */
#define LEAST_SHARE 0.005          /* of a part that is written */

static const struct
{
  const char *name;
  guint color; /* reads have theirs, writes theirs: none has both */
} parts[INSP_TIME_PARTS] = {
  /* Translators: what an operation spent its time with, from here to “else” */
  { N_ ("reading pages"), 0 },
  { N_ ("decompressing"), 1 },
  { N_ ("reading large values"), 2 },
  { N_ ("waiting for commits"), 0 },
  { N_ ("stalled"), 1 },
  { N_ ("slowed down"), 2 },
  { N_ ("next log segment"), 4 },
  { N_ ("syncing the log"), 3 },
  { N_ ("waiting for its turn"), 5 },
  { N_ ("else"), NO_COLOR },
};

/* ---- figures ---- */

void
insp_time_parts_add (InspTimeParts *self, const LdbSlowOperation *operation)
{
  const guint64 waits[INSP_TIME_PARTS - 1] = {
    operation->page_read,  operation->decompress, operation->blob_read,
    operation->lock,       operation->stall,      operation->nap,
    operation->log_change, operation->log_sync,   operation->turn,
  };
  guint64 waited = 0;
  for (guint i = 0; i < G_N_ELEMENTS (waits); i++)
    {
      self->parts[i] += waits[i];
      waited += waits[i];
    }
  if (operation->duration > waited)
    self->parts[INSP_TIME_PARTS - 1] += operation->duration - waited;
}

guint64
insp_time_parts_sum (const InspTimeParts *self)
{
  guint64 sum = 0;
  for (guint i = 0; i < INSP_TIME_PARTS; i++)
    sum += self->parts[i];
  return sum;
}

char *
insp_time_parts_format (const InspTimeParts *self)
{
  guint64 sum = MAX (insp_time_parts_sum (self), 1), above = G_MAXUINT64;
  guint last = INSP_TIME_PARTS;
  GString *text = g_string_new (NULL);
  for (;;)
    {
      guint best = INSP_TIME_PARTS; /* of those that were not written yet */
      for (guint i = 0; i < INSP_TIME_PARTS; i++)
        if ((self->parts[i] < above || (self->parts[i] == above && i > last))
            && (best == INSP_TIME_PARTS || self->parts[i] > self->parts[best]))
          best = i;
      double share = best < INSP_TIME_PARTS ? (double) self->parts[best] / (double) sum : 0;
      if (share < LEAST_SHARE)
        break;
      /* Translators: a part of an operation's time: its name, and percent */
      g_string_append_printf (text, _ ("%s%s %.0f %%"), text->len > 0 ? ", " : "",
                              _ (parts[best].name), share * 100);
      above = self->parts[best];
      last = best;
    }
  return g_string_free (text, FALSE);
}

/* ---- the bar ---- */

struct _InspTimeSplit
{
  GtkWidget parent_instance;

  InspTimeParts time;
  GtkWidget *label; /* child; over the bar */
};

G_DEFINE_FINAL_TYPE (InspTimeSplit, insp_time_split, GTK_TYPE_WIDGET)

static GdkRGBA
color_of (GtkWidget *widget, guint part)
{
  if (parts[part].color == NO_COLOR)
    return insp_palette_faint (widget, 0.15);
  return insp_palette_color (parts[part].color, insp_palette_is_dark (widget));
}

static void
insp_time_split_snapshot (GtkWidget *widget, GtkSnapshot *snapshot)
{
  InspTimeSplit *self = INSP_TIME_SPLIT (widget);
  double width = gtk_widget_get_width (widget), height = gtk_widget_get_height (widget);
  double sum = (double) MAX (insp_time_parts_sum (&self->time), 1), x = 0;
  gboolean mirrored = gtk_widget_get_direction (widget) == GTK_TEXT_DIR_RTL;
  for (guint i = 0; i < INSP_TIME_PARTS; i++)
    {
      double part = width * (double) self->time.parts[i] / sum;
      GdkRGBA color = color_of (widget, i);
      insp_plot_append_box (snapshot, mirrored ? width - x - part : x, height + 1, part, BAR_HEIGHT,
                            &color);
      x += part;
    }
  gtk_widget_snapshot_child (widget, self->label, snapshot);
}

static void
insp_time_split_dispose (GObject *object)
{
  g_clear_pointer (&INSP_TIME_SPLIT (object)->label, gtk_widget_unparent);
  G_OBJECT_CLASS (insp_time_split_parent_class)->dispose (object);
}

static void
insp_time_split_class_init (InspTimeSplitClass *class)
{
  G_OBJECT_CLASS (class)->dispose = insp_time_split_dispose;
  GTK_WIDGET_CLASS (class)->snapshot = insp_time_split_snapshot;
  gtk_widget_class_set_layout_manager_type (GTK_WIDGET_CLASS (class), GTK_TYPE_BIN_LAYOUT);
  gtk_widget_class_set_css_name (GTK_WIDGET_CLASS (class), "insp-time-split");
}

static void
insp_time_split_init (InspTimeSplit *self)
{
  self->label = gtk_label_new (NULL);
  gtk_label_set_xalign (GTK_LABEL (self->label), 0);
  gtk_label_set_ellipsize (GTK_LABEL (self->label), PANGO_ELLIPSIZE_END);
  gtk_label_set_width_chars (GTK_LABEL (self->label), 18);
  gtk_widget_set_parent (self->label, GTK_WIDGET (self));
}

void
insp_time_split_show (InspTimeSplit *self, const InspTimeParts *time)
{
  g_autofree char *text = insp_time_parts_format (time);
  self->time = *time;
  gtk_label_set_text (GTK_LABEL (self->label), text);
  gtk_widget_set_tooltip_text (GTK_WIDGET (self), text);
  gtk_widget_queue_draw (GTK_WIDGET (self));
}
