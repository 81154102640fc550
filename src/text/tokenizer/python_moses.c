/* Tokenizers in Python that cut words as Moses does, and words by byte pair encoding: BioGPT, FSMT, XLM, FlauBERT. */
#include "text/tokenizer/moses.h"
#include "text/tokenizer/python_tokenizer.h"

#include "base/memory.h"

typedef struct moses_class {
    am_moses *moses;
    am_vocabulary target; /* of FSMT: what ids are decoded to */
    am_text target_language;
    bool lower; /* FSMT and FlauBERT: do_lower_case; XLM: do_lowercase_and_remove_accent */
} moses_class;

static am_status open_moses(am_auto *a, am_python *p, const char *vocab, const am_moses_options *options)
{
    am_vocabulary *vocabulary;
    moses_class *own = p->own = am_alloc_zeroed(1, sizeof *own);
    if (!own) return am_out_of_memory();
    AM_TRY(am_python_init_vocabulary(a, 1, &vocabulary));
    am_vocabulary_deinit(vocabulary);
    AM_TRY(am_python_read_vocab_json(a, vocab, vocabulary));
    AM_TRY(am_py_bpe_read(a, "merges.txt", AM_PY_MERGES_FIRST_TWO, "</w>", &p->bpe));
    return am_moses_create(options, &own->moses);
}

static void close_moses(am_python *p)
{
    moses_class *own = p->own;
    if (!own) return;
    am_moses_destroy(own->moses);
    am_vocabulary_deinit(&own->target);
    am_free(own);
}

/* Parts of the words of a text, which is emptied. */
static void add_words(const am_python *p, am_scratch *s, am_buffer *text)
{
    am_text rest = am_buffer_view(text);
    for (am_text word; am_py_next_word(&rest, &word) && !s->failed;) am_py_bpe_tokenize(p->bpe, s, word, NULL);
    am_buffer_deinit(text);
}

/* The text with "</w>" read as a space. */
static void append_words(const am_text *tokens, size_t count, am_buffer *out)
{
    for (size_t i = 0; i < count; i++)
        for (size_t at = 0; at < tokens[i].length; at++) {
            bool ends = at + 4 <= tokens[i].length && memcmp(tokens[i].bytes + at, "</w>", 4) == 0;
            am_buffer_append_char(out, ends ? ' ' : tokens[i].bytes[at]);
            at += ends ? 3 : 0;
        }
}

static am_status join_detokenized(const am_text *tokens, size_t count, am_text language, am_buffer *out)
{
    am_buffer words = {0}, whole = {0};
    for (size_t i = 0; i < count; i++)
        for (size_t at = 0; at < tokens[i].length; at++)
            if (tokens[i].bytes[at] != ' ') am_buffer_append_char(&whole, tokens[i].bytes[at]);
    am_text text = am_buffer_view(&whole);
    append_words(&text, 1, &words);
    am_status status = am_buffer_status(&whole);
    if (!status) status = am_buffer_status(&words);
    if (!status) status = am_moses_detokenize(am_buffer_view(&words), language, out);
    am_buffer_deinit(&whole);
    am_buffer_deinit(&words);
    return status;
}

static am_status join_words(const am_python *p, const am_text *tokens, size_t count, const am_decode_options *options,
                            am_buffer *out)
{
    (void)p, (void)options;
    am_buffer whole = {0};
    for (size_t i = 0; i < count; i++) am_buffer_append(&whole, tokens[i].bytes, tokens[i].length);
    am_text text = am_buffer_view(&whole);
    append_words(&text, 1, out);
    am_status status = am_buffer_status(&whole);
    am_buffer_deinit(&whole);
    am_strip_like_python(out);
    return status;
}

/* ---- BioGPT ---- */

static am_status open_biogpt(am_auto *a, am_python *p)
{
    am_moses_options options = {.language = "en", .aggressive_dash_splits = true, .escape = true};
    return open_moses(a, p, "vocab.json", &options);
}

static am_status tokenize_biogpt(const am_python *p, am_scratch *s, am_text text)
{
    const moses_class *own = p->own;
    am_buffer words = {0};
    am_buffer_append(&words, text.bytes, text.length);
    am_status status = am_buffer_status(&words);
    if (!status) status = am_moses_tokenize(own->moses, &words);
    if (!status) add_words(p, s, &words);
    am_buffer_deinit(&words);
    return status;
}

