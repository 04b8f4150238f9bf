/* SPDX-License-Identifier: MIT */
/*
 * What a database's memory is used for, at one moment of its history: the ledger's accounts, the cache's by
 * its lists.
 *
 * Threads: the main one.
 */
#pragma once

#include "insp-history.h"

G_BEGIN_DECLS

typedef enum
{
  INSP_MEMORY_T1,   /* cached pages that were wanted once lately */
  INSP_MEMORY_T2,   /* that were wanted more often */
  INSP_MEMORY_SCAN, /* that scans brought */
  INSP_MEMORY_IDLE, /* of the cache, without a page */
  INSP_MEMORY_MEMTABLES,
  INSP_MEMORY_LOG, /* mapped */
  INSP_MEMORY_INDEXES,
  INSP_MEMORY_FILTERS,
  INSP_MEMORY_PAGE_TABLES,
  INSP_MEMORY_MERGES,
  INSP_MEMORY_SEGMENTS,
  INSP_MEMORY_OTHER,
  INSP_MEMORY_PARTS,
} InspMemoryPart;

typedef struct
{
  double bytes[INSP_MEMORY_PARTS];
  double used;                 /* all of them */
  double budget;               /* 0: it is not known */
  gint64 b1, t1, t2, b2, scan; /* pages of the cache; of B1 and B2 remembered ones */
  gint64 target;               /* what T1 should have */
} InspMemory;

/* Of a sample; FALSE: nothing is known. */
gboolean insp_memory_of (InspHistory *history, guint64 number, InspMemory *self);

const char *insp_memory_part_name (InspMemoryPart part);

G_END_DECLS
