/* Fused attention against plain loops in doubles: every combination of its parts, and sizes around its blocks. */
#include "check.h"
#include "plain.h"

#include "targets/cpu/kernels/attention.h"

#include <float.h>

enum {
    PROBLEMS = 512,
    MASK = 1,
    BIAS = 2,
    SINKS = 4,
    CAUSAL = 8,
    WINDOW = 16,
    CAP = 32,
    CACHE = 64,
    PANELS = 128,
    PAIRS = 256, /* with PANELS */
    PARTS = 9
};

static int64_t one_of(const int64_t *choices, size_t count)
{
    return choices[check_random() % count];
}
#define ONE_OF(...) one_of((const int64_t[]){__VA_ARGS__}, sizeof((const int64_t[]){__VA_ARGS__}) / sizeof(int64_t))

static am_attention_problem random_sizes(unsigned parts)
{
    am_attention_problem p = {.T = ONE_OF(1, 2, 3, 31, 32), .S = ONE_OF(1, 5, 31, 191, 192, 193, 390)};
    p.D = ONE_OF(1, 3, 8, 16, 17, 24), p.E = ONE_OF(1, 4, 7, 16, 24, 25, 50);
    p.G = ONE_OF(1, 2), p.H = p.G * ONE_OF(1, 2);
    if (p.S < p.T) p.S = p.T;
    p.keys = parts & CACHE ? p.T + check_random() % (uint32_t)(p.S - p.T + 1) : p.S;
    p.first_position = p.keys - p.T;
    p.causal = parts & CAUSAL;
    p.window = parts & WINDOW ? ONE_OF(1, 2, 30, 200) : 0;
    p.scale = (float)ONE_OF(1, 8) / 8, p.soft_cap = parts & CAP ? (float)ONE_OF(1, 20) : 0;
    return p;
}

/* Of [1, H, T, S], any dimension but the last may be one that repeats, the last too where `last`. */
static int64_t random_strides(const am_attention_problem *p, bool last, int64_t *strides)
{
    const int64_t dims[] = {1, p->H, p->T, p->S};
    int64_t count = 1;
    for (int i = 3; i >= 0; i--) {
        bool repeats = check_random() % 3 == 0 && (i < 3 || last);
        strides[i] = repeats ? 0 : count;
        count *= repeats ? 1 : dims[i];
    }
    return count;
}

/* Keys are hidden here and there, in whole blocks, or all; by the bias of -infinity, too. */
static void add_mask(am_attention_problem *p, check_place place)
{
    int64_t count = random_strides(p, true, p->mask_strides), run = 1;
    uint8_t *mask = check_array(place, count, sizeof *mask), shown = 0;
    for (int64_t i = 0; i < count; i++) {
        if (--run == 0) shown = check_random() % 2, run = ONE_OF(1, 2, 50, 400);
        mask[i] = shown;
    }
    p->mask = mask;
}

static void add_bias(am_attention_problem *p, check_place place)
{
    int64_t count = random_strides(p, true, p->bias_strides), run = 1;
    float *bias = check_floats(place, count);
    bool is_none = false;
    for (int64_t i = 0; i < count; i++) {
        if (--run == 0) is_none = check_random() % 4 == 0, run = ONE_OF(1, 3, 50, 400);
        bias[i] = is_none ? -INFINITY : check_number(ORDINARY);
    }
    p->bias = bias;
}

static void pack(const am_micro *micro, const am_attention_problem *p, const float *from, int64_t row, int64_t column,
                 int64_t depth, int64_t left, float *to)
{
    int64_t columns = left < micro->panel_columns ? left : micro->panel_columns;
    if (p->has_pairs) micro->pack_pairs(from, AM_F32, row, column, depth, columns, (am_pair *)to);
    else micro->pack_panel(from, AM_F32, row, column, depth, columns, to);
}

/* Keys and values as panels (attention.h), those beyond `keys` as they were. */
static void add_panels(const am_micro *micro, am_attention_problem *p, check_place place)
{
    int64_t k_depth = p->has_pairs ? am_pairs_of(p->D) : p->D, v_depth = p->has_pairs ? am_pairs_of(p->S) : p->S;
    int64_t width = micro->panel_columns, k_panels = (p->S + width - 1) / width, v_panels = (p->E + width - 1) / width;
    float *k = check_floats(place, p->G * k_panels * k_depth * width),
          *v = check_floats(place, p->G * v_panels * v_depth * width);
    p->k_panels = k, p->v_panels = v;
    for (int64_t g = 0; g < p->G; g++) {
        for (int64_t i = 0; i < k_panels; i++, k += k_depth * width)
            if (p->keys > i * width)
                pack(micro, p, p->k + (i * width * p->G + g) * p->D, 1, p->G * p->D, p->D, p->keys - i * width, k);
        for (int64_t i = 0; i < v_panels; i++, v += v_depth * width)
            pack(micro, p, p->v + g * p->E + i * width, p->G * p->E, 1, p->keys, p->E - i * width, v);
    }
}

