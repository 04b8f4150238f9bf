/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <glib/gi18n-lib.h>

#include "insp-page.h"
#include "insp-sentence.h"
#include "insp-status.h"

typedef struct
{
  InspSession *session; /* owned */
  GtkWidget *stack;     /* of what is said and of the parts; child */
  InspStatus *status;   /* what is said of a session that is not there yet */
  GtkWidget *column;    /* of notice and parts */
  GtkWidget *parts;     /* a box */
  GtkWidget *notice;    /* a GtkRevealer */
  GtkWidget *notice_text;
  gboolean tells_error; /* the notice is of a request that failed */
} InspPagePrivate;

G_DEFINE_ABSTRACT_TYPE_WITH_PRIVATE (InspPage, insp_page, GTK_TYPE_WIDGET)

enum
{
  PROP_0,
  PROP_SESSION,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

static InspPagePrivate *
private_of (InspPage *self)
{
  return insp_page_get_instance_private (self);
}

/* ---- what is said ---- */

static void
review_state (InspPage *self)
{
  InspPagePrivate *its = private_of (self);
  switch (insp_session_get_state (its->session))
    {
    case INSP_SESSION_CONNECTING:
      insp_status_wait (its->status, _ ("Connecting"),
                        _ ("The application is asked for its database."));
      gtk_stack_set_visible_child (GTK_STACK (its->stack), GTK_WIDGET (its->status));
      break;
    case INSP_SESSION_FAILED:
      insp_status_say (its->status, "network-offline-symbolic", _ ("No Connection"),
                       insp_session_get_error (its->session));
      gtk_stack_set_visible_child (GTK_STACK (its->stack), GTK_WIDGET (its->status));
      break;
    case INSP_SESSION_LIVE:
    case INSP_SESSION_ENDED:
    default:
      gtk_stack_set_visible_child (GTK_STACK (its->stack), its->column);
      break;
    }
}

void
insp_page_say (InspPage *self, const char *text)
{
  InspPagePrivate *its = private_of (self);
  g_autofree char *sentence = text != NULL ? insp_sentence_of (text) : NULL;
  its->tells_error = FALSE;
  if (sentence != NULL)
    gtk_label_set_text (GTK_LABEL (its->notice_text), sentence);
  gtk_revealer_set_reveal_child (GTK_REVEALER (its->notice), text != NULL);
}

void
insp_page_tell (InspPage *self, const GError *error)
{
  InspPagePrivate *its = private_of (self);
  if (error == NULL && its->tells_error)
    insp_page_say (self, NULL);
  if (error == NULL || insp_session_get_state (its->session) == INSP_SESSION_ENDED)
    return;
  insp_page_say (self, error->message);
  its->tells_error = TRUE;
}

void
insp_page_tell_from (gpointer widget, const GError *error)
{
  GtkWidget *page = gtk_widget_get_ancestor (widget, INSP_TYPE_PAGE);
  if (page != NULL)
    insp_page_tell (INSP_PAGE (page), error);
}

static void
on_notice_closed (InspPage *self)
{
  insp_page_say (self, NULL);
}

/* ---- keys ---- */

void
insp_page_refresh (InspPage *self)
{
  if (INSP_PAGE_GET_CLASS (self)->refresh != NULL)
    INSP_PAGE_GET_CLASS (self)->refresh (self);
}

static gboolean
on_refresh (GtkWidget *widget, GVariant *arguments, gpointer data)
{
  if (INSP_PAGE_GET_CLASS (widget)->refresh == NULL || !gtk_widget_get_mapped (widget))
    return GDK_EVENT_PROPAGATE;
  insp_page_refresh (INSP_PAGE (widget));
  return GDK_EVENT_STOP;
}

static gboolean
on_search (GtkWidget *widget, GVariant *arguments, gpointer data)
{
  InspPage *self = INSP_PAGE (widget);
  void (*search) (InspPage *) = INSP_PAGE_GET_CLASS (self)->search;
  if (search == NULL || !gtk_widget_get_mapped (widget))
    return GDK_EVENT_PROPAGATE;
  search (self);
  return GDK_EVENT_STOP;
}

static gboolean
on_export (GtkWidget *widget, GVariant *arguments, gpointer data)
{
  InspPage *self = INSP_PAGE (widget);
  void (*export) (InspPage *) = INSP_PAGE_GET_CLASS (self)->export;
  if (export == NULL || !gtk_widget_get_mapped (widget))
    return GDK_EVENT_PROPAGATE;
  export(self);
  return GDK_EVENT_STOP;
}

static void
add_key (GtkShortcutController *controller, guint key, GdkModifierType modifiers,
         GtkShortcutFunc callback)
{
  GtkShortcutAction *action = gtk_callback_action_new (callback, NULL, NULL);
  gtk_shortcut_controller_add_shortcut (
      controller, gtk_shortcut_new (gtk_keyval_trigger_new (key, modifiers), action));
}

static void
add_keys (InspPage *self)
{
  GtkEventController *controller = gtk_shortcut_controller_new ();
  GtkShortcutController *shortcuts = GTK_SHORTCUT_CONTROLLER (controller);
  gtk_shortcut_controller_set_scope (shortcuts, GTK_SHORTCUT_SCOPE_GLOBAL);
  add_key (shortcuts, GDK_KEY_F5, 0, on_refresh);
  add_key (shortcuts, GDK_KEY_f, GDK_CONTROL_MASK, on_search);
  add_key (shortcuts, GDK_KEY_e, GDK_CONTROL_MASK, on_export);
  gtk_widget_add_controller (GTK_WIDGET (self), controller);
}

/* ---- parts ---- */

void
insp_page_add (InspPage *self, GtkWidget *part)
{
  gtk_box_append (GTK_BOX (private_of (self)->parts), part);
}

GtkWidget *
insp_page_add_section (InspPage *self, const char *title, GtkWidget *control, GtkWidget *part)
{
  GtkWidget *section = gtk_box_new (GTK_ORIENTATION_VERTICAL, 6);
  GtkWidget *line = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 6);
  GtkWidget *heading = gtk_label_new (title);
  gtk_widget_add_css_class (heading, "heading");
  gtk_label_set_xalign (GTK_LABEL (heading), 0);
  gtk_label_set_wrap (GTK_LABEL (heading), TRUE);
  gtk_widget_set_hexpand (heading, TRUE);
  gtk_box_append (GTK_BOX (line), heading);
  if (control != NULL)
    gtk_box_append (GTK_BOX (line), control);
  gtk_box_append (GTK_BOX (section), line);
  gtk_box_append (GTK_BOX (section), part);
  insp_page_add (self, section);
  return section;
}

