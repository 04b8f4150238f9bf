/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as calls of the flat C ABI, with numbers that are handles, were handles, are handles of
 * something else, or were never any: each three bytes are a call and the two numbers it is given.
 * What is alive is known, so that each answer is foreseen: a live handle of the right kind is never
 * refused, everything else always is.
 */
#include "fuzz.h"
#include "lightning_db_ffi.h"

#define KNOWN_MAX 48u
#define CALLS_MAX 3000u

enum kind
{
  KIND_DATABASE,
  KIND_CONFIG,
  KIND_ITERATOR,
  KIND_BATCH,
  KIND_TRANSACTION,
  KIND_COUNT,
};

struct known
{
  enum kind kind;
  uint64_t number;
  bool live;
  bool own;        /* KIND_DATABASE: of an opening; its end is the database's */
  bool past;       /* KIND_DATABASE: a snapshot */
  unsigned of;     /* opening it hangs on */
  uint64_t inside; /* KIND_ITERATOR: transaction; 0 = none */
};

static struct known known[KNOWN_MAX]; /* the oldest are forgotten first, when dead */
static unsigned known_count;
static bool open[1024]; /* by opening */
static unsigned openings;
static const char *const names[] = { "one", "two" };

/* ---- what is known ---- */

static struct known *
find (enum kind kind, uint64_t number)
{
  for (unsigned i = 0; i < known_count; i++)
    if (known[i].live && known[i].number == number
        && (known[i].kind == KIND_TRANSACTION) == (kind == KIND_TRANSACTION))
      return known[i].kind == kind ? &known[i] : NULL;
  return NULL;
}

/* NULL when there is no room for one more. */
static struct known *
room (void)
{
  if (known_count < KNOWN_MAX)
    return &known[known_count++];
  for (unsigned i = 0; i < KNOWN_MAX; i++)
    if (!known[i].live)
      {
        memmove (known + i, known + i + 1, (KNOWN_MAX - i - 1) * sizeof *known);
        return &known[KNOWN_MAX - 1];
      }
  return NULL;
}

static bool
has_room (void)
{
  for (unsigned i = 0; i < known_count; i++)
    if (!known[i].live)
      return true;
  return known_count < KNOWN_MAX;
}

static void
learn (struct known what)
{
  struct known *to = room ();
  for (unsigned i = 0; i < known_count; i++) /* no two live things under one number */
    CHECK (to == &known[i] || !known[i].live || known[i].number != what.number
           || (known[i].kind == KIND_TRANSACTION) != (what.kind == KIND_TRANSACTION));
  CHECK (to != NULL && what.number != 0);
  CHECK (what.kind == KIND_TRANSACTION || (what.number >= 4096 && what.number < 1u << 31));
  what.live = true;
  *to = what;
}

/* A number that was seen, or one near it. */
static uint64_t
choose (uint8_t byte)
{
  uint64_t number = known_count > 0 ? known[(byte & 0x3f) % known_count].number : 4096;
  switch (byte >> 6)
    {
    case 2:
      return (byte & 0x20) == 0 ? number : number + (byte & 7) - 3;
    case 3:
      return (byte & 0x20) == 0 ? number
             : (byte & 7) == 0  ? 0
                                : number ^ (UINT64_C (1) << (8 * (byte & 7)));
    default:
      return number;
    }
}

/* ---- what is foreseen ---- */

/* A call that was given a number as a handle of a kind: whether it may have done anything. */
static bool
foresee (enum kind kind, uint64_t number, LightningDBError code)
{
  bool refused = code == InvalidHandle || code == NullPointer;
  CHECK (code != ForkedProcess && code != UnknownError);
  if (refused)
    CHECK (code == lightning_db_last_error () && *lightning_db_last_error_message () != '\0');
  if (find (kind, number) != NULL)
    {
      CHECK (!refused);
      return true;
    }
  CHECK (code == (number == 0 ? NullPointer : InvalidHandle));
  return false;
}

/* The same for a call inside of a transaction; `db` is what it was given as the database. */
static bool
foresee_inside (uint64_t db, uint64_t tx, LightningDBError code)
{
  if (!foresee (KIND_DATABASE, db, code))
    return false;
  const struct known *place = find (KIND_DATABASE, db), *transaction = find (KIND_TRANSACTION, tx);
  bool there = transaction != NULL && transaction->of == place->of;
  CHECK (there == (code != InvalidTransaction));
  return there;
}

static LightningDBError
code_of (const void *handle)
{
  return handle != NULL ? Success : lightning_db_last_error ();
}

#define DB(number) ((LightningDB *) (uintptr_t) (number))
#define ITERATOR(number) ((LightningDBIterator *) (uintptr_t) (number))
#define BATCH(number) ((LightningDBBatch *) (uintptr_t) (number))
#define CONFIG(number) ((LightningDBConfig *) (uintptr_t) (number))

/* ---- calls ---- */

