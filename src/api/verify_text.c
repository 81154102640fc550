#include "recorded/recorded.h"

#include <anymodel/anymodel.h>

static void pass_line(void *context, const char *line)
{
    const am_verify_text_request *request = context;
    if (request->on_line) request->on_line(request->context, line);
}

static void pass_part(void *context, const char *part, int64_t passed, int64_t failed, int64_t unsupported,
                      double seconds)
{
    const am_verify_text_request *request = context;
    am_verify_summary counted = {.passed = passed, .failed = failed, .unsupported = unsupported};
    if (request->on_part) request->on_part(request->context, part, &counted, seconds);
}

am_status am_verify_text_files(const char *path, const am_verify_text_request *request, am_verify_summary *summary)
{
    am_verify_text_request listener = request ? *request : (am_verify_text_request){0};
    if (!path) return am_error(AM_INVALID_ARGUMENT, "no folder of recorded answers was given");
    am_recorded recorded = {.only = listener.only, .on_line = pass_line, .on_part = pass_part, .context = &listener};
    am_status status = am_recorded_verify(path, &recorded);
    summary->passed += recorded.passed;
    summary->failed += recorded.failed;
    summary->unsupported += recorded.unsupported;
    return status;
}
