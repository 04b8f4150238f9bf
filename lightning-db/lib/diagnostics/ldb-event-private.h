/* SPDX-License-Identifier: MIT */
#pragma once

#include "engine.h"
#include "ldb-event.h"
#include "ldb-json-private.h"

G_BEGIN_DECLS

/* Those that the engine has kept with a number above `after`, oldest first (element-type
 * LdbEvent). */
GPtrArray *ldb_events_list (struct engine *engine, guint64 after);

/* `translated`: in the language of the process, else in English. */
char *ldb_event_describe_in (const LdbEvent *self, gboolean translated);

/* Between processes. */
#define LDB_EVENT_VARIANT_TYPE "(tuxxttttisayt)"
GVariant *ldb_event_to_variant (const LdbEvent *self);
LdbEvent *ldb_event_from_variant (GVariant *variant);
void ldb_event_write_json (const LdbEvent *self, LdbJson *json);

G_END_DECLS