/* In the frame after the one in which it is laid out. */
static gboolean
reveal (GtkWidget *part, GdkFrameClock *clock, gpointer data)
{
  graphene_rect_t bounds;
  GtkWidget *page = gtk_widget_get_ancestor (part, INSP_TYPE_PAGE);
  InspPagePrivate *its = page != NULL ? private_of (INSP_PAGE (page)) : NULL;
  GtkWidget *scroller
      = its != NULL ? gtk_widget_get_ancestor (its->parts, GTK_TYPE_SCROLLED_WINDOW) : NULL;
  if (GPOINTER_TO_INT (g_object_get_data (G_OBJECT (part), "insp-reveal")) == 0)
    {
      g_object_set_data (G_OBJECT (part), "insp-reveal", GINT_TO_POINTER (1));
      return G_SOURCE_CONTINUE;
    }
  g_object_set_data (G_OBJECT (part), "insp-reveal", NULL);
  if (scroller != NULL && gtk_widget_compute_bounds (part, its->parts, &bounds))
    {
      GtkAdjustment *at = gtk_scrolled_window_get_vadjustment (GTK_SCROLLED_WINDOW (scroller));
      double height = MIN (bounds.size.height, gtk_adjustment_get_page_size (at));
      gtk_adjustment_clamp_page (at, bounds.origin.y, bounds.origin.y + height);
    }
  return G_SOURCE_REMOVE;
}

void
insp_page_reveal (GtkWidget *part)
{
  gtk_widget_add_tick_callback (part, reveal, NULL, NULL);
}

/* ---- the object ---- */

static void
insp_page_get_property (GObject *object, guint property, GValue *value, GParamSpec *spec)
{
  if (property == PROP_SESSION)
    g_value_set_object (value, insp_page_get_session (INSP_PAGE (object)));
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, property, spec);
}

static void
insp_page_set_property (GObject *object, guint property, const GValue *value, GParamSpec *spec)
{
  if (property == PROP_SESSION)
    private_of (INSP_PAGE (object))->session = g_value_dup_object (value);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, property, spec);
}

