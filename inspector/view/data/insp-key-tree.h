/* SPDX-License-Identifier: MIT */
/*
 * InspKeyTree: the keys of a store as a tree, parted by a delimiter: “user:ada:name” is in “ada:”, which
 * is in “user:”. A level is read when it is opened, by leaps: a branch costs one read, however many keys
 * it has.
 *
 * Signals: progressed (), when a level was read; failed (GError). The items of its levels are InspBranch. Threads: the main one.
 */
#pragma once

#include <gtk/gtk.h>

#include "insp-record-reader.h"

G_BEGIN_DECLS

#define INSP_BRANCHES_MAX 5000u /* of one level; the last one says that there are more */

#define INSP_TYPE_BRANCH (insp_branch_get_type ())
G_DECLARE_FINAL_TYPE (InspBranch, insp_branch, INSP, BRANCH, GObject)

/* The whole key, or what the keys in it begin with. NULL: it says that there are more. */
GBytes *insp_branch_get_key (InspBranch *self);
gboolean insp_branch_is_open_ended (InspBranch *self); /* keys begin with it */
char *insp_branch_to_text (InspBranch *self);          /* its part of the key; free it */

#define INSP_TYPE_KEY_TREE (insp_key_tree_get_type ())
G_DECLARE_FINAL_TYPE (InspKeyTree, insp_key_tree, INSP, KEY_TREE, GObject)

InspKeyTree *insp_key_tree_new (InspRecordReader *reader, const char *store, GBytes *prefix,
                                char delimiter);

/* Its rows; they keep the tree. */
GtkTreeListModel *insp_key_tree_make_model (InspKeyTree *self);

/* Reads the levels anew that are open and have to do with a key (NULL: all), but not at once; what is
 * the same stays. */
void insp_key_tree_touch (InspKeyTree *self, GBytes *key);

/* The character that parts most of some keys: one of “:/.|#_-”, ':' if none does. */
char insp_key_tree_guess (GPtrArray *records);

G_END_DECLS
