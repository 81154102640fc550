#include "runtime/verify.h"

#include <anymodel/anymodel.h>

typedef struct listener {
    void (*on_case)(void *context, const am_verify_case *report);
    void *context;
} listener;

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
                            .milliseconds = report->milliseconds};
    to->on_case(to->context, &given);
}

am_status am_verify_files(const char *path, const char *only,
                          void (*on_case)(void *context, const am_verify_case *report), void *context,
                          am_verify_summary *summary)
{
    listener to = {on_case, context};
    am_verify_counts counts = {0};
    if (!path) return am_error(AM_INVALID_ARGUMENT, "no golden file was given");
    am_verify_options options = {.only = only, .on_case = on_case ? pass_on : NULL, .context = &to};
    am_status status = am_verify_path(path, &options, &counts);
    summary->passed += counts.passed;
    summary->failed += counts.failed;
    summary->unsupported += counts.unsupported;
    return status;
}
