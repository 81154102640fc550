/* Hyper-connections (arXiv 2409.19606): several streams of hidden states [B, T, N, C], which each part of a layer reads
   as a weighted sum and adds its answer to. */
#ifndef AM_MODELS_BLOCKS_HYPER_CONNECTIONS_H
#define AM_MODELS_BLOCKS_HYPER_CONNECTIONS_H

#include "models/blocks/decoder.h"

/* What a projection of all streams says, made as large as if they were normed: x: [B, T, N, C], weight NAME: [rows,
   N * C] -> [B, T, rows]. Reads rms_norm_eps. */
am_value am_stream_mixes(am_builder *b, am_value x, const char *name, int64_t rows, const am_config *c);

/* Rows begin .. begin + count of x: [.., rows] times element `place` of scales, and those of base: [rows]. */
am_value am_stream_scaled(am_builder *b, am_value x, am_value scales, int place, am_value base, int64_t begin,
                          int64_t count);

/* The sum of the streams of x: [B, T, N, C], weighed by [B, T, N]: [B, T, C]. */
am_value am_weigh_streams(am_builder *b, am_value x, am_value weights);

/* What stands before the norm behind the last layer: one stream of x: [B, T, N, C]. Names: of the weights fn, base and
   scale; reads hc_eps, by default 1e-6. */
am_value am_merge_streams(am_builder *b, am_value x, const char *const names[3], const am_config *c);

/* A decoder below the scope `prefix` all of whose streams, hc_mult (by default 4), start as the embeddings; `table` is
   what these are called. */
am_value am_streams_body(am_builder *b, am_decoder_options *o, const char *prefix, const char *table);

#endif
