/* Wav2Vec2CTCTokenizer: a vocabulary of characters, and decoding of a label for every frame of sound (Graves
   2006): repeated labels are one, then blanks (the pad token) go. */
#include "text/tokenizer/python_text.h"

#include "base/memory.h"
#include "base/utf8.h"

/* ---- encoding ---- */

static void add_draft_token(am_scratch *s, am_draft *draft, size_t *capacity, am_draft_token token)
{
    if (draft->count == *capacity) {
        size_t larger = *capacity ? *capacity * 2 : 256;
        am_draft_token *tokens = am_scratch_alloc(s, larger, sizeof *tokens);
        if (!tokens) return;
        if (draft->count) memcpy(tokens, draft->tokens, draft->count * sizeof *tokens);
        draft->tokens = tokens;
        *capacity = larger;
    }
    draft->tokens[draft->count++] = token;
}

/* The characters that one character of the text is read as. */
static am_text characters_of(const am_tokenizer *t, am_scratch *s, am_text c, am_buffer *buffer)
{
    uint32_t length;
    if (c.bytes[0] == ' ') return t->ctc->word_delimiter;
    if (!t->ctc->do_lower_case) return c;
    am_buffer_clear(buffer);
    am_py_append_upper(am_char_at(c.bytes, &length), buffer);
    char *copy = am_scratch_alloc(s, buffer->length, 1);
    if (!copy || buffer->failed) return c;
    return (am_text){memcpy(copy, buffer->bytes, buffer->length), buffer->length};
}

static void encode_piece(const am_tokenizer *t, am_scratch *s, const am_piece *piece, am_cursor *cursor,
                         am_draft_token model, am_draft *draft, size_t *capacity)
{
    am_buffer buffer = {0};
    am_draft_token token = model;
    if (piece->added_id >= 0) {
        const am_added_entry *entry = am_added_tokens_by_id(&t->added, piece->added_id);
        token.id = entry->id, token.text = entry->token.content;
        token.offsets = am_cursor_points(
            cursor, (am_text_range){piece->original_start, piece->original_start + piece->original_length});
        add_draft_token(s, draft, capacity, token);
        return;
    }
    for (uint32_t at = 0, step; at < piece->length; at += step) {
        step = am_char_length(piece->text[at]);
        am_text chars = characters_of(t, s, (am_text){piece->text + at, step}, &buffer);
        uint32_t start = piece->original_start + at;
        token.offsets = am_cursor_points(cursor, (am_text_range){start, start + step});
        token.transient = true;
        for (size_t i = 0; i < chars.length; i += am_char_length(chars.bytes[i])) {
            token.text = (am_text){chars.bytes + i, am_char_length(chars.bytes[i])};
            token.id = am_vocabulary_id(&t->model.vocabulary, token.text);
            if (token.id < 0) token.id = t->model.unk_id;
            add_draft_token(s, draft, capacity, token);
        }
    }
    am_buffer_deinit(&buffer);
}

static am_status encode_input(const am_tokenizer *t, am_scratch *s, const am_input *in, int32_t sequence,
                              bool split_special, am_draft *draft)
{
    size_t capacity = 0;
    *draft = (am_draft){0};
    for (size_t i = 0; i < in->count && !s->failed; i++) {
        am_text text = in->words[i];
        uint32_t length = (uint32_t)text.length;
        am_cursor cursor = am_cursor_at_start(text);
        am_draft_token model = {
            .type_id = sequence, .word = in->is_words ? (int32_t)i : -1, .source = (int8_t)sequence, .attended = true};
        s->new_piece_count = 0;
        if (length)
            am_scratch_add_piece(
                s, (am_piece){.text = text.bytes, .length = length, .original_length = length, .added_id = -1});
        am_scratch_take_new_pieces(s);
        if (!split_special) AM_TRY(am_added_tokens_extract(&t->added, NULL, s, false));
        for (size_t k = 0; k < s->piece_count && !s->failed; k++)
            encode_piece(t, s, &s->pieces[k], &cursor, model, draft, &capacity);
    }
    for (size_t i = 0; i < draft->count; i++)
        if (draft->tokens[i].id < 0)
            return am_error(AM_OUT_OF_RANGE,
                            "the text has a character that is not in the vocabulary, and neither is the unknown token");
    return NULL;
}

am_status am_ctc_encode(const am_tokenizer *t, const am_input inputs[2], size_t count, const am_encode_options *options,
                        const am_limits *limits, am_encoding *out)
{
    am_draft drafts[2], merged = {0};
    am_scratch *s = am_tokenizer_take_scratch(t);
    if (!s) return am_out_of_memory();
    am_scratch_limit(s, am_input_bytes(inputs, count));
    am_status status = NULL;
    for (size_t i = 0; i < count && !status; i++)
        status = encode_input(t, s, &inputs[i], (int32_t)i, options->split_special_tokens || t->split_special_tokens,
                              &drafts[i]);
    if (!status) status = am_draft_truncate(s, drafts, count, limits, 0);
    for (size_t i = 0; i < count && !status && !s->failed; i++) {
        am_draft_set_sequence(s, &drafts[i], (uint32_t)i);
        merged = am_draft_merge(s, &merged, &drafts[i]);
    }
    if (!status) status = am_scratch_status(s);
    if (!status) status = am_encoding_from_draft(&merged, inputs, out);
    am_tokenizer_give_scratch(t, s);
    return status;
}

