/* SPDX-License-Identifier: MIT */
/*
 * BenchmarkNoop: an object whose methods have the signatures of LdbDatabase's and do nothing, to
 * show what a call costs in a language by itself.
 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

#define BENCHMARK_TYPE_NOOP (benchmark_noop_get_type ())
G_DECLARE_FINAL_TYPE (BenchmarkNoop, benchmark_noop, BENCHMARK, NOOP, GObject)

BenchmarkNoop *benchmark_noop_new (void);
GBytes *benchmark_noop_get (BenchmarkNoop *self, gconstpointer key, gsize key_length,
                            GCancellable *cancellable, GError **error);
gboolean benchmark_noop_put (BenchmarkNoop *self, gconstpointer key, gsize key_length,
                             gconstpointer value, gsize value_length, GCancellable *cancellable,
                             GError **error);

G_END_DECLS
