/* Classes of transformers that are written in Python around a sentencepiece model. */
#include "text/tokenizer/spm_classes.h"
#include "text/tokenizer/python_text.h"

#include "base/file.h"
#include "base/memory.h"
#include "text/tokenizer/spm_tokenizer.h"

typedef struct am_spm_class {
    const char *name, *model_file;
    const char *const *defaults; /* name, token, ..., null */
    const char *const *extra;    /* additional_special_tokens unless there are others */
    const char *single, *pair;   /* templates as for am_auto_template; null: no special tokens */
    am_status (*vocabulary)(am_auto *a, const am_spm_file *file); /* null: the model's own ids */
    am_status (*finish)(am_auto *a);                              /* after the tokens were added; null: nothing */
    am_spm_prepare prepare_text, prepare_part;
    am_spm_joining joining;
    bool is_backend;               /* of SentencePieceBackend, which knows "legacy" */
    bool lower_case, remove_space; /* unless configured */
    bool behind_unknown, has_target_code, splits_commas, drops_first_space, ends_once, types_by_length, has_type_ids,
        cleans;
    int32_t pad_type_id;
    uint64_t max_length; /* model_max_length unless configured; 0: none */
} am_spm_class;

/* ---- vocabularies ---- */

static am_status add_token(am_auto *a, am_text token, int64_t id)
{
    return am_model_add_token(&a->tokenizer->model, token, id, 0, a->loader.name);
}

static am_status add_named(am_auto *a, const char *token, int64_t id)
{
    return add_token(a, (am_text){token, strlen(token)}, id);
}

static am_status add_model_pieces(am_auto *a, const am_spm_file *file)
{
    for (uint32_t i = 0; i < file->count; i++) AM_TRY(add_token(a, file->pieces[i].text, i));
    return NULL;
}

/* vocab.json: {"token": id, ...} */
static am_status add_vocab_json(am_auto *a, const am_spm_file *file)
{
    const char *path = am_path_join(a->loader.arena, a->directory, "vocab.json");
    am_json_document *document;
    (void)file;
    if (!path) return am_out_of_memory();
    AM_TRY(am_json_open(path, &document));
    am_json root = am_json_root(document);
    am_status status = am_json_kind_of(root) == AM_JSON_OBJECT
                           ? NULL
                           : am_error(AM_INVALID_FILE, "%s: expected an object, found %s", path,
                                      am_json_kind_name(am_json_kind_of(root)));
    a->loader.name = path;
    for (am_json_iterator i = am_json_iterate(root); !status && am_json_next(&i);) {
        if (am_json_kind_of(i.value) == AM_JSON_INTEGER)
            status = add_token(a, (am_text){i.key.bytes, i.key.length}, am_json_int(i.value, -1));
        else status = am_loader_expected(&a->loader, i.key.bytes, "a whole number", i.value);
    }
    am_json_close(document);
    return status;
}

/* dict.txt: a token a line, before its count, behind the special ones. */
static am_status read_dict_line(am_auto *a, am_text line, size_t number, const char *path)
{
    uint32_t length, start = 0, end;
    while (start < line.length && am_py_is_space(am_char_at(line.bytes + start, &length))) start += length;
    for (end = start; end < line.length; end += length)
        if (am_py_is_space(am_char_at(line.bytes + end, &length))) break;
    if (start == end) return am_error(AM_INVALID_FILE, "%s: line %zu is empty", path, number + 1);
    return add_token(a, (am_text){line.bytes + start, end - start}, a->tokenizer->model.vocabulary.count);
}

static am_status add_once(am_auto *a, am_text token)
{
    const am_vocabulary *v = &a->tokenizer->model.vocabulary;
    return am_vocabulary_find(v, token) ? NULL : add_token(a, token, v->count);
}

