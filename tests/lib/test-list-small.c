/* SPDX-License-Identifier: MIT */
/*
 * Small lists, exhaustively: from every set of a few keys to every other one, in every way to write
 * that, in both directions, whole or cut off: each time the fewest signals, in the right order,
 * each true when it is told, the same objects for rows that stay, and their values. Then, at
 * random, lists that know a part of the keys only, of which the rest comes into sight again and
 * again.
 *
 * The library is built into this program with buckets of two or three rows, so that even these
 * lists are made of several.
 */
#include "ldb-list-model-private.h"
#include "ldb-test.h"
#include "list-validator.h"

#define KEYS_MOST 6
/* All ways between the sets of so many keys. */
static guint keys;

typedef struct
{
  LdbDatabase *db;
  LdbStore *other; /* where commits do not concern the list */
  LdbListModel *list;
  ListValidator *validator;
  LdbListFlags flags;
  guint max_items;
  guint state;               /* which keys there are */
  guint versions[KEYS_MOST]; /* of their values */
  GRand *random;
} Fixture;

static void
key_name (guint key, char to[3])
{
  to[0] = (char) ('b' + key / 2);
  to[1] = (char) ('b' + key % 2);
  to[2] = 0;
}

/* How the list learns of changes. */
typedef enum
{
  MODE_CHANGES, /* key by key, range by range */
  MODE_RESYNC,  /* it lags behind: everything is to be read anew */
  MODE_LOAD,    /* what comes without anything going is a bulk load */
  N_MODES,
} Mode;

static void
put (Fixture *f, LdbBatch *batch, guint key)
{
  char name[3], value[16];
  key_name (key, name);
  g_snprintf (value, sizeof value, "%u", ++f->versions[key]);
  g_assert_true (ldb_batch_put_string (batch, NULL, name, value, NULL));
}

static void delete (LdbBatch *batch, guint key)
{
  char name[3];
  key_name (key, name);
  g_assert_true (ldb_batch_delete_string (batch, NULL, name, NULL));
}

/* How to get from one state to another. */
typedef enum
{
  STYLE_PLAIN,  /* what is to come is put, what is to go deleted */
  STYLE_UPDATE, /* and what stays is put anew */
  STYLE_DETOUR, /* first all is put and all deleted */
  STYLE_RANGE,  /* all goes at once, what is to be is put */
  STYLE_HALVES, /* a range up to some key goes at once */
  N_STYLES,
} Style;

static void
put_missing (Fixture *f, LdbBatch *batch, guint present, guint target, gboolean anew)
{
  for (guint key = 0; key < keys; key++)
    if (target >> key & 1 && (anew || !(present >> key & 1)))
      put (f, batch, key);
    else if (!(target >> key & 1) && present >> key & 1)
      delete (batch, key);
}

static void
write_state (Fixture *f, guint target, Style style)
{
  g_autoptr (LdbBatch) batch = ldb_batch_new ();
  guint present = f->state, border = (guint) g_rand_int_range (f->random, 0, (gint32) keys);
  char name[3];
  key_name (border, name);
  switch (style)
    {
    case STYLE_DETOUR:
      for (guint key = 0; key < keys; key++)
        {
          put (f, batch, key);
          delete (batch, key);
        }
      present = 0;
      break;
    case STYLE_RANGE:
      ldb_batch_delete_range (batch, NULL, NULL, 0, NULL, 0, NULL);
      present = 0;
      break;
    case STYLE_HALVES:
      ldb_batch_delete_range (batch, NULL, NULL, 0, name, 2, NULL);
      present &= ~((1u << border) - 1);
      break;
    default:
      break;
    }
  put_missing (f, batch, present, target, style == STYLE_UPDATE);
  f->state = target;
  g_assert_true (ldb_database_write_batch (f->db, batch, LDB_SYNC_MODE_DEFAULT, NULL, NULL));
}

static void
load_state (Fixture *f, guint target)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbLoader) loader = ldb_database_create_loader (f->db, &error);
  for (guint key = 0; key < keys; key++)
    if ((target & ~f->state) >> key & 1)
      {
        char name[3], value[16];
        key_name (key, name);
        g_snprintf (value, sizeof value, "%u", ++f->versions[key]);
        ldb_loader_put (loader, NULL, name, 2, value, strlen (value), &error);
      }
  ldb_loader_commit (loader, NULL, &error);
  g_assert_no_error (error);
  f->state = target;
}

