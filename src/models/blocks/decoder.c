#include "models/blocks/decoder.h"

#include "models/blocks/heads.h"
#include "models/blocks/multimodal.h"

#include <string.h>

/* What transformers calls the layers of a decoder beside an encoder whose list it renames (Qianfan-OCR). */
static const char OTHER_LAYERS[] = "encoder.layers.0.input_layernorm.weight";

const am_decoder_norms am_gemma_norms = {.before_attention = "input_layernorm",
                                         .after_attention = "post_attention_layernorm",
                                         .before_mlp = "pre_feedforward_layernorm",
                                         .after_mlp = "post_feedforward_layernorm"};

static int64_t or_else(int64_t value, int64_t fallback)
{
    return value ? value : fallback;
}

int64_t am_decoder_size_or_none(const am_config *c, const char *key, int64_t fallback)
{
    return am_config_is_null(c, key) ? 0 : am_config_size(c, key, fallback);
}

double am_decoder_real_or_none(const am_config *c, const char *key, double fallback)
{
    return am_config_is_null(c, key) ? 0 : am_config_real(c, key, fallback);
}

static void read_heads(const am_config *c, const am_decoder_defaults *d, am_decoder_options *o)
{
    o->num_attention_heads = am_config_size(c, "num_attention_heads", or_else(d->num_attention_heads, 32));
    o->num_key_value_heads =
        or_else(am_decoder_size_or_none(c, "num_key_value_heads", d->num_key_value_heads), o->num_attention_heads);
    o->head_dim = am_decoder_size_or_none(c, "head_dim", d->head_dim);
    if (o->head_dim == 0) {
        am_config_check_divides(c, "num_attention_heads", o->num_attention_heads, "hidden_size", o->hidden_size);
        o->head_dim = o->hidden_size / o->num_attention_heads;
    }
    am_config_check_divides(c, "num_key_value_heads", o->num_key_value_heads, "num_attention_heads",
                            o->num_attention_heads);
}

/* The fields as LlamaConfig names them, with the member's defaults. */
static am_decoder_options read_options(const am_config *c, const am_decoder_defaults *d)
{
    am_decoder_options o = {
        .vocab_size = am_config_size(c, "vocab_size", or_else(d->vocab_size, 32000)),
        .hidden_size = am_config_size(c, "hidden_size", or_else(d->hidden_size, 4096)),
        .intermediate_size = am_config_size(c, "intermediate_size", or_else(d->intermediate_size, 11008)),
        .num_hidden_layers = am_config_count(c, "num_hidden_layers", or_else(d->num_hidden_layers, 32)),
        .hidden_act = d->own_activation && am_config_is(c, "hidden_act", d->own_activation)
                          ? AM_IDENTITY
                          : am_config_activation(c, "hidden_act", AM_SILU),
        .rms_norm_eps = am_config_real(c, "rms_norm_eps", d->rms_norm_eps != 0 ? d->rms_norm_eps : 1e-6),
        .tie_word_embeddings = am_config_flag(c, "tie_word_embeddings", d->tied),
        .pad_token_id = am_pad_token(c, d->has_pad_token ? d->pad_token_id : -1),
        .labels = am_config_labels(c),
        .causal = am_config_flag(c, "is_causal", true),
    };
    if (o.num_hidden_layers > AM_LAYERS_LIMIT)
        am_config_unsupported(c, "num_hidden_layers", "at most %d are supported, found %lld", AM_LAYERS_LIMIT,
                              (long long)o.num_hidden_layers);
    read_heads(c, d, &o);
    o.rope = am_rope_config_read_fields(
        c, &(am_rope_fields){.whole_heads = d->whole_heads, .theta = d->own_theta ? "no_theta" : NULL}, o.head_dim,
        d->rope_theta != 0 ? d->rope_theta : 10000, d->partial_rotary_factor != 0 ? d->partial_rotary_factor : 1,
        or_else(d->max_position_embeddings, 2048));
    return o;
}

static bool is_sliding(const am_config *c, int layer)
{
    const char *type = am_config_list_text(c, "layer_types", layer);
    bool sliding = type && strcmp(type, "sliding_attention") == 0;
    if (!sliding && (!type || strcmp(type, "full_attention") != 0))
        am_config_unsupported(c, "layer_types", "type \"%s\" of layer %d is not supported", type ? type : "(none)",
                              layer);
    return sliding;
}