static am_status add_bartpho(am_auto *a, const am_spm_file *file)
{
    static const char *const first[] = {"bos_token", "pad_token", "eos_token", "unk_token", "sep_token", "cls_token"};
    const char *path = am_path_join(a->loader.arena, a->directory, "dict.txt");
    (void)file;
    if (!path) return am_out_of_memory();
    for (size_t i = 0; i < sizeof first / sizeof *first; i++) AM_TRY(add_once(a, am_auto_text(a, first[i])));
    AM_TRY(am_auto_read_lines(a, path, read_dict_line));
    return add_once(a, am_auto_text(a, "mask_token"));
}

#define PLBART_BASE "__java__", "__python__", "__en_XX__"
static const char *const plbart_base[] = {PLBART_BASE, NULL};
static const char *const plbart_multi[] = {PLBART_BASE, "__javascript__", "__php__", "__ruby__", "__go__", NULL};

static const char *const *plbart_languages(const am_auto *a)
{
    return am_text_is(am_auto_config_text(a, "language_codes", "base"), "multi") ? plbart_multi : plbart_base;
}

/* fairseq's first four, the pieces one further, languages, the mask. */
static am_status add_plbart(am_auto *a, const am_spm_file *file)
{
    static const char *const first[] = {"<s>", "<pad>", "</s>", "<unk>"};
    const char *const *languages = plbart_languages(a);
    int64_t next = (int64_t)file->count + 1;
    if (languages == plbart_multi) AM_TRY(add_named(a, "<mask>", 3)); /* it is found, and is unknown */
    for (uint32_t i = 1; i < file->count; i++) AM_TRY(add_token(a, file->pieces[i].text, (int64_t)i + 1));
    for (size_t i = 0; i < sizeof first / sizeof *first; i++) AM_TRY(add_named(a, first[i], (int64_t)i));
    for (size_t i = 0; languages[i]; i++) AM_TRY(add_named(a, languages[i], next++));
    if (languages == plbart_base) AM_TRY(add_named(a, "<mask>", next));
    for (size_t i = 0; languages[i]; i++)
        AM_TRY(am_auto_append(a, &a->additional, (am_text){languages[i], strlen(languages[i])}));
    return NULL;
}

static const char *const m2m100_languages[] = {
    "af", "am", "ar", "ast", "az", "ba",  "be", "bg", "bn", "br", "bs", "ca", "ceb", "cs", "cy", "da", "de",
    "el", "en", "es", "et",  "fa", "ff",  "fi", "fr", "fy", "ga", "gd", "gl", "gu",  "ha", "he", "hi", "hr",
    "ht", "hu", "hy", "id",  "ig", "ilo", "is", "it", "ja", "jv", "ka", "kk", "km",  "kn", "ko", "lb", "lg",
    "ln", "lo", "lt", "lv",  "mg", "mk",  "ml", "mn", "mr", "ms", "my", "ne", "nl",  "no", "ns", "oc", "or",
    "pa", "pl", "ps", "pt",  "ro", "ru",  "sd", "si", "sk", "sl", "so", "sq", "sr",  "ss", "su", "sv", "sw",
    "ta", "th", "tl", "tn",  "tr", "uk",  "ur", "uz", "vi", "wo", "xh", "yi", "yo",  "zh", "zu", NULL};
static const char *const wmt21_languages[] = {"en", "ha", "is", "ja", "cs", "ru", "zh", "de", NULL};

/* vocab.json, and a token for each language behind it. */
static am_status add_m2m100(am_auto *a, const am_spm_file *file)
{
    bool wmt = am_text_is(am_auto_config_text(a, "language_codes", "m2m100"), "wmt21");
    const char *const *languages = wmt ? wmt21_languages : m2m100_languages;
    AM_TRY(add_vocab_json(a, file));
    int64_t next = a->tokenizer->spm->listed_count = a->tokenizer->model.vocabulary.count;
    for (size_t i = 0; languages[i]; i++) {
        const char *name = am_arena_printf(a->loader.arena, "__%s__", languages[i]);
        if (!name) return am_out_of_memory();
        AM_TRY(add_named(a, name, next++));
    }
    return NULL;
}

/* Marian's two models share vocab.json, unless they do not. */
static am_status add_marian(am_auto *a, const am_spm_file *file)
{
    if (am_auto_bool(a, "separate_vocabs", false))
        return am_error(AM_UNSUPPORTED, "%s: MarianTokenizer with separate_vocabs", a->directory);
    return add_vocab_json(a, file);
}

