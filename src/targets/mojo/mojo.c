#include "targets/common/modular.h"

#include <stdio.h>

static void probe(am_target_report *out)
{
    am_modular found;
    am_modular_find(&found);
    out->present = found.has_mojo;
    snprintf(out->version, sizeof out->version, "%s", found.mojo_version);
    snprintf(out->path, sizeof out->path, "%s", found.root);
    if (found.has_mojo) return;
    if (found.has_max) am_reason_no(&out->reason, "bin/mojo is not in Modular's package (%.300s)", found.root);
    else if (found.rejected.text[0]) out->reason = found.rejected;
    else am_reason_no(&out->reason, "the Mojo compiler (bin/mojo with lib/mojo/std.mojoc) was not found");
    am_reason_no(&out->remedy, "pip install mojo-compiler==1.2.0 in a virtual environment, or make sdks");
}

const am_target am_target_mojo = {
    .name = "mojo",
    .summary = "kernels in Modular's Mojo language, compiled on this machine",
    .probe = probe,
};