/* ---- what the list must be ---- */

static guint
count_keys (guint state)
{
  return (guint) __builtin_popcount (state);
}

static void
check_rows (Fixture *f)
{
  guint expected = MIN (count_keys (f->state), f->max_items), at = 0;
  gboolean reverse = (f->flags & LDB_LIST_REVERSE) != 0;
  g_assert_cmpuint (list_validator_get_n_rows (f->validator), ==, expected);
  for (guint i = 0; i < keys && at < expected; i++)
    {
      guint key = reverse ? keys - 1 - i : i;
      char name[3];
      key_name (key, name);
      if (!(f->state >> key & 1))
        {
          g_assert_cmpint (ldb_list_model_find (f->list, name, 2, NULL), ==, -1);
          continue;
        }
      g_autoptr (LdbEntry) entry = g_list_model_get_item (G_LIST_MODEL (f->list), at);
      g_autofree char *value = g_strdup_printf ("%u", f->versions[key]);
      g_autofree char *text = ldb_entry_dup_text (entry);
      assert_bytes (ldb_entry_get_key (entry), name);
      g_assert_cmpstr (text, ==, value);
      g_assert_true (ldb_entry_get_loaded (entry));
      g_assert_cmpint (ldb_list_model_find (f->list, name, 2, NULL), ==, at);
      at++;
    }
}

/* Commits elsewhere, upon which the list gets a newer state: here after each, and perhaps while the
 * next change is on its way. */
static void
write_elsewhere (Fixture *f)
{
  gint kind = g_rand_int_range (f->random, 0, 16);
  if (kind > 1)
    return;
  g_assert_true (ldb_store_put_string (f->other, "k", "v", NULL, NULL));
  guint64 sequence = ldb_database_get_sequence (f->db);
  while (kind == 1 && ldb_list_model_get_sequence (f->list) < sequence)
    g_main_context_iteration (NULL, TRUE);
}

static void
go_to (Fixture *f, guint target, Style style, Mode mode)
{
  g_autoptr (GPtrArray) before = list_validator_copy_keys (f->validator);
  write_elsewhere (f);
  if (mode == MODE_LOAD && (f->state & ~target) == 0)
    load_state (f, target);
  else
    write_state (f, target, style);
  guint64 sequence = ldb_database_get_sequence (f->db);
  while (ldb_list_model_get_sequence (f->list) < sequence)
    g_main_context_iteration (NULL, TRUE);
  check_rows (f);
  list_validator_check (f->validator);
  list_validator_check_fewest (f->validator, before);
}

static void
run (Place *place, LdbListFlags flags, guint max_items, Mode mode)
{
  Fixture f = {
    .db = place_open (place, NULL),
    .flags = flags,
    .max_items = max_items,
    .random = g_rand_new_with_seed (max_items * 16 + flags),
  };
  g_autoptr (GError) error = NULL;
  f.other = ldb_database_open_store (f.db, "other", LDB_OPEN_CREATE, NULL, &error);
  f.list = ldb_list_model_new (f.db, NULL, NULL, 0, NULL, 0, flags, LDB_TYPE_ENTRY, &error);
  g_assert_no_error (error);
  ldb_list_model_set_max_items (f.list, max_items);
  ldb_list_model_set_batch_interval (f.list, 0);
  if (mode == MODE_RESYNC)
    ldb_observer_set_limit (f.list->observer, 1);
  f.validator = list_validator_new (G_LIST_MODEL (f.list), (flags & LDB_LIST_REVERSE) != 0,
                                    LIST_VALIDATOR_HOLD);
  for (guint from = 0; from < 1u << keys; from++)
    for (guint to = 0; to < 1u << keys; to++)
      {
        if (f.state != from)
          go_to (&f, from, STYLE_PLAIN, mode);
        if (to != from)
          go_to (&f, to, (Style) ((from + to) % N_STYLES), mode);
      }
  list_validator_free (f.validator);
  g_object_unref (f.list);
  g_object_unref (f.other);
  ldb_database_close (f.db, NULL, NULL);
  g_object_unref (f.db);
  g_rand_free (f.random);
}

