/* SPDX-License-Identifier: MIT */
/* fuzz-cli: the tool's commands, run as a shell that has a database open runs them. */
#ifndef LIGHTNING_TESTS_FUZZ_CLI_H
#define LIGHTNING_TESTS_FUZZ_CLI_H

#include "../check-condition.h"
#include "command.h"

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

/* What is done to; made by the first call. The other one takes dumps back. */
LdbDatabase *fuzz_cli_database (void);
/* A file's path in a directory of this process's own, removed when it ends. */
char *fuzz_cli_path (const char *name);
/* One command in a session of its own, which it must leave without a transaction. */
enum exit_status fuzz_cli_run (LdbDatabase *database, const char *const *words);
/* Dumps the database, loads that into another, whose dump has to be the same; then empties both. */
void fuzz_cli_there_and_back (void);
/* A command that brings records in. What it takes goes there and back; of what it refuses nothing
 * is left in the database. */
void fuzz_cli_take (const char *const *words);

#endif
