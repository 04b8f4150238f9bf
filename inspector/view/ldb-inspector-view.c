/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <glib/gi18n-lib.h>

#include "insp-focus-keeper.h"
#include "insp-pages.h"
#include "insp-palette.h"
#include "insp-scratch.h"
#include "ldb-inspector-view-private.h"

/**
 * LdbInspectorView:
 *
 * Shows what a database does, live: one that an application shares
 * ([property@Ldb.Database:inspectable]), this one or another.
 *
 * It looks four times a second while it can be seen, and not at all while it cannot, its window is
 * minimized, or it is [property@LdbInspector.View:paused]. When the database is closed, what was seen stays.
 *
 * Threads: GTK's.
 *
 * Since: 0.1
 */
struct _LdbInspectorView
{
  GtkWidget parent_instance;

  InspSession *session; /* NULL: of no database; owned */
  GtkWidget *box;       /* child */
  GtkWidget *sidebar;   /* a GtkListBox of the pages */
  GtkWidget *pages;     /* a GtkStack */
  GtkWidget *notice;    /* a GtkRevealer: ended, or no counters … */
  GtkWidget *notice_text;
  GdkSurface *surface; /* of its window, while it is mapped; NULL: it is not; owned */
  guint ticking;       /* source that counts the seconds since the end; 0: none */
  guint contrasting;   /* source that looks whether the theme is one of high contrast; 0: none */
  gboolean paused;     /* it does not look, though it can be seen */
  gboolean show_memory_map; /* the page is there; likewise below */
  gboolean change_stream_graph;
};

G_DEFINE_FINAL_TYPE (LdbInspectorView, ldb_inspector_view, GTK_TYPE_WIDGET)

