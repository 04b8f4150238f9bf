/* SPDX-License-Identifier: MIT */
/*
 * Stands in for Samba's libldb, which gvfs and gnome-control-center bring into a process: a library
 * with a version node of its own that exports names of ours. Whoever gets here got lost.
 */
#include <stdlib.h>

#define NAMESAKE(name)                                                                             \
  __attribute__ ((visibility ("default"))) void name (void);                                       \
  void name (void) { abort (); }

NAMESAKE (ldb_transaction_commit)
NAMESAKE (ldb_transaction_get_type)
NAMESAKE (ldb_database_open)
NAMESAKE (ldb_database_begin)
NAMESAKE (ldb_database_enter)
NAMESAKE (ldb_options_new)
NAMESAKE (ldb_error_quark)
NAMESAKE (ldb_log)
