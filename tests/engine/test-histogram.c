/* SPDX-License-Identifier: MIT */
/* histogram.h: percentiles against the sorted values themselves. */
#include "base/histogram.h"

#include "base/random.h"
#include "check.h"

#include <pthread.h>

#define VALUES 20000

static struct histogram histogram, other;
static uint64_t values[VALUES];

static int
compare (const void *a, const void *b)
{
  uint64_t x = *(const uint64_t *) a, y = *(const uint64_t *) b;
  return (x > y) - (x < y);
}

static void
check_percentiles (size_t count)
{
  static const double fractions[] = { 0, 0.001, 0.25, 0.5, 0.9, 0.99, 0.999, 0.9999 };
  qsort (values, count, sizeof *values, compare);
  for (size_t i = 0; i < sizeof fractions / sizeof *fractions; i++)
    {
      double place = fractions[i] * (double) count;
      size_t rank = (size_t) place + ((double) (size_t) place < place);
      uint64_t exact = values[rank > 0 ? rank - 1 : 0];
      uint64_t found = histogram_percentile (&histogram, fractions[i]);
      uint64_t error = found > exact ? found - exact : exact - found;
      CHECK (error * 100 <= exact);
    }
  CHECK_INT (histogram_percentile (&histogram, 1), values[count - 1]);
  CHECK_INT (histogram_maximum (&histogram), values[count - 1]);
  CHECK_INT (histogram_count (&histogram), count);
}

/* Every value lies in the bucket its neighbours leave room for; none is too wide. */
static void
test_buckets (void)
{
  CHECK_INT (histogram_bucket (0), 0);
  CHECK_INT (histogram_bucket ((UINT64_C (1) << HISTOGRAM_VALUE_BITS) - 1), HISTOGRAM_BUCKETS - 1);
  CHECK_INT (histogram_bucket (UINT64_MAX), HISTOGRAM_BUCKETS - 1);
  for (uint64_t value = 1; value < 1 << 20; value++)
    {
      size_t step = histogram_bucket (value) - histogram_bucket (value - 1);
      CHECK (step <= 1);
      CHECK (value >= 128 || step == 1);
    }
  for (unsigned bits = 7; bits < HISTOGRAM_VALUE_BITS; bits++)
    {
      uint64_t value = UINT64_C (1) << bits;
      CHECK_INT (histogram_bucket (value), histogram_bucket (value - 1) + 1);
      CHECK (histogram_bucket (value) < histogram_bucket (value + value / 64));
    }
}

static void
test_percentiles (void)
{
  struct random random = { 7 };
  for (unsigned shape = 0; shape < 6; shape++)
    {
      size_t count = shape == 5 ? 3 : VALUES;
      uint64_t sum = 0;
      histogram_clear (&histogram);
      CHECK_INT (histogram_percentile (&histogram, 0.5), 0);
      for (size_t i = 0; i < count; i++)
        {
          uint64_t value = random_below (&random, UINT64_C (1) << HISTOGRAM_VALUE_BITS);
          if (shape == 1)
            value >>= random_below (&random, 40); /* every order of magnitude alike */
          else if (shape == 2)
            value %= 100;
          else if (shape == 3)
            value = 1000 + value % 50;
          else if (shape == 4)
            value = i < count / 2 ? 150 : 9000000;
          values[i] = value;
          sum += value;
          histogram_record (&histogram, value);
        }
      check_percentiles (count);
      CHECK_INT (histogram_sum (&histogram), sum);
    }
}

static void
test_count_at_most_and_merge (void)
{
  histogram_clear (&histogram);
  histogram_clear (&other);
  for (uint64_t value = 1; value <= 100; value++)
    {
      histogram_record (&histogram, value);
      histogram_record (&other, 1000 * value);
    }
  histogram_record (&other, UINT64_C (1) << 50); /* beyond the last bucket */
  CHECK_INT (histogram_count_at_most (&histogram, 0), 0);
  CHECK_INT (histogram_count_at_most (&histogram, 40), 40);
  CHECK_INT (histogram_count_at_most (&histogram, UINT64_MAX), 100);
  histogram_merge (&histogram, &other);
  CHECK_INT (histogram_count (&histogram), 201);
  CHECK_INT (histogram_sum (&histogram), 5050 + 5050000 + (INT64_C (1) << 50));
  CHECK_INT (histogram_maximum (&histogram), INT64_C (1) << 50);
  CHECK_INT (histogram_count_at_most (&histogram, 500), 100);
  CHECK_INT (histogram_count (&other), 101);
  const uint64_t asked[] = { 0, 0, 40, 40, 41, 500, 5, 7000, 6999, UINT64_MAX, UINT64_MAX, 1 };
  struct histogram_walk walk = { 0 };
  for (size_t i = 0; i < sizeof asked / sizeof *asked; i++)
    CHECK_INT (histogram_walk_to (&histogram, &walk, asked[i]),
               histogram_count_at_most (&histogram, asked[i]));
}

static void *
record_many (void *data)
{
  struct random random = { (uint64_t) (uintptr_t) data };
  for (int i = 0; i < 50000; i++)
    histogram_record (&histogram, random_below (&random, 1000000));
  histogram_percentile (&histogram, 0.99);
  return NULL;
}

static void
test_threads (void)
{
  pthread_t threads[4];
  histogram_clear (&histogram);
  for (uintptr_t i = 0; i < 4; i++)
    CHECK (pthread_create (&threads[i], NULL, record_many, (void *) (i + 1)) == 0);
  for (int i = 0; i < 4; i++)
    CHECK (pthread_join (threads[i], NULL) == 0);
  CHECK_INT (histogram_count (&histogram), 200000);
}

int
main (void)
{
  test_buckets ();
  test_percentiles ();
  test_count_at_most_and_merge ();
  test_threads ();
  return 0;
}
