/* One pool of worker threads per process. Work is cut into a fixed number of items; each item is computed the
   same way whatever thread takes it, so results do not depend on timing or on the number of threads. */
#ifndef AM_BASE_THREADS_H
#define AM_BASE_THREADS_H

#include "base/status.h"

#include <stdint.h>

/* Sets how many threads (the caller included) work from now on; 0: as many as cgroup and affinity allow.
   Starts or stops workers. Not while work is running. */
am_status am_threads_set(int count) AM_NODISCARD;

/* Threads in use, at least 1. */
int am_threads_count(void);

/* CPUs this process may use (affinity mask and cgroup quota). */
int am_threads_available(void);

typedef void (*am_work)(void *context, int64_t begin, int64_t end);

/* Calls work(context, begin, end) over [0, count) in slices of about `grain` items (at least 1), on all
   threads, and returns when all is done. A call from inside `work` runs on the calling thread alone. Calls
   from several threads take turns. */
void am_parallel_for(int64_t count, int64_t grain, am_work work, void *context);

/* Stops the workers and frees the pool. Until the next am_threads_set the calling thread works alone, as
 * before the first. */
void am_threads_shutdown(void);

#endif
