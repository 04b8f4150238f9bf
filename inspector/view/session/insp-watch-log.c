/* SPDX-License-Identifier: MIT */
/*
 * Invariants
 *   D1  Of each watch in `watches` there is its name in `names`.
 *   D3  Gaps do not meet; each ends with an answer, and begins when the one before had been too long ago.
 *   D2  No watch in `watches`, and no delivery in `deliveries`, is one that is known to be an inspector's.
 */
#include "config.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#include "insp-key-text.h"
#include "insp-seen.h"
#include "insp-watch-log.h"

#define NAMES_MOST 4000u                /* that are kept of watches that are gone */
#define NOTED_FOR (10 * G_USEC_PER_SEC) /* after a request: as the library has it */
#define GAPS_MOST 100u

typedef struct
{
  gint64 start, end; /* microseconds since 1970 */
} Gap;

struct _InspWatchLog
{
  GObject parent_instance;

  InspRowList *watches;    /* of LdbActiveWatch, by number; owned */
  InspRowList *deliveries; /* of LdbWatchDelivery, the newest first; owned */
  GHashTable *names;       /* guint64 → char *; owned */
  GHashTable *inspectors;  /* guint64: the watches of inspectors; owned */
  guint64 newest;          /* number of a delivery */
  GArray *gaps;            /* of Gap, in which nothing was noted, the oldest first; owned */
  gint64 answered;         /* microseconds since 1970; 0: never */
};

G_DEFINE_FINAL_TYPE (InspWatchLog, insp_watch_log, G_TYPE_OBJECT)

static guint changed;

/* ---- words ---- */

const char *
insp_watch_kind_name (LdbWatchKind kind)
{
  static const char *const names[] = {
    /* Translators: what somebody watches, from here to “List” */
    [LDB_WATCH_KIND_KEY] = N_ ("Key"),           [LDB_WATCH_KIND_PREFIX] = N_ ("Prefix"),
    [LDB_WATCH_KIND_RANGE] = N_ ("Range"),       [LDB_WATCH_KIND_ALL] = N_ ("All keys"),
    [LDB_WATCH_KIND_STORES] = N_ ("All stores"), [LDB_WATCH_KIND_ENTRY] = N_ ("Entry"),
    [LDB_WATCH_KIND_LIST] = N_ ("List"),
  };
  return (guint) kind < G_N_ELEMENTS (names) ? _ (names[kind]) : _ ("Other");
}

/* Of a recording, which has no keys. */
static gboolean
has_lost_its_keys (const LdbActiveWatch *watch)
{
  return (watch->start == NULL && watch->start_length > 0)
         || (watch->end == NULL && watch->end_length > 0);
}

/* As a list of them has it: from a prefix on, and before what follows all keys that begin so. */
static gboolean
ends_behind_prefix (const LdbActiveWatch *watch)
{
  gsize start_size, end_size;
  if (watch->start == NULL || watch->end == NULL)
    return FALSE;
  const guint8 *start = g_bytes_get_data (watch->start, &start_size);
  const guint8 *end = g_bytes_get_data (watch->end, &end_size);
  return start_size == watch->start_length && end_size == start_size
         && watch->end_length == end_size && memcmp (start, end, end_size - 1) == 0
         && end[end_size - 1] == start[end_size - 1] + 1;
}

char *
insp_watch_format_keys (const LdbActiveWatch *watch)
{
  if (has_lost_its_keys (watch))
    return g_strdup_printf ("#%" G_GUINT64_FORMAT, watch->id);
  g_autofree char *start = insp_key_text_of (watch->start, watch->start_length);
  gboolean single = watch->kind == LDB_WATCH_KIND_KEY || watch->kind == LDB_WATCH_KIND_ENTRY;
  if (single || (watch->start == NULL && watch->end == NULL))
    return g_steal_pointer (&start);
  if (watch->kind == LDB_WATCH_KIND_PREFIX
      || (watch->kind == LDB_WATCH_KIND_LIST && ends_behind_prefix (watch)))
    /* Translators: keys that begin so */
    return g_strdup_printf (_ ("%s…"), start);
  return insp_key_text_of_range (watch->start, watch->start_length, watch->end, watch->end_length);
}

char *
insp_watch_format (const LdbActiveWatch *watch)
{
  g_autofree char *keys = insp_watch_format_keys (watch);
  const char *kind = insp_watch_kind_name (watch->kind);
  GString *text = g_string_new (kind);
  if (watch->start_length > 0 || watch->end_length > 0)
    g_string_append_printf (text, " %s", keys);
  if (watch->store != NULL)
    g_string_append_printf (text, " · %s", watch->store);
  return g_string_free (text, FALSE);
}

gint64
insp_watch_get_delay (const LdbWatchDelivery *delivery)
{
  return delivery->committed != 0 ? MAX (delivery->delivered - delivery->committed, 0) : -1;
}

/* ---- watches ---- */

guint64
insp_watch_get_id (gconstpointer contents)
{
  return ((const LdbActiveWatch *) contents)->id;
}

static int
compare_ids (gconstpointer one, gconstpointer other)
{
  guint64 a = insp_watch_get_id (*(gconstpointer *) one);
  guint64 b = insp_watch_get_id (*(gconstpointer *) other);
  return a < b ? -1 : a > b;
}

static gboolean
is_an_inspectors (InspWatchLog *self, guint64 watch)
{
  return g_hash_table_contains (self->inspectors, &watch);
}

