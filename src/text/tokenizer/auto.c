/* AutoTokenizer.from_pretrained(directory): the steps in the order transformers takes them. */
#include "text/tokenizer/python_tokenizer.h"
#include "text/tokenizer/spm_classes.h"

#include "base/file.h"
#include "base/memory.h"

enum { FILE_COUNT = 5 };

static const char *const file_names[FILE_COUNT] = {"tokenizer_config.json", "config.json", "tokenizer.json",
                                                   "special_tokens_map.json", "added_tokens.json"};

static const am_auto_class backend_class = {.name = "TokenizersBackend", .keeps_file = true};

/* Opens those of the files that are there. */
static am_status open_files(const char *directory, am_json_document *documents[FILE_COUNT])
{
    am_arena arena = {0};
    am_status status = NULL;
    for (int i = 0; i < FILE_COUNT && !status; i++) {
        const char *path = am_path_join(&arena, directory, file_names[i]);
        if (!path) status = am_out_of_memory();
        else if (am_file_exists(path)) status = am_json_open(path, &documents[i]);
        if (!status && documents[i] && am_json_kind_of(am_json_root(documents[i])) != AM_JSON_OBJECT)
            status = am_error(AM_INVALID_FILE, "%s: expected an object, found %s", path,
                              am_json_kind_name(am_json_kind_of(am_json_root(documents[i]))));
    }
    am_arena_deinit(&arena);
    return status;
}

static am_json root_of(const am_json_document *document)
{
    return document ? am_json_root(document) : (am_json){0};
}

/* ---- choosing ---- */

static am_status find_class(am_auto *a)
{
    static const am_auto_class *const tables[] = {am_wordpiece_classes, am_byte_level_classes, am_spm_bpe_classes,
                                                  am_unigram_classes};
    const char *name;
    a->class = &backend_class;
    AM_TRY(am_auto_class_name(a, &name));
    a->tokenizer->class_name = name;
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++)
        for (const am_auto_class *row = tables[i]; row->name; row++)
            if (strcmp(row->name, name) == 0) a->class = row;
    const am_auto_class *python = am_python_class_named((am_text){name, strlen(name)});
    if (python) a->class = python;
    return NULL;
}

/* Tokens of the class where the configuration says nothing, and of tokenizer.json's padding where neither
 * does. */
static am_status apply_defaults(am_auto *a)
{
    for (const char *const *at = a->class->defaults; at && *at; at += 2) {
        const am_auto_token *token = am_auto_named(a, at[0]);
        if (token && token->kind != AM_AUTO_ABSENT) continue;
        AM_TRY(am_auto_set_named(a, at[0], at[1]));
        am_auto_named(a, at[0])->of_class = true;
    }
    am_text pad = a->tokenizer->file_limits.pad_token;
    if (!pad.bytes || am_auto_named(a, "pad_token")->kind != AM_AUTO_ABSENT) return NULL;
    const char *copy = am_arena_string(a->loader.arena, pad.bytes, pad.length);
    return copy ? am_auto_set_named(a, "pad_token", copy) : am_out_of_memory();
}

static am_side side_of(am_json json, am_side fallback)
{
    if (am_json_equals(json, "left")) return AM_SIDE_LEFT;
    return am_json_equals(json, "right") ? AM_SIDE_RIGHT : fallback;
}

static void set_sides(am_auto *a)
{
    am_tokenizer *t = a->tokenizer;
    const am_limits *limits = &t->file_limits;
    am_side padding = a->class->pads_left ? AM_SIDE_LEFT : AM_SIDE_RIGHT, truncation = AM_SIDE_RIGHT;
    if (limits->padding != AM_PAD_NEVER) padding = limits->pad_left ? AM_SIDE_LEFT : AM_SIDE_RIGHT;
    if (limits->truncation != AM_TRUNCATE_NEVER) truncation = limits->truncate_left ? AM_SIDE_LEFT : AM_SIDE_RIGHT;
    t->padding_side = side_of(am_json_get(a->config, "padding_side"), padding);
    t->truncation_side = side_of(am_json_get(a->config, "truncation_side"), truncation);
}

/* ---- building ---- */

