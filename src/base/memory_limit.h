/* How much memory may still be taken. Linux grants more than there is and ends the process when it is used, so a large
   demand is compared with this first. */
#ifndef AM_BASE_MEMORY_LIMIT_H
#define AM_BASE_MEMORY_LIMIT_H

#include "base/status.h"

#include <stddef.h>

/* The least of what the machine has free (MemAvailable), what the cgroups around the process leave (v2 and v1, page
   cache not counted) and what RLIMIT_AS leaves; SIZE_MAX when none of them is known. out_limit, which may be null, gets
   the name of the one that counts, a static string. */
size_t am_memory_available(const char **out_limit);

/* AM_OUT_OF_MEMORY naming `what`, the bytes and the limit when `bytes` more are not available. Less than a MiB is left
   to the allocator: looking would cost more. */
am_status am_memory_check(size_t bytes, const char *what) AM_NODISCARD;

#endif
