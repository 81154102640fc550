/* Tokenizers whose tokens are bytes or code points: ByT5, MyT5, Perceiver, Dia, CANINE. */
#include "text/tokenizer/python_tokenizer.h"

#include "base/hex.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/utf8.h"

#include <stdio.h>

/* ---- bytes as the characters U+0000 to U+00FF ---- */

static am_status open_bytes(am_auto *a, int64_t offset)
{
    am_vocabulary *vocabulary;
    char bytes[4];
    AM_TRY(am_python_init_vocabulary(a, 256, &vocabulary));
    for (uint32_t byte = 0; byte < 256; byte++)
        AM_TRY(
            am_vocabulary_add(vocabulary, (am_text){bytes, am_utf8_put(byte, bytes)}, byte + offset, false, "bytes"));
    return NULL;
}

static am_status tokenize_bytes(const am_python *p, am_scratch *s, am_text text)
{
    (void)p;
    char *tokens = am_scratch_alloc(s, text.length, 2);
    for (size_t i = 0; tokens && i < text.length; i++) {
        size_t length = am_utf8_put((unsigned char)text.bytes[i], tokens + 2 * i);
        am_python_add_token(s, (am_text){tokens + 2 * i, length});
    }
    return NULL;
}

/* Puts the bytes of the tokens together and reads them as UTF-8. */
static am_status join_bytes(const am_python *p, const am_text *tokens, size_t count, bool replace, am_buffer *out)
{
    am_buffer bytes = {0};
    uint32_t size;
    for (size_t i = 0; i < count; i++) {
        bool added = am_added_tokens_find(&p->tokenizer->added, tokens[i]) != NULL;
        if (added) am_buffer_append(&bytes, tokens[i].bytes, tokens[i].length);
        else am_buffer_append_char(&bytes, (char)am_char_at(tokens[i].bytes, &size));
    }
    am_status status = am_buffer_status(&bytes);
    if (!status) am_py_decode_utf8(am_buffer_text(&bytes), bytes.length, replace, out);
    am_buffer_deinit(&bytes);
    return status;
}

/* ---- extra tokens of T5 ---- */

enum { USUAL_EXTRA_IDS = 125, MOST_EXTRA_IDS = 1 << 16 };

static bool mentions_extra_id(am_text text)
{
    for (size_t i = 0; i + 8 <= text.length; i++)
        if (memcmp(text.bytes + i, "extra_id", 8) == 0) return true;
    return false;
}

static am_status add_extra_ids(am_auto *a)
{
    int64_t wanted = am_json_int(am_json_get(a->config, "extra_ids"), USUAL_EXTRA_IDS), given = 0;
    if (wanted < 0 || wanted > MOST_EXTRA_IDS)
        return am_error(AM_INVALID_FILE, "%s: extra_ids: expected 0 to %d, found %lld", a->directory, MOST_EXTRA_IDS,
                        (long long)wanted);
    for (size_t i = 0; i < a->extra.count; i++) given += mentions_extra_id(a->extra.items[i].token.content);
    bool listed = am_json_kind_of(am_json_get(a->config, "additional_special_tokens")) == AM_JSON_ARRAY;
    if (listed && a->extra.count > 0 && wanted > 0 && given != wanted)
        return am_error(AM_INVALID_FILE,
                        "%s: additional_special_tokens: expected %lld tokens with extra_id, found %lld", a->directory,
                        (long long)wanted, (long long)given);
    for (int64_t i = 0; !a->extra.set && i < wanted; i++) {
        char text[32];
        int length = snprintf(text, sizeof text, "<extra_id_%d>", (int)i);
        AM_TRY(am_auto_append(a, &a->extra, (am_text){text, (size_t)length}));
        a->extra.set = false;
    }
    return NULL;
}

static const char *const t5_defaults[] = {"eos_token", "</s>", "unk_token", "<unk>", "pad_token", "<pad>", NULL};

static const am_python_fixed_token t5_fixed[] = {{.name = "pad_token", .id = 0, .strips = true},
                                                 {.name = "eos_token", .id = 1, .strips = true},
                                                 {.name = "unk_token", .id = 2, .strips = true},
                                                 {0}};

/* ---- ByT5 ---- */

