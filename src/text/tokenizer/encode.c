/* From text to ids: the stages in order, and handing out the result. */
#include "text/tokenizer/python_tokenizer.h"
#include "text/tokenizer/spm_tokenizer.h"

#include "base/memory.h"
#include "base/threads.h"
#include "base/utf8.h"

#include <pthread.h>

enum { SLICE_BYTES = 4096 }; /* of a batch, that a thread takes at once */

/* Bytes of the original that a token of a piece covers. */
static am_text_range token_range(const am_piece *piece, const am_token *token)
{
    if (token->start == token->end)
        return (am_text_range){piece->original_start + token->start, piece->original_start + token->end};
    if (token->end > piece->length) return (am_text_range){token->start, token->end};
    return (am_text_range){am_piece_range(piece, token->start).start, am_piece_range(piece, token->end - 1).end};
}

/* ---- stages ---- */

static void add_added_token(const am_tokenizer *t, am_scratch *s, const am_piece *piece)
{
    const am_added_entry *entry = am_added_tokens_by_id(&t->added, piece->added_id);
    am_token token = {piece->added_id, 0, piece->length, true, {piece->text, piece->length}};
    if (entry && am_text_equal(token.text, entry->token.content))
        token.text = entry->token.content, token.transient = false;
    am_scratch_add_token(s, token);
}

static am_status tokenize_pieces(const am_tokenizer *t, am_scratch *s)
{
    s->token_count = 0;
    for (size_t i = 0; i < s->piece_count && !s->failed; i++) {
        am_piece *piece = &s->pieces[i];
        piece->first_token = (uint32_t)s->token_count;
        if (piece->added_id >= 0) add_added_token(t, s, piece);
        else AM_TRY(am_model_tokenize(&t->model, s, piece));
        piece->token_count = (uint32_t)s->token_count - piece->first_token;
    }
    return NULL;
}

/* scratch->pieces and scratch->tokens of one text. */
static am_status run_stages(const am_tokenizer *t, am_scratch *s, am_text text, bool split_special)
{
    uint32_t length = (uint32_t)text.length;
    s->new_piece_count = s->token_count = 0;
    if (t->spm) return am_spm_run(t, s, text, split_special);
    if (length)
        am_scratch_add_piece(
            s, (am_piece){.text = text.bytes, .length = length, .original_length = length, .added_id = -1});
    am_scratch_take_new_pieces(s);
    AM_TRY(am_added_tokens_extract(&t->added, t->normalizer, s, split_special));
    AM_TRY(am_pre_tokenizer_apply(t->pre_tokenizer, s, t->model.bpe.takes_raw_bytes));
    return tokenize_pieces(t, s);
}

/* Appends the tokens of one text to a draft, which has room. word: index of a given word, -1: pieces are
 * words. */
static void append_tokens(const am_tokenizer *t, am_scratch *s, am_text text, int32_t word, int32_t sequence,
                          am_draft *draft)
{
    am_cursor c = am_cursor_at_start(text);
    for (size_t i = 0; i < s->piece_count; i++) {
        const am_piece *piece = &s->pieces[i];
        for (uint32_t k = 0; k < piece->token_count; k++) {
            const am_token *token = &s->tokens[piece->first_token + k];
            draft->tokens[draft->count++] = (am_draft_token){.id = token->id,
                                                             .type_id = t->spm ? 0 : sequence,
                                                             .word = word >= 0 ? word : (int32_t)i,
                                                             .source = (int8_t)sequence,
                                                             .text = token->text,
                                                             .offsets = am_cursor_points(&c, token_range(piece, token)),
                                                             .attended = true,
                                                             .transient = token->transient};
        }
    }
}

static am_status encode_words(const am_tokenizer *t, am_scratch *s, const am_input *in, int32_t sequence,
                              bool split_special, am_draft *out)
{
    am_draft_token *tokens = NULL;
    size_t capacity = 0;
    *out = (am_draft){0};
    for (size_t i = 0; i < in->count; i++) {
        AM_TRY(run_stages(t, s, in->words[i], split_special));
        AM_TRY(am_scratch_status(s));
        if (!t->spm) am_scratch_trim(s); /* sentencepiece has the texts of tokens there */
        if (out->count + s->token_count > capacity) {
            capacity = (out->count + s->token_count) * (in->is_words ? 2 : 1);
            tokens = am_scratch_alloc(s, capacity, sizeof *tokens);
            if (!tokens) return am_out_of_memory();
            if (out->count) memcpy(tokens, out->tokens, out->count * sizeof *tokens);
            out->tokens = tokens;
        }
        append_tokens(t, s, in->words[i], in->is_words ? (int32_t)i : -1, sequence, out);
        am_scratch_trim_tokens(s);
    }
    return NULL;
}

/* ---- options ---- */

static bool is_left(am_side side, am_side fallback)
{
    return (side == AM_SIDE_DEFAULT ? fallback : side) == AM_SIDE_LEFT;
}

