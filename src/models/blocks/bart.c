#include "models/blocks/bart.h"

#include "models/blocks/attention.h"
#include "models/blocks/heads.h"
#include "models/blocks/multimodal.h"
#include "models/blocks/seq2seq.h"
#include "models/blocks/sinusoids.h"

#include <math.h>
#include <stdio.h>

enum { LEARNED_OFFSET = 2 };

static const double LAYER_NORM_EPS = 1e-5; /* not configurable */

typedef struct stack {
    int64_t layers, heads, ffn_dim, vocab_size, positions;
    const char *hidden_states; /* their name among the outputs */
    const char *mask;          /* the input that masks its padding */
    bool is_decoder;
} stack;

typedef struct bart {
    const am_bart_family *family;
    int64_t d_model, pad_token_id;
    stack encoder, decoder;
    am_unary_fn activation_function;
    bool is_causal, decoder_bias;
    double embed_scale;
    int64_t labels;
    const char *prefix; /* of the body's weights, or "" */
} bart;

static int64_t or_else(int64_t value, int64_t fallback)
{
    return value ? value : fallback;
}

static const char *name_or(const char *name, const char *fallback)
{
    return name ? name : fallback;
}

/* The member's name of a field. */
static const char *field(const am_config *c, const am_bart_family *f, const char *name)
{
    const char *named = f->field_prefix ? am_arena_printf(&c->root->arena, "%s%s", f->field_prefix, name) : name;
    return named ? named : name;
}

static const char *encoder_scope(const bart *c)
{
    return name_or(c->family->encoder_scope, "encoder");
}

static const char *decoder_scope(const bart *c)
{
    return name_or(c->family->decoder_scope, "decoder");
}

static stack read_stack(const am_config *c, const am_bart_family *f, bool is_encoder)
{
    const char *layers = is_encoder ? am_config_either(c, "encoder_layers", "num_hidden_layers") : "decoder_layers";
    const char *heads =
        is_encoder ? am_config_either(c, "encoder_attention_heads", "num_attention_heads") : "decoder_attention_heads";
    const char *positions = is_encoder ? f->encoder_positions : f->decoder_positions;
    const char *vocab = is_encoder ? f->encoder_vocab : f->decoder_vocab;
    int64_t count = or_else(is_encoder ? 0 : f->decoder_layers, or_else(f->layers, 12));
    return (stack){
        .layers = am_config_count(c, field(c, f, layers), count),
        .heads = am_config_size(c, field(c, f, heads), or_else(f->heads, 16)),
        .ffn_dim = am_config_size(c, field(c, f, is_encoder ? "encoder_ffn_dim" : "decoder_ffn_dim"),
                                  or_else(f->ffn_dim, 4096)),
        .vocab_size = am_config_size(c, field(c, f, name_or(vocab, "vocab_size")), or_else(f->vocab_size, 50265)),
        .positions = am_config_size(c, field(c, f, name_or(positions, "max_position_embeddings")),
                                    or_else(f->max_positions, 1024)),
        .hidden_states = is_encoder ? "encoder_hidden_states" : "decoder_hidden_states",
        .mask = is_encoder ? "attention_mask" : "decoder_attention_mask",
        .is_decoder = !is_encoder,
    };
}

/* Where the body is in classes with heads. */
static const char *body_prefix(am_builder *b)
{
    const am_bart_family *f = am_model_family(b);
    return f->prefix ? f->prefix : "model";
}

