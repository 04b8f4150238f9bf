/* SPDX-License-Identifier: MIT */
/*
 * Invariant
 *   E1  A check is under way exactly while `cancellable` is there.
 */
#include "config.h"

#include <glib/gi18n.h>
#include <lightning-db.h>

#include "insp-explanation.h"
#include "insp-faults.h"
#include "insp-sentence.h"

/* What this program can do about it. */
typedef enum
{
  TRY_AGAIN = 1 << 0,
  OPEN_STATIC = 1 << 1,
  CHECK = 1 << 2,
} Offers;

typedef struct
{
  LdbError code;
  const char *icon;
  const char *title; /* to be translated; likewise below */
  const char *advice;
  Offers offers;
} Reason;

static const Reason reasons[] = {
  { LDB_ERROR_LOCKED, "changes-prevent-symbolic", N_ ("Another Program Has It"),
    N_ ("It makes, deletes or repairs the database just now. Wait for its end, or look into that "
        "program: "
        "it is listed here when it was started with LIGHTNING_INSPECT=1 in its environment."),
    TRY_AGAIN },
  { LDB_ERROR_NEWER_FORMAT, "software-update-available-symbolic", N_ ("Made by a Newer Version"),
    N_ ("Look into it with the version that made it, or a later one."), 0 },
  { LDB_ERROR_CORRUPT, "dialog-warning-symbolic", N_ ("The Database Is Damaged"),
    N_ ("Nothing was changed. A check reads all files and says what is damaged. Then restore a "
        "backup, or "
        "have what can be read copied to a new database: lightning-cli repair."),
    CHECK },
  { LDB_ERROR_PERMISSION_DENIED, "system-lock-screen-symbolic", N_ ("You May Not Read It"),
    N_ ("The folder or a file in it belongs to somebody else, or its permissions forbid it. Ask "
        "its owner, "
        "or change them: a database is read with the permissions to read and to enter."),
    TRY_AGAIN },
  { LDB_ERROR_NOT_A_DATABASE, "folder-symbolic", N_ ("No Database"),
    N_ ("The folder holds something else. The folder of a database has a file CURRENT in it."), 0 },
  { LDB_ERROR_NOT_FOUND, "folder-symbolic", N_ ("No Database"),
    N_ ("There is none in this folder, or none any more. Nothing was made."), TRY_AGAIN },
  { LDB_ERROR_INVALID_ARGUMENT, "folder-symbolic", N_ ("No Database"),
    N_ ("A database is a folder, which is to be opened as a whole."), 0 },
  { LDB_ERROR_UNSUPPORTED, "network-server-symbolic", N_ ("The File System Cannot Do It"),
    N_ ("On a network file system nobody is told of what others write. The database can be opened "
        "as it is "
        "now, without following what happens to it."),
    OPEN_STATIC },
};

static const Reason other_reason = { LDB_ERROR_FAILED, "dialog-warning-symbolic",
                                     N_ ("The Database Cannot Be Opened"), "", TRY_AGAIN };

struct _InspExplanation
{
  AdwBin parent_instance;

  char *path;                /* NULL: none here */
  GCancellable *cancellable; /* E1; owned */
  AdwStatusPage *page;
  GtkWidget *again;
  GtkWidget *open_static;
  GtkWidget *check;
  GtkWidget *progress;
  GtkWidget *report;
};

G_DEFINE_FINAL_TYPE (InspExplanation, insp_explanation, ADW_TYPE_BIN)

