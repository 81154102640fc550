/* Masks, boxes and classes of the SAM family: post_process_masks, and SAM 3's detections. */
#include "media/post_processing/boxes.h"
#include "media/post_processing/segmentation.h"

#include "tensor/shape.h"

#include <string.h>

/* --- post_process_masks --- */

typedef struct mask_options {
    am_plane_size *originals, *resized; /* of each image; resized: SAM's reshaped_input_sizes */
    am_plane_size frame;                /* SAM: what images are padded to */
    double threshold;
    bool is_binary, is_exclusive;
} mask_options;

/* Sizes of an image's masks, [points, masks, height, width]. */
typedef struct mask_batch {
    float *values;
    int64_t points, masks;
    am_plane_size size;
} mask_batch;

static am_status resize_to(const am_post_run *run, mask_batch *batch, am_plane_size size)
{
    AM_TRY(am_post_resized(run, batch->values, batch->points * batch->masks, batch->size, size, AM_POST_BILINEAR,
                           &batch->values));
    batch->size = size;
    return NULL;
}

static am_status cut_to(const am_post_run *run, mask_batch *batch, am_plane_size part)
{
    float *cut;
    if (part.height > batch->size.height) part.height = batch->size.height;
    if (part.width > batch->size.width) part.width = batch->size.width;
    int64_t rows = batch->points * batch->masks * part.height;
    AM_TRY(am_post_float_array(run, rows, part.width, &cut));
    for (int64_t i = 0; i < rows; i++) {
        int64_t row = i / part.height * batch->size.height + i % part.height;
        memcpy(cut + i * part.width, batch->values + row * batch->size.width, (size_t)part.width * sizeof *cut);
    }
    batch->values = cut;
    batch->size = part;
    return NULL;
}

/* Only the highest of the points' masks stays at each pixel: the others become -10 at most. */
static void exclude_lower(mask_batch *batch)
{
    int64_t each = batch->masks * batch->size.height * batch->size.width;
    for (int64_t i = 0; i < each && batch->points > 1; i++) {
        int64_t best = 0;
        for (int64_t p = 1; p < batch->points; p++)
            if (batch->values[p * each + i] > batch->values[best * each + i]) best = p;
        for (int64_t p = 0; p < batch->points; p++) {
            float *at = &batch->values[p * each + i];
            if (p != best && *at > -10.0f) *at = -10.0f;
        }
    }
}

static am_status give_masks(am_post_run *run, int64_t image, const mask_batch *batch, const mask_options *options)
{
    am_post_item *item;
    am_tensor *tensor;
    am_shape shape = am_shape_of(batch->points, batch->masks, batch->size.height, batch->size.width);
    AM_TRY(am_post_add(run, image, &item));
    AM_TRY(am_post_add_field(run, item, "masks", options->is_binary ? AM_BOOL : AM_F32, &shape, &tensor));
    int64_t count = am_shape_count(&shape);
    uint8_t *bits = tensor->data;
    if (!options->is_binary) memcpy(tensor->data, batch->values, (size_t)count * sizeof *batch->values);
    for (int64_t i = 0; i < count && options->is_binary; i++) bits[i] = batch->values[i] > (float)options->threshold;
    return NULL;
}

static am_status one_image(am_post_run *run, int64_t image, const am_tensor *masks, const mask_options *options)
{
    if (masks->dtype != AM_F32 || masks->shape.rank != 4)
        return am_error(AM_INVALID_ARGUMENT, "masks: expected f32 [points, masks, height, width] of each image");
    const int64_t *dims = masks->shape.dims;
    mask_batch batch = {.points = dims[0], .masks = dims[1], .size = {dims[2], dims[3]}};
    int64_t count = am_shape_count(&masks->shape);
    AM_TRY(am_post_float_array(run, count, 1, &batch.values));
    memcpy(batch.values, masks->data, (size_t)count * sizeof *batch.values);
    if (options->resized) AM_TRY(resize_to(run, &batch, options->frame));
    if (options->resized) AM_TRY(cut_to(run, &batch, options->resized[image]));
    AM_TRY(resize_to(run, &batch, options->originals[image]));
    if (options->is_exclusive) exclude_lower(&batch);
    return give_masks(run, image, &batch, options);
}

/* SAM's sizes: reshaped_input_sizes, and pad_size of the call or else of the processor. */
static am_status read_frame(const am_post_run *run, int64_t count, mask_options *out)
{
    am_json size = am_json_get(run->options, "pad_size");
    bool is_given = am_json_kind_of(size) == AM_JSON_OBJECT;
    const am_image_size *own = &run->processor->pad_size;
    out->frame.height = is_given ? am_json_int(am_json_get(size, "height"), 0) : own->height;
    out->frame.width = is_given ? am_json_int(am_json_get(size, "width"), 0) : own->width;
    AM_TRY(am_post_sizes(run, "reshaped_input_sizes", count, &out->resized));
    return out->resized ? NULL : am_error(AM_INVALID_ARGUMENT, "reshaped_input_sizes: expected a list, found none");
}

