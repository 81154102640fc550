#include "cli/command.h"

#include <math.h>
#include <string.h>

typedef struct verify_values {
    const char *only, *trace;
} verify_values;

static const am_option options[] = {
    {"only", AM_OPTION_TEXT, offsetof(verify_values, only), "TEXT", "only the cases with TEXT in their name", 0, 0},
    {"trace", AM_OPTION_TEXT, offsetof(verify_values, trace), "FILE",
     "compare the case that FILE is a trace of, module by module", 0, 0},
    {NULL, AM_OPTION_FLAG, 0, NULL, NULL, 0, 0},
};

static int run(int argc, char **argv, am_globals *globals);

const am_command am_command_verify = {
    .name = "verify",
    .summary = "run golden files: does this build give the recorded outputs",
    .usage = "PATH... [--only TEXT] [--trace FILE]",
    .help =
        "A golden file holds small models with inputs and the outputs that PyTorch gave; PATH is one, or "
        "a folder of them. Prints a line\n"
        "a case: the verdict, the case, the largest error beside that of PyTorch in float32, "
        "milliseconds and, when it did not pass,\n"
        "why. The last line counts them. The exit code is 0 only when at least one case ran and none "
        "failed.\n\n"
        "  anymodel verify tests/golden/data\n"
        "  anymodel verify tests/golden/data/bert.json --only masked\n\n"
        "With --weights, all linear layers read rounded weights, and a case passes when no output's errors have more "
        "than 0.05 (int8)\n"
        "or 0.5 (int4) of the root mean square of what is expected; that share is printed instead. With --dtype bf16 "
        "the bound is 0.05.\n\n"
        "  anymodel verify tests/golden/data/llama.json --weights int8\n"
        "  anymodel verify tests/golden/data/bert.json --dtype bf16\n\n"
        "With --trace, finds where a wrong result begins: FILE holds what every module gave in transformers\n"
        "(tools/golden/golden.py trace), PATH is the golden file of its case. Prints the first module that differs;\n"
        "with --verbose or --json every module.\n\n"
        "  anymodel verify tests/golden/data/bert.json --trace bert.trace.safetensors\n\n"
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
    printf(", \"ms\": %.3f, \"nodes\": %lld, \"native_nodes\": %lld}\n", report->milliseconds, report->nodes,
           report->native_nodes);
}

/* Reasons why nodes ran elsewhere, with how often each was given. */
enum { REASONS_LIMIT = 256 };
typedef struct elsewhere {
    const am_globals *globals;
    struct {
        char op[32], reason[224];
        long long count;
    } rows[REASONS_LIMIT];
    int count;
} elsewhere;

static void count_reason(void *context, const char *op, const char *reason)
{
    elsewhere *e = context;
    int at = 0;
    while (at < e->count && (strcmp(e->rows[at].op, op) != 0 || strncmp(e->rows[at].reason, reason, 223) != 0)) at++;
    if (at == REASONS_LIMIT) return;
    if (at == e->count) {
        snprintf(e->rows[at].op, sizeof e->rows[at].op, "%s", op);
        snprintf(e->rows[at].reason, sizeof e->rows[at].reason, "%s", reason);
        e->count++;
    }
    e->rows[at].count++;
}

static void put_reasons(const elsewhere *e)
{
    for (int i = 0; i < e->count; i++)
        printf("elsewhere: %6lld %s: %s\n", e->rows[i].count, e->rows[i].op, e->rows[i].reason);
}

static void put_case(void *context, const am_verify_case *report)
{
    const am_globals *globals = ((const elsewhere *)context)->globals;
    if (globals->json) put_json_case(report);
    else {
        printf("%-11s %-44s %10.3g %9.1f ms", report->verdict, report->name, report->worst, report->milliseconds);
        if (globals->target) printf("  %5lld of %5lld nodes native", report->native_nodes, report->nodes);
        printf("%s%s\n", report->message && *report->message ? "  " : "", report->message ? report->message : "");
    }
    fflush(stdout);
}

