/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <glib/gi18n-lib.h>

#include "insp-facts.h"
#include "insp-flow.h"
#include "insp-key-text.h"
#include "insp-lens.h"
#include "insp-tile.h"
#include "insp-unit.h"

#define IN_A_ROW 5u
#define KEY_LENGTH 40 /* characters of a key that are shown */

struct _InspFacts
{
  GtkWidget parent_instance;

  GtkWidget *flow; /* child */
  guint count;     /* of facts that are shown */
};

G_DEFINE_FINAL_TYPE (InspFacts, insp_facts, GTK_TYPE_WIDGET)

/* ---- one fact ---- */

static GtkWidget *
fact_new (void)
{
  GtkWidget *box = g_object_new (GTK_TYPE_BOX, "orientation", GTK_ORIENTATION_VERTICAL,
                                 "accessible-role", GTK_ACCESSIBLE_ROLE_GROUP, NULL);
  for (guint i = 0; i < 2; i++)
    {
      GtkWidget *label = gtk_label_new (NULL);
      gtk_label_set_xalign (GTK_LABEL (label), 0);
      gtk_label_set_ellipsize (GTK_LABEL (label), PANGO_ELLIPSIZE_END);
      gtk_label_set_max_width_chars (GTK_LABEL (label), KEY_LENGTH);
      gtk_widget_add_css_class (label, i == 0 ? "numeric" : "caption");
      if (i == 1)
        gtk_widget_add_css_class (label, "dim-label");
      gtk_box_append (GTK_BOX (box), label);
    }
  return box;
}

/* Takes the text. Boxes stay, so that nothing jumps while figures change. */
static void
say (InspFacts *self, const char *name, char *its_text)
{
  g_autofree char *text = its_text;
  GtkWidget *box = insp_flow_get (self->flow, self->count);
  if (box == NULL)
    insp_flow_add (self->flow, box = fact_new ());
  GtkWidget *figure = gtk_widget_get_first_child (box);
  gtk_label_set_text (GTK_LABEL (figure), text);
  gtk_widget_set_tooltip_text (figure, text);
  gtk_label_set_text (GTK_LABEL (gtk_widget_get_last_child (box)), name);
  gtk_accessible_update_property (GTK_ACCESSIBLE (box), GTK_ACCESSIBLE_PROPERTY_LABEL, name, -1);
  self->count++;
}

static void
end (InspFacts *self)
{
  insp_flow_show_first (self->flow, self->count);
}

static void
say_number (InspFacts *self, const char *name, InspUnit unit, guint64 number)
{
  if (number > 0)
    say (self, name, insp_unit_format (unit, (double) number));
}

static void
say_key (InspFacts *self, const char *name, GBytes *key)
{
  if (key != NULL && g_bytes_get_size (key) > 0)
    say (self, name, insp_key_text_of (key, g_bytes_get_size (key)));
}

/* ---- what is known ---- */

static char *
describe_codecs (const LdbStorageFigures *figures)
{
  const guint64 pages[] = {
    [LDB_PAGE_CODEC_NONE] = figures->raw_pages,
    [LDB_PAGE_CODEC_ZSTD] = figures->zstd_pages,
    [LDB_PAGE_CODEC_LZ4] = figures->lz4_pages,
    [LDB_PAGE_CODEC_SNAPPY] = figures->snappy_pages,
  };
  GString *text = g_string_new (NULL);
  for (guint i = 0; i < G_N_ELEMENTS (pages); i++)
    if (pages[i] > 0)
      g_string_append_printf (text, "%s%s %" G_GUINT64_FORMAT, text->len > 0 ? ", " : "",
                              insp_lens_step_name (INSP_LENS_CODEC, TRUE, i), pages[i]);
  return g_string_free (text, FALSE);
}

static char *
describe_state (LdbStorageState state)
{
  static const struct
  {
    LdbStorageState state;
    const char *words;
  } words[] = {
    { LDB_STORAGE_STATE_MERGING, N_ ("being merged") },
    { LDB_STORAGE_STATE_NARROWED, N_ ("a part was merged elsewhere") },
    { LDB_STORAGE_STATE_FILTER_LOADED, N_ ("filter in memory") },
    { LDB_STORAGE_STATE_APPROXIMATE, N_ ("shared out by bytes") },
    { LDB_STORAGE_STATE_UNSETTLED, N_ ("more may be alive") },
    { LDB_STORAGE_STATE_DROPPED, N_ ("dropped") },
    { LDB_STORAGE_STATE_SYSTEM, N_ ("of the database itself") },
  };
  GString *text = g_string_new (NULL);
  for (guint i = 0; i < G_N_ELEMENTS (words); i++)
    if (state & words[i].state)
      g_string_append_printf (text, "%s%s", text->len > 0 ? ", " : "", _ (words[i].words));
  return g_string_free (text, FALSE);
}

