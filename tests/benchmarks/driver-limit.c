/* SPDX-License-Identifier: MIT */
/*
 * The limit: no engine, but a plain array of strings, found by the number in the key. It costs what
 * making the keys, touching the memory and verifying the values costs. For single reads no engine
 * can go far below; for scans one can, whose records lie one behind the other, as these do not.
 * With `sync` a put is a bare write to preallocated blocks and a sync: what the disk allows.
 *
 * It keeps nothing when closed, and only one thread may write.
 */
#include "driver.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOG_SIZE (64u << 20) /* preallocated for `sync`, written in a circle, in bytes */
#define LOG_BUFFER (1u << 20)

struct text
{
  size_t size; /* of data, in bytes */
  char data[];
};

struct driver_database
{
  const struct driver_options *options; /* borrowed */
  struct text **texts;                  /* of each record number; owned, entries too */
  int log;                              /* for `sync`; -1: none */
  uint64_t log_end;                     /* where the next write goes, in bytes */
};

struct driver_session
{
  struct driver_database *database; /* borrowed */
  uint64_t next;                    /* record of a scan */
  bool reverse;                     /* scan's direction */
  size_t batch_bytes;               /* of a batch, for the log */
};

static const char *
limit_version (void)
{
  return "1";
}

static const char *
limit_settings (const struct driver_options *options)
{
  return options->sync ? "Each commit is a bare pwrite of its bytes into a preallocated, zeroed "
                         "file and fdatasync."
                       : "A plain array of strings behind the same generator and verifier.";
}

static uint64_t
number_of (struct driver_bytes key)
{
  const char *digits = key.data;
  uint64_t number = 0;
  for (size_t i = key.size > 16 ? key.size - 16 : 0; i < key.size; i++)
    number = number * 10 + (uint64_t) (digits[i] - '0');
  return number;
}

static int
create_log (const char *directory)
{
  char path[4096];
  if (mkdir (directory, 0700) != 0 && errno != EEXIST)
    return -1;
  snprintf (path, sizeof path, "%s/log", directory);
  int log = open (path, O_CREAT | O_TRUNC | O_RDWR | O_CLOEXEC, 0600);
  char *zeros = calloc (1, LOG_BUFFER);
  bool done = log >= 0 && zeros != NULL;
  for (size_t at = 0; done && at < LOG_SIZE; at += LOG_BUFFER)
    done = pwrite (log, zeros, LOG_BUFFER, (off_t) at) == (ssize_t) LOG_BUFFER;
  free (zeros);
  if (!done || fsync (log) != 0)
    {
      if (log >= 0)
        close (log);
      return -1;
    }
  return log;
}

static struct driver_database *
limit_open (const struct driver_options *options)
{
  struct driver_database *database = calloc (1, sizeof *database);
  if (database == NULL)
    return NULL;
  *database = (struct driver_database){ .options = options, .log = -1 };
  database->texts = calloc (options->records, sizeof *database->texts);
  if (options->sync)
    database->log = create_log (options->directory);
  if (database->texts != NULL && (database->log >= 0) == options->sync)
    return database;
  driver_fail ("no memory, or no log in %s: %s", options->directory, strerror (errno));
  free (database->texts);
  free (database);
  return NULL;
}

static bool
limit_close (struct driver_database *database)
{
  for (uint64_t record = 0; record < database->options->records; record++)
    free (database->texts[record]);
  if (database->log >= 0)
    close (database->log);
  free (database->texts);
  free (database);
  return true;
}

static struct driver_session *
limit_session_open (struct driver_database *database)
{
  struct driver_session *session = calloc (1, sizeof *session);
  if (session != NULL)
    session->database = database;
  return session;
}

static void
limit_session_close (struct driver_session *session)
{
  free (session);
}

static bool
write_log (struct driver_database *database, size_t size)
{
  static const char bytes[LOG_BUFFER];
  if (database->log < 0)
    return true;
  size = size < LOG_BUFFER ? size : LOG_BUFFER;
  if (database->log_end + size > LOG_SIZE)
    database->log_end = 0;
  if (pwrite (database->log, bytes, size, (off_t) database->log_end) != (ssize_t) size
      || fdatasync (database->log) != 0)
    return driver_fail ("the log could not be written: %s", strerror (errno));
  database->log_end += size;
  return true;
}