static am_status resolve_limits(const am_tokenizer *t, const am_encode_options *options, am_limits *out)
{
    uint64_t max_length = options->max_length ? options->max_length : t->model_max_length;
    if (options->as_in_file) {
        *out = t->file_limits;
        return NULL;
    }
    *out =
        (am_limits){.truncation = max_length ? options->truncation : AM_TRUNCATE_NEVER,
                    .truncate_left = is_left(options->truncation_side, t->truncation_side),
                    .max_length = max_length,
                    .stride = options->stride,
                    .padding = options->padding == AM_PAD_MAX_LENGTH && !max_length ? AM_PAD_NEVER : options->padding,
                    .pad_left = is_left(options->padding_side, t->padding_side),
                    .pad_length = max_length,
                    .pad_to_multiple_of = options->pad_to_multiple_of,
                    .pad_type_id = t->pad_type_id};
    if (out->padding != AM_PAD_NEVER) {
        out->pad_token = am_tokenizer_special_token(t, "pad_token");
        out->pad_id = am_tokenizer_special_id(t, "pad_token");
        if (!out->pad_token.bytes || out->pad_id < 0)
            return am_error(AM_INVALID_ARGUMENT, "padding: the tokenizer has no pad_token");
    }
    if (out->truncation != AM_TRUNCATE_NEVER && out->padding != AM_PAD_NEVER && options->pad_to_multiple_of > 0 &&
        max_length % options->pad_to_multiple_of != 0)
        return am_error(AM_INVALID_ARGUMENT,
                        "truncation to %llu tokens and padding to a multiple of %u do not go together",
                        (unsigned long long)max_length, (unsigned)options->pad_to_multiple_of);
    return NULL;
}

size_t am_input_bytes(const am_input *inputs, size_t count)
{
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < inputs[i].count; k++) bytes += inputs[i].words[k].length;
    return bytes;
}

/* Adds the bytes of the input to *total. */
static am_status check_input(const am_input *in, const char *what, size_t *total)
{
    size_t bad;
    for (size_t i = 0; i < in->count; i++) {
        *total += in->words[i].length;
        if (in->words[i].length > AM_TOKENIZER_TEXT_LIMIT || *total > AM_TOKENIZER_TEXT_LIMIT)
            return am_error(AM_INVALID_ARGUMENT, "%s: more than the limit of %zu bytes", what, AM_TOKENIZER_TEXT_LIMIT);
        if (!am_utf8_valid(in->words[i].bytes, in->words[i].length, &bad))
            return am_error(AM_INVALID_ARGUMENT, "%s: not UTF-8 at byte %zu", what, bad);
    }
    return NULL;
}

/* ---- calls ---- */

static am_status make_draft(const am_tokenizer *t, am_scratch *s, const am_input inputs[2], size_t count,
                            const am_encode_options *options, const am_limits *limits, am_draft *out)
{
    am_draft drafts[2];
    bool split_special = options->split_special_tokens || t->split_special_tokens;
    am_scratch_limit(s, am_input_bytes(inputs, count));
    for (size_t i = 0; i < count; i++) {
        AM_TRY(encode_words(t, s, &inputs[i], (int32_t)i, split_special, &drafts[i]));
    }
    size_t added = options->add_special_tokens ? am_post_processor_added(t->post_processor, count == 2) : 0;
    if (options->add_special_tokens) added += am_spm_added(t, count);
    AM_TRY(am_draft_truncate(s, drafts, count, limits, added));
    if (t->spm && options->add_special_tokens) am_spm_end_drafts(t, s, drafts, count);
    AM_TRY(am_post_processor_apply(t->post_processor, s, drafts, count, options->add_special_tokens, out));
    if (t->spm && count == 2 && options->add_special_tokens) am_spm_set_types(t, out, drafts[0].count);
    return am_scratch_status(s);
}

/* One text or pair, not padded. */
static am_status encode_one(const am_tokenizer *t, const am_input inputs[2], size_t count,
                            const am_encode_options *options, const am_limits *limits, am_encoding *out)
{
    am_draft draft;
    size_t total = 0;
    for (size_t i = 0; i < count; i++) AM_TRY(check_input(&inputs[i], i == 0 ? "text" : "pair", &total));
    if (t->ctc) return am_ctc_encode(t, inputs, count, options, limits, out);
    if (t->python) return am_python_encode(t, inputs, count, options, limits, out);
    am_scratch *s = am_tokenizer_take_scratch(t);
    if (!s) return am_out_of_memory();
    am_status status = make_draft(t, s, inputs, count, options, limits, &draft);
    if (!status) status = am_encoding_from_draft(&draft, inputs, out);
    am_tokenizer_give_scratch(t, s);
    return status;
}

static am_status pad_together(const am_tokenizer *t, const am_limits *limits, bool pair, am_encoding *encodings,
                              size_t count)
{
    size_t longest = 0, length;
    if (limits->padding == AM_PAD_NEVER) return NULL;
    for (size_t i = 0; i < count; i++)
        if (encodings[i].count > longest) longest = encodings[i].count;
    AM_TRY(am_draft_pad_length(limits, longest, &length));
    for (size_t i = 0; i < count; i++)
        AM_TRY(am_encoding_pad(&encodings[i], limits, length, t->post_processor || t->python || pair ? -1 : 0));
    return NULL;
}

