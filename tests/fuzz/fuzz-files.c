/* SPDX-License-Identifier: MIT */
#include "fuzz-files.h"

#include "base/coding.h"
#include "version/manifest.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#define FILES_MAX 32u
#define HEAD_SIZE 8u
#define FOREIGN_NAME_MAX 24u
#define PACKED_MAX ((size_t) 1 << 20)

static const char *const names[] = { "CURRENT", "LOCK", SHARED_PAGE_NAME, "BACKUP" };
static const enum file_kind numbered[]
    = { FILE_MANIFEST, FILE_LOG, FILE_SEGMENT, FILE_BLOB, FILE_HISTORY, FILE_TEMPORARY };
#define NAMES (sizeof names / sizeof *names)
#define NUMBERED (sizeof numbered / sizeof *numbered)
#define FOREIGN (NAMES + NUMBERED)

char *
fuzz_files_directory (const char *name)
{
  char *path = malloc (PATH_MAX);
  CHECK (path != NULL);
  snprintf (path, PATH_MAX, "%s/%s", fuzz_directory_path (), name);
  CHECK (mkdir (path, 0700) == 0 || access (path, W_OK) == 0);
  return path;
}

/* Letters and digits in place of what a name cannot hold. */
static void
foreign_name (char to[FOREIGN_NAME_MAX + 1], struct bytes content)
{
  size_t size = content.size < FOREIGN_NAME_MAX ? content.size : FOREIGN_NAME_MAX;
  size_t used = 0;
  while (used < size && content.data[used] > ' ' && content.data[used] < 0x7f)
    {
      to[used] = content.data[used] == '/' ? '-' : (char) content.data[used];
      used++;
    }
  to[used] = '\0';
  if (used == 0 || strcmp (to, ".") == 0 || strcmp (to, "..") == 0)
    strcpy (to, "foreign");
}

static void
write_file (const char *path, const char *name, struct bytes content)
{
  char whole[PATH_MAX];
  snprintf (whole, sizeof whole, "%s/%s", path, name);
  int descriptor = open (whole, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  CHECK (descriptor >= 0);
  CHECK (write (descriptor, content.data, content.size) == (ssize_t) content.size);
  close (descriptor);
}

void
fuzz_files_write (const char *path, struct bytes input)
{
  char name[FILE_NAME_SIZE];
  for (unsigned count = 0; count < FILES_MAX && input.size >= HEAD_SIZE; count++)
    {
      unsigned kind = input.data[0] % (FOREIGN + 1);
      uint32_t number = load_u32 (input.data + 1);
      size_t size
          = (size_t) input.data[5] | (size_t) input.data[6] << 8 | (size_t) input.data[7] << 16;
      size_t left = input.size - HEAD_SIZE;
      struct bytes content = BYTES (input.data + HEAD_SIZE, size < left ? size : left);
      if (kind < NAMES)
        strcpy (name, names[kind]);
      else if (kind < FOREIGN)
        file_name (name, numbered[kind - NAMES], number > 0 ? number : 1);
      else
        foreign_name (name, content);
      write_file (path, name, content);
      input = BYTES (content.data + content.size, left - content.size);
    }
}

/* Calls `visit` with each file, in an order of its own. */
static void
visit_files (const char *path, void (*visit) (void *data, const char *whole, const char *name),
             void *data)
{
  struct dirent **entries;
  int count = scandir (path, &entries, NULL, alphasort);
  CHECK (count >= 0 || access (path, F_OK) != 0);
  for (int i = 0; i < count; i++)
    {
      char whole[PATH_MAX];
      snprintf (whole, sizeof whole, "%s/%s", path, entries[i]->d_name);
      if (strcmp (entries[i]->d_name, ".") != 0 && strcmp (entries[i]->d_name, "..") != 0)
        visit (data, whole, entries[i]->d_name);
      free (entries[i]);
    }
  if (count >= 0)
    free (entries);
}

static void
clear_visit (void *data, const char *whole, const char *name)
{
  (void) data;
  (void) name;
  CHECK (unlink (whole) == 0);
}

void
fuzz_files_clear (const char *path)
{
  visit_files (path, clear_visit, NULL);
  CHECK (mkdir (path, 0700) == 0 || access (path, W_OK) == 0);
}

static size_t
read_file (const char *whole, uint8_t *to, size_t room)
{
  int descriptor = open (whole, O_RDONLY | O_CLOEXEC);
  CHECK (descriptor >= 0);
  ssize_t got = read (descriptor, to, room);
  CHECK (got >= 0);
  close (descriptor);
  return (size_t) got;
}

/* Which kind of ours the name is; FOREIGN: none. */
static unsigned
kind_of (const char *name, uint64_t *number)
{
  enum file_kind kind;
  *number = 0;
  for (unsigned i = 0; i < NAMES; i++)
    if (strcmp (name, names[i]) == 0)
      return i;
  if (file_name_parse (name, &kind, number))
    for (unsigned i = 0; i < NUMBERED; i++)
      if (numbered[i] == kind)
        return (unsigned) NAMES + i;
  return FOREIGN;
}

struct digest
{
  bool foreign_only;
  uint64_t value; /* so far */
};

static void
digest_visit (void *data, const char *whole, const char *name)
{
  static uint8_t content[PACKED_MAX];
  struct digest *digest = data;
  uint64_t number;
  if (digest->foreign_only && kind_of (name, &number) != FOREIGN)
    return;
  size_t size = read_file (whole, content, sizeof content);
  for (const char *at = name; *at != '\0'; at++)
    digest->value = (digest->value ^ (uint8_t) *at) * UINT64_C (0x100000001b3);
  for (size_t i = 0; i < size; i++)
    digest->value = (digest->value ^ content[i]) * UINT64_C (0x100000001b3);
  digest->value += size;
}

uint64_t
fuzz_files_digest (const char *path, bool foreign_only)
{
  struct digest digest = { foreign_only, UINT64_C (0xcbf29ce484222325) };
  visit_files (path, digest_visit, &digest);
  return digest.value;
}

struct packing
{
  uint8_t *data; /* PACKED_MAX */
  size_t size;
};

static void
pack_visit (void *data, const char *whole, const char *name)
{
  struct packing *packing = data;
  uint64_t number;
  unsigned kind = kind_of (name, &number);
  uint8_t *head = packing->data + packing->size;
  CHECK (kind < FOREIGN && number <= UINT32_MAX && packing->size + HEAD_SIZE < PACKED_MAX);
  size_t size = read_file (whole, head + HEAD_SIZE, PACKED_MAX - packing->size - HEAD_SIZE);
  while (size > 512 && head[HEAD_SIZE + size - 1] == 0 && kind >= NAMES
         && numbered[kind - NAMES] == FILE_LOG)
    size--; /* the room behind the last record */
  head[0] = (uint8_t) kind;
  store_u32 (head + 1, (uint32_t) number);
  head[5] = (uint8_t) size;
  head[6] = (uint8_t) (size >> 8);
  head[7] = (uint8_t) (size >> 16);
  packing->size += HEAD_SIZE + size;
}

struct bytes
fuzz_files_pack (const char *path)
{
  struct packing packing = { malloc (PACKED_MAX), 0 };
  CHECK (packing.data != NULL);
  visit_files (path, pack_visit, &packing);
  return BYTES (packing.data, packing.size);
}
