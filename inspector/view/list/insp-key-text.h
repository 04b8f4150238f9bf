/* SPDX-License-Identifier: MIT */
/*
 * How keys are written in a line of a table: the beginning of them, escaped as insp-bytes.h says.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* `length`: how long the whole is when `bytes` are its beginning. NULL bytes: a dash. Free it. */
char *insp_key_text_of (GBytes *bytes, gsize length);

/* Keys from the first on and before the second, each as above; NULL: there is no such bound. Free it. */
char *insp_key_text_of_range (GBytes *start, gsize start_length, GBytes *end, gsize end_length);

/* The part of a key up to and with its last delimiter that is no letter or digit, as text; of a key
 * without one, its first bytes. Free it. */
char *insp_key_text_prefix (GBytes *bytes);

G_END_DECLS