enum
{
  PROP_0,
  PROP_RUNNING_DATABASE,
  PROP_DATABASE,
  PROP_PAUSED,
  PROP_SHOW_SIDEBAR,
  PROP_SHOW_MEMORY_MAP,
  PROP_CHANGE_STREAM_GRAPH,
  PROP_TITLE,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

/* ---- the state of the session ---- */

/* GTK 4.12 has GDK_TOPLEVEL_STATE_SUSPENDED: the compositor says that nobody sees the window. */
#define HIDDEN_STATES (GDK_TOPLEVEL_STATE_MINIMIZED | (GdkToplevelState) (1 << 16))

/* Whether it is shown, and its window too, as far as GTK knows. */
static gboolean
can_be_seen (LdbInspectorView *self)
{
  if (!GDK_IS_TOPLEVEL (self->surface))
    return self->surface != NULL;
  return (gdk_toplevel_get_state (GDK_TOPLEVEL (self->surface)) & HIDDEN_STATES) == 0;
}

static void
notify_with (LdbInspectorView *self, const char *text)
{
  gtk_label_set_text (GTK_LABEL (self->notice_text), text != NULL ? text : "");
  gtk_revealer_set_reveal_child (GTK_REVEALER (self->notice), text != NULL);
}

/* Ended so long ago. It comes again when that changes. */
static gboolean
tell_end (gpointer data)
{
  LdbInspectorView *self = data;
  gint64 ago = (g_get_monotonic_time () - insp_session_get_ended (self->session)) / G_USEC_PER_SEC;
  g_autofree char *text = NULL;
  if (ago < 120)
    text = g_strdup_printf (g_dngettext (GETTEXT_PACKAGE,
                                         "The database was closed %d second ago. This is what was "
                                         "seen last.",
                                         "The database was closed %d seconds ago. This is what was "
                                         "seen last.",
                                         (gulong) ago),
                            (int) ago);
  else
    text = g_strdup_printf (g_dngettext (GETTEXT_PACKAGE,
                                         "The database was closed %d minute ago. This is what was "
                                         "seen last.",
                                         "The database was closed %d minutes ago. This is what was "
                                         "seen last.",
                                         (gulong) (ago / 60)),
                            (int) (ago / 60));
  notify_with (self, text);
  self->ticking = g_timeout_add_seconds (ago < 120 ? 1 : 60 - (guint) (ago % 60), tell_end, self);
  return G_SOURCE_REMOVE;
}

static void
review_ticking (LdbInspectorView *self)
{
  gboolean ended
      = self->session != NULL && insp_session_get_state (self->session) == INSP_SESSION_ENDED;
  g_clear_handle_id (&self->ticking, g_source_remove);
  if (ended && can_be_seen (self))
    tell_end (self);
}

static void
review_looking (LdbInspectorView *self)
{
  if (self->session != NULL)
    insp_session_set_looking (self->session, can_be_seen (self) && !self->paused);
  review_ticking (self);
}

static char *
remark_on_recording (LdbInspectorView *self)
{
  g_autoptr (GDateTime) saved = g_date_time_new_from_unix_local (
      insp_session_get_recorded (self->session) / G_USEC_PER_SEC);
  g_autofree char *when = saved != NULL ? g_date_time_format (saved, "%c") : NULL;
  /* Translators: %s is a date and time, as the locale has it. */
  return g_strdup_printf (_ ("This is a recording. It ends on %s."), when != NULL ? when : "–");
}

/* What there is to say of a session that has not ended; NULL: nothing. Free it. */
static char *
remark (LdbInspectorView *self, InspSessionState state)
{
  if (state == INSP_SESSION_FAILED)
    return g_strdup (insp_session_get_error (self->session));
  if (state == INSP_SESSION_RECORDED)
    return remark_on_recording (self);
  if (state == INSP_SESSION_LIVE && !insp_session_has_counters (self->session))
    return g_strdup (
        _ ("The application shares no counters, so it is asked for figures: its database was "
           "opened before it was to be inspected, or the user's runtime directory is not in "
           "memory."));
  return NULL;
}

static void
review_state (LdbInspectorView *self)
{
  InspSessionState state
      = self->session != NULL ? insp_session_get_state (self->session) : INSP_SESSION_CONNECTING;
  gboolean ended = state == INSP_SESSION_ENDED;
  review_ticking (self);
  if (ended)
    gtk_widget_add_css_class (self->pages, "insp-ended");
  else
    {
      g_autofree char *text = remark (self, state);
      notify_with (self, text);
      gtk_widget_remove_css_class (self->pages, "insp-ended");
    }
}

/* ---- pages ---- */

static void
drop_pages (LdbInspectorView *self)
{
  GtkWidget *page;
  while ((page = gtk_widget_get_first_child (self->pages)) != NULL)
    gtk_stack_remove (GTK_STACK (self->pages), page);
}

/* NULL: nothing is shown, so there is none. */
static GtkStackPage *
find_page (LdbInspectorView *self, const char *name)
{
  GtkWidget *child = gtk_stack_get_child_by_name (GTK_STACK (self->pages), name);
  return child != NULL ? gtk_stack_get_page (GTK_STACK (self->pages), child) : NULL;
}

/* Pages that the application leaves out are there, and not visible. */
static void
review_pages (LdbInspectorView *self)
{
  if (self->session == NULL)
    return;
  gtk_stack_page_set_visible (find_page (self, "memory"), self->show_memory_map);
  gtk_stack_page_set_visible (find_page (self, "changes"), self->change_stream_graph);
}

static void
set_page_shown (LdbInspectorView *self, gboolean *is_shown, gboolean shown, guint property)
{
  shown = shown != FALSE;
  if (*is_shown == shown)
    return;
  *is_shown = shown;
  review_pages (self);
  g_object_notify_by_pspec (G_OBJECT (self), properties[property]);
}

static GtkWidget *
make_page_row (gpointer item, gpointer data)
{
  GtkWidget *row = gtk_list_box_row_new ();
  GtkWidget *line = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 12);
  GtkWidget *icon = gtk_image_new (), *title = gtk_label_new (NULL);
  g_object_bind_property (item, "icon-name", icon, "icon-name", G_BINDING_SYNC_CREATE);
  g_object_bind_property (item, "title", title, "label", G_BINDING_SYNC_CREATE);
  g_object_bind_property (item, "visible", row, "visible", G_BINDING_SYNC_CREATE);
  gtk_label_set_xalign (GTK_LABEL (title), 0);
  gtk_box_append (GTK_BOX (line), icon);
  gtk_box_append (GTK_BOX (line), title);
  gtk_list_box_row_set_child (GTK_LIST_BOX_ROW (row), line);
  return row;
}