/* FALSE: it is an inspector's. */
static gboolean
note_watch (InspWatchLog *self, const LdbActiveWatch *watch)
{
  if (!g_hash_table_contains (self->names, &watch->id)) /* D1 */
    g_hash_table_insert (self->names, g_memdup2 (&watch->id, sizeof watch->id),
                         insp_watch_format (watch));
  if (watch->inspector)
    g_hash_table_add (self->inspectors, g_memdup2 (&watch->id, sizeof watch->id));
  return !watch->inspector;
}

/* D2: one may have been told of something before it was listed. */
static void
drop_those_of_inspectors (InspWatchLog *self)
{
  const LdbWatchDelivery *its;
  g_autoptr (GPtrArray) kept
      = g_ptr_array_new_with_free_func ((GDestroyNotify) ldb_watch_delivery_free);
  guint i = 0;
  for (; (its = insp_row_list_get (self->deliveries, i)) != NULL; i++)
    if (!is_an_inspectors (self, its->watch))
      g_ptr_array_add (kept, ldb_watch_delivery_copy (its));
  if (kept->len < i)
    insp_row_list_set (self->deliveries, kept);
}

void
insp_watch_log_set_watches (InspWatchLog *self, GPtrArray *watches)
{
  guint known = g_hash_table_size (self->inspectors);
  if (g_hash_table_size (self->names) > NAMES_MOST)
    {
      g_hash_table_remove_all (self->names);
      g_hash_table_remove_all (self->inspectors);
    }
  for (guint i = watches->len; i > 0; i--)
    if (!note_watch (self, g_ptr_array_index (watches, i - 1)))
      g_ptr_array_remove_index (watches, i - 1);
  g_ptr_array_sort (watches, compare_ids);
  insp_row_list_set (self->watches, watches);
  if (g_hash_table_size (self->inspectors) != known)
    drop_those_of_inspectors (self);
  g_signal_emit (self, changed, 0);
}

const char *
insp_watch_log_get_name (InspWatchLog *self, guint64 watch)
{
  const char *name = g_hash_table_lookup (self->names, &watch);
  return name != NULL ? name : _ ("Closed");
}

/* ---- deliveries ---- */

guint64
insp_watch_get_number (gconstpointer contents)
{
  return ((const LdbWatchDelivery *) contents)->number;
}

guint64
insp_watch_log_get_newest (InspWatchLog *self)
{
  return self->newest;
}

void
insp_watch_log_note_answer (InspWatchLog *self, gint64 time)
{
  gint64 noted_until = self->answered != 0 ? self->answered + NOTED_FOR : 0;
  self->answered = time;
  if (time <= noted_until)
    return;
  Gap gap = { noted_until, time }; /* D3 */
  g_array_append_val (self->gaps, gap);
  if (self->gaps->len > GAPS_MOST)
    g_array_remove_index (self->gaps, 0);
  g_signal_emit (self, changed, 0);
}

gboolean
insp_watch_log_get_gap (InspWatchLog *self, guint number, gint64 *start, gint64 *end)
{
  if (number >= self->gaps->len)
    return FALSE;
  const Gap *gap = &g_array_index (self->gaps, Gap, number);
  *start = gap->start;
  *end = gap->end;
  return TRUE;
}

void
insp_watch_log_add (InspWatchLog *self, GPtrArray *deliveries)
{
  for (guint i = deliveries->len; i > 0; i--)
    {
      const LdbWatchDelivery *its = g_ptr_array_index (deliveries, i - 1);
      self->newest = MAX (self->newest, its->number);
      if (is_an_inspectors (self, its->watch)) /* D2 */
        g_ptr_array_remove_index (deliveries, i - 1);
    }
  if (deliveries->len == 0)
    return;
  insp_row_list_prepend_reversed (self->deliveries, deliveries, INSP_DELIVERIES_MOST);
  g_signal_emit (self, changed, 0);
}

InspRowList *
insp_watch_log_get_watches (InspWatchLog *self)
{
  return self->watches;
}

InspRowList *
insp_watch_log_get_deliveries (InspWatchLog *self)
{
  return self->deliveries;
}

/* ---- the object ---- */

static void
insp_watch_log_finalize (GObject *object)
{
  InspWatchLog *self = INSP_WATCH_LOG (object);
  g_object_unref (self->watches);
  g_object_unref (self->deliveries);
  g_hash_table_unref (self->names);
  g_hash_table_unref (self->inspectors);
  g_array_unref (self->gaps);
  G_OBJECT_CLASS (insp_watch_log_parent_class)->finalize (object);
}

static void
insp_watch_log_class_init (InspWatchLogClass *class)
{
  G_OBJECT_CLASS (class)->finalize = insp_watch_log_finalize;
  changed = g_signal_new ("changed", INSP_TYPE_WATCH_LOG, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                          G_TYPE_NONE, 0);
}

static void
insp_watch_log_init (InspWatchLog *self)
{
  self->watches = insp_row_list_new (insp_watch_get_id, (GDestroyNotify) ldb_active_watch_free);
  self->deliveries
      = insp_row_list_new (insp_watch_get_number, (GDestroyNotify) ldb_watch_delivery_free);
  self->names = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, g_free);
  self->inspectors = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  self->gaps = g_array_new (FALSE, FALSE, sizeof (Gap));
}

InspWatchLog *
insp_watch_log_new (void)
{
  return g_object_new (INSP_TYPE_WATCH_LOG, NULL);
}
