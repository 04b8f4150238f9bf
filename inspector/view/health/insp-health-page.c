/* SPDX-License-Identifier: MIT */
/*
 * Invariants
 *   H1  `issues` has all issues of the last verdict; one whose name is in `snoozed` is in the folded
 *       group, every other one above.
 */
#include "config.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#include "insp-deed.h"
#include "insp-export.h"
#include "insp-health-page.h"
#include "insp-issue-row.h"
#include "insp-refresher.h"
#include "insp-rollback.h"
#include "insp-upkeep.h"

#define INTERVAL 5000 /* milliseconds between examinations */

struct _InspHealthPage
{
  InspPage parent_instance;

  InspRefresher *refresher;
  InspRowList *issues;     /* H1; of LdbHealthIssue; owned */
  GHashTable *snoozed;     /* H1; names of issues; owned */
  GtkCustomFilter *open;   /* of the group above; owned by its model; likewise below */
  GtkCustomFilter *folded; /* of the group of snoozed ones */
  GtkWidget *icon;
  GtkWidget *verdict; /* a label; likewise below */
  GtkWidget *explanation;
  GtkWidget *open_list;
  GtkWidget *folder; /* a GtkExpander */
  gboolean examined;
};

G_DEFINE_FINAL_TYPE (InspHealthPage, insp_health_page, INSP_TYPE_PAGE)

/* ---- groups ---- */

static guint64
identity (gconstpointer contents)
{
  const LdbHealthIssue *issue = contents;
  return insp_row_identity_of_bytes (issue->id, strlen (issue->id)) ^ issue->target;
}

static gboolean
is_snoozed (gpointer row, gpointer page)
{
  const LdbHealthIssue *issue = insp_row_get (row);
  return g_hash_table_contains (INSP_HEALTH_PAGE (page)->snoozed, issue->id);
}

static gboolean
is_open (gpointer row, gpointer page)
{
  return !is_snoozed (row, page);
}

static void
tell_verdict (InspHealthPage *self)
{
  LdbSeverity severity = LDB_SEVERITY_NONE;
  guint count = g_list_model_get_n_items (G_LIST_MODEL (self->issues)), snoozed = 0;
  for (guint i = 0; i < count; i++)
    {
      g_autoptr (InspRow) row = g_list_model_get_item (G_LIST_MODEL (self->issues), i);
      const LdbHealthIssue *issue = insp_row_get (row);
      if (is_snoozed (row, self))
        snoozed++;
      else
        severity = MAX (severity, issue->severity);
    }
  g_autofree char *group = g_strdup_printf (_ ("Snoozed (%u)"), snoozed);
  gtk_expander_set_label (GTK_EXPANDER (self->folder), group);
  gtk_widget_set_visible (self->folder, snoozed > 0);
  gtk_widget_set_visible (self->open_list, snoozed < count);
  if (!self->examined)
    return;
  gtk_image_set_from_icon_name (GTK_IMAGE (self->icon), insp_severity_icon (severity));
  gtk_label_set_text (GTK_LABEL (self->verdict), insp_severity_name (severity));
  gtk_label_set_text (
      GTK_LABEL (self->explanation),
      severity == LDB_SEVERITY_NONE && snoozed > 0 ? _ ("There is nothing but what you snoozed.")
      : severity == LDB_SEVERITY_NONE
          ? _ ("Nothing is wrong, and there is nothing to improve. What is examined: "
               "disk, memory, log, transactions, merges, access, and how the "
               "database is used.")
          : _ ("The application examined its database. What you snooze stays away "
               "until you leave."));
}

static void
review_groups (InspHealthPage *self)
{
  gtk_filter_changed (GTK_FILTER (self->open), GTK_FILTER_CHANGE_DIFFERENT);
  gtk_filter_changed (GTK_FILTER (self->folded), GTK_FILTER_CHANGE_DIFFERENT);
  tell_verdict (self);
}

static void
on_snooze (InspHealthPage *self, InspIssueRow *row)
{
  char *id = g_strdup (insp_issue_row_get_issue (row)->id);
  if (g_hash_table_contains (self->snoozed, id))
    {
      g_hash_table_remove (self->snoozed, id);
      g_free (id);
    }
  else
    g_hash_table_add (self->snoozed, id);
  review_groups (self);
}

/* ---- asking ---- */

static void
ask (gpointer page, LdbInspector *inspector, GCancellable *cancellable,
     GAsyncReadyCallback answered, gpointer data)
{
  ldb_inspector_examine_health_async (inspector, cancellable, answered, data);
}

