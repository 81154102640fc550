#include "cli/command.h"

#include <string.h>

const am_command *am_command_find(const char *name)
{
    for (const am_command *const *command = am_command_registry; *command; command++) {
        if (strcmp((*command)->name, name) == 0) return *command;
    }
    return NULL;
}

void am_cli_put_help(FILE *file)
{
    fputs("anymodel runs models in Hugging Face layout: give it a model directory and an input, get the "
          "answer.\n\n"
          "  anymodel COMMAND ARGUMENTS...\n\n"
          "Commands (anymodel help COMMAND tells more, with examples):\n",
          file);
    for (const am_command *const *command = am_command_registry; *command; command++)
        fprintf(file, "  %-11s %s\n", (*command)->name, (*command)->summary);
    fputs("\nTo begin with:\n"
          "  anymodel inspect MODEL_DIR                    what a model is and whether it runs here\n"
          "  anymodel run MODEL_DIR \"some text\"            its answer\n"
          "  anymodel run MODEL_DIR photo.jpg              the same of an image; or of a sound, speech.wav\n"
          "  anymodel run --help                           what else there is to ask: the tasks\n"
          "  anymodel generate MODEL_DIR --prompt \"Once\"   text, token by token\n"
          "  anymodel chat MODEL_DIR                       a conversation; --image photo.jpg: about an image\n"
          "  anymodel preprocess MODEL_DIR --image X.png   the tensors that a model is given for it\n"
          "\nExit codes:\n",
          file);
#define ROW(id, number, text, meaning) fprintf(file, "  %2d  %-19s %s\n", number, text, meaning);
    AM_STATUS_CODES(ROW)
#undef ROW
}

static void put_options(const am_option *options, FILE *file)
{
    for (; options && options->name; options++) {
        char left[64];
        snprintf(left, sizeof left, "--%s%s%s", options->name, options->argument ? " " : "",
                 options->argument ? options->argument : "");
        fprintf(file, "  %-26s %s\n", left, options->meaning);
    }
}

void am_cli_put_command_help(const am_command *command, const void *values, FILE *file)
{
    fprintf(file, "anymodel %s: %s\n\n  anymodel %s%s%s\n\n%s", command->name, command->summary, command->name,
            *command->usage ? " " : "", command->usage, command->help);
    if (command->more_help) command->more_help(values, file);
    if (command->options) fputs("\nOptions:\n", file);
    put_options(command->options, file);
    fputs("\nOptions of all commands:\n", file);
    put_options(am_cli_common_options, file);
}

/* How many letters must be put in, taken out or replaced to make one word of the other; words are cut at 31
 * letters. */
static int distance(const char *a, const char *b)
{
    enum { LIMIT = 31 };
    int row[LIMIT + 1];
    int width = (int)strnlen(b, LIMIT);
    for (int i = 0; i <= width; i++) row[i] = i;
    for (int y = 1; y <= LIMIT && a[y - 1]; y++) {
        int diagonal = row[0];
        row[0] = y;
        for (int x = 1; x <= width; x++) {
            int replaced = diagonal + (a[y - 1] != b[x - 1]);
            int inserted = (row[x] < row[x - 1] ? row[x] : row[x - 1]) + 1;
            diagonal = row[x];
            row[x] = replaced < inserted ? replaced : inserted;
        }
    }
    return row[width];
}

int am_cli_unknown_command(const am_globals *globals, const char *name)
{
    const char *nearest = NULL;
    int least = 3;
    for (const am_command *const *command = am_command_registry; *command; command++) {
        int letters = distance(name, (*command)->name);
        if (letters < least) nearest = (*command)->name;
        if (letters < least) least = letters;
    }
    return am_cli_fail(globals, AM_INVALID_ARGUMENT, "there is no command \"%s\"%s%s%s; anymodel help lists them", name,
                       nearest ? "; is it \"" : "", nearest ? nearest : "", nearest ? "\"?" : "");
}
