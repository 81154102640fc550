/* Encoder-decoders that answer a text with a text: summarization and translation as transformers 4's
 * pipelines. */
#ifndef AM_TASKS_TEXT_TO_TEXT_H
#define AM_TASKS_TEXT_TO_TEXT_H

#include "tasks/task.h"

/* Appends [{FIELD: text}]. `section`: member of config.json's task_specific_params with generation parameters
 * and a prefix for the text. */
am_status am_answer_with_text(am_pipeline *p, const char *text, am_json options, const char *section, const char *field,
                              am_buffer *out) AM_NODISCARD;

#endif
