/* SPDX-License-Identifier: MIT */
#include "damage.h"

#include "../crash/simulated-memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXTENSIONS 9u /* three sizes, three kinds of bytes */

static const char *const names[DAMAGE_KINDS] = {
  "flip",  "truncate",   "extend",  "zero",         "garbage",  "swap", "duplicate",
  "stale", "stale-file", "foreign", "foreign-file", "exchange", "copy", "missing",
};

const char *
damage_kind_name (enum damage_kind kind)
{
  return names[kind];
}

/* ---- enumerating ---- */

static uint64_t
pages_of (uint64_t size, uint64_t unit)
{
  return (size + unit - 1) / unit;
}

/* How many damages of a kind a file has. */
static uint64_t
count_of_file (const struct subject *subject, enum damage_kind kind, uint32_t file)
{
  uint64_t size = subject->files[file].size, pages = pages_of (size, DAMAGE_PAGE);
  uint64_t sectors = pages_of (size, DAMAGE_SECTOR);
  switch (kind)
    {
    case DAMAGE_FLIP:
      return 8 * size;
    case DAMAGE_TRUNCATE:
      return sectors + (size > 1); /* at each sector, and by one byte */
    case DAMAGE_EXTEND:
      return EXTENSIONS;
    case DAMAGE_ZERO: /* sectors, then pages */
    case DAMAGE_GARBAGE:
      return sectors + pages;
    case DAMAGE_SWAP: /* with the next and with one further away */
      return pages > 1 ? 2 * (pages - 1) : 0;
    case DAMAGE_DUPLICATE:
      return pages > 1 ? 2 * pages : 0;
    case DAMAGE_STALE: /* sectors and pages */
      return subject->earlier_count * (sectors + pages);
    case DAMAGE_STALE_FILE:
      return subject->earlier_count;
    case DAMAGE_FOREIGN:
      return pages;
    case DAMAGE_FOREIGN_FILE:
    case DAMAGE_MISSING:
      return 1;
    case DAMAGE_EXCHANGE:
      return file; /* with each before it */
    case DAMAGE_COPY:
      return subject->file_count;
    default:
      return 0;
    }
}

uint64_t
damage_count (const struct subject *subject, enum damage_kind kind)
{
  uint64_t count = 0;
  for (uint32_t file = 0; file < subject->file_count; file++)
    count += count_of_file (subject, kind, file);
  return count;
}

/* A sector, or behind all sectors a page: offset and size. */
static void
piece_numbered (uint64_t size, uint64_t number, uint64_t *offset, uint64_t *length)
{
  uint64_t sectors = pages_of (size, DAMAGE_SECTOR);
  *length = number < sectors ? DAMAGE_SECTOR : DAMAGE_PAGE;
  *offset = (number < sectors ? number : number - sectors) * *length;
}

struct damage
damage_numbered (const struct subject *subject, enum damage_kind kind, uint64_t number)
{
  struct damage damage = { .kind = kind };
  uint64_t count;
  while (number >= (count = count_of_file (subject, kind, damage.file)))
    {
      number -= count;
      damage.file++;
    }
  uint64_t size = subject->files[damage.file].size, pages = pages_of (size, DAMAGE_PAGE);
  damage.a = number;
  switch (kind)
    {
    case DAMAGE_FLIP:
      damage.a = number / 8;
      damage.b = number % 8;
      break;
    case DAMAGE_TRUNCATE:
      damage.a = number * DAMAGE_SECTOR < size ? number * DAMAGE_SECTOR : size - 1;
      break;
    case DAMAGE_EXTEND:
      damage.a = (const uint64_t[]){ 1, DAMAGE_SECTOR, DAMAGE_PAGE }[number / 3];
      damage.b = number % 3;
      break;
    case DAMAGE_ZERO:
    case DAMAGE_GARBAGE:
      piece_numbered (size, number, &damage.a, &damage.b);
      break;
    case DAMAGE_SWAP:
      damage.a = number / 2;
      damage.b = number % 2 == 0 ? damage.a + 1 : (damage.a + 1 + pages / 2) % pages;
      break;
    case DAMAGE_DUPLICATE:
      damage.b = number / 2;
      damage.a = (damage.b + (number % 2 == 0 ? 1 : pages / 2)) % pages;
      break;
    case DAMAGE_STALE:
      damage.b = number % subject->earlier_count;
      damage.a = number / subject->earlier_count;
      break;
    default:
      break;
    }
  return damage;
}

