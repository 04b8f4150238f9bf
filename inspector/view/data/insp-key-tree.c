/* SPDX-License-Identifier: MIT */
/*
 * Invariants
 *   T1  A level's items are in the order of keys, and at most INSP_BRANCHES_MAX and one that says that
 *       there are more.
 *   T2  `levels` are those that somebody still has; each has at most one request under way.
 */
#include "config.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#include "insp-bytes.h"
#include "insp-key-tree.h"

#define LEAP 100              /* keys that are read at a time */
#define REFRESH_INTERVAL 1000 /* milliseconds */

/* ---- branches ---- */

struct _InspBranch
{
  GObject parent_instance;

  GBytes *key;   /* whole, with the delimiter if it is open-ended; NULL: there are more; owned */
  gsize skipped; /* bytes of it that are the level's */
  gboolean is_open_ended;
};

G_DEFINE_FINAL_TYPE (InspBranch, insp_branch, G_TYPE_OBJECT)

static void
insp_branch_finalize (GObject *object)
{
  g_clear_pointer (&INSP_BRANCH (object)->key, g_bytes_unref);
  G_OBJECT_CLASS (insp_branch_parent_class)->finalize (object);
}

static void
insp_branch_class_init (InspBranchClass *class)
{
  G_OBJECT_CLASS (class)->finalize = insp_branch_finalize;
}

static void
insp_branch_init (InspBranch *self)
{
}

static InspBranch *
branch_new (GBytes *key, gsize skipped, gboolean is_open_ended)
{
  InspBranch *branch = g_object_new (INSP_TYPE_BRANCH, NULL);
  branch->key = key != NULL ? g_bytes_ref (key) : NULL;
  branch->skipped = skipped;
  branch->is_open_ended = is_open_ended;
  return branch;
}

GBytes *
insp_branch_get_key (InspBranch *self)
{
  return self->key;
}

gboolean
insp_branch_is_open_ended (InspBranch *self)
{
  return self->is_open_ended;
}

char *
insp_branch_to_text (InspBranch *self)
{
  if (self->key == NULL)
    /* Translators: the last row of a level that has more keys than are listed */
    return g_strdup (_ ("More keys: find them by their prefix"));
  gsize size = g_bytes_get_size (self->key);
  if (size == self->skipped)
    /* Translators: the row of a key that has nothing behind the delimiter of its branch */
    return g_strdup (_ ("(nothing more)"));
  g_autoptr (GBytes) part = g_bytes_new_from_bytes (self->key, self->skipped, size - self->skipped);
  return insp_bytes_escape (part, 200);
}

/* Before, the same, or behind: “more” is last, a key is before the branch that begins with it. */
static int
compare (InspBranch *one, InspBranch *other)
{
  if (one->key == NULL || other->key == NULL)
    return (one->key == NULL) - (other->key == NULL);
  int order = g_bytes_compare (one->key, other->key);
  return order != 0 ? order : one->is_open_ended - other->is_open_ended;
}

/* ---- levels ---- */

struct _InspKeyTree
{
  GObject parent_instance;

  InspRecordReader *reader; /* owned */
  char *store;              /* owned */
  GBytes *prefix;           /* of all keys in it; owned */
  char delimiter;
  GPtrArray *levels; /* of Level, borrowed; T2 */
  guint timer;       /* until levels that were touched are read; 0: none */
};

G_DEFINE_FINAL_TYPE (InspKeyTree, insp_key_tree, G_TYPE_OBJECT)

