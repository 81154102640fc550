/* Tokenizers in Python that cut a text into characters or words of their vocabulary: ESM, MGP-STR, VITS, GPT-NeoX
   Japanese, Wav2Vec2Phoneme. */
#include "text/tokenizer/python_tokenizer.h"

#include "base/file.h"
#include "base/memory.h"

#include <stdio.h>

/* ---- what they share ---- */

static am_status open_vocab_json(am_auto *a)
{
    am_vocabulary *vocabulary;
    AM_TRY(am_python_init_vocabulary(a, 1, &vocabulary));
    am_vocabulary_deinit(vocabulary);
    return am_python_read_vocab_json(a, "vocab.json", vocabulary);
}

static am_status join_with(const am_text *tokens, size_t count, const char *separator, am_buffer *out)
{
    for (size_t i = 0; i < count; i++) {
        if (i > 0) am_buffer_append_string(out, separator);
        am_buffer_append(out, tokens[i].bytes, tokens[i].length);
    }
    return NULL;
}

static am_status join_with_spaces(const am_python *p, const am_text *tokens, size_t count,
                                  const am_decode_options *options, am_buffer *out)
{
    (void)p, (void)options;
    return join_with(tokens, count, " ", out);
}

static void add_characters(am_scratch *s, am_text text)
{
    for (size_t at = 0, size; at < text.length; at += size) {
        size = am_char_length(text.bytes[at]);
        am_python_add_token(s, (am_text){text.bytes + at, size});
    }
}

/* ---- ESM: words, and every entry of the vocabulary is cut out of the text ---- */

static am_status open_esm(am_auto *a, am_python *p)
{
    const am_vocabulary *vocabulary = &a->tokenizer->model.vocabulary;
    AM_TRY(am_python_read_vocab_lines(a, "vocab.txt", true));
    for (uint32_t i = 0; i < vocabulary->count; i++) {
        am_text text = am_vocabulary_entry_text(vocabulary, &vocabulary->entries[i]);
        if (text.length) AM_TRY(am_trie_add(&p->trie, text, (int32_t)i));
    }
    return NULL;
}

static am_status tokenize_esm(const am_python *p, am_scratch *s, am_text text)
{
    (void)p;
    for (am_text word; am_py_next_word(&text, &word);) am_python_add_token(s, word);
    return NULL;
}

static const char *const esm_defaults[] = {"unk_token",  "<unk>",  "cls_token", "<cls>", "pad_token", "<pad>",
                                           "mask_token", "<mask>", "eos_token", "<eos>", NULL};

static const am_python_class esm = {.open = open_esm,
                                    .tokenize = tokenize_esm,
                                    .join = join_with_spaces,
                                    .single = "cls A eos",
                                    .pair = "cls A eos B eos"};

/* ---- MGP-STR ---- */

static am_status open_mgp_str(am_auto *a, am_python *p)
{
    (void)p;
    return open_vocab_json(a);
}

static am_status tokenize_mgp_str(const am_python *p, am_scratch *s, am_text text)
{
    (void)p;
    add_characters(s, text);
    return NULL;
}

static const char *const mgp_str_defaults[] = {"unk_token", "[GO]", "bos_token", "[GO]", "eos_token",
                                               "[s]",       "pad_token", "[GO]", NULL};

static const am_python_class mgp_str = {.open = open_mgp_str,
                                        .tokenize = tokenize_mgp_str,
                                        .join = join_with_spaces,
                                        .skips_unknown_ids = true,
                                        .single = "A",
                                        .pair = "A B"};

/* ---- VITS ---- */

typedef struct vits {
    bool add_blank, normalize, is_romanian, is_uroman;
} vits;

static am_status open_vits(am_auto *a, am_python *p)
{
    vits *own = p->own = am_arena_alloc(a->loader.arena, sizeof *own);
    if (!own) return am_out_of_memory();
    if (am_auto_bool(a, "phonemize", true))
        return am_error(AM_UNSUPPORTED, "%s: VitsTokenizer with \"phonemize\": true, which needs the phonemizer espeak",
                        a->directory);
    own->add_blank = am_auto_bool(a, "add_blank", true);
    own->normalize = am_auto_bool(a, "normalize", true);
    own->is_uroman = am_auto_bool(a, "is_uroman", false);
    own->is_romanian = am_json_equals(am_json_get(a->config, "language"), "ron");
    return open_vocab_json(a);
}