/* ---- after the tokens ---- */

static am_status use_list(am_auto *a, const am_text *before, size_t before_count, const am_text *after,
                          size_t after_count)
{
    AM_TRY(am_auto_template_of(a, before, before_count, after, after_count, 0));
    return am_auto_use_post_processor(a);
}

static am_status unknown_language(const am_auto *a, am_text language)
{
    return am_error(AM_INVALID_FILE, "%s: tokenizer_config.json: the language \"%.*s\" is none of %s", a->directory,
                    (int)(language.length < 40 ? language.length : 40), language.bytes, a->tokenizer->class_name);
}

static am_status language_token(am_auto *a, am_text language, am_text *out)
{
    const char *name = am_arena_printf(a->loader.arena, "__%.*s__", (int)language.length, language.bytes);
    if (!name) return am_out_of_memory();
    *out = (am_text){name, strlen(name)};
    return am_vocabulary_find(&a->tokenizer->model.vocabulary, *out) ? NULL : unknown_language(a, language);
}

/* __en__ A </s> */
static am_status finish_m2m100(am_auto *a)
{
    am_text before, eos = am_auto_text(a, "eos_token");
    AM_TRY(language_token(a, am_auto_config_text(a, "src_lang", "en"), &before));
    a->tokenizer->language_id = am_tokenizer_token_to_id(a->tokenizer, before);
    return use_list(a, &before, 1, &eos, 1);
}

/* A </s> __python__ */
static am_status finish_plbart(am_auto *a)
{
    am_text source = am_auto_config_text(a, "src_lang", plbart_languages(a) == plbart_multi ? "en_XX" : "");
    am_text after[2] = {am_auto_text(a, "eos_token"), source};
    if (source.length == 0) return use_list(a, NULL, 0, after, 1);
    if (!am_vocabulary_find(&a->tokenizer->model.vocabulary, source)) AM_TRY(language_token(a, source, &after[1]));
    a->tokenizer->language_id = am_tokenizer_token_to_id(a->tokenizer, after[1]);
    return use_list(a, NULL, 0, after, 2);
}

/* <lang:pt> A </s>, with the id that the model has for the language, or A </s>. */
static am_status finish_speech_to_text(am_auto *a)
{
    static const char place[] = "{\"Sequence\":{\"id\":\"%s\",\"type_id\":0}},";
    am_text eos = am_auto_text(a, "eos_token"), language = am_auto_config_text(a, "tgt_lang", "pt");
    am_buffer *out = &a->post_processor;
    int32_t eos_id;
    a->tokenizer->spm->do_upper_case = am_auto_bool(a, "do_upper_case", false);
    if (am_json_kind_of(am_json_get(a->config, "lang_codes")) != AM_JSON_STRING) return use_list(a, NULL, 0, &eos, 1);
    const char *name = am_arena_printf(a->loader.arena, "<lang:%.*s>", (int)language.length, language.bytes);
    if (!name) return am_out_of_memory();
    AM_TRY(am_auto_token_id(a, eos, &eos_id));
    am_buffer ends[2] = {{0}, {0}};
    am_text texts[2] = {{name, strlen(name)}, eos};
    int32_t ids[2] = {am_spm_piece_to_id(&a->tokenizer->spm->spm, texts[0]), eos_id};
    for (int i = 0; i < 2; i++) am_buffer_append_json_string(&ends[i], texts[i].bytes, texts[i].length);
    am_buffer_append_string(out, "{\"type\":\"TemplateProcessing\"");
    for (int pair = 0; pair < 2; pair++) {
        am_buffer_printf(out, ",\"%s\":[{\"SpecialToken\":{\"id\":%s,\"type_id\":0}},", pair ? "pair" : "single",
                         am_buffer_text(&ends[0]));
        am_buffer_printf(out, place, "A");
        if (pair) am_buffer_printf(out, place, "B");
        am_buffer_printf(out, "{\"SpecialToken\":{\"id\":%s,\"type_id\":0}}]", am_buffer_text(&ends[1]));
    }
    am_buffer_append_string(out, ",\"special_tokens\":{");
    for (int i = 0; i < 2; i++)
        am_buffer_printf(out, "%s%s:{\"id\":%s,\"ids\":[%d],\"tokens\":[%s]}", i ? "," : "", am_buffer_text(&ends[i]),
                         am_buffer_text(&ends[i]), (int)ids[i], am_buffer_text(&ends[i]));
    am_buffer_append_string(out, "}}");
    am_status status = am_buffer_status(out);
    for (int i = 0; i < 2; i++) {
        if (!status) status = am_buffer_status(&ends[i]);
        am_buffer_deinit(&ends[i]);
    }
    return status ? status : am_auto_use_post_processor(a);
}

