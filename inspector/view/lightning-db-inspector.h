/* SPDX-License-Identifier: MIT */
/*
 * liblightning-db-inspector-1: what a database does, as a GTK widget. Include this header only.
 */
#pragma once

#define LDB_INSPECTOR_VIEW_INSIDE
#include "ldb-inspector-view.h"
#include "ldb-inspector-window.h"
#undef LDB_INSPECTOR_VIEW_INSIDE