static bool starts_with(am_text text, am_text start)
{
    return start.length > 0 && start.length <= text.length && memcmp(text.bytes, start.bytes, start.length) == 0;
}

/* Length of the first token of the vocabulary, or added one, that the text starts with; 0: none does. */
static size_t known_length(const am_python *p, am_text text)
{
    const am_vocabulary *vocabulary = &p->tokenizer->model.vocabulary;
    const am_added_tokens *added = &p->tokenizer->added;
    for (uint32_t i = 0; i < vocabulary->count; i++) {
        am_text token = am_vocabulary_entry_text(vocabulary, &vocabulary->entries[i]);
        if (starts_with(text, token)) return token.length;
    }
    for (uint32_t i = 0; i < added->count; i++)
        if (starts_with(text, added->entries[i].token.content)) return added->entries[i].token.content.length;
    return 0;
}

/* Lower case for what is not in the vocabulary. */
static void append_normalized(const am_python *p, am_text text, am_buffer *out)
{
    for (size_t at = 0, size; at < text.length; at += size) {
        size = known_length(p, (am_text){text.bytes + at, text.length - at});
        if (size) {
            am_buffer_append(out, text.bytes + at, size);
            continue;
        }
        size = am_char_length(text.bytes[at]);
        am_py_lower((am_text){text.bytes + at, size}, out);
    }
}

static void append_known(const am_python *p, am_text text, am_buffer *out)
{
    for (size_t at = 0, size; at < text.length; at += size) {
        size = am_char_length(text.bytes[at]);
        am_text c = {text.bytes + at, size};
        if (am_vocabulary_id(&p->tokenizer->model.vocabulary, c) >= 0) am_buffer_append(out, c.bytes, size);
    }
}

static am_status prepare_vits(const am_python *p, am_scratch *s, am_text *text)
{
    const vits *own = p->own;
    am_buffer buffer = {0}, known = {0};
    if (own->normalize) append_normalized(p, *text, &buffer);
    else am_buffer_append(&buffer, text->bytes, text->length);
    am_status status = am_buffer_status(&buffer);
    if (!status && own->is_romanian) status = am_py_replace(&buffer, "\xc8\x9b", "\xc5\xa3");
    if (!status && own->is_uroman && !am_text_is_ascii(am_buffer_text(&buffer), buffer.length))
        status = am_error(AM_UNSUPPORTED, "VitsTokenizer with is_uroman: text that is not ASCII needs the romanizer uroman");
    if (!status && own->normalize) {
        append_known(p, am_buffer_view(&buffer), &known);
        status = am_buffer_status(&known);
    }
    *text = am_python_keep(s, own->normalize ? &known : &buffer);
    if (own->normalize) *text = am_py_strip(*text);
    am_buffer_deinit(&buffer);
    am_buffer_deinit(&known);
    return status;
}

static am_status tokenize_vits(const am_python *p, am_scratch *s, am_text text)
{
    const vits *own = p->own;
    am_text blank = am_vocabulary_text(&p->tokenizer->model.vocabulary, 0);
    if (!own->add_blank) {
        add_characters(s, text);
        return NULL;
    }
    if (!blank.bytes) return am_error(AM_INVALID_FILE, "vocab.json: no token of the id 0, which stands between characters");
    am_python_add_token(s, blank);
    for (size_t at = 0, size; at < text.length; at += size) {
        size = am_char_length(text.bytes[at]);
        am_python_add_token(s, (am_text){text.bytes + at, size});
        am_python_add_token(s, blank);
    }
    return NULL;
}

static am_status join_vits(const am_python *p, const am_text *tokens, size_t count, const am_decode_options *options,
                           am_buffer *out)
{
    const vits *own = p->own;
    (void)options;
    bool halves = own->add_blank && count > 1;
    for (size_t i = halves; i < count; i += 1 + halves) am_buffer_append(out, tokens[i].bytes, tokens[i].length);
    return NULL;
}

static const char *const vits_defaults[] = {"pad_token", "<pad>", "unk_token", "<unk>", NULL};

static const am_python_class vits_class = {.open = open_vits,
                                           .prepare = prepare_vits,
                                           .tokenize = tokenize_vits,
                                           .join = join_vits,
                                           .unknown = AM_PYTHON_UNK_TOKEN,
                                           .skips_unknown_ids = true,
                                           .single = "A",
                                           .pair = "A B"};

/* ---- Wav2Vec2Phoneme: phonemes with spaces between; decoding takes a label for every frame of sound ---- */