static bart read_family(am_builder *b, const am_bart_family *f, const char *prefix)
{
    const am_config *c = am_model_config(b);
    bool labelled = am_config_has(c, "num_labels") || am_config_has(c, "id2label");
    bart r = {
        .family = f,
        .d_model = am_config_size(c, am_config_either(c, "d_model", "hidden_size"), or_else(f->d_model, 1024)),
        .pad_token_id = am_config_int(c, field(c, f, "pad_token_id"), f->pad_token_id),
        .encoder = read_stack(c, f, true),
        .decoder = read_stack(c, f, false),
        .activation_function = am_config_activation(c, "activation_function", f->activation ? f->activation : AM_GELU),
        .is_causal = am_config_flag(c, "is_causal", true),
        .decoder_bias = !f->no_decoder_bias && (!f->reads_use_bias || am_config_flag(c, "use_bias", false)),
        .labels = labelled || !f->labels ? am_config_labels(c) : f->labels,
        .prefix = prefix,
    };
    if (am_config_has(c, "decoder_vocab_size"))
        r.decoder.vocab_size = am_config_size(c, "decoder_vocab_size", r.decoder.vocab_size);
    bool scales = !f->never_scales && am_config_flag(c, "scale_embedding", f->scale_embedding);
    r.embed_scale = scales ? sqrt((double)r.d_model) : 1;
    return r;
}

static bart read_config(am_builder *b, const char *prefix)
{
    return read_family(b, am_model_family(b), prefix);
}

static void check_heads(const am_builder *b, const bart *c, const stack *s)
{
    am_config_check_divides(am_model_config(b), s->is_decoder ? "decoder_attention_heads" : "encoder_attention_heads",
                            s->heads, "d_model", c->d_model);
}

/* --- embeddings --- */

/* The word table of a stack below the body's prefix: its own, or the shared one under whatever name it was stored. */
static am_value word_table(am_builder *b, const bart *c, const char *own_scope, int64_t vocab_size)
{
    char own[64], encoder[64], decoder[64];
    const char *const names[] = {own, "shared.weight", encoder, decoder, NULL};
    snprintf(own, sizeof own, "%s.embed_tokens.weight", own_scope);
    snprintf(encoder, sizeof encoder, "%s.embed_tokens.weight", encoder_scope(c));
    snprintf(decoder, sizeof decoder, "%s.embed_tokens.weight", decoder_scope(c));
    return am_shared_table(b, names, am_shape_of(vocab_size, c->d_model));
}

/* Rows 0 .. T - 1 of this run, behind what the caches hold; masks do not shift them: I32 [1, T]. */
static am_value rows_of_run(am_builder *b, int64_t T, int64_t first)
{
    am_value rows = am_iota(b, AM_I32, am_shape_of(1, T), 1, (double)first, 1);
    return am_has_cache(b) ? am_add(b, rows, am_cache_offset(b)) : rows;
}

static am_value stored_sinusoids(am_builder *b, const bart *c, const stack *s, am_value rows)
{
    if (am_has_weight(b, "embed_positions.weight"))
        return am_embedding(b, "embed_positions", rows, s->positions, c->d_model);
    return am_embedding_op(b, am_sinusoid_table(b, s->positions, c->d_model, (double)(c->d_model / 2), -1), rows);
}

/* Positions of M2M-100: behind pad, pads at pad, whose row is zero. The table grows with the text. */
static am_value positions_after_pads(am_builder *b, const bart *c, const stack *s, am_value ids, int64_t T)
{
    int64_t pad = c->pad_token_id;
    am_value rows = ids.id ? am_positions_after_pad(b, ids, pad) : rows_of_run(b, T, pad + 1);
    return am_sinusoids_after_pad(b, rows, s->positions + LEARNED_OFFSET, c->d_model, pad);
}

static am_value positions(am_builder *b, const bart *c, const stack *s, am_value ids, int64_t T)
{
    if (c->family->own_positions)
        return c->family->own_positions(
            b, &(am_bart_places){
                   .ids = ids, .T = T, .d_model = c->d_model, .count = s->positions, .pad_token_id = c->pad_token_id});
    switch (c->family->positions) {
    case AM_BART_ROWS:
        return am_embedding(b, "embed_positions", rows_of_run(b, T, 0), s->positions, c->d_model);
    case AM_BART_SINUSOIDS:
        return stored_sinusoids(b, c, s, rows_of_run(b, T, 0));
    case AM_BART_AFTER_PADS:
        return positions_after_pads(b, c, s, ids, T);
    default:
        return am_embedding(b, "embed_positions", rows_of_run(b, T, LEARNED_OFFSET), s->positions + LEARNED_OFFSET,
                            c->d_model);
    }
}

