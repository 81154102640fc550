#include "cli/command.h"
#include "cli/outline.h"

#include <stdlib.h>
#include <string.h>

typedef struct targets_values {
    bool check;
} targets_values;

static const am_option options[] = {
    {"check", AM_OPTION_FLAG, offsetof(targets_values, check), NULL,
     "open each target that is here and run a small graph on it", 0, 0},
    {NULL, AM_OPTION_FLAG, 0, NULL, NULL, 0, 0},
};

static int run(int argc, char **argv, am_globals *globals);

const am_command am_command_targets = {
    .name = "targets",
    .summary = "what this machine has to run models on",
    .usage = "[--check]",
    .help =
        "Lists each kind of processor, device or library that this build knows: what of it is here, and for the rest\n"
        "why not and how to get it. It looks at files and device nodes, opens nothing, and takes less than a "
        "millisecond.\n"
        "With --check it opens each one that is here and compares a small graph with the cpu.\n\n"
        "  anymodel targets\n"
        "  anymodel targets --check\n"
        "  anymodel targets --json\n\n"
        "A model runs on a target by --target NAMES, ANYMODEL_TARGET=NAMES, or USE_MOJO_MAX_TARGET=1 (max, then "
        "mojo).\n"
        "What a target lacks runs on the next one named and at last on the cpu; --target-policy require makes that an\n"
        "error. anymodel plan MODEL_DIR --target NAMES shows which part runs where, and why.\n",
    .options = options,
    .run = run,
};

/* The text of a member without its quotes, as it stands in JSON; length 0 where there is none. */
static int member_text(const char *row, const char *name, const char **out)
{
    const char *value = am_cli_member(row, name);
    *out = "";
    if (!value || *value != '"') return 0;
    const char *end = strchr(value + 1, '"');
    *out = value + 1;
    return end ? (int)(end - value - 1) : 0;
}

static bool is_true(const char *row, const char *name)
{
    const char *value = am_cli_member(row, name);
    return value && strncmp(value, "true", 4) == 0;
}

static void put_devices(const char *row)
{
    const char *devices = am_cli_member(row, "devices");
    for (am_cli_cursor i = am_cli_items(devices ? devices : "[]"); am_cli_next(&i);) {
        const char *name, *memory = am_cli_member(i.value, "memory_bytes");
        int length = member_text(i.value, "name", &name);
        printf("            %.*s", length, name);
        if (memory) printf(", %.1f GiB", strtod(memory, NULL) / (1024.0 * 1024.0 * 1024.0));
        putchar('\n');
    }
}

static void put_target(const char *row)
{
    const char *name, *text, *version;
    int length = member_text(row, "name", &name);
    bool available = is_true(row, "available");
    printf("%-10.*s  %s", length, name,
           available                 ? "available"
           : is_true(row, "present") ? "here, not usable"
                                     : "absent");
    if ((length = member_text(row, "version", &version)) > 0) printf("  %.*s", length, version);
    if (available && (length = member_text(row, "path", &text)) > 0) printf("  %.*s", length, text);
    putchar('\n');
    if ((length = member_text(row, "reason", &text)) > 0) printf("            %.*s\n", length, text);
    if ((length = member_text(row, "remedy", &text)) > 0) printf("            get it: %.*s\n", length, text);
    if (available) put_devices(row);
}

/* What auto estimates by. */
static void put_calibration(const am_globals *globals, const char *row)
{
    const char *points = am_cli_member(row, "calibration");
    for (am_cli_cursor i = am_cli_items(points ? points : "[]"); globals->verbose && am_cli_next(&i);) {
        const char *op;
        int length = member_text(i.value, "op", &op);
        printf("            calibrated: %.*s: %.3g ms, cpu %.3g ms\n", length, op,
               strtod(am_cli_member(i.value, "target_ms"), NULL), strtod(am_cli_member(i.value, "cpu_ms"), NULL));
    }
}

static int put_targets(const am_globals *globals)
{
    char *json = NULL;
    double spent_us = 0;
    int rows = 0;
    am_status status = am_targets(&json);
    if (status || globals->json) return am_cli_put_result(globals, status, json);
    for (am_cli_cursor i = am_cli_items(json); am_cli_next(&i); rows++) {
        put_target(i.value);
        put_calibration(globals, i.value);
        spent_us += strtod(am_cli_member(i.value, "probe_us"), NULL);
    }
    am_cli_note(globals, "%d targets looked for in %.3f ms", rows, spent_us * 1e-3);
    am_string_free(json);
    return AM_OK;
}

static int check_targets(const am_globals *globals)
{
    char *json = NULL;
    bool works = true;
    am_cli_progress("running a small graph on each target ...");
    am_status status = am_targets_check(NULL, &json);
    am_cli_progress_end();
    if (status) return am_cli_fail_status(globals, status);
    for (am_cli_cursor i = am_cli_items(json); am_cli_next(&i);) works = works && is_true(i.value, "works");
    int code = am_cli_put_result(globals, NULL, json);
    return code ? code : works ? AM_OK : AM_FAILED;
}

static int run(int argc, char **argv, am_globals *globals)
{
    targets_values values = {0};
    am_operands operands;
    int code = am_cli_parse(&am_command_targets, argc, argv, globals, &values, 0, 0, &operands);
    if (code != AM_CLI_CONTINUE) return code;
    return values.check ? check_targets(globals) : put_targets(globals);
}
