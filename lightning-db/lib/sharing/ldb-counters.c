/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "ldb-counters-private.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/metrics.h"
#include "ldb-error-private.h"
#include "ldb-runtime-directory-private.h"

#define FILE_SIZE_MAX (16 << 20) /* bytes of a file that is read */

struct _LdbCounters
{
  gint references; /* of the engine and its share; atomic */
  gpointer memory; /* the mapping */
  gsize size;      /* of it, bytes */
  gint file;       /* without a name as yet; -1: it has one, or cannot get one; atomic */
};

char *
ldb_counters_file_name (const char *token, guint object)
{
  return g_strdup_printf ("%s-%u.counters", token, object);
}

static gboolean
is_in_memory (int directory)
{
  struct statfs info;
  return fstatfs (directory, &info) == 0 && info.f_type == TMPFS_MAGIC;
}

/* All of it is allocated: nobody who counts meets a full tmpfs. */
static gboolean
map_file (LdbCounters *self)
{
  if (self->file < 0 || posix_fallocate (self->file, 0, (off_t) self->size) != 0)
    return FALSE;
  self->memory = mmap (NULL, self->size, PROT_READ | PROT_WRITE, MAP_SHARED, self->file, 0);
  return self->memory != MAP_FAILED;
}

LdbCounters *
ldb_counters_new (gsize size)
{
  g_autofree char *path = ldb_runtime_directory_path ();
  int directory = ldb_runtime_directory_open (path, TRUE, NULL);
  if (directory < 0)
    return NULL;
  LdbCounters *self = g_new0 (LdbCounters, 1);
  self->references = 1;
  self->size = size;
  self->file = is_in_memory (directory)
                   ? openat (directory, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600)
                   : -1;
  close (directory);
  if (map_file (self))
    return self;
  if (self->file >= 0)
    close (self->file);
  g_free (self);
  return NULL;
}

LdbCounters *
ldb_counters_ref (LdbCounters *self)
{
  g_atomic_int_inc (&self->references);
  return self;
}

void
ldb_counters_unref (gpointer data)
{
  LdbCounters *self = data;
  if (!g_atomic_int_dec_and_test (&self->references))
    return;
  munmap (self->memory, self->size);
  if (self->file >= 0)
    close (self->file);
  g_free (self);
}

gpointer
ldb_counters_get_memory (LdbCounters *self)
{
  return self->memory;
}

void
ldb_counters_link (LdbCounters *self, int directory, const char *name)
{
  char path[64];
  int file = g_atomic_int_exchange (&self->file, -1);
  if (file < 0)
    return;
  g_snprintf (path, sizeof path, "/proc/self/fd/%d", file);
  linkat (AT_FDCWD, path, directory, name, AT_SYMLINK_FOLLOW);
  close (file);
}

/* ---- reading ---- */

static gboolean
fail_without (GError **error)
{
  ldb_error_set (error, LDB_ERROR_NOT_FOUND,
                 "The running process shares no counters; connect to it and ask.");
  return FALSE;
}

int
ldb_counters_open (int directory, const char *name, GError **error)
{
  int file = openat (directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (file < 0)
    fail_without (error);
  return file;
}

GBytes *
ldb_counters_copy (int file, GError **error)
{
  struct stat info;
  if (fstat (file, &info) != 0 || !S_ISREG (info.st_mode) || info.st_uid != geteuid ()
      || info.st_size > FILE_SIZE_MAX)
    {
      fail_without (error);
      return NULL;
    }
  g_autofree guint8 *bytes = g_malloc ((gsize) info.st_size + 1);
  gssize count = pread (file, bytes, (gsize) info.st_size, 0);
  if (count >= 0)
    return g_bytes_new_take (g_steal_pointer (&bytes), (gsize) count);
  fail_without (error);
  return NULL;
}

GVariant *
ldb_counters_read (int directory, const char *name, GError **error)
{
  gsize size;
  GVariantBuilder all;
  struct metrics_reader reader;
  struct failure failure = FAILURE_INIT;
  int file = ldb_counters_open (directory, name, error);
  g_autoptr (GBytes) copy = file >= 0 ? ldb_counters_copy (file, error) : NULL;
  if (file >= 0)
    close (file);
  if (copy == NULL)
    return NULL;
  gconstpointer bytes = g_bytes_get_data (copy, &size);
  if (!ldb_error_check (error, metrics_reader_init (&reader, bytes, size, &failure), &failure))
    return NULL;
  g_variant_builder_init (&all, G_VARIANT_TYPE ("a{sx}"));
  for (uint32_t i = 0; i < metrics_reader_count (&reader); i++)
    {
      struct metric metric;
      if (!metrics_reader_describe (&reader, i, &metric))
        continue;
      g_autofree char *key
          = g_strconcat (metric.name, metric.kind == METRIC_HISTOGRAM ? "_count" : NULL, NULL);
      g_variant_builder_add (&all, "{sx}", key, (gint64) metrics_reader_value (&reader, &metric));
    }
  return g_variant_ref_sink (g_variant_builder_end (&all));
}
