/* SPDX-License-Identifier: MIT */
/*
 * stream: what libsoup reads a request from and writes its answer to: a connection's stream, plain or
 * TLS, of which only so many bytes are read, and whose closing is told.
 *
 * Threads: the monitor's thread.
 */
#pragma once

#include <gio/gio.h>

/* Called with the stream's `data`. */
typedef struct
{
  /* More than the limit came in: reading fails from here on. */
  void (*overflowed) (gpointer data);
  /* libsoup is done with it. Called once, and after that nothing more is. */
  void (*closed) (gpointer data);
} MonitorStreamEvents;

/* Takes a reference to `base`, and never closes it. */
GIOStream *monitor_stream_new (GIOStream *base, gsize limit, const MonitorStreamEvents *events,
                               gpointer data);
