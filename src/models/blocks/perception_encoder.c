#include "models/blocks/perception_encoder.h"

#include "models/blocks/vision.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

static const double EPS = 1e-5;

typedef struct encoder {
    const char *name;
    int64_t patch, side, width, depth, heads,
        reference;        /* side: of an image; reference: of its patches while trained */
    double ratio, offset; /* of the mlp; of places */
    bool has_class, ends_normed, has_scales;

    int64_t image[2], patches[2], references[2], channels;
    double temperature;
    bool begins_normed, has_bias, columns_first;
} encoder;

#define GIGANTIC .width = 1536, .heads = 16, .ratio = 8960.0 / 1536, .patch = 14, .side = 448, .reference = 32
#define LARGE    .width = 1024, .heads = 16, .ratio = 4, .patch = 14, .offset = 1, .has_class = true
#define SMALL(C) .width = C, .heads = C / 64, .depth = 12, .ratio = 4, .patch = 16, .offset = 1, .has_class = true
#define SPATIAL  .side = 512, .reference = 32

static const encoder known[] = {
    {"vit_pe_core_tiny_patch16_384", SMALL(192), .side = 384, .reference = 24, .ends_normed = true},
    {"vit_pe_core_small_patch16_384", SMALL(384), .side = 384, .reference = 24, .ends_normed = true},
    {"vit_pe_core_base_patch16_224", SMALL(768), .side = 224, .reference = 14, .ends_normed = true},
    {"vit_pe_core_large_patch14_336", LARGE, .depth = 24, .side = 336, .reference = 24, .ends_normed = true},
    {"vit_pe_core_gigantic_patch14_448", GIGANTIC, .depth = 50, .ends_normed = true},
    {"vit_pe_lang_large_patch14_448", LARGE, .depth = 23, .side = 448, .reference = 32, .has_scales = true},
    {"vit_pe_lang_gigantic_patch14_448", GIGANTIC, .depth = 47, .has_scales = true},
    {"vit_pe_spatial_tiny_patch16_512", SMALL(192), SPATIAL},
    {"vit_pe_spatial_small_patch16_512", SMALL(384), SPATIAL},
    {"vit_pe_spatial_base_patch16_512", SMALL(768), SPATIAL},
    {"vit_pe_spatial_large_patch14_448", LARGE, .depth = 24, .side = 448, .reference = 32},
    {"vit_pe_spatial_gigantic_patch14_448", GIGANTIC, .depth = 50, .has_scales = true},
};

/* --- configuration --- */

static encoder find(const am_config *c)
{
    const char *name = am_config_text(c, "architecture", "resnet50");
    size_t length = strcspn(name, "."); /* behind a dot stands what it was trained on */
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strncmp(known[i].name, name, length) == 0 && !known[i].name[length]) return known[i];
    am_config_unsupported(c, "architecture", "\"%s\"; expected a Perception Encoder, vit_pe_core_tiny_patch16_384 ..",
                          name);
    return known[0];
}

