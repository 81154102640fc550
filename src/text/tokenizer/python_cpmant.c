/* CpmAntTokenizer: words of jieba, cut into the longest entries of the vocabulary. */
#include "text/tokenizer/jieba.h"
#include "text/tokenizer/python_tokenizer.h"

#include "base/memory.h"

enum { LONGEST_WORD = 200 };

/* ---- vocabulary ---- */

static am_status add_line(am_auto *a, am_text line, int64_t id, const char *path)
{
    am_vocabulary *vocabulary = &a->tokenizer->model.vocabulary;
    if (am_text_equal(line, am_auto_text(a, "space_token"))) line = (am_text){" ", 1};
    else if (am_text_equal(line, am_auto_text(a, "line_token"))) line = (am_text){"\n", 1};
    return am_vocabulary_add(vocabulary, line, id, false, path);
}

static am_status open_cpmant(am_auto *a, am_python *p)
{
    am_vocabulary *vocabulary;
    am_python_lines lines;
    int64_t id = 0;
    AM_TRY(am_python_init_vocabulary(a, 1024, &vocabulary));
    AM_TRY(am_python_read_file(a, "vocab.txt", &lines));
    am_text rest = {lines.text, lines.length}, line;
    bool more = true;
    am_status status = NULL;
    while (!status && am_py_next_part(&rest, '\n', &more, &line))
        if (more || line.length) status = add_line(a, line, id++, lines.path);
    am_free(lines.text);
    if (status) return status;
    bool complete =
        am_vocabulary_id(vocabulary, (am_text){" ", 1}) >= 0 && am_vocabulary_id(vocabulary, (am_text){"\n", 1}) >= 0;
    if (!complete) return am_error(AM_INVALID_FILE, "%s: no space_token or no line_token among the lines", lines.path);
    p->cut_only[0] = am_auto_text(a, "space_token");
    p->cut_only[1] = am_auto_text(a, "line_token");
    return am_jieba_open(a->directory, &a->tokenizer->jieba);
}

/* ---- words ---- */

static size_t longest_entry(const am_vocabulary *vocabulary, am_text word)
{
    for (size_t end = word.length; end > 0; end = am_char_before(word.bytes, (uint32_t)end))
        if (am_vocabulary_id(vocabulary, (am_text){word.bytes, end}) >= 0) return end;
    return 0;
}

static void tokenize_word(const am_python *p, am_scratch *s, am_text word)
{
    const am_vocabulary *vocabulary = &p->tokenizer->model.vocabulary;
    size_t characters = 0;
    for (size_t i = 0; i < word.length; i++) characters += am_is_char_start(word.bytes[i]);
    if (characters > LONGEST_WORD) {
        am_python_add_token(s, p->unk_token);
        return;
    }
    while (word.length && !s->failed) {
        size_t length = longest_entry(vocabulary, word);
        am_python_add_token(s, length ? (am_text){word.bytes, length} : p->unk_token);
        if (length == 0) length = am_char_length(word.bytes[0]);
        word.bytes += length;
        word.length -= length;
    }
}

static am_status tokenize_cpmant(const am_python *p, am_scratch *s, am_text text)
{
    am_jieba_cut cut = am_jieba_begin(p->tokenizer->jieba, text);
    am_text word;
    am_status status = am_jieba_next(&cut, &word);
    for (; !status && word.length && !s->failed; status = am_jieba_next(&cut, &word)) tokenize_word(p, s, word);
    am_jieba_end(&cut);
    return status;
}

/* Without bos, eos and pad, whatever the options. */
static am_status join_cpmant(const am_python *p, const am_text *tokens, size_t count, const am_decode_options *options,
                             am_buffer *out)
{
    static const char *const dropped[] = {"bos_token", "eos_token", "pad_token"};
    (void)options;
    for (size_t i = 0; i < count; i++) {
        bool drops = false;
        for (size_t k = 0; k < 3; k++)
            drops |= am_text_equal(tokens[i], am_tokenizer_special_token(p->tokenizer, dropped[k]));
        if (!drops) am_buffer_append(out, tokens[i].bytes, tokens[i].length);
    }
    return NULL;
}

static const char *const cpmant_defaults[] = {"bod_token",  "<d>",  "eod_token",   "</d>",  "bos_token", "<s>",
                                              "eos_token",  "</s>", "pad_token",   "<pad>", "unk_token", "<unk>",
                                              "line_token", "</n>", "space_token", "</_>",  NULL};

static const am_python_class cpmant = {.open = open_cpmant,
                                       .tokenize = tokenize_cpmant,
                                       .join = join_cpmant,
                                       .single = "bos A",
                                       .pair = "bos A bos B",
                                       .one_type = true};

const am_auto_class am_python_cpmant_classes[] = {
    {.name = "CpmAntTokenizer", .defaults = cpmant_defaults, .pads_left = true, .python = &cpmant}, {0}};
