/* SPDX-License-Identifier: MIT */
/*
 * Invariants
 *   D1  An answer is given at most once, on the main thread, and not after cancel().
 *   D2  A request is in `requests` from ask() until it was answered or cancelled.
 *   D3  The thread touches of a request what is guarded by the lock, and of the reader nothing else: it
 *       may be gone.
 */
#include "config.h"

#include "insp-record-reader.h"

/* What the thread and the main one share; it lives as long as one of them needs it. */
typedef struct
{
  GMutex lock;
  GCond done; /* some request is */
  InspReadFunc read;
  GObject *source; /* owned */
} Desk;

typedef struct
{
  Desk *desk; /* owned */
  guint64 number;
  gboolean urgent;
  char *store;               /* or NULL; owned */
  GBytes *start, *end;       /* or NULL; owned */
  InspWish wish;             /* its pointers are those above */
  GCancellable *cancellable; /* of all requests of a time; owned */
  InspRecordsFunc answered;  /* of the main thread, with data and free */
  gpointer data;
  GDestroyNotify free;
  InspRecordReader *reader; /* of the main thread; valid unless cancelled */
  gboolean done;            /* the lock; result and error are there */
  GPtrArray *result;        /* written before done; owned */
  GError *error;            /* the same */
} Request;

struct _InspRecordReader
{
  GObject parent_instance;

  Desk *desk;                /* owned */
  GThreadPool *thread;       /* one at most */
  GHashTable *requests;      /* D2: number → Request, owned */
  GCancellable *cancellable; /* owned */
  guint64 last;              /* number of a request */
};

G_DEFINE_FINAL_TYPE (InspRecordReader, insp_record_reader, G_TYPE_OBJECT)

static void
desk_clear (gpointer data)
{
  Desk *desk = data;
  g_mutex_clear (&desk->lock);
  g_cond_clear (&desk->done);
  g_object_unref (desk->source);
}

static void
request_clear (gpointer data)
{
  Request *request = data;
  g_atomic_rc_box_release_full (request->desk, desk_clear);
  g_free (request->store);
  g_clear_pointer (&request->start, g_bytes_unref);
  g_clear_pointer (&request->end, g_bytes_unref);
  g_object_unref (request->cancellable);
  g_clear_pointer (&request->result, g_ptr_array_unref);
  g_clear_error (&request->error);
}

static void
request_unref (gpointer request)
{
  g_atomic_rc_box_release_full (request, request_clear);
}

/* The main thread needs it no longer. */
static void
request_forget (gpointer data)
{
  Request *request = data;
  if (request->free != NULL)
    request->free (request->data);
  request_unref (request);
}

/* ---- the main thread ---- */

static void
answer (Request *request) /* D1 */
{
  InspRecordReader *self = request->reader;
  g_hash_table_steal (self->requests, &request->number);
  request->answered (request->data, request->result, request->error);
  request_forget (request);
}

static gboolean
deliver (gpointer data)
{
  Request *request = data;
  if (!g_cancellable_is_cancelled (request->cancellable)
      && g_hash_table_lookup (request->reader->requests, &request->number) == request)
    answer (request);
  return G_SOURCE_REMOVE;
}

/* ---- the thread ---- */

static void
run (gpointer data, gpointer unused)
{
  Request *request = data;
  Desk *desk = request->desk;
  GError *error = NULL;
  GPtrArray *result = NULL;
  if (!g_cancellable_set_error_if_cancelled (request->cancellable, &error))
    result = desk->read (desk->source, &request->wish, request->cancellable, &error);
  g_mutex_lock (&desk->lock);
  request->result = result;
  request->error = error;
  request->done = TRUE;
  g_cond_broadcast (&desk->done);
  g_mutex_unlock (&desk->lock);
  if (!g_cancellable_is_cancelled (request->cancellable))
    g_idle_add_full (G_PRIORITY_DEFAULT, deliver, request, request_unref);
  else
    request_unref (request);
}

static int
by_urgency (gconstpointer a, gconstpointer b, gpointer unused)
{
  const Request *one = a, *other = b;
  if (one->urgent != other->urgent)
    return one->urgent ? -1 : 1;
  return one->number < other->number ? -1 : 1;
}

