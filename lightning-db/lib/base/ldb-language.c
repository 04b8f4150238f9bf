/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "ldb-language-private.h"

__attribute__ ((constructor)) static void
bind_language (void)
{
  bindtextdomain (GETTEXT_PACKAGE, LOCALE_DIRECTORY);
  bind_textdomain_codeset (GETTEXT_PACKAGE, "UTF-8");
}
