#include "media/post_processing/segmentation.h"

#include "tensor/dtype.h"
#include "tensor/shape.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

am_status am_post_resized(const am_post_run *run, const float *x, int64_t channels, am_plane_size from,
                          am_plane_size to, am_post_resize_mode mode, float **out)
{
    if (from.height < 1 || from.width < 1 || channels < 1)
        return am_error(AM_INVALID_ARGUMENT, "a mask without pixels cannot be resized");
    if (to.height < 1 || to.width < 1 || to.height > AM_IMAGE_MAX_PIXELS / to.width)
        return am_error(AM_INVALID_ARGUMENT, "masks cannot be resized to that size");
    AM_TRY(am_post_float_array(run, channels, to.height * to.width, out));
    return am_post_resize(x, channels, from, to, mode, *out);
}

am_status am_post_find_queries(const am_post_run *run, const char *logits, const char *masks, am_plane_size resize,
                               am_post_queries *out)
{
    *out = (am_post_queries){.resize = resize};
    AM_TRY(am_post_tensor(run, logits, 3, &out->logits));
    AM_TRY(am_post_tensor(run, masks, 4, &out->masks));
    const int64_t *dims = out->logits->shape.dims, *mask_dims = out->masks->shape.dims;
    for (int axis = 0; axis < 2; axis++) AM_TRY(am_post_check(out->masks, masks, axis, dims[axis]));
    if (dims[1] < 1 || dims[2] < 2 || mask_dims[2] < 1 || mask_dims[3] < 1)
        return am_error(AM_INVALID_ARGUMENT, "%s: expected queries with 2 classes or more and masks with pixels",
                        logits);
    out->batch = dims[0];
    out->queries = dims[1];
    out->classes = dims[2];
    out->size = resize.height ? resize : (am_plane_size){mask_dims[2], mask_dims[3]};
    return NULL;
}

am_status am_post_image_masks(const am_post_run *run, const am_post_queries *queries, int64_t image, const float **out)
{
    const int64_t *dims = queries->masks->shape.dims;
    float *resized;
    *out = am_post_floats(queries->masks) + image * dims[1] * dims[2] * dims[3];
    if (!queries->resize.height) return NULL;
    AM_TRY(am_post_resized(run, *out, dims[1], (am_plane_size){dims[2], dims[3]}, queries->resize, AM_POST_BILINEAR,
                           &resized));
    *out = resized;
    return NULL;
}

am_status am_post_class_chances(const am_post_run *run, const am_post_queries *q, int64_t image, float **out)
{
    const float *logits = am_post_floats(q->logits) + image * q->queries * q->classes;
    float *chances, *to;
    AM_TRY(am_post_float_array(run, q->classes, 1, &chances));
    AM_TRY(am_post_float_array(run, q->queries, q->classes - 1, out));
    to = *out;
    for (int64_t i = 0; i < q->queries; i++, logits += q->classes, to += q->classes - 1) {
        am_post_softmax(logits, q->classes, 1, chances);
        memcpy(to, chances, (size_t)(q->classes - 1) * sizeof *to);
    }
    return NULL;
}

am_status am_post_make_masks(const am_post_run *run, int64_t room, am_plane_size size, am_post_masks *out)
{
    *out = (am_post_masks){.size = size};
    AM_TRY(am_post_float_array(run, room, size.height * size.width, &out->masks));
    AM_TRY(am_post_float_array(run, room, 1, &out->scores));
    return am_post_integer_array(run, room, 1, &out->labels);
}

am_status am_post_rank(const am_post_run *run, const am_post_queries *queries, int64_t image, am_post_ranking *ranking,
                       am_post_masks *out)
{
    float *scores;
    ranking->classes = queries->classes - 1;
    AM_TRY(am_post_image_masks(run, queries, image, &ranking->masks));
    AM_TRY(am_post_make_masks(run, queries->queries, queries->size, out));
    AM_TRY(am_post_class_chances(run, queries, image, &scores));
    ranking->scores = scores;
    AM_TRY(am_post_integer_array(run, queries->queries, ranking->classes, &ranking->order));
    return am_post_top(scores, queries->queries * ranking->classes, queries->queries, false, ranking->order);
}

void am_post_take(const am_post_ranking *ranking, int64_t i, int64_t label, am_post_masks *out)
{
    int64_t plane = out->size.height * out->size.width, place = ranking->order[i];
    memcpy(out->masks + out->count * plane, ranking->masks + place / ranking->classes * plane,
           (size_t)plane * sizeof *out->masks);
    out->scores[out->count] = ranking->scores[place];
    out->labels[out->count++] = label;
}

am_status am_post_begin_segments(am_post_run *run, int64_t image, am_dtype dtype, am_plane_size size, double fill,
                                 int64_t room, am_post_item **item, am_tensor **map)
{
    am_shape shape = am_shape_of(size.height, size.width);
    AM_TRY(am_post_add(run, image, item));
    AM_TRY(am_post_add_field(run, *item, "segmentation", dtype, &shape, map));
    for (int64_t i = 0; i < am_shape_count(&shape); i++) am_store_real(dtype, (*map)->data, i, fill);
    (*item)->has_segments = true;
    (*item)->segments = am_arena_array(&run->results->arena, (size_t)room + 1, sizeof *(*item)->segments);
    return (*item)->segments ? NULL : am_out_of_memory();
}

