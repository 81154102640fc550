/* Qwen2-VL and its kin: pictures keep their shape within a budget of pixels, and become a list of patches, of all
   pictures one after another; image_grid_thw says how many. */
#include "media/images/budgets.h"
#include "media/images/patches.h"
#include "tensor/shape.h"

#include <inttypes.h>
#include <math.h>
#include <stddef.h>

typedef struct packing_settings {
    int64_t patch_size, temporal_patch_size, merge_size, patch_expand_factor;
} packing_settings;

/* Where the picture is resized to, and what is padded to at the right and bottom. */
typedef struct packing_sizes {
    am_plane_size content, padded;
} packing_sizes;

/* How a class differs. */
typedef struct packing {
    am_status (*fit)(const am_image_processor *p, const packing_settings *s, am_plane_size in, packing_sizes *out);
    am_patch_layout layout;
    bool by_rows;            /* patches come row by row, not in the order in which the model merges them */
    bool planes;             /* [patches, channels * times, patch_size, patch_size] */
    bool divides_patches;    /* without resizing, sides need only be multiples of patch_size */
    const char *merge_sizes; /* an output with merge_size for each picture */
    const am_resample *resample;
} packing;

static am_status read_settings(const am_image_processor *p, packing_settings *out)
{
    *out = (packing_settings){.temporal_patch_size = 1, .merge_size = 1, .patch_expand_factor = 1};
    AM_TRY(am_image_integer(p, "patch_size", 1, 1024, &out->patch_size));
    AM_TRY(am_image_integer(p, "temporal_patch_size", 1, 64, &out->temporal_patch_size));
    AM_TRY(am_image_integer(p, "patch_expand_factor", 1, 64, &out->patch_expand_factor));
    return am_image_integer(p, "merge_size", 1, 64, &out->merge_size);
}

/* min_pixels and max_pixels of old stand for the edges of size. */
static am_status standardize(am_image_processor *p)
{
    AM_TRY(am_image_integer(p, "min_pixels", 1, AM_IMAGE_MAX_PIXELS, &p->size.shortest_edge));
    return am_image_integer(p, "max_pixels", 1, AM_IMAGE_MAX_PIXELS, &p->size.longest_edge);
}

/* MiniMax: configurations say [672, 672] and mean the default. */
static am_status standardize_minimax(am_image_processor *p)
{
    if (am_json_kind_of(am_image_setting(p, "size")) == AM_JSON_ARRAY && p->size.height == 672 &&
        p->size.width == 672) {
        am_json size = am_json_get(am_json_root(p->defaults), "size");
        p->size = (am_image_size){.shortest_edge = am_json_int(am_json_get(size, "shortest_edge"), 0),
                                  .longest_edge = am_json_int(am_json_get(size, "longest_edge"), 0)};
    }
    return standardize(p);
}

static am_status check_edges(const am_image_processor *p)
{
    if (p->size.shortest_edge && p->size.longest_edge) return NULL;
    return am_error(AM_INVALID_FILE, "size: expected shortest_edge and longest_edge, numbers of pixels");
}

static am_status fit_qwen2_vl(const am_image_processor *p, const packing_settings *s, am_plane_size in,
                              packing_sizes *out)
{
    AM_TRY(check_edges(p));
    AM_TRY(am_image_smart_resize(in, s->patch_size * s->merge_size, p->size.shortest_edge, p->size.longest_edge,
                                 &out->content));
    out->padded = out->content;
    return NULL;
}

/* PaddleOCR-VL enlarges what is smaller than a block first. */
static am_status fit_paddleocr_vl(const am_image_processor *p, const packing_settings *s, am_plane_size in,
                                  packing_sizes *out)
{
    int64_t factor = s->patch_size * s->merge_size;
    if (in.height < factor) {
        in.width = (int64_t)nearbyint((double)(in.width * factor) / (double)in.height);
        in.height = factor;
    }
    if (in.width < factor) {
        if (in.width < 1) return am_error(AM_INVALID_ARGUMENT, "an image too narrow to be enlarged");
        in.height = (int64_t)nearbyint((double)(in.height * factor) / (double)in.width);
        in.width = factor;
    }
    return fit_qwen2_vl(p, s, in, out);
}

