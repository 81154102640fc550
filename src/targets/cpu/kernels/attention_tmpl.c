/* Attention with a running softmax (Milakov and Gimelshein, arXiv 1805.02867): keys are taken in blocks that
   begin at multiples of AM_ATTENTION_KEYS, the result so far is rescaled when a larger score appears. A block
   that a query does not see leaves that query's numbers as they are, so a result does not depend on the
   queries computed with it, and a block that none of them sees is left out: a mask of bands or blocks costs what
   it shows. */
#include "targets/cpu/kernels/micro.h"

#include "targets/cpu/kernels/attention.h"

#include <float.h>
#include <math.h>

/* WEIGHED: rows that are weighed together, so that one's sum is added up while the next is read. */
enum { QUERIES = AM_ATTENTION_QUERIES, KEYS = AM_ATTENTION_KEYS, WEIGHED = 4, LINE = 16 };

/* Numbers from a row of scores, or of pairs of weights, to the next: an odd number of cache lines, so that what is
   below each other does not lie in the same few sets of the first cache. */
static int64_t row_of(int64_t count)
{
    return ((count + LINE - 1) / LINE | 1) * LINE;
}

static float *result_at(const am_attention_problem *p, int64_t b, int64_t h, int64_t t)
{
    return p->rounded ? p->y + (t - p->y_first) * p->E : p->y + ((b * p->T + t) * p->H + h) * p->E;
}

/* From a query's results to the next one's. */
static int64_t result_row(const am_attention_problem *p)
{
    return p->rounded ? p->E : p->H * p->E;
}

/* Keys [*low, *high) that the query at `position` may see by its position. */
static void visible(const am_attention_problem *p, int64_t position, int64_t *low, int64_t *high)
{
    *low = 0, *high = p->keys;
    if (p->causal && position + 1 < *high) *high = position + 1;
    if (p->window && position - p->window + 1 > *low) *low = position - p->window + 1;
    if (p->window && !p->causal && position + p->window < *high) *high = position + p->window;
    if (*high < 0) *high = 0;
    if (*low > *high) *low = *high;
}

/* Scores of query t for keys s0..s0+count-1: scaled, capped, biased, and the lowest number where masked. */
static void dress(const am_attention_problem *p, int64_t b, int64_t h, int64_t t, int64_t s0, int64_t count,
                  float *scores)
{
    int64_t low, high;
    AM_BASE(scale)(scores, p->soft_cap != 0 ? p->scale / p->soft_cap : p->scale, 0, scores, count);
    if (p->soft_cap != 0) {
        AM_BASE(unary)(AM_TANH, scores, scores, count);
        AM_BASE(scale)(scores, p->soft_cap, 0, scores, count);
    }
    if (p->bias) {
        const int64_t *strides = p->bias_strides;
        const float *bias = p->bias + b * strides[0] + h * strides[1] + t * strides[2] + s0 * strides[3];
        AM_BASE(binary)(AM_ADD, scores, false, bias, strides[3] == 0, scores, count);
    }
    if (p->mask) {
        const int64_t *strides = p->mask_strides;
        const uint8_t *mask = p->mask + b * strides[0] + h * strides[1] + t * strides[2] + s0 * strides[3];
        for (int64_t i = 0; i < count; i++) scores[i] = mask[i * strides[3]] ? scores[i] : -FLT_MAX;
    }
    visible(p, p->first_position + t, &low, &high);
    for (int64_t i = 0; i < count && s0 + i < low; i++) scores[i] = -FLT_MAX;
    for (int64_t i = high > s0 ? high - s0 : 0; i < count; i++) scores[i] = -FLT_MAX;
}

/* Of those that are numbers. */
static float largest_number(const float *x, int64_t count)
{
    vf top = vset(-__builtin_inff());
    int64_t i = 0;
    for (; i + AM_WIDTH <= count; i += AM_WIDTH) top = vlarger(vload(x + i), top);
    float best = vlargest(top);
    for (; i < count; i++)
        if (x[i] > best) best = x[i];
    return best;
}

