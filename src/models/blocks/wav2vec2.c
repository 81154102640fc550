#include "models/blocks/wav2vec2.h"

enum { TDNN_LIMIT = 64 };

static const double DEFAULT_NORM_EPS = 1e-5; /* of the adapters' norms and of batch_norm: not configurable */

static const am_wav2vec2_family wav2vec2 = {.prefix = "wav2vec2"};

static const am_wav2vec2_family *family_of(am_builder *b)
{
    const am_wav2vec2_family *family = am_model_family(b);
    return family ? family : &wav2vec2;
}

static am_wav2vec2_options read_fields(const am_config *c, const am_wav2vec2_family *f)
{
    am_wav2vec2_options r = {
        .vocab_size = am_config_size(c, "vocab_size", 32),
        .hidden_size = am_config_size(c, "hidden_size", 768),
        .num_hidden_layers = am_config_count(c, "num_hidden_layers", 12),
        .num_attention_heads = am_config_size(c, "num_attention_heads", 12),
        .intermediate_size = am_config_size(c, "intermediate_size", 3072),
        .hidden_act = am_config_activation(c, "hidden_act", AM_GELU),
        .layer_norm_eps = am_config_real(c, "layer_norm_eps", 1e-5),
        .wave = am_wave_encoder_read(c, f->wave),
        .num_conv_pos_embeddings = am_config_count(c, "num_conv_pos_embeddings", 128),
        .num_conv_pos_embedding_groups = am_config_size(c, "num_conv_pos_embedding_groups", 16),
        .do_stable_layer_norm = am_config_flag(c, "do_stable_layer_norm", false),
        .apply_spec_augment = am_config_flag(c, "apply_spec_augment", true),
        .use_weighted_layer_sum = am_config_flag(c, "use_weighted_layer_sum", false),
        .feat_proj_layer_norm = am_config_flag(c, "feat_proj_layer_norm", true),
        .conv_pos_batch_norm = am_config_flag(c, "conv_pos_batch_norm", false),
        .add_adapter = am_config_flag(c, "add_adapter", false),
        .adapter_kernel_size = am_config_size(c, "adapter_kernel_size", 3),
        .adapter_stride = am_config_size(c, "adapter_stride", 2),
        .num_adapter_layers = am_config_count(c, "num_adapter_layers", 3),
        .adapter_attn_dim = am_config_has(c, "adapter_attn_dim") ? am_config_size(c, "adapter_attn_dim", 16) : 0,
        .classifier_proj_size = am_config_size(c, "classifier_proj_size", 256),
        .labels = am_config_labels(c),
    };
    if (f->adjust) f->adjust(c, &r);
    if (r.num_conv_pos_embeddings == 0 && !f->positions)
        am_config_fail(c, "num_conv_pos_embeddings", "expected 1 or more, found 0");
    r.output_hidden_size = am_config_size(c, "output_hidden_size", r.hidden_size);
    am_config_check_divides(c, "num_attention_heads", r.num_attention_heads, "hidden_size", r.hidden_size);
    am_config_check_divides(c, "num_conv_pos_embedding_groups", r.num_conv_pos_embedding_groups, "hidden_size",
                            r.hidden_size);
    return r;
}

static am_wav2vec2_options read_config(am_builder *b)
{
    return read_fields(am_model_config(b), family_of(b));
}

/* --- layers --- */

static am_value norm(am_builder *b, const char *name, am_value x, const am_wav2vec2_options *o)
{
    return am_layer_norm(b, name, x, o->layer_norm_eps);
}

static am_value attention(am_builder *b, am_value x, const am_attention_options *options)
{
    const am_wav2vec2_family *f = family_of(b);
    am_scope(b, "attention");
    x = f->attention ? f->attention(b, x, options) : am_self_attention(b, x, options);
    am_end_scope(b);
    return x;
}

static am_value feed_forward(am_builder *b, am_value x, const am_wav2vec2_options *o)
{
    return am_speech_feed_forward(b, "feed_forward", x, o->intermediate_size, o->hidden_act);
}

