#include "models/blocks/hyper_connections.h"

#include "models/blocks/gemma4.h"
#include "models/blocks/heads.h"
#include "models/blocks/vision.h"

#include <inttypes.h>

enum { STREAMS_LIMIT = 64 };

am_value am_stream_mixes(am_builder *b, am_value x, const char *name, int64_t rows, const am_config *c)
{
    am_value flat = am_flatten(b, x, 2, 3);
    am_value weight = am_weight(b, name, am_shape_of(rows, am_dim(b, flat, -1)));
    return am_linear_with(b, am_bare_rms_norm(b, flat, am_config_real(c, "rms_norm_eps", 1e-6)), weight, AM_NONE);
}

am_value am_stream_scaled(am_builder *b, am_value x, am_value scales, int place, am_value base, int64_t begin,
                          int64_t count)
{
    x = am_mul(b, am_slice(b, x, -1, begin, begin + count), am_slice(b, scales, 0, place, place + 1));
    return am_add(b, x, am_slice(b, base, 0, begin, begin + count));
}

am_value am_weigh_streams(am_builder *b, am_value x, am_value weights)
{
    return am_squeeze(b, am_matmul(b, am_unsqueeze(b, weights, 2), x, false, false), 2);
}

am_value am_merge_streams(am_builder *b, am_value x, const char *const names[3], const am_config *c)
{
    int64_t N = am_dim(b, x, 2);
    am_value m = am_stream_mixes(b, x, names[0], N, c), base = am_parameter(b, names[1], am_shape_of(N), m),
             scale = am_parameter(b, names[2], am_shape_of(1), m);
    am_value weights = am_unary(b, AM_SIGMOID, am_stream_scaled(b, m, scale, 0, base, 0, N));
    return am_weigh_streams(b, x, am_add_number(b, weights, am_config_real(c, "hc_eps", 1e-6)));
}

am_value am_streams_body(am_builder *b, am_decoder_options *o, const char *prefix, const char *table)
{
    int64_t N = am_config_size(o->config, "hc_mult", 4);
    if (N > STREAMS_LIMIT) am_config_unsupported(o->config, "hc_mult", "at most %d, found %" PRId64, STREAMS_LIMIT, N);
    am_scope(b, "%s", prefix);
    am_value x = am_input_embeddings(b, table, o->vocab_size, o->hidden_size);
    if (am_builder_failed(b)) return AM_NONE;
    am_shape s = {.rank = 4, .dims = {am_dim(b, x, 0), am_dim(b, x, 1), N, o->hidden_size}};
    o->embedded = am_broadcast(b, am_unsqueeze(b, x, 2), s);
    am_end_scope(b);
    return am_decoder_body(b, o, prefix);
}
