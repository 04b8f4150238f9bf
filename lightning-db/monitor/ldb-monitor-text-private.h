/* SPDX-License-Identifier: MIT */
/*
 * text: the Prometheus text format 0.0.4, line by line, and the members of a JSON object.
 *
 * Threads: no state; any thread.
 */
#pragma once

#include <gio/gio.h>

#define MONITOR_TEXT_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* Begins a metric: `type` is counter, gauge, histogram or untyped. */
void monitor_text_family (GString *out, const char *name, const char *type, const char *help);
/* One line of it. `label` and `value` may both be NULL; the value is escaped. */
void monitor_text_count (GString *out, const char *name, const char *label, const char *value,
                         guint64 count);
/* A line of a histogram: how many were `bound` or less; NULL for all. `label` may be NULL. */
void monitor_text_bucket (GString *out, const char *name, const char *label, const char *value,
                          const char *bound, guint64 count);
void monitor_text_real (GString *out, const char *name, const char *label, const char *value,
                        double real);

/* What a value of an enumeration is called. */
const char *monitor_text_nick (GType type, int value);

/* A JSON object: its members, then its end. */
void monitor_json_begin (GString *out);
void monitor_json_text (GString *out, const char *name, const char *text);
void monitor_json_count (GString *out, const char *name, guint64 count);
void monitor_json_real (GString *out, const char *name, double real);
void monitor_json_truth (GString *out, const char *name, gboolean truth);
/* A member whose value follows: an object or an array. */
void monitor_json_member (GString *out, const char *name);
void monitor_json_end (GString *out);
