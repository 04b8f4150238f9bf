/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#include "insp-flow.h"
#include "insp-fold.h"
#include "insp-issue-row.h"
#include "insp-key-text.h"
#include "insp-row-text.h"
#include "insp-unit.h"

struct _InspIssueRow
{
  GtkWidget parent_instance;

  InspRow *row;    /* owned */
  GtkWidget *icon; /* child; likewise below */
  GtkWidget *fold;
  GtkWidget *texts;    /* in the fold; likewise below */
  GtkWidget *buttons;  /* an InspFlow */
  GtkWidget *severity; /* in the texts; likewise below */
  GtkWidget *summary;
  GtkWidget *remedy;
  GtkWidget *evidence;
  GtkWidget *apply; /* in the buttons; likewise below */
  GtkWidget *snooze;
};

G_DEFINE_FINAL_TYPE (InspIssueRow, insp_issue_row, GTK_TYPE_WIDGET)

enum
{
  APPLY,
  SNOOZE,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

/* ---- words ---- */

const char *
insp_severity_name (LdbSeverity severity)
{
  static const char *const names[] = {
    [LDB_SEVERITY_NONE] = N_ ("Healthy"),
    [LDB_SEVERITY_ADVICE] = N_ ("Advice"),
    [LDB_SEVERITY_WARNING] = N_ ("Warning"),
    [LDB_SEVERITY_CRITICAL] = N_ ("Critical"),
  };
  return severity < G_N_ELEMENTS (names) ? _ (names[severity]) : "";
}

const char *
insp_severity_icon (LdbSeverity severity)
{
  static const char *const names[] = {
    [LDB_SEVERITY_NONE] = "emblem-ok-symbolic",
    [LDB_SEVERITY_ADVICE] = "dialog-information-symbolic",
    [LDB_SEVERITY_WARNING] = "dialog-warning-symbolic",
    [LDB_SEVERITY_CRITICAL] = "dialog-error-symbolic",
  };
  return severity < G_N_ELEMENTS (names) ? names[severity] : names[LDB_SEVERITY_ADVICE];
}

static const char *
action_name (LdbRemedy action)
{
  static const char *const names[] = {
    [LDB_REMEDY_NONE] = NULL,
    [LDB_REMEDY_FLUSH] = NC_ ("button", "Flush"),
    [LDB_REMEDY_COMPACT] = NC_ ("button", "Compact"),
    [LDB_REMEDY_RESTRICT_ACCESS] = NC_ ("button", "Restrict Access"),
    [LDB_REMEDY_ABORT_TRANSACTION] = NC_ ("button", "Roll Back…"),
    [LDB_REMEDY_CHECK] = NC_ ("button", "Check"),
  };
  return action < G_N_ELEMENTS (names) && names[action] != NULL
             ? g_dpgettext2 (GETTEXT_PACKAGE, "button", names[action])
             : NULL;
}

/* The name says which unit the figure has. */
static char *
format_figure (const char *name, GVariant *value)
{
  if (g_variant_is_of_type (value, G_VARIANT_TYPE_STRING))
    return g_variant_dup_string (value, NULL);
  if (g_variant_is_of_type (value, G_VARIANT_TYPE_BOOLEAN))
    return g_strdup (g_variant_get_boolean (value) ? _ ("yes") : _ ("no"));
  if (g_variant_is_of_type (value, G_VARIANT_TYPE_DOUBLE))
    return insp_unit_format (g_str_equal (name, "ratio") ? INSP_UNIT_COUNT : INSP_UNIT_SHARE,
                             g_variant_get_double (value));
  if (!g_variant_is_of_type (value, G_VARIANT_TYPE_UINT64))
    return g_variant_print (value, FALSE);
  double number = (double) g_variant_get_uint64 (value);
  if (g_str_has_suffix (name, "bytes"))
    return insp_unit_format (INSP_UNIT_BYTES, number);
  if (g_str_has_suffix (name, "_ns"))
    return insp_unit_format (INSP_UNIT_NANOSECONDS, number);
  return insp_unit_format (INSP_UNIT_COUNT, number);
}

char *
insp_evidence_format (GVariant *evidence)
{
  GVariantIter iterator;
  const char *name;
  GVariant *value;
  GString *text = g_string_new (NULL);
  g_variant_iter_init (&iterator, evidence);
  while (g_variant_iter_next (&iterator, "{&sv}", &name, &value))
    {
      g_autofree char *figure = format_figure (name, value);
      g_autofree char *words = g_strdup (name);
      if (g_str_has_suffix (words, "_ns"))
        words[strlen (words) - 3] = '\0';
      else if (g_str_has_suffix (words, "_bytes"))
        words[strlen (words) - 6] = '\0';
      g_strdelimit (words, "_", ' ');
      g_string_append_printf (text, "%s%s: %s", text->len > 0 ? " · " : "", words, figure);
      g_variant_unref (value);
    }
  return g_string_free (text, FALSE);
}

/* ---- showing ---- */

const LdbHealthIssue *
insp_issue_row_get_issue (InspIssueRow *self)
{
  return insp_row_get (self->row);
}

static char *
evidence_of (const LdbHealthIssue *issue)
{
  GVariant *figures = ldb_health_issue_get_evidence (issue);
  GBytes *key = ldb_health_issue_get_key (issue);
  char *text = figures != NULL ? insp_evidence_format (figures) : g_strdup ("");
  if (key == NULL)
    return text;
  g_autofree char *figures_text = text;
  g_autofree char *key_text = insp_key_text_of (key, g_bytes_get_size (key));
  /* Translators: the evidence of an issue: the key that it is about, and figures */
  return g_strdup_printf (_ ("key: %s · %s"), key_text, figures_text);
}

static void
show (InspIssueRow *self)
{
  const LdbHealthIssue *issue = insp_issue_row_get_issue (self);
  const char *action = action_name (issue->action);
  g_autofree char *evidence = evidence_of (issue);
  gtk_image_set_from_icon_name (GTK_IMAGE (self->icon), insp_severity_icon (issue->severity));
  gtk_label_set_text (GTK_LABEL (self->severity), insp_severity_name (issue->severity));
  gtk_label_set_text (GTK_LABEL (self->summary), issue->summary);
  gtk_label_set_text (GTK_LABEL (self->remedy), issue->remedy);
  gtk_label_set_text (GTK_LABEL (self->evidence), evidence);
  gtk_widget_set_visible (gtk_widget_get_parent (self->apply), action != NULL);
  if (action != NULL)
    gtk_button_set_label (GTK_BUTTON (self->apply), action);
}

void
insp_issue_add_to_sheet (const LdbHealthIssue *issue, InspSheet *sheet)
{
  insp_sheet_add_text (sheet, g_strdup (insp_severity_name (issue->severity)));
  insp_sheet_add_text (sheet, g_strdup (issue->summary));
  insp_sheet_add_text (sheet, g_strdup (issue->remedy));
  insp_sheet_add_text (sheet, evidence_of (issue));
}

static void
on_apply (InspIssueRow *self)
{
  g_signal_emit (self, signals[APPLY], 0);
}

static void
on_snooze (InspIssueRow *self)
{
  g_signal_emit (self, signals[SNOOZE], 0);
}

/* ---- the object ---- */

static void
insp_issue_row_dispose (GObject *object)
{
  InspIssueRow *self = INSP_ISSUE_ROW (object);
  g_clear_pointer (&self->icon, gtk_widget_unparent);
  g_clear_pointer (&self->fold, gtk_widget_unparent);
  g_clear_object (&self->row);
  G_OBJECT_CLASS (insp_issue_row_parent_class)->dispose (object);
}

static void
insp_issue_row_class_init (InspIssueRowClass *class)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (class);
  G_OBJECT_CLASS (class)->dispose = insp_issue_row_dispose;
  signals[APPLY] = g_signal_new ("apply", INSP_TYPE_ISSUE_ROW, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                 NULL, G_TYPE_NONE, 0);
  signals[SNOOZE] = g_signal_new ("snooze", INSP_TYPE_ISSUE_ROW, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                  NULL, G_TYPE_NONE, 0);
  gtk_widget_class_set_layout_manager_type (widget_class, GTK_TYPE_BOX_LAYOUT);
  gtk_widget_class_set_css_name (widget_class, "insp-issue");
}

