#include "cli/command.h"
#include "cli/inputs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

typedef struct models_values {
    const char *names;
} models_values;

static const am_option options[] = {
    {"names", AM_OPTION_TEXT, offsetof(models_values, names), "FILE",
     "a name a line (the first column of a table); - is stdin", 0, 0},
    {NULL, AM_OPTION_FLAG, 0, NULL, NULL, 0, 0},
};

static int run(int argc, char **argv, am_globals *globals);

const am_command am_command_models = {
    .name = "models",
    .summary = "every model class this build runs; what a class name is",
    .usage = "[NAME...] [--names FILE]",
    .help =
        "Without names, lists every class that runs here; a model's class stands in its config.json under\n"
        "\"architectures\". With names, says what each is in transformers (a model, an output type, an auto class ..)\n"
        "and whether it runs here. Each class that runs has golden cases, which the tests verify.\n\n"
        "  anymodel models\n"
        "  anymodel models | grep Bert\n"
        "  anymodel models CLIPTextModelOutput TFBertModel\n"
        "  anymodel models --names classes.tsv\n"
        "  anymodel models --json\n\n"
        "The exit code is that of \"not found\" when a name is unknown to transformers.\n",
    .options = options,
    .run = run,
};

/* --- names from the command line and from a file --- */

typedef struct name_list {
    const char **items;
    size_t count;
} name_list;

static bool add_name(name_list *list, const char *name)
{
    const char **more = realloc(list->items, (list->count + 1) * sizeof *more);
    if (!more) return false;
    list->items = more;
    list->items[list->count++] = name;
    return true;
}

/* A table's heading is no class name: class names have capitals. */
static bool is_heading(const char *line)
{
    return !strpbrk(line, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
}

/* The first column of each line of a text, which is cut into pieces. */
static bool add_lines(name_list *list, char *text)
{
    char *state = NULL;
    bool is_first = true;
    for (char *line = strtok_r(text, "\r\n", &state); line; line = strtok_r(NULL, "\r\n", &state), is_first = false) {
        line[strcspn(line, "\t ,")] = 0;
        if (!*line || (is_first && is_heading(line))) continue;
        if (!add_name(list, line)) return false;
    }
    return true;
}

static int read_names(const am_globals *globals, const char *path, am_cli_bytes *owned, name_list *list)
{
    am_code problem = am_cli_read(path, owned);
    if (problem) return am_cli_fail(globals, problem, "cannot read %s: %s", path, strerror(errno));
    if (!add_lines(list, owned->bytes)) return am_cli_fail(globals, AM_OUT_OF_MEMORY, "no memory for the names");
    return AM_OK;
}

/* --- the answer --- */

/* Whether any answer has the state "unknown". */
static bool has_unknown(const char *json)
{
    return strstr(json, "\"state\": \"unknown\"") != NULL;
}

static int put_names(am_globals *globals, const name_list *list)
{
    char *json = NULL;
    am_status status = am_model_names(list->items, list->count, &json);
    bool unknown = !status && has_unknown(json);
    int code = am_cli_put_result(globals, status, json);
    return code ? code : unknown ? AM_NOT_FOUND : AM_OK;
}

static int run(int argc, char **argv, am_globals *globals)
{
    models_values values = {0};
    am_operands operands;
    am_cli_bytes owned = {0};
    name_list list = {0};
    int code = am_cli_parse(&am_command_models, argc, argv, globals, &values, 0, -1, &operands);
    if (code != AM_CLI_CONTINUE) return code;
    code = AM_OK;
    for (int i = 0; i < operands.count && !code; i++)
        if (!add_name(&list, operands.items[i]))
            code = am_cli_fail(globals, AM_OUT_OF_MEMORY, "no memory for the names");
    if (!code && values.names) code = read_names(globals, values.names, &owned, &list);
    if (!code && (list.count || values.names)) code = put_names(globals, &list);
    else if (!code) {
        char *json = NULL;
        am_status status = am_models(&json);
        code = am_cli_put_result(globals, status, json);
    }
    free(list.items);
    free(owned.bytes);
    return code;
}
