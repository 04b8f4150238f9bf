/* SPDX-License-Identifier: MIT */
/*
 * InspRecordReader: reads records of a running database on a thread of its own, one request behind the
 * other, those that somebody waits for first.
 *
 * An answer comes in the main context. Who cannot go on without it may wait for it, for a time that is
 * too short to be noticed: a list fills its rows so before they are drawn. An application that does not
 * answer holds nobody up.
 *
 * Threads: the main one; `read` is called on the reader's own.
 */
#pragma once

#include <gio/gio.h>
#include <lightning-db.h>

G_BEGIN_DECLS

/* What is to be read. */
typedef struct
{
  const char *store; /* NULL: the default one */
  GBytes *start;     /* first key; NULL: from the beginning */
  GBytes *end;       /* key behind the last one; NULL: to the end */
  LdbScanFlags flags;
  guint limit;       /* records */
  guint value_limit; /* bytes of each value */
} InspWish;

/* Reads: ldb_inspector_read(). An array of LdbRecord; fewer than the limit: there are no more. */
typedef GPtrArray *(*InspReadFunc) (gpointer source, const InspWish *wish,
                                    GCancellable *cancellable, GError **error);

/* Takes an answer, NULL with an error; not called when the request was cancelled. Records may be kept. */
typedef void (*InspRecordsFunc) (gpointer data, GPtrArray *records, const GError *error);

#define INSP_TYPE_RECORD_READER (insp_record_reader_get_type ())
G_DECLARE_FINAL_TYPE (InspRecordReader, insp_record_reader, INSP, RECORD_READER, GObject)

/* `source` (a GObject) is kept. */
InspRecordReader *insp_record_reader_new (InspReadFunc read, gpointer source);
InspRecordReader *insp_record_reader_new_for_inspector (LdbInspector *inspector);

/* Has something read. `urgent`: before all that is not. Returns the request's number. `free` (NULL:
 * nothing) is called for `data` in any case. */
guint64 insp_record_reader_ask (InspRecordReader *self, const InspWish *wish, gboolean urgent,
                                InspRecordsFunc answered, gpointer data, GDestroyNotify free);

/* Waits for a request, for `patience` microseconds at most. TRUE: `answered` has been called. */
gboolean insp_record_reader_wait (InspRecordReader *self, guint64 request, gint64 patience);

/* Drops all requests. */
void insp_record_reader_cancel (InspRecordReader *self);

G_END_DECLS
