/* Tokenizers in Python of BERT's kind: BertTokenizerLegacy, ProphetNet, RoCBERT, BertJapanese with its basic word
   tokenizer. A text is cut into words (BasicTokenizer), a word into pieces (WordpieceTokenizer) or characters. */
#include "text/tokenizer/python_tokenizer.h"

#include "base/file.h"
#include "base/memory.h"

typedef struct basic {
    bool skips_words;  /* do_basic_tokenize or do_word_tokenize is false */
    bool skips_pieces; /* do_subword_tokenize is false */
    bool characters;   /* of words, not pieces */
    bool lower, strips_accents, spaces_chinese;
    am_text *never_split; /* of the configuration */
    size_t never_split_count;
} basic;

/* ---- opening ---- */

static am_status read_never_split(am_auto *a, basic *own)
{
    am_json list = am_json_get(a->config, "never_split");
    own->never_split = am_arena_array(a->loader.arena, am_json_count(list) + 1, sizeof *own->never_split);
    if (!own->never_split) return am_out_of_memory();
    for (am_json_iterator i = am_json_iterate(list); am_json_next(&i);) {
        am_text text = am_text_copy(a->loader.arena, am_text_of(i.value));
        if (!text.bytes) return am_out_of_memory();
        own->never_split[own->never_split_count++] = text;
    }
    return NULL;
}

static am_status open_basic(am_auto *a, am_python *p, const char *vocab, bool lower_by_default)
{
    basic *own = p->own = am_arena_alloc(a->loader.arena, sizeof *own);
    am_model *model = &a->tokenizer->model;
    if (!own) return am_out_of_memory();
    own->skips_words = !am_auto_bool(a, "do_basic_tokenize", true);
    own->lower = am_auto_bool(a, "do_lower_case", lower_by_default);
    own->strips_accents = am_auto_bool(a, "strip_accents", own->lower);
    if (am_json_kind_of(am_json_get(a->config, "strip_accents")) == AM_JSON_NULL) own->strips_accents = own->lower;
    own->spaces_chinese = am_auto_bool(a, "tokenize_chinese_chars", true);
    AM_TRY(read_never_split(a, own));
    AM_TRY(am_python_read_vocab_lines(a, vocab, false));
    model->settings.continuing_subword_prefix = (am_text){"##", 2};
    model->settings.max_input_chars_per_word = 100;
    model->settings.unk_token = am_auto_text(a, "unk_token");
    model->unk_id = am_vocabulary_id(&model->vocabulary, model->settings.unk_token);
    return am_prefixes_init(&model->prefixes, &model->vocabulary);
}

static am_status open_bert(am_auto *a, am_python *p)
{
    return open_basic(a, p, "vocab.txt", true);
}

static am_status open_prophetnet(am_auto *a, am_python *p)
{
    return open_basic(a, p, "prophetnet.tokenizer", true);
}

static am_status open_roc_bert(am_auto *a, am_python *p)
{
    static const char *const files[] = {"word_shape.json", "word_pronunciation.json"};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        const char *path = am_path_join(a->loader.arena, a->directory, files[i]);
        if (!path) return am_out_of_memory();
        if (!am_file_exists(path)) return am_error(AM_NOT_FOUND, "%s: no such file", path);
    }
    return open_bert(a, p);
}

static am_status open_japanese(am_auto *a, am_python *p)
{
    am_text words = am_auto_config_text(a, "word_tokenizer_type", "basic"),
            pieces = am_auto_config_text(a, "subword_tokenizer_type", "wordpiece");
    bool cuts_words = am_auto_bool(a, "do_word_tokenize", true), cuts = am_auto_bool(a, "do_subword_tokenize", true);
    if (cuts_words && !am_text_is(words, "basic"))
        return am_error(AM_UNSUPPORTED,
                        "%s: BertJapaneseTokenizer with the word_tokenizer_type \"%.*s\", which needs its "
                        "dictionary; \"basic\" is here",
                        a->directory, (int)words.length, words.bytes);
    if (cuts && !am_text_is(pieces, "wordpiece") && !am_text_is(pieces, "character"))
        return am_error(AM_UNSUPPORTED,
                        "%s: BertJapaneseTokenizer with the subword_tokenizer_type \"%.*s\"; "
                        "\"wordpiece\" and \"character\" are here",
                        a->directory, (int)pieces.length, pieces.bytes);
    AM_TRY(open_basic(a, p, "vocab.txt", false));
    basic *own = p->own;
    own->skips_words = !cuts_words;
    own->skips_pieces = !cuts;
    own->characters = am_text_is(pieces, "character");
    own->spaces_chinese = false;
    own->strips_accents = own->lower;
    return NULL;
}

