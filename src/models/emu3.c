/* Emu3: codes of a VQGAN, whose pictures of several moments are joined, are words of a LLaMA; a word for the end of a
   line stands behind each row of an image. transformers: models/emu3/modeling_emu3.py */
#include "models/blocks/attention.h"
#include "models/blocks/image_words.h"
#include "models/blocks/vision.h"
#include "models/blocks/vision_language.h"
#include "models/blocks/vqgan.h"

#include <inttypes.h>
#include <stdio.h>

enum { IMAGES_LIMIT = 1024, LEVELS_LIST = 64, GROUPS = 32 };
static const double GROUP_NORM_EPS = 1e-6, BATCH_NORM_EPS = 1e-5; /* not configurable */

/* A tower as its configuration has it. */
typedef struct tower {
    am_vqgan v;
    int64_t heads, width, out, moments; /* of attention; channels of what is encoded; pictures that become one */
    int halvings;                       /* of moments */
} tower;

static tower read_tower(const am_config *c)
{
    static const int64_t multipliers[] = {1, 2, 2, 4}, attended[] = {3};
    int64_t levels[LEVELS_LIST];
    tower t = {.v = am_vqgan_read(c)};
    t.v.base_channels = am_config_size(c, "base_channels", 256);
    t.v.latent_channels = am_config_size(c, "latent_channels", 4);
    t.v.embed_dim = am_config_size(c, "embed_dim", 4);
    t.v.num_embeddings = am_config_size(c, "codebook_size", 32768);
    t.v.levels = am_config_sizes(c, "channel_multiplier", t.v.channels, AM_VQGAN_LEVELS, multipliers, 4);
    if (t.v.levels < 1 || t.v.levels > AM_VQGAN_LEVELS) t.v.levels = 1; /* which was refused */
    for (int i = 0; i < t.v.levels; i++)
        t.v.channels[i] = am_scaled_size(c, "channel_multiplier", t.v.base_channels, (double)t.v.channels[i]);
    t.width = am_config_size(c, "hidden_size", 1024);
    t.heads = am_config_size(c, "num_attention_heads", 1);
    t.moments = am_config_size(c, "temporal_downsample_factor", 4);
    t.out = (t.v.double_latent ? 2 : 1) * t.v.latent_channels;
    while (t.halvings < 30 && (int64_t)2 << t.halvings <= t.moments) t.halvings++;
    if ((int64_t)1 << t.halvings != t.moments)
        am_config_unsupported(c, "temporal_downsample_factor", "expected a power of 2, found %" PRId64, t.moments);
    am_json list = am_json_get(c->object, "attn_resolutions"); /* numbers of levels, 0 among them */
    int count = 0;
    if (!am_config_has(c, "attn_resolutions") && !am_config_is_null(c, "attn_resolutions"))
        levels[count++] = attended[0];
    for (am_json_iterator i = am_json_iterate(list); am_json_next(&i) && count < LEVELS_LIST;)
        levels[count++] = am_json_int(i.value, -1);
    for (int i = 0; i < count; i++)
        if (levels[i] >= 0 && levels[i] < t.v.levels) t.v.attends[levels[i]] = true;
    am_config_check_divides(c, "num_attention_heads", t.heads, "hidden_size", t.width);
    return t;
}

/* Places of x: [B, C, H, W] that look at each other, by the list NAME and its norms. */
static am_value attention(am_builder *b, const char *name, const char *norm, am_value x, const tower *t)
{
    int64_t H = am_dim(b, x, 2), W = am_dim(b, x, 3);
    if (am_dim(b, x, 1) != t->width && !am_builder_failed(b))
        am_config_fail(t->v.c, "hidden_size", "is %" PRId64 ", but a level with attention has %" PRId64 " channels",
                       t->width, am_dim(b, x, 1));
    am_value h = am_image_tokens(b, am_group_norm(b, norm, x, GROUPS, GROUP_NORM_EPS));
    am_scope(b, "%s", name);
    h = am_self_attention(b, h, &(am_attention_options){.heads = t->heads});
    am_end_scope(b);
    return am_add(b, x, am_tokens_image(b, h, H, W));
}

static am_value residual(am_builder *b, const char *name, am_value x, int64_t out, tower *t)
{
    am_scope(b, "%s", name);
    x = am_vqgan_residual(b, x, out);
    am_end_scope(b);
    am_vqgan_state(b, &t->v, x);
    return x;
}

static am_value halve_sides(am_builder *b, am_value x, tower *t)
{
    char name[32], norm[32];
    am_scope(b, "down_block");
    for (int i = 0; i < t->v.levels && !am_builder_failed(b); i++) {
        am_scope(b, "down.%d", i);
        for (int k = 0; k < t->v.num_res_blocks && !am_builder_failed(b); k++) {
            snprintf(name, sizeof name, "block.%d", k);
            x = residual(b, name, x, t->v.channels[i], t);
            snprintf(name, sizeof name, "attn.%d", k);
            snprintf(norm, sizeof norm, "attn_norms.%d", k);
            if (t->v.attends[i]) x = attention(b, name, norm, x, t);
        }
        if (i + 1 < t->v.levels) x = am_vqgan_halve(b, "downsample.conv", x);
        am_end_scope(b);
    }
    am_end_scope(b);
    return x;
}

