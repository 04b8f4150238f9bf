/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#include "insp-load-run.h"

InspLoadRun *
insp_load_run_new (gint64 time, const char *copy_of, const InspLoadPlan *plan)
{
  InspLoadRun *self = g_new0 (InspLoadRun, 1);
  self->time = time;
  self->copy_of = g_strdup (copy_of);
  self->plan = *plan;
  return self;
}

void
insp_load_run_free (InspLoadRun *self)
{
  g_free (self->copy_of);
  g_free (self);
}

void
insp_load_run_set_tally (InspLoadRun *self, const struct mix_tally *tally)
{
  self->wrong = tally->wrong;
  for (guint i = 0; i < MIX_KINDS; i++)
    {
      const struct latency *latency = &tally->latencies[i];
      self->kinds[i] = (InspLoadFigures){
        .operations = tally->operations[i],
        .median = latency_percentile (latency, 0.5),
        .p99 = latency_percentile (latency, 0.99),
        .p999 = latency_percentile (latency, 0.999),
        .longest = latency->maximum,
      };
    }
}

guint64
insp_load_run_get_operations (const InspLoadRun *self)
{
  guint64 sum = 0;
  for (guint i = 0; i < MIX_KINDS; i++)
    sum += self->kinds[i].operations;
  return sum;
}

double
insp_load_run_get_rate (const InspLoadRun *self)
{
  return self->seconds > 0 ? (double) insp_load_run_get_operations (self) / self->seconds : 0;
}

char *
insp_load_run_title (const InspLoadRun *self)
{
  g_autoptr (GDateTime) utc = g_date_time_new_from_unix_utc (self->time / G_USEC_PER_SEC);
  g_autoptr (GDateTime) local = utc != NULL ? g_date_time_to_local (utc) : NULL;
  g_autofree char *when = local != NULL ? g_date_time_format (local, "%x %X") : g_strdup ("–");
  /* Translators: a load test: when it began, what it did */
  return g_strdup_printf (_ ("%s: %s"), when, insp_load_plan_name (&self->plan));
}

/* ---- as a value ---- */

static GVariant *
kinds_to_variant (const InspLoadRun *self)
{
  GVariantBuilder builder;
  g_variant_builder_init (&builder, G_VARIANT_TYPE ("a(utttttt)"));
  for (guint i = 0; i < MIX_KINDS; i++)
    {
      const InspLoadFigures *its = &self->kinds[i];
      g_variant_builder_add (&builder, "(utttttt)", i, (guint64) self->plan.shares[i],
                             its->operations, its->median, its->p99, its->p999, its->longest);
    }
  return g_variant_builder_end (&builder);
}

GVariant *
insp_load_run_to_variant (const InspLoadRun *self)
{
  GVariantDict dict;
  g_variant_dict_init (&dict, NULL);
  g_variant_dict_insert (&dict, "time", "x", self->time);
  if (self->copy_of != NULL)
    g_variant_dict_insert (&dict, "copy-of", "^ay", self->copy_of);
  g_variant_dict_insert (&dict, "records", "u", self->plan.records);
  g_variant_dict_insert (&dict, "value-size", "u", self->plan.value_size);
  g_variant_dict_insert (&dict, "threads", "u", self->plan.threads);
  g_variant_dict_insert (&dict, "planned-seconds", "u", self->plan.seconds);
  g_variant_dict_insert (&dict, "order", "u", (guint) self->plan.order);
  g_variant_dict_insert (&dict, "durable", "b", self->plan.durable);
  g_variant_dict_insert (&dict, "seconds", "d", self->seconds);
  g_variant_dict_insert_value (&dict, "kinds", kinds_to_variant (self));
  g_variant_dict_insert (&dict, "wrong", "t", self->wrong);
  g_variant_dict_insert (&dict, "disk", "t", self->disk);
  g_variant_dict_insert (&dict, "stopped", "b", self->stopped);
  return g_variant_dict_end (&dict);
}

