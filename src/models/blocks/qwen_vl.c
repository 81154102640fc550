#include "models/blocks/qwen_vl.h"

#include "models/blocks/attention.h"
#include "models/blocks/decoder.h"
#include "models/blocks/limited_gates.h"

#include <inttypes.h>
#include <stdio.h>

const am_shaping_input am_qwen_shaping_inputs[] = {
    {.name = "image_grid_thw"}, {.name = "video_grid_thw"}, {.name = "grid_thw"}, {0}};

/* --- vision tower --- */

static am_value norm(am_builder *b, const char *name, am_value x, const am_qwen_vision *v)
{
    double eps = v->norm_eps != 0 ? v->norm_eps : 1e-6;
    return v->modern ? am_rms_norm(b, name, x, eps, 0) : am_layer_norm(b, name, x, eps);
}

/* The convolution over whole patches, as a product: x: [N, pixels] -> [N, width]. */
static am_value embed(am_builder *b, am_value x, const am_qwen_vision *v)
{
    int64_t pixels = v->in_channels * v->temporal_patch_size * v->patch_size * v->patch_size;
    am_shape shape = {.rank = 5,
                      .dims = {v->width, v->in_channels, v->temporal_patch_size, v->patch_size, v->patch_size}};
    if (am_dim(b, x, 1) != pixels)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "patches have %" PRId64 " numbers, expected %" PRId64,
                                    am_dim(b, x, 1), pixels));
    if (v->flat_embedding) shape = am_shape_of(v->width, pixels);
    if (v->no_time) shape = am_shape_of(v->width, v->in_channels, v->patch_size, v->patch_size);
    am_value weight = am_reshape(b, am_weight(b, "patch_embed.proj.weight", shape), am_shape_of(v->width, pixels));
    am_value bias =
        v->positions || v->patch_bias ? am_weight(b, "patch_embed.proj.bias", am_shape_of(v->width)) : AM_NONE;
    return am_linear_with(b, x, weight, bias);
}

/* The two rows or columns of a table of `side` that place i of `count` lies between, and how near the second. */
static void neighbours(int64_t i, int64_t count, int64_t side, int64_t at[2], float *share)
{
    float place = (float)(i * (side - 1)) / (float)(count > 1 ? count - 1 : 1);
    at[0] = (int64_t)place;
    at[1] = at[0] + 1 < side ? at[0] + 1 : side - 1;
    *share = place - (float)at[0];
}

/* Learned positions of each patch: [N, width], linear between those of the table. */
static am_value positions(am_builder *b, const am_grids *g, const am_patch_places *places, const am_qwen_vision *v)
{
    int64_t side = 1, N = g->patches, at = 0, rows[2], columns[2];
    while ((side + 1) * (side + 1) <= v->positions) side++;
    am_value table = am_weight(b, "pos_embed.weight", am_shape_of(v->positions, v->width)), sum = AM_NONE;
    table = am_cast(b, table, AM_F32);
    int32_t *ids = am_arena_array(am_builder_arena(b), (size_t)(4 * N) + 1, sizeof *ids);
    float *shares = am_arena_array(am_builder_arena(b), (size_t)(4 * N) + 1, sizeof *shares), y, x;
    if (!ids || !shares) {
        am_builder_fail(b, am_out_of_memory());
        return AM_NONE;
    }
    for (int i = 0; i < g->count; i++)
        for (int64_t k = 0; k < g->items[i].t * g->items[i].h * g->items[i].w; k++, at++) {
            neighbours(places->height[at], g->items[i].h, side, rows, &y);
            neighbours(places->width[at], g->items[i].w, side, columns, &x);
            for (int q = 0; q < 4; q++) {
                ids[q * N + at] = (int32_t)(rows[q / 2] * side + columns[q % 2]);
                shares[q * N + at] = (q / 2 ? y : 1 - y) * (q % 2 ? x : 1 - x);
            }
        }
    for (int q = 0; q < 4; q++) {
        am_value part = am_gather(b, table, am_constant_copy(b, AM_I32, am_shape_of(N), ids + q * N), 0, false);
        part = am_mul(b, part, am_constant_copy(b, AM_F32, am_shape_of(N, 1), shares + q * N));
        sum = sum.id ? am_add(b, sum, part) : part;
    }
    return sum;
}

static const char *name_or(const char *name, const char *fallback)
{
    return name ? name : fallback;
}