static void
call_open (uint64_t config, uint8_t which)
{
  char path[600];
  snprintf (path, sizeof path, "%s/%s", fuzz_directory_path (), names[which % 2]);
  if (!has_room () || openings == sizeof open / sizeof *open)
    return;
  LightningDB *db = lightning_db_create (path, CONFIG (config));
  if (config != 0 && !foresee (KIND_CONFIG, config, code_of (db)))
    return;
  CHECK (db != NULL || lightning_db_last_error () == DatabaseLocked);
  if (db == NULL)
    return;
  open[openings] = true;
  learn ((struct known){
      .kind = KIND_DATABASE, .number = (uintptr_t) db, .own = true, .of = openings++ });
}

static void
call_place (uint64_t from, bool past)
{
  if (!has_room ())
    return;
  LightningDB *db
      = past ? lightning_db_snapshot (DB (from)) : lightning_db_open_store (DB (from), "store", 1);
  if (!foresee (KIND_DATABASE, from, code_of (db)))
    return;
  const struct known *place = find (KIND_DATABASE, from);
  bool foreseen
      = open[place->of] || (past && place->past); /* a moment is shared, also when closed */
  if (!foreseen || (!past && place->past))
    foreseen = foreseen && db != NULL; /* a store that is not there can't be made in the past */
  CHECK (foreseen == (db != NULL));
  if (db != NULL)
    learn ((struct known){ .kind = KIND_DATABASE,
                           .number = (uintptr_t) db,
                           .past = past || place->past,
                           .of = place->of });
}

static void
end_database (struct known *ended)
{
  ended->live = false;
  if (!ended->own)
    return;
  open[ended->of] = false;
  for (unsigned i = 0; i < known_count; i++)
    if (known[i].kind == KIND_TRANSACTION && known[i].of == ended->of)
      known[i].live = false;
}

static void
call_close (uint64_t db)
{
  LightningDBError code = lightning_db_close (DB (db));
  if (foresee (KIND_DATABASE, db, code))
    {
      CHECK (code == Success);
      end_database (find (KIND_DATABASE, db));
    }
}

static void
call_write (uint64_t db, struct bytes key)
{
  LightningDBError code = lightning_db_put (DB (db), key.data, key.size, key.data, key.size);
  if (!foresee (KIND_DATABASE, db, code))
    return;
  const struct known *place = find (KIND_DATABASE, db);
  CHECK (code == (place->past ? DatabaseReadOnly : open[place->of] ? Success : DatabaseClosed));
}

static void
call_read (uint64_t db, struct bytes key)
{
  LightningDBResult result;
  LightningDBError code = lightning_db_get (DB (db), key.data, key.size, &result);
  if (foresee (KIND_DATABASE, db, code))
    CHECK (code == (open[find (KIND_DATABASE, db)->of] ? Success : DatabaseClosed));
  CHECK (result.data == NULL || bytes_equal (BYTES (result.data, result.len), key));
  lightning_db_free_result (result.data, result.len);
}

static void
call_begin (uint64_t db)
{
  uint64_t tx;
  if (!has_room ())
    return;
  LightningDBError code = lightning_db_begin_transaction (DB (db), &tx);
  if (!foresee (KIND_DATABASE, db, code))
    return;
  const struct known *place = find (KIND_DATABASE, db);
  CHECK (code == (place->past ? DatabaseReadOnly : open[place->of] ? Success : DatabaseClosed));
  if (code == Success)
    learn ((struct known){ .kind = KIND_TRANSACTION, .number = tx, .of = place->of });
}

static void
call_inside (uint64_t db, uint64_t tx, struct bytes key)
{
  LightningDBResult result;
  bool there = foresee_inside (
      db, tx, lightning_db_put_tx (DB (db), tx, key.data, key.size, key.data, key.size));
  LightningDBError code = lightning_db_get_tx (DB (db), tx, key.data, key.size, &result);
  CHECK (foresee_inside (db, tx, code) == there);
  CHECK ((result.data != NULL) == there);
  CHECK (!there || bytes_equal (BYTES (result.data, result.len), key));
  lightning_db_free_result (result.data, result.len);
}

static void
call_end_transaction (uint64_t db, uint64_t tx, bool commit)
{
  LightningDBError code = commit ? lightning_db_commit_transaction (DB (db), tx)
                                 : lightning_db_abort_transaction (DB (db), tx);
  if (!foresee_inside (db, tx, code))
    return;
  CHECK (code == Success || (commit && code == TransactionConflict));
  find (KIND_TRANSACTION, tx)->live = false;
}

static void
call_scan (uint64_t db, uint64_t tx, bool inside, uint8_t flags)
{
  if (!has_room ())
    return;
  LightningDBIterator *iterator
      = inside ? lightning_db_scan_tx (DB (db), tx, NULL, 0, NULL, 0, flags % 4)
               : lightning_db_scan (DB (db), NULL, 0, NULL, 0, flags % 4);
  LightningDBError code = code_of (iterator);
  if (!(inside ? foresee_inside (db, tx, code) : foresee (KIND_DATABASE, db, code)))
    return;
  unsigned of = find (KIND_DATABASE, db)->of;
  CHECK (open[of] == (iterator != NULL));
  if (iterator != NULL)
    learn ((struct known){ .kind = KIND_ITERATOR,
                           .number = (uintptr_t) iterator,
                           .of = of,
                           .inside = inside ? tx : 0 });
}

