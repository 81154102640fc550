/* What models of several modalities share. */
#ifndef AM_MODELS_BLOCKS_MULTIMODAL_H
#define AM_MODELS_BLOCKS_MULTIMODAL_H

#include "models/model.h"

/* Embeddings x: [B, T, C] of ids: I32 [B, T] where the n-th place that holds `token`, counted through the whole batch,
   is row n of features: [N, C]. Another number of such places than N is an AM_OUT_OF_RANGE error of the run, which
   names both. torch.Tensor.masked_scatter */
am_value am_merge_features(am_builder *b, am_value x, am_value ids, am_value features, int64_t token);

#endif
