/* SPDX-License-Identifier: MIT */
/*
 * blob-writer: appends values to blob files, many threads at once.
 *
 *   put   lock: space [offset, offset + size + trailer) and a claim on the file; unlock
 *         write value and trailer; file dirty; pending + 1; claim dropped
 *   sync  pending 0: nothing to do. Else, one at a time: sync dirty files, then the directory when
 *         one is new; pending - what it was before
 *
 * Invariants
 *   W1  Space that a reference may lead to is handed out once. What a put or commit that failed had
 *       claimed is handed out again, so that who tries again on a full disk does not fill it up.
 *   W2  pending counts the puts that are complete and not yet known to be durable. A put sets its
 *       file dirty before it counts itself; a sync reads pending before it clears dirty, and takes
 *       away what it read only when everything succeeded. So pending == 0 means durable.
 *   W3  Outputs are put at the head of the list under `lock`, and removed only under `sync_lock` and
 *       `lock`: whoever holds sync_lock may walk it.
 *   W4  An output is closed when it is sealed, clean and nobody writes to it.
 *   W5  After the first failed sync `failed` is set and nothing is written or synced any more.
 *
 * Lock order: sync_lock, then lock. No input or output under `lock`, but for the creation of a
 * file.
 */
#include "blob/blob-private.h"

#include "base/coding.h"
#include "base/hash.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#define STREAM_BUFFER_SIZE 65536u
#define OPEN_OUTPUTS_MAX 8u /* more files than that waiting for a sync cause one */
#define GAPS_MAX 16u        /* places in a file that were given back; more are lost to it */

/* Space that was given back before what follows it was. */
struct gap
{
  uint64_t from, to; /* offsets; both 0: none */
};

struct blob_output
{
  struct blob_output *next; /* in the writer's list (W3) */
  struct vfs_file *file;    /* owned */
  uint64_t number;
  uint64_t seed;             /* of all checksums in the file */
  uint64_t end;              /* where free space begins, bytes; guarded by lock (W1) */
  size_t created_index;      /* its place in `created` */
  struct gap gaps[GAPS_MAX]; /* never adjacent to each other or to `end`; guarded by lock */
  unsigned writing;          /* claims: puts and streams under way; guarded by lock */
  bool sealed;               /* hands out no more space; guarded by lock */
  bool named;                /* its directory entry is durable; guarded by sync_lock */
  _Atomic bool dirty;        /* has complete values that were not synced (W2) */
};

struct created_file
{
  uint64_t number;
  uint64_t size; /* bytes handed out, header included */
};

struct blob_writer
{
  struct blob_writer_settings settings;
  pthread_mutex_t lock;                   /* see each field */
  pthread_mutex_t sync_lock;              /* one sync at a time */
  struct blob_output *outputs;            /* open ones, newest first (W3) */
  struct blob_output *current;            /* where space is handed out, or NULL; guarded by lock */
  unsigned output_count;                  /* of `outputs`; guarded by lock */
  struct created_file *created;           /* all ever created; guarded by lock */
  size_t created_count, created_capacity; /* guarded by lock */
  bool failed;                            /* W5; guarded by lock */
  struct failure first_failure;           /* why; guarded by lock */
  _Atomic uint64_t pending;               /* W2 */
};

/* A claim on space for one value. */
struct blob_space
{
  struct blob_output *output; /* claimed until the value is complete or given up */
  uint64_t offset;            /* of the value */
  uint64_t room;              /* bytes claimed */
};

struct blob_stream
{
  struct blob_writer *writer;
  struct blob_space space;
  struct checksum_stream *checksum;   /* of what was appended */
  uint64_t size;                      /* announced, bytes */
  uint64_t appended;                  /* bytes, those in the buffer included */
  size_t buffered;                    /* bytes waiting in the buffer */
  struct failure failure;             /* the first one of append; end gives it again */
  uint8_t buffer[STREAM_BUFFER_SIZE]; /* gathers small parts */
};

/* --- outputs ---------------------------------------------------------------------------------- */

static status
already_failed (const struct blob_writer *writer, struct failure *failure)
{
  status result = fail (failure, STATUS_UNKNOWN_OUTCOME, "%s", writer->first_failure.message);
  if (failure != NULL && failure->system_error == 0)
    failure->system_error = writer->first_failure.system_error;
  return result;
}

