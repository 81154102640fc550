#include "models/blocks/uper_head.h"

static const double BATCH_NORM_EPS = 1e-5; /* not configurable */

/* relu(norm(convolution(x))) below the scope. */
static am_value conv_layer(am_builder *b, am_value x, int64_t kernel, const am_uper_options *o)
{
    am_shape padding = am_shape_of(kernel / 2, kernel / 2);
    am_convolution_attributes options = {.padding_before = padding, .padding_after = padding};
    x = am_conv(b, o->names->convolution, x, o->channels, am_shape_of(kernel, kernel), AM_NO_BIAS, &options);
    return am_unary(b, AM_RELU, am_batch_norm(b, o->names->norm, x, BATCH_NORM_EPS));
}

static am_value named_layer(am_builder *b, const char *name, am_value x, int64_t kernel, const am_uper_options *o)
{
    am_scope(b, "%s", name);
    x = conv_layer(b, x, kernel, o);
    am_end_scope(b);
    return x;
}

static am_value listed_layer(am_builder *b, const char *list, int i, am_value x, int64_t kernel,
                             const am_uper_options *o)
{
    am_scope(b, "%s.%d", list, i);
    x = conv_layer(b, x, kernel, o);
    am_end_scope(b);
    return x;
}

static am_value resize_like(am_builder *b, am_value x, am_value like)
{
    int64_t height = am_dim(b, like, 2), width = am_dim(b, like, 3);
    if (am_dim(b, x, 2) == height && am_dim(b, x, 3) == width) return x;
    return am_resize(b, x, &(am_resize_attributes){.size = am_shape_of(height, width), .mode = AM_RESIZE_LINEAR});
}

/* The coarsest map beside what it is in each pooled size. */
static am_value pool(am_builder *b, am_value x, const am_uper_options *o)
{
    am_value parts[1 + AM_UPER_SCALES] = {x};
    for (int i = 0; i < o->scale_count; i++) {
        am_pool_attributes options = {.fn = AM_POOL_AVERAGE, .adaptive = am_shape_of(o->scales[i], o->scales[i])};
        am_scope(b, "%s%d%s", o->names->pooled_before_index, i, o->names->pooled_behind_it);
        parts[1 + i] = resize_like(b, conv_layer(b, am_pool(b, x, &options), 1, o), x);
        am_end_scope(b);
    }
    return named_layer(b, o->names->bottleneck, am_concat(b, parts, 1 + o->scale_count, 1), 3, o);
}

am_value am_uper_head(am_builder *b, const am_value *maps, int count, const am_uper_options *o)
{
    int last = o->any_count ? count - 1 : AM_UPER_MAPS - 1;
    am_value levels[AM_UPER_MOST_MAPS];
    for (int i = 0; i < last; i++) levels[i] = listed_layer(b, "lateral_convs", i, maps[i], 1, o);
    levels[last] = pool(b, maps[count - 1], o);
    for (int i = last; i > 0; i--) levels[i - 1] = am_add(b, levels[i - 1], resize_like(b, levels[i], levels[i - 1]));
    for (int i = 0; i < last; i++) levels[i] = listed_layer(b, "fpn_convs", i, levels[i], 3, o);
    for (int i = last; i > 0; i--) levels[i] = resize_like(b, levels[i], levels[0]);
    am_value x = named_layer(b, "fpn_bottleneck", am_concat(b, levels, last + 1, 1), 3, o);
    return am_conv(b, "classifier", x, o->labels, am_shape_of(1, 1), AM_BIAS, &(am_convolution_attributes){0});
}
