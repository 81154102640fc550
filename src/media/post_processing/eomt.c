/* EoMT, whose masks are of a padded image, or, of semantic segmentation, of parts along its longer side. */
#include "media/post_processing/segmentation.h"

#include "tensor/dtype.h"

#include <string.h>

typedef struct eomt_call {
    am_post_queries queries;
    int64_t shortest, longest; /* of size; longest 0: none */
    am_plane_size *sizes;
} eomt_call;

/* `size` of the call, or else of the processor: {"shortest_edge", "longest_edge"}. */
static am_status read_call(const am_post_run *run, eomt_call *call)
{
    am_json size = am_json_get(run->options, "size");
    bool is_given = am_json_kind_of(size) == AM_JSON_OBJECT;
    const am_image_size *own = &run->processor->size;
    call->shortest = is_given ? am_json_int(am_json_get(size, "shortest_edge"), 0) : own->shortest_edge;
    call->longest = is_given ? am_json_int(am_json_get(size, "longest_edge"), 0) : own->longest_edge;
    int64_t width = call->longest ? call->longest : call->shortest;
    if (call->shortest < 1 || width < 1 || call->shortest > AM_IMAGE_MAX_PIXELS / width)
        return am_error(AM_INVALID_ARGUMENT, "size: expected shortest_edge and, if any, longest_edge");
    return am_post_find_queries(run, "class_queries_logits", "masks_queries_logits",
                                (am_plane_size){call->shortest, width}, &call->queries);
}

static am_status read_sizes(const am_post_run *run, int64_t images, eomt_call *call)
{
    AM_TRY(am_post_sizes(run, "target_sizes", images, &call->sizes));
    return call->sizes ? NULL : am_error(AM_INVALID_ARGUMENT, "target_sizes: expected a list, found none");
}

/* get_size_with_aspect_ratio: what an image was resized to before it was padded or cut. */
static am_plane_size resized_size(const eomt_call *call, am_plane_size image)
{
    return am_image_fit_edges(image, call->shortest, call->longest ? call->longest : INT64_MAX / 2);
}

/* unpad_image: mask logits of an image in its own size. */
static am_status unpad(const am_post_run *run, const eomt_call *call, int64_t image, float **out)
{
    const am_post_queries *q = &call->queries;
    am_plane_size part = resized_size(call, call->sizes[image]), from = q->size;
    const float *masks;
    float *cut;
    if (part.height > from.height) part.height = from.height;
    if (part.width > from.width) part.width = from.width;
    AM_TRY(am_post_image_masks(run, q, image, &masks));
    AM_TRY(am_post_float_array(run, q->queries * part.height, part.width, &cut));
    for (int64_t i = 0; i < q->queries; i++)
        for (int64_t y = 0; y < part.height; y++)
            memcpy(cut + (i * part.height + y) * part.width, masks + (i * from.height + y) * from.width,
                   (size_t)part.width * sizeof *cut);
    return am_post_resized(run, cut, q->queries, part, call->sizes[image], AM_POST_BILINEAR, out);
}

/* --- instances --- */

static am_status segment_instances(am_post_run *run)
{
    eomt_call call;
    am_post_painting painting = {0};
    float *chances;
    AM_TRY(read_call(run, &call));
    AM_TRY(read_sizes(run, call.queries.batch, &call));
    AM_TRY(am_post_number(run, "threshold", 0.8, &painting.threshold));
    int64_t classes = call.queries.classes - 1;
    for (int64_t b = 0; b < call.queries.batch; b++) {
        am_post_masks masks = {.count = call.queries.queries, .size = call.sizes[b]};
        AM_TRY(unpad(run, &call, b, &masks.masks));
        AM_TRY(am_post_class_chances(run, &call.queries, b, &chances));
        AM_TRY(am_post_float_array(run, masks.count, 1, &masks.scores));
        AM_TRY(am_post_integer_array(run, masks.count, 1, &masks.labels));
        for (int64_t i = 0; i < masks.count; i++) {
            masks.labels[i] = am_post_largest(chances + i * classes, classes);
            masks.scores[i] = chances[i * classes + masks.labels[i]];
        }
        AM_TRY(am_post_paint(run, b, &masks, &painting));
    }
    return NULL;
}

