/* SPDX-License-Identifier: MIT */
/*
 * Invariants
 *   O1  While the window is mapped its database is inspectable.
 *   O2  `shares` exactly while it is so because of this window.
 */
#include "config.h"

#include <glib/gi18n-lib.h>

#include "insp-status.h"
#include "ldb-inspector-window.h"

#define DEFAULT_WIDTH 980 /* pixels; likewise below */
#define DEFAULT_HEIGHT 680

/**
 * LdbInspectorWindow:
 *
 * A window that shows what a database of this program does: what an application opens for a menu entry
 * “Diagnostics”. It has a [class@LdbInspector.View].
 *
 * While it can be seen the database is shared with other programs of the same user
 * ([property@Ldb.Database:inspectable]), since that is the way in; one that was not shared before is not
 * shared any more when the window is closed or hidden.
 *
 * Keys: Alt and a number shows a page, Space pauses.
 *
 * ```c
 * GtkWidget *window = ldb_inspector_window_new (database);
 * gtk_window_present (GTK_WINDOW (window));
 * ```
 *
 * Threads: GTK's.
 *
 * Since: 0.1
 */
struct _LdbInspectorWindow
{
  GtkWindow parent_instance;

  LdbDatabase *database;  /* owned */
  LdbRunningList *list;   /* where it appears once it is shared; NULL: not mapped yet; owned */
  gboolean shares;        /* O2 */
  GtkWidget *content;     /* a GtkStack of the two below */
  InspStatus *status;     /* what is said until there is something to show */
  LdbInspectorView *view; /* what the database does */
};

G_DEFINE_FINAL_TYPE (LdbInspectorWindow, ldb_inspector_window, GTK_TYPE_WINDOW)

enum
{
  PROP_0,
  PROP_DATABASE,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

/* ---- the way in ---- */

/* Of one that was closed, what was seen stays. */
static void
review (LdbInspectorWindow *self)
{
  g_autoptr (LdbRunningDatabase) running
      = ldb_running_list_find_database (self->list, self->database);
  if (running == NULL)
    return;
  ldb_inspector_view_set_running_database (self->view, running);
  gtk_stack_set_visible_child (GTK_STACK (self->content), GTK_WIDGET (self->view));
}

/* Whether others can find what is shared; else it is said why not. */
static gboolean
can_share (LdbInspectorWindow *self)
{
  g_autoptr (GError) error = NULL;
  if (ldb_running_list_check_folder (self->list, &error))
    return TRUE;
  insp_status_say (self->status, "network-offline-symbolic", _ ("No Connection"), error->message);
  return FALSE;
}

static void
share (LdbInspectorWindow *self)
{
  if (self->list == NULL)
    {
      self->list = ldb_running_list_new ();
      g_signal_connect_object (self->list, "items-changed", G_CALLBACK (review), self,
                               G_CONNECT_SWAPPED);
    }
  if (!can_share (self))
    return;
  if (!ldb_database_get_inspectable (self->database)) /* O1 */
    {
      self->shares = TRUE;
      ldb_database_set_inspectable (self->database, TRUE);
    }
  review (self);
}

static void
withdraw (LdbInspectorWindow *self)
{
  if (self->shares)
    ldb_database_set_inspectable (self->database, FALSE);
  self->shares = FALSE; /* O2 */
}

/* ---- the window ---- */

static void
ldb_inspector_window_map (GtkWidget *widget)
{
  GTK_WIDGET_CLASS (ldb_inspector_window_parent_class)->map (widget);
  share (LDB_INSPECTOR_WINDOW (widget));
}

static void
ldb_inspector_window_unmap (GtkWidget *widget)
{
  withdraw (LDB_INSPECTOR_WINDOW (widget));
  GTK_WIDGET_CLASS (ldb_inspector_window_parent_class)->unmap (widget);
}

static void
ldb_inspector_window_get_property (GObject *object, guint property, GValue *value, GParamSpec *spec)
{
  if (property == PROP_DATABASE)
    g_value_set_object (value, LDB_INSPECTOR_WINDOW (object)->database);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, property, spec);
}

static void
ldb_inspector_window_set_property (GObject *object, guint property, const GValue *value,
                                   GParamSpec *spec)
{
  if (property == PROP_DATABASE)
    LDB_INSPECTOR_WINDOW (object)->database = g_value_dup_object (value);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, property, spec);
}

static void
ldb_inspector_window_constructed (GObject *object)
{
  LdbInspectorWindow *self = LDB_INSPECTOR_WINDOW (object);
  G_OBJECT_CLASS (ldb_inspector_window_parent_class)->constructed (object);
  g_autofree char *name = g_filename_display_basename (ldb_database_get_path (self->database));
  /* Translators: the title of a window; %s is the name of a database's folder */
  g_autofree char *title = g_strdup_printf (_ ("Diagnostics: %s"), name);
  gtk_window_set_title (GTK_WINDOW (self), title);
}

static void
ldb_inspector_window_dispose (GObject *object)
{
  LdbInspectorWindow *self = LDB_INSPECTOR_WINDOW (object);
  G_OBJECT_CLASS (ldb_inspector_window_parent_class)->dispose (object); /* unmaps */
  g_clear_object (&self->list);
}

static void
ldb_inspector_window_finalize (GObject *object)
{
  g_clear_object (&LDB_INSPECTOR_WINDOW (object)->database);
  G_OBJECT_CLASS (ldb_inspector_window_parent_class)->finalize (object);
}

/* ---- keys ---- */

