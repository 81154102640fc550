#include "targets/common/modular.h"

#include <stdio.h>

static void probe(am_target_report *out)
{
    am_modular found;
    am_modular_find(&found);
    out->present = found.has_max;
    snprintf(out->version, sizeof out->version, "%s", found.max_version);
    snprintf(out->path, sizeof out->path, "%s", found.root);
    if (found.has_max) return;
    if (found.has_mojo) am_reason_no(&out->reason, "lib/libmax.so is not in Modular's package (%.300s)", found.root);
    else if (found.rejected.text[0]) out->reason = found.rejected;
    else am_reason_no(&out->reason, "Modular's package (lib/libmax.so) was not found");
    am_reason_no(&out->remedy, "pip install modular==26.7.0 in a virtual environment, or make sdks");
}

const am_target am_target_max = {
    .name = "max",
    .summary = "Modular's MAX engine",
    .probe = probe,
};
