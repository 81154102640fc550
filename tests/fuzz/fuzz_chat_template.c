/* A template, and what it is rendered with: the input is cut at its first zero byte; before it lies the
   template, behind it a JSON object with the options ("messages", "tools", "arguments" ...). Without one
   there is a small conversation. */
#include "base/json.h"
#include "base/utf8.h"
#include "text/chat_template.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char conversation[] = "{\"messages\": [{\"role\": \"user\", \"content\": \"a<b> \\u00e9 1\", "
                                   "\"n\": 2.5}, {\"role\": \"assistant\", \"content\":"
                                   " [{\"type\": \"text\", \"text\": \"t\"}], \"reasoning\": \"r\", "
                                   "\"tool_calls\": [{\"function\": {\"name\": \"f\","
                                   " \"arguments\": {\"x\": [1, null, true]}}}]}], \"tools\": [{\"name\": "
                                   "\"f\"}], \"arguments\": {\"n\": 3, \"s\": \"a,b\"}}";

static void require(bool holds)
{
    if (!holds) abort();
}

static void check_text(const am_chat_text *text)
{
    require(am_utf8_valid(text->text, text->length, NULL));
    require(text->text[text->length] == 0);
    for (size_t i = 0; i < text->span_count; i++) require(text->spans[i].start <= text->spans[i].end);
}

static void render(const am_chat_template *chat_template, am_json root, const char *continue_field)
{
    static const struct tm now = {.tm_year = 125, .tm_mon = 1, .tm_mday = 3, .tm_wday = 1, .tm_yday = 33};
    am_chat_text text;
    am_chat_options options = {
        .messages = am_json_get(root, "messages"),
        .tools = am_json_get(root, "tools"),
        .documents = am_json_get(root, "documents"),
        .special_tokens = am_json_get(root, "special_tokens"),
        .arguments = am_json_get(root, "arguments"),
        .add_generation_prompt = !continue_field,
        .continue_field = continue_field,
        .now = &now,
        .output_limit_bytes = 1 << 20,
        .memory_limit_bytes = 16 << 20,
        .step_limit = 100000,
    };
    am_status status = am_chat_template_render(chat_template, &options, &text);
    require((status == NULL) == (text.text != NULL));
    if (!status) check_text(&text);
    am_status_free(status);
    am_chat_text_deinit(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    am_chat_template *chat_template;
    am_json_document *document = NULL;
    const char *source = (const char *)data, *end = size ? memchr(data, 0, size) : NULL;
    size_t length = end ? (size_t)(end - source) : size;
    am_status status = am_chat_template_parse(source, length, "fuzz", &chat_template);
    require((status == NULL) == (chat_template != NULL));
    am_status_free(status);
    status = end ? am_json_parse(end + 1, size - length - 1, "options", &document) : NULL;
    am_status_free(status);
    if (!document) {
        am_status_free(am_json_parse(conversation, sizeof conversation - 1, "conversation", &document));
    }
    if (chat_template && document) {
        render(chat_template, am_json_root(document), NULL);
        render(chat_template, am_json_root(document), size % 2 ? "content" : "thinking");
    }
    am_json_close(document);
    am_chat_template_close(chat_template);
    return 0;
}
