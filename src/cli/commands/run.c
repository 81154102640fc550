#include "cli/command.h"
#include "cli/inputs.h"

#include <stdlib.h>
#include <string.h>

typedef struct run_values {
    const char *task, *pair, *question, *context, *candidate_labels, *output;
    am_cli_list options;
    am_cli_fields fields;
} run_values;

#define TEXT_OPTION(name, member, argument, meaning)                                                                   \
    {                                                                                                                  \
        name, AM_OPTION_TEXT, offsetof(run_values, member), argument, meaning, 0, 0                                    \
    }

static const am_option options[] = {
    TEXT_OPTION("task", task, "TASK", "what to do, when it is not the one the model is for"),
    TEXT_OPTION("pair", pair, "TEXT", "a second text beside each INPUT"),
    TEXT_OPTION("question", question, "TEXT",
                "of answering tasks, and the text of image-text-to-text; INPUT or --context is where the answer is"),
    TEXT_OPTION("context", context, "TEXT", "for question-answering: the text that holds the answer"),
    TEXT_OPTION("candidate-labels", candidate_labels, "A,B", "for the zero-shot tasks: the labels to choose from"),
    TEXT_OPTION("output", output, "FILE", "of tasks that make a picture: write it to FILE as PNG"),
    {"option", AM_OPTION_LIST, offsetof(run_values, options), "KEY=VALUE",
     "a parameter of the task, as transformers names it; may be given again", 0, 0},
    AM_FIELD_OPTION(run_values, "max-new-tokens", "N", "of tasks that write: at most N tokens", 1, 1e9),
    AM_FIELD_OPTION(run_values, "num-beams", "N", "of tasks that write: search with N beams", 1, 1024),
    AM_FIELD_OPTION(run_values, "repetition-penalty", "X", "above 1: fewer repetitions", 1e-6, 1e6),
    AM_GENERATION_OPTIONS(run_values),
    {NULL, AM_OPTION_FLAG, 0, NULL, NULL, 0, 0},
};

static int run(int argc, char **argv, am_globals *globals);

static void put_tasks(const void *values, FILE *file)
{
    am_cli_put_task_help(values ? ((const run_values *)values)->task : NULL, file);
}

const am_command am_command_run = {
    .name = "run",
    .summary = "give a model an input, get the answer",
    .usage = "MODEL_DIR [--task TASK] INPUT...",
    .help =
        "INPUT is a text, or the path of a file: an image (PNG, JPEG, WebP, GIF, TIFF, BMP, PNM), a sound (WAV, "
        "FLAC, Ogg, MP3, AIFF, AU,\n"
        "CAF), a video (MP4, WebM, GIF ..), or else a text; - is stdin. Several are answered one after the other. The task follows from the "
        "model's class; what it takes\n"
        "and which parameters it has says anymodel run --task TASK --help.\n\n"
        "  anymodel run my-bert \"Paris is the [MASK] of France.\"\n"
        "  anymodel run my-vit cat.jpg dog.jpg --option top_k=3\n"
        "  anymodel run my-clip cat.jpg --candidate-labels \"a cat,two dogs\"\n"
        "  anymodel run my-llama4 cat.jpg --question \"<|image|>What is it?\"   (the model's placeholder of an "
        "image)\n"
        "  anymodel run my-llama4 --option 'messages=[{\"role\": \"user\", \"content\": [{\"type\": \"image\", "
        "\"path\": \"cat.jpg\"},\n"
        "      {\"type\": \"image\", \"path\": \"dog.jpg\"}, {\"type\": \"text\", \"text\": \"Which is larger?\"}]}]'\n"
        "  anymodel run my-whisper speech.wav --option return_timestamps=word --option language=en\n"
        "  anymodel run my-whisper talk.mp3 --option return_timestamps=true --option temperature=[0,0.2,0.4,0.6,0.8,1] \\\n"
        "      --option compression_ratio_threshold=1.35 --option logprob_threshold=-1 --option no_speech_threshold=0.6\n"
        "  anymodel run my-detr street.jpg --output boxes.png\n"
        "  anymodel run my-qa --question \"Who wrote it?\" --context \"Jane Austen wrote it.\"\n"
        "  anymodel run my-layoutlm --question \"Who signed?\" page.json   "
        "([[\"word\", [left, top, right, bottom]], ...])\n"
        "  anymodel run my-tapas --question \"How many stars?\" table.json   ({\"column\": [\"cell\", ...], ...})\n"
        "  anymodel run my-nli \"The match was a draw.\" --task zero-shot-classification "
        "--candidate-labels sport,politics\n"
        "  anymodel run my-classifier \"A man eats.\" --pair \"Somebody is eating.\"\n"
        "  anymodel run my-bert - < letter.txt\n"
        "  anymodel run my-t5 --task summarization letter.txt --num-beams 4 --length-penalty 2\n"
        "  anymodel run my-mbart --task translation letter.txt --option src_lang=en_XX --option tgt_lang=de_DE\n\n"
        "With --json the answer is what transformers' pipeline gives; for several inputs, an array of "
        "them.\n",
    .options = options,
    .more_help = put_tasks,
    .run = run,
};

/* --- the task's parameters as JSON --- */

static void put_labels(FILE *file, char *labels)
{
    char *state = NULL;
    bool first = true;
    fputc('[', file);
    for (char *label = strtok_r(labels, ",", &state); label; label = strtok_r(NULL, ",", &state), first = false) {
        label += strspn(label, " ");
        if (!first) fputs(", ", file);
        am_cli_put_json_string(file, label);
    }
    fputc(']', file);
}

