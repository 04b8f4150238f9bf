/* SPDX-License-Identifier: MIT */
/* Values and keys: one, many, ranges of them, and iterators. */
#include "story.h"

/* ---- reading and writing ---- */

void
test_values (LightningDB *db)
{
  uint8_t zeros[3] = { 0, 0, 0 };
  LightningDBResult result;
  CHECK_OK (lightning_db_put (db, TEXT ("hello"), TEXT ("world")));
  check_value (db, "hello", "world");
  check_value (db, "nothing", NULL);
  CHECK_OK (lightning_db_put (db, TEXT ("hello"), TEXT ("again")));
  check_value (db, "hello", "again");
  CHECK_OK (lightning_db_delete (db, TEXT ("hello")));
  check_value (db, "hello", NULL);
  CHECK_OK (lightning_db_delete (db, TEXT ("hello")));

  /* Empty and absent differ, and so do zero bytes from nothing. */
  CHECK_OK (lightning_db_put (db, TEXT ("empty"), (const uint8_t *) "", 0));
  CHECK_OK (lightning_db_put (db, TEXT ("null"), NULL, 0));
  for (int i = 0; i < 2; i++)
    {
      result.data = NULL;
      result.len = 9;
      CHECK_OK (lightning_db_get (db, TEXT (i == 0 ? "empty" : "null"), &result));
      CHECK (result.data != NULL && result.len == 0);
      lightning_db_free_result (result.data, result.len);
    }
  CHECK_OK (lightning_db_put (db, zeros, 3, zeros, 2));
  CHECK_OK (lightning_db_get (db, zeros, 3, &result));
  CHECK (result.len == 2 && memcmp (result.data, zeros, 2) == 0);
  lightning_db_free_result (result.data, 77); /* lengths are not believed */
  CHECK_OK (lightning_db_get (db, zeros, 2, &result));
  CHECK (result.data == NULL);
  lightning_db_free_result (NULL, 0);
  lightning_db_free_result (NULL, 5);

  CHECK_FAILS (lightning_db_put (db, NULL, 3, TEXT ("v")), NullPointer);
  CHECK_FAILS (lightning_db_put (db, TEXT ("k"), NULL, 3), NullPointer);
  CHECK_FAILS (lightning_db_put (db, (const uint8_t *) "", 0, TEXT ("v")), InvalidArgument);
  CHECK_FAILS (lightning_db_put (db, TEXT ("k"), (const uint8_t *) "v", SIZE_MAX), ValueTooLarge);
  CHECK_FAILS (lightning_db_put (db, (const uint8_t *) "k", SIZE_MAX, TEXT ("v")), KeyTooLarge);
  CHECK_FAILS (lightning_db_get (db, NULL, 3, &result), NullPointer);
  CHECK_FAILS (lightning_db_get (db, TEXT ("k"), NULL), NullPointer);
  CHECK_FAILS (lightning_db_get (db, (const uint8_t *) "k", 0, &result), InvalidArgument);
  CHECK_FAILS (lightning_db_get (db, (const uint8_t *) "k", SIZE_MAX, &result), KeyTooLarge);
  CHECK_FAILS (lightning_db_delete (db, NULL, 1), NullPointer);
  CHECK_FAILS (lightning_db_contains (db, NULL, 1), NullPointer);
}

