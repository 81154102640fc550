/* What models of several modalities share. */
#ifndef AM_MODELS_BLOCKS_MULTIMODAL_H
#define AM_MODELS_BLOCKS_MULTIMODAL_H

#include "models/model.h"

/* Embeddings x: [B, T, C] where the n-th place whose id is the features' token, counted through the whole batch, is
   their row n. Another number of such places than N, or a larger one where rows may be left, is an
   AM_OUT_OF_RANGE error of the run. torch.Tensor.masked_scatter */
am_value am_merge_features(am_builder *b, am_value x, const am_feature_rows *features);

/* Rows: [N, C] at the places where `is`: BOOL [B, T], in their order, and zeros at the others: [B, T, C]. */
am_value am_spread_rows(am_builder *b, am_value rows, am_value is);

/* Embeddings x: [B, T, C] where the n-th place that `is`: BOOL [B, T], counted through the whole batch, is the n-th of
   the rows: [N, C] that count, where marks: [N] are not zero, or AM_NONE. More such places than rows are an
   AM_OUT_OF_RANGE error of the run. */
am_value am_merge_marked(am_builder *b, am_value x, am_value is, am_value rows, am_value marks);

/* am_merge_features of all the features that this class is given as a part of another; x of none. */
am_value am_merge_part_features(am_builder *b, am_value x);

#endif
