/* SPDX-License-Identifier: MIT */
/* Any bytes as a lightning_db.toml: refused with a message, and then nothing of it was taken; or
 * taken, and then taken again with the same result. */
#include "../check-condition.h"

#include <glib/gstdio.h>
#include <lightning-db.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

/* Every property with its value, a line each. */
static char *
describe (LdbOptions *options)
{
  g_autoptr (GString) text = g_string_new (NULL);
  guint count;
  g_autofree GParamSpec **properties
      = g_object_class_list_properties (G_OBJECT_GET_CLASS (options), &count);
  for (guint i = 0; i < count; i++)
    {
      g_auto (GValue) value = G_VALUE_INIT;
      g_object_get_property (G_OBJECT (options), properties[i]->name, &value);
      g_autofree char *content = g_strdup_value_contents (&value);
      g_string_append_printf (text, "%s=%s\n", properties[i]->name, content);
    }
  return g_string_free (g_steal_pointer (&text), FALSE);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  int descriptor = memfd_create ("lightning_db.toml", MFD_CLOEXEC);
  CHECK (descriptor >= 0 && write (descriptor, data, size) == (gssize) size);
  g_autofree char *path = g_strdup_printf ("/proc/self/fd/%d", descriptor);
  g_autoptr (LdbOptions) options = ldb_options_new ();
  g_autoptr (GError) error = NULL;
  g_autofree char *before = describe (options);
  gboolean taken = ldb_options_load_from_file (options, path, &error);
  g_autofree char *after = describe (options);
  CHECK (taken == (error == NULL));
  if (!taken)
    CHECK (error->message[0] != '\0' && g_strcmp0 (before, after) == 0);
  else
    {
      CHECK (ldb_options_load_from_file (options, path, NULL));
      g_autofree char *again = describe (options);
      CHECK (g_strcmp0 (after, again) == 0);
    }
  close (descriptor);
  return 0;
}
