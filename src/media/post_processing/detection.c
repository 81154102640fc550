/* Boxes of objects: post_process_object_detection. */
#include "media/post_processing/boxes.h"
#include "media/post_processing/methods.h"
#include "media/post_processing/polygons.h"
#include "media/post_processing/values.h"

#include <stdlib.h>

/* What makes scores of a query's logits. */
typedef enum detection_scores {
    BEST_BUT_LAST, /* softmax, the best class but the last, which is no object: one box a query */
    BEST,          /* sigmoid, the best class: one box a query */
    TOP,           /* sigmoid, the best of all queries and classes */
} detection_scores;

typedef struct detection_settings {
    detection_scores scores;
    double threshold;
    bool takes_top_k; /* TOP has this argument, else it gives as many as there are queries */
    int64_t top_k;    /* where not given; 0: as many as there are queries */
    bool takes_focal_loss;
    bool is_square; /* boxes count in parts of the longer side */
    bool in_order;  /* sorted as the page is read, by order_logits; scores may be the threshold */
    bool outlines;  /* "polygon_points" by out_masks; sizes are needed */
} detection_settings;

typedef struct detection {
    float score;
    int64_t label, query, rank;
} detection;

/* What an image has: logits [queries, classes], boxes [queries, 4]. */
typedef struct detection_image {
    int64_t number, queries, classes;
    const float *logits, *boxes;
    const float *probabilities;    /* in place of logits, or null */
    const float *order_logits;     /* [queries, queries], or null */
    const am_plane_size *size;     /* or null */
    const am_outline_masks *masks; /* of a class with outlines */
} detection_image;

static am_status best_of_queries(const am_post_run *run, const detection_image *image, bool is_softmax, detection *out)
{
    float *own;
    AM_TRY(am_post_float_array(run, image->classes, 1, &own));
    for (int64_t q = 0; q < image->queries; q++) {
        const float *logits = image->logits + q * image->classes, *values = own;
        if (image->probabilities) values = image->probabilities + q * image->classes;
        else if (is_softmax) am_post_softmax(logits, image->classes, 1, own);
        else values = logits;
        int64_t label = am_post_largest(values, image->classes - (is_softmax ? 1 : 0));
        out[q] = (detection){is_softmax ? values[label] : am_post_sigmoid(values[label]), label, q, 0};
    }
    return NULL;
}

static am_status best_of_all(const am_post_run *run, const detection_image *image, int64_t count, detection *out)
{
    float *scores;
    int64_t *order, all = image->queries * image->classes;
    AM_TRY(am_post_float_array(run, all, 1, &scores));
    AM_TRY(am_post_integer_array(run, all, 1, &order));
    for (int64_t i = 0; i < all; i++) scores[i] = am_post_sigmoid(image->logits[i]);
    AM_TRY(am_post_top(scores, all, count, true, order));
    for (int64_t i = 0; i < count; i++)
        out[i] = (detection){scores[order[i]], order[i] % image->classes, order[i] / image->classes, 0};
    return NULL;
}

/* --- the order in which a page is read --- */

/* Ranks of the queries by the votes of each pair. */
static am_status reading_order(const am_post_run *run, const float *logits, int64_t count, int64_t *ranks)
{
    float *votes;
    int64_t *order;
    AM_TRY(am_post_float_array(run, count, 1, &votes));
    AM_TRY(am_post_integer_array(run, count, 1, &order));
    for (int64_t q = 0; q < count; q++) {
        double sum = 0.0;
        for (int64_t i = 0; i < q; i++) sum += (double)am_post_sigmoid(logits[i * count + q]);
        for (int64_t i = q + 1; i < count; i++) sum += (double)(1.0f - am_post_sigmoid(logits[q * count + i]));
        votes[q] = (float)-sum; /* the least comes first */
    }
    AM_TRY(am_post_top(votes, count, count, true, order));
    for (int64_t i = 0; i < count; i++) ranks[order[i]] = i;
    return NULL;
}

static int by_rank(const void *a, const void *b)
{
    const detection *x = a, *y = b;
    if (x->rank != y->rank) return x->rank < y->rank ? -1 : 1;
    return (x->score < y->score) - (x->score > y->score);
}

static am_status sort_by_rank(const am_post_run *run, const detection_image *image, detection *found, int64_t count)
{
    int64_t *ranks;
    AM_TRY(am_post_integer_array(run, image->queries, 1, &ranks));
    AM_TRY(reading_order(run, image->order_logits, image->queries, ranks));
    for (int64_t i = 0; i < count; i++) found[i].rank = ranks[found[i].query];
    if (count) qsort(found, (size_t)count, sizeof *found, by_rank);
    return NULL;
}

/* --- answers --- */

