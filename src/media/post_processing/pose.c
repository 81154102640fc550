/* Keypoints of persons from heatmaps: post_process_pose_estimation. Both classes refine the hottest pixel by the
   gradient and Hessian of the blurred heatmap's logarithm (Zhang et al. 2020, Huang et al. 2020); VitPose computes with
   NumPy and SciPy, Sapiens2 with PyTorch. */
#include "media/images/processor.h"
#include "media/post_processing/methods.h"
#include "media/post_processing/values.h"

#include "tensor/shape.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* A box, left, top, width and height, and the image it is in. */
typedef struct pose_box {
    double sides[4];
    int64_t image;
} pose_box;

typedef struct pose_call {
    const am_tensor *heatmaps; /* [persons, keypoints, height, width] */
    float *heat;               /* of it, or the mean with outputs_flipped's */
    int64_t persons, keypoints, height, width, images;
    pose_box *boxes; /* [persons] */
    int64_t kernel;
    double threshold; /* NaN: none */
    float *points;    /* [persons, keypoints, 2]: in the heatmap, then in the image */
    float *scores;    /* [persons, keypoints] */
} pose_call;

/* --- reading the call --- */

static am_status read_box(am_json list, int64_t image, pose_box *out)
{
    int k = 0;
    if (am_json_count(list) != 4)
        return am_error(AM_INVALID_ARGUMENT, "boxes: expected [left, top, width, height], found %zu numbers",
                        am_json_count(list));
    out->image = image;
    for (am_json_iterator i = am_json_iterate(list); am_json_next(&i); k++) out->sides[k] = am_json_real(i.value, NAN);
    return NULL;
}

/* "boxes": those of each image, as many in all as there are heatmaps. */
static am_status read_boxes(const am_post_run *run, pose_call *call)
{
    int64_t found = 0;
    call->boxes = am_arena_array(run->scratch, (size_t)call->persons + 1, sizeof *call->boxes);
    if (!call->boxes) return am_out_of_memory();
    for (am_json_iterator i = am_json_iterate(am_json_get(run->options, "boxes")); am_json_next(&i); call->images++)
        for (am_json_iterator k = am_json_iterate(i.value); am_json_next(&k); found++)
            if (found < call->persons) AM_TRY(read_box(k.value, call->images, &call->boxes[found]));
    if (found == call->persons) return NULL;
    return am_error(AM_INVALID_ARGUMENT, "boxes: expected one for each of %lld heatmaps, found %lld",
                    (long long)call->persons, (long long)found);
}

static am_status read_call(const am_post_run *run, pose_call *call)
{
    *call = (pose_call){0};
    AM_TRY(am_post_tensor(run, "heatmaps", 4, &call->heatmaps));
    const int64_t *dims = call->heatmaps->shape.dims;
    call->persons = dims[0];
    call->keypoints = dims[1];
    call->height = dims[2];
    call->width = dims[3];
    if (call->height < 2 || call->width < 2)
        return am_error(AM_INVALID_ARGUMENT, "heatmaps: expected sides of 2 or more");
    AM_TRY(read_boxes(run, call));
    AM_TRY(am_post_integer(run, "kernel_size", 1, 11, &call->kernel));
    if (call->kernel > 1023) return am_error(AM_INVALID_ARGUMENT, "kernel_size: expected at most 1023");
    AM_TRY(am_post_number(run, "threshold", NAN, &call->threshold));
    int64_t count = am_shape_count(&call->heatmaps->shape);
    AM_TRY(am_post_float_array(run, count, 1, &call->heat));
    memcpy(call->heat, call->heatmaps->data, (size_t)count * sizeof *call->heat);
    AM_TRY(am_post_float_array(run, call->persons * call->keypoints, 2, &call->points));
    return am_post_float_array(run, call->persons, call->keypoints, &call->scores);
}

/* --- the hottest pixel --- */

static void find_hottest(pose_call *call)
{
    int64_t plane = call->height * call->width;
    for (int64_t i = 0; i < call->persons * call->keypoints; i++) {
        int64_t at = am_post_largest(call->heat + i * plane, plane);
        float score = call->heat[i * plane + at];
        call->scores[i] = score;
        call->points[2 * i] = score > 0.0f ? (float)(at % call->width) : -1.0f;
        call->points[2 * i + 1] = score > 0.0f ? (float)(at / call->width) : -1.0f;
    }
}

/* --- blurring --- */

/* One dimension of a convolution, `count` values `step` apart; beyond the ends lies their mirror image (edges twice),
   or 0. */