static am_status post_process_masks(am_post_run *run)
{
    const bool *is_framed = run->method->settings;
    const am_media_output *masks = am_media_tensors_find(run->outputs, "masks");
    mask_options options = {0};
    if (!masks) return am_error(AM_INVALID_ARGUMENT, "there are no masks");
    AM_TRY(am_post_sizes(run, "original_sizes", masks->count, &options.originals));
    if (!options.originals) return am_error(AM_INVALID_ARGUMENT, "original_sizes: expected a list, found none");
    if (*is_framed) AM_TRY(read_frame(run, masks->count, &options));
    AM_TRY(am_post_number(run, "mask_threshold", 0.0, &options.threshold));
    AM_TRY(am_post_flag(run, "binarize", true, &options.is_binary));
    if (!*is_framed) AM_TRY(am_post_flag(run, "apply_non_overlapping_constraints", false, &options.is_exclusive));
    for (int64_t i = 0; i < masks->count; i++) AM_TRY(one_image(run, i, &masks->tensors[i], &options));
    run->results->is_bare = true;
    return NULL;
}

/* --- SAM 3 --- */

/* What SAM 3 finds of one concept. */
typedef struct concept_call {
    const am_tensor *logits, *boxes; /* [batch, queries], [batch, queries, 4], corners */
    int64_t batch, queries;
    float *scores; /* [batch, queries] */
    am_plane_size *sizes;
    double threshold;
} concept_call;

static am_status find_concept(const am_post_run *run, concept_call *call)
{
    const am_tensor *presence = NULL;
    AM_TRY(am_post_tensor(run, "pred_logits", 2, &call->logits));
    AM_TRY(am_post_tensor(run, "pred_boxes", 3, &call->boxes));
    call->batch = call->logits->shape.dims[0];
    call->queries = call->logits->shape.dims[1];
    AM_TRY(am_post_check(call->boxes, "pred_boxes", 0, call->batch));
    AM_TRY(am_post_check(call->boxes, "pred_boxes", 1, call->queries));
    AM_TRY(am_post_check(call->boxes, "pred_boxes", 2, 4));
    if (am_post_given(run, "presence_logits")) {
        AM_TRY(am_post_tensor(run, "presence_logits", 2, &presence));
        AM_TRY(am_post_check(presence, "presence_logits", 0, call->batch));
        AM_TRY(am_post_check(presence, "presence_logits", 1, 1));
    }
    AM_TRY(am_post_sizes(run, "target_sizes", call->batch, &call->sizes));
    AM_TRY(am_post_number(run, "threshold", 0.3, &call->threshold));
    AM_TRY(am_post_float_array(run, call->batch, call->queries, &call->scores));
    for (int64_t i = 0; i < call->batch * call->queries; i++) {
        call->scores[i] = am_post_sigmoid(am_post_floats(call->logits)[i]);
        if (presence) call->scores[i] *= am_post_sigmoid(am_post_floats(presence)[i / call->queries]);
    }
    return NULL;
}

/* Begins an image's answer with scores and boxes above the threshold, and says which queries those are. */
static am_status give_concept(am_post_run *run, const concept_call *call, int64_t image, am_post_item **item,
                              int64_t **kept, int64_t *count)
{
    float *scores, *boxes;
    *count = 0;
    AM_TRY(am_post_float_array(run, call->queries, 1, &scores));
    AM_TRY(am_post_integer_array(run, call->queries, 1, kept));
    for (int64_t q = 0; q < call->queries; q++) {
        if (!(call->scores[image * call->queries + q] > (float)call->threshold)) continue;
        scores[*count] = call->scores[image * call->queries + q];
        (*kept)[(*count)++] = q;
    }
    AM_TRY(am_post_add(run, image, item));
    AM_TRY(am_post_give_floats(run, *item, "scores", scores, *count));
    AM_TRY(am_post_give_boxes(run, *item, *count, &boxes));
    for (int64_t i = 0; i < *count; i++)
        memcpy(boxes + 4 * i, am_post_floats(call->boxes) + 4 * (image * call->queries + (*kept)[i]),
               4 * sizeof *boxes);
    if (call->sizes) am_boxes_scale(&call->sizes[image], *count, boxes);
    return NULL;
}

static am_status detect(am_post_run *run)
{
    concept_call call;
    am_post_item *item;
    int64_t *kept, count;
    AM_TRY(find_concept(run, &call));
    for (int64_t b = 0; b < call.batch; b++) AM_TRY(give_concept(run, &call, b, &item, &kept, &count));
    return NULL;
}

