/* Parts of pages as quadrilaterals in the order that they are read in: PP-DocLayoutV4. */
#include "media/post_processing/methods.h"
#include "media/post_processing/reading_order.h"
#include "media/post_processing/values.h"

#include "tensor/shape.h"

#include <stdlib.h>

typedef struct quad_call {
    const am_tensor *logits, *boxes, *before, *next; /* [batch, queries, classes or 10 or queries] */
    int64_t batch, queries, classes;
    am_plane_size *sizes;
    double threshold;
} quad_call;

/* What was found: a query under a label, with its rank. */
typedef struct quad {
    int64_t query, label, order, place;
    float score;
} quad;

static am_status read_call(const am_post_run *run, quad_call *out)
{
    AM_TRY(am_post_tensor(run, "logits", 3, &out->logits));
    AM_TRY(am_post_tensor(run, "pred_boxes", 3, &out->boxes));
    AM_TRY(am_post_tensor(run, "relative_order_logits", 3, &out->before));
    AM_TRY(am_post_tensor(run, "successor_order_logits", 3, &out->next));
    const int64_t *dims = out->logits->shape.dims, expected[] = {dims[0], dims[1], dims[1]};
    out->batch = dims[0];
    out->queries = dims[1];
    out->classes = dims[2];
    if (out->classes < 1) return am_error(AM_INVALID_ARGUMENT, "logits: expected classes");
    for (int axis = 0; axis < 2; axis++) AM_TRY(am_post_check(out->boxes, "pred_boxes", axis, expected[axis]));
    AM_TRY(am_post_check(out->boxes, "pred_boxes", 2, 10));
    for (int axis = 0; axis < 3; axis++) {
        AM_TRY(am_post_check(out->before, "relative_order_logits", axis, expected[axis]));
        AM_TRY(am_post_check(out->next, "successor_order_logits", axis, expected[axis]));
    }
    AM_TRY(am_post_sizes(run, "target_sizes", out->batch, &out->sizes));
    if (!out->sizes) return am_error(AM_INVALID_ARGUMENT, "target_sizes: expected a list, found none");
    return am_post_number(run, "threshold", 0.5, &out->threshold);
}

/* The best of all queries and classes that reach the threshold, best first; found has room for all queries. */
static am_status find_best(const am_post_run *run, const quad_call *call, int64_t image, quad *found, int64_t *count)
{
    int64_t each = call->queries * call->classes, *order;
    const float *logits = am_post_floats(call->logits) + image * each;
    float *scores;
    AM_TRY(am_post_float_array(run, each, 1, &scores));
    AM_TRY(am_post_integer_array(run, each, 1, &order));
    for (int64_t i = 0; i < each; i++) scores[i] = am_post_sigmoid(logits[i]);
    AM_TRY(am_post_top(scores, each, call->queries, true, order));
    *count = 0;
    for (int64_t i = 0; i < call->queries; i++) {
        if (!(scores[order[i]] >= (float)call->threshold)) continue;
        found[*count] = (quad){.query = order[i] / call->classes,
                               .label = order[i] % call->classes,
                               .score = scores[order[i]],
                               .place = *count};
        ++*count;
    }
    return NULL;
}

/* Ranks of the queries that were found, each once. */
static am_status find_order(const am_post_run *run, const quad_call *call, int64_t image, quad *found, int64_t count)
{
    int64_t queries = call->queries, kept = 0, *rows, *chosen, *ranks;
    const float *before = am_post_floats(call->before) + image * queries * queries;
    const float *next = am_post_floats(call->next) + image * queries * queries;
    float *some_before, *some_next;
    AM_TRY(am_post_integer_array(run, queries, 1, &rows));
    AM_TRY(am_post_integer_array(run, queries, 1, &chosen));
    AM_TRY(am_post_integer_array(run, queries, 1, &ranks));
    for (int64_t i = 0; i < count; i++) rows[found[i].query] = 1;
    for (int64_t i = 0; i < queries; i++) {
        if (!rows[i]) continue;
        rows[i] = kept;
        chosen[kept++] = i;
    }
    AM_TRY(am_post_float_array(run, kept, kept, &some_before));
    AM_TRY(am_post_float_array(run, kept, kept, &some_next));
    for (int64_t i = 0; i < kept * kept; i++) {
        int64_t at = chosen[i / kept] * queries + chosen[i % kept];
        some_before[i] = before[at];
        some_next[i] = next[at];
    }
    AM_TRY(am_reading_order(some_before, some_next, kept, ranks));
    for (int64_t i = 0; i < count; i++) found[i].order = ranks[rows[found[i].query]];
    return NULL;
}

static int by_order(const void *a, const void *b)
{
    const quad *x = a, *y = b;
    if (x->order != y->order) return x->order < y->order ? -1 : 1;
    return x->place < y->place ? -1 : 1;
}

/* Corners of a query, [4, 2], and the box around them. */
static void put_corners(const float *box, am_plane_size size, float *corners, float *around)
{
    for (int i = 0; i < 8; i++) {
        float side = (float)(i % 2 ? size.height : size.width);
        float value = (box[i % 2] + (box[2 + i] - 0.5f)) * side;
        float *low = &around[i % 2], *high = &around[2 + i % 2];
        corners[i] = value;
        if (i < 2 || value < *low) *low = value;
        if (i < 2 || value > *high) *high = value;
    }
}

static am_status give(am_post_run *run, const quad_call *call, int64_t image, const quad *found, int64_t count)
{
    am_post_item *item;
    am_tensor *scores, *labels, *points, *order;
    am_shape line = am_shape_of(count), shape = am_shape_of(count, 4, 2);
    float *boxes;
    AM_TRY(am_post_add(run, image, &item));
    AM_TRY(am_post_add_field(run, item, "scores", AM_F32, &line, &scores));
    AM_TRY(am_post_add_field(run, item, "labels", AM_I64, &line, &labels));
    AM_TRY(am_post_give_boxes(run, item, count, &boxes));
    AM_TRY(am_post_add_field(run, item, "polygon_points", AM_F32, &shape, &points));
    AM_TRY(am_post_add_field(run, item, "order_seq", AM_I64, &line, &order));
    for (int64_t i = 0; i < count; i++) {
        const float *box = am_post_floats(call->boxes) + 10 * (image * call->queries + found[i].query);
        put_corners(box, call->sizes[image], (float *)points->data + 8 * i, boxes + 4 * i);
        ((float *)scores->data)[i] = found[i].score;
        ((int64_t *)labels->data)[i] = found[i].label;
        ((int64_t *)order->data)[i] = found[i].order;
    }
    return NULL;
}

static am_status detect(am_post_run *run)
{
    quad_call call;
    AM_TRY(read_call(run, &call));
    quad *found = am_arena_array(run->scratch, (size_t)call.queries + 1, sizeof *found);
    if (!found) return am_out_of_memory();
    for (int64_t b = 0; b < call.batch; b++) {
        int64_t count;
        AM_TRY(find_best(run, &call, b, found, &count));
        AM_TRY(find_order(run, &call, b, found, count));
        if (count) qsort(found, (size_t)count, sizeof *found, by_order);
        AM_TRY(give(run, &call, b, found, count));
    }
    return NULL;
}

/* clang-format off */
static const am_post_method methods[] = {
    {"post_process_object_detection", "PPDocLayoutV4", detect, NULL},
    {0},
};
/* clang-format on */

const am_post_family am_post_family_quads = {methods};
