// SPDX-License-Identifier: MIT
// A C++ program that includes the header and uses the installed library.
#include <lightning-db.h>
#include <glib/gstdio.h>

#include <cstdio>
#include <string>

int
main ()
{
  GError *error = nullptr;
  char *directory = g_dir_make_tmp ("lightning-consumer-XXXXXX", &error);
  std::string path = std::string (directory) + "/notes.db";
  LdbDatabase *database
      = ldb_database_open (path.c_str (), LDB_OPEN_CREATE, nullptr, nullptr, &error);
  if (database == nullptr
      || !ldb_database_put_string (database, "user:1", "Ada", nullptr, &error))
    g_error ("%s", error->message);
  char *name = ldb_database_get_string (database, "user:1", nullptr, &error);
  g_assert_cmpstr (name, ==, "Ada");
  std::printf ("%s\n", name);
  g_free (name);
  if (!ldb_database_close (database, nullptr, &error)
      || !ldb_database_destroy (path.c_str (), nullptr, &error))
    g_error ("%s", error->message);
  g_object_unref (database);
  g_rmdir (directory);
  g_free (directory);
  return 0;
}
