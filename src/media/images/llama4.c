/* Llama 4: the picture inside the best of the supported resolutions, cut into tiles, and the whole as one more; values
   are bfloat16, rounded after each step. Scales are float32 where torch's are. */
#include "media/images/tiles.h"
#include "tensor/dtype.h"
#include "tensor/shape.h"

#include <math.h>
#include <stddef.h>

typedef struct llama4_settings {
    int64_t max_patches, side;
    bool to_max_canvas;
} llama4_settings;

static am_status read_settings(const am_image_processor *p, llama4_settings *out)
{
    *out = (llama4_settings){.max_patches = 16, .side = p->size.height};
    AM_TRY(am_image_integer(p, "max_patches", 1, 1024, &out->max_patches));
    AM_TRY(am_image_flag(p, "resize_to_max_canvas", &out->to_max_canvas));
    if (!p->do_resize) return am_error(AM_INVALID_FILE, "do_resize: Llama 4 always resizes");
    if (p->size.height && p->size.height == p->size.width) return NULL;
    return am_error(AM_INVALID_FILE, "size: expected height and width that are the same");
}

static bool is_better(float scale, float best, bool to_max)
{
    if (scale < 1.0f) return best < 1.0f && scale > best;
    return best < 1.0f || (to_max ? scale > best : scale < best);
}

/* get_best_fit, as rows and columns of tiles. */
static am_plane_size best_grid(am_plane_size in, const llama4_settings *s)
{
    am_plane_size best = {0};
    float best_scale = 0.0f;
    for (int64_t rows = 1; rows <= s->max_patches; rows++) {
        for (int64_t columns = 1; rows * columns <= s->max_patches; columns++) {
            float tall = (float)(rows * s->side) / (float)in.height,
                  wide = (float)(columns * s->side) / (float)in.width, scale = tall > wide ? wide : tall;
            bool smaller = scale == best_scale && rows * columns < best.height * best.width;
            if (best.height && !is_better(scale, best_scale, s->to_max_canvas) && !smaller) continue;
            best_scale = scale;
            best = (am_plane_size){rows, columns};
        }
    }
    return best;
}

/* A side of the canvas, bounded by what the picture may grow to. */
typedef struct bound {
    int64_t side;
    bool is_tensor; /* torch's, so that quotients of it are float32 */
} bound;

static bound bound_of(int64_t in, int64_t canvas, const llama4_settings *s)
{
    int64_t most = in > s->side ? in : s->side;
    if (s->to_max_canvas || canvas < most) return (bound){canvas, true};
    return (bound){most, false};
}

static double scale_of(bound target, int64_t in)
{
    return target.is_tensor ? (double)((float)target.side / (float)in) : (double)target.side / (double)in;
}

static int64_t scaled(int64_t in, double scale, bool is_tensor, int64_t most)
{
    double side = floor(is_tensor ? (double)((float)in * (float)scale) : (double)in * scale);
    return (int64_t)fmax(1.0, fmin(side, (double)most));
}

/* get_max_res_without_distortion */
static am_plane_size fit(am_plane_size in, am_plane_size canvas, const llama4_settings *s)
{
    bound height = bound_of(in.height, canvas.height, s), width = bound_of(in.width, canvas.width, s);
    double tall = scale_of(height, in.height), wide = scale_of(width, in.width);
    bool single = height.is_tensor || width.is_tensor;
    if (single ? (float)wide < (float)tall : wide < tall)
        return (am_plane_size){scaled(in.height, wide, width.is_tensor, height.side), width.side};
    return (am_plane_size){height.side, scaled(in.width, tall, height.is_tensor, width.side)};
}

static float round_bf16(float value)
{
    return am_bf16_to_f32(am_f32_to_bf16(value));
}

static am_status rescale_and_normalize(const am_image_processor *p, am_picture *picture)
{
    if (!p->do_rescale) {
        if (p->do_normalize) return am_error(AM_INVALID_ARGUMENT, "bytes cannot be normalized: do_rescale is false");
        return am_picture_to_floats(picture);
    }
    AM_TRY(am_picture_rescale(picture, p->backend, p->rescale_factor));
    int64_t plane = picture->height * picture->width;
    for (int64_t i = 0; p->do_normalize && i < picture->channels * plane; i++) {
        float mean = round_bf16((float)p->image_mean[i / plane]), std = round_bf16((float)p->image_std[i / plane]);
        picture->floats[i] = round_bf16(round_bf16(round_bf16(picture->floats[i]) - mean) / std);
    }
    return NULL;
}

static am_status cut(am_image_run *run, int64_t image, am_tiled *out)
{
    const am_image_processor *p = run->processor;
    am_picture *picture = &run->pictures[image];
    am_plane_size in = {picture->height, picture->width};
    llama4_settings s;
    am_tiles whole = {0};
    int64_t first = out->tiles.count;
    AM_TRY(read_settings(p, &s));
    am_plane_size grid = best_grid(in, &s), canvas = {grid.height * s.side, grid.width * s.side},
                  tile = {s.side, s.side};
    out->grids[2 * image] = grid.height;
    out->grids[2 * image + 1] = grid.width;
    am_status status = am_tiles_add_resized(&whole, p, picture, fit(in, canvas, &s));
    am_margins padding = {0};
    if (!status) padding.right = canvas.width - whole.items->width;
    if (!status) padding.bottom = canvas.height - whole.items->height;
    if (!status) status = am_picture_pad(whole.items, padding, 0.0);
    if (!status) status = am_tiles_cut(&out->tiles, whole.items, tile);
    am_tiles_deinit(&whole);
    if (!status && grid.height * grid.width > 1) status = am_tiles_add_resized(&out->tiles, p, picture, tile);
    for (int64_t i = first; i < out->tiles.count && !status; i++)
        status = rescale_and_normalize(p, &out->tiles.items[i]);
    return status;
}

static am_status give(am_image_run *run, am_tiled *tiled)
{
    const am_image_processor *p = run->processor;
    am_dtype dtype = p->do_rescale && p->do_normalize ? AM_BF16 : AM_F32;
    int64_t side = p->size.height, size = 3 * side * side;
    am_shape shape = am_shape_of(tiled->tiles.count, 3, side, side);
    am_tensor *out;
    AM_TRY(am_media_tensors_add(run->out, "pixel_values", dtype, &shape, &out));
    for (int64_t i = 0; i < tiled->tiles.count * size; i++)
        am_store_real(dtype, out->data, i, (double)tiled->tiles.items[i / size].floats[i % size]);
    return am_image_give_numbers(run, "aspect_ratios", run->count, 2, tiled->grids);
}

static am_status preprocess(am_image_run *run)
{
    return am_tiled_run(run, cut, give);
}

static am_status count_patches(const am_image_processor *p, am_plane_size in, am_image_patch_count *out)
{
    llama4_settings s;
    AM_TRY(read_settings(p, &s));
    am_plane_size grid = best_grid(in, &s);
    *out = (am_image_patch_count){.count = grid.height * grid.width, .rows = grid.height, .columns = grid.width};
    if (out->count > 1) out->count++;
    return NULL;
}

/* clang-format off */
static const am_image_class classes[] = {
    {.name = "Llama4ImageProcessor",
     .defaults = AM_JSON({
         "do_convert_rgb": true, "do_resize": true, "size": {"height": 336, "width": 336}, "resample": 2,
         "do_rescale": true, "do_normalize": true, "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5],
         "max_patches": 16, "resize_to_max_canvas": false
     }), .preprocess = preprocess, .count_patches = count_patches},
    {0},
};
/* clang-format on */

const am_image_family am_image_family_llama4 = {classes};
