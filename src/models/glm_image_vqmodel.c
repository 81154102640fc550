/* The codebook of GLM-Image: each place of a map becomes the entry whose direction is nearest. transformers:
   models/glm_image/modeling_glm_image.py */
#include "models/blocks/glm_image.h"
#include "models/blocks/vision.h"

static void vqvae(am_builder *b)
{
    const am_config *c = am_model_config(b);
    am_value x = am_input(b, "hidden_states", 4);
    if (am_builder_failed(b)) return;
    int64_t B = am_dim(b, x, 0), H = am_dim(b, x, 2), W = am_dim(b, x, 3);
    am_vqgan_codes codes = am_glm_image_quantize(b, c, am_flatten(b, am_image_tokens(b, x), 0, 1));
    am_value rows = am_reshape(b, codes.quantized, am_shape_of(B, H * W, am_dim(b, codes.quantized, 1)));
    am_output(b, "last_hidden_state", x);
    am_output(b, "quantized_last_hidden_state", am_tokens_image(b, rows, H, W));
    am_output(b, "image_tokens", codes.codes);
    am_output(b, "embedding_loss", codes.loss);
}

static const am_architecture architectures[] = {
    {"GlmImageVQVAE", vqvae, NULL, 0},
    {0},
};

const am_model_type am_model_glm_image_vqmodel = {.name = "glm_image_vqmodel", .architectures = architectures};