/* --- run lengths --- */

static int by_number(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* The values of a map without repetitions, the lowest first; values has room for all of them. */
static int64_t distinct_values(const am_tensor *map, int64_t *values)
{
    int64_t count = am_shape_count(&map->shape), kept = 0;
    for (int64_t i = 0; i < count; i++) values[i] = am_load_int(map->dtype, map->data, i);
    if (count) qsort(values, (size_t)count, sizeof *values, by_number);
    for (int64_t i = 0; i < count; i++)
        if (!i || values[i] != values[i - 1]) values[kept++] = values[i];
    return kept;
}

/* binary_mask_to_rle of map == value: where each run begins, from 1, and how long it is. Returns how many numbers, into
   out where it is not null. */
static int64_t put_runs(const am_tensor *map, int64_t value, int64_t *out)
{
    int64_t count = am_shape_count(&map->shape), numbers = 0, begin = -1;
    for (int64_t i = 0; i <= count; i++) {
        bool is_in = i < count && am_load_int(map->dtype, map->data, i) == value;
        if (is_in && begin < 0) begin = i;
        if (is_in || begin < 0) continue;
        if (out) out[numbers] = begin + 1;
        if (out) out[numbers + 1] = i - begin;
        numbers += 2;
        begin = -1;
    }
    return numbers;
}

am_status am_post_map_to_runs(am_post_run *run, am_post_item *item)
{
    const am_tensor map = item->fields[0].tensors[0];
    am_tensor *lists;
    int64_t *values;
    AM_TRY(am_post_integer_array(run, am_shape_count(&map.shape), 1, &values));
    int64_t count = distinct_values(&map, values);
    item->field_count = 0;
    AM_TRY(am_post_add_list(run, item, "segmentation", count, &lists));
    for (int64_t i = 0; i < count; i++) {
        am_shape shape = am_shape_of(put_runs(&map, values[i], NULL));
        AM_TRY(am_post_alloc(run, AM_I64, &shape, &lists[i]));
        put_runs(&map, values[i], lists[i].data);
    }
    return NULL;
}

/* --- painting --- */

/* Makes the logits 1 above 0 and 0 elsewhere, and gives the mean probability of what is 1. */
static float make_binary(float *mask, int64_t count)
{
    double sum = 0.0, pixels = 0.0;
    for (int64_t i = 0; i < count; i++) {
        bool is_in = mask[i] > 0.0f;
        if (is_in) sum += (double)am_post_sigmoid(mask[i]);
        pixels += is_in;
        mask[i] = is_in;
    }
    return (float)sum / ((float)pixels + 1e-6f);
}

static bool paint_one(const float *mask, int64_t count, int64_t id, float *map)
{
    bool has_any = false;
    for (int64_t i = 0; i < count; i++) {
        if (mask[i] != 1.0f) continue;
        map[i] = (float)id;
        has_any = true;
    }
    return has_any;
}

/* The binary masks in place of the map. */
static am_status give_masks(am_post_run *run, am_post_item *item, am_plane_size size, const float *masks,
                            const int64_t *painted)
{
    am_tensor *tensor;
    int64_t plane = size.height * size.width;
    am_shape shape = am_shape_of(item->segment_count, size.height, size.width);
    item->field_count = 0;
    AM_TRY(am_post_add_field(run, item, "segmentation", AM_F32, &shape, &tensor));
    float *to = tensor->data;
    for (int64_t i = 0; i < item->segment_count; i++)
        memcpy(to + i * plane, masks + painted[i] * plane, (size_t)plane * sizeof *to);
    return NULL;
}

am_status am_post_paint(am_post_run *run, int64_t image, const am_post_masks *masks, const am_post_painting *painting)
{
    am_plane_size size = painting->size ? *painting->size : masks->size;
    int64_t plane = masks->size.height * masks->size.width, pixels = size.height * size.width, *painted;
    float *binary = masks->masks, *scores;
    am_post_item *item;
    am_tensor *map;
    AM_TRY(am_post_float_array(run, masks->count, 1, &scores));
    AM_TRY(am_post_integer_array(run, masks->count, 1, &painted));
    for (int64_t i = 0; i < masks->count; i++)
        scores[i] = masks->scores[i] * make_binary(masks->masks + i * plane, plane);
    if (painting->size)
        AM_TRY(am_post_resized(run, masks->masks, masks->count, masks->size, size, AM_POST_NEAREST, &binary));
    AM_TRY(am_post_begin_segments(run, image, AM_F32, size, -1.0, masks->count, &item, &map));
    for (int64_t i = 0; i < masks->count; i++) {
        int64_t id = item->segment_count;
        bool is_good = (double)scores[i] >= painting->threshold;
        if (!is_good || !paint_one(binary + i * pixels, pixels, id, map->data)) continue;
        painted[id] = i;
        item->segments[item->segment_count++] = (am_segment){.id = id,
                                                             .label_id = masks->labels[i],
                                                             .says_fused = painting->says_fused,
                                                             .score = am_post_round6(scores[i])};
    }
    if (painting->gives_runs) return am_post_map_to_runs(run, item);
    if (painting->gives_masks && item->segment_count) return give_masks(run, item, size, binary, painted);
    return NULL;
}
