#include "models/blocks/sam.h"

#include "models/blocks/decomposed.h"
#include "models/blocks/vision.h"
#include "models/blocks/windows.h"

#include <inttypes.h>
#include <stdio.h>

static const double TURN = 6.28318530717958647693, NORM_EPS = 1e-6, LAST_NORM_EPS = 1e-5;

enum { PATCH_LIMIT = 65536, LABEL_IGNORED = -10, LABEL_NONE = -1 };

static const am_sam_names own_names = {"patch_embed.projection",
                                       "layers",
                                       "layer_norm1",
                                       "layer_norm2",
                                       {"neck.conv1", "neck.layer_norm1", "neck.conv2", "neck.layer_norm2"}};

const am_sam_names am_sam_original_names = {
    "patch_embed.proj", "blocks", "norm1", "norm2", {"neck.0", "neck.1", "neck.2", "neck.3"}};

/* --- images --- */

typedef struct sam_vision {
    am_image_options image;
    int64_t hidden_size, output_channels, layers, heads, mlp_dim, window_size;
    int64_t patches[2], own[2]; /* rows and columns of the images, of images of image_size */
    const am_sam_names *names;
    am_unary_fn hidden_act;
    double eps;
    bool qkv_bias, absolute, relative, is_global[PATCH_LIMIT];
} sam_vision;

static void read_global(const am_config *c, sam_vision *v)
{
    int64_t found[AM_SAM_STATES];
    int count = am_config_sizes(c, "global_attn_indexes", found, AM_SAM_STATES, (const int64_t[]){2, 5, 8, 11}, 4);
    for (int64_t i = 0; i < v->layers; i++) v->is_global[i] = v->window_size == 0;
    for (int i = 0; i < count; i++)
        if (found[i] < v->layers) v->is_global[found[i]] = true;
}

static am_value read_images(am_builder *b, const am_sam_encoder *o, const am_image_options *image)
{
    const int64_t *size = image->image_size;
    if (o->images.id) return o->images;
    if (!o->pixels) return am_pixel_values_sized(b, image);
    am_value x = am_input(b, o->pixels, 4);
    if (x.id && (am_dim(b, x, 1) != image->num_channels || am_dim(b, x, 2) != size[0] || am_dim(b, x, 3) != size[1]))
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "%s must have images of %" PRId64 " x %" PRId64 " pixels",
                                    o->pixels, size[0], size[1]));
    return x;
}

static sam_vision *read_vision(am_builder *b, const am_config *c, const am_sam_encoder *o)
{
    sam_vision *v = am_arena_array(am_builder_arena(b), 1, sizeof *v);
    if (!v) {
        am_builder_fail(b, am_out_of_memory());
        return NULL;
    }
    int64_t C = am_config_size(c, "hidden_size", 768);
    *v = (sam_vision){
        .image = am_image_options_read(c, o->image_size ? o->image_size : 1024, 16),
        .hidden_size = C,
        .output_channels = am_config_size(c, "output_channels", 256),
        .layers = am_config_count(c, "num_hidden_layers", 12),
        .heads = am_config_size(c, "num_attention_heads", 12),
        .window_size = am_config_count(c, "window_size", 14),
        .hidden_act = am_config_activation(c, "hidden_act", AM_GELU),
        .eps = am_config_real(c, "layer_norm_eps", 1e-6),
        .qkv_bias = am_config_flag(c, "qkv_bias", true),
        .absolute = am_config_flag(c, "use_abs_pos", true),
        .relative = am_config_flag(c, "use_rel_pos", true),
        .names = o->names ? o->names : &own_names,
    };
    bool scales = !o->mlp_dim && !am_config_has(c, "mlp_dim");
    v->mlp_dim = scales ? am_scaled_size(c, "mlp_ratio", C, am_config_real(c, "mlp_ratio", 4))
                        : am_config_size(c, "mlp_dim", o->mlp_dim);
    for (int i = 0; i < 2; i++) {
        v->own[i] = v->image.image_size[i] / v->image.patch_size[i];
        v->patches[i] = o->images.id ? am_dim(b, o->images, 2 + i) / v->image.patch_size[i] : v->own[i];
    }
    if (v->layers >= PATCH_LIMIT) v->layers = PATCH_LIMIT - 1;
    read_global(c, v);
    am_config_check_divides(c, "num_attention_heads", v->heads, "hidden_size", C);
    return v;
}

