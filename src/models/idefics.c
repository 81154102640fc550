/* IDEFICS: a LLaMA between whose layers gated ones attend to images, CLIP's patches of them or a few rows that a
   Perceiver collects. transformers: models/idefics/modeling_idefics.py, vision.py, perceiver.py */
#include "models/blocks/class_token_tower.h"
#include "models/blocks/decoder.h"
#include "models/blocks/heads.h"
#include "models/blocks/vision.h"

#include <string.h>

static const double PERCEIVER_NORM_EPS = 1e-5; /* not configurable */

static const am_class_token_tower tower = {.hidden_size = 768,
                                           .intermediate_size = 5120,
                                           .num_hidden_layers = 32,
                                           .num_attention_heads = 16,
                                           .image_size = 224,
                                           .patch_size = 14,
                                           .hidden_act = AM_GELU};

/* --- the Perceiver --- */

typedef struct perceiver {
    int64_t rows, depth, heads, head_dim;
    bool norms_heads;
} perceiver;

/* What queries x: [N, L, C] collect of context: [N, P, C] and of each other. */
static am_value collect(am_builder *b, am_value x, am_value context, const perceiver *p)
{
    int64_t wide = p->heads * p->head_dim, C = am_dim(b, x, -1);
    am_attention_options options = {.heads = p->heads, .head_dim = p->head_dim};
    context = am_layer_norm(b, "context_layer_norm", context, PERCEIVER_NORM_EPS);
    x = am_layer_norm(b, "latents_layer_norm", x, PERCEIVER_NORM_EPS);
    context = am_concat2(b, context, x, 1);
    am_value q = am_split_heads(b, am_linear(b, "q_proj", x, wide, AM_NO_BIAS), p->heads),
             k = am_split_heads(b, am_linear(b, "k_proj", context, wide, AM_NO_BIAS), p->heads),
             v = am_split_heads(b, am_linear(b, "v_proj", context, wide, AM_NO_BIAS), p->heads);
    if (p->norms_heads) {
        q = am_layer_norm(b, "q_layer_norm", q, PERCEIVER_NORM_EPS);
        k = am_layer_norm(b, "k_layer_norm", k, PERCEIVER_NORM_EPS);
    }
    return am_linear(b, "output_proj", am_merge_heads(b, am_attend_cached(b, q, k, v, &options)), C, AM_NO_BIAS);
}

/* context: [N, P, C] -> [N, rows, C] */
static am_value resample(am_builder *b, am_value context, const am_config *c)
{
    am_config own = am_config_child(c, "perceiver_config");
    perceiver p = {.rows = am_config_size(&own, "resampler_n_latents", 64),
                   .depth = am_config_count(&own, "resampler_depth", 6),
                   .heads = am_config_size(&own, "resampler_n_heads", 16),
                   .head_dim = am_config_size(&own, "resampler_head_dim", 96),
                   .norms_heads = am_config_flag(&own, "qk_layer_norms_perceiver", false)};
    int64_t C = am_dim(b, context, -1), N = am_dim(b, context, 0);
    am_scope(b, "perceiver_resampler");
    am_value x = am_unsqueeze(b, am_parameter(b, "latents", am_shape_of(p.rows, C), context), 0);
    x = am_broadcast(b, x, am_shape_of(N, p.rows, C));
    for (int i = 0; i < p.depth && !am_builder_failed(b); i++) {
        am_scope(b, "blocks.%d.0", i);
        x = am_add(b, collect(b, x, context, &p), x);
        am_end_scope(b);
        am_scope(b, "blocks.%d.1", i);
        am_value h = am_layer_norm(b, "ln", x, PERCEIVER_NORM_EPS);
        h = am_linear_activation(b, "fc", h, 4 * C, AM_NO_BIAS, AM_RELU);
        x = am_add(b, am_linear(b, "c_proj", h, C, AM_NO_BIAS), x);
        am_end_scope(b);
    }
    x = am_layer_norm(b, "layer_norm", x, PERCEIVER_NORM_EPS);
    am_end_scope(b);
    return x;
}

