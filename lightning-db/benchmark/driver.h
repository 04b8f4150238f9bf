/* SPDX-License-Identifier: MIT */
/*
 * driver: what a benchmark needs of a storage engine, the same for all of them.
 *
 * One program has one driver. A database is opened once; each thread works through a session of its
 * own (what an engine wants per thread: a connection, a read transaction to renew, nothing).
 *
 * Promises a driver keeps, so that rows compare:
 *   1. A put, delete or batch is one commit, atomic, and survives a kill of the process once the
 *      call has returned; with `sync` it survives a power cut.
 *   2. Outside read_begin … read_end each get is independent and sees every commit acknowledged
 *      before it began; a value is copied into the caller's buffer, so it stays his, or lent.
 *   3. Between read_begin and read_end, within multi_get and within a scan all reads see one
 *      snapshot.
 *   4. Nothing is verified, skipped or cached by the driver itself.
 *
 * A function that an engine has no counterpart for is NULL, and rows that need it are left out.
 * Functions give false (DRIVER_FAILED) after driver_fail, which keeps the message for the caller.
 *
 * Threads: a database may be used by many threads, a session by one at a time.
 */
#ifndef LIGHTNING_BENCHMARK_DRIVER_H
#define LIGHTNING_BENCHMARK_DRIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C"
{
#endif

  struct driver_options
  {
    const char *directory; /* where the database is, alone */
    const char *store;     /* the records are in it, made when missing; NULL: the default one */
    uint64_t budget;       /* of the cache, in bytes; write buffers may take a quarter on top */
    uint64_t records;      /* how many the database will have, about */
    size_t key_size;       /* of every key, in bytes */
    size_t value_size;     /* of every value, in bytes */
    unsigned threads;      /* that will work at the same time */
    bool sync;             /* every commit is durable before it is acknowledged */
    bool compression;      /* with the engine's best codec; false: none */
    bool transactions;     /* transaction_begin will be called */
  };

  struct driver_bytes
  {
    const void *data; /* borrowed */
    size_t size;      /* in bytes */
  };

  enum driver_answer
  {
    DRIVER_FAILED,
    DRIVER_ABSENT, /* no such key; the end of a scan */
    DRIVER_FOUND,
  };

  struct driver_database; /* each driver's own */
  struct driver_session;

  struct driver
  {
    const char *name;              /* as options and reports have it */
    bool writes_alone;             /* nothing else may go on beside a write */
    const char *(*version) (void); /* of the library at run time */
    /* What was chosen and why, in a few sentences; for reports. */
    const char *(*settings) (const struct driver_options *options);

    /* Creates the database when it is missing. `options` outlives it. NULL: failed. */
    struct driver_database *(*open) (const struct driver_options *options);
    bool (*close) (struct driver_database *database);
    struct driver_session *(*session_open) (struct driver_database *database);
    void (*session_close) (struct driver_session *session);

    bool (*put) (struct driver_session *session, struct driver_bytes key,
                 struct driver_bytes value);
    bool (*remove) (struct driver_session *session, struct driver_bytes key);
    /* Copies the value to `buffer`; more than `capacity` bytes are a failure. */
    enum driver_answer (*get) (struct driver_session *session, struct driver_bytes key,
                               void *buffer, size_t capacity, size_t *size);
    /* The same, but that what is found is lent instead of copied, until take_back; one at a time.
     * NULL: it can only be copied. */
    enum driver_answer (*lend) (struct driver_session *session, struct driver_bytes key,
                                struct driver_bytes *value);
    void (*take_back) (struct driver_session *session);
    /* Value i goes to buffer + i * capacity, its size to sizes[i]; SIZE_MAX: absent. Of the default
     * store. */
    bool (*multi_get) (struct driver_session *session, size_t count,
                       const struct driver_bytes *keys, char *buffer, size_t capacity,
                       size_t *sizes);

    /* One commit of many operations. */
    bool (*batch_begin) (struct driver_session *session);
    bool (*batch_put) (struct driver_session *session, struct driver_bytes key,
                       struct driver_bytes value);
    bool (*batch_remove) (struct driver_session *session, struct driver_bytes key);
    bool (*batch_commit) (struct driver_session *session);

    /* Gets of this session between the two read one snapshot. */
    bool (*read_begin) (struct driver_session *session);
    void (*read_end) (struct driver_session *session);

    /* A scan starts before the first record of its direction. What `next` gives is borrowed until
     * the next call. `seek` makes the first record not before `key` the next one; forward only. */
    bool (*scan_begin) (struct driver_session *session, bool reverse);
    bool (*scan_seek) (struct driver_session *session, struct driver_bytes key);
    enum driver_answer (*scan_next) (struct driver_session *session, struct driver_bytes *key,
                                     struct driver_bytes *value);
    void (*scan_end) (struct driver_session *session);

    /* All keys from start up to but not including end. */
    bool (*remove_range) (struct driver_session *session, struct driver_bytes start,
                          struct driver_bytes end);

    /* Reads and writes in isolation from others. A conflict is a failure: rows cause none. */
    bool (*transaction_begin) (struct driver_session *session);
    enum driver_answer (*transaction_get) (struct driver_session *session, struct driver_bytes key,
                                           void *buffer, size_t capacity, size_t *size);
    bool (*transaction_put) (struct driver_session *session, struct driver_bytes key,
                             struct driver_bytes value);
    bool (*transaction_remove) (struct driver_session *session, struct driver_bytes key);
    bool (*transaction_commit) (struct driver_session *session);

    /* The engine's fastest way to take many sorted records into an empty database, all visible at
   * the end. */
    bool (*bulk_begin) (struct driver_session *session);
    bool (*bulk_put) (struct driver_session *session, struct driver_bytes key,
                      struct driver_bytes value);
    bool (*bulk_finish) (struct driver_session *session);

    /* Writes out what is in memory and waits for background work that has begun by itself. NULL:
   * there is none. */
    bool (*settle) (struct driver_database *database);
    /* Puts the whole database in its best state for reading. NULL: the engine is asked for
     * nothing. */
    bool (*compact) (struct driver_database *database);
  };

  /* The driver of this program, defined by its driver-….c. */
  extern const struct driver benchmark_driver;

  /* Keeps a message, shown once by who called; gives false. */
  bool driver_fail (const char *format, ...) __attribute__ ((format (printf, 1, 2)));
  /* What driver_fail kept on this thread; "" when nothing failed. */
  const char *driver_failure (void);

  /* What a get does with a value that it has found. */
  static inline enum driver_answer driver_copy (struct driver_bytes value, void *buffer,
                                                size_t capacity, size_t *size)
  {
    *size = value.size;
    if (value.size > capacity)
      {
        driver_fail ("a value of %zu bytes is longer than any that was put", value.size);
        return DRIVER_FAILED;
      }
    memcpy (buffer, value.data, value.size);
    return DRIVER_FOUND;
  }

  /* A get of an engine that lends. */
  static inline enum driver_answer driver_get_lent (const struct driver *driver,
                                                    struct driver_session *session,
                                                    struct driver_bytes key, void *buffer,
                                                    size_t capacity, size_t *size)
  {
    struct driver_bytes value;
    enum driver_answer answer = driver->lend (session, key, &value);
    if (answer != DRIVER_FOUND)
      return answer;
    answer = driver_copy (value, buffer, capacity, size);
    driver->take_back (session);
    return answer;
  }

#ifdef __cplusplus
}
#endif

#endif