enum
{
  AGAIN,
  STATIC,
  LEFT,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

/* ---- explaining ---- */

static const Reason *
find_reason (const GError *error)
{
  for (guint i = 0; i < G_N_ELEMENTS (reasons); i++)
    if (g_error_matches (error, LDB_ERROR, (int) reasons[i].code))
      return &reasons[i];
  return &other_reason;
}

static void
stop (InspExplanation *self)
{
  g_cancellable_cancel (self->cancellable);
  g_clear_object (&self->cancellable);
}

void
insp_explanation_explain (InspExplanation *self, const char *path, const GError *error)
{
  const Reason *reason = find_reason (error);
  g_autofree char *sentence = insp_sentence_of (error->message);
  g_autofree char *held = g_strdup (path);
  const char *advice = reason->advice[0] != '\0' ? _ (reason->advice) : "";
  g_autofree char *text = g_strconcat (sentence, advice[0] != '\0' ? "\n\n" : "", advice, NULL);
  g_autofree char *markup = g_markup_escape_text (text, -1);
  stop (self);
  g_free (self->path);
  self->path = g_steal_pointer (&held);
  adw_status_page_set_icon_name (self->page, reason->icon);
  adw_status_page_set_title (self->page, _ (reason->title));
  adw_status_page_set_description (self->page, markup);
  gtk_widget_set_visible (self->again, (reason->offers & TRY_AGAIN) != 0);
  gtk_widget_set_visible (self->open_static, (reason->offers & OPEN_STATIC) != 0);
  gtk_widget_set_visible (self->check, (reason->offers & CHECK) != 0 && path != NULL);
  gtk_widget_set_sensitive (self->check, TRUE); /* one that was under way is stopped */
  gtk_widget_set_visible (self->progress, FALSE);
  gtk_widget_set_visible (self->report, FALSE);
}

/* ---- checking ---- */

static void
say_report (InspExplanation *self, const char *text)
{
  gtk_widget_set_visible (self->progress, FALSE);
  gtk_widget_set_sensitive (self->check, TRUE);
  gtk_label_set_text (GTK_LABEL (self->report), text);
  gtk_widget_set_visible (self->report, TRUE);
}

static void
on_checked (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (InspExplanation) self = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (LdbCheckReport) report = ldb_database_check_path_finish (result, &error);
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED)
      || g_cancellable_is_cancelled (g_task_get_cancellable (G_TASK (result))))
    return;
  g_clear_object (&self->cancellable);
  g_autofree char *text = report == NULL ? insp_sentence_of (error->message)
                          : report->fault_count > 0
                              ? insp_faults_describe (report)
                              : g_strdup (_ ("All files are sound, and yet it cannot be opened."));
  say_report (self, text);
}

static void
on_progress (guint64 done, guint64 total, const char *step, gpointer data)
{
  InspExplanation *self = data;
  if (total > 0 && self->cancellable != NULL)
    gtk_progress_bar_set_fraction (GTK_PROGRESS_BAR (self->progress),
                                   (double) done / (double) total);
}

static void
on_check (InspExplanation *self)
{
  stop (self);
  self->cancellable = g_cancellable_new ();
  gtk_widget_set_sensitive (self->check, FALSE);
  gtk_widget_set_visible (self->report, FALSE);
  gtk_progress_bar_set_fraction (GTK_PROGRESS_BAR (self->progress), 0);
  gtk_widget_set_visible (self->progress, TRUE);
  ldb_database_check_path_async (self->path, LDB_CHECK_DEEP, on_progress, g_object_ref (self),
                                 g_object_unref, self->cancellable, on_checked,
                                 g_object_ref (self));
}

static void
on_again (InspExplanation *self)
{
  g_signal_emit (self, signals[AGAIN], 0);
}

static void
on_static (InspExplanation *self)
{
  g_signal_emit (self, signals[STATIC], 0);
}

static void
on_left (InspExplanation *self)
{
  stop (self);
  g_signal_emit (self, signals[LEFT], 0);
}

/* ---- the widget ---- */

static void
insp_explanation_dispose (GObject *object)
{
  InspExplanation *self = INSP_EXPLANATION (object);
  stop (self);
  g_clear_pointer (&self->path, g_free);
  gtk_widget_dispose_template (GTK_WIDGET (self), INSP_TYPE_EXPLANATION);
  G_OBJECT_CLASS (insp_explanation_parent_class)->dispose (object);
}

static guint
add_signal (const char *name)
{
  return g_signal_new (name, INSP_TYPE_EXPLANATION, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                       G_TYPE_NONE, 0);
}

static void
insp_explanation_class_init (InspExplanationClass *class)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (class);
  G_OBJECT_CLASS (class)->dispose = insp_explanation_dispose;
  signals[AGAIN] = add_signal ("again");
  signals[STATIC] = add_signal ("static");
  signals[LEFT] = add_signal ("left");
  gtk_widget_class_set_template_from_resource (widget_class,
                                               "/org/lightningdb/Inspector/insp-explanation.ui");
  gtk_widget_class_bind_template_child (widget_class, InspExplanation, page);
  gtk_widget_class_bind_template_child (widget_class, InspExplanation, again);
  gtk_widget_class_bind_template_child (widget_class, InspExplanation, open_static);
  gtk_widget_class_bind_template_child (widget_class, InspExplanation, check);
  gtk_widget_class_bind_template_child (widget_class, InspExplanation, progress);
  gtk_widget_class_bind_template_child (widget_class, InspExplanation, report);
  gtk_widget_class_bind_template_callback (widget_class, on_again);
  gtk_widget_class_bind_template_callback (widget_class, on_static);
  gtk_widget_class_bind_template_callback (widget_class, on_check);
  gtk_widget_class_bind_template_callback (widget_class, on_left);
}

static void
insp_explanation_init (InspExplanation *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}
