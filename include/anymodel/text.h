/* Tokenizers and chat templates of a model directory, without its model: text to tokens and back, conversations to
   prompts, as transformers does it.

   A tokenizer does not change after it was opened: several threads may use one at once. Strings given out are freed
   with am_string_free (anymodel.h). */
#ifndef ANYMODEL_TEXT_H
#define ANYMODEL_TEXT_H

#include <anymodel/encoding.h>
#include <anymodel/status.h>

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct am_tokenizer am_tokenizer;

/* Opens the tokenizer of a model directory. how: "auto" or null, what AutoTokenizer answers; "file", tokenizer.json as
   it is (transformers builds parts of many tokenizers anew from the vocabulary). "file" also takes the path of a
   tokenizer.json or of a sentencepiece model. Fails with AM_NOT_FOUND, AM_INVALID_FILE, AM_UNSUPPORTED (the class or
   file that this build cannot read is named). */
AM_API am_status am_tokenizer_load(const char *path, const char *how, am_tokenizer **out) AM_NODISCARD;
AM_API void am_tokenizer_free(am_tokenizer *tokenizer);

/* Encodes `count` texts, padded together; pairs null, or as many. options_json: an object of the call's arguments as
   transformers names them (add_special_tokens, split_special_tokens, padding, padding_side, truncation,
   truncation_side, max_length, stride, pad_to_multiple_of), or null; a tokenizer opened as "file" pads and truncates as
   its file says where none of these is given. On success `out` holds `count` encodings, each to be freed with
   am_encoding_deinit; on failure none. Fails with AM_INVALID_ARGUMENT (ill-formed UTF-8 and where, an unknown
   argument), AM_OUT_OF_RANGE (a pattern needs too many steps on this text). */
AM_API am_status am_tokenizer_encode_texts(const am_tokenizer *tokenizer, const am_text *texts, const am_text *pairs,
                                           size_t count, const char *options_json, am_encoding *out) AM_NODISCARD;

/* The text of ids; ids that do not exist give nothing. options_json: skip_special_tokens (true),
   clean_up_tokenization_spaces (as configured); or null. */
AM_API am_status am_tokenizer_decode_ids(const am_tokenizer *tokenizer, const int32_t *ids, size_t count,
                                         const char *options_json, char **out_text) AM_NODISCARD;

/* The prompt that the chat template of a model directory makes of a conversation. conversation_json: the arguments of
   apply_chat_template, {"messages": [...], "tools", "documents", "chat_template" (the name of one of several),
   "add_generation_prompt" (true, unless the last message is the assistant's), "continue_final_message"}; other members
   are variables of the template. *out is freed with am_chat_text_deinit. Fails with AM_NOT_FOUND (no template of that
   name; those there are), AM_INVALID_FILE, AM_INVALID_ARGUMENT (the template refuses the conversation: its message,
   line and column). */
AM_API am_status am_chat_render(const char *path, const char *conversation_json, am_chat_text *out) AM_NODISCARD;

#ifdef __cplusplus
}
#endif
#endif
