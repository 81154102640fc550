/* A conversation as a prompt. */
#ifndef AM_TASKS_CHAT_PROMPT_H
#define AM_TASKS_CHAT_PROMPT_H

#include "tasks/pipeline.h"
#include "text/chat_template.h"

/* {"bos_token": "<s>", ..}: those that are set, as variables of a template. */
void am_append_special_tokens(const struct am_tokenizer *tokenizer, am_buffer *out);

/* Whether the last message is to be continued: where the option continue_final_message does not say it, an answer is,
   as in transformers' pipeline. */
bool am_chat_is_begun(am_json messages, am_json options);

/* Renders messages with the model's chat template, special tokens included; freed with am_chat_text_deinit. Of options
   (may be MISSING) tools, documents, and continue_final_message where it is not for the messages to say. Fails with
   AM_INVALID_ARGUMENT unless messages are a list of at least one. */
am_status am_render_chat(am_pipeline *p, am_json messages, am_json options, am_chat_text *out) AM_NODISCARD;

#endif