static void
test_small (Place *place, gconstpointer data)
{
  guint choice = GPOINTER_TO_UINT (data);
  guint limits[] = { LDB_LIST_MAX_ITEMS, 1, 2, 4 };
  keys = g_test_slow () ? KEYS_MOST
         : choice < 8   ? 5
                        : 4; /* each one more takes four times as long */
  run (place, choice & 1 ? LDB_LIST_REVERSE | LDB_LIST_BLOCKING : LDB_LIST_BLOCKING,
       limits[choice / 2 % 4], (Mode) (choice / 8));
}

/* ---- the edge of what is counted ---- */

#define FIELD 60       /* keys of two bytes */
#define WINDOW_MOST 12 /* rows that are shown at most */
#define STEPS (g_test_slow () ? 40000u : 3000u)

typedef struct
{
  LdbDatabase *db;
  LdbListModel *list;
  ListValidator *validator;
  gboolean present[FIELD]; /* which keys there are */
  guint max_items;
  gboolean reverse;
  GRand *random;
} Field;

static void
field_key (guint key, char to[3])
{
  to[0] = (char) ('A' + key / 10);
  to[1] = (char) ('0' + key % 10);
  to[2] = 0;
}

static guint
choose (Field *field, guint most)
{
  return (guint) g_rand_int_range (field->random, 0, (gint32) most);
}

static void
change_keys (Field *field, LdbBatch *batch)
{
  char name[3], end[3];
  guint from = choose (field, FIELD), to = from + choose (field, 25);
  to = MIN (to, FIELD - 1);
  field_key (from, name);
  field_key (to, end);
  if (from < to && choose (field, 8) == 0)
    {
      g_assert_true (ldb_batch_delete_range (batch, NULL, name, 2, end, 2, NULL));
      for (guint i = from; i < to; i++)
        field->present[i] = FALSE;
      return;
    }
  field->present[from] = choose (field, 100) < 60;
  if (field->present[from])
    ldb_batch_put_string (batch, NULL, name, name, NULL);
  else
    ldb_batch_delete_string (batch, NULL, name, NULL);
}

static void
check_field (Field *field)
{
  guint at = 1; /* the first row is the mark */
  g_assert_null (ldb_rank_index_check (field->list->index));
  for (guint i = 0; i < FIELD; i++)
    {
      guint key = field->reverse ? FIELD - 1 - i : i;
      char name[3];
      field_key (key, name);
      gboolean shown = field->present[key] && at < field->max_items;
      g_assert_cmpint (ldb_list_model_find (field->list, name, 2, NULL), ==,
                       shown ? (gint) at : -1);
      if (!shown)
        continue;
      g_autoptr (LdbEntry) entry = g_list_model_get_item (G_LIST_MODEL (field->list), at++);
      assert_bytes (ldb_entry_get_key (entry), name);
      assert_bytes (ldb_entry_get_value (entry), name);
    }
  g_assert_cmpuint (g_list_model_get_n_items (G_LIST_MODEL (field->list)), ==, at);
  list_validator_check (field->validator);
}

static void
step_field (Field *field, guint number)
{
  g_autoptr (LdbBatch) batch = ldb_batch_new ();
  char mark[16];
  if (choose (field, 4) == 0)
    {
      field->max_items = 1 + choose (field, WINDOW_MOST);
      ldb_list_model_set_max_items (field->list, field->max_items);
    }
  for (guint i = choose (field, 6); i > 0; i--)
    change_keys (field, batch);
  /* A change that the list is told for certain: its first row has another value. */
  g_snprintf (mark, sizeof mark, "%u", number);
  ldb_batch_put_string (batch, NULL, field->reverse ? "~" : "!", mark, NULL);
  ldb_database_write_batch (field->db, batch, LDB_SYNC_MODE_DEFAULT, NULL, NULL);
  if (choose (field, 3) == 0)
    return;
  guint64 sequence = ldb_database_get_sequence (field->db);
  while (ldb_list_model_get_sequence (field->list) < sequence
         || ldb_list_model_get_pending (field->list))
    g_main_context_iteration (NULL, TRUE);
}