static am_value layer_adapter(am_builder *b, am_value x, const am_wav2vec2_options *o)
{
    am_scope(b, "adapter_layer");
    am_value h = am_layer_norm(b, "norm", x, DEFAULT_NORM_EPS);
    h = am_linear_activation(b, "linear_1", h, o->adapter_attn_dim, AM_BIAS, AM_RELU);
    h = am_linear(b, "linear_2", h, o->hidden_size, AM_BIAS);
    am_end_scope(b);
    return am_add(b, x, h);
}

static am_value layer(am_builder *b, am_value x, const am_wav2vec2_options *o, const am_attention_options *a)
{
    x = norm(b, "layer_norm", am_add(b, x, attention(b, x, a)), o);
    return norm(b, "final_layer_norm", am_add(b, x, feed_forward(b, x, o)), o);
}

static am_value stable_layer(am_builder *b, am_value x, const am_wav2vec2_options *o, const am_attention_options *a)
{
    x = am_add(b, x, attention(b, norm(b, "layer_norm", x, o), a));
    x = am_add(b, x, feed_forward(b, norm(b, "final_layer_norm", x, o), o));
    return o->adapter_attn_dim ? layer_adapter(b, x, o) : x;
}

void am_wav2vec2_keep_state(am_builder *b, am_value *states, int64_t i, am_value x)
{
    states[i] = x;
    am_output_hidden_state(b, "hidden_states", (int)i, x);
}

am_value am_wav2vec2_layers(am_builder *b, am_value x, am_value mask, const am_wav2vec2_options *o, am_value *states)
{
    const am_wav2vec2_family *f = family_of(b);
    am_attention_options options = {.heads = o->num_attention_heads, .mask = am_padding_mask_of(b, mask)};
    if (f->position_bias && o->num_hidden_layers > 0) options.bias = f->position_bias(b, am_dim(b, x, 1), o);
    for (int i = 0; i < o->num_hidden_layers && !am_builder_failed(b); i++) {
        am_wav2vec2_keep_state(b, states, i, x);
        am_scope(b, "layers.%d", i);
        x = o->do_stable_layer_norm ? stable_layer(b, x, o, &options) : layer(b, x, o, &options);
        am_end_scope(b);
    }
    am_wav2vec2_keep_state(b, states, o->num_hidden_layers, x);
    return x;
}

/* --- body --- */

/* x: [B, T, C] with positions added. */
static am_value add_positions(am_builder *b, am_value x, const am_wav2vec2_options *o)
{
    am_value h = x;
    if (o->conv_pos_batch_norm)
        h = am_transpose(b, am_batch_norm(b, "pos_conv_embed.batch_norm", am_transpose(b, x, 1, 2), DEFAULT_NORM_EPS),
                         1, 2);
    h = am_positional_convolution(b, "pos_conv_embed.conv", h, o->num_conv_pos_embeddings, 1,
                                  o->num_conv_pos_embedding_groups, o->wave.activation);
    return am_add(b, x, h);
}

/* x: [B, T, C], mask: BOOL [B, T] or AM_NONE. */
static am_value encoder(am_builder *b, am_value x, am_value mask, const am_wav2vec2_options *o, am_value *states)
{
    const am_wav2vec2_family *f = family_of(b);
    x = (f->positions ? f->positions : add_positions)(b, am_zero_outside(b, x, mask), o);
    if (!o->do_stable_layer_norm) x = norm(b, "layer_norm", x, o);
    x = am_wav2vec2_layers(b, x, mask, o, states);
    return o->do_stable_layer_norm ? norm(b, "layer_norm", x, o) : x;
}