static am_value attend(am_builder *b, am_value x, const sam_vision *v, bool is_global)
{
    const int64_t window[] = {v->window_size, v->window_size}, *size = is_global ? v->patches : window,
                  *sizes = is_global ? v->own : window;
    am_windows windows = am_windows_of(v->patches[0], v->patches[1], is_global ? 1 : v->window_size, 0);
    if (!is_global) x = am_windows_split(b, x, &windows);
    am_scope(b, "attn");
    x = am_decomposed_attention(b, x, v->heads, v->qkv_bias, size, v->relative ? sizes : NULL);
    am_end_scope(b);
    return is_global ? x : am_windows_join(b, x, &windows);
}

static am_value vision_layer(am_builder *b, am_value x, const sam_vision *v, bool is_global)
{
    x = am_add(b, x, attend(b, am_layer_norm(b, v->names->norm_before, x, v->eps), v, is_global));
    am_value h = am_layer_norm(b, v->names->norm_after, x, v->eps);
    h = am_linear_activation(b, "mlp.lin1", h, v->mlp_dim, AM_BIAS, v->hidden_act);
    return am_add(b, x, am_linear(b, "mlp.lin2", h, v->hidden_size, AM_BIAS));
}

static am_value neck(am_builder *b, am_value x, const sam_vision *v)
{
    am_shape one = am_shape_of(1, 1);
    am_convolution_attributes around = {.padding_before = one, .padding_after = one}, plain = {0};
    const char *const *names = v->names->neck;
    x = am_tokens_image(b, x, v->patches[0], v->patches[1]);
    x = am_conv(b, names[0], x, v->output_channels, one, AM_NO_BIAS, &plain);
    x = am_layer_norm_channels_first(b, names[1], x, NORM_EPS);
    x = am_conv(b, names[2], x, v->output_channels, am_shape_of(3, 3), AM_NO_BIAS, &around);
    return am_layer_norm_channels_first(b, names[3], x, NORM_EPS);
}

static am_value as_map(am_builder *b, am_value x, const sam_vision *v)
{
    return am_reshape(b, x, am_shape_of(am_dim(b, x, 0), v->patches[0], v->patches[1], v->hidden_size));
}

am_sam_image am_sam_encode_image(am_builder *b, const am_config *c, const char *scope, const char *hidden_states,
                                 int64_t mlp_dim)
{
    am_sam_encoder options = {.scope = scope, .hidden_states = hidden_states, .mlp_dim = mlp_dim};
    return am_sam_encode(b, c, &options);
}

am_sam_image am_sam_encode(am_builder *b, const am_config *c, const am_sam_encoder *o)
{
    am_sam_image out = {.count = 0};
    const char *hidden_states = o->hidden_states;
    const sam_vision *v = read_vision(b, c, o);
    if (!v) return out;
    am_value x = read_images(b, o, &v->image);
    am_scope(b, "%s", o->scope);
    x = am_patch_convolution(b, v->names->patches, x, v->hidden_size, v->image.patch_size, AM_BIAS);
    x = am_image_tokens(b, x);
    if (v->absolute) {
        am_shape places = am_shape_of(1, v->own[0], v->own[1], v->hidden_size);
        am_value positions = am_flatten(b, am_parameter(b, "pos_embed", places, x), 1, 2);
        bool is_own = v->patches[0] == v->own[0] && v->patches[1] == v->own[1];
        x = am_add(b, x, is_own ? positions : am_resize_patches(b, positions, v->own, v->patches, true));
    }
    if (hidden_states) am_output_hidden_state(b, hidden_states, 0, as_map(b, x, v));
    for (int i = 0; i < v->layers && !am_builder_failed(b); i++) {
        am_scope(b, "%s.%d", v->names->layers, i);
        x = vision_layer(b, x, v, v->is_global[i]);
        am_end_scope(b);
        if (hidden_states) am_output_hidden_state(b, hidden_states, i + 1, as_map(b, x, v));
        if (v->is_global[i] && out.count < AM_SAM_STATES) out.states[out.count++] = as_map(b, x, v);
    }
    out.embeddings = neck(b, x, v);
    am_end_scope(b);
    return out;
}

/* --- prompts --- */

