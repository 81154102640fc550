/* MiniCPM-V 4.6 and MiniCPM-OCR: each frame is sliced as a picture of its own; with stack_frames the frames between
   whole seconds are put together, those of a second in one picture. */
#include "media/images/slicing.h"
#include "media/videos/processor.h"
#include "tensor/shape.h"

#include <inttypes.h>
#include <math.h>
#include <stddef.h>

typedef struct stacking {
    int64_t most, stack; /* max_num_frames, stack_frames */
} stacking;

static am_status read_stacking(const am_image_processor *p, stacking *out)
{
    *out = (stacking){.most = 128, .stack = 1};
    AM_TRY(am_image_integer(p, "max_num_frames", 1, 1 << 20, &out->most));
    return am_image_integer(p, "stack_frames", 1, 1 << 10, &out->stack);
}

/* --- sampling --- */

static am_status add_up_to(am_frame_list *out, double frame, int64_t last)
{
    return am_frame_list_add(out, frame < (double)last ? (int64_t)frame : last);
}

/* Appends `from` to `out`. */
static am_status append(am_frame_list *out, const am_frame_list *from)
{
    for (int64_t i = 0; i < from->count; i++) AM_TRY(am_frame_list_add(out, from->items[i]));
    return NULL;
}

/* One frame a second, or of long videos max_num_frames of those at tenths of seconds. */
static am_status sample_seconds(const am_video_sampling *in, const stacking *s, am_frame_list *out)
{
    bool is_long = in->duration > (double)s->most;
    double count = is_long ? trunc(in->duration / 0.1) : ceil(in->duration);
    for (double i = 0.0; i < count && is_long; i++) AM_TRY(add_up_to(out, trunc(i / 10.0 * in->fps), in->total - 1));
    for (double i = 0.0; i < count && !is_long; i++) AM_TRY(am_frame_list_add(out, (int64_t)(i * in->fps)));
    return is_long && out->count > s->most ? am_frames_thin(out, s->most) : NULL;
}

/* The moments between whole seconds at which frames are stacked, in parts of a second: second * stack + part. */
static am_status list_moments(double duration, const stacking *s, am_frame_list *out)
{
    for (int64_t second = 0; second < (int64_t)ceil(duration) && s->stack > 1; second++) {
        for (int64_t part = 1; part < s->stack; part++)
            if ((double)second + (double)part / (double)s->stack < duration)
                AM_TRY(am_frame_list_add(out, second * s->stack + part));
    }
    int64_t most = s->most * (s->stack - 1);
    return out->count > most ? am_frames_thin(out, most) : NULL;
}

static am_status sample_moments(const am_video_sampling *in, const stacking *s, am_frame_list *out)
{
    am_frame_list moments = {0};
    am_status status = list_moments(in->duration, s, &moments);
    for (int64_t i = 0; i < moments.count && !status; i++) {
        double second = (double)(moments.items[i] / s->stack),
               part = (double)(moments.items[i] % s->stack) / (double)s->stack;
        moments.items[i] = (int64_t)fmin(trunc((second + part) * in->fps), (double)(in->total - 1));
    }
    if (!status) status = append(out, &moments);
    am_frame_list_deinit(&moments);
    return status;
}

static am_status sample(const am_image_processor *p, const am_video_sampling *in, am_frame_list *out)
{
    stacking s;
    if (in->fps == 0.0 || in->duration == 0.0)
        return am_error(AM_INVALID_ARGUMENT, "fps and duration of a video must be known to sample frames of it");
    AM_TRY(read_stacking(p, &s));
    AM_TRY(sample_seconds(in, &s, out));
    return sample_moments(in, &s, out);
}

/* --- stacking --- */

enum { LINE = 6 }; /* pixels between stacked frames */

static am_plane_size canvas_of(const am_picture *frame, am_plane_size grid)
{
    return (am_plane_size){grid.height * frame->height + (grid.height - 1) * LINE,
                           grid.width * frame->width + (grid.width - 1) * LINE};
}

static double squareness(const am_picture *frame, am_plane_size grid)
{
    am_plane_size canvas = canvas_of(frame, grid);
    return fabs((double)canvas.width / (double)canvas.height - 1.0);
}