static am_value attention(am_builder *b, am_value x, const am_qwen_vision *v, const am_rope *rope,
                          const am_segments *segments)
{
    am_value qkv[3];
    am_attention_options options = {.heads = v->heads,
                                    .kv_heads = v->kv_heads,
                                    .qkv = v->q ? NULL : "qkv",
                                    .q = v->q,
                                    .k = v->k,
                                    .v = v->v,
                                    .no_q_bias = v->no_qkv_bias,
                                    .q_norm = v->qk_norm ? "q_norm" : NULL,
                                    .k_norm = v->qk_norm ? "k_norm" : NULL,
                                    .norm_eps = v->norm_eps,
                                    .rope = v->no_rope ? NULL : rope};
    am_scope(b, "attn");
    am_attention_heads(b, x, &options, qkv);
    x = am_linear(b, "proj", am_segments_attend(b, segments, qkv, v->heads), v->width,
                  v->no_proj_bias ? AM_NO_BIAS : AM_BIAS);
    am_end_scope(b);
    return x;
}

static am_value mlp(am_builder *b, am_value x, const am_qwen_vision *v)
{
    am_scope(b, "mlp");
    int bias = v->no_mlp_bias ? AM_NO_BIAS : AM_BIAS;
    if (v->limit > 0) x = am_limited_mlp(b, x, v->intermediate_size, v->hidden_act, bias, v->limit);
    else if (v->modern) x = am_gated_mlp(b, x, v->intermediate_size, v->hidden_act, bias);
    else {
        x = am_linear_activation(b, name_or(v->fc1, "fc1"), x, v->intermediate_size, AM_BIAS, v->hidden_act);
        x = am_linear(b, name_or(v->fc2, "fc2"), x, v->width, AM_BIAS);
    }
    am_end_scope(b);
    return x;
}

/* x: [N, width] -> [N / merge^2, out_width] below the scope NAME; norms whole squares, or patches. */
static am_value merge(am_builder *b, const char *name, am_value x, const am_qwen_vision *v, bool norms_squares)
{
    const char *ln = name_or(v->merge_norm, "ln_q");
    am_shape squares = am_shape_of(-1, v->width * v->merge * v->merge);
    am_scope(b, "%s", name);
    x = norms_squares ? norm(b, ln, am_reshape(b, x, squares), v) : am_reshape(b, norm(b, ln, x, v), squares);
    x = am_linear_activation(b, name_or(v->merge_1, "mlp.0"), x, am_dim(b, x, -1), AM_BIAS, AM_GELU);
    x = am_linear(b, name_or(v->merge_2, "mlp.2"), x, v->out_width, AM_BIAS);
    am_end_scope(b);
    return x;
}

/* --- windows --- */

/* Tokens of the text window by window, and how long windows and whole pictures are in patches. */
typedef struct window_order {
    int64_t *tokens; /* null: as they are */
    int64_t *windows, *pictures;
    int64_t window_count, picture_count;
} window_order;

/* One window of a picture whose tokens begin at `first`: how many tokens it has. */
static int64_t order_window(const am_qwen_vision *v, int64_t h, int64_t w, int64_t row, int64_t column, int64_t first,
                            int64_t *out)
{
    int64_t count = 0;
    for (int64_t y = row; y < row + v->window && y < h; y++)
        for (int64_t x = column; x < column + v->window && x < w; x++) out[count++] = first + y * w + x;
    return count;
}

static window_order read_order(am_builder *b, const am_grids *g, const am_qwen_vision *v)
{
    int64_t unit = g->merge * g->merge, tokens = g->patches / unit, at = 0, pictures = 0;
    for (int i = 0; i < g->count; i++) pictures += g->items[i].t;
    am_arena *arena = am_builder_arena(b);
    window_order o = {.tokens = v->window ? am_arena_array(arena, (size_t)tokens + 1, sizeof *o.tokens) : NULL,
                      .windows = am_arena_array(arena, (size_t)tokens + 1, sizeof *o.windows),
                      .pictures = am_arena_array(arena, (size_t)pictures + 1, sizeof *o.pictures)};
    if (!o.windows || !o.pictures || (v->window && !o.tokens)) {
        am_builder_fail(b, am_out_of_memory());
        return o;
    }
    for (int i = 0; i < g->count; i++) {
        int64_t h = g->items[i].h / g->merge, w = g->items[i].w / g->merge;
        for (int64_t t = 0; t < g->items[i].t; t++) {
            int64_t first = at;
            o.pictures[o.picture_count++] = h * w * unit;
            for (int64_t row = 0; row < h && v->window; row += v->window)
                for (int64_t column = 0; column < w; column += v->window) {
                    int64_t count = order_window(v, h, w, row, column, first, o.tokens + at);
                    o.windows[o.window_count++] = count * unit;
                    at += count;
                }
        }
    }
    return o;
}

/* Rows of x: [tokens, C] in the order, or, inverted, back from it. */
static am_value reorder(am_builder *b, am_value x, const int64_t *order, bool inverted)
{
    int64_t count = am_dim(b, x, 0);
    int32_t *rows = am_arena_array(am_builder_arena(b), (size_t)count + 1, sizeof *rows);
    if (!order || am_builder_failed(b)) return x;
    if (!rows) {
        am_builder_fail(b, am_out_of_memory());
        return x;
    }
    for (int64_t i = 0; i < count; i++) rows[inverted ? order[i] : i] = (int32_t)(inverted ? i : order[i]);
    return am_gather(b, x, am_constant_copy(b, AM_I32, am_shape_of(count), rows), 0, false);
}

