/* SPDX-License-Identifier: MIT */
/* kill-places: where a process dies, each before and after it, and amid a write. */
#ifndef LIGHTNING_TESTS_KILL_PLACES_H
#define LIGHTNING_TESTS_KILL_PLACES_H

#include "killing-disk.h"

#include <stddef.h>

struct kill_place
{
  enum activity activity;
  enum operation operation;
  enum file_kind kind;
};

#define KILL_PLACES_MOST 128u
extern const struct kill_place kill_places[];
extern const size_t kill_place_count; /* at most KILL_PLACES_MOST */

#endif
