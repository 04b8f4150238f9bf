/* SPDX-License-Identifier: MIT */
/*
 * Invariants
 *   1. `host` is set exactly while something is offered; its exports are in its list.
 *   2. The files of a host are there from before its first export is returned until its last one is
 *      withdrawn.
 *   3. Only the host's thread touches visitors, and it alone frees the host's descriptors.
 *   4. A host is in `hosts` while it has descriptors; these are opened and closed with the lock held,
 *      and so is a fork: the child finds all of them.
 */
#include "config.h"

#include "ldb-visitor-private.h"

#include <errno.h>
#include <glib-unix.h>
#include <pthread.h>
#include <sys/auxv.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "ldb-error-private.h"
#include "ldb-runtime-directory-private.h"
#include "ldb-worker-private.h"

#define ACCEPTED_AT_ONCE 16 /* connections in one turn */
#define PAUSE_SECONDS 1     /* without accepting, when there is no descriptor left */
#define IDLE_TIME (10 * G_USEC_PER_SEC) /* of silence, before the only one of a process makes way */

struct _LdbHost
{
  gint references;                  /* of the thread, exports and visitors; atomic */
  char token[LDB_TOKEN_LENGTH + 1]; /* also the server's GUID */
  GMainContext *context;            /* the thread's; owned */
  LdbLogQueue *log;                 /* in GLib's default context; owned */
  int directory;                    /* the runtime directory */
  int life;                         /* the sign of life */
  int listener;                     /* the socket */
  int wake;                         /* eventfd: look at what is guarded by the lock */
  gint slots[LDB_VISITORS_MAX];     /* descriptors of visitors, or -1, for the child of a fork;
                                     * atomic */

  /* Guarded by the lock. */
  GPtrArray *exports;   /* LdbExport; references */
  GPtrArray *withdrawn; /* LdbExport, for the thread to close; references */
  guint last_object;    /* number given out */
  gboolean stopping;    /* the thread is to end */
  LdbHost *next;        /* in `hosts` */

