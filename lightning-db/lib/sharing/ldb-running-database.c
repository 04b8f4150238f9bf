/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <unistd.h>

#include "ldb-counters-private.h"
#include "ldb-metrics-private.h"
#include "ldb-running-database-private.h"
#include "ldb-runtime-directory-private.h"

/**
 * LdbRunningDatabase:
 *
 * A database that another process of the same user has open and lets inspectors look into: see
 * [property@Ldb.Database:inspectable]. [class@Ldb.RunningList] has all of them;
 * [func@Ldb.Inspector.open] connects to one.
 *
 * What it says does not change, but for [property@Ldb.RunningDatabase:running].
 *
 * Threads: any; it notifies in the main context of its list.
 *
 * Since: 0.1
 */
G_DEFINE_FINAL_TYPE (LdbRunningDatabase, ldb_running_database, G_TYPE_OBJECT)

enum
{
  PROP_PATH = 1,
  PROP_ID,
  PROP_PROGRAM,
  PROP_APPLICATION_ID,
  PROP_PROCESS_ID,
  PROP_PROCESS,
  PROP_READ_ONLY,
  PROP_RUNNING,
  N_PROPERTIES,
};

static GParamSpec *properties[N_PROPERTIES];

static void
ldb_running_database_finalize (GObject *object)
{
  LdbRunningDatabase *self = LDB_RUNNING_DATABASE (object);
  ldb_advert_clear (&self->advert);
  g_free (self->folder);
  G_OBJECT_CLASS (ldb_running_database_parent_class)->finalize (object);
}

static void
ldb_running_database_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  LdbRunningDatabase *self = LDB_RUNNING_DATABASE (object);
  switch (id)
    {
    case PROP_PATH:
      g_value_set_string (value, ldb_running_database_get_path (self));
      break;
    case PROP_ID:
      g_value_set_string (value, ldb_running_database_get_id (self));
      break;
    case PROP_PROGRAM:
      g_value_set_string (value, ldb_running_database_get_program (self));
      break;
    case PROP_APPLICATION_ID:
      g_value_set_string (value, ldb_running_database_get_application_id (self));
      break;
    case PROP_PROCESS_ID:
      g_value_set_uint (value, ldb_running_database_get_process_id (self));
      break;
    case PROP_PROCESS:
      g_value_set_string (value, ldb_running_database_get_process (self));
      break;
    case PROP_READ_ONLY:
      g_value_set_boolean (value, ldb_running_database_is_read_only (self));
      break;
    case PROP_RUNNING:
      g_value_set_boolean (value, ldb_running_database_is_running (self));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
ldb_running_database_class_init (LdbRunningDatabaseClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GParamFlags flags = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS;
  object_class->finalize = ldb_running_database_finalize;
  object_class->get_property = ldb_running_database_get_property;
  /**
   * LdbRunningDatabase:path: (type filename)
   *
   * The directory, as its process sees it: from a sandbox it may have another path than here.
   *
   * Since: 0.1
   */
  properties[PROP_PATH] = g_param_spec_string ("path", NULL, NULL, NULL, flags);
  /**
   * LdbRunningDatabase:id:
   *
   * The database's own number, in hexadecimal, as in [property@Ldb.Database:id].
   *
   * Since: 0.1
   */
  properties[PROP_ID] = g_param_spec_string ("id", NULL, NULL, NULL, flags);
  /**
   * LdbRunningDatabase:program:
   *
   * The name of the program that has it open.
   *
   * Since: 0.1
   */
  properties[PROP_PROGRAM] = g_param_spec_string ("program", NULL, NULL, NULL, flags);
  /**
   * LdbRunningDatabase:application-id:
   *
   * The id of the application that has it open, or the empty string.
   *
   * Since: 0.1
   */
  properties[PROP_APPLICATION_ID] = g_param_spec_string ("application-id", NULL, NULL, NULL, flags);
  /**
   * LdbRunningDatabase:process-id:
   *
   * The process that has it open, as it numbers itself. In a sandbox that is another number
   * than outside: it is for people only.
   *
   * Since: 0.1
   */
  properties[PROP_PROCESS_ID]
      = g_param_spec_uint ("process-id", NULL, NULL, 0, G_MAXUINT, 0, flags);
  /**
   * LdbRunningDatabase:process:
   *
   * What tells the process from all others: random digits.
   *
   * Since: 0.1
   */
  properties[PROP_PROCESS] = g_param_spec_string ("process", NULL, NULL, NULL, flags);
  /**
   * LdbRunningDatabase:read-only:
   *
   * Whether the process only reads.
   *
   * Since: 0.1
   */
  properties[PROP_READ_ONLY] = g_param_spec_boolean ("read-only", NULL, NULL, FALSE, flags);
  /**
   * LdbRunningDatabase:running:
   *
   * Whether it is still there to be looked into.
   *
   * Since: 0.1
   */
  properties[PROP_RUNNING]
      = g_param_spec_boolean ("running", NULL, NULL, FALSE, flags | G_PARAM_EXPLICIT_NOTIFY);
  g_object_class_install_properties (object_class, N_PROPERTIES, properties);
}

static void
ldb_running_database_init (LdbRunningDatabase *self)
{
  self->running = TRUE;
}

LdbRunningDatabase *
ldb_running_database_new (const char *folder, LdbAdvert *advert)
{
  LdbRunningDatabase *self = g_object_new (LDB_TYPE_RUNNING_DATABASE, NULL);
  self->folder = g_strdup (folder);
  self->advert = *advert;
  *advert = (LdbAdvert){ .object = 0 };
  return self;
}

void
ldb_running_database_end (LdbRunningDatabase *self)
{
  if (g_atomic_int_compare_and_exchange (&self->running, TRUE, FALSE))
    g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_RUNNING]);
}

