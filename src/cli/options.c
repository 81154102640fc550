#define _GNU_SOURCE
#include "cli/command.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { OPTION_LIMIT = 64, THREAD_LIMIT = 1024 };

const am_option am_cli_common_options[] = {
    {"json", AM_OPTION_FLAG, offsetof(am_globals, json), NULL, "print JSON", 0, 0},
    {"threads", AM_OPTION_INT, offsetof(am_globals, threads), "N",
     "work with N threads (0: as many as the machine allows)", 0, THREAD_LIMIT},
    {"auto", AM_OPTION_TEXT, offsetof(am_globals, auto_class), "AUTO_CLASS",
     "the class to make of MODEL_DIR: AutoModelForTokenClassification ..", 0, 0},
    {"target", AM_OPTION_TEXT, offsetof(am_globals, target), "NAMES",
     "where to run: cpu, openvino, \"max,mojo\", openvino:GPU .., or auto (anymodel targets)", 0, 0},
    {"target-policy", AM_OPTION_TEXT, offsetof(am_globals, target_policy), "POLICY",
     "require the targets, prefer them, or auto: only where they are faster", 0, 0},
    {"tokenizer", AM_OPTION_TEXT, offsetof(am_globals, tokenizer), "HOW",
     "auto: what AutoTokenizer answers; file: tokenizer.json as it is", 0, 0},
    {"weights", AM_OPTION_TEXT, offsetof(am_globals, weights), "FORMAT",
     "int8, int4, int4-asymmetric: round linear layers as they are loaded; auto: not", 0, 0},
    {"dtype", AM_OPTION_TEXT, offsetof(am_globals, dtype), "DTYPE",
     "bf16: multiply in bfloat16 and add in float32; auto, float32: not", 0, 0},
    {"verbose", AM_OPTION_FLAG, offsetof(am_globals, verbose), NULL, "say more on stderr", 0, 0},
    {"help", AM_OPTION_FLAG, offsetof(am_globals, help), NULL, "show this", 0, 0},
    {NULL, AM_OPTION_FLAG, 0, NULL, NULL, 0, 0},
};

/* The options of one command line, its own and the common ones, beside getopt's view of them. */
typedef struct option_set {
    struct option names[OPTION_LIMIT + 1];
    const am_option *options[OPTION_LIMIT];
    char *base[OPTION_LIMIT];
    int count;
} option_set;

static void add_options(option_set *set, const am_option *options, void *base)
{
    for (; options && options->name && set->count < OPTION_LIMIT; options++, set->count++) {
        set->names[set->count] =
            (struct option){options->name, options->kind == AM_OPTION_FLAG ? no_argument : required_argument, NULL, 0};
        set->options[set->count] = options;
        set->base[set->count] = base;
    }
}

static int set_whole(const am_globals *globals, const am_option *option, const char *text, int *out)
{
    char *end;
    errno = 0;
    long value = strtol(text, &end, 10);
    if (errno || end == text || *end || (double)value < option->min || (double)value > option->max)
        return am_cli_fail(globals, AM_INVALID_ARGUMENT,
                           "--%s: expected a whole number from %.0f to %.0f, found \"%s\"", option->name, option->min,
                           option->max, text);
    *out = (int)value;
    return AM_CLI_CONTINUE;
}

static int set_seed(const am_globals *globals, const am_option *option, const char *text, unsigned long long *out)
{
    char *end;
    errno = 0;
    *out = strtoull(text, &end, 10);
    if (errno || *text < '0' || *text > '9' || *end)
        return am_cli_fail(globals, AM_INVALID_ARGUMENT,
                           "--%s: expected a whole number from 0 to 2^64 - 1, found \"%s\"", option->name, text);
    return AM_CLI_CONTINUE;
}

static int set_real(const am_globals *globals, const am_option *option, const char *text, double *out)
{
    char *end;
    *out = strtod(text, &end);
    if (end == text || *end || !isfinite(*out) || *out < option->min || *out > option->max)
        return am_cli_fail(globals, AM_INVALID_ARGUMENT, "--%s: expected a number from %g to %g, found \"%s\"",
                           option->name, option->min, option->max, text);
    return AM_CLI_CONTINUE;
}

static int add_to_list(const am_globals *globals, const am_option *option, const char *text, am_cli_list *list)
{
    if (list->count == AM_CLI_LIST_LIMIT)
        return am_cli_fail(globals, AM_INVALID_ARGUMENT, "--%s: given more than %d times", option->name,
                           AM_CLI_LIST_LIMIT);
    list->items[list->count++] = text;
    return AM_CLI_CONTINUE;
}

