#include "cli/answer.h"
#include "cli/inputs.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct chat_values {
    am_answer_values answer; /* first: its options count from the beginning */
    const char *system;
    am_cli_list images, videos;
} chat_values;

static const am_option options[] = {
    {"system", AM_OPTION_TEXT, offsetof(chat_values, system), "TEXT", "a first message that says how to answer", 0, 0},
    {"image", AM_OPTION_LIST, offsetof(chat_values, images), "FILE",
     "an image that goes with the first message; again: more", 0, 0},
    {"video", AM_OPTION_LIST, offsetof(chat_values, videos), "FILE",
     "a video that goes with the first message, behind the images; again: more", 0, 0},
    AM_ANSWER_OPTIONS,
    {NULL, AM_OPTION_FLAG, 0, NULL, NULL, 0, 0},
};

/* A text that grows; all zeros is empty. */
typedef struct history {
    char *text;
    size_t length;
} history;

typedef struct conversation {
    const am_globals *globals;
    am_model *model;
    const chat_values *values;
    bool has_parts;   /* contents are lists of parts, as of models that take images */
    history messages; /* so far, as the inside of a JSON array */
    history media;    /* images and videos that wait for the next message: parts, each with a comma after it */
} conversation;

/* What is appended to a text; null without memory. Ended by end_append. */
typedef struct appending {
    FILE *file;
    char *text;
    size_t length;
} appending;

static FILE *begin_append(const history *h, appending *a)
{
    *a = (appending){0};
    a->file = open_memstream(&a->text, &a->length);
    if (a->file) fputs(h->text ? h->text : "", a->file);
    return a->file;
}

static bool end_append(history *h, appending *a)
{
    if (fclose(a->file)) {
        free(a->text);
        return false;
    }
    free(h->text);
    *h = (history){a->text, a->length};
    return true;
}

/* Appends a message, with the images and videos that wait where it is the user's; false without memory. */
static bool add_message(conversation *c, const char *role, const char *content)
{
    appending a;
    bool is_user = strcmp(role, "user") == 0;
    FILE *file = begin_append(&c->messages, &a);
    if (!file) return false;
    fprintf(file, "%s{\"role\": \"%s\", \"content\": ", c->messages.length ? ", " : "", role);
    if (c->has_parts)
        fprintf(file, "[%s{\"type\": \"text\", \"text\": ", is_user && c->media.text ? c->media.text : "");
    am_cli_put_json_string(file, content);
    fputs(c->has_parts ? "}]}" : "}", file);
    return end_append(&c->messages, &a);
}

/* Goes back to a shorter history. */
static void cut(history *h, size_t length)
{
    if (h->text) h->text[length] = 0;
    h->length = length;
}

static int no_memory(const conversation *c)
{
    return am_cli_fail(c->globals, AM_OUT_OF_MEMORY, "no memory for the conversation");
}

/* An image or a video for the next message. */
static int add_media(conversation *c, const char *type, const char *path)
{
    appending a;
    bool is_video = strcmp(type, "video") == 0;
    am_status status = is_video        ? am_model_check_videos(c->model)
                       : !c->has_parts ? am_model_check_images(c->model)
                                       : NULL;
    if (status) return am_cli_fail_status(c->globals, status);
    if (!am_cli_is_file(path)) return am_cli_fail(c->globals, AM_NOT_FOUND, "there is no %s \"%s\"", type, path);
    FILE *file = begin_append(&c->media, &a);
    if (!file) return no_memory(c);
    fprintf(file, "{\"type\": \"%s\", \"path\": ", type);
    am_cli_put_json_string(file, path);
    fputs("}, ", file);
    return end_append(&c->media, &a) ? AM_OK : no_memory(c);
}

static char *as_array(const history *h)
{
    char *text = malloc(h->length + 3);
    if (text) snprintf(text, h->length + 3, "[%s]", h->text);
    return text;
}

/* One line of the user's and the answer to it. A line that fails is forgotten, with its images and videos. */
static int take_turn(conversation *c, const char *line)
{
    size_t before = c->messages.length;
    char *answer = NULL;
    char *messages = add_message(c, "user", line) ? as_array(&c->messages) : NULL;
    cut(&c->media, 0);
    int code =
        messages ? am_cli_answer(c->globals, c->model, &c->values->answer, messages, true, &answer) : no_memory(c);
    if (code == AM_OK && !add_message(c, "assistant", answer)) code = no_memory(c);
    if (code != AM_OK) cut(&c->messages, before);
    free(messages);
    free(answer);
    return code;
}

