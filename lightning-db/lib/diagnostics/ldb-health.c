/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "ldb-health-private.h"

#include "ldb-enum-types.h"

/**
 * LdbHealth:
 *
 * A verdict on a database at one time: what is wrong with it, and what could be better.
 *
 * ```python
 * health = db.examine_health()
 * for issue in health.get_issues():
 *     print(issue.severity.value_nick, issue.summary, issue.remedy)
 * ```
 *
 * It does not change. [method@Ldb.Database.examine_health] makes one, and [property@Ldb.Database:health]
 * is the last one that anybody made.
 *
 * Threads: any.
 *
 * Since: 0.1
 */
struct _LdbHealth
{
  gint references;   /* atomic */
  gint64 time;       /* when, in microseconds since 1970 */
  GPtrArray *issues; /* of LdbHealthIssue, the most severe first; owned */
};

G_DEFINE_BOXED_TYPE (LdbHealth, ldb_health, ldb_health_ref, ldb_health_unref)
G_DEFINE_BOXED_TYPE (LdbHealthIssue, ldb_health_issue, ldb_health_issue_copy, ldb_health_issue_free)

/* ---- issues ---- */

/**
 * ldb_health_issue_copy:
 * @self: an issue
 *
 * Makes a copy.
 *
 * Any thread.
 *
 * Returns: (transfer full): the copy
 *
 * Since: 0.1
 */
LdbHealthIssue *
ldb_health_issue_copy (const LdbHealthIssue *self)
{
  g_return_val_if_fail (self != NULL, NULL);
  LdbHealthIssue *copy = g_memdup2 (self, sizeof *self);
  copy->id = g_strdup (self->id);
  copy->summary = g_strdup (self->summary);
  copy->remedy = g_strdup (self->remedy);
  g_variant_ref (copy->evidence);
  if (copy->key != NULL)
    g_bytes_ref (copy->key);
  return copy;
}

/**
 * ldb_health_issue_free:
 * @self: (transfer full): an issue
 *
 * Frees it.
 *
 * Any thread.
 *
 * Since: 0.1
 */
void
ldb_health_issue_free (LdbHealthIssue *self)
{
  g_free (self->id);
  g_free (self->summary);
  g_free (self->remedy);
  g_clear_pointer (&self->evidence, g_variant_unref);
  g_clear_pointer (&self->key, g_bytes_unref);
  g_free (self);
}

/**
 * ldb_health_issue_get_evidence:
 * @self: an issue
 *
 * Gets the figures that it follows from, by name: numbers, shares from 0 to 1, texts. The end of a
 * name says what is counted: `_bytes`, `_ns` (nanoseconds).
 *
 * Any thread.
 *
 * Returns: (transfer none): a dictionary of the type `a{sv}`
 *
 * Since: 0.1
 */
GVariant *
ldb_health_issue_get_evidence (const LdbHealthIssue *self)
{
  g_return_val_if_fail (self != NULL, NULL);
  return self->evidence;
}

/**
 * ldb_health_issue_get_key:
 * @self: an issue
 *
 * Gets the key that it is about, where it is about one.
 *
 * Any thread.
 *
 * Returns: (transfer none) (nullable): the key's beginning, 64 bytes at most; %NULL if there is none
 *
 * Since: 0.1
 */
GBytes *
ldb_health_issue_get_key (const LdbHealthIssue *self)
{
  g_return_val_if_fail (self != NULL, NULL);
  return self->key;
}

/* ---- verdicts ---- */

LdbHealth *
ldb_health_new (gint64 time, GPtrArray *issues)
{
  LdbHealth *self = g_new0 (LdbHealth, 1);
  self->references = 1;
  self->time = time;
  self->issues = issues;
  return self;
}

/**
 * ldb_health_ref:
 * @self: a verdict
 *
 * Takes a reference.
 *
 * Any thread.
 *
 * Returns: (transfer full): the same
 *
 * Since: 0.1
 */
LdbHealth *
ldb_health_ref (LdbHealth *self)
{
  g_return_val_if_fail (self != NULL, NULL);
  g_atomic_int_inc (&self->references);
  return self;
}

/**
 * ldb_health_unref:
 * @self: (transfer full): a verdict
 *
 * Gives a reference back.
 *
 * Any thread.
 *
 * Since: 0.1
 */
void
ldb_health_unref (LdbHealth *self)
{
  if (!g_atomic_int_dec_and_test (&self->references))
    return;
  g_ptr_array_unref (self->issues);
  g_free (self);
}

/**
 * ldb_health_is_healthy:
 * @self: a verdict
 *
 * Whether nothing is wrong; there may be advice.
 *
 * Any thread.
 *
 * Returns: %TRUE if there is no issue but of %LDB_SEVERITY_ADVICE
 *
 * Since: 0.1
 */