/* Drops what is not above the threshold (or, in_order, below it); returns how many are left. */
static int64_t keep_above(const detection_settings *s, double threshold, detection *found, int64_t count)
{
    int64_t kept = 0;
    for (int64_t i = 0; i < count; i++) {
        float score = found[i].score;
        if (s->in_order ? score >= (float)threshold : score > (float)threshold) found[kept++] = found[i];
    }
    return kept;
}

static am_status give_boxes(am_post_run *run, am_post_item *item, const detection_image *image, const detection *found,
                            int64_t count)
{
    const detection_settings *s = run->method->settings;
    float *to;
    AM_TRY(am_post_give_boxes(run, item, count, &to));
    for (int64_t i = 0; i < count; i++) am_boxes_to_corners(image->boxes + 4 * found[i].query, 1, to + 4 * i);
    if (!image->size) return NULL;
    int64_t height = image->size->height, width = image->size->width, side = height > width ? height : width;
    am_boxes_scale(s->is_square ? &(am_plane_size){side, side} : image->size, count, to);
    return NULL;
}

/* Boxes are those of the item. */
static am_status give_outlines(am_post_run *run, am_post_item *item, const detection_image *image,
                               const detection *found, int64_t count)
{
    const float *boxes = am_post_find(item, "boxes")->tensors->data;
    am_tensor *to;
    AM_TRY(am_post_add_list(run, item, "polygon_points", count, &to));
    for (int64_t i = 0; i < count; i++)
        AM_TRY(am_post_outline(run, image->masks, found[i].query, boxes + 4 * i, &to[i]));
    return NULL;
}

static am_status give(am_post_run *run, const detection_image *image, const detection *found, int64_t count)
{
    const detection_settings *s = run->method->settings;
    am_post_item *item;
    float *scores;
    int64_t *labels, *ranks;
    AM_TRY(am_post_float_array(run, count, 1, &scores));
    AM_TRY(am_post_integer_array(run, count, 1, &labels));
    AM_TRY(am_post_integer_array(run, count, 1, &ranks));
    for (int64_t i = 0; i < count; i++) {
        scores[i] = found[i].score;
        labels[i] = found[i].label;
        ranks[i] = found[i].rank;
    }
    AM_TRY(am_post_add(run, image->number, &item));
    AM_TRY(am_post_give_floats(run, item, "scores", scores, count));
    AM_TRY(am_post_give_integers(run, item, "labels", labels, count));
    AM_TRY(give_boxes(run, item, image, found, count));
    if (s->outlines) AM_TRY(give_outlines(run, item, image, found, count));
    return s->in_order ? am_post_give_integers(run, item, "order_seq", ranks, count) : NULL;
}

/* How many boxes an image has before the threshold. */
static am_status count_boxes(const am_post_run *run, int64_t queries, int64_t classes, int64_t *out)
{
    const detection_settings *s = run->method->settings;
    *out = queries;
    if (s->takes_top_k) AM_TRY(am_post_integer(run, "top_k", 1, s->top_k ? s->top_k : queries, out));
    if (*out > queries * classes) *out = queries * classes;
    return NULL;
}

static am_status detect_in_image(am_post_run *run, const detection_image *image, double threshold)
{
    const detection_settings *s = run->method->settings;
    int64_t count;
    AM_TRY(count_boxes(run, image->queries, image->classes, &count));
    detection *found = am_arena_array(run->scratch, (size_t)count + 1, sizeof *found);
    if (!found) return am_out_of_memory();
    if (s->scores == TOP && !image->probabilities) AM_TRY(best_of_all(run, image, count, found));
    else AM_TRY(best_of_queries(run, image, s->scores == BEST_BUT_LAST || image->probabilities, found));
    count = keep_above(s, threshold, found, count);
    if (s->in_order) AM_TRY(sort_by_rank(run, image, found, count));
    return give(run, image, found, count);
}

/* --- the call --- */

typedef struct detection_call {
    const am_tensor *logits, *boxes, *order, *masks; /* order and masks may be null */
    float *probabilities;                            /* or null */
    am_plane_size *sizes;                            /* or null */
    double threshold;
} detection_call;

static am_status find_outputs(const am_post_run *run, detection_call *call)
{
    const detection_settings *s = run->method->settings;
    AM_TRY(am_post_tensor(run, "logits", 3, &call->logits));
    AM_TRY(am_post_tensor(run, "pred_boxes", 3, &call->boxes));
    const int64_t *dims = call->logits->shape.dims;
    for (int axis = 0; axis < 2; axis++) AM_TRY(am_post_check(call->boxes, "pred_boxes", axis, dims[axis]));
    AM_TRY(am_post_check(call->boxes, "pred_boxes", 2, 4));
    if (dims[2] < 2) return am_error(AM_INVALID_ARGUMENT, "logits: expected at least 2 classes");
    if (!s->in_order) return NULL;
    AM_TRY(am_post_tensor(run, "order_logits", 3, &call->order));
    for (int axis = 0; axis < 3; axis++) AM_TRY(am_post_check(call->order, "order_logits", axis, dims[axis ? 1 : 0]));
    if (!s->outlines) return NULL;
    AM_TRY(am_post_tensor(run, "out_masks", 4, &call->masks));
    for (int axis = 0; axis < 2; axis++) AM_TRY(am_post_check(call->masks, "out_masks", axis, dims[axis]));
    return NULL;
}

