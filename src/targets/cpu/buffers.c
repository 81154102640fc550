#include "targets/cpu/buffers.h"

static size_t lowest_gap(const am_cpu_buffer *const *live, int count, size_t bytes)
{
    size_t at = 0;
    for (int i = 0; i < count; i++) { /* sorted by offset */
        if (live[i]->offset >= at + bytes) break;
        if (live[i]->offset + live[i]->bytes > at) at = live[i]->offset + live[i]->bytes;
    }
    return at;
}

am_status am_cpu_buffers_place(am_arena *arena, am_cpu_buffer *buffers, int count, size_t *out_bytes)
{
    const am_cpu_buffer **live = am_arena_array(arena, (size_t)count + 1, sizeof *live);
    int alive = 0;
    *out_bytes = 0;
    if (!live) return am_out_of_memory();
    for (int i = 0; i < count; i++) {
        am_cpu_buffer *b = &buffers[i];
        int kept = 0;
        for (int k = 0; k < alive; k++)
            if (live[k]->last >= b->first) live[kept++] = live[k];
        alive = kept;
        b->offset = lowest_gap(live, alive, b->bytes);
        if (b->offset + b->bytes > *out_bytes) *out_bytes = b->offset + b->bytes;
        int at = alive++;
        for (; at > 0 && live[at - 1]->offset > b->offset; at--) live[at] = live[at - 1];
        live[at] = b;
    }
    return NULL;
}