static bool
reserve_created (struct blob_writer *writer)
{
  if (writer->created_count < writer->created_capacity)
    return true;
  size_t capacity = writer->created_capacity > 0 ? 2 * writer->created_capacity : 8;
  struct created_file *grown = reallocarray (writer->created, capacity, sizeof *grown);
  if (grown == NULL)
    return false;
  writer->created = grown;
  writer->created_capacity = capacity;
  return true;
}

/* Under lock. On failure no file stays behind; its number is not used again. */
static status
create_output (struct blob_writer *writer, struct blob_output **out, struct failure *failure)
{
  char name[BLOB_NAME_SIZE];
  uint8_t header[BLOB_HEADER_SIZE];
  struct blob_output *output = calloc (1, sizeof *output);
  *out = NULL;
  if (output == NULL || !reserve_created (writer))
    {
      free (output);
      return fail_memory (failure, sizeof *output, "a new blob file");
    }

  struct vfs_directory *directory = writer->settings.directory;
  output->number = writer->settings.next_number (writer->settings.next_number_context);
  output->seed = checksum_seed (writer->settings.database_id, output->number);
  output->end = BLOB_HEADER_SIZE;
  blob_name (name, output->number);
  blob_header_store (header, writer->settings.database_id, output->number);
  status result
      = vfs_open (directory, name, VFS_WRITE | VFS_CREATE | VFS_EXCLUSIVE, &output->file, failure);
  if (result == STATUS_OK)
    {
      result = vfs_write (output->file, 0, header, sizeof header, failure);
      if (result != STATUS_OK)
        {
          vfs_close (output->file);
          vfs_unlink (directory, name, NULL);
        }
    }
  if (result != STATUS_OK)
    {
      free (output);
      return result;
    }
  output->created_index = writer->created_count++;
  writer->created[output->created_index] = (struct created_file){ output->number, output->end };
  *out = output;
  return STATUS_OK;
}

/* Under lock. */
static void
seal_current (struct blob_writer *writer)
{
  if (writer->current != NULL)
    writer->current->sealed = true;
  writer->current = NULL;
}

/* Under sync_lock and lock. */
static void
close_finished (struct blob_writer *writer)
{
  for (struct blob_output **at = &writer->outputs; *at != NULL;)
    {
      struct blob_output *output = *at;
      if (output->sealed && output->writing == 0 && !atomic_load (&output->dirty)) /* W4 */
        {
          *at = output->next;
          writer->output_count--;
          vfs_close (output->file);
          free (output);
        }
      else
        at = &output->next;
    }
}

/* Under lock: makes `current` a file with room for `room` bytes. A value beyond the goal gets a
 * file of its own. */
static status
ensure_room (struct blob_writer *writer, uint64_t room, struct failure *failure)
{
  struct blob_output *output = writer->current;
  if (output != NULL
      && (output->end == BLOB_HEADER_SIZE || output->end + room <= writer->settings.file_size))
    return STATUS_OK;
  status result = create_output (writer, &output, failure);
  if (result != STATUS_OK)
    return result;
  seal_current (writer);
  output->next = writer->outputs; /* W3 */
  writer->outputs = output;
  writer->output_count++;
  writer->current = output;
  return STATUS_OK;
}

static uint64_t
room_for (uint64_t size)
{
  return (size + BLOB_TRAILER_SIZE + BLOB_ALIGNMENT - 1) & ~(uint64_t) (BLOB_ALIGNMENT - 1);
}

/* Too many files wait for a sync. When it fails, that stays, and the next call gives it. */
static void
thin_out (struct blob_writer *writer)
{
  if (blob_writer_sync (writer, NULL) != STATUS_OK)
    return;
  pthread_mutex_lock (&writer->sync_lock);
  pthread_mutex_lock (&writer->lock);
  close_finished (writer);
  pthread_mutex_unlock (&writer->lock);
  pthread_mutex_unlock (&writer->sync_lock);
}

/* Under lock: space that was given back, if there is enough in one piece. */
static bool
fill_gap (struct blob_writer *writer, uint64_t room, struct blob_space *out)
{
  struct blob_output *output = writer->current;
  for (size_t i = 0; output != NULL && i < GAPS_MAX; i++)
    {
      struct gap *gap = &output->gaps[i];
      if (gap->to - gap->from < room)
        continue;
      *out = (struct blob_space){ output, gap->from, room };
      gap->from += room;
      if (gap->from == gap->to)
        *gap = (struct gap){ 0 };
      return true;
    }
  return false;
}