static void
call_next (uint64_t iterator, bool seek, struct bytes key)
{
  LightningDBEntry entry = { NULL, 0, NULL, 0 };
  LightningDBError code = seek
                              ? lightning_db_iterator_seek (ITERATOR (iterator), key.data, key.size)
                              : lightning_db_iterator_next (ITERATOR (iterator), &entry);
  if (!foresee (KIND_ITERATOR, iterator, code))
    return;
  const struct known *walking = find (KIND_ITERATOR, iterator);
  if (walking->inside != 0 && find (KIND_TRANSACTION, walking->inside) == NULL)
    CHECK (code == InvalidTransaction);
  else if (open[walking->of])
    CHECK (code == Success);
  else
    CHECK (code == DatabaseClosed || code == Success); /* at its end it asks nobody */
  fuzz_touch (BYTES (entry.key, entry.key_len));
  fuzz_touch (BYTES (entry.value, entry.value_len));
}

static void
call_batch (uint64_t batch, uint64_t store, struct bytes key, bool write)
{
  LightningDBError code
      = lightning_db_batch_put (BATCH (batch), DB (store), key.data, key.size, key.data, key.size);
  const struct known *place = find (KIND_DATABASE, store);
  if (store == 0 || place != NULL)
    foresee (KIND_BATCH, batch, code);
  else
    CHECK (code == InvalidHandle);
  if (!write)
    return;
  code = lightning_db_write_batch (DB (store), BATCH (batch), LightningDBSyncDefault);
  if (place == NULL)
    foresee (KIND_DATABASE, store, code);
  else if (place->past)
    CHECK (code == DatabaseReadOnly);
  else if (foresee (KIND_BATCH, batch, code))
    CHECK (code == InvalidArgument || code == (open[place->of] ? Success : DatabaseClosed));
}

static void
call_make (bool batch)
{
  if (!has_room ())
    return;
  uintptr_t number
      = batch ? (uintptr_t) lightning_db_batch_new () : (uintptr_t) lightning_db_config_new ();
  learn ((struct known){ .kind = batch ? KIND_BATCH : KIND_CONFIG, .number = number });
}

/* Any number to any free function: only the right one ends it. */
static void
call_free (uint64_t number, enum kind kind)
{
  struct known *there = find (kind, number);
  switch (kind)
    {
    case KIND_DATABASE:
      lightning_db_free (DB (number));
      break;
    case KIND_CONFIG:
      lightning_db_config_free (CONFIG (number));
      break;
    case KIND_ITERATOR:
      lightning_db_iterator_free (ITERATOR (number));
      break;
    case KIND_BATCH:
      lightning_db_batch_free (BATCH (number));
      break;
    default:
      return;
    }
  if (there != NULL && kind == KIND_DATABASE)
    end_database (there);
  else if (there != NULL)
    there->live = false;
}

static void
call (uint8_t what, uint8_t a, uint8_t b)
{
  uint64_t first = choose (a), second = choose (b);
  struct bytes key = BYTES (&"keys of one to eight bytes"[b % 8], 1 + b % 8);
  switch (what % 20)
    {
    case 0:
      call_open (a < 128 ? 0 : first, b);
      break;
    case 1:
    case 2:
      call_place (first, what % 20 == 1);
      break;
    case 3:
      call_close (first);
      break;
    case 4:
      call_write (first, key);
      break;
    case 5:
      call_read (first, key);
      break;
    case 6:
      call_begin (first);
      break;
    case 7:
    case 8:
      call_inside (first, second, key);
      break;
    case 9:
    case 10:
      call_end_transaction (first, second, what % 20 == 9);
      break;
    case 11:
    case 12:
      call_scan (first, second, what % 20 == 12, b);
      break;
    case 13:
    case 14:
      call_next (first, what % 20 == 14, key);
      break;
    case 15:
    case 16:
      call_make (what % 20 == 15);
      break;
    case 17:
      call_batch (first, second, key, b % 2 == 0);
      break;
    case 18:
      foresee (KIND_CONFIG, first, lightning_db_config_set_page_size (CONFIG (first), 4096));
      break;
    default:
      call_free (first, (enum kind) (b % KIND_COUNT));
    }
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  char path[600];
  fuzz_directory ();
  known_count = openings = 0;
  call_open (0, 0);
  for (size_t i = 0; i + 3 <= size && i / 3 < CALLS_MAX; i += 3)
    call (data[i], data[i + 1], data[i + 2]);
  for (unsigned i = 0; i < known_count; i++)
    if (known[i].live)
      call_free (known[i].number, known[i].kind);
  for (unsigned i = 0; i < 2; i++)
    {
      snprintf (path, sizeof path, "%s/%s", fuzz_directory_path (), names[i]);
      LightningDBError code = lightning_db_destroy (path);
      CHECK (code == Success || code == NotFound);
    }
  return 0;
}
