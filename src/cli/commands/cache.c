#include "cli/command.h"

#include <string.h>

static int run(int argc, char **argv, am_globals *globals);

const am_command am_command_cache = {
    .name = "cache",
    .summary = "what is kept from run to run: list it, delete it",
    .usage = "[list | clear [KIND...]]",
    .help = "Packed weights, compiled graphs and measurements are kept in $ANYMODEL_CACHE, else "
            "$XDG_CACHE_HOME/anymodel,\n"
            "else ~/.cache/anymodel, so that the next start takes milliseconds. Nothing is lost with them but time.\n\n"
            "  anymodel cache                  how much there is of each kind\n"
            "  anymodel cache clear            delete all of it\n"
            "  anymodel cache clear weights    delete packed weights only\n\n"
            "Packed weights give way by themselves: ANYMODEL_WEIGHT_CACHE=4 keeps 4 GiB at most, 0 none (16).\n",
    .run = run,
};

static int run(int argc, char **argv, am_globals *globals)
{
    am_operands operands;
    char *json = NULL;
    int code = am_cli_parse(&am_command_cache, argc, argv, globals, NULL, 0, -1, &operands);
    if (code != AM_CLI_CONTINUE) return code;
    const char *verb = operands.count ? operands.items[0] : "list";
    if (strcmp(verb, "clear") == 0) {
        am_status status = am_cache_clear((const char *const *)operands.items + 1, (size_t)operands.count - 1, &json);
        return am_cli_put_result(globals, status, json);
    }
    if (strcmp(verb, "list") != 0)
        return am_cli_fail(globals, AM_INVALID_ARGUMENT,
                           "cache: \"%s\" is nothing to do with it; there are list and clear", verb);
    if (operands.count > 1)
        return am_cli_fail(globals, AM_INVALID_ARGUMENT, "cache list takes no \"%s\"", operands.items[1]);
    am_status status = am_cache_list(&json);
    return am_cli_put_result(globals, status, json);
}