static status
claim_space (struct blob_writer *writer, uint64_t size, struct blob_space *out,
             struct failure *failure)
{
  if (size > VALUE_SIZE_MAX)
    return fail (failure, STATUS_VALUE_TOO_LARGE,
                 "a value of %llu bytes is above the limit of %llu; split it",
                 (unsigned long long) size, (unsigned long long) VALUE_SIZE_MAX);

  uint64_t room = room_for (size);
  pthread_mutex_lock (&writer->lock);
  status result = STATUS_OK;
  if (writer->failed)
    result = already_failed (writer, failure);
  else if (!fill_gap (writer, room, out))
    {
      result = ensure_room (writer, room, failure);
      if (result == STATUS_OK)
        {
          *out = (struct blob_space){ writer->current, writer->current->end, room };
          writer->current->end += room;
          writer->created[writer->current->created_index].size = writer->current->end;
        }
    }
  if (result == STATUS_OK)
    out->output->writing++;
  bool crowded = writer->output_count > OPEN_OUTPUTS_MAX;
  pthread_mutex_unlock (&writer->lock);
  if (result == STATUS_OK && crowded)
    thin_out (writer);
  return result;
}

/* Under lock: nothing refers to [from, to) of the current file, and nothing will (W1). */
static void
give_back (struct blob_writer *writer, struct blob_output *output, uint64_t from, uint64_t to)
{
  struct gap *unused = NULL;
  for (size_t i = 0; i < GAPS_MAX; i++)
    {
      struct gap *gap = &output->gaps[i];
      if (gap->to != 0 && (gap->to == from || gap->from == to))
        {
          from = gap->from < from ? gap->from : from;
          to = gap->to > to ? gap->to : to;
          *gap = (struct gap){ 0 };
        }
      if (gap->to == 0)
        unused = gap;
    }
  if (to == output->end)
    {
      output->end = from;
      writer->created[output->created_index].size = from;
    }
  else if (unused != NULL)
    *unused = (struct gap){ from, to };
}

/* `complete`: value and trailer are written. */
static void
drop_claim (struct blob_writer *writer, const struct blob_space *space, bool complete)
{
  if (complete)
    {
      atomic_store (&space->output->dirty, true); /* W2: before it is counted */
      atomic_fetch_add (&writer->pending, 1);
    }
  pthread_mutex_lock (&writer->lock);
  assert (space->output->writing > 0);
  space->output->writing--;
  if (!complete && space->output == writer->current)
    give_back (writer, space->output, space->offset, space->offset + space->room);
  pthread_mutex_unlock (&writer->lock);
}

static status
write_trailer (const struct blob_space *space, uint64_t size, uint64_t sum, struct failure *failure)
{
  uint8_t trailer[BLOB_TRAILER_SIZE];
  store_u64 (trailer, sum);
  return vfs_write (space->output->file, space->offset + size, trailer, sizeof trailer, failure);
}

/* --- the writer ------------------------------------------------------------------------------- */

status
blob_writer_new (const struct blob_writer_settings *settings, struct blob_writer **out,
                 struct failure *failure)
{
  struct blob_writer *writer = calloc (1, sizeof *writer);
  *out = NULL;
  if (writer == NULL)
    return fail_memory (failure, sizeof *writer, "a blob writer");
  writer->settings = *settings;
  pthread_mutex_init (&writer->lock, NULL);
  pthread_mutex_init (&writer->sync_lock, NULL);
  *out = writer;
  return STATUS_OK;
}

void
blob_writer_free (struct blob_writer *writer)
{
  if (writer == NULL)
    return;
  while (writer->outputs != NULL)
    {
      struct blob_output *output = writer->outputs;
      assert (output->writing == 0);
      writer->outputs = output->next;
      vfs_close (output->file);
      free (output);
    }
  pthread_mutex_destroy (&writer->sync_lock);
  pthread_mutex_destroy (&writer->lock);
  free (writer->created);
  free (writer);
}

