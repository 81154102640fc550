/* The class of each pixel: post_process_semantic_segmentation. */
#include "media/post_processing/segmentation.h"

#include "tensor/shape.h"

#include <string.h>

typedef struct semantic_settings {
    const char *logits, *masks;    /* masks null: logits are [batch, classes, height, width] */
    bool keeps_last;               /* the last class of a query counts too */
    am_plane_size resize;          /* of masks, first */
    am_post_resize_mode mode, pil; /* of the scores to the target size, with each backend */
} semantic_settings;

am_status am_post_give_semantic(am_post_run *run, int64_t image, const float *scores, int64_t channels,
                                am_plane_size size)
{
    am_post_item *item;
    am_tensor *map, *kept;
    bool with_scores;
    am_shape shape = am_shape_of(size.height, size.width), full = am_shape_of(channels, size.height, size.width);
    AM_TRY(am_post_flag(run, "return_segmentation_scores", false, &with_scores));
    AM_TRY(am_post_add(run, image, &item));
    AM_TRY(am_post_add_field(run, item, "segmentation", AM_I64, &shape, &map));
    am_post_largest_channel(scores, channels, size.height * size.width, map->data);
    run->results->is_bare = !with_scores;
    if (!with_scores) return NULL;
    AM_TRY(am_post_add_field(run, item, "segmentation_scores", AM_F32, &full, &kept));
    memcpy(kept->data, scores, (size_t)am_shape_count(&full) * sizeof *scores);
    return NULL;
}

static am_status give(am_post_run *run, int64_t image, const float *scores, int64_t channels, am_plane_size from,
                      const am_plane_size *to)
{
    const semantic_settings *s = run->method->settings;
    bool is_pil = am_image_processor_backend(run->processor) == AM_IMAGE_PIL;
    float *resized;
    if (!to) return am_post_give_semantic(run, image, scores, channels, from);
    AM_TRY(am_post_resized(run, scores, channels, from, *to, is_pil ? s->pil : s->mode, &resized));
    return am_post_give_semantic(run, image, resized, channels, *to);
}

static am_status segment_logits(am_post_run *run)
{
    const semantic_settings *s = run->method->settings;
    const am_tensor *logits;
    am_plane_size *sizes;
    AM_TRY(am_post_tensor(run, am_post_given(run, s->logits) ? s->logits : "logits", 4, &logits));
    const int64_t *dims = logits->shape.dims;
    if (dims[1] < 1 || dims[2] < 1 || dims[3] < 1)
        return am_error(AM_INVALID_ARGUMENT, "%s: expected classes and pixels", s->logits);
    AM_TRY(am_post_sizes(run, "target_sizes", dims[0], &sizes));
    for (int64_t b = 0; b < dims[0]; b++)
        AM_TRY(give(run, b, am_post_floats(logits) + b * dims[1] * dims[2] * dims[3], dims[1],
                    (am_plane_size){dims[2], dims[3]}, sizes ? &sizes[b] : NULL));
    return NULL;
}

am_status am_post_class_scores(const am_post_run *run, const am_post_queries *q, int64_t image, int64_t classes,
                               float **out)
{
    const float *logits = am_post_floats(q->logits) + image * q->queries * q->classes, *masks;
    int64_t plane = q->size.height * q->size.width;
    float *chances, *line;
    AM_TRY(am_post_image_masks(run, q, image, &masks));
    AM_TRY(am_post_float_array(run, q->classes, 1, &chances));
    AM_TRY(am_post_float_array(run, plane, 1, &line));
    AM_TRY(am_post_float_array(run, classes, plane, out));
    for (int64_t i = 0; i < q->queries; i++, logits += q->classes, masks += plane) {
        am_post_softmax(logits, q->classes, 1, chances);
        for (int64_t k = 0; k < plane; k++) line[k] = am_post_sigmoid(masks[k]);
        for (int64_t c = 0; c < classes; c++)
            for (int64_t k = 0; k < plane; k++) (*out)[c * plane + k] += chances[c] * line[k];
    }
    return NULL;
}

static am_status segment_queries(am_post_run *run)
{
    const semantic_settings *s = run->method->settings;
    am_post_queries q;
    am_plane_size *sizes;
    float *scores;
    AM_TRY(am_post_find_queries(run, s->logits, s->masks, s->resize, &q));
    AM_TRY(am_post_sizes(run, "target_sizes", q.batch, &sizes));
    int64_t classes = q.classes - (s->keeps_last ? 0 : 1);
    for (int64_t b = 0; b < q.batch; b++) {
        AM_TRY(am_post_class_scores(run, &q, b, classes, &scores));
        AM_TRY(give(run, b, scores, classes, q.size, sizes ? &sizes[b] : NULL));
    }
    return NULL;
}

#define NAME "post_process_semantic_segmentation"

/* clang-format off */
static const am_post_method methods[] = {
    {NAME, "Beit CHMv2 DPT MobileNetV2 MobileViT Sapiens2 Segformer", segment_logits,
     &(semantic_settings){.logits = "logits", .mode = AM_POST_BILINEAR, .pil = AM_POST_BILINEAR}},
    {NAME, "Tipsv2Dpt", segment_logits,
     &(semantic_settings){.logits = "segmentation_logits", .mode = AM_POST_BILINEAR, .pil = AM_POST_BILINEAR}},
    {NAME, "Detr", segment_queries,
     &(semantic_settings){"logits", "pred_masks", .mode = AM_POST_BILINEAR, .pil = AM_POST_BILINEAR}},
    {NAME, "ConditionalDetr", segment_queries,
     &(semantic_settings){"logits", "pred_masks", .keeps_last = true, .mode = AM_POST_BILINEAR, .pil = AM_POST_BILINEAR}},
    {NAME, "MaskFormer", segment_queries,
     &(semantic_settings){"class_queries_logits", "masks_queries_logits", .mode = AM_POST_BILINEAR, .pil = AM_POST_BILINEAR}},
    {NAME, "Mask2Former", segment_queries,
     &(semantic_settings){"class_queries_logits", "masks_queries_logits", .resize = {384, 384}, .mode = AM_POST_BILINEAR,
                          .pil = AM_POST_BILINEAR}},
    {NAME, "OneFormer", segment_queries,
     &(semantic_settings){"class_queries_logits", "masks_queries_logits", .mode = AM_POST_ANTIALIASED, .pil = AM_POST_BILINEAR}},
    {0},
};
/* clang-format on */

const am_post_family am_post_family_semantic = {methods};
