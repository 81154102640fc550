/* KOSMOS-2.5: Pix2Struct's encoder, whose states learned queries collect, and a decoder among whose words these stand
   and that writes what is read. transformers: models/kosmos2_5/modeling_kosmos2_5.py */
#include "models/blocks/attention.h"
#include "models/blocks/heads.h"
#include "models/blocks/multimodal.h"
#include "models/blocks/pix2struct.h"
#include "models/blocks/sinusoids.h"

#include <math.h>

enum { POSITION_OFFSET = 2 };

static const am_pix2struct_vision encoder = {.inner = "intermediate_size",
                                             .head_dim = "head_dim",
                                             .places = "max_num_patches",
                                             .hidden_size = 1536,
                                             .inner_size = 3968,
                                             .layers = 18,
                                             .heads = 24,
                                             .scales = true,
                                             .no_mask = true};

typedef struct kosmos_text {
    int64_t C, inner, layers, heads, vocab_size, positions, pad;
    am_unary_fn act;
    double eps, scale; /* of norms, of embeddings */
    bool tied;
} kosmos_text;

/* What pictures give. */
typedef struct kosmos_image {
    am_value states, rows, weights; /* [B, N, C'], [B, queries, C], [B, H, queries, N + queries], or AM_NONE */
} kosmos_image;

static kosmos_text read_text(am_builder *b)
{
    am_config c = am_config_child(am_model_config(b), "text_config");
    kosmos_text t = {
        .C = am_config_size(&c, am_config_either(&c, "embed_dim", "hidden_size"), 1536),
        .inner = am_config_size(&c, "ffn_dim", 6144),
        .layers = am_config_count(&c, am_config_either(&c, "layers", "num_hidden_layers"), 24),
        .heads = am_config_size(&c, am_config_either(&c, "attention_heads", "num_attention_heads"), 16),
        .vocab_size = am_config_size(&c, "vocab_size", 108481),
        .positions = am_config_size(&c, "max_position_embeddings", 4096),
        .pad = am_config_count(&c, "pad_token_id", 1),
        .act = am_config_activation(&c, "activation_function", AM_GELU),
        .eps = am_config_real(&c, "layer_norm_eps", 1e-5),
        .tied = am_config_flag(&c, "tie_word_embeddings", true),
    };
    t.scale = am_config_flag(&c, "scale_embedding", true) ? sqrt((double)t.C) : 1;
    am_config_check_divides(&c, "attention_heads", t.heads, "embed_dim", t.C);
    return t;
}

/* --- pictures --- */

/* What learned queries read of the states and of each other, below the scope; weights: of what they read. */
static am_value collect(am_builder *b, am_value x, const kosmos_text *t, am_value *weights)
{
    int64_t n = am_config_size(am_model_config(b), "latent_query_num", 2048), C = t->C, B = am_dim(b, x, 0);
    am_value queries = am_cast(b, am_weight(b, "latent_query", am_shape_of(n, C)), AM_F32);
    queries = am_broadcast(b, am_unsqueeze(b, queries, 0), am_shape_of(B, n, C));
    x = am_concat2(b, am_linear(b, "dense", x, C, AM_BIAS), queries, 1);
    am_scope(b, "x_attn");
    am_value q = am_permute(b, am_split_heads(b, am_linear(b, "q_proj", queries, C, AM_BIAS), t->heads),
                            am_shape_of(0, 2, 1, 3)),
             k = am_permute(b, am_split_heads(b, am_linear(b, "k_proj", x, C, AM_BIAS), t->heads),
                            am_shape_of(0, 2, 1, 3)),
             v = am_permute(b, am_split_heads(b, am_linear(b, "v_proj", x, C, AM_BIAS), t->heads),
                            am_shape_of(0, 2, 1, 3));
    q = am_mul_number(b, q, 1 / sqrt((double)(C / t->heads)));
    *weights = am_softmax(b, am_matmul(b, q, k, false, true), 3);
    x = am_merge_heads(b, am_permute(b, am_matmul(b, *weights, v, false, false), am_shape_of(0, 2, 1, 3)));
    x = am_linear(b, "out_proj", x, C, AM_BIAS);
    am_end_scope(b);
    return x;
}

static kosmos_image read_image(am_builder *b, const kosmos_text *t)
{
    kosmos_image r = {.rows = am_input_optional(b, "image_embeds", 3)};
    am_config c = am_config_child(am_model_config(b), "vision_config");
    if (r.rows.id || !am_has_input(b, "flattened_patches")) return r;
    am_pause_cache(b);
    am_scope(b, "vision_model");
    r.states = am_pix2struct_encode(b, &c, &encoder, NULL);
    am_end_scope(b);
    am_scope(b, "image_to_text_projection");
    r.rows = collect(b, am_unit_length(b, r.states, 1e-12), t, &r.weights);
    am_end_scope(b);
    am_resume_cache(b);
    return r;
}

/* --- text --- */

