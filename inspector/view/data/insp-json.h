/* SPDX-License-Identifier: MIT */
/*
 * JSON, indented as people read it, and where a text is none.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The text indented by two spaces a level, 40 levels at most, names and values as they are. NULL: it is no
 * JSON. `whole` FALSE: it may break off anywhere. Free it. */
char *insp_json_indent (const char *text, gsize size, gboolean whole);

/* Whether that is not NULL. */
gboolean insp_json_is (const char *text, gsize size, gboolean whole);

/* Where a text stops being JSON: the offset in bytes of what does not belong there, `size` if something is
 * missing at the end. -1: it is JSON, by RFC 8259. */
gssize insp_json_find_error (const char *text, gsize size);

G_END_DECLS
