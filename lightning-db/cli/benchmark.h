/* SPDX-License-Identifier: MIT */
#pragma once

#include "command.h"

enum exit_status benchmark_run (struct invocation *invocation);
