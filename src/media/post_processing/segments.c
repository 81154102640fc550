/* Segments that do not overlap, each pixel the likeliest mask's: post_process_panoptic_segmentation, and
   post_process_instance_segmentation of the classes that do it the same way. */
#include "media/post_processing/segmentation.h"

#include <string.h>

typedef struct segment_settings {
    const char *logits, *masks;
    am_plane_size resize; /* of masks, first */
    am_post_resize_mode mode;
    bool fuses;      /* label_ids_to_fuse */
    bool takes_coco; /* return_coco_annotation */
} segment_settings;

typedef struct segment_call {
    am_post_queries queries;
    double threshold, mask_threshold, overlap_threshold;
    bool is_coco;
    int64_t *fused, fused_count; /* labels whose segments become one */
    am_plane_size *sizes;        /* or null */
} segment_call;

static am_status read_call(const am_post_run *run, segment_call *call)
{
    const segment_settings *s = run->method->settings;
    *call = (segment_call){0};
    AM_TRY(am_post_find_queries(run, s->logits, s->masks, s->resize, &call->queries));
    AM_TRY(am_post_sizes(run, "target_sizes", call->queries.batch, &call->sizes));
    AM_TRY(am_post_number(run, "threshold", 0.5, &call->threshold));
    AM_TRY(am_post_number(run, "mask_threshold", 0.5, &call->mask_threshold));
    AM_TRY(am_post_number(run, "overlap_mask_area_threshold", 0.8, &call->overlap_threshold));
    if (s->takes_coco) AM_TRY(am_post_flag(run, "return_coco_annotation", false, &call->is_coco));
    return s->fuses ? am_post_integers(run, "label_ids_to_fuse", &call->fused, &call->fused_count) : NULL;
}

/* Masks of an image that show something, with its likeliest class: masks are probabilities. */
static am_status keep_masks(const am_post_run *run, const segment_call *call, int64_t image, am_post_masks *out)
{
    const am_post_queries *q = &call->queries;
    const float *logits = am_post_floats(q->logits) + image * q->queries * q->classes, *masks;
    int64_t plane = q->size.height * q->size.width;
    float *chances;
    AM_TRY(am_post_image_masks(run, q, image, &masks));
    AM_TRY(am_post_make_masks(run, q->queries, q->size, out));
    AM_TRY(am_post_float_array(run, q->classes, 1, &chances));
    for (int64_t i = 0; i < q->queries; i++, logits += q->classes, masks += plane) {
        am_post_softmax(logits, q->classes, 1, chances);
        int64_t label = am_post_largest(chances, q->classes);
        if (label == q->classes - 1 || !(chances[label] > (float)call->threshold)) continue;
        float *to = out->masks + out->count * plane;
        for (int64_t k = 0; k < plane; k++) to[k] = am_post_sigmoid(masks[k]);
        out->scores[out->count] = chances[label];
        out->labels[out->count++] = label;
    }
    return NULL;
}

/* check_segment_validity: how much of mask k is where it is the likeliest. areas: pixels where it is. */
static bool is_valid(const am_post_masks *masks, int64_t k, int64_t area, const segment_call *call)
{
    int64_t plane = masks->size.height * masks->size.width, original = 0;
    const float *mask = masks->masks + k * plane;
    for (int64_t i = 0; i < plane; i++) original += mask[i] >= (float)call->mask_threshold;
    if (!area || !original) return false;
    return (double)((float)area / (float)original) > call->overlap_threshold;
}

static bool is_fused(const segment_call *call, int64_t label)
{
    for (int64_t i = 0; i < call->fused_count; i++)
        if (call->fused[i] == label) return true;
    return false;
}

/* The id of the first segment of a label that is fused; 0 when there is none yet. */
static int64_t id_of_label(const am_post_item *item, int64_t label)
{
    for (int64_t i = 0; i < item->segment_count; i++)
        if (item->segments[i].was_fused && item->segments[i].label_id == label) return item->segments[i].id;
    return 0;
}