/* Each size on either side of what is copied by way of the stack, or goes to a file of its own. */
void
test_sizes (LightningDB *db)
{
  static const size_t sizes[]
      = { 1, 255, 1023, 1024, 1025, 4095, 8191, 8192, 8193, 100000, 3000000 };
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
    {
      size_t size = sizes[i], found = 0;
      uint8_t *value = malloc (size), *buffer = malloc (size);
      for (size_t k = 0; k < size; k++)
        value[k] = (uint8_t) (k * 7 + size);
      CHECK_OK (lightning_db_put (db, TEXT ("sized"), value, size));
      LightningDBResult result;
      CHECK_OK (lightning_db_get (db, TEXT ("sized"), &result));
      CHECK (result.len == size && memcmp (result.data, value, size) == 0);
      lightning_db_free_result (result.data, result.len);
      CHECK_OK (lightning_db_get_into (db, TEXT ("sized"), buffer, size, &found));
      CHECK (found == size && memcmp (buffer, value, size) == 0);
      CHECK_FAILS (lightning_db_get_into (db, TEXT ("sized"), buffer, size - 1, &found),
                   BufferTooSmall);
      CHECK (found == size);
      free (value);
      free (buffer);
    }
  size_t found = 5;
  uint8_t byte = 77;
  CHECK_GIVES (lightning_db_get_into (db, TEXT ("absent"), &byte, 1, &found), NotFound);
  CHECK (found == 0 && byte == 77);
  CHECK_FAILS (lightning_db_get_into (db, TEXT ("sized"), NULL, 0, &found), BufferTooSmall);
  CHECK_FAILS (lightning_db_get_into (db, TEXT ("sized"), NULL, 9, &found), NullPointer);
  CHECK_FAILS (lightning_db_get_into (db, TEXT ("sized"), &byte, 1, NULL), NullPointer);
  CHECK_OK (lightning_db_contains (db, TEXT ("sized")));
  CHECK_GIVES (lightning_db_contains (db, TEXT ("absent")), NotFound);
  CHECK_OK (lightning_db_delete (db, TEXT ("sized")));
  CHECK_GIVES (lightning_db_contains (db, TEXT ("sized")), NotFound);
}

/* An answer that is no failure leaves the message of the last failure alone. */
void
test_last_error (LightningDB *db)
{
  CHECK_FAILS (lightning_db_put (db, NULL, 3, TEXT ("v")), NullPointer);
  char before[480];
  strcpy (before, lightning_db_last_error_message ());
  CHECK_OK (lightning_db_put (db, TEXT ("fine"), TEXT ("v")));
  CHECK_GIVES (lightning_db_contains (db, TEXT ("absent")), NotFound);
  CHECK (strcmp (before, lightning_db_last_error_message ()) == 0);
  CHECK (lightning_db_last_error () == NullPointer);
}

void
test_many (LightningDB *db)
{
  enum
  {
    COUNT = 40
  };
  char texts[COUNT][16];
  const uint8_t *keys[COUNT];
  size_t lengths[COUNT];
  LightningDBResult results[COUNT];
  for (int i = 0; i < COUNT; i++)
    {
      lengths[i] = (size_t) sprintf (texts[i], "many%02d", i);
      keys[i] = (const uint8_t *) texts[i];
      results[i] = (LightningDBResult){ (uint8_t *) "stale", 5 };
      if (i % 3 != 0)
        CHECK_OK (lightning_db_put (db, keys[i], lengths[i], keys[i], lengths[i]));
    }
  CHECK_OK (lightning_db_multi_get (db, keys, lengths, COUNT, results));
  for (int i = 0; i < COUNT; i++)
    if (i % 3 != 0)
      check_text (results[i], texts[i]);
    else
      CHECK (results[i].data == NULL && results[i].len == 0);
  CHECK_OK (lightning_db_multi_get (db, NULL, NULL, 0, NULL));
  CHECK_FAILS (lightning_db_multi_get (db, NULL, lengths, 1, results), NullPointer);
  CHECK_FAILS (lightning_db_multi_get (db, keys, NULL, 1, results), NullPointer);
  CHECK_FAILS (lightning_db_multi_get (db, keys, lengths, 1, NULL), NullPointer);
  keys[7] = NULL;
  CHECK_FAILS (lightning_db_multi_get (db, keys, lengths, COUNT, results), NullPointer);
  CHECK (strstr (lightning_db_last_error_message (), "key 7") != NULL);
  keys[7] = (const uint8_t *) texts[7];
  lengths[7] = 0;
  CHECK_FAILS (lightning_db_multi_get (db, keys, lengths, COUNT, results), InvalidArgument);
  lengths[7] = SIZE_MAX;
  CHECK_FAILS (lightning_db_multi_get (db, keys, lengths, COUNT, results), KeyTooLarge);
  for (int i = 0; i < COUNT; i++)
    CHECK (results[i].data == NULL);
  CHECK_OK (lightning_db_delete_range (db, TEXT ("many"), TEXT ("many05")));
  check_value (db, "many04", NULL);
  check_value (db, "many05", "many05");
  CHECK_FAILS (lightning_db_delete_range (db, TEXT ("b"), TEXT ("a")), InvalidArgument);
  CHECK_FAILS (lightning_db_delete_range (db, NULL, 1, TEXT ("a")), NullPointer);
  CHECK_FAILS (lightning_db_delete_range (db, TEXT ("a"), NULL, 1), NullPointer);
  CHECK_FAILS (lightning_db_delete_range (db, (const uint8_t *) "a", 1 << 20, NULL, 0),
               KeyTooLarge);
  CHECK_OK (lightning_db_delete_range (db, NULL, 0, NULL, 0));
  check_value (db, "many05", NULL);
}

