/* SPDX-License-Identifier: MIT */
#define LIGHTNING_TESTS_FAILING_CALLS_THEMSELVES
#include "failing-calls.h"

#include "../check-condition.h"

#include <stdio.h>
#include <string.h>

#define SYNCS_MOST 64

extern struct call_site *const __start_call_site_list[], *const __stop_call_site_list[];

struct call_plan call_plan;
struct call_tally *call_tally;
_Atomic int64_t call_mapped, call_blocks;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct
{
  dev_t device;
  ino_t inode;
} lost_syncs[SYNCS_MOST];      /* files whose sync failed; mutex */
static size_t lost_sync_count; /* mutex */

/* ---- sites ---- */

static int
compare_sites (const void *first, const void *second)
{
  const struct call_site *a = *(struct call_site *const *) first,
                         *b = *(struct call_site *const *) second;
  int order = strcmp (a->file, b->file);
  return order != 0 ? order : (int) a->line - (int) b->line;
}

const struct call_site *const *
call_sites (size_t *count)
{
  static const struct call_site *sites[CALL_SITES_MOST];
  *count = (size_t) (__stop_call_site_list - __start_call_site_list);
  CHECK (*count <= CALL_SITES_MOST);
  if (sites[0] == NULL)
    {
      struct call_site *ordered[CALL_SITES_MOST];
      memcpy (ordered, __start_call_site_list, *count * sizeof *ordered);
      for (size_t i = 0; i < *count; i++)
        {
          const char *below = strstr (ordered[i]->file, "engine/");
          ordered[i]->file = below != NULL ? below + strlen ("engine/") : ordered[i]->file;
          /* F_DUPFD neither waits nor writes. */
          if (strcmp (ordered[i]->function, "above_standard_streams") == 0
              && strcmp (ordered[i]->call, "fcntl") == 0)
            ordered[i]->kinds = CALL_BIT (DESCRIPTORS);
        }
      qsort (ordered, *count, sizeof *ordered, compare_sites);
      for (size_t i = 0; i < *count; i++)
        {
          ordered[i]->index = (unsigned) i;
          sites[i] = ordered[i];
        }
    }
  return sites;
}

int
call_fault_error (enum call_fault kind)
{
  static const int errors[CALL_FAULTS]
      = { EIO, ENOSPC, EINTR, EAGAIN, EMFILE, ENOMEM, EACCES, EINVAL, EFAULT, 0 };
  return errors[kind];
}

/* ---- failing ---- */

/* The path of an open file, or "". */
static void
path_of (int descriptor, char to[256])
{
  char link[64];
  snprintf (link, sizeof link, "/proc/self/fd/%d", descriptor);
  ssize_t size = readlink (link, to, 255);
  to[size > 0 ? size : 0] = '\0';
}

/* Without a lock, since it is also called in a forked child of a process with threads. */
static void
note_name (int descriptor, const char *name)
{
  char target[256];
  if (name == NULL || strcmp (name, ".") == 0 || strcmp (name, "..") == 0)
    {
      path_of (descriptor, target);
      if (target[0] == '\0')
        return;
      name = target;
    }
  const char *slash = strrchr (name, '/');
  name = slash != NULL ? slash + 1 : name;
  if (call_names_file (name))
    return;
  unsigned number = atomic_fetch_add (&call_plan.name_count, 1);
  if (number < CALL_NAMES_MOST)
    {
      snprintf (call_plan.names[number].text, sizeof call_plan.names[number].text, "%s", name);
      call_plan.names[number].whole = true;
    }
}

bool
call_names_file (const char *message)
{
  for (unsigned i = 0; i < CALL_NAMES_MOST && i < call_plan.name_count; i++)
    if (call_plan.names[i].whole && strstr (message, call_plan.names[i].text) != NULL)
      return true;
  return false;
}