/* Writes a member of the object that is begun. */
static void put_name(FILE *file, bool is_first, const char *name)
{
    fprintf(file, "%s\"%s\": ", is_first ? "" : ", ", name);
}

static int make_options(const am_globals *globals, const run_values *values, char **out)
{
    size_t length;
    char *labels = values->candidate_labels ? strdup(values->candidate_labels) : NULL, *object = NULL;
    int code = am_cli_make_object(globals, &values->fields, &values->options, &object);
    FILE *file = code ? NULL : open_memstream(out, &length);
    if (file) {
        bool is_empty = strcmp(object, "{}") == 0;
        fprintf(file, "%.*s", (int)strlen(object) - 1, object);
        if (labels) put_name(file, is_empty, "candidate_labels");
        if (labels) put_labels(file, labels);
        if (values->output) put_name(file, is_empty && !labels, "output");
        if (values->output) am_cli_put_json_string(file, values->output);
        fputc('}', file);
    }
    if (!code && (!file || fclose(file))) code = am_cli_fail(globals, AM_OUT_OF_MEMORY, "no memory for the options");
    free(labels);
    free(object);
    return code;
}

/* --- inputs --- */

/* --question and --context take the places of text and pair. */
static void add_texts(const run_values *values, am_task_input *input)
{
    if (values->question) {
        if (!input->text_pair) input->text_pair = input->text;
        input->text = values->question;
    }
    if (values->pair) input->text_pair = values->pair;
    if (values->context) input->text_pair = values->context;
}

/* --- answers --- */

static int put_answer(const am_globals *globals, char *json)
{
    char *text = NULL;
    am_status status = globals->json ? NULL : am_result_text(json, &text);
    if (!status) fputs(globals->json ? json : text, stdout);
    am_string_free(text);
    am_string_free(json);
    return am_cli_fail_status(globals, status);
}

typedef struct job {
    const am_globals *globals;
    const run_values *values;
    am_model *model;
    char *options; /* JSON */
    bool takes_media;
} job;

static int answer(const job *j, const char *operand)
{
    am_task_input input = {0};
    am_cli_bytes owned = {0};
    char *json = NULL;
    double begin_ms = am_cli_now_ms();
    int code = operand ? am_cli_make_input(j->globals, operand, j->takes_media, &input, &owned) : AM_OK;
    if (!code) {
        add_texts(j->values, &input);
        am_cli_progress("%s ...", operand && input.path ? operand : "computing");
        am_status status = am_model_run(j->model, j->values->task, &input, j->options, &json);
        am_cli_progress_end();
        code = status ? am_cli_fail_status(j->globals, status) : put_answer(j->globals, json);
        if (!code) am_cli_note(j->globals, "answered in %.1f ms", am_cli_now_ms() - begin_ms);
        const char *state = code ? NULL : am_model_auto_state(j->model);
        if (state) am_cli_note(j->globals, "auto: %s", state);
    }
    free(owned.bytes);
    return code;
}

/* Answers one after the other; with --json, several are made before the first is printed by the array around
 * them. */
static int answer_all(const job *j, const am_operands *operands)
{
    bool is_list = operands->count > 2;
    int code = AM_OK;
    if (operands->count < 2) code = answer(j, NULL);
    for (int i = 1; i < operands->count && !code; i++) {
        if (is_list && j->globals->json) fputs(i > 1 ? ",\n " : "[", stdout);
        if (is_list && !j->globals->json) printf("%s%s:\n", i > 1 ? "\n" : "", operands->items[i]);
        code = answer(j, operands->items[i]);
    }
    if (j->globals->json) puts(is_list ? "]" : "");
    return code;
}

/* Whether the options hold all that a task takes: a question and its context, or a conversation. */
static bool brings_text(const run_values *values)
{
    for (int i = 0; i < values->options.count; i++)
        if (strncmp(values->options.items[i], "messages=", 9) == 0) return true;
    return values->question && values->context;
}

/* Whether --output, where it is given, fits the task and the number of inputs. */
static int check_output(const am_globals *globals, const run_values *values, const am_model *model, int inputs)
{
    const char *task = values->task ? values->task : am_model_task(model);
    if (!values->output) return AM_OK;
    if (!am_cli_task_has_parameter(task, "output"))
        return am_cli_fail(globals, AM_INVALID_ARGUMENT, "run: --output: task %s makes no picture",
                           task ? task : "none");
    if (inputs == 1) return AM_OK;
    return am_cli_fail(globals, AM_INVALID_ARGUMENT, "run: --output: expected one INPUT, found %d", inputs);
}

static int run(int argc, char **argv, am_globals *globals)
{
    run_values values = {0};
    am_operands operands;
    int code = am_cli_parse(&am_command_run, argc, argv, globals, &values, 1, -1, &operands);
    if (code != AM_CLI_CONTINUE) return code;
    if (operands.count < 2 && !brings_text(&values))
        return am_cli_fail(globals, AM_INVALID_ARGUMENT, "run: an INPUT is missing: a text, a file, or - for stdin");
    job j = {.globals = globals, .values = &values};
    code = make_options(globals, &values, &j.options);
    if (!code) code = am_cli_fail_status(globals, am_cli_open_model(globals, operands.items[0], &j.model));
    if (!code) code = check_output(globals, &values, j.model, operands.count - 1);
    if (!code) {
        j.takes_media = am_cli_task_takes_media(values.task ? values.task : am_model_task(j.model));
        code = answer_all(&j, &operands);
    }
    am_model_close(j.model);
    free(j.options);
    return code;
}