/* Numbers are spelled where the configuration says so. */
static am_status finish_speecht5(am_auto *a)
{
    if (am_auto_bool(a, "normalize", false)) a->tokenizer->spm->prepare_text = am_spm_spell_numbers;
    return NULL;
}

/* ---- the classes ---- */

#define UNK_EOS_PAD "eos_token", "</s>", "unk_token", "<unk>", "pad_token", "<pad>"
#define FAIRSEQ     "bos_token", "<s>", UNK_EOS_PAD

static const char *const fairseq_tokens[] = {FAIRSEQ, NULL};
static const char *const m2m100_tokens[] = {FAIRSEQ, "sep_token", "</s>", NULL};
static const char *const marian_tokens[] = {UNK_EOS_PAD, NULL};
static const char *const siglip_tokens[] = {"eos_token", "</s>", "unk_token", "<unk>", "pad_token", "</s>", NULL};
static const char *const generation_tokens[] = {FAIRSEQ, "sep_token", "<::::>", NULL};
static const char *const bart_tokens[] = {FAIRSEQ, "sep_token",  "</s>",   "cls_token",
                                          "<s>",   "mask_token", "<mask>", NULL};
static const char *const gpt_sw3_tokens[] = {"bos_token", "<s>",   "eos_token", "<|endoftext|>", "unk_token", "<unk>",
                                             "pad_token", "<pad>", NULL};
static const char *const cpm_tokens[] = {FAIRSEQ, "sep_token",  "<sep>",  "cls_token",
                                         "<cls>", "mask_token", "<mask>", NULL};
static const char *const cpm_extra[] = {"<eop>", "<eod>", NULL};