static void
test_edge (Place *place, gconstpointer data)
{
  Field field = {
    .db = place_open (place, NULL),
    .reverse = GPOINTER_TO_UINT (data),
    .max_items = WINDOW_MOST,
    .random = g_rand_new_with_seed (77),
  };
  g_autoptr (GError) error = NULL;
  field.list = ldb_list_model_new (field.db, NULL, NULL, 0, NULL, 0,
                                   LDB_LIST_BLOCKING | (field.reverse ? LDB_LIST_REVERSE : 0),
                                   LDB_TYPE_ENTRY, &error);
  g_assert_no_error (error);
  ldb_list_model_set_max_items (field.list, WINDOW_MOST);
  ldb_list_model_set_batch_interval (field.list, 0);
  field.validator = list_validator_new (G_LIST_MODEL (field.list), field.reverse, 0);
  guint edges = 0;
  for (guint i = 0; i < STEPS; i++)
    {
      step_field (&field, i);
      edges += field.list->edge != NULL;
      if (ldb_list_model_get_sequence (field.list) == ldb_database_get_sequence (field.db)
          && !ldb_list_model_get_pending (field.list))
        check_field (&field);
    }
  g_assert_cmpuint (edges, >, STEPS / 4);
  list_validator_free (field.validator);
  g_object_unref (field.list);
  ldb_database_close (field.db, NULL, NULL);
  g_object_unref (field.db);
  g_rand_free (field.random);
}

/* ---- stamps ---- */

static void
keep_position (GObject *list, GAsyncResult *result, gpointer data)
{
  g_autoptr (GError) error = NULL;
  *(gint *) data = ldb_list_model_find_finish (LDB_LIST_MODEL (list), result, &error);
  g_assert_no_error (error);
}

/* Rows are loaded, and keys found, also when the numbers of frames begin anew: a bucket that was last
 * changed before that has not changed since. */
static void
test_stamps (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbDatabase) db = place_open (place, NULL);
  char name[3];
  for (guint key = 0; key < FIELD; key++)
    {
      field_key (key, name);
      ldb_database_put_string (db, name, name, NULL, &error);
    }
  g_autoptr (LdbListModel) list
      = ldb_list_model_new (db, NULL, NULL, 0, NULL, 0, LDB_LIST_NONE, LDB_TYPE_ENTRY, &error);
  g_assert_no_error (error);
  list->stamp = G_MAXUINT32 - 4;
  for (guint round = 0; round < 10; round++)
    {
      g_autoptr (LdbBatch) batch = ldb_batch_new ();
      field_key (6 * round, name);
      if (round % 2 == 0)
        ldb_batch_delete_string (batch, NULL, name, NULL);
      else
        ldb_batch_put_string (batch, NULL, (char[]){ name[0], name[1], '+', 0 }, name, NULL);
      g_assert_true (ldb_database_write_batch (db, batch, LDB_SYNC_MODE_DEFAULT, NULL, &error));
      while (ldb_list_model_get_sequence (list) < ldb_database_get_sequence (db))
        g_main_context_iteration (NULL, TRUE);
      g_assert_true (ldb_database_compact (db, NULL, NULL, NULL, &error));
      ldb_database_evict_cache (db, 1, &error);
      g_assert_no_error (error);
      for (guint at = 0; at < g_list_model_get_n_items (G_LIST_MODEL (list)); at++)
        {
          g_autoptr (LdbEntry) entry = g_list_model_get_item (G_LIST_MODEL (list), at);
          while (!ldb_entry_get_loaded (entry))
            g_main_context_iteration (NULL, TRUE);
        }
      ldb_database_evict_cache (db, 1, &error);
      gint found = -2;
      field_key (0, name);
      ldb_list_model_find_async (list, name, 2, NULL, keep_position, &found);
      while (found == -2)
        g_main_context_iteration (NULL, TRUE);
      g_assert_cmpint (found, ==, -1);
    }
  g_assert_cmpuint (list->stamp, <, 100);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint choice = 0; choice < 8 * N_MODES; choice++)
    {
      g_autofree char *name = g_strdup_printf (
          "/list/small/%s/%u/%u", choice & 1 ? "reverse" : "forward", choice / 2 % 4, choice / 8);
      g_test_add (name, Place, GUINT_TO_POINTER (choice), place_set_up, test_small,
                  place_tear_down);
    }
  add_test ("/list/stamps", test_stamps);
  g_test_add ("/list/edge/forward", Place, GUINT_TO_POINTER (FALSE), place_set_up, test_edge,
              place_tear_down);
  g_test_add ("/list/edge/reverse", Place, GUINT_TO_POINTER (TRUE), place_set_up, test_edge,
              place_tear_down);
  return g_test_run ();
}
