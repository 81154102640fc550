/* ImageGPT: GPT-2 over an image's colours, one token a pixel, with norms of lengths only; of its words, the one that
   starts an image is never the next. transformers: models/imagegpt/modeling_imagegpt.py */
#include "models/blocks/gpt2.h"
#include "models/blocks/heads.h"

static am_value body(am_builder *b, const char *prefix)
{
    static const am_gpt_config defaults = {
        .n_positions = 1024, .n_embd = 512, .n_layer = 24, .n_head = 8, .layer_norm_epsilon = 1e-5};
    am_gpt2 m = am_gpt2_read(b, defaults, AM_QUICK_GELU);
    m.rms_norm = true;
    m.config.is_causal = true;
    m.mask = am_flat_padding_mask(b);
    m.encoded.mask = AM_NONE; /* this class does not look at it */
    if (m.encoded.given && m.mask.id)
        am_config_unsupported(am_model_config(b), "add_cross_attention", "attention_mask would mask given states");
    return am_gpt2_body(b, &m, prefix);
}

static void for_causal_image_modeling(am_builder *b)
{
    const am_causal_family *f = am_model_family(b);
    bool tied = am_config_flag(am_model_config(b), "tie_word_embeddings", false);
    int64_t vocab = am_causal_vocab_size(b);
    am_value x = body(b, "transformer");
    am_output(b, "logits", am_lm_head(b, "lm_head", x, tied ? vocab : vocab - 1, tied, f->embedding, AM_NO_BIAS));
}

static void for_image_classification(am_builder *b)
{
    am_value x = am_reduce(b, AM_REDUCE_MEAN, body(b, "transformer"), am_shape_of(1), false);
    am_output(b, "logits", am_linear(b, "score", x, am_config_labels(am_model_config(b)), AM_NO_BIAS));
}

static const am_architecture architectures[] = {
    {"ImageGPTModel", am_causal_model, NULL, 0},
    {"ImageGPTForCausalImageModeling", for_causal_image_modeling, NULL, AM_GENERATES},
    {"ImageGPTForImageClassification", for_image_classification, NULL, 0},
    {0},
};

static const am_causal_family family = {
    .body = body, .vocab_size = 513, .embedding = "transformer.wte.weight", .untied = true};

const am_model_type am_model_imagegpt = {
    .name = "imagegpt", .base_prefix = "transformer", .architectures = architectures, .family = &family};
