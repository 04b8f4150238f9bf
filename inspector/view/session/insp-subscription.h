/* SPDX-License-Identifier: MIT */
/*
 * InspSubscription: is told of the changes of the database that is looked into, while somebody wants
 * to be.
 *
 * Signals: “begun” (GError *; NULL: from now on), and “changed” (LdbChangeSet *).
 *
 * Threads: the main one.
 */
#pragma once

#include "insp-session.h"

G_BEGIN_DECLS

#define INSP_TYPE_SUBSCRIPTION (insp_subscription_get_type ())
G_DECLARE_FINAL_TYPE (InspSubscription, insp_subscription, INSP, SUBSCRIPTION, GObject)

InspSubscription *insp_subscription_new (InspSession *session);

/* Of a live session, and one that is not active. `prefix`: NULL is all keys. `interval`: milliseconds. */
void insp_subscription_begin (InspSubscription *self, const char *store, GBytes *prefix,
                              LdbWatchFlags flags, guint interval);
void insp_subscription_end (InspSubscription *self);
/* It is asked for, or there. */
gboolean insp_subscription_is_active (InspSubscription *self);

G_END_DECLS
