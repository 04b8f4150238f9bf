/* SPDX-License-Identifier: MIT */
/*
 * Pages inside the library. All of these are counted (g_atomic_rc_box), and do not change once
 * somebody else sees them.
 */
#pragma once

#include "ldb-page.h"

G_BEGIN_DECLS

struct _LdbPageContents
{
  LdbPage *page;      /* owned */
  char *file;         /* owned */
  GBytes *stored;     /* owned; NULL: it can't be read */
  GBytes *decoded;    /* owned; NULL: it is damaged */
  GPtrArray *fields;  /* of LdbPageField; owned */
  GPtrArray *records; /* of LdbPageRecord; owned */
};

/* Empty ones: no file, no bytes, no fields, no records. */
LdbPageContents *ldb_page_contents_new (void);

G_END_DECLS
