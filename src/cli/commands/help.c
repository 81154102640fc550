#include "cli/command.h"

static int run(int argc, char **argv, am_globals *globals);

const am_command am_command_help = {
    .name = "help",
    .summary = "how to use a command",
    .usage = "[COMMAND]",
    .help = "  anymodel help\n"
            "  anymodel help generate\n",
    .run = run,
};

static int run(int argc, char **argv, am_globals *globals)
{
    am_operands operands;
    int code = am_cli_parse(&am_command_help, argc, argv, globals, NULL, 0, 1, &operands);
    if (code != AM_CLI_CONTINUE) return code;
    if (!operands.count) {
        am_cli_put_help(stdout);
        return AM_OK;
    }
    const am_command *command = am_command_find(operands.items[0]);
    if (!command) return am_cli_unknown_command(globals, operands.items[0]);
    am_cli_put_command_help(command, NULL, stdout);
    return AM_OK;
}
