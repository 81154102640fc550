#include "api/arguments.h"
#include "api/json_writer.h"
#include "tasks/chat_prompt.h"
#include "text/call_options.h"
#include "text/chat_template.h"

#include <anymodel/anymodel.h>

#include <string.h>

am_status am_tokenizer_load(const char *path, const char *how, am_tokenizer **out)
{
    am_tokenizer_mode mode;
    *out = NULL;
    if (!path) return am_error(AM_INVALID_ARGUMENT, "no model directory was given");
    AM_TRY(am_read_tokenizer_mode(how, &mode));
    return am_tokenizer_open(path, mode, out);
}

void am_tokenizer_free(am_tokenizer *tokenizer)
{
    am_tokenizer_close(tokenizer);
}

/* --- encoding --- */

/* A tokenizer opened as a file pads and truncates as that says, unless the call says it; others have no such limits. */
static am_status read_options(am_json arguments, am_encode_options *out)
{
    AM_TRY(am_call_options_check(arguments));
    *out = am_call_options_read(arguments);
    out->as_in_file = true;
    for (am_json_iterator i = am_json_iterate(arguments); am_json_next(&i);)
        if (!strstr(i.key.bytes, "special_tokens")) out->as_in_file = false;
    return NULL;
}

am_status am_tokenizer_encode_texts(const am_tokenizer *tokenizer, const am_text *texts, const am_text *pairs,
                                    size_t count, const char *options_json, am_encoding *out)
{
    am_json_document *document;
    am_json arguments;
    am_encode_options options;
    AM_TRY(am_read_object(options_json, "arguments", &document, &arguments));
    am_status status = read_options(arguments, &options);
    am_json_close(document);
    if (status) return status;
    return am_tokenizer_encode_batch(tokenizer, texts, pairs, count, &options, out);
}

/* --- decoding --- */

static am_status read_decoding(const char *json, am_decode_options *out)
{
    am_json_document *document;
    am_json arguments, clean_up;
    *out = AM_DECODE_OPTIONS;
    AM_TRY(am_read_object(json, "arguments", &document, &arguments));
    out->skip_special_tokens = am_json_bool(am_json_get(arguments, "skip_special_tokens"), true);
    clean_up = am_json_get(arguments, "clean_up_tokenization_spaces");
    if (am_json_kind_of(clean_up) == AM_JSON_BOOL) out->clean_up = am_json_bool(clean_up, false);
    am_json_close(document);
    return NULL;
}

am_status am_tokenizer_decode_ids(const am_tokenizer *tokenizer, const int32_t *ids, size_t count,
                                  const char *options_json, char **out_text)
{
    am_decode_options options;
    size_t length;
    *out_text = NULL;
    AM_TRY(read_decoding(options_json, &options));
    return am_tokenizer_decode(tokenizer, ids, count, &options, out_text, &length);
}

/* --- chat templates --- */

static bool is_argument(const char *name)
{
    static const char *const names[] = {
        "messages", "tools", "documents", "add_generation_prompt", "chat_template", "continue_final_message"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(name, names[i]) == 0) return true;
    return false;
}

/* The members that are no arguments of the call: variables. */
static am_status read_variables(am_json conversation, am_json_document **out)
{
    am_buffer text = {0};
    am_put_open(&text, NULL, '{');
    for (am_json_iterator i = am_json_iterate(conversation); am_json_next(&i);) {
        if (is_argument(i.key.bytes)) continue;
        am_put_name(&text, i.key.bytes);
        am_json_write(i.value, &text);
    }
    am_put_close(&text, '}');
    am_status status = am_buffer_status(&text);
    if (!status) status = am_json_parse(text.bytes, text.length, "conversation", out);
    am_buffer_deinit(&text);
    return status;
}

/* Those of the tokenizer; without one there are none. */
static am_status read_special_tokens(const char *path, am_json_document **out)
{
    am_tokenizer *tokenizer = NULL;
    am_status status = am_tokenizer_open(path, AM_TOKENIZER_AUTO, &tokenizer);
    if (am_status_code(status) == AM_NOT_FOUND) {
        am_status_free(status);
        status = NULL;
    }
    if (!status) status = am_chat_special_tokens(tokenizer, out);
    am_tokenizer_close(tokenizer);
    return status;
}

/* What a conversation is rendered with; closed with close_rendering. */
typedef struct rendering {
    am_json_document *conversation, *variables, *special_tokens;
    am_chat_template *template;
    am_chat_options options;
} rendering;

static void close_rendering(rendering *r)
{
    am_chat_template_close(r->template);
    am_json_close(r->special_tokens);
    am_json_close(r->variables);
    am_json_close(r->conversation);
}

static am_status open_rendering(const char *path, const char *json, rendering *r)
{
    am_json conversation;
    AM_TRY(am_read_object(json, "conversation", &r->conversation, &conversation));
    am_json name = am_json_get(conversation, "chat_template");
    AM_TRY(am_chat_options_read(am_json_get(conversation, "messages"), conversation, &r->options));
    AM_TRY(read_variables(conversation, &r->variables));
    AM_TRY(read_special_tokens(path, &r->special_tokens));
    AM_TRY(am_chat_template_open(path, am_json_kind_of(name) == AM_JSON_STRING ? am_json_text(name).bytes : NULL,
                                 am_json_count(r->options.tools) > 0, &r->template));
    r->options.special_tokens = am_json_root(r->special_tokens);
    r->options.arguments = am_json_root(r->variables);
    r->options.add_generation_prompt =
        am_json_bool(am_json_get(conversation, "add_generation_prompt"), r->options.add_generation_prompt);
    return NULL;
}

am_status am_chat_render(const char *path, const char *conversation_json, am_chat_text *out)
{
    rendering r = {0};
    *out = (am_chat_text){0};
    if (!path || !conversation_json) return am_error(AM_INVALID_ARGUMENT, "no model directory or no conversation");
    am_status status = open_rendering(path, conversation_json, &r);
    if (!status) status = am_chat_template_render(r.template, &r.options, out);
    close_rendering(&r);
    return status;
}
