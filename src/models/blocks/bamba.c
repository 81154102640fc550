#include "models/blocks/bamba.h"

#include "models/blocks/state_space.h"

am_value am_bamba_mixer(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    const am_decoder_options *o = layer->options;
    const am_config *c = o->config;
    int64_t D = am_config_size(c, "mamba_expand", 2) * o->hidden_size;
    bool bias = am_config_flag(c, "mamba_proj_bias", false);
    am_mamba2_options m = {
        .heads = am_config_size(c, "mamba_n_heads", 128),
        .state_size = am_config_size(c, "mamba_d_state", 256),
        .groups = am_config_size(c, "mamba_n_groups", 1),
        .conv_kernel = am_config_size(c, "mamba_d_conv", 4),
        .bias = bias,
        .out_bias = bias,
        .conv_bias = am_config_flag(c, "mamba_conv_bias", true),
        .activation = o->hidden_act,
        .norm_eps = o->rms_norm_eps,
    };
    bool whole = am_config_is(c, "mamba_d_head", "auto");
    m.head_dim = whole ? D / m.heads : am_config_size(c, "mamba_d_head", D / m.heads);
    m.norm_groups = m.groups;
    am_read_time_step_limit(c, &m);
    am_config_check_divides(c, "mamba_n_groups", m.groups, "mamba_n_heads", m.heads);
    if (m.head_dim * m.heads != D)
        am_config_fail(c, "mamba_d_head", "%lld heads of %lld do not make %lld", (long long)m.heads,
                       (long long)m.head_dim, (long long)D);
    return am_mamba2_mixer(b, x, &m);
}