/* I32 [B or 1, T]: behind the pad's, pads standing at it. */
static am_value positions_of(am_builder *b, am_value ids, int64_t T, const kosmos_text *t)
{
    if (am_has_input(b, "position_ids")) return am_input(b, "position_ids", 2);
    if (ids.id) return am_positions_after_pad(b, ids, t->pad);
    am_value rows = am_iota(b, AM_I32, am_shape_of(1, T), 1, (double)(t->pad + 1), 1);
    return am_has_cache(b) ? am_add(b, rows, am_cache_offset(b)) : rows;
}

/* Words and, where the mask is 1, the pictures' rows; places and the kind of each are added: [B, T, C]. */
static am_value embed(am_builder *b, am_value rows, const kosmos_text *t)
{
    am_value x = am_input_optional(b, "inputs_embeds", 3), ids = AM_NONE;
    if (!x.id) x = am_embedding(b, "embed_tokens", ids = am_input(b, "input_ids", 2), t->vocab_size, t->C);
    am_value mask = am_input_optional(b, "image_embeds_position_mask", 2);
    if (rows.id && !mask.id && !am_builder_failed(b))
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "image_embeds_position_mask is not given"));
    if (rows.id && mask.id) {
        am_value is = am_cast(b, am_binary_number(b, AM_EQUAL, mask, 1), AM_I32);
        am_feature_rows features = {.rows = am_flatten(b, rows, 0, 1), .ids = is, .token = 1};
        x = am_merge_features(b, x, &features);
    }
    x = am_mul_number(b, x, t->scale);
    am_value places = positions_of(b, ids, am_dim(b, x, 1), t);
    x = am_add(b, x, am_sinusoids_after_pad(b, places, t->positions + POSITION_OFFSET, t->C, t->pad));
    am_value kinds = mask.id ? am_cast(b, am_binary_number(b, AM_NOT_EQUAL, mask, 0), AM_I32)
                             : am_broadcast(b, am_scalar(b, AM_I32, 0), am_shape_of(1, 1));
    return am_add(b, x, am_embedding(b, "segment_emb", kinds, 2, t->C));
}

static am_value text_layer(am_builder *b, am_value x, const kosmos_text *t, const am_attention_options *attention)
{
    am_value h = am_layer_norm(b, "self_attn_layer_norm", x, t->eps);
    am_scope(b, "self_attn");
    x = am_add(b, x, am_self_attention(b, h, attention));
    am_end_scope(b);
    h = am_layer_norm(b, "final_layer_norm", x, t->eps);
    h = am_linear_activation(b, "ffn.fc1", h, t->inner, AM_BIAS, t->act);
    h = am_layer_norm(b, "ffn.ffn_layernorm", h, t->eps);
    return am_add(b, x, am_linear(b, "ffn.fc2", h, t->C, AM_BIAS));
}

static am_value text_model(am_builder *b, am_value rows, const kosmos_text *t)
{
    am_attention_options attention = {.heads = t->heads, .causal = true, .mask = am_padding_mask(b, "attention_mask")};
    am_scope(b, "text_model.model");
    am_value x = embed(b, rows, t);
    for (int i = 0; i < t->layers && !am_builder_failed(b); i++) {
        am_output_hidden_state(b, "hidden_states", i, x);
        am_scope(b, "layers.%d", i);
        x = text_layer(b, x, t, &attention);
        am_end_scope(b);
    }
    x = am_layer_norm(b, "layer_norm", x, t->eps);
    am_output_hidden_state(b, "hidden_states", (int)t->layers, x);
    am_end_scope(b);
    return x;
}

/* --- classes --- */

static void output_image(am_builder *b, const kosmos_image *image)
{
    if (image->rows.id) am_output(b, "image_embeds", image->rows);
    if (!image->states.id) return;
    am_output(b, "projection_attentions", image->weights);
    am_output(b, "vision_model_output.last_hidden_state", image->states);
}

static void model(am_builder *b)
{
    kosmos_text t = read_text(b);
    kosmos_image image = read_image(b, &t);
    am_output(b, "last_hidden_state", text_model(b, image.rows, &t));
    output_image(b, &image);
}

static void for_conditional_generation(am_builder *b)
{
    kosmos_text t = read_text(b);
    kosmos_image image = read_image(b, &t);
    am_value x = am_last_position_if_wanted(b, text_model(b, image.rows, &t));
    const char *name = t.tied ? "text_model.model.embed_tokens.weight" : "text_model.lm_head.weight";
    am_output(b, "logits", am_linear_with(b, x, am_weight(b, name, am_shape_of(t.vocab_size, t.C)), AM_NONE));
    output_image(b, &image);
}

static const am_architecture architectures[] = {
    {"Kosmos2_5Model", model, NULL, 0},
    {"Kosmos2_5ForConditionalGeneration", for_conditional_generation, NULL, AM_GENERATES | AM_READS_AT_ONCE},
    {0},
};

const am_model_type am_model_kosmos_2_5 = {.name = "kosmos-2.5", .architectures = architectures};
