/* SPDX-License-Identifier: MIT */
/*
 * InspTable: rows of an InspRowList (or of a model made of one) as a table. Of no rows it says why there
 * are none. Ctrl+C copies the row that is selected, as its columns' texts.
 */
#pragma once

#include <gtk/gtk.h>

#include "insp-row-list.h"
#include "insp-sheet.h"

G_BEGIN_DECLS

/* What a cell says of a row's contents; freed. */
typedef char *(*InspTableText) (gconstpointer contents, gpointer data);

/* Has a cell's widget show a row's contents. */
typedef void (*InspTableShow) (GtkWidget *widget, gconstpointer contents, gpointer data);

typedef enum
{
  INSP_TABLE_TEXT,
  INSP_TABLE_NUMBER, /* at the end of its column */
  INSP_TABLE_WIDE,   /* takes what room there is */
} InspTableColumn;

#define INSP_TYPE_TABLE (insp_table_get_type ())
G_DECLARE_FINAL_TYPE (InspTable, insp_table, INSP, TABLE, GtkWidget)

/* Signals: selected (), activated (). `title` names it to assistive technology, `empty` is said of no
 * rows. Takes the model; its items are InspRow. */
GtkWidget *insp_table_new (const char *title, const char *empty, GListModel *model);
/* `data` has to live as long. */
void insp_table_add_column (InspTable *self, const char *title, InspTableColumn kind,
                            InspTableText text, gpointer data);
/* A column of widgets, whose text is what is copied. */
void insp_table_add_widgets (InspTable *self, const char *title, GType widget, InspTableShow show,
                             InspTableText text, gpointer data);

void insp_table_set_empty (InspTable *self, const char *empty);
/* Pixels: at least and at most, by what is in it. */
void insp_table_set_heights (InspTable *self, int least, int most);

/* For rows that come all the time: it has those that fit into its height, and no others, while nobody uses
 * it, and none while it is hidden. Who points at it, has the keyboard in it, has selected or scrolled, has all of them. Once, after the
 * heights are set. */
void insp_table_show_first (InspTable *self);

/* What is selected; NULL: nothing. Valid until the list changes. */
gconstpointer insp_table_get_selected (InspTable *self);
void insp_table_unselect (InspTable *self);

/* All rows, for a file. */
InspSheet *insp_table_to_sheet (InspTable *self);

/* What a cell says: for tests. Free it. */
char *insp_table_get_cell (InspTable *self, guint row, guint column);

G_END_DECLS
