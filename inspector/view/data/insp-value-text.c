/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <string.h>

#include "insp-value-text.h"

#define LINE_LONG 4000 /* bytes */

static gboolean
has_long_line (const char *text)
{
  for (const char *end; (end = strchr (text, '\n')) != NULL; text = end + 1)
    if (end - text > LINE_LONG)
      return TRUE;
  return strlen (text) > LINE_LONG;
}

GtkWidget *
insp_value_text_new (const char *name)
{
  GtkWidget *view = gtk_text_view_new (), *scroller = gtk_scrolled_window_new ();
  gtk_text_view_set_monospace (GTK_TEXT_VIEW (view), TRUE);
  gtk_text_view_set_accepts_tab (GTK_TEXT_VIEW (view), FALSE);
  gtk_text_view_set_wrap_mode (GTK_TEXT_VIEW (view), GTK_WRAP_WORD_CHAR);
  gtk_widget_add_css_class (view, "insp-value");
  gtk_accessible_update_property (GTK_ACCESSIBLE (view), GTK_ACCESSIBLE_PROPERTY_LABEL, name, -1);
  gtk_scrolled_window_set_child (GTK_SCROLLED_WINDOW (scroller), view);
  gtk_widget_set_vexpand (scroller, TRUE);
  return view;
}

static void
wrap (GtkTextView *self, const char *text)
{
  gboolean is_whole = g_object_get_data (G_OBJECT (self), "insp-whole") != NULL;
  gtk_text_view_set_wrap_mode (self, is_whole               ? GTK_WRAP_NONE
                                     : has_long_line (text) ? GTK_WRAP_CHAR
                                                            : GTK_WRAP_WORD_CHAR);
}

static char *
get_text (GtkTextView *self)
{
  GtkTextBuffer *buffer = gtk_text_view_get_buffer (self);
  GtkTextIter start, end;
  gtk_text_buffer_get_bounds (buffer, &start, &end);
  return gtk_text_buffer_get_text (buffer, &start, &end, FALSE);
}

static gboolean
on_frame (GtkWidget *view, GdkFrameClock *clock, gpointer data)
{
  if (gtk_widget_get_width (view) == 0)
    return G_SOURCE_CONTINUE;
  g_autofree char *text = get_text (GTK_TEXT_VIEW (view));
  wrap (GTK_TEXT_VIEW (view), text);
  return G_SOURCE_REMOVE;
}

void
insp_value_text_set (GtkTextView *self, const char *text, gboolean whole_lines)
{
  g_autofree char *old = get_text (self);
  g_object_set_data (G_OBJECT (self), "insp-whole", GINT_TO_POINTER (whole_lines));
  if (g_str_equal (old, text))
    return;
  if (gtk_widget_get_width (GTK_WIDGET (self)) > 0)
    wrap (self, text);
  else if (gtk_text_view_get_wrap_mode (self) != GTK_WRAP_NONE)
    {
      gtk_text_view_set_wrap_mode (self, GTK_WRAP_NONE);
      gtk_widget_add_tick_callback (GTK_WIDGET (self), on_frame, NULL, NULL);
    }
  gtk_text_buffer_set_text (gtk_text_view_get_buffer (self), text, -1);
}
