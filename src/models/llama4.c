/* LLaMA 4: layers that attend within chunks of the sequence, with rotated and then normed queries and keys, and layers
   without positions that attend to all, their queries scaled by how far they stand; each token's experts read it times
   its score, beside a shared expert. Images: a rotary ViT, whose patches are shuffled into fewer, wider ones and take
   the places of image tokens. transformers: models/llama4/modeling_llama4.py */
#include "models/blocks/decoder.h"
#include "models/blocks/experts.h"
#include "models/blocks/heads.h"
#include "models/blocks/pre_norm.h"
#include "models/blocks/vision.h"

#include <math.h>

/* Element i of a list of numbers. */
static int64_t list_int(const am_config *c, const char *key, int index, int64_t fallback)
{
    int at = 0;
    for (am_json_iterator i = am_json_iterate(am_json_get(c->object, key)); am_json_next(&i); at++)
        if (at == index) return am_json_int(i.value, fallback);
    return fallback;
}

static bool has_elements(const am_config *c, const char *key)
{
    return am_config_has(c, key) && am_json_count(am_json_get(c->object, key)) > 0;
}

/* --- attention --- */

/* no_rope_layers has a 1 where a layer rotates; without it each but the no_rope_layer_interval-th does. */
static bool has_rope(const am_config *c, int layer)
{
    int64_t interval = am_config_size(c, "no_rope_layer_interval", 4);
    if (has_elements(c, "no_rope_layers")) return list_int(c, "no_rope_layers", layer, 0) != 0;
    return (layer + 1) % interval != 0;
}

/* layer_types, or chunked where a layer rotates. */
static bool is_chunked(const am_config *c, int layer)
{
    if (!am_config_has(c, "layer_types")) return has_rope(c, layer);
    return am_config_layer_is(c, "layer_types", layer, "chunked_attention", "full_attention");
}

/* Zeros before the first one in each row of attention_mask: I32 [B, 1], or one zero where it is not given. */
static am_value left_padding(am_builder *b)
{
    am_value mask = am_input_optional(b, "attention_mask", 2);
    if (!mask.id) return am_broadcast(b, am_scalar(b, AM_I32, 0), am_shape_of(1, 1));
    am_value attended = am_cast(b, am_binary_number(b, AM_NOT_EQUAL, mask, 0), AM_I32);
    am_value seen = am_scan(b, AM_REDUCE_SUM, attended, -1, false, false);
    return am_reduce_last(b, AM_REDUCE_SUM, am_cast(b, am_binary_number(b, AM_EQUAL, seen, 0), AM_I32));
}

/* Whether position_ids may tell of several texts in a row, as am_packed_mask reads them. */
static bool may_be_packed(am_builder *b, int64_t T)
{
    return !am_has_cache(b) && T > 1 && am_has_input(b, "position_ids") && !am_has_input(b, "attention_mask");
}

/* Places of T queries: I32 [B or 1, T]; the given positions where those are of several texts. */
static am_value query_places(am_builder *b, int64_t T)
{
    am_value places = am_iota(b, AM_I32, am_shape_of(1, T), 1, 0, 1);
    if (am_has_cache(b)) return am_add(b, places, am_cache_offset(b));
    if (!may_be_packed(b, T)) return places;
    am_value given = am_input(b, "position_ids", 2);
    am_value steps = am_sub(b, am_slice(b, given, 1, 1, AM_SLICE_END), am_slice(b, given, 1, 0, -1));
    am_value several =
        am_reduce(b, AM_REDUCE_ANY, am_binary_number(b, AM_NOT_EQUAL, steps, 1), am_shape_of(0, 1), false);
    return am_select(b, several, given, places);
}

/* `mask` and only keys of the query's own chunk, chunks counted from the first token that is not padding: BOOL
   [B or 1, 1, T, S]. */
static am_value chunk_mask(am_builder *b, am_value mask, int64_t T, int64_t size)
{
    int64_t S = am_has_cache(b) ? am_cache_capacity(b) : T;
    if (S <= size && !may_be_packed(b, T)) return mask;
    am_value first = left_padding(b), queries = query_places(b, T);
    am_value keys = am_has_cache(b) ? am_iota(b, AM_I32, am_shape_of(1, S), 1, 0, 1) : queries;
    keys = am_binary_number(b, AM_DIV, am_sub(b, keys, first), (double)size); /* whole numbers */
    queries = am_binary_number(b, AM_DIV, am_sub(b, queries, first), (double)size);
    am_value same = am_binary(b, AM_EQUAL, am_unsqueeze(b, queries, -1), am_unsqueeze(b, keys, 1)); /* [B, T, S] */
    same = am_unsqueeze(b, same, 1);
    return mask.id ? am_binary(b, AM_LOGICAL_AND, same, mask) : same;
}

