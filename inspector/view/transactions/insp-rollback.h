/* SPDX-License-Identifier: MIT */
/*
 * Rolling a transaction of the application back. What it wrote can't be brought back, so that is asked
 * about.
 */
#pragma once

#include "insp-page.h"

G_BEGIN_DECLS

/* `id`: the number of the transaction. What came of it is said by the page. */
void insp_rollback_ask (InspPage *page, guint64 id);

G_END_DECLS
