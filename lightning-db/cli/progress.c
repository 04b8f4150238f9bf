/* SPDX-License-Identifier: MIT */
#include "progress.h"

#include "columns.h"
#include "command.h"

#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define REDRAW_MICROSECONDS 100000
#define WATCH_MICROSECONDS 100000
#define BAR_WIDTH_MAX 40

void
progress_begin (struct progress *progress, const char *label, gboolean in_bytes, gboolean quiet)
{
  *progress = (struct progress){ .label = label,
                                 .cancellable = g_cancellable_new (),
                                 .shown = !quiet && isatty (STDERR_FILENO),
                                 .in_bytes = in_bytes,
                                 .begun = g_get_monotonic_time () };
  command_catch_interrupts ();
}

/* A signal handler may not cancel, so somebody has to look. */
static gpointer
watch_for_interrupt (gpointer data)
{
  struct progress *progress = data;
  g_mutex_lock (&progress->lock);
  while (!progress->ended)
    {
      if (command_is_interrupted ())
        g_cancellable_cancel (progress->cancellable);
      g_cond_wait_until (&progress->ending, &progress->lock,
                         g_get_monotonic_time () + WATCH_MICROSECONDS);
    }
  g_mutex_unlock (&progress->lock);
  return NULL;
}

void
progress_watch (struct progress *progress)
{
  g_mutex_init (&progress->lock);
  g_cond_init (&progress->ending);
  progress->watch = g_thread_new ("interrupts", watch_for_interrupt, progress);
}

static void
end_watch (struct progress *progress)
{
  g_mutex_lock (&progress->lock);
  progress->ended = TRUE;
  g_cond_signal (&progress->ending);
  g_mutex_unlock (&progress->lock);
  g_thread_join (progress->watch);
  g_mutex_clear (&progress->lock);
  g_cond_clear (&progress->ending);
}

static int
terminal_width (void)
{
  struct winsize size;
  if (ioctl (STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
    return size.ws_col;
  return 80;
}

static char *
describe_rate (const struct progress *progress, guint64 done, guint64 total, gint64 elapsed)
{
  if (elapsed < REDRAW_MICROSECONDS || done == 0)
    return g_strdup ("");
  double rate = (double) done * 1e6 / (double) elapsed;
  g_autofree char *amount = progress->in_bytes ? command_format_size ((guint64) rate)
                                               : command_format_count ((guint64) rate);
  if (total <= done)
    return g_strdup_printf ("  %s/s", amount);
  return g_strdup_printf (_ ("  %s/s  %.0f s left"), amount, (double) (total - done) / rate);
}

static void
draw (struct progress *progress, guint64 done, guint64 total, gint64 now)
{
  g_autofree char *rate = describe_rate (progress, done, total, now - progress->begun);
  if (total == 0)
    {
      g_autofree char *amount
          = progress->in_bytes ? command_format_size (done) : command_format_count (done);
      fprintf (stderr, "\r\033[K%s  %s%s", progress->label, amount, rate);
    }
  else
    {
      double share = done >= total ? 1.0 : (double) done / (double) total;
      int room = terminal_width () - column_width (progress->label) - 38;
      int width = CLAMP (room, 0, BAR_WIDTH_MAX);
      g_autoptr (GString) bar = g_string_new (NULL);
      for (int i = 0; i < width; i++)
        g_string_append_c (bar, i < (int) (share * width + 0.5) ? '#' : '-');
      fprintf (stderr, "\r\033[K%s  [%s] %3.0f %%%s", progress->label, bar->str, share * 100, rate);
    }
  fflush (stderr);
  progress->drawn = TRUE;
  progress->drawn_at = now;
}

void
progress_update (struct progress *progress, guint64 done, guint64 total)
{
  if (command_is_interrupted ())
    g_cancellable_cancel (progress->cancellable);
  if (!progress->shown)
    return;
  gint64 now = g_get_monotonic_time ();
  if (now - progress->drawn_at >= REDRAW_MICROSECONDS)
    draw (progress, done, total, now);
}

void
progress_wait (struct progress *progress, const char *label)
{
  if (!progress->shown || !progress->drawn)
    return;
  fprintf (stderr, "\r\033[K%s …", label);
  fflush (stderr);
}

void
progress_report (guint64 done, guint64 total, const char *step, gpointer user_data)
{
  (void) step;
  progress_update (user_data, done, total);
}

gint64
progress_end (struct progress *progress)
{
  if (progress->watch != NULL)
    end_watch (progress);
  if (progress->drawn)
    {
      fputs ("\r\033[K", stderr);
      fflush (stderr);
    }
  g_clear_object (&progress->cancellable);
  return g_get_monotonic_time () - progress->begun;
}