void am_decoder_read_sliding(const am_config *c, am_decoder_options *o, int64_t first, int64_t period)
{
    bool listed = am_config_has(c, "layer_types");
    for (int i = 0; i < o->num_hidden_layers && i < AM_LAYERS_LIMIT; i++)
        o->sliding[i] = listed ? is_sliding(c, i) : i >= first && (period == 0 || (i + 1) % period != 0);
}

am_value am_decoder_layer_norm(am_builder *b, const char *name, am_value x, const am_decoder_options *o)
{
    return am_layer_norm(b, name, x, o->rms_norm_eps);
}

am_value am_decoder_layer_norm_no_bias(am_builder *b, const char *name, am_value x, const am_decoder_options *o)
{
    return am_layer_norm_no_bias(b, name, x, o->rms_norm_eps);
}

/* x itself where name is null. */
static am_value norm(am_builder *b, const char *name, am_value x, const am_decoder_options *o)
{
    if (!name) return x;
    if (o->norm) return o->norm(b, name, x, o);
    return am_rms_norm(b, name, x, o->rms_norm_eps, o->norm_weight_offset);
}

am_value am_gated_mlp(am_builder *b, am_value x, int64_t inner, am_unary_fn activation, int bias)
{
    int64_t C = am_dim(b, x, -1);
    am_value gate = am_linear(b, "gate_proj", x, inner, bias), up = am_linear(b, "up_proj", x, inner, bias);
    return am_linear(b, "down_proj", am_gated_activation(b, activation, gate, up), C, bias);
}

am_value am_decoder_mlp(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    const am_decoder_options *o = layer->options;
    int bias = o->mlp_bias ? AM_BIAS : AM_NO_BIAS;
    if (!o->fused_gate_up) return am_gated_mlp(b, x, o->intermediate_size, o->hidden_act, bias);
    x = am_linear(b, "gate_up_proj", x, 2 * o->intermediate_size, bias);
    am_value gate = am_slice(b, x, -1, 0, o->intermediate_size),
             up = am_slice(b, x, -1, o->intermediate_size, 2 * o->intermediate_size);
    return am_linear(b, "down_proj", am_gated_activation(b, o->hidden_act, gate, up), o->hidden_size, bias);
}

am_value am_decoder_attention(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    return am_self_attention(b, x, layer->attention);
}

am_value am_decoder_windowed_positions(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    am_attention_options options = *layer->attention;
    if (layer->options->sliding_window && !layer->options->sliding[layer->index]) options.rope = NULL;
    return am_self_attention(b, x, &options);
}

am_value am_decoder_plain_mlp(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    const am_decoder_options *o = layer->options;
    int bias = o->mlp_bias ? AM_BIAS : AM_NO_BIAS;
    x = am_linear_activation(b, "up_proj", x, o->intermediate_size, bias, o->hidden_act);
    return am_linear(b, "down_proj", x, o->hidden_size, bias);
}

am_value am_decoder_clipped_attention(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    double bound = am_decoder_real_or_none(layer->options->config, "clip_qkv", 0);
    am_attention_options options = *layer->attention;
    am_value qkv[3];
    if (bound == 0) return am_self_attention(b, x, &options);
    options.rope = NULL;
    am_attention_heads(b, x, &options, qkv);
    for (int i = 0; i < 3; i++) {
        qkv[i] = am_binary_number(b, AM_MAX, am_binary_number(b, AM_MIN, qkv[i], bound), -bound);
        if (i < 2) qkv[i] = am_rope_apply(b, layer->attention->rope, qkv[i]);
    }
    x = am_attend(b, qkv[0], qkv[1], qkv[2], &options);
    return am_linear(b, "o_proj", x, layer->options->hidden_size, layer->options->out_bias ? AM_BIAS : AM_NO_BIAS);
}

/* What the layers of a run share. */
typedef struct layers {
    const am_decoder_options *options;
    am_attention_options attention;
    am_rope rope, sliding_rope;
    am_value block_mask, sliding_block_mask; /* AM_NONE: causal */
    am_value prompt_mask;                    /* of sliding layers that keep the prompt; AM_NONE: they see all */
    am_value *carried;
    const char *list; /* of layers: "layers", or "blocks" in files of Kimi K2.5 and Molmo 2 */
} layers;

static am_value in_scope(am_builder *b, const char *scope, am_decoder_part *part, am_value x,
                         const am_decoder_layer *layer)
{
    am_scope(b, "%s", scope);
    x = part(b, x, layer);
    am_end_scope(b);
    return x;
}

