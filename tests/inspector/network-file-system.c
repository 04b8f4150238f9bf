/* SPDX-License-Identifier: MIT */
/* Preloaded into a program, says that what lies below the directory NETWORK of the environment is on a
 * network file system. */
#include <dlfcn.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

__attribute__ ((visibility ("default"))) int
fstatfs64 (int descriptor, struct statfs64 *information)
{
  static int (*there) (int, struct statfs64 *);
  const char *network = getenv ("NETWORK");
  char link[64], path[4096];
  if (there == NULL)
    *(void **) &there = dlsym (RTLD_NEXT, "fstatfs64");
  int result = there (descriptor, information);
  snprintf (link, sizeof link, "/proc/self/fd/%d", descriptor);
  ssize_t size = readlink (link, path, sizeof path - 1);
  if (result == 0 && network != NULL && size >= 0)
    {
      path[size] = '\0';
      if (strncmp (path, network, strlen (network)) == 0)
        information->f_type = NFS_SUPER_MAGIC;
    }
  return result;
}
