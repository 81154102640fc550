#include "models/blocks/grids.h"

#include "models/blocks/attention.h"

#include <inttypes.h>
#include <math.h>

enum { LONGEST_SIDE = 1 << 15, KINDS = 3 };

am_grids am_grids_read(am_builder *b, const char *name, int64_t merge)
{
    am_grids g = {.merge = merge};
    am_value x = am_input_optional(b, name, 2);
    if (!x.id) return g;
    int64_t count = am_dim(b, x, 0);
    am_grid *items = am_arena_array(am_builder_arena(b), (size_t)count + 1, sizeof *items);
    if (!items) am_builder_fail(b, am_out_of_memory());
    if (am_dim(b, x, 1) != KINDS)
        am_builder_fail(
            b, am_error(AM_INVALID_ARGUMENT, "%s has rows of %" PRId64 " numbers, expected 3", name, am_dim(b, x, 1)));
    for (int64_t i = 0; i < count && !am_builder_failed(b); i++) {
        int64_t t = am_shaping_number(b, name, 3 * i), h = am_shaping_number(b, name, 3 * i + 1),
                w = am_shaping_number(b, name, 3 * i + 2);
        bool fits = t >= 1 && h >= 1 && w >= 1 && t <= LONGEST_SIDE && h <= LONGEST_SIDE && w <= LONGEST_SIDE;
        if (!fits || h % merge || w % merge || t * h * w > INT32_MAX - g.patches) {
            am_builder_fail(b, am_error(AM_INVALID_ARGUMENT,
                                        "%s: row %" PRId64 " has %" PRId64 " x %" PRId64 " x %" PRId64
                                        " patches, which are no squares of %" PRId64,
                                        name, i, t, h, w, merge));
            return g;
        }
        items[i] = (am_grid){t, h, w};
        g.patches += t * h * w;
    }
    g.items = items;
    g.count = am_builder_failed(b) ? 0 : (int)count;
    return g;
}

am_grids am_grid_frames(am_builder *b, const am_grids *g)
{
    am_grids frames = *g;
    int64_t count = 0;
    for (int i = 0; i < g->count; i++) count += g->items[i].t;
    am_grid *items = am_arena_array(am_builder_arena(b), (size_t)count + 1, sizeof *items);
    frames.items = items;
    frames.count = 0;
    if (!items) am_builder_fail(b, am_out_of_memory());
    for (int i = 0; i < g->count && items; i++)
        for (int64_t t = 0; t < g->items[i].t; t++) items[frames.count++] = (am_grid){1, g->items[i].h, g->items[i].w};
    return frames;
}

am_grids am_grids_shortened(am_builder *b, const am_grids *g, int64_t frames)
{
    am_grids whole = *g;
    am_grid *items = am_arena_array(am_builder_arena(b), (size_t)g->count + 1, sizeof *items);
    whole.items = items;
    whole.patches = 0;
    if (!items) am_builder_fail(b, am_out_of_memory());
    for (int i = 0; i < g->count && items; i++) {
        items[i] = (am_grid){g->items[i].t / frames, g->items[i].h, g->items[i].w};
        whole.patches += items[i].t * items[i].h * items[i].w;
        if (items[i].t == 0)
            am_builder_fail(b,
                            am_error(AM_INVALID_ARGUMENT, "a video of %" PRId64 " frames, expected %" PRId64 " or more",
                                     g->items[i].t, frames));
    }
    return whole;
}

static void *numbers(am_builder *b, int64_t count, size_t size)
{
    void *data = am_arena_array(am_builder_arena(b), (size_t)count + 1, size);
    if (!data) am_builder_fail(b, am_out_of_memory());
    return data;
}