/* The tokenizer of tokenizer.json as it is. */
static am_status take_file(am_auto *a)
{
    am_json model = am_json_get(a->file, "model");
    am_tokenizer_parts parts = {am_json_get(a->file, "normalizer"), am_json_get(a->file, "pre_tokenizer"),
                                am_json_get(a->file, "post_processor"), am_json_get(a->file, "decoder")};
    AM_TRY(am_model_read_settings(&a->loader, model, &a->settings));
    AM_TRY(am_model_read(&a->loader, model, &a->settings, &a->tokenizer->model));
    AM_TRY(am_tokenizer_read_parts(a->tokenizer, &a->loader, &parts));
    return am_tokenizer_read_added_tokens(a->tokenizer, &a->loader, am_json_get(a->file, "added_tokens"));
}

/* Parses JSON that a class wrote; *document is closed by the caller. */
static am_status parse_part(am_auto *a, const am_buffer *text, am_json_document **document, am_json *out)
{
    *out = (am_json){0};
    AM_TRY(am_buffer_status(text));
    if (text->length == 0) return NULL;
    AM_TRY(am_json_parse(am_buffer_text(text), text->length, a->loader.name, document));
    *out = am_json_root(*document);
    return NULL;
}

/* The class's own parts, and the post-processor of the file where it has one. */
static am_status read_built_parts(am_auto *a)
{
    am_json_document *documents[4] = {0};
    const am_buffer *texts[4] = {&a->normalizer, &a->pre_tokenizer, &a->post_processor, &a->decoder};
    am_json roots[4];
    am_status status = NULL;
    for (int i = 0; i < 4 && !status; i++) status = parse_part(a, texts[i], &documents[i], &roots[i]);
    if (!status && am_auto_file_has_post_processor(a)) roots[2] = am_json_get(a->file, "post_processor");
    am_tokenizer_parts parts = {0};
    if (!status) {
        parts = (am_tokenizer_parts){roots[0], roots[1], roots[2], roots[3]};
        status = am_tokenizer_read_parts(a->tokenizer, &a->loader, &parts);
    }
    for (int i = 0; i < 4; i++) am_json_close(documents[i]);
    return status;
}

static am_status build(am_auto *a)
{
    const am_auto_class *class = a->class;
    if (a->has_file && class->keeps_file) return take_file(a);
    a->settings = (am_model_settings){.kind = class->model, .unk_id = -1, .may_lack_merges = true};
    a->settings.unk_token = a->settings.continuing_subword_prefix = a->settings.end_of_word_suffix = (am_text){"", 0};
    if (!a->has_file) AM_TRY(am_auto_open_pieces(a));
    if (a->spm && (class->keeps_file || !class->build)) AM_TRY(am_auto_build_from_spm(a));
    else if (class->build && (!a->pieces || a->spm)) AM_TRY(class->build(a));
    AM_TRY(am_auto_read_model(a));
    AM_TRY(read_built_parts(a));
    return am_auto_add_file_tokens(a);
}

/* ---- tokens ---- */

/* The configuration's own tokens win over those of the class of the same name. */
static am_status merge_tokens(am_auto *a)
{
    AM_TRY(am_auto_take_given(a));
    if (!a->extra.set && a->additional.set) a->extra = a->additional;
    return NULL;
}

static void read_bos_and_eos(am_auto *a)
{
    am_json bos = am_json_get(a->config, "add_bos_token"), eos = am_json_get(a->config, "add_eos_token");
    if (a->has_file) return;
    if (am_json_kind_of(bos) != AM_JSON_MISSING) a->add_bos = am_json_bool(bos, false);
    if (am_json_kind_of(eos) != AM_JSON_MISSING) a->add_eos = am_json_bool(eos, false);
    a->update_post_processor |= am_json_kind_of(bos) != AM_JSON_MISSING || am_json_kind_of(eos) != AM_JSON_MISSING;
}

static am_status add_tokens(am_auto *a)
{
    AM_TRY(merge_tokens(a));
    if (!a->tokenizer->post_processor && !a->own_post_processor) a->update_post_processor = true;
    AM_TRY(am_auto_add_tokens(a));
    if (a->update_post_processor) {
        AM_TRY(am_auto_update_post_processor(a));
        AM_TRY(am_auto_use_post_processor(a));
    }
    if (a->class->finish) AM_TRY(a->class->finish(a));
    return am_added_tokens_finish(&a->tokenizer->added);
}

static void name_list(am_tokenizer *t, const am_auto_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].kind >= AM_AUTO_STRING)
            t->named[t->named_count++] = (am_named_token){list->items[i].name, list->items[i].token.content};
}