static void blur_line(const float *in, int64_t count, int64_t step, const double *weights, int64_t radius,
                      bool is_mirrored, float *out)
{
    for (int64_t i = 0; i < count; i++) {
        double sum = 0.0;
        for (int64_t k = -radius; k <= radius; k++) {
            int64_t at = i + k;
            if (is_mirrored) {
                at = (at % (2 * count) + 2 * count) % (2 * count);
                at = at < count ? at : 2 * count - 1 - at;
            }
            if (at >= 0 && at < count) sum += (double)in[at * step] * weights[k + radius];
        }
        out[i * step] = (float)sum;
    }
}

static void gaussian(double sigma, int64_t radius, double *weights)
{
    double total = 0.0;
    for (int64_t k = -radius; k <= radius; k++)
        total += weights[k + radius] = exp(-0.5 / (sigma * sigma) * (double)(k * k));
    for (int64_t k = 0; k <= 2 * radius; k++) weights[k] /= total;
}

/* Blurs every map, along one dimension into `other` and along the other back. */
static am_status blur(const am_post_run *run, pose_call *call, double sigma, int64_t radius, bool is_mirrored)
{
    double *weights = am_arena_array(run->scratch, (size_t)(2 * radius + 1), sizeof *weights);
    float *other;
    int64_t plane = call->height * call->width;
    AM_TRY(am_post_float_array(run, plane, 1, &other));
    if (!weights) return am_out_of_memory();
    gaussian(sigma, radius, weights);
    for (int64_t i = 0; i < call->persons * call->keypoints; i++) {
        float *map = call->heat + i * plane;
        for (int64_t x = 0; x < call->width; x++)
            blur_line(map + x, call->height, call->width, weights, radius, is_mirrored, other + x);
        for (int64_t y = 0; y < call->height; y++)
            blur_line(other + y * call->width, call->width, 1, weights, radius, is_mirrored, map + y * call->width);
    }
    return NULL;
}

/* --- refining --- */

/* Logarithms of all maps, each with its border repeated around: [maps, height + 2, width + 2]. */
static am_status padded_logarithms(const am_post_run *run, const pose_call *call, float **out)
{
    int64_t maps = call->persons * call->keypoints;
    AM_TRY(am_post_float_array(run, maps, (call->height + 2) * (call->width + 2), out));
    float *to = *out;
    for (int64_t i = 0; i < maps; i++)
        for (int64_t y = -1; y <= call->height; y++)
            for (int64_t x = -1; x <= call->width; x++) {
                int64_t row = y < 0              ? 0
                              : y < call->height ? y
                                                 : call->height - 1,
                        column = x < 0             ? 0
                                 : x < call->width ? x
                                                   : call->width - 1;
                float value = call->heat[(i * call->height + row) * call->width + column];
                *to++ = (float)log((double)(value < 0.001f ? 0.001f : value > 50.0f ? 50.0f : value));
            }
    return NULL;
}

/* Derivatives at a place. */
typedef struct pose_slopes {
    float dx, dy, dxx, dxy, dyy;
} pose_slopes;

/* Places before the first value count from the last, as in Python. */
static pose_slopes slopes_at(const float *values, int64_t count, int64_t width, int64_t at)
{
    const int64_t steps[7] = {0, 1, width, width + 1, -width - 1, -1, -width};
    float v[7];
    for (int i = 0; i < 7; i++) v[i] = values[at + steps[i] < 0 ? at + steps[i] + count : at + steps[i]];
    float middle = v[0], right = v[1], below = v[2], left = v[5], above = v[6];
    return (pose_slopes){.dx = 0.5f * (right - left),
                         .dy = 0.5f * (below - above),
                         .dxx = right - 2.0f * middle + left,
                         .dyy = below - 2.0f * middle + above,
                         .dxy = 0.5f * (v[3] - right - below + middle + middle - left - above + v[4])};
}

/* In double, as NumPy does where it adds a double to the Hessian. */
static void step_double(const pose_slopes *s, float *point)
{
    double xx = (double)s->dxx + (double)FLT_EPSILON, yy = (double)s->dyy + (double)FLT_EPSILON, xy = (double)s->dxy;
    double determinant = xx * yy - xy * xy;
    point[0] = (float)((double)point[0] - (yy * (double)s->dx - xy * (double)s->dy) / determinant);
    point[1] = (float)((double)point[1] - (xx * (double)s->dy - xy * (double)s->dx) / determinant);
}

static void step_float(const pose_slopes *s, float *point)
{
    float xx = s->dxx + FLT_EPSILON, yy = s->dyy + FLT_EPSILON, determinant = xx * yy - s->dxy * s->dxy;
    point[0] -= (yy * s->dx - s->dxy * s->dy) / determinant;
    point[1] -= (-s->dxy * s->dx + xx * s->dy) / determinant;
}