static gboolean
take_kinds (InspLoadRun *self, GVariantDict *dict)
{
  g_autoptr (GVariantIter) kinds = NULL;
  guint32 kind;
  guint64 share;
  InspLoadFigures its;
  if (!g_variant_dict_lookup (dict, "kinds", "a(utttttt)", &kinds))
    return FALSE;
  while (g_variant_iter_next (kinds, "(utttttt)", &kind, &share, &its.operations, &its.median,
                              &its.p99, &its.p999, &its.longest))
    if (kind < MIX_KINDS && share <= G_MAXINT)
      {
        self->kinds[kind] = its;
        self->plan.shares[kind] = (guint) share;
      }
  return TRUE;
}

InspLoadRun *
insp_load_run_new_from_variant (GVariant *variant)
{
  g_auto (GVariantDict) dict = G_VARIANT_DICT_INIT (variant);
  const InspLoadPlan nothing = { 0 };
  g_autoptr (InspLoadRun) self = insp_load_run_new (0, NULL, &nothing);
  guint order = 0;
  if (!g_variant_dict_lookup (&dict, "time", "x", &self->time)
      || !g_variant_dict_lookup (&dict, "seconds", "d", &self->seconds)
      || !take_kinds (self, &dict))
    return NULL;
  g_variant_dict_lookup (&dict, "copy-of", "^ay", &self->copy_of);
  g_variant_dict_lookup (&dict, "records", "u", &self->plan.records);
  g_variant_dict_lookup (&dict, "value-size", "u", &self->plan.value_size);
  g_variant_dict_lookup (&dict, "threads", "u", &self->plan.threads);
  g_variant_dict_lookup (&dict, "planned-seconds", "u", &self->plan.seconds);
  g_variant_dict_lookup (&dict, "order", "u", &order);
  g_variant_dict_lookup (&dict, "durable", "b", &self->plan.durable);
  g_variant_dict_lookup (&dict, "wrong", "t", &self->wrong);
  g_variant_dict_lookup (&dict, "disk", "t", &self->disk);
  g_variant_dict_lookup (&dict, "stopped", "b", &self->stopped);
  self->plan.order = (enum mix_order) order;
  return insp_load_plan_check (&self->plan) == NULL ? g_steal_pointer (&self) : NULL;
}

/* ---- as text ---- */

static char *
format_time (const InspLoadRun *self)
{
  g_autoptr (GDateTime) time = g_date_time_new_from_unix_utc (self->time / G_USEC_PER_SEC);
  return time != NULL ? g_date_time_format_iso8601 (time) : g_strdup ("");
}

/* A figure as every program reads it. */
static const char *
real (double number, char *buffer)
{
  return g_ascii_formatd (buffer, G_ASCII_DTOSTR_BUF_SIZE, "%.6f", number);
}

static void
add_json_text (GString *text, const char *string)
{
  g_string_append_c (text, '"');
  for (const char *at = string; *at != '\0'; at++)
    if (*at == '"' || *at == '\\')
      g_string_append_printf (text, "\\%c", *at);
    else if ((guchar) *at < 0x20)
      g_string_append_printf (text, "\\u%04x", (guchar) *at);
    else
      g_string_append_c (text, *at);
  g_string_append_c (text, '"');
}

static void
add_json_kinds (GString *text, const InspLoadRun *self)
{
  gboolean first = TRUE;
  g_string_append (text, "   \"kinds\": {");
  for (guint i = 0; i < MIX_KINDS; i++)
    {
      const InspLoadFigures *its = &self->kinds[i];
      if (self->plan.shares[i] == 0)
        continue;
      g_string_append_printf (text,
                              "%s\n    \"%s\": {\"share\": %u, \"operations\": %" G_GUINT64_FORMAT
                              ", \"p50_ns\": %" G_GUINT64_FORMAT ", \"p99_ns\": %" G_GUINT64_FORMAT
                              ", \"p999_ns\": %" G_GUINT64_FORMAT
                              ", \"longest_ns\": %" G_GUINT64_FORMAT "}",
                              first ? "" : ",", mix_kind_names[i].id, self->plan.shares[i],
                              its->operations, its->median, its->p99, its->p999, its->longest);
      first = FALSE;
    }
  g_string_append (text, "\n   }");
}

