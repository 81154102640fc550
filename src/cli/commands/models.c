#include "cli/command.h"

static int run(int argc, char **argv, am_globals *globals);

const am_command am_command_models = {
    .name = "models",
    .summary = "every model class and whether this build runs it",
    .usage = "",
    .help = "A model's class stands in its config.json under \"architectures\".\n\n"
            "  anymodel models\n"
            "  anymodel models | grep Bert\n"
            "  anymodel models --json\n",
    .run = run,
};

static int run(int argc, char **argv, am_globals *globals)
{
    am_operands operands;
    int code = am_cli_parse(&am_command_models, argc, argv, globals, NULL, 0, 0, &operands);
    if (code != AM_CLI_CONTINUE) return code;
    char *json = NULL;
    am_status status = am_models(&json);
    return am_cli_put_result(globals, status, json);
}
