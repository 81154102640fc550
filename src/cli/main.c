#include "cli/command.h"

#include <errno.h>
#include <string.h>

static int run_command(int argc, char **argv, am_globals *globals)
{
    if (argc < 2) {
        am_cli_put_help(stderr);
        return AM_INVALID_ARGUMENT;
    }
    const char *name = argv[1];
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) name = "help";
    if (strcmp(name, "--version") == 0) name = "version";
    if (*name == '-')
        return am_cli_fail(globals, AM_INVALID_ARGUMENT,
                           "%s: the command comes first (anymodel COMMAND %s ...); anymodel help lists them", name,
                           name);
    const am_command *command = am_command_find(name);
    return command ? command->run(argc - 1, argv + 1, globals) : am_cli_unknown_command(globals, name);
}

int main(int argc, char **argv)
{
    am_globals globals = {0};
    int code = run_command(argc, argv, &globals);
    errno = 0;
    if (fflush(stdout) || ferror(stdout)) {
        fprintf(stderr, "anymodel: %d %s: cannot write the output: %s\n", (int)AM_IO, am_code_text(AM_IO),
                errno ? strerror(errno) : "it was cut off");
        if (!code) code = AM_IO;
    }
    return code;
}
