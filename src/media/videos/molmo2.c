/* Molmo 2: frames are warped to squares and become patches; video_token_pooling says which patches make a token. */
#include "media/images/patches.h"
#include "media/videos/processor.h"
#include "tensor/shape.h"

#include <inttypes.h>
#include <math.h>
#include <stddef.h>

typedef struct pooling_settings {
    int64_t patch, side; /* pixels; patches along a frame's side */
    am_plane_size pool;
} pooling_settings;

static am_status read_settings(const am_image_processor *p, pooling_settings *out)
{
    am_json pool = am_image_setting(p, "pooling_size");
    am_json_iterator i = am_json_iterate(pool);
    *out = (pooling_settings){.patch = 14};
    AM_TRY(am_image_integer(p, "patch_size", 1, 1024, &out->patch));
    if (am_json_kind_of(pool) == AM_JSON_ARRAY && am_json_count(pool) == 2 && am_json_next(&i)) {
        out->pool.height = am_json_int(i.value, 0);
        am_json_next(&i);
        out->pool.width = am_json_int(i.value, 0);
    }
    if (out->pool.height < 1 || out->pool.width < 1 || out->pool.height > 1024 || out->pool.width > 1024)
        return am_error(AM_INVALID_FILE, "pooling_size: expected two numbers from 1 to 1024");
    if (!p->size.height || p->size.height != p->size.width || p->size.height % out->patch)
        return am_error(AM_INVALID_FILE, "size: expected height and width that are the same and whole patches");
    out->side = p->size.height / out->patch;
    return NULL;
}

static am_status standardize(am_image_processor *p)
{
    if (p->size.height && p->size.width) return NULL;
    return am_error(AM_INVALID_FILE, "size: expected height and width");
}

static am_status sample(const am_image_processor *p, const am_video_sampling *in, am_frame_list *out)
{
    double max_fps = 2.0, count = (double)in->num_frames, total = (double)in->total;
    AM_TRY(am_sampling_check_exclusive(in));
    AM_TRY(am_image_number(p, "max_fps", &max_fps));
    double target = in->target_fps,
           fps = in->fps > 0.0  ? in->fps
                 : target > 0.0 ? target
                                : max_fps,
           duration = in->duration > 0.0 ? in->duration : total / fps;
    if (target > 0.0) count = trunc(duration * target);
    else if (fps > max_fps) count = fmin(count, trunc(duration * max_fps));
    return am_frames_arange(out, 0.0, in->total, fmax(fmin(count, total), 1.0));
}

/* Without antialiasing, in floats, rounded to levels again. */
static am_status process_frame(const am_image_processor *p, am_picture *frame)
{
    am_plane_size to = {p->size.height, p->size.width};
    AM_TRY(am_picture_to_floats(frame));
    AM_TRY(am_picture_resize(frame, p->backend, to, p->resample, false));
    for (int64_t i = 0; i < frame->channels * to.height * to.width; i++)
        frame->floats[i] = fminf(fmaxf(nearbyintf(frame->floats[i]), 0.0f), 255.0f);
    return am_image_rescale_and_normalize(p, frame);
}

/* The patches of each token of each frame. */
static am_status give_pooling(am_video_run *run, const pooling_settings *s)
{
    am_plane_size size = {s->side, s->side}, tokens = am_pooled_size(size, s->pool);
    int64_t frames = am_video_count_frames(run), window = s->pool.height * s->pool.width,
            per_frame = tokens.height * tokens.width, row, column, *out;
    am_shape shape = am_shape_of(frames * per_frame, window);
    AM_TRY(am_image_give_integers(&run->outputs, "video_token_pooling", &shape, &out));
    for (int64_t frame = 0; frame < frames; frame++) {
        for (int64_t i = 0; i < per_frame * window; i++) {
            bool inside = am_pooled_patch(size, s->pool, i / window, i % window, &row, &column);
            *out++ = inside ? (frame * s->side + row) * s->side + column : -1;
        }
    }
    return NULL;
}

static am_status give_grids(am_video_run *run, const pooling_settings *s)
{
    am_plane_size tokens = am_pooled_size((am_plane_size){s->side, s->side}, s->pool);
    am_shape shape = am_shape_of(run->count, 3);
    int64_t *grid;
    AM_TRY(am_image_give_integers(&run->outputs, "video_grids", &shape, &grid));
    for (int64_t i = 0; i < run->count; i++, grid += 3) {
        grid[0] = run->clips[i].count;
        grid[1] = tokens.height;
        grid[2] = tokens.width;
    }
    return NULL;
}

static am_status preprocess(am_video_run *run)
{
    pooling_settings s;
    float *out;
    AM_TRY(read_settings(run->processor, &s));
    AM_TRY(am_video_each_frame(run, process_frame));
    am_patching patching = {.patch = {s.patch, s.patch}, .merge = 1, .times = 1, .layout = AM_PATCH_PIXELS};
    am_shape shape = am_shape_of(am_video_count_frames(run), s.side * s.side, am_patch_values(&patching, 3));
    AM_TRY(am_image_give_floats(&run->outputs, "pixel_values_videos", &shape, &out));
    for (int64_t i = 0; i < run->count; i++)
        for (int64_t k = 0; k < run->clips[i].count; k++)
            out = am_patches_put(&run->clips[i].frames[k], &patching, out);
    AM_TRY(give_pooling(run, &s));
    return give_grids(run, &s);
}

/* clang-format off */
static const am_video_class classes[] = {
    {.settings = {.name = "Molmo2VideoProcessor",
     .defaults = AM_JSON({
         "size": {"height": 378, "width": 378}, "resample": 2, "image_mean": [0.5, 0.5, 0.5],
         "image_std": [0.5, 0.5, 0.5], "do_sample_frames": true, "num_frames": 64, "max_fps": 2, "patch_size": 14,
         "pooling_size": [3, 3]
     }), .standardize = standardize},
     .sample = sample, .preprocess = preprocess},
    {.settings = {0}},
};
/* clang-format on */

const am_video_family am_video_family_molmo2 = {classes};