/* How frames are laid out: 2 and 3 in a row or a column, whichever is nearer to a square. */
static am_plane_size layout_of(const am_picture *frame, int64_t count)
{
    am_plane_size row = {1, count}, column = {count, 1};
    if (count == 4) return (am_plane_size){2, 2};
    if (count != 2 && count != 3) return row;
    double as_row = squareness(frame, row), as_column = squareness(frame, column);
    if (count == 2 && as_row == as_column) return frame->width >= frame->height ? row : column;
    return as_row <= as_column ? row : column;
}

static void draw(const am_picture *frame, int64_t top, int64_t left, am_picture *canvas)
{
    for (int64_t c = 0; c < frame->channels; c++)
        for (int64_t y = 0; y < frame->height; y++)
            for (int64_t x = 0; x < frame->width; x++)
                canvas->bytes[(c * canvas->height + top + y) * canvas->width + left + x] =
                    frame->bytes[(c * frame->height + y) * frame->width + x];
}

/* concat_frames_as_image */
static am_status stack(const am_picture *frames, int64_t count, am_picture *out)
{
    if (count < 1) return am_error(AM_INVALID_ARGUMENT, "a second of the video has no frames to stack");
    am_plane_size grid = layout_of(frames, count), canvas = canvas_of(frames, grid);
    AM_TRY(am_picture_create(frames->channels, canvas.height, canvas.width, false, out));
    for (int64_t i = 0; i < count; i++)
        draw(&frames[i], i / grid.width * (frames->height + LINE), i % grid.width * (frames->width + LINE), out);
    return NULL;
}

/* --- units: frames and stacked frames --- */

typedef struct units {
    am_slicing slicing;
    am_tiles tiles;        /* of all units */
    am_frame_list grids;   /* rows and columns of each unit, one after another */
    am_frame_list patches; /* tiles of each unit */
} units;

static am_status add_whole(const am_image_processor *p, const am_picture *picture, int64_t patch, am_tiles *out)
{
    if (picture->height < patch || picture->width < patch)
        return am_error(AM_INVALID_ARGUMENT,
                        "a frame of %" PRId64 "x%" PRId64 " pixels (height, width) has no patch of %" PRId64,
                        picture->height, picture->width, patch);
    AM_TRY(am_tiles_add_resized(out, p, picture, (am_plane_size){picture->height, picture->width}));
    AM_TRY(am_image_rescale_and_normalize(p, &out->items[out->count - 1]));
    return am_picture_to_floats(&out->items[out->count - 1]);
}

static am_status add_unit(const am_image_processor *p, const am_picture *picture, units *out)
{
    am_plane_size grid = {0};
    int64_t first = out->tiles.count;
    AM_TRY(p->do_resize ? am_slicing_cut(p, &out->slicing, picture, &out->tiles, &grid)
                        : add_whole(p, picture, out->slicing.patch, &out->tiles));
    AM_TRY(am_frame_list_add(&out->grids, grid.height));
    AM_TRY(am_frame_list_add(&out->grids, grid.width));
    return am_frame_list_add(&out->patches, out->tiles.count - first);
}

/* Stacks frames [first, end) of a clip, which are cut where it ends. */
static am_status add_stacked(const am_image_processor *p, const am_clip *clip, int64_t first, int64_t end, units *out)
{
    am_picture stacked = {0};
    if (end > clip->count) end = clip->count;
    am_status status = stack(&clip->frames[first < clip->count ? first : 0], end - first, &stacked);
    if (!status) status = add_unit(p, &stacked, out);
    am_picture_deinit(&stacked);
    return status;
}

/* The main frames of a clip, each followed by what is stacked of its second; stacked frames come last in the clip. */
static am_status add_clip(const am_image_processor *p, const am_clip *clip, const stacking *s,
                          const am_frame_list *moments, units *out)
{
    int64_t main_frames = clip->count > moments->count ? clip->count - moments->count : 0, at = 0;
    for (int64_t i = 0; i < main_frames; i++) {
        int64_t first = at;
        AM_TRY(add_unit(p, &clip->frames[i], out));
        while (at < moments->count && moments->items[at] < (i + 1) * s->stack) at++;
        if (at > first) AM_TRY(add_stacked(p, clip, main_frames + first, main_frames + at, out));
    }
    return NULL;
}

