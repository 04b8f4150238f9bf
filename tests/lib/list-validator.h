/* SPDX-License-Identifier: MIT */
/*
 * A copy of a list, kept by its signals alone, which fails the test when a signal is wrong, tells
 * too much, or comes before what it tells is so. Rows are LdbEntry.
 */
#pragma once

#include <lightning-db.h>

typedef struct _ListValidator ListValidator;

/* One items-changed. */
typedef struct
{
  guint position, removed, added;
} ListSignal;

typedef enum
{
  LIST_VALIDATOR_HOLD = 1 << 0,  /* holds every row, so that each must stay the same object */
  LIST_VALIDATOR_SPANS = 1 << 1, /* rows that stay may be told with those around them */
  LIST_VALIDATOR_SOME = 1 << 2,  /* after a signal looks at some rows only: for long lists */
} ListValidatorFlags;

ListValidator *list_validator_new (GListModel *list, gboolean reverse, ListValidatorFlags flags);
void list_validator_free (ListValidator *self);
/* The signals since the last call; owned by the caller. */
GArray *list_validator_take_signals (ListValidator *self);
guint list_validator_get_n_signals (ListValidator *self);
/* Fails unless the list is what the copy says, row for row. */
void list_validator_check (ListValidator *self);
/* The key of a row of the copy. */
GBytes *list_validator_get_key (ListValidator *self, guint position);
/* The row that it holds at a position; borrowed. */
GObject *list_validator_get_item (ListValidator *self, guint position);
guint list_validator_get_n_rows (ListValidator *self);
/* Fails unless the signals since the last call are the fewest that lead from the keys `before` (of
 * GBytes, in the order of the list) to those of the copy. */
void list_validator_check_fewest (ListValidator *self, GPtrArray *before);
/* The keys of the copy; owned by the caller. */
GPtrArray *list_validator_copy_keys (ListValidator *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ListValidator, list_validator_free)
