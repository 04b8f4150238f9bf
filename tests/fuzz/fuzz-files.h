/* SPDX-License-Identifier: MIT */
/*
 * fuzz-files: one input as all the files of a directory.
 *
 *   per file   kind 1 (of the list in fuzz-files.c, the rest of the names in order of the kind)
 *              number 4, size 3 (both little-endian), the bytes; the last file may be cut short
 *
 * Kinds are CURRENT, LOCK, SHARED and BACKUP, numbered files of ours, and a file whose name is the
 * first bytes of its content.
 */
#ifndef LIGHTNING_TESTS_FUZZ_FILES_H
#define LIGHTNING_TESTS_FUZZ_FILES_H

#include "fuzz.h"

/* Below fuzz_directory, made when it is missing. The caller's to free. */
char *fuzz_files_directory (const char *name);
void fuzz_files_write (const char *path, struct bytes input);
void fuzz_files_clear (const char *path);
/* The files of a directory as an input; malloc'd. */
struct bytes fuzz_files_pack (const char *path);

/* One number for names and contents; `foreign_only`: of files that have none of our names. */
uint64_t fuzz_files_digest (const char *path, bool foreign_only);

#endif
