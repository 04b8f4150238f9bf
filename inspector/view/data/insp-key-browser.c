/* SPDX-License-Identifier: MIT */
/*
 * Invariants
 *   B1  There is a list or a tree, or neither is there yet; each has a reader of its own.
 *   B2  What is written is followed exactly while the browser is mapped and the session is live and
 *       looks: `subscription`, or a request for it. After a while without, all is taken to be touched.
 */
#include "config.h"

#include <glib/gi18n-lib.h>

#include "insp-bytes.h"
#include "insp-key-browser.h"
#include "insp-key-cell.h"
#include "insp-key-list.h"
#include "insp-key-tree.h"
#include "insp-key.h"
#include "insp-list-place.h"
#include "insp-status.h"
#include "insp-subscription.h"
#include "insp-tab-stop.h"

#define FOLLOW_INTERVAL 250 /* milliseconds for which changes gather */
#define ARRIVAL_FRAMES 60u  /* within which a row that is gone to has a widget */
#define SAMPLE 200          /* keys by which a delimiter is guessed */

struct _InspKeyBrowser
{
  GtkWidget parent_instance;

  InspSession *session;        /* owned */
  char *store;                 /* owned */
  GBytes *prefix;              /* owned */
  InspKeyList *list;           /* B1; owned */
  InspKeyTree *tree;           /* B1; owned */
  InspRecordReader *sampler;   /* reads what a delimiter is guessed by; NULL: nothing; owned */
  GtkSelectionModel *keys;     /* of the list that is shown; NULL: none; owned */
  GtkSelectionModel *branches; /* of the tree; NULL: none; owned */
  InspKey *row;                /* that is selected in the list; NULL: none; owned */
  gulong row_handler;          /* of its changes */
  GBytes *selected;            /* key; NULL: none; owned */

  InspSubscription *subscription; /* B2; owned */
  InspEdits *edits;               /* that rows are marked by; NULL: none; owned */

  guint arrival;     /* tick callback that gives a row that was gone to the keyboard; 0: none */
  guint frames_left; /* that it waits for it */

  GtkWidget *stack; /* child */
  GtkWidget *list_view;
  GtkWidget *tree_view;
  InspStatus *status;
};

G_DEFINE_FINAL_TYPE (InspKeyBrowser, insp_key_browser, GTK_TYPE_WIDGET)