static am_status open_byt5(am_auto *a, am_python *p)
{
    (void)p;
    AM_TRY(add_extra_ids(a));
    return open_bytes(a, 3);
}

static am_status join_byt5(const am_python *p, const am_text *tokens, size_t count, const am_decode_options *options,
                           am_buffer *out)
{
    (void)options;
    return join_bytes(p, tokens, count, false, out);
}

static const am_python_class byt5 = {.open = open_byt5,
                                     .tokenize = tokenize_bytes,
                                     .join = join_byt5,
                                     .unknown = AM_PYTHON_NO_UNK,
                                     .skips_unknown_ids = true,
                                     .single = "A eos?",
                                     .pair = "A eos? B eos?",
                                     .one_type = true,
                                     .fixed_tokens = t5_fixed};

/* ---- Perceiver ---- */

static am_status open_perceiver(am_auto *a, am_python *p)
{
    (void)p;
    a->max_length = 2048;
    return open_bytes(a, 6);
}

static am_status join_perceiver(const am_python *p, const am_text *tokens, size_t count,
                                const am_decode_options *options, am_buffer *out)
{
    (void)options;
    return join_bytes(p, tokens, count, true, out);
}

static const char *const perceiver_defaults[] = {"pad_token", "[PAD]",      "bos_token", "[BOS]",     "eos_token",
                                                 "[EOS]",     "mask_token", "[MASK]",    "cls_token", "[CLS]",
                                                 "sep_token", "[SEP]",      NULL};

static const am_python_fixed_token perceiver_fixed[] = {{.name = "pad_token", .id = 0},
                                                        {.name = "bos_token", .id = 1},
                                                        {.name = "eos_token", .id = 2},
                                                        {.name = "mask_token", .id = 3},
                                                        {.name = "cls_token", .id = 4},
                                                        {.name = "sep_token", .id = 5},
                                                        {0}};

static const am_python_class perceiver = {.open = open_perceiver,
                                          .tokenize = tokenize_bytes,
                                          .join = join_perceiver,
                                          .unknown = AM_PYTHON_NO_UNK,
                                          .skips_unknown_ids = true,
                                          .single = "cls A sep",
                                          .pair = "cls A sep B sep",
                                          .fixed_tokens = perceiver_fixed,
                                          .joins_piecewise = true};

/* ---- Dia ---- */

static am_status open_dia(am_auto *a, am_python *p)
{
    (void)p;
    int64_t offset = am_json_int(am_json_get(a->config, "offset"), 0);
    return open_bytes(a, offset);
}

/* Characters of bytes are written as such, not as bytes. */
static am_status join_dia(const am_python *p, const am_text *tokens, size_t count, const am_decode_options *options,
                          am_buffer *out)
{
    (void)p, (void)options;
    for (size_t i = 0; i < count; i++) am_buffer_append(out, tokens[i].bytes, tokens[i].length);
    return NULL;
}

static const char *const dia_defaults[] = {"pad_token", "<pad>", "unk_token", "<pad>", NULL};

static const am_python_fixed_token dia_fixed[] = {
    {.name = "pad_token", .id = 0}, {.text = "[S1]", .id = 1}, {.text = "[S2]", .id = 2}, {0}};

static const am_python_class dia = {.open = open_dia,
                                    .tokenize = tokenize_bytes,
                                    .join = join_dia,
                                    .unknown = AM_PYTHON_NO_UNK,
                                    .skips_unknown_ids = true,
                                    .single = "A",
                                    .pair = "A B",
                                    .one_type = true,
                                    .fixed_tokens = dia_fixed,
                                    .joins_piecewise = true};

/* ---- CANINE: code points are their own ids ---- */

enum { CODE_POINTS = 0x110000 };

typedef struct point_text {
    char bytes[4], length; /* length 0: no text (surrogates) */
} point_text;

static am_status open_canine(am_auto *a, am_python *p)
{
    am_vocabulary *vocabulary;
    point_text *texts = am_alloc(CODE_POINTS * sizeof *texts);
    if (!texts) return am_out_of_memory();
    p->own = texts;
    for (uint32_t c = 0; c < CODE_POINTS; c++) texts[c].length = (char)am_utf8_put(c, texts[c].bytes);
    a->max_length = 2048;
    am_auto_token *pad = am_auto_named(a, "pad_token");
    if (pad->kind == AM_AUTO_ABSENT) pad->kind = AM_AUTO_STRING, pad->token.content = (am_text){"", 1}; /* U+0000 */
    return am_python_init_vocabulary(a, 1, &vocabulary);
}

