#include "models/blocks/patch_series.h"

#include "models/blocks/layers.h"

#include <string.h>

enum { SEED = 42, MASKS_LIMIT = 256, CHANNELS_LIMIT = 4096 };

am_patch_series am_patch_series_read(const am_config *c, const am_patch_series_defaults *defaults)
{
    am_patch_series s = {
        .context_length = am_config_size(c, "context_length", 32),
        .patch_length = am_config_size(c, "patch_length", defaults->patch_size),
        .patch_stride = am_config_size(c, "patch_stride", defaults->patch_size),
        .channels = am_config_size(c, "num_input_channels", 1),
        .targets = am_config_size(c, "num_targets", defaults->targets),
        .masks_alike = am_config_flag(c, "channel_consistent_masking", defaults->masks_alike),
        .scaling = am_series_scaling_read(c, defaults->yes, AM_SERIES_STD),
    };
    if (s.context_length <= s.patch_length)
        am_config_fail(c, "context_length", "%lld is not more than patch_length %lld", (long long)s.context_length,
                       (long long)s.patch_length);
    s.patches = s.context_length > s.patch_length ? (s.context_length - s.patch_length) / s.patch_stride + 1 : 1;
    return s;
}

/* x: [B, T, C] -> [B, C, patches, patch_length]; steps before the first patch are left out. */
static am_value cut(am_builder *b, am_value x, const am_patch_series *s)
{
    int64_t length = s->patch_length + s->patch_stride * (s->patches - 1), B = am_dim(b, x, 0), C = am_dim(b, x, 2);
    am_unfold_attributes windows = {.kernel = am_shape_of(s->patch_length), .stride = am_shape_of(s->patch_stride)};
    x = am_transpose(b, am_slice(b, x, 1, s->context_length - length, AM_SLICE_END), 1, 2);
    x = am_reshape(b, am_unfold(b, x, &windows), am_shape_of(B, C, s->patch_length, s->patches));
    return am_transpose(b, x, 2, 3);
}

/* --- masks --- */

/* The place of each number in the order of its row's: x: [B, C, N] -> I32 of that shape. */
static am_value ranks(am_builder *b, am_value x)
{
    am_value order, rank;
    am_sort(b, x, 2, false, &order);
    am_sort(b, order, 2, false, &rank);
    return rank;
}

/* BOOL [B, C or 1, patches]: all but a part of each row's patches. */
static am_value random_mask(am_builder *b, const am_patch_series *s, int64_t B)
{
    const am_config *c = am_model_config(b);
    double ratio = am_config_real(c, "random_mask_ratio", 0.5);
    if (!(ratio >= 0 && ratio < 1)) am_config_fail(c, "random_mask_ratio", "expected a number from 0 to below 1");
    int64_t kept = (int64_t)((double)s->patches * (1 - ratio));
    am_value noise = am_random(b, am_shape_of(B, s->masks_alike ? 1 : s->channels, s->patches), SEED, false);
    return am_binary_number(b, AM_GREATER_EQUAL, ranks(b, noise), (double)kept);
}

/* num_forecast_mask_patches, a number or a list of them. */
static int read_last_counts(const am_config *c, int64_t patches, int64_t *out)
{
    const char *key = "num_forecast_mask_patches";
    bool is_number = am_json_kind_of(am_json_get(c->object, key)) == AM_JSON_INTEGER;
    int count = is_number ? 1 : am_config_sizes(c, key, out, MASKS_LIMIT, &(int64_t){2}, 1);
    if (is_number) out[0] = am_config_size(c, key, 2);
    for (int i = 0; i < count; i++)
        if (out[i] <= 0 || out[i] >= patches)
            am_config_fail(c, key, "%lld is not between 0 and the number of patches, %lld", (long long)out[i],
                           (long long)patches);
    if (count == 0) am_config_fail(c, key, "expected at least one number");
    return count;
}

/* How many of its last patches each row of the batch lacks: I32 [B]. The rows share the counts evenly, in an order
   drawn at random; the first count has what does not divide. */
static am_value last_counts(am_builder *b, int64_t patches, int64_t B)
{
    int64_t counts[MASKS_LIMIT] = {0};
    int count = read_last_counts(am_model_config(b), patches, counts);
    if (count <= 1) return am_iota(b, AM_I32, am_shape_of(B), 0, (double)counts[0], 0);
    int32_t *rows = am_arena_array(am_builder_arena(b), (size_t)B, sizeof *rows);
    am_value order;
    if (!rows) {
        am_builder_fail(b, am_out_of_memory());
        return AM_NONE;
    }
    int64_t share = B / count, first = B - share * (count - 1);
    for (int64_t r = 0; r < B; r++) rows[r] = (int32_t)counts[r < first ? 0 : 1 + (r - first) / share];
    am_sort(b, am_random(b, am_shape_of(B), SEED, false), 0, false, &order);
    return am_gather(b, am_constant_copy(b, AM_I32, am_shape_of(B), rows), order, 0, false);
}

