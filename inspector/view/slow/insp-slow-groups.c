/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#include "insp-key-text.h"
#include "insp-slow-groups.h"
#include "insp-slow-table.h"
#include "insp-table.h"
#include "insp-time-split.h"
#include "insp-unit.h"

typedef struct
{
  char *name; /* owned */
  guint count;
  guint64 sum; /* nanoseconds; likewise below */
  guint64 longest;
  InspTimeParts parts;
} Group;

struct _InspSlowGroups
{
  GtkWidget parent_instance;

  InspRowList *operations; /* of LdbSlowOperation; owned */
  InspRowList *groups;     /* of Group; owned */
  InspTable *table;        /* child */
  InspGrouping grouping;
};

G_DEFINE_FINAL_TYPE (InspSlowGroups, insp_slow_groups, GTK_TYPE_WIDGET)

/* ---- groups ---- */

static void
group_free (gpointer data)
{
  Group *self = data;
  g_free (self->name);
  g_free (self);
}

static guint64
identity (gconstpointer contents)
{
  const char *name = ((const Group *) contents)->name;
  return insp_row_identity_of_bytes (name, strlen (name));
}

static char *
name_of (InspSlowGroups *self, const LdbSlowOperation *operation)
{
  if (self->grouping == INSP_GROUP_KIND)
    return g_strdup (insp_slow_operation_name (operation->kind));
  if (operation->key == NULL)
    return g_strdup (_ ("Of several keys"));
  return insp_key_text_prefix (operation->key);
}

static void
add (InspSlowGroups *self, GHashTable *groups, const LdbSlowOperation *operation)
{
  g_autofree char *name = name_of (self, operation);
  Group *group = g_hash_table_lookup (groups, name);
  if (group == NULL)
    {
      group = g_new0 (Group, 1);
      group->name = g_steal_pointer (&name);
      g_hash_table_insert (groups, group->name, group);
    }
  group->count++;
  group->sum += operation->duration;
  group->longest = MAX (group->longest, operation->duration);
  insp_time_parts_add (&group->parts, operation);
}

static int
compare_sums (gconstpointer first, gconstpointer second)
{
  const Group *a = *(const Group *const *) first, *b = *(const Group *const *) second;
  return a->sum != b->sum ? (a->sum < b->sum ? 1 : -1) : strcmp (a->name, b->name);
}

/* The group that took longest in all first. */
static void
fill (InspSlowGroups *self)
{
  GHashTableIter iterator;
  gpointer group;
  const LdbSlowOperation *operation;
  g_autoptr (GHashTable) groups = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GPtrArray) sorted = g_ptr_array_new ();
  for (guint i = 0; (operation = insp_row_list_get (self->operations, i)) != NULL; i++)
    add (self, groups, operation);
  g_hash_table_iter_init (&iterator, groups);
  while (g_hash_table_iter_next (&iterator, NULL, &group))
    g_ptr_array_add (sorted, group);
  g_ptr_array_sort (sorted, compare_sums);
  insp_row_list_set (self->groups, sorted);
}

void
insp_slow_groups_set_grouping (InspSlowGroups *self, InspGrouping grouping)
{
  self->grouping = grouping;
  fill (self);
}

/* ---- columns ---- */

static char *
format_name (gconstpointer contents, gpointer data)
{
  return g_strdup (((const Group *) contents)->name);
}

static char *
format_count (gconstpointer contents, gpointer data)
{
  return g_strdup_printf ("%u", ((const Group *) contents)->count);
}

static char *
format_sum (gconstpointer contents, gpointer data)
{
  return insp_unit_format (INSP_UNIT_NANOSECONDS, (double) ((const Group *) contents)->sum);
}

static char *
format_longest (gconstpointer contents, gpointer data)
{
  return insp_unit_format (INSP_UNIT_NANOSECONDS, (double) ((const Group *) contents)->longest);
}

static char *
format_split (gconstpointer contents, gpointer data)
{
  return insp_time_parts_format (&((const Group *) contents)->parts);
}

static void
show_split (GtkWidget *widget, gconstpointer contents, gpointer data)
{
  insp_time_split_show (INSP_TIME_SPLIT (widget), &((const Group *) contents)->parts);
}

char *
insp_slow_groups_get_cell (InspSlowGroups *self, guint row, guint column)
{
  return insp_table_get_cell (self->table, row, column);
}

/* ---- the object ---- */

static void
insp_slow_groups_dispose (GObject *object)
{
  InspSlowGroups *self = INSP_SLOW_GROUPS (object);
  g_clear_pointer ((GtkWidget **) &self->table, gtk_widget_unparent);
  g_clear_object (&self->groups);
  g_clear_object (&self->operations);
  G_OBJECT_CLASS (insp_slow_groups_parent_class)->dispose (object);
}

static void
insp_slow_groups_class_init (InspSlowGroupsClass *class)
{
  G_OBJECT_CLASS (class)->dispose = insp_slow_groups_dispose;
  gtk_widget_class_set_layout_manager_type (GTK_WIDGET_CLASS (class), GTK_TYPE_BIN_LAYOUT);
}

static void
insp_slow_groups_init (InspSlowGroups *self)
{
  self->groups = insp_row_list_new (identity, group_free);
  self->table = INSP_TABLE (insp_table_new (
      _ ("Groups of slow operations"),
      _ ("No operation took longer than the threshold: 10 ms, unless the application set another."),
      g_object_ref (G_LIST_MODEL (self->groups))));
  insp_table_set_heights (self->table, 110, 240);
  insp_table_add_column (self->table, _ ("Group"), INSP_TABLE_WIDE, format_name, NULL);
  /* Translators: the column of a table: how many there are */
  insp_table_add_column (self->table, _ ("Number"), INSP_TABLE_NUMBER, format_count, NULL);
  insp_table_add_column (self->table, _ ("In All"), INSP_TABLE_NUMBER, format_sum, NULL);
  insp_table_add_column (self->table, _ ("Longest"), INSP_TABLE_NUMBER, format_longest, NULL);
  insp_table_add_widgets (self->table, _ ("Spent With"), INSP_TYPE_TIME_SPLIT, show_split,
                          format_split, NULL);
  gtk_widget_set_parent (GTK_WIDGET (self->table), GTK_WIDGET (self));
}

GtkWidget *
insp_slow_groups_new (InspRowList *operations)
{
  InspSlowGroups *self = g_object_new (INSP_TYPE_SLOW_GROUPS, NULL);
  self->operations = g_object_ref (operations);
  g_signal_connect_object (operations, "items-changed", G_CALLBACK (fill), self, G_CONNECT_SWAPPED);
  fill (self);
  return GTK_WIDGET (self);
}