static void
insp_page_constructed (GObject *object)
{
  InspPage *self = INSP_PAGE (object);
  G_OBJECT_CLASS (insp_page_parent_class)->constructed (object);
  g_signal_connect_object (private_of (self)->session, "notify::state", G_CALLBACK (review_state),
                           self, G_CONNECT_SWAPPED);
  review_state (self);
}

static void
insp_page_dispose (GObject *object)
{
  InspPagePrivate *its = private_of (INSP_PAGE (object));
  g_clear_pointer (&its->stack, gtk_widget_unparent);
  g_clear_object (&its->session);
  G_OBJECT_CLASS (insp_page_parent_class)->dispose (object);
}

static void
insp_page_class_init (InspPageClass *class)
{
  GObjectClass *object_class = G_OBJECT_CLASS (class);
  object_class->get_property = insp_page_get_property;
  object_class->set_property = insp_page_set_property;
  object_class->constructed = insp_page_constructed;
  object_class->dispose = insp_page_dispose;
  properties[PROP_SESSION]
      = g_param_spec_object ("session", NULL, NULL, INSP_TYPE_SESSION,
                             G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPS, properties);
  gtk_widget_class_set_layout_manager_type (GTK_WIDGET_CLASS (class), GTK_TYPE_BIN_LAYOUT);
}

static void
make_notice (InspPage *self, InspPagePrivate *its)
{
  GtkWidget *line = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 6);
  GtkWidget *close = gtk_button_new_from_icon_name ("window-close-symbolic");
  its->notice_text = gtk_label_new (NULL);
  gtk_label_set_wrap (GTK_LABEL (its->notice_text), TRUE);
  gtk_label_set_xalign (GTK_LABEL (its->notice_text), 0);
  gtk_widget_set_hexpand (its->notice_text, TRUE);
  gtk_widget_set_tooltip_text (close, _ ("Dismiss"));
  gtk_accessible_update_property (GTK_ACCESSIBLE (close), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  _ ("Dismiss"), -1);
  gtk_widget_add_css_class (close, "flat");
  gtk_widget_set_valign (close, GTK_ALIGN_START);
  g_signal_connect_swapped (close, "clicked", G_CALLBACK (on_notice_closed), self);
  gtk_box_append (GTK_BOX (line), gtk_image_new_from_icon_name ("dialog-warning-symbolic"));
  gtk_box_append (GTK_BOX (line), its->notice_text);
  gtk_box_append (GTK_BOX (line), close);
  gtk_widget_add_css_class (line, "insp-page-notice");
  its->notice = gtk_revealer_new ();
  gtk_revealer_set_child (GTK_REVEALER (its->notice), line);
}

static void
insp_page_init (InspPage *self)
{
  InspPagePrivate *its = private_of (self);
  GtkWidget *scroller = gtk_scrolled_window_new ();
  make_notice (self, its);
  its->parts = gtk_box_new (GTK_ORIENTATION_VERTICAL, 18);
  gtk_widget_add_css_class (its->parts, "insp-page");
  gtk_scrolled_window_set_policy (GTK_SCROLLED_WINDOW (scroller), GTK_POLICY_NEVER,
                                  GTK_POLICY_AUTOMATIC);
  gtk_scrolled_window_set_child (GTK_SCROLLED_WINDOW (scroller), its->parts);
  gtk_scrollable_set_vscroll_policy (
      GTK_SCROLLABLE (gtk_scrolled_window_get_child (GTK_SCROLLED_WINDOW (scroller))),
      GTK_SCROLL_NATURAL); /* tables have room for their rows */
  gtk_widget_set_vexpand (scroller, TRUE);
  its->column = gtk_box_new (GTK_ORIENTATION_VERTICAL, 0);
  gtk_box_append (GTK_BOX (its->column), its->notice);
  gtk_box_append (GTK_BOX (its->column), scroller);
  its->stack = gtk_stack_new ();
  its->status = INSP_STATUS (insp_status_new (NULL, "", ""));
  gtk_stack_add_child (GTK_STACK (its->stack), GTK_WIDGET (its->status));
  gtk_stack_add_child (GTK_STACK (its->stack), its->column);
  gtk_widget_set_parent (its->stack, GTK_WIDGET (self));
  add_keys (self);
}

InspSession *
insp_page_get_session (InspPage *self)
{
  return private_of (self)->session;
}
