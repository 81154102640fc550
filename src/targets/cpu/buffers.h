/* Where in one piece of memory buffers lie that hold something for a while: those that do at the same time are apart.
 */
#ifndef AM_TARGETS_CPU_BUFFERS_H
#define AM_TARGETS_CPU_BUFFERS_H

#include "base/arena.h"
#include "base/status.h"

typedef struct am_cpu_buffer {
    size_t bytes, offset;
    int first, last; /* steps between which it holds something */
} am_cpu_buffer;

/* Sets the offsets of buffers, which are in the order of their first steps: each the lowest that is free. *out_bytes is
   the end of the last. Fails with AM_OUT_OF_MEMORY. */
am_status am_cpu_buffers_place(am_arena *arena, am_cpu_buffer *buffers, int count, size_t *out_bytes) AM_NODISCARD;

#endif
