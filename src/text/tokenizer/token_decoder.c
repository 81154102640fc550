/* Decoders of tokenizer.json: each turns a list of tokens into another; in the end they are put together. */
#include "text/tokenizer/internal.h"

#include "base/hex.h"
#include "base/utf8.h"

typedef enum kind {
    BPE,
    BYTE_LEVEL,
    WORDPIECE,
    METASPACE,
    CTC,
    SEQUENCE,
    REPLACE,
    FUSE,
    STRIP,
    BYTE_FALLBACK,
} kind;

static const char *const kind_names[] = {"BPEDecoder", "ByteLevel", "WordPiece", "Metaspace",    "CTC", "Sequence",
                                         "Replace",    "Fuse",      "Strip",     "ByteFallback", NULL};

struct am_token_decoder {
    kind kind;
    union {
        am_text suffix;
        struct {
            am_text prefix;
            bool cleanup;
        } wordpiece;
        struct {
            am_text pad_token, word_delimiter_token;
            bool cleanup;
        } ctc;
        struct {
            am_token_decoder **items;
            size_t count;
        } sequence;
        struct {
            am_regex *pattern;
            am_text content;
        } replace;
        struct {
            uint32_t content;
            uint64_t start, stop;
        } strip;
        am_metaspace metaspace;
    };
};

static const am_text replacement_character = {"\xef\xbf\xbd", 3};

/* ---- reading ---- */

static am_status read_sequence(const am_loader *loader, am_json json, am_token_decoder *out)
{
    am_json items = am_json_get(json, "decoders");
    if (am_json_kind_of(items) != AM_JSON_ARRAY)
        return am_loader_expected(loader, "decoder.decoders", "an array", items);
    out->sequence.items = am_arena_array(loader->arena, am_json_count(items) + 1, sizeof *out->sequence.items);
    if (!out->sequence.items) return am_out_of_memory();
    for (am_json_iterator i = am_json_iterate(items); am_json_next(&i);) {
        am_token_decoder *item;
        AM_TRY(am_token_decoder_parse(loader, i.value, &item));
        if (item) out->sequence.items[out->sequence.count++] = item;
    }
    return NULL;
}

static am_status read_fields(const am_loader *loader, am_json json, am_token_decoder *out)
{
    switch (out->kind) {
    case BPE:
        return am_loader_text(loader, json, "decoder", "suffix", &out->suffix);
    case WORDPIECE:
        AM_TRY(am_loader_text(loader, json, "decoder", "prefix", &out->wordpiece.prefix));
        return am_loader_bool(loader, json, "decoder", "cleanup", &out->wordpiece.cleanup);
    case METASPACE:
        return am_metaspace_parse(loader, json, &out->metaspace);
    case CTC:
        AM_TRY(am_loader_text(loader, json, "decoder", "pad_token", &out->ctc.pad_token));
        AM_TRY(am_loader_text(loader, json, "decoder", "word_delimiter_token", &out->ctc.word_delimiter_token));
        return am_loader_bool(loader, json, "decoder", "cleanup", &out->ctc.cleanup);
    case SEQUENCE:
        return read_sequence(loader, json, out);
    case REPLACE:
        AM_TRY(am_loader_text(loader, json, "decoder", "content", &out->replace.content));
        return am_loader_pattern(loader, json, "decoder", &out->replace.pattern);
    case STRIP:
        AM_TRY(am_loader_char(loader, json, "decoder", "content", &out->strip.content));
        AM_TRY(am_loader_count(loader, json, "decoder", "start", &out->strip.start));
        return am_loader_count(loader, json, "decoder", "stop", &out->strip.stop);
    default:
        return NULL;
    }
}

am_status am_token_decoder_parse(const am_loader *loader, am_json json, am_token_decoder **out)
{
    int index;
    *out = NULL;
    if (am_json_kind_of(json) == AM_JSON_NULL || am_json_kind_of(json) == AM_JSON_MISSING) return NULL;
    if (am_json_kind_of(json) != AM_JSON_OBJECT) return am_loader_expected(loader, "decoder", "an object", json);
    AM_TRY(am_loader_choice(loader, json, "decoder", "type", kind_names, &index));
    am_token_decoder *decoder = am_arena_alloc(loader->arena, sizeof *decoder);
    if (!decoder) return am_out_of_memory();
    decoder->kind = (kind)index;
    AM_TRY(read_fields(loader, json, decoder));
    *out = decoder;
    return NULL;
}

