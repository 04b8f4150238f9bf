/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#include "insp-load-plan.h"

#define GROWTH 3            /* of what is stored, until it is merged */
#define LOG_ROOM (64 << 20) /* bytes */

void
insp_load_plan_init (InspLoadPlan *self)
{
  *self = (InspLoadPlan){
    .records = 100000,
    .value_size = 100,
    .threads = 2,
    .seconds = 10,
  };
  insp_load_plan_set_preset (self, 0);
}

const char *
insp_load_plan_check (const InspLoadPlan *self)
{
  guint64 sum = 0;
  for (guint i = 0; i < MIX_KINDS; i++)
    sum += self->shares[i];
  if (sum == 0)
    return _ ("Give at least one kind of operation a share.");
  if (self->records < INSP_LOAD_RECORDS_LEAST || self->records > INSP_LOAD_RECORDS_MOST
      || self->value_size < INSP_LOAD_VALUE_LEAST || self->value_size > INSP_LOAD_VALUE_MOST
      || self->threads < 1 || self->threads > INSP_LOAD_THREADS_MOST || self->seconds < 1
      || self->seconds > INSP_LOAD_SECONDS_MOST || self->order >= MIX_ORDERS || sum > G_MAXINT)
    return _ ("A figure is out of its range.");
  return NULL;
}

int
insp_load_plan_find_preset (const InspLoadPlan *self)
{
  for (guint i = 0; mix_presets[i].row != NULL; i++)
    if (memcmp (mix_presets[i].shares, self->shares, sizeof self->shares) == 0
        && mix_presets[i].order == self->order && mix_presets[i].durable == self->durable)
      return (int) i;
  return -1;
}

void
insp_load_plan_set_preset (InspLoadPlan *self, guint preset)
{
  memcpy (self->shares, mix_presets[preset].shares, sizeof self->shares);
  self->order = mix_presets[preset].order;
  self->durable = mix_presets[preset].durable;
}

const char *
insp_load_plan_name (const InspLoadPlan *self)
{
  int preset = insp_load_plan_find_preset (self);
  if (preset < 0)
    /* Translators: a load of one's own choice, none of the presets */
    return _ ("own mix");
  return _ (workload_find (mix_presets[preset].row)->title);
}

guint64
insp_load_plan_get_room (const InspLoadPlan *self)
{
  return (guint64) self->records * (INSP_LOAD_KEY_SIZE + self->value_size) * GROWTH + LOG_ROOM;
}

const char *
insp_load_kind_name (enum mix_kind kind)
{
  return _ (mix_kind_names[kind].title);
}

const char *
insp_load_order_name (enum mix_order order)
{
  return _ (mix_order_names[order].title);
}
