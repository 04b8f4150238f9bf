/* SPDX-License-Identifier: MIT */
/*
 * Invariants
 *   G1  While the page is mapped each database in the registry is inspectable.
 *   G2  `shared` names the databases that are so because of this page, and nothing else keeps them so.
 */
#include "config.h"

#include <glib/gi18n-lib.h>
#include <lightning-db-inspector.h>
#include <unistd.h>

#include "insp-gtk-page.h"

struct _InspGtkPage
{
  GtkWidget parent_instance;

  LdbRegistry *registry;   /* NULL: not mapped yet; owned */
  GPtrArray *shared;       /* G2; weak references, owned */
  GtkWidget *box;          /* child */
  GtkWidget *content;      /* a GtkStack: "none" or "view" */
  GtkDropDown *databases;  /* of LdbRunningDatabase, those of this program */
  LdbInspectorView *view;  /* what is chosen there */
  GtkWidget *open;         /* a button: the full inspector */
  gboolean opened_outside; /* the full inspector was started */
};

G_DEFINE_FINAL_TYPE (InspGtkPage, insp_gtk_page, GTK_TYPE_WIDGET)

enum
{
  PROP_0,
  PROP_TITLE,  /* GTK's inspector asks for it */
  PROP_OBJECT, /* and sets this one: the object that it has selected */
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

/* ---- which databases ---- */

static void
weak_ref_free (gpointer data)
{
  g_weak_ref_clear (data);
  g_free (data);
}

static void
share (InspGtkPage *self, LdbDatabase *database)
{
  if (ldb_database_get_inspectable (database))
    return;
  GWeakRef *reference = g_new0 (GWeakRef, 1);
  g_weak_ref_init (reference, database);
  g_ptr_array_add (self->shared, reference);
  ldb_database_set_inspectable (database, TRUE);
}

static void
withdraw (InspGtkPage *self)
{
  for (guint i = 0; i < self->shared->len; i++)
    {
      g_autoptr (LdbDatabase) database = g_weak_ref_get (self->shared->pdata[i]);
      if (database != NULL)
        ldb_database_set_inspectable (database, FALSE);
    }
  g_ptr_array_set_size (self->shared, 0);
}

static void
on_database_opened (InspGtkPage *self, LdbDatabase *database)
{
  if (gtk_widget_get_mapped (GTK_WIDGET (self)))
    share (self, database);
}

static void
share_all (InspGtkPage *self)
{
  if (self->registry == NULL)
    {
      self->registry = ldb_registry_new ();
      g_signal_connect_object (self->registry, "database-opened", G_CALLBACK (on_database_opened),
                               self, G_CONNECT_SWAPPED);
    }
  g_autoptr (GPtrArray) open = ldb_registry_list (self->registry);
  for (guint i = 0; i < open->len; i++)
    share (self, open->pdata[i]); /* G1 */
}

static gboolean
is_ours (gpointer running, gpointer unused)
{
  return ldb_running_database_get_process_id (running) == (guint) getpid ();
}

static void
on_chosen (InspGtkPage *self)
{
  LdbRunningDatabase *running = gtk_drop_down_get_selected_item (self->databases);
  gtk_stack_set_visible_child_name (GTK_STACK (self->content), running != NULL ? "view" : "none");
  gtk_widget_set_visible (GTK_WIDGET (self->databases), running != NULL);
  gtk_widget_set_visible (self->open, running != NULL);
  if (running != NULL) /* else nothing is seen of the view */
    ldb_inspector_view_set_running_database (self->view, running);
}

/* ---- the full inspector ---- */

static void
on_open (InspGtkPage *self)
{
  LdbRunningDatabase *running = gtk_drop_down_get_selected_item (self->databases);
  const char *arguments[]
      = { INSPECTOR_PROGRAM, running != NULL ? ldb_running_database_get_path (running) : NULL,
          NULL };
  g_autoptr (GError) error = NULL;
  if (running == NULL)
    return;
  if (g_spawn_async (NULL, (char **) arguments, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL,
                     &error))
    self->opened_outside = TRUE;
  else
    {
      GtkWidget *dialog = gtk_message_dialog_new (
          GTK_WINDOW (gtk_widget_get_ancestor (GTK_WIDGET (self), GTK_TYPE_WINDOW)),
          GTK_DIALOG_MODAL | GTK_DIALOG_DESTROY_WITH_PARENT, GTK_MESSAGE_ERROR, GTK_BUTTONS_CLOSE,
          "%s", _ ("The Database Inspector Cannot Be Started"));
      gtk_message_dialog_format_secondary_text (GTK_MESSAGE_DIALOG (dialog), "%s", error->message);
      g_signal_connect (dialog, "response", G_CALLBACK (gtk_window_destroy), NULL);
      gtk_window_present (GTK_WINDOW (dialog));
    }
}

/* ---- the widget ---- */

static void
insp_gtk_page_map (GtkWidget *widget)
{
  GTK_WIDGET_CLASS (insp_gtk_page_parent_class)->map (widget);
  share_all (INSP_GTK_PAGE (widget));
}

static void
insp_gtk_page_unmap (GtkWidget *widget)
{
  InspGtkPage *self = INSP_GTK_PAGE (widget);
  if (!self->opened_outside)
    withdraw (self);
  GTK_WIDGET_CLASS (insp_gtk_page_parent_class)->unmap (widget);
}

static void
insp_gtk_page_get_property (GObject *object, guint property, GValue *value, GParamSpec *spec)
{
  if (property == PROP_TITLE)
    g_value_set_string (value, "Lightning DB");
  else if (property == PROP_OBJECT)
    g_value_set_object (value, NULL);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, property, spec);
}

