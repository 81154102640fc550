/* Idefics2: SigLIP's tower for images of any size, whose patches a few latents gather for the words of a Mistral.
   transformers: models/idefics2/modeling_idefics2.py */
#include "models/blocks/attention.h"
#include "models/blocks/decoder.h"
#include "models/blocks/idefics.h"
#include "models/blocks/vision_language.h"

static const am_idefics_tower tower = {.hidden_size = 768,
                                       .intermediate_size = 3072,
                                       .num_hidden_layers = 12,
                                       .num_attention_heads = 12,
                                       .image_size = 224,
                                       .patch_size = 32};

/* The latents' layers, as wide as the words. */
typedef struct resampler {
    int64_t hidden_size, latents, depth;
    double eps;
    am_unary_fn hidden_act;
    am_attention_options attention;
} resampler;

static resampler read_resampler(const am_config *c, const am_config *text, int64_t hidden_size)
{
    bool own = am_config_size(c, "hidden_size", 4096) == hidden_size;
    resampler r = {
        .hidden_size = hidden_size,
        .latents = am_config_size(c, "resampler_n_latents", 64),
        .depth = am_config_count(c, "resampler_depth", 3),
        .eps = am_config_real(own ? c : text, "rms_norm_eps", 1e-6),
        .hidden_act = am_config_activation(c, "hidden_act", AM_SILU),
        .attention = {.heads = am_config_size(c, "resampler_n_heads", 16),
                      .kv_heads = am_config_size(c, "num_key_value_heads", 4),
                      .head_dim = am_config_size(c, "resampler_head_dim", 96)},
    };
    am_config_check_divides(c, "num_key_value_heads", r.attention.kv_heads, "resampler_n_heads", r.attention.heads);
    return r;
}

static am_value project(am_builder *b, const char *name, am_value x, int64_t heads, int64_t head_dim)
{
    return am_split_heads(b, am_linear(b, name, x, heads * head_dim, AM_NO_BIAS), heads);
}

/* latents: [B, L, C] after a look at the context: [B, P, C] and themselves. */
static am_value layer(am_builder *b, am_value latents, am_value context, const resampler *r)
{
    const am_attention_options *o = &r->attention;
    am_value x = am_rms_norm(b, "input_latents_norm", latents, r->eps, 0);
    am_value seen = am_concat2(b, am_rms_norm(b, "input_context_norm", context, r->eps, 0), x, 1);
    am_scope(b, "self_attn");
    am_value q = project(b, "q_proj", x, o->heads, o->head_dim),
             k = project(b, "k_proj", seen, o->kv_heads, o->head_dim),
             v = project(b, "v_proj", seen, o->kv_heads, o->head_dim);
    x = am_linear(b, "o_proj", am_merge_heads(b, am_attend_cached(b, q, k, v, o)), r->hidden_size, AM_NO_BIAS);
    am_end_scope(b);
    latents = am_add(b, latents, x);
    x = am_rms_norm(b, "post_attention_layernorm", latents, r->eps, 0);
    am_scope(b, "mlp");
    x = am_gated_mlp(b, x, 4 * r->hidden_size, r->hidden_act, AM_NO_BIAS);
    am_end_scope(b);
    return am_add(b, latents, x);
}

/* x: [B, P, C] -> [B, latents, C]; attended: BOOL [B, P] or AM_NONE. */
static am_value resample(am_builder *b, am_value x, am_value attended, resampler *r)
{
    int64_t B = am_dim(b, x, 0);
    am_scope(b, "perceiver_resampler");
    am_value latents = am_cast(b, am_weight(b, "latents", am_shape_of(r->latents, r->hidden_size)), AM_F32);
    latents = am_broadcast(b, am_unsqueeze(b, latents, 0), am_shape_of(B, r->latents, r->hidden_size));
    if (attended.id) {
        am_value all = am_broadcast(b, am_scalar(b, AM_BOOL, 1), am_shape_of(B, r->latents));
        r->attention.mask = am_padding_mask_of(b, am_concat2(b, attended, all, 1));
    }
    for (int i = 0; i < r->depth && !am_builder_failed(b); i++) {
        am_scope(b, "layers.%d", i);
        latents = layer(b, latents, x, r);
        am_end_scope(b);
    }
    latents = am_rms_norm(b, "norm", latents, r->eps, 0);
    am_end_scope(b);
    return latents;
}

/* down_proj(act(gate_proj(x)) * up_proj(x)) from the tower's width to the words': [B, P, C]. */
static am_value to_words(am_builder *b, am_value x, const am_config *text)
{
    int64_t inner = am_config_size(text, "intermediate_size", 14336);
    am_scope(b, "modality_projection");
    am_value gate = am_linear(b, "gate_proj", x, inner, AM_NO_BIAS), up = am_linear(b, "up_proj", x, inner, AM_NO_BIAS);
    x = am_gated_activation(b, am_config_activation(text, "hidden_act", AM_SILU), gate, up);
    x = am_linear(b, "down_proj", x, am_text_width(b), AM_NO_BIAS);
    am_end_scope(b);
    return x;
}

static am_value features(am_builder *b)
{
    const am_config *c = am_model_config(b);
    am_config vision = am_config_child(c, "vision_config"), text = am_text_config(b),
              perceiver = am_config_child(c, "perceiver_config");
    am_idefics_images images = am_idefics_read_images(b, &vision, tower.patch_size, AM_REDUCE_ALL);
    am_scope(b, "vision_model");
    am_value x = am_idefics_vision(b, &vision, &tower, &images, "");
    am_end_scope(b);
    resampler r = read_resampler(&perceiver, &text, am_text_width(b));
    am_value attended = images.attended.id ? am_flatten(b, images.attended, 1, 2) : AM_NONE;
    am_scope(b, "connector");
    x = resample(b, to_words(b, x, &text), attended, &r);
    am_end_scope(b);
    return am_flatten(b, x, 0, 1);
}

static const am_vision_language_family family = {.features = features, .image_token = 32001, .text_type = "mistral"};

static const am_architecture architectures[] = {
    {"Idefics2Model", am_vision_language_model, NULL, 0},
    {"Idefics2ForConditionalGeneration", am_vision_language_for_conditional_generation, "image-text-to-text",
     AM_GENERATES},
    {0},
};

const am_model_type am_model_idefics2 = {
    .name = "idefics2", .base_prefix = "model", .architectures = architectures, .family = &family};