static void
on_page_row (GtkSelectionModel *pages, GtkListBoxRow *row)
{
  gtk_selection_model_select_item (pages, (guint) gtk_list_box_row_get_index (row), TRUE);
}

static void
mark_page (GtkListBox *list, guint position, guint count, GtkSelectionModel *pages)
{
  for (guint i = 0; i < g_list_model_get_n_items (G_LIST_MODEL (pages)); i++)
    if (gtk_selection_model_is_selected (pages, i))
      gtk_list_box_select_row (list, gtk_list_box_get_row_at_index (list, (int) i));
}

static void
leave_session (LdbInspectorView *self)
{
  if (self->session == NULL)
    return;
  g_clear_handle_id (&self->ticking, g_source_remove);
  g_signal_handlers_disconnect_by_data (self->session, self);
  drop_pages (self);
  insp_session_close (self->session);
  g_clear_object (&self->session);
}

static gboolean
is_recorded (LdbInspectorView *self)
{
  return self->session != NULL && insp_session_get_state (self->session) == INSP_SESSION_RECORDED;
}

InspSession *
insp_view_get_session (LdbInspectorView *self)
{
  return self->session;
}

static guint
get_page (LdbInspectorView *self)
{
  g_autoptr (GtkSelectionModel) pages = ldb_inspector_view_get_pages (self);
  g_autoptr (GtkBitset) selected = gtk_selection_model_get_selection (pages);
  return gtk_bitset_is_empty (selected) ? 0 : gtk_bitset_get_minimum (selected);
}

/* Its handle writes from now on, and is shared anew: the same page of the same database. */
static void
on_moved (LdbInspectorView *self, LdbRunningDatabase *running)
{
  guint page = get_page (self);
  g_autoptr (LdbDatabase) database = g_object_ref (insp_session_get_database (self->session));
  g_autoptr (InspSession) session = insp_session_new (running);
  insp_session_set_database (session, database);
  insp_session_set_edits_agreed (session, TRUE);
  insp_view_show (self, session);
  g_autoptr (GtkSelectionModel) pages = ldb_inspector_view_get_pages (self);
  gtk_selection_model_select_item (pages, page, TRUE);
}

void
insp_view_show (LdbInspectorView *self, InspSession *session)
{
  leave_session (self);
  if (session != NULL)
    {
      self->session = g_object_ref (session);
      g_signal_connect_object (session, "notify::state", G_CALLBACK (review_state), self,
                               G_CONNECT_SWAPPED);
      g_signal_connect_object (session, "moved", G_CALLBACK (on_moved), self, G_CONNECT_SWAPPED);
      insp_pages_add (GTK_STACK (self->pages), session);
      review_pages (self);
    }
  review_state (self);
  review_looking (self);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_RUNNING_DATABASE]);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_DATABASE]);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_TITLE]);
}

/* ---- the widget ---- */

/* Once for each display: GTK's own inspector, for example, has one of its own. */
static void
load_style (GdkDisplay *display)
{
  if (g_object_get_data (G_OBJECT (display), "insp-style") != NULL)
    return;
  g_autoptr (GtkCssProvider) provider = gtk_css_provider_new ();
  gtk_css_provider_load_from_resource (provider, "/org/lightningdb/InspectorView/style.css");
  gtk_icon_theme_add_resource_path (gtk_icon_theme_get_for_display (display),
                                    "/org/lightningdb/InspectorView/icons");
  gtk_style_context_add_provider_for_display (display, GTK_STYLE_PROVIDER (provider),
                                              GTK_STYLE_PROVIDER_PRIORITY_APPLICATION - 1);
  g_object_set_data (G_OBJECT (display), "insp-style", GINT_TO_POINTER (TRUE));
}