/**
 * ldb_running_database_get_path:
 * @self: a running database
 *
 * Gets the directory, as its process sees it.
 *
 * Any thread.
 *
 * Returns: (type filename): the path
 *
 * Since: 0.1
 */
const char *
ldb_running_database_get_path (LdbRunningDatabase *self)
{
  g_return_val_if_fail (LDB_IS_RUNNING_DATABASE (self), NULL);
  return self->advert.path;
}

/**
 * ldb_running_database_get_id:
 * @self: a running database
 *
 * Gets the database's own number, in hexadecimal.
 *
 * Any thread.
 *
 * Returns: the id
 *
 * Since: 0.1
 */
const char *
ldb_running_database_get_id (LdbRunningDatabase *self)
{
  g_return_val_if_fail (LDB_IS_RUNNING_DATABASE (self), NULL);
  return self->advert.id;
}

/**
 * ldb_running_database_get_program:
 * @self: a running database
 *
 * Gets the name of the program that has it open.
 *
 * Any thread.
 *
 * Returns: the name
 *
 * Since: 0.1
 */
const char *
ldb_running_database_get_program (LdbRunningDatabase *self)
{
  g_return_val_if_fail (LDB_IS_RUNNING_DATABASE (self), NULL);
  return self->advert.program;
}

/**
 * ldb_running_database_get_application_id:
 * @self: a running database
 *
 * Gets the id of the application that has it open, or the empty string.
 *
 * Any thread.
 *
 * Returns: the id
 *
 * Since: 0.1
 */
const char *
ldb_running_database_get_application_id (LdbRunningDatabase *self)
{
  g_return_val_if_fail (LDB_IS_RUNNING_DATABASE (self), NULL);
  return self->advert.application;
}

/**
 * ldb_running_database_get_process_id:
 * @self: a running database
 *
 * Gets the process that has it open, as it numbers itself.
 *
 * Any thread.
 *
 * Returns: the number
 *
 * Since: 0.1
 */
