/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <glib/gi18n-lib.h>
#include <lightning-db.h>

#include "insp-operations.h"

#define KIND(name) (1u << LDB_OPERATION_##name)
#define READS (KIND (GET) | KIND (MULTI_GET) | KIND (CONTAINS) | KIND (SEEK))
#define WRITES (KIND (PUT) | KIND (DELETE) | KIND (BATCH) | KIND (TRANSACTION_COMMIT))

const InspOperation insp_operations[] = {
  /* Translators: what takes time in a database, from here to “Stall” */
  { N_ ("All reads"), "get multi_get contains_time seek", READS },
  { N_ ("All writes"), "put delete batch transaction_commit", WRITES },
  { N_ ("Lookup"), "get", KIND (GET) },
  { N_ ("Lookup of several"), "multi_get", KIND (MULTI_GET) },
  { N_ ("Presence"), "contains_time", KIND (CONTAINS) },
  { N_ ("Seek (scan)"), "seek", KIND (SEEK) },
  { N_ ("Put"), "put", KIND (PUT) },
  { N_ ("Delete"), "delete", KIND (DELETE) },
  { N_ ("Batch"), "batch", KIND (BATCH) },
  { N_ ("Transaction commit"), "transaction_commit", KIND (TRANSACTION_COMMIT) },
  { N_ ("Transaction, from begin to end"), "transaction", KIND (TRANSACTION_COMMIT) },
  { N_ ("Reading a page"), "page_read", READS },
  { N_ ("Decompressing a page"), "decompress", READS },
  { N_ ("Reading a large value"), "blob_read", READS },
  { N_ ("Waiting for other commits"), "commit_lock", WRITES },
  { N_ ("Waiting to be durable or visible"), "commit_turn", WRITES },
  { N_ ("Slowing down for merges and readers"), "nap", WRITES },
  { N_ ("Next log segment"), "log_change", WRITES },
  { N_ ("Syncing the log"), "log_sync", WRITES },
  { N_ ("Flush"), "flush", WRITES },
  { N_ ("Merge"), "merge", WRITES },
  { N_ ("Stall"), "stall", WRITES },
};

const guint insp_operation_count = G_N_ELEMENTS (insp_operations);
