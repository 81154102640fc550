/* Tokenizers in Python with byte pair encoding of words that white space separates: CTRL, BERTweet, PhoBERT,
   Blenderbot Small. */
#include "text/tokenizer/python_tokenizer.h"

#include "base/memory.h"

/* ---- what they share ---- */

/* re.findall(r"\S+\n?"): the next word, with the end of line right behind it. */
static bool next_word(am_text *rest, am_text *word)
{
    if (!am_py_next_word(rest, word)) return false;
    if (rest->length && rest->bytes[0] == '\n') {
        word->length++;
        rest->bytes++;
        rest->length--;
    }
    return true;
}

static am_status tokenize_words(const am_python *p, am_scratch *s, am_text text)
{
    for (am_text word; next_word(&text, &word) && !s->failed;) am_py_bpe_tokenize(p->bpe, s, word, "@@");
    return NULL;
}

/* " ".join(tokens).replace("@@ ", "").strip() */
static am_status join_words(const am_python *p, const am_text *tokens, size_t count, const am_decode_options *options,
                            am_buffer *out)
{
    (void)p, (void)options;
    for (size_t i = 0; i < count; i++) {
        if (i > 0) am_buffer_append_char(out, ' ');
        am_buffer_append(out, tokens[i].bytes, tokens[i].length);
    }
    AM_TRY(am_buffer_status(out));
    AM_TRY(am_py_replace(out, "@@ ", ""));
    am_strip_like_python(out);
    return NULL;
}

static am_status read_vocabulary_and_merges(am_auto *a, am_python *p)
{
    am_vocabulary *vocabulary;
    AM_TRY(am_python_init_vocabulary(a, 1, &vocabulary));
    am_vocabulary_deinit(vocabulary);
    AM_TRY(am_python_read_vocab_json(a, "vocab.json", vocabulary));
    return am_py_bpe_read(a, "merges.txt", AM_PY_MERGES_AFTER_HEADER, "</w>", &p->bpe);
}

/* ---- CTRL ---- */

static const char *const ctrl_defaults[] = {"unk_token", "<unk>", NULL};

static const am_python_class ctrl = {.open = read_vocabulary_and_merges,
                                     .tokenize = tokenize_words,
                                     .join = join_words,
                                     .single = "A",
                                     .pair = "A B",
                                     .one_type = true};

/* ---- PhoBERT, BERTweet ---- */

static am_status add_line(am_vocabulary *vocabulary, am_text line, size_t number, const char *path)
{
    line = am_py_strip(line);
    size_t space = line.length;
    while (space > 0 && line.bytes[space - 1] != ' ') space--;
    if (space == 0) return am_error(AM_INVALID_FILE, "%s: line %zu: expected a token and a count", path, number);
    return am_vocabulary_add(vocabulary, (am_text){line.bytes, space - 1}, (int64_t)vocabulary->count, false, path);
}

/* Four special tokens, then a token and its count a line. */
static am_status read_dictionary(am_auto *a)
{
    static const char *const first[] = {"bos_token", "pad_token", "eos_token", "unk_token"};
    am_vocabulary *vocabulary;
    am_python_lines lines;
    AM_TRY(am_python_init_vocabulary(a, 1024, &vocabulary));
    for (size_t i = 0; i < sizeof first / sizeof first[0]; i++)
        AM_TRY(am_vocabulary_add(vocabulary, am_auto_text(a, first[i]), (int64_t)i, false, first[i]));
    AM_TRY(am_python_read_file(a, "vocab.txt", &lines));
    am_text rest = {lines.text, lines.length}, line;
    bool more = true;
    am_status status = NULL;
    for (size_t number = 1; !status && am_py_next_part(&rest, '\n', &more, &line); number++)
        if (more || line.length) status = add_line(vocabulary, line, number, lines.path);
    am_free(lines.text);
    return status;
}

static am_status open_dictionary(am_auto *a, am_python *p)
{
    AM_TRY(read_dictionary(a));
    return am_py_bpe_read(a, "bpe.codes", AM_PY_MERGES_COUNTED, "</w>", &p->bpe);
}

static am_status open_bertweet(am_auto *a, am_python *p)
{
    if (am_auto_bool(a, "normalization", false))
        return am_error(AM_UNSUPPORTED, "%s: BertweetTokenizer with \"normalization\": true, which rewrites tweets",
                        a->directory);
    return open_dictionary(a, p);
}

