/* SPDX-License-Identifier: MIT */
/*
 * fuzz: what every fuzz target stands on.
 *
 * A target is one function from bytes to nothing that must not crash, hang, leak, read outside its
 * memory, or answer two questions in contradiction. With clang and the option `fuzzers` it is a
 * libFuzzer program; without, replay.c drives it over its corpus and over changed copies of it.
 *
 * The targets of file formats are linked with checksum-blind.c in place of base/hash.c: all
 * checksums are one number there, so that what lies behind them is reached, and the corpora hold
 * files that were written so.
 */
#ifndef LIGHTNING_TESTS_FUZZ_H
#define LIGHTNING_TESTS_FUZZ_H

#include "../engine/check.h"
#include "base/vfs.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

/* An empty directory of this process's own, in memory where there is such a place; made once,
 * removed when the process ends. */
struct vfs_directory *fuzz_directory (void);
const char *fuzz_directory_path (void);
/* Makes the file hold just that. */
void fuzz_write (const char *name, struct bytes content);
void fuzz_remove (const char *name);

/* An error must say something, and nothing else may. Returns whether it is OK. */
bool fuzz_result (status result, const struct failure *failure);
/* Takes what a check finds, which must say something, too. `found`: a bool, which is set. */
void fuzz_note_fault (void *found, const char *file, uint64_t page, const char *reason);
/* Reads all bytes, so that a sanitizer sees whether they are there. */
void fuzz_touch (struct bytes bytes);

#endif