/* ---- scans ---- */

/* Walks and writes the keys, each with a comma, to `to`. */
static void
walk (LightningDBIterator *iterator, char *to)
{
  LightningDBEntry entry;
  CHECK (iterator != NULL);
  *to = '\0';
  for (;;)
    {
      CHECK_OK (lightning_db_iterator_next (iterator, &entry));
      if (entry.key == NULL)
        break;
      CHECK (entry.value == NULL
             || (entry.value_len == entry.key_len
                 && memcmp (entry.key, entry.value, entry.key_len) == 0));
      to += sprintf (to, "%.*s,", (int) entry.key_len, (const char *) entry.key);
    }
  CHECK_OK (lightning_db_iterator_next (iterator, &entry)); /* it stays at its end */
  CHECK (entry.key == NULL);
}

void
check_walk (LightningDBIterator *iterator, const char *expected)
{
  char keys[1000];
  walk (iterator, keys);
  if (strcmp (keys, expected) != 0)
    fprintf (stderr, "walked %s\n", keys);
  CHECK (strcmp (keys, expected) == 0);
  lightning_db_iterator_free (iterator);
}

void
test_scans (LightningDB *db)
{
  static const char *const keys[] = { "a", "b1", "b2", "b3", "c", "\377\377", "\377\377a" };
  for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
    CHECK_OK (lightning_db_put (db, TEXT (keys[i]), TEXT (keys[i])));
  check_walk (lightning_db_scan (db, NULL, 0, NULL, 0, 0), "a,b1,b2,b3,c,\xff\xff,\xff\xff"
                                                           "a,");
  check_walk (lightning_db_scan (db, NULL, 0, NULL, 0, LightningDBScanReverse),
              "\xff\xff"
              "a,\xff\xff,c,b3,b2,b1,a,");
  check_walk (lightning_db_scan (db, TEXT ("b"), TEXT ("b3"), 0), "b1,b2,");
  check_walk (lightning_db_scan (db, TEXT ("b"), TEXT ("b3"), LightningDBScanReverse), "b2,b1,");
  check_walk (lightning_db_scan (db, TEXT ("b2"), NULL, 0, LightningDBScanKeysOnly),
              "b2,b3,c,\xff\xff,\xff\xff"
              "a,");
  check_walk (lightning_db_scan (db, TEXT ("b2"), TEXT ("b2"), 0), "");
  check_walk (lightning_db_scan_prefix (db, TEXT ("b"), 0), "b1,b2,b3,");
  check_walk (
      lightning_db_scan_prefix (db, TEXT ("b"), LightningDBScanReverse | LightningDBScanKeysOnly),
      "b3,b2,b1,");
  check_walk (lightning_db_scan_prefix (db, TEXT ("\xff"), 0), "\xff\xff,\xff\xff"
                                                               "a,");
  check_walk (lightning_db_scan_prefix (db,
                                        TEXT ("\xff\xff"
                                              "a"),
                                        0),
              "\xff\xff"
              "a,");
  check_walk (lightning_db_scan_prefix (db, NULL, 0, LightningDBScanReverse),
              "\xff\xff"
              "a,\xff\xff,c,b3,b2,b1,a,");
  check_walk (lightning_db_scan_prefix (db, TEXT ("x"), 0), "");
  CHECK_NONE (lightning_db_scan (db, TEXT ("b"), TEXT ("a"), 0), InvalidArgument);
  CHECK_NONE (lightning_db_scan (db, NULL, 1, NULL, 0, 0), NullPointer);
  CHECK_NONE (lightning_db_scan (db, NULL, 0, NULL, 0, 4), InvalidArgument);
  CHECK_NONE (lightning_db_scan_prefix (db, NULL, 1, 0), NullPointer);
  CHECK_NONE (lightning_db_scan_prefix (db, (const uint8_t *) "x", SIZE_MAX, 0), KeyTooLarge);
}

