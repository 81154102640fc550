/* The small layers every model is made of. Names are weight names below the current scope. */
#ifndef AM_MODELS_BLOCKS_LAYERS_H
#define AM_MODELS_BLOCKS_LAYERS_H

#include "models/model.h"

enum { AM_NO_BIAS = 0, AM_BIAS = 1 };

/* torch.nn.Linear: x: [.., K] -> [.., out], weights NAME.weight: [out, K], NAME.bias: [out] when bias. */
am_value am_linear(am_builder *b, const char *name, am_value x, int64_t out, int bias);

/* The same followed by an activation. */
am_value am_linear_activation(am_builder *b, const char *name, am_value x, int64_t out, int bias,
                              am_unary_fn activation);

/* GPT-2's Conv1D: the weight is [K, out]. */
am_value am_linear_in_out(am_builder *b, const char *name, am_value x, int64_t out);

/* x times the rows of an already loaded weight: [out, K]; bias may be AM_NONE. */
am_value am_linear_with(am_builder *b, am_value x, am_value weight, am_value bias);

/* torch.nn.LayerNorm over the last dimension. */
am_value am_layer_norm(am_builder *b, const char *name, am_value x, double eps);

/* LayerNorm over the last dimension with a weight only. */
am_value am_layer_norm_no_bias(am_builder *b, const char *name, am_value x, double eps);

/* LayerNorm over axis 1 of x: [B, C, ..] (channels_first). */
am_value am_layer_norm_channels_first(am_builder *b, const char *name, am_value x, double eps);

/* RMSNorm with NAME.weight + weight_offset. */
am_value am_rms_norm(am_builder *b, const char *name, am_value x, double eps, double weight_offset);

/* torch.nn.GroupNorm: x: [B, C, ..], NAME.weight, NAME.bias: [C]. */
am_value am_group_norm(am_builder *b, const char *name, am_value x, int64_t groups, double eps);

/* torch.nn.BatchNorm of a trained model: NAME.weight, .bias, .running_mean, .running_var. */
am_value am_batch_norm(am_builder *b, const char *name, am_value x, double eps);

/* x, and slope * x below zero (torch.nn.functional.leaky_relu). */
am_value am_leaky_relu(am_builder *b, am_value x, double slope);

/* x over its length along the last dimension, which counts as `least` at least (torch.nn.functional.normalize). */
am_value am_unit_length(am_builder *b, am_value x, double least);

/* torch.nn.Embedding: rows of NAME.weight: [count, C] at ids. */
am_value am_embedding(am_builder *b, const char *name, am_value ids, int64_t count, int64_t C);

/* Positions that padding takes no part in (create_position_ids_from_input_ids of RoBERTa and fairseq's models): pad +
   how many tokens that are no pads stand up to each of ids: [B, T], those in the caches counted; pads stand at pad. */
am_value am_positions_after_pad(am_builder *b, am_value ids, int64_t pad);

/* torch.nn.Conv1d / Conv2d: weight NAME.weight: [out, C / groups, kernel..]. */
am_value am_conv(am_builder *b, const char *name, am_value x, int64_t out, am_shape kernel, int bias,
                 const am_convolution_attributes *options);

#endif
