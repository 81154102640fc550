#include "cli/command.h"

typedef struct plan_values {
    const char *shape;
} plan_values;

static const am_option options[] = {
    {"shape", AM_OPTION_TEXT, offsetof(plan_values, shape), "SIZES", "of the inputs: \"batch=1,length=128\"", 0, 0},
    {NULL, AM_OPTION_FLAG, 0, NULL, NULL, 0, 0},
};

static int run(int argc, char **argv, am_globals *globals);

const am_command am_command_plan = {
    .name = "plan",
    .summary = "the graph of a model and where each node runs",
    .usage = "MODEL_DIR [--shape SIZES]",
    .help = "Builds the graph as run would for inputs of these sizes and prints it, without computing "
            "anything.\n\n"
            "  anymodel plan my-model\n"
            "  anymodel plan my-model --shape batch=4,length=512 --json\n",
    .options = options,
    .run = run,
};

static int run(int argc, char **argv, am_globals *globals)
{
    plan_values values = {0};
    am_operands operands;
    int code = am_cli_parse(&am_command_plan, argc, argv, globals, &values, 1, 1, &operands);
    if (code != AM_CLI_CONTINUE) return code;
    am_model *model = NULL;
    char *json = NULL;
    am_status status = am_cli_open_model(globals, operands.items[0], &model);
    if (!status) status = am_model_plan(model, values.shape, &json);
    code = am_cli_put_result(globals, status, json);
    am_model_close(model);
    return code;
}