am_sam_prompt_options am_sam_prompt_options_read(am_builder *b)
{
    am_config c = am_config_child(am_model_config(b), "prompt_encoder_config");
    am_sam_prompt_options p = {
        .hidden_size = am_config_size(&c, "hidden_size", 256),
        .image_size = am_config_size(&c, "image_size", 1024),
        .mask_channels = am_config_size(&c, "mask_input_channels", 16),
        .hidden_act = am_config_activation(&c, "hidden_act", AM_GELU),
        .eps = am_config_real(&c, "layer_norm_eps", 1e-6),
    };
    p.side = p.image_size / am_config_size(&c, "patch_size", 16);
    if (p.side < 1) am_config_fail(&c, "patch_size", "leaves no patches");
    if (p.mask_channels < 4 || p.mask_channels % 4)
        am_config_fail(&c, "mask_input_channels", "expected a multiple of 4");
    if (p.hidden_size % 2) am_config_fail(&c, "hidden_size", "expected an even number");
    return p;
}

am_value am_sam_place_waves(am_builder *b, am_value directions, am_value places)
{
    places = am_add_number(b, am_mul_number(b, places, 2), -1);
    am_value angles = am_mul_number(b, am_matmul(b, places, am_cast(b, directions, AM_F32), false, false), TURN);
    return am_concat2(b, am_unary(b, AM_SIN, angles), am_unary(b, AM_COS, angles), -1);
}

static am_value embed_places(am_builder *b, am_value places, int64_t C)
{
    am_value directions = am_weight_absolute(b, "shared_image_embedding.positional_embedding", am_shape_of(2, C / 2));
    return am_sam_place_waves(b, directions, places);
}

am_value am_sam_image_places(am_builder *b, const am_sam_prompt_options *p, am_value directions)
{
    am_shape shape = am_shape_of(1, p->side, p->side, 1);
    double first = 0.5 / (double)p->side, step = 1 / (double)p->side;
    am_value places =
        am_concat2(b, am_iota(b, AM_F32, shape, 2, first, step), am_iota(b, AM_F32, shape, 1, first, step), 3);
    return am_flatten(b, am_sam_place_waves(b, directions, places), 1, 2);
}

static am_value point_weight(am_builder *b, const char *name, const am_sam_prompt_options *p)
{
    return am_reshape(b, am_cast(b, am_weight(b, name, am_shape_of(1, p->hidden_size)), AM_F32),
                      am_shape_of(1, 1, 1, p->hidden_size));
}

am_value am_sam_centres(am_builder *b, am_value places, const am_sam_prompt_options *p)
{
    return am_mul_number(b, am_add_number(b, places, 0.5), 1 / (double)p->image_size);
}

/* points: [B, P, n, 2], labels: I32 [B, P, n]; with `pads` a point that is none stands behind. */
static am_value embed_points(am_builder *b, am_value points, am_value labels, const am_sam_prompt_options *p, bool pads)
{
    int64_t B = am_dim(b, points, 0), P = am_dim(b, points, 1);
    points = am_sam_centres(b, points, p);
    if (pads) {
        points = am_pad_zero(b, points, 2, 0, 1);
        labels = am_concat2(b, labels, am_broadcast(b, am_scalar(b, AM_I32, LABEL_NONE), am_shape_of(B, P, 1)), 2);
    }
    am_value x = embed_places(b, points, p->hidden_size);
    labels = am_unsqueeze(b, labels, 3);
    x = am_select(b, am_binary_number(b, AM_EQUAL, labels, LABEL_NONE), point_weight(b, "not_a_point_embed.weight", p),
                  x);
    x = am_select(b, am_binary_number(b, AM_EQUAL, labels, LABEL_IGNORED), am_scalar(b, AM_F32, 0), x);
    for (int i = 0; i < 2; i++) {
        char name[64];
        snprintf(name, sizeof name, "point_embed.%d.weight", i);
        x = am_select(b, am_binary_number(b, AM_EQUAL, labels, i), am_add(b, x, point_weight(b, name, p)), x);
    }
    return x;
}

/* boxes: [B, P, 4] -> [B, P, 2, C]: their corners. */
static am_value embed_boxes(am_builder *b, am_value boxes, const am_sam_prompt_options *p)
{
    am_value corners = am_reshape(b, boxes, am_shape_of(am_dim(b, boxes, 0), am_dim(b, boxes, 1), 2, 2));
    corners = embed_places(b, am_sam_centres(b, corners, p), p->hidden_size);
    return am_add(
        b, corners,
        am_concat2(b, point_weight(b, "point_embed.2.weight", p), point_weight(b, "point_embed.3.weight", p), 2));
}