static am_status join_biogpt(const am_python *p, const am_text *tokens, size_t count, const am_decode_options *options,
                             am_buffer *out)
{
    (void)p, (void)options;
    return join_detokenized(tokens, count, (am_text){"en", 2}, out);
}

static const char *const biogpt_defaults[] = {"unk_token", "<unk>", "bos_token", "<s>",   "eos_token", "</s>",
                                              "sep_token", "</s>",  "pad_token", "<pad>", NULL};

static const am_python_class biogpt = {.open = open_biogpt,
                                       .close = close_moses,
                                       .tokenize = tokenize_biogpt,
                                       .join = join_biogpt,
                                       .single = "sep A",
                                       .pair = "sep A sep B"};

/* ---- FSMT ---- */

static am_status read_languages(am_auto *a, am_text out[2])
{
    am_json list = am_json_get(a->config, "langs");
    size_t count = 0;
    for (am_json_iterator i = am_json_iterate(list); am_json_next(&i); count++)
        if (count < 2) out[count] = am_text_copy(a->loader.arena, am_text_of(i.value));
    if (count != 2) return am_error(AM_INVALID_FILE, "%s: langs: expected a list of two languages", a->directory);
    return out[0].bytes && out[1].bytes ? NULL : am_out_of_memory();
}

static am_status open_fsmt(am_auto *a, am_python *p)
{
    am_text languages[2];
    AM_TRY(read_languages(a, languages));
    if (!am_moses_can_detokenize(languages[1]))
        return am_error(AM_UNSUPPORTED, "%s: FSMTTokenizer with the target language \"%s\", whose rules of Moses are not here",
                        a->directory, languages[1].bytes);
    am_moses_options options = {.language = languages[0].bytes, .aggressive_dash_splits = true, .escape = true};
    AM_TRY(open_moses(a, p, "vocab-src.json", &options));
    moses_class *own = p->own;
    own->target_language = languages[1];
    own->lower = am_auto_bool(a, "do_lower_case", false);
    AM_TRY(am_python_read_vocab_json(a, "vocab-tgt.json", &own->target));
    return am_vocabulary_finish(&own->target);
}

static am_status tokenize_fsmt(const am_python *p, am_scratch *s, am_text text)
{
    const moses_class *own = p->own;
    am_buffer words = {0};
    if (own->lower) am_py_lower(text, &words);
    else am_buffer_append(&words, text.bytes, text.length);
    am_status status = am_buffer_status(&words);
    if (!status) status = am_moses_normalize(own->moses, &words);
    if (!status) status = am_moses_tokenize(own->moses, &words);
    if (!status) add_words(p, s, &words);
    am_buffer_deinit(&words);
    return status;
}

static am_text fsmt_text(const am_python *p, int32_t id)
{
    const moses_class *own = p->own;
    return am_vocabulary_text(&own->target, id);
}

static am_status join_fsmt(const am_python *p, const am_text *tokens, size_t count, const am_decode_options *options,
                           am_buffer *out)
{
    const moses_class *own = p->own;
    (void)options;
    return join_detokenized(tokens, count, own->target_language, out);
}

static const char *const fsmt_defaults[] = {"unk_token", "<unk>", "bos_token", "<s>", "sep_token",
                                            "</s>",      "pad_token", "<pad>", NULL};

static const am_python_class fsmt = {.open = open_fsmt,
                                     .close = close_moses,
                                     .tokenize = tokenize_fsmt,
                                     .id_text = fsmt_text,
                                     .join = join_fsmt,
                                     .single = "A sep",
                                     .pair = "A sep B sep"};

/* ---- XLM ---- */

static am_status open_xlm(am_auto *a, am_python *p)
{
    am_moses_options options = {.language = "en"};
    AM_TRY(open_moses(a, p, "vocab.json", &options));
    moses_class *own = p->own;
    own->lower = am_auto_bool(a, "do_lowercase_and_remove_accent", true);
    return NULL;
}