/* --- panoptic --- */

typedef struct panoptic_options {
    double threshold, mask_threshold, overlap_threshold;
    int64_t *stuff, stuff_count; /* labels whose segments become one */
} panoptic_options;

/* Masks of an image whose likeliest class is one, above the threshold: probabilities. */
static am_status keep_masks(const am_post_run *run, const eomt_call *call, const panoptic_options *options,
                            int64_t image, am_post_masks *out)
{
    const am_post_queries *q = &call->queries;
    const float *logits = am_post_floats(q->logits) + image * q->queries * q->classes;
    int64_t plane = call->sizes[image].height * call->sizes[image].width;
    float *masks, *chances;
    AM_TRY(unpad(run, call, image, &masks));
    AM_TRY(am_post_make_masks(run, q->queries, call->sizes[image], out));
    AM_TRY(am_post_float_array(run, q->classes, 1, &chances));
    for (int64_t i = 0; i < q->queries; i++, logits += q->classes, masks += plane) {
        am_post_softmax(logits, q->classes, 1, chances);
        int64_t label = am_post_largest(chances, q->classes);
        if (label == q->classes - 1 || !(chances[label] > (float)options->threshold)) continue;
        float *to = out->masks + out->count * plane;
        for (int64_t k = 0; k < plane; k++) to[k] = am_post_sigmoid(masks[k]);
        out->scores[out->count] = chances[label];
        out->labels[out->count++] = label;
    }
    return NULL;
}

static am_status likeliest_masks(const am_post_run *run, const am_post_masks *masks, int64_t **out)
{
    int64_t plane = masks->size.height * masks->size.width;
    float *weighted;
    AM_TRY(am_post_float_array(run, masks->count, plane, &weighted));
    AM_TRY(am_post_integer_array(run, plane, 1, out));
    for (int64_t i = 0; i < masks->count * plane; i++) weighted[i] = masks->scores[i / plane] * masks->masks[i];
    am_post_largest_channel(weighted, masks->count, plane, *out);
    return NULL;
}

/* check_segment_validity: whether enough of mask k is where it is the likeliest. */
static bool is_valid(const am_post_masks *masks, const int64_t *likeliest, int64_t k, const panoptic_options *options)
{
    int64_t plane = masks->size.height * masks->size.width, area = 0, original = 0, both = 0;
    const float *mask = masks->masks + k * plane;
    for (int64_t i = 0; i < plane; i++) {
        bool is_in = mask[i] >= (float)options->mask_threshold;
        original += is_in;
        area += likeliest[i] == k;
        both += is_in && likeliest[i] == k;
    }
    return both && (double)((float)area / (float)original) > options->overlap_threshold;
}

/* The id of the segment of a label of stuff_classes; -1 when there is none yet. */
static int64_t id_of_stuff(const am_post_item *item, const panoptic_options *options, int64_t label)
{
    bool is_stuff = false;
    for (int64_t i = 0; i < options->stuff_count; i++) is_stuff = is_stuff || options->stuff[i] == label;
    for (int64_t i = 0; i < item->segment_count && is_stuff; i++)
        if (item->segments[i].label_id == label) return item->segments[i].id;
    return -1;
}

