/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <adwaita.h>
#include <glib/gi18n.h>

#include "insp-leaving.h"

typedef struct
{
  InspWindow *window; /* a reference */
  InspLeave leave;
  gpointer data; /* owned */
  GDestroyNotify free;
} Leaving;

static void
end (Leaving *self, gboolean agreed)
{
  if (agreed)
    self->leave (self->window, self->data);
  if (self->free != NULL)
    self->free (self->data);
  g_object_unref (self->window);
  g_free (self);
}

static void
on_response (AdwMessageDialog *dialog, const char *response, gpointer data)
{
  end (data, g_str_equal (response, "discard"));
}

void
insp_leaving_ask (InspWindow *window, InspLeave leave, gpointer data, GDestroyNotify free)
{
  Leaving *self = g_new (Leaving, 1);
  guint count = ldb_inspector_view_get_staged_changes (insp_window_get_view (window));
  *self = (Leaving){ g_object_ref (window), leave, data, free };
  if (count == 0)
    {
      end (self, TRUE);
      return;
    }
  g_autofree char *text = g_strdup_printf (
      ngettext ("%u change was not written to the database. It will be lost.",
                "%u changes were not written to the database. They will be lost.", count),
      count);
  AdwMessageDialog *dialog = insp_window_new_message (window, _ ("Discard Changes?"), text);
  adw_message_dialog_add_responses (dialog, "keep", _ ("_Keep Editing"), "discard", _ ("_Discard"),
                                    NULL);
  adw_message_dialog_set_response_appearance (dialog, "discard", ADW_RESPONSE_DESTRUCTIVE);
  adw_message_dialog_set_default_response (dialog, "keep");
  adw_message_dialog_set_close_response (dialog, "keep");
  g_signal_connect (dialog, "response", G_CALLBACK (on_response), self);
  gtk_window_present (GTK_WINDOW (dialog));
}
