/* Kosmos-2: learned queries collect a few rows of CLIP's patches, which stand among the words of a decoder with norms
   within its attention and MLP. transformers: models/kosmos2/modeling_kosmos2.py */
#include "models/blocks/attention.h"
#include "models/blocks/class_token_tower.h"
#include "models/blocks/heads.h"
#include "models/blocks/multimodal.h"
#include "models/blocks/sinusoids.h"
#include "models/blocks/vision.h"

#include <math.h>

/* --- the image --- */

static const am_class_token_tower tower = {.hidden_size = 1024,
                                           .intermediate_size = 4096,
                                           .num_hidden_layers = 24,
                                           .num_attention_heads = 16,
                                           .image_size = 224,
                                           .patch_size = 14,
                                           .hidden_act = AM_QUICK_GELU};

/* [B, T, H * D] -> [B, H, T, D] */
static am_value heads_first(am_builder *b, am_value x, int64_t heads)
{
    return am_permute(b, am_split_heads(b, x, heads), am_shape_of(0, 2, 1, 3));
}

/* What queries collect of x: [B, P, C'] -> [B, N, C]; how they attend: [B, H, N, P + N]. */
static am_value collect(am_builder *b, am_value x, const am_config *text, am_value *out_weights)
{
    int64_t C = am_config_size(text, am_config_either(text, "embed_dim", "hidden_size"), 2048), B = am_dim(b, x, 0);
    int64_t N = am_config_size(am_model_config(b), "latent_query_num", 64),
            H = am_config_size(text, am_config_either(text, "attention_heads", "num_attention_heads"), 32);
    am_config_check_divides(text, "attention_heads", H, "embed_dim", C);
    am_scope(b, "image_to_text_projection");
    x = am_linear(b, "dense", x, C, AM_BIAS);
    am_value queries = am_unsqueeze(b, am_parameter(b, "latent_query", am_shape_of(N, C), x), 0);
    queries = am_broadcast(b, queries, am_shape_of(B, N, C));
    x = am_concat2(b, x, queries, 1);
    am_scope(b, "x_attn");
    am_value q = heads_first(b, am_linear(b, "q_proj", queries, C, AM_BIAS), H),
             k = heads_first(b, am_linear(b, "k_proj", x, C, AM_BIAS), H),
             v = heads_first(b, am_linear(b, "v_proj", x, C, AM_BIAS), H);
    am_value scores = am_mul_number(b, am_matmul(b, q, k, false, true), 1 / sqrt((double)C / (double)H));
    *out_weights = am_softmax(b, scores, -1);
    x = am_permute(b, am_matmul(b, *out_weights, v, false, false), am_shape_of(0, 2, 1, 3));
    x = am_linear(b, "out_proj", am_merge_heads(b, x), C, AM_BIAS);
    am_end_scope(b);
    am_end_scope(b);
    return x;
}

/* Rows for the text, [B, N, C]: the input image_embeds, or of pixel_values, with outputs of the tower; AM_NONE in
   runs that go on with a text. */
static am_value look(am_builder *b, const am_config *text, bool is_model)
{
    if (am_has_input(b, "image_embeds")) return am_input(b, "image_embeds", 3);
    if (!am_has_input(b, "pixel_values") && am_has_cache(b)) return AM_NONE;
    am_config c = am_config_child(am_model_config(b), "vision_config");
    am_value weights;
    am_pause_cache(b);
    am_scope(b, "vision_model.model");
    am_class_token_states s = am_class_token_tower_run(b, &c, &tower, am_input(b, "pixel_values", 4),
                                                       is_model ? "vision_model_output.hidden_states" : "");
    am_end_scope(b);
    am_value rows = collect(b, am_unit_length(b, s.normed, 1e-12), text, &weights);
    am_resume_cache(b);
    am_output(b, "projection_attentions", weights);
    am_output(b, "vision_model_output.last_hidden_state", s.last);
    am_output(b, "vision_model_output.pooler_output", is_model ? rows : am_index(b, s.normed, 1, 0));
    return rows;
}

/* --- the text --- */

typedef struct decoder {
    int64_t vocab_size, width, inner, layers, heads, positions, pad;
    am_unary_fn act;
    double eps, scale;
} decoder;

static decoder read_decoder(const am_config *c)
{
    decoder d = {.vocab_size = am_config_size(c, "vocab_size", 65037),
                 .width = am_config_size(c, am_config_either(c, "embed_dim", "hidden_size"), 2048),
                 .inner = am_config_size(c, "ffn_dim", 8192),
                 .layers = am_config_count(c, am_config_either(c, "layers", "num_hidden_layers"), 24),
                 .heads = am_config_size(c, am_config_either(c, "attention_heads", "num_attention_heads"), 32),
                 .positions = am_config_size(c, "max_position_embeddings", 2048),
                 .pad = am_pad_token(c, 1),
                 .act = am_config_activation(c, "activation_function", AM_GELU),
                 .eps = am_config_real(c, "layer_norm_eps", 1e-5)};
    d.scale = am_config_flag(c, "scale_embedding", true) ? sqrt((double)d.width) : 1;
    if (d.pad < 0) am_config_fail(c, "pad_token_id", "is null, from which positions are counted");
    if (d.pad < 0) d.pad = 1;
    if (d.width < 4) am_config_fail(c, "embed_dim", "expected 4 or more");
    am_config_check_divides(c, "attention_heads", d.heads, "embed_dim", d.width);
    return d;
}