status
blob_writer_put (struct blob_writer *writer, struct bytes value, struct blob_reference *out,
                 struct failure *failure)
{
  struct blob_space space;
  *out = (struct blob_reference){ 0 };
  status result = claim_space (writer, value.size, &space, failure);
  if (result != STATUS_OK)
    return result;
  const struct blob_output *output = space.output;
  struct blob_reference reference = { output->number, space.offset, value.size };
  result = vfs_write (output->file, space.offset, value.data, value.size, failure);
  if (result == STATUS_OK)
    result
        = write_trailer (&space, value.size, checksum (output->seed, space.offset, value), failure);
  drop_claim (writer, &space, result == STATUS_OK);
  if (result == STATUS_OK)
    *out = reference;
  return result;
}

void
blob_writer_take_back (struct blob_writer *writer, const struct blob_reference *reference)
{
  pthread_mutex_lock (&writer->lock);
  struct blob_output *output = writer->current;
  if (output != NULL && output->number == reference->file)
    give_back (writer, output, reference->offset, reference->offset + room_for (reference->size));
  pthread_mutex_unlock (&writer->lock);
}

/* Under sync_lock. The first file or directory that fails ends it (W5). */
static status
sync_outputs (struct blob_writer *writer, struct blob_output *outputs, struct failure *failure)
{
  bool new_names = false;
  for (struct blob_output *output = outputs; output != NULL; output = output->next)
    if (atomic_exchange (&output->dirty, false))
      {
        status result = vfs_sync_data (output->file, failure);
        if (result != STATUS_OK)
          return result;
        new_names |= !output->named;
      }
  if (!new_names)
    return STATUS_OK;
  status result = vfs_directory_sync (writer->settings.directory, failure);
  for (struct blob_output *output = outputs; result == STATUS_OK && output != NULL;
       output = output->next)
    output->named = true;
  return result;
}

/* Under lock. */
static void
fail_for_good (struct blob_writer *writer, const struct failure *cause)
{
  writer->failed = true;
  fail (&writer->first_failure, STATUS_UNKNOWN_OUTCOME,
        "%.300s; whether the last commits are on disk is unknown: close the database and open it "
        "again",
        cause->message);
  writer->first_failure.system_error = cause->system_error;
}

status
blob_writer_sync (struct blob_writer *writer, struct failure *failure)
{
  if (atomic_load (&writer->pending) == 0) /* W2; a failed sync leaves it above 0 */
    return STATUS_OK;

  pthread_mutex_lock (&writer->sync_lock);
  pthread_mutex_lock (&writer->lock);
  status result = writer->failed ? already_failed (writer, failure) : STATUS_OK;
  uint64_t covered = atomic_load (&writer->pending);
  struct blob_output *outputs = writer->outputs;
  pthread_mutex_unlock (&writer->lock);

  if (result == STATUS_OK)
    {
      struct failure cause = FAILURE_INIT;
      bool synced = sync_outputs (writer, outputs, &cause) == STATUS_OK;
      pthread_mutex_lock (&writer->lock);
      if (synced)
        {
          atomic_fetch_sub (&writer->pending, covered);
          close_finished (writer);
        }
      else
        {
          fail_for_good (writer, &cause);
          result = already_failed (writer, failure);
        }
      pthread_mutex_unlock (&writer->lock);
    }
  pthread_mutex_unlock (&writer->sync_lock);
  return result;
}

void
blob_writer_files (struct blob_writer *writer,
                   void (*visit) (void *data, uint64_t number, uint64_t size), void *data)
{
  pthread_mutex_lock (&writer->lock);
  for (size_t i = 0; i < writer->created_count; i++)
    visit (data, writer->created[i].number, writer->created[i].size);
  pthread_mutex_unlock (&writer->lock);
}

uint64_t
blob_writer_current (struct blob_writer *writer)
{
  pthread_mutex_lock (&writer->lock);
  uint64_t number = writer->current != NULL ? writer->current->number : 0;
  pthread_mutex_unlock (&writer->lock);
  return number;
}

uint64_t
blob_writer_first_open (struct blob_writer *writer)
{
  uint64_t number = UINT64_MAX;
  pthread_mutex_lock (&writer->lock);
  if (writer->current != NULL)
    number = writer->current->number;
  else if (writer->created_count > 0)
    number = writer->created[writer->created_count - 1].number + 1;
  pthread_mutex_unlock (&writer->lock);
  return number;
}

status
blob_writer_seal (struct blob_writer *writer, struct failure *failure)
{
  pthread_mutex_lock (&writer->sync_lock);
  pthread_mutex_lock (&writer->lock);
  status result = writer->failed ? already_failed (writer, failure) : STATUS_OK;
  seal_current (writer);
  if (result == STATUS_OK)
    close_finished (writer);
  pthread_mutex_unlock (&writer->lock);
  pthread_mutex_unlock (&writer->sync_lock);
  return result;
}

