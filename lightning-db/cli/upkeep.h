/* SPDX-License-Identifier: MIT */
/*
 * upkeep: commands on whole databases: create, stores, inspect, check, compact, checkpoint, backup,
 * restore, repair.
 * Threads: the main thread only.
 */
#pragma once

#include "command.h"

enum exit_status create_run (struct invocation *invocation);
enum exit_status stores_run (struct invocation *invocation);
enum exit_status inspect_run (struct invocation *invocation);
enum exit_status check_run (struct invocation *invocation);
enum exit_status compact_run (struct invocation *invocation);
enum exit_status checkpoint_run (struct invocation *invocation);
enum exit_status backup_run (struct invocation *invocation);
enum exit_status restore_run (struct invocation *invocation);
enum exit_status repair_run (struct invocation *invocation);

/* The faults, or what was lost, one a line: file, page, reason. At most `limit` of them. */
void print_faults (GPtrArray *faults, guint limit);
/* The same as a member of the object being built. */
void add_faults (JsonBuilder *builder, const char *name, GPtrArray *faults);
