/* SPDX-License-Identifier: MIT */
/*
 * InspExplanation: why a database in a folder cannot be opened: what it means, what can be done, and what
 * this program can do without writing: try again, open it as it is now, check its files.
 *
 * Signals: “again”, “static”: to be opened so; “left”. Threads: the main one.
 */
#pragma once

#include <adwaita.h>

G_BEGIN_DECLS

#define INSP_TYPE_EXPLANATION (insp_explanation_get_type ())
G_DECLARE_FINAL_TYPE (InspExplanation, insp_explanation, INSP, EXPLANATION, AdwBin)

/* `path`: of the folder, NULL: it has none here. */
void insp_explanation_explain (InspExplanation *self, const char *path, const GError *error);

G_END_DECLS