static am_status give_segments(am_post_run *run, int64_t image, const am_post_masks *masks,
                               const panoptic_options *options)
{
    int64_t plane = masks->size.height * masks->size.width, *likeliest;
    am_post_item *item;
    am_tensor *map;
    AM_TRY(likeliest_masks(run, masks, &likeliest));
    AM_TRY(am_post_begin_segments(run, image, AM_I64, masks->size, -1.0, masks->count, &item, &map));
    int64_t *to = map->data;
    for (int64_t k = 0; k < masks->count; k++) {
        if (!is_valid(masks, likeliest, k, options)) continue;
        int64_t known = id_of_stuff(item, options, masks->labels[k]), id = known < 0 ? item->segment_count : known;
        for (int64_t i = 0; i < plane; i++)
            if (likeliest[i] == k && masks->masks[k * plane + i] >= (float)options->mask_threshold) to[i] = id;
        if (known >= 0) continue;
        item->segments[item->segment_count++] =
            (am_segment){.id = id, .label_id = masks->labels[k], .score = am_post_round6(masks->scores[k])};
    }
    return NULL;
}

static am_status segment_panoptic(am_post_run *run)
{
    eomt_call call;
    panoptic_options options;
    am_post_item *item;
    am_tensor *map;
    AM_TRY(read_call(run, &call));
    AM_TRY(read_sizes(run, call.queries.batch, &call));
    AM_TRY(am_post_number(run, "threshold", 0.8, &options.threshold));
    AM_TRY(am_post_number(run, "mask_threshold", 0.5, &options.mask_threshold));
    AM_TRY(am_post_number(run, "overlap_mask_area_threshold", 0.8, &options.overlap_threshold));
    AM_TRY(am_post_integers(run, "stuff_classes", &options.stuff, &options.stuff_count));
    for (int64_t b = 0; b < call.queries.batch; b++) {
        am_post_masks masks;
        AM_TRY(keep_masks(run, &call, &options, b, &masks));
        if (masks.count) AM_TRY(give_segments(run, b, &masks, &options));
        else AM_TRY(am_post_begin_segments(run, b, AM_F32, call.sizes[b], -1.0, 0, &item, &map));
    }
    return NULL;
}

/* --- semantic: parts of an image, averaged where they overlap --- */

/* One row of patch_offsets: which image, and from where to where along its longer side. */
typedef struct eomt_part {
    int64_t image, begin, end;
} eomt_part;

static am_status read_parts(const am_post_run *run, int64_t parts, int64_t images, eomt_part **out)
{
    const am_tensor *offsets;
    AM_TRY(am_post_numbers(run, "patch_offsets", 2, &offsets));
    AM_TRY(am_post_check(offsets, "patch_offsets", 0, parts));
    AM_TRY(am_post_check(offsets, "patch_offsets", 1, 3));
    *out = am_arena_array(run->scratch, (size_t)parts + 1, sizeof **out);
    if (!*out) return am_out_of_memory();
    for (int64_t i = 0; i < parts; i++) {
        eomt_part *part = &(*out)[i];
        part->image = am_load_int(offsets->dtype, offsets->data, 3 * i);
        part->begin = am_load_int(offsets->dtype, offsets->data, 3 * i + 1);
        part->end = am_load_int(offsets->dtype, offsets->data, 3 * i + 2);
        if (part->image < 0 || part->image >= images || part->begin < 0 || part->end < part->begin)
            return am_error(AM_INVALID_ARGUMENT, "patch_offsets: row %lld makes no sense", (long long)i);
    }
    return NULL;
}

/* An image under work: sums [classes, size] and how many parts each row or column has. */
typedef struct eomt_image {
    am_plane_size size;
    float *sums, *counts;
    bool is_tall; /* cut along its height */
} eomt_image;

