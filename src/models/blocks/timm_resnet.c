#include "models/blocks/timm_resnet.h"

#include <string.h>

enum { STAGES = 4 };

static const double BATCH_NORM_EPS = 1e-5;

typedef struct network {
    const char *name;
    bool is_basic;
    int depths[STAGES];
} network;

static const network networks[] = {
    {"resnet18", true, {2, 2, 2, 2}},  {"resnet34", true, {3, 4, 6, 3}},    {"resnet26", false, {2, 2, 2, 2}},
    {"resnet50", false, {3, 4, 6, 3}}, {"resnet101", false, {3, 4, 23, 3}}, {"resnet152", false, {3, 8, 36, 3}},
};

/* Where the fields of a backbone stand, and what its configuration says. */
typedef struct options {
    const network *network;
    int64_t num_channels, output_stride;
    bool wanted[STAGES + 1];
} options;

/* The names end before a dot: "resnet50.a1_in1k" says which weights. */
static const network *find_network(const am_config *c, const char *name)
{
    size_t length = strcspn(name, ".");
    for (size_t i = 0; i < sizeof networks / sizeof *networks; i++)
        if (strlen(networks[i].name) == length && memcmp(networks[i].name, name, length) == 0) return &networks[i];
    am_config_unsupported(c, "backbone", "\"%s\" is no backbone that is known here (resnet18 .. resnet152)", name);
    return NULL;
}

static void read_wanted(const am_config *c, options *o)
{
    static const int64_t all[] = {1, 2, 3, 4};
    int64_t places[STAGES + 1];
    int count = am_config_sizes(c, "out_indices", places, STAGES + 1, all, STAGES);
    for (int i = 0; i < count; i++)
        if (places[i] <= STAGES) o->wanted[places[i]] = true;
        else am_config_fail(c, "out_indices", "expected numbers up to %d", STAGES);
}

/* A class's own fields say less than a configuration of the backbone's. */
static options read_options(am_builder *b)
{
    const am_config *c = am_model_config(b);
    am_config child = am_config_child(c, "backbone_config"), extra = am_config_child(c, "backbone_kwargs");
    bool own = am_config_has(c, "backbone_config");
    options o = {.network = find_network(own ? &child : c, am_config_text(own ? &child : c, "backbone", "resnet50")),
                 .num_channels = own ? am_config_size(&child, "num_channels", 3) : am_config_size(c, "num_channels", 3),
                 .output_stride = 32};
    if (own) o.output_stride = am_config_size(&child, "output_stride", 32);
    else if (am_config_flag(c, "dilation", false)) o.output_stride = am_config_size(&extra, "output_stride", 16);
    if (o.output_stride != 8 && o.output_stride != 16 && o.output_stride != 32)
        am_config_fail(own ? &child : &extra, "output_stride", "expected 8, 16 or 32");
    read_wanted(own ? &child : &extra, &o);
    return o;
}

static am_value conv_norm(am_builder *b, const char *conv, const char *norm, am_value x, int64_t out, int64_t kernel,
                          int64_t stride, int64_t dilation)
{
    am_shape padding = am_shape_of((kernel - 1) / 2 * dilation, (kernel - 1) / 2 * dilation);
    am_convolution_attributes a = {.stride = am_shape_of(stride, stride),
                                   .dilation = am_shape_of(dilation, dilation),
                                   .padding_before = padding,
                                   .padding_after = padding};
    x = am_conv(b, conv, x, out, am_shape_of(kernel, kernel), AM_NO_BIAS, &a);
    return am_batch_norm(b, norm, x, BATCH_NORM_EPS);
}

static am_value block(am_builder *b, am_value x, bool is_basic, int64_t inner, int64_t stride, int64_t dilation,
                      int64_t next_dilation)
{
    int64_t out = is_basic ? inner : 4 * inner;
    bool projected = stride != 1 || am_dim(b, x, 1) != out;
    am_value h, residual = projected ? conv_norm(b, "downsample.0", "downsample.1", x, out, 1, stride, 1) : x;
    if (is_basic) {
        h = am_unary(b, AM_RELU, conv_norm(b, "conv1", "bn1", x, inner, 3, stride, dilation));
        h = conv_norm(b, "conv2", "bn2", h, out, 3, 1, next_dilation);
    } else {
        h = am_unary(b, AM_RELU, conv_norm(b, "conv1", "bn1", x, inner, 1, 1, 1));
        h = am_unary(b, AM_RELU, conv_norm(b, "conv2", "bn2", h, inner, 3, stride, dilation));
        h = conv_norm(b, "conv3", "bn3", h, out, 1, 1, 1);
    }
    return am_unary(b, AM_RELU, am_add(b, h, residual));
}

int am_timm_resnet(am_builder *b, am_value *out)
{
    options o = read_options(b);
    if (!o.network || am_builder_failed(b)) return 0;
    am_shape two = am_shape_of(2, 2), one = am_shape_of(1, 1);
    am_pool_attributes halving = {
        .fn = AM_POOL_MAX, .kernel = am_shape_of(3, 3), .stride = two, .padding_before = one, .padding_after = one};
    am_value x = am_pixel_values(b, o.num_channels);
    int count = 0;
    int64_t scale = 4, dilation = 1;
    x = am_unary(b, AM_RELU, conv_norm(b, "conv1", "bn1", x, 64, 7, 2, 1));
    x = am_pool(b, x, &halving);
    for (int i = 0; i < STAGES; i++) {
        int64_t before = dilation, stride = i ? 2 : 1;
        if (scale * stride > o.output_stride) dilation *= stride, stride = 1;
        else scale *= stride;
        for (int j = 0; j < o.network->depths[i]; j++) {
            am_scope(b, "layer%d.%d", i + 1, j);
            x = block(b, x, o.network->is_basic, (int64_t)64 << i, j ? 1 : stride, j ? dilation : before, dilation);
            am_end_scope(b);
        }
        if (o.wanted[i + 1]) out[count++] = x;
    }
    return count;
}
