/* SPDX-License-Identifier: MIT */
/*
 * damage: what may happen to the files of a closed database, each named so that it can be done
 * again.
 */
#ifndef LIGHTNING_TESTS_DAMAGE_H
#define LIGHTNING_TESTS_DAMAGE_H

#include "subject.h"

enum damage_kind
{
  DAMAGE_FLIP,         /* bit b of byte a */
  DAMAGE_TRUNCATE,     /* to a bytes */
  DAMAGE_EXTEND,       /* by a bytes; b: zeros, garbage, its own first bytes */
  DAMAGE_ZERO,         /* b bytes from a on */
  DAMAGE_GARBAGE,      /* likewise */
  DAMAGE_SWAP,         /* pages a and b change places */
  DAMAGE_DUPLICATE,    /* page a stands also in place of page b */
  DAMAGE_STALE,        /* page a is that of an earlier state, b */
  DAMAGE_STALE_FILE,   /* the file is that of an earlier state, a */
  DAMAGE_FOREIGN,      /* page a is that of the file of the same name of another database */
  DAMAGE_FOREIGN_FILE, /* the file is that of another database */
  DAMAGE_EXCHANGE,     /* the file and file a change names */
  DAMAGE_COPY,         /* the file stands also in place of file a */
  DAMAGE_MISSING,      /* the file is gone */
  DAMAGE_KINDS
};

#define DAMAGE_PAGE 4096u
#define DAMAGE_SECTOR 512u

struct damage
{
  enum damage_kind kind;
  uint32_t file;
  uint64_t a, b;
};

const char *damage_kind_name (enum damage_kind kind);
/* How many there are of a kind, and one of them; `number` below the count. */
uint64_t damage_count (const struct subject *subject, enum damage_kind kind);
struct damage damage_numbered (const struct subject *subject, enum damage_kind kind,
                               uint64_t number);
void damage_print (const struct subject *subject, const struct damage *damage, char to[200]);

/* Does it to a clone of the subject's disk. `other`: a subject of the same codec with another
 * seed. */
void damage_do (const struct subject *subject, const struct subject *other, struct disk *disk,
                const struct damage *damage);

/* What a damage came to. */
struct effect
{
  bool *hit;   /* by spot: bytes of it differ or are gone; malloc'd */
  bool any;    /* a byte differs, a file is missing, longer or shorter */
  bool longer; /* a file is longer than it was */
  bool
      other_manifest; /* that of another time or database lies there: other files seem to be wrong */
  bool *file_hit;     /* by file: it differs; malloc'd */
  bool *gone;         /* by file: it is missing; malloc'd */
};
void effect_init (const struct subject *subject, struct effect *effect);
void effect_clear (struct effect *effect);
/* Finds out by comparing. */
void effect_find (const struct subject *subject, const struct disk *disk, struct effect *effect);

#endif
