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

/* I32 [1, 1, T, 1] */
static am_value places_of_queries(am_builder *b, int64_t T, int64_t first)
{
    return am_iota(b, AM_I32, am_shape_of(1, 1, T, 1), 2, (double)first, 1);
}

/* I32 [B or 1, 1, 1, T], far away where `hidden`: BOOL [B, 1, 1, T] */
static am_value places_of_keys(am_builder *b, int64_t T, am_value hidden)
{
    am_value place = am_iota(b, AM_I32, am_shape_of(1, 1, 1, T), 3, 0, 1);
    return am_select(b, hidden, am_scalar(b, AM_I32, INT32_MAX), place);
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

/* What global tokens make of x; other tokens look at themselves only, which is cheap and not used. */
static am_value attend_globally(am_builder *b, am_value x, int64_t heads, const am_longformer_marks *marks)
{
    static const char *const names[] = {"query_global", "key_global", "value_global"};
    int64_t T = am_dim(b, x, 1);
    am_value key = places_of_keys(b, T, of_keys(b, marks->is_global));
    am_value own = am_binary(b, AM_EQUAL, key, places_of_queries(b, T, 0));
    am_value global_query = am_unsqueeze(b, am_unsqueeze(b, marks->is_global, 1), 3);
    am_value mask = am_binary(b, AM_LOGICAL_OR, both(b, global_query, of_keys(b, marks->seen)), own);
    return attend(b, x, heads, names, mask, 0);
}

/* BOOL [B, 1, T, T]: keys that are global, or seen and at most `side` away */
static am_value local_mask(am_builder *b, int64_t T, int64_t side, const am_longformer_marks *marks)
{
    am_value is_global = of_keys(b, marks->is_global), hidden = is_global;
    if (marks->seen.id) hidden = am_unary(b, AM_LOGICAL_NOT, of_keys(b, marks->seen));
    am_value key = places_of_keys(b, T, hidden);
    am_value near = both(b, am_binary(b, AM_GREATER_EQUAL, key, places_of_queries(b, T, -side)),
                         am_binary(b, AM_LESS_EQUAL, key, places_of_queries(b, T, side)));
    return am_binary(b, AM_LOGICAL_OR, near, is_global);
}

static am_value attend_locally(am_builder *b, am_value x, int64_t heads, int64_t window,
                               const am_longformer_marks *marks)
{
    static const char *const names[] = {"query", "key", "value"};
    if (!marks->is_global.id) return attend(b, x, heads, names, of_keys(b, marks->seen), window / 2 + 1);
    return attend(b, x, heads, names, local_mask(b, am_dim(b, x, 1), window / 2, marks), 0);
}

am_value am_longformer_attention(am_builder *b, am_value x, int64_t heads, int64_t window,
                                 const am_longformer_marks *marks)
{
    am_value y = attend_locally(b, x, heads, window, marks);
    if (marks->is_global.id)
        y = am_select(b, am_unsqueeze(b, marks->is_global, 2), attend_globally(b, x, heads, marks), y);
    return marks->seen.id ? am_mul(b, y, am_unsqueeze(b, am_cast(b, marks->seen, AM_F32), 2)) : y;
}