/* words: [B, T, C] of ids, scaled, or as they were given (ids: AM_NONE), plus the positions of this run, normed where
   the member does */
static am_value embed(am_builder *b, am_value words, am_value ids, const bart *c, const stack *s)
{
    bool norms_words = c->family->decoder_norms_words && s->is_decoder;
    if (c->embed_scale != 1 && ids.id && !norms_words) words = am_mul_number(b, words, c->embed_scale);
    if (norms_words) words = am_layer_norm(b, "layernorm_embedding", words, LAYER_NORM_EPS);
    am_value x = am_add(b, words, positions(b, c, s, ids, am_dim(b, words, 1)));
    return c->family->no_embedding_norm || norms_words ? x : am_layer_norm(b, "layernorm_embedding", x, LAYER_NORM_EPS);
}

/* --- layers --- */

/* What goes into a part, and what comes of adding its answer. */
static am_value before(am_builder *b, const char *norm, am_value x, const bart *c)
{
    return c->family->pre_norm ? am_layer_norm(b, norm, x, LAYER_NORM_EPS) : x;
}

static am_value after(am_builder *b, const char *norm, am_value x, am_value h, const bart *c)
{
    x = am_add(b, x, h);
    return c->family->pre_norm ? x : am_layer_norm(b, norm, x, LAYER_NORM_EPS);
}

/* `own` is the member's attention of layer `layer`, or null. */
static am_value self_attention(am_builder *b, am_value x, const bart *c, const am_attention_options *options,
                               am_bart_attention *own, int layer)
{
    am_value read = before(b, "self_attn_layer_norm", x, c);
    am_scope(b, "self_attn");
    am_value h = own ? own(b, read, options->heads, layer) : am_self_attention(b, read, options);
    am_end_scope(b);
    return after(b, "self_attn_layer_norm", x, h, c);
}

static am_value cross_attention(am_builder *b, am_value x, am_value encoded, const bart *c,
                                const am_attention_options *options)
{
    const char *name = name_or(c->family->cross_attention, "encoder_attn");
    char norm[64];
    snprintf(norm, sizeof norm, "%s_layer_norm", name);
    am_value read = before(b, norm, x, c);
    am_scope(b, "%s", name);
    am_value h = am_cross_attention(b, read, encoded, options);
    am_end_scope(b);
    return after(b, norm, x, h, c);
}

am_value am_bart_two_projections(am_builder *b, am_value x, const am_bart_part *part)
{
    x = am_linear_activation(b, "fc1", x, part->ffn_dim, AM_BIAS, part->activation);
    return am_linear(b, "fc2", x, part->d_model, AM_BIAS);
}

static am_value feed_forward(am_builder *b, am_value x, const bart *c, const stack *s, int index)
{
    const char *norm = name_or(c->family->feed_forward_norm, "final_layer_norm");
    am_bart_part part = {.d_model = c->d_model,
                         .ffn_dim = s->ffn_dim,
                         .activation = c->activation_function,
                         .mask = s->mask,
                         .is_decoder = s->is_decoder,
                         .index = index};
    am_value read = before(b, norm, x, c);
    am_value h = (c->family->feed_forward ? c->family->feed_forward : am_bart_two_projections)(b, read, &part);
    return after(b, norm, x, h, c);
}

/* The norm behind the last layer; x is then the stack's last hidden state. */
static am_value finish(am_builder *b, am_value x, const bart *c, const stack *s)
{
    if (c->family->pre_norm) x = am_layer_norm(b, name_or(c->family->last_norm, "layer_norm"), x, LAYER_NORM_EPS);
    am_output_hidden_state(b, s->hidden_states, (int)s->layers, x);
    return x;
}