static gboolean
review_contrast (gpointer view)
{
  LdbInspectorView *self = view;
  self->contrasting = 0;
  if (insp_palette_is_high_contrast (view))
    gtk_widget_add_css_class (view, "insp-high-contrast");
  else
    gtk_widget_remove_css_class (view, "insp-high-contrast");
  return G_SOURCE_REMOVE;
}

/* It has another style with each theme: style.css sees to that. Not while styles are being found. */
static void
ldb_inspector_view_css_changed (GtkWidget *widget, GtkCssStyleChange *change)
{
  LdbInspectorView *self = LDB_INSPECTOR_VIEW (widget);
  GTK_WIDGET_CLASS (ldb_inspector_view_parent_class)->css_changed (widget, change);
  if (self->contrasting == 0 && self->box != NULL)
    self->contrasting = g_idle_add_full (G_PRIORITY_HIGH_IDLE, review_contrast, self, NULL);
}

static void
ldb_inspector_view_root (GtkWidget *widget)
{
  load_style (gtk_widget_get_display (widget));
  GTK_WIDGET_CLASS (ldb_inspector_view_parent_class)->root (widget);
  insp_keep_focused (gtk_widget_get_root (widget));
}

static void
ldb_inspector_view_map (GtkWidget *widget)
{
  LdbInspectorView *self = LDB_INSPECTOR_VIEW (widget);
  GTK_WIDGET_CLASS (ldb_inspector_view_parent_class)->map (widget);
  self->surface = g_object_ref (gtk_native_get_surface (gtk_widget_get_native (widget)));
  if (GDK_IS_TOPLEVEL (self->surface))
    g_signal_connect_object (self->surface, "notify::state", G_CALLBACK (review_looking), self,
                             G_CONNECT_SWAPPED);
  review_looking (self);
}

static void
ldb_inspector_view_unmap (GtkWidget *widget)
{
  LdbInspectorView *self = LDB_INSPECTOR_VIEW (widget);
  GTK_WIDGET_CLASS (ldb_inspector_view_parent_class)->unmap (widget);
  g_signal_handlers_disconnect_by_data (self->surface, self);
  g_clear_object (&self->surface);
  review_looking (self);
}

static void
ldb_inspector_view_get_property (GObject *object, guint property, GValue *value, GParamSpec *spec)
{
  LdbInspectorView *self = LDB_INSPECTOR_VIEW (object);
  switch (property)
    {
    case PROP_RUNNING_DATABASE:
      g_value_set_object (value, ldb_inspector_view_get_running_database (self));
      break;
    case PROP_DATABASE:
      g_value_set_object (value, ldb_inspector_view_get_database (self));
      break;
    case PROP_PAUSED:
      g_value_set_boolean (value, self->paused);
      break;
    case PROP_SHOW_SIDEBAR:
      g_value_set_boolean (value, ldb_inspector_view_get_show_sidebar (self));
      break;
    case PROP_SHOW_MEMORY_MAP:
      g_value_set_boolean (value, self->show_memory_map);
      break;
    case PROP_CHANGE_STREAM_GRAPH:
      g_value_set_boolean (value, self->change_stream_graph);
      break;
    case PROP_TITLE:
      g_value_set_string (value, ldb_inspector_view_get_title (self));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, property, spec);
    }
}

static void
ldb_inspector_view_set_property (GObject *object, guint property, const GValue *value,
                                 GParamSpec *spec)
{
  LdbInspectorView *self = LDB_INSPECTOR_VIEW (object);
  switch (property)
    {
    case PROP_RUNNING_DATABASE:
      ldb_inspector_view_set_running_database (self, g_value_get_object (value));
      break;
    case PROP_DATABASE:
      ldb_inspector_view_set_database (self, g_value_get_object (value));
      break;
    case PROP_PAUSED:
      ldb_inspector_view_set_paused (self, g_value_get_boolean (value));
      break;
    case PROP_SHOW_SIDEBAR:
      ldb_inspector_view_set_show_sidebar (self, g_value_get_boolean (value));
      break;
    case PROP_SHOW_MEMORY_MAP:
      ldb_inspector_view_set_show_memory_map (self, g_value_get_boolean (value));
      break;
    case PROP_CHANGE_STREAM_GRAPH:
      ldb_inspector_view_set_change_stream_graph (self, g_value_get_boolean (value));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, property, spec);
    }
}