/* BOOL [B, 1, patches] */
static am_value forecast_mask(am_builder *b, const am_patch_series *s, int64_t B)
{
    am_value last = am_reshape(b, last_counts(b, s->patches, B), am_shape_of(B, 1, 1));
    am_value from_end = am_iota(b, AM_I32, am_shape_of(1, 1, s->patches), 2, (double)s->patches, -1);
    return am_binary(b, AM_LESS_EQUAL, from_end, last);
}

/* BOOL [1, channels, 1]: those that are never masked are false; AM_NONE where there are none. */
static am_value maskable(am_builder *b, const am_patch_series *s)
{
    const am_config *c = am_model_config(b);
    int64_t never[CHANNELS_LIMIT];
    if (!am_config_has(c, "unmasked_channel_indices")) return AM_NONE;
    int count = am_config_sizes(c, "unmasked_channel_indices", never, CHANNELS_LIMIT, NULL, 0);
    int32_t *flags = am_arena_array(am_builder_arena(b), (size_t)s->channels, sizeof *flags);
    if (!flags) {
        am_builder_fail(b, am_out_of_memory());
        return AM_NONE;
    }
    for (int64_t i = 0; i < s->channels; i++) flags[i] = 1;
    for (int i = 0; i < count; i++)
        if (never[i] < s->channels) flags[never[i]] = 0;
        else am_config_fail(c, "unmasked_channel_indices", "there is no channel %lld", (long long)never[i]);
    return am_binary_number(b, AM_NOT_EQUAL, am_constant_copy(b, AM_I32, am_shape_of(1, s->channels, 1), flags), 0);
}

static am_value mask_of(am_builder *b, const am_patch_series *s, int64_t B)
{
    const am_config *c = am_model_config(b);
    bool is_random = strcmp(am_config_text(c, "mask_type", "random"), "random") == 0;
    if (!is_random && !am_config_is(c, "mask_type", "forecast"))
        am_config_fail(c, "mask_type", "expected random or forecast");
    am_value mask = is_random ? random_mask(b, s, B) : forecast_mask(b, s, B), free = maskable(b, s);
    mask = am_broadcast(b, mask, am_shape_of(B, s->channels, s->patches));
    return free.id ? am_binary(b, AM_LOGICAL_AND, mask, free) : mask;
}

am_patches am_patches_read(am_builder *b, const am_patch_series *s, const char *observed, bool masks)
{
    am_value x = am_input(b, "past_values", 3);
    if (!am_builder_failed(b) && (am_dim(b, x, 1) != s->context_length || am_dim(b, x, 2) != s->channels))
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT,
                                    "past_values: expected %lld steps of %lld numbers, found %lld of "
                                    "%lld",
                                    (long long)s->context_length, (long long)s->channels, (long long)am_dim(b, x, 1),
                                    (long long)am_dim(b, x, 2)));
    am_patches p = {0};
    p.scale = am_series_scale_of(b, x, observed ? am_input_optional(b, observed, 3) : AM_NONE, s->scaling);
    p.scaled = p.read = cut(b, am_series_scaled(b, x, &p.scale), s);
    if (!masks) return p;
    p.mask = mask_of(b, s, am_dim(b, x, 0));
    am_value hidden = am_scalar(b, AM_F32, am_config_real(am_model_config(b), "mask_value", 0));
    p.read = am_select(b, am_unsqueeze(b, p.mask, 3), hidden, p.scaled);
    return p;
}

/* --- heads --- */

bool am_series_has_distribution(const am_config *c)
{
    return !am_config_is(c, "loss", "mse") && am_json_kind_of(am_json_get(c->object, "loss")) != AM_JSON_MISSING;
}

/* sigmoid(x) from the first to the second of output_range; x where there is none. */
static am_value into_range(am_builder *b, am_value x)
{
    const am_config *c = am_model_config(b);
    double ends[2] = {0, 1};
    int count = 0;
    if (!am_config_has(c, "output_range")) return x;
    for (am_json_iterator i = am_json_iterate(am_json_get(c->object, "output_range")); am_json_next(&i); count++)
        if (count < 2) ends[count] = am_json_real(i.value, 0);
    if (count < 2) am_config_fail(c, "output_range", "expected two numbers");
    return am_add_number(b, am_mul_number(b, am_unary(b, AM_SIGMOID, x), ends[1] - ends[0]), ends[0]);
}

am_value am_patch_series_targets(am_builder *b, const am_patch_series *s, const char *name, am_value x)
{
    return into_range(b, am_linear(b, name, x, s->targets, AM_BIAS));
}

void am_patch_series_output_targets(am_builder *b, const am_patch_series *s, const char *name, am_value x,
                                    const char *named)
{
    am_value parameters[AM_SERIES_PARAMETERS];
    bool is_given = am_input_optional(b, "target_values", -1).id; /* the loss reads it */
    if (!am_series_has_distribution(am_model_config(b))) {
        am_output(b, named, am_patch_series_targets(b, s, name, x));
        return;
    }
    int count = am_series_parameters(b, name, x, s->targets, parameters);
    for (int i = 0; i < count && is_given; i++)
        parameters[i] = am_reshape(b, parameters[i], am_shape_of(-1, s->targets));
    am_series_output_parameters(b, named, parameters, count);
}
