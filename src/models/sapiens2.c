/* Sapiens 2: DINOv3's transformer with RMSNorm, whose middle layers have fewer heads of keys and values, and heads of
   convolutions that enlarge its map: segments, poses, normals, points in space, mattes. transformers:
   models/sapiens2/modeling_sapiens2.py */
#include "models/blocks/dinov3.h"
#include "models/blocks/keypoints.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { LAYERS_LIMIT = 4096, LIST_LIMIT = 64 };

static const double INSTANCE_NORM_EPS = 1e-5;

static const am_dinov3_defaults defaults = {.hidden_size = 1024,
                                            .intermediate_size = 4096,
                                            .layers = 24,
                                            .heads = 16,
                                            .image_size = 224,
                                            .registers = 8,
                                            .layer_norm_eps = 1e-6,
                                            .rope_theta = 100};

static const am_pre_norm_names names = {.layers = "blocks",
                                        .attention = "attn",
                                        .norm_before = "ln1",
                                        .norm_after = "ln2",
                                        .attention_scale = "attn.gamma.weight"};

typedef struct sapiens_options {
    am_dinov3_options base; /* its layers point to it */
    int64_t *key_heads;     /* of each layer */
} sapiens_options;

/* silu(gate) * up of one projection, or activated up, then down; files have a mix of two libraries' names. */
static am_value mlp(am_builder *b, am_value x, const am_pre_norm_options *o)
{
    const am_config *c = am_model_config(b);
    int64_t C = am_dim(b, x, -1), inner = o->intermediate_size;
    int bias = am_config_flag(c, "mlp_bias", true) ? AM_BIAS : AM_NO_BIAS;
    if (am_config_flag(c, "use_gated_mlp", true))
        x = am_gated_activation(b, o->hidden_act, am_linear(b, "ffn.w12", x, 2 * inner, bias), AM_NONE);
    else x = am_linear_activation(b, "mlp.up_proj", x, inner, bias, o->hidden_act);
    return am_linear(b, "ffn.w3", x, C, bias);
}

/* num_key_value_heads_per_layer; where it is absent, layers at both ends have as many as of queries. */
static void read_key_heads(am_builder *b, sapiens_options *o)
{
    const am_config *c = am_model_config(b);
    int64_t layers = o->base.encoder.num_hidden_layers, heads = o->base.encoder.attention.heads,
            first = am_config_count(c, "num_first_full_attention_layers", 8),
            last = am_config_count(c, "num_last_full_attention_layers", 8),
            few = am_config_size(c, "num_key_value_attention_heads", 8);
    o->key_heads = am_arena_array(am_builder_arena(b), (size_t)layers + 1, sizeof *o->key_heads);
    if (!o->key_heads) am_builder_fail(b, am_out_of_memory());
    if (!o->key_heads) return;
    for (int64_t i = 0; i < layers; i++) o->key_heads[i] = i < first || i >= layers - last ? heads : few;
    if (am_config_has(c, "num_key_value_heads_per_layer")) {
        int count = am_config_sizes(c, "num_key_value_heads_per_layer", o->key_heads, (int)layers, NULL, 0);
        if (count != layers) am_config_fail(c, "num_key_value_heads_per_layer", "expected %" PRId64 " numbers", layers);
    }
    for (int64_t i = 0; i < layers; i++) {
        if (o->key_heads[i] > 0 && heads % o->key_heads[i] == 0) continue;
        am_config_fail(c, "num_key_value_heads_per_layer", "%" PRId64 " do not divide %" PRId64 " heads",
                       o->key_heads[i], heads);
        o->key_heads[i] = heads;
    }
}