/* What part 0, attention, or 1, the MLP, makes of x. */
static am_value add_residual(am_builder *b, am_value x, am_value h, const am_decoder_options *o, int part)
{
    if (o->parts_add_residual) return h;
    if (o->residual_weights[part])
        x = am_mul(b, x, am_cast(b, am_weight(b, o->residual_weights[part], am_shape_of(o->hidden_size)), AM_F32));
    return am_add(b, x, o->residual_multiplier != 0 ? am_mul_number(b, h, o->residual_multiplier) : h);
}

/* x: [B, T, C] */
static am_value decoder_layer(am_builder *b, am_value x, const layers *run, int index)
{
    static const am_decoder_norms llama = {.before_attention = "input_layernorm",
                                           .before_mlp = "post_attention_layernorm"};
    const am_decoder_options *o = run->options;
    const am_decoder_norms *names = o->norms ? o->norms : &llama;
    am_attention_options attention = run->attention;
    am_decoder_layer layer = {o, &attention, index, run->carried};
    attention.window = o->sliding[index] ? o->sliding_window : 0;
    if (!attention.window && am_has_cache(b) && am_dim(b, x, 1) == 1) attention.window = o->cache_window;
    if (attention.window && !o->causal) attention.window++; /* inclusive where it looks both ways */
    if (attention.window && o->window_keeps_prompt) {
        if (run->prompt_mask.id) attention.mask = run->prompt_mask;
        attention.window = 0;
    }
    attention.rope = o->sliding[index] ? &run->sliding_rope : &run->rope;
    if (run->block_mask.id) {
        attention.mask = attention.window ? run->sliding_block_mask : run->block_mask;
        attention.causal = false;
        attention.window = 0;
    }
    am_scope(b, "%s.%d", run->list, index);
    am_decoder_part *mixer = o->attention ? o->attention : am_decoder_attention,
                    *mlp = o->mlp ? o->mlp : am_decoder_mlp;
    am_value read = norm(b, names->before_attention, x, o),
             h = in_scope(b, o->attention_scope ? o->attention_scope : "self_attn", mixer, read, &layer);
    x = add_residual(b, x, norm(b, names->after_attention, h, o), o, 0);
    h = in_scope(b, o->mlp_scope ? o->mlp_scope : "mlp", mlp, o->parallel ? read : norm(b, names->before_mlp, x, o),
                 &layer);
    x = add_residual(b, x, norm(b, names->after_mlp, h, o), o, 1);
    am_end_scope(b);
    return x;
}

/* Whether positions that are given tell of several texts in a row. */
static bool is_packed(am_builder *b, const am_decoder_options *o)
{
    if (!o->mrope.count) return !o->ignores_packing;
    am_value places = am_input_optional(b, "position_ids", -1);
    return o->flat_places_pack && places.id && am_shape_of_value(b, places).rank == 2;
}

static am_attention_options attention_of(am_builder *b, const am_decoder_options *o)
{
    am_value mask = am_padding_mask(b, "attention_mask");
    return (am_attention_options){
        .heads = o->num_attention_heads,
        .kv_heads = o->num_key_value_heads,
        .head_dim = o->head_dim,
        .qkv = o->fused_qkv ? "qkv_proj" : NULL,
        .out = "o_proj",
        .no_q_bias = !o->qkv_bias,
        .no_k_bias = !o->qkv_bias,
        .no_v_bias = !o->qkv_bias,
        .no_out_bias = !o->out_bias,
        .causal = o->causal,
        .mask = o->causal && is_packed(b, o) ? am_packed_mask(b, mask, "position_ids") : mask,
        .scale = o->attention_scale,
        .soft_cap = o->attention_soft_cap,
        .q_norm = o->qk_norm ? "q_norm" : NULL,
        .k_norm = o->qk_norm ? "k_norm" : NULL,
        .norm_all_heads = o->qk_norm == AM_QK_NORM_ALL,
        .norm_eps = o->rms_norm_eps,
        .norm_weight_offset = o->norm_weight_offset,
    };
}

/* x: [.., C] with zeros where ids are the token that counts as zeros. */
static am_value clear_pads(am_builder *b, am_value x, am_value ids, const am_decoder_options *o)
{
    if (!o->clears_pad_token || o->pad_token_id < 0) return x;
    am_value kept = am_binary_number(b, AM_NOT_EQUAL, ids, (double)o->pad_token_id);
    return am_select(b, kept, x, am_scalar(b, am_dtype_of(b, x), 0));
}

