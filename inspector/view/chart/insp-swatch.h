/* SPDX-License-Identifier: MIT */
/* InspSwatch: the colour of a line, beside its name. */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define INSP_TYPE_SWATCH (insp_swatch_get_type ())
G_DECLARE_FINAL_TYPE (InspSwatch, insp_swatch, INSP, SWATCH, GtkWidget)

/* `index`: in the palette. */
GtkWidget *insp_swatch_new (guint index);

G_END_DECLS
