/* WavLM: wav2vec 2.0 whose attention gets a bias of how far apart two frames are, in buckets that the first layer has
   for all; in each layer a gate made of the frame itself scales it. transformers: models/wavlm/modeling_wavlm.py */
#include "models/blocks/wav2vec2.h"

#include <inttypes.h>
#include <math.h>

enum { GATE_WIDTH = 8 }; /* two gates of four summands each */

typedef struct bucket_options {
    int64_t buckets, max_distance; /* buckets: of one side; 0: the configuration has a fault */
} bucket_options;

static bucket_options read_buckets(const am_config *c)
{
    bucket_options r = {.buckets = am_config_size(c, "num_buckets", 320) / 2,
                        .max_distance = am_config_size(c, "max_bucket_distance", 800)};
    int64_t exact = r.buckets / 2;
    if (exact > 0 && r.max_distance > exact) return r;
    if (exact == 0) am_config_fail(c, "num_buckets", "expected 4 or more");
    else
        am_config_fail(c, "max_bucket_distance", "expected more than a quarter of num_buckets, found %" PRId64,
                       r.max_distance);
    r.buckets = 0;
    return r;
}

/* In float, as the models were trained with: unlike T5 the sum is rounded before it is cut off. */
static int64_t bucket_of(int64_t distance, const bucket_options *o)
{
    int64_t exact = o->buckets / 2, size = distance < 0 ? -distance : distance, bucket = size;
    if (size >= exact) {
        float part = logf((float)size / (float)exact) / (float)log((double)o->max_distance / (double)exact);
        bucket = (int64_t)((float)exact + part * (float)(o->buckets - exact));
        if (bucket > o->buckets - 1) bucket = o->buckets - 1;
    }
    return distance > 0 ? bucket + o->buckets : bucket;
}

/* Bucket of each distance 1 - T .. T - 1: I32 [2 * T - 1]. */
static am_value bucket_table(am_builder *b, int64_t T, const bucket_options *o)
{
    int32_t *table = am_arena_array(am_builder_arena(b), (size_t)(2 * T - 1), sizeof *table);
    if (!table) {
        am_builder_fail(b, am_out_of_memory());
        return AM_NONE;
    }
    for (int64_t i = 0; i < 2 * T - 1; i++) table[i] = (int32_t)bucket_of(i - (T - 1), o);
    return am_constant_copy(b, AM_I32, am_shape_of(2 * T - 1), table);
}

/* [1, H, T, T] of the distance key - query */
static am_value position_bias(am_builder *b, int64_t T, const am_wav2vec2_options *o)
{
    const am_config *c = am_model_config(b);
    bucket_options buckets = read_buckets(c);
    if (buckets.buckets == 0) return AM_NONE;
    int64_t count = am_config_size(c, "num_buckets", 320), H = o->num_attention_heads;
    am_value of_distance = am_embedding(b, "layers.0.attention.rel_attn_embed", bucket_table(b, T, &buckets), count, H);
    am_value key = am_iota(b, AM_I32, am_shape_of(T, T), 1, (double)(T - 1), 1);
    am_value distance = am_sub(b, key, am_iota(b, AM_I32, am_shape_of(T, T), 0, 0, 1));
    return am_unsqueeze(b, am_gather(b, am_transpose(b, of_distance, 0, 1), distance, 1, false), 0);
}

/* x: [B, T, C] -> how much of the bias each head takes at each query: [B, H, T, 1] */
static am_value bias_gate(am_builder *b, am_value x, int64_t heads)
{
    x = am_linear(b, "gru_rel_pos_linear", am_split_heads(b, x, heads), GATE_WIDTH, AM_BIAS);
    am_shape s = am_shape_of(am_dim(b, x, 0), am_dim(b, x, 1), heads, 2, GATE_WIDTH / 2);
    x = am_unary(b, AM_SIGMOID, am_reduce(b, AM_REDUCE_SUM, am_reshape(b, x, s), am_shape_of(-1), false));
    am_value factor = am_cast(b, am_weight(b, "gru_rel_pos_const", am_shape_of(1, heads, 1, 1)), AM_F32);
    am_value second = am_mul(b, am_index(b, x, 3, 1), am_reshape(b, factor, am_shape_of(heads)));
    am_value gate = am_mul(b, am_index(b, x, 3, 0), am_add_number(b, second, -1));
    return am_unsqueeze(b, am_transpose(b, am_add_number(b, gate, 2), 1, 2), 3);
}

static am_value attention(am_builder *b, am_value x, const am_attention_options *options)
{
    am_attention_options gated = *options;
    gated.bias = am_mul(b, bias_gate(b, x, options->heads), options->bias);
    return am_self_attention(b, x, &gated);
}

/* Its layers have no adapters of their own. */
static void adjust(const am_config *c, am_wav2vec2_options *o)
{
    (void)c;
    o->adapter_attn_dim = 0;
    o->feat_proj_layer_norm = true;
    o->conv_pos_batch_norm = false;
}

static const am_architecture architectures[] = {
    {"WavLMModel", am_wav2vec2_model, "feature-extraction", 0},
    {"WavLMForCTC", am_wav2vec2_for_ctc, "automatic-speech-recognition", 0},
    {"WavLMForSequenceClassification", am_wav2vec2_for_sequence_classification, "audio-classification", 0},
    {"WavLMForAudioFrameClassification", am_wav2vec2_for_audio_frame_classification, NULL, 0},
    {"WavLMForXVector", am_wav2vec2_for_x_vector, NULL, 0},
    {0},
};

static const am_wav2vec2_family family = {
    .prefix = "wavlm", .adjust = adjust, .position_bias = position_bias, .attention = attention};

const am_model_type am_model_wavlm = {
    .name = "wavlm", .base_prefix = "wavlm", .architectures = architectures, .family = &family};