/* The convolution NAME over x: [B, C, T, H, W] that looks at no later moment than its own. */
static am_value convolve_moments(am_builder *b, const char *name, am_value x, int64_t out, int64_t length, int64_t side,
                                 int64_t stride)
{
    int64_t around = side / 2;
    const am_convolution_attributes options = {.padding_before = am_shape_of(2, around, around),
                                               .padding_after = am_shape_of(0, around, around),
                                               .stride = am_shape_of(stride, 1, 1)};
    return am_conv(b, name, x, out, am_shape_of(length, side, side), AM_BIAS, &options);
}

/* x: [B, C, T, H, W] */
static am_value residual_moments(am_builder *b, int i, am_value x)
{
    int64_t C = am_dim(b, x, 1);
    am_scope(b, "time_res_stack.%d", i);
    am_value h = am_unary(b, AM_SILU, am_batch_norm(b, "norm1", x, BATCH_NORM_EPS));
    h = convolve_moments(b, "conv1.conv", h, C, 3, 3, 1);
    h = am_unary(b, AM_SILU, am_batch_norm(b, "norm2", h, BATCH_NORM_EPS));
    h = convolve_moments(b, "conv2.conv", h, C, 3, 3, 1);
    am_end_scope(b);
    return am_add(b, x, h);
}

/* x: [B, T, channels, H, W] -> [B, T', C, h, w]. */
static am_value encode(am_builder *b, am_value x, tower *t)
{
    am_shape order = {.rank = 5, .dims = {0, 2, 1, 3, 4}};
    int64_t T = am_dim(b, x, 1), B = am_dim(b, x, 0);
    am_scope(b, "encoder");
    x = am_vqgan_conv(b, "conv_in", am_flatten(b, x, 0, 1), t->v.base_channels);
    am_vqgan_state(b, &t->v, x);
    x = halve_sides(b, x, t);
    am_scope(b, "middle_block");
    x = residual(b, "block_1", x, am_dim(b, x, 1), t);
    x = residual(b, "block_2", attention(b, "attn_1", "attn_norm", x, t), am_dim(b, x, 1), t);
    am_end_scope(b);
    x = am_vqgan_conv(b, "conv_out", am_vqgan_normed_swish(b, "norm_out", x), t->out);
    if (am_builder_failed(b)) return AM_NONE;
    x = am_reshape(b, x, (am_shape){.rank = 5, .dims = {B, T, t->out, am_dim(b, x, 2), am_dim(b, x, 3)}});
    x = am_permute(b, x, order);
    for (int i = 0; i < t->halvings && !am_builder_failed(b); i++) {
        char name[48];
        snprintf(name, sizeof name, "time_conv.%d.conv.conv", i);
        x = am_unary(b, AM_SILU, convolve_moments(b, name, x, t->out, 4, 3, 2));
    }
    for (int i = 0; i < t->v.num_res_blocks && !am_builder_failed(b); i++) {
        x = residual_moments(b, i, x);
        if (i + 1 < t->v.num_res_blocks) am_vqgan_state(b, &t->v, x);
    }
    am_end_scope(b);
    x = am_permute(b, x, order);
    am_vqgan_state(b, &t->v, x);
    return x;
}

/* The input pixel_values: [B, channels, H, W], which stands still for as many moments as become one. */
static am_value read_pixels(am_builder *b, const tower *t)
{
    am_value x = am_pixel_values(b, t->v.in_channels);
    am_shape shape = am_shape_of_value(b, x);
    if (am_builder_failed(b)) return AM_NONE;
    am_shape all = {.rank = 5, .dims = {shape.dims[0], t->moments, shape.dims[1], shape.dims[2], shape.dims[3]}};
    return am_broadcast(b, am_unsqueeze(b, x, 1), all);
}

/* Codes of encoded x: [B, 1, C, h, w]: I32 [B, h, w]. */
static am_value find_codes(am_builder *b, am_value x, const tower *t)
{
    int64_t B = am_dim(b, x, 0), H = am_dim(b, x, 3), W = am_dim(b, x, 4);
    x = am_permute(b, x, (am_shape){.rank = 5, .dims = {0, 2, 1, 3, 4}});
    x = convolve_moments(b, "quant_conv.conv", x, t->v.embed_dim, 3, 1, 1);
    x = am_permute(b, x, (am_shape){.rank = 5, .dims = {0, 2, 3, 4, 1}});
    x = am_reshape(b, x, am_shape_of(-1, t->v.embed_dim));
    am_value table = am_weight(b, "quantize.embedding.weight", am_shape_of(t->v.num_embeddings, t->v.embed_dim));
    am_value codes = am_nearest_codes(b, x, table);
    return am_builder_failed(b) ? AM_NONE : am_reshape(b, codes, am_shape_of(B, H, W));
}

