/* What the feature extractors of neural codecs share: samples padded to whole frames, with padding_mask. */
#ifndef AM_MEDIA_CODEC_H
#define AM_MEDIA_CODEC_H

#include "media/extractors/extractor.h"

/* Fails with AM_INVALID_ARGUMENT where the call wants both padding and truncation, which these classes refuse. */
am_status am_codec_check(const am_feature_run *run) AM_NODISCARD;

/* Pads and adds input_values f32 [count, channels, length] and, unless the call wants no padding, padding_mask i32
   [count, length]. */
am_status am_codec_add(am_feature_run *run, const am_sequences *sequences,
                       const am_feature_options *options) AM_NODISCARD;

/* Sets the max_length of EncodecFeatureExtractor's and KyutaiSpeechToTextFeatureExtractor's chunks: chunk_length_s that
   overlap by the fraction `overlap`, as many as the longest sound needs, or the shortest fills where it is cut. */
void am_codec_fit_chunks(const am_feature_run *run, am_feature_options *options);

#endif
