/* SPDX-License-Identifier: MIT */
/*
 * argument: what callers pass, checked before it is used. On failure the code and a message that
 * names the argument are kept in `caller`.
 */
#ifndef LIGHTNING_FFI_ARGUMENT_H
#define LIGHTNING_FFI_ARGUMENT_H

#include "caller.h"

/* There, and UTF-8. `what`: "the path", … */
LightningDBError argument_text (struct caller *caller, const char *text, const char *what);
LightningDBError argument_sync_mode (struct caller *caller, LightningDBSyncMode mode);
/* No other bits than `known`. */
LightningDBError argument_flags (struct caller *caller, uint32_t flags, uint32_t known);
/* A bound of length 0 is open. */
LightningDBError argument_range (struct caller *caller, const uint8_t *start, size_t start_len,
                                 const uint8_t *end, size_t end_len, struct bytes *lower,
                                 struct bytes *upper);

#endif