/* Whether this call is one that the plan means. */
static bool
is_meant (const struct call_site *site)
{
  uint64_t number = atomic_fetch_add (&call_tally->calls[site->index], 1);
  if ((site->kinds & (1u << call_plan.kind)) == 0)
    return false;
  if (site == call_plan.site && number == call_plan.at)
    call_plan.begun = true;
  else if (!call_plan.lasting || !call_plan.begun)
    return false;
  return call_plan.failed < CALL_LASTING_MOST
         || (call_plan.kind != CALL_INTERRUPTED && call_plan.kind != CALL_AGAIN
             && call_plan.kind != CALL_FAULT);
}

bool
call_fails (struct call_site *site, int descriptor, const char *name, size_t *size)
{
  if (!call_plan.armed || !is_meant (site))
    return false;
  atomic_fetch_add (&call_plan.failed, 1);
  atomic_fetch_add (&call_tally->failures[site->index], 1);
  if (call_plan.kind == CALL_SHORT)
    {
      *size = (*size + 1) / 2;
      return false;
    }
  note_name (descriptor, name);
  errno = call_fault_error (call_plan.kind);
  return true;
}

/* mutex */
static bool
is_lost (const struct stat *file)
{
  for (size_t i = 0; i < lost_sync_count; i++)
    if (lost_syncs[i].device == file->st_dev && lost_syncs[i].inode == file->st_ino)
      return true;
  return false;
}

bool
call_sync_failed (const struct stat *file)
{
  pthread_mutex_lock (&mutex);
  bool lost = is_lost (file);
  pthread_mutex_unlock (&mutex);
  return lost;
}

/* A failed sync has dropped what it could not write: one that succeeds later says nothing (P4). */
bool
call_sync_fails (struct call_site *site, int descriptor)
{
  struct stat file;
  bool fails = call_fails (site, descriptor, NULL, NULL), known = false;
  int error = errno;
  if (call_plan.armed && fstat (descriptor, &file) == 0 && S_ISREG (file.st_mode))
    {
      pthread_mutex_lock (&mutex);
      known = is_lost (&file);
      if (known)
        atomic_fetch_add (&call_plan.synced_again, 1);
      else if (fails && lost_sync_count < SYNCS_MOST)
        {
          lost_syncs[lost_sync_count].device = file.st_dev;
          lost_syncs[lost_sync_count++].inode = file.st_ino;
        }
      pthread_mutex_unlock (&mutex);
    }
  errno = error;
  return fails;
}

void
call_forget_syncs (void)
{
  pthread_mutex_lock (&mutex);
  lost_sync_count = 0;
  pthread_mutex_unlock (&mutex);
}

/* ---- memory ---- */

void *__real_malloc (size_t);
void *__real_calloc (size_t, size_t);
void *__real_realloc (void *, size_t);
void *__real_reallocarray (void *, size_t, size_t);
void *__real_aligned_alloc (size_t, size_t);
char *__real_strdup (const char *);
void __real_free (void *);

void *__wrap_malloc (size_t);
void *__wrap_calloc (size_t, size_t);
void *__wrap_realloc (void *, size_t);
void *__wrap_reallocarray (void *, size_t, size_t);
void *__wrap_aligned_alloc (size_t, size_t);
char *__wrap_strdup (const char *);
void __wrap_free (void *);

static void *
counted (void *block)
{
  atomic_fetch_add (&call_blocks, block != NULL);
  return block;
}

void *
__wrap_malloc (size_t size)
{
  return counted (__real_malloc (size));
}

void *
__wrap_calloc (size_t count, size_t size)
{
  return counted (__real_calloc (count, size));
}

void *
__wrap_realloc (void *block, size_t size)
{
  return block == NULL ? counted (__real_realloc (block, size)) : __real_realloc (block, size);
}

void *
__wrap_reallocarray (void *block, size_t count, size_t size)
{
  void *moved = __real_reallocarray (block, count, size);
  return block == NULL ? counted (moved) : moved;
}

void *
__wrap_aligned_alloc (size_t alignment, size_t size)
{
  return counted (__real_aligned_alloc (alignment, size));
}

char *
__wrap_strdup (const char *string)
{
  return counted (__real_strdup (string));
}

void
__wrap_free (void *block)
{
  atomic_fetch_sub (&call_blocks, block != NULL);
  __real_free (block);
}
