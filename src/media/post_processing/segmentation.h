/* What the segmentation methods share. */
#ifndef AM_MEDIA_POST_PROCESSING_SEGMENTATION_H
#define AM_MEDIA_POST_PROCESSING_SEGMENTATION_H

#include "media/images/processor.h"
#include "media/post_processing/methods.h"
#include "media/post_processing/values.h"

/* Resizes into scratch, x: [channels, from.height, from.width]. */
am_status am_post_resized(const am_post_run *run, const float *x, int64_t channels, am_plane_size from,
                          am_plane_size to, am_post_resize_mode mode, float **out) AM_NODISCARD;

/* Outputs of a model that finds masks by queries, of the names that its class gives them. */
typedef struct am_post_queries {
    const am_tensor *logits, *masks; /* [batch, queries, classes], [batch, queries, height, width] */
    int64_t batch, queries, classes; /* the last class is none */
    am_plane_size size;              /* of the masks; after resizing, below */
    am_plane_size resize;            /* what each image's masks are resized to first; 0: nothing */
} am_post_queries;

/* Finds them under these names. Fails with AM_INVALID_ARGUMENT when they are not there or do not fit each other. */
am_status am_post_find_queries(const am_post_run *run, const char *logits, const char *masks, am_plane_size resize,
                               am_post_queries *out) AM_NODISCARD;

/* Mask logits of an image, [queries, size.height, size.width], resized in scratch where that is asked for. */
am_status am_post_image_masks(const am_post_run *run, const am_post_queries *queries, int64_t image,
                              const float **out) AM_NODISCARD;

/* Softmax of an image's queries without the last class: [queries, classes - 1] in scratch. */
am_status am_post_class_chances(const am_post_run *run, const am_post_queries *queries, int64_t image,
                                float **out) AM_NODISCARD;

/* What a query says of a class times what it says of a pixel, summed over the queries, for the first `classes`:
   [classes, size.height, size.width] in scratch. */
am_status am_post_class_scores(const am_post_run *run, const am_post_queries *queries, int64_t image, int64_t classes,
                               float **out) AM_NODISCARD;

/* The answer of a semantic segmentation: the channel with the largest of scores, [channels, height, width], and the
   scores where return_segmentation_scores asks for them. */
am_status am_post_give_semantic(am_post_run *run, int64_t image, const float *scores, int64_t channels,
                                am_plane_size size) AM_NODISCARD;

/* Masks of an image with what they show; all in scratch. */
typedef struct am_post_masks {
    float *masks, *scores; /* [count, height, width], [count] */
    int64_t *labels;
    int64_t count;
    am_plane_size size;
} am_post_masks;

am_status am_post_make_masks(const am_post_run *run, int64_t room, am_plane_size size, am_post_masks *out) AM_NODISCARD;

/* The best of all queries and classes, as many as there are queries. */
typedef struct am_post_ranking {
    const float *masks;  /* of the queries, [queries, height, width] */
    const float *scores; /* [queries, classes] */
    int64_t *order;      /* [queries]: their places in scores */
    int64_t classes;
} am_post_ranking;

/* Ranks the queries of an image, and makes room for the mask of each in *out, which holds none yet. */
am_status am_post_rank(const am_post_run *run, const am_post_queries *queries, int64_t image, am_post_ranking *ranking,
                       am_post_masks *out) AM_NODISCARD;

/* Adds the i-th of order under that label. */
void am_post_take(const am_post_ranking *ranking, int64_t i, int64_t label, am_post_masks *out);

/* Begins the answer {"segmentation": .., "segments_info": [..]} with a map of that type, filled with `fill`, and room
   for segments. *map is to be painted. */
am_status am_post_begin_segments(am_post_run *run, int64_t image, am_dtype dtype, am_plane_size size, double fill,
                                 int64_t room, am_post_item **item, am_tensor **map) AM_NODISCARD;

/* Puts run lengths of each value of the map, the lowest first, in place of it. */
am_status am_post_map_to_runs(am_post_run *run, am_post_item *item) AM_NODISCARD;

/* Masks that are 1 above 0 of the logits, painted over each other where their class's score times the mean
   probability in the mask is at least the threshold. */
typedef struct am_post_painting {
    double threshold;
    bool says_fused, gives_runs, gives_masks;
    const am_plane_size *size; /* what the binary masks are resized to ("nearest"); null: not */
} am_post_painting;

/* The answer of that for an image; masks are logits, and are changed. */
am_status am_post_paint(am_post_run *run, int64_t image, const am_post_masks *masks,
                        const am_post_painting *painting) AM_NODISCARD;

#endif
