/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "ldb-version.h"

/**
 * LDB_MAJOR_VERSION:
 *
 * The major version the program is compiled against.
 *
 * Since: 0.1
 */

/**
 * LDB_MINOR_VERSION:
 *
 * The minor version the program is compiled against.
 *
 * Since: 0.1
 */

/**
 * LDB_MICRO_VERSION:
 *
 * The micro version the program is compiled against.
 *
 * Since: 0.1
 */

/**
 * LDB_VERSION_S:
 *
 * The version the program is compiled against, as a string.
 *
 * Since: 0.1
 */

/**
 * LDB_CHECK_VERSION:
 * @major: the least major version
 * @minor: the least minor version
 * @micro: the least micro version
 *
 * Whether the program is compiled against at least this version.
 *
 * Since: 0.1
 */

/**
 * LDB_AVAILABLE_IN_ALL: (skip)
 *
 * Marks a symbol that is public since the first version.
 *
 * Since: 0.1
 */

/**
 * ldb_get_version:
 *
 * The version of the library that is running, such as `0.1.0`.
 *
 * Any thread.
 *
 * Returns: (transfer none): the version
 *
 * Since: 0.1
 */
const char *
ldb_get_version (void)
{
  return LDB_VERSION_S;
}

/**
 * ldb_check_version:
 * @major: the least major version
 * @minor: the least minor version
 * @micro: the least micro version
 *
 * Checks that the library that is running is at least a version and compatible with it; usually
 * called with %LDB_MAJOR_VERSION, %LDB_MINOR_VERSION and %LDB_MICRO_VERSION.
 *
 * Any thread.
 *
 * Returns: (transfer none) (nullable): %NULL if it is, else why it is not and what to do
 *
 * Since: 0.1
 */
const char *
ldb_check_version (guint major, guint minor, guint micro)
{
  if (major != LDB_MAJOR_VERSION)
    return "The running lightning-db library has another major version than the program asks for; "
           "install the lightning-db package of the program's major version.";
  if (minor > LDB_MINOR_VERSION || (minor == LDB_MINOR_VERSION && micro > LDB_MICRO_VERSION))
    return "The running lightning-db library is older than the program asks for; upgrade the "
           "lightning-db package.";
  return NULL;
}
