/* SPDX-License-Identifier: MIT */
#include "core/recent.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#define CHUNK_SIZE ((size_t) 64 << 10)
#define RECORD_HEAD sizeof (uint64_t) /* the payload's size */

struct recent_chunk
{
  _Atomic size_t references;      /* the list's, and one a reader */
  struct recent_chunk *next;      /* the one behind it; mutex */
  uint64_t first_sequence;        /* of its first record */
  _Atomic uint64_t last_sequence; /* UINT64_MAX until it takes no more */
  size_t size, used;              /* bytes of data; the appender's */
  struct ledger *ledger;          /* charged for it */
  uint8_t data[];
};

struct recent
{
  struct ledger *ledger;          /* the engine's */
  uint64_t bytes_most;            /* that chunks in the list may take, the newest one apart */
  pthread_mutex_t mutex;          /* the list; a leaf */
  struct recent_chunk *oldest;    /* NULL: nothing is kept */
  struct recent_chunk *newest;    /* takes the next record */
  uint64_t bytes;                 /* of chunks in the list */
  _Atomic uint64_t next_sequence; /* of the next record; the appender's */
};

struct recent_reader
{
  struct recent *recent;      /* outlives it */
  struct recent_chunk *chunk; /* referenced; NULL: none yet */
  size_t offset;              /* of the record `next` in it */
  uint64_t next;              /* its sequence */
};

static size_t
record_size (size_t payload)
{
  return RECORD_HEAD + (payload + 7) / 8 * 8;
}

/* ---- chunks ---- */

static void
chunk_unref (struct recent_chunk *chunk)
{
  if (chunk == NULL || atomic_fetch_sub_explicit (&chunk->references, 1, memory_order_acq_rel) != 1)
    return;
  ledger_refund (chunk->ledger, LEDGER_LOG, sizeof *chunk + chunk->size);
  free (chunk);
}

static struct recent_chunk *
chunk_new (struct ledger *ledger, size_t least, uint64_t first_sequence)
{
  size_t size = least > CHUNK_SIZE ? least : CHUNK_SIZE;
  struct recent_chunk *chunk = malloc (sizeof *chunk + size);
  if (chunk == NULL)
    return NULL;
  *chunk
      = (struct recent_chunk){ .first_sequence = first_sequence, .size = size, .ledger = ledger };
  atomic_init (&chunk->references, 1);
  atomic_init (&chunk->last_sequence, UINT64_MAX);
  ledger_charge (ledger, LEDGER_LOG, sizeof *chunk + size);
  return chunk;
}

/* Takes the oldest chunk off the list. mutex held. */
static struct recent_chunk *
drop_oldest (struct recent *recent)
{
  struct recent_chunk *chunk = recent->oldest;
  recent->oldest = chunk->next;
  if (recent->oldest == NULL)
    recent->newest = NULL;
  recent->bytes -= chunk->size;
  return chunk;
}

static void
drop_all (struct recent *recent)
{
  while (recent->oldest != NULL)
    chunk_unref (drop_oldest (recent));
}

/* A chunk with room for the record behind the others, which no longer take any. NULL: no memory. */
static struct recent_chunk *
add_chunk (struct recent *recent, size_t size, uint64_t sequence)
{
  struct recent_chunk *chunk = chunk_new (recent->ledger, size, sequence);
  pthread_mutex_lock (&recent->mutex);
  if (recent->newest != NULL)
    atomic_store_explicit (&recent->newest->last_sequence, sequence - 1, memory_order_release);
  if (chunk == NULL)
    drop_all (recent); /* N1 */
  else
    {
      if (recent->newest != NULL)
        recent->newest->next = chunk;
      else
        recent->oldest = chunk;
      recent->newest = chunk;
      recent->bytes += chunk->size;
      while (recent->bytes > recent->bytes_most && recent->oldest != chunk)
        chunk_unref (drop_oldest (recent)); /* N3 */
    }
  pthread_mutex_unlock (&recent->mutex);
  return chunk;
}

/* ---- commits ---- */