/* GLM: the budget is of pixels times frames, and what is smaller than a block is enlarged first. */
static am_status fit_glm4v(const am_image_processor *p, const packing_settings *s, am_plane_size in, packing_sizes *out)
{
    bool expands = p->backend == AM_IMAGE_TORCHVISION; /* PIL's form leaves patch_expand_factor out */
    am_pixel_budget budget = {.unit = s->patch_size * s->merge_size * (expands ? s->patch_expand_factor : 1),
                              .frames = s->temporal_patch_size,
                              .whole_frames = s->temporal_patch_size,
                              .least = (double)p->size.shortest_edge,
                              .most = (double)p->size.longest_edge};
    AM_TRY(check_edges(p));
    AM_TRY(am_fit_frames(in, &budget, &out->content));
    out->padded = out->content;
    return NULL;
}

/* GLM-Image: edges of size are areas, whose roots bound the sides; then half of that. */
static am_status fit_glm_image(const am_image_processor *p, const packing_settings *s, am_plane_size in,
                               packing_sizes *out)
{
    int64_t unit = s->patch_size * s->merge_size;
    double factor = (double)unit, low = (double)(in.height < in.width ? in.height : in.width),
           high = (double)(in.height < in.width ? in.width : in.height), scale = 1.0;
    AM_TRY(check_edges(p));
    if (in.height < unit || in.width < unit)
        return am_error(AM_INVALID_ARGUMENT,
                        "height:%" PRId64 " or width:%" PRId64 " must be larger than factor:%" PRId64, in.height,
                        in.width, unit);
    if (high / low > 4.0)
        return am_error(AM_INVALID_ARGUMENT, "absolute aspect ratio must be smaller than 4, got %g", high / low);
    double shortest = nearbyint(sqrt((double)p->size.shortest_edge)),
           longest = nearbyint(sqrt((double)p->size.longest_edge));
    if (low < shortest) scale = shortest / low;
    if (high * scale > longest) scale = longest / high;
    double tall = fmax(factor, nearbyint((double)(in.height / 2) * scale / factor) * factor),
           wide = fmax(factor, nearbyint((double)(in.width / 2) * scale / factor) * factor);
    if (fmax(tall, wide) > longest) {
        double beta = fmax(tall, wide) / longest;
        tall = fmax(factor, floor(tall / beta / factor) * factor);
        wide = fmax(factor, floor(wide / beta / factor) * factor);
    }
    out->content = out->padded = (am_plane_size){(int64_t)tall, (int64_t)wide};
    return NULL;
}

/* GLM-5: budgets are numbers of tokens; the picture is not stretched but padded. */
static am_status fit_glm5_next(const am_image_processor *p, const packing_settings *s, am_plane_size in,
                               packing_sizes *out)
{
    bool expands = p->backend == AM_IMAGE_TORCHVISION; /* PIL's form leaves patch_expand_factor out */
    int64_t unit = s->patch_size * s->merge_size * (expands ? s->patch_expand_factor : 1), tokens[2] = {1, 1};
    AM_TRY(am_image_integer(p, "min_image_tokens", 1, AM_IMAGE_MAX_PIXELS, &tokens[0]));
    AM_TRY(am_image_integer(p, "max_image_tokens", 1, AM_IMAGE_MAX_PIXELS, &tokens[1]));
    double per_token = (double)s->temporal_patch_size * (double)unit * (double)unit;
    am_pixel_budget budget = {.unit = unit,
                              .frames = s->temporal_patch_size,
                              .whole_frames = s->temporal_patch_size,
                              .least = (double)tokens[0] * per_token,
                              .most = (double)tokens[1] * per_token};
    return am_fit_padded(in, &budget, &out->content, &out->padded);
}