static void close_canine(am_python *p)
{
    am_free(p->own);
}

static am_status tokenize_characters(const am_python *p, am_scratch *s, am_text text)
{
    (void)p;
    for (size_t at = 0, length; at < text.length; at += length) {
        length = am_char_length(text.bytes[at]);
        am_python_add_token(s, (am_text){text.bytes + at, length});
    }
    return NULL;
}

static int32_t canine_id(const am_python *p, am_text token)
{
    (void)p;
    uint32_t length = 0, c = token.length ? am_char_at(token.bytes, &length) : 0;
    return length && length == token.length ? (int32_t)c : -1;
}

static am_text canine_text(const am_python *p, int32_t id)
{
    static const struct {
        int32_t id;
        const char *name;
    } named[] = {{0, "[PAD]"},      {0xE000, "[CLS]"},  {0xE001, "[SEP]"},
                 {0xE002, "[BOS]"}, {0xE003, "[MASK]"}, {0xE004, "[RESERVED]"}};
    for (size_t i = 0; i < sizeof named / sizeof named[0]; i++)
        if (named[i].id == id) return (am_text){named[i].name, strlen(named[i].name)};
    if (id < 0 || id >= CODE_POINTS) return (am_text){0};
    const point_text *text = (const point_text *)p->own + id;
    return text->length ? (am_text){text->bytes, (size_t)text->length} : (am_text){0};
}

static const char *const canine_defaults[] = {"bos_token",  "\xee\x80\x80", "eos_token", "\xee\x80\x81",
                                              "sep_token",  "\xee\x80\x81", "cls_token", "\xee\x80\x80",
                                              "mask_token", "\xee\x80\x83", NULL};

/* ---- MyT5: bytes in hexadecimal, of which sequences are rewritten ---- */

/* Sequences of bytes as a trie; what a sequence becomes is a text of bytes in hexadecimal, two digits each. */
typedef struct rewriter {
    am_trie trie;    /* of the texts of bytes */
    am_text *leaves; /* by token of the trie */
    size_t count;
} rewriter;

typedef struct myt5 {
    rewriter decompose, merge, decompose_back, merge_back;
} myt5;

/* Words are what a space separates; a word that is no byte stands in texts as it is. */
static am_status add_rule(rewriter *r, am_text from, am_text to)
{
    am_buffer key = {0};
    am_buffer_append(&key, from.bytes, from.length);
    am_buffer_append_char(&key, ' ');
    am_status status = am_buffer_status(&key);
    if (!status) status = am_trie_add(&r->trie, am_buffer_view(&key), (int32_t)r->count);
    am_buffer_deinit(&key);
    r->leaves[r->count++] = to;
    return status;
}

static am_status add_bytes(am_arena *arena, rewriter *r)
{
    for (unsigned byte = 0; byte < 256; byte++) {
        const char *text = am_arena_printf(arena, "%02x", byte);
        if (!text) return am_out_of_memory();
        AM_TRY(add_rule(r, (am_text){text, 2}, (am_text){text, 2}));
    }
    return NULL;
}

static am_status make_rewriters(am_arena *arena, am_json rules, const char *path, const char *key, rewriter *r,
                                rewriter *back)
{
    size_t count = 256 + am_json_count(rules);
    if (am_json_kind_of(rules) != AM_JSON_OBJECT)
        return am_error(AM_INVALID_FILE, "%s: %s: expected an object, found %s", path, key,
                        am_json_kind_name(am_json_kind_of(rules)));
    *r = (rewriter){.trie.empty_token = -1, .leaves = am_arena_array(arena, count, sizeof *r->leaves)};
    *back = (rewriter){.trie.empty_token = -1, .leaves = am_arena_array(arena, count, sizeof *back->leaves)};
    if (!r->leaves || !back->leaves) return am_out_of_memory();
    AM_TRY(add_bytes(arena, r));
    AM_TRY(add_bytes(arena, back));
    for (am_json_iterator i = am_json_iterate(rules); am_json_next(&i);) {
        if (am_json_kind_of(i.value) != AM_JSON_STRING)
            return am_error(AM_INVALID_FILE, "%s: %s: expected texts, found %s", path, key,
                            am_json_kind_name(am_json_kind_of(i.value)));
        am_text from = am_text_copy(arena, (am_text){i.key.bytes, i.key.length});
        am_text to = am_text_copy(arena, am_text_of(i.value));
        if (!from.bytes || !to.bytes) return am_out_of_memory();
        AM_TRY(add_rule(r, from, to));
        AM_TRY(add_rule(back, to, from));
    }
    return NULL;
}