/* --- images --- */

/* What layers that look at images see. */
typedef struct images {
    am_value states; /* [B, S, C]; AM_NONE where their keys and values are cached */
    am_value mask;   /* BOOL [B, 1, T, S] */
    am_value shown;  /* F32 [B, T, 1]: 0 where a token is shown none */
    am_rope rope;    /* of the text */
    int64_t interval;
    bool norms_heads, vector_gates;
} images;

/* x: [B, N, P, C] of the input that is given, encoded or, where the model has a Perceiver, collected. */
static am_value encode(am_builder *b, const am_config *c)
{
    am_config vision = am_config_child(c, "vision_config");
    bool resamples = am_config_flag(c, "use_resampler", false);
    if (am_has_input(b, "perceiver_embeddings")) {
        if (!resamples)
            am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "perceiver_embeddings: the model has no Perceiver"));
        return am_input(b, "perceiver_embeddings", 4);
    }
    bool seen = am_has_input(b, "image_encoder_embeddings");
    am_value given = am_input(b, seen ? "image_encoder_embeddings" : "pixel_values", seen ? 4 : 5);
    int64_t B = am_dim(b, given, 0), N = am_dim(b, given, 1);
    am_value x = am_flatten(b, given, 0, 1);
    am_pause_cache(b);
    if (!seen) {
        am_scope(b, "vision_model");
        x = am_class_token_tower_run(b, &vision, &tower, x, "").last;
        am_end_scope(b);
    }
    if (resamples) x = resample(b, x, c);
    am_resume_cache(b);
    if (am_builder_failed(b)) return AM_NONE;
    return am_reshape(b, x, (am_shape){.rank = 4, .dims = {B, N, am_dim(b, x, 1), am_dim(b, x, 2)}});
}

/* Which images each token sees, BOOL [B, T, N]: the input image_attention_mask; what is written behind a text sees
   what its last token saw. */
static am_value which(am_builder *b, int64_t B, int64_t N)
{
    if (am_cross_cached(b))
        return am_unsqueeze(
            b, am_binary_number(b, AM_NOT_EQUAL, am_cache_load(b, "cross_images", am_shape_of(B, N)), 0), 1);
    am_value given = am_input(b, "image_attention_mask", 3);
    if (am_dtype_of(b, given) != AM_BOOL) given = am_binary_number(b, AM_NOT_EQUAL, given, 0);
    am_cache_store(b, "cross_images", am_cast(b, am_index(b, given, 1, -1), AM_F32));
    return given;
}

static int64_t rows_of_image(const am_config *c)
{
    am_config vision = am_config_child(c, "vision_config"), own = am_config_child(c, "perceiver_config");
    am_image_options image = am_image_options_read(&vision, tower.image_size, tower.patch_size);
    return am_config_flag(c, "use_resampler", false) ? am_config_size(&own, "resampler_n_latents", 64)
                                                     : am_image_patches(&image) + 1;
}

static images look(am_builder *b, const am_config *c, int64_t B, int64_t T)
{
    images seen = {.interval = am_config_size(c, "cross_layer_interval", 1),
                   .norms_heads = am_config_flag(c, "qk_layer_norms", false),
                   .vector_gates = strcmp(am_config_text(c, "alpha_type", "float"), "vector") == 0};
    int64_t P = rows_of_image(c), S = am_encoder_length(b);
    if (!am_cross_cached(b)) {
        am_value x = encode(b, c);
        P = am_dim(b, x, 2);
        am_output(b, "image_hidden_states", x);
        seen.states = am_flatten(b, x, 1, 2);
        S = am_dim(b, seen.states, 1);
        if (am_has_cache(b)) am_output(b, "cross_attention_states", seen.states);
    }
    if (am_builder_failed(b) || P < 1) return seen;
    am_value is = which(b, B, S / P);
    am_value all = am_broadcast(b, am_unsqueeze(b, is, 3), (am_shape){.rank = 4, .dims = {B, T, S / P, P}});
    seen.mask = am_unsqueeze(b, am_flatten(b, all, 2, 3), 1);
    seen.shown = am_cast(b, am_reduce(b, AM_REDUCE_ANY, is, am_shape_of(2), true), AM_F32);
    return seen;
}

