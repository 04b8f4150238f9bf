/* SPDX-License-Identifier: MIT */
#pragma once

#include "insp-session.h"
#include "ldb-inspector-view.h"

G_BEGIN_DECLS

InspSession *insp_view_get_session (LdbInspectorView *self); /* NULL: nothing is shown */

/* Shows a session, or nothing (NULL), and leaves the one before. Takes a reference. */
void insp_view_show (LdbInspectorView *self, InspSession *session);

G_END_DECLS
