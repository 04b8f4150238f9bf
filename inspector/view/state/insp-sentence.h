/* SPDX-License-Identifier: MIT */
/*
 * Messages of the library as people read them. Compiled into the application, too: the widget's library
 * exports the widget alone.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* A message that may begin in lower case and lack a full stop, as a sentence. Free it. */
char *insp_sentence_of (const char *message);

G_END_DECLS
