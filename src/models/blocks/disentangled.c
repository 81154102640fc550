#include "models/blocks/disentangled.h"

#include <math.h>
#include <string.h>

/* Buckets whose logarithms are no numbers are an error; there are none then. */
static void check_buckets(const am_config *c, am_disentangled *o)
{
    int64_t mid = o->position_buckets / 2;
    if (!o->relative_attention || o->position_buckets < 1 || (mid > 0 && o->max_relative_positions - 1 != mid)) return;
    am_config_fail(c, "position_buckets", "%lld buckets do not divide %lld positions", (long long)o->position_buckets,
                   (long long)o->max_relative_positions);
    o->position_buckets = -1;
}

am_disentangled am_disentangled_read(const am_config *c, const am_deberta_options *base, const am_disentangled *absent)
{
    const char *norm = absent->norm_rel_ebd ? "layer_norm" : "none";
    const am_bert_options *body = &base->body;
    am_disentangled o = {
        .hidden_size = body->hidden_size,
        .heads = body->num_attention_heads,
        .head_size = am_config_size(c, "attention_head_size", body->hidden_size / body->num_attention_heads),
        .relative_attention = base->relative_attention,
        .c2p = base->c2p,
        .p2c = base->p2c,
        .position_buckets = am_config_int(c, "position_buckets", absent->position_buckets),
        .max_relative_positions = base->max_relative_positions,
        .share_att_key = am_config_flag(c, "share_att_key", absent->share_att_key),
        .norm_rel_ebd = strstr(am_config_text(c, "norm_rel_ebd", norm), "layer_norm") != NULL,
        .layer_norm_eps = body->layer_norm_eps,
    };
    check_buckets(c, &o);
    o.span = o.position_buckets > 0 ? o.position_buckets : o.max_relative_positions;
    return o;
}

/* Distances up to half of the buckets are exact, those beyond are binned by their logarithm. In float, as the
   models were trained with. */
static int64_t bucket_of(int64_t distance, int64_t buckets, int64_t max_position)
{
    int64_t mid = buckets / 2, size = distance < 0 ? -distance : distance;
    if (buckets < 1 || size <= mid) return distance;
    float part = logf((float)size / (float)mid) / logf((float)(max_position - 1) / (float)mid);
    int64_t bucket = (int64_t)ceilf(part * (float)(mid - 1)) + mid;
    return distance < 0 ? -bucket : bucket;
}

/* Row of each distance t - s: I32 [T, T]. */
static am_value rows(am_builder *b, int64_t T, const am_disentangled *o)
{
    int32_t *table = am_arena_array(am_builder_arena(b), (size_t)(T * T), sizeof *table);
    if (!table) {
        am_builder_fail(b, am_out_of_memory());
        return AM_NONE;
    }
    for (int64_t t = 0; t < T; t++)
        for (int64_t s = 0; s < T; s++) {
            int64_t row = bucket_of(t - s, o->position_buckets, o->max_relative_positions) + o->span;
            table[t * T + s] = (int32_t)(row < 0 ? 0 : row > 2 * o->span - 1 ? 2 * o->span - 1 : row);
        }
    return am_constant_copy(b, AM_I32, am_shape_of(T, T), table);
}

static am_value position_table(am_builder *b, const am_disentangled *o)
{
    am_value table = am_weight(b, "rel_embeddings.weight", am_shape_of(2 * o->span, o->hidden_size));
    table = am_cast(b, table, AM_F32);
    return o->norm_rel_ebd ? am_layer_norm(b, "LayerNorm", table, o->layer_norm_eps) : table;
}

am_disentangled_places am_disentangled_places_of(am_builder *b, int64_t T, const am_disentangled *o)
{
    if (!o->relative_attention) return (am_disentangled_places){0};
    return (am_disentangled_places){.table = position_table(b, o), .row = rows(b, T, o)};
}

/* x: [.., C] -> [.., H, D] */
static am_value heads_of(am_builder *b, const char *name, am_value x, const am_disentangled *o)
{
    am_value y = am_linear(b, name, x, o->heads * o->head_size, AM_BIAS);
    am_shape s = am_shape_of_value(b, y);
    s.dims[s.rank - 1] = o->heads;
    s.dims[s.rank++] = o->head_size;
    return am_reshape(b, y, s);
}

am_value am_disentangled_attention(am_builder *b, am_value x, const am_disentangled_places *places, am_value mask,
                                   const am_disentangled *o)
{
    am_deberta_positions positions = {.row = places->row};
    am_value table = places->table;
    am_scope(b, "attention.self");
    am_value qkv[] = {heads_of(b, "query_proj", x, o), heads_of(b, "key_proj", x, o), heads_of(b, "value_proj", x, o)};
    if (table.id && o->c2p) positions.key = heads_of(b, o->share_att_key ? "key_proj" : "pos_key_proj", table, o);
    if (table.id && o->p2c) positions.query = heads_of(b, o->share_att_key ? "query_proj" : "pos_query_proj", table, o);
    double scale = 1 / sqrt((double)o->head_size * (1 + o->c2p + o->p2c));
    x = am_deberta_attend(b, qkv, &positions, scale, mask);
    am_end_scope(b);
    return x;
}
