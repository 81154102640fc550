#include "models/blocks/rotary.h"

#include <math.h>
#include <string.h>

static const double PI = 3.14159265358979323846;

static void default_frequencies(const am_rope_config *r, double theta, double *out)
{
    for (int64_t i = 0; i < r->pairs; i++) out[i] = pow(theta, -2.0 * (double)i / (double)r->dims);
}

/* Models are trained with frequencies in float32. */
static void round_frequencies(const am_rope_config *r, double *frequency)
{
    for (int64_t i = 0; i < r->pairs; i++) frequency[i] = (double)(float)frequency[i];
}

/* dynamic NTK: the base grows with the sequence beyond max_positions */
static double dynamic_theta(const am_rope_config *r, double length)
{
    double M = (double)r->max_positions, dims = (double)r->dims;
    if (length < M) length = M;
    return r->theta * pow(r->factor * length / M - (r->factor - 1), dims / (dims - 2));
}

static double correction_dim(const am_rope_config *r, double rotations)
{
    return (double)r->dims * log((double)r->original_positions / (rotations * 2 * PI)) / (2 * log(r->theta));
}

/* YaRN (arXiv 2309.00071): interpolates low frequencies, keeps high ones, ramps between */
static void ramp_frequencies(am_rope_config *r, double fast, double slow, bool truncate)
{
    double low = correction_dim(r, fast != 0 ? fast : 32), high = correction_dim(r, slow != 0 ? slow : 1);
    if (truncate) low = floor(low), high = ceil(high);
    low = fmax(low, 0);
    high = fmin(high, (double)r->dims - 1);
    if (low == high) high += 0.001;
    for (int64_t i = 0; i < r->pairs; i++) {
        double ramp = fmin(fmax(((double)i - low) / (high - low), 0), 1), f = r->inverse_frequency[i];
        r->inverse_frequency[i] = f / r->factor * ramp + f * (1 - ramp);
    }
}

static void yarn_frequencies(am_rope_config *r, const am_config *c)
{
    ramp_frequencies(r, am_config_real(c, "beta_fast", 32), am_config_real(c, "beta_slow", 1),
                     am_config_flag(c, "truncate", true));
}

static double yarn_scale(double factor, double mscale)
{
    return factor <= 1 ? 1 : 0.1 * mscale * log(factor) + 1;
}

static double yarn_attention_factor(const am_rope_config *r, const am_config *c)
{
    double mscale = am_config_real(c, "mscale", 0), all = am_config_real(c, "mscale_all_dim", 0);
    if (am_config_has(c, "attention_factor")) return am_config_real(c, "attention_factor", 1);
    return mscale != 0 && all != 0 ? yarn_scale(r->factor, mscale) / yarn_scale(r->factor, all)
                                   : yarn_scale(r->factor, 1);
}

static void llama3_frequencies(am_rope_config *r, double low, double high)
{
    double length = (double)r->original_positions;
    for (int64_t i = 0; i < r->pairs; i++) {
        double f = r->inverse_frequency[i], wave = 2 * PI / f;
        double smooth = (length / wave - low) / (high - low);
        if (wave > length / low) f /= r->factor;
        else if (wave >= length / high) f = (1 - smooth) * f / r->factor + smooth * f;
        r->inverse_frequency[i] = f;
    }
}

static void read_factors(const am_config *c, const char *key, const am_rope_config *r, double *out)
{
    am_json list = am_json_get(c->object, key);
    int64_t i = 0;
    if ((int64_t)am_json_count(list) != r->pairs)
        am_config_fail(c, key, "expected a list of %lld numbers, found %zu", (long long)r->pairs, am_json_count(list));
    for (am_json_iterator it = am_json_iterate(list); am_json_next(&it) && i < r->pairs; i++)
        out[i] /= am_json_real(it.value, 1);
}

static void longrope_frequencies(am_rope_config *r, const am_config *c)
{
    memcpy(r->long_inverse_frequency, r->inverse_frequency, sizeof r->inverse_frequency);
    read_factors(c, "short_factor", r, r->inverse_frequency);
    read_factors(c, "long_factor", r, r->long_inverse_frequency);
    double scale = r->factor <= 1 ? 1 : sqrt(1 + log(r->factor) / log((double)r->original_positions));
    r->attention_factor = am_config_real(c, "attention_factor", scale);
}