/* Kimi: never enlarged, within so many patches in all and so many along a side, then padded. */
static am_status fit_kimi_k25(const am_image_processor *p, const packing_settings *s, am_plane_size in,
                              packing_sizes *out)
{
    return am_fit_navit(p, s->patch_size, s->patch_size * s->merge_size, in, &out->content, &out->padded);
}

static am_status fit_muse_glimmer(const am_image_processor *p, const packing_settings *s, am_plane_size in,
                                  packing_sizes *out)
{
    int64_t max_tokens = 1;
    AM_TRY(am_image_integer(p, "max_image_tokens", 1, AM_IMAGE_MAX_PIXELS, &max_tokens));
    out->content = out->padded = am_fit_blocks(in, s->patch_size * s->merge_size, max_tokens);
    return NULL;
}

static am_status resize(const am_image_processor *p, const packing_settings *s, am_picture *picture)
{
    const packing *kind = p->kind->details;
    packing_sizes sizes;
    AM_TRY(kind->fit(p, s, (am_plane_size){picture->height, picture->width}, &sizes));
    am_resample resample = kind->resample ? *kind->resample : p->resample;
    AM_TRY(am_picture_resize(picture, p->backend, sizes.content, resample, true));
    am_margins padding = {.right = sizes.padded.width - sizes.content.width,
                          .bottom = sizes.padded.height - sizes.content.height};
    return am_picture_pad(picture, padding, 0.0);
}

static am_status give_grids(am_image_run *run, const packing_settings *s, int64_t *out_patches)
{
    const packing *kind = run->processor->kind->details;
    int64_t *grid, *sizes;
    am_shape shape = am_shape_of(run->count, 3), flat = am_shape_of(run->count);
    *out_patches = 0;
    AM_TRY(am_image_give_integers(run, "image_grid_thw", &shape, &grid));
    for (int64_t i = 0; i < run->count; i++, grid += 3) {
        grid[0] = 1;
        grid[1] = run->pictures[i].height / s->patch_size;
        grid[2] = run->pictures[i].width / s->patch_size;
        *out_patches += grid[1] * grid[2];
    }
    if (!kind->merge_sizes) return NULL;
    AM_TRY(am_image_give_integers(run, kind->merge_sizes, &flat, &sizes));
    for (int64_t i = 0; i < run->count; i++) sizes[i] = s->merge_size;
    return NULL;
}

static am_status give_patches(am_image_run *run, const packing_settings *s)
{
    const packing *kind = run->processor->kind->details;
    am_patching patching = {.patch = {s->patch_size, s->patch_size},
                            .merge = kind->by_rows ? 1 : s->merge_size,
                            .times = s->temporal_patch_size,
                            .layout = kind->layout};
    int64_t patches, channels = run->pictures->channels;
    am_tensor *out;
    AM_TRY(give_grids(run, s, &patches));
    am_shape shape = am_shape_of(patches, am_patch_values(&patching, channels));
    if (kind->planes) shape = am_shape_of(patches, channels * patching.times, s->patch_size, s->patch_size);
    AM_TRY(am_media_tensors_add_unset(run->out, "pixel_values", AM_F32, &shape, &out));
    float *values = out->data;
    for (int64_t i = 0; i < run->count; i++) values = am_patches_put(&run->pictures[i], &patching, values);
    return NULL;
}

static am_status preprocess(am_image_run *run)
{
    const am_image_processor *p = run->processor;
    const packing *kind = p->kind->details;
    packing_settings s;
    AM_TRY(read_settings(p, &s));
    am_plane_size patch = {s.patch_size, s.patch_size};
    for (int64_t i = 0; i < run->count; i++) {
        am_picture *picture = &run->pictures[i];
        if (p->do_resize) AM_TRY(resize(p, &s, picture));
        AM_TRY(am_patches_check(picture, patch, kind->divides_patches ? 1 : s.merge_size));
        AM_TRY(am_image_rescale_and_normalize(p, picture));
        AM_TRY(am_picture_to_floats(picture));
    }
    return give_patches(run, &s);
}

