#include "cli/command.h"
#include "cli/inputs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

typedef struct render_values {
    const char *tools, *documents, *template;
    bool no_generation_prompt;
    am_cli_list options;
} render_values;

static const am_option options[] = {
    {"tools", AM_OPTION_TEXT, offsetof(render_values, tools), "FILE", "a JSON list of tools", 0, 0},
    {"documents", AM_OPTION_TEXT, offsetof(render_values, documents), "FILE", "a JSON list of documents", 0, 0},
    {"template", AM_OPTION_TEXT, offsetof(render_values, template), "NAME", "which, where a model has several", 0, 0},
    {"no-generation-prompt", AM_OPTION_FLAG, offsetof(render_values, no_generation_prompt), NULL,
     "end after the last message, not where the answer begins", 0, 0},
    {"option", AM_OPTION_LIST, offsetof(render_values, options), "KEY=VALUE", "a variable of the template", 0, 0},
    {NULL, AM_OPTION_FLAG, 0, NULL, NULL, 0, 0},
};

static int run(int argc, char **argv, am_globals *globals);

const am_command am_command_render = {
    .name = "render",
    .summary = "a conversation as the model's chat template writes it",
    .usage = "MODEL_DIR MESSAGES",
    .help =
        "MESSAGES is a file with a JSON list of messages, - for stdin, or the list itself. Prints the prompt, byte for "
        "byte what transformers'\n"
        "apply_chat_template gives; a last message of the assistant is left open, to be continued.\n\n"
        "  anymodel render my-model '[{\"role\": \"user\", \"content\": \"Hello!\"}]'\n"
        "  anymodel render my-model chat.json --tools tools.json --option enable_thinking=false\n"
        "  anymodel render my-model chat.json | anymodel tokenize my-model --no-special-tokens --ids\n\n"
        "With --json: {\"text\", \"generation_spans\"}, the latter what stands in generation blocks: [start, end) in "
        "code points.\n",
    .options = options,
    .run = run,
};

/* Writes "NAME": and the JSON of a file, or of the text itself where it begins as a list. */
static int put_member(const am_globals *globals, FILE *file, const char *name, const char *given)
{
    fprintf(file, "%s\"%s\": ", strcmp(name, "messages") ? ", " : "", name);
    if (given[strspn(given, " \t\r\n")] == '[') {
        fputs(given, file);
        return AM_OK;
    }
    am_cli_bytes bytes;
    am_code problem = am_cli_read(given, &bytes);
    if (problem) return am_cli_fail(globals, problem, "cannot read %s: %s", given, strerror(errno));
    bool is_text = !memchr(bytes.bytes, 0, bytes.length);
    if (is_text) fputs(bytes.bytes, file);
    free(bytes.bytes);
    return is_text ? AM_OK : am_cli_fail(globals, AM_INVALID_FILE, "%s: a zero byte; this is no JSON", given);
}

static int put_conversation(const am_globals *globals, FILE *file, const render_values *values, const char *messages)
{
    char *object = NULL;
    fputc('{', file);
    int code = put_member(globals, file, "messages", messages);
    if (!code && values->tools) code = put_member(globals, file, "tools", values->tools);
    if (!code && values->documents) code = put_member(globals, file, "documents", values->documents);
    if (values->template) {
        fputs(", \"chat_template\": ", file);
        am_cli_put_json_string(file, values->template);
    }
    if (values->no_generation_prompt) fputs(", \"add_generation_prompt\": false", file);
    if (!code) code = am_cli_make_object(globals, &(am_cli_fields){.count = 0}, &values->options, &object);
    if (!code && strcmp(object, "{}") != 0) fprintf(file, ", %.*s", (int)strlen(object) - 2, object + 1);
    fputc('}', file);
    free(object);
    return code;
}

static int put_prompt(const am_globals *globals, const char *directory, const char *conversation)
{
    am_chat_text prompt;
    am_status status = am_chat_render(directory, conversation, &prompt);
    if (status) return am_cli_fail_status(globals, status);
    if (globals->json) {
        fputs("{\"text\": ", stdout);
        am_cli_put_json_text(stdout, prompt.text, prompt.length);
        fputs(", \"generation_spans\": [", stdout);
        for (size_t i = 0; i < prompt.span_count; i++)
            printf("%s[%zu, %zu]", i ? ", " : "", prompt.spans[i].start, prompt.spans[i].end);
        puts("]}");
    } else fwrite(prompt.text, 1, prompt.length, stdout);
    am_chat_text_deinit(&prompt);
    return AM_OK;
}

static int run(int argc, char **argv, am_globals *globals)
{
    render_values values = {0};
    am_operands operands;
    int code = am_cli_parse(&am_command_render, argc, argv, globals, &values, 2, 2, &operands);
    if (code != AM_CLI_CONTINUE) return code;
    char *conversation = NULL;
    size_t length;
    FILE *file = open_memstream(&conversation, &length);
    if (!file) return am_cli_fail(globals, AM_OUT_OF_MEMORY, "no memory for the conversation");
    code = put_conversation(globals, file, &values, operands.items[1]);
    if (fclose(file) && !code) code = am_cli_fail(globals, AM_OUT_OF_MEMORY, "no memory for the conversation");
    if (!code) code = put_prompt(globals, operands.items[0], conversation);
    free(conversation);
    return code;
}