/* Whether layer i sees whole pictures: fullatt_block_indexes. */
static bool sees_all(const am_qwen_vision *v, int64_t i)
{
    static const int64_t fallback[] = {7, 15, 23, 31};
    int64_t all[64];
    int count = am_config_sizes(v->c, "fullatt_block_indexes", all, 64, fallback, 4);
    for (int k = 0; k < count; k++)
        if (all[k] == i) return true;
    return v->window == 0;
}

/* What the text is given of the states x: [1, N, width] after layer i, as the count-th of such, where it is: how many
   there are then. */
static int keep_deep(am_builder *b, am_value x, int i, const am_qwen_vision *v, int count, am_qwen_vision_output *out)
{
    char name[48];
    int k = 0;
    while (k < v->deep_count && v->deep[k] != i) k++;
    if (k == v->deep_count) return count;
    snprintf(name, sizeof name, "%s.%d", name_or(v->deep_mergers, "deepstack_merger_list"), k);
    out->deep[count] = merge(b, name, am_squeeze(b, x, 0), v, true);
    return count + 1;
}

am_qwen_vision_output am_qwen_vision_tower(am_builder *b, am_value x, const am_grids *g, const am_qwen_vision *v,
                                           bool hidden_states)
{
    am_qwen_vision_output out = {AM_NONE, AM_NONE, {AM_NONE}};
    int deep = 0;
    int64_t N = am_dim(b, x, 0), unit = g->merge * g->merge;
    if (N != g->patches)
        am_builder_fail(
            b, am_error(AM_INVALID_ARGUMENT, "%" PRId64 " patches, but the grids have %" PRId64, N, g->patches));
    if (am_builder_failed(b)) return out;
    window_order order = read_order(b, g, v);
    am_patch_places places = am_grid_places(b, g, order.tokens);
    if (am_builder_failed(b)) return out;
    am_rope rope = {0};
    if (!v->no_rope) rope = am_grid_rope(b, &places, N, v->width / v->heads, v->theta, AM_GRID_ROPE_SAME);
    am_segments pictures = am_segments_make(b, order.pictures, order.picture_count),
                windows = am_segments_make(b, order.windows, order.window_count);
    x = embed(b, x, v);
    if (v->positions) x = am_add(b, x, positions(b, g, &places, v));
    if (v->enter) x = v->enter(b, x, g, &places, v);
    x = am_reshape(b, x, am_shape_of(N / unit, unit * v->width));
    x = am_reshape(b, reorder(b, x, order.tokens, false), am_shape_of(1, N, v->width));
    for (int i = 0; i < v->depth && !am_builder_failed(b); i++) {
        if (hidden_states) am_output_hidden_state(b, "hidden_states", i, am_squeeze(b, x, 0));
        am_scope(b, "blocks.%d", i);
        x = am_add(b, x, attention(b, norm(b, "norm1", x, v), v, &rope, sees_all(v, i) ? &pictures : &windows));
        x = am_add(b, x, mlp(b, norm(b, "norm2", x, v), v));
        am_end_scope(b);
        deep = keep_deep(b, x, i, v, deep, &out);
    }
    x = am_squeeze(b, x, 0);
    if (v->leave) v->leave(b, x, v, &out);
    else {
        out.last_hidden_state = x;
        out.pooler_output = reorder(b, merge(b, "merger", x, v, false), order.tokens, true);
    }
    if (hidden_states) am_output_hidden_state(b, "hidden_states", (int)v->depth, out.last_hidden_state);
    if (deep != v->deep_count && !am_builder_failed(b))
        am_config_fail(v->c, "deepstack_visual_indexes", "expected %d different layers of %" PRId64, v->deep_count,
                       v->depth);
    return out;
}

am_qwen_vision am_qwen2_5_vision_read(const am_config *c)
{
    am_config rope = am_config_child(c, "rope_parameters");
    am_qwen_vision v = {
        .depth = am_config_count(c, am_config_either(c, "depth", "num_hidden_layers"), 32),
        .width = am_config_size(c, "hidden_size", 3584),
        .out_width = am_config_size(c, "out_hidden_size", 3584),
        .intermediate_size = am_config_size(c, "intermediate_size", 3420),
        .heads = am_config_size(c, am_config_either(c, "num_heads", "num_attention_heads"), 16),
        .in_channels = am_config_size(c, "in_channels", 3),
        .patch_size = am_config_size(c, "patch_size", 14),
        .temporal_patch_size = am_config_size(c, "temporal_patch_size", 2),
        .merge = am_config_size(c, "spatial_merge_size", 2),
        .c = c,
        .hidden_act = am_config_activation(c, "hidden_act", AM_SILU),
        .modern = true,
        .theta = am_config_real(&rope, "rope_theta", 10000),
    };
    v.window = am_config_size(c, "window_size", 112) / v.merge / v.patch_size;
    if (v.window < 1) am_config_fail(c, "window_size", "is less than a token of %lld patches", (long long)v.merge);
    am_config_check_divides(c, "num_heads", v.heads, "hidden_size", v.width);
    return v;
}

