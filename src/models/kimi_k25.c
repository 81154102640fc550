/* Kimi K2.5: a transformer over patches of pictures and videos of any size, whose moments are averaged and whose
   squares of patches stand among the words of a DeepSeek-V3. transformers: models/kimi_k25/modeling_kimi_k25.py */
#include "models/blocks/attention.h"
#include "models/blocks/qwen_vl.h"
#include "models/blocks/vision.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

enum { PICTURES_LIMIT = 1024 };
static const double NORM_EPS = 1e-5; /* not configurable */

/* A tower as its configuration has it. */
typedef struct tower {
    int64_t width, inner, heads, head_dim, depth, patch[2], side, moments, merge[2];
    am_unary_fn act;
    double theta;
} tower;

static tower read_tower(const am_config *c)
{
    am_config rope = am_config_child(c, "rope_parameters");
    tower t = {.width = am_config_size(c, "hidden_size", 1152),
               .inner = am_config_size(c, "intermediate_size", 4304),
               .heads = am_config_size(c, "num_attention_heads", 16),
               .depth = am_config_count(c, "num_hidden_layers", 27),
               .side = am_config_size(c, "pos_emb_height", 64),
               .moments = am_config_count(c, "pos_emb_time", 4),
               .act = am_config_activation(c, "hidden_act", AM_GELU_TANH),
               .theta = am_config_real(&rope, "rope_theta", 10000)};
    am_config_pair(c, "patch_size", 14, t.patch);
    am_config_pair(c, "merge_kernel_size", 2, t.merge);
    am_config_check_divides(c, "num_attention_heads", t.heads, "hidden_size", t.width);
    t.head_dim = t.width < t.heads ? 4 : t.width / t.heads;
    if (t.head_dim % 4 != 0) am_config_fail(c, "hidden_size", "heads of %" PRId64 " are no multiple of 4", t.head_dim);
    if (t.width % 2 != 0) am_config_fail(c, "hidden_size", "is odd");
    if (am_config_size(c, "pos_emb_width", 64) != t.side)
        am_config_unsupported(c, "pos_emb_width", "expected as many as pos_emb_height, %" PRId64, t.side);
    if (am_config_has(&rope, "rope_type") && !am_config_is(&rope, "rope_type", "axial"))
        am_config_fail(&rope, "rope_type", "expected \"axial\"");
    if (t.side > INT16_MAX) am_config_fail(c, "pos_emb_height", "is larger than %d", INT16_MAX);
    return t;
}

/* Which of two names a tensor NAME.weight (or, with whole, NAME) has. */
static const char *either(am_builder *b, const char *name, const char *old, bool whole)
{
    char text[96];
    snprintf(text, sizeof text, "%s%s", old, whole ? "" : ".weight");
    return am_has_weight(b, text) ? old : name;
}

/* --- positions --- */

static void *numbers(am_builder *b, int64_t count, size_t size)
{
    void *data = am_arena_array(am_builder_arena(b), (size_t)count + 1, size);
    if (!data) am_builder_fail(b, am_out_of_memory());
    return data;
}

/* Sines and cosines of moments 0 .. t - 1, or zeros of a single one: [t, 1, width]. */
static am_value waves(am_builder *b, const tower *t, int64_t moments)
{
    int64_t half = t->width / 2;
    float *data = numbers(b, moments * t->width, sizeof *data);
    if (!data || am_builder_failed(b)) return AM_NONE;
    for (int64_t k = 0; k < moments; k++)
        for (int64_t i = 0; i < half; i++) {
            double angle = (double)k / pow(10000, 2.0 * (double)i / (double)t->width);
            data[k * t->width + i] = moments > 1 ? (float)sin(angle) : 0;
            data[k * t->width + half + i] = moments > 1 ? (float)cos(angle) : 0;
        }
    return am_constant_copy(b, AM_F32, am_shape_of(moments, 1, t->width), data);
}

