#include "cli/command.h"
#include "cli/inputs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Texts are embedded this many at a time, so that vectors come early and memory stays bounded. */
enum { BATCH = 32 };

static int run(int argc, char **argv, am_globals *globals);

const am_command am_command_embed = {
    .name = "embed",
    .summary = "turn each line of text into a vector",
    .usage = "MODEL_DIR [FILE|-]",
    .help = "Reads one text a line (from FILE, or stdin) and prints one vector a line, its numbers separated "
            "by spaces. Pooling and\n"
            "normalizing are those of the model's modules.json; without it, the mean of the tokens, "
            "normalized.\n\n"
            "  anymodel embed all-MiniLM-L6-v2 sentences.txt > vectors.txt\n"
            "  echo \"A cat is asleep.\" | anymodel embed all-MiniLM-L6-v2\n\n"
            "With --json: one array of arrays, a vector a line.\n",
    .run = run,
};

static void put_vector(const am_globals *globals, const float *vector, size_t dims, bool first)
{
    if (globals->json) fputs(first ? "[[" : ",\n [", stdout);
    for (size_t i = 0; i < dims; i++) printf("%s%.9g", i ? globals->json ? ", " : " " : "", (double)vector[i]);
    fputs(globals->json ? "]" : "\n", stdout);
}

static am_status embed_batch(const am_globals *globals, am_model *model, const char *const *texts, size_t count,
                             bool first)
{
    float *vectors = NULL;
    size_t dims = 0;
    am_status status = am_model_embed(model, texts, count, &vectors, &dims);
    for (size_t i = 0; !status && i < count; i++) put_vector(globals, vectors + i * dims, dims, first && i == 0);
    am_floats_free(vectors);
    return status;
}

/* Cuts the next line out of a text that ends before `end`; null at the end. */
static const char *next_line(char **at, const char *end)
{
    if (*at >= end) return NULL;
    char *line = *at;
    char *line_end = memchr(line, '\n', (size_t)(end - line));
    *at = line_end ? line_end + 1 : line + (end - line);
    if (line_end) *line_end = 0;
    size_t length = strlen(line);
    if (length && line[length - 1] == '\r') line[length - 1] = 0;
    return line;
}

static int embed_lines(const am_globals *globals, am_model *model, am_cli_bytes *input)
{
    const char *texts[BATCH];
    char *at = input->bytes;
    bool first = true;
    for (;;) {
        size_t count = 0;
        while (count < BATCH && (texts[count] = next_line(&at, input->bytes + input->length))) count++;
        if (!count) break;
        am_status status = embed_batch(globals, model, texts, count, first);
        if (status && globals->json && !first) puts("]");
        if (status) return am_cli_fail_status(globals, status);
        first = false;
    }
    if (globals->json) puts(first ? "[]" : "]");
    return AM_OK;
}

static int run(int argc, char **argv, am_globals *globals)
{
    am_operands operands;
    int code = am_cli_parse(&am_command_embed, argc, argv, globals, NULL, 1, 2, &operands);
    if (code != AM_CLI_CONTINUE) return code;
    const char *path = operands.count > 1 ? operands.items[1] : "-";
    am_cli_bytes input;
    am_code problem = am_cli_read(path, &input);
    if (problem) return am_cli_fail(globals, problem, "cannot read %s: %s", path, strerror(errno));
    am_model *model = NULL;
    if (input.length && memchr(input.bytes, 0, input.length))
        code = am_cli_fail(globals, AM_INVALID_ARGUMENT, "%s: a zero byte; embed reads lines of text", path);
    else code = am_cli_fail_status(globals, am_cli_open_model(globals, operands.items[0], &model));
    if (code == AM_OK) code = embed_lines(globals, model, &input);
    am_model_close(model);
    free(input.bytes);
    return code;
}