static const am_spm_class classes[] = {
    {.name = "BartphoTokenizer",
     .model_file = "sentencepiece.bpe.model",
     .defaults = bart_tokens,
     .single = "cls A sep",
     .pair = "cls A sep sep B sep",
     .vocabulary = add_bartpho,
     .joining = {.replaces_spaces = true, .strips = true},
     .is_backend = true},
    {.name = "BertGenerationTokenizer",
     .model_file = "spiece.model",
     .types_by_length = true,
     .defaults = generation_tokens,
     .joining = {.replaces_spaces = true, .strips = true},
     .is_backend = true},
    {.name = "CpmTokenizer",
     .model_file = "spiece.model",
     .defaults = cpm_tokens,
     .extra = cpm_extra,
     .single = "A sep cls:2",
     .pair = "A sep B:1 sep:1 cls:2",
     .prepare_part = am_spm_prepare_cpm,
     .joining = {.replaces_spaces = true, .strips = true, .visible_breaks = true},
     .remove_space = true,
     .splits_commas = true,
     .has_type_ids = true,
     .pad_type_id = 3},
    {.name = "GPTSw3Tokenizer",
     .model_file = "spiece.model",
     .types_by_length = true,
     .defaults = gpt_sw3_tokens,
     .prepare_part = am_spm_prepare_gpt_sw3,
     .joining = {.by_model = true, .space_before = true}},
    {.name = "M2M100Tokenizer",
     .model_file = "sentencepiece.bpe.model",
     .types_by_length = true,
     .defaults = m2m100_tokens,
     .vocabulary = add_m2m100,
     .finish = finish_m2m100,
     .joining = {.by_model = true, .strips = true}},
    {.name = "MarianTokenizer",
     .model_file = "source.spm",
     .types_by_length = true,
     .defaults = marian_tokens,
     .single = "A eos",
     .pair = "A B eos",
     .vocabulary = add_marian,
     .joining = {.by_model = true, .space_behind = true, .replaces_spaces = true, .strips = true},
     .has_target_code = true,
     .max_length = 512},
    {.name = "PLBartTokenizer",
     .model_file = "sentencepiece.bpe.model",
     .defaults = bart_tokens,
     .vocabulary = add_plbart,
     .finish = finish_plbart,
     .joining = {.replaces_spaces = true, .strips = true},
     .is_backend = true,
     .cleans = true},
    {.name = "SiglipTokenizer",
     .model_file = "spiece.model",
     .defaults = siglip_tokens,
     .prepare_text = am_spm_prepare_siglip_text,
     .prepare_part = am_spm_prepare_siglip_part,
     .joining = {.by_model = true, .space_before = true, .strips = true},
     .lower_case = true,
     .behind_unknown = true,
     .drops_first_space = true,
     .ends_once = true,
     .max_length = 64},
    {.name = "Speech2TextTokenizer",
     .model_file = "sentencepiece.bpe.model",
     .types_by_length = true,
     .defaults = fairseq_tokens,
     .vocabulary = add_vocab_json,
     .finish = finish_speech_to_text,
     .joining = {.by_model = true, .space_behind = true, .strips = true}},
    {.name = "SpeechT5Tokenizer",
     .model_file = "spm_char.model",
     .defaults = fairseq_tokens,
     .single = "A eos",
     .pair = "A B eos",
     .finish = finish_speecht5,
     .joining = {.replaces_spaces = true, .strips = true},
     .is_backend = true},
};

static const am_spm_class *find_class(const char *name)
{
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
        if (strcmp(classes[i].name, name) == 0) return &classes[i];
    return NULL;
}

bool am_spm_class_exists(const char *name)
{
    return find_class(name) != NULL;
}

/* ---- building ---- */

static am_status name_defaults(am_auto *a, const am_spm_class *class)
{
    for (const char *const *at = class->defaults; *at; at += 2)
        if (am_auto_named(a, at[0])->kind == AM_AUTO_ABSENT) AM_TRY(am_auto_set_named(a, at[0], at[1]));
    AM_TRY(am_auto_take_given(a));
    if (class->extra && !a->additional.set) AM_TRY(am_auto_append_all(a, &a->additional, class->extra));
    return NULL;
}

static am_status open_model(am_auto *a, const am_spm_class *class, am_spm_file *file)
{
    am_spm_tokenizer *spm = am_arena_alloc(a->loader.arena, sizeof *spm);
    const char *path = am_path_join(a->loader.arena, a->directory, class->model_file);
    bool legacy = am_auto_bool(a, "legacy", true);
    if (!spm || !path) return am_out_of_memory();
    *spm = (am_spm_tokenizer){.prepare_text = class->prepare_text,
                              .prepare_part = class->prepare_part,
                              .joining = class->joining,
                              .behind_unknown = class->behind_unknown || (class->is_backend && !legacy),
                              .spaces_behind_only = class->is_backend,
                              .has_target_code = class->has_target_code,
                              .splits_commas = class->splits_commas,
                              .drops_first_space = class->drops_first_space,
                              .ends_once = class->ends_once,
                              .types_by_length = class->types_by_length,
                              .do_lower_case = am_auto_bool(a, "do_lower_case", class->lower_case),
                              .remove_space = am_auto_bool(a, "remove_space", class->remove_space),
                              .keep_accents = am_auto_bool(a, "keep_accents", false)};
    a->tokenizer->spm = spm;
    a->loader.name = path;
    AM_TRY(am_spm_file_open(a->loader.arena, path, file));
    if (!legacy) file->normalizer.add_dummy_prefix = false;
    return am_spm_init(&spm->spm, file, &a->loader);
}