/* x: [B, T, C] -> [B, T', C']: convolutions with a stride, gated. */
static am_value adapter(am_builder *b, am_value x, const am_wav2vec2_options *o)
{
    int64_t C = o->output_hidden_size;
    am_convolution_attributes options = {
        .stride = am_shape_of(o->adapter_stride), .padding_before = am_shape_of(1), .padding_after = am_shape_of(1)};
    if (!o->add_adapter) return x;
    am_scope(b, "adapter");
    if (C != o->hidden_size)
        x = am_layer_norm(b, "proj_layer_norm", am_linear(b, "proj", x, C, AM_BIAS), DEFAULT_NORM_EPS);
    x = am_transpose(b, x, 1, 2);
    for (int i = 0; i < o->num_adapter_layers && !am_builder_failed(b); i++) {
        am_scope(b, "layers.%d", i);
        x = am_gated_convolution(b, "conv", x, C, o->adapter_kernel_size, &options);
        am_end_scope(b);
    }
    am_end_scope(b);
    return am_transpose(b, x, 1, 2);
}

/* The input mask_time_indices as BOOL [B, T]; AM_NONE when it is not given. */
static am_value time_mask(am_builder *b)
{
    am_value mask = am_input_optional(b, "mask_time_indices", 2);
    return mask.id && am_dtype_of(b, mask) != AM_BOOL ? am_binary_number(b, AM_NOT_EQUAL, mask, 0) : mask;
}

/* Frames the caller masks are replaced by a learned one. */
static am_value mask_time(am_builder *b, am_value x, const am_wav2vec2_options *o)
{
    am_value mask = time_mask(b);
    if (!mask.id || !o->apply_spec_augment) return x;
    am_value learned = am_cast(b, am_weight(b, "masked_spec_embed", am_shape_of(o->hidden_size)), AM_F32);
    return am_select(b, am_unsqueeze(b, mask, 2), learned, x);
}

am_value am_wav2vec2_frame_mask(am_builder *b, am_value lengths, int64_t T)
{
    return family_of(b)->short_rows_are_empty ? am_frames_before(b, lengths, T) : am_frame_mask(b, lengths, T);
}

static am_wav2vec2_frames wave_frames(am_builder *b, const am_wav2vec2_options *o)
{
    am_wav2vec2_frames r = {0};
    am_value lengths = am_attended_lengths(b);
    am_scope(b, "feature_extractor");
    am_value x = am_wave_encode(b, am_input(b, "input_values", 2), &o->wave);
    am_end_scope(b);
    if (lengths.id) r.mask = am_wav2vec2_frame_mask(b, am_wave_lengths(b, lengths, &o->wave), am_dim(b, x, 1));
    r.features = o->feat_proj_layer_norm ? norm(b, "feature_projection.layer_norm", x, o) : x;
    r.x = am_linear(b, "feature_projection.projection", r.features, o->hidden_size, AM_BIAS);
    return r;
}

/* What a class may want of the body. */
typedef struct wav2vec2_body {
    am_value last, features; /* [B, T', C'], [B, T, conv_dim]: normed frames before projection */
    am_value *states;        /* hidden states: num_hidden_layers + 1 of [B, T, C], or null after a failure */
} wav2vec2_body;

/* prefix: the family's in classes with heads, "" in the base model itself */
static wav2vec2_body body(am_builder *b, const am_wav2vec2_options *o, const char *prefix)
{
    const am_wav2vec2_family *f = family_of(b);
    wav2vec2_body r = {.states =
                           am_arena_array(am_builder_arena(b), (size_t)o->num_hidden_layers + 1, sizeof *r.states)};
    if (!r.states) {
        am_builder_fail(b, am_out_of_memory());
        return r;
    }
    am_scope(b, "%s", prefix);
    am_wav2vec2_frames frames = (f->frames ? f->frames : wave_frames)(b, o);
    r.features = frames.features;
    am_value x = mask_time(b, frames.x, o);
    am_scope(b, "encoder");
    x = (f->encoder ? f->encoder : encoder)(b, x, frames.mask, o, r.states);
    am_end_scope(b);
    r.last = (f->adapter ? f->adapter : adapter)(b, x, o);
    am_end_scope(b);
    return r;
}