static am_value features(am_builder *b, am_qwen_vision_read *read, const char *scope, const char *pixels,
                         const char *grid, bool frames_apart)
{
    am_config c = am_config_child(am_model_config(b), "vision_config");
    am_qwen_vision v = read(&c);
    am_grids grids = am_grids_read(b, grid, v.merge);
    if (!am_has_input(b, grid))
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "input %s is missing beside %s", grid, pixels));
    if (frames_apart) grids = am_grid_frames(b, &grids);
    am_scope(b, "%s", scope);
    am_qwen_vision_output out = am_qwen_vision_tower(b, am_input(b, pixels, 2), &grids, &v, false);
    am_end_scope(b);
    if (v.deep_count == 0 || am_builder_failed(b)) return out.pooler_output;
    am_value parts[AM_VISION_LANGUAGE_DEEP + 1] = {out.pooler_output};
    for (int k = 0; k < v.deep_count; k++) parts[k + 1] = out.deep[k];
    return am_concat(b, parts, v.deep_count + 1, -1);
}

am_value am_qwen_features(am_builder *b, am_qwen_vision_read *read, const char *pixels, const char *grid)
{
    return features(b, read, "visual", pixels, grid, false);
}

am_value am_qwen_frame_features(am_builder *b, am_qwen_vision_read *read, const char *pixels, const char *grid)
{
    return features(b, read, "visual", pixels, grid, true);
}

am_value am_qwen_features_below(am_builder *b, am_qwen_vision_read *read, const char *scope, const char *pixels,
                                const char *grid)
{
    return features(b, read, scope, pixels, grid, false);
}

/* --- places of the text --- */

am_value am_qwen_attended(am_builder *b, int64_t T)
{
    am_value mask = am_input_optional(b, "attention_mask", 2);
    if (!mask.id) return mask;
    return am_slice(b, am_dtype_of(b, mask) == AM_BOOL ? mask : am_binary_number(b, AM_NOT_EQUAL, mask, 0), 1, 0, T);
}

am_value am_qwen_next_places(am_builder *b, int64_t B, am_dtype dtype)
{
    am_value delta = am_cast(b, am_cache_load(b, "rope_delta", am_shape_of(B, 1)), dtype);
    am_value at = am_add(b, am_cast(b, am_position_ids(b, 1), dtype), delta);
    return am_broadcast(b, am_unsqueeze(b, at, 0), am_shape_of(3, B, 1));
}

int am_qwen_text_inputs(am_builder *b, const am_qwen_places *p, am_part_input out[AM_VISION_LANGUAGE_INPUTS])
{
    am_value types = am_input_optional(b, "mm_token_type_ids", 2), ids = am_input_optional(b, "input_ids", 2);
    am_value places = am_input_optional(b, "position_ids", -1);
    am_place_inputs in = {.types = types,
                          .images = am_grids_read(b, "image_grid_thw", p->merge),
                          .videos = am_grids_read(b, "video_grid_thw", p->merge),
                          .tokens_per_second = p->tokens_per_second};
    if (p->tokens_per_second) in.seconds = am_input_optional(b, "second_per_grid_ts", 1);
    if (p->frames_apart) in.videos = am_grid_frames(b, &in.videos);
    if (p->video_frames) in.videos = am_grids_shortened(b, &in.videos, p->video_frames);
    if (!ids.id || (places.id && am_shape_of_value(b, places).rank == 3)) return 0;
    int64_t B = am_dim(b, ids, 0), T = am_dim(b, ids, 1);
    am_value delta = am_broadcast(b, am_scalar(b, AM_I32, 0), am_shape_of(B, 1));
    if (T == 1 && am_has_cache(b)) {
        out[0] = (am_part_input){.name = "position_ids", .value = am_qwen_next_places(b, B, AM_I32)};
        return 1;
    }
    bool seen = in.images.count || in.videos.count;
    if (seen && !types.id)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "input mm_token_type_ids is missing beside images or videos"));
    if (am_builder_failed(b)) return 0;
    in.attended = am_qwen_attended(b, T);
    if (seen) out[0] = (am_part_input){.name = "position_ids", .value = am_text_places(b, &in, &delta)};
    am_cache_store(b, "rope_delta", am_cast(b, delta, AM_F32));
    return seen;
}
