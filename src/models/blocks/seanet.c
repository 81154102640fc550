#include "models/blocks/seanet.h"

#include "models/blocks/recurrent.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const double GROUP_NORM_EPS = 1e-5; /* not configurable */

static int read_pad_mode(const am_config *c, int absent)
{
    static const char *const names[] = {"constant", "reflect", "replicate", "circular"};
    const char *name = am_config_text(c, "pad_mode", names[absent]);
    for (int i = 0; i < 4; i++)
        if (strcmp(name, names[i]) == 0) return i;
    am_config_fail(c, "pad_mode", "expected \"constant\", \"reflect\", \"replicate\" or \"circular\", found \"%s\"",
                   name);
    return absent;
}

static void read_ratios(const am_config *c, am_seanet *r, const am_seanet *absent)
{
    r->ratio_count = am_config_sizes(c, "upsampling_ratios", r->upsampling_ratios, AM_SEANET_RATIOS_LIMIT,
                                     absent->upsampling_ratios, absent->ratio_count);
    r->hop = 1;
    for (int i = 0; i < r->ratio_count; i++) {
        if (r->upsampling_ratios[i] < 1 || r->hop > INT32_MAX / (2 * r->upsampling_ratios[i])) {
            am_config_fail(c, "upsampling_ratios", "element %d is %" PRId64, i, r->upsampling_ratios[i]);
            r->upsampling_ratios[i] = 1;
        }
        r->hop *= r->upsampling_ratios[i];
    }
    if (r->num_filters <= INT32_MAX >> r->ratio_count) return;
    am_config_fail(c, "num_filters", "too many, doubled by each of upsampling_ratios");
    r->num_filters = 1;
}

am_seanet am_seanet_read(const am_config *c, const am_seanet *a)
{
    am_seanet r = {.audio_channels = am_config_size(c, "audio_channels", a->audio_channels),
                   .num_filters = am_config_size(c, "num_filters", a->num_filters),
                   .hidden_size = am_config_size(c, "hidden_size", a->hidden_size),
                   .num_residual_layers = am_config_count(c, "num_residual_layers", a->num_residual_layers),
                   .kernel_size = am_config_size(c, "kernel_size", a->kernel_size),
                   .last_kernel_size = am_config_size(c, "last_kernel_size", a->last_kernel_size),
                   .residual_kernel_size = am_config_size(c, "residual_kernel_size", a->residual_kernel_size),
                   .dilation_growth_rate = am_config_size(c, "dilation_growth_rate", a->dilation_growth_rate),
                   .compress = am_config_size(c, "compress", a->compress),
                   .use_causal_conv = am_config_flag(c, "use_causal_conv", a->use_causal_conv),
                   .use_conv_shortcut = am_config_flag(c, "use_conv_shortcut", a->use_conv_shortcut),
                   .pad_mode = read_pad_mode(c, a->pad_mode),
                   .trim_right_ratio = am_config_real(c, "trim_right_ratio", a->trim_right_ratio)};
    read_ratios(c, &r, a);
    if (!(r.trim_right_ratio >= 0 && r.trim_right_ratio <= 1))
        am_config_fail(c, "trim_right_ratio", "expected 0 to 1, found %g", r.trim_right_ratio);
    if (!r.use_causal_conv && r.trim_right_ratio != 1)
        am_config_fail(c, "trim_right_ratio", "expected 1 without use_causal_conv, found %g", r.trim_right_ratio);
    if (r.num_filters < r.compress) am_config_fail(c, "compress", "leaves no channel of num_filters");
    return r;
}

/* --- convolutions --- */

/* What is reflected has to be longer than what is added: zeros behind a shorter x make it so, and go again. */
static am_value pad_time(am_builder *b, am_value x, int64_t before, int64_t after, int mode)
{
    int64_t T = am_dim(b, x, 2), most = before > after ? before : after, extra = 0;
    if (before == 0 && after == 0) return x;
    if (mode == AM_PAD_REFLECT && T <= most) {
        extra = most - T + 1;
        x = am_pad_zero(b, x, 2, 0, extra);
    }
    x = am_pad(
        b, x,
        &(am_pad_attributes){.before = am_shape_of(0, 0, before), .after = am_shape_of(0, 0, after), .mode = mode});
    return extra ? am_slice(b, x, 2, 0, before + T + after) : x;
}

static am_value norm(am_builder *b, am_value x, const am_seanet *o)
{
    return o->group_norm ? am_group_norm(b, "norm", x, 1, GROUP_NORM_EPS) : x;
}

