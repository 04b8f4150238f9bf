/* SPDX-License-Identifier: MIT */
/*
 * JSON, indented as people read it.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The text indented by two spaces a level, names and values as they are. NULL: it is no JSON. `whole`
 * FALSE: it may break off anywhere. Free it. */
char *insp_json_indent (const char *text, gsize size, gboolean whole);

G_END_DECLS