static const float *filled(check_place place, int64_t count)
{
    float *x = check_floats(place, count);
    check_fill(ORDINARY, x, count);
    return x;
}

/* A sink of -infinity is as none; one of the lowest number as a key that is hidden. */
static void add_sinks(am_attention_problem *p, check_place place)
{
    float *sinks = check_floats(place, p->H);
    check_fill(ORDINARY, sinks, p->H);
    if (check_random() % 2) sinks[0] = check_random() % 2 ? -INFINITY : -FLT_MAX;
    p->sinks = sinks;
}

static am_attention_problem random_problem(const am_micro *micro, unsigned parts, check_place place)
{
    am_attention_problem p = random_sizes(parts);
    p.q = filled(place, p.T * p.H * p.D), p.k = filled(place, p.S * p.G * p.D), p.v = filled(place, p.S * p.G * p.E);
    p.y = check_floats(place, p.T * p.H * p.E);
    if (parts & SINKS) add_sinks(&p, place);
    if (parts & MASK) add_mask(&p, place);
    if (parts & BIAS) add_bias(&p, place);
    p.has_pairs = (parts & PANELS) && (parts & PAIRS);
    if (parts & PANELS) add_panels(micro, &p, place);
    check_where("T %d H %d D %d S %d G %d E %d, %d keys, parts %u, place %d", (int)p.T, (int)p.H, (int)p.D, (int)p.S,
                (int)p.G, (int)p.E, (int)p.keys, parts, (int)place);
    return p;
}

/* The largest sum of magnitudes of a score's products. */
static double largest_score(const am_attention_problem *p)
{
    double largest = 0;
    for (int64_t t = 0; t < p->T; t++)
        for (int64_t h = 0; h < p->H; h++)
            for (int64_t s = 0; s < p->keys; s++) {
                double magnitude = 0;
                for (int64_t d = 0; d < p->D; d++)
                    magnitude += fabs((double)p->q[(t * p->H + h) * p->D + d] *
                                      (double)p->k[(s * p->G + h / (p->H / p->G)) * p->D + d]);
                largest = fmax(largest, magnitude * (double)p->scale);
            }
    return largest;
}

/* Attention by `micro` into an array of its own. */
static const float *answer(const am_micro *micro, const am_attention_problem *p, const float *v)
{
    am_attention_problem other = *p;
    other.v = v, other.y = check_floats(AT_END, p->T * p->H * p->E);
    for (int64_t h = 0; h < p->H; h++) micro->attention(&other, 0, h, 0, p->T);
    return other.y;
}

static const float *rounded(const float *x, int64_t count)
{
    float *y = check_floats(AT_END, count);
    for (int64_t i = 0; i < count; i++) y[i] = am_bf16_to_f32(am_f32_to_bf16(x[i]));
    return y;
}

/* With pairs, the same problem of the numbers that they hold: only weights are rounded besides. */
static am_attention_problem as_numbers(const am_attention_problem *p)
{
    am_attention_problem exact = *p;
    exact.has_pairs = false;
    if (!p->has_pairs) return exact;
    exact.q = rounded(p->q, p->T * p->H * p->D), exact.k = rounded(p->k, p->S * p->G * p->D);
    exact.v = rounded(p->v, p->S * p->G * p->E);
    return exact;
}

#define BOUND "D / 4 + 3 roundings of scores, keys / 16 + 8 of sums"

/* A weight is off by what its score is and by an exponential; of what they weigh, magnitudes count. Roundings that go
   either way are fewer than all there are: the worst case is four times this. */
static void compare(const am_micro *micro, const am_attention_problem *problem)
{
    const am_attention_problem as_given = *problem, exact = as_numbers(problem), *p = &exact;
    float *magnitudes = check_floats(AT_END, p->S * p->G * p->E);
    for (int64_t i = 0; i < p->S * p->G * p->E; i++) magnitudes[i] = fabsf(p->v[i]);
    const float *expected = answer(&plain_micro, p, p->v), *sizes = answer(&plain_micro, p, magnitudes);
    double score_off = check_rounding((double)p->D / 4 + 3, largest_score(p) + 4) * (p->soft_cap != 0 ? 3 : 1);
    for (int64_t h = 0; h < p->H; h++) micro->attention(&as_given, 0, h, 0, p->T);
    double weights_off = check_rounding((double)p->keys / 16 + 8, 1) + (as_given.has_pairs ? 0x1p-8 : 0);
    for (int64_t i = 0; i < p->T * p->H * p->E; i++)
        check_near((double)p->y[i], (double)expected[i], (score_off + weights_off) * (double)sizes[i]);
}