/* e^(scores * scale - top) in place of the scores. Returns their sum. */
static float weigh_exactly(float *scores, float scale, float most, int64_t count)
{
    vf top = vset(most), factor = vset(scale), sum = vset(0);
    int64_t i = 0;
    for (; i + AM_WIDTH <= count; i += AM_WIDTH) {
        vf e = vexp_falling(vload(scores + i) * factor - top);
        vstore(scores + i, e);
        sum += e;
    }
    float rest = 0;
    if (i < count) {
        vf e = vexp_falling(vload_part(scores + i, count - i) * factor - top);
        vstore_part(scores + i, e, count - i);
        for (int64_t k = 0; k < count - i; k++) rest += e[k];
    }
    return vsum(sum) + rest;
}

/* The same as pairs. A NaN makes the sum one, so nothing else needs to look for it. */
static float weigh_pairs(float *scores, float scale, float most, int64_t count, am_pair *to)
{
    const float log2_e = 0x1.715476p+0f;
    if (fabsf(most) > FLT_MAX / 2) { /* as many powers of 2 would be infinite */
        float sum = weigh_exactly(scores, scale, most, count);
        AM_TEMPLATE(round_pairs)(scores, count, to);
        return sum;
    }
    vf top = vset(most * log2_e), factor = vset(scale * log2_e), sum = vset(0);
    int64_t i = 0;
    for (; i + AM_WIDTH <= count; i += AM_WIDTH) {
        vf e = vpower2_bf16(vload(scores + i) * factor - top);
        vstore_bf16((uint16_t *)to + i, e);
        __builtin_prefetch(scores + WEIGHED * row_of(count) + i, 0, 3); /* the next rows */
        sum += e;
    }
    float rest = 0;
    if (i < count) {
        float last[AM_WIDTH];
        vstore(last, vpower2_bf16(vload_part(scores + i, count - i) * factor - top));
        AM_TEMPLATE(round_pairs)(last, count - i, to + i / 2);
        for (int64_t k = 0; k < count - i; k++) rest += last[k];
    }
    return vsum(sum) + rest;
}

/* e to less is 0. */
enum { LEAST_EXPONENT = -104 };

/* Makes a larger number the most so far, and rescales what was summed before. */
static void raise_most(float block, float *most, double *total, float *y, int64_t E)
{
    float next = block > *most || block != block ? block : *most;
    if (next < -FLT_MAX) next = -FLT_MAX; /* all -infinity so far: weights become 0, not NaN */
    if (next != *most && *total != 0) {
        float factor = *most - next < LEAST_EXPONENT ? 0 : expf(*most - next);
        AM_BASE(scale)(y, factor, 0, y, E);
        *total *= (double)factor;
    }
    *most = next;
}

/* Turns scores * scale into weights relative to the largest so far and rescales what was summed before. The weights
   take the place of the scores, or are rounded to pairs where those are not null. Rows of y are y_row apart. */
static void weigh(int64_t rows, float *scores, float scale, int64_t count, float *most, double *total, float *y,
                  int64_t y_row, int64_t E, am_pair *rounded)
{
    float block[WEIGHED];
    int64_t row = row_of(count);
    for (int64_t i = 0; i < rows; i++)
        block[i] = rounded ? largest_number(scores + i * row, count) : AM_BASE(largest)(scores + i * row, count);
    for (int64_t i = 0; i < rows; i++) raise_most(block[i] * scale, &most[i], &total[i], y + i * y_row, E);
    for (int64_t i = 0; i < rows; i++)
        total[i] += (double)(rounded ? weigh_pairs(scores + i * row, scale, most[i], count,
                                                   rounded + i * row_of(am_pairs_of(count)))
                                     : weigh_exactly(scores + i * row, scale, most[i], count));
}

typedef struct running {
    float most[QUERIES];
    double total[QUERIES];
} running;

