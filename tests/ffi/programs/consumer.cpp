// SPDX-License-Identifier: MIT
// A C++ program that includes the header and uses the installed library.
#include "lightning_db_ffi.h"

#include <cstdio>
#include <cstring>
#include <string>

int
main ()
{
  LightningDB *db = lightning_db_create ("./from-c++", 0);
  if (db == 0)
    {
      std::fprintf (stderr, "%s\n", lightning_db_last_error_message ());
      return 1;
    }
  const std::string key ("key"), value ("value");
  LightningDBError error
      = lightning_db_put (db, reinterpret_cast<const uint8_t *> (key.data ()), key.size (),
                          reinterpret_cast<const uint8_t *> (value.data ()), value.size ());
  LightningDBIterator *iterator = lightning_db_scan (db, 0, 0, 0, 0, LightningDBScanForward);
  LightningDBEntry entry;
  if (error != Success || lightning_db_iterator_next (iterator, &entry) != Success
      || entry.value_len != 5 || std::memcmp (entry.value, "value", 5) != 0)
    return 1;
  lightning_db_iterator_free (iterator);
  lightning_db_free (db);
  return 0;
}
