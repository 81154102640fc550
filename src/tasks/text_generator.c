#include "tasks/text_generator.h"

#include "base/memory.h"
#include "tasks/task.h"
#include "tensor/shape.h"
#include "text/tokenizer.h"

#include <string.h>

/* --- prompts --- */

static bool is_encoder_decoder(const am_pipeline *p)
{
    return (p->model->architecture->flags & AM_ENCODER_DECODER) != 0;
}

static am_status encode_prompt(am_tokenizer *tokenizer, am_arena *arena, const char *prompt, bool special,
                               am_text_inputs *out)
{
    am_encoding encoding = {0};
    am_encode_options options = {.add_special_tokens = special};
    AM_TRY(am_tokenizer_encode(tokenizer, (am_text){prompt, strlen(prompt)}, NULL, &options, &encoding));
    am_status status = am_inputs_of_encodings(tokenizer, arena, &encoding, 1, out);
    am_encoding_deinit(&encoding);
    return status;
}

am_status am_text_job_prompt(am_pipeline *p, am_arena *arena, const char *prompt, bool special, am_text_job *job)
{
    am_tokenizer *tokenizer;
    am_text_inputs encoded;
    AM_TRY(am_pipeline_tokenizer(p, &tokenizer));
    AM_TRY(encode_prompt(tokenizer, arena, prompt, special, &encoded));
    if (!is_encoder_decoder(p)) {
        job->ids = encoded.ids;
        job->length = encoded.length;
        return NULL;
    }
    if (!am_config_has(am_pipeline_config(p), "relative_attention_num_buckets"))
        AM_TRY(am_check_length(p, encoded.length));
    am_session_input *inputs = am_arena_array(arena, 2, sizeof *inputs);
    if (!inputs) return am_out_of_memory();
    for (int i = 0; i < 2; i++)
        inputs[i] = encoded.inputs[i]; /* input_ids and attention_mask; decoders have no token types */
    job->inputs = inputs;
    job->input_count = 2;
    return NULL;
}

/* --- text that grows --- */

typedef struct growth {
    const am_text_job *job;
    const am_tokenizer *tokenizer;
    am_token_stream *stream;
    am_buffer text;
    size_t given; /* bytes that on_text has seen */
    am_status error;
    bool stopped, cancelled;
} growth;

/* Where the earliest stop text begins; the text's length when there is none. */
static size_t find_stop(const growth *g, bool *found)
{
    size_t best = g->text.length;
    for (size_t i = 0; i < g->job->stop_count; i++) {
        const char *stop = g->job->stop[i];
        const char *at = *stop && g->text.length ? strstr(am_buffer_text(&g->text), stop) : NULL;
        if (at && (size_t)(at - g->text.bytes) <= best) {
            best = (size_t)(at - g->text.bytes);
            *found = true;
        }
    }
    return best;
}

/* Bytes at the end that may yet become a stop text. */
static size_t held_back(const growth *g)
{
    size_t most = 0;
    for (size_t i = 0; i < g->job->stop_count; i++) {
        size_t length = strlen(g->job->stop[i]);
        for (size_t part = length ? length - 1 : 0; part > most; part--)
            if (part <= g->text.length && memcmp(g->text.bytes + g->text.length - part, g->job->stop[i], part) == 0)
                most = part;
    }
    return most;
}

static void give(growth *g, size_t end)
{
    if (end <= g->given) return;
    if (g->job->on_text && !g->job->on_text(g->job->context, g->text.bytes + g->given, end - g->given))
        g->cancelled = true;
    g->given = end;
}

static void grow(growth *g, am_text piece, bool last)
{
    am_buffer_append(&g->text, piece.bytes, piece.length);
    if (g->text.failed || g->stopped) return;
    size_t end = find_stop(g, &g->stopped);
    if (g->stopped) g->text.length = end;
    if (g->stopped && g->text.bytes) g->text.bytes[end] = 0;
    give(g, g->stopped || last ? g->text.length : g->text.length - held_back(g));
}

