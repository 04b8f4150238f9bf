/* SPDX-License-Identifier: MIT */
#include "simulated-memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

struct memory_fault memory_fault;

void *__real_malloc (size_t);
void *__real_calloc (size_t, size_t);
void *__real_realloc (void *, size_t);
void *__real_aligned_alloc (size_t, size_t);
void *__real_mmap (void *, size_t, int, int, int, off_t);
int __real_mprotect (void *, size_t, int);

void *__wrap_malloc (size_t);
void *__wrap_calloc (size_t, size_t);
void *__wrap_realloc (void *, size_t);
void *__wrap_aligned_alloc (size_t, size_t);
char *__wrap_strdup (const char *);
void *__wrap_mmap (void *, size_t, int, int, int, off_t);
int __wrap_mprotect (void *, size_t, int);

static bool
fails (void)
{
  if (!memory_fault.armed)
    return false;
  uint64_t number = memory_fault.count++;
  bool hit = memory_fault.for_ever ? number >= memory_fault.at : number == memory_fault.at;
  memory_fault.failed += hit;
  if (hit)
    errno = ENOMEM;
  return hit;
}

void *
__wrap_malloc (size_t size)
{
  return fails () ? NULL : __real_malloc (size);
}

void *
__wrap_calloc (size_t count, size_t size)
{
  return fails () ? NULL : __real_calloc (count, size);
}

void *
__wrap_realloc (void *memory, size_t size)
{
  return fails () ? NULL : __real_realloc (memory, size);
}

void *
__wrap_aligned_alloc (size_t alignment, size_t size)
{
  return fails () ? NULL : __real_aligned_alloc (alignment, size);
}

char *
__wrap_strdup (const char *string)
{
  return fails () ? NULL : kept_strdup (string);
}

void *
__wrap_mmap (void *at, size_t size, int protection, int flags, int file, off_t offset)
{
  return fails () ? MAP_FAILED : __real_mmap (at, size, protection, flags, file, offset);
}

int
__wrap_mprotect (void *at, size_t size, int protection)
{
  return fails () ? -1 : __real_mprotect (at, size, protection);
}

static void *
must (void *memory)
{
  if (memory == NULL)
    abort ();
  return memory;
}

void *
kept_malloc (size_t size)
{
  return must (__real_malloc (size));
}

void *
kept_calloc (size_t count, size_t size)
{
  return must (__real_calloc (count, size));
}

void *
kept_realloc (void *memory, size_t size)
{
  return must (__real_realloc (memory, size));
}

char *
kept_strdup (const char *string)
{
  size_t size = strlen (string) + 1;
  return memcpy (kept_malloc (size), string, size);
}
