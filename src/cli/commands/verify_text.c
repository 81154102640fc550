#include "cli/command.h"

typedef struct verify_text_values {
    const char *only;
    bool quiet;
} verify_text_values;

static const am_option options[] = {
    {"only", AM_OPTION_TEXT, offsetof(verify_text_values, only), "TEXT", "only the parts with TEXT in their name", 0,
     0},
    {"quiet", AM_OPTION_FLAG, offsetof(verify_text_values, quiet), NULL, "parts and counts, not each failure", 0, 0},
    {NULL, AM_OPTION_FLAG, 0, NULL, NULL, 0, 0},
};

static int run(int argc, char **argv, am_globals *globals);

const am_command am_command_verify_text = {
    .name = "verify-text",
    .summary = "compare tokenizers, chat templates, images and sounds with recorded answers",
    .usage = "FOLDER... [--only TEXT] [--quiet]",
    .help =
        "FOLDER holds answers of the Python libraries: tokenizers/, chat_templates/, image_processors/, audio/ and\n"
        "pipelines/, or is one of them. Prints what failed or is unsupported and why, a line a part, and the count.\n"
        "The exit code is 0 only when at least one case ran and none failed.\n\n"
        "  anymodel verify-text tests/unit/text/data\n"
        "  anymodel verify-text recorded --only processors/ViT\n\n"
        "With --json: an object a line for each part, then {\"passed\", \"failed\", \"unsupported\"}.\n",
    .options = options,
    .run = run,
};

typedef struct listener {
    const am_globals *globals;
    bool quiet;
} listener;

static void put_line(void *context, const char *line)
{
    const listener *to = context;
    if (!to->globals->json && !to->quiet) puts(line);
}

static void put_part(void *context, const char *part, const am_verify_summary *counted, double seconds)
{
    const listener *to = context;
    if (to->globals->json) {
        fputs("{\"part\": ", stdout);
        am_cli_put_json_string(stdout, part);
        printf(", \"passed\": %lld, \"failed\": %lld, \"unsupported\": %lld, \"seconds\": %.3f}\n", counted->passed,
               counted->failed, counted->unsupported, seconds);
    } else
        printf("%-52s %7lld passed %6lld failed %6lld unsupported %8.2f s\n", part, counted->passed, counted->failed,
               counted->unsupported, seconds);
    fflush(stdout);
}

static int run(int argc, char **argv, am_globals *globals)
{
    verify_text_values values = {0};
    am_operands operands;
    int code = am_cli_parse(&am_command_verify_text, argc, argv, globals, &values, 1, -1, &operands);
    if (code != AM_CLI_CONTINUE) return code;
    listener to = {globals, values.quiet};
    const am_verify_text_request request = {
        .only = values.only, .on_line = put_line, .on_part = put_part, .context = &to};
    am_verify_summary summary = {0};
    code = AM_OK;
    for (int i = 0; i < operands.count; i++) {
        int problem = am_cli_fail_status(globals, am_verify_text_files(operands.items[i], &request, &summary));
        if (!code) code = problem;
    }
    if (!code && !(summary.passed + summary.failed + summary.unsupported))
        code = am_cli_fail(globals, AM_NOT_FOUND, "%s: no case to verify%s%s", operands.items[0],
                           values.only ? " in a part with this in its name: " : "", values.only ? values.only : "");
    if (globals->json)
        printf("{\"passed\": %lld, \"failed\": %lld, \"unsupported\": %lld}\n", summary.passed, summary.failed,
               summary.unsupported);
    else
        printf("cases: %lld passed, %lld failed, %lld unsupported\n", summary.passed, summary.failed,
               summary.unsupported);
    return summary.failed && !code ? AM_FAILED : code;
}