  /* The thread's. */
  GPtrArray *visitors;       /* LdbVisitor; references */
  LdbVisitor *keeper;        /* whose value is kept, if any is, or NULL; borrowed */
  GSource *accepting;        /* or pausing; owned */
  gboolean operating;        /* a visitor's operation is under way */
  guint visits;              /* calls that were not answered yet */
  guint working[LDB_LANES];  /* of them, under way in each lane */
  GQueue waiting[LDB_LANES]; /* LdbVisit that wait for their turn there; owned */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards `host` and parts of it */
static LdbHost *host;                                    /* see 1; a reference */
static LdbHost *hosts;                                   /* see 4; with the lock; borrowed */

/* ---- exports ---- */

LdbHost *
ldb_host_ref (LdbHost *self)
{
  g_atomic_int_inc (&self->references);
  return self;
}

void
ldb_host_unref (LdbHost *self)
{
  if (!g_atomic_int_dec_and_test (&self->references))
    return;
  g_ptr_array_unref (self->exports);
  g_ptr_array_unref (self->withdrawn);
  g_ptr_array_unref (self->visitors);
  ldb_log_queue_unref (self->log);
  g_main_context_unref (self->context);
  g_free (self);
}

LdbExport *
ldb_export_ref (LdbExport *self)
{
  g_atomic_int_inc (&self->references);
  return self;
}

void
ldb_export_unref (LdbExport *self)
{
  if (!g_atomic_int_dec_and_test (&self->references))
    return;
  g_clear_object (&self->handle);
  g_clear_pointer (&self->host, ldb_host_unref);
  g_free (self->application);
  g_free (self->program);
  g_free (self->path);
  g_free (self);
}

gboolean
ldb_host_had_export (LdbHost *self, guint object)
{
  pthread_mutex_lock (&lock);
  gboolean had = object <= self->last_object;
  pthread_mutex_unlock (&lock);
  return had;
}

LdbExport *
ldb_host_find_export (LdbHost *self, guint object)
{
  LdbExport *found = NULL;
  pthread_mutex_lock (&lock);
  for (guint i = 0; i < self->exports->len && found == NULL; i++)
    {
      LdbExport *export = g_ptr_array_index (self->exports, i);
      if (export->object == object)
        found = ldb_export_ref (export);
    }
  pthread_mutex_unlock (&lock);
  return found;
}

GArray *
ldb_host_list_exports (LdbHost *self)
{
  GArray *objects = g_array_new (FALSE, FALSE, sizeof (guint));
  pthread_mutex_lock (&lock);
  for (guint i = 0; i < self->exports->len; i++)
    g_array_append_val (objects, ((LdbExport *) g_ptr_array_index (self->exports, i))->object);
  pthread_mutex_unlock (&lock);
  return objects;
}

GMainContext *
ldb_host_get_context (LdbHost *self)
{
  return self->context;
}

gboolean
ldb_host_begin_operation (LdbHost *self)
{
  gboolean free = !self->operating;
  self->operating = TRUE;
  return free;
}

void
ldb_host_end_operation (LdbHost *self)
{
  self->operating = FALSE;
}

gboolean
ldb_host_begin_work (LdbHost *self, LdbLane lane, LdbVisit *visit)
{
  static const guint room[LDB_LANES]
      = { [LDB_LANE_EXAMINE] = 1, [LDB_LANE_SURVEY] = 2, [LDB_LANE_LOOK] = 2 };
  gboolean free = self->working[lane] < room[lane];
  if (free)
    self->working[lane]++;
  else
    g_queue_push_tail (&self->waiting[lane], visit);
  return free;
}

/* Its place is the next one's. */
LdbVisit *
ldb_host_end_work (LdbHost *self, LdbLane lane)
{
  LdbVisit *next = g_queue_pop_head (&self->waiting[lane]);
  if (next == NULL)
    self->working[lane]--;
  return next;
}

void
ldb_host_begin_visit (LdbHost *self)
{
  self->visits++;
}

void
ldb_host_end_visit (LdbHost *self)
{
  self->visits--;
}

LdbLogLine *
ldb_host_begin_line (LdbHost *self, LdbLogKind kind, gint64 peer)
{
  LdbLogLine *line = ldb_log_queue_begin (self->log, kind);
  if (line != NULL)
    ldb_log_line_set (line, "LDB_PEER", "%" G_GINT64_FORMAT, peer);
  return line;
}

void
ldb_host_end_line (LdbHost *self, LdbLogLine *line)
{
  ldb_log_queue_push (self->log, line);
}

void
ldb_host_log_refusal (LdbHost *self, LdbExport *export, gint64 peer, const char *reason,
                      const char *text)
{
  LdbLogLine *line = ldb_host_begin_line (self, LDB_LOG_INSPECTOR_REFUSED, peer);
  if (line == NULL)
    return;
  if (export != NULL)
    ldb_log_line_set (line, "LDB_DATABASE", "%s", export->path);
  ldb_log_line_set (line, "LDB_REASON", "%s", reason);
  ldb_log_line_say (line, "Process %" G_GINT64_FORMAT " was refused as an inspector (%s): %s", peer,
                    reason, text);
  ldb_host_end_line (self, line);
}

/* ---- accepting ---- */

static gboolean accept_some (gint descriptor, GIOCondition condition, gpointer data);

static void
set_accepting (LdbHost *self, GSource *source, GSourceFunc function)
{
  if (self->accepting != NULL)
    g_source_destroy (self->accepting);
  g_clear_pointer (&self->accepting, g_source_unref);
  self->accepting = source;
  g_source_set_static_name (source, "[lightning-db] inspection");
  g_source_set_callback (source, function, self, NULL);
  g_source_attach (source, self->context);
}

static gboolean
accept_again (gpointer data)
{
  LdbHost *self = data;
  set_accepting (self, g_unix_fd_source_new (self->listener, G_IO_IN), G_SOURCE_FUNC (accept_some));
  return G_SOURCE_REMOVE;
}

/* A free slot, or LDB_VISITORS_MAX. */
static guint
find_slot (LdbHost *self)
{
  guint slot = 0;
  while (slot < LDB_VISITORS_MAX && g_atomic_int_get (&self->slots[slot]) >= 0)
    slot++;
  return slot;
}

static guint
count_visitors_of (LdbHost *self, gint64 process)
{
  guint count = 0;
  for (guint i = 0; i < self->visitors->len; i++)
    count += ((LdbVisitor *) g_ptr_array_index (self->visitors, i))->process == process;
  return count;
}

/* Who makes way for one more of that process: of those whose process has the most the one that was
 * not heard for the longest, which holds also before who keeps as many busy as there may be. NULL:
 * nobody, since none has more than the newcomer's, or each has one and is at work. */
static LdbVisitor *
find_least_wanted (LdbHost *self, gint64 process)
{
  LdbVisitor *found = NULL;
  guint most = 0;
  for (guint i = 0; i < self->visitors->len; i++)
    {
      LdbVisitor *visitor = g_ptr_array_index (self->visitors, i);
      guint count = count_visitors_of (self, visitor->process);
      if (count > most || (count == most && visitor->heard < found->heard))
        {
          found = visitor;
          most = count;
        }
    }
  gboolean busy = most == 1 && g_get_monotonic_time () - found->heard < IDLE_TIME;
  return busy || count_visitors_of (self, process) >= most ? NULL : found;
}

static guint
make_room (LdbHost *self, gint64 process)
{
  guint slot = find_slot (self);
  LdbVisitor *least = slot == LDB_VISITORS_MAX ? find_least_wanted (self, process) : NULL;
  if (least != NULL)
    ldb_visitor_end (least, LDB_PEER_CROWDED);
  return find_slot (self);
}

/* Before a byte is read: only the same user, and only so many. */
static void
admit (LdbHost *self, int descriptor)
{
  struct ucred peer = { 0 };
  socklen_t size = sizeof peer;
  guint slot = LDB_VISITORS_MAX;
  if (getsockopt (descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 || peer.uid != geteuid ())
    {
      ldb_host_log_refusal (self, NULL, peer.pid, "user", "it is another user's.");
      close (descriptor);
    }
  else if ((slot = make_room (self, peer.pid)) == LDB_VISITORS_MAX)
    {
      ldb_host_log_refusal (self, NULL, peer.pid, "connections", "there are too many.");
      close (descriptor);
    }
  else
    {
      g_atomic_int_set (&self->slots[slot], descriptor);
      g_ptr_array_add (self->visitors,
                       ldb_visitor_new (self, descriptor, &peer, self->token, slot));
    }
}

static gboolean
accept_some (gint listener, GIOCondition condition, gpointer data)
{
  LdbHost *self = data;
  for (guint i = 0; i < ACCEPTED_AT_ONCE; i++)
    {
      int descriptor = accept4 (listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (descriptor >= 0)
        admit (self, descriptor);
      else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS)
        {
          set_accepting (self, g_timeout_source_new_seconds (PAUSE_SECONDS), accept_again);
          return G_SOURCE_REMOVE;
        }
      else if (errno == EAGAIN || errno == EWOULDBLOCK)
        break;
    }
  return G_SOURCE_CONTINUE;
}

LdbVisitor *
ldb_host_change_keeper (LdbHost *self, LdbVisitor *visitor)
{
  LdbVisitor *before = self->keeper;
  self->keeper = visitor;
  return before;
}

void
ldb_host_forget_visitor (LdbHost *self, LdbVisitor *visitor)
{
  if (self->keeper == visitor)
    self->keeper = NULL;
  g_atomic_int_set (&self->slots[visitor->slot], -1);
  g_ptr_array_remove_fast (self->visitors, visitor);
}

/* ---- the thread ---- */

static void
visitor_unref (gpointer visitor)
{
  ldb_visitor_unref (visitor);
}

/* What was withdrawn; references. NULL: nothing. */
static GPtrArray *
take_withdrawn (LdbHost *self, gboolean *stopping)
{
  GPtrArray *withdrawn = NULL;
  pthread_mutex_lock (&lock);
  if (self->withdrawn->len > 0)
    {
      withdrawn = g_steal_pointer (&self->withdrawn);
      self->withdrawn = g_ptr_array_new_with_free_func ((GDestroyNotify) ldb_export_unref);
    }
  *stopping = self->stopping;
  pthread_mutex_unlock (&lock);
  return withdrawn;
}

/* FALSE: it is time to end. */
static gboolean
look (LdbHost *self)
{
  gboolean stopping;
  g_autoptr (GPtrArray) withdrawn = take_withdrawn (self, &stopping);
  for (guint i = 0; withdrawn != NULL && i < withdrawn->len; i++)
    for (guint k = self->visitors->len; k > 0; k--)
      ldb_visitor_leave_export (g_ptr_array_index (self->visitors, k - 1),
                                g_ptr_array_index (withdrawn, i));
  return !stopping;
}

static gboolean
woken (gint descriptor, GIOCondition condition, gpointer data)
{
  guint64 count;
  while (read (descriptor, &count, sizeof count) < 0 && errno == EINTR)
    ;
  return G_SOURCE_CONTINUE;
}

/* With the lock held. */
static void
close_descriptors (LdbHost *self)
{
  int *const descriptors[] = { &self->wake, &self->listener, &self->life, &self->directory };
  for (guint i = 0; i < G_N_ELEMENTS (descriptors); i++)
    if (*descriptors[i] >= 0)
      {
        close (*descriptors[i]);
        *descriptors[i] = -1;
      }
  LdbHost **place = &hosts;
  while (*place != self)
    place = &(*place)->next;
  *place = self->next;
}

static void
end_thread (LdbHost *self)
{
  while (self->visitors->len > 0)
    ldb_visitor_end (g_ptr_array_index (self->visitors, self->visitors->len - 1),
                     LDB_PEER_DISMISSED);
  g_source_destroy (self->accepting);
  g_clear_pointer (&self->accepting, g_source_unref);
  /* What calls return goes to this context; they were cancelled with their visitors. */
  while (self->visits > 0)
    g_main_context_iteration (self->context, TRUE);
  while (g_main_context_iteration (self->context, FALSE))
    ;
}

static void *
run (void *data)
{
  LdbHost *self = data;
  ldb_worker_name_thread ("ldb-inspect");
  g_main_context_push_thread_default (self->context);
  GSource *waking = g_unix_fd_source_new (self->wake, G_IO_IN);
  g_source_set_static_name (waking, "[lightning-db] inspection");
  g_source_set_callback (waking, G_SOURCE_FUNC (woken), NULL, NULL);
  g_source_attach (waking, self->context);
  accept_again (self);
  while (look (self))
    g_main_context_iteration (self->context, TRUE);
  end_thread (self);
  g_source_destroy (waking);
  g_source_unref (waking);
  g_main_context_pop_thread_default (self->context);
  pthread_mutex_lock (&lock);
  close_descriptors (self);
  pthread_mutex_unlock (&lock);
  ldb_host_unref (self);
  return NULL;
}

/* With the lock held. */
static void
wake_thread (LdbHost *self)
{
  const guint64 one = 1;
  while (write (self->wake, &one, sizeof one) < 0 && errno == EINTR)
    ;
}

/* ---- offering ---- */

static LdbHost *
host_alloc (void)
{
  LdbHost *self = g_new0 (LdbHost, 1);
  guint32 random[4];
  self->references = 1;
  for (guint i = 0; i < G_N_ELEMENTS (random); i++)
    random[i] = g_random_int ();
  while (getentropy (random, sizeof random) != 0 && errno == EINTR)
    ;
  g_snprintf (self->token, sizeof self->token, "%08x%08x%08x%08x", random[0], random[1], random[2],
              random[3]);
  for (guint i = 0; i < LDB_VISITORS_MAX; i++)
    self->slots[i] = -1;
  self->directory = self->life = self->listener = self->wake = -1;
  self->context = g_main_context_new ();
  self->log = ldb_log_queue_new (NULL);
  self->exports = g_ptr_array_new_with_free_func ((GDestroyNotify) ldb_export_unref);
  self->withdrawn = g_ptr_array_new_with_free_func ((GDestroyNotify) ldb_export_unref);
  self->visitors = g_ptr_array_new_with_free_func (visitor_unref);
  return self;
}

static gboolean
open_files (LdbHost *self, GError **error)
{
  g_autofree char *path = ldb_runtime_directory_path ();
  g_autofree char *socket_name = g_strdup_printf ("%s.socket", self->token);
  if ((self->directory = ldb_runtime_directory_open (path, TRUE, error)) < 0)
    return FALSE;
  ldb_life_sweep (self->directory);
  if ((self->life = ldb_life_begin (self->directory, self->token, error)) < 0
      || (self->listener = ldb_runtime_directory_listen (self->directory, socket_name, error)) < 0)
    return FALSE;
  self->wake = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  return self->wake >= 0
         || ldb_error_set (error, LDB_ERROR_IO, "Sharing with inspectors: no eventfd: %s.",
                           g_strerror (errno));
}

static void
close_files (LdbHost *self)
{
  if (self->life >= 0)
    ldb_life_remove_files (self->directory, self->token);
  close_descriptors (self);
}

/* With the lock held. */
static gboolean
ensure_host (GError **error)
{
  if (host != NULL)
    return TRUE;
  LdbHost *self = host_alloc ();
  self->next = hosts;
  hosts = self;
  gboolean opened = open_files (self, error);
  if (opened)
    {
      ldb_host_ref (self);
      int code = ldb_worker_start_thread (run, self);
      if (code == 0)
        {
          host = self;
          return TRUE;
        }
      ldb_host_unref (self);
      ldb_error_set (error, LDB_ERROR_NO_MEMORY, "Sharing with inspectors: no thread: %s.",
                     g_strerror (code));
    }
  close_files (self);
  ldb_host_unref (self);
  return FALSE;
}

/* Who the application says it is. GApplication is asked only on the thread that runs it. */
static char *
application_id (void)
{
  const char *id = g_getenv ("FLATPAK_ID");
  if (id == NULL && g_main_context_is_owner (NULL) && g_application_get_default () != NULL)
    id = g_application_get_application_id (g_application_get_default ());
  return id != NULL ? g_utf8_make_valid (id, -1) : g_strdup ("");
}

/* What people know the process by. */
static char *
program_name (void)
{
  const char *name = g_get_prgname ();
  return g_utf8_make_valid (name != NULL ? name : program_invocation_short_name, -1);
}

/* With the lock held. */
static gboolean
write_advert (LdbExport *self, GError **error)
{
  g_auto (LdbAdvert) advert = { .object = self->object, .process_id = (guint) getpid () };
  gsize size;
  memcpy (advert.token, self->host->token, sizeof advert.token);
  advert.program = g_strdup (self->program);
  advert.application = g_strdup (self->application);
  advert.path = g_strdup (self->path);
  advert.id = g_strdup (ldb_database_get_id (self->handle));
  advert.read_only = ldb_database_is_read_only (self->handle);
  g_autofree char *text = ldb_advert_format (&advert, &size);
  g_autofree char *name = ldb_advert_file_name (advert.token, advert.object);
  return ldb_runtime_directory_write (self->host->directory, name, advert.token, text, size, error);
}

/* With the lock held: ends the host when it has nothing to offer. */
static void
end_host_if_idle (void)
{
  if (host->exports->len > 0)
    return;
  ldb_life_remove_files (host->directory, host->token);
  host->stopping = TRUE;
  wake_thread (host);
  g_clear_pointer (&host, ldb_host_unref);
}

LdbExport *
ldb_inspection_offer (LdbDatabase *handle, const char *path, LdbCounters *counters, GError **error)
{
  LdbExport *self = NULL;
  pthread_mutex_lock (&lock);
  if (ensure_host (error))
    {
      self = g_new0 (LdbExport, 1);
      self->references = 1;
      self->object = ++host->last_object;
      self->host = ldb_host_ref (host);
      self->handle = g_object_ref (handle);
      self->path = g_canonicalize_filename (path, NULL);
      self->program = program_name ();
      self->application = application_id ();
      g_autofree char *name = ldb_counters_file_name (host->token, self->object);
      if (counters != NULL)
        ldb_counters_link (counters, host->directory, name);
      if (write_advert (self, error))
        g_ptr_array_add (host->exports, ldb_export_ref (self));
      else
        {
          unlinkat (host->directory, name, 0);
          g_clear_pointer (&self, ldb_export_unref);
        }
      end_host_if_idle ();
    }
  pthread_mutex_unlock (&lock);
  return self;
}

void
ldb_inspection_withdraw (LdbExport *self)
{
  g_autofree char *name = ldb_advert_file_name (self->host->token, self->object);
  g_autofree char *counters = ldb_counters_file_name (self->host->token, self->object);
  g_atomic_int_set (&self->withdrawn, TRUE);
  pthread_mutex_lock (&lock);
  if (host == self->host)
    {
      unlinkat (host->directory, name, 0);
      unlinkat (host->directory, counters, 0);
      g_ptr_array_add (host->withdrawn, ldb_export_ref (self));
      g_ptr_array_remove_fast (host->exports, self);
      wake_thread (host);
      end_host_if_idle ();
    }
  pthread_mutex_unlock (&lock);
  ldb_export_unref (self);
}

void
ldb_inspection_allow_control (LdbExport *self, gboolean allowed)
{
  static gint permissions;
  gboolean has = g_atomic_int_get (&self->control) != 0;
  if (allowed && !has)
    g_atomic_int_set (&self->control, g_atomic_int_add (&permissions, 1) + 1);
  else if (!allowed)
    g_atomic_int_set (&self->control, 0);
}

/* ---- the environment ---- */

static gboolean
debug_keys_contain (const char *keys, const char *wanted)
{
  g_auto (GStrv) words = g_strsplit_set (keys, ":;, \t", -1);
  return g_strv_contains ((const char *const *) words, wanted);
}

/* Not for a program that has more rights than who started it. */
gboolean
ldb_inspection_is_wanted (void)
{
  const char *inspect = g_getenv ("LIGHTNING_INSPECT");
  const char *debug = g_getenv ("GTK_DEBUG");
  if (getauxval (AT_SECURE) != 0)
    return FALSE;
  return (inspect != NULL && g_str_equal (inspect, "1"))
         || (debug != NULL && debug_keys_contain (debug, "interactive"));
}

void
ldb_inspection_prepare_fork (void)
{
  pthread_mutex_lock (&lock);
}

void
ldb_inspection_go_on (void)
{
  pthread_mutex_unlock (&lock);
}

void
ldb_inspection_forget (void)
{
  lock = (pthread_mutex_t) PTHREAD_MUTEX_INITIALIZER;
  host = NULL; /* it and those in the list are lost with the threads of the parent */
  for (LdbHost *parents = g_steal_pointer (&hosts); parents != NULL; parents = parents->next)
    {
      const int descriptors[]
          = { parents->life, parents->listener, parents->wake, parents->directory };
      for (guint i = 0; i < G_N_ELEMENTS (descriptors); i++)
        if (descriptors[i] >= 0)
          close (descriptors[i]);
      for (guint i = 0; i < LDB_VISITORS_MAX; i++)
        if (parents->slots[i] >= 0)
          close (parents->slots[i]);
    }
}