static am_status count_patches(const am_image_processor *p, am_plane_size in, am_image_patch_count *out)
{
    const packing *kind = p->kind->details;
    packing_settings s;
    packing_sizes sizes;
    AM_TRY(read_settings(p, &s));
    AM_TRY(kind->fit(p, &s, in, &sizes));
    out->rows = sizes.padded.height / s.patch_size;
    out->columns = sizes.padded.width / s.patch_size;
    out->count = out->rows * out->columns;
    return NULL;
}

static const am_resample bicubic = AM_RESAMPLE_BICUBIC;
static const packing qwen2_vl = {.fit = fit_qwen2_vl};
static const packing video_llama_3 = {.fit = fit_qwen2_vl, .merge_sizes = "image_merge_sizes"};
static const packing hunyuan_vl = {.fit = fit_qwen2_vl, .by_rows = true, .resample = &bicubic};
static const packing paddleocr_vl = {.fit = fit_paddleocr_vl, .by_rows = true, .planes = true, .divides_patches = true};
static const packing cosmos3_edge = {.fit = fit_glm4v, .layout = AM_PATCH_PIXELS};
static const packing glm4v = {.fit = fit_glm4v};
static const packing glm_image = {.fit = fit_glm_image};
static const packing glm5_next = {.fit = fit_glm5_next};
static const packing kimi_k25 = {.fit = fit_kimi_k25, .by_rows = true, .planes = true, .divides_patches = true};
static const packing muse_glimmer = {
    .fit = fit_muse_glimmer, .layout = AM_PATCH_TIME_CHANNEL, .by_rows = true, .divides_patches = true};