am_patch_places am_grid_places(am_builder *b, const am_grids *g, const int64_t *order)
{
    int64_t m = g->merge, unit = m * m, at = 0;
    am_patch_places p = {numbers(b, g->patches, sizeof *p.height), numbers(b, g->patches, sizeof *p.width)},
                    q = {numbers(b, g->patches, sizeof *p.height), numbers(b, g->patches, sizeof *p.width)};
    if (!p.height || !p.width || !q.height || !q.width) return (am_patch_places){NULL, NULL};
    for (int i = 0; i < g->count; i++)
        for (int64_t k = 0; k < g->items[i].t * g->items[i].h * g->items[i].w; k++, at++) {
            int64_t inside = k % (g->items[i].h * g->items[i].w), square = inside / unit, columns = g->items[i].w / m;
            p.height[at] = (int32_t)(square / columns * m + inside % unit / m);
            p.width[at] = (int32_t)(square % columns * m + inside % m);
        }
    for (int64_t k = 0; order && k < g->patches; k++) {
        q.height[k] = p.height[order[k / unit] * unit + k % unit];
        q.width[k] = p.width[order[k / unit] * unit + k % unit];
    }
    return order ? q : p;
}

am_value am_grid_relative_places(am_builder *b, const am_grids *g, const am_patch_places *p)
{
    int64_t at = 0;
    float *data = numbers(b, 2 * g->patches, sizeof *data);
    if (!data || am_builder_failed(b)) return AM_NONE;
    for (int i = 0; i < g->count; i++)
        for (int64_t k = 0; k < g->items[i].t * g->items[i].h * g->items[i].w; k++, at++) {
            data[2 * at] = (float)((p->width[at] + 0.5) / (double)g->items[i].w * 2 - 1);
            data[2 * at + 1] = (float)((p->height[at] + 0.5) / (double)g->items[i].h * 2 - 1);
        }
    return am_constant_copy(b, AM_F32, (am_shape){.rank = 4, .dims = {1, g->patches, 1, 2}}, data);
}

/* cos or sin of each patch's angles. */
static am_value angles(am_builder *b, const am_patch_places *p, int64_t patches, const double *frequencies,
                       int64_t pairs, double (*fn)(double))
{
    float *data = numbers(b, patches * pairs, sizeof *data);
    if (!data) return AM_NONE;
    for (int64_t k = 0; k < patches; k++)
        for (int64_t i = 0; i < pairs; i++)
            data[k * pairs + i] = (float)fn((double)(i < pairs / 2 ? p->height[k] : p->width[k]) * frequencies[i]);
    return am_constant_copy(b, AM_F32, am_shape_of(1, patches, pairs), data);
}

/* Which of `count` frequencies pair i of a head turns by. */
static int64_t frequency_of(am_grid_rope_kind kind, int64_t i, int64_t pairs)
{
    int64_t half = pairs / 2;
    return kind == AM_GRID_ROPE_SAME ? i % half : 2 * (i % half) + i / half;
}

am_rope am_grid_rope(am_builder *b, const am_patch_places *p, int64_t patches, int64_t head_dim, double theta,
                     am_grid_rope_kind kind)
{
    double frequencies[AM_ROPE_LIMIT];
    int64_t pairs = head_dim / 2, count = kind == AM_GRID_ROPE_SAME ? pairs / 2 : pairs;
    if (head_dim % 4 != 0 || pairs > AM_ROPE_LIMIT || !(theta > 0))
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "heads of %" PRId64 " rotated by theta %g", head_dim, theta));
    if (am_builder_failed(b)) return (am_rope){0};
    for (int64_t i = 0; i < pairs; i++)
        frequencies[i] = (double)(float)pow(theta, -(double)frequency_of(kind, i, pairs) / (double)count);
    return (am_rope){.cos = angles(b, p, patches, frequencies, pairs, cos),
                     .sin = angles(b, p, patches, frequencies, pairs, sin)};
}

/* --- attention within parts --- */