static void paint_segments(const am_post_masks *masks, const segment_call *call, const int64_t *likeliest,
                           const int64_t *areas, am_post_item *item, int32_t *map)
{
    int64_t plane = masks->size.height * masks->size.width, current = 0;
    for (int64_t k = 0; k < masks->count; k++) {
        if (!is_valid(masks, k, areas[k], call)) continue;
        bool fuses = is_fused(call, masks->labels[k]);
        int64_t known = fuses ? id_of_label(item, masks->labels[k]) : 0;
        current = known ? known : current + 1;
        for (int64_t i = 0; i < plane; i++)
            if (likeliest[i] == k) map[i] = (int32_t)current;
        item->segments[item->segment_count++] = (am_segment){.id = current,
                                                             .label_id = masks->labels[k],
                                                             .says_fused = true,
                                                             .was_fused = fuses,
                                                             .score = am_post_round6(masks->scores[k])};
    }
}

/* compute_segments. */
static am_status give_segments(am_post_run *run, const segment_call *call, int64_t image, am_post_masks *masks)
{
    const segment_settings *s = run->method->settings;
    const am_plane_size *size = call->sizes ? &call->sizes[image] : NULL;
    int64_t *likeliest, *areas;
    am_post_item *item;
    am_tensor *map;
    if (size) {
        AM_TRY(am_post_resized(run, masks->masks, masks->count, masks->size, *size, s->mode, &masks->masks));
        masks->size = *size;
    }
    int64_t plane = masks->size.height * masks->size.width;
    for (int64_t i = 0; i < masks->count * plane; i++) masks->masks[i] *= masks->scores[i / plane];
    AM_TRY(am_post_integer_array(run, plane, 1, &likeliest));
    AM_TRY(am_post_integer_array(run, masks->count, 1, &areas));
    am_post_largest_channel(masks->masks, masks->count, plane, likeliest);
    for (int64_t i = 0; i < plane; i++) areas[likeliest[i]]++;
    AM_TRY(am_post_begin_segments(run, image, AM_I32, masks->size, 0.0, masks->count, &item, &map));
    paint_segments(masks, call, likeliest, areas, item, map->data);
    return call->is_coco ? am_post_map_to_runs(run, item) : NULL;
}

static am_status give_none(am_post_run *run, const segment_call *call, int64_t image, am_plane_size size)
{
    am_post_item *item;
    am_tensor *map;
    return am_post_begin_segments(run, image, AM_F32, call->sizes ? call->sizes[image] : size, -1.0, 0, &item, &map);
}

static am_status segment(am_post_run *run)
{
    segment_call call;
    am_post_masks masks;
    AM_TRY(read_call(run, &call));
    for (int64_t b = 0; b < call.queries.batch; b++) {
        AM_TRY(keep_masks(run, &call, b, &masks));
        if (masks.count) AM_TRY(give_segments(run, &call, b, &masks));
        else AM_TRY(give_none(run, &call, b, call.queries.size));
    }
    return NULL;
}

/* --- OneFormer's instances: the best of all queries and classes, masks as logits --- */

/* metadata.thing_ids of the settings. */
static am_status read_things(const am_post_run *run, int64_t **out, int64_t *count)
{
    am_json things = am_json_get(am_image_setting(run->processor, "metadata"), "thing_ids");
    if (am_json_kind_of(things) != AM_JSON_ARRAY)
        return am_error(AM_INVALID_ARGUMENT, "the processor's metadata has no thing_ids, which this asks for");
    *count = 0;
    AM_TRY(am_post_integer_array(run, (int64_t)am_json_count(things), 1, out));
    for (am_json_iterator i = am_json_iterate(things); am_json_next(&i);) (*out)[(*count)++] = am_json_int(i.value, -1);
    return NULL;
}

static int64_t index_of(const int64_t *list, int64_t count, int64_t value)
{
    int64_t i = 0;
    while (i < count && list[i] != value) i++;
    return i < count ? i : -1;
}

