#include "models/blocks/deeplab.h"

#include "models/blocks/convolutions.h"
#include "models/blocks/vision.h"

#include <stdio.h>

static const double BATCH_NORM_EPS = 1e-5; /* not configurable */

am_deeplab am_deeplab_read(const am_config *c, int64_t channels)
{
    int64_t rates[AM_STAGES_LIMIT];
    am_stage_sizes(c, "atrous_rates", AM_DEEPLAB_RATES, 1, (const int64_t[]){6, 12, 18}, AM_DEEPLAB_RATES, rates);
    return (am_deeplab){.channels = am_config_size(c, "aspp_out_channels", channels),
                        .rates = {rates[0], rates[1], rates[2]},
                        .labels = am_config_labels(c)};
}

static am_value pyramid(am_builder *b, am_value x, const am_deeplab *o)
{
    am_normed_conv_options options = {.out = o->channels, .kernel = 1, .activation = AM_RELU, .eps = BATCH_NORM_EPS},
                           project = options;
    am_value parts[AM_DEEPLAB_RATES + 2],
        whole = am_normed_conv(b, "convs.4.conv_1x1", am_image_mean(b, x, true), &options);
    char name[32];
    for (int i = 0; i <= AM_DEEPLAB_RATES; i++) {
        snprintf(name, sizeof name, "convs.%d", i);
        options.kernel = i == 0 ? 1 : 3;
        options.dilation = i == 0 ? 1 : o->rates[i - 1];
        parts[i] = am_normed_conv(b, name, x, &options);
    }
    parts[AM_DEEPLAB_RATES + 1] = am_broadcast(b, whole, am_shape_of_value(b, parts[0]));
    return am_normed_conv(b, "project", am_concat(b, parts, AM_DEEPLAB_RATES + 2, 1), &project);
}

am_value am_deeplab_head(am_builder *b, am_value x, const am_deeplab *o)
{
    am_scope(b, "segmentation_head");
    am_scope(b, "aspp");
    x = pyramid(b, x, o);
    am_end_scope(b);
    x = am_conv(b, "classifier.convolution", x, o->labels, am_shape_of(1, 1), AM_BIAS, &(am_convolution_attributes){0});
    am_end_scope(b);
    return x;
}