/* --- the text --- */

/* tanh of the weight NAME: one number, or one of each channel. */
static am_value gate(am_builder *b, const char *name, am_value x, const images *seen)
{
    am_shape shape = seen->vector_gates ? am_shape_of(1, 1, am_dim(b, x, -1)) : am_shape_of(1);
    return am_unary(b, AM_TANH, am_parameter(b, name, shape, x));
}

static am_value look_at(am_builder *b, am_value x, const am_decoder_options *o, const images *seen)
{
    am_attention_options options = {.heads = o->num_attention_heads, .mask = seen->mask};
    int64_t H = o->num_attention_heads, C = o->hidden_size;
    am_value k = AM_NONE, v = AM_NONE;
    am_scope(b, "cross_attn");
    am_value q = am_split_heads(b, am_linear(b, "q_proj", x, C, AM_NO_BIAS), H);
    if (seen->norms_heads) q = am_rms_norm(b, "q_layer_norm", q, o->rms_norm_eps, 0);
    if (seen->states.id) {
        k = am_split_heads(b, am_linear(b, "k_proj", seen->states, C, AM_NO_BIAS), H);
        v = am_split_heads(b, am_linear(b, "v_proj", seen->states, C, AM_NO_BIAS), H);
        if (seen->norms_heads) k = am_rms_norm(b, "k_layer_norm", k, o->rms_norm_eps, 0);
    }
    x = am_linear(b, "o_proj", am_attend_encoder(b, q, k, v, &options), C, AM_NO_BIAS);
    am_end_scope(b);
    return am_mul(b, x, seen->shown);
}

/* The gated layer i over x: [B, T, C]. */
static am_value gated_layer(am_builder *b, am_value x, const am_decoder_options *o, int64_t i)
{
    const images *seen = o->context;
    am_scope(b, "gated_cross_attn_layers.%d", (int)i);
    am_value h = look_at(b, am_rms_norm(b, "input_layernorm", x, o->rms_norm_eps, 0), o, seen);
    x = am_add(b, x, am_mul(b, h, gate(b, "alpha_cross_attn", x, seen)));
    h = am_rms_norm(b, "post_attention_layernorm", x, o->rms_norm_eps, 0);
    am_scope(b, "mlp");
    h = am_gated_mlp(b, h, o->intermediate_size, o->hidden_act, AM_NO_BIAS);
    am_end_scope(b);
    x = am_add(b, x, am_mul(b, h, gate(b, "alpha_dense", x, seen)));
    am_end_scope(b);
    return x;
}

/* What stands before a layer; the first one's is among the embeddings, since the first hidden state has it. */
static am_own_layer before_layer(am_builder *b, am_value *x, const am_decoder_options *o, int index)
{
    const images *seen = o->context;
    if (index > 0 && index % seen->interval == 0) *x = gated_layer(b, *x, o, index / seen->interval);
    return AM_OWN_LAYER_NONE;
}

static am_value attention(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    const images *seen = layer->options->context;
    am_attention_options options = *layer->attention;
    options.rope = &seen->rope;
    return am_self_attention(b, x, &options);
}

static void adapt(const am_config *c, am_decoder_options *o)
{
    int64_t interval = am_config_size(c, "cross_layer_interval", 1);
    if (o->num_hidden_layers % interval != 0)
        am_config_fail(c, "cross_layer_interval", "%lld does not divide %lld layers", (long long)interval,
                       (long long)o->num_hidden_layers);
    am_config_check_divides(c, "num_attention_heads", o->num_attention_heads, "hidden_size", o->hidden_size);
    o->num_key_value_heads = o->num_attention_heads;
    o->attention = attention;
    o->own_layer = before_layer;
    o->own_rope = o->ignores_packing = true;
}