static void read_options(am_builder *b, sapiens_options *o)
{
    const am_config *c = am_model_config(b);
    am_dinov3_options_read(c, &defaults, &o->base);
    am_pre_norm_options *e = &o->base.encoder;
    e->names = &names;
    e->rms_norm = true;
    e->hidden_act = am_config_activation(c, "hidden_act", AM_SILU);
    e->mlp = mlp;
    e->layer_norm_eps = e->attention.norm_eps = am_config_real(c, "rms_norm_eps", 1e-6);
    e->attention.q = "wq", e->attention.k = "wk", e->attention.v = "wv", e->attention.out = "proj";
    e->attention.no_k_bias = !am_config_flag(c, "key_bias", true);
    if (am_config_flag(c, "use_qk_norm", true)) e->attention.q_norm = "q_norm", e->attention.k_norm = "k_norm";
    if (e->num_hidden_layers > LAYERS_LIMIT) {
        am_config_fail(c, "num_hidden_layers", "more than %d", LAYERS_LIMIT);
        e->num_hidden_layers = 0;
    }
    if (am_has_input(b, "bool_masked_pos") && !am_config_flag(c, "use_mask_token", false))
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "bool_masked_pos needs use_mask_token"));
    read_key_heads(b, o);
}

/* A class token, registers and patches: [B, T, C]. */
static am_value embed(am_builder *b, const am_dinov3_options *o, int64_t patches[2])
{
    int64_t C = o->hidden_size, B;
    am_value x = am_pixel_values(b, o->image.num_channels);
    x = am_patch_convolution(b, "patch_embed.projection", x, C, o->image.patch_size, AM_BIAS);
    B = am_dim(b, x, 0);
    patches[0] = am_dim(b, x, 2);
    patches[1] = am_dim(b, x, 3);
    am_scope(b, "embeddings");
    x = am_mask_patches(b, am_image_tokens(b, x), am_shape_of(1, 1, C));
    am_end_scope(b);
    if (o->registers) {
        am_value tokens = am_parameter(b, "storage_tokens", am_shape_of(1, o->registers, C), x);
        x = am_concat2(b, am_broadcast(b, tokens, am_shape_of(B, o->registers, C)), x, 1);
    }
    return am_prepend_token(b, "cls_token", am_shape_of(1, 1, C), x);
}

/* What comes out of the layers, not normed: [B, T, C]; states: null, or receives what goes into each and comes out of
   the last. */
static am_value body(am_builder *b, sapiens_options *o, int64_t patches[2], am_value *states)
{
    am_value x = embed(b, &o->base, patches);
    am_rope rope = am_dinov3_rope(b, &o->base, 1 + o->base.registers, patches);
    am_pre_norm_options layer = o->base.encoder;
    layer.attention.rope = &rope;
    for (int i = 0; i <= layer.num_hidden_layers && !am_builder_failed(b); i++) {
        am_output_hidden_state(b, "hidden_states", i, x);
        if (states) states[i] = x;
        if (i == layer.num_hidden_layers) break;
        layer.attention.kv_heads = o->key_heads[i];
        am_scope(b, "%s.%d", names.layers, i);
        x = am_pre_norm_layer(b, x, &layer);
        am_end_scope(b);
    }
    return x;
}

static am_value norm(am_builder *b, am_value x, const sapiens_options *o)
{
    return am_rms_norm(b, "ln1", x, o->base.encoder.layer_norm_eps, 0);
}

static void sapiens_model(am_builder *b)
{
    sapiens_options o;
    int64_t patches[2];
    read_options(b, &o);
    if (am_builder_failed(b)) return;
    am_value x = norm(b, body(b, &o, patches, NULL), &o);
    am_output(b, "last_hidden_state", x);
    am_output(b, "pooler_output", am_index(b, x, 1, 0));
}

/* Tokens of patches, x: [B, T, C], as a map. */
static am_value as_map(am_builder *b, am_value x, const sapiens_options *o, const int64_t patches[2])
{
    return am_tokens_image(b, am_slice(b, x, 1, 1 + o->base.registers, AM_SLICE_END), patches[0], patches[1]);
}

