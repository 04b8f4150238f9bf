/* SPDX-License-Identifier: MIT */
/*
 * wait-word: a number that threads of this process sleep on until it is another one. Whoever
 * changes it wakes them, all of them by one call, without a lock that each of them would have to
 * take in turn (as those have to who wait at a condition variable).
 */
#ifndef LIGHTNING_BASE_WAIT_WORD_H
#define LIGHTNING_BASE_WAIT_WORD_H

#include <stdatomic.h>
#include <stdint.h>

typedef _Atomic uint32_t wait_word;

/* Sleeps while *word is `seen`. It may return without a change: look again. */
void wait_word_sleep (wait_word *word, uint32_t seen);
/* Changes it and wakes so many of those who sleep. */
void wait_word_wake (wait_word *word, unsigned count);

#endif