static int64_t chunk_size(const am_config *c)
{
    if (am_config_is_null(c, "attention_chunk_size"))
        am_config_fail(c, "attention_chunk_size", "chunked layers need a size, found null");
    return am_config_size(c, "attention_chunk_size", 8192);
}

/* q: [B, T, H, D] times 1 + attn_scale log(1 + floor((position + 1) / floor_scale)). */
static am_value tune_temperature(am_builder *b, am_value q, const am_config *c)
{
    am_value place = am_iota(b, AM_I32, am_shape_of(1, am_dim(b, q, 1), 1, 1), 1, 1, 1);
    if (am_has_cache(b)) place = am_add(b, place, am_cache_offset(b));
    place = am_binary_number(b, AM_DIV, place, (double)am_config_size(c, "floor_scale", 8192)); /* whole numbers */
    am_value grown = am_unary(b, AM_LOG1P, am_cast(b, place, AM_F32));
    return am_mul(b, q, am_add_number(b, am_mul_number(b, grown, am_config_real(c, "attn_scale", 0.1)), 1));
}

static am_value attention(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    const am_decoder_options *o = layer->options;
    const am_config *c = o->config;
    am_value qkv[3];
    am_attention_options options = *layer->attention;
    bool rotates = has_rope(c, layer->index);
    am_norm_attributes norm = {.kind = AM_NORM_RMS, .eps = o->rms_norm_eps};
    if (!rotates) options.rope = NULL;
    am_attention_heads(b, x, &options, qkv);
    for (int i = 0; i < 2 && rotates && am_config_flag(c, "use_qk_norm", true); i++)
        qkv[i] = am_norm_op(b, qkv[i], AM_NONE, AM_NONE, AM_NONE, AM_NONE, &norm);
    if (!rotates && am_config_flag(c, "attn_temperature_tuning", true)) qkv[0] = tune_temperature(b, qkv[0], c);
    if (is_chunked(c, layer->index)) options.mask = chunk_mask(b, options.mask, am_dim(b, x, 1), chunk_size(c));
    x = am_attend(b, qkv[0], qkv[1], qkv[2], &options);
    return am_linear(b, "o_proj", x, o->hidden_size, o->out_bias ? AM_BIAS : AM_NO_BIAS);
}

/* --- experts --- */

/* moe_layers, or where it is absent each interleave_moe_layer_step-th. */
static bool is_sparse(const am_config *c, int layer)
{
    int64_t step = am_config_size(c, "interleave_moe_layer_step", 1);
    if (!am_config_has(c, "moe_layers")) return (layer + 1) % step == 0;
    for (am_json_iterator i = am_json_iterate(am_json_get(c->object, "moe_layers")); am_json_next(&i);)
        if (am_json_int(i.value, -1) == layer) return true;
    return false;
}

/* The stacked weights NAME: [E, in, out] applied to what each expert reads. */
static am_value expert_linear(am_builder *b, const char *name, am_value x, am_value experts, am_shape shape)
{
    am_value weight = am_permute(b, am_weight(b, name, shape), am_shape_of(0, 2, 1));
    return am_grouped_matmul(b, x, experts, weight, AM_NONE);
}

/* Experts of x: [N, C], which read it times their scores -> [N, C]. */
static am_value routed(am_builder *b, am_value x, const am_decoder_options *o)
{
    int64_t C = o->hidden_size, I = o->intermediate_size, E = am_config_size(o->config, "num_local_experts", 16);
    am_expert_routing_attributes routing = {.top_k = am_config_size(o->config, "num_experts_per_tok", 1),
                                            .sigmoid = true};
    am_value experts, logits = am_linear(b, "router", x, E, AM_NO_BIAS);
    am_value scores = am_expert_routing(b, logits, AM_NONE, &routing, &experts);
    x = am_mul(b, am_unsqueeze(b, x, 1), am_unsqueeze(b, scores, -1)); /* [N, S, C] */
    am_scope(b, "experts");
    x = am_gated_activation(b, o->hidden_act, expert_linear(b, "gate_up_proj", x, experts, am_shape_of(E, C, 2 * I)),
                            AM_NONE);
    x = expert_linear(b, "down_proj", x, experts, am_shape_of(E, I, C));
    am_end_scope(b);
    return am_reduce(b, AM_REDUCE_SUM, x, am_shape_of(1), false);
}

static am_value feed_forward(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    const am_decoder_options *o = layer->options;
    if (!is_sparse(o->config, layer->index))
        return am_gated_mlp(b, x, am_config_size(o->config, "intermediate_size_mlp", 16384), o->hidden_act, AM_NO_BIAS);
    am_value answers = am_reshape(b, routed(b, am_flatten(b, x, 0, 1), o), am_shape_of_value(b, x));
    am_scope(b, "shared_expert");
    am_value shared = am_gated_mlp(b, x, o->intermediate_size, o->hidden_act, AM_NO_BIAS);
    am_end_scope(b);
    return am_add(b, shared, answers);
}

