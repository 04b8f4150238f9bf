/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <glib/gi18n-lib.h>

#include "insp-choice.h"
#include "insp-flow.h"
#include "insp-load-form.h"

#define OWN_MIX "own mix" /* the last preset; translated as insp_load_plan_name() has it */

enum
{
  DATABASE_NEW,
  DATABASE_COPY,
};

struct _InspLoadForm
{
  GtkWidget parent_instance;

  GtkWidget *box;      /* child */
  GtkWidget *database; /* a drop-down; likewise below */
  GtkWidget *preset;
  GtkWidget *order;
  GtkWidget *records; /* a spin button; likewise below */
  GtkWidget *value_size;
  GtkWidget *threads;
  GtkWidget *seconds;
  GtkWidget *shares[MIX_KINDS];
  GtkWidget *durable;  /* a check button */
  guint presets;       /* how many there are, without one's own mix */
  gboolean is_filling; /* its controls are set by itself */
};

G_DEFINE_FINAL_TYPE (InspLoadForm, insp_load_form, GTK_TYPE_WIDGET)

enum
{
  CHANGED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

/* ---- what is chosen ---- */

/* With what is typed and not confirmed yet. */
static guint
number_of (GtkWidget *spin)
{
  gtk_spin_button_update (GTK_SPIN_BUTTON (spin));
  return (guint) gtk_spin_button_get_value_as_int (GTK_SPIN_BUTTON (spin));
}

void
insp_load_form_get_plan (InspLoadForm *self, InspLoadPlan *plan)
{
  *plan = (InspLoadPlan){
    .records = number_of (self->records),
    .value_size = number_of (self->value_size),
    .threads = number_of (self->threads),
    .seconds = number_of (self->seconds),
    .order = (enum mix_order) gtk_drop_down_get_selected (GTK_DROP_DOWN (self->order)),
    .durable = gtk_check_button_get_active (GTK_CHECK_BUTTON (self->durable)),
  };
  for (guint i = 0; i < MIX_KINDS; i++)
    plan->shares[i] = number_of (self->shares[i]);
}

gboolean
insp_load_form_get_copies (InspLoadForm *self)
{
  return gtk_drop_down_get_selected (GTK_DROP_DOWN (self->database)) == DATABASE_COPY;
}

void
insp_load_form_set_open (InspLoadForm *self, gboolean open)
{
  GtkRoot *root = gtk_widget_get_root (GTK_WIDGET (self));
  if (!open && root != NULL && gtk_widget_get_focus_child (self->box) != NULL)
    gtk_root_set_focus (root, NULL); /* an entry that becomes insensitive would keep the keyboard */
  gtk_widget_set_sensitive (self->box, open);
}

static void
show_mix (InspLoadForm *self, const InspLoadPlan *plan)
{
  self->is_filling = TRUE;
  for (guint i = 0; i < MIX_KINDS; i++)
    gtk_spin_button_set_value (GTK_SPIN_BUTTON (self->shares[i]), plan->shares[i]);
  gtk_drop_down_set_selected (GTK_DROP_DOWN (self->order), plan->order);
  gtk_check_button_set_active (GTK_CHECK_BUTTON (self->durable), plan->durable);
  self->is_filling = FALSE;
}

static void
on_preset (InspLoadForm *self)
{
  InspLoadPlan plan;
  guint preset = gtk_drop_down_get_selected (GTK_DROP_DOWN (self->preset));
  if (self->is_filling || preset >= self->presets)
    return;
  insp_load_plan_init (&plan);
  insp_load_plan_set_preset (&plan, preset);
  show_mix (self, &plan);
  g_signal_emit (self, signals[CHANGED], 0);
}

/* The preset is the one that it is now, or none. */
static void
on_changed (InspLoadForm *self)
{
  InspLoadPlan plan;
  if (self->is_filling)
    return;
  insp_load_form_get_plan (self, &plan);
  int preset = insp_load_plan_find_preset (&plan);
  self->is_filling = TRUE;
  gtk_drop_down_set_selected (GTK_DROP_DOWN (self->preset),
                              preset >= 0 ? (guint) preset : self->presets);
  self->is_filling = FALSE;
  g_signal_emit (self, signals[CHANGED], 0);
}

/* ---- parts ---- */

/* A control below its name. */
static void
add (GtkWidget *flow, const char *name, GtkWidget *control)
{
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 3);
  GtkWidget *label = gtk_label_new (name);
  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_label_set_ellipsize (GTK_LABEL (label), PANGO_ELLIPSIZE_END);
  gtk_widget_add_css_class (label, "dim-label");
  gtk_accessible_update_property (GTK_ACCESSIBLE (control), GTK_ACCESSIBLE_PROPERTY_LABEL, name,
                                  -1);
  gtk_box_append (GTK_BOX (box), label);
  gtk_box_append (GTK_BOX (box), control);
  insp_flow_add (flow, box);
}

