/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <glib/gi18n-lib.h>

#include "insp-question.h"

typedef struct
{
  void (*accepted) (gpointer data);
  gpointer data; /* owned */
  GDestroyNotify free_data;
} Question;

static void
on_answer (GtkDialog *dialog, int response, Question *self)
{
  if (response == GTK_RESPONSE_ACCEPT)
    self->accepted (self->data);
  gtk_window_destroy (GTK_WINDOW (dialog));
}

static void
question_free (gpointer data, GClosure *closure)
{
  Question *self = data;
  if (self->free_data != NULL)
    self->free_data (self->data);
  g_free (self);
}

void
insp_question_ask (GtkWidget *widget, const char *title, const char *text, const char *accept,
                   void (*accepted) (gpointer data), gpointer data, GDestroyNotify free_data)
{
  Question *self = g_new (Question, 1);
  *self = (Question){ .accepted = accepted, .data = data, .free_data = free_data };
  GtkRoot *root = gtk_widget_get_root (widget);
  GtkWidget *dialog = gtk_message_dialog_new (GTK_IS_WINDOW (root) ? GTK_WINDOW (root) : NULL,
                                              GTK_DIALOG_MODAL | GTK_DIALOG_DESTROY_WITH_PARENT,
                                              GTK_MESSAGE_QUESTION, GTK_BUTTONS_NONE, "%s", title);
  gtk_message_dialog_format_secondary_text (GTK_MESSAGE_DIALOG (dialog), "%s", text);
  gtk_accessible_update_property (GTK_ACCESSIBLE (dialog), GTK_ACCESSIBLE_PROPERTY_LABEL, title,
                                  -1);
  gtk_dialog_add_button (GTK_DIALOG (dialog), _ ("_Cancel"), GTK_RESPONSE_CANCEL);
  GtkWidget *button = gtk_dialog_add_button (GTK_DIALOG (dialog), accept, GTK_RESPONSE_ACCEPT);
  gtk_widget_add_css_class (button, "destructive-action");
  gtk_dialog_set_default_response (GTK_DIALOG (dialog), GTK_RESPONSE_CANCEL);
  g_signal_connect_data (dialog, "response", G_CALLBACK (on_answer), self, question_free, 0);
  gtk_window_present (GTK_WINDOW (dialog));
}
