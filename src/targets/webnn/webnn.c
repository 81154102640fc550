#include "targets/common/sdk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Which browsers have a back end for WebNN no file tells, so only one that the user names is taken. */
static void probe(am_target_report *out)
{
    const char *browser = getenv("ANYMODEL_BROWSER");
    if (browser && *browser) snprintf(out->path, sizeof out->path, "%s", browser);
    out->present = browser && am_sdk_is_file(out->path, 1 << 20);
    if (out->present) return;
    if (browser && *browser)
        am_reason_no(&out->reason, "ANYMODEL_BROWSER is %.300s, which is not a browser's program", browser);
    else am_reason_no(&out->reason, "ANYMODEL_BROWSER names no browser");
    am_reason_no(&out->remedy, "ANYMODEL_BROWSER=PATH of a Chromium that is built with a WebNN back end");
}

const am_target am_target_webnn = {
    .name = "webnn",
    .summary = "WebNN, in a browser",
    .probe = probe,
};