/* ---- words ---- */

static bool is_chinese(uint32_t c)
{
    return (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0x3400 && c <= 0x4DBF) || (c >= 0x20000 && c <= 0x2A6DF) ||
           (c >= 0x2A700 && c <= 0x2B73F) || (c >= 0x2B740 && c <= 0x2B81F) || (c >= 0x2B820 && c <= 0x2CEAF) ||
           (c >= 0xF900 && c <= 0xFAFF) || (c >= 0x2F800 && c <= 0x2FA1F);
}

/* _clean_text and _tokenize_chinese_chars. */
static void append_clean(const basic *own, am_text text, am_buffer *out)
{
    uint32_t size;
    for (size_t at = 0; at < text.length; at += size) {
        uint32_t c = am_char_at(text.bytes + at, &size);
        bool spaced = own->spaces_chinese && is_chinese(c);
        if (c == 0 || c == 0xFFFD || am_py_is_control(c)) continue;
        if (spaced) am_buffer_append_char(out, ' ');
        if (am_py_is_blank(c)) am_buffer_append_char(out, ' ');
        else am_buffer_append(out, text.bytes + at, size);
        if (spaced) am_buffer_append_char(out, ' ');
    }
}

static am_status append_without_accents(am_text text, am_buffer *out)
{
    uint32_t size;
    am_buffer parts = {0};
    am_status status = am_py_normalize(text, AM_PY_NFD, &parts);
    for (size_t at = 0; !status && at < parts.length; at += size)
        if (!am_py_is_nonspacing(am_char_at(parts.bytes + at, &size))) am_buffer_append(out, parts.bytes + at, size);
    if (!status) status = am_buffer_status(&parts);
    am_buffer_deinit(&parts);
    return status;
}

/* Lower case and no accents, as far as asked for. */
static am_status append_folded(const basic *own, am_text word, am_buffer *out)
{
    am_buffer lower = {0};
    if (own->lower) am_py_lower(word, &lower);
    am_status status = am_buffer_status(&lower);
    am_text text = own->lower ? am_buffer_view(&lower) : word;
    if (!status && own->strips_accents) status = append_without_accents(text, out);
    else if (!status) am_buffer_append(out, text.bytes, text.length);
    am_buffer_deinit(&lower);
    return status;
}

/* Every punctuation character between spaces. */
static void append_split(am_text word, am_buffer *out)
{
    uint32_t size;
    for (size_t at = 0; at < word.length; at += size) {
        bool cuts = am_py_is_punctuation(am_char_at(word.bytes + at, &size));
        if (cuts) am_buffer_append_char(out, ' ');
        am_buffer_append(out, word.bytes + at, size);
        if (cuts) am_buffer_append_char(out, ' ');
    }
}

static bool is_listed(const basic *own, am_text text)
{
    for (size_t i = 0; i < own->never_split_count; i++)
        if (am_text_equal(own->never_split[i], text)) return true;
    return false;
}

static am_status append_word(const am_python *p, am_text word, am_buffer *folded, am_buffer *out)
{
    const basic *own = p->own;
    am_buffer_append_char(out, ' ');
    am_buffer_clear(folded);
    if (!is_listed(own, word) && !am_python_is_special_text(p, word)) {
        AM_TRY(append_folded(own, word, folded));
        word = am_buffer_view(folded);
    }
    if (is_listed(own, word) || am_python_is_special_text(p, word)) am_buffer_append(out, word.bytes, word.length);
    else append_split(word, out);
    return am_buffer_status(folded);
}

/* BasicTokenizer.tokenize: words with white space between, in scratch memory. */
static am_status cut_words(const am_python *p, am_scratch *s, am_text *text)
{
    am_buffer clean = {0}, normal = {0}, folded = {0}, out = {0};
    append_clean(p->own, *text, &clean);
    am_status status = am_buffer_status(&clean);
    if (!status) status = am_py_normalize(am_buffer_view(&clean), AM_PY_NFC, &normal);
    if (!status) status = am_buffer_status(&normal);
    am_text rest = am_buffer_view(&normal), word;
    while (!status && am_py_next_word(&rest, &word)) status = append_word(p, word, &folded, &out);
    am_buffer_deinit(&clean);
    am_buffer_deinit(&normal);
    am_buffer_deinit(&folded);
    if (!status) status = am_buffer_status(&out);
    *text = am_python_keep(s, &out);
    return status;
}

