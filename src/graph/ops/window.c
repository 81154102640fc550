#include "graph/ops/window.h"

int64_t am_window_number(const am_shape *list, int i, int64_t fallback)
{
    return list->rank ? list->dims[i] : fallback;
}

am_status am_window_check_lists(const am_shape *const *lists, int count, int spatial)
{
    for (int i = 0; i < count; i++)
        if (lists[i]->rank && lists[i]->rank != spatial)
            return am_error(AM_INVALID_ARGUMENT, "a list of %d numbers for %d spatial dimensions", lists[i]->rank,
                            spatial);
    return NULL;
}

static am_status check_number(const char *name, int64_t number, int64_t least)
{
    if (number >= least && number <= INT32_MAX) return NULL;
    return am_error(AM_INVALID_ARGUMENT, "%s %lld is not in %lld..2^31", name, (long long)number, (long long)least);
}

am_status am_window_check(const am_window *w)
{
    AM_TRY(check_number("kernel", w->kernel, 1));
    AM_TRY(check_number("stride", w->stride, 1));
    AM_TRY(check_number("dilation", w->dilation, 1));
    AM_TRY(check_number("padding_before", w->before, 0));
    return check_number("padding_after", w->after, 0);
}

am_status am_window_places(const am_window *w, int64_t *out)
{
    AM_TRY(am_window_check(w));
    int64_t reach = w->dilation * (w->kernel - 1) + 1, padded = w->size + w->before + w->after, room = padded - reach;
    if (room < 0)
        return am_error(AM_INVALID_ARGUMENT, "a window of %lld elements does not fit into %lld", (long long)reach,
                        (long long)padded);
    *out = (room + (w->ceil_mode ? w->stride - 1 : 0)) / w->stride + 1;
    if (w->ceil_mode && (*out - 1) * w->stride >= w->size + w->before) --*out;
    return NULL;
}

am_window am_unfold_window(const am_unfold_attributes *a, int i, int64_t size)
{
    return (am_window){.size = size,
                       .kernel = am_window_number(&a->kernel, i, 1),
                       .stride = am_window_number(&a->stride, i, 1),
                       .dilation = am_window_number(&a->dilation, i, 1),
                       .before = am_window_number(&a->padding_before, i, 0),
                       .after = am_window_number(&a->padding_after, i, 0)};
}

am_status am_unfold_check(const am_unfold_attributes *a, int spatial)
{
    const am_shape *const lists[] = {&a->kernel, &a->stride, &a->dilation, &a->padding_before, &a->padding_after};
    if (spatial < 1 || spatial > 3)
        return am_error(AM_INVALID_ARGUMENT, "%d spatial dimensions, expected 1 to 3", spatial);
    if (!a->kernel.rank) return am_error(AM_INVALID_ARGUMENT, "no kernel sizes");
    return am_window_check_lists(lists, 5, spatial);
}