static bool on_token(void *context, int64_t row, int32_t token)
{
    growth *g = context;
    am_text piece;
    (void)row;
    g->error = am_token_stream_feed(g->stream, token, &piece);
    if (g->error) return false;
    grow(g, piece, false);
    return !g->stopped && !g->cancelled && !g->text.failed;
}

/* With beams no token is certain before the end, and the text comes in one piece. */
static am_status finish_text(growth *g, const am_generated *made, bool beams)
{
    am_text piece;
    for (int64_t i = 0; beams && i < made->lengths[0] && !g->stopped; i++)
        if (!on_token(g, 0, made->ids[i])) break;
    if (g->error) return g->error;
    if (!g->stopped) {
        AM_TRY(am_token_stream_flush(g->stream, &piece));
        grow(g, piece, true);
    }
    return am_buffer_status(&g->text);
}

/* --- */

static bool is_stop_token(const am_generation_config *c, int32_t id)
{
    for (int i = 0; i < c->eos_count; i++)
        if (c->eos_token_id[i] == id) return true;
    return false;
}

static const char *reason(const growth *g, const am_generation_config *c, const am_generated *made)
{
    int64_t count = made->lengths[0];
    if (g->cancelled) return "cancelled";
    return g->stopped || (count && is_stop_token(c, made->ids[count - 1])) ? "stop" : "length";
}

/* New tokens end where the context does. */
static am_status limit_length(am_pipeline *p, const am_text_job *job, am_generation_config *c)
{
    int64_t context = am_pipeline_context_length(p), prompt = job->ids ? job->length : 1;
    int64_t wanted = c->max_new_tokens ? c->max_new_tokens : c->max_length - prompt;
    if (is_encoder_decoder(p) && am_config_has(am_pipeline_config(p), "relative_attention_num_buckets")) return NULL;
    if (prompt >= context)
        return am_error(AM_OUT_OF_RANGE,
                        "the prompt has %lld tokens, and the model's context holds %lld with the answer",
                        (long long)prompt, (long long)context);
    if (wanted > context - prompt) c->max_new_tokens = context - prompt;
    return NULL;
}

static void keep(growth *g, const am_generation_config *c, am_generated *made, const am_text_job *job,
                 am_text_answer *out)
{
    int64_t encoded = job->input_count ? job->inputs[0].tensor.shape.dims[1] : made->prompt_tokens;
    *out = (am_text_answer){.ids = made->ids,
                            .id_count = made->lengths[0],
                            .prompt_tokens = encoded,
                            .finish_reason = reason(g, c, made),
                            .prefill_ms = made->prefill_ms,
                            .decode_ms = made->decode_ms,
                            .length = g->text.length};
    made->ids = NULL;
    am_buffer_append(&g->text, "", 0);
    out->text = g->text.length ? am_buffer_take(&g->text) : am_copy_string("", 0);
}

am_status am_generate_text(am_pipeline *p, const am_text_job *job, am_text_answer *out)
{
    am_generation_config config = *job->config;
    am_generated made = {0};
    am_tokenizer *tokenizer;
    *out = (am_text_answer){0};
    AM_TRY(am_pipeline_tokenizer(p, &tokenizer));
    AM_TRY(limit_length(p, job, &config));
    growth g = {.job = job, .tokenizer = tokenizer};
    AM_TRY(am_token_stream_create(tokenizer, true, &g.stream));
    bool beams = config.num_beams > 1;
    am_generate_request request = {.inputs = job->inputs,
                                   .input_count = job->input_count,
                                   .ids = job->ids,
                                   .batch = 1,
                                   .length = job->length,
                                   .config = &config,
                                   .on_token = beams ? NULL : on_token,
                                   .context = &g};
    am_status status = am_generate(p->session, &request, &made);
    if (!status) status = finish_text(&g, &made, beams);
    if (!status) keep(&g, &config, &made, job, out);
    if (!status && !out->text) status = am_out_of_memory();
    if (status) am_text_answer_deinit(out);
    am_generated_deinit(&made);
    am_buffer_deinit(&g.text);
    am_token_stream_destroy(g.stream);
    return status;
}

void am_text_answer_deinit(am_text_answer *answer)
{
    am_free(answer->text);
    am_free(answer->ids);
    *answer = (am_text_answer){0};
}