/* --- what heads share --- */

static am_value adapted_lengths(am_builder *b, am_value lengths, const am_wav2vec2_options *o)
{
    for (int i = 0; i < o->num_adapter_layers; i++) lengths = am_convolved_length(b, lengths, 1, o->adapter_stride);
    return lengths;
}

/* Frames of the rows after convolutions and adapter: I32 [B]; AM_NONE without a mask. */
static am_value output_lengths(am_builder *b, const am_wav2vec2_options *o, const am_wav2vec2_family *f)
{
    am_value lengths = am_attended_lengths(b);
    if (!lengths.id) return AM_NONE;
    lengths = f->lengths ? f->lengths(b, lengths, o) : am_wave_lengths(b, lengths, &o->wave);
    return o->add_adapter ? (f->adapted_lengths ? f->adapted_lengths : adapted_lengths)(b, lengths, o) : lengths;
}

am_value am_wav2vec2_output_mask(am_builder *b, const am_config *c, int64_t T)
{
    const am_model_type *type = am_model_type_find(am_config_text(c, "model_type", "wav2vec2"));
    if (!am_has_input(b, "attention_mask")) return AM_NONE;
    if (!type || type->architectures->build != am_wav2vec2_model) {
        am_config_unsupported(c, "model_type", "padding of this encoder's sounds is not supported");
        return AM_NONE;
    }
    const am_wav2vec2_family *f = type->family ? type->family : &wav2vec2;
    am_wav2vec2_options o = read_fields(c, f);
    return am_frame_mask(b, output_lengths(b, &o, f), T);
}

/* The last hidden state, or all of them weighted by layer_weights. */
static am_value mixed_states(am_builder *b, const am_wav2vec2_options *c)
{
    wav2vec2_body r = body(b, c, family_of(b)->prefix);
    if (!c->use_weighted_layer_sum || !r.states) return r.last;
    return am_weighted_states(b, "layer_weights", r.states, (int)c->num_hidden_layers + 1);
}

static void refuse_adapter(am_builder *b, const am_wav2vec2_options *c)
{
    if (c->add_adapter) am_config_fail(am_model_config(b), "add_adapter", "this class has no adapter");
}

/* --- quantizer --- */

typedef struct quantizer_config {
    int64_t groups, vectors, dim; /* vectors of a group; dim: of the groups' vectors joined */
} quantizer_config;

/* Sum over the groups of exp(entropy) of how often each of their vectors is chosen: chosen: I32 [N, G], of
   rows where counted: BOOL [N] (AM_NONE: of all). */
static am_value perplexity(am_builder *b, am_value chosen, am_value counted, const quantizer_config *q)
{
    int64_t N = am_dim(b, chosen, 0);
    am_value vectors = am_iota(b, AM_I32, am_shape_of(1, 1, q->vectors), 2, 0, 1), rows;
    am_value hits = am_binary(b, AM_EQUAL, am_unsqueeze(b, chosen, 2), vectors);
    if (counted.id) {
        hits = am_binary(b, AM_LOGICAL_AND, hits, am_reshape(b, counted, am_shape_of(N, 1, 1)));
        rows = am_reduce(b, AM_REDUCE_SUM, am_cast(b, counted, AM_F32), am_shape_of(0), false);
    } else rows = am_scalar(b, AM_F32, (double)N);
    am_value share = am_div(b, am_reduce(b, AM_REDUCE_SUM, am_cast(b, hits, AM_F32), am_shape_of(0), false), rows);
    /* a share is 0 or at least 1 / N: the bound only makes 0 log 0 zero */
    am_value log_share = am_unary(b, AM_LOG, am_binary_number(b, AM_MAX, share, 1e-30));
    am_value entropy = am_reduce(b, AM_REDUCE_SUM, am_mul(b, share, log_share), am_shape_of(1), false);
    return am_reduce(b, AM_REDUCE_SUM, am_unary(b, AM_EXP, am_unary(b, AM_NEG, entropy)), am_shape_of(0), false);
}