/* input_ids below the body's prefix as words of the table, or the input inputs_embeds as it is. */
static am_value encoder_words(am_builder *b, const bart *c, am_value *ids)
{
    *ids = AM_NONE;
    if (am_has_input(b, "inputs_embeds")) return am_input(b, "inputs_embeds", 3);
    *ids = am_input(b, "input_ids", 2);
    am_value x = am_embedding_op(b, word_table(b, c, encoder_scope(c), c->encoder.vocab_size), *ids);
    const am_feature_rows *features;
    if (c->embed_scale == 1 || am_part_features(b, &features) == 0) return am_merge_part_features(b, x);
    x = am_merge_part_features(b, am_mul_number(b, x, c->embed_scale)); /* features are not scaled, words are later */
    return am_mul_number(b, x, 1 / c->embed_scale);
}

/* What the encoder reads instead, below the body's prefix. */
static am_value encoder_frames(am_builder *b, const bart *c, am_value *ids)
{
    am_scope(b, "%s", encoder_scope(c));
    am_bart_frames frames = c->family->encoder_frames(b, c->d_model);
    am_end_scope(b);
    *ids = frames.ids;
    return frames.x;
}

/* Mask of the encoder's T states. */
static am_value encoder_mask(am_builder *b, const bart *c, int64_t T)
{
    if (!c->family->encoder_mask) return am_padding_mask(b, c->encoder.mask);
    return am_padding_mask_of(b, c->family->encoder_mask(b, T));
}

/* The layers of the encoder below the scope, of whose rows the first T are kept. */
static am_value encoder_layers(am_builder *b, am_value x, int64_t T, const bart *c)
{
    const am_bart_family *f = c->family;
    check_heads(b, c, &c->encoder);
    if (f->encoder_layers)
        return f->encoder_layers(b, x,
                                 &(am_bart_encoder){.layers = c->encoder.layers,
                                                    .heads = c->encoder.heads,
                                                    .ffn_dim = c->encoder.ffn_dim,
                                                    .d_model = c->d_model,
                                                    .activation = c->activation_function});
    am_attention_options options = {.heads = c->encoder.heads, .mask = encoder_mask(b, c, am_dim(b, x, 1))};
    for (int i = 0; i < c->encoder.layers && !am_builder_failed(b); i++) {
        am_output_hidden_state(b, c->encoder.hidden_states, i, x);
        if (f->between_encoder_layers && i > 0) x = f->between_encoder_layers(b, x, i - 1);
        am_scope(b, "layers.%d", i);
        x = self_attention(b, x, c, &options, f->encoder_attention, i);
        x = feed_forward(b, x, c, &c->encoder, i);
        am_end_scope(b);
    }
    return finish(b, am_dim(b, x, 1) > T ? am_slice(b, x, 1, 0, T) : x, c, &c->encoder);
}

/* Words of `count` pad tokens below the body's prefix: [B, count, C]. */
static am_value pad_words(am_builder *b, const bart *c, int64_t B, int64_t count)
{
    am_value ids = am_iota(b, AM_I32, am_shape_of(B, count), 1, (double)c->pad_token_id, 0);
    am_value table = word_table(b, c, encoder_scope(c), c->encoder.vocab_size);
    return am_mul_number(b, am_embedding_op(b, table, ids), c->embed_scale);
}

/* The encoder below the body's prefix. */
static am_value encoded(am_builder *b, const bart *c)
{
    am_value ids;
    am_value words = (c->family->encoder_frames ? encoder_frames : encoder_words)(b, c, &ids);
    int64_t B = am_dim(b, words, 0), T = am_dim(b, words, 1);
    int64_t padding = c->family->encoder_padding ? c->family->encoder_padding(am_model_config(b), T) : 0;
    am_value behind = padding ? pad_words(b, c, B, padding) : AM_NONE;
    am_scope(b, "%s", encoder_scope(c));
    am_value x = embed(b, words, ids, c, &c->encoder);
    x = encoder_layers(b, behind.id ? am_concat2(b, x, behind, 1) : x, T, c);
    am_end_scope(b);
    return x;
}

