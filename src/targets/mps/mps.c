#include "targets/common/sdk.h"

static void probe(am_target_report *out)
{
#if defined(__APPLE__)
    out->present = true; /* every macOS that this program runs on has it */
    am_sdk_join(out->path, "/System/Library/Frameworks", "Metal.framework");
#else
    am_reason_no(&out->reason, "Metal is part of macOS, and this is another system");
    am_reason_no(&out->remedy, "a Mac");
#endif
}

const am_target am_target_mps = {
    .name = "mps",
    .summary = "Apple GPUs, by Metal",
    .probe = probe,
};
