/* SPDX-License-Identifier: MIT */
/*
 * Invariants
 *   P1  A request is under way exactly in the state WAITING, and has `cancellable`.
 *   P2  Nothing is asked of the application, and no database is made to be written to, before the user
 *       agreed to it.
 *   P3  `list` is there while the database that writes now is looked for: the connection to what only
 *       read has ended, or will.
 */
#include "config.h"

#include <glib/gi18n-lib.h>
#include <unistd.h>

#include "insp-permission.h"
#include "insp-sentence.h"

typedef enum
{
  NONE,
  ASKING,
  WAITING,
  REFUSED,
  GRANTED,
} State;

struct _InspPermission
{
  GtkWidget parent_instance;

  InspSession *session; /* owned */
  State state;
  GCancellable *cancellable; /* P1; owned */
  LdbRunningList *list;      /* P3; NULL: none; owned */

  GtkWidget *revealer; /* child */
  GtkWidget *panel;
  GtkWidget *spinner;
  GtkWidget *title;
  GtkWidget *text;
  GtkWidget *no;
  GtkWidget *yes;
};

G_DEFINE_FINAL_TYPE (InspPermission, insp_permission, GTK_TYPE_WIDGET)

enum
{
  CHANGED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

/* ---- states ---- */

static void
stop (InspPermission *self)
{
  g_cancellable_cancel (self->cancellable);
  g_clear_object (&self->cancellable);
  if (self->list != NULL)
    g_signal_handlers_disconnect_by_data (self->list, self);
  g_clear_object (&self->list);
}

static void
enter (InspPermission *self, State state)
{
  gboolean pending = state == ASKING || state == WAITING || state == REFUSED;
  if (state != WAITING)
    stop (self); /* P1 */
  self->state = state;
  gtk_widget_set_visible (self->spinner, state == WAITING);
  gtk_widget_set_visible (self->yes, state != WAITING);
  gtk_button_set_label (GTK_BUTTON (self->no), state == ASKING    ? _ ("Not Now")
                                               : state == WAITING ? _ ("Cancel")
                                                                  : _ ("Close"));
  gtk_button_set_label (GTK_BUTTON (self->yes),
                        state == REFUSED ? _ ("Try Again") : _ ("Allow Edits"));
  gtk_revealer_set_reveal_child (GTK_REVEALER (self->revealer), pending);
  gtk_widget_set_visible (self->revealer, pending);
  if (pending)
    gtk_widget_grab_focus (state == WAITING ? self->no : self->yes);
  g_signal_emit (self, signals[CHANGED], 0);
}

static void
say (InspPermission *self, const char *title, const char *text)
{
  gtk_label_set_text (GTK_LABEL (self->title), title);
  gtk_label_set_text (GTK_LABEL (self->text), text);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->panel), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  title, -1);
}

gboolean
insp_permission_is_granted (InspPermission *self)
{
  return self->state == GRANTED;
}

gboolean
insp_permission_is_pending (InspPermission *self)
{
  return self->state == ASKING || self->state == WAITING || self->state == REFUSED;
}

/* The database that is shown, if it is this program's own and only read so far; NULL: it is not. */
static LdbDatabase *
get_unwritten (InspPermission *self)
{
  LdbDatabase *database = insp_session_get_database (self->session);
  return database != NULL && ldb_database_is_read_only (database) ? database : NULL;
}

static gboolean
is_only_read (InspPermission *self)
{
  LdbRunningDatabase *running = insp_session_get_running_database (self->session);
  return insp_session_get_database (self->session) == NULL && running != NULL
         && ldb_running_database_is_read_only (running);
}

static void
refuse (InspPermission *self, const GError *error)
{
  g_autofree char *sentence = insp_sentence_of (error->message);
  g_autofree char *text = NULL;
  if (g_error_matches (error, LDB_ERROR, LDB_ERROR_PERMISSION_DENIED)
      && insp_session_get_database (self->session) == NULL)
    text = g_strdup (
        _ ("The application does not let inspectors change anything. An application that "
           "does sets LdbDatabase:control-allowed. Nothing was written."));
  else
    text = g_strdup_printf (_ ("%s Nothing was written."), sentence);
  say (self, _ ("The Database Cannot Be Edited"), text);
  enter (self, REFUSED);
}

