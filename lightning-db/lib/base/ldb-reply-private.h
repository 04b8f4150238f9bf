/* SPDX-License-Identifier: MIT */
/*
 * LdbReply: the half of an asynchronous call that is the same for all of them. It is a value on the
 * stack of the public function and borrows everything.
 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* Who waits for the answer of an asynchronous call, and how to tell them. */
typedef struct
{
  gpointer source;              /* the GObject that is called; NULL for a function */
  gpointer tag;                 /* the public function */
  const char *name;             /* its name; static */
  GCancellable *cancellable;    /* may be NULL */
  GAsyncReadyCallback callback; /* may be NULL */
  gpointer user_data;           /* for it */
} LdbReply;

/* The reply to a call of the public function `function`. */
#define LDB_REPLY(source, function, cancellable, callback, user_data)                              \
  (&(const LdbReply){ source, function, #function, cancellable, callback, user_data })

G_END_DECLS
