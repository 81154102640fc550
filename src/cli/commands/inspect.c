#include "cli/command.h"

static int run(int argc, char **argv, am_globals *globals);

const am_command am_command_inspect = {
    .name = "inspect",
    .summary = "what a model directory holds, and whether it runs here",
    .usage = "MODEL_DIR",
    .help = "Shows the configuration, the class, parameters, memory, tensors and files; and when this build "
            "cannot run it, why not.\n\n"
            "  anymodel inspect my-model\n"
            "  anymodel inspect my-model --json | jq .parameters\n",
    .run = run,
};

static int run(int argc, char **argv, am_globals *globals)
{
    am_operands operands;
    int code = am_cli_parse(&am_command_inspect, argc, argv, globals, NULL, 1, 1, &operands);
    if (code != AM_CLI_CONTINUE) return code;
    char *json = NULL;
    am_status status = am_inspect(operands.items[0], &json);
    return am_cli_put_result(globals, status, json);
}