static void
check_next (LightningDBIterator *iterator, const char *expected)
{
  LightningDBEntry entry;
  CHECK_OK (lightning_db_iterator_next (iterator, &entry));
  if (expected == NULL)
    CHECK (entry.key == NULL);
  else
    CHECK (entry.key_len == strlen (expected) && memcmp (entry.key, expected, entry.key_len) == 0);
}

void
test_seeks (LightningDB *db)
{
  LightningDBIterator *iterator = lightning_db_scan (db, TEXT ("b"), TEXT ("d"), 0);
  CHECK_OK (lightning_db_iterator_seek (iterator, TEXT ("b2")));
  check_next (iterator, "b2");
  check_next (iterator, "b3");
  CHECK_OK (lightning_db_iterator_seek (iterator, TEXT ("b25")));
  check_next (iterator, "b3");
  CHECK_OK (
      lightning_db_iterator_seek (iterator, TEXT ("a"))); /* its range has an end on each side */
  check_next (iterator, "b1");
  CHECK_OK (lightning_db_iterator_seek (iterator, TEXT ("z")));
  check_next (iterator, NULL);
  CHECK_OK (lightning_db_iterator_seek (iterator, TEXT ("c")));
  check_next (iterator, "c");
  check_next (iterator, NULL);
  CHECK_FAILS (lightning_db_iterator_seek (iterator, NULL, 1), NullPointer);
  CHECK_FAILS (lightning_db_iterator_next (iterator, NULL), NullPointer);
  lightning_db_iterator_free (iterator);

  iterator = lightning_db_scan (db, TEXT ("b"), TEXT ("d"), LightningDBScanReverse);
  CHECK_OK (lightning_db_iterator_seek (iterator, TEXT ("b2")));
  check_next (iterator, "b2");
  check_next (iterator, "b1");
  check_next (iterator, NULL);
  CHECK_OK (lightning_db_iterator_seek (iterator, TEXT ("b25")));
  check_next (iterator, "b2");
  CHECK_OK (lightning_db_iterator_seek (iterator, TEXT ("a")));
  check_next (iterator, NULL);
  CHECK_OK (lightning_db_iterator_seek (iterator, TEXT ("z")));
  check_next (iterator, "c");
  lightning_db_iterator_free (iterator);
  lightning_db_iterator_free (NULL);

  /* An empty value is shown as one, also in a scan of keys only. */
  LightningDBEntry entry;
  CHECK_OK (lightning_db_put (db, TEXT ("empty"), NULL, 0));
  iterator = lightning_db_scan_prefix (db, TEXT ("empty"), 0);
  CHECK_OK (lightning_db_iterator_next (iterator, &entry));
  CHECK (entry.value != NULL && entry.value_len == 0);
  lightning_db_iterator_free (iterator);
  iterator = lightning_db_scan_prefix (db, TEXT ("empty"), LightningDBScanKeysOnly);
  CHECK_OK (lightning_db_iterator_next (iterator, &entry));
  CHECK (entry.value == NULL && entry.value_len == 0 && entry.key_len == 5);
  lightning_db_iterator_free (iterator);
}