/* ---- texts ---- */

am_status am_replace_all(am_buffer *text, am_text from, am_text to)
{
    am_buffer out = {0};
    size_t last = 0;
    for (size_t at = 0; at + from.length <= text->length;) {
        const char *found = memchr(text->bytes + at, from.bytes[0], text->length - at - from.length + 1);
        if (!found) break;
        at = (size_t)(found - text->bytes);
        if (memcmp(found, from.bytes, from.length) != 0) {
            at++;
            continue;
        }
        am_buffer_append(&out, text->bytes + last, at - last);
        am_buffer_append(&out, to.bytes, to.length);
        last = at += from.length;
    }
    if (last == 0) return NULL;
    am_buffer_append(&out, text->bytes + last, text->length - last);
    am_status status = am_buffer_status(&out);
    if (status) {
        am_buffer_deinit(&out);
        return status;
    }
    am_buffer_deinit(text);
    *text = out;
    return NULL;
}

am_status am_clean_up(am_buffer *text, bool do_not)
{
    static const char *const pairs[][2] = {{" .", "."},   {" ?", "?"},     {" !", "!"},    {" ,", ","},
                                           {" ' ", "'"},  {" n't", "n't"}, {" 'm", "'m"},  {" do not", " don't"},
                                           {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"}};
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        if (!do_not && pairs[i][0][1] == 'd') continue;
        AM_TRY(am_replace_all(text, (am_text){pairs[i][0], strlen(pairs[i][0])},
                              (am_text){pairs[i][1], strlen(pairs[i][1])}));
    }
    return NULL;
}

/* A copy of the buffer in scratch memory; the buffer is emptied. */
static am_text keep(am_scratch *s, am_buffer *buffer)
{
    char *bytes = am_scratch_alloc(s, buffer->length, 1);
    am_text text = {bytes, buffer->length};
    if (buffer->failed) s->failed = true;
    if (!bytes || s->failed) return (am_text){0};
    if (text.length) memcpy(bytes, buffer->bytes, text.length);
    am_buffer_clear(buffer);
    return text;
}

/* ---- decoders ---- */

/* A list of tokens; a decoder may give fewer than it got, never more. */
typedef struct list {
    am_text *items;
    size_t count;
} list;

/* Bytes as the lossy text they are. */
static void append_lossy(am_buffer *out, const char *bytes, size_t length)
{
    uint32_t c;
    for (size_t at = 0, step; at < length; at += step) {
        step = am_utf8_next(bytes + at, length - at, &c);
        if (c == AM_UTF8_INVALID) am_buffer_append(out, replacement_character.bytes, replacement_character.length);
        else am_buffer_append(out, bytes + at, step);
    }
}

/* The bytes that the characters of a byte-level token stand for, or the token itself when one stands for
 * none. */
static void append_token_bytes(am_buffer *out, am_text token)
{
    size_t start = out->length;
    uint32_t length;
    for (size_t at = 0; at < token.length; at += length) {
        int byte = am_byte_level_byte(am_char_at(token.bytes + at, &length));
        if (byte < 0) {
            out->length = start;
            am_buffer_append(out, token.bytes, token.length);
            return;
        }
        am_buffer_append_char(out, (char)byte);
    }
}

static void decode_byte_level(am_scratch *s, list *tokens)
{
    am_buffer bytes = {0}, text = {0};
    for (size_t i = 0; i < tokens->count; i++) append_token_bytes(&bytes, tokens->items[i]);
    append_lossy(&text, bytes.bytes, bytes.length);
    if (bytes.failed) s->failed = true;
    tokens->items[0] = keep(s, &text);
    tokens->count = 1;
    am_buffer_deinit(&bytes);
    am_buffer_deinit(&text);
}

static void decode_fuse(am_scratch *s, list *tokens)
{
    am_buffer text = {0};
    for (size_t i = 0; i < tokens->count; i++) am_buffer_append(&text, tokens->items[i].bytes, tokens->items[i].length);
    tokens->items[0] = keep(s, &text);
    tokens->count = 1;
    am_buffer_deinit(&text);
}

/* The byte of "<0x41>", or -1. Rust's from_str_radix also takes "+5". */
static int byte_of_token(am_text token)
{
    if (token.length != 6 || memcmp(token.bytes, "<0x", 3) != 0 || token.bytes[5] != '>') return -1;
    int high = token.bytes[3] == '+' ? 0 : am_hex_value(token.bytes[3]), low = am_hex_value(token.bytes[4]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

/* A run of bytes becomes its text, or when it is none, U+FFFD for each byte. */
static void flush_bytes(am_scratch *s, am_buffer *bytes, list *out)
{
    size_t count = bytes->length;
    if (count == 0) return;
    if (am_utf8_valid(bytes->bytes, count, NULL)) {
        out->items[out->count++] = keep(s, bytes);
        return;
    }
    for (size_t i = 0; i < count; i++) out->items[out->count++] = replacement_character;
    am_buffer_clear(bytes);
}

static void decode_byte_fallback(am_scratch *s, list *tokens)
{
    am_buffer bytes = {0};
    list out = {tokens->items, 0};
    for (size_t i = 0; i < tokens->count; i++) {
        am_text token = tokens->items[i];
        int byte = byte_of_token(token);
        if (byte >= 0) {
            am_buffer_append_char(&bytes, (char)byte);
            continue;
        }
        flush_bytes(s, &bytes, &out);
        out.items[out.count++] = token;
    }
    flush_bytes(s, &bytes, &out);
    if (bytes.failed) s->failed = true;
    am_buffer_deinit(&bytes);
    *tokens = out;
}

/* Cuts up to `start` and `stop` characters `content` from the ends. Like the library, fails on tokens too
 * short for both. */
static am_status strip(am_text *token, uint32_t content, uint64_t start, uint64_t stop)
{
    uint32_t length;
    size_t first = 0, last = token->length;
    for (; start > 0 && first < token->length && am_char_at(token->bytes + first, &length) == content; start--)
        first += length;
    for (; stop > 0 && last > 0; stop--) {
        uint32_t before = am_char_before(token->bytes, (uint32_t)last);
        if (am_char_at(token->bytes + before, &length) != content) break;
        last = before;
    }
    if ((last == 0 && stop > 0) || last < first)
        return am_error(AM_OUT_OF_RANGE, "decoder Strip: a token is shorter than what it takes away");
    *token = (am_text){token->bytes + first, last - first};
    return NULL;
}

static am_text decode_metaspace(am_scratch *s, am_text token, const am_metaspace *metaspace, bool first)
{
    char *text = am_scratch_alloc(s, token.length, 1);
    size_t out = 0;
    uint32_t length;
    if (!text) return token;
    for (size_t at = 0; at < token.length; at += length) {
        bool is_space = am_char_at(token.bytes + at, &length) == metaspace->replacement;
        if (is_space && first && metaspace->scheme != AM_PREPEND_NEVER) continue;
        if (is_space) text[out++] = ' ';
        else memcpy(text + out, token.bytes + at, length), out += length;
    }
    return (am_text){text, out};
}

static am_status decode_wordpiece(const am_token_decoder *d, am_scratch *s, list *tokens)
{
    am_buffer text = {0};
    am_text prefix = d->wordpiece.prefix;
    am_status status = NULL;
    for (size_t i = 0; i < tokens->count && !status; i++) {
        am_text token = tokens->items[i];
        bool continues =
            token.length >= prefix.length && (!prefix.length || memcmp(token.bytes, prefix.bytes, prefix.length) == 0);
        if (i > 0 && continues) token.bytes += prefix.length, token.length -= prefix.length;
        else if (i > 0) am_buffer_append_char(&text, ' ');
        am_buffer_append(&text, token.bytes, token.length);
        if (d->wordpiece.cleanup) status = am_clean_up(&text, true);
        tokens->items[i] = keep(s, &text);
    }
    am_buffer_deinit(&text);
    return status;
}

static am_status decode_bpe(const am_token_decoder *d, am_scratch *s, list *tokens)
{
    am_buffer text = {0};
    am_status status = NULL;
    for (size_t i = 0; i < tokens->count && !status && d->suffix.length; i++) {
        am_text space = {" ", i + 1 < tokens->count};
        am_buffer_append(&text, tokens->items[i].bytes, tokens->items[i].length);
        status = am_replace_all(&text, d->suffix, space);
        tokens->items[i] = keep(s, &text);
    }
    am_buffer_deinit(&text);
    return status;
}

static am_status decode_ctc(const am_token_decoder *d, am_scratch *s, list *tokens)
{
    am_buffer text = {0};
    am_status status = NULL;
    list out = {tokens->items, 0};
    am_text last = {0};
    for (size_t i = 0; i < tokens->count && !status; i++) {
        am_text token = tokens->items[i];
        bool repeated = i > 0 && am_text_equal(token, last);
        last = token;
        if (repeated) continue;
        am_buffer_append(&text, token.bytes, token.length);
        if (d->ctc.pad_token.length) status = am_replace_all(&text, d->ctc.pad_token, (am_text){"", 0});
        if (!status && d->ctc.cleanup) status = am_clean_up(&text, true);
        if (!status && d->ctc.cleanup && d->ctc.word_delimiter_token.length)
            status = am_replace_all(&text, d->ctc.word_delimiter_token, (am_text){" ", 1});
        if (text.length) out.items[out.count++] = keep(s, &text);
    }
    am_buffer_deinit(&text);
    *tokens = out;
    return status;
}

static am_status decode_replace(const am_token_decoder *d, am_scratch *s, list *tokens)
{
    am_buffer text = {0};
    size_t total = 0;
    am_status status = NULL;
    for (size_t i = 0; i < tokens->count && !status && !s->failed; i++) {
        am_text token = tokens->items[i];
        status = am_regex_match_all(d->replace.pattern, s, token.bytes, (uint32_t)token.length);
        for (size_t k = 0; !status && k < s->match_count && total + text.length <= s->text_limit; k++) {
            am_match match = s->matches[k];
            if (match.matched) am_buffer_append(&text, d->replace.content.bytes, d->replace.content.length);
            else am_buffer_append(&text, token.bytes + match.start, match.end - match.start);
        }
        total += text.length;
        if (total > s->text_limit) am_scratch_overflow(s);
        tokens->items[i] = keep(s, &text);
    }
    am_buffer_deinit(&text);
    return status;
}

static am_status decode(const am_token_decoder *d, am_scratch *s, list *tokens)
{
    if (s->failed) return NULL;
    switch (d->kind) {
    case BPE:
        return decode_bpe(d, s, tokens);
    case BYTE_LEVEL:
        decode_byte_level(s, tokens);
        break;
    case WORDPIECE:
        return decode_wordpiece(d, s, tokens);
    case METASPACE:
        for (size_t i = 0; i < tokens->count; i++)
            tokens->items[i] = decode_metaspace(s, tokens->items[i], &d->metaspace, i == 0);
        break;
    case CTC:
        return decode_ctc(d, s, tokens);
    case SEQUENCE:
        for (size_t i = 0; i < d->sequence.count; i++) AM_TRY(decode(d->sequence.items[i], s, tokens));
        break;
    case REPLACE:
        return decode_replace(d, s, tokens);
    case FUSE:
        decode_fuse(s, tokens);
        break;
    case STRIP:
        for (size_t i = 0; i < tokens->count; i++)
            AM_TRY(strip(&tokens->items[i], d->strip.content, d->strip.start, d->strip.stop));
        break;
    case BYTE_FALLBACK:
        decode_byte_fallback(s, tokens);
        break;
    }
    return NULL;
}

am_status am_token_decoder_apply(const am_token_decoder *d, am_scratch *s, const am_text *tokens, size_t count,
                                 am_buffer *out)
{
    list all = {am_scratch_alloc(s, count + 1, sizeof *all.items), count};
    size_t bytes = 0;
    if (!all.items) return am_out_of_memory();
    for (size_t i = 0; i < count; i++) bytes += tokens[i].length + 1;
    am_scratch_limit(s, bytes);
    if (count) memcpy(all.items, tokens, count * sizeof *tokens);
    if (d) AM_TRY(decode(d, s, &all));
    AM_TRY(am_scratch_status(s));
    for (size_t i = 0; i < all.count; i++) {
        if (!d && i > 0) am_buffer_append_char(out, ' ');
        am_buffer_append(out, all.items[i].bytes, all.items[i].length);
    }
    return am_buffer_status(out);
}
