/* SPDX-License-Identifier: MIT */
/*
 * memory: what a running application uses a database's memory for, and another budget.
 * Threads: the main thread only.
 */
#pragma once

#include "command.h"

enum exit_status memory_run (struct invocation *invocation);
