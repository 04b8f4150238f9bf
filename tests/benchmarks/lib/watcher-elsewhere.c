/* SPDX-License-Identifier: MIT */
#include "watcher-elsewhere.h"

#include "program.h"

#include <errno.h>
#include <glib-unix.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- another thread ---- */

static guint64
last_of (Neighbour *self)
{
  pthread_mutex_lock (&self->lock);
  guint64 last = self->last;
  pthread_mutex_unlock (&self->lock);
  return last;
}

static void *
watch_in_thread (void *data)
{
  Neighbour *self = data;
  guint64 last;
  GMainContext *context = g_main_context_new ();
  g_main_context_push_thread_default (context);
  watcher_begin (&self->watcher, self->db, self->what, self->base, context);
  pthread_mutex_lock (&self->lock);
  self->context = context;
  pthread_cond_signal (&self->change);
  pthread_mutex_unlock (&self->lock);
  while ((last = last_of (self)) == 0)
    g_main_context_iteration (context, TRUE);
  watcher_end (&self->watcher, last);
  g_main_context_pop_thread_default (context);
  return NULL;
}

void
neighbour_begin (Neighbour *self, LdbDatabase *db, const Case *what, guint64 base)
{
  *self = (Neighbour){ .db = db, .what = what, .base = base };
  pthread_mutex_init (&self->lock, NULL);
  pthread_cond_init (&self->change, NULL);
  check (pthread_create (&self->thread, NULL, watch_in_thread, self) == 0, "no thread");
  pthread_mutex_lock (&self->lock);
  while (self->context == NULL)
    pthread_cond_wait (&self->change, &self->lock);
  pthread_mutex_unlock (&self->lock);
}

void
neighbour_end (Neighbour *self, guint64 last)
{
  pthread_mutex_lock (&self->lock);
  self->last = last;
  pthread_mutex_unlock (&self->lock);
  g_main_context_wakeup (self->context);
  pthread_join (self->thread, NULL);
  g_main_context_unref (self->context);
  pthread_cond_destroy (&self->change);
  pthread_mutex_destroy (&self->lock);
}

/* ---- another process ---- */

static void
read_whole (int from, gpointer to, gsize size)
{
  for (gsize done = 0; done < size;)
    {
      gssize got = read (from, (char *) to + done, size - done);
      check (got > 0 || (got < 0 && errno == EINTR), "the other process has ended too soon");
      done += got > 0 ? (gsize) got : 0;
    }
}

static void
write_whole (int to, gconstpointer from, gsize size)
{
  for (gsize done = 0; done < size;)
    {
      gssize put = write (to, (const char *) from + done, size - done);
      check (put > 0 || (put < 0 && errno == EINTR), "the other process is gone");
      done += put > 0 ? (gsize) put : 0;
    }
}

static gboolean
note_input (gint descriptor, GIOCondition condition, gpointer data)
{
  *(gboolean *) data = TRUE;
  return G_SOURCE_REMOVE;
}

int
process_main (const char *path)
{
  g_autoptr (GError) error = NULL;
  Case what;
  guint64 base, last;
  Watcher watcher;
  gboolean told = FALSE;
  read_whole (STDIN_FILENO, &what, sizeof what);
  read_whole (STDIN_FILENO, &base, sizeof base);
  g_autoptr (LdbDatabase) db = ldb_database_open (path, LDB_OPEN_READ_ONLY, NULL, NULL, &error);
  check_error (error);
  watcher_begin (&watcher, db, &what, base, NULL);
  write_whole (STDOUT_FILENO, "", 1);
  g_autoptr (GSource) source = g_unix_fd_source_new (STDIN_FILENO, G_IO_IN | G_IO_HUP);
  g_source_set_callback (source, G_SOURCE_FUNC (note_input), &told, NULL);
  g_source_attach (source, NULL);
  while (!told)
    g_main_context_iteration (NULL, TRUE);
  read_whole (STDIN_FILENO, &last, sizeof last);
  watcher_end (&watcher, last);
  write_whole (STDOUT_FILENO, &watcher.told, sizeof watcher.told);
  check (ldb_database_close (db, NULL, &error), "the reader did not close");
  return 0;
}

void
process_begin (Process *self, const char *path, const Case *what, guint64 base)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *program = g_file_read_link ("/proc/self/exe", NULL);
  char *arguments[] = { program, (char *) "--follow", (char *) path, NULL };
  char ready;
  g_spawn_async_with_pipes (NULL, arguments, NULL, G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL,
                            &self->pid, &self->to, &self->from, NULL, &error);
  check_error (error);
  write_whole (self->to, what, sizeof *what);
  write_whole (self->to, &base, sizeof base);
  read_whole (self->from, &ready, 1);
}

void
process_end (Process *self, guint64 last, Told *told)
{
  int status;
  write_whole (self->to, &last, sizeof last);
  read_whole (self->from, told, sizeof *told);
  check (waitpid (self->pid, &status, 0) == self->pid && status == 0,
         "the other process ended badly");
  close (self->to);
  close (self->from);
}