/* x: [B, T, conv_dim] -> the best code vector of each group, joined: [B, T, dim]; the perplexity is that of frames
   where counted: BOOL [B, T] (AM_NONE: of all). */
static am_value quantize(am_builder *b, am_value x, am_value counted, const quantizer_config *q,
                         am_value *out_perplexity)
{
    int64_t B = am_dim(b, x, 0), T = am_dim(b, x, 1), G = q->groups, V = q->vectors;
    am_scope(b, "quantizer");
    am_value scores = am_reshape(b, am_linear(b, "weight_proj", x, G * V, AM_BIAS), am_shape_of(B * T, G, V));
    am_value chosen = am_arg_reduce(b, scores, 2, false);
    if (counted.id) counted = am_flatten(b, counted, 0, 1);
    *out_perplexity = perplexity(b, chosen, counted, q);
    am_value table = am_weight(b, "codevectors", am_shape_of(1, G * V, q->dim / G));
    am_value row =
        am_add(b, chosen, am_iota(b, AM_I32, am_shape_of(1, G), 1, 0, (double)V)); /* groups below each other */
    x = am_embedding_op(b, am_squeeze(b, table, 0), row);
    am_end_scope(b);
    return am_reshape(b, x, am_shape_of(B, T, q->dim));
}

/* --- classes --- */

void am_wav2vec2_model(am_builder *b)
{
    am_wav2vec2_options c = read_config(b);
    wav2vec2_body r = body(b, &c, "");
    am_output(b, "last_hidden_state", r.last);
    if (!family_of(b)->hides_features) am_output(b, "extract_features", r.features);
}

void am_wav2vec2_for_ctc(am_builder *b)
{
    am_wav2vec2_options c = read_config(b);
    am_output(b, "logits", am_linear(b, "lm_head", body(b, &c, family_of(b)->prefix).last, c.vocab_size, AM_BIAS));
}

static quantizer_config read_quantizer(const am_config *c)
{
    quantizer_config q = {.groups = am_config_size(c, "num_codevector_groups", 2),
                          .vectors = am_config_size(c, "num_codevectors_per_group", 320),
                          .dim = am_config_size(c, "codevector_dim", 256)};
    am_config_check_divides(c, "num_codevector_groups", q.groups, "codevector_dim", q.dim);
    return q;
}

void am_unispeech_for_pretraining(am_builder *b)
{
    am_wav2vec2_options c = read_config(b);
    quantizer_config q = read_quantizer(am_model_config(b));
    am_value codes = AM_NONE;
    wav2vec2_body r = body(b, &c, family_of(b)->prefix);
    am_output(b, "projected_states", r.last);
    am_value x = quantize(b, r.features, AM_NONE, &q, &codes);
    x = am_linear(b, "project_q", x, am_config_size(am_model_config(b), "proj_codevector_dim", 256), AM_BIAS);
    am_output(b, "projected_quantized_states", am_linear(b, "project_hid", x, c.hidden_size, AM_BIAS));
    am_output(b, "codevector_perplexity", codes);
}

void am_unispeech_sat_for_pretraining(am_builder *b)
{
    am_wav2vec2_options c = read_config(b);
    wav2vec2_body r = body(b, &c, family_of(b)->prefix);
    am_output(b, "logits", r.features);
    am_output(b, "projected_states", r.last);
}

void am_wav2vec2_for_pretraining(am_builder *b)
{
    const am_config *config = am_model_config(b);
    am_wav2vec2_options c = read_config(b);
    quantizer_config q = read_quantizer(config);
    int64_t P = am_config_size(config, "proj_codevector_dim", 256);
    am_value codes = AM_NONE;
    wav2vec2_body r = body(b, &c, family_of(b)->prefix);
    am_output(b, "projected_states", am_linear(b, "project_hid", r.last, P, AM_BIAS));
    am_value quantized = quantize(b, r.features, time_mask(b), &q, &codes);
    am_output(b, "projected_quantized_states", am_linear(b, "project_q", quantized, P, AM_BIAS));
    am_output(b, "codevector_perplexity", codes);
}

