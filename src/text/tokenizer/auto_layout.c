/* What the configuration says of boxes, labels and tags. */
#include "text/tokenizer/auto.h"

static am_status read_box(am_auto *a, const char *key, int32_t fallback, int32_t box[4])
{
    am_json json = am_json_get(a->config, key);
    size_t count = 0;
    for (size_t i = 0; i < 4; i++) box[i] = fallback;
    if (am_json_kind_of(json) <= AM_JSON_NULL) return NULL;
    for (am_json_iterator i = am_json_iterate(json); am_json_next(&i); count++)
        if (count < 4) box[count] = (int32_t)am_json_int(i.value, 0);
    return count == 4 ? NULL : am_loader_expected(&a->loader, key, "four numbers", json);
}

static am_status read_number(am_auto *a, const char *key, int64_t least, int32_t fallback, int32_t *out)
{
    am_json json = am_json_get(a->config, key);
    int64_t number = am_json_int(json, fallback);
    *out = (int32_t)number;
    if (number >= least && number <= 1 << 20) return NULL;
    return am_error(AM_INVALID_FILE, "%s: %s: expected %lld to %d, found %lld", a->loader.name, key, (long long)least,
                    1 << 20, (long long)number);
}

static am_status read_tags(am_auto *a, am_layout *layout)
{
    am_json tags = am_json_get(a->config, "tags_dict");
    int32_t depth;
    if (am_json_kind_of(tags) != AM_JSON_OBJECT) return am_loader_expected(&a->loader, "tags_dict", "an object", tags);
    AM_TRY(am_vocabulary_init(&layout->tags, am_json_count(tags)));
    for (am_json_iterator i = am_json_iterate(tags); am_json_next(&i);)
        AM_TRY(am_vocabulary_add(&layout->tags, (am_text){i.key.bytes, i.key.length}, am_json_int(i.value, -1), false,
                                 "tags_dict"));
    AM_TRY(read_number(a, "max_depth", 1, 50, &depth));
    AM_TRY(read_number(a, "max_width", 0, 1000, &layout->max_width));
    AM_TRY(read_number(a, "pad_width", 0, 1001, &layout->pad_width));
    layout->max_depth = (size_t)depth;
    return NULL;
}

am_status am_auto_read_layout(am_auto *a)
{
    am_layout *layout = am_arena_alloc(a->loader.arena, sizeof *layout);
    int32_t separator = a->class->layout == AM_LAYOUT_BY_WORD ? 0 : 1000;
    if (!layout) return am_out_of_memory();
    a->tokenizer->layout = layout;
    layout->kind = a->class->layout;
    layout->only_first = am_auto_bool(a, "only_label_first_subword", true);
    AM_TRY(read_number(a, "pad_token_label", -(1 << 20), -100, &layout->pad_label));
    if (layout->kind == AM_LAYOUT_MARKUP) return read_tags(a, layout);
    AM_TRY(read_box(a, "cls_token_box", 0, layout->cls_box));
    AM_TRY(read_box(a, "sep_token_box", separator, layout->sep_box));
    return read_box(a, "pad_token_box", 0, layout->pad_box);
}

void am_layout_destroy(am_layout *layout)
{
    if (layout) am_vocabulary_deinit(&layout->tags);
}