static GtkWidget *
add_button (InspIssueRow *self, void (*pressed) (InspIssueRow *))
{
  GtkWidget *button = gtk_button_new ();
  g_signal_connect_swapped (button, "clicked", G_CALLBACK (pressed), self);
  insp_flow_add (self->buttons, button);
  return button;
}

static void
insp_issue_row_init (InspIssueRow *self)
{
  gtk_box_layout_set_spacing (GTK_BOX_LAYOUT (gtk_widget_get_layout_manager (GTK_WIDGET (self))),
                              12);
  self->icon = gtk_image_new ();
  gtk_widget_set_valign (self->icon, GTK_ALIGN_START);
  self->texts = gtk_box_new (GTK_ORIENTATION_VERTICAL, 3);
  self->severity = insp_row_text_add (GTK_BOX (self->texts), "caption-heading");
  self->summary = insp_row_text_add (GTK_BOX (self->texts), NULL);
  self->remedy = insp_row_text_add (GTK_BOX (self->texts), "dim-label");
  self->evidence = insp_row_text_add (GTK_BOX (self->texts), "caption");
  gtk_widget_add_css_class (self->evidence, "dim-label");
  self->buttons = insp_flow_new (2, 0);
  gtk_widget_set_valign (self->buttons, GTK_ALIGN_CENTER);
  self->apply = add_button (self, on_apply);
  self->snooze = add_button (self, on_snooze);
  gtk_widget_set_parent (self->icon, GTK_WIDGET (self));
  self->fold = insp_fold_new (self->texts, self->buttons);
  gtk_widget_set_parent (self->fold, GTK_WIDGET (self));
}

GtkWidget *
insp_issue_row_new (InspRow *row, gboolean snoozed)
{
  InspIssueRow *self = g_object_new (INSP_TYPE_ISSUE_ROW, NULL);
  self->row = g_object_ref (row);
  g_signal_connect_object (row, "changed", G_CALLBACK (show), self, G_CONNECT_SWAPPED);
  gtk_button_set_label (GTK_BUTTON (self->snooze), snoozed ? _ ("Show Again") : _ ("Snooze"));
  show (self);
  return GTK_WIDGET (self);
}