enum
{
  SELECTED,
  PROGRESSED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

/* ---- states ---- */

static void
say (InspKeyBrowser *self, const char *icon, const char *title, const char *text)
{
  insp_status_say (self->status, icon, title, text);
  gtk_stack_set_visible_child_name (GTK_STACK (self->stack), "status");
}

static void
say_empty (InspKeyBrowser *self)
{
  if (g_bytes_get_size (self->prefix) > 0)
    say (self, "edit-find-symbolic", _ ("No Keys Found"),
         _ ("No key of the store begins so. Keys that are written appear here."));
  else
    say (self, "insp-data-symbolic", _ ("No Keys"),
         _ ("The store is empty. Keys that are written appear here."));
}

static void
on_failed (InspKeyBrowser *self, const GError *error)
{
  GtkSelectionModel *shown = self->tree != NULL ? self->branches : self->keys;
  if (shown == NULL || g_list_model_get_n_items (G_LIST_MODEL (shown)) == 0)
    say (self, "dialog-warning-symbolic", _ ("The Keys Cannot Be Read"), error->message);
}

/* ---- what is selected ---- */

static void
select_key (InspKeyBrowser *self, GBytes *key)
{
  if (key != NULL)
    g_bytes_ref (key);
  g_clear_pointer (&self->selected, g_bytes_unref);
  self->selected = key;
  g_signal_emit (self, signals[SELECTED], 0);
}

static void
on_row_changed (InspKeyBrowser *self)
{
  if (insp_key_get_mark (self->row) != INSP_KEY_SETTLED || self->selected == NULL)
    select_key (self, insp_key_get_key (self->row));
}

static void
watch_row (InspKeyBrowser *self, InspKey *row)
{
  if (self->row != NULL)
    g_clear_signal_handler (&self->row_handler, self->row);
  g_set_object (&self->row, row);
  if (row != NULL)
    self->row_handler
        = g_signal_connect_swapped (row, "changed", G_CALLBACK (on_row_changed), self);
}

static void
on_key_selected (InspKeyBrowser *self)
{
  InspKey *row = gtk_single_selection_get_selected_item (GTK_SINGLE_SELECTION (self->keys));
  watch_row (self, row);
  select_key (self, row != NULL ? insp_key_get_key (row) : NULL);
}

static void
on_branch_selected (InspKeyBrowser *self)
{
  GtkTreeListRow *row
      = gtk_single_selection_get_selected_item (GTK_SINGLE_SELECTION (self->branches));
  g_autoptr (InspBranch) branch = row != NULL ? gtk_tree_list_row_get_item (row) : NULL;
  gboolean is_key = branch != NULL && !insp_branch_is_open_ended (branch);
  select_key (self, is_key ? insp_branch_get_key (branch) : NULL);
}

GBytes *
insp_key_browser_get_key (InspKeyBrowser *self)
{
  return self->selected;
}

void
insp_key_browser_set_edits (InspKeyBrowser *self, InspEdits *edits)
{
  g_set_object (&self->edits, edits);
}

/* ---- rows ---- */

static void
on_key_setup (GtkListItemFactory *factory, GtkListItem *item)
{
  gtk_list_item_set_child (item, insp_key_cell_new ());
}

static void
on_key_bind (GtkListItemFactory *factory, GtkListItem *item, InspKeyBrowser *self)
{
  InspKeyCell *cell = INSP_KEY_CELL (gtk_list_item_get_child (item));
  if (self->edits != NULL)
    insp_key_cell_set_edits (cell, self->edits, self->store);
  insp_key_cell_set_key (cell, gtk_list_item_get_item (item));
}

static void
on_key_unbind (GtkListItemFactory *factory, GtkListItem *item)
{
  insp_key_cell_set_key (INSP_KEY_CELL (gtk_list_item_get_child (item)), NULL);
}

static void
on_branch_setup (GtkListItemFactory *factory, GtkListItem *item)
{
  GtkWidget *expander = gtk_tree_expander_new (), *label = gtk_label_new (NULL);
  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_label_set_ellipsize (GTK_LABEL (label), PANGO_ELLIPSIZE_END);
  gtk_label_set_single_line_mode (GTK_LABEL (label), TRUE);
  gtk_tree_expander_set_child (GTK_TREE_EXPANDER (expander), label);
  gtk_widget_add_css_class (label, "monospace");
  gtk_list_item_set_child (item, expander);
}

static void
on_branch_bind (GtkListItemFactory *factory, GtkListItem *item)
{
  GtkTreeListRow *row = gtk_list_item_get_item (item);
  GtkTreeExpander *expander = GTK_TREE_EXPANDER (gtk_list_item_get_child (item));
  g_autoptr (InspBranch) branch = gtk_tree_list_row_get_item (row);
  g_autofree char *text = insp_branch_to_text (branch);
  gtk_tree_expander_set_list_row (expander, row);
  gtk_label_set_text (GTK_LABEL (gtk_tree_expander_get_child (expander)), text);
}

static void
on_branch_activated (GtkListView *view, guint position)
{
  GListModel *model = G_LIST_MODEL (gtk_list_view_get_model (view));
  g_autoptr (GtkTreeListRow) row = g_list_model_get_item (model, position);
  gtk_tree_list_row_set_expanded (row, !gtk_tree_list_row_get_expanded (row));
}

/* ---- the list ---- */

static GtkSelectionModel *
make_selection (InspKeyBrowser *self, GListModel *model, GCallback selected)
{
  GtkSingleSelection *selection = gtk_single_selection_new (NULL);
  gtk_single_selection_set_autoselect (selection, FALSE);
  gtk_single_selection_set_can_unselect (selection, TRUE);
  gtk_single_selection_set_model (selection, model);
  g_signal_connect_object (selection, "notify::selected-item", selected, self, G_CONNECT_SWAPPED);
  return GTK_SELECTION_MODEL (selection);
}

static void
review_list (InspKeyBrowser *self)
{
  guint count = g_list_model_get_n_items (G_LIST_MODEL (self->list));
  if (count == 0 && !insp_key_list_is_complete (self->list))
    return; /* the old keys are shown still */
  if (self->keys == NULL)
    {
      self->keys = make_selection (self, G_LIST_MODEL (self->list), G_CALLBACK (on_key_selected));
      gtk_list_view_set_model (GTK_LIST_VIEW (self->list_view), self->keys);
    }
  if (count > 0)
    gtk_stack_set_visible_child_name (GTK_STACK (self->stack), "list");
  else
    say_empty (self);
  g_signal_emit (self, signals[PROGRESSED], 0);
}

static void
leave_arrival (InspKeyBrowser *self)
{
  if (self->arrival != 0)
    gtk_widget_remove_tick_callback (self->list_view, self->arrival);
  self->arrival = 0;
}

static gboolean
has_keyboard (GtkWidget *widget)
{
  GtkWidget *focus = gtk_root_get_focus (gtk_widget_get_root (widget));
  return focus != NULL && (focus == widget || gtk_widget_is_ancestor (focus, widget));
}

/* The row that is selected gets the keyboard once there is a widget for it: who asks the list itself
 * gives it to the row that had it before. Who went elsewhere meanwhile keeps it. */
static gboolean
focus_selected (GtkWidget *list_view, GdkFrameClock *clock, gpointer data)
{
  InspKeyBrowser *self = data;
  GtkWidget *row = gtk_widget_get_first_child (list_view);
  while (row != NULL && (gtk_widget_get_state_flags (row) & GTK_STATE_FLAG_SELECTED) == 0)
    row = gtk_widget_get_next_sibling (row);
  gboolean wanted = has_keyboard (list_view);
  if (wanted && row == NULL && --self->frames_left > 0)
    return G_SOURCE_CONTINUE;
  if (wanted && row != NULL)
    gtk_widget_grab_focus (row);
  self->arrival = 0;
  return G_SOURCE_REMOVE;
}

static void
on_arrived (InspKeyBrowser *self, guint position)
{
  review_list (self);
  gtk_single_selection_set_selected (GTK_SINGLE_SELECTION (self->keys), position);
  gtk_widget_activate_action (self->list_view, "list.scroll-to-item", "u", position);
  gtk_widget_grab_focus (self->list_view);
  leave_arrival (self);
  self->frames_left = ARRIVAL_FRAMES;
  self->arrival = gtk_widget_add_tick_callback (self->list_view, focus_selected, self, NULL);
}

static InspRecordReader *
make_reader (InspKeyBrowser *self)
{
  return insp_record_reader_new_for_inspector (insp_session_get_inspector (self->session));
}

static void
begin_list (InspKeyBrowser *self, gboolean reverse)
{
  g_autoptr (InspRecordReader) reader = make_reader (self);
  self->list = insp_key_list_new (reader, self->store, self->prefix, reverse);
  g_signal_connect_object (self->list, "progressed", G_CALLBACK (review_list), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (self->list, "items-changed", G_CALLBACK (review_list), self,
                           G_CONNECT_SWAPPED | G_CONNECT_AFTER);
  g_signal_connect_object (self->list, "failed", G_CALLBACK (on_failed), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->list, "arrived", G_CALLBACK (on_arrived), self, G_CONNECT_SWAPPED);
}

void
insp_key_browser_go_to (InspKeyBrowser *self, GBytes *key)
{
  if (self->list != NULL)
    insp_key_list_go_to (self->list, key);
}

/* ---- the tree ---- */

static void
review_tree (InspKeyBrowser *self)
{
  if (g_list_model_get_n_items (G_LIST_MODEL (self->branches)) > 0)
    gtk_stack_set_visible_child_name (GTK_STACK (self->stack), "tree");
  else
    say_empty (self);
  g_signal_emit (self, signals[PROGRESSED], 0);
}

static void
begin_tree (InspKeyBrowser *self, char delimiter)
{
  g_autoptr (InspRecordReader) reader = make_reader (self);
  self->tree = insp_key_tree_new (reader, self->store, self->prefix, delimiter);
  g_autoptr (GtkTreeListModel) model = insp_key_tree_make_model (self->tree);
  g_clear_object (&self->branches);
  self->branches = make_selection (self, G_LIST_MODEL (model), G_CALLBACK (on_branch_selected));
  g_signal_connect_object (self->tree, "progressed", G_CALLBACK (review_tree), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (self->tree, "failed", G_CALLBACK (on_failed), self, G_CONNECT_SWAPPED);
  gtk_list_view_set_model (GTK_LIST_VIEW (self->tree_view), self->branches);
}

static void
on_sample (gpointer data, GPtrArray *records, const GError *error)
{
  InspKeyBrowser *self = data;
  if (error != NULL)
    on_failed (self, error);
  else
    begin_tree (self, insp_key_tree_guess (records));
}

static void
sample (InspKeyBrowser *self)
{
  g_autoptr (GBytes) end = insp_bytes_prefix_end (self->prefix);
  InspWish wish = { .store = self->store,
                    .start = self->prefix,
                    .end = end,
                    .flags = LDB_SCAN_KEYS_ONLY,
                    .limit = SAMPLE };
  self->sampler = make_reader (self);
  insp_record_reader_ask (self->sampler, &wish, TRUE, on_sample, self, NULL);
}

/* ---- following ---- */

static void
touch (InspKeyBrowser *self, LdbChange *change)
{
  g_autoptr (GBytes) none = g_bytes_new (NULL, 0);
  GBytes *key = ldb_change_get_key (change), *end = NULL;
  if (ldb_change_get_kind (change) >= LDB_CHANGE_DELETE_RANGE)
    {
      end = ldb_change_get_end (change);
      end = end != NULL ? end : none;
    }
  if (self->list != NULL)
    insp_key_list_touch (self->list, key, end);
  if (self->tree != NULL)
    insp_key_tree_touch (self->tree, end != NULL ? NULL : key);
}

static void
touch_all (InspKeyBrowser *self)
{
  if (self->list != NULL)
    insp_key_list_touch_all (self->list);
  if (self->tree != NULL)
    insp_key_tree_touch (self->tree, NULL);
  if (self->selected != NULL)
    g_signal_emit (self, signals[SELECTED], 0);
}

/* A record that is selected in the tree has no row that tells. */
static gboolean
is_selected (InspKeyBrowser *self, LdbChange *change)
{
  GBytes *key = ldb_change_get_key (change);
  return self->row == NULL && self->selected != NULL && key != NULL
         && g_bytes_equal (key, self->selected);
}

static void
on_changed (InspKeyBrowser *self, LdbChangeSet *changes)
{
  gboolean selected = FALSE;
  if (ldb_change_set_get_resync (changes))
    touch_all (self);
  for (guint i = 0; i < ldb_change_set_get_n_changes (changes); i++)
    {
      LdbChange *change = ldb_change_set_get_change (changes, i);
      touch (self, change);
      selected = selected || is_selected (self, change);
    }
  if (selected)
    g_signal_emit (self, signals[SELECTED], 0);
}

static void
review_following (InspKeyBrowser *self) /* B2 */
{
  gboolean wanted = gtk_widget_get_mapped (GTK_WIDGET (self))
                    && insp_session_get_looking (self->session)
                    && insp_session_get_state (self->session) == INSP_SESSION_LIVE
                    && (self->list != NULL || self->tree != NULL || self->sampler != NULL);
  gboolean follows = insp_subscription_is_active (self->subscription);
  if (self->list != NULL)
    insp_key_list_set_active (self->list, wanted);
  if (wanted && !follows)
    insp_subscription_begin (self->subscription, self->store, self->prefix, LDB_WATCH_UNCHANGED,
                             FOLLOW_INTERVAL);
  else if (!wanted && follows)
    insp_subscription_end (self->subscription);
}

/* ---- another query ---- */

static void
leave (InspKeyBrowser *self)
{
  insp_subscription_end (self->subscription);
  leave_arrival (self);
  if (self->list != NULL)
    g_signal_handlers_disconnect_by_data (self->list, self);
  if (self->sampler != NULL)
    insp_record_reader_cancel (self->sampler);
  if (self->tree != NULL) /* its rows keep it */
    g_signal_handlers_disconnect_by_data (self->tree, self);
  g_clear_object (&self->sampler);
  g_clear_object (&self->list);
  g_clear_object (&self->tree);
  if (self->keys != NULL)
    g_signal_handlers_disconnect_by_data (self->keys, self);
  g_clear_object (&self->keys); /* the view has it until there is another */
}

void
insp_key_browser_list (InspKeyBrowser *self, const InspKeyQuery *query)
{
  leave (self);
  g_free (self->store);
  self->store = g_strdup (query->store);
  g_clear_pointer (&self->prefix, g_bytes_unref);
  self->prefix = query->prefix != NULL ? g_bytes_ref (query->prefix) : g_bytes_new (NULL, 0);
  if (insp_session_get_inspector (self->session) == NULL)
    return;
  if (!query->as_tree)
    begin_list (self, query->reverse);
  else if (query->delimiter != '\0')
    begin_tree (self, query->delimiter);
  else
    sample (self);
  review_following (self);
}

char *
insp_key_browser_describe (InspKeyBrowser *self)
{
  if (self->list == NULL)
    return g_strdup ("");
  guint count = g_list_model_get_n_items (G_LIST_MODEL (self->list));
  if (insp_key_list_is_complete (self->list))
    /* Translators: how many keys a store has */
    return g_strdup_printf (g_dngettext (GETTEXT_PACKAGE, "%'u key", "%'u keys", count), count);
  /* Translators: how many keys were found so far; there are more */
  return g_strdup_printf (
      g_dngettext (GETTEXT_PACKAGE, "%'u key so far…", "%'u keys so far…", count), count);
}

/* ---- the widget ---- */

static void
on_state (InspKeyBrowser *self)
{
  review_following (self);
}

static void
insp_key_browser_map (GtkWidget *widget)
{
  GTK_WIDGET_CLASS (insp_key_browser_parent_class)->map (widget);
  review_following (INSP_KEY_BROWSER (widget));
}

static void
insp_key_browser_unmap (GtkWidget *widget)
{
  GTK_WIDGET_CLASS (insp_key_browser_parent_class)->unmap (widget);
  review_following (INSP_KEY_BROWSER (widget));
}

static void
insp_key_browser_dispose (GObject *object)
{
  InspKeyBrowser *self = INSP_KEY_BROWSER (object);
  if (self->session != NULL)
    leave (self);
  watch_row (self, NULL);
  g_clear_pointer (&self->stack, gtk_widget_unparent);
  g_clear_object (&self->branches);
  g_clear_object (&self->subscription);
  g_clear_object (&self->session);
  g_clear_pointer (&self->selected, g_bytes_unref);
  g_clear_pointer (&self->prefix, g_bytes_unref);
  g_clear_pointer (&self->store, g_free);
  g_clear_object (&self->edits);
  G_OBJECT_CLASS (insp_key_browser_parent_class)->dispose (object);
}

static void
insp_key_browser_class_init (InspKeyBrowserClass *class)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (class);
  G_OBJECT_CLASS (class)->dispose = insp_key_browser_dispose;
  widget_class->map = insp_key_browser_map;
  widget_class->unmap = insp_key_browser_unmap;
  gtk_widget_class_set_layout_manager_type (widget_class, GTK_TYPE_BIN_LAYOUT);
  signals[SELECTED] = g_signal_new ("selected", INSP_TYPE_KEY_BROWSER, G_SIGNAL_RUN_LAST, 0, NULL,
                                    NULL, NULL, G_TYPE_NONE, 0);
  signals[PROGRESSED] = g_signal_new ("progressed", INSP_TYPE_KEY_BROWSER, G_SIGNAL_RUN_LAST, 0,
                                      NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static GtkWidget *
add_view (InspKeyBrowser *self, const char *name, GCallback setup, GCallback bind, GCallback unbind)
{
  GtkListItemFactory *factory = gtk_signal_list_item_factory_new ();
  GtkWidget *scroller = gtk_scrolled_window_new (), *view = gtk_list_view_new (NULL, factory);
  g_signal_connect (factory, "setup", setup, NULL);
  g_signal_connect (factory, "bind", bind, self);
  if (unbind != NULL)
    g_signal_connect (factory, "unbind", unbind, NULL);
  gtk_scrolled_window_set_policy (GTK_SCROLLED_WINDOW (scroller), GTK_POLICY_NEVER,
                                  GTK_POLICY_AUTOMATIC);
  gtk_scrolled_window_set_child (GTK_SCROLLED_WINDOW (scroller), view);
  insp_list_place_keep (view);
  gtk_accessible_update_property (GTK_ACCESSIBLE (view), GTK_ACCESSIBLE_PROPERTY_LABEL, _ ("Keys"),
                                  -1);
  gtk_stack_add_named (GTK_STACK (self->stack), insp_tab_stop_new (scroller), name);
  return view;
}

static void
insp_key_browser_init (InspKeyBrowser *self)
{
  self->prefix = g_bytes_new (NULL, 0);
  self->stack = gtk_stack_new ();
  self->status = INSP_STATUS (insp_status_new ("insp-data-symbolic", _ ("Looking for Keys"), ""));
  gtk_stack_add_named (GTK_STACK (self->stack), GTK_WIDGET (self->status), "status");
  self->list_view = add_view (self, "list", G_CALLBACK (on_key_setup), G_CALLBACK (on_key_bind),
                              G_CALLBACK (on_key_unbind));
  self->tree_view
      = add_view (self, "tree", G_CALLBACK (on_branch_setup), G_CALLBACK (on_branch_bind), NULL);
  g_signal_connect (self->tree_view, "activate", G_CALLBACK (on_branch_activated), NULL);
  gtk_widget_set_size_request (self->stack, 200, 120);
  gtk_widget_set_parent (self->stack, GTK_WIDGET (self));
}

GtkWidget *
insp_key_browser_new (InspSession *session)
{
  InspKeyBrowser *self = g_object_new (INSP_TYPE_KEY_BROWSER, NULL);
  self->session = g_object_ref (session);
  self->subscription = insp_subscription_new (session);
  g_signal_connect_object (self->subscription, "begun", G_CALLBACK (touch_all), self,
                           G_CONNECT_SWAPPED); /* what happened meanwhile */
  g_signal_connect_object (self->subscription, "changed", G_CALLBACK (on_changed), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (session, "notify::state", G_CALLBACK (on_state), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (session, "notify::looking", G_CALLBACK (on_state), self,
                           G_CONNECT_SWAPPED);
  return GTK_WIDGET (self);
}
