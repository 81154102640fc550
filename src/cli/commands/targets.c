#include "cli/command.h"

static int run(int argc, char **argv, am_globals *globals);

const am_command am_command_targets = {
    .name = "targets",
    .summary = "what this machine has to run models on",
    .usage = "",
    .help = "Lists each kind of processor or device that this build knows, what of it is here, and why not "
            "for the rest.\n\n"
            "  anymodel targets\n"
            "  anymodel targets --json\n",
    .run = run,
};

static int run(int argc, char **argv, am_globals *globals)
{
    am_operands operands;
    int code = am_cli_parse(&am_command_targets, argc, argv, globals, NULL, 0, 0, &operands);
    if (code != AM_CLI_CONTINUE) return code;
    char *json = NULL;
    am_status status = am_targets(&json);
    return am_cli_put_result(globals, status, json);
}