void
insp_permission_lose (InspPermission *self, const GError *error)
{
  refuse (self, error);
}

/* ---- asking ---- */

static gboolean
is_wanted (InspPermission *self, GAsyncResult *result)
{
  return g_task_get_cancellable (G_TASK (result)) == self->cancellable;
}

static void
on_granted (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (InspPermission) self = data;
  g_autoptr (GError) error = NULL;
  gboolean granted = ldb_inspector_request_control_finish (LDB_INSPECTOR (source), result, &error);
  if (!is_wanted (self, result))
    return;
  if (granted)
    enter (self, GRANTED);
  else
    refuse (self, error);
}

static void
request_control (InspPermission *self)
{
  say (self, _ ("Asking for Permission"),
       _ ("The application is asked whether it may be changed."));
  ldb_inspector_request_control_async (insp_session_get_inspector (self->session),
                                       self->cancellable, on_granted, g_object_ref (self));
}

static gboolean
is_ours (InspPermission *self, LdbRunningDatabase *running)
{
  return ldb_running_database_get_process_id (running) == (guint) getpid ()
         && !ldb_running_database_is_read_only (running)
         && g_strcmp0 (ldb_running_database_get_path (running),
                       insp_session_get_path (self->session))
                == 0;
}

/* P3 */
static void
look_for_it (InspPermission *self)
{
  guint count = ldb_running_list_get_n_items (self->list);
  for (guint i = 0; i < count; i++)
    {
      g_autoptr (LdbRunningDatabase) running = g_list_model_get_item (G_LIST_MODEL (self->list), i);
      g_autoptr (InspPermission) held = g_object_ref (self);
      if (!is_ours (self, running))
        continue;
      stop (self);
      insp_session_move (self->session, running); /* which drops this */
      return;
    }
}

static void
on_taken_over (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (InspPermission) self = data;
  g_autoptr (GError) error = NULL;
  gboolean done = ldb_database_take_over_finish (LDB_DATABASE (source), result, &error);
  if (!is_wanted (self, result))
    return;
  if (!done)
    {
      refuse (self, error);
      return;
    }
  ldb_database_set_control_allowed (LDB_DATABASE (source), TRUE);
  self->list = ldb_running_list_new ();
  g_signal_connect_swapped (self->list, "items-changed", G_CALLBACK (look_for_it), self);
  look_for_it (self);
}

static void
begin (InspPermission *self) /* P2 */
{
  LdbDatabase *database = get_unwritten (self);
  if (insp_session_get_inspector (self->session) == NULL)
    return;
  if (is_only_read (self))
    {
      g_autoptr (GError) error
          = g_error_new_literal (LDB_ERROR, LDB_ERROR_READ_ONLY,
                                 _ ("The application has the database open to be read only. Look "
                                    "into the one that writes to "
                                    "it."));
      refuse (self, error);
      return;
    }
  stop (self);
  self->cancellable = g_cancellable_new ();
  enter (self, WAITING);
  if (database == NULL)
    {
      request_control (self);
      return;
    }
  say (self, _ ("Opening for Writing"),
       _ ("While another program writes to the database, this waits for it to close it."));
  ldb_database_take_over_async (database, self->cancellable, on_taken_over, g_object_ref (self));
}

void
insp_permission_ask (InspPermission *self)
{
  if (self->state == GRANTED || self->state == WAITING)
    return;
  if (insp_session_get_edits_agreed (self->session))
    {
      begin (self);
      return;
    }
  if (get_unwritten (self) != NULL)
    say (
        self, _ ("Allow Edits?"),
        _ ("This folder is only read so far. To be edited it is opened for writing, as an "
           "application "
           "would: what its log holds goes to files, and no other program can write to it until "
           "you "
           "leave it. Your changes are collected and shown to you first; they are written when you "
           "commit them, and not before."));
  else
    say (self, _ ("Allow Edits?"),
         _ ("Your changes are collected and shown to you first; they are written when you commit "
            "them, "
            "and not before. The application works with what you write at once, and may not expect "
            "it."));
  enter (self, ASKING);
}