/* Learned positions of all patches, bicubic between those of a square, and those of moments: [N, width]. */
static am_value positions(am_builder *b, const tower *t, const am_grids *g)
{
    am_value parts[PICTURES_LIMIT];
    const char *name = either(b, "pos_emb.position_embeddings", "pos_emb.weight", true);
    am_value table = am_cast(b, am_weight(b, name, am_shape_of(t->side, t->side, t->width)), AM_F32);
    table = am_unsqueeze(b, am_permute(b, table, am_shape_of(2, 0, 1)), 0);
    for (int i = 0; i < g->count && !am_builder_failed(b); i++) {
        am_grid item = g->items[i];
        if (item.t > 1 && item.t > t->moments)
            am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "a video of %" PRId64 " moments, pos_emb_time is %" PRId64,
                                        item.t, t->moments));
        am_value x =
            am_resize(b, table, &(am_resize_attributes){.size = am_shape_of(item.h, item.w), .mode = AM_RESIZE_CUBIC});
        parts[i] = am_flatten(b, am_add(b, am_image_tokens(b, x), waves(b, t, item.t)), 0, 1);
    }
    return am_builder_failed(b) ? AM_NONE : am_concat(b, parts, g->count, 0);
}

/* Pairs of a head turn by columns and rows in turn. */
static am_rope rotation(am_builder *b, const tower *t, const am_grids *g)
{
    int64_t pairs = t->head_dim / 2, at = 0;
    float *cosines = numbers(b, g->patches * pairs, sizeof *cosines),
          *sines = numbers(b, g->patches * pairs, sizeof *sines);
    if (!cosines || !sines || am_builder_failed(b)) return (am_rope){0};
    for (int i = 0; i < g->count; i++)
        for (int64_t k = 0; k < g->items[i].t * g->items[i].h * g->items[i].w; k++) {
            int64_t row = k / g->items[i].w % g->items[i].h, column = k % g->items[i].w;
            for (int64_t p = 0; p < pairs; p++, at++) {
                double frequency = pow(t->theta, -(double)(2 * (p / 2)) / (double)pairs);
                double angle = (double)(p % 2 ? row : column) * frequency;
                cosines[at] = (float)cos(angle);
                sines[at] = (float)sin(angle);
            }
        }
    am_shape shape = am_shape_of(1, g->patches, pairs);
    return (am_rope){.cos = am_constant_copy(b, AM_F32, shape, cosines),
                     .sin = am_constant_copy(b, AM_F32, shape, sines)};
}

/* --- the tower --- */

/* Files of before have all three projections in one, whose heads hold pairs side by side. */
static am_value attention(am_builder *b, am_value x, const tower *t, const am_rope *rope, const am_segments *segments)
{
    bool fused = am_has_weight(b, "wqkv.weight");
    am_rope own = {.cos = rope->cos, .sin = rope->sin, .interleaved = fused};
    am_attention_options options = {.heads = t->heads, .rope = &own, .qkv = fused ? "wqkv" : NULL};
    am_value qkv[3];
    const char *out = fused ? either(b, "attn.proj", "wo", false) : "proj";
    if (!fused) am_scope(b, "attn");
    am_attention_heads(b, x, &options, qkv);
    x = am_linear(b, out, am_segments_attend(b, segments, qkv, t->heads), t->width, AM_BIAS);
    if (!fused) am_end_scope(b);
    return x;
}

/* x: [1, N, width]; layers of files of before count norms and linears from 0. */
static am_value layer(am_builder *b, am_value x, const tower *t, const am_rope *rope, const am_segments *segments)
{
    bool from_zero = am_has_weight(b, "norm0.weight");
    am_value h = am_layer_norm(b, from_zero ? "norm0" : "norm1", x, NORM_EPS);
    x = am_add(b, x, attention(b, h, t, rope, segments));
    h = am_layer_norm(b, from_zero ? "norm1" : "norm2", x, NORM_EPS);
    h = am_linear_activation(b, from_zero ? "mlp.fc0" : "mlp.fc1", h, t->inner, AM_BIAS, t->act);
    return am_add(b, x, am_linear(b, from_zero ? "mlp.fc1" : "mlp.fc2", h, t->width, AM_BIAS));
}