/* --- vision tower --- */

/* Angles of the patches' columns, then rows, both from 1; none of the class token, which stands last: cos or sin:
   [1, side * side + 1, pairs]. */
static am_value vision_table(am_builder *b, int64_t side, int64_t pairs, double theta, double (*fn)(double))
{
    am_shape shape = am_shape_of(1, side * side + 1, pairs);
    if (side < 1) am_config_fail(am_model_config(b), "image_size", "leaves no patches");
    if (am_builder_failed(b)) return AM_NONE;
    float *data = am_shape_check(&shape)
                      ? am_arena_array(am_builder_arena(b), (size_t)am_shape_count(&shape), sizeof *data)
                      : NULL;
    if (!data) {
        am_builder_fail(b, am_out_of_memory());
        return AM_NONE;
    }
    for (int64_t p = 0; p <= side * side; p++)
        for (int64_t i = 0; i < pairs; i++) {
            int64_t half = pairs / 2, place = i < half ? p % side + 1 : p / side + 1;
            double frequency = pow(theta, -2.0 * (double)(i % half) / (double)pairs);
            data[p * pairs + i] = (float)fn(p < side * side ? (double)place * frequency : 0);
        }
    return am_constant_copy(b, AM_F32, shape, data);
}

static am_rope vision_rope(am_builder *b, const am_config *c, int64_t side, int64_t head_dim)
{
    am_config p = am_config_child(c, "rope_parameters");
    double theta = am_config_real(&p, "rope_theta", am_config_real(c, "rope_theta", 10000));
    if (head_dim % 4 != 0 || !(theta > 0)) {
        am_config_fail(c, "hidden_size", "heads of %lld rotated by theta %g", (long long)head_dim, theta);
        return (am_rope){0};
    }
    return (am_rope){.cos = vision_table(b, side, head_dim / 2, theta, cos),
                     .sin = vision_table(b, side, head_dim / 2, theta, sin),
                     .interleaved = true};
}

/* Patches of pixel_values as tokens, the class token behind them, positions: [B, P + 1, C]. */
static am_value embed_image(am_builder *b, const am_image_options *image, int64_t C)
{
    am_value x = am_pixel_values_sized(b, image);
    am_shape patch = am_shape_of(image->patch_size[0], image->patch_size[1]);
    x = am_unfold(b, x, &(am_unfold_attributes){.kernel = patch, .stride = patch});
    x = am_linear(b, "patch_embedding.linear", am_permute(b, x, am_shape_of(0, 2, 1)), C, AM_NO_BIAS);
    am_value token =
        am_broadcast(b, am_parameter(b, "class_embedding", am_shape_of(C), x), am_shape_of(am_dim(b, x, 0), 1, C));
    x = am_concat2(b, x, token, 1);
    return am_add(b, x, am_parameter(b, "positional_embedding_vlm", am_shape_of(am_dim(b, x, 1), C), x));
}

/* x: [B, side * side, C] -> [B, side * side * ratio^2, C / ratio^2]: neighbours side by side. */
static am_value shuffle_patches(am_builder *b, am_value x, int64_t side, double ratio)
{
    int64_t B = am_dim(b, x, 0), C = am_dim(b, x, -1), less = (int64_t)((double)side * ratio);
    x = am_reshape(b, x, am_shape_of(B, side, less, (int64_t)((double)C / ratio)));
    x = am_permute(b, x, am_shape_of(0, 2, 1, 3));
    x = am_reshape(b, x, am_shape_of(B, less, less, (int64_t)((double)C / (ratio * ratio))));
    return am_flatten(b, am_permute(b, x, am_shape_of(0, 2, 1, 3)), 1, 2);
}

static am_value adapt_patches(am_builder *b, am_value x, const am_config *c, int64_t side)
{
    double ratio = am_config_real(c, "pixel_shuffle_ratio", 0.5);
    if (!(ratio > 0 && ratio <= 1)) {
        am_config_fail(c, "pixel_shuffle_ratio", "expected a number above 0, at most 1, found %g", ratio);
        return AM_NONE;
    }
    am_scope(b, "vision_adapter.mlp");
    x = shuffle_patches(b, x, side, ratio);
    x = am_linear_activation(b, "fc1", x, am_config_size(c, "projector_input_dim", 4096), AM_NO_BIAS, AM_GELU);
    x = am_linear_activation(b, "fc2", x, am_config_size(c, "projector_output_dim", 4096), AM_NO_BIAS, AM_GELU);
    am_end_scope(b);
    return x;
}