am_segments am_segments_make(am_builder *b, const int64_t *lengths, int64_t count)
{
    am_segments s = {.count = count, .equal = true};
    int64_t tokens = 0;
    for (int64_t i = 0; i < count; i++) {
        s.longest = lengths[i] > s.longest ? lengths[i] : s.longest;
        s.equal = s.equal && lengths[i] == lengths[0];
        tokens += lengths[i];
    }
    if (s.equal) return s;
    int32_t *spread = numbers(b, count * s.longest, sizeof *spread), *gather = numbers(b, tokens, sizeof *gather);
    uint8_t *mask = numbers(b, count * s.longest, sizeof *mask);
    if (!spread || !gather || !mask) return s;
    int64_t at = 0;
    for (int64_t i = 0; i < count; i++)
        for (int64_t k = 0; k < s.longest; k++) {
            bool is_token = k < lengths[i];
            spread[i * s.longest + k] = (int32_t)(is_token ? at : 0);
            mask[i * s.longest + k] = is_token;
            if (is_token) gather[at++] = (int32_t)(i * s.longest + k);
        }
    s.spread = am_constant_copy(b, AM_I32, am_shape_of(count * s.longest), spread);
    s.mask = am_constant_copy(b, AM_BOOL, am_shape_of(count, 1, 1, s.longest), mask);
    s.gather = am_constant_copy(b, AM_I32, am_shape_of(tokens), gather);
    return s;
}

am_value am_segments_attend(am_builder *b, const am_segments *s, const am_value qkv[3], int64_t heads)
{
    am_value parts[3];
    for (int i = 0; i < 3; i++) {
        am_value x = s->equal ? qkv[i] : am_gather(b, qkv[i], s->spread, 1, false);
        parts[i] = am_reshape(b, x, am_shape_of(s->count, s->longest, am_dim(b, x, 2), am_dim(b, x, 3)));
    }
    am_attention_options options = {.heads = heads, .mask = s->mask};
    am_value x = am_merge_heads(b, am_attend_cached(b, parts[0], parts[1], parts[2], &options));
    x = am_reshape(b, x, am_shape_of(1, s->count * s->longest, am_dim(b, x, -1)));
    return s->equal ? x : am_gather(b, x, s->gather, 1, false);
}

/* --- places in a text --- */

/* What is known of each token of images or videos. */
typedef struct place_tables {
    int64_t tokens;
    am_value time, height, width, advance, which, last; /* I32 [tokens] */
} place_tables;

enum { TABLES = 6 };

/* Rows of the table, one of each kind; advance counts at an image's last token, where last is 1. */
static place_tables read_tables(am_builder *b, const am_grids *g)
{
    place_tables p = {.tokens = g->patches / (g->merge * g->merge)};
    am_shape shape = am_shape_of(p.tokens);
    int32_t *rows[TABLES];
    int64_t at = 0;
    for (int i = 0; i < TABLES; i++)
        if (!(rows[i] = numbers(b, p.tokens, sizeof **rows))) return p;
    for (int i = 0; i < g->count; i++) {
        int64_t h = g->items[i].h / g->merge, w = g->items[i].w / g->merge, count = g->items[i].t * h * w;
        for (int64_t k = 0; k < count; k++, at++) {
            rows[0][at] = (int32_t)(k / (h * w));
            rows[1][at] = (int32_t)(k / w % h);
            rows[2][at] = (int32_t)(k % w);
            rows[3][at] = (int32_t)(k + 1 < count ? 0 : h > w ? h : w);
            rows[4][at] = i;
            rows[5][at] = k + 1 == count;
        }
    }
    am_value *out[] = {&p.time, &p.height, &p.width, &p.advance, &p.which, &p.last};
    for (int i = 0; i < TABLES; i++) *out[i] = am_constant_copy(b, AM_I32, shape, rows[i]);
    return p;
}

/* Places that grow while kinds of tokens are added: each [B, T]. */
typedef struct growing {
    am_value kinds[KINDS], advance, is_text;
} growing;

static am_dtype place_dtype(const am_place_inputs *in)
{
    return in->exact_times ? AM_F32 : AM_I32;
}

/* Times of the tokens at intervals: F32 [count], and with them how far the text is moved on. */
static void spread_times(am_builder *b, const am_place_inputs *in, am_value interval, place_tables *p)
{
    am_value steps = am_mul(b, am_cast(b, p->time, AM_F32), am_gather(b, interval, p->which, 0, false));
    p->time = in->exact_times ? steps : am_cast(b, am_unary(b, AM_FLOOR, steps), AM_I32);
    if (!in->time_counts) return;
    p->advance = am_cast(b, p->advance, place_dtype(in));
    am_value farthest = am_binary(b, AM_MAX, p->advance, am_add_number(b, p->time, 1));
    p->advance = am_mul(b, farthest, am_cast(b, p->last, place_dtype(in)));
}