guint
ldb_running_database_get_process_id (LdbRunningDatabase *self)
{
  g_return_val_if_fail (LDB_IS_RUNNING_DATABASE (self), 0);
  return self->advert.process_id;
}

/**
 * ldb_running_database_get_process:
 * @self: a running database
 *
 * Gets what tells the process from all others: random digits.
 *
 * Any thread.
 *
 * Returns: the digits
 *
 * Since: 0.1
 */
const char *
ldb_running_database_get_process (LdbRunningDatabase *self)
{
  g_return_val_if_fail (LDB_IS_RUNNING_DATABASE (self), NULL);
  return self->advert.token;
}

/**
 * ldb_running_database_is_read_only:
 * @self: a running database
 *
 * Whether the process only reads.
 *
 * Any thread.
 *
 * Returns: whether it does
 *
 * Since: 0.1
 */
gboolean
ldb_running_database_is_read_only (LdbRunningDatabase *self)
{
  g_return_val_if_fail (LDB_IS_RUNNING_DATABASE (self), FALSE);
  return self->advert.read_only;
}

/**
 * ldb_running_database_is_running:
 * @self: a running database
 *
 * Whether it is still there to be looked into.
 *
 * Any thread.
 *
 * Returns: whether it is
 *
 * Since: 0.1
 */
gboolean
ldb_running_database_is_running (LdbRunningDatabase *self)
{
  g_return_val_if_fail (LDB_IS_RUNNING_DATABASE (self), FALSE);
  return g_atomic_int_get (&self->running);
}

/**
 * ldb_running_database_read_counters:
 * @self: a running database
 * @error: return location for an error
 *
 * Reads what the database has counted since its process opened it, without that process: it does not
 * notice, and may be stopped. The figures are those that it counts with, so they are exact.
 *
 * There are some if the database was to be inspectable when it was opened (by the environment, or as
 * a construction property), and the user's runtime directory is in memory, as it usually is. What
 * each is called may differ from version to version; a histogram is told by the number of its values,
 * as NAME`_count`.
 *
 * Fails with %LDB_ERROR_NOT_FOUND when there are none, %LDB_ERROR_UNSUPPORTED when a much later
 * version wrote them, %LDB_ERROR_CORRUPT. Does not block; any thread.
 *
 * Returns: (transfer full): a dictionary of the type `a{sx}`
 *
 * Since: 0.1
 */
GVariant *
ldb_running_database_read_counters (LdbRunningDatabase *self, GError **error)
{
  g_return_val_if_fail (LDB_IS_RUNNING_DATABASE (self), NULL);
  int directory = ldb_runtime_directory_open (self->folder, FALSE, error);
  if (directory < 0)
    return NULL;
  g_autofree char *name = ldb_counters_file_name (self->advert.token, self->advert.object);
  GVariant *counters = ldb_counters_read (directory, name, error);
  close (directory);
  return counters;
}

/**
 * ldb_running_database_get_metrics:
 * @self: a running database
 * @error: return location for an error
 *
 * Gets what the database counts as an object that looks when its owner wants, or notifies, each time into
 * the memory that the database counts in: without its process, which does not notice, and may be
 * stopped. When that has ended, the figures are the last ones.
 *
 * There are some under the conditions of [method@Ldb.RunningDatabase.read_counters]. It fails as that does.
 * Does not block; the thread whose default main context it is to notify in.
 *
 * Returns: (transfer full): the metrics
 *
 * Since: 0.1
 */
LdbMetrics *
ldb_running_database_get_metrics (LdbRunningDatabase *self, GError **error)
{
  g_return_val_if_fail (LDB_IS_RUNNING_DATABASE (self), NULL);
  int directory = ldb_runtime_directory_open (self->folder, FALSE, error);
  if (directory < 0)
    return NULL;
  g_autofree char *name = ldb_counters_file_name (self->advert.token, self->advert.object);
  int counters = ldb_counters_open (directory, name, error);
  close (directory);
  return counters < 0 ? NULL : ldb_metrics_new_for_counters (counters, error);
}
