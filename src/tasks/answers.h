/* What tasks make of what a model said. No model is run here: `config` is config.json, `options` those of the task. */
#ifndef AM_TASKS_ANSWERS_H
#define AM_TASKS_ANSWERS_H

#include "tasks/task.h"
#include "tasks/text_generator.h"
#include "text/tokenizer.h"

/* --- zero-shot-classification --- */

/* Logits of a text entailing a hypothesis, and of their contradicting each other. */
typedef struct am_entailment {
    float holds, contradicts;
} am_entailment;

/* Those of one row of logits, [labels]: the label that begins with "entail", else the last; and the first, or the last
   where that is the other. */
am_entailment am_entailment_of(am_json config, const float *logits, int64_t labels);

/* Appends the answer of a text for labels, each with its entailment; of options multi_label. */
am_status am_append_entailments(const char *text, const am_texts *labels, const am_entailment *found, am_json options,
                                am_arena *arena, am_buffer *out) AM_NODISCARD;

/* --- zero-shot-image-classification, zero-shot-audio-classification --- */

/* Whether a model of images judges each label apart from the others (SigLIP). */
bool am_judges_labels_apart(am_json config);

/* Appends the answer for labels by their logits; `apart`: a sigmoid of each instead of a softmax. */
am_status am_append_fitting_labels(const float *logits, const am_texts *labels, bool apart, am_arena *arena,
                                   am_buffer *out) AM_NODISCARD;

/* --- fill-mask --- */

/* Appends the proposals for each mask token among ids, which logits [1, length, vocabulary] are of; of options top_k
   and targets. */
am_status am_append_masks(const am_tokenizer *tokenizer, const int32_t *ids, int64_t length, const am_tensor *logits,
                          am_json options, am_buffer *out) AM_NODISCARD;

/* --- text-generation --- */

typedef enum am_return_type { AM_RETURN_FULL_TEXT, AM_RETURN_NEW_TEXT, AM_RETURN_TENSORS } am_return_type;

/* What is wanted of what was generated. */
typedef struct am_text_return {
    am_return_type type;
    am_decode_options decoding;
    am_json options; /* for continue_final_message */
} am_text_return;

/* Of options return_type, return_full_text, return_text, return_tensors, clean_up_tokenization_spaces,
   skip_special_tokens and continue_final_message. */
am_status am_text_return_read(am_json options, am_text_return *out) AM_NODISCARD;

/* What was to be continued: a text, or messages where that is null; ids: [length]. */
typedef struct am_text_prompt {
    const char *text;
    am_json messages;
    const int32_t *ids;
    int64_t length;
} am_text_prompt;

am_status am_append_generated(const am_tokenizer *tokenizer, const am_text_prompt *prompt, const am_text_return *wanted,
                              const am_text_answer *made, am_buffer *out) AM_NODISCARD;

/* --- token-classification --- */

/* A text that is read in windows. */
typedef struct am_entities am_entities;

/* Of options aggregation_strategy, ignore_labels, is_split_into_words (the text is a JSON list of words), delimiter and
   offset_mapping. Tokenizer, config and options must outlive *out. */
am_status am_entities_create(const am_tokenizer *tokenizer, const char *text, am_json config, am_json options,
                             am_entities **out) AM_NODISCARD;
void am_entities_destroy(am_entities *entities);

/* tokenizer(text), or of its words. */
am_status am_entities_encode(const am_entities *entities, const am_encode_options *options,
                             am_encoding *out) AM_NODISCARD;

/* Finds entities in a window of the encoded text, which logits [1, length, labels] are of. */
am_status am_entities_add(am_entities *entities, const am_encoding *window, const am_tensor *logits) AM_NODISCARD;

/* Appends what was found; of entities of several windows that overlap one. */
void am_entities_append(am_entities *entities, am_buffer *out);

#endif