enum
{
  PROGRESSED,
  FAILED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

/* What belongs to a level's GListStore, and goes with it. */
typedef struct
{
  InspKeyTree *tree; /* NULL: it is gone */
  GListStore *items; /* it has this; borrowed */
  GBytes *prefix;    /* owned */
  GBytes *at;        /* where it is read from next; owned */
  GPtrArray *found;  /* InspBranch, in this reading; owned */
  gboolean reading;
  gboolean stale;
} Level;

static void read_on (Level *level);

static void
level_free (gpointer data)
{
  Level *level = data;
  if (level->tree != NULL)
    g_ptr_array_remove (level->tree->levels, level);
  g_bytes_unref (level->prefix);
  g_bytes_unref (level->at);
  g_ptr_array_unref (level->found);
  g_free (level);
}

static Level *
level_of (GListStore *items)
{
  return g_object_get_data (G_OBJECT (items), "insp-level");
}

/* Rows that are gone go, new ones come, the others stay open. */
static void
splice (Level *level)
{
  guint at = 0;
  GListModel *items = G_LIST_MODEL (level->items);
  for (guint i = 0; i < level->found->len || at < g_list_model_get_n_items (items);)
    {
      g_autoptr (InspBranch) old = g_list_model_get_item (items, at);
      InspBranch *found = i < level->found->len ? level->found->pdata[i] : NULL;
      int order = old == NULL ? 1 : found == NULL ? -1 : compare (old, found);
      guint run = 1;
      if (order < 0)
        g_list_store_remove (level->items, at);
      else if (order > 0)
        {
          while (i + run < level->found->len
                 && (old == NULL || compare (old, level->found->pdata[i + run]) > 0))
            run++;
          g_list_store_splice (level->items, at, 0, level->found->pdata + i, run);
        }
      at += order < 0 ? 0 : run;
      i += order < 0 ? 0 : run;
    }
}

static gboolean
is_same_branch (Level *level, GBytes *key)
{
  InspBranch *last = level->found->len > 0 ? level->found->pdata[level->found->len - 1] : NULL;
  return last != NULL && last->is_open_ended && insp_bytes_have_prefix (key, last->key);
}

static void
take_key (Level *level, GBytes *key)
{
  gsize size, skipped = g_bytes_get_size (level->prefix);
  const char *data = g_bytes_get_data (key, &size);
  if (is_same_branch (level, key) || size < skipped)
    return;
  const char *end
      = size > skipped ? memchr (data + skipped, level->tree->delimiter, size - skipped) : NULL;
  g_autoptr (GBytes) part
      = end != NULL ? g_bytes_new_from_bytes (key, 0, (gsize) (end + 1 - data)) : g_bytes_ref (key);
  g_ptr_array_add (level->found, branch_new (part, skipped, end != NULL));
}

/* The place behind all that was found: over the last branch in one leap. */
static void
leap (Level *level, GBytes *last_key)
{
  g_bytes_unref (level->at);
  if (is_same_branch (level, last_key))
    {
      InspBranch *last = level->found->pdata[level->found->len - 1];
      level->at = insp_bytes_prefix_end (last->key); /* a delimiter is no 0xff: there is one */
    }
  else
    level->at = insp_bytes_successor (last_key);
}

static void
end_reading (Level *level)
{
  level->reading = FALSE;
  splice (level);
  g_ptr_array_set_size (level->found, 0);
  g_signal_emit (level->tree, signals[PROGRESSED], 0);
}

/* What is shown stays, until it is read again. */
static void
give_up (Level *level, const GError *error)
{
  level->reading = FALSE;
  g_ptr_array_set_size (level->found, 0);
  g_signal_emit (level->tree, signals[FAILED], 0, error);
}

static void
on_read (gpointer data, GPtrArray *records, const GError *error)
{
  Level *level = level_of (data);
  if (level->tree == NULL)
    return;
  for (guint i = 0; records != NULL && i < records->len; i++)
    take_key (level, ldb_record_get_key (records->pdata[i]));
  if (error != NULL)
    give_up (level, error);
  else if (records->len < LEAP)
    end_reading (level);
  else if (level->found->len >= INSP_BRANCHES_MAX)
    {
      g_ptr_array_set_size (level->found, (int) INSP_BRANCHES_MAX);
      g_ptr_array_add (level->found, branch_new (NULL, 0, FALSE)); /* T1 */
      end_reading (level);
    }
  else
    {
      leap (level, ldb_record_get_key (records->pdata[records->len - 1]));
      read_on (level);
    }
}

static void
read_on (Level *level)
{
  InspKeyTree *tree = level->tree;
  g_autoptr (GBytes) end = insp_bytes_prefix_end (level->prefix);
  InspWish wish = {
    .store = tree->store, .start = level->at, .end = end, .flags = LDB_SCAN_KEYS_ONLY, .limit = LEAP
  };
  level->reading = TRUE;
  insp_record_reader_ask (tree->reader, &wish, TRUE, on_read, g_object_ref (level->items),
                          g_object_unref);
}

static void
begin (Level *level)
{
  level->stale = FALSE;
  g_bytes_unref (level->at);
  level->at = g_bytes_ref (level->prefix);
  read_on (level);
}

static GListStore *
level_new (InspKeyTree *self, GBytes *prefix)
{
  Level *level = g_new0 (Level, 1);
  level->tree = self;
  level->items = g_list_store_new (INSP_TYPE_BRANCH);
  level->prefix = g_bytes_ref (prefix);
  level->at = g_bytes_ref (prefix);
  level->found = g_ptr_array_new_with_free_func (g_object_unref);
  g_object_set_data_full (G_OBJECT (level->items), "insp-level", level, level_free);
  g_ptr_array_add (self->levels, level);
  begin (level);
  return level->items;
}

static GListModel *
open_branch (gpointer item, gpointer tree)
{
  InspBranch *branch = item;
  return branch->is_open_ended ? G_LIST_MODEL (level_new (tree, branch->key)) : NULL;
}

/* ---- following ---- */

static gboolean
on_time (gpointer data)
{
  InspKeyTree *self = data;
  gboolean more = FALSE;
  for (guint i = 0; i < self->levels->len; i++)
    {
      Level *level = self->levels->pdata[i];
      if (level->stale && !level->reading)
        begin (level);
      more |= level->stale;
    }
  if (!more)
    self->timer = 0;
  return more;
}

void
insp_key_tree_touch (InspKeyTree *self, GBytes *key)
{
  for (guint i = 0; i < self->levels->len; i++)
    {
      Level *level = self->levels->pdata[i];
      if (key == NULL || insp_bytes_have_prefix (key, level->prefix))
        level->stale = TRUE;
    }
  if (self->timer == 0)
    self->timer = g_timeout_add (REFRESH_INTERVAL, on_time, self);
}

/* ---- guessing ---- */

char
insp_key_tree_guess (GPtrArray *records)
{
  static const char delimiters[] = ":/.|#_-";
  guint best = 0;
  char guess = ':';
  for (const char *delimiter = delimiters; *delimiter != '\0'; delimiter++)
    {
      guint count = 0;
      for (guint i = 0; i < records->len; i++)
        {
          gsize size;
          const char *key = g_bytes_get_data (ldb_record_get_key (records->pdata[i]), &size);
          count += size > 1 && memchr (key, *delimiter, size - 1) != NULL;
        }
      if (count > best)
        {
          best = count;
          guess = *delimiter;
        }
    }
  return guess;
}

/* ---- the object ---- */

GtkTreeListModel *
insp_key_tree_make_model (InspKeyTree *self)
{
  GListStore *root = level_new (self, self->prefix);
  return gtk_tree_list_model_new (G_LIST_MODEL (root), FALSE, FALSE, open_branch,
                                  g_object_ref (self), g_object_unref);
}

static void
insp_key_tree_dispose (GObject *object)
{
  InspKeyTree *self = INSP_KEY_TREE (object);
  g_clear_handle_id (&self->timer, g_source_remove);
  for (guint i = 0; i < self->levels->len; i++)
    ((Level *) self->levels->pdata[i])->tree = NULL;
  g_ptr_array_set_size (self->levels, 0);
  if (self->reader != NULL)
    insp_record_reader_cancel (self->reader);
  g_clear_object (&self->reader);
  G_OBJECT_CLASS (insp_key_tree_parent_class)->dispose (object);
}

static void
insp_key_tree_finalize (GObject *object)
{
  InspKeyTree *self = INSP_KEY_TREE (object);
  g_ptr_array_unref (self->levels);
  g_bytes_unref (self->prefix);
  g_free (self->store);
  G_OBJECT_CLASS (insp_key_tree_parent_class)->finalize (object);
}

static void
insp_key_tree_class_init (InspKeyTreeClass *class)
{
  GObjectClass *object_class = G_OBJECT_CLASS (class);
  object_class->dispose = insp_key_tree_dispose;
  object_class->finalize = insp_key_tree_finalize;
  signals[PROGRESSED] = g_signal_new ("progressed", INSP_TYPE_KEY_TREE, G_SIGNAL_RUN_LAST, 0, NULL,
                                      NULL, NULL, G_TYPE_NONE, 0);
  signals[FAILED] = g_signal_new ("failed", INSP_TYPE_KEY_TREE, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                  NULL, G_TYPE_NONE, 1, G_TYPE_ERROR);
}

static void
insp_key_tree_init (InspKeyTree *self)
{
  self->levels = g_ptr_array_new ();
}

InspKeyTree *
insp_key_tree_new (InspRecordReader *reader, const char *store, GBytes *prefix, char delimiter)
{
  InspKeyTree *self = g_object_new (INSP_TYPE_KEY_TREE, NULL);
  self->reader = g_object_ref (reader);
  self->store = g_strdup (store);
  self->delimiter = delimiter;
  self->prefix = g_bytes_ref (prefix);
  return self;
}
