#include "models/blocks/lcnet.h"

#include <string.h>

/* One number, or two. */
static bool read_stride(am_json found, am_lcnet_layer *l)
{
    int count = 0;
    l->pair = am_json_kind_of(found) == AM_JSON_ARRAY;
    l->stride[0] = l->stride[1] = am_json_int(found, 0);
    for (am_json_iterator it = am_json_iterate(found); l->pair && am_json_next(&it); count++)
        if (count < 2) l->stride[count] = am_json_int(it.value, 0);
    return (!l->pair || count == 2) && l->stride[0] > 0 && l->stride[0] < 1024 && l->stride[1] > 0 &&
           l->stride[1] < 1024;
}

/* [kernel, channels in, channels out, stride, whether it squeezes] */
static bool read_layer(am_json found, am_lcnet_layer *l)
{
    int at = 0;
    bool fits = true;
    for (am_json_iterator it = am_json_iterate(found); am_json_next(&it); at++) {
        int64_t number = am_json_int(it.value, 0);
        if (at < 3) fits = fits && number > 0 && number < (at ? 1 << 24 : 1024);
        if (at == 0) l->kernel = number;
        if (at == 1) l->in = number;
        if (at == 2) l->out = number;
        if (at == 3) fits = fits && read_stride(it.value, l);
        if (at == 4) l->squeezes = am_json_bool(it.value, false);
    }
    return fits && at == 5;
}

static void read_stages(const am_config *c, am_lcnet *net)
{
    int stage = 0;
    for (am_json_iterator it = am_json_iterate(am_json_get(c->object, "block_configs")); am_json_next(&it); stage++) {
        if (stage == net->stages) break;
        net->depths[stage] = 0;
        for (am_json_iterator in = am_json_iterate(it.value); am_json_next(&in); net->depths[stage]++)
            if (net->depths[stage] == AM_LCNET_LAYERS ||
                !read_layer(in.value, &net->layers[stage][net->depths[stage]])) {
                am_config_fail(c, "block_configs", "stage %d has no layer, or no sizes, at %d", stage,
                               net->depths[stage]);
                return;
            }
    }
    if (stage != net->stages || (int64_t)am_json_count(am_json_get(c->object, "block_configs")) != net->stages)
        am_config_fail(c, "block_configs", "expected %d stages", net->stages);
}

void am_lcnet_read(const am_config *c, const am_lcnet *defaults, bool scales, am_lcnet *net)
{
    memcpy(net, defaults, sizeof *net);
    if (am_config_has(c, "block_configs")) read_stages(c, net);
    double scale = am_config_factor(c, "scale", 1);
    int64_t divisor = am_config_size(c, "divisor", 8);
    net->reduction = am_config_size(c, "reduction", 4);
    net->hidden_act = am_config_activation(c, "hidden_act", defaults->hidden_act);
    if (!scales) return;
    for (int i = 0; i < net->stages; i++)
        for (int j = 0; j < net->depths[i]; j++) {
            am_lcnet_layer *l = &net->layers[i][j];
            l->in = am_round_channels((double)l->in * scale, divisor, divisor);
            l->out = am_round_channels((double)l->out * scale, divisor, divisor);
        }
    net->stem_channels = am_round_channels((double)am_config_size(c, "stem_channels", 16) * scale, divisor, divisor);
    net->stem_stride = am_config_size(c, "stem_stride", 2);
}

am_value am_lcnet_body(am_builder *b, const am_lcnet *net, am_value *states)
{
    am_scope(b, "encoder");
    am_value x = net->embed(b, am_pixel_values(b, 3), net);
    am_output_hidden_state(b, "hidden_states", 0, x);
    if (states) states[0] = x;
    for (int i = 0; i < net->stages; i++) {
        for (int j = 0; j < net->depths[i] && !am_builder_failed(b); j++) {
            am_scope(b, "blocks.%d.%s.%d", i, net->list, j);
            x = net->layer(b, x, net, &net->layers[i][j]);
            am_end_scope(b);
        }
        am_output_hidden_state(b, "hidden_states", i + 1, x);
        if (states) states[i + 1] = x;
    }
    am_end_scope(b);
    return x;
}

void am_lcnet_backbone(am_builder *b, const am_lcnet *net)
{
    am_value states[AM_STAGES_LIMIT + 1];
    am_lcnet_body(b, net, states);
    am_output_feature_maps(b, states, net->stages);
}
