/* What models that hear a wave share: the stack of convolutions that makes frames of samples, how many frames
   belong to a padded row, positions by convolution, and the pooling of speaker verification. */
#ifndef AM_MODELS_BLOCKS_SPEECH_H
#define AM_MODELS_BLOCKS_SPEECH_H

#include "models/blocks/layers.h"

enum { AM_WAVE_LAYERS_LIMIT = 64 };

/* Unpadded convolutions over the samples, each with an activation; normed all over channels (layer_norms), or
   the first alone, each channel over time. */
typedef struct am_wave_encoder {
    int layers;
    int64_t dims[AM_WAVE_LAYERS_LIMIT], kernels[AM_WAVE_LAYERS_LIMIT], strides[AM_WAVE_LAYERS_LIMIT];
    bool bias, layer_norms;
    am_unary_fn activation;
} am_wave_encoder;

/* The fields conv_dim, conv_kernel, conv_stride, conv_bias, feat_extract_norm and feat_extract_activation, as
   Wav2Vec2Config defaults them, or with the layers of `absent` where it is not null; lists of different lengths are an
   error. */
am_wave_encoder am_wave_encoder_read(const am_config *c, const am_wave_encoder *absent);

/* conv_layers.N below the scope: samples: [B, L] -> frames: [B, T, C]. */
am_value am_wave_encode(am_builder *b, am_value samples, const am_wave_encoder *options);

/* Frames that lengths: I32 [B] samples give: I32 [B]; below 1 for rows shorter than one frame. */
am_value am_wave_lengths(am_builder *b, am_value lengths, const am_wave_encoder *options);

/* Length after one more unpadded convolution: I32 [B] -> I32 [B]. */
am_value am_convolved_length(am_builder *b, am_value lengths, int64_t kernel, int64_t stride);

/* Sums of the rows of the input attention_mask: I32 [B]; AM_NONE when it is not given. */
am_value am_attended_lengths(am_builder *b);

/* The same of another input. */
am_value am_marked_lengths(am_builder *b, const char *input);

/* Which of T frames stand before their row's length: BOOL [B, T]. Lengths below 1 count from the end, as the
   index that transformers marks the last frame with does: a row of length 0 has all T. */
am_value am_frame_mask(am_builder *b, am_value lengths, int64_t T);

/* frame index < lengths: I32 [B]: BOOL [B, T]. */
am_value am_frames_before(am_builder *b, am_value lengths, int64_t T);

/* x: [B, T, ..] with zeros where mask: BOOL [B, T] is false; x itself where mask is AM_NONE. */
am_value am_zero_outside(am_builder *b, am_value x, am_value mask);

/* The weight of the scope: weight, or one normed along all axes but `axis` (torch's weight_norm), of the weights
   parametrizations.weight.original0 and original1: `shape`. */
am_value am_normed_weight(am_builder *b, am_shape shape, int axis);

/* torch.nn.Conv1d and ConvTranspose1d with such a weight, normed but for the first axis, and a bias where bias says so:
   x: [B, C, T] -> [B, out, T']. */
am_value am_normed_convolution(am_builder *b, const char *name, am_value x, int64_t out, int64_t kernel, int bias,
                               const am_convolution_attributes *options);
am_value am_normed_conv_transpose(am_builder *b, const char *name, am_value x, int64_t out, int64_t kernel, int bias,
                                  const am_convolution_attributes *options);

/* Activation of a grouped convolution that keeps the length of x: [B, T, C], or leaves a frame for each begun stride
   of it; an even kernel reaches one further back than ahead. The weight is NAME.weight or, normed for each tap (torch's
   weight_norm of dim 2), NAME.parametrizations.weight.original0 and original1. */
am_value am_positional_convolution(am_builder *b, const char *name, am_value x, int64_t kernel, int64_t stride,
                                   int64_t groups, am_unary_fn activation);

/* Convolution NAME, with a bias, to twice `out` channels, of which the second half gates the first: x: [B, C, T] ->
   [B, out, T']. */
am_value am_gated_convolution(am_builder *b, const char *name, am_value x, int64_t out, int64_t kernel,
                              const am_convolution_attributes *options);

/* NAME.output_dense(activation(NAME.intermediate_dense(x))): x: [B, T, C], `inner` channels between. */
am_value am_speech_feed_forward(am_builder *b, const char *name, am_value x, int64_t inner, am_unary_fn activation);

/* Sum of `count` values of one shape, weighted by the softmax of the weight NAME: [count]. */
am_value am_weighted_states(am_builder *b, const char *name, const am_value *states, int count);

/* relu of a dilated convolution over time whose weight NAME.weight is a linear's: [out, kernel * C], taps
   outermost; x: [B, T, C] -> [B, T - (kernel - 1) * dilation, out]. */
am_value am_time_delay_layer(am_builder *b, const char *name, am_value x, int64_t out, int64_t kernel,
                             int64_t dilation);

/* Rows of x: [B, T, C], each as often as durations: I32 [B, T] say, then zeros: [B, L, C]. */
am_value am_repeat_rows(am_builder *b, am_value x, am_value durations, int64_t L);

/* layers.N below the scope, convolutions with batch norms, tanh between them: what they make of x: [B, T, bins] is
   added to it. Sizes are speech_decoder_postnet_layers, _units and _kernel of the configuration. */
am_value am_speech_postnet(am_builder *b, const am_config *c, am_value x);

/* Mean and deviation (of a sample: divided by n - 1) over time: x: [B, T, C] -> [B, 2 * C]. lengths: I32 [B]
   end each row as a Python slice's stop does, or are AM_NONE: all frames count. */
am_value am_mean_and_deviation(am_builder *b, am_value x, am_value lengths);

#endif
