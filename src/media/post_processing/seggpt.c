/* SegGPT paints its answer: the class of each pixel is the one whose colour in a palette is nearest. */
#include "media/post_processing/segmentation.h"

#include "tensor/dtype.h"
#include "tensor/shape.h"

#include <math.h>
#include <string.h>

enum { MOST_LABELS = 1 << 16 };

/* build_palette: colours of the classes after the background, which is black; out: [labels + 1, 3]. */
static void make_palette(int64_t labels, float *out)
{
    int64_t base = (int64_t)pow((double)labels, 1.0 / 3.0) + 1, margin = 256 / base;
    for (int channel = 0; channel < 3; channel++) out[channel] = 0.0f;
    for (int64_t i = 0; i < labels; i++) {
        out[3 * i + 3] = (float)(255 - i / (base * base) * margin);
        out[3 * i + 4] = (float)(255 - i % (base * base) / base * margin);
        out[3 * i + 5] = (float)(255 - i % base * margin);
    }
}

/* The lower half of an image's picture, after the prompt's, in grey levels: [3, height, width]. */
static am_status unnormalize(const am_post_run *run, const am_tensor *masks, int64_t image, float **out)
{
    const int64_t *dims = masks->shape.dims;
    double mean[3] = {0}, std[3] = {1, 1, 1};
    int64_t plane = (dims[2] - dims[2] / 2) * dims[3];
    AM_TRY(am_image_channels(run->processor, "image_mean", mean));
    AM_TRY(am_image_channels(run->processor, "image_std", std));
    AM_TRY(am_post_float_array(run, 3, plane, out));
    for (int channel = 0; channel < 3; channel++) {
        const float *from = am_post_floats(masks) + ((image * 3 + channel) * dims[2] + dims[2] / 2) * dims[3];
        for (int64_t i = 0; i < plane; i++) {
            float level = (from[i] * (float)std[channel] + (float)mean[channel]) * 255.0f;
            (*out)[channel * plane + i] = level < 0.0f ? 0.0f : level > 255.0f ? 255.0f : level;
        }
    }
    return NULL;
}

/* How far from each of the palette's colours: minus the squared distance, [colors, plane]. */
static am_status score_colors(const am_post_run *run, const float *levels, int64_t plane, int64_t colors, float **out)
{
    float *palette;
    AM_TRY(am_post_float_array(run, colors, 3, &palette));
    AM_TRY(am_post_float_array(run, colors, plane, out));
    make_palette(colors - 1, palette);
    for (int64_t i = 0; i < colors * plane; i++) {
        float sum = 0.0f;
        for (int64_t channel = 0; channel < 3; channel++) {
            float difference = levels[channel * plane + i % plane] - palette[3 * (i / plane) + channel];
            sum += difference * difference;
        }
        (*out)[i] = -sum;
    }
    return NULL;
}

/* The answer without a palette: mean grey levels, i32. */
static am_status give_levels(am_post_run *run, int64_t image, const float *levels, am_plane_size size)
{
    am_post_item *item;
    am_tensor *map;
    bool with_scores;
    int64_t plane = size.height * size.width;
    am_shape shape = am_shape_of(size.height, size.width);
    AM_TRY(am_post_flag(run, "return_segmentation_scores", false, &with_scores));
    AM_TRY(am_post_add(run, image, &item));
    AM_TRY(am_post_add_field(run, item, "segmentation", AM_I32, &shape, &map));
    for (int64_t i = 0; i < plane; i++) {
        float mean = (levels[i] + levels[plane + i] + levels[2 * plane + i]) / 3.0f;
        ((int32_t *)map->data)[i] = (int32_t)am_load_int(AM_F32, &mean, 0);
    }
    if (with_scores) am_post_add_none(item, "segmentation_scores");
    run->results->is_bare = !with_scores;
    return NULL;
}

static am_status find_painted(const am_post_run *run, const am_tensor **out)
{
    AM_TRY(am_post_tensor(run, "pred_masks", 4, out));
    AM_TRY(am_post_check(*out, "pred_masks", 1, 3));
    if ((*out)->shape.dims[2] > 0 && (*out)->shape.dims[3] > 0) return NULL;
    return am_error(AM_INVALID_ARGUMENT, "pred_masks: expected pixels");
}

static am_status segment(am_post_run *run)
{
    const am_tensor *masks;
    am_plane_size *sizes;
    int64_t labels;
    AM_TRY(find_painted(run, &masks));
    const int64_t *dims = masks->shape.dims;
    AM_TRY(am_post_sizes(run, "target_sizes", dims[0], &sizes));
    AM_TRY(am_post_integer(run, "num_labels", 0, -1, &labels));
    if (labels > MOST_LABELS) return am_error(AM_INVALID_ARGUMENT, "num_labels: expected at most %d", MOST_LABELS);
    for (int64_t b = 0; b < dims[0]; b++) {
        am_plane_size size = {dims[2] - dims[2] / 2, dims[3]};
        float *levels, *scores;
        AM_TRY(unnormalize(run, masks, b, &levels));
        if (sizes) AM_TRY(am_post_resized(run, levels, 3, size, sizes[b], AM_POST_NEAREST, &levels));
        if (sizes) size = sizes[b];
        if (labels < 0) {
            AM_TRY(give_levels(run, b, levels, size));
            continue;
        }
        AM_TRY(score_colors(run, levels, size.height * size.width, labels + 1, &scores));
        AM_TRY(am_post_give_semantic(run, b, scores, labels + 1, size));
    }
    return NULL;
}

/* clang-format off */
static const am_post_method methods[] = {
    {"post_process_semantic_segmentation", "SegGpt", segment, NULL},
    {0},
};
/* clang-format on */

const am_post_family am_post_family_seggpt = {methods};