am_value am_sam_embed_masks(am_builder *b, am_value masks, const am_sam_prompt_options *p)
{
    const int64_t two[] = {2, 2}, one[] = {1, 1};
    am_scope(b, "mask_embed");
    am_value x = am_patch_convolution(b, "conv1", masks, p->mask_channels / 4, two, AM_BIAS);
    x = am_unary(b, p->hidden_act, am_layer_norm_channels_first(b, "layer_norm1", x, p->eps));
    x = am_patch_convolution(b, "conv2", x, p->mask_channels, two, AM_BIAS);
    x = am_unary(b, p->hidden_act, am_layer_norm_channels_first(b, "layer_norm2", x, p->eps));
    x = am_patch_convolution(b, "conv3", x, p->hidden_size, one, AM_BIAS);
    am_end_scope(b);
    return x;
}

am_value am_sam_point_labels(am_builder *b, am_value points)
{
    am_value labels = am_input_optional(b, "input_labels", 3);
    am_shape shape = am_shape_of(am_dim(b, points, 0), am_dim(b, points, 1), am_dim(b, points, 2));
    return labels.id ? am_cast(b, labels, AM_I32) : am_broadcast(b, am_scalar(b, AM_I32, 1), shape);
}

am_sam_prompts am_sam_read_prompts(am_builder *b)
{
    am_sam_prompt_options p = am_sam_prompt_options_read(b);
    am_sam_prompts out = {AM_NONE, AM_NONE};
    am_value points = am_input_optional(b, "input_points", 4), boxes = am_input_optional(b, "input_boxes", 3),
             masks = am_input_optional(b, "input_masks", 4);
    am_scope(b, "prompt_encoder");
    if (points.id) out.sparse = embed_points(b, points, am_sam_point_labels(b, points), &p, !boxes.id);
    if (boxes.id) {
        am_value corners = embed_boxes(b, boxes, &p);
        out.sparse = out.sparse.id ? am_concat2(b, out.sparse, corners, 2) : corners;
    }
    if (masks.id) out.dense = am_sam_embed_masks(b, masks, &p);
    else
        out.dense = am_reshape(b, am_weight(b, "no_mask_embed.weight", am_shape_of(1, p.hidden_size)),
                               am_shape_of(1, p.hidden_size, 1, 1));
    am_end_scope(b);
    return out;
}

/* --- the decoder --- */

typedef struct sam_decoder {
    int64_t hidden_size, mlp_dim, layers, heads, rate, masks, score_layers, score_size;
    am_unary_fn hidden_act;
    double eps;
} sam_decoder;

static sam_decoder read_decoder(am_builder *b)
{
    am_config c = am_config_child(am_model_config(b), "mask_decoder_config");
    sam_decoder d = {
        .hidden_size = am_config_size(&c, "hidden_size", 256),
        .mlp_dim = am_config_size(&c, "mlp_dim", 2048),
        .layers = am_config_count(&c, "num_hidden_layers", 2),
        .heads = am_config_size(&c, "num_attention_heads", 8),
        .rate = am_config_size(&c, "attention_downsample_rate", 2),
        .masks = 1 + am_config_count(&c, "num_multimask_outputs", 3),
        .score_layers = am_config_count(&c, "iou_head_depth", 3),
        .score_size = am_config_size(&c, "iou_head_hidden_dim", 256),
        .hidden_act = am_config_activation(&c, "hidden_act", AM_RELU),
        .eps = am_config_real(&c, "layer_norm_eps", 1e-6),
    };
    am_config_check_divides(&c, "num_attention_heads", d.heads, "hidden_size", d.hidden_size);
    am_config_check_divides(&c, "num_attention_heads", d.heads, "attention_downsample_rate", d.hidden_size / d.rate);
    if (d.hidden_size < 8 || d.hidden_size / d.rate < 1)
        am_config_fail(&c, "hidden_size", "an eighth of it is nothing");
    return d;
}

