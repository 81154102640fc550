/* FSMT, fairseq's translators: BART with two vocabularies, sinusoids for positions that are kept in the file, and a
   decoder that hides its pads. The base model itself gives words' scores. transformers: models/fsmt/modeling_fsmt.py */
#include "models/blocks/bart.h"
#include "models/blocks/heads.h"
#include "models/blocks/seq2seq.h"
#include "models/blocks/sinusoids.h"

/* Rows of the file's table; where a text is longer than that, of one that is made as it was. */
static am_value table_of(am_builder *b, const am_bart_places *p)
{
    int64_t stored = p->count + p->pad_token_id + 1, longest = am_has_cache(b) ? am_cache_capacity(b) : p->T,
            rows = p->pad_token_id + 1 + longest;
    double steps = (double)(p->d_model / 2 - 1);
    am_scope(b, "embed_positions");
    am_value own = am_weight_optional(b, "weight", am_shape_of(stored, p->d_model));
    am_end_scope(b);
    if (rows <= stored && own.id) return own;
    am_value made = am_sinusoid_table(b, rows > stored ? rows : stored, p->d_model, steps, p->pad_token_id);
    if (!own.id || !am_has_cache(b)) return made;
    return am_concat2(b, own, am_slice(b, made, 0, stored, AM_SLICE_END), 0); /* few texts fill their caches */
}

/* Pads stand at pad_token_id, words behind it; what the caches hold moves both. */
static am_value positions(am_builder *b, const am_bart_places *p)
{
    if (!p->ids.id || p->pad_token_id < 0) {
        const char *key = p->ids.id ? "pad_token_id" : "d_model";
        am_config_unsupported(am_model_config(b), key, "positions are counted from pad tokens of input_ids");
        return AM_NONE;
    }
    am_value real = am_cast(b, am_binary_number(b, AM_NOT_EQUAL, p->ids, (double)p->pad_token_id), AM_I32);
    am_value rows = am_mul(b, am_scan(b, AM_REDUCE_SUM, real, 1, false, false), real);
    rows = am_add_number(b, rows, (double)p->pad_token_id);
    if (am_has_cache(b)) rows = am_add(b, rows, am_cache_offset(b));
    return am_embedding_op(b, table_of(b, p), rows);
}

/* decoder.output_projection, or the decoder's words where it is tied, of the body below `prefix`. */
static void output_scores(am_builder *b, const char *prefix, const char *output)
{
    const am_config *c = am_model_config(b);
    am_value x = am_bart_body(b, prefix);
    if (!x.id) return;
    int64_t words = am_config_size(c, "tgt_vocab_size", 42024);
    const char *const names[] = {"output_projection.weight", "embed_tokens.weight", NULL};
    bool tied = am_config_flag(c, "tie_word_embeddings", false);
    am_scope(b, "%s", prefix);
    am_scope(b, "decoder");
    am_value table =
        am_shared_table(b, names + (tied && !am_has_weight(b, names[0]) ? 1 : 0), am_shape_of(words, am_dim(b, x, -1)));
    am_end_scope(b);
    am_end_scope(b);
    am_output(b, output, am_linear_with(b, am_last_position_if_wanted(b, x), table, AM_NONE));
}

static void fsmt_model(am_builder *b)
{
    output_scores(b, "", "last_hidden_state");
}

static void for_conditional_generation(am_builder *b)
{
    output_scores(b, "model", "logits");
}

static const am_architecture architectures[] = {
    {"FSMTModel", fsmt_model, NULL, AM_ENCODER_DECODER},
    {"FSMTForConditionalGeneration", for_conditional_generation, NULL, AM_GENERATES | AM_ENCODER_DECODER},
    {0},
};

static const am_bart_family family = {.pad_token_id = 1,
                                      .max_positions = 1024,
                                      .activation = AM_RELU,
                                      .scale_embedding = true,
                                      .start_token_id = 2,
                                      .no_embedding_norm = true,
                                      .shift = AM_BART_SHIFT_LAST,
                                      .own_positions = positions,
                                      .hides_decoder_pads = true,
                                      .encoder_vocab = "src_vocab_size",
                                      .decoder_vocab = "tgt_vocab_size",
                                      .vocab_size = 42024};

const am_model_type am_model_fsmt = {
    .name = "fsmt", .base_prefix = "model", .architectures = architectures, .family = &family};