am_status am_auto_name_tokens(am_auto *a)
{
    am_tokenizer *t = a->tokenizer;
    t->named = am_arena_array(&t->arena, a->named.count + a->extra.count + 1, sizeof *t->named);
    if (!t->named) return am_out_of_memory();
    name_list(t, &a->named);
    name_list(t, &a->extra);
    return NULL;
}

/* ---- settings ---- */

static bool contains_text(am_json list, const char *text)
{
    for (am_json_iterator i = am_json_iterate(list); am_json_next(&i);)
        if (am_json_equals(i.value, text)) return true;
    return false;
}

void am_auto_read_settings(am_auto *a)
{
    am_tokenizer *t = a->tokenizer;
    am_json length = am_json_get(a->config, "model_max_length"), names = am_json_get(a->config, "model_input_names");
    if (am_json_kind_of(length) == AM_JSON_MISSING) length = am_json_get(a->config, "max_len");
    double limit = am_json_real(length, 0);
    t->model_max_length = a->max_length;
    if (am_json_kind_of(length) != AM_JSON_MISSING)
        t->model_max_length = limit >= 1 && limit < 1e18 ? (uint64_t)limit : 0;
    t->has_type_ids = a->class->has_type_ids || a->has_type_ids;
    if (am_json_kind_of(names) == AM_JSON_ARRAY) t->has_type_ids = contains_text(names, "token_type_ids");
    bool cleans_bpe = am_auto_bool(a, "clean_up_tokenization_spaces_for_bpe_even_though_it_will_corrupt_output",
                                   a->class->cleans_bpe);
    t->never_cleans_up = !t->ctc && t->model.settings.kind == AM_MODEL_BPE && !cleans_bpe;
    t->clean_up = am_auto_bool(a, "clean_up_tokenization_spaces", a->class->cleans_up) && !t->never_cleans_up;
    t->split_special_tokens = am_auto_bool(a, "split_special_tokens", false);
    t->decode_style = a->class->decode_style;
    t->empty_pair_is_none = !a->class->takes_words && !t->python;
}

/* ---- all together ---- */

static am_status construct(am_auto *a)
{
    AM_TRY(am_auto_read_tokens(a));
    AM_TRY(find_class(a));
    if (strcmp(a->tokenizer->class_name, "Wav2Vec2CTCTokenizer") == 0) return am_auto_build_ctc(a);
    if (am_spm_class_exists(a->tokenizer->class_name)) return am_auto_build_spm_class(a);
    AM_TRY(am_tokenizer_read_limits(&a->loader, a->file, &a->tokenizer->file_limits));
    AM_TRY(apply_defaults(a));
    set_sides(a);
    if (a->class->python) return am_python_build(a);
    read_bos_and_eos(a);
    AM_TRY(build(a));
    AM_TRY(add_tokens(a));
    AM_TRY(am_auto_name_tokens(a));
    am_auto_read_settings(a);
    return a->class->layout == AM_LAYOUT_NONE ? NULL : am_auto_read_layout(a);
}

static am_status create(const char *directory, am_json_document *documents[FILE_COUNT], am_tokenizer **out)
{
    am_auto a = {.directory = directory, .has_file = documents[2] != NULL};
    AM_TRY(am_tokenizer_create(out));
    a.tokenizer = *out;
    a.config = root_of(documents[0]);
    a.model_config = root_of(documents[1]);
    a.file = root_of(documents[2]);
    a.special_map = root_of(documents[3]);
    a.added_map = root_of(documents[4]);
    a.loader = (am_loader){.arena = &a.tokenizer->arena, .regexes = &a.tokenizer->regexes, .name = directory};
    if (a.has_file) a.loader.name = am_path_join(a.loader.arena, directory, "tokenizer.json");
    am_status status = a.loader.name ? construct(&a) : am_out_of_memory();
    am_buffer_deinit(&a.normalizer);
    am_buffer_deinit(&a.pre_tokenizer);
    am_buffer_deinit(&a.decoder);
    am_buffer_deinit(&a.post_processor);
    if (!status) return NULL;
    am_tokenizer_close(*out);
    *out = NULL;
    return status;
}

am_status am_tokenizer_open_auto(const char *directory, am_tokenizer **out)
{
    am_json_document *documents[FILE_COUNT] = {0};
    *out = NULL;
    am_status status = am_directory_exists(directory) ? open_files(directory, documents)
                                                      : am_error(AM_NOT_FOUND, "%s: no such directory", directory);
    if (!status) status = create(directory, documents, out);
    for (int i = 0; i < FILE_COUNT; i++) am_json_close(documents[i]);
    return status;
}
