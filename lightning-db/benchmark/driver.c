/* SPDX-License-Identifier: MIT */
#include "driver.h"

#include <stdarg.h>
#include <stdio.h>

static _Thread_local char failure[1024];

bool
driver_fail (const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  vsnprintf (failure, sizeof failure, format, arguments);
  va_end (arguments);
  return false;
}

const char *
driver_failure (void)
{
  return failure;
}
