/* SPDX-License-Identifier: MIT */
/*
 * storage: commands that look at how a database lies on the disk: storage, bigkeys, report.
 * Threads: the main thread only.
 */
#pragma once

#include "command.h"

enum exit_status storage_run (struct invocation *invocation);
enum exit_status bigkeys_run (struct invocation *invocation);
enum exit_status report_run (struct invocation *invocation);

/* A bar of `width` characters, filled as far as `share` (0 … 1) says: block characters where the
 * terminal knows them, else signs. */
void bar_append (GString *to, double share, guint width);
