/* NeuCodec's and Xcodec2's extractors: samples for the acoustic encoder, and Kaldi's filter bank for the semantic one,
   two frames side by side. */
#ifndef AM_MEDIA_SEMANTIC_CODEC_H
#define AM_MEDIA_SEMANTIC_CODEC_H

#include "media/extractors/extractor.h"

/* Adds input_values f32 [count, 1, samples], padding_mask i32 [count, samples], input_features f32 [count, pairs, 160]
   and input_features_mask i32 [count, pairs]. The filter bank is of each sound up to whole hops of hop_length, with
   `around` zeros before and behind; of padded sounds, or each by itself, where padding does not cut it. */
am_status am_semantic_codec_add(am_feature_run *run, int64_t around, bool of_padded) AM_NODISCARD;

#endif