/* Bare bodies may have the usual name where classes around them have their own. */
static const char *embeddings_name(am_builder *b, const am_decoder_options *o)
{
    if (!o->embeddings) return "embed_tokens";
    am_scope(b, "%s", o->embeddings);
    bool own = am_has_weight(b, "weight");
    am_end_scope(b);
    return own ? o->embeddings : "embed_tokens";
}

/* The embeddings given, or those of input_ids, and features among them. */
static am_value embed(am_builder *b, const am_decoder_options *o)
{
    if (o->embedded.id) return o->embedded;
    const char *table = embeddings_name(b, o);
    am_value x = am_input_embeddings(b, table, o->vocab_size, o->hidden_size);
    if (o->clears_pad_token && !am_has_input(b, "inputs_embeds"))
        x = clear_pads(b, x, am_unsqueeze(b, am_input(b, "input_ids", 2), -1), o);
    bool scaled = o->embedding_scale != 0, of_words = !o->scales_inputs_embeds;
    if (scaled && of_words && !am_has_input(b, "inputs_embeds")) x = am_mul_number(b, x, o->embedding_scale);
    x = am_merge_part_features(b, o->features ? am_merge_features(b, x, o->features) : x);
    return scaled && !of_words ? am_mul_number(b, x, o->embedding_scale) : x;
}

/* Blocks are those of a prompt: what is written after it is one token at a time, which sees everything. */
static void read_blocks(am_builder *b, const am_decoder_options *o, layers *run)
{
    am_value blocks = am_input_optional(b, "block_sequence_ids", 2);
    if (!blocks.id && o->both_ways)
        am_config_unsupported(o->config, "use_bidirectional_attention",
                              "attention in both directions is not supported");
    if (!blocks.id || am_dim(b, blocks, 1) == 1) return;
    am_block_mask_options options = {.mask = run->attention.mask, .cuts_blocks = o->window_cuts_blocks};
    run->block_mask = am_block_mask(b, blocks, &options);
    options.window = o->sliding_window;
    if (options.window) run->sliding_block_mask = am_block_mask(b, blocks, &options);
}

/* What the T tokens of a run see of S in the caches through a window that keeps what the first run read: BOOL [B, 1, T,
   S]. AM_NONE without caches: all was read in one run. Marks of the first run's tokens are kept beside the keys. */
static am_value prompt_mask(am_builder *b, const am_decoder_options *o, am_value x, am_value mask)
{
    int64_t B = am_dim(b, x, 0), T = am_dim(b, x, 1);
    if (!o->window_keeps_prompt || !am_has_cache(b) || am_builder_failed(b)) return AM_NONE;
    am_value offset = am_cache_offset(b), is_first = am_cast(b, am_binary_number(b, AM_EQUAL, offset, 0), AM_F32);
    am_value marks = am_cache_append(b, "prompt", am_broadcast(b, is_first, am_shape_of(B, T, 1)));
    int64_t S = am_dim(b, marks, 1);
    am_value place = am_add(b, am_iota(b, AM_I32, am_shape_of(T, 1), 0, 0, 1), offset),
             behind = am_sub(b, place, am_iota(b, AM_I32, am_shape_of(1, S), 1, 0, 1));
    am_value near = am_binary_number(b, AM_LESS, behind, (double)o->sliding_window),
             kept = am_binary_number(b, AM_NOT_EQUAL, am_reshape(b, marks, am_shape_of(B, 1, 1, S)), 0);
    am_value seen = am_binary(b, AM_LOGICAL_OR, kept, near);
    return mask.id ? am_binary(b, AM_LOGICAL_AND, seen, mask) : seen;
}

/* Whether positions are given for each of time, height and width: [3, B, T]. */
static bool has_places(am_builder *b, const am_decoder_options *o)
{
    am_value positions = o->mrope.count ? am_input_optional(b, "position_ids", -1) : AM_NONE;
    return positions.id && am_shape_of_value(b, positions).rank == 3;
}

static am_rope rope_tables(am_builder *b, const am_decoder_options *o, int64_t T)
{
    if (o->own_rope) return (am_rope){0};
    if (!has_places(b, o)) return am_rope_tables(b, &o->rope, T);
    am_value positions = am_input(b, "position_ids", 3);
    if (am_dim(b, positions, 0) != 3)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "position_ids has %lld kinds of places, expected 3",
                                    (long long)am_dim(b, positions, 0)));
    return am_mrope_tables(b, &o->rope, positions, &o->mrope);
}

