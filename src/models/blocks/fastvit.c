#include "models/blocks/fastvit.h"

#include <inttypes.h>
#include <string.h>

enum { STAGES_LIMIT = 8, HEAD = 32, PLACE_KERNEL = 7 };

typedef struct fastvit {
    const char *name;
    int stages;
    int64_t layers[STAGES_LIMIT], widths[STAGES_LIMIT];
    double ratios[STAGES_LIMIT];
    bool attends[STAGES_LIMIT], halves[STAGES_LIMIT], squeezes[STAGES_LIMIT], has_places[STAGES_LIMIT];
    bool acts;       /* behind the large convolutions that halve */
    bool layer_norm; /* before attention, instead of a batch norm */
    double class_ratio;
    int64_t mixer_kernel, down_kernel, down_stride, channels;
} fastvit;

/* Four stages that halve from the second on. */
#define FOUR(depths, dims, ratio) .stages = 4, .layers = depths, .widths = dims, .ratios = {ratio, ratio, ratio, ratio}
#define FIVE(depths, dims)        .stages = 5, .layers = depths, .widths = dims, .ratios = {4, 4, 4, 4, 4}
#define LIST(...)                                                                                                      \
    {                                                                                                                  \
        __VA_ARGS__                                                                                                    \
    }
#define LAST     .attends = {0, 0, 0, 1}, .has_places = {0, 0, 0, 1}
#define LAST_TWO .attends = {0, 0, 0, 1, 1}, .has_places = {0, 0, 0, 1, 1}, .acts = true, .layer_norm = true
#define CLIP     LAST, .squeezes = {0, 0, 1, 1}, .acts = true

static const fastvit known[] = {
    {"fastvit_t8", FOUR(LIST(2, 2, 4, 2), LIST(48, 96, 192, 384), 3)},
    {"fastvit_t12", FOUR(LIST(2, 2, 6, 2), LIST(64, 128, 256, 512), 3)},
    {"fastvit_s12", FOUR(LIST(2, 2, 6, 2), LIST(64, 128, 256, 512), 4)},
    {"fastvit_sa12", FOUR(LIST(2, 2, 6, 2), LIST(64, 128, 256, 512), 4), LAST},
    {"fastvit_sa24", FOUR(LIST(4, 4, 12, 4), LIST(64, 128, 256, 512), 4), LAST},
    {"fastvit_sa36", FOUR(LIST(6, 6, 18, 6), LIST(64, 128, 256, 512), 4), LAST},
    {"fastvit_ma36", FOUR(LIST(6, 6, 18, 6), LIST(76, 152, 304, 608), 4), LAST},
    {"fastvit_mci0", FOUR(LIST(2, 6, 10, 2), LIST(64, 128, 256, 512), 3), CLIP},
    {"fastvit_mci1", FOUR(LIST(4, 12, 20, 4), LIST(64, 128, 256, 512), 3), CLIP},
    {"fastvit_mci2", FOUR(LIST(4, 12, 24, 4), LIST(80, 160, 320, 640), 3), CLIP},
    {"fastvit_mci3", FIVE(LIST(2, 12, 24, 4, 2), LIST(96, 192, 384, 768, 1536)), LAST_TWO},
    {"fastvit_mci4", FIVE(LIST(2, 12, 24, 4, 4), LIST(128, 256, 512, 1024, 2048)), LAST_TWO},
};

/* --- configuration --- */

static fastvit find(const am_config *c, const char *fallback)
{
    const char *name = am_config_text(c, "architecture", fallback);
    size_t length = strcspn(name, "."); /* behind a dot stands what it was trained on */
    fastvit f = known[0];
    bool is_known = false;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strncmp(known[i].name, name, length) != 0 || known[i].name[length]) continue;
        f = known[i];
        is_known = true;
    }
    if (!is_known) am_config_unsupported(c, "architecture", "\"%s\"; expected fastvit_t8 .. fastvit_mci4", name);
    for (int i = 1; i < f.stages; i++) f.halves[i] = true;
    f.class_ratio = 2;
    return f;
}

