#include "cli/answer.h"
#include "cli/inputs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

typedef struct generate_values {
    am_answer_values answer; /* first: its options count from the beginning */
    const char *prompt;
} generate_values;

static const am_option options[] = {
    {"prompt", AM_OPTION_TEXT, offsetof(generate_values, prompt), "TEXT",
     "the text to continue or to answer; - reads stdin", 0, 0},
    AM_ANSWER_OPTIONS,
    {NULL, AM_OPTION_FLAG, 0, NULL, NULL, 0, 0},
};

static int answer(const am_globals *globals, const char *directory, const generate_values *values, const char *prompt)
{
    am_model *model = NULL;
    am_status status = am_cli_open_model(globals, directory, &model);
    int code = status ? am_cli_fail_status(globals, status)
                      : am_cli_answer(globals, model, &values->answer, prompt, false, NULL);
    am_model_close(model);
    return code;
}

static int run(int argc, char **argv, am_globals *globals);

const am_command am_command_generate = {
    .name = "generate",
    .summary = "continue a text, token by token",
    .usage = "MODEL_DIR --prompt TEXT [OPTIONS]",
    .help = "Prints what the model writes after the prompt (or, for models that read and write separately, as "
            "T5, its answer to it).\n"
            "Without options it writes as the model's generation_config.json says; sampling begins with "
            "--temperature, --top-k or --top-p.\n\n"
            "  anymodel generate my-model --prompt \"Once upon a time\" --max-new-tokens 50 --stream\n"
            "  anymodel generate my-model --prompt \"Once upon a time\" --temperature 0.8 --top-p 0.95 --seed 7\n"
            "  anymodel generate my-t5 --prompt - < letter.txt\n"
            "  anymodel generate my-model --prompt \"1, 2, 3,\" --greedy --stop \"10\" --json\n"
            "  anymodel generate my-t5 --prompt - --num-beams 4 --num-return-sequences 2 --length-penalty 2 < "
            "letter.txt\n\n"
            "With --json: {\"text\", \"ids\", \"finish_reason\", \"prompt_tokens\"}, and with beams or several answers "
            "\"sequences\"; with --stream too, a\n"
            "{\"piece\"} a line before it; with --verbose also the times.\n",
    .options = options,
    .run = run,
};

static int run(int argc, char **argv, am_globals *globals)
{
    generate_values values = {.answer.temperature = -1};
    am_operands operands;
    int code = am_cli_parse(&am_command_generate, argc, argv, globals, &values, 1, 1, &operands);
    if (code != AM_CLI_CONTINUE) return code;
    if (!values.prompt) return am_cli_fail(globals, AM_INVALID_ARGUMENT, "generate: --prompt TEXT is missing");
    if (strcmp(values.prompt, "-") != 0) return answer(globals, operands.items[0], &values, values.prompt);
    am_cli_bytes input;
    am_code problem = am_cli_read("-", &input);
    if (problem) return am_cli_fail(globals, problem, "cannot read stdin: %s", strerror(errno));
    am_cli_cut_line_end(&input);
    if (memchr(input.bytes, 0, input.length))
        code = am_cli_fail(globals, AM_INVALID_ARGUMENT, "stdin: a zero byte; this is no text");
    else code = answer(globals, operands.items[0], &values, input.bytes);
    free(input.bytes);
    return code;
}