static am_status refine(const am_post_run *run, pose_call *call, void (*step)(const pose_slopes *s, float *point))
{
    float *values;
    int64_t width = call->width + 2, plane = (call->height + 2) * width, maps = call->persons * call->keypoints;
    AM_TRY(padded_logarithms(run, call, &values));
    for (int64_t i = 0; i < maps; i++) {
        float *point = call->points + 2 * i;
        int64_t at = i * plane + ((int64_t)point[1] + 1) * width + (int64_t)point[0] + 1;
        pose_slopes slopes = slopes_at(values, maps * plane, width, at);
        step(&slopes, point);
    }
    return NULL;
}

/* --- answers --- */

/* Of a person: keypoints above the threshold, where there is one. box: left, top, right, bottom. */
static am_status give_person(am_post_run *run, const pose_call *call, int64_t person, const float *box)
{
    float *points, *scores;
    int64_t *labels, kept = 0;
    am_post_item *item;
    am_tensor *tensor;
    AM_TRY(am_post_float_array(run, call->keypoints, 2, &points));
    AM_TRY(am_post_float_array(run, call->keypoints, 1, &scores));
    AM_TRY(am_post_integer_array(run, call->keypoints, 1, &labels));
    for (int64_t k = 0; k < call->keypoints; k++) {
        int64_t at = person * call->keypoints + k;
        if (!isnan(call->threshold) && !(call->scores[at] > (float)call->threshold)) continue;
        memcpy(points + 2 * kept, call->points + 2 * at, 2 * sizeof *points);
        scores[kept] = call->scores[at];
        labels[kept++] = k;
    }
    am_shape shape = am_shape_of(kept, 2);
    AM_TRY(am_post_add(run, call->boxes[person].image, &item));
    AM_TRY(am_post_add_field(run, item, "keypoints", AM_F32, &shape, &tensor));
    memcpy(tensor->data, points, (size_t)kept * 2 * sizeof *points);
    AM_TRY(am_post_give_floats(run, item, "scores", scores, kept));
    AM_TRY(am_post_give_integers(run, item, "labels", labels, kept));
    return am_post_give_floats(run, item, "bbox", box, 4);
}

/* --- VitPose --- */

/* box_to_center_and_scale: scale is the box's size, spread to the aspect ratio, over 200 times 1.25. */
static void center_and_scale(const double *box, const am_image_size *size, float center[2], float scale[2])
{
    double width = box[2], height = box[3], ratio = (double)size->width / (double)size->height;
    center[0] = (float)(box[0] + width * 0.5);
    center[1] = (float)(box[1] + height * 0.5);
    if (width > ratio * height) height = width * 1.0 / ratio;
    else if (width < ratio * height) width = height * ratio;
    scale[0] = (float)(width / 200.0) * 1.25f;
    scale[1] = (float)(height / 200.0) * 1.25f;
}

/* transform_preds. */
static void points_to_image(pose_call *call, int64_t person, const float center[2], const float scale[2])
{
    const float sides[2] = {(float)((double)call->width - 1.0), (float)((double)call->height - 1.0)};
    for (int64_t k = 0; k < call->keypoints; k++)
        for (int i = 0; i < 2; i++) {
            float *at = &call->points[2 * (person * call->keypoints + k) + i], whole = scale[i] * 200.0f;
            *at = *at * (whole / sides[i]) + center[i] - whole * 0.5f;
        }
}

static am_status estimate_vitpose(am_post_run *run)
{
    pose_call call;
    am_plane_size *sizes;
    const am_image_size *size = &run->processor->size;
    AM_TRY(read_call(run, &call));
    AM_TRY(am_post_sizes(run, "target_sizes", call.persons, &sizes));
    if (!size->height || !size->width) return am_error(AM_INVALID_ARGUMENT, "size: expected height and width");
    find_hottest(&call);
    AM_TRY(blur(run, &call, 0.8, (call.kernel - 1) / 2, true));
    AM_TRY(refine(run, &call, step_double));
    for (int64_t i = 0; i < call.persons; i++) {
        float center[2], scale[2];
        for (int k = 0; k < 4 && sizes; k++) /* the class takes the first number for the width */
            call.boxes[i].sides[k] *= (double)(k % 2 ? sizes[i].width : sizes[i].height);
        center_and_scale(call.boxes[i].sides, size, center, scale);
        points_to_image(&call, i, center, scale);
        const float box[4] = {center[0], center[1], scale[0] + center[0] - 1.0f, scale[1] + center[1] - 1.0f};
        AM_TRY(give_person(run, &call, i, box));
    }
    run->results->is_nested = true;
    return NULL;
}

/* --- Sapiens2 --- */

