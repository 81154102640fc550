/* A conversation as a prompt. */
#ifndef AM_TASKS_CHAT_PROMPT_H
#define AM_TASKS_CHAT_PROMPT_H

#include "tasks/pipeline.h"
#include "text/chat_template.h"

/* Whether the last message is to be continued: where the option continue_final_message does not say it, an answer is,
   as in transformers' pipeline. */
bool am_chat_is_begun(am_json messages, am_json options);

/* Messages, and of options (may be MISSING) tools and documents; the last message is left open where it is to be
   continued, else the answer is begun. Fails with AM_INVALID_ARGUMENT unless messages are a list of at least one. */
am_status am_chat_options_read(am_json messages, am_json options, am_chat_options *out) AM_NODISCARD;

/* Renders messages with the model's chat template, special tokens included; freed with am_chat_text_deinit. Options are
   those of am_chat_options_read. */
am_status am_render_chat(am_pipeline *p, am_json messages, am_json options, am_chat_text *out) AM_NODISCARD;

#endif