static gboolean
take (gpointer page, LdbInspector *inspector, GAsyncResult *result, GError **error)
{
  InspHealthPage *self = page;
  g_autoptr (LdbHealth) health = ldb_inspector_examine_health_finish (inspector, result, error);
  if (health == NULL)
    return FALSE;
  g_autoptr (GPtrArray) copies
      = g_ptr_array_new_with_free_func ((GDestroyNotify) ldb_health_issue_free);
  GPtrArray *issues = ldb_health_get_issues (health);
  for (guint i = 0; i < issues->len; i++)
    g_ptr_array_add (copies, ldb_health_issue_copy (g_ptr_array_index (issues, i)));
  insp_row_list_set (self->issues, copies);
  self->examined = TRUE;
  tell_verdict (self);
  return TRUE;
}

static void
insp_health_page_refresh (InspPage *page)
{
  insp_refresher_ask (INSP_HEALTH_PAGE (page)->refresher);
}

/* ---- remedies ---- */

static void
begin_remedy (LdbInspector *inspector, gpointer issue, GAsyncReadyCallback answered,
              gpointer answered_data)
{
  ldb_inspector_apply_remedy_async (inspector, issue, NULL, answered, answered_data);
}

static const InspDeed applying = { begin_remedy, ldb_inspector_apply_remedy_finish };

static void
on_apply (InspHealthPage *self, InspIssueRow *row)
{
  const LdbHealthIssue *issue = insp_issue_row_get_issue (row);
  if (issue->action == LDB_REMEDY_ABORT_TRANSACTION)
    insp_rollback_ask (INSP_PAGE (self), issue->target);
  else
    insp_deed_do (&applying, INSP_PAGE (self), ldb_health_issue_copy (issue),
                  (GDestroyNotify) ldb_health_issue_free);
}

/* ---- exporting ---- */

/* What is wrong, also what is snoozed; or that nothing is. */
static InspSheet *
to_sheet (GtkWidget *list)
{
  InspHealthPage *self = INSP_HEALTH_PAGE (gtk_widget_get_ancestor (list, INSP_TYPE_HEALTH_PAGE));
  const char *const columns[]
      = { _ ("Severity"), _ ("Issue"), _ ("Remedy"), _ ("Evidence"), _ ("Snoozed") };
  InspSheet *sheet = insp_sheet_new (_ ("Health"));
  guint count = g_list_model_get_n_items (G_LIST_MODEL (self->issues));
  for (guint i = 0; i < G_N_ELEMENTS (columns); i++)
    insp_sheet_add_column (sheet, columns[i]);
  for (guint i = 0; i < count; i++)
    {
      g_autoptr (InspRow) row = g_list_model_get_item (G_LIST_MODEL (self->issues), i);
      insp_issue_add_to_sheet (insp_row_get (row), sheet);
      insp_sheet_add_text (sheet, g_strdup (is_snoozed (row, self) ? _ ("Yes") : _ ("No")));
    }
  if (count > 0 || !self->examined)
    return sheet;
  insp_sheet_add_text (sheet, g_strdup (insp_severity_name (LDB_SEVERITY_NONE)));
  insp_sheet_add_text (sheet, g_strdup (gtk_label_get_text (GTK_LABEL (self->explanation))));
  for (guint i = 2; i < G_N_ELEMENTS (columns); i++)
    insp_sheet_add_text (sheet, NULL);
  return sheet;
}

/* ---- the object ---- */

static void
insp_health_page_dispose (GObject *object)
{
  InspHealthPage *self = INSP_HEALTH_PAGE (object);
  g_clear_pointer (&self->refresher, insp_refresher_free);
  G_OBJECT_CLASS (insp_health_page_parent_class)->dispose (object);
}

static void
insp_health_page_finalize (GObject *object)
{
  InspHealthPage *self = INSP_HEALTH_PAGE (object);
  g_clear_object (&self->issues);
  g_clear_pointer (&self->snoozed, g_hash_table_unref);
  G_OBJECT_CLASS (insp_health_page_parent_class)->finalize (object);
}

static void
insp_health_page_class_init (InspHealthPageClass *class)
{
  G_OBJECT_CLASS (class)->dispose = insp_health_page_dispose;
  G_OBJECT_CLASS (class)->finalize = insp_health_page_finalize;
  INSP_PAGE_CLASS (class)->refresh = insp_health_page_refresh;
}

static void
insp_health_page_init (InspHealthPage *self)
{
  self->issues = insp_row_list_new (identity, (GDestroyNotify) ldb_health_issue_free);
  self->snoozed = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
}