/* For what is on a page, and says more on another one. */
static void
show_page (GtkWidget *widget, const char *action, GVariant *name)
{
  LdbInspectorView *self = LDB_INSPECTOR_VIEW (widget);
  GtkStackPage *page = find_page (self, g_variant_get_string (name, NULL));
  if (page != NULL && gtk_stack_page_get_visible (page))
    gtk_stack_set_visible_child (GTK_STACK (self->pages), gtk_stack_page_get_child (page));
}

static void
ldb_inspector_view_dispose (GObject *object)
{
  LdbInspectorView *self = LDB_INSPECTOR_VIEW (object);
  if (self->box != NULL)
    leave_session (self);
  g_clear_handle_id (&self->contrasting, g_source_remove);
  g_clear_pointer (&self->box, gtk_widget_unparent);
  G_OBJECT_CLASS (ldb_inspector_view_parent_class)->dispose (object);
}

static void
ldb_inspector_view_class_init (LdbInspectorViewClass *class)
{
  GObjectClass *object_class = G_OBJECT_CLASS (class);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (class);
  object_class->get_property = ldb_inspector_view_get_property;
  object_class->set_property = ldb_inspector_view_set_property;
  object_class->dispose = ldb_inspector_view_dispose;
  widget_class->css_changed = ldb_inspector_view_css_changed;
  widget_class->root = ldb_inspector_view_root;
  widget_class->map = ldb_inspector_view_map;
  widget_class->unmap = ldb_inspector_view_unmap;
  /**
   * LdbInspectorView:running-database:
   *
   * What is shown; %NULL: nothing.
   *
   * Since: 0.1
   */
  properties[PROP_RUNNING_DATABASE]
      = g_param_spec_object ("running-database", NULL, NULL, LDB_TYPE_RUNNING_DATABASE,
                             G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY);
  /**
   * LdbInspectorView:database:
   *
   * The handle behind [property@LdbInspector.View:running-database], if this program opened it for the
   * view alone, to be read only. When the user allows edits and has read what that means, it is made to
   * write ([method@Ldb.Database.take_over]) and to allow inspectors control
   * ([property@Ldb.Database:control-allowed]). Without it the view changes no handle. It is %NULL
   * again when another running database is shown.
   *
   * Since: 0.1
   */
  properties[PROP_DATABASE]
      = g_param_spec_object ("database", NULL, NULL, LDB_TYPE_DATABASE,
                             G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY);
  /**
   * LdbInspectorView:paused:
   *
   * Whether it stands still.
   *
   * Since: 0.1
   */
  properties[PROP_PAUSED]
      = g_param_spec_boolean ("paused", NULL, NULL, FALSE,
                              G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY);
  /**
   * LdbInspectorView:show-sidebar:
   *
   * Whether its pages are listed beside them. An application may show
   * [method@LdbInspector.View.get_pages] in its own way.
   *
   * Since: 0.1
   */
  properties[PROP_SHOW_SIDEBAR]
      = g_param_spec_boolean ("show-sidebar", NULL, NULL, TRUE,
                              G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY);
  /**
   * LdbInspectorView:show-memory-map:
   *
   * Whether the page “Memory” is among the pages: the budget and what it is used for.
   *
   * Since: 0.1
   */
  properties[PROP_SHOW_MEMORY_MAP]
      = g_param_spec_boolean ("show-memory-map", NULL, NULL, TRUE,
                              G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY);
  /**
   * LdbInspectorView:change-stream-graph:
   *
   * Whether the page “Changes” is among the pages: what is committed, with keys and values, and how soon
   * those who watch are told.
   *
   * Since: 0.1
   */
  properties[PROP_CHANGE_STREAM_GRAPH]
      = g_param_spec_boolean ("change-stream-graph", NULL, NULL, TRUE,
                              G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY);
  /**
   * LdbInspectorView:title:
   *
   * The program whose database is shown.
   *
   * Since: 0.1
   */
  properties[PROP_TITLE]
      = g_param_spec_string ("title", NULL, NULL, NULL,
                             G_PARAM_READABLE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY);
  g_object_class_install_properties (object_class, N_PROPS, properties);
  gtk_widget_class_set_layout_manager_type (widget_class, GTK_TYPE_BIN_LAYOUT);
  gtk_widget_class_install_action (widget_class, "inspector-view.show-page", "s", show_page);
  gtk_widget_class_set_css_name (widget_class, "ldb-inspector-view");
}

