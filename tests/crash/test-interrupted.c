/* SPDX-License-Identifier: MIT */
/*
 * The operating system interrupts calls and does less than it was asked for: every second read,
 * write, truncation and allocation gives EINTR or a part. Users notice nothing.
 */
#include "../engine/small-engine.h"
#include "base/random.h"

#include <errno.h>
#include <fcntl.h>

static struct failure failure;
static _Thread_local struct random chance = { 1 };
static unsigned interruptions, parts;

ssize_t __real_pread64 (int, void *, size_t, off_t);
ssize_t __real_pwrite64 (int, const void *, size_t, off_t);
int __real_ftruncate64 (int, off_t);
int __real_fallocate64 (int, int, off_t, off_t);
ssize_t __wrap_pread64 (int, void *, size_t, off_t);
ssize_t __wrap_pwrite64 (int, const void *, size_t, off_t);
int __wrap_ftruncate64 (int, off_t);
int __wrap_fallocate64 (int, int, off_t, off_t);

static bool
interrupts (void)
{
  if (random_below (&chance, 4) != 0)
    return false;
  __atomic_fetch_add (&interruptions, 1, __ATOMIC_RELAXED);
  errno = EINTR;
  return true;
}

static size_t
part_of (size_t size)
{
  if (size < 2 || random_below (&chance, 4) != 0)
    return size;
  __atomic_fetch_add (&parts, 1, __ATOMIC_RELAXED);
  return 1 + (size_t) random_below (&chance, size - 1);
}

ssize_t
__wrap_pread64 (int file, void *to, size_t size, off_t offset)
{
  return interrupts () ? -1 : __real_pread64 (file, to, part_of (size), offset);
}

ssize_t
__wrap_pwrite64 (int file, const void *from, size_t size, off_t offset)
{
  return interrupts () ? -1 : __real_pwrite64 (file, from, part_of (size), offset);
}

int
__wrap_ftruncate64 (int file, off_t size)
{
  return interrupts () ? -1 : __real_ftruncate64 (file, size);
}

int
__wrap_fallocate64 (int file, int mode, off_t offset, off_t size)
{
  return interrupts () ? -1 : __real_fallocate64 (file, mode, offset, size);
}

static struct bytes
value_of (uint8_t to[20000], unsigned number)
{
  struct random random = { number };
  size_t size = number % 50 == 49 ? 20000 : 100 + number % 500;
  for (size_t i = 0; i < size; i++)
    to[i] = (uint8_t) random_next (&random);
  return BYTES (to, size);
}

static struct engine *
open_mapping (const char *path, bool mapping)
{
  struct engine_options options = small_options ();
  options.log_mapping = mapping;
  return open_with (path, &options);
}

static void
check_all (struct engine *engine, unsigned count)
{
  static uint8_t expected[20000], got[20000];
  char key[16];
  for (unsigned i = 0; i < count; i++)
    {
      size_t size;
      CHECK_OK (engine_get (engine, NULL, ENGINE_STORE_DEFAULT,
                            BYTES (key, (size_t) sprintf (key, "%06u", i)), got, sizeof got, &size,
                            &failure));
      CHECK (bytes_equal (BYTES (got, size), value_of (expected, i)));
    }
}

static void
run (bool mapping)
{
  static uint8_t value[20000];
  char *path = fresh_directory (), key[16];
  unsigned count = 0;
  for (int round = 0; round < 4; round++)
    {
      struct engine *engine = open_mapping (path, mapping);
      check_all (engine, count);
      for (unsigned end = count + 300; count < end; count++)
        CHECK_OK (
            engine_put (engine, ENGINE_STORE_DEFAULT,
                        BYTES (key, (size_t) sprintf (key, "%06u", count)), value_of (value, count),
                        count % 30 == 0 ? ENGINE_SYNC_FULL : ENGINE_SYNC_ASYNC, NULL, &failure));
      CHECK_OK (engine_flush (engine, &failure));
      CHECK_OK (engine_compact (engine, NULL, NULL, &failure));
      engine_evict_cache (engine, 1);
      check_all (engine, count);
      struct engine_check_report report;
      CHECK_OK (engine_check_open (engine, true, NULL, NULL, NULL, &report, &failure));
      CHECK_OK (engine_close (engine, &failure));
      engine_unref (engine);
    }
  remove_directory (path);
}

int
main (void)
{
  run (true);
  run (false);
  CHECK (interruptions > 1000 && parts > 500);
  printf ("%u interruptions and %u parts went unnoticed\n", interruptions, parts);
  return 0;
}
