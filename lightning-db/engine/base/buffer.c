/* SPDX-License-Identifier: MIT */
#include "base/buffer.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define LINE ((size_t) 64)
#define PAGE ((size_t) 4096)

/* AddressSanitizer sees the end of what the allocator gives, not of a mapping; ThreadSanitizer does
 * not know mremap, and takes what stood at an address before for a race. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define BUFFER_IS_CHECKED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define BUFFER_IS_CHECKED 1
#endif
#endif
#ifndef BUFFER_IS_CHECKED
#define BUFFER_IS_CHECKED 0
#endif

static bool
is_mapped (size_t room)
{
  return room >= BUFFER_MAPPED_SIZE;
}

static void
charge (struct ledger *ledger, enum ledger_account account, size_t size)
{
  if (ledger != NULL && size > 0)
    ledger_charge (ledger, account, size);
}

static void
refund (struct ledger *ledger, enum ledger_account account, size_t size)
{
  if (ledger != NULL && size > 0)
    ledger_refund (ledger, account, size);
}

static uint8_t *
take (size_t room)
{
  if (!buffer_is_mapped (room))
    return aligned_alloc (is_mapped (room) ? PAGE : LINE, room);
  void *data = mmap (NULL, room, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return data != MAP_FAILED ? data : NULL;
}

static void
give (uint8_t *data, size_t room)
{
  if (buffer_is_mapped (room))
    munmap (data, room);
  else
    free (data);
}

/* Both are mapped: moved without copying. */
static uint8_t *
extend (uint8_t *data, size_t before, size_t room)
{
  void *moved = mremap (data, before, room, MREMAP_MAYMOVE);
  return moved != MAP_FAILED ? moved : NULL;
}

bool
buffer_is_mapped (size_t room)
{
  return is_mapped (room) && !BUFFER_IS_CHECKED;
}

size_t
buffer_room (size_t size)
{
  size_t unit = is_mapped (size) ? PAGE : LINE;
  return size > 0 ? (size + unit - 1) / unit * unit : unit;
}

bool
buffer_resize (struct buffer *buffer, size_t size, struct ledger *ledger,
               enum ledger_account account)
{
  size_t before = buffer->room;
  uint8_t *data;
  if (size > SIZE_MAX / 2)
    return false;
  size_t room = buffer_room (size);
  if (room == before)
    return true;
  if (room > before)
    charge (ledger, account, room - before);
  if (buffer->data != NULL && is_mapped (before) && is_mapped (room) && !BUFFER_IS_CHECKED)
    data = extend (buffer->data, before, room);
  else
    {
      data = take (room);
      if (data != NULL && before > 0)
        {
          memcpy (data, buffer->data, before < room ? before : room);
          give (buffer->data, before);
        }
    }
  if (data == NULL)
    {
      if (room > before)
        refund (ledger, account, room - before);
      return false;
    }
  if (room < before)
    refund (ledger, account, before - room);
  *buffer = (struct buffer){ data, room };
  return true;
}

bool
buffer_replace (struct buffer *buffer, size_t size, struct ledger *ledger,
                enum ledger_account account)
{
  if (buffer->room >= size && buffer->data != NULL)
    return true;
  buffer_release (buffer, ledger, account);
  return buffer_resize (buffer, size, ledger, account);
}

void
buffer_release (struct buffer *buffer, struct ledger *ledger, enum ledger_account account)
{
  if (buffer->data == NULL)
    return;
  give (buffer->data, buffer->room);
  refund (ledger, account, buffer->room);
  *buffer = (struct buffer){ 0 };
}

void *
buffer_map_aligned (size_t size, size_t alignment, int protection)
{
  if (size > SIZE_MAX - alignment)
    return NULL;
  uint8_t *at = mmap (NULL, size + alignment, protection,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (at == MAP_FAILED)
    return NULL;
  size_t before = (size_t) (-(uintptr_t) at & (alignment - 1));
  if (before > 0)
    munmap (at, before);
  if (before < alignment)
    munmap (at + before + size, alignment - before);
  return at + before;
}