static am_status open_myt5(am_auto *a, am_python *p)
{
    am_vocabulary *vocabulary;
    am_json_document *document;
    const char *path = am_path_join(a->loader.arena, a->directory, "byte_maps.json");
    myt5 *own = p->own = am_alloc_zeroed(1, sizeof *own);
    if (!path || !own) return am_out_of_memory();
    AM_TRY(add_extra_ids(a));
    AM_TRY(am_python_init_vocabulary(a, 256, &vocabulary));
    for (unsigned byte = 0; byte < 256; byte++) {
        char text[3];
        snprintf(text, sizeof text, "%02x", byte);
        AM_TRY(am_vocabulary_add(vocabulary, (am_text){text, 2}, byte + 3, false, "bytes"));
    }
    AM_TRY(am_json_open(path, &document));
    am_json root = am_json_root(document);
    am_status status = make_rewriters(a->loader.arena, am_json_get(root, "decompose_map"), path, "decompose_map",
                                      &own->decompose, &own->decompose_back);
    if (!status)
        status = make_rewriters(a->loader.arena, am_json_get(root, "merge_map"), path, "merge_map", &own->merge,
                                &own->merge_back);
    am_json_close(document);
    return status;
}

static void close_myt5(am_python *p)
{
    myt5 *own = p->own;
    if (!own) return;
    am_free(own->decompose.trie.nodes);
    am_free(own->decompose_back.trie.nodes);
    am_free(own->merge.trie.nodes);
    am_free(own->merge_back.trie.nodes);
    am_free(own);
}

/* The node behind a word and the space that ends it; 0: none. */
static uint32_t follow(const rewriter *r, uint32_t node, bool root, am_text word)
{
    if (word.length == 0) return root ? r->trie.roots[' '] : am_trie_child(&r->trie, node, ' ');
    for (size_t i = 0; i < word.length && (root || node); i++, root = false)
        node = root ? r->trie.roots[(unsigned char)word.bytes[i]] : am_trie_child(&r->trie, node, word.bytes[i]);
    return node ? am_trie_child(&r->trie, node, ' ') : 0;
}

/* ByteRewriter.rewrite_bytes: `count` words become others, in memory freed by the caller. Where a longer sequence was
   begun in vain, the words go on behind the last one that a rule ended with. */
static am_status rewrite(const rewriter *r, const am_text *words, size_t count, am_text **out, size_t *out_count)
{
    size_t capacity = count + 16, end;
    *out_count = 0;
    *out = am_alloc(capacity * sizeof **out);
    if (!*out) return am_out_of_memory();
    for (size_t start = 0; start < count; start = end) {
        am_text leaf = words[start], part;
        bool more = true;
        uint32_t node = 0;
        end = start + 1;
        for (size_t i = start; i < count && (node = follow(r, node, i == start, words[i])) != 0; i++)
            if (r->trie.nodes[node].token >= 0) leaf = r->leaves[r->trie.nodes[node].token], end = i + 1;
        while (am_py_next_part(&leaf, ' ', &more, &part)) {
            if (*out_count == capacity) {
                am_text *larger = am_realloc(*out, capacity * 2 * sizeof **out);
                if (!larger) return am_out_of_memory();
                *out = larger;
                capacity *= 2;
            }
            (*out)[(*out_count)++] = part;
        }
    }
    return NULL;
}