static gboolean
on_page_key (GtkWidget *widget, GVariant *index, gpointer data)
{
  LdbInspectorView *view = LDB_INSPECTOR_WINDOW (widget)->view;
  g_autoptr (GtkSelectionModel) pages = ldb_inspector_view_get_pages (view);
  g_autoptr (GObject) page
      = g_list_model_get_item (G_LIST_MODEL (pages), g_variant_get_uint32 (index));
  if (page == NULL || !gtk_stack_page_get_visible (GTK_STACK_PAGE (page)))
    return GDK_EVENT_PROPAGATE;
  gtk_selection_model_select_item (pages, g_variant_get_uint32 (index), TRUE);
  return GDK_EVENT_STOP;
}

static gboolean
on_pause_key (GtkWidget *widget, GVariant *arguments, gpointer data)
{
  LdbInspectorView *view = LDB_INSPECTOR_WINDOW (widget)->view;
  ldb_inspector_view_set_paused (view, !ldb_inspector_view_get_paused (view));
  return GDK_EVENT_STOP;
}

static void
add_key (GtkEventController *keys, guint key, GdkModifierType modifiers, GtkShortcutFunc callback,
         GVariant *argument)
{
  GtkShortcut *shortcut = gtk_shortcut_new (gtk_keyval_trigger_new (key, modifiers),
                                            gtk_callback_action_new (callback, NULL, NULL));
  gtk_shortcut_set_arguments (shortcut, argument);
  gtk_shortcut_controller_add_shortcut (GTK_SHORTCUT_CONTROLLER (keys), shortcut);
}

/* Before the window's own, of which Space is one. */
static void
add_keys (LdbInspectorWindow *self)
{
  GtkEventController *keys = gtk_shortcut_controller_new ();
  for (guint32 i = 0; i < 10; i++)
    add_key (keys, GDK_KEY_0 + (i + 1) % 10, GDK_ALT_MASK, on_page_key, g_variant_new_uint32 (i));
  add_key (keys, GDK_KEY_space, 0, on_pause_key, NULL);
  gtk_widget_add_controller (GTK_WIDGET (self), keys);
}

/* ---- the object ---- */

static void
ldb_inspector_window_class_init (LdbInspectorWindowClass *class)
{
  GObjectClass *object_class = G_OBJECT_CLASS (class);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (class);
  object_class->get_property = ldb_inspector_window_get_property;
  object_class->set_property = ldb_inspector_window_set_property;
  object_class->constructed = ldb_inspector_window_constructed;
  object_class->dispose = ldb_inspector_window_dispose;
  object_class->finalize = ldb_inspector_window_finalize;
  widget_class->map = ldb_inspector_window_map;
  widget_class->unmap = ldb_inspector_window_unmap;
  /**
   * LdbInspectorWindow:database:
   *
   * What is shown.
   *
   * Since: 0.1
   */
  properties[PROP_DATABASE]
      = g_param_spec_object ("database", NULL, NULL, LDB_TYPE_DATABASE,
                             G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPS, properties);
}

static GtkWidget *
make_pause_button (LdbInspectorWindow *self)
{
  GtkWidget *button = gtk_toggle_button_new ();
  gtk_button_set_icon_name (GTK_BUTTON (button), "media-playback-pause-symbolic");
  gtk_widget_set_tooltip_text (button, _ ("Pause"));
  gtk_accessible_update_property (GTK_ACCESSIBLE (button), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  _ ("Pause"), -1);
  g_object_bind_property (self->view, "paused", button, "active",
                          G_BINDING_BIDIRECTIONAL | G_BINDING_SYNC_CREATE);
  return button;
}

static void
ldb_inspector_window_init (LdbInspectorWindow *self)
{
  GtkWidget *bar = gtk_header_bar_new ();
  self->view = LDB_INSPECTOR_VIEW (ldb_inspector_view_new ());
  self->status = INSP_STATUS (insp_status_new (NULL, "", ""));
  insp_status_wait (self->status, _ ("Connecting"),
                    _ ("The application is asked for its database."));
  self->content = gtk_stack_new ();
  gtk_stack_add_child (GTK_STACK (self->content), GTK_WIDGET (self->status));
  gtk_stack_add_child (GTK_STACK (self->content), GTK_WIDGET (self->view));
  gtk_header_bar_pack_end (GTK_HEADER_BAR (bar), make_pause_button (self));
  gtk_window_set_titlebar (GTK_WINDOW (self), bar);
  gtk_window_set_child (GTK_WINDOW (self), self->content);
  gtk_window_set_default_size (GTK_WINDOW (self), DEFAULT_WIDTH, DEFAULT_HEIGHT);
  add_keys (self);
}

/**
 * ldb_inspector_window_new:
 * @database: an open database
 *
 * Makes a window that shows what a database of this program does.
 *
 * Returns: (transfer none): the window; GTK owns it, like every toplevel
 *
 * Since: 0.1
 */
GtkWidget *
ldb_inspector_window_new (LdbDatabase *database)
{
  g_return_val_if_fail (LDB_IS_DATABASE (database), NULL);
  return g_object_new (LDB_TYPE_INSPECTOR_WINDOW, "database", database, NULL);
}

/**
 * ldb_inspector_window_get_database:
 * @self: a window
 *
 * Gets [property@LdbInspector.Window:database].
 *
 * Returns: (transfer none): the database
 *
 * Since: 0.1
 */
LdbDatabase *
ldb_inspector_window_get_database (LdbInspectorWindow *self)
{
  g_return_val_if_fail (LDB_IS_INSPECTOR_WINDOW (self), NULL);
  return self->database;
}

/**
 * ldb_inspector_window_get_view:
 * @self: a window
 *
 * Gets its view, of which for example some pages can be left out.
 *
 * Returns: (transfer none): the view
 *
 * Since: 0.1
 */
LdbInspectorView *
ldb_inspector_window_get_view (LdbInspectorWindow *self)
{
  g_return_val_if_fail (LDB_IS_INSPECTOR_WINDOW (self), NULL);
  return self->view;
}
