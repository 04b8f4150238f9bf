/* SPDX-License-Identifier: MIT */
#pragma once

#include "ldb-loader.h"

G_BEGIN_DECLS

LdbLoader *ldb_loader_new (LdbDatabase *database, GError **error);

G_END_DECLS