/* Codes of image i without those of what it was padded with: [h, w]; the input image_sizes says how large it is. */
static am_value codes_of(am_builder *b, am_value codes, int64_t i, const tower *t)
{
    int64_t unit = (int64_t)1 << (t->v.levels - 1), H = am_dim(b, codes, 1), W = am_dim(b, codes, 2);
    int64_t h = am_shaping_number(b, "image_sizes", 2 * i) / unit,
            w = am_shaping_number(b, "image_sizes", 2 * i + 1) / unit;
    if ((h < 1 || w < 1 || h > H || w > W) && !am_builder_failed(b))
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT,
                                    "image_sizes: image %" PRId64 " has %" PRId64 " x %" PRId64
                                    " codes, pixel_values %" PRId64 " x %" PRId64,
                                    i, h, w, H, W));
    if (am_builder_failed(b)) return AM_NONE;
    return am_slice(b, am_slice(b, am_index(b, codes, 0, i), 0, 0, h), 1, 0, w);
}

/* How many images the input image_sizes: [images, 2] has, which is how many codes has. */
static int64_t count_images(am_builder *b, am_value codes)
{
    am_value sizes = am_input(b, "image_sizes", 2);
    int64_t images = am_dim(b, sizes, 0);
    if ((images != am_dim(b, codes, 0) || am_dim(b, sizes, 1) != 2 || images < 1 || images > IMAGES_LIMIT) &&
        !am_builder_failed(b))
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT,
                                    "pixel_values has %" PRId64 " images, image_sizes %" PRId64
                                    "; at most %d are possible",
                                    am_dim(b, codes, 0), images, IMAGES_LIMIT));
    return am_builder_failed(b) ? 0 : images;
}

static void vqvae(am_builder *b)
{
    tower t = read_tower(am_model_config(b));
    t.v.states = 0;
    am_value x = encode(b, read_pixels(b, &t), &t), codes = find_codes(b, x, &t);
    am_output(b, "last_hidden_state", x);
    int64_t images = count_images(b, codes);
    for (int64_t i = 0; i < images && !am_builder_failed(b); i++) {
        char name[32];
        snprintf(name, sizeof name, "image_tokens.%d", (int)i);
        am_output(b, name, codes_of(b, codes, i, &t));
    }
}

/* --- the text --- */

/* "<|visual token000005|>" */
static const am_image_word_style style = {.prefix = "<|visual token", .suffix = 2, .digits = 6};

static int64_t image_token(am_builder *b)
{
    return am_image_words_read(b, &style).image_token;
}

/* Words of an image, row by row, each with the word for its end: I32 [h * (w + 1)]. */
static am_value write_image(am_builder *b, am_value codes, const am_image_words *words)
{
    int64_t h = am_dim(b, codes, 0);
    am_value end = am_broadcast(b, am_scalar(b, AM_I32, (double)words->end_of_line), am_shape_of(h, 1));
    return am_flatten(b, am_concat2(b, am_words_of_codes(b, words, codes), end, 1), 0, 1);
}

static am_value features(am_builder *b)
{
    am_config c = am_config_child(am_model_config(b), "vq_config"), text = am_text_config(b);
    tower t = read_tower(&c);
    am_image_words words = am_image_words_read(b, &style);
    am_value parts[IMAGES_LIMIT];
    if (words.end_of_line < 0) am_config_fail(am_model_config(b), "vocabulary_map", "has no \"<|extra_200|>\"");
    am_scope(b, "vqmodel");
    am_value codes = find_codes(b, encode(b, read_pixels(b, &t), &t), &t);
    am_end_scope(b);
    int64_t images = count_images(b, codes);
    for (int64_t i = 0; i < images && !am_builder_failed(b); i++)
        parts[i] = write_image(b, codes_of(b, codes, i, &t), &words);
    if (am_builder_failed(b)) return AM_NONE;
    am_value ids = am_concat(b, parts, (int)images, 0);
    bool has_body = am_has_weight(b, "text_model.model.embed_tokens.weight");
    return am_embedding(b, has_body ? "text_model.model.embed_tokens" : "text_model.embed_tokens", ids,
                        am_config_size(&text, "vocab_size", 184622), am_text_width(b));
}

static const am_vision_language_family family = {
    .features = features, .find_image_token = image_token, .text_class = "Emu3TextModel", .hides_features = true};

static const am_architecture architectures[] = {
    {"Emu3Model", am_vision_language_model, NULL, 0},
    {"Emu3ForConditionalGeneration", am_vision_language_for_conditional_generation, "image-text-to-text", AM_GENERATES},
    {"Emu3VQVAE", vqvae, NULL, 0},
    {0},
};

static const am_shaping_input shaping_inputs[] = {{.name = "image_sizes"}, {0}};

const am_model_type am_model_emu3 = {.name = "emu3 emu3_vqgan",
                                     .base_prefix = "model",
                                     .architectures = architectures,
                                     .family = &family,
                                     .shaping_inputs = shaping_inputs};
