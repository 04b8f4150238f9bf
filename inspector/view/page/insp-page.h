/* SPDX-License-Identifier: MIT */
/*
 * InspPage: what the pages of an inspector have alike: a column of parts that scrolls, what is said
 * instead of it while there is nothing to show, a line above it for what went wrong, and keys: F5
 * refreshes, Ctrl+F searches, Ctrl+E exports. The keys work while the page is shown.
 *
 * Threads: the main one.
 */
#pragma once

#include <gtk/gtk.h>

#include "insp-session.h"

G_BEGIN_DECLS

#define INSP_TYPE_PAGE (insp_page_get_type ())
G_DECLARE_DERIVABLE_TYPE (InspPage, insp_page, INSP, PAGE, GtkWidget)

struct _InspPageClass
{
  GtkWidgetClass parent_class;

  void (*refresh) (InspPage *self); /* NULL: all is live */
  void (*search) (InspPage *self);  /* NULL: there is nothing to search */
  void (*export) (
      InspPage *self); /* NULL: there is nothing to export; or see insp_export_offer() */
};

/* Properties: session, to be given when it is made. */
InspSession *insp_page_get_session (InspPage *self);

/* Below all that was added. */
void insp_page_add (InspPage *self, GtkWidget *part);
/* A part with a heading and, at the end of its line, perhaps something to use. */
GtkWidget *insp_page_add_section (InspPage *self, const char *title, GtkWidget *control,
                                  GtkWidget *part);

/* Scrolls so that a part somewhere in a page is seen, or its beginning, once it has its place. */
void insp_page_reveal (GtkWidget *part);

/* As F5 does. */
void insp_page_refresh (InspPage *self);

/* What is said above the parts until it is closed; NULL: nothing. */
void insp_page_say (InspPage *self, const char *text);

/* What became of a request: an error is said, and no longer once one was answered. For refreshers. */
void insp_page_tell (InspPage *self, const GError *error);
/* The same, of a widget somewhere in a page: an InspRefresherTell. */
void insp_page_tell_from (gpointer widget, const GError *error);

G_END_DECLS