void
damage_print (const struct subject *subject, const struct damage *damage, char to[200])
{
  snprintf (to, 200, "%s %s %llu %llu", names[damage->kind], subject->files[damage->file].name,
            (unsigned long long) damage->a, (unsigned long long) damage->b);
}

/* ---- doing ---- */

/* What `name` leads to in the disk, to be changed: nobody else's. */
static struct disk_content *
own (struct disk *disk, const char *name, uint64_t room)
{
  struct disk_file *file = &disk->files[disk_find (disk, 0, name)];
  const struct disk_content *before = file->content;
  struct disk_content *copy = kept_calloc (1, sizeof *copy);
  copy->references = 1;
  copy->size = before->size;
  copy->capacity = before->size + room;
  copy->bytes = kept_calloc (1, copy->capacity + 1);
  memcpy (copy->bytes, before->bytes, before->size);
  file->content->references--; /* a clone's is shared */
  file->content = copy;
  return copy;
}

/* Overwrites [at, at + size) as far as the file goes, from what another holds at `from`; what that
 * one lacks is zeros. */
static void
overlay (struct disk_content *to, uint64_t at, uint64_t size, const struct disk_content *source,
         uint64_t from)
{
  for (uint64_t i = 0; i < size && at + i < to->size; i++)
    to->bytes[at + i] = source != NULL && from + i < source->size ? source->bytes[from + i] : 0;
}

static void
do_garbage (uint8_t *bytes, uint64_t size, uint64_t seed)
{
  struct random random = { seed };
  for (uint64_t i = 0; i < size; i++)
    bytes[i] = (uint8_t) (random_next (&random) >> 32);
}

static void
do_extend (struct disk_content *content, uint64_t by, uint64_t with)
{
  uint64_t size = content->size;
  if (with == 1)
    do_garbage (content->bytes + size, by, size);
  for (uint64_t i = 0; with == 2 && i < by; i++)
    content->bytes[size + i] = i < size ? content->bytes[i] : 0;
  content->size += by;
}

static void
do_swap (struct disk_content *content, uint64_t one, uint64_t other)
{
  uint8_t page[DAMAGE_PAGE];
  struct disk_content kept = { .size = DAMAGE_PAGE, .bytes = page };
  memset (page, 0, sizeof page);
  uint64_t left = content->size - one * DAMAGE_PAGE;
  memcpy (page, content->bytes + one * DAMAGE_PAGE, left < DAMAGE_PAGE ? left : DAMAGE_PAGE);
  overlay (content, one * DAMAGE_PAGE, DAMAGE_PAGE, content, other * DAMAGE_PAGE);
  overlay (content, other * DAMAGE_PAGE, DAMAGE_PAGE, &kept, 0);
}

/* Lets the name lead to that content, or to nothing. */
static void
put_content (struct disk *disk, const char *name, struct disk_content *content)
{
  for (size_t i = 0; i < disk->name_count; i++)
    if (strcmp (disk->names[i].name, name) == 0)
      {
        if (content == NULL)
          {
            disk->names[i] = disk->names[--disk->name_count];
            return;
          }
        struct disk_content *mine = own (disk, name, content->size + 1);
        memcpy (mine->bytes, content->bytes, content->size);
        mine->size = content->size;
        return;
      }
}

static void
do_exchange (struct disk *disk, const char *one, const char *other)
{
  for (size_t i = 0; i < disk->name_count; i++)
    if (strcmp (disk->names[i].name, one) == 0)
      strcpy (disk->names[i].name, other);
    else if (strcmp (disk->names[i].name, other) == 0)
      strcpy (disk->names[i].name, one);
}

static void
do_to_page (const struct subject *subject, const struct subject *other,
            struct disk_content *content, const struct damage *damage)
{
  uint64_t at, size;
  switch (damage->kind)
    {
    case DAMAGE_ZERO:
      overlay (content, damage->a, damage->b, NULL, 0);
      break;
    case DAMAGE_GARBAGE:
      size = content->size - damage->a;
      do_garbage (content->bytes + damage->a, size < damage->b ? size : damage->b, damage->a);
      break;
    case DAMAGE_SWAP:
      do_swap (content, damage->a, damage->b);
      break;
    case DAMAGE_DUPLICATE:
      overlay (content, damage->b * DAMAGE_PAGE, DAMAGE_PAGE, content, damage->a * DAMAGE_PAGE);
      break;
    case DAMAGE_STALE:
      piece_numbered (content->size, damage->a, &at, &size);
      overlay (content, at, size,
               subject_content (subject, subject->earlier[damage->b], damage->file), at);
      break;
    default:
      overlay (content, damage->a * DAMAGE_PAGE, DAMAGE_PAGE,
               subject_content (subject, other->disk, damage->file), damage->a * DAMAGE_PAGE);
    }
}

