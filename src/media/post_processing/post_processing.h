/* The post_process_* methods of transformers' image processors: from what a vision model gave to boxes, masks, depths
   and keypoints. */
#ifndef AM_MEDIA_POST_PROCESSING_POST_PROCESSING_H
#define AM_MEDIA_POST_PROCESSING_POST_PROCESSING_H

#include "base/arena.h"
#include "base/json.h"
#include "media/image_processor.h"
#include "media/media_tensors.h"

/* An entry of segments_info. */
typedef struct am_segment {
    int64_t id, label_id;
    bool says_fused, was_fused; /* whether the class has a was_fused */
    double score;               /* rounded to 6 decimals */
} am_segment;

enum { AM_POST_FIELDS = 5 };

/* An entry of an answer's dict: a tensor, a list of them, or, with no tensors and no list, None. Run lengths are i64:
   where each run begins and how long it is; of SAM's masks height, width, then the lengths. A text is UTF-8 as u8. In a
   list, a tensor without data is None. */
typedef struct am_post_field {
    const char *name;
    am_tensor *tensors; /* [count] */
    int64_t count;
    bool is_list;
} am_post_field;

/* The answer for an image, or for a person in it. */
typedef struct am_post_item {
    am_post_field fields[AM_POST_FIELDS];
    int field_count;
    bool has_segments; /* "segments_info" */
    am_segment *segments;
    int64_t segment_count;
    int64_t image; /* which image of the batch, from 0 */
} am_post_item;

/* All of it lies in the arena; {0} holds nothing. */
typedef struct am_post_results {
    am_post_item *items;
    int64_t count, room;
    bool is_bare;   /* each item is its one field, not a dict */
    bool is_nested; /* items of one image make a list */
    am_arena arena;
} am_post_results;

/* Calls a method of the processor's class ("post_process_object_detection", "filter_masks"). `outputs` are what the
   model gave, by the names that transformers has for them, and what the method takes beside them; `options` the
   arguments of the call by their names, sizes as [[height, width], ...], or MISSING. *out is deinited also after a
   failure. Fails with AM_UNSUPPORTED where the class has no such method, AM_INVALID_ARGUMENT for outputs or options
   that do not fit. */
am_status am_post_process(const am_image_processor *processor, const char *method, const am_media_tensors *outputs,
                          am_json options, am_post_results *out) AM_NODISCARD;
void am_post_results_deinit(am_post_results *results);

/* Whether the class has that method. */
bool am_post_process_exists(const am_image_processor *processor, const char *method);

/* The field of that name; null when there is none or it is None. */
const am_post_field *am_post_find(const am_post_item *item, const char *name);

#endif