static void show_prompt(bool is_terminal)
{
    if (is_terminal) fputs("> ", stdout);
    fflush(stdout);
}

static void explain(const conversation *c)
{
    puts("An empty line is passed over; /clear forgets what was said; /quit or Ctrl-D ends.");
    if (c->has_parts) puts("/image FILE, or /video FILE, shows it with the message that follows.");
}

/* The path after "/TYPE ", or null where the line is another. */
static const char *file_of(const char *line, const char *type)
{
    size_t length = strlen(type) + 1;
    if (line[0] != '/' || strncmp(line + 1, type, length - 1) != 0) return NULL;
    return line[length] && line[length] != ' ' ? NULL : line + length + strspn(line + length, " ");
}

static int take_line(conversation *c, const char *line, size_t length, size_t begin)
{
    const char *image = file_of(line, "image"), *video = file_of(line, "video");
    if (strlen(line) != length)
        return am_cli_fail(c->globals, AM_INVALID_ARGUMENT, "stdin: a zero byte; this is no text");
    if (image) return add_media(c, "image", image);
    if (video) return add_media(c, "video", video);
    if (strcmp(line, "/clear") != 0) return length ? take_turn(c, line) : AM_OK;
    cut(&c->messages, begin);
    cut(&c->media, 0);
    return AM_OK;
}

/* Reads lines until the end. On a terminal an error ends only its turn. */
static int talk(conversation *c)
{
    bool is_terminal = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
    size_t begin = c->messages.length, room = 0;
    char *line = NULL;
    int code = AM_OK;
    if (is_terminal) explain(c);
    show_prompt(is_terminal);
    for (ssize_t length; (length = getline(&line, &room, stdin)) >= 0 && code == AM_OK; show_prompt(is_terminal)) {
        while (length && (line[length - 1] == '\n' || line[length - 1] == '\r')) line[--length] = 0;
        if (strcmp(line, "/quit") == 0) break;
        code = take_line(c, line, (size_t)length, begin);
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
            "are written. /clear forgets the conversation, /quit ends; Ctrl-C ends only the answer. Models that take "
            "images\n"
            "(image-text-to-text) are shown one by --image, with the first message, or by a line /image FILE, with the "
            "message after it;\n"
            "those that take videos by --video and /video.\n\n"
            "  anymodel chat my-model\n"
            "  anymodel chat my-model --system \"Answer in one sentence.\" --temperature 0.7\n"
            "  anymodel chat my-llama4 --image cat.jpg\n"
            "  anymodel chat my-qwen2-vl --video clip.mp4\n"
            "  printf '/image cat.jpg\\nWhat is it?\\n/image dog.jpg\\nAnd this?\\n' | anymodel chat my-llama4\n"
            "  printf 'Hello\\nWhat did I say?\\n' | anymodel chat my-model --greedy\n\n"
            "With --json each answer is an object as of generate.\n",
    .options = options,
    .run = run,
};

/* Whether the model takes images is asked once; what it says matters only where there are some. */
static bool takes_images(am_model *model)
{
    am_status status = am_model_check_images(model);
    am_status_free(status);
    return !status;
}

static int converse(conversation *c)
{
    int code = AM_OK;
    if (c->values->system && !add_message(c, "system", c->values->system)) return no_memory(c);
    for (int i = 0; i < c->values->images.count && !code; i++) code = add_media(c, "image", c->values->images.items[i]);
    for (int i = 0; i < c->values->videos.count && !code; i++) code = add_media(c, "video", c->values->videos.items[i]);
    return code ? code : talk(c);
}

static int run(int argc, char **argv, am_globals *globals)
{
    chat_values values = {.answer.temperature = -1};
    am_operands operands;
    int code = am_cli_parse(&am_command_chat, argc, argv, globals, &values, 1, 1, &operands);
    if (code != AM_CLI_CONTINUE) return code;
    if (isatty(STDOUT_FILENO) && !globals->json) values.answer.stream = true;
    conversation c = {.globals = globals, .values = &values};
    am_status status = am_cli_open_model(globals, operands.items[0], &c.model);
    if (status) return am_cli_fail_status(globals, status);
    c.has_parts = takes_images(c.model);
    code = converse(&c);
    free(c.messages.text);
    free(c.media.text);
    am_model_close(c.model);
    return code;
}
