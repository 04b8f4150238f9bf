/* SPDX-License-Identifier: MIT */
#pragma once

#if !defined(LDB_INSIDE) && !defined(LDB_COMPILATION)
#error "Only <lightning-db.h> can be included directly."
#endif

#include "ldb-types.h"

G_BEGIN_DECLS

#define LDB_TYPE_EVENT (ldb_event_get_type ())

/**
 * LdbEvent:
 * @number: which event of the database it was, since that was opened in this process; from 1
 * @kind: what happened
 * @time: when, in microseconds since 1970; of what takes its time, when it was over
 * @last: when it was repeated last; else as @time
 * @times: how often it happened: an error, damage or a key in conflict that follows itself only
 *   counts here
 * @size: bytes that were written (%LDB_EVENT_FLUSHED, %LDB_EVENT_MERGED), read back
 *   (%LDB_EVENT_RECOVERED) or are in the backup; of %LDB_EVENT_LOADED the number of records
 * @size_read: bytes that a merge read
 * @duration: how long it took, in nanoseconds; 0 when it has no length
 * @code: the [error@Ldb.Error] of %LDB_EVENT_FAILED and %LDB_EVENT_CORRUPT; else -1
 * @message: (nullable): what there is to say, in English, where there is more
 * @key: (nullable): the beginning of the key in conflict, 64 bytes at most
 * @key_length: how long that key is, in bytes
 *
 * Something that happened to a database, and does not with every call: a flush, a merge, a stall, a
 * conflict, a failure.
 *
 * Only the library makes these; later versions may append fields.
 *
 * Since: 0.1
 */
struct _LdbEvent
{
  guint64 number;
  LdbEventKind kind;
  gint64 time;
  gint64 last;
  guint64 times;
  guint64 size;
  guint64 size_read;
  guint64 duration;
  gint code;
  char *message;
  GBytes *key;
  gsize key_length;
};

LDB_AVAILABLE_IN_ALL
GType ldb_event_get_type (void) G_GNUC_CONST;
LDB_AVAILABLE_IN_ALL
LdbEvent *ldb_event_copy (const LdbEvent *self);
LDB_AVAILABLE_IN_ALL
void ldb_event_free (LdbEvent *self);
LDB_AVAILABLE_IN_ALL
char *ldb_event_describe (const LdbEvent *self);
LDB_AVAILABLE_IN_ALL
char *ldb_event_to_json (const LdbEvent *self);

LDB_AVAILABLE_IN_ALL
GPtrArray *ldb_database_list_events (LdbDatabase *self, guint64 after, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (LdbEvent, ldb_event_free)

G_END_DECLS
