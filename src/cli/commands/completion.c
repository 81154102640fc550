#include "cli/command.h"

#include <string.h>

static int run(int argc, char **argv, am_globals *globals);

const am_command am_command_completion = {
    .name = "completion",
    .summary = "a script that completes commands and options in bash or zsh",
    .usage = "bash|zsh",
    .help = "  source <(anymodel completion bash)                       in ~/.bashrc\n"
            "  anymodel completion zsh > ~/.zfunc/_anymodel             with ~/.zfunc in fpath\n",
    .run = run,
};

static void put_bash_options(const am_option *options)
{
    for (; options && options->name; options++) printf(" --%s", options->name);
}

static void put_bash(void)
{
    puts("# Completion of anymodel in bash; written by: anymodel completion bash\n"
         "_anymodel() {\n"
         "    local word=${COMP_WORDS[COMP_CWORD]} words=''\n"
         "    COMPREPLY=()\n"
         "    if [ \"$COMP_CWORD\" -eq 1 ]; then");
    fputs("        words='", stdout);
    for (const am_command *const *command = am_command_registry; *command; command++)
        printf("%s%s", command == am_command_registry ? "" : " ", (*command)->name);
    puts("'\n"
         "    elif [[ $word == -* ]]; then\n"
         "        case ${COMP_WORDS[1]} in");
    for (const am_command *const *command = am_command_registry; *command; command++) {
        printf("        %s) words='", (*command)->name);
        put_bash_options(am_cli_common_options);
        put_bash_options((*command)->options);
        puts("' ;;");
    }
    puts("        esac\n"
         "    elif [ \"${COMP_WORDS[1]}\" = help ]; then");
    fputs("        words='", stdout);
    for (const am_command *const *command = am_command_registry; *command; command++)
        printf("%s%s", command == am_command_registry ? "" : " ", (*command)->name);
    puts("'\n"
         "    elif [ \"${COMP_WORDS[1]}\" = completion ]; then\n"
         "        words='bash zsh'\n"
         "    fi\n"
         "    if [ -n \"$words\" ]; then\n"
         "        mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\")\n"
         "    else\n"
         "        compopt -o filenames\n"
         "        mapfile -t COMPREPLY < <(compgen -f -- \"$word\")\n"
         "    fi\n"
         "}\n"
         "complete -F _anymodel anymodel");
}

/* Text within single quotes and brackets of a zsh completion specification. */
static void put_zsh_text(const char *text)
{
    for (; *text; text++) {
        if (*text == '\'') fputs("'\\''", stdout);
        else if (strchr("[]:\\", *text)) printf("\\%c", *text);
        else putchar(*text);
    }
}

static void put_zsh_options(const am_option *options)
{
    for (; options && options->name; options++) {
        printf(" \\\n            '%s--%s[", options->kind == AM_OPTION_LIST ? "*" : "", options->name);
        put_zsh_text(options->meaning);
        printf(options->argument ? "]:%s:' " : "]' ", options->argument);
    }
}

static void put_zsh_commands(void)
{
    for (const am_command *const *command = am_command_registry; *command; command++) {
        printf("        '%s:", (*command)->name);
        put_zsh_text((*command)->summary);
        puts("'");
    }
}

static void put_zsh(void)
{
    puts("#compdef anymodel\n"
         "# Completion of anymodel in zsh; written by: anymodel completion zsh\n"
         "_anymodel() {\n"
         "    local -a commands=(");
    put_zsh_commands();
    puts("    )\n"
         "    if ((CURRENT == 2)); then\n"
         "        _describe command commands\n"
         "        return\n"
         "    fi\n"
         "    local command=$words[2]\n"
         "    shift words\n"
         "    ((CURRENT--))\n"
         "    case $command in");
    for (const am_command *const *command = am_command_registry; *command; command++) {
        printf("    %s)\n        _arguments", (*command)->name);
        put_zsh_options(am_cli_common_options);
        put_zsh_options((*command)->options);
        if (strcmp((*command)->name, "help") == 0)
            puts(" \\\n            '1:command:{_describe command commands}'\n        ;;");
        else if (strcmp((*command)->name, "completion") == 0) puts(" \\\n            '1:shell:(bash zsh)'\n        ;;");
        else puts(" \\\n            '*:file:_files'\n        ;;");
    }
    puts("    esac\n"
         "}\n"
         "_anymodel \"$@\"");
}

static int run(int argc, char **argv, am_globals *globals)
{
    am_operands operands;
    int code = am_cli_parse(&am_command_completion, argc, argv, globals, NULL, 1, 1, &operands);
    if (code != AM_CLI_CONTINUE) return code;
    const char *shell = operands.items[0];
    if (strcmp(shell, "bash") == 0) put_bash();
    else if (strcmp(shell, "zsh") == 0) put_zsh();
    else return am_cli_fail(globals, AM_INVALID_ARGUMENT, "completion: expected bash or zsh, found \"%s\"", shell);
    return AM_OK;
}