static void backbone(am_builder *b)
{
    const am_config *c = am_model_config(b);
    sapiens_options o;
    int64_t patches[2];
    char name[64];
    read_options(b, &o);
    int layers = (int)o.base.encoder.num_hidden_layers, count = 0;
    am_value *states = am_arena_array(am_builder_arena(b), (size_t)layers + 1, sizeof *states);
    bool *wanted = am_arena_array(am_builder_arena(b), (size_t)layers + 1, sizeof *wanted);
    if (!states || !wanted) am_builder_fail(b, am_out_of_memory());
    if (am_builder_failed(b)) return;
    body(b, &o, patches, states);
    am_backbone_stages(c, layers, wanted);
    for (int i = 0; i <= layers && !am_builder_failed(b); i++) {
        if (!wanted[i]) continue;
        am_value x = am_config_flag(c, "normalize_backbone_outputs", true) ? norm(b, states[i], &o) : states[i];
        bool is_map = am_config_flag(c, "reshape_hidden_states", true);
        snprintf(name, sizeof name, "feature_maps.%d", count);
        am_output(b, name, is_map ? as_map(b, x, &o, patches) : am_slice(b, x, 1, 1 + o.base.registers, AM_SLICE_END));
        snprintf(name, sizeof name, "cls_tokens.%d", count++);
        if (am_config_flag(c, "return_class_token", false)) am_output(b, name, am_index(b, x, 1, 0));
    }
}

/* --- heads --- */

/* A list of layers as head_config has it. */
typedef struct conv_list {
    int64_t channels[LIST_LIMIT], kernels[LIST_LIMIT];
    int count;
} conv_list;

typedef struct conv_options {
    int64_t out, kernel, stride, padding;
    bool transposed, shuffles;
    int bias;
} conv_options;

/* format's "%d", where it has one, as i, and the suffix behind a dot. */
static void write_name(char *out, size_t size, const char *format, int i, const char *suffix)
{
    const char *number = strstr(format, "%d");
    if (number) snprintf(out, size, "%.*s%d%s.%s", (int)(number - format), format, i, number + 2, suffix);
    else snprintf(out, size, "%s.%s", format, suffix);
}

/* What files may call a convolution, by its number i: as it was first written each is one of three layers, or of a
   block of three, and the other way is transformers'. */
typedef struct conv_names {
    const char *by_threes, *by_blocks, *own;
} conv_names;

static const conv_names input_names = {NULL, "input_conv.0", "input_conv.convolution"},
                        upsample_names = {"deconv_layers.%d", "upsample_blocks.%d.0", "upsample_layers.%d.convolution"},
                        plain_names = {"conv_layers.%d", NULL, "conv_layers.%d.convolution"},
                        scale_names = {"scale_conv_layers.%d", NULL, "scale_conv_layers.%d.convolution"};

/* The weight "weight" or "bias" of convolution i, by the first of its names that the file has. */
static am_value named_weight(am_builder *b, const conv_names *names_of, int i, const char *suffix, am_shape shape)
{
    char name[96] = "";
    const char *const formats[] = {names_of->by_threes, names_of->by_blocks, names_of->own};
    for (int k = 0; k < 3; k++) {
        if (!formats[k]) continue;
        write_name(name, sizeof name, formats[k], k == 0 ? 3 * i : i, suffix);
        if (am_has_weight(b, name)) break;
    }
    return am_weight(b, name, shape);
}

/* Fields NAME_out_channels, NAME_kernel_sizes and, where these are absent, NAME_kernel_size. */
static conv_list read_list(const am_config *c, const char *name, int64_t kernel)
{
    char key[64];
    conv_list r = {.count = 0};
    snprintf(key, sizeof key, "%s_kernel_size", name);
    kernel = am_config_size(c, key, kernel);
    snprintf(key, sizeof key, "%s_out_channels", name);
    r.count = am_config_sizes(c, key, r.channels, LIST_LIMIT, NULL, 0);
    if (!am_config_has(c, key)) am_config_fail(c, key, "expected a list");
    bool fits = true;
    for (int i = 0; i < r.count; i++) fits = fits && r.channels[i] > 0 && r.channels[i] < 1 << 24;
    if (!fits) am_config_fail(c, key, "expected numbers of channels");
    snprintf(key, sizeof key, "%s_kernel_sizes", name);
    for (int i = 0; i < r.count; i++) r.kernels[i] = kernel;
    if (am_config_has(c, key) && am_config_sizes(c, key, r.kernels, LIST_LIMIT, NULL, 0) != r.count)
        am_config_fail(c, key, "expected %d elements", r.count);
    for (int i = 0; i < r.count; i++) fits = fits && r.kernels[i] > 0 && r.kernels[i] < 1024;
    if (!fits) am_config_fail(c, key, "expected sizes of kernels");
    return fits ? r : (conv_list){.count = 0};
}