static am_status add_part(const eomt_part *part, const float *scores, int64_t classes, am_plane_size size,
                          const eomt_image *image)
{
    int64_t side = image->is_tall ? image->size.height : image->size.width, length = part->end - part->begin;
    am_plane_size place = {image->is_tall ? length : image->size.height, image->is_tall ? image->size.width : length};
    if (part->end > side || place.height != size.height || place.width != size.width)
        return am_error(AM_INVALID_ARGUMENT,
                        "patch_offsets: %lld to %lld of %lld, but masks of %lldx%lld (height, width)",
                        (long long)part->begin, (long long)part->end, (long long)side, (long long)size.height,
                        (long long)size.width);
    int64_t top = image->is_tall ? part->begin : 0, left = image->is_tall ? 0 : part->begin;
    for (int64_t c = 0; c < classes; c++)
        for (int64_t y = 0; y < size.height; y++) {
            float *to = image->sums + (c * image->size.height + top + y) * image->size.width + left;
            for (int64_t x = 0; x < size.width; x++) to[x] += scores[(c * size.height + y) * size.width + x];
        }
    for (int64_t i = part->begin; i < part->end; i++) image->counts[i] += 1.0f;
    return NULL;
}

static void average(const eomt_image *image, int64_t classes)
{
    float *at = image->sums;
    for (int64_t c = 0; c < classes; c++)
        for (int64_t y = 0; y < image->size.height; y++)
            for (int64_t x = 0; x < image->size.width; x++, at++) {
                float count = image->counts[image->is_tall ? y : x];
                *at /= count > 1.0f ? count : 1.0f;
            }
}

static am_status merge_image(am_post_run *run, const eomt_call *call, const eomt_part *parts, int64_t number)
{
    const am_post_queries *q = &call->queries;
    int64_t classes = q->classes - 1;
    am_plane_size target = call->sizes[number];
    eomt_image image = {.size = resized_size(call, target), .is_tall = target.height > target.width};
    float *scores, *resized;
    if (image.size.height < 1 || image.size.width < 1 || image.size.height > AM_IMAGE_MAX_PIXELS / image.size.width)
        return am_error(AM_INVALID_ARGUMENT, "size: an image of that size cannot be resized to it");
    AM_TRY(am_post_float_array(run, classes, image.size.height * image.size.width, &image.sums));
    AM_TRY(am_post_float_array(run, image.size.height + image.size.width, 1, &image.counts));
    for (int64_t b = 0; b < q->batch; b++) {
        if (parts[b].image != number) continue;
        AM_TRY(am_post_class_scores(run, q, b, classes, &scores));
        AM_TRY(add_part(&parts[b], scores, classes, q->size, &image));
    }
    average(&image, classes);
    AM_TRY(am_post_resized(run, image.sums, classes, image.size, target, AM_POST_BILINEAR, &resized));
    return am_post_give_semantic(run, number, resized, classes, target);
}

static am_status segment_semantic(am_post_run *run)
{
    eomt_call call;
    eomt_part *parts = NULL;
    float *scores, *resized;
    int64_t images = (int64_t)am_json_count(am_json_get(run->options, "target_sizes"));
    AM_TRY(read_call(run, &call));
    bool is_cut = am_post_given(run, "patch_offsets");
    int64_t classes = call.queries.classes - 1;
    AM_TRY(read_sizes(run, is_cut ? images : call.queries.batch, &call));
    if (is_cut) AM_TRY(read_parts(run, call.queries.batch, images, &parts));
    for (int64_t b = 0; b < images; b++) {
        if (is_cut) {
            AM_TRY(merge_image(run, &call, parts, b));
            continue;
        }
        AM_TRY(am_post_class_scores(run, &call.queries, b, classes, &scores));
        AM_TRY(am_post_resized(run, scores, classes, call.queries.size, call.sizes[b], AM_POST_BILINEAR, &resized));
        AM_TRY(am_post_give_semantic(run, b, resized, classes, call.sizes[b]));
    }
    return NULL;
}

/* clang-format off */
static const am_post_method methods[] = {
    {"post_process_semantic_segmentation", "Eomt", segment_semantic, NULL},
    {"post_process_instance_segmentation", "Eomt", segment_instances, NULL},
    {"post_process_panoptic_segmentation", "Eomt", segment_panoptic, NULL},
    {0},
};
/* clang-format on */

const am_post_family am_post_family_eomt = {methods};
