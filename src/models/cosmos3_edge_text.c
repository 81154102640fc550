/* The text model of Cosmos 3 Edge: LLaMA whose tokens have places in time, height and width, and an MLP of two layers.
   transformers: models/cosmos3_edge/modeling_cosmos3_edge.py */
#include "models/blocks/decoder.h"

static am_value mlp(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    const am_decoder_options *o = layer->options;
    int bias = o->mlp_bias ? AM_BIAS : AM_NO_BIAS;
    x = am_linear_activation(b, "fc1", x, o->intermediate_size, bias, o->hidden_act);
    return am_linear(b, "fc2", x, o->hidden_size, bias);
}

static void adapt(const am_config *c, am_decoder_options *o)
{
    static const int64_t sections[3] = {24, 20, 20};
    am_config rope = am_config_child(c, "rope_parameters");
    o->hidden_act = am_config_activation(c, "hidden_act", AM_RELU2);
    o->qkv_bias = o->out_bias = am_config_flag(c, "attention_bias", false);
    o->mlp_bias = am_config_flag(c, "mlp_bias", false);
    o->mrope = am_mrope_sections_read(c, &o->rope, sections, true);
    o->mlp = mlp;
    if (o->rope.type != AM_ROPE_DEFAULT) am_config_unsupported(&rope, "rope_type", "expected \"default\"");
}

static const am_architecture architectures[] = {
    {"Cosmos3EdgeTextModel", am_decoder_model, "feature-extraction", 0},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.vocab_size = 131072,
                 .hidden_size = 2048,
                 .intermediate_size = 9216,
                 .num_hidden_layers = 28,
                 .num_attention_heads = 16,
                 .num_key_value_heads = 8,
                 .head_dim = 128,
                 .max_position_embeddings = 131072,
                 .rms_norm_eps = 1e-5,
                 .rope_theta = 1e8},
    .adapt = adapt,
};

const am_model_type am_model_cosmos3_edge_text = {
    .name = "cosmos3_edge_text", .base_prefix = "model", .architectures = architectures, .family = &family};
