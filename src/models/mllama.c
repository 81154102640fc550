/* Llama 3.2 Vision: LLaMA some of whose layers attend to images instead of the text; a ViT over tiles, whose states of
   several layers stand beside those of a second, gated one. transformers: models/mllama/modeling_mllama.py */
#include "models/blocks/decoder.h"
#include "models/blocks/heads.h"
#include "models/blocks/vision.h"

#include <inttypes.h>

enum { LAYERS_LIMIT = 512, SPECIAL_ROWS = 8, PATCH_MULTIPLE = 8, DEFAULT_RATIOS = 8 };

static const double TOWER_NORM_EPS = 1e-5; /* not configurable */

/* --- image tower --- */

typedef struct tower {
    const am_config *c;
    am_image_options image;
    int64_t hidden_size, intermediate_size, heads, layers, global_layers, tiles, ratios, patches;
    int64_t kept[LAYERS_LIMIT];
    int kept_count; /* layers whose states are given, too */
    am_unary_fn hidden_act;
    double eps;
} tower;

static tower read_tower(const am_config *c)
{
    static const int64_t kept[] = {3, 7, 15, 23, 30};
    am_json ratios = am_json_get(c->object, "supported_aspect_ratios");
    tower t = {.c = c,
               .image = am_image_options_read(c, 448, 14),
               .hidden_size = am_config_size(c, "hidden_size", 1280),
               .intermediate_size = am_config_size(c, "intermediate_size", 5120),
               .heads = am_config_size(c, am_config_either(c, "attention_heads", "num_attention_heads"), 16),
               .layers = am_config_count(c, "num_hidden_layers", 32),
               .global_layers = am_config_count(c, "num_global_layers", 8),
               .tiles = am_config_size(c, "max_num_tiles", 4),
               .ratios = am_config_has(c, "supported_aspect_ratios") ? (int64_t)am_json_count(ratios) : DEFAULT_RATIOS,
               .hidden_act = am_config_activation(c, "hidden_act", AM_GELU),
               .eps = am_config_real(c, "norm_eps", 1e-5)};
    t.patches = am_image_patches(&t.image) + 1;
    t.kept_count = am_config_sizes(c, "intermediate_layers_indices", t.kept, LAYERS_LIMIT, kept, 5);
    for (int i = 0; i < t.kept_count; i++)
        if (t.kept[i] >= t.layers) {
            am_config_fail(c, "intermediate_layers_indices", "%" PRId64 " is none of %" PRId64 " layers", t.kept[i],
                           t.layers);
            t.kept_count = 0;
        }
    am_config_check_divides(c, "attention_heads", t.heads, "hidden_size", t.hidden_size);
    return t;
}

/* tanh of the weight NAME: [1]. */
static am_value gate(am_builder *b, const char *name, am_value x)
{
    return am_unary(b, AM_TANH, am_parameter(b, name, am_shape_of(1), x));
}

/* x: [N, tiles, P, C] with the gated rows of the table at ids: [N, 1], one of each tile. */
static am_value add_tile_positions(am_builder *b, const char *name, am_value x, am_value ids, const tower *t)
{
    am_shape tiles = {.rank = 4, .dims = {-1, t->tiles, 1, t->hidden_size}};
    am_scope(b, "%s", name);
    am_value rows = am_embedding(b, "embedding", ids, t->ratios + 1, t->tiles * t->hidden_size);
    x = am_add(b, x, am_mul(b, am_reshape(b, rows, tiles), gate(b, "gate", x)));
    am_end_scope(b);
    return x;
}

/* The same with a place of every patch, and of those of one tile. */
static am_value add_positions(am_builder *b, am_value x, am_value ids, const tower *t)
{
    am_shape all = {.rank = 4, .dims = {-1, t->tiles, t->patches, t->hidden_size}};
    am_scope(b, "gated_positional_embedding");
    am_value open = gate(b, "gate", x);
    am_value own = am_parameter(b, "embedding", am_shape_of(t->patches, t->hidden_size), x);
    x = am_add(b, x, am_mul(b, own, am_add_number(b, am_unary(b, AM_NEG, open), 1)));
    am_value rows = am_embedding(b, "tile_embedding", ids, t->ratios + 1, t->tiles * t->patches * t->hidden_size);
    x = am_add(b, x, am_mul(b, am_reshape(b, rows, all), open));
    am_end_scope(b);
    return x;
}

