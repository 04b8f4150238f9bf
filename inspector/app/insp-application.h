/* SPDX-License-Identifier: MIT */
/*
 * InspApplication: org.lightningdb.Inspector. Its arguments are folders of databases, or process
 * numbers.
 */
#pragma once

#include <adwaita.h>

G_BEGIN_DECLS

#define INSP_TYPE_APPLICATION (insp_application_get_type ())
G_DECLARE_FINAL_TYPE (InspApplication, insp_application, INSP, APPLICATION, AdwApplication)

InspApplication *insp_application_new (void);

/* The menu that all windows have. */
void insp_application_add_menu (GtkMenuButton *button);

G_END_DECLS