typedef struct phoneme {
    am_text pad, word_delimiter; /* {null, 0}: none */
} phoneme;

static am_status open_phoneme(am_auto *a, am_python *p)
{
    static const char *const delimiters[] = {"word_delimiter_token", "phone_delimiter_token"};
    phoneme *own = p->own = am_arena_alloc(a->loader.arena, sizeof *own);
    if (!own) return am_out_of_memory();
    if (am_auto_bool(a, "do_phonemize", true))
        return am_error(AM_UNSUPPORTED,
                        "%s: Wav2Vec2PhonemeCTCTokenizer with \"do_phonemize\": true, which needs the phonemizer espeak; "
                        "set it to false to encode phonemes and to decode",
                        a->directory);
    for (size_t i = 0; i < 2; i++) {
        am_auto_token *token = am_auto_named(a, delimiters[i]);
        if (!token || token->kind < AM_AUTO_STRING) continue;
        if (i == 0) own->word_delimiter = token->token.content;
        token->kind = AM_AUTO_NULL; /* it is no special token */
    }
    if (am_auto_named(a, "pad_token")->kind >= AM_AUTO_STRING) own->pad = am_auto_text(a, "pad_token");
    return open_vocab_json(a);
}

static am_status tokenize_phoneme(const am_python *p, am_scratch *s, am_text text)
{
    (void)p;
    bool more = true;
    text = am_py_strip(text);
    for (am_text part; am_py_next_part(&text, ' ', &more, &part);)
        if (am_py_strip(part).length) am_python_add_token(s, part);
    return NULL;
}

static am_status join_phoneme(const am_python *p, const am_text *tokens, size_t count, const am_decode_options *options,
                              am_buffer *out)
{
    const phoneme *own = p->own;
    bool first = true;
    for (size_t i = 0; i < count; i++) {
        bool repeated = i > 0 && !options->keep_repeated_tokens && am_text_equal(tokens[i], tokens[i - 1]);
        if (repeated || (own->pad.bytes && am_text_equal(tokens[i], own->pad))) continue;
        if (own->word_delimiter.bytes && am_text_equal(tokens[i], own->word_delimiter)) continue;
        if (!first) am_buffer_append_char(out, ' ');
        first = false;
        am_buffer_append(out, tokens[i].bytes, tokens[i].length);
    }
    am_strip_like_python(out);
    return NULL;
}

static const char *const phoneme_defaults[] = {"bos_token", "<s>",   "eos_token", "</s>", "unk_token",
                                               "<unk>",     "pad_token", "<pad>", NULL};

static const am_python_class phoneme_class = {.open = open_phoneme,
                                              .tokenize = tokenize_phoneme,
                                              .join = join_phoneme,
                                              .single = "A",
                                              .pair = "A B"};

/* ---- GPT-NeoX Japanese ---- */

typedef struct pair {
    const char *from, *to;
} pair;

typedef struct japanese {
    am_text *texts; /* what an id is decoded to */
    size_t id_count;
    pair *emoji;
    size_t emoji_count, longest; /* characters of the longest token */
} japanese;

static size_t count_characters(am_text text)
{
    size_t count = 0;
    for (size_t i = 0; i < text.length; i++) count += am_is_char_start(text.bytes[i]);
    return count;
}

/* What a token is decoded to (convert_id_to_token). */
static am_status decoded(am_auto *a, am_text word, am_json emoji_inverse, am_text *out)
{
    static const pair fixed[] = {{"<SP>", " "},
                                 {"<BR>", "\n"},
                                 {"<TAB>", "\t"},
                                 {"<BLOCK>", "\xe2\x96\x80"},
                                 {"<KIGOU>", "\xc7\x80"},
                                 {"<U2000U2BFF>", "\xe2\x80\x96"}};
    int byte = -1;
    am_text text = word;
    char character[4];
    bool closed = word.length > 2 && memcmp(word.bytes + word.length - 2, "|>", 2) == 0;
    const char *name = am_arena_string(a->loader.arena, word.bytes, word.length);
    if (!name) return am_out_of_memory();
    if (closed && sscanf(name, "<|byte%d|>", &byte) == 1 && byte >= 0 && byte < 256) {
        character[0] = (char)byte;
        text = byte < 0x80 ? (am_text){character, 1} : (am_text){"\xef\xbf\xbd", 3};
    } else if (closed && strncmp(name, "<|emoji", 7) == 0) {
        text = am_text_of(am_json_get(emoji_inverse, name));
    } else {
        for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++)
            if (am_text_is(word, fixed[i].from)) text = (am_text){fixed[i].to, strlen(fixed[i].to)};
    }
    *out = am_text_copy(a->loader.arena, text);
    return out->bytes ? NULL : am_out_of_memory();
}