/* x: [N, T, C] below the layer's scope. */
static am_value tower_layer(am_builder *b, am_value x, am_value mask, const tower *t, bool gated)
{
    am_attention_options options = {.heads = t->heads,
                                    .out = "o_proj",
                                    .no_q_bias = true,
                                    .no_k_bias = true,
                                    .no_v_bias = true,
                                    .no_out_bias = true,
                                    .mask = mask};
    am_value h = am_layer_norm(b, "input_layernorm", x, t->eps);
    am_scope(b, "self_attn");
    h = am_self_attention(b, h, &options);
    am_end_scope(b);
    x = am_add(b, x, gated ? am_mul(b, h, gate(b, "gate_attn", x)) : h);
    h = am_layer_norm(b, "post_attention_layernorm", x, t->eps);
    h = am_linear_activation(b, "mlp.fc1", h, t->intermediate_size, AM_BIAS, t->hidden_act);
    h = am_linear(b, "mlp.fc2", h, t->hidden_size, AM_BIAS);
    return am_add(b, x, gated ? am_mul(b, h, gate(b, "gate_ffn", x)) : h);
}

/* Layers NAME.layers.N over x: [N, T, C]; states receives what each gives, where it is not null. */
static am_value tower_layers(am_builder *b, const char *name, int64_t count, am_value x, am_value mask, const tower *t,
                             am_value *states)
{
    for (int i = 0; i < count && !am_builder_failed(b); i++) {
        am_scope(b, "%s.layers.%d", name, i);
        x = tower_layer(b, x, mask, t, !states);
        am_end_scope(b);
        if (states) states[i] = x;
    }
    return x;
}

/* Which patches see which, BOOL [N, 1, S, S] of tiles: [N, tiles] that belong to the picture: what is none of it sees
   only what is. Of each tile's patches the first `own` are no padding; without padding none count as own, a mistake
   that weights were trained with. */
static am_value tower_mask(am_builder *b, am_value tiles, int64_t own, int64_t padded)
{
    int64_t N = am_dim(b, tiles, 0), count = am_dim(b, tiles, 1);
    am_value is = am_unsqueeze(b, am_binary_number(b, AM_NOT_EQUAL, tiles, 0), 2);
    am_value place = am_iota(b, AM_I32, am_shape_of(1, 1, padded), 2, 0, 1);
    is = am_binary(b, AM_LOGICAL_AND, is, am_binary_number(b, AM_LESS, place, padded > own ? (double)own : 0));
    is = am_reshape(b, am_broadcast(b, is, am_shape_of(N, count, padded)), am_shape_of(N, count * padded));
    am_value rows = am_unsqueeze(b, am_unsqueeze(b, is, 1), 3), columns = am_unsqueeze(b, am_unsqueeze(b, is, 1), 2);
    return am_binary(b, AM_LOGICAL_OR, rows, columns);
}

/* Tiles' patches behind a class token each, with their places: [N, tiles, P, C]. */
static am_value embed(am_builder *b, am_value pixels, am_value ids, const tower *t)
{
    int64_t C = t->hidden_size, P = t->patches;
    am_value x = am_flatten(b, am_flatten(b, pixels, 0, 1), 0, 1);
    x = am_image_tokens(b, am_patch_convolution(b, "patch_embedding", x, C, t->image.patch_size, AM_NO_BIAS));
    if (am_builder_failed(b)) return AM_NONE;
    x = am_reshape(b, x, (am_shape){.rank = 4, .dims = {-1, t->tiles, P - 1, C}});
    x = am_flatten(b, add_tile_positions(b, "pre_tile_positional_embedding", x, ids, t), 0, 1);
    x = am_prepend_token(b, "class_embedding", am_shape_of(C), x);
    x = am_reshape(b, x, (am_shape){.rank = 4, .dims = {-1, t->tiles, P, C}});
    return am_layer_norm(b, "layernorm_pre", add_positions(b, x, ids, t), TOWER_NORM_EPS);
}

static void check_pixels(am_builder *b, am_value pixels, const tower *t)
{
    if (!am_builder_failed(b) &&
        (am_dim(b, pixels, 2) != t->tiles || am_dim(b, pixels, 3) != t->image.num_channels ||
         am_dim(b, pixels, 4) != t->image.image_size[0] || am_dim(b, pixels, 5) != t->image.image_size[1]))
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT,
                                    "pixel_values: expected %" PRId64 " tiles of %" PRId64 " channels of %" PRId64
                                    " x %" PRId64,
                                    t->tiles, t->image.num_channels, t->image.image_size[0], t->image.image_size[1]));
}

/* Inputs pixel_values: [B, images, tiles, channels, height, width], aspect_ratio_ids: [B, images] and
   aspect_ratio_mask: [B, images, tiles] -> [B, images, tiles, P, C * (1 + kept layers)]. */