/* Probabilities of the kept masks, resized to the target size where there is one. */
static am_status kept_masks(const am_post_run *run, const am_tensor *masks, int64_t image, const int64_t *kept,
                            int64_t count, const am_plane_size *target, float **out)
{
    const int64_t *dims = masks->shape.dims, plane = dims[2] * dims[3];
    AM_TRY(am_post_float_array(run, count, plane, out));
    for (int64_t i = 0; i < count * plane; i++)
        (*out)[i] = am_post_sigmoid(am_post_floats(masks)[(image * dims[1] + kept[i / plane]) * plane + i % plane]);
    if (!target || !count) return NULL;
    return am_post_resized(run, *out, count, (am_plane_size){dims[2], dims[3]}, *target, AM_POST_BILINEAR, out);
}

static am_status segment_instances(am_post_run *run)
{
    concept_call call;
    const am_tensor *masks;
    double mask_threshold;
    AM_TRY(find_concept(run, &call));
    AM_TRY(am_post_number(run, "mask_threshold", 0.5, &mask_threshold));
    AM_TRY(am_post_tensor(run, "pred_masks", 4, &masks));
    AM_TRY(am_post_check(masks, "pred_masks", 0, call.batch));
    AM_TRY(am_post_check(masks, "pred_masks", 1, call.queries));
    for (int64_t b = 0; b < call.batch; b++) {
        int64_t *kept, count;
        am_post_item *item;
        am_tensor *tensor;
        float *values;
        AM_TRY(give_concept(run, &call, b, &item, &kept, &count));
        const am_plane_size *target = call.sizes && count ? &call.sizes[b] : NULL;
        AM_TRY(kept_masks(run, masks, b, kept, count, target, &values));
        am_shape shape = am_shape_of(count, target ? target->height : masks->shape.dims[2],
                                     target ? target->width : masks->shape.dims[3]);
        AM_TRY(am_post_add_field(run, item, "masks", AM_I64, &shape, &tensor));
        int64_t *to = tensor->data;
        for (int64_t i = 0; i < am_shape_count(&shape); i++) to[i] = values[i] > (float)mask_threshold;
    }
    return NULL;
}

static am_status segment_semantic(am_post_run *run)
{
    const am_tensor *logits;
    am_plane_size *sizes;
    double threshold;
    bool with_scores;
    AM_TRY(am_post_tensor(run, "semantic_seg", 4, &logits));
    const int64_t *dims = logits->shape.dims;
    AM_TRY(am_post_sizes(run, "target_sizes", dims[0], &sizes));
    AM_TRY(am_post_number(run, "threshold", 0.5, &threshold));
    AM_TRY(am_post_flag(run, "return_segmentation_scores", false, &with_scores));
    run->results->is_bare = !with_scores;
    for (int64_t b = 0; b < dims[0]; b++) {
        int64_t each = dims[1] * dims[2] * dims[3];
        am_plane_size size = {dims[2], dims[3]};
        am_post_item *item;
        am_tensor *map, *scores;
        float *values;
        AM_TRY(am_post_float_array(run, each, 1, &values));
        for (int64_t i = 0; i < each; i++) values[i] = am_post_sigmoid(am_post_floats(logits)[b * each + i]);
        if (sizes) AM_TRY(am_post_resized(run, values, dims[1], size, sizes[b], AM_POST_BILINEAR, &values));
        if (sizes) size = sizes[b];
        am_shape shape = am_shape_of(size.height, size.width), full = am_shape_of(dims[1], size.height, size.width);
        AM_TRY(am_post_add(run, b, &item));
        AM_TRY(am_post_add_field(run, item, "segmentation", AM_I64, &shape, &map));
        int64_t *to = map->data;
        for (int64_t i = 0; i < am_shape_count(&shape); i++) to[i] = values[i] > (float)threshold;
        if (!with_scores) continue;
        AM_TRY(am_post_add_field(run, item, "segmentation_scores", AM_F32, &full, &scores));
        memcpy(scores->data, values, am_tensor_bytes(AM_F32, &full));
    }
    return NULL;
}

/* clang-format off */
static const am_post_method methods[] = {
    {"post_process_masks", "Sam", post_process_masks, &(bool){true}},
    {"post_process_masks", "Sam2 Sam3", post_process_masks, &(bool){false}},
    {"post_process_object_detection", "Sam3", detect, NULL},
    {"post_process_instance_segmentation", "Sam3", segment_instances, NULL},
    {"post_process_semantic_segmentation", "Sam3", segment_semantic, NULL},
    {0},
};
/* clang-format on */

const am_post_family am_post_family_sam = {methods};
