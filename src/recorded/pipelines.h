/* What pipelines*.c share: recorded cases of what tasks make of what a model said. */
#ifndef AM_RECORDED_PIPELINES_H
#define AM_RECORDED_PIPELINES_H

#include "base/arena.h"
#include "recorded/case.h"
#include "text/tokenizer.h"

/* A line, with the tokenizer that it names (tokenizers/NAME beside the folder). */
typedef struct am_pipeline_case {
    am_json line, kwargs;
    const am_tokenizer *tokenizer;
    const char *tokenizer_directory;
    am_json_document *config; /* null until asked for */
    am_arena arena;
} am_pipeline_case;

/* {"prng", "shape", "lo", "hi"}: seeded numbers of `rank` dimensions in single precision, in the arena. */
am_status am_pipeline_numbers(am_pipeline_case *c, am_json recipe, int rank, am_tensor *out) AM_NODISCARD;

/* A config.json as the case has it: labels, problem_type, model_type. */
am_status am_pipeline_case_config(am_pipeline_case *c, am_json *out) AM_NODISCARD;

/* The tasks: each appends what it answers to the case, as JSON. */
am_status am_pipeline_ctc(am_pipeline_case *c, am_buffer *out) AM_NODISCARD;
am_status am_pipeline_ctc_beams(am_pipeline_case *c, am_buffer *out) AM_NODISCARD;
am_status am_pipeline_whisper(am_pipeline_case *c, am_buffer *out) AM_NODISCARD;
am_status am_pipeline_whisper_tokens(am_pipeline_case *c, am_buffer *out) AM_NODISCARD;
am_status am_pipeline_whisper_normal_forms(am_pipeline_case *c, am_buffer *out) AM_NODISCARD;
am_status am_pipeline_text_classes(am_pipeline_case *c, am_buffer *out) AM_NODISCARD;
am_status am_pipeline_image_classes(am_pipeline_case *c, am_buffer *out) AM_NODISCARD;
am_status am_pipeline_sound_classes(am_pipeline_case *c, am_buffer *out) AM_NODISCARD;
am_status am_pipeline_video_classes(am_pipeline_case *c, am_buffer *out) AM_NODISCARD;
am_status am_pipeline_entailments(am_pipeline_case *c, am_buffer *out) AM_NODISCARD;
am_status am_pipeline_image_labels(am_pipeline_case *c, am_buffer *out) AM_NODISCARD;
am_status am_pipeline_sound_labels(am_pipeline_case *c, am_buffer *out) AM_NODISCARD;
am_status am_pipeline_entities(am_pipeline_case *c, am_buffer *out) AM_NODISCARD;
am_status am_pipeline_masks(am_pipeline_case *c, am_buffer *out) AM_NODISCARD;
am_status am_pipeline_generated_text(am_pipeline_case *c, am_buffer *out) AM_NODISCARD;
am_status am_pipeline_boxes(am_pipeline_case *c, am_buffer *out) AM_NODISCARD;
am_status am_pipeline_segments(am_pipeline_case *c, am_buffer *out) AM_NODISCARD;
am_status am_pipeline_depth(am_pipeline_case *c, am_buffer *out) AM_NODISCARD;
am_status am_pipeline_spans(am_pipeline_case *c, am_buffer *out) AM_NODISCARD;

#endif