static void
insp_gtk_page_set_property (GObject *object, guint property, const GValue *value, GParamSpec *spec)
{
  if (property != PROP_OBJECT) /* nothing here depends on what is selected */
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, property, spec);
}

static void
insp_gtk_page_dispose (GObject *object)
{
  InspGtkPage *self = INSP_GTK_PAGE (object);
  if (!self->opened_outside)
    withdraw (self);
  g_clear_object (&self->registry);
  g_clear_pointer (&self->box, gtk_widget_unparent);
  G_OBJECT_CLASS (insp_gtk_page_parent_class)->dispose (object);
}

static void
insp_gtk_page_finalize (GObject *object)
{
  g_ptr_array_unref (INSP_GTK_PAGE (object)->shared);
  G_OBJECT_CLASS (insp_gtk_page_parent_class)->finalize (object);
}

static void
insp_gtk_page_class_init (InspGtkPageClass *class)
{
  GObjectClass *object_class = G_OBJECT_CLASS (class);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (class);
  object_class->get_property = insp_gtk_page_get_property;
  object_class->set_property = insp_gtk_page_set_property;
  object_class->dispose = insp_gtk_page_dispose;
  object_class->finalize = insp_gtk_page_finalize;
  widget_class->map = insp_gtk_page_map;
  widget_class->unmap = insp_gtk_page_unmap;
  properties[PROP_TITLE]
      = g_param_spec_string ("title", NULL, NULL, NULL, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  properties[PROP_OBJECT] = g_param_spec_object ("object", NULL, NULL, G_TYPE_OBJECT,
                                                 G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPS, properties);
  gtk_widget_class_set_layout_manager_type (widget_class, GTK_TYPE_BIN_LAYOUT);
}

static GtkWidget *
make_none (void)
{
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 12);
  GtkWidget *heading = gtk_label_new (_ ("No Database Open"));
  GtkWidget *text = gtk_label_new (_ ("What this program opens with Lightning DB appears here."));
  gtk_widget_set_valign (box, GTK_ALIGN_CENTER);
  gtk_widget_add_css_class (heading, "title-2");
  gtk_widget_add_css_class (text, "dim-label");
  gtk_label_set_wrap (GTK_LABEL (text), TRUE);
  gtk_box_append (GTK_BOX (box), heading);
  gtk_box_append (GTK_BOX (box), text);
  return box;
}

/* The databases of this program, by their folders. */
static GtkWidget *
make_databases (void)
{
  GListModel *all = G_LIST_MODEL (ldb_running_list_new ());
  GtkFilter *filter = GTK_FILTER (gtk_custom_filter_new (is_ours, NULL, NULL));
  GtkWidget *databases
      = gtk_drop_down_new (G_LIST_MODEL (gtk_filter_list_model_new (all, filter)),
                           gtk_property_expression_new (LDB_TYPE_RUNNING_DATABASE, NULL, "path"));
  gtk_accessible_update_property (GTK_ACCESSIBLE (databases), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  _ ("Database"), -1);
  gtk_widget_set_hexpand (databases, TRUE);
  return databases;
}

static void
insp_gtk_page_init (InspGtkPage *self)
{
  GtkWidget *bar = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 6);
  self->shared = g_ptr_array_new_with_free_func (weak_ref_free);
  self->databases = GTK_DROP_DOWN (make_databases ());
  self->open = gtk_button_new_with_mnemonic (_ ("Open in _Database Inspector"));
  self->view = LDB_INSPECTOR_VIEW (ldb_inspector_view_new ());
  self->content = gtk_stack_new ();
  self->box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 0);
  gtk_widget_add_css_class (bar, "toolbar");
  gtk_widget_set_vexpand (self->content, TRUE);
  gtk_box_append (GTK_BOX (bar), GTK_WIDGET (self->databases));
  gtk_box_append (GTK_BOX (bar), self->open);
  gtk_stack_add_named (GTK_STACK (self->content), make_none (), "none");
  gtk_stack_add_named (GTK_STACK (self->content), GTK_WIDGET (self->view), "view");
  gtk_box_append (GTK_BOX (self->box), bar);
  gtk_box_append (GTK_BOX (self->box), self->content);
  gtk_widget_set_parent (self->box, GTK_WIDGET (self));
  g_signal_connect_object (self->databases, "notify::selected-item", G_CALLBACK (on_chosen), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (self->open, "clicked", G_CALLBACK (on_open), self, G_CONNECT_SWAPPED);
  on_chosen (self);
}