/* --- streams ---------------------------------------------------------------------------------- */

status
blob_stream_begin (struct blob_writer *writer, uint64_t size, struct blob_stream **out,
                   struct failure *failure)
{
  struct blob_stream *stream = calloc (1, sizeof *stream);
  *out = NULL;
  if (stream == NULL)
    return fail_memory (failure, sizeof *stream, "a value to be streamed");
  stream->writer = writer;
  stream->size = size;
  status result = claim_space (writer, size, &stream->space, failure);
  if (result == STATUS_OK)
    {
      stream->checksum = checksum_stream_new (stream->space.output->seed, stream->space.offset);
      if (stream->checksum == NULL)
        {
          drop_claim (writer, &stream->space, false);
          result = fail_memory (failure, sizeof *stream, "a value to be streamed");
        }
    }
  if (result != STATUS_OK)
    {
      free (stream);
      return result;
    }
  *out = stream;
  return STATUS_OK;
}

/* Writes `part`, which follows what was appended before and is not in the buffer. */
static status
write_part (struct blob_stream *stream, struct bytes part)
{
  return vfs_write (stream->space.output->file, stream->space.offset + stream->appended, part.data,
                    part.size, &stream->failure);
}

static status
flush_buffer (struct blob_stream *stream)
{
  if (stream->buffered == 0)
    return STATUS_OK;
  size_t size = stream->buffered;
  stream->buffered = 0;
  return vfs_write (stream->space.output->file, stream->space.offset + stream->appended - size,
                    stream->buffer, size, &stream->failure);
}

static status
give_failure (const struct blob_stream *stream, struct failure *failure)
{
  status result = fail (failure, stream->failure.code, "%s", stream->failure.message);
  if (failure != NULL && failure->system_error == 0)
    failure->system_error = stream->failure.system_error;
  return result;
}

status
blob_stream_append (struct blob_stream *stream, struct bytes part, struct failure *failure)
{
  if (stream->failure.code != STATUS_OK)
    return give_failure (stream, failure);
  if (part.size > stream->size - stream->appended)
    {
      fail (&stream->failure, STATUS_INVALID,
            "%llu bytes were announced for a streamed value and more are given; begin it with its "
            "true size",
            (unsigned long long) stream->size);
      return give_failure (stream, failure);
    }
  if (part.size == 0)
    return STATUS_OK;

  checksum_stream_add (stream->checksum, part);
  status result = STATUS_OK;
  if (part.size > STREAM_BUFFER_SIZE - stream->buffered)
    result = flush_buffer (stream);
  if (result == STATUS_OK && part.size >= STREAM_BUFFER_SIZE)
    result = write_part (stream, part);
  else if (result == STATUS_OK)
    {
      memcpy (stream->buffer + stream->buffered, part.data, part.size);
      stream->buffered += part.size;
    }
  if (result != STATUS_OK)
    return give_failure (stream, failure);
  stream->appended += part.size;
  return STATUS_OK;
}

static void
stream_free (struct blob_stream *stream, bool complete)
{
  drop_claim (stream->writer, &stream->space, complete);
  checksum_stream_free (stream->checksum);
  free (stream);
}

status
blob_stream_end (struct blob_stream *stream, struct blob_reference *out, struct failure *failure)
{
  *out = (struct blob_reference){ 0 };
  if (stream->failure.code == STATUS_OK && stream->appended < stream->size)
    fail (&stream->failure, STATUS_INVALID,
          "%llu bytes were announced for a streamed value and only %llu given; begin it with its "
          "true size",
          (unsigned long long) stream->size, (unsigned long long) stream->appended);
  if (stream->failure.code == STATUS_OK && flush_buffer (stream) == STATUS_OK)
    write_trailer (&stream->space, stream->size, checksum_stream_result (stream->checksum),
                   &stream->failure);

  status result = stream->failure.code;
  if (result == STATUS_OK)
    *out = (struct blob_reference){ stream->space.output->number, stream->space.offset,
                                    stream->size };
  else
    give_failure (stream, failure);
  stream_free (stream, result == STATUS_OK);
  return result;
}

void
blob_stream_abort (struct blob_stream *stream)
{
  if (stream != NULL)
    stream_free (stream, false);
}
