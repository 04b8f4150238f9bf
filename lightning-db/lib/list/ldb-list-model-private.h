/* SPDX-License-Identifier: MIT */
/*
 * LdbListModel inside the library.
 *
 *   ldb-list-model.c  the object: making it, its properties, its end
 *   ldb-list-fill.c   counting the rows, a slice at a time
 *   ldb-list-frame.c  what changed: planned, then shown step by step
 *   ldb-list-rows.c   reading rows and handing them out
 *   ldb-list-find.c   where a key is
 *
 * Invariants
 *   M1  What the model shows is the state `state`, whole, but for the keys beyond `edge` while it
 *       is counting. While it shows the changes of a frame (`before` is set), keys below `seam` are
 *       shown as in `state`, the others as in `before`.
 *   M2  The index has the rows of M1; `shown` of them, the first ones in the model's order, are
 *       given to the world. When a signal is emitted, both already are as the signal says.
 *   M3  The index changes only in the model's thread, and only while no job is under way; marks at
 *       any time, in the model's thread.
 *   M4  At most one job (counting or planning) is under way, and at most one frame is waiting for
 *       it.
 *   M5  A row object that somebody holds is marked in the index at its row, so that it is handed
 *       out again for as long as it lives and its key exists.
 *
 * Threads: the model's own, which is the one that made it.
 */
#pragma once

#include "ldb-hub-private.h"
#include "ldb-list-model.h"
#include "ldb-list-walk-private.h"

G_BEGIN_DECLS

/* Rows beyond those that are shown (max-items) which are counted, so that those that take the place
 * of others are at hand. */
#ifndef LDB_LIST_SPARE
#define LDB_LIST_SPARE 1024
#endif

/* A property of a row of the application's type that the model sets. */
typedef enum
{
  LDB_ROW_KEY,
  LDB_ROW_VALUE,
  LDB_ROW_SEQUENCE,
  LDB_ROW_LOADED,
  LDB_ROW_N_PROPERTIES,
} LdbRowProperty;

/* What rows are. */
typedef struct
{
  GType type;                                   /* the model's item type */
  GParamSpec *properties[LDB_ROW_N_PROPERTIES]; /* of a type with properties; NULL: it has it not */
  LdbRowFunc func;                              /* makes rows of entries; NULL: see above */
  gpointer data;                                /* for it */
  GDestroyNotify destroy;                       /* of the data, or NULL */
} LdbRowMaker;

typedef struct _LdbListJob LdbListJob;

struct _LdbListModel
{
  GObject parent_instance;

  LdbPlace place;        /* the database, owned, and the store's number */
  LdbStore *store;       /* owned; NULL: the default store */
  GBytes *lower, *upper; /* the range; NULL: open; owned */
  LdbListFlags flags;    /* how it is shown */
  LdbRowMaker maker;     /* owned */
  LdbObserver *observer; /* NULL once closed */
  gboolean closed;       /* nothing is shown any more */
  GError *error;         /* why it stopped, or a row could not be read; owned, or NULL */

  LdbPin *state;         /* M1; owned; NULL once closed */
  guint64 sequence;      /* the commit it stands at */
  LdbPin *before;        /* M1; owned, or NULL */
  GByteArray *seam;      /* M1; owned */
  LdbRankIndex *index;   /* M2; owned */
  guint32 stamp;         /* of the index; grows with each frame, and may wrap around */
  guint shown;           /* M2 */
  guint max_items;       /* are shown at most */
  guint batch_interval;  /* milliseconds */
  GBytes *edge;          /* keys below it are counted, in reverse those from it on; NULL: see below;
                               owned */
  gboolean complete;     /* all keys are counted; else, without an edge, none are */
  gboolean pending;      /* as last told */
  guint told_items;      /* `shown` as last told */
  guint64 told_sequence; /* `sequence` as last told */
  GMainContext *context; /* of its thread; owned */

  LdbListJob *job;  /* M4; owned, or NULL */
  LdbFrame *frame;  /* M4; owned, or NULL */
  gboolean owed;    /* the observer waits to be told that the frame is handled */
  gboolean showing; /* signals are being emitted: what would lead to others waits */
  guint64 slice;    /* rows that the next slice counts at most */