/* Rotated angles in front, zeros behind, over the whole head. */
static void proportional_frequencies(am_rope_config *r, double partial)
{
    int64_t rotated = (int64_t)(partial * (double)r->dims) / 2;
    for (int64_t i = 0; i < r->pairs; i++)
        r->inverse_frequency[i] = i < rotated ? r->inverse_frequency[i] / r->factor : 0;
}

static am_rope_type type_of(const am_config *c)
{
    static const char *const names[] = {"default", "linear", "dynamic", "yarn", "longrope", "llama3", "proportional"};
    const char *key = am_config_has(c, "rope_type") ? "rope_type" : "type", *name = am_config_text(c, key, "default");
    for (int i = 0; i < (int)(sizeof names / sizeof names[0]); i++)
        if (strcmp(name, names[i]) == 0) return (am_rope_type)i;
    if (strcmp(name, "su") == 0) return AM_ROPE_LONGROPE;    /* its name in the first Phi-3 files */
    if (strcmp(name, "xdrope") == 0) return AM_ROPE_DYNAMIC; /* HunYuan-VL's */
    if (strcmp(name, "mrope") == 0) return AM_ROPE_DEFAULT;  /* the name that Qwen2-VL's files have for it */
    am_config_unsupported(c, key, "rope type \"%s\" is not supported", name);
    return AM_ROPE_DEFAULT;
}

/* 4.x: rope_scaling, which is read first as in transformers; 5.x: rope_parameters, perhaps nested by layer type. */
static am_config parameters_of(const am_config *c, const char *layer_type)
{
    bool scaled = am_json_count(am_json_get(c->object, "rope_scaling")) > 0;
    am_config p = am_config_child(c, scaled ? "rope_scaling" : "rope_parameters");
    return layer_type && am_config_has(&p, layer_type) ? am_config_child(&p, layer_type) : p;
}

static bool is_key(const am_json_iterator *i, const char *key)
{
    return i->key.bytes && strcmp(i->key.bytes, key) == 0;
}

/* Rotations of parts ("text_config") and of layer types are nested. */
static bool names_growing_type(am_json object)
{
    for (am_json_iterator i = am_json_iterate(object); am_json_next(&i);) {
        bool is_type = is_key(&i, "rope_type") || is_key(&i, "type");
        if (is_type && (am_json_equals(i.value, "dynamic") || am_json_equals(i.value, "longrope") ||
                        am_json_equals(i.value, "su")))
            return true;
        if (am_json_kind_of(i.value) == AM_JSON_OBJECT && names_growing_type(i.value)) return true;
    }
    return false;
}

bool am_rope_follows_length(const am_config *c)
{
    return names_growing_type(c->object);
}

static int64_t original_positions(const am_config *c, const am_config *p, int64_t fallback)
{
    const am_config *from = am_config_has(c, "original_max_position_embeddings") ? c : p;
    return am_config_size(from, "original_max_position_embeddings", fallback);
}

static void scale_frequencies(am_rope_config *r, const am_config *p, double partial)
{
    switch (r->type) {
    case AM_ROPE_LINEAR:
        for (int64_t i = 0; i < r->pairs; i++) r->inverse_frequency[i] /= r->factor;
        break;
    case AM_ROPE_YARN:
        yarn_frequencies(r, p);
        r->attention_factor = yarn_attention_factor(r, p);
        break;
    case AM_ROPE_LONGROPE:
        longrope_frequencies(r, p);
        break;
    case AM_ROPE_LLAMA3:
        llama3_frequencies(r, am_config_real(p, "low_freq_factor", 1), am_config_real(p, "high_freq_factor", 4));
        break;
    case AM_ROPE_PROPORTIONAL:
        proportional_frequencies(r, partial);
        break;
    default:
        break;
    }
}

/* What part of each head is rotated. A class that rotates whole heads does not look at the field where nothing is
   scaled, and fails in transformers where something is. */
static double read_partial(const am_config *c, const am_config *p, const am_rope_fields *f, am_rope_type type,
                           double fallback)
{
    const char *key = f->partial ? f->partial : "partial_rotary_factor";
    double partial = am_config_real(p, "partial_rotary_factor", am_config_real(c, key, fallback));
    if (!f->whole_heads || partial == 1) return partial;
    if (type != AM_ROPE_DEFAULT)
        am_config_unsupported(p, "partial_rotary_factor", "this class rotates whole heads, found %g", partial);
    return 1;
}

