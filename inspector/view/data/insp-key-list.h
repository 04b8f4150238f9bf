/* SPDX-License-Identifier: MIT */
/*
 * InspKeyList: the keys of a store, or those with a prefix, as a GListModel of InspKey: millions of them
 * without holding them. docs/design/inspector.md says how.
 *
 * It begins at a key and finds what lies before and behind it bit by bit, so the number of its items
 * rises until it is complete. Of what it has seen it keeps where each 250th key is; the rows in between
 * are read when they are asked for, and dropped. When keys are touched by others, rows that are seen are
 * read again and what differs is spliced; the number of others is what it was when they were counted,
 * and is corrected.
 *
 * Signals: “arrived” (guint position): where the key is that was gone to. “failed” (GError *): something
 * could not be read. “progressed”: is_complete() or the number of items is another.
 *
 * Threads: the main one.
 */
#pragma once

#include "insp-record-reader.h"

G_BEGIN_DECLS

#define INSP_KEY_PREVIEW 96u      /* bytes of a value that a row has */
#define INSP_KEYS_MAX (40u << 20) /* rows: what a list view has pixels for */

#define INSP_TYPE_KEY_LIST (insp_key_list_get_type ())
G_DECLARE_FINAL_TYPE (InspKeyList, insp_key_list, INSP, KEY_LIST, GObject)

/* Of the keys that begin with `prefix`; `store` NULL: the default one. It begins to read at once, with
 * `reader`, which has nothing else to do. */
InspKeyList *insp_key_list_new (InspRecordReader *reader, const char *store, GBytes *prefix,
                                gboolean reverse);

/* Whether it looks further and follows what is touched. What is asked for is read in any case. */
void insp_key_list_set_active (InspKeyList *self, gboolean active);

/* Finds the first key that is not below `key`. */
void insp_key_list_go_to (InspKeyList *self, GBytes *key);

/* Somebody wrote a key, or deleted a range of keys: `end` is behind them, empty if they are all from
 * `key` on, NULL if it is one key. */
void insp_key_list_touch (InspKeyList *self, GBytes *key, GBytes *end);
void insp_key_list_touch_all (InspKeyList *self);

gboolean insp_key_list_is_complete (InspKeyList *self);
gboolean insp_key_list_is_reverse (InspKeyList *self);

/* How many rows it holds now: for tests. */
guint insp_key_list_count_held (InspKeyList *self);

G_END_DECLS
