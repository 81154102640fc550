/* An opened model with what turns text, images and sounds into its inputs and its outputs into answers. Parts
   are opened when a task first asks for them. */
#ifndef AM_TASKS_PIPELINE_H
#define AM_TASKS_PIPELINE_H

#include "base/json.h"
#include "runtime/generate.h"
#include "runtime/session.h"

struct am_tokenizer;
struct am_image_processor;
struct am_feature_extractor;
struct am_chat_template;
struct am_processor;
struct am_video_processor;

typedef struct am_pipeline {
    am_session_options options; /* of both sessions */
    am_loaded_model *model;
    am_session *session;
    am_loaded_model *base_model; /* see am_pipeline_base; null until asked for, and when `model` is it */
    am_session *base_session;
    const char *directory;
    bool tokenizer_as_file; /* see AM_TOKENIZER_FILE */
    struct am_tokenizer *tokenizer;
    struct am_image_processor *image_processor;
    struct am_video_processor *video_processor;
    struct am_feature_extractor *feature_extractor;
    struct am_chat_template *chat_template;
    struct am_processor *processor;
} am_pipeline;

/* Opens a model directory. `choice` null: what config.json says; `options`, of its sessions, null: the cpu. Closed with
   am_pipeline_close. */
am_status am_pipeline_open(const char *directory, const am_class_choice *choice, const am_session_options *options,
                           am_pipeline **out) AM_NODISCARD;
void am_pipeline_close(am_pipeline *p);

/* The parts; borrowed. Fail when the directory lacks their files. */
am_status am_pipeline_tokenizer(am_pipeline *p, struct am_tokenizer **out) AM_NODISCARD;
am_status am_pipeline_image_processor(am_pipeline *p, struct am_image_processor **out) AM_NODISCARD;
am_status am_pipeline_video_processor(am_pipeline *p, struct am_video_processor **out) AM_NODISCARD;
am_status am_pipeline_feature_extractor(am_pipeline *p, struct am_feature_extractor **out) AM_NODISCARD;
am_status am_pipeline_chat_template(am_pipeline *p, struct am_chat_template **out) AM_NODISCARD;
am_status am_pipeline_processor(am_pipeline *p, struct am_processor **out) AM_NODISCARD;

/* A session of the class that transformers' AutoModel takes for this directory (BertModel where config.json
   names BertForMaskedLM): what gives features. Borrowed. */
am_status am_pipeline_base(am_pipeline *p, am_session **out) AM_NODISCARD;

/* Label of a class by id2label of config.json ("LABEL_3" where there is none), in the arena. */
const char *am_label(am_json config, am_arena *arena, int64_t id);

/* config.json. */
const am_config *am_pipeline_config(const am_pipeline *p);

/* Most tokens that a prompt may have: tokenizer's model_max_length and max_position_embeddings (n_positions,
   max_target_positions), whichever is less; INT64_MAX when nothing limits it. */
int64_t am_pipeline_context_length(am_pipeline *p);

#endif