void
damage_do (const struct subject *subject, const struct subject *other, struct disk *disk,
           const struct damage *damage)
{
  const char *name = subject->files[damage->file].name;
  struct disk_content *content;
  switch (damage->kind)
    {
    case DAMAGE_FLIP:
      own (disk, name, 0)->bytes[damage->a] ^= (uint8_t) (1u << damage->b);
      break;
    case DAMAGE_TRUNCATE:
      content = own (disk, name, 0);
      memset (content->bytes + damage->a, 0, content->size - damage->a);
      content->size = damage->a;
      break;
    case DAMAGE_EXTEND:
      do_extend (own (disk, name, damage->a), damage->a, damage->b);
      break;
    case DAMAGE_STALE_FILE: /* one that was not there then is not there now */
      put_content (disk, name,
                   subject_content (subject, subject->earlier[damage->a], damage->file));
      break;
    case DAMAGE_FOREIGN_FILE:
      put_content (disk, name, subject_content (subject, other->disk, damage->file));
      break;
    case DAMAGE_EXCHANGE:
      do_exchange (disk, name, subject->files[damage->a].name);
      break;
    case DAMAGE_COPY:
      put_content (disk, subject->files[damage->a].name,
                   subject_content (subject, disk, damage->file));
      break;
    case DAMAGE_MISSING:
      put_content (disk, name, NULL);
      break;
    default:
      do_to_page (subject, other, own (disk, name, 0), damage);
    }
}

/* ---- what it came to ---- */

void
effect_init (const struct subject *subject, struct effect *effect)
{
  *effect = (struct effect){ 0 };
  effect->hit = kept_calloc (subject->spot_count, sizeof *effect->hit);
  effect->file_hit = kept_calloc (subject->file_count, sizeof *effect->file_hit);
  effect->gone = kept_calloc (subject->file_count, sizeof *effect->gone);
}

void
effect_clear (struct effect *effect)
{
  free (effect->hit);
  free (effect->file_hit);
  free (effect->gone);
}

/* Its edits differ, or all of it but the magic number does. An opening may replace it. */
static bool
is_other_manifest (const struct subject *subject, const struct effect *effect,
                   const struct disk *disk)
{
  for (size_t i = 0; i < subject->spot_count; i++)
    {
      const struct spot *spot = &subject->spots[i];
      if (!effect->hit[i] || (spot->kind != SPOT_MANIFEST && spot->kind != SPOT_EDIT))
        continue;
      const struct disk_content *now = subject_content (subject, disk, spot->file);
      const struct disk_content *before = subject_content (subject, subject->disk, spot->file);
      return now != NULL && (spot->kind == SPOT_EDIT || memcmp (now->bytes, before->bytes, 8) == 0);
    }
  return false;
}

void
effect_find (const struct subject *subject, const struct disk *disk, struct effect *effect)
{
  memset (effect->hit, 0, subject->spot_count);
  effect->any = effect->longer = false;
  for (uint32_t i = 0; i < subject->file_count; i++)
    {
      const struct subject_file *file = &subject->files[i];
      const struct disk_content *before = subject_content (subject, subject->disk, i);
      const struct disk_content *now = subject_content (subject, disk, i);
      bool longer = now != NULL && now->size > before->size;
      effect->gone[i] = now == NULL;
      effect->file_hit[i] = now == NULL || now->size != before->size;
      effect->longer |= longer;
      for (size_t s = file->first; now != before && s < file->last; s++)
        {
          const struct spot *spot = &subject->spots[s];
          effect->hit[s] = now == NULL || now->size < spot->to
                           || memcmp (now->bytes + spot->from, before->bytes + spot->from,
                                      spot->to - spot->from)
                                  != 0;
          effect->file_hit[i] |= effect->hit[s];
        }
      effect->any |= effect->file_hit[i];
    }
  effect->other_manifest = is_other_manifest (subject, effect, disk);
}