typedef struct instance_options {
    bool is_demo;       /* only what is above the threshold */
    bool is_panoptic;   /* only labels that are things */
    bool counts_things; /* labels are places among the things */
    int64_t *things, thing_count;
} instance_options;

static am_status read_instance_options(const am_post_run *run, instance_options *out)
{
    am_json task = am_json_get(run->options, "task_type");
    const char *type = am_json_kind_of(task) == AM_JSON_STRING ? am_json_text(task).bytes : "instance";
    bool is_ade20k = strstr(am_json_text(am_image_setting(run->processor, "class_info_file")).bytes, "ade20k");
    *out = (instance_options){.is_panoptic = strcmp(type, "panoptic") == 0};
    AM_TRY(am_post_flag(run, "is_demo", true, &out->is_demo));
    out->counts_things = is_ade20k && !out->is_demo && strstr(type, "instance");
    return out->is_panoptic || out->counts_things ? read_things(run, &out->things, &out->thing_count) : NULL;
}

static am_status keep_instances(const am_post_run *run, const segment_call *call, const instance_options *options,
                                int64_t image, am_post_masks *out)
{
    const am_post_queries *q = &call->queries;
    am_post_ranking ranking;
    AM_TRY(am_post_rank(run, q, image, &ranking, out));
    for (int64_t i = 0; i < q->queries; i++) {
        float score = ranking.scores[ranking.order[i]];
        int64_t label = ranking.order[i] % ranking.classes,
                thing = index_of(options->things, options->thing_count, label);
        if (options->is_demo && !(score > (float)call->threshold)) continue;
        if (options->is_panoptic && thing < 0) continue;
        if (options->counts_things && thing < 0)
            return am_error(AM_INVALID_ARGUMENT, "label %lld is none of thing_ids", (long long)label);
        am_post_take(&ranking, i, options->counts_things ? thing : label, out);
    }
    return NULL;
}

static am_status segment_instances(am_post_run *run)
{
    segment_call call;
    instance_options options;
    am_post_masks masks;
    AM_TRY(read_call(run, &call));
    AM_TRY(read_instance_options(run, &options));
    for (int64_t b = 0; b < call.queries.batch; b++) {
        AM_TRY(keep_instances(run, &call, &options, b, &masks));
        if (masks.count) AM_TRY(give_segments(run, &call, b, &masks));
        else AM_TRY(give_none(run, &call, b, call.queries.size));
    }
    return NULL;
}

#define INSTANCES "post_process_instance_segmentation"
#define PANOPTIC  "post_process_panoptic_segmentation"

/* clang-format off */
static const am_post_method methods[] = {
    {INSTANCES, "ConditionalDetr Detr", segment,
     &(segment_settings){"logits", "pred_masks", .mode = AM_POST_BILINEAR, .takes_coco = true}},
    {PANOPTIC, "ConditionalDetr Detr", segment,
     &(segment_settings){"logits", "pred_masks", .mode = AM_POST_BILINEAR, .fuses = true}},
    {PANOPTIC, "MaskFormer", segment,
     &(segment_settings){"class_queries_logits", "masks_queries_logits", .mode = AM_POST_BILINEAR, .fuses = true}},
    {PANOPTIC, "Mask2Former", segment,
     &(segment_settings){"class_queries_logits", "masks_queries_logits", .resize = {384, 384}, .mode = AM_POST_BILINEAR,
                         .fuses = true}},
    {PANOPTIC, "OneFormer", segment,
     &(segment_settings){"class_queries_logits", "masks_queries_logits", .mode = AM_POST_ANTIALIASED, .fuses = true}},
    {INSTANCES, "OneFormer", segment_instances,
     &(segment_settings){"class_queries_logits", "masks_queries_logits", .mode = AM_POST_ANTIALIASED, .takes_coco = true}},
    {0},
};
/* clang-format on */

const am_post_family am_post_family_segments = {methods};