static am_value see(am_builder *b, const am_config *c)
{
    tower t = read_tower(c);
    am_value pixels = am_input(b, "pixel_values", 6), tiles = am_flatten(b, am_input(b, "aspect_ratio_mask", 3), 0, 1),
             ids = am_reshape(b, am_input(b, "aspect_ratio_ids", 2), am_shape_of(-1, 1)), states[LAYERS_LIMIT],
             parts[LAYERS_LIMIT + 1];
    int64_t C = t.hidden_size, P = t.patches, padding = (PATCH_MULTIPLE - P % PATCH_MULTIPLE) % PATCH_MULTIPLE;
    if (t.layers > LAYERS_LIMIT) am_config_fail(c, "num_hidden_layers", "more than %d layers", LAYERS_LIMIT);
    check_pixels(b, pixels, &t);
    am_value x = embed(b, pixels, ids, &t), mask = tower_mask(b, tiles, P, P + padding);
    if (am_builder_failed(b) || t.layers > LAYERS_LIMIT) return AM_NONE;
    am_shape apart = {.rank = 4, .dims = {am_dim(b, x, 0), t.tiles, P + padding, C}};
    x = am_flatten(b, am_pad_zero(b, x, 2, 0, padding), 1, 2);
    x = am_layer_norm(b, "layernorm_post", tower_layers(b, "transformer", t.layers, x, mask, &t, states),
                      TOWER_NORM_EPS);
    x = add_tile_positions(b, "post_tile_positional_embedding", am_reshape(b, x, apart), ids, &t);
    x = tower_layers(b, "global_transformer", t.global_layers, am_flatten(b, x, 1, 2), mask, &t, NULL);
    for (int i = 0; i < t.kept_count && !am_builder_failed(b); i++) parts[i] = am_unsqueeze(b, states[t.kept[i]], 3);
    if (t.kept_count && !am_builder_failed(b)) /* the kept layers' numbers of each channel stand together */
        x = am_concat2(b, x, am_flatten(b, am_concat(b, parts, t.kept_count, 3), 2, 3), 2);
    apart.dims[3] = am_dim(b, x, 2);
    x = am_slice(b, am_reshape(b, x, apart), 2, 0, P);
    am_shape out = {.rank = 5, .dims = {am_dim(b, pixels, 0), am_dim(b, pixels, 1), t.tiles, P, am_dim(b, x, 3)}};
    return am_builder_failed(b) ? AM_NONE : am_reshape(b, x, out);
}

static void vision_model(am_builder *b)
{
    am_output(b, "last_hidden_state", see(b, am_model_config(b)));
}

/* --- text --- */

/* What the layers that look at images see. */
typedef struct images {
    bool given;
    am_value states; /* [B, S, C]; AM_NONE where their keys and values are cached */
    am_value mask;   /* BOOL [B, 1, T, S] or AM_NONE */
    am_value bias;   /* F32 [B, 1, T, S], added to scores, or AM_NONE */
    am_value shown;  /* F32 [B, T, 1]: 0 where a token is shown none; or AM_NONE */
} images;

static bool looks_at_images(const am_config *c, int layer)
{
    static const int64_t fallback[] = {3, 8, 13, 18, 23, 28, 33, 38};
    int64_t all[LAYERS_LIMIT];
    int count = am_config_sizes(c, "cross_attention_layers", all, LAYERS_LIMIT, fallback, 8);
    for (int i = 0; i < count; i++)
        if (all[i] == layer) return true;
    return false;
}

/* Heads of x by NAME_proj, normed by `norm` where that is not null. */
static am_value heads(am_builder *b, const char *name, const char *norm, am_value x, int64_t count, double eps,
                      int64_t head_dim)
{
    x = am_split_heads(b, am_linear(b, name, x, count * head_dim, AM_NO_BIAS), count);
    return norm ? am_rms_norm(b, norm, x, eps, 0) : x;
}

static am_value cross_attention(am_builder *b, am_value x, const am_decoder_options *o, const images *seen)
{
    am_value k = AM_NONE, v = AM_NONE;
    int64_t D = o->head_dim, G = o->num_key_value_heads;
    am_attention_options options = {
        .heads = o->num_attention_heads, .kv_heads = G, .mask = seen->mask, .bias = seen->bias};
    am_scope(b, "cross_attn");
    am_value q = heads(b, "q_proj", "q_norm", x, o->num_attention_heads, o->rms_norm_eps, D);
    if (seen->states.id) {
        k = heads(b, "k_proj", "k_norm", seen->states, G, o->rms_norm_eps, D);
        v = heads(b, "v_proj", NULL, seen->states, G, o->rms_norm_eps, D);
    }
    x = am_linear(b, "o_proj", am_attend_encoder(b, q, k, v, &options), o->hidden_size, AM_NO_BIAS);
    am_end_scope(b);
    return x;
}

