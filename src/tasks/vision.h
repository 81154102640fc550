/* What the pipelines of image models make of outputs: boxes, masks, depths, pictures, as JSON and drawn. */
#ifndef AM_TASKS_VISION_H
#define AM_TASKS_VISION_H

#include "media/image_processor.h"
#include "tasks/task.h"

/* A model's outputs for one image. */
typedef struct am_vision_outputs {
    const struct am_image_processor *processor;
    const am_media_tensors *tensors; /* by the names that transformers has for them; a batch of 1 */
    am_json config;                  /* config.json, for id2label */
    am_plane_size size;              /* of the image */
    am_json options;                 /* the task's parameters */
    am_image *picture;               /* a copy of the image, to be drawn on or replaced; null: no picture is wanted */
} am_vision_outputs;

/* Append the answers. What is drawn has a "color" of its own in the answer ("#00ff7f").
     detections: [{"score", "label", "box": {"xmin", "ymin", "xmax", "ymax"}}]; parameter threshold
     segments:   [{"score", "label", "mask"}]; subtask ("panoptic", "instance", "semantic": what the class can, in this
                 order), threshold, mask_threshold, overlap_mask_area_threshold. A mask is {"size": [height, width],
                 "counts": [...]}: lengths of runs of 0 and 1 in turn, column by column, as COCO has them
     depth:      {"predicted_depth": [[...]]}; the picture is as bright as it is far
     picture:    {"size": [height, width]}; the output "reconstruction" is the picture, as in transformers 4
   Fail with AM_UNSUPPORTED where the processor's class cannot do that, AM_INVALID_ARGUMENT for wrong parameters. */
am_status am_append_detections(const am_vision_outputs *outputs, am_buffer *out) AM_NODISCARD;
am_status am_append_segments(const am_vision_outputs *outputs, am_buffer *out) AM_NODISCARD;
am_status am_append_depth(const am_vision_outputs *outputs, am_buffer *out) AM_NODISCARD;
am_status am_append_reconstruction(const am_vision_outputs *outputs, am_buffer *out) AM_NODISCARD;

/* Runs the model on the input image, appends the answer, and writes the picture as PNG where the parameter `output`
   names a file. */
am_status am_run_vision(am_pipeline *p, const am_task_input *input, am_json options,
                        am_status (*append)(const am_vision_outputs *outputs, am_buffer *out),
                        am_buffer *out) AM_NODISCARD;

#endif
