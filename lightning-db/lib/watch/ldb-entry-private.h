/* SPDX-License-Identifier: MIT */
/*
 * LdbEntry inside the library: as a row of a list model, which tells it what it knows, instead of
 * an observer of its own.
 */
#pragma once

#include "ldb-entry.h"
#include "ldb-place-private.h"

G_BEGIN_DECLS

/* An entry that is not loaded yet and observes nothing: its maker tells it everything. `store` may
 * be NULL; `key` is referenced; NULL when it is not known yet. */
LdbEntry *ldb_entry_new_row (LdbDatabase *database, LdbStore *store, GBytes *key);

/* The key, once, of a row that was made without; notifies. In the entry's thread. */
void ldb_entry_set_key (LdbEntry *self, GBytes *key);

/* What is at the key as of the commit `sequence`: `value`, or nothing when NULL. The entry is
 * loaded from then on. Notifies of what is different. In the entry's thread. */
void ldb_entry_set (LdbEntry *self, GBytes *value, guint64 sequence);

/* The same for a row that nobody has seen yet: there is nobody to notify. */
void ldb_entry_begin (LdbEntry *self, GBytes *value, guint64 sequence);

/* A new value is on its way: the entry is not loaded until it is told; it keeps the old one
 * meanwhile. Notifies. In the entry's thread. */
void ldb_entry_unload (LdbEntry *self);

/* An entry that follows its key by itself. */
LdbEntry *ldb_entry_new (const LdbPlace *place, LdbStore *store, gconstpointer key,
                         gsize key_length, GError **error);

G_END_DECLS
