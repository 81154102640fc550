/* The text model of HunYuan-VL: HunYuan whose tokens have places of several kinds, of which each turns some numbers of
   a head. transformers: models/hunyuan_vl/modeling_hunyuan_vl.py */
#include "models/blocks/hunyuan.h"

/* Numbers of a head that each kind of places turns, half of them for each. */
static am_mrope_sections read_sections(const am_config *c, int64_t head_dim)
{
    am_config rope = am_config_child(c, am_config_either(c, "rope_parameters", "rope_scaling"));
    const char *key = am_config_either(&rope, "mrope_section", "xdrope_section");
    am_mrope_sections s = {.count = am_config_sizes(&rope, key, s.pairs, AM_MROPE_SECTIONS, NULL, 0)};
    int64_t sum = 0;
    if (s.count > AM_MROPE_SECTIONS) s.count = 0;
    for (int i = 0; i < s.count; i++) sum += s.pairs[i];
    if (sum != head_dim / 2 || head_dim % 2 != 0)
        am_config_fail(&rope, key, "expected sections that sum to half a head of %lld", (long long)head_dim);
    return s;
}

/* The input position_ids of kind i: I32 [1 or B, T]. */
static am_value places_of_kind(am_builder *b, const am_mrope_sections *s, int i, int64_t T)
{
    am_value given = am_input_optional(b, "position_ids", -1);
    if (!given.id || am_rank(b, given) != 3) return am_position_ids(b, T);
    if (am_dim(b, given, 0) != s->count && !am_builder_failed(b))
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "position_ids has %lld kinds of places, expected %d",
                                    (long long)am_dim(b, given, 0), s->count));
    return am_builder_failed(b) ? AM_NONE : am_index(b, given, 0, i);
}

/* Tables for the numbers first .. first + head_dim / 2 of a head. */
static am_rope half_tables(am_builder *b, const am_decoder_options *o, const am_mrope_sections *s, int64_t first,
                           int64_t T)
{
    int64_t half = o->head_dim / 2, at = 0;
    am_value cos[AM_MROPE_SECTIONS], sin[AM_MROPE_SECTIONS];
    int used = 0;
    for (int i = 0; i < s->count && !am_builder_failed(b); at += 2 * s->pairs[i++]) {
        int64_t begin = at < first ? first : at, end = at + 2 * s->pairs[i];
        if (end > first + half) end = first + half;
        if (end <= begin) continue;
        am_rope all = am_rope_tables_at(b, &o->rope, places_of_kind(b, s, i, T));
        cos[used] = am_slice(b, all.cos, -1, begin - first, end - first);
        sin[used++] = am_slice(b, all.sin, -1, begin - first, end - first);
    }
    if (am_builder_failed(b) || used == 0) return (am_rope){0};
    return (am_rope){.cos = am_concat(b, cos, used, -1), .sin = am_concat(b, sin, used, -1)};
}

/* x: [B, T, H, D]: the first half of each head is turned by other tables than the second. */
static am_value rotate(am_builder *b, am_value x, const am_rope tables[2])
{
    int64_t half = am_dim(b, x, -1) / 2;
    return am_concat2(b, am_slice(b, am_rope_apply(b, &tables[0], x), -1, 0, half),
                      am_slice(b, am_rope_apply(b, &tables[1], x), -1, half, AM_SLICE_END), -1);
}

static am_value attention(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    const am_decoder_options *o = layer->options;
    am_mrope_sections sections = read_sections(o->config, o->head_dim);
    am_attention_options options = *layer->attention;
    int64_t T = am_dim(b, x, 1);
    am_rope tables[2] = {half_tables(b, o, &sections, 0, T), half_tables(b, o, &sections, o->head_dim / 2, T)};
    am_value qkv[3];
    options.rope = NULL;
    if (!tables[0].cos.id || !tables[1].cos.id) return AM_NONE;
    am_attention_heads(b, x, &options, qkv);
    for (int i = 0; i < 2; i++) qkv[i] = rotate(b, qkv[i], tables);
    return am_hunyuan_attend(b, qkv, layer);
}

static void adapt(const am_config *c, am_decoder_options *o)
{
    am_hunyuan_adapt(c, o);
    read_sections(c, o->head_dim);
    o->attention = attention;
    o->own_rope = o->ignores_packing = true;
}

static const am_architecture architectures[] = {
    {"HunYuanVLTextModel", am_decoder_model, "feature-extraction", 0},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.vocab_size = 290943, .rms_norm_eps = 1e-5, .whole_heads = true, .tied = true, .has_pad_token = true},
    .adapt = adapt,
};

const am_model_type am_model_hunyuan_vl_text = {
    .name = "hunyuan_vl_text", .base_prefix = "model", .architectures = architectures, .family = &family};
