/* SPDX-License-Identifier: MIT */
/* What a database says in the log: each line names it. */
#include "config.h"

#include "ldb-database-private.h"
#include "ldb-error-private.h"
#include "ldb-event-log-private.h"

#include "ldb-enum-types.h"

LdbLogLine *
ldb_database_log_line (LdbDatabase *self, LdbLogKind kind)
{
  LdbLogLine *line = ldb_log_line_new (kind);
  g_autofree char *path = g_canonicalize_filename (self->location, NULL);
  ldb_log_line_set (line, "LDB_DATABASE", "%s", path);
  if (self->id[0] != '\0')
    ldb_log_line_set (line, "LDB_DATABASE_ID", "%s", self->id);
  return line;
}

void
ldb_database_set_log_error (LdbLogLine *line, int code)
{
  g_autoptr (GEnumClass) codes = g_type_class_ref (LDB_TYPE_ERROR);
  const GEnumValue *value = g_enum_get_value (codes, code);
  if (value != NULL)
    ldb_log_line_set (line, "LDB_ERROR", "%s", value->value_nick);
}

void
ldb_database_log_error (LdbDatabase *self, LdbLogKind kind, const GError *error)
{
  LdbLogLine *line = ldb_database_log_line (self, kind);
  if (error->domain == LDB_ERROR)
    ldb_database_set_log_error (line, error->code);
  ldb_log_line_say (line, "Database \"%s\": %s", self->path, error->message);
  ldb_log_line_write (line);
}

void
ldb_database_log_inspection_error (LdbDatabase *self, GError **error)
{
  if (*error != NULL)
    ldb_database_log_error (self, LDB_LOG_NOT_INSPECTABLE, *error);
  g_clear_error (error);
}

void
ldb_database_log_role (LdbDatabase *self, LdbLogKind kind, const char *what)
{
  guint64 sequence = ldb_database_get_sequence (self);
  if (ldb_log_would_drop (kind))
    return;
  LdbLogLine *line = ldb_database_log_line (self, kind);
  ldb_log_line_set (line, "LDB_SEQUENCE", "%" G_GUINT64_FORMAT, sequence);
  ldb_log_line_say (line, "%s the database \"%s\" at commit %" G_GUINT64_FORMAT, what, self->path,
                    sequence);
  ldb_log_line_write (line);
}

void
ldb_database_log_events (LdbDatabase *self)
{
  LdbEventRelay *relay = ldb_share_get_relay (self, NULL);
  if (relay != NULL)
    ldb_event_log_write (relay, self);
  g_clear_pointer (&relay, ldb_event_relay_unref);
}

LdbDatabase *
ldb_database_log_opened (LdbDatabase *database)
{
  ldb_log_check_environment ();
  if (database == NULL)
    return NULL;
  ldb_database_log_role (database, LDB_LOG_OPENED, "Opened");
  ldb_database_log_events (database);
  ldb_database_log_inspection_error (database, &database->inspection_error);
  return database;
}