static void
add_json_run (GString *text, const InspLoadRun *self)
{
  char number[G_ASCII_DTOSTR_BUF_SIZE];
  g_autofree char *time = format_time (self);
  g_string_append_printf (text, "  {\"time\": \"%s\",\n   \"copy_of\": ", time);
  if (self->copy_of == NULL)
    g_string_append (text, "null");
  else
    {
      g_autofree char *folder = g_filename_display_name (self->copy_of);
      add_json_text (text, folder);
    }
  g_string_append_printf (text,
                          ",\n   \"records\": %u, \"value_size\": %u, \"threads\": %u, \"keys\": "
                          "\"%s\", \"durable\": %s, \"stopped\": %s,\n",
                          self->plan.records, self->plan.value_size, self->plan.threads,
                          mix_order_names[self->plan.order].id,
                          self->plan.durable ? "true" : "false", self->stopped ? "true" : "false");
  g_string_append_printf (text, "   \"seconds\": %s, ", real (self->seconds, number));
  g_string_append_printf (text, "\"operations_per_second\": %s,\n",
                          real (insp_load_run_get_rate (self), number));
  g_string_append_printf (
      text, "   \"wrong_values\": %" G_GUINT64_FORMAT ", \"disk_bytes\": %" G_GUINT64_FORMAT ",\n",
      self->wrong, self->disk);
  add_json_kinds (text, self);
  g_string_append (text, "}");
}

char *
insp_load_runs_to_json (GPtrArray *runs)
{
  GString *text = g_string_new ("[");
  for (guint i = 0; i < runs->len; i++)
    {
      g_string_append (text, i > 0 ? ",\n" : "\n");
      add_json_run (text, runs->pdata[i]);
    }
  g_string_append (text, "\n]\n");
  return g_string_free (text, FALSE);
}

static void
add_csv_text (GString *text, const char *string)
{
  g_string_append_c (text, '"');
  for (const char *at = string; *at != '\0'; at++)
    g_string_append_printf (text, "%s%c", *at == '"' ? "\"" : "", *at);
  g_string_append_c (text, '"');
}

static void
add_csv_run (GString *text, const InspLoadRun *self)
{
  char seconds[G_ASCII_DTOSTR_BUF_SIZE], rate[G_ASCII_DTOSTR_BUF_SIZE];
  g_autofree char *time = format_time (self);
  g_autofree char *folder
      = self->copy_of != NULL ? g_filename_display_name (self->copy_of) : g_strdup ("");
  for (guint i = 0; i < MIX_KINDS; i++)
    {
      const InspLoadFigures *its = &self->kinds[i];
      if (self->plan.shares[i] == 0)
        continue;
      g_string_append_printf (text, "%s,", time);
      add_csv_text (text, folder);
      g_string_append_printf (
          text,
          ",%u,%u,%u,%s,%d,%d,%s,%s,%u,%" G_GUINT64_FORMAT ",%s,%" G_GUINT64_FORMAT
          ",%" G_GUINT64_FORMAT ",%" G_GUINT64_FORMAT ",%" G_GUINT64_FORMAT ",%" G_GUINT64_FORMAT
          "\r\n",
          self->plan.records, self->plan.value_size, self->plan.threads,
          mix_order_names[self->plan.order].id, self->plan.durable, self->stopped,
          real (self->seconds, seconds), mix_kind_names[i].id, self->plan.shares[i],
          its->operations,
          real (self->seconds > 0 ? (double) its->operations / self->seconds : 0, rate),
          its->median, its->p99, its->p999, its->longest, self->wrong);
    }
}

char *
insp_load_runs_to_csv (GPtrArray *runs)
{
  GString *text = g_string_new (
      "time,copy_of,records,value_size,threads,keys,durable,stopped,seconds,kind,"
      "share,operations,per_second,p50_ns,p99_ns,p999_ns,longest_ns,wrong_values\r\n");
  for (guint i = 0; i < runs->len; i++)
    add_csv_run (text, runs->pdata[i]);
  return g_string_free (text, FALSE);
}