/* Queries and a block's weights as pairs, where the problem has such. */
typedef struct pairs {
    am_pair q[QUERIES * AM_ATTENTION_PAIRED / 2];
    am_pair weights[QUERIES * (KEYS / 2 + LINE)];
} pairs;

static void round_queries(const am_attention_problem *p, int64_t b, int64_t h, int64_t t0, int64_t rows, pairs *to)
{
    const float *q = p->q + ((b * p->T + t0) * p->H + h) * p->D;
    for (int64_t i = 0; i < rows; i++)
        AM_TEMPLATE(round_pairs)(q + i * p->H * p->D, p->D, to->q + i * am_pairs_of(p->D));
}

/* scores[i, j] = q[t0 + i] . k[s0 + j]; s0 is a multiple of KEYS. */
static void multiply_keys(const am_attention_problem *p, int64_t b, int64_t h, int64_t t0, int64_t rows, int64_t s0,
                          int64_t count, const pairs *rounded, float *scores)
{
    enum { COLUMNS = AM_PANEL_COLUMNS };
    int64_t steps = p->has_pairs ? am_pairs_of(p->D) : p->D;
    int64_t group = h / (p->H / p->G), panels = (p->S + COLUMNS - 1) / COLUMNS, size = steps * COLUMNS;
    int64_t row = row_of(count);
    const float *q = p->q + ((b * p->T + t0) * p->H + h) * p->D, *k = p->k + ((b * p->S + s0) * p->G + group) * p->D;
    if (!p->k_panels) {
        AM_BASE(gemm_nt)(rows, count, p->D, q, p->H * p->D, k, p->G * p->D, AM_F32, scores, row);
        return;
    }
    const float *panel = p->k_panels + ((b * p->G + group - p->first_group) * panels + s0 / COLUMNS) * size;
    for (int64_t s = 0; s < count; s += COLUMNS, panel += size) {
        int64_t columns = count - s < COLUMNS ? count - s : COLUMNS;
        const float *next = s + COLUMNS < count ? panel + size : NULL;
        float *to = scores + s;
        if (p->has_pairs) {
            const am_pair *from = (const am_pair *)panel, *after = (const am_pair *)next;
            AM_TEMPLATE(gemm_pairs)(rows, columns, steps, rounded->q, steps, from, after, to, row, false, NULL);
        } else AM_BASE(gemm_panel)(rows, columns, steps, q, p->H * p->D, panel, AM_F32, next, to, row, false);
    }
}

/* y[t0 + i] += sum_j weights[i, j] v[s0 + j] */
static void add_values(const am_attention_problem *p, int64_t b, int64_t h, int64_t t0, int64_t rows, int64_t s0,
                       int64_t count, const float *weights, const pairs *rounded)
{
    enum { COLUMNS = AM_PANEL_COLUMNS };
    int64_t group = h / (p->H / p->G), row = result_row(p), panels = (p->E + COLUMNS - 1) / COLUMNS;
    int64_t together = p->has_pairs ? 2 : 1, steps = (p->S + together - 1) / together;
    const float *v = p->v + ((b * p->S + s0) * p->G + group) * p->E;
    float *y = result_at(p, b, h, t0);
    if (!p->v_panels) {
        AM_BASE(gemm_nn)(rows, p->E, count, weights, row_of(count), v, p->G * p->E, y, row, true);
        return;
    }
    const float *panel = p->v_panels + ((b * p->G + group - p->first_group) * panels * steps + s0 / together) * COLUMNS;
    for (int64_t e = 0; e < p->E; e += COLUMNS, panel += steps * COLUMNS) {
        int64_t columns = p->E - e < COLUMNS ? p->E - e : COLUMNS;
        if (p->has_pairs) {
            const am_pair *from = (const am_pair *)panel, *shares = rounded->weights;
            int64_t K = am_pairs_of(count);
            AM_TEMPLATE(gemm_pairs)(rows, columns, K, shares, row_of(K), from, NULL, y + e, row, true, NULL);
        } else AM_BASE(gemm_panel)(rows, columns, count, weights, row_of(count), panel, AM_F32, NULL, y + e, row, true);
    }
}

