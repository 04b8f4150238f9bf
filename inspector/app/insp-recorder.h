/* SPDX-License-Identifier: MIT */
/*
 * InspRecorder: saves what a window's view saw to a file, and opens such files: the actions “record” and
 * “open-recording”, with their dialogs.
 *
 * Threads: the main one.
 */
#pragma once

#include "insp-window.h"

G_BEGIN_DECLS

/* Adds the actions to a window. */
void insp_recorder_add_actions (InspWindow *window);

/* Opens a recording and shows it in the window. */
void insp_recorder_open (InspWindow *window, GFile *file);

/* Whether a file is named as recordings are. */
gboolean insp_recorder_knows (GFile *file);

G_END_DECLS