static am_status cut_clip(const am_image_processor *p, const am_clip *clip, units *out)
{
    am_frame_list moments = {0};
    stacking s;
    AM_TRY(read_stacking(p, &s));
    if (s.stack > 1 && clip->duration == 0.0)
        return am_error(AM_INVALID_ARGUMENT, "stack_frames: the duration of a video must be known");
    am_status status = s.stack > 1 ? list_moments(clip->duration, &s, &moments) : NULL;
    if (!status) status = add_clip(p, clip, &s, &moments, out);
    am_frame_list_deinit(&moments);
    return status;
}

/* --- outputs --- */

static am_status give_small(am_video_run *run, const char *name, const am_frame_list *list, int64_t columns)
{
    am_tensor *tensor;
    am_shape shape = columns == 1 ? am_shape_of(list->count) : am_shape_of(list->count / columns, columns);
    AM_TRY(am_media_tensors_add(run->outputs.out, name, AM_I32, &shape, &tensor));
    for (int64_t i = 0; i < list->count; i++) ((int32_t *)tensor->data)[i] = (int32_t)list->items[i];
    return NULL;
}

static am_status give(am_video_run *run, units *u)
{
    AM_TRY(am_slicing_read(run->processor, &u->slicing));
    am_shape flat = am_shape_of(run->count);
    int64_t *frames;
    AM_TRY(am_image_give_integers(&run->outputs, "num_frames_per_video", &flat, &frames));
    for (int64_t i = 0; i < run->count; i++) {
        int64_t before = u->patches.count;
        AM_TRY(am_note(cut_clip(run->processor, &run->clips[i], u), "video %" PRId64, i));
        frames[i] = u->patches.count - before;
    }
    if (!u->tiles.count) return am_error(AM_INVALID_ARGUMENT, "no frame is left beside those that are stacked");
    AM_TRY(am_slicing_give(&run->outputs, &u->tiles, &u->slicing, "pixel_values_videos", "target_sizes_videos"));
    AM_TRY(give_small(run, "grids_videos", &u->grids, 2));
    return give_small(run, "num_patches_per_frame", &u->patches, 1);
}

static am_status preprocess(am_video_run *run)
{
    units u = {0};
    if (!run->processor->do_rescale && !run->processor->do_normalize)
        return am_error(AM_INVALID_ARGUMENT, "expected do_rescale or do_normalize: patches are made of floats only");
    am_status status = give(run, &u);
    am_tiles_deinit(&u.tiles);
    am_frame_list_deinit(&u.grids);
    am_frame_list_deinit(&u.patches);
    return status;
}

/* clang-format off */
static const am_video_class classes[] = {
    {.settings = {.name = "MiniCPMOcrVideoProcessor",
     .defaults = AM_JSON({
         "do_convert_rgb": true, "do_resize": true, "resample": 3, "do_rescale": true, "do_normalize": true,
         "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5], "do_sample_frames": true,
         "downsample_mode": "4x", "max_num_frames": 128, "max_slice_nums": 9, "patch_size": 14,
         "scale_resolution": 448, "slice_mode": true, "stack_frames": 1
     })},
     .sample = sample, .preprocess = preprocess},
    {.settings = {.name = "MiniCPMV4_6VideoProcessor",
     .defaults = AM_JSON({
         "do_convert_rgb": true, "do_resize": true, "resample": 3, "do_rescale": true, "do_normalize": true,
         "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5], "do_sample_frames": true,
         "downsample_mode": "16x", "max_num_frames": 128, "max_slice_nums": 9, "patch_size": 14,
         "scale_resolution": 448, "slice_mode": true, "stack_frames": 1
     })},
     .sample = sample, .preprocess = preprocess},
    {.settings = {0}},
};
/* clang-format on */

const am_video_family am_video_family_minicpm = {classes};
