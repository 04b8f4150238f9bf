/* SPDX-License-Identifier: MIT */
/*
 * The databases of running applications, and what they are doing: top.
 *
 * Each is asked without waiting: one that does not answer shows what it said last.
 */
#include "columns.h"
#include "live.h"
#include "text-form.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* A database that is shown. */
struct shown
{
  LdbRunningDatabase *running; /* owned */
  LdbInspector *inspector;     /* owned; NULL: not connected yet */
  LdbStats *before, *now;      /* the last two answers; owned, or NULL */
  gint64 before_time, time;    /* when they came; monotonic */
  gboolean asked;              /* an answer is due */
  struct board *board;         /* borrowed; NULL: nobody looks any longer */
  guint references;            /* of the board, and of each call */
};

struct board
{
  GMainLoop *loop;      /* owned */
  LdbRunningList *list; /* owned */
  GPtrArray *shown;     /* struct shown; references */
  char *path;           /* only this database, or NULL; owned */
  gboolean json;        /* --json */
  gboolean screen;      /* standard output is a terminal */
  gint64 left;          /* times to be shown still; 0: without end */
};

static void
shown_unref (gpointer data)
{
  struct shown *self = data;
  if (--self->references > 0)
    return;
  g_clear_object (&self->running);
  g_clear_object (&self->inspector);
  g_clear_pointer (&self->before, ldb_stats_free);
  g_clear_pointer (&self->now, ldb_stats_free);
  g_free (self);
}

/* Takes the figures over, as those of now. */
static void
take_stats (struct shown *self, LdbStats *stats)
{
  g_clear_pointer (&self->before, ldb_stats_free);
  self->before = g_steal_pointer (&self->now);
  self->before_time = self->time;
  self->now = stats;
  self->time = g_get_monotonic_time ();
}

/* ---- asking ---- */

static void
answered (GObject *source, GAsyncResult *result, gpointer data)
{
  struct shown *self = data;
  g_autoptr (LdbStats) stats
      = ldb_inspector_get_stats_finish (LDB_INSPECTOR (source), result, NULL);
  self->asked = FALSE;
  if (stats != NULL)
    take_stats (self, g_steal_pointer (&stats));
  shown_unref (self);
}

static void
ask (struct shown *self)
{
  self->asked = TRUE;
  self->references++;
  ldb_inspector_get_stats_async (self->inspector, NULL, answered, self);
}

static void
connected (GObject *source, GAsyncResult *result, gpointer data)
{
  struct shown *self = data;
  self->inspector = ldb_inspector_open_finish (result, NULL);
  self->asked = FALSE;
  if (self->inspector != NULL && self->board != NULL)
    ask (self);
  shown_unref (self);
}

/* One that does not answer: what it counts with can be read without it. */
static void
read_counters (struct shown *self)
{
  LdbStats *stats = self->now != NULL ? ldb_stats_copy (self->now) : g_new0 (LdbStats, 1);
  if (live_read_counters (self->running, stats, NULL))
    take_stats (self, stats);
  else
    ldb_stats_free (stats);
}

static void
look (struct shown *self)
{
  if (self->asked)
    {
      read_counters (self);
      return;
    }
  if (self->inspector != NULL && !ldb_inspector_is_closed (self->inspector))
    {
      ask (self);
      return;
    }
  self->asked = TRUE;
  self->references++;
  g_clear_object (&self->inspector);
  ldb_inspector_open_async (self->running, NULL, connected, self);
}

/* ---- which ---- */

static gboolean
is_wanted (struct board *board, LdbRunningDatabase *running)
{
  if (board->path == NULL)
    return TRUE;
  g_autoptr (LdbRunningDatabase) wanted = ldb_running_list_find (board->list, board->path);
  return wanted == running;
}

static struct shown *
find_shown (struct board *board, LdbRunningDatabase *running)
{
  for (guint i = 0; i < board->shown->len; i++)
    {
      struct shown *shown = g_ptr_array_index (board->shown, i);
      if (shown->running == running)
        return shown;
    }
  return NULL;
}

/* Drops what has ended, adds what is new. */
static void
update (struct board *board)
{
  for (guint i = board->shown->len; i > 0; i--)
    {
      struct shown *shown = g_ptr_array_index (board->shown, i - 1);
      if (ldb_running_database_is_running (shown->running))
        continue;
      shown->board = NULL;
      g_ptr_array_remove_index (board->shown, i - 1);
    }
  for (guint i = 0; i < ldb_running_list_get_n_items (board->list); i++)
    {
      g_autoptr (LdbRunningDatabase) running
          = g_list_model_get_item (G_LIST_MODEL (board->list), i);
      if (!is_wanted (board, running) || find_shown (board, running) != NULL)
        continue;
      struct shown *shown = g_new0 (struct shown, 1);
      shown->references = 1;
      shown->running = g_steal_pointer (&running);
      shown->board = board;
      g_ptr_array_add (board->shown, shown);
    }
}

