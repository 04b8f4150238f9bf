/* SPDX-License-Identifier: MIT */
/*
 * LdbAdvert: what an entry of the runtime directory says about a running database. Its text comes
 * from other processes: anything may be in it.
 *
 * Threads: values; any thread, one at a time.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define LDB_ADVERT_SIZE_MAX 16384 /* bytes of its file */
#define LDB_TOKEN_LENGTH 32       /* digits of a process's token */

typedef struct
{
  char token[LDB_TOKEN_LENGTH + 1]; /* of the process: hexadecimal digits */
  guint object;                     /* number of the database there, from 1 */
  guint process_id;                 /* as the process itself sees it; for people */
  char *program;                    /* name of the program, UTF-8; owned */
  char *application;                /* its application id, or "", UTF-8; owned */
  char *path;                       /* of the database, as the process sees it; owned */
  char *id;                         /* of the database: 32 hexadecimal digits; owned */
  gboolean read_only;               /* the process does not write */
} LdbAdvert;

void ldb_advert_clear (LdbAdvert *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (LdbAdvert, ldb_advert_clear)

/* The text of its file; free it. */
char *ldb_advert_format (const LdbAdvert *self, gsize *size);
/* FALSE: it is none, or of another version; `self` is cleared then. */
gboolean ldb_advert_parse (LdbAdvert *self, const char *text, gsize size);

/* "TOKEN-OBJECT.database"; free it. */
char *ldb_advert_file_name (const char *token, guint object);
/* The token that a name in the runtime directory begins with, a dot before it left aside. FALSE: it
 * is none of ours. */
gboolean ldb_advert_token_of (const char *file_name, char token[LDB_TOKEN_LENGTH + 1]);
/* Of the name of an advert. */
gboolean ldb_advert_parse_file_name (const char *file_name, char token[LDB_TOKEN_LENGTH + 1],
                                     guint *object);

G_END_DECLS