static am_value convolve(am_builder *b, const conv_names *names_of, int i, am_value x, const conv_options *o)
{
    int64_t out = o->shuffles ? 4 * o->out : o->out, C = am_dim(b, x, 1);
    am_shape padding = am_shape_of(o->padding, o->padding), shape = o->transposed
                                                                        ? am_shape_of(C, out, o->kernel, o->kernel)
                                                                        : am_shape_of(out, C, o->kernel, o->kernel);
    am_convolution_attributes options = {
        .stride = am_shape_of(o->stride, o->stride), .padding_before = padding, .padding_after = padding};
    am_value weight = named_weight(b, names_of, i, "weight", shape),
             bias = o->bias ? named_weight(b, names_of, i, "bias", am_shape_of(out)) : AM_NONE;
    return (o->transposed ? am_conv_transpose : am_convolution)(b, x, weight, bias, &options);
}

/* A convolution, the channels of four pixels laid out, an instance norm, SiLU. */
static am_value conv(am_builder *b, const conv_names *names_of, int i, am_value x, const conv_options *o)
{
    am_norm_attributes instance = {.kind = AM_NORM_GROUP, .eps = INSTANCE_NORM_EPS, .groups = o->out};
    x = convolve(b, names_of, i, x, o);
    if (o->shuffles) x = am_pixel_shuffle(b, x, 2);
    return am_unary(b, AM_SILU, am_norm_op(b, x, AM_NONE, AM_NONE, AM_NONE, AM_NONE, &instance));
}

/* Layers of a list; `shared` says what they have in common. */
static am_value conv_layers(am_builder *b, const conv_names *names_of, am_value x, const conv_list *l,
                            const conv_options *shared, bool keeps_size)
{
    for (int i = 0; i < l->count && !am_builder_failed(b); i++) {
        conv_options o = *shared;
        o.out = l->channels[i];
        o.kernel = l->kernels[i];
        if (keeps_size) o.padding = (o.kernel - 1) / 2;
        x = conv(b, names_of, i, x, &o);
    }
    return x;
}

/* The map enlarged: [B, C, h, w] -> [B, labels, h', w']; predictor: the last convolution. */
static am_value decode(am_builder *b, am_value x, const char *predictor)
{
    const am_config *c = am_model_config(b);
    am_config head = am_config_child(c, "head_config");
    bool shuffles = am_config_flag(&head, "use_pixel_shuffle", false);
    conv_list up = read_list(&head, "upsample", 4), after = read_list(&head, "conv", 1);
    conv_options input = {.out = am_dim(b, x, 1), .kernel = 3, .stride = 1, .padding = 1, .bias = AM_BIAS},
                 larger = {.stride = shuffles ? 1 : 2,
                           .padding = 1,
                           .transposed = !shuffles,
                           .shuffles = shuffles,
                           .bias = shuffles ? AM_BIAS : AM_NO_BIAS},
                 plain = {.stride = 1, .bias = AM_BIAS};
    if (up.count == 0) am_config_fail(&head, "upsample_out_channels", "expected one or more");
    am_scope(b, "decode_head");
    if (shuffles) x = conv(b, &input_names, 0, x, &input);
    x = conv_layers(b, &upsample_names, x, &up, &larger, shuffles);
    x = conv_layers(b, &plain_names, x, &after, &plain, shuffles);
    x = am_conv(b, predictor, x, am_config_labels(c), am_shape_of(1, 1), AM_BIAS, &(am_convolution_attributes){0});
    am_end_scope(b);
    return x;
}

