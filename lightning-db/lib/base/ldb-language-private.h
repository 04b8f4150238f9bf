/* SPDX-License-Identifier: MIT */
/*
 * The language of what the library says to people: of a database's health, and in reports. It is
 * the process's (`setlocale`); the catalogue is bound when the library is loaded, so that a program
 * that keeps it elsewhere binds it anew.
 *
 * Errors and the log stay in English: programmers read them, look for them, and compare them.
 */
#pragma once

#include <glib/gi18n-lib.h>
