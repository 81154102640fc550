/* What `anymodel run --help` says of tasks, by the library's own list. */
#include "cli/command.h"
#include "cli/outline.h"

#include <stdlib.h>
#include <string.h>

enum { LINE_WIDTH = 118 };

/* What INPUT is, by "input" of a task. */
static const struct {
    const char *input, *meaning;
} inputs[] = {
    {"image", "INPUT is an image: the path of a file (PNG, JPEG, WebP, GIF, TIFF, BMP, PNM), or - for one on stdin."},
    {"sound", "INPUT is a sound: the path of a file (WAV, FLAC, Ogg, MP3, AIFF, AU, CAF) of any rate and number of "
              "channels, or - for one on stdin."},
    {"video", "INPUT is a video: the path of a file (MP4, WebM, Matroska, AVI, GIF ..), or - for one on stdin."},
    {"text", "INPUT is a text, the path of a file that holds it, or - for stdin."},
    {"question and context", "--question asks; INPUT, or --context, is where the answer is: a text, the path of a file "
                             "that holds it, or - for stdin."},
    {"question and table",
     "--question asks; INPUT is the table as JSON, {\"column\": [\"cell\", ...], ...}, the path of a "
     "file that holds it, or - for stdin."},
    {"question and words with boxes",
     "--question asks; INPUT is the page's words as JSON, [[\"word\", [left, top, right, "
     "bottom]], ...] in thousandths,\nthe path of a file that holds it, or - for stdin."},
};

/* Texts of JSON strings, a line of at most LINE_WIDTH bytes each. */
static void put_wrapped(FILE *file, const char *label, const char *json)
{
    char *text = NULL, *state = NULL;
    size_t length = 0, at = strlen(label);
    FILE *memory = open_memstream(&text, &length);
    if (!memory) return;
    am_cli_put_text(memory, json);
    fputs(label, file);
    if (fclose(memory) == 0)
        for (const char *word = strtok_r(text, " ", &state); word; word = strtok_r(NULL, " ", &state)) {
            bool fits = at + 1 + strlen(word) <= LINE_WIDTH;
            if (!fits) fputs("\n   ", file);
            at = (fits ? at : 3) + 1 + strlen(word);
            fprintf(file, " %s", word);
        }
    fputc('\n', file);
    free(text);
}

static void put_task(const char *description, const char *name, FILE *file)
{
    const char *input = am_cli_member(description, "input"), *parameters = am_cli_member(description, "parameters");
    put_wrapped(file, name, am_cli_member(description, "summary"));
    for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++)
        if (am_cli_is_text(input, inputs[i].input)) fprintf(file, "%s\n", inputs[i].meaning);
    if (parameters && !am_cli_is_text(parameters, ""))
        put_wrapped(file, "Parameters, each --option NAME=VALUE as transformers has it:", parameters);
}

static void put_list(const char *tasks, FILE *file)
{
    fputs("\nTasks (anymodel run --task TASK --help says more):\n", file);
    for (am_cli_cursor i = am_cli_items(tasks); am_cli_next(&i);) {
        fputs("  ", file);
        am_cli_put_text(file, am_cli_member(i.value, "task"));
        fputs(" (", file);
        am_cli_put_text(file, am_cli_member(i.value, "input"));
        fputs(")\n", file);
    }
}

void am_cli_put_task_help(const char *task, FILE *file)
{
    char *tasks, name[128];
    bool found = false;
    am_status status = am_tasks(&tasks);
    if (status) {
        am_status_free(status);
        return;
    }
    for (am_cli_cursor i = am_cli_items(tasks); task && !found && am_cli_next(&i);) {
        found = am_cli_is_text(am_cli_member(i.value, "task"), task);
        snprintf(name, sizeof name, "\nTask %.100s:", task);
        if (found) put_task(i.value, name, file);
    }
    if (task && !found)
        fprintf(file,
                "\n\"%s\" is not listed. Other names: sentiment-analysis is text-classification, ner "
                "token-classification, translation_XX_to_YY translation.\n",
                task);
    if (!found) put_list(tasks, file);
    am_string_free(tasks);
}
