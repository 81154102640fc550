#include "tasks/chat_prompt.h"

#include "text/tokenizer.h"

void am_append_special_tokens(const am_tokenizer *tokenizer, am_buffer *out)
{
    static const char *const names[] = {"bos_token", "eos_token", "unk_token", "sep_token",
                                        "pad_token", "cls_token", "mask_token"};
    int count = 0;
    am_buffer_append_char(out, '{');
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        am_text token = am_tokenizer_special_token(tokenizer, names[i]);
        if (!token.bytes) continue;
        am_buffer_printf(out, "%s\"%s\": ", count++ ? ", " : "", names[i]);
        am_buffer_append_json_string(out, token.bytes, token.length);
    }
    am_buffer_append_char(out, '}');
}

bool am_chat_is_begun(am_json messages)
{
    am_json last = {0};
    for (am_json_iterator i = am_json_iterate(messages); am_json_next(&i);) last = i.value;
    return am_json_equals(am_json_get(last, "role"), "assistant");
}

/* An answer that the last message has begun is continued, as in transformers' pipeline. */
static void choose_ending(am_json messages, am_chat_options *options)
{
    bool begun = am_chat_is_begun(messages);
    options->continue_field = begun ? "content" : NULL;
    options->add_generation_prompt = !begun;
}

am_status am_render_chat(am_pipeline *p, am_json messages, am_chat_text *out)
{
    am_chat_template *template;
    am_tokenizer *tokenizer;
    am_json_document *special;
    am_buffer tokens = {0};
    if (am_json_kind_of(messages) != AM_JSON_ARRAY || am_json_count(messages) == 0)
        return am_error(AM_INVALID_ARGUMENT, "messages: expected a list of at least one, found %s",
                        am_json_kind_name(am_json_kind_of(messages)));
    AM_TRY(am_pipeline_chat_template(p, &template));
    AM_TRY(am_pipeline_tokenizer(p, &tokenizer));
    am_append_special_tokens(tokenizer, &tokens);
    am_status status = am_buffer_status(&tokens);
    if (!status) status = am_json_parse(tokens.bytes, tokens.length, "special tokens", &special);
    am_buffer_deinit(&tokens);
    if (status) return status;
    am_chat_options options = {.messages = messages, .special_tokens = am_json_root(special)};
    choose_ending(messages, &options);
    status = am_chat_template_render(template, &options, out);
    am_json_close(special);
    return status;
}
