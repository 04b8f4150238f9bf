/* SPDX-License-Identifier: MIT */
/* config: the options of an opening, under a handle. */
#ifndef LIGHTNING_FFI_CONFIG_H
#define LIGHTNING_FFI_CONFIG_H

#include "caller.h"

/* The options of `config`, or the defaults for NULL. */
LightningDBError config_read (struct caller *caller, const LightningDBConfig *config,
                              struct engine_options *options);

#endif