  struct engine_cursor *cursor; /* stands on a row of `state`, or NULL; owned */
  guint64 cursor_rank;          /* which */
  GSource *cursor_release;      /* lets the cursor go when the loop is idle, or NULL; owned */
  guint64 sweep_rank;           /* where looking for marks of dead rows goes on */
  GHashTable *wanted;           /* boundaries of buckets with rows to be read: GBytes; owned */
  LdbListJob *reading;          /* reads rows on a worker; owned, or NULL */
};

/* ---- ldb-list-model.c ---- */

/* The one place where the world is told: what it is told is done. */
void ldb_list_model_changed (LdbListModel *self, guint position, guint removed, guint added);
/* Tells of `pending` when it is different. */
void ldb_list_model_update_pending (LdbListModel *self);
/* Tells of `sequence` when it is different. */
void ldb_list_model_tell_sequence (LdbListModel *self);
/* Stops following, for good, and says why; when the database was closed, that is how the list
 * ends. */
void ldb_list_model_fail (LdbListModel *self, status code, const struct failure *failure);
/* Sets the property. */
void ldb_list_model_set_error (LdbListModel *self, status code, const struct failure *failure);
/* The frame is done with, or there is nothing to do: what comes next. */
void ldb_list_model_proceed (LdbListModel *self);

static inline gboolean
ldb_list_model_is_reverse (LdbListModel *self)
{
  return (self->flags & LDB_LIST_REVERSE) != 0;
}

/* The rank of a position, and back. */
static inline guint64
ldb_list_model_turn (LdbListModel *self, guint64 place)
{
  return ldb_list_model_is_reverse (self) ? ldb_rank_index_get_total (self->index) - 1 - place
                                          : place;
}

/* The range of keys that is counted; NULL is open. Borrowed. */
void ldb_list_model_get_counted (LdbListModel *self, GBytes **lower, GBytes **upper);
/* The walk over it. */
LdbListWalk ldb_list_model_walk (LdbListModel *self);

/* ---- jobs ---- */

typedef enum
{
  LDB_LIST_JOB_COUNT,
  LDB_LIST_JOB_PLAN,
  LDB_LIST_JOB_READ,
  LDB_LIST_JOB_FIND,
} LdbListJobKind;

/* A row to be read. */
typedef struct
{
  guint64 offset;   /* in its bucket */
  GBytes *key;      /* found; owned */
  GBytes *value;    /* found; owned; NULL with keys only */
  guint64 sequence; /* of the commit that wrote it */
} LdbListRead;

typedef struct
{
  GBytes *boundary; /* of the bucket; owned */
  gboolean first;   /* it is the first one of all, which also covers what is below */
  status code;      /* what came of it */
  GArray *reads;    /* of LdbListRead, in rising order; owned */
} LdbListBucketRead;

/* Work on a worker. It has all that it needs, so that the model may go meanwhile. */
struct _LdbListJob
{
  gatomicrefcount references; /* the model's and the call's */
  LdbListJobKind kind;        /* what to do */
  gint cancelled;             /* atomic */
  GWeakRef model;             /* who wants it */
  LdbDatabase *database;      /* owned */
  engine_store store;         /* in it */
  GBytes *lower, *upper;      /* the walk's range; owned */
  gboolean reverse;           /* COUNT */
  guint64 rows;               /* COUNT: at most */
  LdbPin *state;              /* what to read; PLAN: after; owned */
  LdbPin *before;             /* PLAN, FIND; owned */
  LdbRankIndex *index;        /* PLAN; a reference */
  LdbFrame *frame;            /* PLAN; a reference */
  gboolean keys_only;         /* READ */
  guint32 stamp;              /* READ, FIND: buckets that changed later have a later one */
  gboolean stale;             /* READ: something happened to it all; the model's thread */
  GPtrArray *buckets;         /* READ: of LdbListBucketRead; owned */
  GTask *find;                /* FIND: what to return; the model's thread; owned */
  GBytes *key;                /* FIND; owned */
  GBytes *boundary;           /* FIND: of the key's bucket; owned */
  GBytes *start;              /* FIND: where the walk to its rows begins; owned */
  GBytes *seam;               /* FIND: with `before`, see M1; owned */

