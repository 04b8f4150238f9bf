/* SPDX-License-Identifier: MIT */
/*
 * The runtime directory: where processes of one user say which databases they share, and which of
 * them live (docs/design/inspection.md, Where). Names in it are used relative to a descriptor of
 * it; it is the user's own and open to nobody else, or not used at all.
 *
 * Threads: any.
 */
#pragma once

#include "ldb-advert-private.h"

G_BEGIN_DECLS

#define LDB_RUNTIME_FOLDER "lightning-db-1"

/* The folder of this process's own adverts; free it. */
char *ldb_runtime_directory_path (void);
/* Opens it, and makes it if that is asked for and it is missing: a descriptor, or -1. */
int ldb_runtime_directory_open (const char *path, gboolean create, GError **error);

/* ---- the living ---- */

/* Makes the sign of life of a process: a descriptor to hold until it is to be taken for dead; -1. */
int ldb_life_begin (int directory, const char *token, GError **error);

/* Looks at it: a descriptor that hangs up (G_IO_HUP) when the process dies; -1: it is dead, or never
 * was. */
int ldb_life_watch (int directory, const char *token);

/* Removes all files of the token, the sign of life last. */
void ldb_life_remove_files (int directory, const char *token);
/* Does so for each token that is dead. */
void ldb_life_sweep (int directory);

/* ---- files ---- */

/* Puts a file there, whole. */
gboolean ldb_runtime_directory_write (int directory, const char *name, const char *token,
                                      const char *text, gsize size, GError **error);
/* Reads an advert; FALSE: it is not there, or not to be believed. */
gboolean ldb_runtime_directory_read_advert (int directory, const char *name, LdbAdvert *advert);
/* The names of adverts, at most so many; free them. */
#define LDB_ADVERTS_MAX 1000u
GPtrArray *ldb_runtime_directory_list (int directory);

/* A socket in it that listens, or one that is connected; close-on-exec. -1. */
int ldb_runtime_directory_listen (int directory, const char *name, GError **error);
int ldb_runtime_directory_connect (int directory, const char *name, GError **error);

G_END_DECLS
