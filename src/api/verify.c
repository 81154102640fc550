#include "api/arguments.h"
#include "runtime/verify.h"

#include <anymodel/anymodel.h>

typedef struct listener {
    void (*on_case)(void *context, const am_verify_case *report);
    void (*on_elsewhere)(void *context, const char *op, const char *reason);
    void *context;
} listener;

static void pass_elsewhere(void *context, const char *op, const char *reason)
{
    const listener *to = context;
    to->on_elsewhere(to->context, op, reason);
}

static void pass_on(void *context, const am_case_report *report)
{
    static const char *const verdicts[] = {"passed", "failed", "unsupported"};
    const listener *to = context;
    am_verify_case given = {.file = report->file,
                            .name = report->name,
                            .architecture = report->architecture,
                            .verdict = verdicts[report->verdict],
                            .message = report->message,
                            .worst = report->worst,
                            .milliseconds = report->milliseconds,
                            .nodes = report->nodes,
                            .native_nodes = report->native_nodes};
    to->on_case(to->context, &given);
}

/* Random weights of a few dozen columns average little of what rounding does: a trained model loses far less. */
double am_verify_rounded_bound(const char *weights, const char *dtype)
{
    am_session_options options = {0};
    am_status status = am_read_precision(weights, dtype, &options);
    bool is_none = status != NULL;
    int64_t bits = options.weights.format.bits;
    am_status_free(status);
    return is_none ? 0 : bits == 8 ? 0.05 : bits == 4 ? 0.5 : options.program.allows_bf16 ? 0.05 : 0;
}

am_status am_verify_files(const char *path, const am_verify_request *request, am_verify_summary *summary)
{
    static const am_verify_request none = {0};
    if (!request) request = &none;
    listener to = {request->on_case, request->on_elsewhere, request->context};
    am_verify_counts counts = {0};
    if (!path) return am_error(AM_INVALID_ARGUMENT, "no golden file was given");
    am_verify_options options = {.only = request->only,
                                 .on_case = request->on_case ? pass_on : NULL,
                                 .on_elsewhere = request->on_elsewhere ? pass_elsewhere : NULL,
                                 .context = &to};
    AM_TRY(am_target_choose(request->target, request->target_policy, &options.session.targets));
    AM_TRY(am_read_precision(request->weights, request->dtype, &options.session));
    options.session.weights.minimum = 1;
    options.bound = am_verify_rounded_bound(request->weights, request->dtype);
    am_status status = am_verify_path(path, &options, &counts);
    summary->passed += counts.passed;
    summary->failed += counts.failed;
    summary->unsupported += counts.unsupported;
    summary->nodes += counts.nodes;
    summary->native_nodes += counts.native_nodes;
    return status;
}

typedef struct step_listener {
    void (*on_step)(void *context, const am_verify_step *step);
    void *context;
} step_listener;

static void pass_step(void *context, const am_trace_step *step)
{
    static const char *const verdicts[] = {
        [AM_TRACE_SAME] = "same", [AM_TRACE_DIFFERS] = "differs", [AM_TRACE_ABSENT] = "absent"};
    const step_listener *to = context;
    am_verify_step given = {.module = step->module,
                            .verdict = verdicts[step->verdict],
                            .scope = step->scope,
                            .error = step->error,
                            .tolerance = step->tolerance,
                            .expected = step->expected,
                            .found = step->found,
                            .element = step->element};
    to->on_step(to->context, &given);
}

am_status am_verify_modules(const char *path, const char *trace,
                            void (*on_step)(void *context, const am_verify_step *step), void *context)
{
    step_listener to = {on_step, context};
    if (!path || !trace || !on_step) return am_error(AM_INVALID_ARGUMENT, "a golden file, a trace and a callback");
    return am_verify_trace(path, trace, pass_step, &to);
}
