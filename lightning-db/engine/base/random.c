/* SPDX-License-Identifier: MIT */
#include "base/random.h"

#include <errno.h>
#include <sys/random.h>

status
random_bytes (void *to, size_t size, struct failure *failure)
{
  uint8_t *at = to;
  while (size > 0)
    {
      ssize_t got = getrandom (at, size, 0);
      if (got < 0 && errno == EINTR)
        continue;
      if (got <= 0)
        return fail_call (failure, errno,
                          "let the program call getrandom, which a sandbox may forbid",
                          "reading %zu random bytes from the kernel", size);
      at += got;
      size -= (size_t) got;
    }
  return STATUS_OK;
}