/* torch.nn.functional.softmax without `dim`: over the first of three dimensions, the batch. */
static am_status softmax_of_batch(const am_post_run *run, const am_tensor *logits, float **out)
{
    int64_t batch = logits->shape.dims[0], each = logits->shape.dims[1] * logits->shape.dims[2];
    AM_TRY(am_post_float_array(run, batch, each, out));
    for (int64_t i = 0; i < each; i++) am_post_softmax(am_post_floats(logits) + i, batch, each, *out + i);
    return NULL;
}

static am_status read_call(const am_post_run *run, detection_call *call)
{
    const detection_settings *s = run->method->settings;
    bool use_focal_loss = true;
    *call = (detection_call){0};
    AM_TRY(find_outputs(run, call));
    AM_TRY(am_post_sizes(run, "target_sizes", call->logits->shape.dims[0], &call->sizes));
    if (s->outlines && !call->sizes) return am_error(AM_INVALID_ARGUMENT, "target_sizes: expected a list, found none");
    AM_TRY(am_post_number(run, "threshold", s->threshold, &call->threshold));
    if (s->takes_focal_loss) AM_TRY(am_post_flag(run, "use_focal_loss", true, &use_focal_loss));
    return use_focal_loss ? NULL : softmax_of_batch(run, call->logits, &call->probabilities);
}

/* The masks of an image, where the call has any. */
static am_outline_masks masks_of(const detection_call *call, int64_t image)
{
    if (!call->masks) return (am_outline_masks){0};
    const int64_t *dims = call->masks->shape.dims;
    return (am_outline_masks){.logits = am_post_floats(call->masks) + image * dims[1] * dims[2] * dims[3],
                              .size = {dims[2], dims[3]},
                              .page = call->sizes[image],
                              .threshold = (float)call->threshold};
}

static am_status detect(am_post_run *run)
{
    detection_call call;
    AM_TRY(read_call(run, &call));
    const int64_t *dims = call.logits->shape.dims, queries = dims[1], each = dims[1] * dims[2];
    for (int64_t b = 0; b < dims[0]; b++) {
        am_outline_masks masks = masks_of(&call, b);
        detection_image image = {.number = b,
                                 .queries = queries,
                                 .classes = dims[2],
                                 .logits = am_post_floats(call.logits) + b * each,
                                 .boxes = am_post_floats(call.boxes) + b * queries * 4,
                                 .probabilities = call.probabilities ? call.probabilities + b * each : NULL,
                                 .order_logits = call.order ? am_post_floats(call.order) + b * queries * queries : NULL,
                                 .size = call.sizes ? &call.sizes[b] : NULL,
                                 .masks = &masks};
        AM_TRY(detect_in_image(run, &image, call.threshold));
    }
    return NULL;
}

/* clang-format off */
static const am_post_method methods[] = {
    {"post_process_object_detection", "Detr Yolos", detect, &(detection_settings){.scores = BEST_BUT_LAST, .threshold = 0.5}},
    {"post_process_object_detection", "ConditionalDetr DeformableDetr", detect,
     &(detection_settings){.scores = TOP, .threshold = 0.5, .takes_top_k = true, .top_k = 100}},
    {"post_process_object_detection", "RfDetr", detect,
     &(detection_settings){.scores = TOP, .threshold = 0.5, .takes_top_k = true}},
    {"post_process_object_detection", "RTDetr", detect,
     &(detection_settings){.scores = TOP, .threshold = 0.5, .takes_focal_loss = true}},
    {"post_process_object_detection", "GroundingDino OwlViT", detect, &(detection_settings){.scores = BEST, .threshold = 0.1}},
    {"post_process_object_detection", "Owlv2", detect, &(detection_settings){.scores = BEST, .threshold = 0.1, .is_square = true}},
    {"post_process_object_detection", "PPDocLayoutV2", detect,
     &(detection_settings){.scores = TOP, .threshold = 0.5, .in_order = true}},
    {"post_process_object_detection", "PPDocLayoutV3", detect,
     &(detection_settings){.scores = TOP, .threshold = 0.5, .in_order = true, .outlines = true}},
    {0},
};
/* clang-format on */

const am_post_family am_post_family_detection = {methods};