/* The last value of a field counts. */
static int set_field(const am_globals *globals, const am_option *option, const char *text, am_cli_fields *fields)
{
    double number;
    int at = 0;
    if (option->min < option->max) {
        int code = set_real(globals, option, text, &number);
        if (code != AM_CLI_CONTINUE) return code;
    }
    while (at < fields->count && fields->options[at] != option) at++;
    if (at == AM_CLI_FIELDS_LIMIT) return am_cli_fail(globals, AM_INVALID_ARGUMENT, "too many options");
    fields->options[at] = option;
    fields->values[at] = text;
    if (at == fields->count) fields->count++;
    return AM_CLI_CONTINUE;
}

static int set_option(const am_globals *globals, const am_option *option, char *base, const char *text)
{
    void *place = base + option->offset;
    switch (option->kind) {
    case AM_OPTION_FLAG:
        *(bool *)place = true;
        break;
    case AM_OPTION_TEXT:
        *(const char **)place = text;
        break;
    case AM_OPTION_LIST:
        return add_to_list(globals, option, text, place);
    case AM_OPTION_INT:
        return set_whole(globals, option, text, place);
    case AM_OPTION_SEED:
        return set_seed(globals, option, text, place);
    case AM_OPTION_REAL:
        return set_real(globals, option, text, place);
    case AM_OPTION_FIELD:
        return set_field(globals, option, text, place);
    }
    return AM_CLI_CONTINUE;
}

/* What getopt could not make sense of, in words. */
static int wrong_option(const am_command *command, const am_globals *globals, const option_set *set, char **argv,
                        int result)
{
    const char *text = argv[optind - 1];
    if (result == ':') return am_cli_fail(globals, AM_INVALID_ARGUMENT, "%s: needs a value", text);
    for (int i = 0; i < set->count; i++) {
        size_t length = strlen(set->names[i].name);
        if (strncmp(text, "--", 2) == 0 && strncmp(text + 2, set->names[i].name, length) == 0 &&
            text[2 + length] == '=')
            return am_cli_fail(globals, AM_INVALID_ARGUMENT, "--%s: takes no value", set->names[i].name);
    }
    if (optopt && strncmp(text, "--", 2) != 0)
        return am_cli_fail(globals, AM_INVALID_ARGUMENT, "-%c: there are no short options; see anymodel help %s",
                           optopt, command->name);
    return am_cli_fail(globals, AM_INVALID_ARGUMENT,
                       "%s: %s has no such option (or several that begin so); see anymodel help %s", text,
                       command->name, command->name);
}

/* The only short options: -h, and -o of commands that write a file. */
static int find_output(const option_set *set)
{
    for (int i = 0; i < set->count; i++)
        if (strcmp(set->names[i].name, "output") == 0) return i;
    return -1;
}

static int read_options(const am_command *command, int argc, char **argv, am_globals *globals, const option_set *set)
{
    int index = 0, result, output = find_output(set);
    opterr = 0;
    optind = 0;
    while ((result = getopt_long(argc, argv, output < 0 ? ":h" : ":ho:", set->names, &index)) != -1) {
        if (result == 'o') {
            index = output;
            result = 0;
        }
        if (result == 'h') globals->help = true;
        else if (result) return wrong_option(command, globals, set, argv, result);
        else {
            int code = set_option(globals, set->options[index], set->base[index], optarg);
            if (code != AM_CLI_CONTINUE) return code;
        }
    }
    return AM_CLI_CONTINUE;
}

/* An error on a command line that asks for JSON is told as JSON wherever --json stands. */
static bool asks_for_json(int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--json") == 0) return true;
    }
    return false;
}

static int check_operands(const am_command *command, const am_globals *globals, int count, int min, int max)
{
    if (count >= min && (max < 0 || count <= max)) return AM_CLI_CONTINUE;
    return am_cli_fail(globals, AM_INVALID_ARGUMENT, "%s: %s; usage: anymodel %s %s", command->name,
                       count < min ? "something is missing" : "too many arguments", command->name, command->usage);
}

static int apply_globals(const am_globals *globals)
{
    am_status status = am_set_threads(globals->threads);
    if (!status && (globals->target || globals->target_policy))
        status = am_targets_wish(globals->target, globals->target_policy);
    return status ? am_cli_fail_status(globals, status) : AM_CLI_CONTINUE;
}

int am_cli_parse(const am_command *command, int argc, char **argv, am_globals *globals, void *values, int min, int max,
                 am_operands *operands)
{
    option_set set = {0};
    globals->json = asks_for_json(argc, argv);
    add_options(&set, command->options, values);
    add_options(&set, am_cli_common_options, globals);
    int code = read_options(command, argc, argv, globals, &set);
    if (code != AM_CLI_CONTINUE) return code;
    if (globals->help) {
        am_cli_put_command_help(command, values, stdout);
        return AM_OK;
    }
    *operands = (am_operands){argv + optind, argc - optind};
    code = check_operands(command, globals, operands->count, min, max);
    return code == AM_CLI_CONTINUE ? apply_globals(globals) : code;
}