/* Where each token stands: [.., T]. */
static am_value rows_of_positions(am_builder *b, const decoder *d, int64_t T)
{
    am_value given = am_input_optional(b, "position_ids", 2);
    if (given.id) return given;
    if (am_has_input(b, "input_ids")) return am_positions_after_pad(b, am_input(b, "input_ids", 2), d->pad);
    return am_add_number(b, am_position_ids(b, T), (double)d->pad + 1);
}

/* image: [B, N, C] or AM_NONE */
static am_value embed(am_builder *b, const decoder *d, am_value image)
{
    am_value x = am_input_embeddings(b, "embed_tokens", d->vocab_size, d->width);
    if (image.id) {
        am_value places = am_input(b, "image_embeds_position_mask", 2);
        places = am_cast(b, am_binary_number(b, AM_NOT_EQUAL, am_cast(b, places, AM_I32), 0), AM_I32);
        am_feature_rows rows = {.rows = am_flatten(b, image, 0, 1), .ids = places, .token = 1};
        x = am_merge_features(b, x, &rows);
    } else am_input_optional(b, "image_embeds_position_mask", 2);
    x = am_mul_number(b, x, d->scale);
    am_value at = rows_of_positions(b, d, am_dim(b, x, 1));
    return am_add(b, x, am_sinusoids_after_pad(b, at, d->positions + 2, d->width, d->pad));
}

static am_value layer(am_builder *b, am_value x, const decoder *d, am_value mask)
{
    am_attention_options options = {.heads = d->heads, .causal = true, .mask = mask, .out = ""};
    am_value h = am_layer_norm(b, "self_attn_layer_norm", x, d->eps);
    am_scope(b, "self_attn");
    h = am_layer_norm(b, "inner_attn_ln", am_self_attention(b, h, &options), d->eps);
    x = am_add(b, x, am_linear(b, "out_proj", h, d->width, AM_BIAS));
    am_end_scope(b);
    h = am_layer_norm(b, "final_layer_norm", x, d->eps);
    am_scope(b, "ffn");
    h = am_linear_activation(b, "fc1", h, d->inner, AM_BIAS, d->act);
    h = am_linear(b, "fc2", am_layer_norm(b, "ffn_layernorm", h, d->eps), d->width, AM_BIAS);
    am_end_scope(b);
    return am_add(b, x, h);
}

/* Final hidden states: [B, T, C]. */
static am_value body(am_builder *b, const decoder *d, am_value image)
{
    am_value mask = am_padding_mask(b, "attention_mask");
    am_scope(b, "text_model.model");
    am_value x = embed(b, d, image);
    for (int i = 0; i < d->layers && !am_builder_failed(b); i++) {
        am_output_hidden_state(b, "hidden_states", i, x);
        am_scope(b, "layers.%d", i);
        x = layer(b, x, d, mask);
        am_end_scope(b);
    }
    x = am_layer_norm(b, "layer_norm", x, d->eps);
    am_output_hidden_state(b, "hidden_states", (int)d->layers, x);
    am_end_scope(b);
    return x;
}

static void model(am_builder *b)
{
    am_config text = am_config_child(am_model_config(b), "text_config");
    decoder d = read_decoder(&text);
    am_value image = look(b, &text, true);
    am_output(b, "last_hidden_state", body(b, &d, image));
    if (image.id) am_output(b, "image_embeds", image);
}

static void for_conditional_generation(am_builder *b)
{
    const am_config *c = am_model_config(b);
    am_config text = am_config_child(c, "text_config");
    decoder d = read_decoder(&text);
    am_value image = look(b, &text, false), x = body(b, &d, image);
    bool tied = am_config_flag(c, "tie_word_embeddings", true);
    am_output(
        b, "logits",
        am_lm_head(b, "text_model.lm_head", x, d.vocab_size, tied, "text_model.model.embed_tokens.weight", AM_NO_BIAS));
    if (image.id) am_output(b, "image_embeds", image);
}

static const am_architecture architectures[] = {
    {"Kosmos2Model", model, NULL, 0},
    {"Kosmos2ForConditionalGeneration", for_conditional_generation, NULL, AM_GENERATES},
    {0},
};

const am_model_type am_model_kosmos_2 = {.name = "kosmos-2", .base_prefix = "model", .architectures = architectures};