/* lowercase_and_remove_accent of words with spaces between. */
static am_status fold(am_buffer *words)
{
    uint32_t size;
    am_buffer lower = {0}, parts = {0}, out = {0};
    am_py_lower(am_buffer_view(words), &lower);
    am_status status = am_buffer_status(&lower);
    if (!status) status = am_py_normalize(am_buffer_view(&lower), AM_PY_NFD, &parts);
    am_buffer_clear(&lower);
    for (size_t at = 0; !status && at < parts.length; at += size)
        if (!am_py_is_nonspacing(am_char_at(parts.bytes + at, &size))) am_buffer_append(&lower, parts.bytes + at, size);
    am_py_lower(am_buffer_view(&lower), &out);
    if (!status) status = am_buffer_status(&parts);
    if (!status) status = am_buffer_status(&lower);
    if (!status) status = am_buffer_status(&out);
    am_buffer_deinit(&lower);
    am_buffer_deinit(&parts);
    am_buffer_deinit(words);
    *words = out;
    return status;
}

static am_status tokenize_xlm(const am_python *p, am_scratch *s, am_text text)
{
    const moses_class *own = p->own;
    am_buffer words = {0};
    am_buffer_append(&words, text.bytes, text.length);
    am_status status = am_buffer_status(&words);
    if (!status) status = am_moses_normalize(own->moses, &words);
    if (!status) status = am_moses_tokenize(own->moses, &words);
    if (!status && own->lower) status = fold(&words);
    if (!status) add_words(p, s, &words);
    am_buffer_deinit(&words);
    return status;
}

static const char *const xlm_defaults[] = {"unk_token", "<unk>", "bos_token", "<s>",  "sep_token",  "</s>",
                                           "pad_token", "<pad>", "cls_token", "</s>", "mask_token", "<special1>", NULL};

static const char *const xlm_extra[] = {"<special0>", "<special1>", "<special2>", "<special3>", "<special4>", "<special5>",
                                        "<special6>", "<special7>", "<special8>", "<special9>", NULL};

static const am_python_class xlm = {.open = open_xlm,
                                    .close = close_moses,
                                    .tokenize = tokenize_xlm,
                                    .join = join_words,
                                    .extra_tokens = xlm_extra,
                                    .single = "bos A sep",
                                    .pair = "bos A sep B sep"};

/* ---- FlauBERT ---- */

static am_status open_flaubert(am_auto *a, am_python *p)
{
    am_moses_options options = {.language = "fr"};
    AM_TRY(open_moses(a, p, "vocab.json", &options));
    moses_class *own = p->own;
    own->lower = am_auto_bool(a, "do_lowercase", false);
    return NULL;
}

/* preprocess_text, into an empty buffer. */
static am_status prepare_flaubert(const moses_class *own, am_text text, am_buffer *out)
{
    am_buffer quoted = {0}, lower = {0};
    am_buffer_append(&quoted, text.bytes, text.length);
    am_status status = am_buffer_status(&quoted);
    if (!status) status = am_py_replace(&quoted, "``", "\"");
    if (!status) status = am_py_replace(&quoted, "''", "\"");
    if (!status) status = am_py_normalize(am_buffer_view(&quoted), AM_PY_NFC, out);
    am_buffer_deinit(&quoted);
    if (status || !own->lower) return status ? status : am_buffer_status(out);
    am_py_lower(am_buffer_view(out), &lower);
    am_buffer_deinit(out);
    *out = lower;
    return am_buffer_status(out);
}

static am_status tokenize_flaubert(const am_python *p, am_scratch *s, am_text text)
{
    const moses_class *own = p->own;
    am_buffer words = {0};
    am_status status = prepare_flaubert(own, text, &words);
    if (!status) status = am_moses_normalize(own->moses, &words);
    if (!status) status = am_moses_tokenize(own->moses, &words);
    if (!status) add_words(p, s, &words);
    am_buffer_deinit(&words);
    return status;
}

static const am_python_class flaubert = {.open = open_flaubert,
                                         .close = close_moses,
                                         .tokenize = tokenize_flaubert,
                                         .join = join_words,
                                         .extra_tokens = xlm_extra,
                                         .single = "bos A sep",
                                         .pair = "bos A sep B sep"};

const am_auto_class am_python_moses_classes[] = {
    {.name = "BioGptTokenizer", .defaults = biogpt_defaults, .python = &biogpt},
    {.name = "FSMTTokenizer", .defaults = fsmt_defaults, .python = &fsmt},
    {.name = "XLMTokenizer", .defaults = xlm_defaults, .has_type_ids = true, .python = &xlm},
    {.name = "FlaubertTokenizer", .defaults = xlm_defaults, .has_type_ids = true, .python = &flaubert},
    {0}};