void am_wav2vec2_for_sequence_classification(am_builder *b)
{
    am_wav2vec2_options c = read_config(b);
    refuse_adapter(b, &c);
    am_value x = am_linear(b, "projector", mixed_states(b, &c), c.classifier_proj_size, AM_BIAS);
    am_value lengths = output_lengths(b, &c, family_of(b)), mask = AM_NONE, count;
    int64_t B = am_dim(b, x, 0), T = am_dim(b, x, 1);
    if (lengths.id) {
        mask = am_wav2vec2_frame_mask(b, lengths, T);
        count = am_reshape(b, am_reduce_last(b, AM_REDUCE_SUM, am_cast(b, mask, AM_F32)), am_shape_of(B, 1));
    } else count = am_scalar(b, AM_F32, (double)T);
    x = am_reduce(b, AM_REDUCE_SUM, am_zero_outside(b, x, mask), am_shape_of(1), false);
    am_output(b, "logits", am_linear(b, "classifier", am_div(b, x, count), c.labels, AM_BIAS));
}

void am_wav2vec2_for_audio_frame_classification(am_builder *b)
{
    am_wav2vec2_options c = read_config(b);
    refuse_adapter(b, &c);
    am_output(b, "logits", am_linear(b, "classifier", mixed_states(b, &c), c.labels, AM_BIAS));
}

typedef struct tdnn_config {
    int layers;
    int64_t dims[TDNN_LIMIT], kernels[TDNN_LIMIT], dilations[TDNN_LIMIT];
} tdnn_config;

static tdnn_config read_tdnn(const am_config *c)
{
    static const int64_t dims[] = {512, 512, 512, 512, 1500}, kernels[] = {5, 3, 3, 1, 1},
                         dilations[] = {1, 2, 3, 1, 1};
    tdnn_config r;
    r.layers = am_config_sizes(c, "tdnn_dim", r.dims, TDNN_LIMIT, dims, 5);
    int kernel_count = am_config_sizes(c, "tdnn_kernel", r.kernels, TDNN_LIMIT, kernels, 5),
        dilation_count = am_config_sizes(c, "tdnn_dilation", r.dilations, TDNN_LIMIT, dilations, 5);
    if (r.layers == 0 || kernel_count != r.layers || dilation_count != r.layers) {
        am_config_fail(c, "tdnn_dim", "%d sizes, with %d in tdnn_kernel and %d in tdnn_dilation", r.layers,
                       kernel_count, dilation_count);
        r.layers = 0;
    }
    return r;
}

void am_wav2vec2_for_x_vector(am_builder *b)
{
    am_wav2vec2_options c = read_config(b);
    tdnn_config tdnn = read_tdnn(am_model_config(b));
    int64_t E = am_config_size(am_model_config(b), "xvector_output_dim", 512);
    if (tdnn.layers == 0) return;
    am_value x = am_linear(b, "projector", mixed_states(b, &c), tdnn.dims[0], AM_BIAS);
    am_value lengths = output_lengths(b, &c, family_of(b));
    for (int i = 0; i < tdnn.layers && !am_builder_failed(b); i++) {
        am_scope(b, "tdnn.%d", i);
        x = am_time_delay_layer(b, "kernel", x, tdnn.dims[i], tdnn.kernels[i], tdnn.dilations[i]);
        am_end_scope(b);
        if (lengths.id) /* dilation is not looked at here, as in transformers */
            lengths = am_convolved_length(b, lengths, tdnn.kernels[i], 1);
    }
    x = am_linear(b, "feature_extractor", am_mean_and_deviation(b, x, lengths), E, AM_BIAS);
    am_output(b, "logits", am_linear(b, "classifier", x, E, AM_BIAS));
    am_output(b, "embeddings", x);
}
