#include "models/blocks/longformer.h"

#include "models/blocks/attention.h"
#include "models/blocks/heads.h"

static am_value nonzero(am_builder *b, am_value x)
{
    return !x.id || am_dtype_of(b, x) == AM_BOOL ? x : am_binary_number(b, AM_NOT_EQUAL, x, 0);
}

static am_value both(am_builder *b, am_value x, am_value y)
{
    return x.id && y.id ? am_binary(b, AM_LOGICAL_AND, x, y) : x.id ? x : y;
}

am_value am_longformer_global_input(am_builder *b)
{
    return nonzero(b, am_flat_input(b, "global_attention_mask"));
}

am_longformer_marks am_longformer_marks_of(am_builder *b, am_value is_global)
{
    am_value seen = nonzero(b, am_flat_input(b, "attention_mask"));
    return (am_longformer_marks){seen, is_global.id ? both(b, seen, is_global) : AM_NONE};
}

int64_t am_longformer_window(const am_config *c, int64_t layers, int64_t layer)
{
    int64_t window = 512, at = 0;
    am_json field = am_json_get(c->object, "attention_window");
    if (am_json_kind_of(field) != AM_JSON_ARRAY) window = am_config_size(c, "attention_window", window);
    else {
        if ((int64_t)am_json_count(field) != layers)
            am_config_fail(c, "attention_window", "expected one window for each of %lld layers, found %zu",
                           (long long)layers, am_json_count(field));
        for (am_json_iterator i = am_json_iterate(field); am_json_next(&i); at++)
            if (at == layer) window = am_json_int(i.value, -1);
    }
    if (window <= 0 || window % 2)
        am_config_fail(c, "attention_window", "expected an even number of tokens, found %lld", (long long)window);
    return window;
}

/* x: [B, T] as a mask over keys: [B, 1, 1, T] */
static am_value of_keys(am_builder *b, am_value x)
{
    return x.id ? am_unsqueeze(b, am_unsqueeze(b, x, 1), 1) : AM_NONE;
}

/* BOOL [1, 1, T, T]: whether query and key are at most `side` apart */
static am_value band(am_builder *b, int64_t T, int64_t side)
{
    am_value query = am_iota(b, AM_I32, am_shape_of(1, 1, T, 1), 2, 0, 1),
             key = am_iota(b, AM_I32, am_shape_of(1, 1, 1, T), 3, 0, 1);
    return am_binary_number(b, AM_LESS_EQUAL, am_unary(b, AM_ABS, am_sub(b, key, query)), (double)side);
}

static am_value attend(am_builder *b, am_value x, int64_t heads, const char *const names[3], am_value mask,
                       int64_t window)
{
    am_value qkv[3];
    am_attention_options options = {
        .heads = heads, .q = names[0], .k = names[1], .v = names[2], .mask = mask, .window = window};
    am_attention_heads(b, x, &options, qkv);
    return am_merge_heads(b, am_attend_cached(b, qkv[0], qkv[1], qkv[2], &options));
}

am_value am_longformer_attention(am_builder *b, am_value x, int64_t heads, int64_t window,
                                 const am_longformer_marks *marks)
{
    static const char *const local_names[] = {"query", "key", "value"}, *const global_names[] = {"query_global",
                                                                                                 "key_global",
                                                                                                 "value_global"};
    am_value seen = of_keys(b, marks->seen), is_global = marks->is_global, y;
    if (is_global.id) {
        am_value near = am_binary(b, AM_LOGICAL_OR, band(b, am_dim(b, x, 1), window / 2), of_keys(b, is_global));
        y = attend(b, x, heads, local_names, both(b, near, seen), 0);
        y = am_select(b, am_unsqueeze(b, is_global, 2), attend(b, x, heads, global_names, seen, 0), y);
    } else y = attend(b, x, heads, local_names, seen, window / 2 + 1);
    return marks->seen.id ? am_mul(b, y, am_unsqueeze(b, am_cast(b, marks->seen, AM_F32), 2)) : y;
}
