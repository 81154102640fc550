#include "cli/command.h"
#include "cli/inputs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct compile_values {
    const char *output;
    am_cli_list shapes, prompts;
    int max_new_tokens;
} compile_values;

static const am_option options[] = {
    {"output", AM_OPTION_TEXT, offsetof(compile_values, output), "FILE", "the file to write; -o FILE is the same", 0,
     0},
    {"shape", AM_OPTION_LIST, offsetof(compile_values, shapes), "SIZES",
     "compile for inputs of these sizes, \"batch=1,length=128\"; may be given again", 0, 0},
    {"prompt", AM_OPTION_LIST, offsetof(compile_values, prompts), "TEXT",
     "compile what generate needs for this prompt; may be given again", 0, 0},
    {"max-new-tokens", AM_OPTION_INT, offsetof(compile_values, max_new_tokens), "N",
     "of models that generate: for texts that go on for N tokens (64)", 2, 1e9},
    {NULL, AM_OPTION_FLAG, 0, NULL, NULL, 0, 0},
};

static int run(int argc, char **argv, am_globals *globals);

const am_command am_command_compile = {
    .name = "compile",
    .summary = "compile a model for a target into one file that runs without compiling",
    .usage = "MODEL_DIR --target NAMES -o FILE [--shape SIZES] [--prompt TEXT] [INPUT...]",
    .help =
        "FILE is then given to run, generate and the others in the place of MODEL_DIR. It holds the graphs, what the "
        "target made of\n"
        "them, configuration and tokenizer; the weights stay in MODEL_DIR and are known by their SHA-256.\n"
        "Graphs are compiled for sizes: for each --shape, and for what each INPUT (as of run) and --prompt needs. An "
        "input of other\n"
        "sizes is an error later, or with --target-policy prefer the cpu's. On the cpu nothing is compiled, and every "
        "size runs.\n\n"
        "  anymodel compile my-bert --target max -o bert.compiled --shape length=16 --shape length=32\n"
        "  anymodel compile my-vit --target openvino -o vit.compiled cat.jpg\n"
        "  anymodel run vit.compiled dog.jpg\n"
        "  anymodel compile my-llama --target mojo -o llama.compiled --shape length=12 --max-new-tokens 100\n"
        "  anymodel generate llama.compiled --prompt \"Once upon a time\"\n\n"
        "FILE belongs to this version of the program, of the target's library and to cpus with these features; "
        "where one differs that\n"
        "is an error that says so. It holds machine code: trust it as you would a program.\n",
    .options = options,
    .run = run,
};

/* Minutes of compiling are not to end in a folder that is not there. */
static int check_output(const am_globals *globals, const char *path)
{
    const char *slash = strrchr(path, '/');
    char *folder = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
    if (!folder) return am_cli_fail(globals, AM_OUT_OF_MEMORY, "no memory for a path");
    int code = access(folder, W_OK | X_OK) == 0 ? AM_OK
                                                : am_cli_fail(globals, errno == ENOENT ? AM_NOT_FOUND : AM_IO,
                                                              "compile: cannot write to %s: %s", path, strerror(errno));
    free(folder);
    return code;
}

static int answer(const am_globals *globals, am_model *model, const char *operand)
{
    am_task_input input;
    am_cli_bytes owned;
    char *json = NULL;
    bool takes_media = am_cli_task_takes_media(am_model_task(model));
    int code = am_cli_make_input(globals, operand, takes_media, &input, &owned);
    am_cli_progress("compiling for %s ...", operand);
    if (!code) code = am_cli_fail_status(globals, am_model_run(model, NULL, &input, NULL, &json));
    am_string_free(json);
    free(owned.bytes);
    return code;
}

static int generate(const am_globals *globals, am_model *model, const char *prompt, int new_tokens)
{
    am_text_result result = {0};
    am_text_options how = {.max_new_tokens = new_tokens ? new_tokens : 64, .greedy = true};
    am_cli_progress("compiling for a prompt ...");
    am_status status = am_model_generate(model, prompt, &how, &result);
    am_text_result_deinit(&result);
    return am_cli_fail_status(globals, status);
}

static int shape(const am_globals *globals, am_model *model, const char *sizes, int new_tokens)
{
    am_cli_progress("compiling for %s ...", sizes ? sizes : "the usual sizes");
    return am_cli_fail_status(globals, am_model_compile(model, sizes, new_tokens));
}

static int compile(const am_globals *globals, am_model *model, const compile_values *values,
                   const am_operands *operands)
{
    int code = AM_OK;
    bool is_default = !values->shapes.count && !values->prompts.count && operands->count < 2;
    if (is_default) code = shape(globals, model, NULL, values->max_new_tokens);
    for (int i = 0; i < values->shapes.count && !code; i++)
        code = shape(globals, model, values->shapes.items[i], values->max_new_tokens);
    for (int i = 0; i < values->prompts.count && !code; i++)
        code = generate(globals, model, values->prompts.items[i], values->max_new_tokens);
    for (int i = 1; i < operands->count && !code; i++) code = answer(globals, model, operands->items[i]);
    if (code) return code;
    char *json = NULL;
    am_cli_progress("writing %s ...", values->output);
    am_status status = am_model_save_compiled(model, values->output, &json);
    return am_cli_put_result(globals, status, json);
}

static int run(int argc, char **argv, am_globals *globals)
{
    compile_values values = {0};
    am_operands operands;
    int code = am_cli_parse(&am_command_compile, argc, argv, globals, &values, 1, -1, &operands);
    if (code != AM_CLI_CONTINUE) return code;
    if (!globals->target)
        return am_cli_fail(globals, AM_INVALID_ARGUMENT, "compile: --target NAMES is missing (anymodel targets)");
    if (!values.output) return am_cli_fail(globals, AM_INVALID_ARGUMENT, "compile: -o FILE is missing");
    am_model *model = NULL;
    code = am_cli_fail_status(globals, am_targets_wish(globals->target, "require")); /* each must be here */
    if (!code) code = check_output(globals, values.output);
    if (!code) code = am_cli_fail_status(globals, am_cli_open_model(globals, operands.items[0], &model));
    if (!code) code = compile(globals, model, &values, &operands);
    am_model_close(model);
    return code;
}