/* A line of vocab.txt: words with commas between, which are one token; the comma alone is one where it is the last. */
static am_status add_line(am_auto *a, japanese *own, am_text line, bool last, am_json emoji_inverse, const char *path)
{
    am_vocabulary *vocabulary = &a->tokenizer->model.vocabulary;
    bool more = true, whole = last && am_text_is(line, ",");
    size_t words = 0;
    for (am_text word; whole ? words == 0 : am_py_next_part(&line, ',', &more, &word); words++) {
        if (whole) word = line;
        if (words == 0) AM_TRY(decoded(a, word, emoji_inverse, &own->texts[own->id_count]));
        AM_TRY(am_vocabulary_add(vocabulary, word, (int64_t)own->id_count, false, path));
        size_t length = count_characters(word);
        if (length > own->longest) own->longest = length;
    }
    own->id_count++;
    return NULL;
}

static am_status read_japanese_vocabulary(am_auto *a, japanese *own, am_json emoji_inverse)
{
    am_python_lines lines;
    am_vocabulary *vocabulary;
    size_t count = 1;
    AM_TRY(am_python_init_vocabulary(a, 1024, &vocabulary));
    AM_TRY(am_python_read_file(a, "vocab.txt", &lines));
    for (size_t i = 0; i < lines.length; i++) count += lines.text[i] == '\n';
    own->texts = am_arena_array(a->loader.arena, count, sizeof *own->texts);
    am_status status = own->texts ? NULL : am_out_of_memory();
    am_text rest = {lines.text, lines.length}, line;
    bool more = true;
    while (!status && am_py_next_part(&rest, '\n', &more, &line))
        if (more || line.length) status = add_line(a, own, line, !more, emoji_inverse, lines.path);
    am_free(lines.text);
    return status;
}

static am_status read_emoji(am_auto *a, japanese *own, am_json list)
{
    own->emoji = am_arena_array(a->loader.arena, am_json_count(list) + 1, sizeof *own->emoji);
    if (!own->emoji) return am_out_of_memory();
    for (am_json_iterator i = am_json_iterate(list); am_json_next(&i);) {
        am_text to = am_text_of(i.value);
        if (i.key.length == 0) continue;
        pair *emoji = &own->emoji[own->emoji_count++];
        emoji->from = am_arena_string(a->loader.arena, i.key.bytes, i.key.length);
        emoji->to = am_arena_string(a->loader.arena, to.bytes, to.length);
        if (!emoji->from || !emoji->to) return am_out_of_memory();
    }
    return NULL;
}

static am_status open_japanese(am_auto *a, am_python *p)
{
    japanese *own = p->own = am_arena_alloc(a->loader.arena, sizeof *own);
    const char *path = am_path_join(a->loader.arena, a->directory, "emoji.json");
    am_json_document *document;
    if (!own || !path) return am_out_of_memory();
    if (am_auto_bool(a, "do_clean_text", false))
        return am_error(AM_UNSUPPORTED, "%s: GPTNeoXJapaneseTokenizer with \"do_clean_text\": true", a->directory);
    AM_TRY(am_json_open(path, &document));
    am_json root = am_json_root(document);
    am_status status = read_emoji(a, own, am_json_get(root, "emoji"));
    if (!status) status = read_japanese_vocabulary(a, own, am_json_get(root, "emoji_inv"));
    am_json_close(document);
    return status;
}

static am_status replace_all(const pair *pairs, size_t count, am_buffer *text)
{
    for (size_t i = 0; i < count; i++) AM_TRY(am_py_replace(text, pairs[i].from, pairs[i].to));
    return NULL;
}

/* The end of `count` more characters. */
static size_t skip_characters(am_text text, size_t at, size_t count)
{
    for (; count > 0 && at < text.length; count--) at += am_char_length(text.bytes[at]);
    return at;
}

/* The end of the token at `start`: a name in angle brackets, else that of the least id among up to three characters;
   `start` when there is none. */
