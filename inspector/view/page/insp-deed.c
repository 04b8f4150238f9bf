/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "insp-deed.h"

/* One that is under way. */
typedef struct
{
  const InspDeed *deed;
  InspPage *page; /* owned */
  gpointer data;  /* owned */
  GDestroyNotify free_data;
} Doing;

static void
doing_free (Doing *self)
{
  g_object_unref (self->page);
  if (self->free_data != NULL)
    self->free_data (self->data);
  g_free (self);
}

/* The page may have left its window meanwhile. */
static void
end (Doing *self, const GError *error)
{
  if (gtk_widget_get_root (GTK_WIDGET (self->page)) != NULL)
    {
      insp_page_say (self->page, error != NULL ? error->message : NULL);
      insp_page_refresh (self->page);
    }
  doing_free (self);
}

static void
on_done (GObject *inspector, GAsyncResult *result, gpointer data)
{
  Doing *self = data;
  g_autoptr (GError) error = NULL;
  self->deed->end (LDB_INSPECTOR (inspector), result, &error);
  end (self, error);
}

static void
on_granted (GObject *inspector, GAsyncResult *result, gpointer data)
{
  Doing *self = data;
  g_autoptr (GError) error = NULL;
  if (ldb_inspector_request_control_finish (LDB_INSPECTOR (inspector), result, &error))
    self->deed->begin (LDB_INSPECTOR (inspector), self->data, on_done, self);
  else
    end (self, error);
}

void
insp_deed_do (const InspDeed *deed, InspPage *page, gpointer data, GDestroyNotify free_data)
{
  InspSession *session = insp_page_get_session (page);
  Doing *self = g_new (Doing, 1);
  *self
      = (Doing){ .deed = deed, .page = g_object_ref (page), .data = data, .free_data = free_data };
  if (insp_session_get_state (session) == INSP_SESSION_LIVE)
    ldb_inspector_request_control_async (insp_session_get_inspector (session), NULL, on_granted,
                                         self);
  else
    doing_free (self);
}
