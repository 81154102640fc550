#include "cli/command.h"

typedef struct bench_values {
    const char *shape;
    bool profile;
} bench_values;

static const am_option options[] = {
    {"shape", AM_OPTION_TEXT, offsetof(bench_values, shape), "SIZES", "of the inputs: \"batch=1,length=128\"", 0, 0},
    {"profile", AM_OPTION_FLAG, offsetof(bench_values, profile), NULL, "also the time of a run by kernel", 0, 0},
    {NULL, AM_OPTION_FLAG, 0, NULL, NULL, 0, 0},
};

static int run(int argc, char **argv, am_globals *globals);

const am_command am_command_bench = {
    .name = "bench",
    .summary = "how fast a model runs here, beside what the machine can do",
    .usage = "MODEL_DIR [--shape SIZES] [--profile]",
    .help = "Measures the time to load and to the first answer, the steady time of an answer, tokens per "
            "second, memory, and the\n"
            "arithmetic and memory traffic reached beside the peaks measured on this machine. Other work on "
            "the machine shows in it.\n"
            "With --profile each kernel's calls, milliseconds and share of a run, and GFLOP/s where its arithmetic is "
            "counted.\n\n"
            "  anymodel bench my-model\n"
            "  anymodel bench my-model --shape batch=8,length=128 --threads 4 --json\n"
            "  anymodel bench my-model --profile\n",
    .options = options,
    .run = run,
};

static int run(int argc, char **argv, am_globals *globals)
{
    bench_values values = {0};
    am_operands operands;
    int code = am_cli_parse(&am_command_bench, argc, argv, globals, &values, 1, 1, &operands);
    if (code != AM_CLI_CONTINUE) return code;
    char *json = NULL;
    am_cli_progress("measuring %s ...", operands.items[0]);
    am_status status = am_benchmark(operands.items[0],
                                    &(am_model_options){.target = globals->target,
                                                        .target_policy = globals->target_policy,
                                                        .weights = globals->weights,
                                                        .dtype = globals->dtype},
                                    values.shape, values.profile, &json);
    return am_cli_put_result(globals, status, json);
}