static am_status read_vocabulary(am_auto *a, const am_spm_class *class, const am_spm_file *file)
{
    am_tokenizer *t = a->tokenizer;
    am_model_settings settings = {.kind = AM_MODEL_WORDLEVEL,
                                  .has_unk_token = true,
                                  .unk_token = am_auto_text(a, "unk_token"),
                                  .continuing_subword_prefix = {"", 0},
                                  .end_of_word_suffix = {"", 0},
                                  .unk_id = -1};
    AM_TRY(am_model_init(&t->model, &settings, file->count));
    AM_TRY(class->vocabulary ? class->vocabulary(a, file) : add_model_pieces(a, file));
    if (t->spm->listed_count == 0) t->spm->listed_count = t->model.vocabulary.count;
    AM_TRY(am_model_finish(&t->model));
    if (!class->vocabulary) t->model.unk_id = t->spm->spm.unk_id;
    if (t->model.unk_id >= 0) return NULL;
    return am_error(AM_INVALID_FILE, "%s: the unknown token \"%.*s\" is not in the vocabulary", a->loader.name,
                    (int)settings.unk_token.length, settings.unk_token.bytes);
}

/* Id of a text in the vocabulary that tokens are added to, or -1. */
static int64_t listed_id(const am_tokenizer *t, am_text text)
{
    const am_vocabulary *v = &t->model.vocabulary;
    const am_vocabulary_entry *entry = am_vocabulary_find(v, text);
    return entry && (uint32_t)(entry - v->entries) < t->spm->listed_count ? entry->id : -1;
}

/* A new token gets the number of texts that there are as its id. */
static am_status add_special(am_tokenizer *t, am_text text, int64_t *next)
{
    am_added_token token = {.content = text, .special = true};
    int64_t id = listed_id(t, text);
    if (am_added_tokens_find(&t->added, text)) return NULL;
    return am_added_tokens_put(&t->added, &t->arena, &token, id >= 0 ? id : (*next)++);
}

/* Those with ids of their own first, then special tokens. All are found as they stand. */
static am_status add_tokens(am_auto *a)
{
    am_tokenizer *t = a->tokenizer;
    const am_auto_list *lists[] = {&a->named, &a->extra};
    int64_t next = t->spm->listed_count;
    for (size_t i = 0; i < a->added.count; i++) {
        am_added_token token = a->added.items[i].token;
        token.normalized = false;
        AM_TRY(am_added_tokens_put(&t->added, &t->arena, &token, a->added.items[i].id));
        next += listed_id(t, token.content) < 0;
    }
    for (size_t k = 0; k < 2; k++) {
        for (size_t i = 0; i < lists[k]->count; i++) {
            const am_auto_token *token = &lists[k]->items[i];
            if (token->kind >= AM_AUTO_STRING) AM_TRY(add_special(t, token->token.content, &next));
        }
    }
    return NULL;
}

am_status am_auto_build_spm_class(am_auto *a)
{
    am_tokenizer *t = a->tokenizer;
    const am_spm_class *class = find_class(t->class_name);
    am_spm_file file;
    AM_TRY(name_defaults(a, class));
    AM_TRY(open_model(a, class, &file));
    AM_TRY(read_vocabulary(a, class, &file));
    if (!a->extra.set && a->additional.set) a->extra = a->additional;
    AM_TRY(add_tokens(a));
    AM_TRY(am_added_tokens_finish(&t->added));
    if (class->single) {
        AM_TRY(am_auto_template(a, class->single, class->pair));
        AM_TRY(am_auto_use_post_processor(a));
    }
    if (class->finish) AM_TRY(class->finish(a));
    AM_TRY(am_auto_name_tokens(a));
    a->max_length = class->max_length;
    a->has_type_ids = class->has_type_ids;
    am_auto_read_settings(a);
    t->pad_type_id = class->pad_type_id;
    t->empty_pair_is_none = false;
    t->clean_up = am_auto_bool(a, "clean_up_tokenization_spaces", class->cleans);
    return NULL;
}