/* One picture or video, x: [t * h * w, width], averaged over its moments, by squares: [n, merge^2, width]. */
static am_value merge(am_builder *b, am_value x, const tower *t, const am_grid *item)
{
    int64_t kh = t->merge[0], kw = t->merge[1], h = item->h / kh, w = item->w / kw;
    if (item->h % kh || item->w % kw) {
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT,
                                    "%" PRId64 " x %" PRId64 " patches are no squares of %" PRId64 " x %" PRId64,
                                    item->h, item->w, kh, kw));
        return AM_NONE;
    }
    x = am_reshape(b, x, am_shape_of(item->t, item->h * item->w, t->width));
    x = am_reduce(b, AM_REDUCE_MEAN, x, am_shape_of(0), false);
    x = am_reshape(b, x, (am_shape){.rank = 5, .dims = {h, kh, w, kw, t->width}});
    x = am_permute(b, x, (am_shape){.rank = 5, .dims = {0, 2, 1, 3, 4}});
    return am_reshape(b, x, am_shape_of(h * w, kh * kw, t->width));
}

/* Patches x: [N, 3, height, width] -> [N, width]. */
static am_value embed(am_builder *b, am_value x, const tower *t, const am_grids *g)
{
    bool below = am_has_weight(b, "encoder.patch_embed.proj.weight");
    am_shape patch = am_shape_of(t->patch[0], t->patch[1]);
    x = am_conv(b, below ? "encoder.patch_embed.proj" : "patch_embed.proj", x, t->width, patch, AM_BIAS,
                &(am_convolution_attributes){.stride = patch});
    if (!am_builder_failed(b) && (am_dim(b, x, 2) != 1 || am_dim(b, x, 3) != 1))
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "pixel_values has more than a patch in each row"));
    am_scope(b, "patch_embed");
    x = am_add(b, am_flatten(b, x, 1, 3), positions(b, t, g));
    am_end_scope(b);
    return x;
}

typedef struct tower_output {
    am_value last, pooled; /* [N, width], [n, merge^2, width] */
} tower_output;

static tower_output run_tower(am_builder *b, const tower *t, am_value x, const am_grids *g, bool hidden_states)
{
    int64_t lengths[PICTURES_LIMIT], at = 0;
    am_value parts[PICTURES_LIMIT];
    tower_output none = {AM_NONE, AM_NONE};
    if ((g->count < 1 || g->count > PICTURES_LIMIT || am_dim(b, x, 0) != g->patches) && !am_builder_failed(b))
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT,
                                    "%" PRId64 " patches, but the grids have %" PRId64 " of %d pictures; at most %d "
                                    "pictures are possible",
                                    am_dim(b, x, 0), g->patches, g->count, PICTURES_LIMIT));
    if (am_builder_failed(b)) return none;
    for (int i = 0; i < g->count; i++) lengths[i] = g->items[i].t * g->items[i].h * g->items[i].w;
    am_segments segments = am_segments_make(b, lengths, g->count);
    x = am_unsqueeze(b, embed(b, x, t, g), 0);
    am_rope rope = rotation(b, t, g);
    bool inside = am_has_weight(b, "encoder.final_layernorm.weight"),
         is_new = am_has_weight(b, "layers.0.norm1.weight");
    for (int i = 0; i < t->depth && !am_builder_failed(b); i++) {
        if (hidden_states) am_output_hidden_state(b, "hidden_states", i, am_squeeze(b, x, 0));
        am_scope(b, "%s.%d", inside ? "encoder.blocks" : is_new ? "layers" : "blocks", i);
        x = layer(b, x, t, &rope, &segments);
        am_end_scope(b);
    }
    x = am_layer_norm(b, inside ? "encoder.final_layernorm" : "final_layernorm", am_squeeze(b, x, 0), NORM_EPS);
    if (hidden_states) am_output_hidden_state(b, "hidden_states", (int)t->depth, x);
    for (int i = 0; i < g->count && !am_builder_failed(b); at += lengths[i++])
        parts[i] = merge(b, am_slice(b, x, 0, at, at + lengths[i]), t, &g->items[i]);
    return am_builder_failed(b) ? none : (tower_output){x, am_concat(b, parts, g->count, 0)};
}