static am_status encode_inputs(const am_tokenizer *t, const am_input inputs[2], size_t count,
                               const am_encode_options *options, am_encoding *out)
{
    am_encode_options defaults = AM_ENCODE_OPTIONS;
    am_limits limits;
    *out = (am_encoding){0};
    if (!options) options = &defaults;
    AM_TRY(resolve_limits(t, options, &limits));
    am_status status = encode_one(t, inputs, count, options, &limits, out);
    if (!status) status = pad_together(t, &limits, count == 2, out, 1);
    if (status) am_encoding_deinit(out);
    return status;
}

am_status am_tokenizer_normalize(const am_tokenizer *t, am_text text, char **out, size_t *out_length)
{
    am_input input = {&text, 1, false};
    am_spm_normal normal;
    size_t total = 0;
    *out = NULL;
    *out_length = 0;
    if (!t->spm) return am_error(AM_UNSUPPORTED, "%s is no sentencepiece model", t->class_name);
    AM_TRY(check_input(&input, "text", &total));
    am_scratch *s = am_tokenizer_take_scratch(t);
    if (!s) return am_out_of_memory();
    am_scratch_limit(s, total);
    am_status status = am_spm_normalize(&t->spm->spm, s, text, &normal);
    if (!status) *out = am_copy_string(normal.text.bytes, normal.text.length);
    if (!status && !*out) status = am_out_of_memory();
    if (!status) *out_length = normal.text.length;
    am_tokenizer_give_scratch(t, s);
    return status;
}

am_status am_tokenizer_encode(const am_tokenizer *t, am_text text, const am_text *pair,
                              const am_encode_options *options, am_encoding *out)
{
    am_input inputs[2] = {{&text, 1, false}, {pair, 1, false}};
    bool has_pair = pair && (pair->length > 0 || !t->empty_pair_is_none);
    return encode_inputs(t, inputs, has_pair ? 2 : 1, options, out);
}

am_status am_tokenizer_encode_words(const am_tokenizer *t, const am_text *words, size_t count, const am_text *pair,
                                    size_t pair_count, const am_encode_options *options, am_encoding *out)
{
    am_input inputs[2] = {{words, count, true}, {pair, pair_count, true}};
    return encode_inputs(t, inputs, pair ? 2 : 1, options, out);
}

/* ---- batches: texts in any order, on all threads ---- */

typedef struct batch {
    const am_tokenizer *tokenizer;
    const am_text *texts, *pairs;
    const am_encode_options *options;
    const am_limits *limits;
    am_encoding *out;
    pthread_mutex_t lock; /* guards what follows */
    am_status status;     /* of the first text that fails, whatever the order */
    size_t failed;        /* its index; SIZE_MAX: none */
} batch;

static bool is_needed(batch *b, size_t index)
{
    pthread_mutex_lock(&b->lock);
    bool needed = index < b->failed;
    pthread_mutex_unlock(&b->lock);
    return needed;
}

static void keep_failure(batch *b, size_t index, am_status status)
{
    pthread_mutex_lock(&b->lock);
    am_status other = status;
    if (index < b->failed) {
        other = b->status;
        b->status = status;
        b->failed = index;
    }
    pthread_mutex_unlock(&b->lock);
    am_status_free(other);
}

static void encode_slice(void *context, int64_t begin, int64_t end)
{
    batch *b = context;
    for (size_t i = (size_t)begin; i < (size_t)end && is_needed(b, i); i++) {
        am_input inputs[2] = {{&b->texts[i], 1, false}, {b->pairs ? &b->pairs[i] : NULL, 1, false}};
        am_status status = encode_one(b->tokenizer, inputs, b->pairs ? 2 : 1, b->options, b->limits, &b->out[i]);
        if (status) keep_failure(b, i, status);
    }
}

/* Texts that are worth the attention of another thread. */
static int64_t texts_of_slice(const am_text *texts, const am_text *pairs, size_t count)
{
    size_t bytes = count;
    for (size_t i = 0; i < count; i++) bytes += texts[i].length + (pairs ? pairs[i].length : 0);
    return (int64_t)(1 + SLICE_BYTES / (bytes / count + 1));
}

am_status am_tokenizer_encode_batch(const am_tokenizer *t, const am_text *texts, const am_text *pairs, size_t count,
                                    const am_encode_options *options, am_encoding *out)
{
    am_encode_options defaults = AM_ENCODE_OPTIONS;
    am_limits limits;
    if (!options) options = &defaults;
    AM_TRY(resolve_limits(t, options, &limits));
    if (count == 0) return NULL;
    batch b = {t, texts, pairs, options, &limits, out, PTHREAD_MUTEX_INITIALIZER, NULL, SIZE_MAX};
    memset(out, 0, count * sizeof *out);
    am_parallel_for((int64_t)count, texts_of_slice(texts, pairs, count), encode_slice, &b);
    am_status status = b.status ? am_note(b.status, "text %zu", b.failed) : NULL;
    if (!status) status = pad_together(t, &limits, pairs, out, count);
    for (size_t i = 0; status && i < count; i++) am_encoding_deinit(&out[i]);
    return status;
}