/* The vision tower of configuration c on pixel_values -> [B, patches, projector_output_dim]. */
static am_value vision_tower(am_builder *b, const am_config *c, const char *hidden_states)
{
    static const am_pre_norm_names names = {.layers = "model.layers",
                                            .attention = "self_attn",
                                            .norm_before = "input_layernorm",
                                            .norm_after = "post_attention_layernorm",
                                            .up = "mlp.fc1",
                                            .down = "mlp.fc2"};
    am_image_options image = am_image_options_read(c, 448, 14);
    int64_t C = am_config_size(c, "hidden_size", 768), heads = am_config_size(c, "num_attention_heads", 16);
    int64_t side = image.image_size[0] / image.patch_size[0];
    am_config_check_divides(c, "num_attention_heads", heads, "hidden_size", C);
    if (image.image_size[1] / image.patch_size[1] != side)
        am_config_fail(c, "image_size", "only square images are supported");
    am_rope rope = vision_rope(b, c, side, C / heads);
    am_pre_norm_options encoder = {
        .num_hidden_layers = am_config_count(c, "num_hidden_layers", 34),
        .intermediate_size = am_config_size(c, "intermediate_size", 5632),
        .hidden_act = AM_GELU,
        .layer_norm_eps = 1e-5,
        .attention = {.heads = heads, .out = "o_proj", .rope = &rope},
        .names = &names,
        .hidden_states = hidden_states,
    };
    am_value x = am_layer_norm(b, "layernorm_pre", embed_image(b, &image, C), encoder.layer_norm_eps);
    x = am_layer_norm(b, "layernorm_post", am_pre_norm_layers(b, x, &encoder), encoder.layer_norm_eps);
    return adapt_patches(b, am_slice(b, x, 1, 0, -1), c, side);
}

/* --- classes --- */

static void adapt(const am_config *c, am_decoder_options *o)
{
    o->qkv_bias = o->out_bias = am_config_flag(c, "attention_bias", false);
    o->rotary_interleaved = true;
    o->attention = attention;
    o->mlp = feed_forward;
    o->mlp_scope = "feed_forward";
}

static const am_decoder_family family = {
    .defaults = {.vocab_size = 202048,
                 .hidden_size = 5120,
                 .intermediate_size = 8192,
                 .num_hidden_layers = 48,
                 .num_attention_heads = 40,
                 .num_key_value_heads = 8,
                 .head_dim = 128,
                 .max_position_embeddings = 131072,
                 .rms_norm_eps = 1e-5,
                 .rope_theta = 500000},
    .adapt = adapt,
};

static void vision_model(am_builder *b)
{
    am_output(b, "last_hidden_state", vision_tower(b, am_model_config(b), NULL));
}

static void for_conditional_generation(am_builder *b)
{
    const am_config *c = am_model_config(b);
    am_config text = am_config_child(c, "text_config"), vision = am_config_child(c, "vision_config");
    am_decoder_options o = am_decoder_options_read(&text, &family);
    am_value image = AM_NONE;
    am_feature_rows features = {0};
    if (am_has_input(b, "pixel_values")) {
        am_scope(b, "vision_model");
        am_pause_cache(b);
        image = vision_tower(b, &vision, "");
        am_resume_cache(b);
        am_end_scope(b);
        features.rows =
            am_linear(b, "multi_modal_projector.linear_1", am_flatten(b, image, 0, 1), o.hidden_size, AM_NO_BIAS);
        features.ids = am_input(b, "input_ids", 2);
        features.token = am_config_int(c, am_config_either(c, "image_token_index", "image_token_id"), 200092);
        o.features = &features;
    }
    am_scope(b, "language_model");
    am_value x = am_decoder_body(b, &o, "model");
    am_output(b, "logits",
              am_lm_head(b, "lm_head", x, o.vocab_size, o.tie_word_embeddings,
                         "language_model.model.embed_tokens.weight", AM_NO_BIAS));
    am_end_scope(b);
    if (image.id) am_output(b, "image_hidden_states", image);
}

static const am_architecture architectures[] = {
    {"Llama4TextModel", am_decoder_model, "feature-extraction", 0},
    {"Llama4ForCausalLM", am_decoder_for_causal_lm, "text-generation", AM_GENERATES},
    {"Llama4VisionModel", vision_model, "image-feature-extraction", 0},
    {"Llama4ForConditionalGeneration", for_conditional_generation, "image-text-to-text", AM_GENERATES},
    {0},
};

const am_model_type am_model_llama4 = {.name = "llama4 llama4_text llama4_vision_model",
                                       .base_prefix = "model",
                                       .architectures = architectures,
                                       .family = &family};
