/* Aria: SigLIP's patches of images of any size, which learned queries collect, as many as the patches ask for, among
   the words of a LLaMA with experts. transformers: models/aria/modeling_aria.py */
#include "models/blocks/attention.h"
#include "models/blocks/vision.h"
#include "models/blocks/vision_language.h"

#include <inttypes.h>
#include <stdlib.h>

static const double NORM_EPS = 1e-5; /* not configurable */

/* How many queries a picture of P patches has: projector_patch_to_query_dict; *most: of any picture. */
static int64_t queries_of(const am_config *c, int64_t P, int64_t *most)
{
    static const int64_t fallback[][2] = {{1225, 128}, {4900, 256}};
    const char *key = "projector_patch_to_query_dict";
    int64_t found = 0;
    *most = 0;
    for (int i = 0; i < 2 && !am_config_has(c, key); i++) {
        if (fallback[i][0] == P) found = fallback[i][1];
        if (fallback[i][1] > *most) *most = fallback[i][1];
    }
    for (am_json_iterator i = am_json_iterate(am_json_get(c->object, key)); am_json_next(&i);) {
        int64_t count = am_json_int(i.value, 0);
        if (strtoll(i.key.bytes, NULL, 10) == P) found = count;
        if (count > *most) *most = count;
        if (count < 1 || count > INT32_MAX) am_config_fail(c, key, "expected numbers of queries");
    }
    if (found == 0) am_config_fail(c, key, "says nothing of %" PRId64 " patches", P);
    return found;
}

/* Part `part` of torch's in_proj of x: [B, T, C] -> heads. */
static am_value in_proj(am_builder *b, am_value x, int part, int64_t heads)
{
    int64_t C = am_dim(b, x, -1);
    am_value weight = am_weight(b, "in_proj_weight", am_shape_of(3 * C, C)),
             bias = am_weight(b, "in_proj_bias", am_shape_of(3 * C));
    x = am_linear_with(b, x, am_slice(b, weight, 0, part * C, (part + 1) * C),
                       am_slice(b, bias, 0, part * C, (part + 1) * C));
    return am_split_heads(b, x, heads);
}

/* What queries: [B, N, C] collect of states: [B, P, C], below cross_attn. */
static am_value collect(am_builder *b, am_value queries, am_value states, am_value mask, int64_t heads)
{
    int64_t C = am_dim(b, states, -1);
    am_attention_options options = {.heads = heads, .mask = mask};
    am_scope(b, "cross_attn");
    am_value q = am_linear(b, "q_proj", am_layer_norm(b, "layer_norm", queries, NORM_EPS), C, AM_NO_BIAS);
    states = am_layer_norm(b, "layer_norm_kv", states, NORM_EPS);
    am_value k = am_linear(b, "k_proj", states, C, AM_NO_BIAS), v = am_linear(b, "v_proj", states, C, AM_NO_BIAS);
    am_scope(b, "multihead_attn");
    am_value x =
        am_attend_cached(b, in_proj(b, q, 0, heads), in_proj(b, k, 1, heads), in_proj(b, v, 2, heads), &options);
    x = am_linear(b, "out_proj", am_merge_heads(b, x), C, AM_BIAS);
    am_end_scope(b);
    x = am_linear(b, "linear", x, C, AM_BIAS);
    am_end_scope(b);
    return x;
}

/* Which patches the input pixel_mask: [B, height, width] has any pixel of: BOOL [B, rows, columns], or AM_NONE. */
static am_value patch_mask(am_builder *b, const am_config *vision)
{
    am_value mask = am_input_optional(b, "pixel_mask", 3);
    if (!mask.id) return mask;
    int64_t side = am_image_options_read(vision, 224, 32).patch_size[0], rows = am_dim(b, mask, 1) / side,
            columns = am_dim(b, mask, 2) / side;
    if (am_dtype_of(b, mask) != AM_BOOL) mask = am_binary_number(b, AM_NOT_EQUAL, mask, 0);
    mask = am_slice(b, am_slice(b, mask, 1, 0, rows * side), 2, 0, columns * side);
    mask = am_reshape(b, mask, am_shape_of(am_dim(b, mask, 0), rows, side, columns, side));
    return am_reduce(b, AM_REDUCE_ANY, mask, am_shape_of(2, 4), false);
}

static am_value features(am_builder *b)
{
    static const int last = -1;
    const am_config *c = am_model_config(b);
    am_config vision = am_config_child(c, "vision_config");
    am_value mask = patch_mask(b, &vision);
    am_part_input inputs[] = {{.name = "patch_attention_mask", .value = mask}};
    am_part part = {.auto_class = "AutoModel",
                    .model_type = "idefics3_vision",
                    .config = &vision,
                    .inputs = inputs,
                    .input_count = 1,
                    .hidden_states = true};
    am_scope(b, "vision_tower");
    am_part_outputs tower = am_build_part(b, &part);
    am_end_scope(b);
    am_value x = am_vision_states(b, &tower, &last, 1, false);
    int64_t B = am_dim(b, x, 0), V = am_dim(b, x, 2), C = am_text_width(b), most;
    if (am_builder_failed(b)) return AM_NONE;
    int64_t N = queries_of(c, am_dim(b, x, 1), &most), heads = am_config_size(&vision, "num_attention_heads", 16);
    am_config_check_divides(&vision, "num_attention_heads", heads, "hidden_size", V);
    if (N < 1 || N > most) return AM_NONE;
    am_scope(b, "multi_modal_projector");
    am_value queries = am_slice(b, am_cast(b, am_weight(b, "query", am_shape_of(most, V)), AM_F32), 0, 0, N);
    queries = am_broadcast(b, am_unsqueeze(b, queries, 0), am_shape_of(B, N, V));
    x = collect(b, queries, x, mask.id ? am_padding_mask_of(b, am_flatten(b, mask, 1, 2)) : mask, heads);
    x = am_layer_norm(b, "layer_norm", x, NORM_EPS);
    x = am_linear_activation(b, "feed_forward.linear_in", x, C, AM_NO_BIAS, AM_GELU_TANH);
    x = am_linear(b, "feed_forward.linear_out", x, C, AM_NO_BIAS);
    am_end_scope(b);
    return x;
}

static const am_vision_language_family family = {.features = features, .image_token = 9, .text_type = "aria_text"};

static const am_architecture architectures[] = {
    {"AriaModel", am_vision_language_model, NULL, 0},
    {"AriaForConditionalGeneration", am_vision_language_for_conditional_generation, "image-text-to-text", AM_GENERATES},
    {0},
};

const am_model_type am_model_aria = {
    .name = "aria", .base_prefix = "model", .architectures = architectures, .family = &family};
