/* SPDX-License-Identifier: MIT */
/*
 * probes: places that a tracer (bpftrace, perf, gdb, SystemTap) can attach to in a running program.
 *
 * Static probes of the provider lightning_db, made with <sys/sdt.h> where that is there (meson option
 * usdt). Each is a single nop and a note in the library's file; its arguments are values that the code
 * around it has at hand. None is on the way of a get that memory answers, nor of a step of a cursor.
 *
 * Names and arguments are what tracing scripts go by: they stay. docs/guides/monitoring.md explains
 * them; the test engine-probes compares it with what the built library has.
 *
 *   PROBEn (name, n arguments)      n: 1 to 4; integers and pointers
 */
#ifndef LIGHTNING_BASE_PROBES_H
#define LIGHTNING_BASE_PROBES_H

#ifdef LIGHTNING_HAVE_PROBES
#include <sys/sdt.h>
#define PROBE1(name, a) DTRACE_PROBE1 (lightning_db, name, a)
#define PROBE2(name, a, b) DTRACE_PROBE2 (lightning_db, name, a, b)
#define PROBE3(name, a, b, c) DTRACE_PROBE3 (lightning_db, name, a, b, c)
#define PROBE4(name, a, b, c, d) DTRACE_PROBE4 (lightning_db, name, a, b, c, d)
#else
#define PROBE1(name, a) ((void) (a))
#define PROBE2(name, a, b) ((void) (a), (void) (b))
#define PROBE3(name, a, b, c) ((void) (a), (void) (b), (void) (c))
#define PROBE4(name, a, b, c, d) ((void) (a), (void) (b), (void) (c), (void) (d))
#endif

#endif