/* Whether the mask shows all of these keys to all of these queries. */
static bool shows_all(const am_attention_problem *p, int64_t b, int64_t h, int64_t t0, int64_t rows, int64_t s0,
                      int64_t count)
{
    const int64_t *strides = p->mask_strides;
    const uint8_t *mask = p->mask + b * strides[0] + h * strides[1] + t0 * strides[2] + s0 * strides[3];
    for (int64_t i = 0; i < (strides[2] ? rows : 1); i++)
        if (memchr(mask + i * strides[2], 0, strides[3] ? (size_t)count : 1)) return false;
    return true;
}

/* Whether the scores that a block's queries see by their positions are products times the scale, and nothing else. */
static bool is_plain(const am_attention_problem *p, int64_t b, int64_t h, int64_t t0, int64_t rows, int64_t s0,
                     int64_t count)
{
    bool is_scaled = p->soft_cap == 0 && !p->bias && p->scale > 0;
    return is_scaled && (!p->mask || shows_all(p, b, h, t0, rows, s0, count));
}

/* Whether all its queries see all keys by their positions. */
static bool sees_all(const am_attention_problem *p, int64_t t0, int64_t rows, int64_t s0, int64_t count)
{
    int64_t low, high, unused;
    visible(p, p->first_position + t0 + rows - 1, &low, &unused); /* begins and ends move on with the query */
    visible(p, p->first_position + t0, &unused, &high);
    return low <= s0 && high >= s0 + count;
}

/* Scores of query t that it does not see by its position: their weights are 0. */
static void hide(const am_attention_problem *p, int64_t t, int64_t s0, int64_t count, float *scores)
{
    int64_t low, high;
    visible(p, p->first_position + t, &low, &high);
    for (int64_t i = 0; i < count && s0 + i < low; i++) scores[i] = -__builtin_inff();
    for (int64_t i = high > s0 ? high - s0 : 0; i < count; i++) scores[i] = -__builtin_inff();
}

/* See attend_range. */
static void attend_block(const am_attention_problem *p, int64_t b, int64_t h, int64_t t0, int64_t rows, int64_t s0,
                         int64_t count, bool all, bool asks, running *state, pairs *rounded)
{
    _Alignas(64) float scores[QUERIES * (KEYS + LINE)];
    bool whole = sees_all(p, t0, rows, s0, count), plain = (whole || !all) && is_plain(p, b, h, t0, rows, s0, count);
    int64_t row = result_row(p), scores_row = row_of(count);
    float *y = result_at(p, b, h, t0);
    multiply_keys(p, b, h, t0, rows, s0, count, rounded, scores);
    for (int64_t i = 0; i < rows && !plain; i++) dress(p, b, h, t0 + i, s0, count, scores + i * scores_row);
    for (int64_t i = 0; i < rows && plain && !whole; i++) hide(p, t0 + i, s0, count, scores + i * scores_row);
    for (int64_t i = 0; i < rows; i += WEIGHED) {
        int64_t together = rows - i < WEIGHED ? rows - i : WEIGHED;
        if (asks) p->ask(p->ask_context, i, i + together, rows);
        weigh(together, scores + i * scores_row, plain ? p->scale : 1, count, &state->most[i], &state->total[i],
              y + i * row, row, p->E, p->has_pairs ? rounded->weights + i * row_of(am_pairs_of(count)) : NULL);
    }
    add_values(p, b, h, t0, rows, s0, count, scores, rounded);
}

/* Whether the mask shows any of these keys to any of these queries. */
static bool shows_any(const am_attention_problem *p, int64_t b, int64_t h, int64_t t0, int64_t rows, int64_t s0,
                      int64_t count)
{
    static const uint8_t none[KEYS];
    const int64_t *strides = p->mask_strides;
    const uint8_t *mask = p->mask + b * strides[0] + h * strides[1] + t0 * strides[2] + s0 * strides[3];
    size_t width = strides[3] ? (size_t)count : 1; /* keys are contiguous, or share one element */
    for (int64_t i = 0; i < (strides[2] ? rows : 1); i++)
        if (memcmp(mask + i * strides[2], none, width) != 0) return true;
    return false;
}

