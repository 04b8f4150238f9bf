/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <glib/gi18n-lib.h>

#include "insp-bytes.h"
#include "insp-key-finder.h"
#include "insp-page.h"
#include "insp-table.h"
#include "insp-unit.h"

struct _InspKeyFinder
{
  GtkWidget parent_instance;

  InspSession *session;      /* owned */
  char *store;               /* NULL: the default one; owned */
  GCancellable *cancellable; /* of what is asked; owned */
  InspRowList *places;       /* of LdbKeyLocation, newest first; owned */
  GtkWidget *box;            /* child */
  GtkWidget *entry;          /* in it; likewise below */
  GtkWidget *answer;         /* a label: which of the places answers */
  InspTable *table;
};

G_DEFINE_FINAL_TYPE (InspKeyFinder, insp_key_finder, GTK_TYPE_WIDGET)

enum
{
  SELECTED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

/* ---- words ---- */

char *
insp_key_location_name (const LdbKeyLocation *location)
{
  g_autofree char *run = g_strdup_printf ("%" G_GUINT64_FORMAT, location->run);
  if (location->in_memory)
    return location->memtable == 0
               ? g_strdup (_ ("Memory table that is written to"))
               : g_strdup_printf (_ ("Full memory table %u"), location->memtable);
  if (location->segment == 0)
    return g_strdup_printf (_ ("Level %u, run %s"), location->level, run);
  g_autofree char *segment = g_strdup_printf ("%" G_GUINT64_FORMAT, location->segment);
  return g_strdup_printf (_ ("Level %u, run %s, segment %s"), location->level, run, segment);
}

static char *
describe_found (const LdbKeyLocation *location)
{
  g_autofree char *size = insp_unit_format (INSP_UNIT_BYTES, (double) location->value_size);
  if (location->kind == LDB_VERSION_DELETE)
    return g_strdup (_ ("It is deleted here."));
  if (location->kind == LDB_VERSION_BLOB)
    /* Translators: the size of a value */
    return g_strdup_printf (_ ("Found: a large value of %s, in a file of its own."), size);
  return g_strdup_printf (_ ("Found: a value of %s."), size);
}

static char *
describe_verdict (const LdbKeyLocation *location)
{
  switch (location->verdict)
    {
    case LDB_LOCATION_OUTSIDE:
      return g_strdup (_ ("Its keys do not reach so far."));
    case LDB_LOCATION_FILTERED:
      return g_strdup (_ ("The filter ruled it out, and nothing was read."));
    case LDB_LOCATION_FOUND:
      return describe_found (location);
    case LDB_LOCATION_FAULT:
      return g_strdup_printf (_ ("It could not be looked at: %s."), location->fault);
    case LDB_LOCATION_ABSENT:
    default:
      return g_strdup (location->filter != LDB_FILTER_NONE
                           ? _ ("It is not there, though the filter did not rule it out.")
                           : _ ("It is not there."));
    }
}

char *
insp_key_location_describe (const LdbKeyLocation *location)
{
  g_autofree char *verdict = describe_verdict (location);
  if (location->range_delete == 0)
    return g_steal_pointer (&verdict);
  g_autofree char *commit = g_strdup_printf ("%" G_GUINT64_FORMAT, location->range_delete);
  /* Translators: a sentence, and the number of a commit */
  return g_strdup_printf (_ ("%s Commit %s deleted a range with it."), verdict, commit);
}

/* ---- asking ---- */

/* The table may be longer than what is seen of it. */
static void
tell_answer (InspKeyFinder *self)
{
  const LdbKeyLocation *place = NULL;
  guint i = 0;
  do
    place = insp_row_list_get (self->places, i++);
  while (place != NULL && !place->decides);
  if (place == NULL)
    {
      gtk_label_set_text (GTK_LABEL (self->answer), i > 1 ? _ ("No place has it.") : "");
      return;
    }
  g_autofree char *name = insp_key_location_name (place);
  g_autofree char *outcome = insp_key_location_describe (place);
  /* Translators: a place where a key is stored, and a sentence about what is there */
  g_autofree char *text = g_strdup_printf (_ ("%s answers. %s"), name, outcome);
  gtk_label_set_text (GTK_LABEL (self->answer), text);
}

static void
clear (InspKeyFinder *self)
{
  g_autoptr (GPtrArray) none = g_ptr_array_new ();
  g_cancellable_cancel (self->cancellable);
  g_clear_object (&self->cancellable);
  insp_row_list_set (self->places, none);
  tell_answer (self);
}

static void
on_located (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (InspKeyFinder) self = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) places
      = ldb_inspector_locate_key_finish (LDB_INSPECTOR (source), result, &error);
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED) || self->box == NULL)
    return;
  if (places != NULL)
    {
      insp_row_list_set (self->places, places);
      tell_answer (self);
      insp_page_reveal (self->box);
    }
  insp_page_tell_from (self, error);
}

static void
locate (InspKeyFinder *self)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) key
      = insp_bytes_unescape (gtk_editable_get_text (GTK_EDITABLE (self->entry)), &error);
  clear (self);
  insp_page_tell_from (self, error);
  if (key == NULL || g_bytes_get_size (key) == 0
      || insp_session_get_state (self->session) != INSP_SESSION_LIVE)
    return;
  self->cancellable = g_cancellable_new ();
  ldb_inspector_locate_key_async (insp_session_get_inspector (self->session), self->store,
                                  g_bytes_get_data (key, NULL), g_bytes_get_size (key),
                                  self->cancellable, on_located, g_object_ref (self));
}