/* NAME: heads of `width` channels in all: q: [N, T, C], k, v: [N, S, C] -> [N, T, C]. */
static am_value read_from(am_builder *b, const char *name, am_value q, am_value k, am_value v, const sam_decoder *d,
                          int64_t width)
{
    am_scope(b, "%s", name);
    q = am_split_heads(b, am_linear(b, "q_proj", q, width, AM_BIAS), d->heads);
    k = am_split_heads(b, am_linear(b, "k_proj", k, width, AM_BIAS), d->heads);
    v = am_split_heads(b, am_linear(b, "v_proj", v, width, AM_BIAS), d->heads);
    q = am_linear(b, "out_proj", am_attend(b, q, k, v, &(am_attention_options){0}), d->hidden_size, AM_BIAS);
    am_end_scope(b);
    return q;
}

/* Tokens and image that read each other; places and first are what says where they are. */
typedef struct two_way {
    am_value tokens, image, first, places;
} two_way;

static void two_way_layer(am_builder *b, two_way *s, const sam_decoder *d, bool is_first)
{
    int64_t C = d->hidden_size, narrow = C / d->rate;
    am_value x = is_first ? s->tokens : am_add(b, s->tokens, s->first);
    am_value h = read_from(b, "self_attn", x, x, s->tokens, d, C);
    x = am_layer_norm(b, "layer_norm1", is_first ? h : am_add(b, s->tokens, h), d->eps);
    am_value key = am_add(b, s->image, s->places);
    h = read_from(b, "cross_attn_token_to_image", am_add(b, x, s->first), key, s->image, d, narrow);
    x = am_layer_norm(b, "layer_norm2", am_add(b, x, h), d->eps);
    h = am_linear_activation(b, "mlp.lin1", x, d->mlp_dim, AM_BIAS, d->hidden_act);
    x = am_layer_norm(b, "layer_norm3", am_add(b, x, am_linear(b, "mlp.lin2", h, C, AM_BIAS)), d->eps);
    h = read_from(b, "cross_attn_image_to_token", key, am_add(b, x, s->first), x, d, narrow);
    s->image = am_layer_norm(b, "layer_norm4", am_add(b, s->image, h), d->eps);
    s->tokens = x;
}

static void two_way_transformer(am_builder *b, two_way *s, const sam_decoder *d)
{
    am_scope(b, "transformer");
    for (int i = 0; i < d->layers && !am_builder_failed(b); i++) {
        am_scope(b, "layers.%d", i);
        two_way_layer(b, s, d, i == 0);
        am_end_scope(b);
    }
    am_value h = read_from(b, "final_attn_token_to_image", am_add(b, s->tokens, s->first),
                           am_add(b, s->image, s->places), s->image, d, d->hidden_size / d->rate);
    s->tokens = am_layer_norm(b, "layer_norm_final_attn", am_add(b, s->tokens, h), LAST_NORM_EPS);
    am_end_scope(b);
}

am_value am_sam_repeated(am_builder *b, am_value x, int64_t P)
{
    am_shape s = am_shape_of_value(b, x), wide = {.rank = s.rank + 1, .dims = {s.dims[0], P}};
    for (int i = 1; i < s.rank; i++) wide.dims[i + 1] = s.dims[i];
    return P == 1 ? x : am_flatten(b, am_broadcast(b, am_unsqueeze(b, x, 1), wide), 0, 1);
}

/* The decoder's own tokens and those of prompts: [B P, n, C]. */
static am_value tokens_of(am_builder *b, const am_sam_prompts *prompts, const sam_decoder *d, int64_t B, int64_t P,
                          const char *more)
{
    int64_t C = d->hidden_size;
    am_value parts[] = {am_weight(b, "iou_token.weight", am_shape_of(1, C)),
                        am_weight(b, "mask_tokens.weight", am_shape_of(d->masks, C)),
                        more ? am_weight(b, more, am_shape_of(1, C)) : AM_NONE};
    for (int i = 0; i < 3; i++)
        if (parts[i].id) parts[i] = am_cast(b, parts[i], AM_F32);
    am_value own = am_concat(b, parts, more ? 3 : 2, 0);
    own = am_broadcast(b, am_unsqueeze(b, own, 0), am_shape_of(B * P, d->masks + (more ? 2 : 1), C));
    return prompts->sparse.id ? am_concat2(b, own, am_flatten(b, prompts->sparse, 0, 1), 1) : own;
}

am_value am_sam_double(am_builder *b, const char *name, am_value x, int64_t out)
{
    am_scope(b, "%s", name);
    am_value weight = am_weight(b, "weight", am_shape_of(am_dim(b, x, 1), out, 2, 2)),
             bias = am_weight(b, "bias", am_shape_of(out));
    x = am_conv_transpose(b, x, weight, bias, &(am_convolution_attributes){.stride = am_shape_of(2, 2)});
    am_end_scope(b);
    return x;
}

