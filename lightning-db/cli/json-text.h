/* SPDX-License-Identifier: MIT */
/*
 * json-text: what stands between JSON as RFC 8259 has it and the parser, which takes more than that
 * (comments, octal numbers, any escape), recurses, ends texts at a zero character, and wraps
 * integers round that have more than 64 bits.
 *
 * Threads: any; it keeps nothing.
 */
#pragma once

#include <glib.h>

#define JSON_TEXT_DEPTH_MAX 256

/* What \u0000 becomes for the parser: U+10FFFF, a character that is never assigned. */
#define JSON_TEXT_ZERO_ESCAPE "\\u0000"
#define JSON_TEXT_ZERO_MARK "\xf4\x8f\xbf\xbf"

/* What keeps `text`, UTF-8 without zero bytes, from being one JSON object; translated. NULL:
 * nothing. */
const char *json_text_find_fault (const char *text, gsize size);

/* The text for the parser: \u0000 as its mark, and integers that have more than 64 bits as strings
 * of their digits. `text` has no fault. */
GString *json_text_prepare (const char *text, gsize size);