/* Fields that model_args may not have. */
static void refuse_others(const am_config *c)
{
    static const char *const keys[] = {"features_only", "fork_feat", "act_layer", "norm_layer", "out_indices"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (am_config_has(c, keys[i])) am_config_unsupported(c, keys[i], "another network than by default");
}

static void read_mixers(const am_config *c, fastvit *f)
{
    if (!am_config_has(c, "token_mixers")) return;
    for (int i = 0; i < f->stages; i++) {
        const char *kind = am_config_list_text(c, "token_mixers", i);
        f->attends[i] = kind && strcmp(kind, "attention") == 0;
        if (!kind || (!f->attends[i] && strcmp(kind, "repmixer") != 0))
            am_config_fail(c, "token_mixers", "expected \"repmixer\" or \"attention\" for each of %d stages",
                           f->stages);
    }
}

/* pos_embs of a file cannot name any. */
static void read_places(const am_config *c, fastvit *f)
{
    if (!am_config_has(c, "pos_embs")) return;
    for (am_json_iterator it = am_json_iterate(am_json_get(c->object, "pos_embs")); am_json_next(&it);)
        if (am_json_kind_of(it.value) != AM_JSON_NULL)
            am_config_unsupported(c, "pos_embs", "expected null for each stage");
    memset(f->has_places, 0, sizeof f->has_places);
}

static void read_marks(const am_config *c, const char *key, int stages, bool *out)
{
    if (am_config_has(c, key)) am_config_flags(c, key, stages, false, out);
}

static fastvit read(const am_config *whole, const char *architecture, bool for_inference)
{
    fastvit f = find(whole, architecture);
    am_config c = am_config_child(whole, "model_args");
    int count = am_config_sizes(&c, "layers", f.layers, STAGES_LIMIT, f.layers, f.stages);
    int wide = am_config_sizes(&c, "embed_dims", f.widths, STAGES_LIMIT, f.widths, f.stages);
    if (count != wide || count < 1) am_config_fail(&c, "embed_dims", "expected as many as layers, %d", count);
    else f.stages = count;
    for (int i = 0; i < f.stages; i++)
        if (f.layers[i] > 1024) am_config_fail(&c, "layers", "%" PRId64 " blocks", f.layers[i]);
    if (am_config_has(&c, "mlp_ratios")) am_config_reals(&c, "mlp_ratios", f.stages, 4, f.ratios);
    read_mixers(&c, &f);
    read_places(&c, &f);
    read_marks(&c, "downsamples", f.stages, f.halves);
    read_marks(&c, "se_downsamples", f.stages, f.squeezes);
    f.acts = am_config_flag(&c, "lkc_use_act", f.acts);
    f.class_ratio = am_config_real(&c, "cls_ratio", 2);
    f.mixer_kernel = am_config_size(&c, "repmixer_kernel_size", 3);
    f.down_kernel = am_config_size(&c, "down_patch_size", 7);
    f.down_stride = am_config_size(&c, "down_stride", 2);
    f.channels = am_config_size(&c, "in_chans", 3);
    if (!am_config_flag(&c, "inference_mode", am_config_has(whole, "model_args") ? false : for_inference))
        am_config_unsupported(&c, "inference_mode", "expected true: branches that are trained are not joined");
    refuse_others(&c);
    return f;
}

/* --- parts --- */

static int64_t padding_of(int64_t kernel, int64_t stride)
{
    return (stride - 1 + kernel - 1) / 2;
}

/* A convolution with kernel x kernel weights of `group` channels each. */
static am_value conv(am_builder *b, const char *name, am_value x, int64_t out, const int64_t kernel_stride[2],
                     int64_t groups, int bias)
{
    int64_t kernel = kernel_stride[0], stride = kernel_stride[1], n = padding_of(kernel, stride);
    return am_conv(b, name, x, out, am_shape_of(kernel, kernel), bias,
                   &(am_convolution_attributes){.stride = am_shape_of(stride, stride),
                                                .padding_before = am_shape_of(n, n),
                                                .padding_after = am_shape_of(n, n),
                                                .groups = groups});
}

static am_value each_channel(am_builder *b, const char *name, am_value x, int64_t out, int64_t kernel, int64_t stride,
                             int bias)
{
    return conv(b, name, x, out, (int64_t[]){kernel, stride}, x.id ? am_dim(b, x, 1) : 1, bias);
}

/* x times sigmoid(fc2(relu(fc1(mean of x)))) of each channel, below "se". */
static am_value squeeze(am_builder *b, am_value x, int64_t inner)
{
    if (!x.id) return AM_NONE;
    int64_t C = am_dim(b, x, 1), one[] = {1, 1};
    am_scope(b, "se");
    am_value s = am_reduce(b, AM_REDUCE_MEAN, x, am_shape_of(2, 3), true);
    s = am_unary(b, AM_RELU, conv(b, "fc1", s, inner, one, 1, AM_BIAS));
    s = am_unary(b, AM_SIGMOID, conv(b, "fc2", s, C, one, 1, AM_BIAS));
    am_end_scope(b);
    return am_mul(b, x, s);
}

static am_value stem(am_builder *b, am_value x, int64_t C)
{
    am_scope(b, "stem");
    x = am_unary(b, AM_GELU, conv(b, "0.reparam_conv", x, C, (int64_t[]){3, 2}, 1, AM_BIAS));
    x = am_unary(b, AM_GELU, each_channel(b, "1.reparam_conv", x, C, 3, 2, AM_BIAS));
    x = am_unary(b, AM_GELU, conv(b, "2.reparam_conv", x, C, (int64_t[]){1, 1}, 1, AM_BIAS));
    am_end_scope(b);
    return x;
}

static am_value downsample(am_builder *b, const fastvit *f, int i, am_value x)
{
    int64_t C = f->widths[i], inner = (C / 4 + 4) / 8 * 8; /* a quarter as a multiple of 8 */
    am_scope(b, "downsample.proj");
    x = each_channel(b, "0.reparam_conv", x, C, f->down_kernel, f->down_stride, AM_BIAS);
    am_scope(b, "0");
    if (f->squeezes[i]) x = squeeze(b, x, inner > 8 ? inner : 8);
    am_end_scope(b);
    if (f->acts) x = am_unary(b, AM_GELU, x);
    x = am_unary(b, AM_GELU, conv(b, "1.reparam_conv", x, C, (int64_t[]){1, 1}, 1, AM_BIAS));
    am_end_scope(b);
    return x;
}

static am_value scaled(am_builder *b, const char *name, am_value x)
{
    if (!x.id) return x;
    am_scope(b, "%s", name);
    am_value gamma = am_weight(b, "gamma", am_shape_of(am_dim(b, x, 1), 1, 1));
    x = am_mul(b, x, am_cast(b, gamma, AM_F32));
    am_end_scope(b);
    return x;
}

static am_value mlp(am_builder *b, am_value x, int64_t C, int64_t inner)
{
    int64_t one[] = {1, 1};
    am_scope(b, "mlp");
    am_scope(b, "conv");
    x = am_batch_norm(b, "bn", each_channel(b, "conv", x, C, 7, 1, AM_NO_BIAS), 1e-5);
    am_end_scope(b);
    x = am_unary(b, AM_GELU, conv(b, "fc1", x, inner, one, 1, AM_BIAS));
    x = conv(b, "fc2", x, C, one, 1, AM_BIAS);
    am_end_scope(b);
    return x;
}

/* Attention of all places to each other: [B, C, H, W] -> [B, C, H, W]. */
static am_value attention(am_builder *b, am_value x, int64_t C)
{
    if (!x.id) return AM_NONE;
    am_shape shape = am_shape_of_value(b, x);
    int64_t N = shape.dims[2] * shape.dims[3];
    x = am_transpose(b, am_flatten(b, x, 2, 3), 1, 2);
    am_scope(b, "token_mixer");
    am_value qkv = am_linear(b, "qkv", x, 3 * C, AM_NO_BIAS), parts[3];
    for (int i = 0; i < 3; i++)
        parts[i] =
            am_reshape(b, am_slice(b, qkv, 2, i * C, (i + 1) * C), am_shape_of(shape.dims[0], N, C / HEAD, HEAD));
    am_attention_inputs in = {.q = parts[0], .k = parts[1], .v = parts[2]};
    x = am_flatten(b, am_attention_op(b, &in, &(am_attention_attributes){0}), 2, 3);
    x = am_linear(b, "proj", x, C, AM_BIAS);
    am_end_scope(b);
    return am_reshape(b, am_transpose(b, x, 1, 2), shape);
}

static am_value block(am_builder *b, const fastvit *f, int i, am_value x)
{
    int64_t C = f->widths[i], inner = (int64_t)((double)C * f->ratios[i]);
    bool attends = f->attends[i];
    if (attends) {
        am_value h =
            f->layer_norm ? am_layer_norm_channels_first(b, "norm", x, 1e-5) : am_batch_norm(b, "norm", x, 1e-5);
        x = am_add(b, x, scaled(b, "layer_scale_1", attention(b, h, C)));
    } else {
        x = each_channel(b, "token_mixer.reparam_conv", x, C, f->mixer_kernel, 1, AM_BIAS);
    }
    return am_add(b, x, scaled(b, attends ? "layer_scale_2" : "layer_scale", mlp(b, x, C, inner)));
}

static am_value stage(am_builder *b, const fastvit *f, int i, am_value x)
{
    am_scope(b, "stages.%d", i);
    if (f->halves[i] || (i > 0 && f->widths[i] != f->widths[i - 1])) x = downsample(b, f, i, x);
    if (f->has_places[i]) x = each_channel(b, "pos_emb.reparam_conv", x, f->widths[i], PLACE_KERNEL, 1, AM_BIAS);
    for (int64_t k = 0; k < f->layers[i] && !am_builder_failed(b); k++) {
        am_scope(b, "blocks.%d", (int)k);
        x = block(b, f, i, x);
        am_end_scope(b);
    }
    am_end_scope(b);
    return x;
}

static void check(const am_config *whole, const fastvit *f)
{
    am_config c = am_config_child(whole, "model_args");
    for (int i = 0; i < f->stages; i++) {
        int64_t from = f->widths[i > 0 ? i - 1 : 0];
        if (f->widths[i] % from)
            am_config_fail(&c, "embed_dims", "%" PRId64 " is no multiple of %" PRId64, f->widths[i], from);
        if (f->attends[i] && f->widths[i] % HEAD)
            am_config_fail(&c, "embed_dims", "attention's %" PRId64 " is no multiple of %d", f->widths[i], HEAD);
        if (!(f->ratios[i] > 0 && f->ratios[i] < 1024 && f->ratios[i] * (double)f->widths[i] >= 1))
            am_config_fail(&c, "mlp_ratios", "expected numbers above 0");
    }
    if (f->mixer_kernel % 2 == 0) am_config_fail(&c, "repmixer_kernel_size", "expected an odd number");
    if (f->class_ratio != 1 && f->class_ratio != 2 && f->class_ratio != 4)
        am_config_unsupported(&c, "cls_ratio", "expected 1, 2 or 4");
}

am_value am_fastvit(am_builder *b, const am_config *c, am_value x, const char *architecture, bool for_inference)
{
    fastvit f = read(c, architecture, for_inference);
    if (!c->root->error) check(c, &f);
    if (c->root->error || am_builder_failed(b)) return AM_NONE;
    if (am_dim(b, x, 1) != f.channels)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "images have %" PRId64 " channels, expected %" PRId64,
                                    am_dim(b, x, 1), f.channels));
    x = stem(b, x, f.widths[0]);
    for (int i = 0; i < f.stages && !am_builder_failed(b); i++) x = stage(b, &f, i, x);
    int64_t C = (int64_t)((double)f.widths[f.stages - 1] * f.class_ratio), inner = (int64_t)((double)C / 16 + 0.5);
    am_scope(b, "final_conv");
    x = squeeze(b, each_channel(b, "reparam_conv", x, C, 3, 1, AM_BIAS), inner > 1 ? inner : 1);
    am_end_scope(b);
    return am_unary(b, AM_GELU, x);
}