  status code;            /* what came of it */
  struct failure failure; /* why not */
  LdbListCount count;     /* COUNT */
  LdbListPlan plan;       /* PLAN */
  guint64 below;          /* FIND: rows of the bucket below the key */
  gboolean found;         /* FIND: and there it is */
};

LdbListJob *ldb_list_job_new (LdbListModel *self, LdbListJobKind kind);
void ldb_list_job_unref (LdbListJob *job);
/* What it walks over, if not what the list has counted. */
void ldb_list_job_set_range (LdbListJob *job, GBytes *lower, GBytes *upper);
LdbListWalk ldb_list_job_walk (LdbListJob *job);
/* Has it done on a worker; its kind's _done function below is called afterwards, if the model lives
 * and it was not cancelled. */
void ldb_list_job_start (LdbListJob *job);
void ldb_list_job_cancel (LdbListJob *job);

/* ---- ldb-list-fill.c ---- */

/* Counts what memory answers at once. */
void ldb_list_fill_begin (LdbListModel *self);
/* Whether more rows are to be counted. */
gboolean ldb_list_fill_is_due (LdbListModel *self);
void ldb_list_fill_continue (LdbListModel *self);
void ldb_list_fill_run (LdbListJob *job);
void ldb_list_fill_done (LdbListModel *self, LdbListJob *job);
/* Lets go of buckets far behind what is shown. No job is under way (M3). */
void ldb_list_fill_trim (LdbListModel *self);
/* Shows as many rows as it may after max-items has changed; FALSE: it does already. */
gboolean ldb_list_fill_adjust (LdbListModel *self);

/* ---- ldb-list-frame.c ---- */

/* Of type LdbFrameFunc. */
gboolean ldb_list_frame_come (gpointer owner, LdbFrame *frame);
/* Plans the frame that is waiting. */
void ldb_list_frame_begin (LdbListModel *self);
void ldb_list_frame_run (LdbListJob *job);
void ldb_list_frame_done (LdbListModel *self, LdbListJob *job);

/* ---- ldb-list-rows.c ---- */

typedef struct _LdbListRow LdbListRow;

/* GDestroyNotify of the index's marks. */
void ldb_list_row_free (gpointer row);
/* The object at a rank; a reference. Never NULL. */
GObject *ldb_list_rows_get (LdbListModel *self, guint64 rank);
/* Forgets the cursor: what it stands on is not what it was. */
void ldb_list_rows_reset (LdbListModel *self);
/* Tells a row's object that its key is gone, and frees the row. */
void ldb_list_rows_gone (LdbListModel *self, LdbListRow *row);
/* Reads the values at these keys, and of all rows in these ranges, anew for objects that live. */
void ldb_list_rows_update (LdbListModel *self, const GPtrArray *updates);
/* Forgets about rows whose objects nobody holds any more. */
void ldb_list_rows_sweep (LdbListModel *self);
/* Sends for rows that memory could not answer. */
void ldb_list_rows_read (LdbListModel *self);
void ldb_list_rows_run (LdbListJob *job);
void ldb_list_rows_done (LdbListModel *self, LdbListJob *job);
/* Where the walk to the rows of a bucket begins. */
struct bytes ldb_list_rows_start (LdbListModel *self, const LdbBucket *bucket,
                                  const LdbListWalk *walk);
/* Finds how rows of a type are told about key and value. */
gboolean ldb_row_maker_init (LdbRowMaker *maker, GType type, GError **error);
/* Of a function. Takes over the data, also when it fails. */
gboolean ldb_row_maker_init_mapped (LdbRowMaker *maker, GType type, LdbRowFunc func, gpointer data,
                                    GDestroyNotify destroy, GError **error);
void ldb_row_maker_clear (LdbRowMaker *maker);

/* ---- ldb-list-find.c ---- */

void ldb_list_find_run (LdbListJob *job);
void ldb_list_find_done (LdbListModel *self, LdbListJob *job);

G_END_DECLS
