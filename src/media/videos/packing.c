#include "media/videos/packing.h"

#include "tensor/shape.h"

#include <inttypes.h>
#include <math.h>

/* --- settings --- */

/* A picture has at most 64 channels, and those of a patch's frames are put side by side. */
enum { MAX_TIMES = 21 };

am_status am_packing_read(const am_image_processor *p, am_packing_settings *out)
{
    *out = (am_packing_settings){.times = 1, .merge = 1};
    AM_TRY(am_image_integer(p, "patch_size", 1, 1024, &out->patch));
    AM_TRY(am_image_integer(p, "temporal_patch_size", 1, MAX_TIMES, &out->times));
    return am_image_integer(p, "merge_size", 1, 64, &out->merge);
}

am_status am_packing_check_edges(const am_image_processor *p)
{
    if (p->size.shortest_edge && p->size.longest_edge) return NULL;
    return am_error(AM_INVALID_FILE, "size: expected shortest_edge and longest_edge, numbers of pixels");
}

int64_t am_packing_whole_frames(int64_t frames, int64_t times)
{
    return (int64_t)nearbyint((double)frames / (double)times) * times;
}

/* --- sizes --- */

am_status am_packing_fit_plain(const am_image_processor *p, const am_packing_settings *s, int64_t frames,
                               am_plane_size in, am_packing_sizes *out)
{
    (void)frames;
    AM_TRY(am_packing_check_edges(p));
    AM_TRY(am_image_smart_resize(in, s->patch * s->merge, p->size.shortest_edge, p->size.longest_edge, &out->content));
    out->padded = out->content;
    return NULL;
}

/* cap_pixels_per_frame of Qwen3-VL: a frame has at most max_video_tokens, or its share of the longest edge. */
static am_status cap_pixels(const am_image_processor *p, int64_t unit, int64_t frames, double *most)
{
    bool caps = false;
    int64_t tokens = 768;
    AM_TRY(am_image_flag(p, "cap_pixels_per_frame", &caps));
    AM_TRY(am_image_integer(p, "max_video_tokens", 1, INT32_MAX, &tokens));
    if (!caps) return NULL;
    double share = (double)(p->size.longest_edge / frames), cap = (double)tokens * (double)unit * (double)unit,
           least = trunc((double)p->size.shortest_edge * 1.05);
    *most = fmax(fmin(cap, share), least) * (double)frames;
    return NULL;
}

am_status am_packing_fit_frames(const am_image_processor *p, const am_packing_settings *s, int64_t frames,
                                am_plane_size in, am_packing_sizes *out)
{
    int64_t expand = 1;
    AM_TRY(am_image_integer(p, "patch_expand_factor", 1, 64, &expand));
    AM_TRY(am_packing_check_edges(p));
    am_pixel_budget budget = {.unit = s->patch * s->merge * expand,
                              .frames = frames,
                              .whole_frames = am_packing_whole_frames(frames, s->times),
                              .least = (double)p->size.shortest_edge,
                              .most = (double)p->size.longest_edge};
    AM_TRY(cap_pixels(p, budget.unit, frames, &budget.most));
    if (frames < s->times)
        return am_error(AM_INVALID_ARGUMENT, "%" PRId64 " frames; expected at least temporal_patch_size, %" PRId64,
                        frames, s->times);
    AM_TRY(am_fit_frames(in, &budget, &out->content));
    out->padded = out->content;
    return NULL;
}

/* --- frames --- */

static am_status resize(am_video_run *run, const am_packing_settings *s, am_clip *clip)
{
    const am_packing *kind = am_video_details(run);
    const am_image_processor *p = run->processor;
    am_packing_sizes sizes;
    AM_TRY(kind->fit(p, s, clip->count, (am_plane_size){clip->frames->height, clip->frames->width}, &sizes));
    am_margins padding = {.right = sizes.padded.width - sizes.content.width,
                          .bottom = sizes.padded.height - sizes.content.height};
    for (int64_t k = 0; k < clip->count; k++) {
        AM_TRY(am_image_resize(p, &clip->frames[k], sizes.content));
        AM_TRY(am_picture_pad(&clip->frames[k], padding, 0.0));
    }
    return NULL;
}

static am_status process_clip(am_video_run *run, const am_packing_settings *s, am_clip *clip)
{
    const am_packing *kind = am_video_details(run);
    const am_image_processor *p = run->processor;
    int64_t merge = kind->by_rows ? 1 : s->merge;
    if (p->do_resize) AM_TRY(resize(run, s, clip));
    AM_TRY(am_patches_check(clip->frames, (am_plane_size){s->patch, s->patch}, merge));
    for (int64_t k = 0; k < clip->count; k++) {
        AM_TRY(am_image_rescale_and_normalize(p, &clip->frames[k]));
        AM_TRY(am_picture_to_floats(&clip->frames[k]));
    }
    return NULL;
}

/* --- patches --- */

static int64_t times_of(const am_packing *kind, const am_packing_settings *s)
{
    return kind->chunks || kind->single_frames ? 1 : s->times;
}