/* ---- showing ---- */

/* How often a second between the last two answers. */
static double
rate (const struct shown *self, guint64 before, guint64 now)
{
  gint64 time = self->time - self->before_time;
  return time > 0 && now > before ? (double) (now - before) * G_USEC_PER_SEC / (double) time : 0;
}

#define PROGRAM_WIDTH 16

#define RATE(self, field)                                                                          \
  ((self)->before != NULL ? rate (self, (self)->before->field, (self)->now->field) : 0)

/* Nothing is known of it by one answer. */
static void
append_rate (GString *to, const struct shown *self, double rate)
{
  if (self->before != NULL)
    g_string_append_printf (to, " %8.0f", rate);
  else
    g_string_append_printf (to, " %8s", "-");
}

static void
append_hit_rate (GString *to, const LdbStats *stats)
{
  guint64 lookups = stats->cache_hits + stats->cache_misses;
  if (lookups > 0)
    g_string_append_printf (to, " %5.1f%%", 100 * (double) stats->cache_hits / (double) lookups);
  else
    g_string_append_printf (to, " %6s", "-");
}

static void
append_head (GString *to)
{
  column_append_left (to, _ ("PROGRAM"), PROGRAM_WIDTH);
  column_append_right (to, _ ("GET/S"), 9);
  column_append_right (to, _ ("WRITE/S"), 9);
  column_append_right (to, _ ("COMMIT/S"), 9);
  column_append_right (to, _ ("HITS"), 7);
  column_append_right (to, _ ("MEMORY"), 10);
  column_append_right (to, _ ("DISK"), 10);
  g_string_append_printf (to, "  %s", _ ("DATABASE"));
}

static void
append_row (GString *to, const struct shown *self)
{
  g_autofree char *path = text_form_show (ldb_running_database_get_path (self->running), "");
  g_autofree char *program
      = g_utf8_make_valid (ldb_running_database_get_program (self->running), -1);
  column_append_cut (to, program, PROGRAM_WIDTH);
  if (self->now == NULL)
    {
      g_string_append_printf (to, " %8s %8s %8s %6s %9s %9s  %s", "-", "-", "-", "-", "-", "-",
                              path);
      return;
    }
  g_autofree char *memory = command_format_size (self->now->memory_used);
  g_autofree char *disk = command_format_size (self->now->disk_bytes);
  append_rate (to, self, RATE (self, gets));
  append_rate (to, self, RATE (self, puts) + RATE (self, deletes));
  append_rate (to, self, RATE (self, commits));
  append_hit_rate (to, self->now);
  g_string_append_printf (to, " %9s %9s  %s%s", memory, disk, path,
                          self->asked ? _ ("  (no answer)") : "");
}

/* A line of the table, at most as wide as the screen; empties it. */
static void
print_line (GString *line, int columns)
{
  g_autoptr (GString) cut = g_string_new (NULL);
  gboolean fits = columns <= 0 || column_width (line->str) <= columns;
  if (!fits)
    column_append_cut (cut, line->str, columns);
  puts (fits ? line->str : cut->str);
  g_string_truncate (line, 0);
}

/* How many databases a screen of so many lines has room for, beside the head, the line that says how
 * many more there are, and the one where the cursor stays. */
static guint
room_for_rows (const struct board *board, int lines)
{
  guint count = board->shown->len;
  if (lines <= 0 || count + 2 <= (guint) lines)
    return count;
  return MIN (count, (guint) MAX (lines - 3, 1));
}

static void
print_nothing (const struct board *board)
{
  g_autoptr (GError) error = NULL;
  if (ldb_running_list_check_folder (board->list, &error))
    puts (_ ("No running application lets its databases be inspected."));
  else
    {
      g_autofree char *shown = text_form_show (error->message, "");
      puts (shown);
    }
}

