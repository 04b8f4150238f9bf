/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <string.h>

#include "insp-diff.h"
#include "insp-difference.h"

#define LINES_MAX 400u   /* that are shown */
#define BYTES_MAX 32768u /* of them */

/* Lines of one kind: by a sign as well as by colour. */
static void
add_lines (GtkWidget *box, InspDiffKind kind, const char *text)
{
  static const char *const styles[] = { "insp-same", "insp-old", "insp-new", "insp-same" };
  GtkWidget *label = gtk_label_new (text);
  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_label_set_wrap (GTK_LABEL (label), TRUE);
  gtk_label_set_wrap_mode (GTK_LABEL (label), PANGO_WRAP_WORD_CHAR);
  gtk_label_set_selectable (GTK_LABEL (label), TRUE);
  gtk_widget_set_can_focus (label, FALSE); /* the keyboard has buttons to go to */
  gtk_widget_add_css_class (label, "monospace");
  gtk_widget_add_css_class (label, styles[kind]);
  gtk_box_append (GTK_BOX (box), label);
}

static guint
count_shown (GPtrArray *lines)
{
  gsize bytes = 0;
  guint count = 0;
  for (; count < MIN (lines->len, LINES_MAX) && bytes < BYTES_MAX; count++)
    {
      const InspDiffLine *line = lines->pdata[count];
      bytes += line->text != NULL ? strlen (line->text) : 0;
    }
  return count;
}

void
insp_difference_show (GtkWidget *box, GPtrArray *lines)
{
  static const char *const signs[] = { "  ", "− ", "+ ", "⋯" };
  GtkWidget *old;
  guint count = count_shown (lines);
  while ((old = gtk_widget_get_first_child (box)) != NULL)
    gtk_box_remove (GTK_BOX (box), old);
  g_autoptr (GString) text = g_string_new (NULL);
  for (guint i = 0; i < count; i++)
    {
      const InspDiffLine *line = lines->pdata[i];
      gboolean ends = i + 1 == count
                      || ((InspDiffLine *) lines->pdata[i + 1])->kind != line->kind;
      g_string_append (text, signs[line->kind]);
      g_string_append (text, line->text != NULL ? line->text : "");
      if (!ends)
        g_string_append_c (text, '\n');
      else
        {
          add_lines (box, line->kind, text->str);
          g_string_truncate (text, 0);
        }
    }
  if (lines->len > count)
    add_lines (box, INSP_DIFF_SKIPPED, signs[INSP_DIFF_SKIPPED]);
}

GtkWidget *
insp_difference_new (const char *name)
{
  GtkWidget *box = g_object_new (GTK_TYPE_BOX, "orientation", GTK_ORIENTATION_VERTICAL,
                                 "accessible-role", GTK_ACCESSIBLE_ROLE_GROUP, NULL);
  gtk_widget_add_css_class (box, "insp-difference");
  gtk_accessible_update_property (GTK_ACCESSIBLE (box), GTK_ACCESSIBLE_PROPERTY_LABEL, name, -1);
  return box;
}
