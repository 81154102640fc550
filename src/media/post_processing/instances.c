/* Instances painted over each other: post_process_instance_segmentation of MaskFormer, Mask2Former and RF-DETR. */
#include "media/post_processing/segmentation.h"

#include "tensor/shape.h"

#include <string.h>

typedef struct instance_settings {
    am_plane_size resize; /* of masks, first */
} instance_settings;

static am_status best_masks(const am_post_run *run, const am_post_queries *q, int64_t image, am_post_masks *out)
{
    am_post_ranking ranking;
    AM_TRY(am_post_rank(run, q, image, &ranking, out));
    for (int64_t i = 0; i < q->queries; i++) am_post_take(&ranking, i, ranking.order[i] % ranking.classes, out);
    return NULL;
}

static am_status read_forms(const am_post_run *run, bool *gives_runs, bool *gives_masks)
{
    AM_TRY(am_post_flag(run, "return_coco_annotation", false, gives_runs));
    AM_TRY(am_post_flag(run, "return_binary_maps", false, gives_masks));
    if (!*gives_runs || !*gives_masks) return NULL;
    return am_error(AM_INVALID_ARGUMENT, "return_coco_annotation and return_binary_maps cannot both be set");
}

static am_status segment(am_post_run *run)
{
    const instance_settings *s = run->method->settings;
    am_post_queries q;
    am_post_masks masks;
    am_post_painting painting = {.says_fused = true};
    am_plane_size *sizes;
    AM_TRY(read_forms(run, &painting.gives_runs, &painting.gives_masks));
    AM_TRY(am_post_find_queries(run, "class_queries_logits", "masks_queries_logits", s->resize, &q));
    AM_TRY(am_post_sizes(run, "target_sizes", q.batch, &sizes));
    AM_TRY(am_post_number(run, "threshold", 0.5, &painting.threshold));
    for (int64_t b = 0; b < q.batch; b++) {
        AM_TRY(best_masks(run, &q, b, &masks));
        painting.size = sizes ? &sizes[b] : NULL;
        AM_TRY(am_post_paint(run, b, &masks, &painting));
    }
    return NULL;
}

/* --- RF-DETR: sigmoid scores, the better mask stays on top --- */

typedef struct overlay_call {
    const am_tensor *logits, *masks; /* [batch, queries, classes], [batch, queries, height, width] */
    am_plane_size *sizes;
    double threshold, mask_threshold;
    bool gives_runs, gives_masks;
    int64_t top_k;
} overlay_call;

static am_status read_overlay(const am_post_run *run, overlay_call *call)
{
    AM_TRY(read_forms(run, &call->gives_runs, &call->gives_masks));
    AM_TRY(am_post_tensor(run, "logits", 3, &call->logits));
    AM_TRY(am_post_tensor(run, "pred_masks", 4, &call->masks));
    const int64_t *dims = call->logits->shape.dims;
    for (int axis = 0; axis < 2; axis++) AM_TRY(am_post_check(call->masks, "pred_masks", axis, dims[axis]));
    AM_TRY(am_post_sizes(run, "target_sizes", dims[0], &call->sizes));
    AM_TRY(am_post_number(run, "threshold", 0.5, &call->threshold));
    AM_TRY(am_post_number(run, "mask_threshold", 0.0, &call->mask_threshold));
    AM_TRY(am_post_integer(run, "top_k", 1, dims[1], &call->top_k));
    if (call->top_k > dims[1] * dims[2]) call->top_k = dims[1] * dims[2];
    return NULL;
}