static const char *const dictionary_defaults[] = {"bos_token",  "<s>",    "eos_token", "</s>", "sep_token",
                                                  "</s>",       "cls_token", "<s>", "unk_token", "<unk>",
                                                  "pad_token", "<pad>",  "mask_token", "<mask>", NULL};

static const am_python_class phobert = {.open = open_dictionary,
                                        .tokenize = tokenize_words,
                                        .join = join_words,
                                        .single = "cls A sep",
                                        .pair = "cls A sep sep B sep",
                                        .one_type = true};

static const am_python_class bertweet = {.open = open_bertweet,
                                         .tokenize = tokenize_words,
                                         .join = join_words,
                                         .single = "cls A sep",
                                         .pair = "cls A sep sep B sep",
                                         .one_type = true};

/* ---- Blenderbot Small ---- */

static void append_spaced(am_text word, am_buffer *out)
{
    for (size_t i = 0; i < word.length; i++) {
        char c = word.bytes[i];
        if (memchr(".,!?()", c, 6)) am_buffer_append_char(out, ' ');
        if (c == '\'') am_buffer_append(out, " ' ", 3);
        else am_buffer_append_char(out, c);
    }
}

/* re.sub(r"\s{2,}", " "), then an end of line becomes a word of its own. */
static void append_collapsed(am_text word, am_buffer *out)
{
    uint32_t size;
    for (size_t at = 0, end; at < word.length; at = end) {
        size_t spaces = 0;
        for (end = at; end < word.length && am_py_is_space(am_char_at(word.bytes + end, &size)); end += size) spaces++;
        if (spaces == 0) end = at + am_char_length(word.bytes[at]);
        if (spaces >= 2) am_buffer_append_char(out, ' ');
        else if (word.bytes[at] == '\n') am_buffer_append_string(out, " __newln__");
        else am_buffer_append(out, word.bytes + at, end - at);
    }
}

static am_status tokenize_blenderbot_word(const am_python *p, am_scratch *s, am_text word)
{
    am_buffer spaced = {0}, collapsed = {0}, lower = {0};
    append_spaced(word, &spaced);
    append_collapsed(am_buffer_view(&spaced), &collapsed);
    am_status status = am_buffer_status(&spaced);
    if (!status) status = am_buffer_status(&collapsed);
    am_text rest = am_buffer_view(&collapsed), part;
    bool more = true;
    while (!status && am_py_next_part(&rest, ' ', &more, &part)) {
        if (part.length == 0) continue;
        am_buffer_clear(&lower);
        am_py_lower(part, &lower);
        status = am_buffer_status(&lower);
        if (!status) am_py_bpe_tokenize(p->bpe, s, am_buffer_view(&lower), "@@");
    }
    am_buffer_deinit(&spaced);
    am_buffer_deinit(&collapsed);
    am_buffer_deinit(&lower);
    return status;
}

static am_status tokenize_blenderbot(const am_python *p, am_scratch *s, am_text text)
{
    for (am_text word; next_word(&text, &word) && !s->failed;) {
        size_t first = s->token_count;
        AM_TRY(tokenize_blenderbot_word(p, s, word));
        if (s->token_count == first) am_python_add_token(s, (am_text){"", 0}); /* "".split(" ") is [""] */
    }
    return NULL;
}

static int32_t blenderbot_id(const am_python *p, am_text token)
{
    am_buffer lower = {0};
    am_py_lower(token, &lower);
    int32_t id = lower.failed ? -1 : am_vocabulary_id(&p->tokenizer->model.vocabulary, am_buffer_view(&lower));
    am_buffer_deinit(&lower);
    return id;
}

static const char *const blenderbot_defaults[] = {"bos_token", "__start__", "eos_token", "__end__", "unk_token", "__unk__",
                                                  "pad_token", "__null__",  NULL};

static const am_python_class blenderbot_small = {.open = read_vocabulary_and_merges,
                                                 .tokenize = tokenize_blenderbot,
                                                 .token_id = blenderbot_id,
                                                 .join = join_words,
                                                 .single = "A",
                                                 .pair = "A B"};

const am_auto_class am_python_bpe_classes[] = {
    {.name = "CTRLTokenizer", .defaults = ctrl_defaults, .has_type_ids = true, .python = &ctrl},
    {.name = "PhobertTokenizer", .defaults = dictionary_defaults, .has_type_ids = true, .python = &phobert},
    {.name = "BertweetTokenizer", .defaults = dictionary_defaults, .has_type_ids = true, .python = &bertweet},
    {.name = "BlenderbotSmallTokenizer", .defaults = blenderbot_defaults, .python = &blenderbot_small},
    {0}};