static void vision_model(am_builder *b)
{
    tower t = read_tower(am_model_config(b));
    am_grids grids = am_grids_read(b, "grid_thw", 1);
    tower_output out = run_tower(b, &t, am_input(b, "pixel_values", 4), &grids, true);
    am_output(b, "last_hidden_state", out.last);
    am_output(b, "pooler_output", out.pooled);
}

/* --- rows of the text --- */

static am_value rows(am_builder *b, const char *pixels, const char *grid)
{
    const am_config *c = am_model_config(b);
    am_config vision = am_config_child(c, "vision_config");
    tower t = read_tower(&vision);
    int64_t inner = t.width * t.merge[0] * t.merge[1];
    am_grids grids = am_grids_read(b, grid, 1);
    if (am_config_size(c, "projection_hidden_size", 1152) != t.width)
        am_config_fail(c, "projection_hidden_size", "is not hidden_size of vision_config, %" PRId64, t.width);
    am_scope(b, "vision_tower");
    am_value x = run_tower(b, &t, am_input(b, pixels, 4), &grids, false).pooled;
    am_end_scope(b);
    const char *norm = either(b, "mm_projector.pre_norm", "model.mm_projector.pre_norm", false),
               *in = either(b, "mm_projector.in_proj", "mm_projector.proj.0", false),
               *out = either(b, "mm_projector.out_proj", "mm_projector.proj.2", false);
    x = am_layer_norm(b, norm, x, am_config_real(c, "projection_layer_norm_eps", 1e-5));
    x = am_linear_activation(b, in, am_reshape(b, x, am_shape_of(-1, inner)), inner, AM_BIAS, AM_GELU);
    return am_linear(b, out, x, am_text_width(b), AM_BIAS);
}

static am_value features(am_builder *b)
{
    return rows(b, "pixel_values", "image_grid_thw");
}

static am_value video_features(am_builder *b)
{
    return rows(b, "pixel_values_videos", "video_grid_thw");
}

/* Tokens of images and videos count as the first word, which stays where nothing takes their places. */
static int text_inputs(am_builder *b, am_part_input out[AM_VISION_LANGUAGE_INPUTS])
{
    const am_config *c = am_model_config(b);
    if (!am_has_input(b, "input_ids") || am_has_input(b, "inputs_embeds")) return 0;
    am_value ids = am_input(b, "input_ids", 2), word = am_scalar(b, AM_I32, 0);
    int64_t tokens[2] = {am_config_int(c, "image_token_id", 163605), am_config_int(c, "video_token_id", 163840)};
    for (int i = 0; i < 2; i++) ids = am_select(b, am_binary_number(b, AM_EQUAL, ids, (double)tokens[i]), word, ids);
    out[0] = (am_part_input){.name = "input_ids", .value = ids};
    return 1;
}

static const am_vision_language_family family = {.features = features,
                                                 .video_features = video_features,
                                                 .image_token = 163605,
                                                 .video_token = 163840,
                                                 .tied = true,
                                                 .text_type = "deepseek_v3",
                                                 .text_alias = "kimi_k2",
                                                 .hides_features = true,
                                                 .text_inputs = text_inputs};

static const am_architecture architectures[] = {
    {"Kimi_K25Model", am_vision_language_model, NULL, 0},
    {"Kimi_K25ForConditionalGeneration", am_vision_language_for_conditional_generation, "image-text-to-text",
     AM_GENERATES},
    {"Kimi_K25VisionModel", vision_model, NULL, 0},
    {0},
};

const am_model_type am_model_kimi_k25 = {.name = "kimi_k25 kimi_k25_vision",
                                         .base_prefix = "model",
                                         .architectures = architectures,
                                         .family = &family,
                                         .shaping_inputs = am_qwen_shaping_inputs};