static am_own_layer image_layer(am_builder *b, am_value *x, const am_decoder_options *o, int index)
{
    const images *seen = o->context;
    if (!looks_at_images(o->config, index)) return AM_OWN_LAYER_NONE;
    if (!seen->given) return AM_OWN_LAYER_LEFT_OUT;
    am_scope(b, "layers.%d", index);
    am_value h = cross_attention(b, am_rms_norm(b, "input_layernorm", *x, o->rms_norm_eps, 0), o, seen);
    *x = am_add(b, *x, am_mul(b, h, gate(b, "cross_attn_attn_gate", *x)));
    h = am_rms_norm(b, "post_attention_layernorm", *x, o->rms_norm_eps, 0);
    am_scope(b, "mlp");
    h = am_gated_mlp(b, h, o->intermediate_size, o->hidden_act, AM_NO_BIAS);
    am_end_scope(b);
    if (seen->shown.id) h = am_mul(b, h, seen->shown);
    *x = am_add(b, *x, am_mul(b, h, gate(b, "cross_attn_mlp_gate", *x)));
    am_end_scope(b);
    return AM_OWN_LAYER_DONE;
}

static void adapt(const am_config *c, am_decoder_options *o)
{
    (void)c;
    o->own_layer = image_layer;
    o->head_dim = o->hidden_size / o->num_attention_heads;
}

static const am_decoder_family family = {
    .defaults = {.vocab_size = 128256,
                 .hidden_size = 4096,
                 .intermediate_size = 14336,
                 .num_hidden_layers = 40,
                 .num_attention_heads = 32,
                 .num_key_value_heads = 8,
                 .max_position_embeddings = 131072,
                 .rms_norm_eps = 1e-5,
                 .rope_theta = 500000,
                 .whole_heads = true,
                 .has_pad_token = true,
                 .pad_token_id = 128004},
    .adapt = adapt,
};

/* Final hidden states of the text model of configuration c below `prefix`: [B, T, C]. The table has rows beyond the
   vocabulary for tokens that are never written. */
static am_value text_body(am_builder *b, const am_config *c, const images *seen, const char *prefix)
{
    am_decoder_options o = am_decoder_options_read(c, &family);
    o.vocab_size += SPECIAL_ROWS;
    o.context = seen;
    am_config_check_divides(c, "num_attention_heads", o.num_attention_heads, "hidden_size", o.hidden_size);
    return am_decoder_body(b, &o, prefix);
}

/* Those of the inputs that the text model has by itself. */
static images given_images(am_builder *b)
{
    bool cached = am_cross_cached(b) && am_encoder_length(b) > 0;
    images seen = {.states = am_input_optional(b, "cross_attention_states", 3),
                   .bias = am_input_optional(b, "cross_attention_mask", 4)};
    am_value shown = am_input_optional(b, "full_text_row_masked_out_mask", 4);
    if (shown.id) seen.shown = am_index(b, shown, 1, 0);
    seen.given = seen.states.id || cached;
    if (am_has_cache(b) && seen.states.id) am_output(b, "cross_attention_states", seen.states);
    return seen;
}

static void text_model(am_builder *b)
{
    images seen = given_images(b);
    am_output(b, "last_hidden_state", text_body(b, am_model_config(b), &seen, ""));
}

static void output_logits(am_builder *b, const am_config *text, am_value x, const char *head, const char *table)
{
    int64_t vocab_size = am_config_size(text, "vocab_size", 128256);
    bool tied = am_config_flag(text, "tie_word_embeddings", false);
    am_output(b, "logits", am_lm_head(b, head, x, vocab_size, tied, table, AM_NO_BIAS));
}

static void for_causal_lm(am_builder *b)
{
    images seen = given_images(b);
    am_value x = text_body(b, am_model_config(b), &seen, "model");
    output_logits(b, am_model_config(b), x, "lm_head", "model.embed_tokens.weight");
}

/* --- both --- */

/* tiles: BOOL [B, T, N] that each token sees, P patches each. A token that sees none attends to all, but its MLP gives
   nothing. */