void
insp_permission_give_up (InspPermission *self)
{
  if (self->state != NONE)
    enter (self, NONE);
}

static void
on_yes (InspPermission *self)
{
  insp_session_set_edits_agreed (self->session, TRUE);
  begin (self);
}

static void
on_state (InspPermission *self)
{
  gboolean is_live = insp_session_get_state (self->session) == INSP_SESSION_LIVE;
  if (is_live && insp_session_get_edits_agreed (self->session))
    begin (self); /* that is why it is shown anew */
  else if (!is_live
           && (self->state != WAITING
               || insp_session_get_database (self->session) == NULL)) /* P3 */
    insp_permission_give_up (self);
}

/* ---- the widget ---- */

static gboolean
on_escape (GtkWidget *widget, GVariant *arguments, gpointer data)
{
  insp_permission_give_up (INSP_PERMISSION (widget));
  return GDK_EVENT_STOP;
}

static void
insp_permission_dispose (GObject *object)
{
  InspPermission *self = INSP_PERMISSION (object);
  stop (self);
  g_clear_pointer (&self->revealer, gtk_widget_unparent);
  g_clear_object (&self->session);
  G_OBJECT_CLASS (insp_permission_parent_class)->dispose (object);
}

static void
insp_permission_class_init (InspPermissionClass *class)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (class);
  G_OBJECT_CLASS (class)->dispose = insp_permission_dispose;
  gtk_widget_class_set_layout_manager_type (widget_class, GTK_TYPE_BIN_LAYOUT);
  gtk_widget_class_add_binding (widget_class, GDK_KEY_Escape, 0, on_escape, NULL);
  signals[CHANGED] = g_signal_new ("changed", INSP_TYPE_PERMISSION, G_SIGNAL_RUN_LAST, 0, NULL,
                                   NULL, NULL, G_TYPE_NONE, 0);
}

static GtkWidget *
add_label (GtkWidget *box, const char *style)
{
  GtkWidget *label = gtk_label_new (NULL);
  gtk_label_set_wrap (GTK_LABEL (label), TRUE);
  gtk_label_set_xalign (GTK_LABEL (label), 0);
  if (style != NULL)
    gtk_widget_add_css_class (label, style);
  gtk_box_append (GTK_BOX (box), label);
  return label;
}

static GtkWidget *
make_buttons (InspPermission *self)
{
  GtkWidget *buttons = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 6);
  self->spinner = gtk_spinner_new ();
  self->no = gtk_button_new_with_label ("");
  self->yes = gtk_button_new_with_label ("");
  gtk_spinner_start (GTK_SPINNER (self->spinner));
  gtk_widget_add_css_class (self->yes, "suggested-action");
  gtk_widget_set_halign (buttons, GTK_ALIGN_END);
  g_signal_connect_swapped (self->no, "clicked", G_CALLBACK (insp_permission_give_up), self);
  g_signal_connect_swapped (self->yes, "clicked", G_CALLBACK (on_yes), self);
  gtk_box_append (GTK_BOX (buttons), self->spinner);
  gtk_box_append (GTK_BOX (buttons), self->no);
  gtk_box_append (GTK_BOX (buttons), self->yes);
  return buttons;
}

static void
insp_permission_init (InspPermission *self)
{
  self->panel = gtk_box_new (GTK_ORIENTATION_VERTICAL, 6);
  self->title = add_label (self->panel, "heading");
  self->text = add_label (self->panel, NULL);
  gtk_box_append (GTK_BOX (self->panel), make_buttons (self));
  gtk_widget_add_css_class (self->panel, "insp-panel");
  self->revealer = gtk_revealer_new ();
  gtk_revealer_set_child (GTK_REVEALER (self->revealer), self->panel);
  gtk_widget_set_visible (self->revealer, FALSE);
  gtk_widget_set_parent (self->revealer, GTK_WIDGET (self));
}

GtkWidget *
insp_permission_new (InspSession *session)
{
  InspPermission *self = g_object_new (INSP_TYPE_PERMISSION, NULL);
  self->session = g_object_ref (session);
  g_signal_connect_object (session, "notify::state", G_CALLBACK (on_state), self,
                           G_CONNECT_SWAPPED);
  return GTK_WIDGET (self);
}
