#include "cli/command.h"
#include "cli/outline.h"

#include <string.h>

static int run(int argc, char **argv, am_globals *globals);

const am_command am_command_target = {
    .name = "target",
    .summary = "build what a target needs on this machine",
    .usage = "build NAME",
    .help = "Compiles what the target NAME needs here, so that the first model does not wait for it (for mojo: the "
            "library\n"
            "of kernels, with your compiler, into the cache folder), and runs a small graph on it.\n\n"
            "  anymodel target build mojo\n",
    .options = NULL,
    .run = run,
};

static int run(int argc, char **argv, am_globals *globals)
{
    am_operands operands;
    int code = am_cli_parse(&am_command_target, argc, argv, globals, NULL, 2, 2, &operands);
    if (code != AM_CLI_CONTINUE) return code;
    if (strcmp(operands.items[0], "build") != 0)
        return am_cli_fail(globals, AM_INVALID_ARGUMENT,
                           "target: \"%s\" is nothing to do with a target; there is build", operands.items[0]);
    char *json = NULL;
    am_cli_progress("building for %s ...", operands.items[1]);
    am_status status = am_targets_check(operands.items[1], &json);
    am_cli_progress_end();
    if (status) return am_cli_fail_status(globals, status);
    am_cli_cursor rows = am_cli_items(json);
    const char *works = am_cli_next(&rows) ? am_cli_member(rows.value, "works") : NULL;
    bool good = works && strncmp(works, "true", 4) == 0;
    code = am_cli_put_result(globals, NULL, json);
    return code ? code : good ? AM_OK : AM_FAILED;
}