static void
make_notice (LdbInspectorView *self)
{
  self->notice_text = gtk_label_new (NULL);
  gtk_label_set_wrap (GTK_LABEL (self->notice_text), TRUE);
  gtk_widget_add_css_class (self->notice_text, "insp-notice");
  self->notice = gtk_revealer_new ();
  gtk_revealer_set_child (GTK_REVEALER (self->notice), self->notice_text);
}

static void
ldb_inspector_view_init (LdbInspectorView *self)
{
  GtkWidget *content = gtk_box_new (GTK_ORIENTATION_VERTICAL, 0);
  self->show_memory_map = self->change_stream_graph = TRUE;
  insp_scratch_sweep_once ();
  make_notice (self);
  self->pages = gtk_stack_new ();
  gtk_widget_set_hexpand (self->pages, TRUE);
  gtk_widget_set_vexpand (self->pages, TRUE);
  self->sidebar = ldb_inspector_view_new_sidebar (self);
  gtk_box_append (GTK_BOX (content), self->notice);
  gtk_box_append (GTK_BOX (content), self->pages);
  self->box = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 0);
  gtk_box_append (GTK_BOX (self->box), self->sidebar);
  gtk_box_append (GTK_BOX (self->box), content);
  gtk_widget_set_parent (self->box, GTK_WIDGET (self));
}

/**
 * ldb_inspector_view_new:
 *
 * Makes a view of nothing yet.
 *
 * Returns: (transfer floating): the view
 *
 * Since: 0.1
 */
GtkWidget *
ldb_inspector_view_new (void)
{
  return g_object_new (LDB_TYPE_INSPECTOR_VIEW, NULL);
}

/**
 * ldb_inspector_view_get_running_database:
 * @self: a view
 *
 * Gets what is shown.
 *
 * Returns: (transfer none) (nullable): the running database
 *
 * Since: 0.1
 */
LdbRunningDatabase *
ldb_inspector_view_get_running_database (LdbInspectorView *self)
{
  g_return_val_if_fail (LDB_IS_INSPECTOR_VIEW (self), NULL);
  return self->session != NULL ? insp_session_get_running_database (self->session) : NULL;
}

/**
 * ldb_inspector_view_set_running_database:
 * @self: a view
 * @running: (nullable): a running database
 *
 * Connects to a database and shows it. What was seen of the one before is forgotten.
 *
 * Since: 0.1
 */
void
ldb_inspector_view_set_running_database (LdbInspectorView *self, LdbRunningDatabase *running)
{
  g_return_if_fail (LDB_IS_INSPECTOR_VIEW (self));
  g_return_if_fail (running == NULL || LDB_IS_RUNNING_DATABASE (running));
  if (running == ldb_inspector_view_get_running_database (self) && !is_recorded (self))
    return;
  g_autoptr (InspSession) session = running != NULL ? insp_session_new (running) : NULL;
  insp_view_show (self, session);
}

/**
 * ldb_inspector_view_get_database:
 * @self: a view
 *
 * Gets [property@LdbInspector.View:database].
 *
 * Returns: (transfer none) (nullable): the handle
 *
 * Since: 0.1
 */
LdbDatabase *
ldb_inspector_view_get_database (LdbInspectorView *self)
{
  g_return_val_if_fail (LDB_IS_INSPECTOR_VIEW (self), NULL);
  return self->session != NULL ? insp_session_get_database (self->session) : NULL;
}

