/* SPDX-License-Identifier: MIT */
/*
 * InspKeyMarks: which keys of a list were written by others, and the rows that say so for two seconds.
 *
 * Threads: the main one.
 */
#pragma once

#include "insp-key.h"

G_BEGIN_DECLS

typedef struct _InspKeyMarks InspKeyMarks;

InspKeyMarks *insp_key_marks_new (void);
void insp_key_marks_free (InspKeyMarks *self);

/* A key was written: remembered until its row is there. */
void insp_key_marks_touch (InspKeyMarks *self, GBytes *key);

/* Whether it was, since it was asked last. */
gboolean insp_key_marks_take (InspKeyMarks *self, GBytes *key);

/* Marks a row, for two seconds. */
void insp_key_marks_mark (InspKeyMarks *self, InspKey *row, InspKeyMark as);

G_END_DECLS
