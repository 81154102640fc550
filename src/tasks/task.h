/* A pipeline task: src/tasks/<task with _>.c exports `const am_task am_task_<file> = {...}`. */
#ifndef AM_TASKS_TASK_H
#define AM_TASKS_TASK_H

#include "media/feature_extractor.h"
#include "tasks/pipeline.h"

#include <anymodel/input.h>

struct am_audio;
struct am_image;
struct am_encoding;
struct am_image;
struct am_tokenizer;

typedef struct am_task {
    const char *name;       /* as transformers: "fill-mask" */
    const char *input;      /* "text", "text pair", "question and context", "image", "sound", "video" */
    const char *summary;    /* one sentence */
    const char *parameters; /* of options: "top_k, targets"; "" when there are none */
    /* Appends the answer for one input as JSON. options: an object or MISSING. */
    am_status (*run)(am_pipeline *p, const am_task_input *input, am_json options, am_buffer *out);
} am_task;

/* All tasks, generated from the folder; ends with null. */
extern const am_task *const am_task_registry[];

/* The task of that name, or null. */
const am_task *am_task_find(const char *name);

/* --- what tasks share --- */

typedef struct am_score {
    int64_t id;
    double score;
} am_score;

/* Softmax (or sigmoid) of count logits into scores sorted best first, at most top_k (0: all). Room for
 * `count`. Returns how many. */
int64_t am_scores_softmax(const float *logits, int64_t count, int64_t top_k, am_score *out);
int64_t am_scores_sigmoid(const float *logits, int64_t count, int64_t top_k, am_score *out);

/* Appends a number with as many digits as it takes to read the same double (or, narrow, float) back. */
void am_append_real(am_buffer *out, double value);
void am_append_float(am_buffer *out, float value);

/* Fails unless the field that the task needs is there. */
am_status am_need_text(const am_task_input *input) AM_NODISCARD;
am_status am_need_media(const am_task_input *input, const char *what) AM_NODISCARD;

/* A text as the inputs of a session, all in one arena. */
typedef struct am_text_inputs {
    am_session_input inputs[3];
    int count;
    int64_t length;
    int32_t *ids;
} am_text_inputs;

/* A text (and pair) as the model's inputs input_ids, attention_mask and, where its tokenizer makes them,
   token_type_ids: [1, T] in the arena. Truncated to the context when `truncate`, else too long a text is
   AM_OUT_OF_RANGE. */
am_status am_encode_text(am_pipeline *p, am_arena *arena, const char *text, const char *pair, bool truncate,
                         am_text_inputs *out) AM_NODISCARD;

/* Encodings of one length as inputs [count, T]. */
am_status am_inputs_of_encodings(const struct am_tokenizer *tokenizer, am_arena *arena,
                                 const struct am_encoding *encodings, int64_t count, am_text_inputs *out) AM_NODISCARD;

/* AM_OUT_OF_RANGE, naming both numbers, when the model takes fewer tokens than `length`. */
am_status am_check_length(am_pipeline *p, int64_t length) AM_NODISCARD;

/* The input image as pixel_values, the input sound as input_values or input_features (and attention_mask):
 * tensors owned by the result. */
typedef struct am_media_inputs {
    am_session_input inputs[AM_FEATURES_LIMIT];
    int count;
    void *owned[AM_FEATURES_LIMIT]; /* freed by am_media_inputs_deinit */
} am_media_inputs;

/* The image of the input; freed with am_image_deinit. */
am_status am_open_image(const am_task_input *input, struct am_image *out) AM_NODISCARD;

/* What the image processor and the feature extractor make of the input; AM_INVALID_ARGUMENT where it holds none. */
am_status am_load_image(am_pipeline *p, const am_task_input *input, am_media_inputs *out) AM_NODISCARD;
am_status am_load_sound(am_pipeline *p, const am_task_input *input, am_media_inputs *out) AM_NODISCARD;

/* What the model takes of an image. */
am_status am_image_to_inputs(am_pipeline *p, const struct am_image *image, am_media_inputs *out) AM_NODISCARD;

/* The two halves of am_load_sound. samples: mono at the feature extractor's rate, freed with am_audio_deinit; options
   may be null. */
am_status am_load_samples(am_pipeline *p, const am_task_input *input, struct am_audio *samples) AM_NODISCARD;
am_status am_sound_inputs(am_pipeline *p, const struct am_audio *samples, const struct am_feature_options *options,
                          am_media_inputs *out) AM_NODISCARD;
void am_media_inputs_deinit(am_media_inputs *m);

/* Runs the model and finds an output; AM_UNSUPPORTED "class X gives no NAME" when it is not there.
   token_type_ids that the class does not read are left out, as transformers passes over them. */
am_status am_run_for_output(am_pipeline *p, const am_session_input *inputs, int count, const char *name,
                            am_tensor *out) AM_NODISCARD;

/* The same for the output logits of scores for labels, of each input: [B, labels] (rank 2), or of each token: [B, T,
   labels] (rank 3). AM_UNSUPPORTED where the class gives others. */
am_status am_run_for_labels(am_pipeline *p, const am_session_input *inputs, int count, int rank,
                            am_tensor *out) AM_NODISCARD;

/* The same of the class without a head (am_pipeline_base); name null: its first output. */
am_status am_run_base(am_pipeline *p, const am_session_input *inputs, int count, const char *name,
                      am_tensor *out) AM_NODISCARD;

/* Appends a tensor as nested arrays. */
void am_append_tensor(am_buffer *out, const am_tensor *x);

/* --- options --- */

/* Fails unless the option, where it is given and not null, is of that kind (a whole number: AM_JSON_INTEGER).
 */
am_status am_check_option(am_json options, const char *name, am_json_kind kind) AM_NODISCARD;

/* top_k of the options, `fallback` (0: all) when absent or null; at least 1, and at most `count` comes out. */
am_status am_option_top_k(am_json options, int64_t fallback, int64_t count, int64_t *out) AM_NODISCARD;

/* A text option in the arena, or the fallback. */
am_status am_option_text(am_json options, const char *name, am_arena *arena, const char *fallback,
                         const char **out) AM_NODISCARD;

/* A list of texts: an array of strings, or one string, cut at commas when `commas`. Fails when it is missing
 * or empty. */
typedef struct am_texts {
    const char **items; /* in the arena */
    int64_t count;
} am_texts;

am_status am_option_texts(am_json options, const char *name, bool commas, am_arena *arena, am_texts *out) AM_NODISCARD;

/* hypothesis_template as Python's str.format fills it, in the arena: {} or {0} is the label, {{ and }} are braces.
   Fails when it has no place for the label, or others. */
am_status am_fill_template(const char *pattern, const char *label, am_arena *arena, const char **out) AM_NODISCARD;

/* In what the classification pipelines differ. */
typedef struct am_classification {
    int64_t top_k;       /* when none is given; 0: all */
    bool one_is_softmax; /* the score of a single label, which is a sigmoid else */
    bool is_bare;        /* the first answer alone instead of a list */
} am_classification;

extern const am_classification am_image_classes, am_sound_classes, am_video_classes;

/* Of text-classification: one answer, bare for a pair, unless the options have a top_k. */
am_classification am_text_classes(am_json options, bool is_pair);

/* Classification of one row of logits ([1, labels]) as the pipelines do it: function_to_apply, else what
   problem_type of config.json and the number of labels say; top_k. */
am_status am_append_classification(am_json config, const am_tensor *logits, am_json options,
                                   const am_classification *kind, am_buffer *out) AM_NODISCARD;

#endif
