/* Masks of everything in an image, by a SAM model asked at points of a grid: where to ask, which masks are good, and
   which of those that overlap stay. */
#include "media/post_processing/boxes.h"
#include "media/post_processing/methods.h"

#include "tensor/dtype.h"
#include "tensor/shape.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* --- generate_crop_boxes --- */

enum { MOST_LAYERS = 8 };

typedef struct crop_call {
    const am_tensor *image; /* [channels, height, width] */
    int64_t height, width, target, layers, points, downscale;
    double overlap;
} crop_call;

typedef struct crop {
    int64_t left, top, right, bottom;
} crop;

static am_status read_crop_call(const am_post_run *run, crop_call *out)
{
    AM_TRY(am_post_numbers(run, "image", 3, &out->image));
    out->height = out->image->shape.dims[1];
    out->width = out->image->shape.dims[2];
    AM_TRY(am_post_integer(run, "target_size", 1, 0, &out->target));
    AM_TRY(am_post_integer(run, "crop_n_layers", 0, 0, &out->layers));
    AM_TRY(am_post_integer(run, "points_per_crop", 1, 32, &out->points));
    AM_TRY(am_post_integer(run, "crop_n_points_downscale_factor", 1, 1, &out->downscale));
    AM_TRY(am_post_number(run, "overlap_ratio", 512.0 / 1500.0, &out->overlap));
    if (out->layers > MOST_LAYERS)
        return am_error(AM_INVALID_ARGUMENT, "crop_n_layers: expected at most %d", MOST_LAYERS);
    if (!(out->overlap >= 0.0 && out->overlap <= 1.0))
        return am_error(AM_INVALID_ARGUMENT, "overlap_ratio: expected 0 to 1");
    if (out->target < 1 || out->target > AM_IMAGE_MAX_PIXELS)
        return am_error(AM_INVALID_ARGUMENT, "target_size: expected a number of pixels");
    if (!out->layers || out->downscale == 1) return NULL;
    return am_error(AM_INVALID_ARGUMENT, "crop_n_points_downscale_factor: crops would have grids of different sizes");
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Layer i has 2^i crops a side, which overlap the less the more they are; out has room for all. */
static int64_t place_crops(const crop_call *call, crop *out)
{
    int64_t count = 0;
    for (int64_t layer = 0; layer <= call->layers; layer++) {
        int64_t sides = (int64_t)1 << layer;
        double common = call->overlap * (double)least(call->height, call->width) * (2.0 / (double)sides);
        int64_t overlap = layer ? (int64_t)common : 0;
        int64_t width = (overlap * (sides - 1) + call->width + sides - 1) / sides;
        int64_t height = (overlap * (sides - 1) + call->height + sides - 1) / sides;
        for (int64_t i = 0; i < sides * sides; i++) {
            int64_t left = (width - overlap) * (i / sides), top = (height - overlap) * (i % sides);
            out[count++] = (crop){left, top, least(left + width, call->width), least(top + height, call->height)};
        }
    }
    return count;
}

/* linspace of the middles of `points` equal parts of 0 to 1: torch's in single precision, or NumPy's. */
static double grid_point(int64_t points, int64_t i, bool is_double)
{
    double offset = 1.0 / (2.0 * (double)points), last = 1.0 - offset;
    double step = points > 1 ? (last - offset) / (double)(points - 1) : 0.0;
    if (is_double) return i && i == points - 1 ? last : offset + step * (double)i;
    float from = (float)offset, to = (float)last, stride = points > 1 ? (to - from) / (float)(points - 1) : 0.0f;
    return (double)(i < points / 2 ? from + stride * (float)i : to - stride * (float)(points - i - 1));
}

/* Column `number` of points, [grid * grid, crops, 2]: the grid in a crop that is resized to the target size. */
static void put_points(const crop_call *call, const crop *at, int64_t number, int64_t crops, am_tensor *points)
{
    const int64_t sides[] = {at->right - at->left, at->bottom - at->top}, grid = call->points;
    double scale = (double)call->target / (double)(sides[0] > sides[1] ? sides[0] : sides[1]);
    for (int axis = 0; axis < 2; axis++) {
        double side = (double)sides[axis], stretch = floor(side * scale + 0.5) / side;
        for (int64_t i = 0; i < grid * grid; i++) {
            double point = grid_point(grid, axis ? i / grid : i % grid, points->dtype == AM_F64);
            am_store_real(points->dtype, points->data, 2 * (i * crops + number) + axis, point * side * stretch);
        }
    }
}

static am_status cut(am_post_run *run, const am_tensor *image, const crop *at, am_tensor *out)
{
    const int64_t *dims = image->shape.dims;
    am_shape shape = am_shape_of(dims[0], at->bottom - at->top, at->right - at->left);
    AM_TRY(am_post_alloc(run, image->dtype, &shape, out));
    size_t bytes = am_dtype_bytes(image->dtype), line = (size_t)shape.dims[2] * bytes;
    for (int64_t i = 0; i < shape.dims[0] * shape.dims[1]; i++) {
        int64_t row = i / shape.dims[1] * dims[1] + at->top + i % shape.dims[1];
        memcpy((char *)out->data + (size_t)i * line,
               (const char *)image->data + (size_t)(row * dims[2] + at->left) * bytes, line);
    }
    return NULL;
}

/* Whether none is empty, and they are not too much to copy. */
static am_status check_crops(const crop *crops, int64_t count)
{
    int64_t pixels = 0;
    for (int64_t i = 0; i < count && pixels <= 8 * AM_IMAGE_MAX_PIXELS; i++) {
        if (crops[i].left >= crops[i].right || crops[i].top >= crops[i].bottom)
            return am_error(AM_INVALID_ARGUMENT, "image: too small for crop %" PRId64 " of %" PRId64, i, count);
        pixels += (crops[i].right - crops[i].left) * (crops[i].bottom - crops[i].top);
    }
    if (pixels <= 8 * AM_IMAGE_MAX_PIXELS) return NULL;
    return am_error(AM_INVALID_ARGUMENT, "crop_n_layers: crops of more than %" PRId64 " pixels",
                    8 * AM_IMAGE_MAX_PIXELS);
}

static am_status generate_crops(am_post_run *run)
{
    crop_call call = {0};
    am_post_item *item;
    am_tensor *boxes, *points, *images, *labels;
    AM_TRY(read_crop_call(run, &call));
    int64_t room = (((int64_t)1 << 2 * (call.layers + 1)) - 1) / 3;
    if (call.points > AM_IMAGE_MAX_PIXELS / call.points / room)
        return am_error(AM_INVALID_ARGUMENT, "points_per_crop: %" PRId64 " a side are too many", call.points);
    crop *crops = am_arena_array(run->scratch, (size_t)room, sizeof *crops);
    if (!crops) return am_out_of_memory();
    bool is_pil = am_image_processor_backend(run->processor) == AM_IMAGE_PIL;
    int64_t count = place_crops(&call, crops), each = call.points * call.points;
    am_shape corners = am_shape_of(count, 4), grid = am_shape_of(1, each, count, 2), line = am_shape_of(1, each, count);
    AM_TRY(check_crops(crops, count));
    AM_TRY(am_post_add(run, 0, &item));
    AM_TRY(am_post_add_field(run, item, "crop_boxes", AM_F32, &corners, &boxes));
    AM_TRY(am_post_add_field(run, item, "points", is_pil ? AM_F64 : AM_F32, &grid, &points));
    AM_TRY(am_post_add_list(run, item, "cropped_images", count, &images));
    AM_TRY(am_post_add_field(run, item, "input_labels", AM_I64, &line, &labels));
    for (int64_t i = 0; i < each * count; i++) ((int64_t *)labels->data)[i] = 1;
    for (int64_t i = 0; i < count; i++) {
        float *box = (float *)boxes->data + 4 * i;
        box[0] = (float)crops[i].left;
        box[1] = (float)crops[i].top;
        box[2] = (float)crops[i].right;
        box[3] = (float)crops[i].bottom;
        put_points(&call, &crops[i], i, count, points);
        AM_TRY(cut(run, call.image, &crops[i], &images[i]));
    }
    return NULL;
}

/* --- filter_masks --- */

typedef struct filter_call {
    const am_tensor *masks, *scores; /* [points, masks, height, width], [points, masks] */
    int64_t count;
    am_plane_size size, original; /* of the masks, of the image */
    double crop[4];               /* of the image, what the masks are of */
    double iou, stability, threshold, offset;
    int64_t margins[4]; /* what the crop lacks of the image: left, top, right, bottom; negative: what it has too much */
} filter_call;

static am_status read_crop(const am_post_run *run, filter_call *out)
{
    am_json list = am_json_get(run->options, "cropped_box_image");
    int at = 0;
    for (am_json_iterator i = am_json_iterate(list); at < 4 && am_json_next(&i); at++)
        out->crop[at] = am_json_real(i.value, NAN);
    for (int i = 0; i < 4; i++)
        if (am_json_count(list) != 4 || !(fabs(out->crop[i]) <= (double)AM_IMAGE_MAX_PIXELS))
            return am_error(AM_INVALID_ARGUMENT, "cropped_box_image: expected [left, top, right, bottom]");
    return NULL;
}

/* How masks are padded to the size of the image. */
static am_status find_margins(filter_call *call)
{
    int64_t box[4];
    for (int i = 0; i < 4; i++) box[i] = (int64_t)call->crop[i];
    int64_t *margins = call->margins, width = call->original.width, height = call->original.height;
    if (box[0] == 0 && box[1] == 0 && box[2] == width && box[3] == height) return NULL;
    margins[0] = box[0];
    margins[1] = box[1];
    margins[2] = width - (box[2] - box[0]) - box[0];
    margins[3] = height - (box[3] - box[1]) - box[1];
    bool fits = true;
    for (int i = 0; i < 4; i++) fits = fits && margins[i] >= -(i % 2 ? call->size.height : call->size.width);
    int64_t wide = call->size.width + margins[0] + margins[2], high = call->size.height + margins[1] + margins[3];
    if (fits && wide > 0 && high > 0 && high <= AM_IMAGE_MAX_PIXELS / wide) return NULL;
    return am_error(AM_INVALID_ARGUMENT, "cropped_box_image: does not fit masks of %" PRId64 " x %" PRId64,
                    call->size.height, call->size.width);
}

static am_status read_filter_call(const am_post_run *run, filter_call *out)
{
    AM_TRY(am_post_tensor(run, "masks", 4, &out->masks));
    AM_TRY(am_post_tensor(run, "iou_scores", 2, &out->scores));
    const int64_t *dims = out->masks->shape.dims;
    out->count = dims[0] * dims[1];
    out->size = (am_plane_size){dims[2], dims[3]};
    if (am_shape_count(&out->scores->shape) != out->count)
        return am_error(AM_INVALID_ARGUMENT, "iou_scores: expected %" PRId64 ", one for each mask", out->count);
    if (out->count && (dims[2] < 1 || dims[3] < 1)) return am_error(AM_INVALID_ARGUMENT, "masks: expected pixels");
    AM_TRY(am_post_size(am_json_get(run->options, "original_size"), "original_size", &out->original));
    AM_TRY(read_crop(run, out));
    AM_TRY(am_post_number(run, "pred_iou_thresh", 0.88, &out->iou));
    AM_TRY(am_post_number(run, "stability_score_thresh", 0.95, &out->stability));
    AM_TRY(am_post_number(run, "mask_threshold", 0.0, &out->threshold));
    AM_TRY(am_post_number(run, "stability_score_offset", 1.0, &out->offset));
    return find_margins(out);
}

static const float *mask_at(const filter_call *call, int64_t i)
{
    return am_post_floats(call->masks) + i * call->size.height * call->size.width;
}

/* Pixels above the threshold, the sum of each row taken in 16 bits as the class does. */
static int32_t count_above(const float *mask, am_plane_size size, double threshold)
{
    int32_t sum = 0;
    for (int64_t y = 0; y < size.height; y++, mask += size.width) {
        int64_t row = 0;
        for (int64_t x = 0; x < size.width; x++) row += mask[x] > (float)threshold;
        sum += (int16_t)row;
    }
    return sum;
}

/* Whether the mask is scored high enough, and nearly the same with a threshold a bit higher or lower. */
static bool is_good(const filter_call *call, int64_t i)
{
    if (call->iou > 0.0 && !(am_post_floats(call->scores)[i] > (float)call->iou)) return false;
    if (!(call->stability > 0.0)) return true;
    int32_t inner = count_above(mask_at(call, i), call->size, call->threshold + call->offset);
    int32_t outer = count_above(mask_at(call, i), call->size, call->threshold - call->offset);
    return (float)inner / (float)outer > (float)call->stability;
}

/* First and last column and row of a mask's pixels: left, top, right, bottom; zeros where it has none. */
static void surround(const filter_call *call, int64_t i, int64_t box[4])
{
    const float *mask = mask_at(call, i);
    int64_t width = call->size.width, found[4] = {width, call->size.height, -1, -1};
    for (int64_t k = 0; k < call->size.height * width; k++) {
        if (!(mask[k] > (float)call->threshold)) continue;
        int64_t x = k % width, y = k / width;
        if (x < found[0]) found[0] = x;
        if (x > found[2]) found[2] = x;
        if (y < found[1]) found[1] = y;
        found[3] = y;
    }
    for (int side = 0; side < 4; side++) box[side] = found[3] < 0 ? 0 : found[side];
}

static bool is_near(float a, float b)
{
    return fabsf(a - b) <= 20.0f;
}

/* Whether a mask ends where the crop does, and not the image: there may be more of it. */
static bool is_cut_off(const filter_call *call, const int64_t box[4])
{
    const float whole[4] = {0.0f, 0.0f, (float)call->original.width, (float)call->original.height};
    for (int side = 0; side < 4; side++) {
        float at = (float)box[side] + (float)call->crop[side % 2];
        if (is_near(at, (float)call->crop[side]) && !is_near(at, whole[side])) return true;
    }
    return false;
}

static bool is_in(const filter_call *call, int64_t i, int64_t x, int64_t y)
{
    x -= call->margins[0];
    y -= call->margins[1];
    if (x < 0 || y < 0 || x >= call->size.width || y >= call->size.height) return false;
    return mask_at(call, i)[y * call->size.width + x] > (float)call->threshold;
}

/* Lengths of runs of 0 and 1 in turn, from 0 on and column by column, after height and width. Returns how many numbers,
   into out where it is not null. */
static int64_t put_runs(const filter_call *call, int64_t i, int64_t *out)
{
    int64_t height = call->size.height + call->margins[1] + call->margins[3];
    int64_t width = call->size.width + call->margins[0] + call->margins[2];
    int64_t numbers = 2, length = 0;
    bool value = false;
    if (out) out[0] = height;
    if (out) out[1] = width;
    for (int64_t x = 0; x < width; x++)
        for (int64_t y = 0; y < height; y++, length++) {
            if (is_in(call, i, x, y) == value) continue;
            if (out) out[numbers] = length;
            numbers++;
            length = 0;
            value = !value;
        }
    if (out) out[numbers] = length;
    return numbers + 1;
}

static am_status give_filtered(am_post_run *run, const filter_call *call, const int64_t *kept, int64_t count,
                               am_dtype box_type)
{
    am_post_item *item;
    am_tensor *runs, *scores, *boxes;
    am_shape line = am_shape_of(count), corners = am_shape_of(count, 4);
    AM_TRY(am_post_add(run, 0, &item));
    AM_TRY(am_post_add_list(run, item, "masks", count, &runs));
    AM_TRY(am_post_add_field(run, item, "scores", AM_F32, &line, &scores));
    AM_TRY(am_post_add_field(run, item, "boxes", box_type, &corners, &boxes));
    for (int64_t i = 0; i < count; i++) {
        int64_t box[4];
        am_shape shape = am_shape_of(put_runs(call, kept[i], NULL));
        AM_TRY(am_post_alloc(run, AM_I64, &shape, &runs[i]));
        put_runs(call, kept[i], runs[i].data);
        ((float *)scores->data)[i] = am_post_floats(call->scores)[kept[i]];
        surround(call, kept[i], box);
        for (int side = 0; side < 4; side++)
            ((int64_t *)boxes->data)[4 * i + side] = box[side] + (int64_t)call->crop[side % 2];
    }
    return NULL;
}

static am_status filter_masks(am_post_run *run)
{
    filter_call call = {0};
    int64_t *kept, count = 0, good = 0;
    AM_TRY(read_filter_call(run, &call));
    AM_TRY(am_post_integer_array(run, call.count, 1, &kept));
    for (int64_t i = 0; i < call.count; i++) {
        int64_t box[4];
        if (!is_good(&call, i)) continue;
        good++;
        surround(&call, i, box);
        if (!is_cut_off(&call, box)) kept[count++] = i;
    }
    return give_filtered(run, &call, kept, count, good ? AM_I64 : AM_F32);
}

/* --- post_process_for_mask_generation --- */

typedef struct generated {
    const am_media_output *runs;     /* as filter_masks gives them */
    const am_tensor *scores, *boxes; /* [count], [count, 4] */
} generated;

/* Whether the runs fill their mask. */
static am_status check_runs(const am_tensor *runs)
{
    const int64_t *numbers = runs->data;
    bool fits = runs->dtype == AM_I64 && runs->shape.rank == 1 && runs->shape.dims[0] >= 2 && numbers[0] > 0 &&
                numbers[1] > 0 && numbers[0] <= AM_IMAGE_MAX_PIXELS / numbers[1];
    int64_t left = fits ? numbers[0] * numbers[1] : 0;
    for (int64_t i = 2; fits && i < runs->shape.dims[0]; i++) {
        fits = numbers[i] >= 0 && numbers[i] <= left;
        left -= fits ? numbers[i] : 0;
    }
    if (fits && left == 0) return NULL;
    return am_error(AM_INVALID_ARGUMENT, "all_masks: expected height, width and lengths that fill it, as i64");
}

static am_status find_generated(const am_post_run *run, generated *out)
{
    out->runs = am_media_tensors_find(run->outputs, "all_masks");
    int64_t count = out->runs ? out->runs->count : 0;
    AM_TRY(am_post_tensor(run, "all_scores", 1, &out->scores));
    AM_TRY(am_post_numbers(run, "all_boxes", 2, &out->boxes));
    AM_TRY(am_post_check(out->scores, "all_scores", 0, count));
    AM_TRY(am_post_check(out->boxes, "all_boxes", 0, count));
    AM_TRY(am_post_check(out->boxes, "all_boxes", 1, 4));
    for (int64_t i = 0; i < count; i++) AM_TRY(check_runs(&out->runs->tensors[i]));
    return NULL;
}

static am_status give_mask(am_post_run *run, const am_tensor *runs, am_tensor *out)
{
    const int64_t *numbers = runs->data;
    am_shape shape = am_shape_of(numbers[0], numbers[1]);
    AM_TRY(am_post_alloc(run, AM_BOOL, &shape, out));
    int64_t at = 0;
    for (int64_t i = 2; i < runs->shape.dims[0]; i++)
        for (int64_t end = at + numbers[i]; at < end; at++)
            ((uint8_t *)out->data)[at % numbers[0] * numbers[1] + at / numbers[0]] = (uint8_t)(i % 2);
    return NULL;
}

static am_status give_generated(am_post_run *run, const generated *all, const int64_t *keep, int64_t kept)
{
    am_post_item *item;
    am_tensor *masks, *scores, *runs, *boxes;
    am_shape line = am_shape_of(kept), corners = am_shape_of(kept, 4);
    size_t bytes = 4 * am_dtype_bytes(all->boxes->dtype);
    AM_TRY(am_post_add(run, 0, &item));
    AM_TRY(am_post_add_list(run, item, "masks", kept, &masks));
    AM_TRY(am_post_add_field(run, item, "scores", AM_F32, &line, &scores));
    AM_TRY(am_post_add_list(run, item, "rle_masks", kept, &runs));
    AM_TRY(am_post_add_field(run, item, "boxes", all->boxes->dtype, &corners, &boxes));
    for (int64_t i = 0; i < kept; i++) {
        const am_tensor *from = &all->runs->tensors[keep[i]];
        AM_TRY(give_mask(run, from, &masks[i]));
        AM_TRY(am_post_alloc(run, AM_I64, &from->shape, &runs[i]));
        memcpy(runs[i].data, from->data, am_tensor_bytes(AM_I64, &from->shape));
        ((float *)scores->data)[i] = am_post_floats(all->scores)[keep[i]];
        memcpy((char *)boxes->data + (size_t)i * bytes, (const char *)all->boxes->data + (size_t)keep[i] * bytes,
               bytes);
    }
    return NULL;
}

static am_status generate_masks(am_post_run *run)
{
    generated all;
    float *boxes;
    int64_t *keep, kept;
    double threshold;
    AM_TRY(find_generated(run, &all));
    AM_TRY(am_post_number(run, "crops_nms_thresh", 0.7, &threshold));
    int64_t count = all.scores->shape.dims[0];
    AM_TRY(am_post_float_array(run, count, 4, &boxes));
    AM_TRY(am_post_integer_array(run, count, 1, &keep));
    for (int64_t i = 0; i < 4 * count; i++) boxes[i] = (float)am_load_real(all.boxes->dtype, all.boxes->data, i);
    AM_TRY(am_boxes_nms(boxes, am_post_floats(all.scores), NULL, count, threshold, keep, &kept));
    return give_generated(run, &all, keep, kept);
}

/* clang-format off */
static const am_post_method methods[] = {
    {"generate_crop_boxes", "Sam Sam2 Sam3", generate_crops, NULL},
    {"filter_masks", "Sam Sam2 Sam3", filter_masks, NULL},
    {"post_process_for_mask_generation", "Sam Sam2 Sam3", generate_masks, NULL},
    {0},
};
/* clang-format on */

const am_post_family am_post_family_mask_generation = {methods};