/* The bits of a query's result depend neither on the queries computed with it nor on how they are cut. */
static void compare_cuts(const am_micro *micro, const am_attention_problem *p)
{
    am_attention_problem cut = *p;
    cut.y = check_floats(AT_END, p->T * p->H * p->E);
    for (int64_t h = 0; h < p->H; h++)
        for (int64_t t = 0, end; t < p->T; t = end) {
            end = t + 1 + check_random() % 9;
            if (end > p->T) end = p->T;
            micro->attention(&cut, 0, h, t, end);
        }
    for (int64_t i = 0; i < p->T * p->H * p->E; i++) check_same(cut.y[i], p->y[i]);
}

static void targets_cpu_attention__all_parts_together(void **state)
{
    FOR_EACH_LEVEL(micro) for (unsigned i = 0; i < PROBLEMS; i++)
    {
        check_start(micro, "attention", BOUND);
        am_attention_problem p = random_problem(micro, i % (1 << PARTS), (check_place)(i % PLACES));
        compare(micro, &p);
        compare_cuts(micro, &p);
        check_release();
    }
}

/* Scores so far apart that all weights but one vanish, whatever comes first. */
static void targets_cpu_attention__great_scores_leave_one_key(void **state)
{
    FOR_EACH_LEVEL(micro) for (int64_t best = 0; best < 400; best += 57)
    {
        am_attention_problem p = {.T = 2, .H = 1, .D = 3, .S = 400, .G = 1, .E = 5, .keys = 400, .scale = 1};
        float *q = check_floats(AT_END, p.T * p.D), *k = check_floats(AT_END, p.S * p.D);
        p.q = q, p.k = k, p.v = filled(AT_END, p.S * p.E), p.y = check_floats(AT_END, p.T * p.E);
        for (int64_t i = 0; i < p.T * p.D; i++) q[i] = 1e10f;
        for (int64_t i = 0; i < p.S * p.D; i++) k[i] = i / p.D == best ? 2e10f : -1e10f * (float)(i % 7);
        check_start(micro, "attention: one key", "0 (the same bits)");
        check_where("key %d", (int)best);
        micro->attention(&p, 0, 0, 0, p.T);
        for (int64_t i = 0; i < p.T * p.E; i++) check_same(p.y[i], p.v[best * p.E + i % p.E]);
        check_release();
    }
}

/* What is not a number in one query makes that one NaN and leaves the others as they are. */
static void targets_cpu_attention__nan_stays_in_its_query(void **state)
{
    FOR_EACH_LEVEL(micro) for (unsigned parts = 0; parts < 1 << PARTS; parts += CAP)
    {
        check_start(micro, "attention: NaN", "0 (the same bits)");
        am_attention_problem p = random_problem(micro, parts, AT_END);
        const float *before = answer(micro, &p, p.v);
        float *q = check_floats(AT_END, p.T * p.H * p.D);
        memcpy(q, p.q, (size_t)(p.T * p.H * p.D) * sizeof *q);
        q[(p.T / 2 * p.H) * p.D] = NAN;
        p.q = q;
        const float *after = answer(micro, &p, p.v);
        for (int64_t i = 0; i < p.T * p.H * p.E; i++) {
            bool is_struck = i / p.E == p.T / 2 * p.H;
            check_same(after[i], is_struck ? NAN : before[i]);
        }
        check_release();
    }
}

/* Scores of -infinity alone, in the blocks that come first, leave no trace, with a sink that weighs nothing either. */
static void targets_cpu_attention__blocks_of_minus_infinity_come_first(void **state)
{
    FOR_EACH_LEVEL(micro)
    for (int64_t none = 0; none < 400; none += 21)
        for (int has_sink = 0; has_sink < 2; has_sink++) {
            am_attention_problem p = {.T = 2, .H = 1, .D = 3, .S = 400, .G = 1, .E = 5, .keys = 400, .scale = 1};
            float *bias = check_floats(AT_END, p.S), *sinks = check_floats(AT_END, 1);
            for (int64_t s = 0; s < p.S; s++) bias[s] = s < none ? -INFINITY : 0;
            p.q = filled(AT_END, p.T * p.D), p.k = filled(AT_END, p.S * p.D), p.v = filled(AT_END, p.S * p.E);
            p.y = check_floats(AT_END, p.T * p.E), p.bias = bias, p.bias_strides[3] = 1;
            sinks[0] = -INFINITY, p.sinks = has_sink ? sinks : NULL;
            check_start(micro, "attention", BOUND);
            check_where("%d keys of -infinity, sink %d", (int)none, has_sink);
            compare(micro, &p);
            check_release();
        }
}