static GtkWidget *
make_row (gpointer item, InspHealthPage *self, gboolean snoozed)
{
  GtkWidget *row = insp_issue_row_new (item, snoozed);
  g_signal_connect_object (row, "apply", G_CALLBACK (on_apply), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (row, "snooze", G_CALLBACK (on_snooze), self, G_CONNECT_SWAPPED);
  return row;
}

static GtkWidget *
make_open_row (gpointer item, gpointer page)
{
  return make_row (item, page, FALSE);
}

static GtkWidget *
make_snoozed_row (gpointer item, gpointer page)
{
  return make_row (item, page, TRUE);
}

static GtkWidget *
make_group (InspHealthPage *self, const char *title, GtkCustomFilter *filter,
            GtkListBoxCreateWidgetFunc make)
{
  GtkWidget *list = gtk_list_box_new ();
  g_autoptr (GtkFilterListModel) shown
      = gtk_filter_list_model_new (g_object_ref (G_LIST_MODEL (self->issues)), GTK_FILTER (filter));
  gtk_list_box_set_selection_mode (GTK_LIST_BOX (list), GTK_SELECTION_NONE);
  gtk_widget_add_css_class (list, "boxed-list");
  gtk_accessible_update_property (GTK_ACCESSIBLE (list), GTK_ACCESSIBLE_PROPERTY_LABEL, title, -1);
  gtk_list_box_bind_model (GTK_LIST_BOX (list), G_LIST_MODEL (shown), make, self, NULL);
  return list;
}

static void
add_verdict (InspHealthPage *self)
{
  GtkWidget *line = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 12);
  GtkWidget *texts = gtk_box_new (GTK_ORIENTATION_VERTICAL, 3);
  GtkWidget *again = gtk_button_new_from_icon_name ("view-refresh-symbolic");
  self->icon = gtk_image_new_from_icon_name ("content-loading-symbolic");
  gtk_image_set_pixel_size (GTK_IMAGE (self->icon), 32);
  self->verdict = gtk_label_new (_ ("Not Examined Yet"));
  self->explanation = gtk_label_new (_ ("The application is asked to examine its database."));
  gtk_label_set_xalign (GTK_LABEL (self->verdict), 0);
  gtk_label_set_xalign (GTK_LABEL (self->explanation), 0);
  gtk_label_set_wrap (GTK_LABEL (self->explanation), TRUE);
  gtk_widget_add_css_class (self->verdict, "title-2");
  gtk_widget_add_css_class (self->explanation, "dim-label");
  gtk_widget_set_hexpand (texts, TRUE);
  gtk_widget_set_valign (again, GTK_ALIGN_CENTER);
  gtk_widget_set_tooltip_text (again, _ ("Examine again"));
  gtk_accessible_update_property (GTK_ACCESSIBLE (again), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  _ ("Examine again"), -1);
  g_signal_connect_swapped (again, "clicked", G_CALLBACK (insp_health_page_refresh), self);
  gtk_box_append (GTK_BOX (texts), self->verdict);
  gtk_box_append (GTK_BOX (texts), self->explanation);
  gtk_box_append (GTK_BOX (line), self->icon);
  gtk_box_append (GTK_BOX (line), texts);
  gtk_box_append (GTK_BOX (line), again);
  insp_page_add (INSP_PAGE (self), line);
}

GtkWidget *
insp_health_page_new (InspSession *session)
{
  InspHealthPage *self = g_object_new (INSP_TYPE_HEALTH_PAGE, "session", session, NULL);
  add_verdict (self);
  self->open = gtk_custom_filter_new (is_open, self, NULL);
  self->open_list = make_group (self, _ ("Issues"), self->open, make_open_row);
  insp_export_set_sheet (self->open_list, to_sheet);
  insp_page_add (INSP_PAGE (self), self->open_list);
  self->folded = gtk_custom_filter_new (is_snoozed, self, NULL);
  self->folder = gtk_expander_new (NULL);
  gtk_expander_set_child (GTK_EXPANDER (self->folder),
                          make_group (self, _ ("Snoozed issues"), self->folded, make_snoozed_row));
  insp_page_add (INSP_PAGE (self), self->folder);
  insp_page_add_section (INSP_PAGE (self), _ ("Upkeep"), NULL, insp_upkeep_new (session));
  insp_export_offer (GTK_WIDGET (self), "health");
  tell_verdict (self);
  self->refresher
      = insp_refresher_new (GTK_WIDGET (self), session, INTERVAL, ask, take, insp_page_tell_from);
  return GTK_WIDGET (self);
}