/* Whether position and mask leave a query no key at all. */
static bool sees_nothing(const am_attention_problem *p, int64_t b, int64_t h, int64_t t)
{
    int64_t low, high;
    visible(p, p->first_position + t, &low, &high);
    for (int64_t s = low; s < high; s += KEYS)
        if (!p->mask || shows_any(p, b, h, t, 1, s, high - s < KEYS ? high - s : KEYS)) return false;
    return true;
}

/* `all`: masked keys count, too, with the lowest score. Else keys from `high` on, rounded up to whole panels, are left
   out: their weights would be 0, and change no sum. */
static void attend_range(const am_attention_problem *p, int64_t b, int64_t h, int64_t t0, int64_t rows, int64_t low,
                         int64_t high, bool all, running *state)
{
    pairs rounded;
    if (p->has_pairs) round_queries(p, b, h, t0, rows, &rounded);
    for (int64_t i = 0; i < rows; i++) {
        state->most[i] = p->sinks ? p->sinks[h] : -FLT_MAX;
        state->total[i] = p->sinks ? 1 : 0;
        memset(result_at(p, b, h, t0 + i), 0, (size_t)p->E * sizeof *p->y);
    }
    bool asks = p->ask; /* once */
    int64_t end = (high + AM_PANEL_COLUMNS - 1) / AM_PANEL_COLUMNS * AM_PANEL_COLUMNS;
    if (all || end > p->keys) end = p->keys;
    for (int64_t s = low / KEYS * KEYS; s < high; s += KEYS) {
        int64_t count = end - s < KEYS ? end - s : KEYS;
        if (!all && p->mask && !shows_any(p, b, h, t0, rows, s, count)) continue;
        attend_block(p, b, h, t0, rows, s, count, all, asks, state, &rounded);
        asks = false;
    }
}

static void attend_queries(const am_attention_problem *p, int64_t b, int64_t h, int64_t t0, int64_t t1)
{
    running state;
    int64_t low = p->keys, high = 0;
    for (int64_t t = t0; t < t1; t++) {
        int64_t first, end;
        visible(p, p->first_position + t, &first, &end);
        if (first < end && first < low) low = first;
        if (end > high) high = end;
    }
    attend_range(p, b, h, t0, t1 - t0, low, high, false, &state);
    const float *average = NULL; /* of all keys, for queries that see none */
    for (int64_t i = 0; i < t1 - t0; i++) {
        float *y = result_at(p, b, h, t0 + i);
        bool has_nothing = state.most[i] <= -FLT_MAX, is_blind = has_nothing && sees_nothing(p, b, h, t0 + i);
        if (is_blind && average) {
            memcpy(y, average, (size_t)p->E * sizeof *y);
            continue;
        }
        running alone;
        if (has_nothing) {
            attend_range(p, b, h, t0 + i, 1, 0, p->keys, true, &alone);
            state.total[i] = alone.total[0];
        }
        double share = 1 / state.total[i];
        for (int64_t e = 0; e < p->E; e++) y[e] = (float)((double)y[e] * share);
        if (is_blind) average = y;
    }
}

void AM_TEMPLATE(attention)(const am_attention_problem *p, int64_t b, int64_t h, int64_t t0, int64_t t1)
{
    if (!p->rounded) {
        attend_queries(p, b, h, t0, t1);
        return;
    }
    _Alignas(64) float y[QUERIES * AM_ATTENTION_ROUNDED];
    am_attention_problem own = *p;
    own.y = y, own.y_first = t0;
    attend_queries(&own, b, h, t0, t1);
    for (int64_t t = t0; t < t1; t++) {
        am_pair *to = p->rounded + ((b * p->T + t) * p->H + h) * p->E / 2;
        AM_TEMPLATE(round_pairs)(y + (t - t0) * p->E, p->E, to);
    }
}
