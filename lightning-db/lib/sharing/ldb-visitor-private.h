/* SPDX-License-Identifier: MIT */
/*
 * LdbVisitor: an inspector that is connected, and what it has open. LdbVisit: one call of it.
 *
 * Threads: all on the host's thread, but for what is said to be of any.
 */
#pragma once

#include <sys/socket.h>

#include "ldb-active-transaction.h"
#include "ldb-active-watch.h"
#include "ldb-error.h"
#include "ldb-health-watch.h"
#include "ldb-held-snapshot.h"
#include "ldb-hot-key.h"
#include "ldb-inspection-private.h"
#include "ldb-key-location.h"
#include "ldb-peer-private.h"
#include "ldb-report.h"
#include "ldb-slow-operation.h"
#include "ldb-snapshot.h"
#include "ldb-stats.h"
#include "ldb-storage-map.h"
#include "ldb-store.h"
#include "ldb-trace.h"
#include "ldb-transaction-key.h"
#include "ldb-watch-delivery.h"
#include "ldb-watch.h"

G_BEGIN_DECLS

#define LDB_VISITORS_MAX 16 /* of a process */
#define LDB_OBJECT_PREFIX "/org/lightningdb/Inspector1"
#define LDB_INSPECTOR_INTERFACE "org.lightningdb.Inspector1"

typedef struct _LdbHost LdbHost;
typedef struct _LdbVisitor LdbVisitor;
typedef struct _LdbVisit LdbVisit;

struct _LdbExport
{
  gint references;     /* atomic */
  guint object;        /* its number */
  LdbHost *host;       /* a reference */
  LdbDatabase *handle; /* the library's own; owned */
  char *path;          /* of the database, absolute; owned */
  char *program;       /* the process's name, UTF-8; owned */
  char *application;   /* the application's id, or ""; owned */
  gint control;        /* 0: refused; else a number that changes with each permission; atomic */
  gint withdrawn;      /* boolean; atomic */
};

LdbExport *ldb_export_ref (LdbExport *self);
void ldb_export_unref (LdbExport *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LdbExport, ldb_export_unref)

/* ---- what visitors want of the host ---- */

LdbHost *ldb_host_ref (LdbHost *self);
void ldb_host_unref (LdbHost *self);
/* The export of that number; a reference, or NULL. */
LdbExport *ldb_host_find_export (LdbHost *self, guint object);
/* Whether that number was given out, though its export may be gone. */
gboolean ldb_host_had_export (LdbHost *self, guint object);
/* The numbers of all of them, as guint. */
GArray *ldb_host_list_exports (LdbHost *self);
/* FALSE: another visitor's operation has not finished. */
gboolean ldb_host_begin_operation (LdbHost *self);
void ldb_host_end_operation (LdbHost *self);
/* What visitors have the library's workers do, which are there for the application: so much of it at
 * a time, however many visitors ask. */
typedef enum
{
  LDB_LANE_EXAMINE, /* what takes a while: one */
  LDB_LANE_SURVEY,  /* what long workers do in a moment: two */
  LDB_LANE_LOOK,    /* what short ones do: two */
  LDB_LANES,
} LdbLane;

/* FALSE: the lane is taken; the visit waits until it is given out as the next. */
gboolean ldb_host_begin_work (LdbHost *self, LdbLane lane, LdbVisit *visit);
/* The next one, to be run; NULL: none waits. */
LdbVisit *ldb_host_end_work (LdbHost *self, LdbLane lane);
/* A call has come, and was answered: the thread stays as long as any has not. */
void ldb_host_begin_visit (LdbHost *self);
void ldb_host_end_visit (LdbHost *self);
/* The visitor is the one whose value is kept from now on; the one before, or NULL. */
LdbVisitor *ldb_host_change_keeper (LdbHost *self, LdbVisitor *visitor);
/* The visitor's connection has ended. */
void ldb_host_forget_visitor (LdbHost *self, LdbVisitor *visitor);
GMainContext *ldb_host_get_context (LdbHost *self);
/* A line for the log about the inspector that is that process; NULL: there is to be none. */
LdbLogLine *ldb_host_begin_line (LdbHost *self, LdbLogKind kind, gint64 peer);
/* Takes it over. */
void ldb_host_end_line (LdbHost *self, LdbLogLine *line);
/* Says that it was refused something: `reason` in a word, `text` in a sentence, neither of them its own;
 * `export` may be NULL. */
void ldb_host_log_refusal (LdbHost *self, LdbExport *export, gint64 peer, const char *reason,
                           const char *text);

/* ---- visitors ---- */

/* A snapshot that a visitor has open. */
typedef struct
{
  guint id;              /* what the visitor knows it by */
  LdbExport *of;         /* a reference */
  LdbSnapshot *snapshot; /* owned */
  gint64 opened, used;   /* when, monotonic */
} LdbVisitorSnapshot;