am_rope_config am_rope_config_read(const am_config *c, const char *layer_type, int64_t head_dim, double default_theta,
                                   double default_partial, int64_t default_max_positions)
{
    return am_rope_config_read_fields(c, &(am_rope_fields){.layer_type = layer_type}, head_dim, default_theta,
                                      default_partial, default_max_positions);
}

am_rope_config am_rope_config_read_fields(const am_config *c, const am_rope_fields *fields, int64_t head_dim,
                                          double default_theta, double default_partial, int64_t default_max_positions)
{
    am_config p = parameters_of(c, fields->layer_type);
    am_rope_config r = {.type = type_of(&p), .attention_factor = 1};
    double partial = read_partial(c, &p, fields, r.type, default_partial);
    r.theta = am_config_real(&p, "rope_theta",
                             am_config_real(c, fields->theta ? fields->theta : "rope_theta", default_theta));
    if (fields->fixed_theta != 0) r.theta = fields->fixed_theta;
    r.dims = r.type == AM_ROPE_PROPORTIONAL ? head_dim : (int64_t)((double)head_dim * partial);
    r.pairs = (r.dims + 1) / 2;
    r.max_positions = am_config_size(c, "max_position_embeddings", default_max_positions);
    r.original_positions = original_positions(c, &p, r.max_positions);
    r.factor = am_config_real(&p, "factor",
                              r.type == AM_ROPE_YARN || r.type == AM_ROPE_LONGROPE
                                  ? (double)r.max_positions / (double)r.original_positions
                                  : 1);
    if (r.dims < 0 || (r.dims % 2 != 0 && !fields->rounds_up) || r.pairs > AM_ROPE_LIMIT || !(r.theta > 0) ||
        !(r.factor > 0)) {
        am_config_fail(&p, "rope_theta", "%lld rotated dimensions, theta %g, factor %g", (long long)r.dims, r.theta,
                       r.factor);
        r.dims = r.pairs = 0;
    }
    default_frequencies(&r, r.theta, r.inverse_frequency);
    scale_frequencies(&r, &p, partial);
    round_frequencies(&r, r.inverse_frequency);
    round_frequencies(&r, r.long_inverse_frequency);
    return r;
}

am_rope_config am_rope_config_default(const am_config *c, int64_t head_dim, double theta, int64_t default_max_positions)
{
    am_rope_config r = {.type = AM_ROPE_DEFAULT, .attention_factor = 1, .factor = 1, .theta = theta};
    r.dims = head_dim / 2 > AM_ROPE_LIMIT ? 0 : head_dim;
    r.pairs = r.dims / 2;
    r.max_positions = r.original_positions = am_config_size(c, "max_position_embeddings", default_max_positions);
    if (!(theta > 0) || head_dim % 2 != 0 || head_dim != r.dims)
        am_config_fail(c, "head_dim", "%lld rotated dimensions, theta %g", (long long)head_dim, theta);
    default_frequencies(&r, theta, r.inverse_frequency);
    round_frequencies(&r, r.inverse_frequency);
    return r;
}

am_rope_config am_rope_config_llama3(const am_config *c, int64_t head_dim, double theta, const am_rope_llama3 *scaling,
                                     int64_t default_max_positions)
{
    am_rope_config r = am_rope_config_default(c, head_dim, theta, default_max_positions);
    r.type = AM_ROPE_LLAMA3;
    r.factor = scaling->factor;
    r.original_positions = scaling->original_positions;
    default_frequencies(&r, theta, r.inverse_frequency);
    llama3_frequencies(&r, scaling->low_freq_factor, scaling->high_freq_factor);
    round_frequencies(&r, r.inverse_frequency);
    return r;
}

am_rope_config am_rope_config_yarn(const am_config *c, int64_t head_dim, const am_rope_yarn *scaling,
                                   int64_t default_max_positions)
{
    am_rope_config r = am_rope_config_default(c, head_dim, scaling->theta, default_max_positions);
    r.type = AM_ROPE_YARN;
    r.factor = scaling->factor;
    r.original_positions = scaling->original_positions;
    if (scaling->attention_factor != 0) r.attention_factor = scaling->attention_factor;
    default_frequencies(&r, scaling->theta, r.inverse_frequency);
    ramp_frequencies(&r, 32, 1, !scaling->exact_ramp);
    round_frequencies(&r, r.inverse_frequency);
    return r;
}

