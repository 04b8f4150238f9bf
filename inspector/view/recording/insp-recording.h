/* SPDX-License-Identifier: MIT */
/*
 * InspRecording: what a session saw, in one file that can be looked at later, elsewhere, without the
 * database.
 *
 * The file is a GVariant "(sua{sv})" in little-endian order, compressed by gzip: "lightning-db-recording",
 * the version of the format, and what was seen: "program" (s) and "path" (ay, without a NUL: the folder),
 * "saved" (x: the time of the newest sample, microseconds since 1970), "history" (INSP_HISTORY_TYPE), and,
 * not in the earliest ones, "events" (INSP_EVENTS_TYPE), "operations" (INSP_OPERATIONS_TYPE), "watches"
 * (INSP_WATCHES_TYPE) and "deliveries" (INSP_DELIVERIES_TYPE). A reader passes over what it does not know; a
 * new version means that it must not.
 *
 * The times of a history are those since the machine was started that made it; what the clock said at
 * them follows from "saved".
 *
 * There are no keys or values of the database in it, but names of its stores.
 *
 * Threads: insp_recording_read() and insp_recording_pack() any, the rest the main one.
 */
#pragma once

#include "insp-session.h"

G_BEGIN_DECLS

#define INSP_RECORDING_SUFFIX ".ldb-recording"

/* What a session saw so far, to be packed. Floating. */
GVariant *insp_recording_new (InspSession *session);

/* As a file holds it. */
GBytes *insp_recording_pack (GVariant *recording, GError **error);

/* A session that shows what a file holds; NULL with `error` (G_IO_ERROR: INVALID_DATA, NOT_SUPPORTED for one
 * that a later version wrote, NO_SPACE for one that is too large): `bytes` may come from anybody. */
InspSession *insp_recording_read (GBytes *bytes, GError **error);

G_END_DECLS
