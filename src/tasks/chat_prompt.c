#include "tasks/chat_prompt.h"

#include "text/tokenizer.h"

bool am_chat_is_begun(am_json messages, am_json options)
{
    am_json last = {0}, given = am_json_get(options, "continue_final_message");
    if (am_json_kind_of(given) == AM_JSON_BOOL) return am_json_bool(given, false);
    for (am_json_iterator i = am_json_iterate(messages); am_json_next(&i);) last = i.value;
    return am_json_equals(am_json_get(last, "role"), "assistant");
}

am_status am_chat_options_read(am_json messages, am_json options, am_chat_options *out)
{
    am_json_kind kind = am_json_kind_of(messages);
    if (kind != AM_JSON_ARRAY || am_json_count(messages) == 0)
        return am_error(AM_INVALID_ARGUMENT, "messages: expected a list of at least one, found %s",
                        kind == AM_JSON_ARRAY ? "none in it" : am_json_kind_name(kind));
    bool begun = am_chat_is_begun(messages, options);
    *out = (am_chat_options){.messages = messages,
                             .tools = am_json_get(options, "tools"),
                             .documents = am_json_get(options, "documents"),
                             .add_generation_prompt = !begun,
                             .continue_field = begun ? "content" : NULL};
    return NULL;
}

am_status am_render_chat(am_pipeline *p, am_json messages, am_json options, am_chat_text *out)
{
    am_chat_options chat;
    am_chat_template *template, *with_tools = NULL; /* another one where there are several */
    am_tokenizer *tokenizer;
    am_json_document *special;
    AM_TRY(am_chat_options_read(messages, options, &chat));
    AM_TRY(am_pipeline_chat_template(p, &template));
    AM_TRY(am_pipeline_tokenizer(p, &tokenizer));
    AM_TRY(am_chat_special_tokens(tokenizer, &special));
    chat.special_tokens = am_json_root(special);
    am_status status = NULL;
    if (am_json_count(chat.tools)) status = am_chat_template_open(p->directory, NULL, true, &with_tools);
    if (!status) status = am_chat_template_render(with_tools ? with_tools : template, &chat, out);
    am_chat_template_close(with_tools);
    am_json_close(special);
    return status;
}