/* Fields that model_args may not have. */
static void refuse_others(const am_config *c)
{
    static const char *const keys[] = {
        "features_only",    "qkv_fused",       "qk_norm",          "num_kv_heads",     "swiglu_mlp",
        "swiglu_align_to",  "scale_mlp",       "attn_type",        "scale_attn_inner", "rope_type",
        "num_reg_tokens",   "no_embed_class",  "norm_layer",       "use_post_norm",    "use_abs_pos_emb",
        "rope_rotate_half", "use_rot_pos_emb", "dynamic_img_size", "dynamic_img_pad",  "attn_only_layer_scale"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (am_config_has(c, keys[i])) am_config_unsupported(c, keys[i], "another network than by default");
}

/* Which norms stand before and after the layers. */
static void read_norms(const am_config *c, encoder *e)
{
    bool names_pool = am_config_has(c, "global_pool"), averages = am_config_is(c, "global_pool", "avg");
    bool pools_normed = am_config_flag(c, "use_fc_norm", averages);
    if (names_pool && e->ends_normed) e->ends_normed = !pools_normed;
    else if (am_config_has(c, "use_fc_norm") && e->ends_normed) e->ends_normed = !pools_normed;
    e->ends_normed = am_config_flag(c, "use_post_transformer_norm", e->ends_normed);
    e->begins_normed = am_config_flag(c, "use_pre_transformer_norm", true);
}

static void check(const am_config *c, const encoder *e)
{
    am_config_check_divides(c, "num_heads", e->heads, "embed_dim", e->width);
    if (e->width / e->heads % 4)
        am_config_fail(c, "num_heads", "heads of %" PRId64 " numbers do not divide by 4", e->width / e->heads);
    if (e->patches[0] < 1 || e->patches[1] < 1) am_config_fail(c, "patch_size", "a patch is larger than the image");
    if (!(e->ratio > 0 && e->ratio < 1024 && e->ratio * (double)e->width >= 1))
        am_config_fail(c, "mlp_ratio", "expected a number above 0");
    if (!(e->temperature > 0)) am_config_fail(c, "rope_temperature", "expected a number above 0");
    if (!e->columns_first && !am_config_is(c, "rope_grid_indexing", "ij"))
        am_config_fail(c, "rope_grid_indexing", "expected \"xy\" or \"ij\"");
}

static encoder read(const am_config *whole)
{
    encoder e = find(whole);
    am_config c = am_config_child(whole, "model_args");
    e.patch = am_config_size(&c, "patch_size", e.patch);
    e.width = am_config_size(&c, "embed_dim", e.width);
    e.depth = am_config_count(&c, "depth", e.depth);
    e.heads = am_config_size(&c, "num_heads", e.heads);
    e.ratio = am_config_real(&c, "mlp_ratio", e.ratio);
    e.offset = am_config_real(&c, "rope_grid_offset", e.offset);
    e.temperature = am_config_real(&c, "rope_temperature", 10000);
    e.channels = am_config_size(&c, "in_chans", 3);
    e.has_class = am_config_flag(&c, "class_token", e.has_class);
    e.has_bias = am_config_flag(&c, "qkv_bias", true);
    e.has_scales = e.has_scales || am_config_has(&c, "init_values");
    e.columns_first = !am_config_has(&c, "rope_grid_indexing") || am_config_is(&c, "rope_grid_indexing", "xy");
    am_config_pair(&c, "img_size", e.side, e.image);
    for (int i = 0; i < 2; i++) e.patches[i] = e.image[i] / e.patch;
    am_config_pair(&c, "ref_feat_shape", e.reference, e.references);
    read_norms(&c, &e);
    refuse_others(&c);
    check(&c, &e);
    return e;
}

/* --- places --- */

/* Angles of head numbers for a token in that row and column; those before the patches are not turned. */
static void fill_row(const encoder *e, const int64_t at[2], bool cosines, float *out)
{
    int64_t quarter = e->width / e->heads / 4;
    for (int axis = 0; axis < 2; axis++) {
        int of = e->columns_first ? 1 - axis : axis;
        double place = ((double)at[of] + e->offset) / (double)e->patches[of] * (double)e->references[of];
        for (int64_t i = 0; i < quarter; i++) {
            double angle = place * pow(e->temperature, -(double)i / (double)quarter);
            out[axis * quarter + i] = (float)(cosines ? cos(angle) : sin(angle));
        }
    }
}

/* cos or sin of all tokens: [1, P + N, D / 2]. */
static am_value table(am_builder *b, const encoder *e, bool cosines)
{
    int64_t half = e->width / e->heads / 2, before = e->has_class, tokens = before + e->patches[0] * e->patches[1];
    am_shape shape = am_shape_of(1, tokens, half);
    float *data =
        am_shape_check(&shape) ? am_arena_array(am_builder_arena(b), (size_t)(tokens * half) + 1, sizeof *data) : NULL;
    if (!data) {
        am_builder_fail(b, am_out_of_memory());
        return AM_NONE;
    }
    for (int64_t i = 0; i < before * half; i++) data[i] = cosines ? 1 : 0;
    for (int64_t i = before; i < tokens; i++) {
        int64_t at[] = {(i - before) / e->patches[1], (i - before) % e->patches[1]};
        fill_row(e, at, cosines, data + i * half);
    }
    return am_constant_copy(b, AM_F32, shape, data);
}

/* --- layers --- */

static am_value attention(am_builder *b, const encoder *e, am_value x, const am_rope *rope)
{
    am_value heads[3];
    am_scope(b, "attn");
    am_split_fused(b, am_linear(b, "qkv", x, 3 * e->width, e->has_bias), e->heads, false, heads);
    am_attention_inputs in = {
        .q = am_rope_apply(b, rope, heads[0]), .k = am_rope_apply(b, rope, heads[1]), .v = heads[2]};
    x = am_merge_heads(b, am_attention_op(b, &in, &(am_attention_attributes){0}));
    x = am_linear(b, "proj", x, e->width, AM_BIAS);
    am_end_scope(b);
    return x;
}

static am_value mlp(am_builder *b, const encoder *e, am_value x)
{
    am_scope(b, "mlp");
    x = am_linear_activation(b, "fc1", x, (int64_t)((double)e->width * e->ratio), AM_BIAS, AM_GELU);
    x = am_linear(b, "fc2", x, e->width, AM_BIAS);
    am_end_scope(b);
    return x;
}

static am_value scaled(am_builder *b, const encoder *e, const char *name, am_value x)
{
    return e->has_scales && x.id ? am_mul(b, x, am_parameter(b, name, am_shape_of(e->width), x)) : x;
}

static am_value layers(am_builder *b, const encoder *e, am_value x)
{
    am_rope rope = {.cos = table(b, e, true), .sin = table(b, e, false), .interleaved = true};
    for (int i = 0; i < e->depth && !am_builder_failed(b); i++) {
        am_scope(b, "blocks.%d", i);
        am_value h = attention(b, e, am_layer_norm(b, "norm1", x, EPS), &rope);
        x = am_add(b, x, scaled(b, e, "gamma_1", h));
        h = mlp(b, e, am_layer_norm(b, "norm2", x, EPS));
        x = am_add(b, x, scaled(b, e, "gamma_2", h));
        am_end_scope(b);
    }
    return x;
}

static am_value embed(am_builder *b, const encoder *e, am_value x)
{
    int64_t patch[] = {e->patch, e->patch};
    am_scope(b, "patch_embed");
    x = am_patch_convolution(b, "proj", x, e->width, patch, !e->begins_normed);
    am_end_scope(b);
    x = am_image_tokens(b, x);
    if (e->has_class) x = am_prepend_token(b, "cls_token", am_shape_of(1, 1, e->width), x);
    if (!x.id) return AM_NONE;
    return am_add(b, x, am_parameter(b, "pos_embed", am_shape_of(1, am_dim(b, x, 1), e->width), x));
}

am_value am_perception_encoder(am_builder *b, const am_config *c, am_value x)
{
    encoder e = read(c);
    if (c->root->error || am_builder_failed(b)) return AM_NONE;
    if (am_dim(b, x, 1) != e.channels || am_dim(b, x, 2) != e.image[0] || am_dim(b, x, 3) != e.image[1]) {
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "images of %lld x %lld x %lld, expected %lld x %lld x %lld",
                                    (long long)am_dim(b, x, 1), (long long)am_dim(b, x, 2), (long long)am_dim(b, x, 3),
                                    (long long)e.channels, (long long)e.image[0], (long long)e.image[1]));
        return AM_NONE;
    }
    x = embed(b, &e, x);
    if (e.begins_normed) x = am_layer_norm(b, "norm_pre", x, EPS);
    x = layers(b, &e, x);
    return e.ends_normed ? am_layer_norm(b, "norm", x, EPS) : x;
}