/* Tokens stand among those that are attended to: I32 [B, T]; the others at 1. */
static am_rope rotation(am_builder *b, const am_decoder_options *o, int64_t T)
{
    am_value given = am_input_optional(b, "position_ids", 2), mask = am_input_optional(b, "attention_mask", 2);
    if (given.id || !mask.id || (T == 1 && am_has_cache(b))) return am_rope_tables(b, &o->rope, T);
    am_value is = am_binary_number(b, AM_NOT_EQUAL, am_cast(b, am_slice(b, mask, 1, 0, T), AM_I32), 0);
    am_value at = am_scan(b, AM_REDUCE_SUM, am_cast(b, is, AM_I32), 1, true, false);
    return am_rope_tables_at(b, &o->rope, am_select(b, is, at, am_scalar(b, AM_I32, 1)));
}

/* Rows of the words and, behind them, of additional ones. */
static am_value embed(am_builder *b, const am_decoder_options *o)
{
    int64_t more = am_config_count(o->config, "additional_vocab_size", 0);
    if (more == 0 || am_has_input(b, "inputs_embeds"))
        return am_input_embeddings(b, "embed_tokens", o->vocab_size, o->hidden_size);
    am_value words = am_weight(b, "embed_tokens.weight", am_shape_of(o->vocab_size, o->hidden_size)),
             others = am_weight(b, "embed_tokens.additional_embedding.weight", am_shape_of(more, o->hidden_size));
    return am_embedding_op(b, am_concat2(b, words, others, 0), am_input(b, "input_ids", 2));
}

/* Final hidden states: [B, T, C]. */
static am_value body(am_builder *b, am_decoder_options *o, const char *prefix)
{
    am_scope(b, "%s", prefix);
    am_value x = embed(b, o);
    int64_t B = am_dim(b, x, 0), T = am_dim(b, x, 1);
    images seen = look(b, o->config, B, T);
    seen.rope = rotation(b, o, T);
    o->context = &seen;
    if (am_builder_failed(b)) return AM_NONE;
    o->embedded = o->num_hidden_layers > 0 ? gated_layer(b, x, o, 0) : x;
    am_end_scope(b);
    return am_decoder_body(b, o, prefix);
}

static void model(am_builder *b)
{
    am_decoder_options o = am_decoder_options_read(am_model_config(b), am_model_family(b));
    am_output(b, "last_hidden_state", body(b, &o, ""));
}

static void for_vision_text2text(am_builder *b)
{
    am_decoder_options o = am_decoder_options_read(am_model_config(b), am_model_family(b));
    int64_t more = am_config_count(o.config, "additional_vocab_size", 0);
    am_value x = body(b, &o, "model");
    am_value logits =
        am_lm_head(b, "lm_head", x, o.vocab_size, o.tie_word_embeddings, "model.embed_tokens.weight", AM_NO_BIAS);
    if (more > 0)
        logits = am_concat2(b, logits,
                            am_lm_head(b, "lm_head.additional_fc", x, more, o.tie_word_embeddings,
                                       "model.embed_tokens.additional_embedding.weight", AM_NO_BIAS),
                            -1);
    am_output(b, "logits", logits);
}

static const am_architecture architectures[] = {
    {"IdeficsModel", model, NULL, 0},
    {"IdeficsForVisionText2Text", for_vision_text2text, NULL, AM_GENERATES | AM_READS_AT_ONCE},
    {0},
};

static const am_decoder_family family = {.defaults = {.whole_heads = true, .has_pad_token = true}, .adapt = adapt};

const am_model_type am_model_idefics = {
    .name = "idefics", .base_prefix = "model", .architectures = architectures, .family = &family};