/* Patches in time: of single frames an odd one is followed by its copy. */
static int64_t steps_of(const am_packing *kind, const am_packing_settings *s, const am_clip *clip)
{
    if (kind->single_frames) return (clip->count + 1) / 2 * 2;
    return (clip->count + times_of(kind, s) - 1) / times_of(kind, s);
}

/* The frames from `first` on as one picture whose channels lie as the patch has them. */
static am_status join_frames(const am_clip *clip, int64_t first, int64_t times, am_patch_layout layout, am_picture *out)
{
    const am_picture *like = clip->frames;
    int64_t plane = like->height * like->width;
    AM_TRY(am_picture_create(like->channels * times, like->height, like->width, true, out));
    for (int64_t k = 0; k < like->channels * times; k++) {
        int64_t time = layout == AM_PATCH_TIME_CHANNEL ? k / like->channels : k % times,
                channel = layout == AM_PATCH_TIME_CHANNEL ? k % like->channels : k / times,
                frame = first + time < clip->count ? first + time : clip->count - 1;
        am_picture_window(&clip->frames[frame], channel, 0, 0, (am_plane_size){like->height, like->width},
                          out->floats + k * plane);
    }
    return NULL;
}

static am_status put_clip(const am_video_run *run, const am_packing_settings *s, const am_clip *clip, float **values)
{
    const am_packing *kind = am_video_details(run);
    am_patching patching = {
        .patch = {s->patch, s->patch}, .merge = kind->by_rows ? 1 : s->merge, .times = 1, .layout = kind->layout};
    for (int64_t step = 0; step < steps_of(kind, s, clip); step++) {
        am_picture joined;
        am_status status = join_frames(clip, step * times_of(kind, s), times_of(kind, s), kind->layout, &joined);
        if (!status) *values = am_patches_put(&joined, &patching, *values);
        am_picture_deinit(&joined);
        AM_TRY(status);
    }
    return NULL;
}

static am_status give_patches(am_video_run *run, const am_packing_settings *s)
{
    const am_packing *kind = am_video_details(run);
    int64_t patches = 0, channels = run->clips->frames->channels, times = times_of(kind, s);
    float *values;
    for (int64_t i = 0; i < run->count; i++) {
        const am_picture *frame = run->clips[i].frames;
        patches += steps_of(kind, s, &run->clips[i]) * (frame->height / s->patch) * (frame->width / s->patch);
    }
    am_shape shape = am_shape_of(patches, channels * times * s->patch * s->patch);
    if (kind->chunks) shape = am_shape_of(patches, channels, s->patch, s->patch);
    AM_TRY(am_image_give_floats(&run->outputs, "pixel_values_videos", &shape, &values));
    for (int64_t i = 0; i < run->count; i++) AM_TRY(put_clip(run, s, &run->clips[i], &values));
    return NULL;
}

/* --- grids --- */

/* The most patches in time of a row of the grid. */
static am_status read_segment(const am_video_run *run, const am_packing_settings *s, int64_t *out)
{
    const am_packing *kind = am_video_details(run);
    *out = kind->chunks ? s->times : INT32_MAX;
    return kind->segment ? am_image_integer(run->processor, kind->segment, 1, INT32_MAX, out) : NULL;
}

static am_status give_chunks(am_video_run *run, const am_packing_settings *s, int64_t most, int64_t *out_rows)
{
    const am_packing *kind = am_video_details(run);
    am_shape flat = am_shape_of(run->count);
    int64_t *chunks = NULL;
    *out_rows = 0;
    if (kind->chunks || kind->segment)
        AM_TRY(am_image_give_integers(&run->outputs, "num_chunks_per_video", &flat, &chunks));
    for (int64_t i = 0; i < run->count; i++) {
        int64_t rows = (steps_of(kind, s, &run->clips[i]) + most - 1) / most;
        if (chunks) chunks[i] = rows;
        *out_rows += rows;
    }
    return NULL;
}

static am_status give_grids(am_video_run *run, const am_packing_settings *s)
{
    int64_t most, rows, *grid;
    AM_TRY(read_segment(run, s, &most));
    AM_TRY(give_chunks(run, s, most, &rows));
    am_shape shape = am_shape_of(rows, 3);
    AM_TRY(am_image_give_integers(&run->outputs, "video_grid_thw", &shape, &grid));
    for (int64_t i = 0; i < run->count; i++) {
        const am_clip *clip = &run->clips[i];
        int64_t steps = steps_of(am_video_details(run), s, clip);
        for (int64_t first = 0; first < steps; first += most, grid += 3) {
            grid[0] = steps - first < most ? steps - first : most;
            grid[1] = clip->frames->height / s->patch;
            grid[2] = clip->frames->width / s->patch;
        }
    }
    return NULL;
}

am_status am_packing_preprocess(am_video_run *run)
{
    am_packing_settings s;
    AM_TRY(am_packing_read(run->processor, &s));
    for (int64_t i = 0; i < run->count; i++)
        AM_TRY(am_note(process_clip(run, &s, &run->clips[i]), "video %" PRId64, i));
    AM_TRY(give_patches(run, &s));
    return give_grids(run, &s);
}
