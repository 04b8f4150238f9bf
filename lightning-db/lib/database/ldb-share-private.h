/* SPDX-License-Identifier: MIT */
/*
 * LdbShare: one engine and the handles on it. All handles on one directory (by device and inode,
 * not by name) share one engine within a process; the last one to close closes the engine.
 *
 * Threads: every function, any thread. One lock guards the list of shares and their handles; it is
 * never held while the engine works. Openings go one after the other.
 */
#pragma once

#include "engine.h"
#include "ldb-types.h"

G_BEGIN_DECLS

typedef struct _LdbShare LdbShare;

/* Opens or joins: sets handle's share and engine on success and lists the handle. `takes_over`: it
 * has those of a reader, gets those of a writer, and keeps the former beside them for what was begun
 * there; nothing when it writes already. *locked: another process writes, which may pass. */
gboolean ldb_share_try (LdbDatabase *handle, gboolean takes_over, gboolean *locked, GError **error);

/* Takes the handle off the list; the last one closes the engine. Idempotent. */
gboolean ldb_share_leave (LdbDatabase *handle, GError **error);

/* All open handles (element-type LdbDatabase) (transfer full). */
GPtrArray *ldb_share_list_handles (void);

/* Whether a handle of this process has the directory open. */
gboolean ldb_share_is_open (const char *path);

/* Gives a fraction of every open engine's cache back. */
void ldb_share_evict_all (double fraction);

/* Lets every open engine, and each that is opened later, put its settling off or take it up. */
void ldb_share_set_saving_all (gboolean saving);

/* A reference to the hub of the handle's engine, made if there is none yet. CLOSED when the handle
 * was closed meanwhile. */
struct _LdbHub *ldb_share_get_hub (LdbDatabase *handle, GError **error);
/* The same, without making one: *hub is NULL when nobody observed yet. `own`: the handle that inspectors
 * use, only to be compared, or NULL. */
gboolean ldb_share_find_hub (LdbDatabase *handle, struct _LdbHub **hub, const LdbDatabase **own,
                             GError **error);

/* A reference to the way of events from the handle's engine. CLOSED as above. */
struct _LdbEventRelay *ldb_share_get_relay (LdbDatabase *handle, GError **error);

/* A reference to what is known of the health of the handle's engine. CLOSED as above. */
struct _LdbVitals *ldb_share_get_vitals (LdbDatabase *handle, GError **error);

/* Whether the handle wants its database offered to inspectors, and those to be granted control. An
 * engine is offered while one of its handles wants it. FALSE: it cannot be. */
gboolean ldb_share_set_inspection (LdbDatabase *handle, gboolean inspectable,
                                   gboolean control_allowed, GError **error);
/* The handle has taken over: what it wants holds for the engine that writes alone. */
gboolean ldb_share_move_inspection (LdbDatabase *handle, GError **error);

/* Tells every LdbRegistry; ldb-registry.c. */
void ldb_registry_announce_opened (LdbDatabase *database);
void ldb_registry_announce_closed (const char *path);
void ldb_registry_forget_listeners (void);

/* Starts to listen for low memory and low battery, once a main loop runs; ldb-machine.c. */
void ldb_machine_watch (void);

G_END_DECLS
