/* SPDX-License-Identifier: MIT */
/* Any bytes as the advert of a running database, and as a name in the runtime directory: refused, or
 * taken, and then written and taken again with the same result. */
#include "../check-condition.h"

#include "ldb-advert-private.h"

#include <string.h>

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

static void
check_lines (const char *text)
{
  CHECK (g_utf8_validate (text, -1, NULL));
  for (; *text != '\0'; text = g_utf8_next_char (text))
    CHECK (!g_unichar_iscntrl (g_utf8_get_char (text)));
}

static void
check_same (const LdbAdvert *one, const LdbAdvert *other)
{
  CHECK (strcmp (one->token, other->token) == 0 && one->object == other->object);
  CHECK (one->process_id == other->process_id && !one->read_only == !other->read_only);
  CHECK (strcmp (one->program, other->program) == 0);
  CHECK (strcmp (one->application, other->application) == 0);
  CHECK (strcmp (one->path, other->path) == 0 && strcmp (one->id, other->id) == 0);
}

static void
try_name (const char *name)
{
  char token[LDB_TOKEN_LENGTH + 1], same[LDB_TOKEN_LENGTH + 1];
  guint object;
  gboolean ours = ldb_advert_token_of (name, token);
  CHECK (!ours || strlen (token) == LDB_TOKEN_LENGTH);
  if (!ldb_advert_parse_file_name (name, same, &object))
    return;
  CHECK (ours && strcmp (token, same) == 0 && object > 0);
  g_autofree char *again = ldb_advert_file_name (same, object);
  char token_again[LDB_TOKEN_LENGTH + 1];
  guint object_again;
  CHECK (ldb_advert_parse_file_name (again, token_again, &object_again));
  CHECK (object_again == object && strcmp (token_again, same) == 0);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_auto (LdbAdvert) advert = { .object = 0 };
  g_autofree char *text = g_strndup ((const char *) data, size);
  try_name (text);
  if (!ldb_advert_parse (&advert, (const char *) data, size))
    {
      CHECK (advert.path == NULL && advert.program == NULL && advert.id == NULL);
      return 0;
    }
  CHECK (advert.object > 0 && strlen (advert.id) == 32 && g_path_is_absolute (advert.path));
  check_lines (advert.program);
  check_lines (advert.application);
  gsize length;
  g_auto (LdbAdvert) again = { .object = 0 };
  g_autofree char *written = ldb_advert_format (&advert, &length);
  CHECK (ldb_advert_parse (&again, written, length) || length > LDB_ADVERT_SIZE_MAX);
  if (again.path != NULL)
    check_same (&advert, &again);
  return 0;
}
