#include "cli/answer.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

static volatile sig_atomic_t interrupted;

static void on_interrupt(int signal_number)
{
    (void)signal_number;
    interrupted = 1;
}

/* From now on the first interrupt ends the answer and a second one the program; restored by the caller. */
static void catch_interrupts(struct sigaction *before)
{
    struct sigaction action = {.sa_handler = on_interrupt, .sa_flags = (int)SA_RESETHAND};
    interrupted = 0;
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, before);
}

typedef struct sink {
    bool stream, json;
} sink;

static bool take_text(void *context, const char *text, size_t length)
{
    const sink *to = context;
    if (to->stream && to->json) {
        char *piece = strndup(text, length);
        fputs("{\"piece\": ", stdout);
        am_cli_put_json_string(stdout, piece ? piece : "");
        puts("}");
        free(piece);
    } else if (to->stream) fwrite(text, 1, length, stdout);
    if (to->stream) fflush(stdout);
    return !interrupted && !ferror(stdout);
}

static void put_ids(const int *ids, size_t count)
{
    fputs(", \"ids\": [", stdout);
    for (size_t i = 0; i < count; i++) printf("%s%d", i ? ", " : "", ids[i]);
    putchar(']');
}

static void put_sequence(const am_text_sequence_result *sequence, bool has_score)
{
    fputs("{\"text\": ", stdout);
    am_cli_put_json_string(stdout, sequence->text);
    put_ids(sequence->ids, sequence->id_count);
    printf(", \"finish_reason\": \"%s\"", sequence->finish_reason);
    if (has_score) printf(", \"score\": %.9g", sequence->score);
    putchar('}');
}

static void put_json(const am_globals *globals, const am_text_result *result)
{
    fputs("{\"text\": ", stdout);
    am_cli_put_json_string(stdout, result->text);
    put_ids(result->ids, result->id_count);
    printf(", \"finish_reason\": \"%s\", \"prompt_tokens\": %d", result->finish_reason, result->prompt_tokens);
    if (result->has_scores || result->sequence_count > 1) {
        for (size_t i = 0; i < result->sequence_count; i++) {
            fputs(i ? ", " : ", \"sequences\": [", stdout);
            put_sequence(&result->sequences[i], result->has_scores);
        }
        putchar(']');
    }
    if (globals->verbose) printf(", \"prefill_ms\": %.3f, \"decode_ms\": %.3f", result->prefill_ms, result->decode_ms);
    puts("}");
}

static void put_result(const am_globals *globals, const am_answer_values *values, const am_text_result *result)
{
    if (globals->json) put_json(globals, result);
    else puts(values->stream ? "" : result->text);
    for (size_t i = 1; i < result->sequence_count && !globals->json; i++) printf("\n%s\n", result->sequences[i].text);
    fflush(stdout);
    double tokens = (double)result->id_count;
    am_cli_note(globals, "%d tokens read in %.1f ms; %zu written in %.1f ms, %.1f a second; ended by %s",
                result->prompt_tokens, result->prefill_ms, result->id_count, result->decode_ms,
                result->decode_ms > 0 ? tokens * 1e3 / result->decode_ms : 0.0, result->finish_reason);
}

static am_text_options options_of(const am_answer_values *values)
{
    /* A temperature of 0 is how other programs ask for the likeliest token. */
    return (am_text_options){
        .max_new_tokens = values->max_new_tokens,
        .temperature = values->temperature < 0 ? 0 : values->temperature,
        .top_p = values->top_p,
        .min_p = values->min_p,
        .repetition_penalty = values->repetition_penalty,
        .top_k = values->top_k,
        .num_beams = values->num_beams,
        .seed = values->seed,
        .greedy = values->greedy || values->temperature == 0,
        .stop = values->stop.items,
        .stop_count = (size_t)values->stop.count,
    };
}

static int put_answer(const am_globals *globals, const am_answer_values *values, am_text_result *result, char **answer)
{
    bool is_cancelled = strcmp(result->finish_reason, "cancelled") == 0;
    put_result(globals, values, result);
    if (answer) *answer = strdup(result->text);
    am_text_result_deinit(result);
    if (answer && !*answer) return am_cli_fail(globals, AM_OUT_OF_MEMORY, "no memory for the answer");
    if (ferror(stdout)) return AM_OK; /* main says so */
    return is_cancelled ? am_cli_fail(globals, AM_CANCELLED, "the answer was interrupted") : AM_OK;
}

int am_cli_answer(const am_globals *globals, am_model *model, const am_answer_values *values, const char *prompt,
                  bool is_chat, char **answer)
{
    sink to = {values->stream, globals->json};
    am_text_options options = options_of(values);
    am_text_result result = {0};
    struct sigaction before;
    char *fields;
    int code = am_cli_make_object(globals, &values->fields, &values->options, &fields);
    if (code) return code;
    options.generation_json = fields;
    options.on_text = take_text;
    options.context = &to;
    catch_interrupts(&before);
    am_status status =
        is_chat ? am_model_chat(model, prompt, &options, &result) : am_model_generate(model, prompt, &options, &result);
    sigaction(SIGINT, &before, NULL);
    free(fields);
    if (status && values->stream && !globals->json) puts("");
    return status ? am_cli_fail_status(globals, status) : put_answer(globals, values, &result, answer);
}