/* Adds the tokens of type `type`; interval: AM_NONE, or what a picture's time is multiplied by: F32 [count]. */
static void add_tokens(am_builder *b, const am_place_inputs *in, int type, const am_grids *g, am_value interval,
                       growing *out)
{
    static const char *const what[] = {"", "tokens of images in image_grid_thw", "tokens of videos in video_grid_thw"};
    if (g->count == 0) return;
    place_tables p = read_tables(b, g);
    am_shape shape = am_shape_of_value(b, in->types);
    am_require_count(b, in->types, type, p.tokens, what[type]);
    am_value is = am_binary_number(b, AM_EQUAL, in->types, type);
    if (in->attended.id) is = am_binary(b, AM_LOGICAL_AND, is, in->attended);
    am_value number = am_cast(b, is, AM_I32), flat = am_reshape(b, number, am_shape_of(-1));
    am_value row = am_add_number(b, am_scan(b, AM_REDUCE_SUM, flat, 0, false, false), -1);
    row = am_binary_number(b, AM_MIN, am_binary_number(b, AM_MAX, row, 0), (double)(p.tokens - 1));
    if (interval.id) spread_times(b, in, interval, &p);
    number = am_cast(b, number, place_dtype(in));
    am_value tables[] = {p.time, p.height, p.width, p.advance},
             *sums[] = {&out->kinds[0], &out->kinds[1], &out->kinds[2], &out->advance};
    for (int i = 0; i < 4; i++) {
        am_value table = am_cast(b, tables[i], place_dtype(in));
        am_value x = am_mul(b, am_reshape(b, am_gather(b, table, row, 0, false), shape), number);
        *sums[i] = sums[i]->id ? am_add(b, *sums[i], x) : x;
    }
    out->is_text = am_sub(b, out->is_text, number);
}

/* What the times of `count` pictures are multiplied by: F32 [count]; seconds: between two frames, or AM_NONE. */
static am_value interval_of(am_builder *b, const am_place_inputs *in, int64_t count, am_value seconds)
{
    double per_second = (double)in->tokens_per_second;
    if (!in->tokens_per_second || count == 0) return AM_NONE;
    if (seconds.id) return am_mul_number(b, seconds, per_second);
    return am_broadcast(b, am_scalar(b, AM_F32, per_second), am_shape_of(count));
}

am_value am_text_places(am_builder *b, const am_place_inputs *in, am_value *delta)
{
    am_shape shape = am_shape_of_value(b, in->types);
    am_value ones = am_broadcast(b, am_scalar(b, place_dtype(in), 1), shape), planes[KINDS];
    am_value attended = in->attended.id ? am_cast(b, in->attended, place_dtype(in)) : ones;
    growing g = {.is_text = attended};
    am_value still = in->time_counts ? interval_of(b, in, in->images.count, AM_NONE) : AM_NONE;
    add_tokens(b, in, 1, &in->images, still, &g);
    add_tokens(b, in, 2, &in->videos, interval_of(b, in, in->videos.count, in->seconds), &g);
    am_value advance = g.advance.id ? am_add(b, g.is_text, g.advance) : g.is_text;
    am_value begin = am_scan(b, AM_REDUCE_SUM, advance, 1, true, false), last = AM_NONE;
    for (int i = 0; i < KINDS; i++) {
        am_value at = am_mul(b, g.kinds[i].id ? am_add(b, begin, g.kinds[i]) : begin, attended);
        last = last.id ? am_binary(b, AM_MAX, last, at) : at;
        planes[i] = am_unsqueeze(b, at, 0);
    }
    am_value count = am_reduce_last(b, AM_REDUCE_SUM, attended);
    *delta = am_sub(b, am_add_number(b, am_reduce_last(b, AM_REDUCE_MAX, last), 1), count);
    return am_concat(b, planes, KINDS, 0);
}
