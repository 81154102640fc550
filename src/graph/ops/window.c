#include "graph/ops/window.h"

int64_t am_window_number(const am_shape *list, int i, int64_t fallback)
{
    return list->rank ? list->dims[i] : fallback;
}

am_status am_window_check_lists(const am_shape *const *lists, int count, int spatial)
{
    for (int i = 0; i < count; i++)
        if (lists[i]->rank != 0 && lists[i]->rank != spatial)
            return am_error(AM_INVALID_ARGUMENT, "an attribute has %d numbers for %d spatial dimensions", lists[i]->rank, spatial);
    return NULL;
}

am_status am_window_places(const am_window *w, int64_t *out)
{
    enum { LIMIT = 1 << 28 };
    bool sane = w->kernel > 0 && w->stride > 0 && w->dilation > 0 && w->before >= 0 && w->after >= 0 && w->kernel < LIMIT &&
                w->stride < LIMIT && w->dilation < LIMIT && w->before < LIMIT && w->after < LIMIT;
    if (!sane)
        return am_error(AM_INVALID_ARGUMENT, "kernel %lld, stride %lld, dilation %lld, padding %lld and %lld", (long long)w->kernel,
                        (long long)w->stride, (long long)w->dilation, (long long)w->before, (long long)w->after);
    int64_t reach = (w->kernel - 1) * w->dilation + 1, padded = w->size + w->before + w->after;
    if (reach > padded)
        return am_error(AM_INVALID_ARGUMENT, "a window of %lld does not fit into %lld elements", (long long)reach, (long long)padded);
    *out = (padded - reach) / w->stride + 1;
    /* torch: a window of ceil mode may hang over the end, but must start inside of the input or the left padding */
    if (w->ceil_mode && (padded - reach) % w->stride != 0 && *out * w->stride < w->size + w->before) ++*out;
    return NULL;
}