static void mask_tiles(am_builder *b, am_value tiles, int64_t P, images *seen)
{
    int64_t B = am_dim(b, tiles, 0), T = am_dim(b, tiles, 1), N = am_dim(b, tiles, 2);
    am_value any = am_reduce(b, AM_REDUCE_ANY, tiles, am_shape_of(2), true);
    am_value all = am_binary(b, AM_LOGICAL_OR, tiles, am_unary(b, AM_LOGICAL_NOT, any));
    am_shape patches = {.rank = 5, .dims = {B, 1, T, N, P}};
    if (am_builder_failed(b)) return;
    all = am_broadcast(b, am_unsqueeze(b, am_unsqueeze(b, all, 1), 4), patches);
    seen->mask = am_flatten(b, all, 3, 4);
    seen->shown = am_cast(b, any, AM_F32);
}

/* What is written behind a prompt sees the tiles that its last token saw: they are kept with the caches. */
static am_value tiles_seen(am_builder *b, int64_t B, int64_t N)
{
    am_value given = am_input_optional(b, "cross_attention_mask", 4);
    if (!am_cross_cached(b)) {
        am_value tiles = given.id ? am_flatten(b, am_binary_number(b, AM_EQUAL, given, 1), 2, 3) : AM_NONE;
        am_value last =
            given.id ? am_index(b, tiles, 1, -1) : am_broadcast(b, am_scalar(b, AM_BOOL, 1), am_shape_of(B, N));
        am_cache_store(b, "cross_tiles", am_cast(b, last, AM_F32));
        return tiles;
    }
    am_value last = am_cache_load(b, "cross_tiles", am_shape_of(B, N));
    return am_unsqueeze(b, am_binary_number(b, AM_NOT_EQUAL, last, 0), 1);
}

static am_value states_of(am_builder *b, const am_config *c, const am_config *text)
{
    int64_t C = am_config_size(text, "hidden_size", 4096);
    if (am_has_input(b, "cross_attention_states")) return am_input(b, "cross_attention_states", 3);
    if (!am_has_input(b, "pixel_values")) return AM_NONE;
    am_config vision = am_config_child(c, "vision_config");
    am_scope(b, "vision_model");
    am_pause_cache(b);
    am_value x = see(b, &vision);
    am_resume_cache(b);
    am_end_scope(b);
    x = am_linear(b, "multi_modal_projector", am_flatten(b, x, 1, 2), C, AM_BIAS); /* [B, N, P, C] */
    return am_flatten(b, x, 1, 2);
}

static am_value body(am_builder *b)
{
    const am_config *c = am_model_config(b);
    am_config text = am_config_child(c, "text_config"), vision = am_config_child(c, "vision_config");
    bool cached = am_cross_cached(b) && am_encoder_length(b) > 0;
    int64_t P = read_tower(&vision).patches;
    images seen = {.states = states_of(b, c, &text)};
    seen.given = seen.states.id || cached;
    int64_t B =
        am_dim(b, am_has_input(b, "inputs_embeds") ? am_input(b, "inputs_embeds", 3) : am_input(b, "input_ids", 2), 0);
    int64_t S = seen.states.id ? am_dim(b, seen.states, 1) : am_encoder_length(b);
    if (seen.given && !am_builder_failed(b)) {
        am_value tiles = tiles_seen(b, B, S / P);
        if (tiles.id) mask_tiles(b, tiles, P, &seen);
        if (am_has_cache(b) && seen.states.id) am_output(b, "cross_attention_states", seen.states);
    } else am_input_optional(b, "cross_attention_mask", 4);
    return text_body(b, &text, &seen, "language_model.model");
}

static void model(am_builder *b)
{
    am_output(b, "last_hidden_state", body(b));
}

static void for_conditional_generation(am_builder *b)
{
    am_config text = am_config_child(am_model_config(b), "text_config");
    output_logits(b, &text, body(b), "language_model.lm_head", "language_model.model.embed_tokens.weight");
}

static const am_architecture architectures[] = {
    {"MllamaModel", model, NULL, 0},
    {"MllamaForConditionalGeneration", for_conditional_generation, "image-text-to-text",
     AM_GENERATES | AM_READS_AT_ONCE},
    {"MllamaTextModel", text_model, "feature-extraction", 0},
    {"MllamaForCausalLM", for_causal_lm, "text-generation", AM_GENERATES},
    {"MllamaVisionModel", vision_model, NULL, 0},
    {0},
};

const am_model_type am_model_mllama = {.name = "mllama mllama_text_model mllama_vision_model",
                                       .base_prefix = "model",
                                       .architectures = architectures,
                                       .family = &family};