/* A change stream that a visitor has open. */
typedef struct
{
  guint id;            /* what the visitor knows it by */
  LdbVisitor *visitor; /* borrowed */
  LdbExport *of;       /* a reference */
  LdbWatch *watch;     /* owned */
  gboolean lost;       /* something was not told: a resync is due once the queue is empty */
} LdbSubscription;

/* The events that a visitor follows. */
typedef struct
{
  LdbVisitor *visitor;   /* borrowed */
  LdbExport *of;         /* a reference */
  LdbHealthWatch *watch; /* owned; it examines nothing */
} LdbVisitorFollow;

/* A storage map that a visitor has not been told all of. */
typedef struct
{
  guint id;           /* what the visitor knows it by */
  LdbExport *of;      /* a reference */
  LdbStorageMap *map; /* owned */
  GArray *steps;      /* LdbStorageStep: its nodes; owned */
  gint64 used;        /* when, monotonic */
} LdbVisitorMap;

/* A value that a visitor has not been told all of. Of all visitors one is kept. */
typedef struct
{
  guint snapshot; /* its id */
  char *store;    /* as it was named; owned */
  GBytes *key;    /* owned */
  GBytes *value;  /* owned */
  gint64 used;    /* when, monotonic */
} LdbVisitorValue;

struct _LdbVisitor
{
  guint references;         /* of the host, and of each visit */
  LdbHost *host;            /* a reference */
  LdbPeer *peer;            /* owned */
  gint64 process;           /* its number, as seen from here; 0: it is in another namespace */
  gint64 heard;             /* when it called last, or connected; monotonic */
  guint slot;               /* of its descriptor in the host */
  guint last_id;            /* given out */
  GPtrArray *snapshots;     /* LdbVisitorSnapshot; owned */
  LdbVisitorMap *map;       /* or NULL; owned */
  LdbVisitorValue *value;   /* or NULL; owned */
  GSource *expiry;          /* when the next of these goes, or NULL; owned */
  GPtrArray *subscriptions; /* LdbSubscription; owned */
  GPtrArray *follows;       /* LdbVisitorFollow; owned */
  GHashTable *grants;       /* LdbExport → the number of the permission it was granted under */
  GPtrArray *visits;        /* LdbVisit: those that have not been answered; borrowed */
};

/* Takes the descriptor over. */
LdbVisitor *ldb_visitor_new (LdbHost *host, int descriptor, const struct ucred *credentials,
                             const char *guid, guint slot);
void ldb_visitor_unref (LdbVisitor *self);
/* Ends its connection. */
void ldb_visitor_end (LdbVisitor *self, LdbPeerEnd end);
/* The export is offered no longer: closes what is open of it, and says so. */
void ldb_visitor_leave_export (LdbVisitor *self, LdbExport *export);
void ldb_visitor_send_signal (LdbVisitor *self, LdbExport *export, const char *name,
                              GVariant *arguments);

/* ---- visits ---- */

struct _LdbVisit
{
  LdbVisitor *visitor;       /* a reference */
  LdbExport *export;         /* a reference */
  GDBusMessage *call;        /* owned */
  GVariant *arguments;       /* a tuple; owned */
  GCancellable *cancellable; /* when the visitor cancels it, or goes; owned */
  gboolean operation;        /* counts as the host's operation under way */
  LdbLane lane;              /* in which it is; LDB_LANES: in none */
  gint64 told;               /* when how it goes was told last; monotonic */
};

/* Answer a visit, and free it. The variant, a tuple or NULL for none, is sunk; the error is taken
 * over. */
void ldb_visit_return (LdbVisit *self, GVariant *result);
void ldb_visit_fail (LdbVisit *self, GError *error);
/* The store that it names, "" being the default one; NULL with an error. */
LdbStore *ldb_visit_open_store (LdbVisit *self, const char *name, GError **error);
/* An error of the caller's. */
void ldb_visit_refuse (LdbVisit *self, LdbError code, const char *message);
/* Tells the visitor how it goes: an LdbProgressFunc. */
void ldb_visit_tell_progress (guint64 done, guint64 total, const char *step, gpointer visit);

/* Each method of the interface: takes the visit over. ldb-visitor-read.c */
void ldb_visit_get_statistics (LdbVisit *self);
void ldb_visit_get_metrics (LdbVisit *self);
void ldb_visit_get_options (LdbVisit *self);
void ldb_visit_list_stores (LdbVisit *self);
void ldb_visit_open_snapshot (LdbVisit *self);
void ldb_visit_close_snapshot (LdbVisit *self);
void ldb_visit_get (LdbVisit *self);
void ldb_visit_read (LdbVisit *self);
void ldb_visitor_snapshot_free (gpointer snapshot);
void ldb_visitor_forget_value (LdbVisitor *self);
/* Has what nobody has used for long closed in time. */
void ldb_visitor_watch_expiry (LdbVisitor *self);
#define LDB_VISITOR_IDLE (60 * G_USEC_PER_SEC) /* that long */
#define LDB_VISITOR_PART ((gsize) 512 << 10)   /* bytes of an answer that is given in parts */

