/* SPDX-License-Identifier: MIT */
/*
 * records: commands on single records and on ranges of keys: get, put, del, scan.
 * Threads: the main thread only.
 */
#pragma once

#include "command.h"
#include "text-form.h"

/* A range as options give it. */
typedef struct key_range_options
{
  char *prefix; /* --prefix; owned */
  char *from;   /* --from; owned */
  char *to;     /* --to; owned */
} key_range_options;

#define RANGE_ENTRIES(options)                                                                         \
  {                                                                                                    \
    { "prefix",                                                                                        \
      'p',                                                                                             \
      0,                                                                                               \
      G_OPTION_ARG_FILENAME,                                                                           \
      &(options).prefix,                                                                               \
      N_ ("Keys that begin with this"),                                                                \
      N_ ("PREFIX") },                                                                                 \
        { "from",    0, 0, G_OPTION_ARG_FILENAME, &(options).from, N_ ("Keys from this one on"),       \
          N_ ("KEY") },                                                                                \
        { "to", 0, 0, G_OPTION_ARG_FILENAME, &(options).to, N_ ("Keys before this one"), N_ ("KEY") }, \
    {                                                                                                  \
      NULL                                                                                             \
    }                                                                                                  \
  }

/* The keys in [start, end). */
typedef struct key_range
{
  GBytes *start;  /* NULL: from the first key; owned */
  GBytes *end;    /* NULL: to the last key; owned */
  gboolean given; /* not simply everything */
} key_range;

void range_options_clear (key_range_options *options);
void key_range_clear (key_range *range);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (key_range_options, range_options_clear)
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (key_range, key_range_clear)
/* FALSE: error, also when --prefix stands beside --from or --to. */
gboolean key_range_parse (const key_range_options *options, enum text_form input, key_range *to,
                          GError **error);

enum exit_status get_run (struct invocation *invocation);
enum exit_status put_run (struct invocation *invocation);
enum exit_status del_run (struct invocation *invocation);
enum exit_status scan_run (struct invocation *invocation);