/**
 * ldb_inspector_view_set_database:
 * @self: a view
 * @database: (nullable): a handle
 *
 * Sets [property@LdbInspector.View:database], of the running database that is shown.
 *
 * Since: 0.1
 */
void
ldb_inspector_view_set_database (LdbInspectorView *self, LdbDatabase *database)
{
  g_return_if_fail (LDB_IS_INSPECTOR_VIEW (self));
  g_return_if_fail (database == NULL || LDB_IS_DATABASE (database));
  if (self->session == NULL || insp_session_get_database (self->session) == database)
    return;
  insp_session_set_database (self->session, database);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_DATABASE]);
}

/**
 * ldb_inspector_view_get_pages:
 * @self: a view
 *
 * Gets its pages as a list of [class@Gtk.StackPage] of which one is selected: the one that is shown. What is
 * left out ([property@LdbInspector.View:show-memory-map]) is in it, and not visible.
 *
 * Returns: (transfer full): the pages
 *
 * Since: 0.1
 */
GtkSelectionModel *
ldb_inspector_view_get_pages (LdbInspectorView *self)
{
  g_return_val_if_fail (LDB_IS_INSPECTOR_VIEW (self), NULL);
  return gtk_stack_get_pages (GTK_STACK (self->pages));
}

/**
 * ldb_inspector_view_new_sidebar:
 * @self: a view
 *
 * Makes a list of its pages, to be put beside it or elsewhere: who activates a row shows a page.
 *
 * Returns: (transfer floating): a [class@Gtk.ListBox]
 *
 * Since: 0.1
 */
GtkWidget *
ldb_inspector_view_new_sidebar (LdbInspectorView *self)
{
  g_return_val_if_fail (LDB_IS_INSPECTOR_VIEW (self), NULL);
  GtkWidget *list = gtk_list_box_new ();
  g_autoptr (GtkSelectionModel) pages = ldb_inspector_view_get_pages (self);
  gtk_widget_add_css_class (list, "navigation-sidebar");
  gtk_accessible_update_property (GTK_ACCESSIBLE (list), GTK_ACCESSIBLE_PROPERTY_LABEL, _ ("Pages"),
                                  -1);
  gtk_list_box_bind_model (GTK_LIST_BOX (list), G_LIST_MODEL (pages), make_page_row, NULL, NULL);
  g_signal_connect_object (list, "row-activated", G_CALLBACK (on_page_row), pages,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (pages, "selection-changed", G_CALLBACK (mark_page), list,
                           G_CONNECT_SWAPPED);
  mark_page (GTK_LIST_BOX (list), 0, 0, pages);
  return list;
}

/**
 * ldb_inspector_view_get_staged_changes:
 * @self: a view
 *
 * Gets how many changes of records are staged; what is being written in the editor is one more. They are
 * lost when another database is shown, or the view goes. Who has the view may ask before that.
 *
 * Returns: how many
 *
 * Since: 0.1
 */
guint
ldb_inspector_view_get_staged_changes (LdbInspectorView *self)
{
  g_return_val_if_fail (LDB_IS_INSPECTOR_VIEW (self), 0);
  InspSession *session = insp_view_get_session (self);
  return session != NULL && insp_session_get_state (session) == INSP_SESSION_LIVE
             ? insp_session_get_staged (session)
             : 0;
}

/**
 * ldb_inspector_view_get_paused:
 * @self: a view
 *
 * Gets [property@LdbInspector.View:paused].
 *
 * Returns: whether it stands still
 *
 * Since: 0.1
 */
gboolean
ldb_inspector_view_get_paused (LdbInspectorView *self)
{
  g_return_val_if_fail (LDB_IS_INSPECTOR_VIEW (self), FALSE);
  return self->paused;
}

/**
 * ldb_inspector_view_set_paused:
 * @self: a view
 * @paused: whether it is to stand still
 *
 * Sets [property@LdbInspector.View:paused].
 *
 * Since: 0.1
 */
void
ldb_inspector_view_set_paused (LdbInspectorView *self, gboolean paused)
{
  g_return_if_fail (LDB_IS_INSPECTOR_VIEW (self));
  if (self->paused == paused)
    return;
  self->paused = paused;
  review_looking (self);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_PAUSED]);
}