status
recent_new (struct ledger *ledger, uint64_t next_sequence, uint64_t bytes_most, struct recent **out,
            struct failure *failure)
{
  struct recent *recent = calloc (1, sizeof *recent);
  if (recent == NULL)
    return fail_memory (failure, sizeof *recent, "a change feed");
  recent->ledger = ledger;
  recent->bytes_most = bytes_most;
  atomic_init (&recent->next_sequence, next_sequence);
  pthread_mutex_init (&recent->mutex, NULL);
  *out = recent;
  return STATUS_OK;
}

void
recent_free (struct recent *recent)
{
  if (recent == NULL)
    return;
  drop_all (recent);
  pthread_mutex_destroy (&recent->mutex);
  free (recent);
}

void
recent_append (struct recent *recent, uint64_t sequence, const struct bytes *parts,
               size_t part_count)
{
  uint64_t payload = 0;
  for (size_t i = 0; i < part_count; i++)
    payload += parts[i].size;
  size_t size = record_size (payload);
  struct recent_chunk *chunk = recent->newest;
  if (chunk == NULL || chunk->size - chunk->used < size)
    chunk = add_chunk (recent, size, sequence);
  atomic_store_explicit (&recent->next_sequence, sequence + 1, memory_order_release);
  if (chunk == NULL)
    return;
  uint8_t *to = chunk->data + chunk->used;
  memcpy (to, &payload, sizeof payload);
  to += RECORD_HEAD;
  for (size_t i = 0; i < part_count; i++)
    if (parts[i].size > 0)
      {
        memcpy (to, parts[i].data, parts[i].size);
        to += parts[i].size;
      }
  chunk->used += size;
}

uint64_t
recent_oldest (struct recent *recent)
{
  pthread_mutex_lock (&recent->mutex);
  uint64_t oldest = recent->oldest != NULL
                        ? recent->oldest->first_sequence
                        : atomic_load_explicit (&recent->next_sequence, memory_order_acquire);
  pthread_mutex_unlock (&recent->mutex);
  return oldest;
}

/* ---- reading ---- */

status
recent_reader_new (struct recent *recent, uint64_t after, struct recent_reader **out,
                   struct failure *failure)
{
  struct recent_reader *reader = calloc (1, sizeof *reader);
  if (reader == NULL)
    return fail_memory (failure, sizeof *reader, "a change feed");
  reader->recent = recent;
  reader->next = after + 1;
  *out = reader;
  return STATUS_OK;
}

void
recent_reader_free (struct recent_reader *reader)
{
  if (reader == NULL)
    return;
  chunk_unref (reader->chunk);
  free (reader);
}

static uint64_t
last_of (const struct recent_chunk *chunk)
{
  return atomic_load_explicit (&chunk->last_sequence, memory_order_acquire);
}

static uint64_t
payload_size (const uint8_t *record)
{
  uint64_t size;
  memcpy (&size, record, sizeof size);
  return size;
}

/* Goes to the chunk and place of the next record. */
static status
find_next (struct recent_reader *reader)
{
  struct recent *recent = reader->recent;
  pthread_mutex_lock (&recent->mutex);
  struct recent_chunk *chunk = recent->oldest;
  while (chunk != NULL && last_of (chunk) < reader->next)
    chunk = chunk->next;
  if (chunk != NULL && chunk->first_sequence > reader->next)
    chunk = NULL;
  if (chunk != NULL)
    atomic_fetch_add_explicit (&chunk->references, 1, memory_order_relaxed);
  pthread_mutex_unlock (&recent->mutex);
  if (chunk == NULL)
    return STATUS_HISTORY_GONE;
  chunk_unref (reader->chunk);
  reader->chunk = chunk;
  reader->offset = 0;
  for (uint64_t at = chunk->first_sequence; at < reader->next; at++)
    reader->offset += record_size (payload_size (chunk->data + reader->offset));
  return STATUS_OK;
}

status
recent_reader_next (struct recent_reader *reader, uint64_t limit, uint64_t *sequence,
                    struct bytes *payload)
{
  if (reader->next > limit)
    return STATUS_NOT_FOUND;
  if (reader->chunk == NULL || last_of (reader->chunk) < reader->next)
    {
      status result = find_next (reader);
      if (result != STATUS_OK)
        return result;
    }
  const uint8_t *record = reader->chunk->data + reader->offset;
  *payload = BYTES (record + RECORD_HEAD, payload_size (record));
  *sequence = reader->next++;
  reader->offset += record_size (payload->size);
  return STATUS_OK;
}