am_sam_decoded am_sam_decode(am_builder *b, am_value image, const am_sam_prompts *prompts, const char *more)
{
    sam_decoder d = read_decoder(b);
    am_sam_prompt_options p = am_sam_prompt_options_read(b);
    int64_t B = am_dim(b, image, 0), h = am_dim(b, image, 2), w = am_dim(b, image, 3), C = d.hidden_size;
    am_sam_decoded out = {.B = B, .P = prompts->sparse.id ? am_dim(b, prompts->sparse, 1) : 1, .masks = d.masks};
    if (!am_builder_failed(b) && prompts->sparse.id && am_dim(b, prompts->sparse, 0) != B)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "prompts are for %" PRId64 " images, expected %" PRId64,
                                    am_dim(b, prompts->sparse, 0), B));
    image = am_sam_repeated(b, am_add(b, image, am_cast(b, prompts->dense, am_dtype_of(b, image))), out.P);
    am_value directions =
        am_weight_absolute(b, "shared_image_embedding.positional_embedding", am_shape_of(2, p.hidden_size / 2));
    two_way s = {.image = am_image_tokens(b, image), .places = am_sam_image_places(b, &p, directions)};
    am_scope(b, "mask_decoder");
    s.first = s.tokens = tokens_of(b, prompts, &d, B, out.P, more);
    two_way_transformer(b, &s, &d);
    out.tokens = s.tokens;
    /* SAM-HQ upscales the image as it went in, rows and columns exchanged */
    am_value x = more ? am_reshape(b, am_transpose(b, image, 2, 3), am_shape_of(B * out.P, C, h, w))
                      : am_tokens_image(b, s.image, h, w);
    x = am_sam_double(b, "upscale_conv1", x, C / 4);
    x = am_unary(b, AM_GELU, am_layer_norm_channels_first(b, "upscale_layer_norm", x, NORM_EPS));
    out.upscaled = am_unary(b, AM_GELU, am_sam_double(b, "upscale_conv2", x, C / 8));
    am_end_scope(b);
    return out;
}

am_value am_sam_feed_forward(am_builder *b, const char *name, am_value x, int64_t inner, int64_t out, int64_t layers)
{
    char layer[32];
    am_scope(b, "%s", name);
    x = am_linear_activation(b, "proj_in", x, inner, AM_BIAS, AM_RELU);
    for (int i = 0; i < layers - 2 && !am_builder_failed(b); i++) {
        snprintf(layer, sizeof layer, "layers.%d", i);
        x = am_linear_activation(b, layer, x, inner, AM_BIAS, AM_RELU);
    }
    x = am_linear(b, "proj_out", x, out, AM_BIAS);
    am_end_scope(b);
    return x;
}

am_value am_sam_hyper(am_builder *b, const am_sam_decoded *decoded)
{
    int64_t C = am_dim(b, decoded->tokens, -1);
    am_value all = AM_NONE;
    for (int i = 0; i < decoded->masks && !am_builder_failed(b); i++) {
        char name[64];
        snprintf(name, sizeof name, "output_hypernetworks_mlps.%d", i);
        am_value x = am_slice(b, decoded->tokens, 1, 1 + i, 2 + i);
        x = am_sam_feed_forward(b, name, x, C, C / 8, 3);
        all = all.id ? am_concat2(b, all, x, 1) : x;
    }
    return all;
}

am_value am_sam_scores(am_builder *b, const am_sam_decoded *decoded)
{
    sam_decoder d = read_decoder(b);
    am_value x = am_index(b, decoded->tokens, 1, 0);
    return am_sam_feed_forward(b, "iou_prediction_head", x, d.score_size, d.masks, d.score_layers);
}

am_value am_sam_masks(am_builder *b, const am_sam_decoded *decoded, am_value weights, am_value maps)
{
    int64_t H = am_dim(b, maps, 2), W = am_dim(b, maps, 3), n = am_dim(b, weights, 1);
    am_value masks = am_matmul(b, weights, am_flatten(b, maps, 2, 3), false, false);
    return am_reshape(b, masks, am_shape_of(decoded->B, decoded->P, n, H, W));
}