/**
 * ldb_inspector_view_get_show_sidebar:
 * @self: a view
 *
 * Gets [property@LdbInspector.View:show-sidebar].
 *
 * Returns: whether its pages are listed
 *
 * Since: 0.1
 */
gboolean
ldb_inspector_view_get_show_sidebar (LdbInspectorView *self)
{
  g_return_val_if_fail (LDB_IS_INSPECTOR_VIEW (self), FALSE);
  return gtk_widget_get_visible (self->sidebar);
}

/**
 * ldb_inspector_view_set_show_sidebar:
 * @self: a view
 * @show_sidebar: whether its pages are to be listed
 *
 * Sets [property@LdbInspector.View:show-sidebar].
 *
 * Since: 0.1
 */
void
ldb_inspector_view_set_show_sidebar (LdbInspectorView *self, gboolean show_sidebar)
{
  g_return_if_fail (LDB_IS_INSPECTOR_VIEW (self));
  if (gtk_widget_get_visible (self->sidebar) == show_sidebar)
    return;
  gtk_widget_set_visible (self->sidebar, show_sidebar);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_SHOW_SIDEBAR]);
}

/**
 * ldb_inspector_view_get_show_memory_map:
 * @self: a view
 *
 * Gets [property@LdbInspector.View:show-memory-map].
 *
 * Returns: whether the page is there
 *
 * Since: 0.1
 */
gboolean
ldb_inspector_view_get_show_memory_map (LdbInspectorView *self)
{
  g_return_val_if_fail (LDB_IS_INSPECTOR_VIEW (self), FALSE);
  return self->show_memory_map;
}

/**
 * ldb_inspector_view_set_show_memory_map:
 * @self: a view
 * @show_memory_map: whether the page is to be there
 *
 * Sets [property@LdbInspector.View:show-memory-map].
 *
 * Since: 0.1
 */
void
ldb_inspector_view_set_show_memory_map (LdbInspectorView *self, gboolean show_memory_map)
{
  g_return_if_fail (LDB_IS_INSPECTOR_VIEW (self));
  set_page_shown (self, &self->show_memory_map, show_memory_map, PROP_SHOW_MEMORY_MAP);
}

/**
 * ldb_inspector_view_get_change_stream_graph:
 * @self: a view
 *
 * Gets [property@LdbInspector.View:change-stream-graph].
 *
 * Returns: whether the page is there
 *
 * Since: 0.1
 */
gboolean
ldb_inspector_view_get_change_stream_graph (LdbInspectorView *self)
{
  g_return_val_if_fail (LDB_IS_INSPECTOR_VIEW (self), FALSE);
  return self->change_stream_graph;
}

/**
 * ldb_inspector_view_set_change_stream_graph:
 * @self: a view
 * @change_stream_graph: whether the page is to be there
 *
 * Sets [property@LdbInspector.View:change-stream-graph].
 *
 * Since: 0.1
 */
void
ldb_inspector_view_set_change_stream_graph (LdbInspectorView *self, gboolean change_stream_graph)
{
  g_return_if_fail (LDB_IS_INSPECTOR_VIEW (self));
  set_page_shown (self, &self->change_stream_graph, change_stream_graph, PROP_CHANGE_STREAM_GRAPH);
}

/**
 * ldb_inspector_view_get_title:
 * @self: a view
 *
 * Gets [property@LdbInspector.View:title].
 *
 * Returns: (nullable): the program whose database is shown
 *
 * Since: 0.1
 */
const char *
ldb_inspector_view_get_title (LdbInspectorView *self)
{
  g_return_val_if_fail (LDB_IS_INSPECTOR_VIEW (self), NULL);
  return self->session != NULL ? insp_session_get_title (self->session) : NULL;
}
