#include "text/chat_template.h"
#include "text/tokenizer.h"

static void append_special_tokens(const am_tokenizer *tokenizer, am_buffer *out)
{
    static const char *const names[] = {"bos_token", "eos_token", "unk_token", "sep_token",
                                        "pad_token", "cls_token", "mask_token"};
    int count = 0;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        am_text token = am_tokenizer_special_token(tokenizer, names[i]);
        if (!token.bytes) continue;
        am_buffer_printf(out, "%s\"%s\": ", count++ ? ", " : "", names[i]);
        am_buffer_append_json_string(out, token.bytes, token.length);
    }
}

am_status am_chat_special_tokens(const am_tokenizer *tokenizer, am_json_document **out)
{
    am_buffer text = {0};
    am_buffer_append_char(&text, '{');
    if (tokenizer) append_special_tokens(tokenizer, &text);
    am_buffer_append_char(&text, '}');
    am_status status = am_buffer_status(&text);
    if (!status) status = am_json_parse(text.bytes, text.length, "special tokens", out);
    am_buffer_deinit(&text);
    return status;
}
