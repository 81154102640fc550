/* A conversation as a prompt. */
#ifndef AM_TASKS_CHAT_PROMPT_H
#define AM_TASKS_CHAT_PROMPT_H

#include "tasks/pipeline.h"
#include "text/chat_template.h"

/* {"bos_token": "<s>", ..}: those that are set, as variables of a template. */
void am_append_special_tokens(const struct am_tokenizer *tokenizer, am_buffer *out);

/* Whether the last message is an answer that is to be continued. */
bool am_chat_is_begun(am_json messages);

/* Renders messages with the model's chat template, special tokens included; freed with am_chat_text_deinit. Fails with
   AM_INVALID_ARGUMENT unless they are a list of at least one. */
am_status am_render_chat(am_pipeline *p, am_json messages, am_chat_text *out) AM_NODISCARD;

#endif