/* --- classification --- */

enum { POOL_HEADS = 8 };

/* One query of its own attends to all tokens x: [B, N, C] -> [B, C]. */
static am_value pool(am_builder *b, am_value x, const am_config *args)
{
    int64_t C = am_dim(b, x, 2), heads = am_config_size(args, "attn_pool_num_heads", POOL_HEADS);
    double ratio = am_config_real(args, "attn_pool_mlp_ratio", 4);
    am_config_check_divides(args, "attn_pool_num_heads", heads, "embed_dim", C);
    if (!(ratio > 0 && ratio < 1024 && ratio * (double)C >= 1))
        am_config_fail(args, "attn_pool_mlp_ratio", "expected a number above 0");
    if (args->root->error || am_builder_failed(b)) return AM_NONE;
    am_scope(b, "attn_pool");
    am_value query = am_cast_like(b, am_weight(b, "latent", am_shape_of(1, 1, C)), x);
    query = am_broadcast(b, am_linear(b, "q", query, C, AM_BIAS), am_shape_of(am_dim(b, x, 0), 1, C));
    am_value kv = am_linear(b, "kv", x, 2 * C, AM_BIAS);
    am_attention_inputs in = {.q = am_split_heads(b, query, heads),
                              .k = am_split_heads(b, am_slice(b, kv, 2, 0, C), heads),
                              .v = am_split_heads(b, am_slice(b, kv, 2, C, 2 * C), heads)};
    x = am_merge_heads(b, am_attention_op(b, &in, &(am_attention_attributes){0}));
    x = am_linear(b, "proj", x, C, AM_BIAS);
    am_value h = am_layer_norm(b, "norm", x, EPS);
    am_scope(b, "mlp");
    h = am_linear_activation(b, "fc1", h, (int64_t)((double)C * ratio), AM_BIAS, AM_GELU);
    x = am_add(b, x, am_linear(b, "fc2", h, C, AM_BIAS));
    am_end_scope(b);
    am_end_scope(b);
    return am_squeeze(b, x, 1);
}

am_value am_perception_logits(am_builder *b, const am_config *c, am_value x)
{
    am_config args = am_config_child(c, "model_args");
    const char *name = am_config_text(c, "architecture", "");
    bool pools = am_config_has(&args, "global_pool") ? am_config_is(&args, "global_pool", "map")
                                                     : strncmp(name, "vit_pe_core_", 12) == 0;
    if (!pools) am_config_unsupported(&args, "global_pool", "expected \"map\"");
    x = am_perception_encoder(b, c, x);
    if (am_builder_failed(b) || !x.id) return AM_NONE;
    x = pool(b, x, &args);
    am_scope(b, "head");
    am_value weight = am_weight(b, "weight", am_shape_of(-1, am_dim(b, x, 1)));
    am_value bias = am_weight(b, "bias", am_shape_of(am_dim(b, weight, 0)));
    am_end_scope(b);
    return am_linear_with(b, x, weight, bias);
}
