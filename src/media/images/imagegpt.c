/* ImageGPT: every pixel is the number of the nearest of the colours in `clusters`. */
#include "media/images/processor.h"

#include "tensor/shape.h"

#include <inttypes.h>
#include <stddef.h>

enum { CLUSTER_LIMIT = 4096 };

typedef struct palette {
    float colors[CLUSTER_LIMIT][3], squares[CLUSTER_LIMIT];
    int count;
} palette;

static am_status read_clusters(const am_image_processor *p, palette *out)
{
    am_json clusters = am_image_setting(p, "clusters");
    if (!am_json_count(clusters)) return am_error(AM_INVALID_FILE, "clusters: expected colours for do_color_quantize");
    if (am_json_count(clusters) > CLUSTER_LIMIT)
        return am_error(AM_UNSUPPORTED, "clusters: %zu colours; at most %d", am_json_count(clusters), CLUSTER_LIMIT);
    for (am_json_iterator i = am_json_iterate(clusters); am_json_next(&i); out->count++) {
        int c = 0;
        if (am_json_count(i.value) != 3)
            return am_error(AM_INVALID_FILE, "clusters[%d]: expected 3 numbers, found %zu", out->count,
                            am_json_count(i.value));
        for (am_json_iterator k = am_json_iterate(i.value); am_json_next(&k); c++)
            out->colors[out->count][c] = (float)am_json_real(k.value, 0.0);
        const float *color = out->colors[out->count];
        out->squares[out->count] = color[0] * color[0] + color[1] * color[1] + color[2] * color[2];
    }
    return NULL;
}

/* |a|^2 - 2 a b + |b|^2, the first of equals. */
static int64_t nearest(const palette *colors, float red, float green, float blue)
{
    float least = 0.0f, square = red * red + green * green + blue * blue;
    int64_t found = 0;
    for (int i = 0; i < colors->count; i++) {
        const float *color = colors->colors[i];
        float product = red * color[0] + green * color[1] + blue * color[2],
              distance = square - 2.0f * product + colors->squares[i];
        if (i && !(distance < least)) continue;
        least = distance;
        found = i;
    }
    return found;
}

static am_status quantize(am_image_run *run)
{
    static const palette empty;
    palette colors = empty;
    int64_t *ids;
    AM_TRY(read_clusters(run->processor, &colors));
    int64_t plane = run->pictures->height * run->pictures->width;
    for (int64_t i = 1; i < run->count; i++)
        if (run->pictures[i].height * run->pictures[i].width != plane)
            return am_error(AM_INVALID_ARGUMENT, "images of different sizes make no batch");
    am_shape shape = am_shape_of(run->count, plane);
    AM_TRY(am_image_give_integers(run, "input_ids", &shape, &ids));
    for (int64_t i = 0; i < run->count; i++) {
        AM_TRY(am_picture_to_floats(&run->pictures[i]));
        const float *values = run->pictures[i].floats;
        for (int64_t k = 0; k < plane; k++)
            *ids++ = nearest(&colors, values[k], values[plane + k], values[2 * plane + k]);
    }
    return NULL;
}

static am_status preprocess(am_image_run *run)
{
    const am_image_processor *p = run->processor;
    bool do_color_quantize = false;
    AM_TRY(am_image_flag(p, "do_color_quantize", &do_color_quantize));
    for (int64_t i = 0; i < run->count; i++) {
        am_picture *picture = &run->pictures[i];
        AM_TRY(am_image_do_resize(p, picture));
        if (p->backend == AM_IMAGE_TORCHVISION) AM_TRY(am_image_do_center_crop(p, picture));
        AM_TRY(am_image_rescale_and_normalize(p, picture));
    }
    if (do_color_quantize) return quantize(run);
    return am_image_give(run, "pixel_values", run->pictures, run->count);
}

/* clang-format off */
static const am_image_class classes[] = {
    {.name = "ImageGPTImageProcessor",
     .defaults = AM_JSON({
         "do_resize": true, "size": {"height": 256, "width": 256}, "resample": 2, "do_rescale": true,
         "do_normalize": true, "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5], "do_color_quantize": true
     }), .preprocess = preprocess},
    {0},
};
/* clang-format on */

const am_image_family am_image_family_imagegpt = {classes};
