/* SPDX-License-Identifier: MIT */
/* InspLoadPlan: what a load test is to do. */
#pragma once

#include <glib.h>

#include "mix.h"

G_BEGIN_DECLS

#define INSP_LOAD_RECORDS_LEAST 1000
#define INSP_LOAD_RECORDS_MOST 10000000
#define INSP_LOAD_VALUE_LEAST 8
#define INSP_LOAD_VALUE_MOST 1048576 /* bytes */
#define INSP_LOAD_THREADS_MOST 64
#define INSP_LOAD_SECONDS_MOST 3600
#define INSP_LOAD_KEY_SIZE 16       /* bytes */
#define INSP_LOAD_BUDGET (64 << 20) /* bytes of memory that a scratch database may use */

typedef struct
{
  guint records;           /* that the scratch database is filled with */
  guint value_size;        /* bytes */
  guint threads;           /* that work at the same time */
  guint seconds;           /* that it works */
  guint shares[MIX_KINDS]; /* of each kind, of their sum */
  enum mix_order order;    /* of keys */
  gboolean durable;        /* each commit is durable before it is acknowledged */
} InspLoadPlan;

/* The benchmark's first preset, so large that it is over soon. */
void insp_load_plan_init (InspLoadPlan *self);

/* NULL: it can be done; else what to change, translated. */
const char *insp_load_plan_check (const InspLoadPlan *self);

/* The preset that has these shares, this order and this durability; -1: none. */
int insp_load_plan_find_preset (const InspLoadPlan *self);
void insp_load_plan_set_preset (InspLoadPlan *self, guint preset);
/* As people call it, translated: the preset, or a mix. */
const char *insp_load_plan_name (const InspLoadPlan *self);

/* Bytes that it needs on the disk, about. */
guint64 insp_load_plan_get_room (const InspLoadPlan *self);

/* Translated. */
const char *insp_load_kind_name (enum mix_kind kind);
const char *insp_load_order_name (enum mix_order order);

G_END_DECLS