void
insp_key_finder_set_store (InspKeyFinder *self, const char *store)
{
  if (g_strcmp0 (store, self->store) == 0)
    return;
  g_free (self->store);
  self->store = g_strdup (store);
  locate (self);
}

void
insp_key_finder_focus (InspKeyFinder *self)
{
  gtk_widget_grab_focus (self->entry);
}

const LdbKeyLocation *
insp_key_finder_get_selected (InspKeyFinder *self)
{
  return insp_table_get_selected (self->table);
}

static void
on_selected (InspKeyFinder *self)
{
  g_signal_emit (self, signals[SELECTED], 0);
}

/* ---- columns ---- */

static char *
format_name (gconstpointer contents, gpointer data)
{
  return insp_key_location_name (contents);
}

static char *
format_verdict (gconstpointer contents, gpointer data)
{
  return insp_key_location_describe (contents);
}

static char *
format_page (gconstpointer contents, gpointer data)
{
  const LdbKeyLocation *location = contents;
  gboolean read
      = !location->in_memory
        && (location->verdict == LDB_LOCATION_FOUND || location->verdict == LDB_LOCATION_ABSENT);
  return read ? g_strdup_printf ("%" G_GUINT64_FORMAT, location->page) : g_strdup ("–");
}

static char *
format_commit (gconstpointer contents, gpointer data)
{
  guint64 sequence = ((const LdbKeyLocation *) contents)->sequence;
  return sequence > 0 ? g_strdup_printf ("%" G_GUINT64_FORMAT, sequence) : g_strdup ("–");
}

static char *
format_decides (gconstpointer contents, gpointer data)
{
  return g_strdup (((const LdbKeyLocation *) contents)->decides ? _ ("yes") : _ ("no"));
}

/* ---- the object ---- */

static guint64
identity (gconstpointer contents)
{
  const LdbKeyLocation *location = contents;
  return location->in_memory ? location->memtable : location->run + 0x10000;
}

static void
insp_key_finder_dispose (GObject *object)
{
  InspKeyFinder *self = INSP_KEY_FINDER (object);
  g_cancellable_cancel (self->cancellable);
  g_clear_object (&self->cancellable);
  g_clear_pointer (&self->box, gtk_widget_unparent);
  g_clear_object (&self->places);
  g_clear_object (&self->session);
  g_clear_pointer (&self->store, g_free);
  G_OBJECT_CLASS (insp_key_finder_parent_class)->dispose (object);
}

static void
insp_key_finder_class_init (InspKeyFinderClass *class)
{
  G_OBJECT_CLASS (class)->dispose = insp_key_finder_dispose;
  signals[SELECTED] = g_signal_new ("selected", INSP_TYPE_KEY_FINDER, G_SIGNAL_RUN_LAST, 0, NULL,
                                    NULL, NULL, G_TYPE_NONE, 0);
  gtk_widget_class_set_layout_manager_type (GTK_WIDGET_CLASS (class), GTK_TYPE_BIN_LAYOUT);
}

static void
insp_key_finder_init (InspKeyFinder *self)
{
  self->places = insp_row_list_new (identity, (GDestroyNotify) ldb_key_location_free);
  self->entry = gtk_entry_new ();
  g_object_set (self->entry, "placeholder-text", _ ("Where is this key?"), NULL);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->entry), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  _ ("Where is this key?"), -1);
  g_signal_connect_swapped (self->entry, "activate", G_CALLBACK (locate), self);
  self->table = INSP_TABLE (
      insp_table_new (_ ("Places That Are Searched"),
                      _ ("Type a key and press Enter: each place that a search looks at is listed, "
                         "the newest first."),
                      g_object_ref (G_LIST_MODEL (self->places))));
  insp_table_add_column (self->table, _ ("Place"), INSP_TABLE_TEXT, format_name, NULL);
  insp_table_add_column (self->table, _ ("Outcome"), INSP_TABLE_WIDE, format_verdict, NULL);
  insp_table_add_column (self->table, _ ("Page"), INSP_TABLE_NUMBER, format_page, NULL);
  insp_table_add_column (self->table, _ ("Commit"), INSP_TABLE_NUMBER, format_commit, NULL);
  /* Translators: whether what a reader gets follows from this place */
  insp_table_add_column (self->table, _ ("Answers"), INSP_TABLE_TEXT, format_decides, NULL);
  g_signal_connect_object (self->table, "selected", G_CALLBACK (on_selected), self,
                           G_CONNECT_SWAPPED);
  self->box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 6);
  self->answer = gtk_label_new (NULL);
  gtk_label_set_wrap (GTK_LABEL (self->answer), TRUE);
  gtk_label_set_wrap_mode (GTK_LABEL (self->answer), PANGO_WRAP_WORD_CHAR);
  gtk_label_set_xalign (GTK_LABEL (self->answer), 0);
  gtk_box_append (GTK_BOX (self->box), self->entry);
  gtk_box_append (GTK_BOX (self->box), self->answer);
  gtk_box_append (GTK_BOX (self->box), GTK_WIDGET (self->table));
  gtk_widget_set_parent (self->box, GTK_WIDGET (self));
}

GtkWidget *
insp_key_finder_new (InspSession *session)
{
  InspKeyFinder *self = g_object_new (INSP_TYPE_KEY_FINDER, NULL);
  self->session = g_object_ref (session);
  return GTK_WIDGET (self);
}
