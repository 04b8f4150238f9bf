/* SPDX-License-Identifier: MIT */
/*
 * serve: shows a database to Prometheus and to whatever watches over services.
 * Threads: the main thread only.
 */
#pragma once

#include "command.h"

enum exit_status serve_run (struct invocation *invocation);
