#include "graph/ops/window.h"

static am_shape or_filled(const am_shape *given, int rank, int64_t value)
{
    am_shape filled = {.rank = rank};
    if (given->rank) return *given;
    for (int i = 0; i < rank && i < AM_RANK_LIMIT; i++) filled.dims[i] = value;
    return filled;
}

am_window am_window_resolve(const am_shape *kernel, const am_shape *stride, const am_shape *dilation, const am_shape *before,
                            const am_shape *after)
{
    int rank = kernel->rank;
    return (am_window){*kernel, or_filled(stride, rank, 1), or_filled(dilation, rank, 1), or_filled(before, rank, 0),
                       or_filled(after, rank, 0)};
}

static am_status check_list(const char *name, const am_shape *list, int rank, int64_t least)
{
    if (list->rank != rank)
        return am_error(AM_INVALID_ARGUMENT, "%s has %d numbers for %d spatial dimensions", name, list->rank, rank);
    for (int i = 0; i < rank; i++)
        if (list->dims[i] < least || list->dims[i] > INT32_MAX)
            return am_error(AM_INVALID_ARGUMENT, "%s %lld is not in %lld..2^31", name, (long long)list->dims[i], (long long)least);
    return NULL;
}

am_status am_window_check(const am_window *window, int spatial_rank)
{
    if (spatial_rank < 1 || spatial_rank > 3)
        return am_error(AM_INVALID_ARGUMENT, "takes 1 to 3 spatial dimensions after [B, C], found %d", spatial_rank);
    AM_TRY(check_list("kernel", &window->kernel, spatial_rank, 1));
    AM_TRY(check_list("stride", &window->stride, spatial_rank, 1));
    AM_TRY(check_list("dilation", &window->dilation, spatial_rank, 1));
    AM_TRY(check_list("padding_before", &window->before, spatial_rank, 0));
    return check_list("padding_after", &window->after, spatial_rank, 0);
}

int64_t am_window_positions(const am_window *window, int i, int64_t size)
{
    int64_t reach = window->dilation.dims[i] * (window->kernel.dims[i] - 1) + 1;
    int64_t room = size + window->before.dims[i] + window->after.dims[i] - reach;
    return room < 0 ? 0 : room / window->stride.dims[i] + 1;
}
