/* Boxes in an image of what another shows: post_process_image_guided_detection of OWL-ViT. */
#include "media/post_processing/boxes.h"
#include "media/post_processing/methods.h"
#include "media/post_processing/values.h"

#include <string.h>

/* Every score becomes 0 whose box overlaps that of a better one by more than the threshold. */
static am_status suppress(const am_post_run *run, const float *boxes, int64_t count, double threshold, float *scores)
{
    int64_t *order;
    AM_TRY(am_post_integer_array(run, count, 1, &order));
    AM_TRY(am_post_top(scores, count, count, true, order));
    for (int64_t i = 0; i < count; i++) {
        if (scores[order[i]] == 0.0f) continue;
        for (int64_t k = 0; k < count; k++)
            if (k != order[i] && am_box_iou(boxes + 4 * order[i], boxes + 4 * k) > (float)threshold) scores[k] = 0.0f;
    }
    return NULL;
}

/* Scores become their place between a tenth of the best and the best. Returns how many are above 0, moved to the
   beginning of both arrays; -1 when all scores were 0. */
static int64_t spread_scores(float *scores, float *boxes, int64_t count, double threshold)
{
    float best = 0.0f;
    bool has_any = false;
    int64_t kept = 0;
    for (int64_t i = 0; i < count; i++) {
        has_any = has_any || scores[i] != 0.0f;
        if (scores[i] < (float)threshold) scores[i] = 0.0f;
        best = scores[i] > best ? scores[i] : best;
    }
    best += 1e-6f;
    for (int64_t i = 0; i < count; i++) {
        float part = (scores[i] - best * 0.1f) / (best * 0.9f);
        if (!(part > 0.0f)) continue;
        scores[kept] = part < 1.0f ? part : 1.0f;
        memmove(boxes + 4 * kept, boxes + 4 * i, 4 * sizeof *boxes);
        kept++;
    }
    return has_any ? kept : -1;
}

static am_status give(am_post_run *run, int64_t image, const float *scores, const float *boxes, int64_t count)
{
    am_post_item *item;
    float *to;
    AM_TRY(am_post_add(run, image, &item));
    AM_TRY(am_post_give_floats(run, item, "scores", scores, count));
    am_post_add_none(item, "labels");
    AM_TRY(am_post_give_boxes(run, item, count, &to));
    memcpy(to, boxes, (size_t)count * 4 * sizeof *to);
    return NULL;
}

typedef struct guided_call {
    const am_tensor *logits, *boxes; /* [batch, queries, classes], [batch, queries, 4] */
    double threshold, nms_threshold;
    am_plane_size *sizes; /* or null */
} guided_call;

static am_status detect_in_image(am_post_run *run, const guided_call *call, int64_t image)
{
    const bool *is_square = run->method->settings;
    int64_t queries = call->logits->shape.dims[1], classes = call->logits->shape.dims[2];
    const float *logits = am_post_floats(call->logits) + image * queries * classes;
    float *scores, *boxes;
    AM_TRY(am_post_float_array(run, queries, 1, &scores));
    AM_TRY(am_post_float_array(run, queries, 4, &boxes));
    for (int64_t q = 0; q < queries; q++, logits += classes)
        scores[q] = am_post_sigmoid(logits[am_post_largest(logits, classes)]);
    am_boxes_to_corners(am_post_floats(call->boxes) + image * queries * 4, queries, boxes);
    if (call->nms_threshold < 1.0) AM_TRY(suppress(run, boxes, queries, call->nms_threshold, scores));
    if (call->sizes) {
        am_plane_size size = call->sizes[image];
        int64_t side = size.height > size.width ? size.height : size.width;
        am_boxes_scale(*is_square ? &(am_plane_size){side, side} : &size, queries, boxes);
    }
    int64_t count = spread_scores(scores, boxes, queries, call->threshold);
    return count < 0 ? NULL : give(run, image, scores, boxes, count);
}

static am_status detect(am_post_run *run)
{
    guided_call call;
    AM_TRY(am_post_tensor(run, "logits", 3, &call.logits));
    AM_TRY(am_post_tensor(run, "target_pred_boxes", 3, &call.boxes));
    const int64_t *dims = call.logits->shape.dims;
    for (int axis = 0; axis < 2; axis++) AM_TRY(am_post_check(call.boxes, "target_pred_boxes", axis, dims[axis]));
    AM_TRY(am_post_check(call.boxes, "target_pred_boxes", 2, 4));
    if (dims[2] < 1) return am_error(AM_INVALID_ARGUMENT, "logits: expected at least 1 class");
    AM_TRY(am_post_sizes(run, "target_sizes", dims[0], &call.sizes));
    AM_TRY(am_post_number(run, "threshold", 0.0, &call.threshold));
    AM_TRY(am_post_number(run, "nms_threshold", 0.3, &call.nms_threshold));
    for (int64_t b = 0; b < dims[0]; b++) AM_TRY(detect_in_image(run, &call, b));
    return NULL;
}

/* clang-format off */
static const am_post_method methods[] = {
    {"post_process_image_guided_detection", "OwlViT", detect, &(bool){false}},
    {"post_process_image_guided_detection", "Owlv2", detect, &(bool){true}}, /* parts of the longer side */
    {0},
};
/* clang-format on */

const am_post_family am_post_family_guided_detection = {methods};
