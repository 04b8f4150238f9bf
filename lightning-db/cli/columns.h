/* SPDX-License-Identifier: MIT */
/* Text in columns of a terminal, whose letters may be two cells wide, or none. */
#pragma once

#include <glib.h>

/* In cells. */
int column_width (const char *text);

/* `text` in `width` cells, at their left or right end; longer text takes what it takes. */
void column_append_left (GString *to, const char *text, int width);
void column_append_right (GString *to, const char *text, int width);

/* In `width` cells, 1 at least, at their left end; longer text ends in an ellipsis. */
void column_append_cut (GString *to, const char *text, int width);

/* The same to standard output. */
void column_print_left (const char *text, int width);
void column_print_right (const char *text, int width);
