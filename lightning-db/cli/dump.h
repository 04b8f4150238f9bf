/* SPDX-License-Identifier: MIT */
/*
 * dump: a database as text that a person can read, a program can change and `load` takes back,
 * byte for byte.
 *
 *   lightning-db-dump 1            what it is, and the version of this form
 *   store default                  the records below are of this store
 *   + KEY<TAB>VALUE                one record, in the order of the keys
 *   end 2 SHA256                   how many records, and the checksum of all bytes before this line
 *
 * Names, keys and values are escaped: \\ \n \r \t and \xNN stand for a byte, everything else for
 * itself. Lines end in a line feed. Empty lines and lines that begin with # say nothing, so a dump
 * can be commented by hand; whoever changes one leaves out the checksum: `end 2`.
 * Threads: the main thread only.
 */
#pragma once

#include "command.h"

#define DUMP_HEADER "lightning-db-dump 1"

enum exit_status dump_run (struct invocation *invocation);
enum exit_status load_run (struct invocation *invocation);
