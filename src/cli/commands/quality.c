#include "cli/command.h"
#include "cli/inputs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

typedef struct quality_values {
    const char *text;
    int window;
} quality_values;

static const am_option options[] = {
    {"text", AM_OPTION_TEXT, offsetof(quality_values, text), "FILE", "the text to read; - reads stdin", 0, 0},
    {"window", AM_OPTION_INT, offsetof(quality_values, window), "N", "read it in windows of N tokens (256)", 2, 1e9},
    {NULL, AM_OPTION_FLAG, 0, NULL, NULL, 0, 0},
};

/* Jane Austen, Pride and Prejudice (1813), and Charles Darwin, On the Origin of Species (1859). */
static const char default_text[] =
    "It is a truth universally acknowledged, that a single man in possession of a good fortune, must be in want of a "
    "wife. However little known the feelings or views of such a man may be on his first entering a neighbourhood, this "
    "truth is so well fixed in the minds of the surrounding families, that he is considered as the rightful property "
    "of some one or other of their daughters. \"My dear Mr. Bennet,\" said his lady to him one day, \"have you heard "
    "that Netherfield Park is let at last?\" Mr. Bennet replied that he had not. \"But it is,\" returned she; \"for "
    "Mrs. Long has just been here, and she told me all about it.\"\n\n"
    "When we look to the individuals of the same variety or sub-variety of our older cultivated plants and animals, "
    "one "
    "of the first points which strikes us, is, that they generally differ much more from each other, than do the "
    "individuals of any one species or variety in a state of nature. When we reflect on the vast diversity of the "
    "plants and animals which have been cultivated, and which have varied during all ages under the most different "
    "climates and treatment, I think we are driven to conclude that this greater variability is simply due to our "
    "domestic productions having been raised under conditions of life not so uniform as, and somewhat different from, "
    "those to which the parent-species have been exposed under nature.\n";

static int run(int argc, char **argv, am_globals *globals);

const am_command am_command_quality = {
    .name = "quality",
    .summary = "what rounding changes in the answers of a model that writes text",
    .usage = "MODEL_DIR --weights FORMAT|--dtype bf16 [--text FILE] [--window N]",
    .help = "Reads a text with the weights as they are and with rounded ones (or with --dtype), and compares what the "
            "model expects after "
            "each token: the mean\n"
            "and the largest KL divergence in nats, for how many tokens the likeliest next one stays the same, and the "
            "perplexity of both;\n"
            "beside them the bytes of the weights. Without --text it reads a short one of its own; a page of text like "
            "that the model is used for\n"
            "says more.\n\n"
            "  anymodel quality my-model --weights int4\n"
            "  anymodel quality my-model --weights int8 --text letter.txt --window 512 --json\n",
    .options = options,
    .run = run,
};

static int compare(const am_globals *globals, const char *directory, const quality_values *values, const char *text)
{
    char *json = NULL;
    am_cli_progress("reading with %s ...", directory);
    am_status status = am_quality(directory,
                                  &(am_model_options){.target = globals->target,
                                                      .target_policy = globals->target_policy,
                                                      .auto_class = globals->auto_class,
                                                      .tokenizer = globals->tokenizer,
                                                      .weights = globals->weights,
                                                      .dtype = globals->dtype},
                                  text, values->window, &json);
    return am_cli_put_result(globals, status, json);
}

static int run(int argc, char **argv, am_globals *globals)
{
    quality_values values = {0};
    am_operands operands;
    int code = am_cli_parse(&am_command_quality, argc, argv, globals, &values, 1, 1, &operands);
    if (code != AM_CLI_CONTINUE) return code;
    if (!globals->weights && !globals->dtype)
        return am_cli_fail(globals, AM_INVALID_ARGUMENT,
                           "quality: --weights FORMAT is missing: int8, int4 ..; or --dtype bf16");
    if (!values.text) return compare(globals, operands.items[0], &values, default_text);
    am_cli_bytes input;
    am_code problem = am_cli_read(values.text, &input);
    if (problem) return am_cli_fail(globals, problem, "cannot read %s: %s", values.text, strerror(errno));
    if (memchr(input.bytes, 0, input.length))
        code = am_cli_fail(globals, AM_INVALID_ARGUMENT, "%s: a zero byte; this is no text", values.text);
    else code = compare(globals, operands.items[0], &values, input.bytes);
    free(input.bytes);
    return code;
}