/* One rewriter, then the other. */
static am_status rewrite_twice(const rewriter *first, const rewriter *second, const am_text *words, size_t count,
                               am_text **out, size_t *out_count)
{
    am_text *between = NULL;
    size_t between_count;
    *out = NULL;
    am_status status = rewrite(first, words, count, &between, &between_count);
    if (!status) status = rewrite(second, between, between_count, out, out_count);
    am_free(between);
    return status;
}

static am_status tokenize_myt5(const am_python *p, am_scratch *s, am_text text)
{
    static const char digits[] = "0123456789abcdef";
    const myt5 *own = p->own;
    char *hex = am_scratch_alloc(s, text.length, 2);
    am_text *words = am_scratch_alloc(s, text.length, sizeof *words), *out;
    size_t count;
    if (!hex || !words) return NULL;
    for (size_t i = 0; i < text.length; i++) {
        unsigned char byte = (unsigned char)text.bytes[i];
        hex[2 * i] = digits[byte >> 4];
        hex[2 * i + 1] = digits[byte & 15];
        words[i] = (am_text){hex + 2 * i, 2};
    }
    am_status status = rewrite_twice(&own->decompose, &own->merge, words, text.length, &out, &count);
    for (size_t i = 0; !status && i < count; i++) am_python_add_token(s, out[i]);
    am_free(out);
    return status;
}

/* bytes.fromhex */
static am_status append_hex(am_text token, am_buffer *out)
{
    for (size_t i = 0; i < token.length; i += 2) {
        int high = am_hex_value(token.bytes[i]), low = i + 1 < token.length ? am_hex_value(token.bytes[i + 1]) : -1;
        if (high < 0 || low < 0)
            return am_error(AM_OUT_OF_RANGE, "the token \"%.*s\" is no bytes in hexadecimal", (int)token.length,
                            token.bytes);
        am_buffer_append_char(out, (char)(high << 4 | low));
    }
    return NULL;
}

static am_status join_myt5(const am_python *p, const am_text *tokens, size_t count, const am_decode_options *options,
                           am_buffer *out)
{
    const myt5 *own = p->own;
    am_text *words;
    size_t word_count;
    am_buffer bytes = {0};
    (void)options;
    am_status status = rewrite_twice(&own->merge_back, &own->decompose_back, tokens, count, &words, &word_count);
    for (size_t i = 0; !status && i < word_count; i++) {
        if (am_added_tokens_find(&p->tokenizer->added, words[i]))
            am_buffer_append(&bytes, words[i].bytes, words[i].length);
        else status = append_hex(words[i], &bytes);
    }
    if (!status) status = am_buffer_status(&bytes);
    if (!status) am_py_decode_utf8(am_buffer_text(&bytes), bytes.length, false, out);
    am_free(words);
    am_buffer_deinit(&bytes);
    return status;
}

static const am_python_class myt5_class = {.open = open_myt5,
                                           .close = close_myt5,
                                           .tokenize = tokenize_myt5,
                                           .join = join_myt5,
                                           .unknown = AM_PYTHON_NO_UNK,
                                           .skips_unknown_ids = true,
                                           .single = "A eos?",
                                           .pair = "A eos? B eos?",
                                           .one_type = true,
                                           .fixed_tokens = t5_fixed};

static const am_python_class canine = {.open = open_canine,
                                       .close = close_canine,
                                       .tokenize = tokenize_characters,
                                       .token_id = canine_id,
                                       .id_text = canine_text,
                                       .id_limit = CODE_POINTS,
                                       .join = join_dia,
                                       .unknown = AM_PYTHON_NO_UNK,
                                       .skips_unknown_ids = true,
                                       .single = "cls A sep",
                                       .pair = "cls A sep B sep",
                                       .one_type = true,
                                       .joins_piecewise = true};

const am_auto_class am_python_byte_classes[] = {
    {.name = "ByT5Tokenizer", .defaults = t5_defaults, .python = &byt5},
    {.name = "MyT5Tokenizer", .defaults = t5_defaults, .python = &myt5_class},
    {.name = "PerceiverTokenizer", .defaults = perceiver_defaults, .python = &perceiver},
    {.name = "DiaTokenizer", .defaults = dia_defaults, .python = &dia},
    {.name = "CanineTokenizer", .defaults = canine_defaults, .has_type_ids = true, .python = &canine},
    {0}};