/* ---- the object ---- */

static void
insp_record_reader_finalize (GObject *object)
{
  InspRecordReader *self = INSP_RECORD_READER (object);
  insp_record_reader_cancel (self);
  g_thread_pool_free (self->thread, FALSE,
                      FALSE); /* what it has is cancelled, and lets go by itself */
  g_hash_table_unref (self->requests);
  g_object_unref (self->cancellable);
  g_atomic_rc_box_release_full (self->desk, desk_clear);
  G_OBJECT_CLASS (insp_record_reader_parent_class)->finalize (object);
}

static void
insp_record_reader_class_init (InspRecordReaderClass *class)
{
  G_OBJECT_CLASS (class)->finalize = insp_record_reader_finalize;
}

static void
insp_record_reader_init (InspRecordReader *self)
{
  self->cancellable = g_cancellable_new ();
  self->requests = g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, request_forget);
  self->thread = g_thread_pool_new (run, NULL, 1, FALSE, NULL);
  g_thread_pool_set_sort_function (self->thread, by_urgency, NULL);
}

InspRecordReader *
insp_record_reader_new (InspReadFunc read, gpointer source)
{
  InspRecordReader *self = g_object_new (INSP_TYPE_RECORD_READER, NULL);
  self->desk = g_atomic_rc_box_new0 (Desk);
  g_mutex_init (&self->desk->lock);
  g_cond_init (&self->desk->done);
  self->desk->read = read;
  self->desk->source = g_object_ref (source);
  return self;
}

static GPtrArray *
read_inspector (gpointer source, const InspWish *wish, GCancellable *cancellable, GError **error)
{
  gsize start_size = 0, end_size = 0;
  gconstpointer start = wish->start != NULL ? g_bytes_get_data (wish->start, &start_size) : NULL;
  gconstpointer end = wish->end != NULL ? g_bytes_get_data (wish->end, &end_size) : NULL;
  return ldb_inspector_read (source, 0, wish->store, start, start_size, end, end_size, wish->flags,
                             wish->limit, wish->value_limit, cancellable, error);
}

InspRecordReader *
insp_record_reader_new_for_inspector (LdbInspector *inspector)
{
  return insp_record_reader_new (read_inspector, inspector);
}

guint64
insp_record_reader_ask (InspRecordReader *self, const InspWish *wish, gboolean urgent,
                        InspRecordsFunc answered, gpointer data, GDestroyNotify free)
{
  Request *request = g_atomic_rc_box_new0 (Request);
  request->desk = g_atomic_rc_box_acquire (self->desk);
  request->number = ++self->last;
  request->urgent = urgent;
  request->wish = *wish;
  request->wish.store = request->store = g_strdup (wish->store);
  request->wish.start = request->start = wish->start != NULL ? g_bytes_ref (wish->start) : NULL;
  request->wish.end = request->end = wish->end != NULL ? g_bytes_ref (wish->end) : NULL;
  request->cancellable = g_object_ref (self->cancellable);
  request->answered = answered;
  request->data = data;
  request->free = free;
  request->reader = self;
  g_hash_table_insert (self->requests, &request->number, request);
  g_thread_pool_push (self->thread, g_atomic_rc_box_acquire (request), NULL);
  return request->number;
}

gboolean
insp_record_reader_wait (InspRecordReader *self, guint64 number, gint64 patience)
{
  Request *request = g_hash_table_lookup (self->requests, &number);
  gint64 until = g_get_monotonic_time () + patience;
  gboolean done = FALSE;
  if (request == NULL)
    return FALSE;
  g_mutex_lock (&self->desk->lock);
  while (!(done = request->done) && g_cond_wait_until (&self->desk->done, &self->desk->lock, until))
    ;
  g_mutex_unlock (&self->desk->lock);
  if (done)
    answer (request);
  return done;
}

void
insp_record_reader_cancel (InspRecordReader *self)
{
  g_cancellable_cancel (self->cancellable);
  g_object_unref (self->cancellable);
  self->cancellable = g_cancellable_new ();
  g_hash_table_remove_all (self->requests);
}