gboolean
ldb_health_is_healthy (const LdbHealth *self)
{
  g_return_val_if_fail (self != NULL, FALSE);
  return ldb_health_get_severity (self) <= LDB_SEVERITY_ADVICE;
}

/**
 * ldb_health_get_severity:
 * @self: a verdict
 *
 * Gets how bad the worst issue is.
 *
 * Any thread.
 *
 * Returns: its severity; %LDB_SEVERITY_NONE when there is no issue
 *
 * Since: 0.1
 */
LdbSeverity
ldb_health_get_severity (const LdbHealth *self)
{
  g_return_val_if_fail (self != NULL, LDB_SEVERITY_NONE);
  if (self->issues->len == 0)
    return LDB_SEVERITY_NONE;
  return ((const LdbHealthIssue *) g_ptr_array_index (self->issues, 0))->severity;
}

/**
 * ldb_health_get_time:
 * @self: a verdict
 *
 * Gets when it was made.
 *
 * Any thread.
 *
 * Returns: microseconds since 1970
 *
 * Since: 0.1
 */
gint64
ldb_health_get_time (const LdbHealth *self)
{
  g_return_val_if_fail (self != NULL, 0);
  return self->time;
}

/**
 * ldb_health_get_issues:
 * @self: a verdict
 *
 * Gets what is wrong, and what could be better, the most severe first.
 *
 * Any thread.
 *
 * Returns: (transfer none) (element-type LdbHealthIssue): the issues
 *
 * Since: 0.1
 */
GPtrArray *
ldb_health_get_issues (const LdbHealth *self)
{
  g_return_val_if_fail (self != NULL, NULL);
  return self->issues;
}

/**
 * ldb_health_find_issue:
 * @self: a verdict
 * @id: which one
 *
 * Looks for an issue.
 *
 * Any thread.
 *
 * Returns: (transfer none) (nullable): the issue, or %NULL if that is not among them
 *
 * Since: 0.1
 */
LdbHealthIssue *
ldb_health_find_issue (const LdbHealth *self, const char *id)
{
  g_return_val_if_fail (self != NULL && id != NULL, NULL);
  for (guint i = 0; i < self->issues->len; i++)
    {
      LdbHealthIssue *issue = g_ptr_array_index (self->issues, i);
      if (strcmp (issue->id, id) == 0)
        return issue;
    }
  return NULL;
}

gboolean
ldb_health_agrees (const LdbHealth *self, const LdbHealth *other)
{
  if (self->issues->len != other->issues->len)
    return FALSE;
  for (guint i = 0; i < self->issues->len; i++)
    {
      const LdbHealthIssue *a = g_ptr_array_index (self->issues, i);
      const LdbHealthIssue *b = g_ptr_array_index (other->issues, i);
      if (strcmp (a->id, b->id) != 0 || a->severity != b->severity)
        return FALSE;
    }
  return TRUE;
}

static const char *
nick_of (GType type, int value)
{
  g_autoptr (GEnumClass) values = g_type_class_ref (type);
  return g_enum_get_value (values, value)->value_nick; /* static */
}

char *
ldb_health_name (const LdbHealth *self)
{
  g_autoptr (GString) text = g_string_new (NULL);
  for (guint i = 0; i < self->issues->len; i++)
    {
      const LdbHealthIssue *issue = g_ptr_array_index (self->issues, i);
      g_string_append_printf (text, "%s%s (%s)", i > 0 ? ", " : "", issue->id,
                              nick_of (LDB_TYPE_SEVERITY, (int) issue->severity));
    }
  return self->issues->len > 0 ? g_string_free (g_steal_pointer (&text), FALSE)
                               : g_strdup ("healthy");
}

/* ---- as JSON ---- */

static void
write_evidence (LdbJson *json, GVariant *evidence)
{
  GVariantIter iter;
  const char *name;
  GVariant *value;
  ldb_json_begin (json, "evidence", '{');
  g_variant_iter_init (&iter, evidence);
  while (g_variant_iter_next (&iter, "{&sv}", &name, &value))
    {
      if (g_variant_is_of_type (value, G_VARIANT_TYPE_UINT64))
        ldb_json_number (json, name, g_variant_get_uint64 (value));
      else if (g_variant_is_of_type (value, G_VARIANT_TYPE_DOUBLE))
        ldb_json_real (json, name, g_variant_get_double (value));
      else if (g_variant_is_of_type (value, G_VARIANT_TYPE_BOOLEAN))
        ldb_json_flag (json, name, g_variant_get_boolean (value));
      else if (g_variant_is_of_type (value, G_VARIANT_TYPE_STRING))
        ldb_json_text (json, name, g_variant_get_string (value, NULL));
      g_variant_unref (value);
    }
  ldb_json_end (json, '}');
}