static bool
store (struct driver_database *database, struct driver_bytes key, struct driver_bytes value)
{
  struct text **place = &database->texts[number_of (key) / 2];
  if (*place == NULL || (*place)->size != value.size)
    {
      free (*place);
      *place = malloc (sizeof **place + value.size + key.size);
      if (*place == NULL)
        return driver_fail ("memory is short");
      (*place)->size = value.size;
    }
  memcpy ((*place)->data, value.data, value.size);
  memcpy ((*place)->data + value.size, key.data, key.size);
  return true;
}

static bool
limit_put (struct driver_session *session, struct driver_bytes key, struct driver_bytes value)
{
  return store (session->database, key, value)
         && write_log (session->database, key.size + value.size + 28);
}

static bool
limit_remove (struct driver_session *session, struct driver_bytes key)
{
  struct text **place = &session->database->texts[number_of (key) / 2];
  free (*place);
  *place = NULL;
  return write_log (session->database, key.size + 28);
}

static enum driver_answer
limit_lend (struct driver_session *session, struct driver_bytes key, struct driver_bytes *value)
{
  uint64_t number = number_of (key);
  const struct text *text = session->database->texts[number / 2];
  if (text == NULL || number % 2 != 0)
    return DRIVER_ABSENT;
  *value = (struct driver_bytes){ text->data, text->size };
  return DRIVER_FOUND;
}

static void
limit_take_back (struct driver_session *session)
{
}

static enum driver_answer
limit_get (struct driver_session *session, struct driver_bytes key, void *buffer, size_t capacity,
           size_t *size)
{
  struct driver_bytes value;
  enum driver_answer answer = limit_lend (session, key, &value);
  return answer == DRIVER_FOUND ? driver_copy (value, buffer, capacity, size) : answer;
}

static bool
limit_multi_get (struct driver_session *session, size_t count, const struct driver_bytes *keys,
                 char *buffer, size_t capacity, size_t *sizes)
{
  for (size_t i = 0; i < count; i++)
    if (limit_get (session, keys[i], buffer + i * capacity, capacity, &sizes[i]) != DRIVER_FOUND)
      sizes[i] = SIZE_MAX;
  return true;
}

static bool
limit_batch_begin (struct driver_session *session)
{
  session->batch_bytes = 0;
  return true;
}

static bool
limit_batch_put (struct driver_session *session, struct driver_bytes key, struct driver_bytes value)
{
  session->batch_bytes += key.size + value.size + 8;
  return store (session->database, key, value);
}

static bool
limit_batch_remove (struct driver_session *session, struct driver_bytes key)
{
  struct text **place = &session->database->texts[number_of (key) / 2];
  free (*place);
  *place = NULL;
  return true;
}

static bool
limit_batch_commit (struct driver_session *session)
{
  return write_log (session->database, session->batch_bytes);
}

static bool
limit_scan_begin (struct driver_session *session, bool reverse)
{
  session->reverse = reverse;
  session->next = reverse ? session->database->options->records - 1 : 0;
  return true;
}

static bool
limit_scan_seek (struct driver_session *session, struct driver_bytes key)
{
  session->next = (number_of (key) + 1) / 2;
  return true;
}

static enum driver_answer
limit_scan_next (struct driver_session *session, struct driver_bytes *key,
                 struct driver_bytes *value)
{
  const struct driver_database *database = session->database;
  while (session->next < database->options->records && database->texts[session->next] == NULL)
    session->next += session->reverse ? UINT64_MAX : 1;
  if (session->next >= database->options->records)
    return DRIVER_ABSENT;
  const struct text *text = database->texts[session->next];
  *key = (struct driver_bytes){ text->data + text->size, database->options->key_size };
  *value = (struct driver_bytes){ text->data, text->size };
  session->next += session->reverse ? UINT64_MAX : 1;
  return DRIVER_FOUND;
}

static void
limit_scan_end (struct driver_session *session)
{
}

const struct driver benchmark_driver = {
  .name = "limit",
  .writes_alone = true,
  .version = limit_version,
  .settings = limit_settings,
  .open = limit_open,
  .close = limit_close,
  .session_open = limit_session_open,
  .session_close = limit_session_close,
  .put = limit_put,
  .remove = limit_remove,
  .get = limit_get,
  .lend = limit_lend,
  .take_back = limit_take_back,
  .multi_get = limit_multi_get,
  .batch_begin = limit_batch_begin,
  .batch_put = limit_batch_put,
  .batch_remove = limit_batch_remove,
  .batch_commit = limit_batch_commit,
  .scan_begin = limit_scan_begin,
  .scan_seek = limit_scan_seek,
  .scan_next = limit_scan_next,
  .scan_end = limit_scan_end,
};