static am_value encode(am_builder *b, const void *model)
{
    const bart *c = model;
    am_scope(b, "%s", c->prefix);
    am_value x = c->family->encode ? c->family->encode(b) : encoded(b, c);
    am_end_scope(b);
    return x;
}

/* Mask of the decoder's own tokens; without caches what is pad may be hidden. */
static am_value decoder_mask(am_builder *b, am_value ids, const bart *c)
{
    bool by_pads = c->family->hides_decoder_pads && ids.id && !am_has_cache(b) && !am_has_input(b, c->decoder.mask);
    if (!by_pads) return am_padding_mask(b, c->decoder.mask);
    return am_padding_mask_of(b, am_binary_number(b, AM_NOT_EQUAL, ids, (double)c->pad_token_id));
}

/* The layers of the decoder below the scope; ids: its words, or AM_NONE. */
static am_value decoder_layers(am_builder *b, am_value x, am_value ids, const am_encoder_states *encoded, const bart *c)
{
    bool bare = !c->decoder_bias;
    am_attention_options cross = {.heads = c->decoder.heads,
                                  .mask = encoded->mask,
                                  .no_q_bias = bare,
                                  .no_k_bias = bare,
                                  .no_v_bias = bare,
                                  .no_out_bias = bare},
                         self = cross;
    self.causal = c->is_causal;
    self.mask = decoder_mask(b, ids, c);
    check_heads(b, c, &c->decoder);
    for (int i = 0; i < c->decoder.layers && !am_builder_failed(b); i++) {
        am_output_hidden_state(b, c->decoder.hidden_states, i, x);
        am_scope(b, "layers.%d", i);
        x = self_attention(b, x, c, &self, c->family->decoder_attention, i);
        if (encoded->given) x = cross_attention(b, x, encoded->states, c, &cross);
        x = feed_forward(b, x, c, &c->decoder, i);
        am_end_scope(b);
    }
    return finish(b, x, c, &c->decoder);
}

/* The same over words: [B, T, C] of ids. */
static am_value decoder(am_builder *b, am_value words, am_value ids, const am_encoder_states *encoded, const bart *c)
{
    return decoder_layers(b, embed(b, words, ids, c, &c->decoder), ids, encoded, c);
}

am_value am_bart_encoder_layers(am_builder *b, const am_bart_family *family, am_value x)
{
    bart c = read_family(b, family, "");
    return encoder_layers(b, x, am_dim(b, x, 1), &c);
}

am_value am_bart_decoder_layers(am_builder *b, const am_bart_family *family, am_value x, am_value encoded)
{
    bart c = read_family(b, family, "");
    return decoder_layers(b, x, AM_NONE, &(am_encoder_states){.given = true, .states = encoded}, &c);
}

static am_value decoder_ids(am_builder *b, const bart *c)
{
    bool shifts = am_model_stage(b) == AM_STAGE_FORWARD;
    if (c->family->shift == AM_BART_SHIFT_LAST && shifts) return am_decoder_input_ids_from_last(b, c->pad_token_id);
    return am_decoder_input_ids(b, shifts && c->family->shift == AM_BART_SHIFT_START, c->family->start_token_id);
}

static am_value decode(am_builder *b, const void *model, am_value states)
{
    const bart *c = model;
    int64_t S = states.id ? am_dim(b, states, 1) : am_encoder_length(b);
    am_encoder_states seen = {true, states, encoder_mask(b, c, S)};
    am_value ids = decoder_ids(b, c);
    am_scope(b, "%s", c->prefix);
    am_value words = am_embedding_op(b, word_table(b, c, decoder_scope(c), c->decoder.vocab_size), ids);
    am_scope(b, "%s", decoder_scope(c));
    am_value x = decoder(b, words, ids, &seen, c);
    am_end_scope(b);
    am_end_scope(b);
    return x;
}

