#include "media/videos/sampling.h"

#include "base/memory.h"

#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

enum { MAX_FRAMES = 1 << 24 };

void am_frame_list_deinit(am_frame_list *list)
{
    am_free(list->items);
    *list = (am_frame_list){0};
}

static am_status grow(am_frame_list *list)
{
    int64_t capacity = list->capacity ? list->capacity * 2 : 64;
    int64_t *items = am_alloc((size_t)capacity * sizeof *items);
    if (!items) return am_out_of_memory();
    if (list->count) memcpy(items, list->items, (size_t)list->count * sizeof *items);
    am_free(list->items);
    list->items = items;
    list->capacity = capacity;
    return NULL;
}

am_status am_frame_list_add(am_frame_list *list, int64_t frame)
{
    if (list->count >= MAX_FRAMES) return am_error(AM_INVALID_ARGUMENT, "more than %d frames are sampled", MAX_FRAMES);
    if (list->count == list->capacity) AM_TRY(grow(list));
    list->items[list->count++] = frame;
    return NULL;
}

am_status am_sampling_check_exclusive(const am_video_sampling *in)
{
    if (!in->num_frames || in->target_fps == 0.0) return NULL;
    return am_error(AM_INVALID_ARGUMENT, "num_frames %" PRId64 " and fps %g: only one of them can be given",
                    in->num_frames, in->target_fps);
}

am_status am_sampling_check_fps(const am_video_sampling *in)
{
    if (in->fps > 0.0) return NULL;
    return am_error(AM_INVALID_ARGUMENT,
                    "frames are sampled by time, but it is not known how many the video of %" PRId64
                    " frames has a second",
                    in->total);
}

am_status am_sample_uniformly(const am_video_sampling *in, am_frame_list *out)
{
    int64_t count = in->num_frames ? in->num_frames : in->total;
    AM_TRY(am_sampling_check_exclusive(in));
    if (in->target_fps > 0.0) {
        AM_TRY(am_sampling_check_fps(in));
        double wanted = trunc((double)in->total / in->fps * in->target_fps);
        count = (int64_t)fmax(1.0, fmin(wanted, 1e15));
    }
    if (count > in->total)
        return am_error(AM_INVALID_ARGUMENT,
                        "num_frames %" PRId64 " are more than the video has, %" PRId64 "; give num_frames or fps that "
                        "are smaller",
                        count, in->total);
    for (int64_t i = 0; i < count; i++) AM_TRY(am_frame_list_add(out, i * in->total / count));
    return NULL;
}

am_status am_frames_linspace(am_frame_list *out, double start, double stop, int64_t count, am_whole whole)
{
    double step = count > 1 ? (stop - start) / (double)(count - 1) : 0.0;
    for (int64_t i = 0; i < count; i++) {
        double value = i == count - 1 && count > 1 ? stop : (double)i * step + start;
        AM_TRY(am_frame_list_add(out, (int64_t)(whole == AM_WHOLE_FLOOR ? floor(value) : nearbyint(value))));
    }
    return NULL;
}

am_status am_frames_arange(am_frame_list *out, double start, int64_t total, double count)
{
    if (!(count > 0.0) || count > (double)total || start > (double)total)
        return am_error(AM_INVALID_ARGUMENT, "%g frames cannot be sampled of a video of %" PRId64 ", from %g on", count,
                        total, start);
    double step = (double)total / count, length = ceil(((double)total - start) / step);
    for (int64_t i = 0; i < (int64_t)length; i++)
        AM_TRY(am_frame_list_add(out, (int64_t)(float)(start + step * (double)i)));
    return NULL;
}

am_status am_frames_thin(am_frame_list *list, int64_t count)
{
    am_frame_list picked = {0};
    am_status status = am_frames_linspace(&picked, 0.0, (double)(list->count - 1), count, AM_WHOLE_FLOOR);
    for (int64_t i = 0; i < picked.count && !status; i++) picked.items[i] = list->items[picked.items[i]];
    if (status) {
        am_frame_list_deinit(&picked);
        return status;
    }
    am_frame_list_deinit(list);
    *list = picked;
    return NULL;
}

void am_frames_unique(am_frame_list *list)
{
    int64_t count = 0;
    for (int64_t i = 0; i < list->count; i++)
        if (!count || list->items[count - 1] != list->items[i]) list->items[count++] = list->items[i];
    list->count = count;
}