/* --- tables --- */

static am_value table(am_builder *b, const am_rope_config *r, const double *frequency, int64_t rows,
                      double (*fn)(double))
{
    int64_t half = r->pairs;
    am_shape shape = am_shape_of(rows, half);
    float *data =
        am_shape_check(&shape) ? am_arena_array(am_builder_arena(b), (size_t)(rows * half), sizeof *data) : NULL;
    if (!data) {
        am_builder_fail(b, am_out_of_memory());
        return AM_NONE;
    }
    for (int64_t p = 0; p < rows; p++)
        for (int64_t i = 0; i < half; i++)
            data[p * half + i] = (float)(fn((double)p * frequency[i]) * r->attention_factor);
    return am_constant_copy(b, AM_F32, shape, data);
}

/* --- positions that only the run knows: computed in the graph, in double as the tables are --- */

static am_value frequencies(am_builder *b, const am_rope_config *r, const double *values)
{
    return am_constant_copy(b, AM_F64, am_shape_of(r->pairs), values);
}

/* Frequencies that depend on how long the sequence is by now. length: I32. */
static am_value frequencies_by_length(am_builder *b, const am_rope_config *r, am_value length)
{
    if (r->type == AM_ROPE_LONGROPE) {
        am_value is_long = am_binary_number(b, AM_GREATER, length, (double)r->original_positions);
        return am_select(b, is_long, frequencies(b, r, r->long_inverse_frequency),
                         frequencies(b, r, r->inverse_frequency));
    }
    /* The base grows by g = factor length / M - (factor - 1), so that frequency i is inverse_frequency[i] g^e[i]; with
       factor / M taken out of g, constants hold all but the length. */
    double M = (double)r->max_positions, dims = (double)r->dims;
    double exponents[AM_ROPE_LIMIT], scaled[AM_ROPE_LIMIT];
    for (int64_t i = 0; i < r->pairs; i++) {
        exponents[i] = -2.0 * (double)i / (dims - 2);
        scaled[i] = r->inverse_frequency[i] * pow(r->factor / M, exponents[i]);
    }
    am_value reach = am_cast(b, am_binary_number(b, AM_MAX, length, M), AM_F64);
    am_value growth = am_add_number(b, reach, (1 - r->factor) * M / r->factor);
    return am_mul(b, frequencies(b, r, scaled), am_binary(b, AM_POW, growth, frequencies(b, r, exponents)));
}

/* The last position, plus one: I32 scalar. */
static am_value length_by_now(am_builder *b, am_value positions, int64_t T)
{
    if (!am_has_input(b, "position_ids")) return am_add_number(b, am_cache_offset(b), (double)T);
    return am_add_number(b, am_reduce(b, AM_REDUCE_MAX, positions, am_shape_of(0, 1), false), 1);
}

/* The factor is applied after rounding, as transformers does. */
static am_value turned(am_builder *b, const am_rope_config *r, am_value angle, am_unary_fn fn)
{
    return am_mul_number(b, am_cast(b, am_unary(b, fn, angle), AM_F32), r->attention_factor);
}

static bool follows_length(const am_rope_config *r)
{
    return r->type == AM_ROPE_DYNAMIC || r->type == AM_ROPE_LONGROPE;
}

/* length: I32 scalar, where frequencies follow it. */
static am_rope tables_of(am_builder *b, const am_rope_config *r, am_value positions, am_value length)
{
    am_value frequency =
        follows_length(r) ? frequencies_by_length(b, r, length) : frequencies(b, r, r->inverse_frequency);
    am_value angle = am_mul(b, am_cast(b, am_unsqueeze(b, positions, -1), AM_F64), frequency);
    return (am_rope){.cos = turned(b, r, angle, AM_COS), .sin = turned(b, r, angle, AM_SIN)};
}

static am_rope tables_at_positions(am_builder *b, const am_rope_config *r, int64_t T)
{
    am_value positions = am_position_ids(b, T);
    return tables_of(b, r, positions, follows_length(r) ? length_by_now(b, positions, T) : AM_NONE);
}

am_rope am_rope_tables_at(am_builder *b, const am_rope_config *r, am_value positions)
{
    am_value last = follows_length(r) ? am_reduce(b, AM_REDUCE_MAX, positions, am_shape_of(0, 1), false) : AM_NONE;
    return tables_of(b, r, positions, last.id ? am_add_number(b, last, 1) : AM_NONE);
}