static void
print_table (struct board *board)
{
  struct winsize size = { 0 };
  g_autoptr (GString) line = g_string_new (NULL);
  if (board->screen && ioctl (STDOUT_FILENO, TIOCGWINSZ, &size) != 0)
    size.ws_row = size.ws_col = 0;
  guint rows = room_for_rows (board, size.ws_row);
  if (board->screen)
    printf ("\033[H\033[J");
  append_head (line);
  print_line (line, size.ws_col);
  for (guint i = 0; i < rows; i++)
    {
      append_row (line, g_ptr_array_index (board->shown, i));
      print_line (line, size.ws_col);
    }
  guint others = board->shown->len - rows;
  if (others > 0)
    printf (ngettext ("  and %u more\n", "  and %u more\n", others), others);
  if (board->shown->len == 0)
    print_nothing (board);
}

static void
add_rate (JsonBuilder *builder, const char *name, double value)
{
  json_builder_set_member_name (builder, name);
  json_builder_add_double_value (builder, value);
}

static void
print_json (struct board *board)
{
  JsonBuilder *builder = json_builder_new ();
  json_builder_begin_array (builder);
  for (guint i = 0; i < board->shown->len; i++)
    {
      const struct shown *shown = g_ptr_array_index (board->shown, i);
      json_builder_begin_object (builder);
      command_add_text (builder, "path", ldb_running_database_get_path (shown->running));
      command_add_text (builder, "program", ldb_running_database_get_program (shown->running));
      command_add_text (builder, "application",
                        ldb_running_database_get_application_id (shown->running));
      command_add_number (builder, "process", ldb_running_database_get_process_id (shown->running));
      json_builder_set_member_name (builder, "answers");
      json_builder_add_boolean_value (builder, !shown->asked);
      if (shown->now != NULL)
        {
          add_rate (builder, "gets_per_second", RATE (shown, gets));
          add_rate (builder, "commits_per_second", RATE (shown, commits));
          live_add_figures (builder, shown->now);
        }
      json_builder_end_object (builder);
    }
  json_builder_end_array (builder);
  command_print_json (builder);
}

static gboolean
refresh (gpointer data)
{
  struct board *board = data;
  update (board);
  if (board->json)
    print_json (board);
  else
    print_table (board);
  gboolean written = fflush (stdout) == 0;
  if ((board->left > 0 && --board->left == 0) || !written)
    g_main_loop_quit (board->loop);
  g_ptr_array_foreach (board->shown, (GFunc) (void (*) (void)) look, NULL);
  return G_SOURCE_CONTINUE;
}

static void
show (struct board *board, double interval)
{
  board->loop = g_main_loop_new (NULL, FALSE);
  board->shown = g_ptr_array_new_with_free_func (shown_unref);
  board->screen = !board->json && isatty (STDOUT_FILENO);
  update (board);
  g_ptr_array_foreach (board->shown, (GFunc) (void (*) (void)) look, NULL);
  guint interrupt = live_catch_interrupt (board->loop);
  guint timer = g_timeout_add ((guint) (interval * 1000), refresh, board);
  g_main_loop_run (board->loop);
  g_source_remove (timer);
  g_source_remove (interrupt);
  for (guint i = 0; i < board->shown->len; i++)
    ((struct shown *) g_ptr_array_index (board->shown, i))->board = NULL;
  g_ptr_array_unref (board->shown);
  g_main_loop_unref (board->loop);
}

enum exit_status
top_run (struct invocation *invocation)
{
  double interval = 1;
  struct board board = { .left = COMMAND_COUNT_NONE };
  const GOptionEntry entries[] = {
    { "interval", 'i', 0, G_OPTION_ARG_DOUBLE, &interval, N_ ("Seconds from one look to the next"),
      N_ ("SECONDS") },
    { "count", 'n', 0, G_OPTION_ARG_INT64, &board.left, N_ ("End after so many looks"),
      N_ ("NUMBER") },
    { NULL },
  };
  GError *error = NULL;
  if (!command_parse (invocation, entries, NULL,
                      _ ("Shows the databases that running applications let be inspected, or one "
                         "of them: those whose application sets LdbDatabase:inspectable, or was "
                         "started with LIGHTNING_INSPECT=1."),
                      &error)
      || !command_check_not_negative ("--interval", interval, &error))
    return command_fail (invocation, error);
  if (invocation->next_argument < invocation->argument_count)
    board.path = g_strdup (invocation->arguments[invocation->next_argument++]);
  board.json = invocation->json;
  interval
      = interval >= 0.05 ? MIN (interval, 3600) : 0.05; /* what is no number is no longer one */
  board.list = ldb_running_list_new ();
  enum exit_status status = EXIT_STATUS_DONE;
  if (command_check_count (&board.left, &error) && command_finish (invocation, &error)
      && command_check_running (board.list, &error))
    show (&board, interval);
  else
    status = command_fail (invocation, error);
  g_object_unref (board.list);
  g_free (board.path);
  return status;
}
