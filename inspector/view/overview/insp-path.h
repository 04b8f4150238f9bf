/* SPDX-License-Identifier: MIT */
/*
 * InspPath: the five steps that a read or a write takes, one behind the other, each with what it does
 * now.
 */
#pragma once

#include <gtk/gtk.h>

#include "insp-history.h"

G_BEGIN_DECLS

#define INSP_TYPE_PATH (insp_path_get_type ())
G_DECLARE_FINAL_TYPE (InspPath, insp_path, INSP, PATH, GtkWidget)

GtkWidget *insp_path_new_for_reads (InspHistory *history);
GtkWidget *insp_path_new_for_writes (InspHistory *history);

G_END_DECLS