static void put_summary(const am_globals *globals, const am_verify_summary *summary)
{
    if (globals->json) {
        printf("{\"passed\": %lld, \"failed\": %lld, \"unsupported\": %lld, \"nodes\": %lld, \"native_nodes\": %lld}\n",
               summary->passed, summary->failed, summary->unsupported, summary->nodes, summary->native_nodes);
        return;
    }
    if (globals->target)
        printf("nodes: %lld of %lld on %s (%.2f %%), the others on the cpu\n", summary->native_nodes, summary->nodes,
               globals->target, summary->nodes ? 100.0 * (double)summary->native_nodes / (double)summary->nodes : 0.0);
    printf("cases: %lld passed, %lld failed, %lld unsupported\n", summary->passed, summary->failed,
           summary->unsupported);
}

/* --- module by module --- */

typedef struct modules {
    const am_globals *globals;
    long long same, differing, absent;
} modules;

static void put_json_step(const am_verify_step *step)
{
    fputs("{\"module\": ", stdout);
    am_cli_put_json_string(stdout, step->module);
    printf(", \"verdict\": \"%s\"", step->verdict);
    if (step->scope) {
        fputs(", \"scope\": ", stdout);
        am_cli_put_json_string(stdout, step->scope);
        printf(isfinite(step->error) ? ", \"error\": %.6g" : ", \"error\": null", step->error);
        printf(", \"tolerance\": %.6g, \"element\": %lld", step->tolerance, step->element);
    }
    puts("}");
}

static void put_step(void *context, const am_verify_step *step)
{
    modules *m = context;
    bool differs = strcmp(step->verdict, "differs") == 0, is_first = differs && !m->differing;
    m->same += strcmp(step->verdict, "same") == 0;
    m->absent += strcmp(step->verdict, "absent") == 0;
    m->differing += differs;
    if (m->globals->json) put_json_step(step);
    else if (m->globals->verbose) printf("%-8s %-70s %10.3g\n", step->verdict, step->module, step->error);
    if (m->globals->json || !is_first) return;
    printf("first difference: %s (here %s): element %lld is %.9g, expected %.9g; error %.3g, tolerance %.3g\n",
           step->module, step->scope, step->element, step->found, step->expected, step->error, step->tolerance);
}

static int compare_modules(const am_globals *globals, const char *path, const char *trace)
{
    modules m = {.globals = globals};
    int code = am_cli_fail_status(globals, am_verify_modules(path, trace, put_step, &m));
    if (code) return code;
    if (globals->json)
        printf("{\"same\": %lld, \"differing\": %lld, \"absent\": %lld}\n", m.same, m.differing, m.absent);
    else printf("modules: %lld same, %lld differing, %lld computed in another form\n", m.same, m.differing, m.absent);
    return m.differing || !m.same ? AM_FAILED : AM_OK;
}

static int run(int argc, char **argv, am_globals *globals)
{
    verify_values values = {0};
    am_operands operands;
    int code = am_cli_parse(&am_command_verify, argc, argv, globals, &values, 1, -1, &operands);
    if (code != AM_CLI_CONTINUE) return code;
    if (values.trace && operands.count != 1)
        return am_cli_fail(globals, AM_INVALID_ARGUMENT, "verify: --trace goes with one golden file");
    if (values.trace) return compare_modules(globals, operands.items[0], values.trace);
    am_verify_summary summary = {0};
    elsewhere reasons = {.globals = globals};
    const am_verify_request request = {.only = values.only,
                                       .target = globals->target,
                                       .target_policy = globals->target_policy,
                                       .weights = globals->weights,
                                       .dtype = globals->dtype,
                                       .on_case = put_case,
                                       .on_elsewhere = globals->target && !globals->json ? count_reason : NULL,
                                       .context = &reasons};
    code = AM_OK;
    for (int i = 0; i < operands.count; i++) {
        int problem = am_cli_fail_status(globals, am_verify_files(operands.items[i], &request, &summary));
        if (!code) code = problem;
    }
    if (!code && !(summary.passed + summary.failed + summary.unsupported))
        code = am_cli_fail(globals, AM_NOT_FOUND, "%s%s: no case to verify%s%s", operands.items[0],
                           operands.count > 1 ? " and the others" : "", values.only ? " with this in its name: " : "",
                           values.only ? values.only : "");
    put_reasons(&reasons);
    put_summary(globals, &summary);
    return summary.failed && !code ? AM_FAILED : code;
}