am_value am_seanet_conv(am_builder *b, const char *name, am_value x, int64_t out, const am_seanet_conv_options *conv,
                        int pad_mode, const am_seanet *o)
{
    int64_t stride = conv->stride ? conv->stride : 1, dilation = conv->dilation ? conv->dilation : 1;
    int64_t T = am_dim(b, x, 2), total = (conv->kernel - 1) * dilation + 1 - stride;
    int64_t after = o->use_causal_conv ? 0 : total / 2, before = total - after;
    x = pad_time(b, x, before, after + (T + stride - 1) / stride * stride - T, pad_mode);
    am_scope(b, "%s", name);
    x = am_normed_convolution(
        b, "conv", x, out, conv->kernel, conv->unbiased ? AM_NO_BIAS : AM_BIAS,
        &(am_convolution_attributes){.stride = am_shape_of(stride), .dilation = am_shape_of(dilation)});
    x = norm(b, x, o);
    am_end_scope(b);
    return x;
}

am_value am_seanet_upsample(am_builder *b, const char *name, am_value x, int64_t out, int64_t stride, int64_t groups,
                            int bias, const am_seanet *o)
{
    int64_t T = am_dim(b, x, 2);
    int64_t after = o->use_causal_conv ? (int64_t)ceil((double)stride * o->trim_right_ratio) : stride / 2;
    am_scope(b, "%s", name);
    x = am_normed_conv_transpose(b, "conv", x, out, 2 * stride, bias,
                                 &(am_convolution_attributes){.stride = am_shape_of(stride), .groups = groups});
    x = norm(b, x, o);
    am_end_scope(b);
    return am_slice(b, x, 2, stride - after, stride - after + T * stride);
}

static am_value elu(am_builder *b, am_value x)
{
    return am_unary(b, AM_ELU, x);
}

/* --- both sides --- */

/* dilation_growth_rate ^ i */
static int64_t dilation_of(am_builder *b, int64_t i, const am_seanet *o)
{
    double dilation = pow((double)o->dilation_growth_rate, (double)i);
    if (dilation * (double)o->residual_kernel_size < INT32_MAX) return (int64_t)dilation;
    am_config_fail(am_model_config(b), "dilation_growth_rate", "%" PRId64 " ^ %" PRId64 " is too much",
                   o->dilation_growth_rate, i);
    return 1;
}

/* x and what two convolutions with fewer channels between them make of it, in layers.<*at> on. */
static am_value residual_units(am_builder *b, am_value x, int *at, const am_seanet *o)
{
    int64_t C = am_dim(b, x, 1);
    for (int64_t i = 0; i < o->num_residual_layers && !am_builder_failed(b); i++) {
        am_seanet_conv_options wide = {.kernel = o->residual_kernel_size, .dilation = dilation_of(b, i, o)},
                               one = {.kernel = 1};
        am_scope(b, "layers.%d", (*at)++);
        am_value h = am_seanet_conv(b, "block.1", elu(b, x), C / o->compress, &wide, o->pad_mode, o);
        h = am_seanet_conv(b, "block.3", elu(b, h), C, &one, o->pad_mode, o);
        if (o->use_conv_shortcut) x = am_seanet_conv(b, "shortcut", x, C, &one, o->pad_mode, o);
        x = am_add(b, x, h);
        am_end_scope(b);
    }
    return x;
}

static am_value numbered_conv(am_builder *b, int layer, am_value x, int64_t out, int64_t kernel, int64_t stride,
                              const am_seanet *o)
{
    char name[32];
    snprintf(name, sizeof name, "layers.%d", layer);
    return am_seanet_conv(b, name, x, out, &(am_seanet_conv_options){.kernel = kernel, .stride = stride}, o->pad_mode,
                          o);
}

/* x: [B, C, T] and what the LSTM layers.N, where there is one, makes of it. */
static am_value recurrent(am_builder *b, am_value x, int *at, const am_seanet *o)
{
    if (o->num_lstm_layers == 0) return x;
    am_scope(b, "layers.%d", (*at)++);
    am_value frames = am_transpose(b, x, 1, 2);
    x = am_add(b, x, am_transpose(b, am_lstm(b, "lstm", frames, o->num_lstm_layers), 1, 2));
    am_end_scope(b);
    return x;
}

am_value am_seanet_encode(am_builder *b, am_value x, const am_seanet *o)
{
    int at = 0;
    x = numbered_conv(b, at++, x, o->num_filters, o->kernel_size, 1, o);
    for (int i = o->ratio_count - 1; i >= 0; i--) {
        int64_t ratio = o->upsampling_ratios[i];
        x = residual_units(b, x, &at, o);
        at++; /* an activation has a number, too */
        x = numbered_conv(b, at++, elu(b, x), 2 * am_dim(b, x, 1), 2 * ratio, ratio, o);
    }
    x = recurrent(b, x, &at, o);
    return numbered_conv(b, at + 1, elu(b, x), o->hidden_size, o->last_kernel_size, 1, o);
}

