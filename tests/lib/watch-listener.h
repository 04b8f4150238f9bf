/* SPDX-License-Identifier: MIT */
/*
 * A watch whose emissions are written down and awaited, text by text.
 */
#pragma once

#include "watch-test.h"

/* A watch whose emissions are written down. */
typedef struct
{
  LdbWatch *watch;   /* owned */
  GPtrArray *told;   /* a text for each emission not yet expected */
  guint count;       /* emissions so far */
  guint64 sequence;  /* of the newest one */
  GThread *thread;   /* in which the emissions are to come */
  gboolean resynced; /* the newest one was a resync */
} Listener;

static inline void
note (LdbWatch *watch, LdbChangeSet *changes, Listener *listener)
{
  g_assert_true (g_thread_self () == listener->thread);
  g_assert_cmpuint (ldb_change_set_get_n_changes (changes), >, 0);
  g_assert_cmpuint (ldb_change_set_get_sequence (changes), >=, listener->sequence);
  g_assert_cmpuint (ldb_change_set_get_sequence (changes), ==, ldb_watch_get_sequence (watch));
  g_assert_cmpuint (ldb_change_set_get_since (changes), <=, ldb_change_set_get_sequence (changes));
  g_ptr_array_add (listener->told, describe_changes (changes));
  listener->count++;
  listener->sequence = ldb_change_set_get_sequence (changes);
  listener->resynced = ldb_change_set_get_resync (changes);
}

/* Takes the watch over. */
static inline void
listen_to (Listener *listener, LdbWatch *watch)
{
  g_assert_nonnull (watch);
  *listener = (Listener){ .watch = watch, .thread = g_thread_self () };
  listener->told = g_ptr_array_new_with_free_func (g_free);
  g_signal_connect (watch, "changed", G_CALLBACK (note), listener);
}

static inline void
listener_clear (Listener *listener)
{
  if (listener->watch != NULL)
    g_signal_handlers_disconnect_by_data (listener->watch, listener);
  g_clear_object (&listener->watch);
  g_clear_pointer (&listener->told, g_ptr_array_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Listener, listener_clear)

/* Waits for one emission, and for it alone. */
static inline void
expect (Listener *listener, const char *text)
{
  wait_until (listener->told->len > 0);
  g_assert_cmpuint (listener->told->len, ==, 1);
  g_assert_cmpstr (g_ptr_array_index (listener->told, 0), ==, text);
  g_ptr_array_set_size (listener->told, 0);
}

/* Nothing came but what was expected. What would come, would come now: a change that another watch
 * sees in the same frame is awaited first. */
static inline void
expect_nothing_more (Listener *listener)
{
  run_for (40);
  g_assert_cmpuint (listener->told->len, ==, 0);
}
