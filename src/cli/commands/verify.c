#include "cli/command.h"

#include <math.h>

typedef struct verify_values {
    const char *only;
} verify_values;

static const am_option options[] = {
    {"only", AM_OPTION_TEXT, offsetof(verify_values, only), "TEXT", "only the cases with TEXT in their name", 0, 0},
    {NULL, AM_OPTION_FLAG, 0, NULL, NULL, 0, 0},
};

static int run(int argc, char **argv, am_globals *globals);

const am_command am_command_verify = {
    .name = "verify",
    .summary = "run golden files: does this build give the recorded outputs",
    .usage = "PATH... [--only TEXT]",
    .help = "A golden file holds small models with inputs and the outputs that PyTorch gave; PATH is one, or "
            "a folder of them. Prints a line\n"
            "a case: the verdict, the case, the largest error beside that of PyTorch in float32, "
            "milliseconds and, when it did not pass,\n"
            "why. The last line counts them. The exit code is 0 only when at least one case ran and none "
            "failed.\n\n"
            "  anymodel verify tests/golden/data\n"
            "  anymodel verify tests/golden/data/bert.json --only masked\n\n"
            "With --json: an object a line for each case, then {\"passed\", \"failed\", \"unsupported\"}.\n",
    .options = options,
    .run = run,
};

static void put_json_case(const am_verify_case *report)
{
    const char *const members[][2] = {{"verdict", report->verdict},
                                      {"case", report->name},
                                      {"file", report->file},
                                      {"architecture", report->architecture},
                                      {"message", report->message}};
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        printf("%s\"%s\": ", i ? ", " : "{", members[i][0]);
        if (members[i][1]) am_cli_put_json_string(stdout, members[i][1]);
        else fputs("null", stdout);
    }
    if (isfinite(report->worst)) printf(", \"worst\": %.9g", report->worst);
    else fputs(", \"worst\": null", stdout);
    printf(", \"ms\": %.3f}\n", report->milliseconds);
}

static void put_case(void *context, const am_verify_case *report)
{
    const am_globals *globals = context;
    if (globals->json) put_json_case(report);
    else
        printf("%-11s %-44s %10.3g %9.1f ms%s%s\n", report->verdict, report->name, report->worst, report->milliseconds,
               report->message && *report->message ? "  " : "", report->message ? report->message : "");
    fflush(stdout);
}

static void put_summary(const am_globals *globals, const am_verify_summary *summary)
{
    printf(globals->json ? "{\"passed\": %lld, \"failed\": %lld, \"unsupported\": %lld}\n"
                         : "cases: %lld passed, %lld failed, %lld unsupported\n",
           summary->passed, summary->failed, summary->unsupported);
}

static int run(int argc, char **argv, am_globals *globals)
{
    verify_values values = {0};
    am_operands operands;
    int code = am_cli_parse(&am_command_verify, argc, argv, globals, &values, 1, -1, &operands);
    if (code != AM_CLI_CONTINUE) return code;
    am_verify_summary summary = {0};
    code = AM_OK;
    for (int i = 0; i < operands.count; i++) {
        int problem =
            am_cli_fail_status(globals, am_verify_files(operands.items[i], values.only, put_case, globals, &summary));
        if (!code) code = problem;
    }
    if (!code && !(summary.passed + summary.failed + summary.unsupported))
        code = am_cli_fail(globals, AM_NOT_FOUND, "%s%s: no case to verify%s%s", operands.items[0],
                           operands.count > 1 ? " and the others" : "", values.only ? " with this in its name: " : "",
                           values.only ? values.only : "");
    put_summary(globals, &summary);
    return summary.failed && !code ? AM_FAILED : code;
}
