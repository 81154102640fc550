/* ViT MAE: ViT that reads the patches with the least noise of an image, and learns to paint the others.
   transformers: models/vit_mae/modeling_vit_mae.py */
#include "models/blocks/masked_autoencoder.h"
#include "models/blocks/vit.h"

#include <inttypes.h>

static const am_vit_family family = {.prefix = "vit"};
static const am_mae_decoder default_decoder = {.hidden_size = 512, .heads = 16, .layers = 8, .intermediate_size = 2048};

/* What the body gives, of N patches. */
typedef struct vit_mae_output {
    am_value last_hidden_state; /* [B, 1 + kept, C] */
    am_value restore;           /* I32 [B, N]: the place of each patch among the shuffled ones */
    am_value mask;              /* F32 [B, N]: 1 where a patch is not kept */
} vit_mae_output;

/* The noise that says which patches are kept: given, or drawn. */
static am_value read_noise(am_builder *b, int64_t B, int64_t N)
{
    am_value noise = am_input_optional(b, "noise", 2);
    if (!noise.id) return am_random(b, am_shape_of(B, N), 0, false);
    if (am_dim(b, noise, 0) != B || am_dim(b, noise, 1) != N)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT,
                                    "noise is [%" PRId64 ", %" PRId64 "], expected [%" PRId64 ", %" PRId64
                                    "] (images, patches)",
                                    am_dim(b, noise, 0), am_dim(b, noise, 1), B, N));
    return noise;
}

/* How many of N patches are kept. */
static int64_t kept_of(const am_config *c, int64_t N)
{
    double ratio = am_config_real(c, "mask_ratio", 0.75);
    int64_t kept = ratio >= 0 && ratio <= 1 ? (int64_t)((double)N * (1 - ratio)) : 0;
    if (kept < 1) am_config_fail(c, "mask_ratio", "%g leaves nothing of %" PRId64 " patches", ratio, N);
    return kept < 1 ? 1 : kept;
}

/* Patches of x: [B, N, C] with the least noise, in its order. */
static am_value keep(am_builder *b, am_value x, vit_mae_output *out)
{
    int64_t N = am_dim(b, x, 1), kept = kept_of(am_model_config(b), N);
    am_value shuffle = AM_NONE;
    am_sort(b, read_noise(b, am_dim(b, x, 0), N), 1, false, &shuffle);
    am_sort(b, shuffle, 1, false, &out->restore);
    out->mask = am_cast(b, am_binary_number(b, AM_GREATER_EQUAL, out->restore, (double)kept), AM_F32);
    return am_tokens_at(b, x, am_slice(b, shuffle, 1, 0, kept));
}

static am_value embed(am_builder *b, const am_vit_options *o, vit_mae_output *out)
{
    int64_t C = o->hidden_size;
    am_value x = am_pixel_values_sized(b, &o->image);
    am_scope(b, "embeddings");
    x = am_image_tokens(b, am_patch_convolution(b, "patch_embeddings.projection", x, C, o->image.patch_size, AM_BIAS));
    am_value places = am_parameter(b, "position_embeddings", am_shape_of(1, 1 + am_image_patches(&o->image), C), x);
    x = keep(b, am_add(b, x, am_slice(b, places, 1, 1, AM_SLICE_END)), out);
    am_value token = am_add(b, am_parameter(b, "cls_token", am_shape_of(1, 1, C), x), am_slice(b, places, 1, 0, 1));
    x = am_concat2(b, am_broadcast(b, token, am_shape_of(am_dim(b, x, 0), 1, C)), x, 1);
    am_end_scope(b);
    return x;
}

static vit_mae_output body(am_builder *b, const am_vit_options *o, const char *prefix)
{
    vit_mae_output out = {AM_NONE, AM_NONE, AM_NONE};
    am_pre_norm_options layers = o->encoder;
    layers.attention.mask = am_padding_mask(b, "attention_mask");
    am_scope(b, "%s", prefix);
    am_value x = am_pre_norm_layers(b, embed(b, o, &out), &layers);
    out.last_hidden_state = am_layer_norm(b, "layernorm", x, layers.layer_norm_eps);
    am_end_scope(b);
    return out;
}

static void vit_mae_model(am_builder *b)
{
    am_vit_options o = am_vit_options_read(b);
    vit_mae_output out = body(b, &o, "");
    am_output(b, "last_hidden_state", out.last_hidden_state);
    am_output(b, "mask", out.mask);
    am_output(b, "ids_restore", out.restore);
}

/* x: [B, kept, C] and mask tokens for the others, each at the place of its patch: [B, N, C]. */
static am_value unshuffle(am_builder *b, am_value x, am_value restore)
{
    int64_t B = am_dim(b, x, 0), kept = am_dim(b, x, 1), N = am_dim(b, restore, 1), C = am_dim(b, x, 2);
    am_value token = am_parameter(b, "mask_token", am_shape_of(1, 1, C), x);
    if (kept < N) x = am_concat2(b, x, am_broadcast(b, token, am_shape_of(B, N - kept, C)), 1);
    return am_tokens_at(b, x, restore);
}

/* The pixels of all patches: [B, N, patch's pixels]. */
static am_value decode(am_builder *b, const vit_mae_output *seen, const am_vit_options *o,
                       const am_mae_decoder *decoder)
{
    am_pre_norm_names names = am_vit_names;
    if (am_builder_failed(b)) return AM_NONE; /* sizes that no weight has may be large */
    int64_t C = decoder->hidden_size, pixels = o->image.num_channels * o->image.patch_size[0] * o->image.patch_size[1];
    am_scope(b, "decoder");
    /* two names of one list */
    names.layers = am_has_weight(b, "decoder_encoder.layer.0.layernorm_before.weight") ? "decoder_encoder.layer"
                                                                                       : "decoder_layers";
    am_pre_norm_options layers = am_mae_decoder_layers(decoder, &o->encoder, &names);
    am_value x = am_linear(b, "decoder_embed", seen->last_hidden_state, C, AM_BIAS);
    x = am_concat2(b, am_slice(b, x, 1, 0, 1), unshuffle(b, am_slice(b, x, 1, 1, AM_SLICE_END), seen->restore), 1);
    x = am_add(b, x, am_parameter(b, "decoder_pos_embed", am_shape_of(1, am_dim(b, x, 1), C), x));
    x = am_layer_norm(b, "decoder_norm", am_pre_norm_layers(b, x, &layers), o->encoder.layer_norm_eps);
    x = am_slice(b, am_linear(b, "decoder_pred", x, pixels, AM_BIAS), 1, 1, AM_SLICE_END);
    am_end_scope(b);
    return x;
}

static void for_pre_training(am_builder *b)
{
    const am_config *c = am_model_config(b);
    am_vit_options o = am_vit_options_read(b);
    am_mae_decoder decoder = am_mae_decoder_read(c, &default_decoder);
    if (o.image.image_size[0] != o.image.image_size[1] || o.image.patch_size[0] != o.image.patch_size[1])
        am_config_fail(c, "image_size", "this class takes square images of square patches");
    vit_mae_output seen = body(b, &o, "vit");
    am_output(b, "logits", decode(b, &seen, &o, &decoder));
    am_output(b, "mask", seen.mask);
    am_output(b, "ids_restore", seen.restore);
}

static const am_architecture architectures[] = {
    {"ViTMAEModel", vit_mae_model, "image-feature-extraction", 0},
    {"ViTMAEForPreTraining", for_pre_training, NULL, 0},
    {0},
};

const am_model_type am_model_vit_mae = {
    .name = "vit_mae", .base_prefix = "vit", .architectures = architectures, .family = &family};
