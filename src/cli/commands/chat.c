#include "cli/answer.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct chat_values {
    am_answer_values answer; /* first: its options count from the beginning */
    const char *system;
} chat_values;

static const am_option options[] = {
    {"system", AM_OPTION_TEXT, offsetof(chat_values, system), "TEXT", "a first message that says how to answer", 0, 0},
    AM_ANSWER_OPTIONS,
    {NULL, AM_OPTION_FLAG, 0, NULL, NULL, 0, 0},
};

/* The messages so far as the inside of a JSON array. */
typedef struct history {
    char *text;
    size_t length;
} history;

/* Appends a message; false without memory. */
static bool add_message(history *h, const char *role, const char *content)
{
    char *text = NULL;
    size_t length = 0;
    FILE *file = open_memstream(&text, &length);
    if (!file) return false;
    fprintf(file, "%s%s{\"role\": \"%s\", \"content\": ", h->text ? h->text : "", h->length ? ", " : "", role);
    am_cli_put_json_string(file, content);
    fputc('}', file);
    if (fclose(file)) {
        free(text);
        return false;
    }
    free(h->text);
    *h = (history){text, length};
    return true;
}

/* Goes back to a shorter history. */
static void cut(history *h, size_t length)
{
    if (h->text) h->text[length] = 0;
    h->length = length;
}

static char *as_array(const history *h)
{
    char *text = malloc(h->length + 3);
    if (text) snprintf(text, h->length + 3, "[%s]", h->text);
    return text;
}

/* One line of the user's and the answer to it. A line that fails is forgotten. */
static int take_turn(const am_globals *globals, am_model *model, const chat_values *values, history *h,
                     const char *line)
{
    size_t before = h->length;
    char *answer = NULL;
    char *messages = add_message(h, "user", line) ? as_array(h) : NULL;
    int code = messages ? am_cli_answer(globals, model, &values->answer, messages, true, &answer)
                        : am_cli_fail(globals, AM_OUT_OF_MEMORY, "no memory for the conversation");
    if (code == AM_OK && !add_message(h, "assistant", answer))
        code = am_cli_fail(globals, AM_OUT_OF_MEMORY, "no memory for the conversation");
    if (code != AM_OK) cut(h, before);
    free(messages);
    free(answer);
    return code;
}

static void show_prompt(bool is_terminal)
{
    if (is_terminal) fputs("> ", stdout);
    fflush(stdout);
}

/* Reads lines until the end. On a terminal an error ends only its turn. */
static int talk(const am_globals *globals, am_model *model, const chat_values *values, history *h)
{
    bool is_terminal = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
    size_t begin = h->length, room = 0;
    char *line = NULL;
    int code = AM_OK;
    if (is_terminal) puts("An empty line is passed over; /clear forgets what was said; /quit or Ctrl-D ends.");
    show_prompt(is_terminal);
    for (ssize_t length; (length = getline(&line, &room, stdin)) >= 0 && code == AM_OK; show_prompt(is_terminal)) {
        while (length && (line[length - 1] == '\n' || line[length - 1] == '\r')) line[--length] = 0;
        if (strcmp(line, "/quit") == 0) break;
        if (strcmp(line, "/clear") == 0) cut(h, begin);
        else if (strlen(line) != (size_t)length)
            code = am_cli_fail(globals, AM_INVALID_ARGUMENT, "stdin: a zero byte; this is no text");
        else if (length) code = take_turn(globals, model, values, h, line);
        if (is_terminal) code = AM_OK;
    }
    free(line);
    return code;
}

static int run(int argc, char **argv, am_globals *globals);

const am_command am_command_chat = {
    .name = "chat",
    .summary = "talk with a model through its chat template",
    .usage = "MODEL_DIR [OPTIONS]",
    .help = "Each line from stdin is a message; the model answers it knowing what was said before. At a "
            "terminal the answers appear as they\n"
            "are written. /clear forgets the conversation, /quit ends; Ctrl-C ends only the answer.\n\n"
            "  anymodel chat my-model\n"
            "  anymodel chat my-model --system \"Answer in one sentence.\" --temperature 0.7\n"
            "  printf 'Hello\\nWhat did I say?\\n' | anymodel chat my-model --greedy\n\n"
            "With --json each answer is an object as of generate.\n",
    .options = options,
    .run = run,
};

static int run(int argc, char **argv, am_globals *globals)
{
    chat_values values = {.answer.temperature = -1};
    am_operands operands;
    int code = am_cli_parse(&am_command_chat, argc, argv, globals, &values, 1, 1, &operands);
    if (code != AM_CLI_CONTINUE) return code;
    if (isatty(STDOUT_FILENO) && !globals->json) values.answer.stream = true;
    am_model *model = NULL;
    am_status status = am_cli_open_model(globals, operands.items[0], &model);
    if (status) return am_cli_fail_status(globals, status);
    history h = {0};
    if (values.system && !add_message(&h, "system", values.system))
        code = am_cli_fail(globals, AM_OUT_OF_MEMORY, "no memory for the conversation");
    else code = talk(globals, model, &values, &h);
    free(h.text);
    am_model_close(model);
    return code;
}