am_value am_seanet_decode(am_builder *b, am_value x, const am_seanet *o)
{
    int at = 0;
    char name[32];
    x = numbered_conv(b, at++, x, o->num_filters << o->ratio_count, o->kernel_size, 1, o);
    x = recurrent(b, x, &at, o);
    for (int i = 0; i < o->ratio_count; i++) {
        snprintf(name, sizeof name, "layers.%d", at + 1);
        x = am_seanet_upsample(b, name, elu(b, x), am_dim(b, x, 1) / 2, o->upsampling_ratios[i], 1, AM_BIAS, o);
        at += 2;
        x = residual_units(b, x, &at, o);
    }
    return numbered_conv(b, at + 1, elu(b, x), o->audio_channels, o->last_kernel_size, 1, o);
}

/* --- codebooks --- */

/* Row of the table: [codes, C] that is nearest to each of x: [B, T, C]: I32 [B, T]. What all rows share of the squared
   distance is left out. */
static am_value nearest(am_builder *b, am_value x, am_value table)
{
    am_value lengths = am_reduce(b, AM_REDUCE_SUM, am_unary(b, AM_SQUARE, table), am_shape_of(1), false);
    am_value products = am_linear_with(b, am_mul_number(b, x, -2), table, lengths);
    return am_arg_reduce(b, products, 2, true);
}

am_bandwidths am_bandwidths_read(const am_config *c, const double absent[5])
{
    am_bandwidths r = {.count = 0};
    am_json list = am_json_get(c->object, "target_bandwidths");
    if (am_json_kind_of(list) == AM_JSON_MISSING)
        for (; r.count < 5; r.count++) r.items[r.count] = absent[r.count];
    for (am_json_iterator i = am_json_iterate(list); am_json_next(&i) && r.count < AM_BANDWIDTHS_LIMIT;)
        r.items[r.count++] = am_json_real(i.value, 0);
    for (int i = 0; i < r.count; i++)
        if (!(r.items[i] > 0 && r.items[i] < 1e6))
            am_config_fail(c, "target_bandwidths", "element %d is no bandwidth", i);
    if (r.count > 0) return r;
    am_config_fail(c, "target_bandwidths", "expected a list of numbers");
    r.items[r.count++] = 1;
    return r;
}

double am_bandwidth_wanted(am_builder *b, const am_bandwidths *bandwidths, double fallback)
{
    double wanted = (double)am_model_argument(b, "bandwidth", 0);
    bool known = wanted == 0;
    for (int i = 0; i < bandwidths->count; i++) known = known || bandwidths->items[i] == wanted;
    if (!known) am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "bandwidth %g is none of target_bandwidths", wanted));
    return wanted != 0 ? wanted : fallback;
}

am_value am_codebooks_encode(am_builder *b, const char *list, am_value x, int count, int64_t size, am_codebook *table)
{
    int64_t C = am_dim(b, x, 1), B = am_dim(b, x, 0), T = am_dim(b, x, 2);
    am_value *found = am_arena_array(am_builder_arena(b), (size_t)count + 1, sizeof *found);
    if (!found) {
        am_builder_fail(b, am_out_of_memory());
        return AM_NONE;
    }
    x = am_transpose(b, x, 1, 2);
    for (int i = 0; i < count && !am_builder_failed(b); i++) {
        am_scope(b, "%s.%d", list, i);
        am_value rows = table(b, size, C), index = nearest(b, x, rows);
        am_end_scope(b);
        found[i] = am_reshape(b, index, am_shape_of(B, 1, T));
        if (i + 1 < count) x = am_sub(b, x, am_embedding_op(b, rows, index));
    }
    return am_builder_failed(b) ? AM_NONE : am_concat(b, found, count, 1);
}

am_value am_codebooks_decode(am_builder *b, const char *list, am_value codes, int64_t size, int64_t C,
                             am_codebook *table)
{
    am_value sum = AM_NONE;
    for (int i = 0; i < am_dim(b, codes, 1) && !am_builder_failed(b); i++) {
        am_scope(b, "%s.%d", list, i);
        am_value x = am_embedding_op(b, table(b, size, C), am_index(b, codes, 1, i));
        am_end_scope(b);
        sum = i ? am_add(b, sum, x) : x;
    }
    return am_transpose(b, sum, 1, 2);
}
