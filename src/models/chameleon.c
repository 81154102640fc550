/* Chameleon: a LLaMA whose words are pieces of images, too: codes of a VQGAN. transformers:
   models/chameleon/modeling_chameleon.py */
#include "models/blocks/decoder.h"
#include "models/blocks/heads.h"
#include "models/blocks/image_words.h"
#include "models/blocks/multimodal.h"
#include "models/blocks/vision.h"
#include "models/blocks/vqgan.h"

#include <float.h>

static const double HEAD_NORM_EPS = 1e-5; /* not configurable */

/* --- text --- */

/* LayerNorm of each head, x: [B, T, H, D], with a weight and a bias of its own. */
static am_value norm_heads(am_builder *b, const char *name, am_value x)
{
    int64_t H = am_dim(b, x, 2), D = am_dim(b, x, 3);
    am_scope(b, "%s", name);
    am_value weight = am_parameter(b, "weight", am_shape_of(H, D), x),
             bias = am_parameter(b, "bias", am_shape_of(H, D), x);
    am_end_scope(b);
    x = am_norm_op(b, x, AM_NONE, AM_NONE, AM_NONE, AM_NONE,
                   &(am_norm_attributes){.kind = AM_NORM_LAYER, .eps = HEAD_NORM_EPS});
    return am_add(b, am_mul(b, x, weight), bias);
}

static am_value attention(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    const am_decoder_options *o = layer->options;
    am_attention_options options = *layer->attention;
    am_value qkv[3];
    options.rope = NULL;
    am_attention_heads(b, x, &options, qkv);
    qkv[0] = am_rope_apply(b, layer->attention->rope, norm_heads(b, "q_norm", qkv[0]));
    qkv[1] = am_rope_apply(b, layer->attention->rope, norm_heads(b, "k_norm", qkv[1]));
    x = am_attend(b, qkv[0], qkv[1], qkv[2], &options);
    return am_linear(b, "o_proj", x, o->hidden_size, o->out_bias ? AM_BIAS : AM_NO_BIAS);
}

static void adapt(const am_config *c, am_decoder_options *o)
{
    static const am_decoder_norms behind = {.after_attention = "input_layernorm",
                                            .after_mlp = "post_attention_layernorm"};
    o->qkv_bias = o->out_bias = am_config_flag(c, "attention_bias", false);
    o->mlp_bias = am_config_flag(c, "mlp_bias", false);
    o->attention = attention;
    if (am_config_flag(c, "swin_norm", false)) o->norms = &behind;
}

/* --- images --- */

static am_vqgan read_vqgan(const am_config *c)
{
    am_vqgan v = am_vqgan_read(c);
    am_vqgan_read_attention(&v);
    return v;
}

static void vqvae(am_builder *b)
{
    am_vqgan v = read_vqgan(am_model_config(b));
    v.states = 0;
    am_value x = am_vqgan_encode(b, am_pixel_values(b, v.in_channels), &v);
    am_vqgan_codes codes = am_vqgan_quantize(b, x, &v);
    am_output(b, "last_hidden_state", x);
    am_output(b, "quantized_last_hidden_state", codes.quantized);
    am_output(b, "image_tokens", codes.codes);
    am_output(b, "embedding_loss", codes.loss);
}

/* "IMGIMGBAZ": letters between are digits. */
static const am_image_word_style style = {.prefix = "IMGIMG", .suffix = 1, .letters = true};

/* Words for the image in pixel_values: rows [N, C] of the table of words. */
static am_value rows(am_builder *b, const am_image_words *words, const am_decoder_options *o)
{
    am_config c = am_config_child(am_model_config(b), "vq_config");
    am_vqgan v = read_vqgan(&c);
    am_pause_cache(b);
    am_scope(b, "vqmodel");
    am_value x = am_vqgan_encode(b, am_pixel_values(b, v.in_channels), &v);
    am_value codes = am_vqgan_quantize(b, x, &v).codes;
    am_end_scope(b);
    am_resume_cache(b);
    return am_embedding(b, "embed_tokens", am_words_of_codes(b, words, codes), o->vocab_size, o->hidden_size);
}

static am_value body(am_builder *b, am_decoder_options *o, const am_image_words *words, const char *prefix)
{
    if (!am_has_input(b, "pixel_values")) return am_decoder_body(b, o, prefix);
    am_scope(b, "%s", prefix);
    am_feature_rows features = {
        .rows = rows(b, words, o), .ids = am_input(b, "input_ids", 2), .token = words->image_token};
    am_end_scope(b);
    o->features = &features;
    return am_decoder_body(b, o, prefix);
}

static void model(am_builder *b)
{
    am_decoder_options o = am_decoder_options_read(am_model_config(b), am_model_family(b));
    am_image_words words = am_image_words_read(b, &style);
    am_output(b, "last_hidden_state", body(b, &o, &words, ""));
}

/* No pieces of images are written: their logits are the lowest. */
static void for_conditional_generation(am_builder *b)
{
    am_decoder_options o = am_decoder_options_read(am_model_config(b), am_model_family(b));
    am_image_words words = am_image_words_read(b, &style);
    am_value x = body(b, &o, &words, "model");
    am_value logits =
        am_lm_head(b, "lm_head", x, o.vocab_size, o.tie_word_embeddings, "model.embed_tokens.weight", AM_NO_BIAS);
    am_value is_piece = am_words_of_images(b, &words, o.vocab_size);
    am_output(b, "logits", am_select(b, is_piece, am_scalar(b, AM_F32, -FLT_MAX), logits));
}

static const am_architecture architectures[] = {
    {"ChameleonModel", model, NULL, 0},
    {"ChameleonForConditionalGeneration", for_conditional_generation, "image-text-to-text", AM_GENERATES},
    {"ChameleonVQVAE", vqvae, NULL, 0},
    {0},
};

static const am_decoder_family family = {.defaults = {.vocab_size = 65536,
                                                      .num_key_value_heads = 32,
                                                      .max_position_embeddings = 4096,
                                                      .rms_norm_eps = 1e-5,
                                                      .whole_heads = true},
                                         .adapt = adapt};

const am_model_type am_model_chameleon = {
    .name = "chameleon chameleon_vqgan", .base_prefix = "model", .architectures = architectures, .family = &family};
