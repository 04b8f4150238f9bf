/* SPDX-License-Identifier: MIT */
/*
 * InspKeyBrowser: the keys of a store as a list or a tree, of which one is selected.
 *
 * It follows what is written while the session looks and it can be seen.
 *
 * Signals: “selected”: get_key() is another, or its record was written. “progressed”: describe() says
 * something else.
 *
 * Threads: the main one.
 */
#pragma once

#include <gtk/gtk.h>

#include "insp-edits.h"
#include "insp-session.h"

G_BEGIN_DECLS

#define INSP_TYPE_KEY_BROWSER (insp_key_browser_get_type ())
G_DECLARE_FINAL_TYPE (InspKeyBrowser, insp_key_browser, INSP, KEY_BROWSER, GtkWidget)

/* What is listed, and how. */
typedef struct
{
  const char *store;
  GBytes *prefix;   /* NULL: all keys */
  gboolean reverse; /* from the last one on */
  gboolean as_tree; /* always from the first one on */
  char delimiter;   /* of the tree; '\0': the one that suits the keys */
} InspKeyQuery;

GtkWidget *insp_key_browser_new (InspSession *session);

/* Lists something else; what was read before is dropped, and what is being read. The old keys are shown
 * until the first ones are there. */
void insp_key_browser_list (InspKeyBrowser *self, const InspKeyQuery *query);

/* Selects the first key that is not below `key`, in a list. */
void insp_key_browser_go_to (InspKeyBrowser *self, GBytes *key);

/* The keys that have a staged change are marked; to be set before there are rows. */
void insp_key_browser_set_edits (InspKeyBrowser *self, InspEdits *edits);

GBytes *insp_key_browser_get_key (InspKeyBrowser *self); /* NULL: none is selected */
char *insp_key_browser_describe (InspKeyBrowser *self);  /* how many keys; free it */

G_END_DECLS