static void
say_pages (InspFacts *self, LdbStorageNode *node, const LdbStorageFigures *figures, gint64 now)
{
  guint64 pages = figures->leaves + figures->inner_pages;
  if (pages == 0)
    return;
  say_number (self, _ ("Leaf pages"), INSP_UNIT_COUNT, figures->leaves);
  say_number (self, _ ("Inner pages"), INSP_UNIT_COUNT, figures->inner_pages);
  say_number (self, _ ("Depth"), INSP_UNIT_COUNT, figures->depth);
  say (self, _ ("Fill"), insp_lens_figure_of (INSP_LENS_FILL, node, now));
  say (self, _ ("Pages by compression"), describe_codecs (figures));
  if (figures->logical_bytes > 0)
    say (self, _ ("Compressed to"),
         insp_unit_format (INSP_UNIT_SHARE,
                           (double) figures->stored_bytes / (double) figures->logical_bytes));
  say (self, _ ("In the cache"), insp_lens_figure_of (INSP_LENS_HEAT, node, now));
  say (self, _ ("Filter, for each key"), insp_lens_figure_of (INSP_LENS_FILTER, node, now));
}

void
insp_facts_show_node (InspFacts *self, LdbStorageNode *node, gint64 now)
{
  self->count = 0;
  if (node != NULL)
    {
      const LdbStorageFigures *figures = ldb_storage_node_get_figures (node);
      say (self, insp_storage_kind_name (ldb_storage_node_get_kind (node)),
           insp_storage_node_name (node));
      say_number (self, _ ("On disk"), INSP_UNIT_BYTES, figures->bytes);
      say_number (self, _ ("In memory"), INSP_UNIT_BYTES, figures->memory_bytes);
      say_number (self, _ ("Records"), INSP_UNIT_COUNT, figures->records);
      say_number (self, _ ("Deletes among them"), INSP_UNIT_COUNT, figures->deletes);
      say_number (self, _ ("Deleted ranges"), INSP_UNIT_COUNT, figures->range_deletes);
      say_number (self, _ ("Keys"), INSP_UNIT_BYTES, figures->key_bytes);
      say_number (self, _ ("Values"), INSP_UNIT_BYTES, figures->value_bytes);
      say_number (self, _ ("Large values"), INSP_UNIT_BYTES, figures->blob_bytes);
      say_pages (self, node, figures, now);
      if (figures->created > 0)
        say (self, _ ("Age"), insp_lens_figure_of (INSP_LENS_AGE, node, now));
      say_number (self, _ ("Newest commit"), INSP_UNIT_COUNT, figures->newest_sequence);
      say_key (self, _ ("First key"), ldb_storage_node_get_smallest (node));
      say_key (self, _ ("Last key"), ldb_storage_node_get_largest (node));
      if (ldb_storage_node_get_state (node) != LDB_STORAGE_STATE_NONE)
        say (self, _ ("State"), describe_state (ldb_storage_node_get_state (node)));
    }
  end (self);
}

void
insp_facts_show_page (InspFacts *self, const LdbPage *page)
{
  self->count = 0;
  if (page != NULL)
    {
      say (self, _ ("Page"), insp_page_name (page));
      say_number (self, _ ("In the file"), INSP_UNIT_BYTES, page->stored_size);
      say_number (self, _ ("Decoded"), INSP_UNIT_BYTES, page->used_size);
      say (self, _ ("Fill"), insp_lens_figure_of_page (INSP_LENS_FILL, page));
      say (self, _ ("Compression"), insp_lens_figure_of_page (INSP_LENS_CODEC, page));
      say (self, _ ("In the cache"), insp_lens_figure_of_page (INSP_LENS_HEAT, page));
      say (self, _ ("Offset in the file"), g_strdup_printf ("%" G_GUINT64_FORMAT, page->offset));
      if (page->is_read)
        say (self, page->level == 0 ? _ ("Records") : _ ("Children"),
             g_strdup_printf ("%u", page->records));
      say_key (self, _ ("First key"), page->key);
      if (page->fault != NULL)
        say (self, _ ("Damage"), g_strdup (page->fault));
    }
  end (self);
}

/* ---- the object ---- */

static void
insp_facts_dispose (GObject *object)
{
  g_clear_pointer (&INSP_FACTS (object)->flow, gtk_widget_unparent);
  G_OBJECT_CLASS (insp_facts_parent_class)->dispose (object);
}

static void
insp_facts_class_init (InspFactsClass *class)
{
  G_OBJECT_CLASS (class)->dispose = insp_facts_dispose;
  gtk_widget_class_set_layout_manager_type (GTK_WIDGET_CLASS (class), GTK_TYPE_BIN_LAYOUT);
}

static void
insp_facts_init (InspFacts *self)
{
  self->flow = insp_flow_new_even (2, IN_A_ROW, 6);
  gtk_widget_set_parent (self->flow, GTK_WIDGET (self));
}

GtkWidget *
insp_facts_new (void)
{
  return g_object_new (INSP_TYPE_FACTS, NULL);
}