am_rope am_rope_tables(am_builder *b, const am_rope_config *r, int64_t T)
{
    double grown[AM_ROPE_LIMIT];
    const double *frequency = r->inverse_frequency;
    if (am_has_cache(b) || am_has_input(b, "position_ids")) return tables_at_positions(b, r, T);
    if (r->type == AM_ROPE_LONGROPE && T > r->original_positions) frequency = r->long_inverse_frequency;
    if (r->type == AM_ROPE_DYNAMIC) {
        default_frequencies(r, dynamic_theta(r, (double)T), grown);
        frequency = grown;
    }
    return (am_rope){.cos = am_unsqueeze(b, table(b, r, frequency, T, cos), 0),
                     .sin = am_unsqueeze(b, table(b, r, frequency, T, sin), 0)};
}

/* BOOL [1, 1, pairs]: which pairs turn by the places of an axis. */
static am_value pairs_of_axis(am_builder *b, const am_mrope_sections *s, int64_t pairs, int axis)
{
    uint8_t data[AM_ROPE_LIMIT];
    for (int64_t i = 0; i < pairs; i++)
        data[i] = s->alternates ? i < 2 * s->pairs[0] && 1 + i % 2 == axis : i % 3 == axis && i < 3 * s->pairs[axis];
    return am_constant_copy(b, AM_BOOL, am_shape_of(1, 1, pairs), data);
}

static am_rope interleave(am_builder *b, const am_rope axes[3], const am_mrope_sections *s, int64_t pairs)
{
    am_rope turned = axes[0];
    for (int axis = 1; axis < 3; axis++) {
        am_value is = pairs_of_axis(b, s, pairs, axis);
        turned.cos = am_select(b, is, axes[axis].cos, turned.cos);
        turned.sin = am_select(b, is, axes[axis].sin, turned.sin);
    }
    return turned;
}

am_rope am_mrope_tables(am_builder *b, const am_rope_config *r, am_value positions, const am_mrope_sections *sections)
{
    am_value cos[AM_MROPE_SECTIONS], sin[AM_MROPE_SECTIONS];
    am_rope axes[3];
    int64_t begin = 0;
    for (int i = 0; i < 3; i++) axes[i] = am_rope_tables_at(b, r, am_index(b, positions, 0, i));
    if (sections->interleaved || sections->alternates) return interleave(b, axes, sections, r->dims / 2);
    for (int i = 0; i < sections->count; i++, begin += sections->pairs[i - 1]) {
        cos[i] = am_slice(b, axes[i % 3].cos, -1, begin, begin + sections->pairs[i]);
        sin[i] = am_slice(b, axes[i % 3].sin, -1, begin, begin + sections->pairs[i]);
    }
    return (am_rope){.cos = am_concat(b, cos, sections->count, -1), .sin = am_concat(b, sin, sections->count, -1)};
}

am_mrope_sections am_mrope_sections_read(const am_config *c, const am_rope_config *rope, const int64_t fallback[3],
                                         bool interleaved)
{
    am_mrope_sections s = {.interleaved = interleaved};
    am_config p = parameters_of(c, NULL);
    int64_t sum = 0;
    s.count = am_config_sizes(&p, "mrope_section", s.pairs, AM_MROPE_SECTIONS, fallback, 3);
    for (int i = 0; i < s.count; i++) sum += s.pairs[i];
    if (interleaved ? s.count != 3 : sum != rope->dims / 2)
        am_config_fail(&p, "mrope_section", "has %lld pairs, a head %lld", (long long)sum, (long long)rope->dims / 2);
    return s;
}

am_value am_scale_by_reach(am_builder *b, am_value q, double beta, int64_t length)
{
    am_value positions = am_position_ids(b, am_dim(b, q, 1));
    positions = am_unsqueeze(b, am_unsqueeze(b, positions, -1), -1);
    am_value lengths = am_cast(b, am_binary_number(b, AM_DIV, positions, (double)length), AM_F32); /* whole numbers */
    am_value scale = am_unary(b, AM_LOG, am_add_number(b, lengths, 1));
    return am_mul(b, q, am_add_number(b, am_mul_number(b, scale, beta), 1));
}

am_value am_rope_apply(am_builder *b, const am_rope *rope, am_value x)
{
    return am_rope_op(b, x, rope->cos, rope->sin, rope->interleaved);
}
