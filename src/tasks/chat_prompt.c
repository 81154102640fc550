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

bool am_chat_is_begun(am_json messages, am_json options)
{
    am_json last = {0}, given = am_json_get(options, "continue_final_message");
    if (am_json_kind_of(given) == AM_JSON_BOOL) return am_json_bool(given, false);
    for (am_json_iterator i = am_json_iterate(messages); am_json_next(&i);) last = i.value;
    return am_json_equals(am_json_get(last, "role"), "assistant");
}

static am_status render(am_chat_template *template, am_json messages, am_json options, am_json special_tokens,
                        am_chat_text *out)
{
    bool begun = am_chat_is_begun(messages, options);
    am_chat_options chat = {.messages = messages,
                            .tools = am_json_get(options, "tools"),
                            .documents = am_json_get(options, "documents"),
                            .special_tokens = special_tokens,
                            .add_generation_prompt = !begun,
                            .continue_field = begun ? "content" : NULL};
    return am_chat_template_render(template, &chat, out);
}

am_status am_render_chat(am_pipeline *p, am_json messages, am_json options, am_chat_text *out)
{
    am_chat_template *template, *with_tools = NULL; /* another one where there are several */
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
    if (am_json_count(am_json_get(options, "tools")))
        status = am_chat_template_open(p->directory, NULL, true, &with_tools);
    if (!status) status = render(with_tools ? with_tools : template, messages, options, am_json_root(special), out);
    am_chat_template_close(with_tools);
    am_json_close(special);
    return status;
}