static am_value run(am_builder *b, const bart *c)
{
    return am_seq2seq_run(b, &(am_seq2seq){encode, decode, c});
}

am_value am_bart_body(am_builder *b, const char *prefix)
{
    bart c = read_config(b, prefix);
    return run(b, &c);
}

/* --- classes --- */

/* lm_head.weight, or the decoder's word table where the file has none. */
static am_value head_table(am_builder *b, const bart *c)
{
    am_value own = am_weight_optional(b, "lm_head.weight", am_shape_of(c->decoder.vocab_size, c->d_model));
    if (own.id) return own;
    am_scope(b, "%s", c->prefix);
    am_value table = word_table(b, c, decoder_scope(c), c->decoder.vocab_size);
    am_end_scope(b);
    return table;
}

void am_bart_class(am_builder *b, const am_bart_family *family, const char *prefix, bool has_head)
{
    bart c = read_family(b, family, prefix);
    am_value x = run(b, &c);
    if (x.id && !has_head) am_output(b, "last_hidden_state", x);
    if (!x.id || !has_head) return;
    am_value table = head_table(b, &c);
    am_value bias = am_weight_optional(b, "final_logits_bias", am_shape_of(1, c.decoder.vocab_size));
    x = am_linear_with(b, am_last_position_if_wanted(b, x), table, bias.id ? am_squeeze(b, bias, 0) : AM_NONE);
    am_output(b, "logits", x);
}

void am_bart_model(am_builder *b)
{
    am_bart_class(b, am_model_family(b), "", false);
}

void am_bart_for_conditional_generation(am_builder *b)
{
    am_bart_class(b, am_model_family(b), body_prefix(b), true);
}

void am_bart_for_sequence_classification(am_builder *b)
{
    bart c = read_config(b, body_prefix(b));
    am_value x = run(b, &c);
    if (x.id)
        am_output(b, "logits",
                  am_classification_head(b, "classification_head",
                                         am_last_eos_token(b, x, or_else(c.family->eos_token_id, 2)), c.labels,
                                         AM_TANH));
}

void am_bart_for_question_answering(am_builder *b)
{
    bart c = read_config(b, body_prefix(b));
    am_value x = run(b, &c);
    if (x.id) am_output_span_logits(b, "qa_outputs", x);
}

am_value am_bart_decoder_alone(am_builder *b, const am_bart_family *family, const char *prefix)
{
    bart c = read_family(b, family, "");
    am_encoder_states encoded = am_encoder_states_input(b);
    c.decoder.hidden_states = "hidden_states";
    c.decoder.mask = "attention_mask";
    am_scope(b, "%s", prefix);
    am_value ids = am_has_input(b, "inputs_embeds") ? AM_NONE : am_input(b, "input_ids", 2);
    am_value words = am_input_embeddings(b, "embed_tokens", c.decoder.vocab_size, c.d_model);
    am_value x = decoder(b, words, ids, &encoded, &c);
    am_end_scope(b);
    return x;
}

void am_bart_decoder(am_builder *b)
{
    am_output(b, "last_hidden_state", am_bart_decoder_alone(b, am_model_family(b), ""));
}

void am_bart_for_causal_lm(am_builder *b)
{
    bart c = read_config(b, "model");
    bool tied = am_config_flag(am_model_config(b), "tie_word_embeddings", true);
    am_value x = am_bart_decoder_alone(b, c.family, "model.decoder");
    am_output(b, "logits",
              am_lm_head(b, "lm_head", x, c.decoder.vocab_size, tied, "model.decoder.embed_tokens.weight", AM_NO_BIAS));
}
