/* Encoder-decoders that answer a text with a text: summarization and translation as transformers 4's
 * pipelines. */
#ifndef AM_TASKS_TEXT_TO_TEXT_H
#define AM_TASKS_TEXT_TO_TEXT_H

#include "tasks/task.h"

/* What a task asks of the model. */
typedef struct am_text_to_text {
    const char *section; /* of config.json's task_specific_params: generation parameters and a prefix for the text */
    const char *field;   /* of the answer */
    bool is_translation;
    const char *from, *to; /* of a translation: language codes, which tokenizers of many languages need; may be null */
} am_text_to_text;

/* Appends [{FIELD: text}]. Fails with AM_INVALID_ARGUMENT where the tokenizer needs language codes and gets none, or
 * none that it has. */
am_status am_answer_with_text(am_pipeline *p, const char *text, am_json options, const am_text_to_text *task,
                              am_buffer *out) AM_NODISCARD;

#endif