static GtkWidget *
add_choice (InspLoadForm *self, GtkWidget *flow, const char *name, GtkStringList *choices,
            void (*chosen) (InspLoadForm *))
{
  GtkWidget *choice = insp_choice_new (G_LIST_MODEL (choices), NULL, name);
  g_signal_connect_swapped (choice, "notify::selected", G_CALLBACK (chosen), self);
  add (flow, name, choice);
  return choice;
}

static GtkWidget *
add_number (InspLoadForm *self, GtkWidget *flow, const char *name, guint least, guint most,
            guint step, guint number)
{
  GtkWidget *spin = gtk_spin_button_new_with_range (least, most, step);
  gtk_spin_button_set_value (GTK_SPIN_BUTTON (spin), number);
  g_signal_connect_swapped (spin, "value-changed", G_CALLBACK (on_changed), self);
  add (flow, name, spin);
  return spin;
}

static void
add_choices (InspLoadForm *self, gboolean can_copy)
{
  GtkWidget *flow = insp_flow_new (3, 9);
  GtkStringList *databases = gtk_string_list_new (NULL), *presets = gtk_string_list_new (NULL);
  GtkStringList *orders = gtk_string_list_new (NULL);
  gtk_string_list_append (databases, _ ("A new one"));
  if (can_copy)
    gtk_string_list_append (databases, _ ("A copy of this one"));
  for (; mix_presets[self->presets].row != NULL; self->presets++)
    gtk_string_list_append (presets, _ (workload_find (mix_presets[self->presets].row)->title));
  gtk_string_list_append (presets, _ (OWN_MIX));
  for (guint i = 0; i < MIX_ORDERS; i++)
    gtk_string_list_append (orders, insp_load_order_name ((enum mix_order) i));
  self->database = add_choice (self, flow, _ ("Database"), databases, on_changed);
  self->preset = add_choice (self, flow, _ ("Preset"), presets, on_preset);
  self->order = add_choice (self, flow, _ ("Keys"), orders, on_changed);
  gtk_box_append (GTK_BOX (self->box), flow);
}

static void
add_numbers (InspLoadForm *self)
{
  InspLoadPlan plan;
  GtkWidget *sizes = insp_flow_new (4, 9), *shares = insp_flow_new_even (2, 6, 9);
  insp_load_plan_init (&plan);
  self->records = add_number (self, sizes, _ ("Records"), INSP_LOAD_RECORDS_LEAST,
                              INSP_LOAD_RECORDS_MOST, 10000, plan.records);
  self->value_size = add_number (self, sizes, _ ("Bytes of a value"), INSP_LOAD_VALUE_LEAST,
                                 INSP_LOAD_VALUE_MOST, 10, plan.value_size);
  self->threads
      = add_number (self, sizes, _ ("Threads"), 1, INSP_LOAD_THREADS_MOST, 1, plan.threads);
  self->seconds
      = add_number (self, sizes, _ ("Seconds"), 1, INSP_LOAD_SECONDS_MOST, 1, plan.seconds);
  for (guint i = 0; i < MIX_KINDS; i++)
    {
      /* Translators: the share of a kind of operations, in percent */
      g_autofree char *name
          = g_strdup_printf (_ ("%s, %%"), insp_load_kind_name ((enum mix_kind) i));
      self->shares[i] = add_number (self, shares, name, 0, 100, 5, plan.shares[i]);
    }
  self->durable
      = gtk_check_button_new_with_label (_ ("Each commit reaches the disk before it is done"));
  g_signal_connect_swapped (self->durable, "toggled", G_CALLBACK (on_changed), self);
  gtk_box_append (GTK_BOX (self->box), sizes);
  gtk_box_append (GTK_BOX (self->box), shares);
  gtk_box_append (GTK_BOX (self->box), self->durable);
}

/* ---- the object ---- */

static void
insp_load_form_dispose (GObject *object)
{
  g_clear_pointer (&INSP_LOAD_FORM (object)->box, gtk_widget_unparent);
  G_OBJECT_CLASS (insp_load_form_parent_class)->dispose (object);
}

static void
insp_load_form_class_init (InspLoadFormClass *class)
{
  G_OBJECT_CLASS (class)->dispose = insp_load_form_dispose;
  signals[CHANGED] = g_signal_new ("changed", INSP_TYPE_LOAD_FORM, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                   NULL, G_TYPE_NONE, 0);
  gtk_widget_class_set_layout_manager_type (GTK_WIDGET_CLASS (class), GTK_TYPE_BIN_LAYOUT);
}

static void
insp_load_form_init (InspLoadForm *self)
{
  self->box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 12);
  gtk_widget_set_parent (self->box, GTK_WIDGET (self));
}

GtkWidget *
insp_load_form_new (gboolean can_copy)
{
  InspLoadForm *self = g_object_new (INSP_TYPE_LOAD_FORM, NULL);
  self->is_filling = TRUE;
  add_choices (self, can_copy);
  add_numbers (self);
  self->is_filling = FALSE;
  return GTK_WIDGET (self);
}