/* One number of the whole map: [B, 1]; AM_NONE where the configuration has no such head. */
static am_value scale_of(am_builder *b, am_value x)
{
    const am_config *c = am_model_config(b);
    am_config head = am_config_child(c, "head_config");
    am_unary_fn act = am_config_activation(c, "hidden_act", AM_SILU);
    int64_t sizes[LIST_LIMIT] = {0};
    if (!am_config_has(&head, "scale_conv_out_channels")) return AM_NONE;
    conv_list layers = read_list(&head, "scale_conv", 1);
    int count = am_config_sizes(&head, "scale_final_hidden_sizes", sizes, LIST_LIMIT, NULL, 0);
    if (count < 2 || sizes[0] < 1 || sizes[1] < 1) am_config_fail(&head, "scale_final_hidden_sizes", "expected two");
    if (count < 2 || sizes[0] < 1 || sizes[1] < 1) return AM_NONE;
    am_scope(b, "decode_head");
    x = conv_layers(b, &scale_names, x, &layers, &(conv_options){.stride = 2, .bias = AM_BIAS}, true);
    x = am_linear_activation(b, "scale_final_layer.1", am_flatten(b, x, 1, 3), sizes[0], AM_BIAS, act);
    x = am_linear_activation(b, "scale_final_layer.3", x, sizes[1], AM_BIAS, act);
    x = am_linear(b, "scale_final_layer.5", x, 1, AM_BIAS);
    am_end_scope(b);
    return x;
}

/* The map that heads read: [B, C, h, w]; AM_NONE where something failed. */
static am_value encode(am_builder *b)
{
    sapiens_options o;
    int64_t patches[2];
    read_options(b, &o);
    if (am_builder_failed(b)) return AM_NONE;
    am_scope(b, "backbone");
    am_value x = norm(b, body(b, &o, patches, NULL), &o);
    am_end_scope(b);
    return am_builder_failed(b) ? AM_NONE : as_map(b, x, &o, patches);
}

static void for_semantic_segmentation(am_builder *b)
{
    am_output(b, "logits", decode(b, encode(b), "conv_seg"));
}

static void for_pose_estimation(am_builder *b)
{
    am_value pairs = am_input_optional(b, "flip_pairs", 2), x = decode(b, encode(b), "conv_pose");
    am_output(b, "heatmaps", pairs.id ? am_flip_keypoints(b, x, pairs) : x);
}

static void for_normal_estimation(am_builder *b)
{
    am_output(b, "normals", decode(b, encode(b), "conv_normal"));
}

static void for_pointmap_estimation(am_builder *b)
{
    am_value x = encode(b);
    am_output(b, "pointmaps", decode(b, x, "conv_pointmap"));
    am_value scale = scale_of(b, x);
    if (scale.id) am_output(b, "scales", scale);
}

static void for_image_matting(am_builder *b)
{
    am_value x = am_unary(b, AM_SIGMOID, decode(b, encode(b), "conv_matting"));
    if (am_dim(b, x, 1) < 4 && !am_builder_failed(b))
        am_config_fail(am_model_config(b), "num_labels", "expected 4: a colour and how much it covers");
    am_output(b, "alphas", am_slice(b, x, 1, 3, AM_SLICE_END));
    am_output(b, "foregrounds", am_slice(b, x, 1, 0, 3));
}

static const am_architecture architectures[] = {
    {"Sapiens2Model", sapiens_model, NULL, 0},
    {"Sapiens2Backbone", backbone, NULL, 0},
    {"Sapiens2ForSemanticSegmentation", for_semantic_segmentation, NULL, 0},
    {"Sapiens2ForPoseEstimation", for_pose_estimation, NULL, 0},
    {"Sapiens2ForNormalEstimation", for_normal_estimation, NULL, 0},
    {"Sapiens2ForPointmapEstimation", for_pointmap_estimation, NULL, 0},
    {"Sapiens2ForImageMatting", for_image_matting, NULL, 0},
    {0},
};

const am_model_type am_model_sapiens2 = {.name = "sapiens2", .base_prefix = "backbone", .architectures = architectures};
