/* SPDX-License-Identifier: MIT */
/*
 * A row of a list: the mark that the index carries for an object that was handed out, and how such
 * objects are made and told.
 */
#pragma once

#include "ldb-list-model-private.h"

G_BEGIN_DECLS

struct _LdbListRow
{
  guint references;  /* the index's, and of whoever works with it */
  GWeakRef item;     /* what was handed out */
  GWeakRef entry;    /* of a row that a function made: what it was made of */
  GBytes *key;       /* owned; NULL: not known yet */
  gboolean loaded;   /* the object has key and value */
  gboolean detached; /* it is in the index no more */
};

/* An object for the row, which is told what was read, as far as it was; a reference. Calls the
 * application. */
GObject *ldb_row_make (LdbListModel *self, LdbListRow *row, const LdbListRead *read);
/* Tells the row's object the value, and the key if it had none. */
void ldb_row_tell (LdbListModel *self, LdbListRow *row, GObject *item, const LdbListRead *read);
/* Tells it that a new value is on its way. */
void ldb_row_tell_unloaded (LdbListModel *self, LdbListRow *row, GObject *item);
/* Tells it that its key is gone. */
void ldb_row_tell_gone (LdbListModel *self, LdbListRow *row, GObject *item);

G_END_DECLS