static void
write_issue (LdbJson *json, const LdbHealthIssue *issue)
{
  ldb_json_begin (json, NULL, '{');
  ldb_json_text (json, "id", issue->id);
  ldb_json_text (json, "severity", nick_of (LDB_TYPE_SEVERITY, (int) issue->severity));
  ldb_json_text (json, "summary", issue->summary);
  ldb_json_text (json, "remedy", issue->remedy);
  ldb_json_text (json, "action", nick_of (LDB_TYPE_REMEDY, (int) issue->action));
  if (issue->target != 0)
    ldb_json_number (json, "target", issue->target);
  write_evidence (json, issue->evidence);
  ldb_json_bytes (json, "key", issue->key);
  ldb_json_end (json, '}');
}

void
ldb_health_write_json (const LdbHealth *self, LdbJson *json)
{
  ldb_json_flag (json, "healthy", ldb_health_is_healthy (self));
  ldb_json_text (json, "severity",
                 nick_of (LDB_TYPE_SEVERITY, (int) ldb_health_get_severity (self)));
  ldb_json_number (json, "time", (guint64) self->time);
  ldb_json_begin (json, "issues", '[');
  for (guint i = 0; i < self->issues->len; i++)
    write_issue (json, g_ptr_array_index (self->issues, i));
  ldb_json_end (json, ']');
}

/**
 * ldb_health_to_json:
 * @self: a verdict
 *
 * Writes it as one JSON object, keys among it.
 *
 * Any thread.
 *
 * Returns: (transfer full): the object
 *
 * Since: 0.1
 */
char *
ldb_health_to_json (const LdbHealth *self)
{
  LdbJson json;
  g_return_val_if_fail (self != NULL, NULL);
  ldb_json_init (&json);
  ldb_json_begin (&json, NULL, '{');
  ldb_health_write_json (self, &json);
  ldb_json_end (&json, '}');
  return ldb_json_end_text (&json);
}

/* ---- between processes ---- */

GVariant *
ldb_health_to_variant (const LdbHealth *self)
{
  GVariantBuilder issues;
  g_variant_builder_init (&issues, G_VARIANT_TYPE ("a(sussuta{sv}ay)"));
  for (guint i = 0; i < self->issues->len; i++)
    {
      const LdbHealthIssue *issue = g_ptr_array_index (self->issues, i);
      gsize size = 0;
      gconstpointer key = issue->key != NULL ? g_bytes_get_data (issue->key, &size) : NULL;
      g_variant_builder_add (&issues, "(sussut@a{sv}@ay)", issue->id, (guint) issue->severity,
                             issue->summary, issue->remedy, (guint) issue->action, issue->target,
                             issue->evidence,
                             g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, key, size, 1));
    }
  return g_variant_new ("(xa(sussuta{sv}ay))", self->time, &issues);
}

/* What a later version says of an enumeration is the nearest that this one knows. */
static LdbHealthIssue *
issue_from_variant (GVariant *from)
{
  LdbHealthIssue *issue = g_new0 (LdbHealthIssue, 1);
  guint severity, action;
  gsize size;
  g_autoptr (GVariant) key = NULL;
  g_variant_get (from, "(sussut@a{sv}@ay)", &issue->id, &severity, &issue->summary, &issue->remedy,
                 &action, &issue->target, &issue->evidence, &key);
  issue->severity = (LdbSeverity) CLAMP (severity, LDB_SEVERITY_ADVICE, LDB_SEVERITY_CRITICAL);
  issue->action = action <= LDB_REMEDY_CHECK ? (LdbRemedy) action : LDB_REMEDY_NONE;
  gconstpointer data = g_variant_get_fixed_array (key, &size, 1);
  if (size > 0)
    issue->key = g_bytes_new (data, size);
  return issue;
}

static int
compare_severity (gconstpointer a, gconstpointer b)
{
  const LdbHealthIssue *left = *(LdbHealthIssue *const *) a, *right = *(LdbHealthIssue *const *) b;
  return (left->severity < right->severity) - (left->severity > right->severity);
}

LdbHealth *
ldb_health_from_variant (GVariant *variant)
{
  GPtrArray *issues = g_ptr_array_new_with_free_func ((GDestroyNotify) ldb_health_issue_free);
  g_autoptr (GVariant) list = NULL;
  gint64 time;
  g_variant_get (variant, "(x@a(sussuta{sv}ay))", &time, &list);
  for (gsize i = 0; i < g_variant_n_children (list); i++)
    {
      g_autoptr (GVariant) one = g_variant_get_child_value (list, i);
      g_ptr_array_add (issues, issue_from_variant (one));
    }
  g_ptr_array_sort (issues, compare_severity); /* who sent it is not trusted to have */
  return ldb_health_new (time, issues);
}