static am_status add_flipped(const am_post_run *run, pose_call *call)
{
    const am_tensor *flipped;
    if (!am_post_given(run, "outputs_flipped.heatmaps")) return NULL;
    AM_TRY(am_post_tensor(run, "outputs_flipped.heatmaps", 4, &flipped));
    for (int axis = 0; axis < 4; axis++)
        AM_TRY(am_post_check(flipped, "outputs_flipped.heatmaps", axis, call->heatmaps->shape.dims[axis]));
    for (int64_t i = 0; i < am_shape_count(&flipped->shape); i++)
        call->heat[i] = (call->heat[i] + am_post_floats(flipped)[i]) / 2.0f;
    return NULL;
}

static float hottest(const float *map, int64_t plane)
{
    return map[am_post_largest(map, plane)];
}

/* gaussian_blur_preserve_max: around the maps lies 0. */
static am_status blur_and_keep_hottest(const am_post_run *run, pose_call *call)
{
    int64_t plane = call->height * call->width;
    float *kept;
    if (call->kernel % 2 == 0 || call->kernel <= 1)
        return am_error(AM_INVALID_ARGUMENT, "kernel_size: expected an odd number above 1");
    AM_TRY(am_post_float_array(run, call->persons, call->keypoints, &kept));
    for (int64_t i = 0; i < call->persons * call->keypoints; i++) kept[i] = hottest(call->heat + i * plane, plane);
    double sigma = 0.3 * ((double)(call->kernel - 1) * 0.5 - 1.0) + 0.8;
    AM_TRY(blur(run, call, sigma, (call->kernel - 1) / 2, false));
    for (int64_t i = 0; i < call->persons * call->keypoints; i++) {
        float *map = call->heat + i * plane, most = hottest(map, plane);
        for (int64_t k = 0; k < plane && most > 0.0f; k++) map[k] *= kept[i] / most;
    }
    return NULL;
}

/* The size of the window that a box was cut out by, 1.25 times it at the processor's aspect ratio. */
static void window_of_box(const float *box, const am_image_size *size, float out[2])
{
    float width = box[2] * 1.25f, height = box[3] * 1.25f, ratio = (float)((double)size->width / (double)size->height);
    bool is_wide = width > height * ratio;
    out[0] = is_wide ? width : height * ratio;
    out[1] = is_wide ? width / ratio : height;
}

static am_status give_sapiens_person(am_post_run *run, pose_call *call, int64_t person, const am_plane_size *source,
                                     const am_plane_size *target)
{
    float box[4], window[2], scale[2] = {1.0f, 1.0f};
    const float sides[2] = {(float)(call->width - 1), (float)(call->height - 1)};
    for (int k = 0; k < 4; k++) box[k] = (float)call->boxes[person].sides[k];
    window_of_box(box, &run->processor->size, window);
    if (source && target) {
        scale[0] = (float)((double)target->width / (double)source->width);
        scale[1] = (float)((double)target->height / (double)source->height);
    }
    for (int64_t k = 0; k < call->keypoints; k++)
        for (int i = 0; i < 2; i++) {
            float *at = &call->points[2 * (person * call->keypoints + k) + i];
            *at = *at / sides[i] * window[i] + (box[i] + 0.5f * box[2 + i]) - 0.5f * window[i];
            *at *= scale[i];
        }
    const float corners[4] = {box[0] * scale[0], box[1] * scale[1], (box[0] + box[2]) * scale[0],
                              (box[1] + box[3]) * scale[1]};
    return give_person(run, call, person, corners);
}

static am_status estimate_sapiens(am_post_run *run)
{
    pose_call call;
    am_plane_size *sources, *targets;
    AM_TRY(read_call(run, &call));
    AM_TRY(am_post_sizes(run, "source_sizes", call.images, &sources));
    AM_TRY(am_post_sizes(run, "target_sizes", call.images, &targets));
    if (targets && !sources) return am_error(AM_INVALID_ARGUMENT, "target_sizes: expected source_sizes too");
    if (!run->processor->size.height || !run->processor->size.width)
        return am_error(AM_INVALID_ARGUMENT, "size: expected height and width");
    AM_TRY(add_flipped(run, &call));
    find_hottest(&call);
    AM_TRY(blur_and_keep_hottest(run, &call));
    AM_TRY(refine(run, &call, step_float));
    for (int64_t i = 0; i < call.persons; i++) {
        int64_t image = call.boxes[i].image;
        AM_TRY(give_sapiens_person(run, &call, i, sources ? &sources[image] : NULL, targets ? &targets[image] : NULL));
    }
    run->results->is_nested = true;
    return NULL;
}

/* clang-format off */
static const am_post_method methods[] = {
    {"post_process_pose_estimation", "VitPose", estimate_vitpose, NULL},
    {"post_process_pose_estimation", "Sapiens2", estimate_sapiens, NULL},
    {0},
};
/* clang-format on */

const am_post_family am_post_family_pose = {methods};
