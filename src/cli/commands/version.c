#include "cli/command.h"

static int run(int argc, char **argv, am_globals *globals);

const am_command am_command_version = {
    .name = "version",
    .summary = "the version of this program",
    .usage = "",
    .help = "  anymodel version\n",
    .run = run,
};

static int run(int argc, char **argv, am_globals *globals)
{
    am_operands operands;
    int code = am_cli_parse(&am_command_version, argc, argv, globals, NULL, 0, 0, &operands);
    if (code != AM_CLI_CONTINUE) return code;
    printf(globals->json ? "{\"version\": \"%s\"}\n" : "anymodel %s\n", am_version());
    return AM_OK;
}