/* ---- decoding ---- */

static bool is_special_text(const am_tokenizer *t, am_text token)
{
    for (size_t i = 0; i < t->named_count; i++)
        if (am_text_equal(t->named[i].token, token)) return true;
    return false;
}

static am_text token_of(const am_tokenizer *t, int32_t id)
{
    am_text token = am_vocabulary_text(&t->model.vocabulary, id);
    const am_added_entry *entry = token.bytes ? NULL : am_added_tokens_by_id(&t->added, id);
    return token.bytes ? token : entry ? entry->token.content : t->model.settings.unk_token;
}

/* Characters of the ids, grouped, without blanks, in an array of at most `count`; places are those of the ids
   that are left when special ones are skipped. */
static size_t group(const am_tokenizer *t, const int32_t *ids, size_t count, const am_decode_options *options,
                    am_ctc_piece *out)
{
    size_t pieces = 0;
    uint32_t place = 0;
    am_text last = {0};
    for (size_t i = 0; i < count; i++) {
        am_text token = token_of(t, ids[i]);
        bool is_delimiter = am_text_equal(token, t->ctc->word_delimiter);
        if (options->skip_special_tokens && !is_delimiter && is_special_text(t, token)) continue;
        place++;
        if (place > 1 && !options->keep_repeated_tokens && am_text_equal(token, last)) {
            if (pieces && out[pieces - 1].end == place - 1) out[pieces - 1].end = place;
            continue;
        }
        last = token;
        if (am_text_equal(token, t->ctc->pad)) continue;
        out[pieces++] = (am_ctc_piece){is_delimiter ? t->ctc->replacement : token, place - 1, place};
    }
    return pieces;
}

static am_status join(const am_tokenizer *t, const am_ctc_piece *pieces, size_t count, const am_decode_options *options,
                      am_buffer *out)
{
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && options->spaces_between_special_tokens) am_buffer_append_char(out, ' ');
        am_buffer_append(out, pieces[i].text.bytes, pieces[i].text.length);
    }
    am_strip_like_python(out);
    if (t->ctc->do_lower_case) am_py_lower_in_place(out);
    AM_TRY(am_buffer_status(out));
    return (options->clean_up < 0 ? t->clean_up : options->clean_up) ? am_clean_up(out, false) : NULL;
}

am_status am_ctc_decode(const am_tokenizer *t, const int32_t *ids, size_t count, const am_decode_options *options,
                        am_buffer *out)
{
    am_ctc_piece *pieces = am_alloc((count + 1) * sizeof *pieces);
    if (!pieces) return am_out_of_memory();
    am_status status = join(t, pieces, group(t, ids, count, options, pieces), options, out);
    am_free(pieces);
    return status;
}

/* Runs of characters that are no delimiters. Their texts follow each other in `text`. */
static size_t find_words(const am_tokenizer *t, const am_ctc_piece *characters, size_t count, char *text,
                         am_ctc_piece *out)
{
    size_t words = 0;
    bool inside = false;
    for (size_t i = 0; i < count; i++) {
        bool space = am_text_equal(characters[i].text, t->ctc->replacement);
        if (!space && !inside) out[words++] = (am_ctc_piece){{text, 0}, characters[i].start, characters[i].end};
        inside = !space;
        if (space) continue;
        am_ctc_piece *word = &out[words - 1];
        memcpy(text, characters[i].text.bytes, characters[i].text.length);
        text += characters[i].text.length;
        word->text.length += characters[i].text.length;
        word->end = characters[i].end;
    }
    return words;
}

am_status am_tokenizer_decode_ctc(const am_tokenizer *t, const int32_t *ids, size_t count,
                                  const am_decode_options *options, am_ctc_decoding *out)
{
    am_decode_options defaults = AM_DECODE_OPTIONS;
    am_buffer text = {0};
    *out = (am_ctc_decoding){0};
    if (!t->ctc) return am_error(AM_UNSUPPORTED, "%s has no CTC decoding with offsets", t->class_name);
    if (!options) options = &defaults;
    size_t piece_bytes = (count + 1) * sizeof(am_ctc_piece), word_bytes = 0;
    am_ctc_piece *pieces = am_alloc(piece_bytes);
    if (!pieces) return am_out_of_memory();
    size_t piece_count = group(t, ids, count, options, pieces);
    for (size_t i = 0; i < piece_count; i++) word_bytes += pieces[i].text.length;
    am_status status = join(t, pieces, piece_count, options, &text);
    char *block = status ? NULL : am_alloc(piece_bytes * 2 + text.length + 1 + word_bytes);
    if (!status && !block) status = am_out_of_memory();
    if (!status) {
        *out = (am_ctc_decoding){
            .characters = (am_ctc_piece *)(void *)block, .character_count = piece_count, .storage = block};
        memcpy(out->characters, pieces, piece_count * sizeof *pieces);
        out->words = out->characters + count + 1;
        char *at = block + piece_bytes * 2;
        memcpy(at, am_buffer_text(&text), text.length + 1);
        out->text = (am_text){at, text.length};
        out->word_count = find_words(t, pieces, piece_count, at + text.length + 1, out->words);
    }
    am_free(pieces);
    am_buffer_deinit(&text);
    return status;
}

void am_ctc_decoding_deinit(am_ctc_decoding *decoding)
{
    am_free(decoding->storage);
    *decoding = (am_ctc_decoding){0};
}