am_value am_decoder_body(am_builder *b, const am_decoder_options *o, const char *prefix)
{
    am_value carried = AM_NONE;
    layers run = {.options = o, .attention = attention_of(b, o), .carried = &carried};
    read_blocks(b, o, &run);
    am_scope(b, "%s", prefix);
    bool in_blocks =
        am_has_weight(b, "blocks.0.input_layernorm.weight") || am_has_weight(b, "blocks.0.attn_norm.weight");
    run.list = in_blocks ? "blocks" : am_has_weight(b, OTHER_LAYERS) ? "encoder.layers" : "layers";
    am_value x = embed(b, o);
    run.rope = rope_tables(b, o, am_dim(b, x, 1));
    run.sliding_rope = o->has_sliding_rope ? am_rope_tables(b, &o->sliding_rope, am_dim(b, x, 1)) : run.rope;
    run.rope.interleaved = run.sliding_rope.interleaved = o->rotary_interleaved;
    run.prompt_mask = prompt_mask(b, o, x, run.attention.mask);
    x = norm(b, o->embedding_norm, x, o);
    if (o->enter) o->enter(b, x, o);
    am_value state = x; /* of a layer, before what comes between */
    int states = 0;
    for (int i = 0; i < o->num_hidden_layers && !am_builder_failed(b); i++) {
        am_own_layer own = o->own_layer ? o->own_layer(b, &x, o, i) : AM_OWN_LAYER_NONE;
        if (own == AM_OWN_LAYER_LEFT_OUT) continue;
        if (!o->hides_states) am_output_hidden_state(b, "hidden_states", states++, state);
        state = x = own == AM_OWN_LAYER_DONE ? x : decoder_layer(b, x, &run, i);
        if (o->after_layer) x = o->after_layer(b, x, i);
    }
    x = norm(b, o->final_norm ? o->final_norm : "norm", x, o);
    if (!o->hides_states) am_output_hidden_state(b, "hidden_states", states, x);
    am_end_scope(b);
    return x;
}

am_decoder_options am_decoder_options_read(const am_config *c, const am_decoder_family *family)
{
    am_decoder_options o = read_options(c, &family->defaults);
    o.config = c;
    if (family->adapt) family->adapt(c, &o);
    return o;
}

static am_decoder_options options_of(const am_builder *b)
{
    return am_decoder_options_read(am_model_config(b), am_model_family(b));
}

void am_decoder_model(am_builder *b)
{
    am_decoder_options o = options_of(b);
    am_output(b, "last_hidden_state", am_decoder_body(b, &o, ""));
}

void am_decoder_for_causal_lm(am_builder *b)
{
    am_decoder_options o = options_of(b);
    am_value x = am_decoder_body(b, &o, "model");
    am_value logits = am_lm_head(b, "lm_head", x, o.vocab_size, o.tie_word_embeddings, "model.embed_tokens.weight",
                                 o.head_bias ? AM_BIAS : AM_NO_BIAS);
    if (o.tie_word_embeddings)
        logits = clear_pads(b, logits, am_iota(b, AM_I32, am_shape_of(o.vocab_size), 0, 0, 1), &o);
    if (o.logits_multiplier != 0) logits = am_mul_number(b, logits, o.logits_multiplier);
    am_output(b, "logits", o.final_soft_cap != 0 ? am_soft_cap(b, logits, o.final_soft_cap) : logits);
}

void am_decoder_for_sequence_classification(am_builder *b)
{
    am_decoder_options o = options_of(b);
    am_value x = am_decoder_body(b, &o, "model");
    am_generic_sequence_classification(b, x, am_input(b, "input_ids", 2), o.labels, o.pad_token_id);
}

void am_decoder_for_token_classification(am_builder *b)
{
    am_decoder_options o = options_of(b);
    am_generic_token_classification(b, "score", am_decoder_body(b, &o, "model"), o.labels);
}

void am_decoder_for_question_answering(am_builder *b)
{
    am_decoder_options o = options_of(b);
    const char *prefix = ((const am_decoder_family *)am_model_family(b))->question_answering_prefix;
    am_output_span_logits(b, "qa_outputs", am_decoder_body(b, &o, prefix ? prefix : "model"));
}
