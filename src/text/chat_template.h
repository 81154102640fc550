/* Chat templates: the Jinja2 text of a model that turns a conversation into a prompt, run as transformers
   runs it (ImmutableSandboxedEnvironment with trim_blocks and lstrip_blocks, loop controls, generation
   blocks, raise_exception, strftime_now, tojson without HTML escaping). Byte for byte what
   tokenizer.apply_chat_template(tokenize=False) returns; the errors are those of Jinja2 and Python, too:
   "CLASS: MESSAGE (NAME, line L, column C)", as in "UndefinedError: 'dict object' has no attribute 'content'
   (chat_template.jinja, line 3, column 12)". Not supported, and refused with a message: scoped and required
   blocks, autoescape, the filter random, lipsum(), str.encode(), complex numbers, integers beyond 16384
   bits. */
#ifndef AM_TEXT_CHAT_TEMPLATE_H
#define AM_TEXT_CHAT_TEMPLATE_H

#include "base/json.h"
#include "base/status.h"

#include <anymodel/encoding.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

typedef struct am_chat_template am_chat_template;
struct am_tokenizer;

/* Parses a template. `name` stands for it in messages. The text is copied.
   Fails with AM_INVALID_FILE (TemplateSyntaxError, TemplateAssertionError, text that is not UTF-8),
   AM_UNSUPPORTED. */
am_status am_chat_template_parse(const char *text, size_t length, const char *name,
                                 am_chat_template **out) AM_NODISCARD;

/* Opens the template of a model directory. Where it is looked for, first come first served:
     chat_template.jinja and additional_chat_templates/NAME.jinja
     chat_template.json            ("chat_template")
     tokenizer_config.json         ("chat_template": text, or a list of {"name", "template"})
     processor_config.json         ("chat_template")
   `name` null chooses as transformers does: "tool_use" when there is one and `has_tools`, else "default".
   Fails with AM_NOT_FOUND when there is no template, or none of that name (the message lists those there
   are). */
am_status am_chat_template_open(const char *directory, const char *name, bool has_tools,
                                am_chat_template **out) AM_NODISCARD;

void am_chat_template_close(am_chat_template *chat_template);

/* The text as it was given, and the name; borrowed. */
const char *am_chat_template_text(const am_chat_template *chat_template, size_t *length);
const char *am_chat_template_name(const am_chat_template *chat_template);

/* What a conversation is rendered from. All {0} but `messages` is a plain call of apply_chat_template. */
typedef struct am_chat_options {
    am_json messages;       /* array of objects with "role", "content" ...; members that are null are left out */
    am_json tools;          /* array of JSON schemas; MISSING or null: none */
    am_json documents;      /* array of objects; MISSING or null: none */
    am_json special_tokens; /* object: {"bos_token": "<s>", ...} */
    am_json arguments;      /* object: further variables; they win over special tokens */
    bool add_generation_prompt;

    /* continue_final_message: the prompt ends inside of the last message. Null: no; "content", or the name of
       another member of the message that is to be continued. Not together with add_generation_prompt. */
    const char *continue_field;

    const struct tm *now; /* what strftime_now formats; null: the local time */

    /* Limits, 0: the default. */
    size_t output_limit_bytes; /* rendered text: 64 MiB */
    size_t memory_limit_bytes; /* all values made on the way: 512 MiB */
    int64_t step_limit;        /* evaluated expressions, loop turns, 64 bytes of text each: 100 million */
} am_chat_options;

/* {"bos_token": "<s>", ..}: those that the tokenizer has, as variables of a template; null: none. */
am_status am_chat_special_tokens(const struct am_tokenizer *tokenizer, am_json_document **out) AM_NODISCARD;

/* Renders a conversation. One template can be rendered by several threads at once. *out is freed with
   am_chat_text_deinit. Fails with AM_INVALID_ARGUMENT (the template refuses the conversation, or meets values
   that it cannot handle), AM_OUT_OF_MEMORY (also where a limit is reached), AM_UNSUPPORTED. */
am_status am_chat_template_render(const am_chat_template *chat_template, const am_chat_options *options,
                                  am_chat_text *out) AM_NODISCARD;

#endif