/* ---- pieces ---- */

static am_status add_characters(const am_python *p, am_scratch *s, am_text word)
{
    const am_vocabulary *vocabulary = &p->tokenizer->model.vocabulary;
    am_buffer normal = {0};
    am_status status = am_py_normalize(word, AM_PY_NFKC, &normal);
    word = am_python_keep(s, &normal);
    for (size_t at = 0, size; !status && at < word.length; at += size) {
        size = am_char_length(word.bytes[at]);
        am_text c = {word.bytes + at, size};
        am_python_add_token(s, am_vocabulary_id(vocabulary, c) >= 0 ? c : p->tokenizer->model.settings.unk_token);
    }
    return status;
}

static am_status tokenize_basic(const am_python *p, am_scratch *s, am_text text)
{
    const basic *own = p->own;
    if (!own->skips_words) AM_TRY(cut_words(p, s, &text));
    else if (own->characters) return add_characters(p, s, text);
    else if (own->skips_pieces) {
        am_python_add_token(s, text);
        return NULL;
    }
    for (am_text word; am_py_next_word(&text, &word) && !s->failed;) {
        if (own->characters && !own->skips_pieces) AM_TRY(add_characters(p, s, word));
        else if (own->skips_pieces || (!own->skips_words && is_listed(own, word))) am_python_add_token(s, word);
        else AM_TRY(am_wordpiece_tokenize(&p->tokenizer->model, s, word));
    }
    return NULL;
}

/* " ".join(tokens).replace(" ##", "").strip() */
static am_status join_pieces(const am_python *p, const am_text *tokens, size_t count, const am_decode_options *options,
                             am_buffer *out)
{
    (void)p, (void)options;
    for (size_t i = 0; i < count; i++) {
        if (i > 0) am_buffer_append_char(out, ' ');
        am_buffer_append(out, tokens[i].bytes, tokens[i].length);
    }
    AM_TRY(am_buffer_status(out));
    AM_TRY(am_py_replace(out, " ##", ""));
    am_strip_like_python(out);
    return NULL;
}

/* ---- classes ---- */

static const char *const bert_defaults[] = {"unk_token", "[UNK]", "sep_token",  "[SEP]",  "pad_token", "[PAD]",
                                            "cls_token", "[CLS]", "mask_token", "[MASK]", NULL};

static const char *const prophetnet_defaults[] = {"unk_token",   "[UNK]",   "sep_token", "[SEP]",
                                                  "x_sep_token", "[X_SEP]", "pad_token", "[PAD]",
                                                  "mask_token",  "[MASK]",  NULL};

static const am_python_class bert = {.open = open_bert,
                                     .tokenize = tokenize_basic,
                                     .join = join_pieces,
                                     .single = "cls A sep",
                                     .pair = "cls A sep B sep"};

static const am_python_class roc_bert = {.open = open_roc_bert,
                                         .tokenize = tokenize_basic,
                                         .join = join_pieces,
                                         .single = "cls A sep",
                                         .pair = "cls A sep B sep"};

static const am_python_class japanese = {.open = open_japanese,
                                         .tokenize = tokenize_basic,
                                         .join = join_pieces,
                                         .single = "cls A sep",
                                         .pair = "cls A sep B sep"};

static const am_python_class prophetnet = {
    .open = open_prophetnet, .tokenize = tokenize_basic, .join = join_pieces, .single = "A sep", .pair = "A sep B sep"};

const am_auto_class am_python_wordpiece_classes[] = {
    {.name = "BertTokenizerLegacy",
     .defaults = bert_defaults,
     .has_type_ids = true,
     .cleans_up = true,
     .python = &bert},
    {.name = "RoCBertTokenizer", .defaults = bert_defaults, .has_type_ids = true, .python = &roc_bert},
    {.name = "BertJapaneseTokenizer", .defaults = bert_defaults, .has_type_ids = true, .python = &japanese},
    {.name = "ProphetNetTokenizer", .defaults = prophetnet_defaults, .cleans_up = true, .python = &prophetnet},
    {0}};