static size_t token_end(const am_python *p, am_text text, size_t start)
{
    const am_vocabulary *vocabulary = &p->tokenizer->model.vocabulary;
    const japanese *own = p->own;
    bool bracket = text.bytes[start] == '<';
    size_t end = skip_characters(text, start, bracket ? own->longest + 1 : 3), best = start;
    int32_t best_id = INT32_MAX;
    for (; end > start; end = am_char_before(text.bytes, (uint32_t)end)) {
        am_text word = {text.bytes + start, end - start};
        int32_t id = am_vocabulary_id(vocabulary, word);
        if (id < 0) continue;
        if (bracket && count_characters(word) > 2) return end;
        if (id < best_id) best_id = id, best = end;
    }
    return best;
}

static void add_unknown(am_scratch *s, am_text c)
{
    uint32_t code = 0;
    for (size_t i = 0; i < c.length; i++) code = code << 8 | (unsigned char)c.bytes[i];
    bool symbol = c.length == 2 && ((code >= 0xC2A1 && code <= 0xC2BF) || (code >= 0xC780 && code <= 0xC783) ||
                                    (code >= 0xCAB9 && code <= 0xCBBF) || (code >= 0xCC80 && code <= 0xCDA2));
    if (symbol) am_python_add_token(s, (am_text){"<KIGOU>", 7});
    else if (c.length == 3 && code >= 0xE28080 && code <= 0xE2B07F) am_python_add_token(s, (am_text){"<U2000U2BFF>", 12});
    else {
        for (size_t i = 0; i < c.length; i++) {
            char *name = am_scratch_alloc(s, 16, 1);
            int length = name ? snprintf(name, 16, "<|byte%d|>", (unsigned char)c.bytes[i]) : 0;
            if (name) am_python_add_token(s, (am_text){name, (size_t)length});
        }
    }
}

static am_status tokenize_japanese(const am_python *p, am_scratch *s, am_text text)
{
    static const pair fixed[] = {{" ", "<SP>"},    {"\xe3\x80\x80", "<SP>"},         {"\r\n", "<BR>"},
                                 {"\n", "<BR>"},   {"\r", "<BR>"},                   {"\t", "<TAB>"},
                                 {"\xe2\x80\x94", "\xe3\x83\xbc"}, {"\xe2\x88\x92", "\xe3\x83\xbc"}};
    const japanese *own = p->own;
    am_buffer buffer = {0};
    am_buffer_append(&buffer, text.bytes, text.length);
    am_status status = am_buffer_status(&buffer);
    if (!status) status = replace_all(fixed, sizeof fixed / sizeof fixed[0], &buffer);
    if (!status) status = replace_all(own->emoji, own->emoji_count, &buffer);
    text = am_python_keep(s, &buffer);
    for (size_t at = 0, end; !status && !s->failed && at < text.length; at = end) {
        end = token_end(p, text, at);
        if (end > at) {
            am_python_add_token(s, (am_text){text.bytes + at, end - at});
            continue;
        }
        end = at + am_char_length(text.bytes[at]);
        add_unknown(s, (am_text){text.bytes + at, end - at});
    }
    return status;
}

static am_text japanese_text(const am_python *p, int32_t id)
{
    const japanese *own = p->own;
    return id >= 0 && (size_t)id < own->id_count ? own->texts[id] : (am_text){0};
}

static am_status join_japanese(const am_python *p, const am_text *tokens, size_t count, const am_decode_options *options,
                               am_buffer *out)
{
    (void)p, (void)options;
    AM_TRY(join_with(tokens, count, "", out));
    am_strip_like_python(out);
    return NULL;
}

static const char *const japanese_defaults[] = {"unk_token", "<|endoftext|>", "pad_token", "<|endoftext|>", "bos_token",
                                                "<|startoftext|>", "eos_token", "<|endoftext|>", NULL};

static const am_python_class japanese_class = {.open = open_japanese,
                                               .tokenize = tokenize_japanese,
                                               .id_text = japanese_text,
                                               .join = join_japanese,
                                               .skips_unknown_ids = true,
                                               .single = "A",
                                               .pair = "A B"};

const am_auto_class am_python_character_classes[] = {
    {.name = "EsmTokenizer", .defaults = esm_defaults, .python = &esm},
    {.name = "MgpstrTokenizer", .defaults = mgp_str_defaults, .has_type_ids = true, .python = &mgp_str},
    {.name = "VitsTokenizer", .defaults = vits_defaults, .python = &vits_class},
    {.name = "Wav2Vec2PhonemeCTCTokenizer", .defaults = phoneme_defaults, .python = &phoneme_class},
    {.name = "GPTNeoXJapaneseTokenizer", .defaults = japanese_defaults, .python = &japanese_class},
    {0}};