/* clang-format off */
static const am_image_class classes[] = {
    {.name = "CohereCompassImageProcessor",
     .defaults = AM_JSON({
         "do_convert_rgb": true, "do_resize": true, "size": {"shortest_edge": 3136, "longest_edge": 1003520},
         "default_to_square": false, "resample": 3, "do_rescale": true, "do_normalize": true,
         "image_mean": [0.48145466, 0.4578275, 0.40821073], "image_std": [0.26862954, 0.26130258, 0.27577711],
         "merge_size": 2, "patch_size": 14, "temporal_patch_size": 2
     }), .preprocess = preprocess, .count_patches = count_patches,
     .details = &qwen2_vl, .standardize = standardize},
    {.name = "Cosmos3EdgeImageProcessor",
     .defaults = AM_JSON({
         "do_convert_rgb": true, "do_resize": true, "size": {"shortest_edge": 65536, "longest_edge": 16777216},
         "default_to_square": false, "resample": 3, "do_rescale": true, "do_normalize": true,
         "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5], "merge_size": 2, "patch_size": 16,
         "temporal_patch_size": 1
     }), .preprocess = preprocess, .count_patches = count_patches,
     .details = &cosmos3_edge},
    {.name = "Ernie4_5_VLMoeImageProcessor",
     .defaults = AM_JSON({
         "do_convert_rgb": true, "do_resize": true, "size": {"shortest_edge": 3136, "longest_edge": 4842768},
         "default_to_square": false, "resample": 3, "do_rescale": true, "do_normalize": true,
         "image_mean": [0.48145466, 0.4578275, 0.40821073], "image_std": [0.26862954, 0.26130258, 0.27577711],
         "merge_size": 2, "patch_size": 14, "temporal_patch_size": 1
     }), .preprocess = preprocess, .count_patches = count_patches,
     .details = &qwen2_vl},
    {.name = "Ernie4_5_VL_MoeImageProcessor",
     .defaults = AM_JSON({
         "do_convert_rgb": true, "do_resize": true, "size": {"shortest_edge": 3136, "longest_edge": 4842768},
         "default_to_square": false, "resample": 3, "do_rescale": true, "do_normalize": true,
         "image_mean": [0.48145466, 0.4578275, 0.40821073], "image_std": [0.26862954, 0.26130258, 0.27577711],
         "merge_size": 2, "patch_size": 14, "temporal_patch_size": 1
     }), .preprocess = preprocess, .count_patches = count_patches,
     .details = &qwen2_vl},
    {.name = "Glm46VImageProcessor",
     .defaults = AM_JSON({
         "do_convert_rgb": true, "do_resize": true, "size": {"shortest_edge": 12544, "longest_edge": 11760000},
         "default_to_square": false, "resample": 3, "do_rescale": true, "do_normalize": true,
         "image_mean": [0.48145466, 0.4578275, 0.40821073], "image_std": [0.26862954, 0.26130258, 0.27577711],
         "merge_size": 2, "patch_size": 14, "temporal_patch_size": 2
     }), .preprocess = preprocess, .count_patches = count_patches,
     .details = &glm4v},
    {.name = "Glm4vImageProcessor",
     .defaults = AM_JSON({
         "do_convert_rgb": true, "do_resize": true, "size": {"shortest_edge": 12544, "longest_edge": 11760000},
         "default_to_square": false, "resample": 3, "do_rescale": true, "do_normalize": true,
         "image_mean": [0.48145466, 0.4578275, 0.40821073], "image_std": [0.26862954, 0.26130258, 0.27577711],
         "merge_size": 2, "patch_size": 14, "temporal_patch_size": 2
     }), .preprocess = preprocess, .count_patches = count_patches,
     .details = &glm4v},
    {.name = "Glm5NextImageProcessor",
     .defaults = AM_JSON({
         "do_convert_rgb": true, "do_resize": true, "size": {"longest_edge": 1}, "default_to_square": false,
         "resample": 3, "do_rescale": true, "do_normalize": true, "image_mean": [0.48145466, 0.4578275, 0.40821073],
         "image_std": [0.26862954, 0.26130258, 0.27577711], "max_image_tokens": 8000, "merge_size": 2,
         "min_image_tokens": 16, "patch_expand_factor": 1, "patch_size": 14, "temporal_patch_size": 2
     }), .preprocess = preprocess, .count_patches = count_patches,
     .details = &glm5_next},
    {.name = "GlmImageImageProcessor",
     .defaults = AM_JSON({
         "do_convert_rgb": true, "do_resize": true, "size": {"shortest_edge": 3136, "longest_edge": 1003520},
         "default_to_square": false, "resample": 3, "do_rescale": true, "do_normalize": true,
         "image_mean": [0.48145466, 0.4578275, 0.40821073], "image_std": [0.26862954, 0.26130258, 0.27577711],
         "merge_size": 2, "patch_size": 14, "temporal_patch_size": 2
     }), .preprocess = preprocess, .count_patches = count_patches,
     .details = &glm_image, .standardize = standardize},
    {.name = "GlmgaImageProcessor",
     .defaults = AM_JSON({
         "do_convert_rgb": true, "do_resize": true, "size": {"shortest_edge": 12544, "longest_edge": 11760000},
         "default_to_square": false, "resample": 3, "do_rescale": true, "do_normalize": true,
         "image_mean": [0.48145466, 0.4578275, 0.40821073], "image_std": [0.26862954, 0.26130258, 0.27577711],
         "merge_size": 2, "patch_expand_factor": 1, "patch_size": 14, "temporal_patch_size": 2
     }), .preprocess = preprocess, .count_patches = count_patches,
     .details = &glm4v},
    {.name = "HunYuanVLImageProcessor",
     .defaults = AM_JSON({
         "do_convert_rgb": true, "do_resize": true, "size": {"shortest_edge": 262144, "longest_edge": 4194304},
         "default_to_square": false, "resample": 3, "do_rescale": true, "do_normalize": true,
         "image_mean": [0.48145466, 0.4578275, 0.40821073], "image_std": [0.26862954, 0.26130258, 0.27577711],
         "merge_size": 2, "patch_size": 16, "temporal_patch_size": 1
     }), .preprocess = preprocess, .count_patches = count_patches,
     .details = &hunyuan_vl, .standardize = standardize},
    {.name = "Kimi_K25ImageProcessor",
     .defaults = AM_JSON({
         "do_convert_rgb": true, "do_resize": true, "size": {"max_height": 512, "max_width": 512}, "resample": 3,
         "do_rescale": true, "do_normalize": true, "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5],
         "max_patches": 16384, "merge_size": 2, "patch_size": 14
     }), .preprocess = preprocess, .count_patches = count_patches,
     .details = &kimi_k25},
    {.name = "MiniMaxM3VLImageProcessor",
     .defaults = AM_JSON({
         "do_convert_rgb": true, "do_resize": true, "size": {"shortest_edge": 3136, "longest_edge": 451584},
         "default_to_square": false, "resample": 3, "do_rescale": true, "do_normalize": true,
         "image_mean": [0.48145466, 0.4578275, 0.40821073], "image_std": [0.26862954, 0.26130258, 0.27577711],
         "merge_size": 2, "patch_size": 14, "temporal_patch_size": 2
     }), .preprocess = preprocess, .count_patches = count_patches,
     .details = &qwen2_vl, .standardize = standardize_minimax},
    {.name = "MuseGlimmerImageProcessor",
     .defaults = AM_JSON({
         "do_convert_rgb": true, "do_resize": true, "default_to_square": false, "resample": 1, "do_rescale": true,
         "do_normalize": true, "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5], "max_image_tokens": 4096,
         "merge_size": 2, "patch_size": 14, "temporal_patch_size": 2
     }), .preprocess = preprocess, .count_patches = count_patches,
     .details = &muse_glimmer},
    {.name = "PaddleOCRVLImageProcessor",
     .defaults = AM_JSON({
         "do_convert_rgb": true, "do_resize": true, "size": {"shortest_edge": 147456, "longest_edge": 2359296},
         "default_to_square": false, "resample": 3, "do_rescale": true, "do_normalize": true,
         "image_mean": [0.48145466, 0.4578275, 0.40821073], "image_std": [0.26862954, 0.26130258, 0.27577711],
         "merge_size": 2, "patch_size": 14, "temporal_patch_size": 1
     }), .preprocess = preprocess, .count_patches = count_patches,
     .details = &paddleocr_vl, .standardize = standardize},
    {.name = "Qwen2VLImageProcessor",
     .defaults = AM_JSON({
         "do_convert_rgb": true, "do_resize": true, "size": {"shortest_edge": 3136, "longest_edge": 1003520},
         "default_to_square": false, "resample": 3, "do_rescale": true, "do_normalize": true,
         "image_mean": [0.48145466, 0.4578275, 0.40821073], "image_std": [0.26862954, 0.26130258, 0.27577711],
         "merge_size": 2, "patch_size": 14, "temporal_patch_size": 2
     }), .preprocess = preprocess, .count_patches = count_patches,
     .details = &qwen2_vl, .standardize = standardize},
    {.name = "VideoLlama3ImageProcessor",
     .defaults = AM_JSON({
         "do_convert_rgb": true, "do_resize": true, "size": {"shortest_edge": 3136, "longest_edge": 1003520},
         "default_to_square": false, "resample": 3, "do_rescale": true, "do_normalize": true,
         "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5], "merge_size": 1, "patch_size": 14,
         "temporal_patch_size": 1
     }), .preprocess = preprocess, .count_patches = count_patches,
     .details = &video_llama_3, .standardize = standardize},
    {0},
};
/* clang-format on */

const am_image_family am_image_family_qwen2_vl = {classes};