/* ldb-visitor-storage.c */
void ldb_visit_load_storage_map (LdbVisit *self);
void ldb_visit_list_pages (LdbVisit *self);
void ldb_visit_read_page (LdbVisit *self);
void ldb_visit_locate_key (LdbVisit *self);
void ldb_visit_measure_sizes (LdbVisit *self);
void ldb_visitor_map_free (LdbVisitorMap *map);

/* ldb-visitor-changes.c */
void ldb_visit_subscribe (LdbVisit *self);
void ldb_visit_unsubscribe (LdbVisit *self);
void ldb_subscription_free (gpointer subscription);
/* All that waited has gone out: announces what was not told. */
void ldb_visitor_resync (LdbVisitor *self);

/* ldb-visitor-activity.c */
void ldb_visit_list_slow_operations (LdbVisit *self);
void ldb_visit_list_transactions (LdbVisit *self);
void ldb_visit_list_transaction_keys (LdbVisit *self);
void ldb_visit_list_snapshots (LdbVisit *self);
void ldb_visit_list_hot_keys (LdbVisit *self);
void ldb_visit_list_watches (LdbVisit *self);
void ldb_visit_list_deliveries (LdbVisit *self);
void ldb_visit_trace_get (LdbVisit *self);
void ldb_visit_abort_transaction (LdbVisit *self);

/* ldb-visitor-health.c */
void ldb_visit_get_health (LdbVisit *self);
void ldb_visit_list_events (LdbVisit *self);
void ldb_visit_follow_events (LdbVisit *self);
void ldb_visit_apply_remedy (LdbVisit *self);
void ldb_visitor_follow_free (gpointer follow);

/* ldb-visitor-control.c */
void ldb_visit_request_control (LdbVisit *self);
gboolean ldb_visitor_has_control (LdbVisitor *self, LdbExport *export);
void ldb_visit_flush (LdbVisit *self);
void ldb_visit_checkpoint (LdbVisit *self);
void ldb_visit_sync (LdbVisit *self);
void ldb_visit_compact (LdbVisit *self);
void ldb_visit_evict (LdbVisit *self);
void ldb_visit_set_memory_budget (LdbVisit *self);
void ldb_visit_check (LdbVisit *self);
void ldb_visit_backup (LdbVisit *self);
void ldb_visit_commit (LdbVisit *self);

/* ldb-visitor-figures.c: structures as dictionaries, and back. */
GVariant *ldb_stats_to_variant (const LdbStats *stats);
LdbStats *ldb_stats_from_variant (GVariant *dictionary);
GVariant *ldb_check_report_to_variant (const LdbCheckReport *report);
/* Takes the faults (of LdbFault) over. */
LdbCheckReport *ldb_check_report_from_variant (GVariant *dictionary, GPtrArray *faults);
GVariant *ldb_backup_result_to_variant (const LdbBackupResult *result);
LdbBackupResult *ldb_backup_result_from_variant (GVariant *dictionary);
GVariant *ldb_slow_operation_to_variant (gconstpointer structure);
gpointer ldb_slow_operation_from_variant (GVariant *dictionary);
GVariant *ldb_active_transaction_to_variant (gconstpointer structure);
gpointer ldb_active_transaction_from_variant (GVariant *dictionary);
GVariant *ldb_transaction_key_to_variant (gconstpointer structure);
gpointer ldb_transaction_key_from_variant (GVariant *dictionary);
GVariant *ldb_held_snapshot_to_variant (gconstpointer structure);
gpointer ldb_held_snapshot_from_variant (GVariant *dictionary);
GVariant *ldb_hot_key_to_variant (gconstpointer structure);
gpointer ldb_hot_key_from_variant (GVariant *dictionary);
GVariant *ldb_key_location_to_variant (gconstpointer structure);
gpointer ldb_key_location_from_variant (GVariant *dictionary);
GVariant *ldb_active_watch_to_variant (gconstpointer structure);
gpointer ldb_active_watch_from_variant (GVariant *dictionary);
GVariant *ldb_watch_delivery_to_variant (gconstpointer structure);
gpointer ldb_watch_delivery_from_variant (GVariant *dictionary);
GVariant *ldb_trace_to_variant (gconstpointer structure);
gpointer ldb_trace_from_variant (GVariant *dictionary);

G_END_DECLS