/* The best of all queries and classes above the threshold, with mask logits. */
static am_status keep_best(const am_post_run *run, const overlay_call *call, int64_t image, am_post_masks *out)
{
    const int64_t *dims = call->masks->shape.dims, plane = dims[2] * dims[3], classes = call->logits->shape.dims[2];
    const float *logits = am_post_floats(call->logits) + image * dims[1] * classes,
                *masks = am_post_floats(call->masks) + image * dims[1] * plane;
    int64_t *order, all = dims[1] * classes;
    float *scores;
    AM_TRY(am_post_make_masks(run, call->top_k, (am_plane_size){dims[2], dims[3]}, out));
    AM_TRY(am_post_float_array(run, all, 1, &scores));
    AM_TRY(am_post_integer_array(run, all, 1, &order));
    for (int64_t i = 0; i < all; i++) scores[i] = am_post_sigmoid(logits[i]);
    AM_TRY(am_post_top(scores, all, call->top_k, true, order));
    for (int64_t i = 0; i < call->top_k; i++) {
        if (!(scores[order[i]] > (float)call->threshold)) continue;
        memcpy(out->masks + out->count * plane, masks + order[i] / classes * plane, (size_t)plane * sizeof *masks);
        out->scores[out->count] = scores[order[i]];
        out->labels[out->count++] = order[i] % classes;
    }
    return NULL;
}

/* Whether the mask has a pixel above the threshold, and with `map` one that is still free; those get the id. */
static bool overlay(const float *mask, int64_t plane, float threshold, int64_t id, int32_t *map)
{
    bool has_any = false;
    for (int64_t i = 0; i < plane; i++) {
        if (!(mask[i] > threshold) || (map && map[i] != -1)) continue;
        if (map) map[i] = (int32_t)id;
        has_any = true;
    }
    return has_any;
}

static am_status give_binary_masks(am_post_run *run, am_post_item *item, am_plane_size size, const float *masks,
                                   const int64_t *kept, float threshold)
{
    am_tensor *tensor;
    int64_t plane = size.height * size.width;
    am_shape shape = am_shape_of(item->segment_count, size.height, size.width);
    item->field_count = 0;
    AM_TRY(am_post_add_field(run, item, "segmentation", AM_BOOL, &shape, &tensor));
    uint8_t *to = tensor->data;
    for (int64_t i = 0; i < item->segment_count * plane; i++)
        to[i] = masks[kept[i / plane] * plane + i % plane] > threshold;
    return NULL;
}

static am_status give_overlay(am_post_run *run, const overlay_call *call, int64_t image, const am_post_masks *masks)
{
    am_plane_size size = call->sizes ? call->sizes[image] : masks->size;
    int64_t plane = size.height * size.width, *kept;
    float *resized = NULL, threshold = (float)call->mask_threshold;
    am_post_item *item;
    am_tensor *map;
    AM_TRY(am_post_begin_segments(run, image, AM_I32, size, -1.0, masks->count, &item, &map));
    if (!masks->count) return NULL;
    AM_TRY(am_post_integer_array(run, masks->count, 1, &kept));
    AM_TRY(am_post_resized(run, masks->masks, masks->count, masks->size, size, AM_POST_BILINEAR, &resized));
    for (int64_t i = 0; i < masks->count; i++) {
        int64_t id = item->segment_count + 1;
        if (!overlay(resized + i * plane, plane, threshold, id, call->gives_masks ? NULL : map->data)) continue;
        kept[item->segment_count] = i;
        item->segments[item->segment_count++] =
            (am_segment){.id = id, .label_id = masks->labels[i], .score = am_post_round6(masks->scores[i])};
    }
    if (call->gives_runs) return am_post_map_to_runs(run, item);
    return call->gives_masks ? give_binary_masks(run, item, size, resized, kept, threshold) : NULL;
}

static am_status segment_overlay(am_post_run *run)
{
    overlay_call call;
    am_post_masks masks;
    AM_TRY(read_overlay(run, &call));
    for (int64_t b = 0; b < call.logits->shape.dims[0]; b++) {
        AM_TRY(keep_best(run, &call, b, &masks));
        AM_TRY(give_overlay(run, &call, b, &masks));
    }
    return NULL;
}

/* clang-format off */
static const am_post_method methods[] = {
    {"post_process_instance_segmentation", "MaskFormer", segment, &(instance_settings){{0, 0}}},
    {"post_process_instance_segmentation", "Mask2Former", segment, &(instance_settings){{384, 384}}},
    {"post_process_instance_segmentation", "RfDetr", segment_overlay, NULL},
    {0},
};
/* clang-format on */

const am_post_family am_post_family_instances = {methods};
