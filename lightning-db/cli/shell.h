/* SPDX-License-Identifier: MIT */
/*
 * shell: one database held open, a line a command. On a terminal with line editing, a history and
 * completion of commands, stores and keys; from a pipe it stops at the first line that fails.
 * Threads: the main thread only.
 */
#pragma once

#include "command.h"

enum exit_status shell_run (struct invocation *invocation);
enum exit_status use_run (struct invocation *invocation);
enum exit_status begin_run (struct invocation *invocation);
enum exit_status commit_run (struct invocation *invocation);
enum exit_status rollback_run (struct invocation *invocation);
enum exit_status quit_run (struct invocation *invocation);
