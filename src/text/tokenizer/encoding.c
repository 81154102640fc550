/* Encodings as they are handed out: arrays in one block. */
#include "text/tokenizer/internal.h"

#include "base/memory.h"

/* ---- offsets ---- */

am_cursor am_cursor_at_start(am_text text)
{
    return (am_cursor){.text = text, .ascii = am_text_is_ascii(text.bytes, text.length)};
}

/* Index of the code point that byte `byte` (inside the text) belongs to. */
static uint32_t point_of_byte(am_cursor *c, uint32_t byte)
{
    if (c->ascii) return byte;
    while (c->byte > byte) c->byte = am_char_before(c->text.bytes, c->byte), c->point--;
    for (uint32_t next; (next = c->byte + am_char_length(c->text.bytes[c->byte])) <= byte && next < c->text.length;
         c->point++)
        c->byte = next;
    return c->point;
}

/* First byte of a code point; the end of the text for later ones. */
static uint32_t byte_of_point(am_cursor *c, uint32_t point)
{
    uint32_t length = (uint32_t)c->text.length;
    if (c->ascii) return point < length ? point : length;
    while (c->point > point) c->byte = am_char_before(c->text.bytes, c->byte), c->point--;
    for (; c->point < point && c->byte < length; c->point++) c->byte += am_char_length(c->text.bytes[c->byte]);
    return c->byte;
}

am_text_range am_cursor_points(am_cursor *c, am_text_range range)
{
    uint32_t length = (uint32_t)c->text.length;
    if (range.start >= length) return range;
    am_text_range out = {.start = point_of_byte(c, range.start)};
    if (range.end < length) out.end = point_of_byte(c, range.end);
    else out.end = 1 + (range.end - 1 < length ? point_of_byte(c, range.end - 1) : out.start + 1);
    return out;
}

/* ---- handing out ---- */

/* The next part of a block. */
static void *take(char **at, size_t bytes)
{
    void *memory = *at;
    *at += (bytes + 15) & ~(size_t)15;
    return memory;
}

static bool place_arrays(am_encoding *e, size_t count)
{
    int32_t **arrays[] = {&e->ids,      &e->type_ids,    &e->attention_mask, &e->special_tokens_mask,
                          &e->word_ids, &e->sequence_ids};
    size_t array_count = sizeof arrays / sizeof arrays[0], total;
    size_t per_token = array_count * sizeof(int32_t) + sizeof(am_text) + 2 * sizeof(am_text_range);
    if (!am_multiply_size(count, per_token, &total) || !am_add_size(total, 16 * (array_count + 3), &total))
        return false;
    char *at = e->storage = am_alloc(total);
    if (!at) return false;
    e->count = count;
    e->tokens = take(&at, count * sizeof *e->tokens);
    e->offsets = take(&at, count * sizeof *e->offsets);
    e->byte_offsets = take(&at, count * sizeof *e->byte_offsets);
    for (size_t i = 0; i < array_count; i++) *arrays[i] = take(&at, count * sizeof(int32_t));
    return true;
}

/* The library numbers sequences by their ranges; a draft without any is all of sequence 0. */
static void fill_sequences(const am_draft *draft, am_encoding *e)
{
    size_t sequences = draft->range_count ? draft->range_count : 1;
    for (size_t i = 0; i < e->count; i++) e->sequence_ids[i] = -1;
    for (size_t sequence = 0; sequence < sequences; sequence++) {
        am_text_range range = {0, (uint32_t)e->count};
        for (size_t i = 0; i < draft->range_count; i++)
            if (draft->ranges[i].sequence == sequence) range = draft->ranges[i].tokens;
        for (uint32_t i = range.start; i < range.end && i < e->count; i++) e->sequence_ids[i] = (int32_t)sequence;
    }
}

static am_text text_of(const am_input inputs[2], const am_draft_token *token)
{
    const am_input *in = &inputs[token->source];
    return in->words[in->is_words ? token->word : 0];
}

/* Copies the texts that do not belong to the tokenizer. */
static am_status own_texts(const am_draft *draft, am_encoding *e)
{
    size_t bytes = 0;
    for (size_t i = 0; i < draft->count; i++)
        if (draft->tokens[i].transient) bytes += draft->tokens[i].text.length + 1;
    if (bytes == 0) return NULL;
    char *at = e->text_storage = am_alloc(bytes);
    if (!at) return am_out_of_memory();
    for (size_t i = 0; i < draft->count; i++) {
        if (!draft->tokens[i].transient) continue;
        size_t length = e->tokens[i].length;
        memcpy(at, e->tokens[i].bytes, length);
        at[length] = 0;
        e->tokens[i].bytes = at;
        at += length + 1;
    }
    return NULL;
}

/* Where tokens of an input began and ended: parts that truncation cut off may be many, of two places of one text in
   turn, and tokens may be as long as the text. Each of two places has a cursor that stays there. */
typedef struct places {
    am_cursor cursors[2];
} places;

static uint32_t gap(const am_cursor *c, uint32_t point)
{
    return c->point > point ? c->point - point : point - c->point;
}

/* Bytes of a range of code points. */
static am_text_range bytes_of_points(places *p, am_text text, am_text_range points)
{
    am_cursor *a = &p->cursors[0], *b = &p->cursors[1];
    if (a->text.bytes != text.bytes || a->text.length != text.length) *a = *b = am_cursor_at_start(text);
    if (a->ascii) return points;
    uint32_t start = byte_of_point(gap(a, points.start) <= gap(b, points.start) ? a : b, points.start);
    return (am_text_range){start, byte_of_point(gap(a, points.end) < gap(b, points.end) ? a : b, points.end)};
}

static void fill_arrays(const am_draft *draft, const am_input inputs[2], places known[2], am_encoding *e)
{
    for (size_t i = 0; i < draft->count; i++) {
        const am_draft_token *token = &draft->tokens[i];
        e->ids[i] = token->id;
        e->type_ids[i] = token->type_id;
        e->attention_mask[i] = token->attended;
        e->special_tokens_mask[i] = token->special;
        e->word_ids[i] = token->word;
        e->tokens[i] = token->text;
        e->offsets[i] = e->byte_offsets[i] = token->offsets;
        if (token->source < 0) continue;
        e->byte_offsets[i] = bytes_of_points(&known[token->source], text_of(inputs, token), token->offsets);
    }
}

static am_status hand_out(const am_draft *draft, const am_input inputs[2], places known[2], am_encoding *e)
{
    if (!place_arrays(e, draft->count)) return am_out_of_memory();
    fill_arrays(draft, inputs, known, e);
    fill_sequences(draft, e);
    AM_TRY(own_texts(draft, e));
    if (draft->overflowing_count == 0) return NULL;
    e->overflowing = am_alloc_zeroed(draft->overflowing_count, sizeof *e->overflowing);
    if (!e->overflowing) return am_out_of_memory();
    for (size_t i = 0; i < draft->overflowing_count; i++) {
        e->overflowing_count = i + 1;
        AM_TRY(hand_out(&draft->overflowing[i], inputs, known, &e->overflowing[i]));
    }
    return NULL;
}

am_status am_encoding_from_draft(const am_draft *draft, const am_input inputs[2], am_encoding *out)
{
    places known[2] = {{{{.ascii = false}}}};
    *out = (am_encoding){0};
    am_status status = hand_out(draft, inputs, known, out);
    if (status) am_encoding_deinit(out);
    return status;
}

void am_encoding_deinit(am_encoding *e)
{
    for (size_t i = 0; i < e->overflowing_count; i++) am_encoding_deinit(&e->overflowing[i]);
    am_free(e->overflowing);
    am_free(e->storage);
    am_free(e->text_storage);
    *e = (am_encoding){0};
}

/* ---- padding ---- */

static void copy_tokens(am_encoding *out, const am_encoding *in, size_t first)
{
    for (size_t i = 0; i < in->count; i++) {
        out->ids[first + i] = in->ids[i];
        out->tokens[first + i] = in->tokens[i];
        out->type_ids[first + i] = in->type_ids[i];
        out->attention_mask[first + i] = in->attention_mask[i];
        out->special_tokens_mask[first + i] = in->special_tokens_mask[i];
        out->offsets[first + i] = in->offsets[i];
        out->byte_offsets[first + i] = in->byte_offsets[i];
        out->word_ids[first + i] = in->word_ids[i];
        out->sequence_ids[first + i] = in->sequence_ids[i];
    }
}

am_status am_encoding_pad(am_encoding *e, const am_limits *limits, size_t length, int32_t sequence)
{
    for (size_t i = 0; i < e->overflowing_count; i++)
        AM_TRY(am_encoding_pad(&e->overflowing[i], limits, length, sequence));
    if (e->count >= length) return NULL;
    am_encoding padded = *e;
    if (!place_arrays(&padded, length)) return am_out_of_memory();
    size_t pad = length - e->count, hole = limits->pad_left ? 0 : e->count;
    copy_tokens(&padded, e, limits->pad_left ? pad : 0);
    for (size_t i = hole; i < hole + pad; i++) {
        padded.ids[i] = limits->pad_id;
        padded.tokens[i] = limits->pad_token;
        padded.type_ids[i] = limits->pad_type_id;
        padded.attention_mask[i] = 0;
        padded.special_tokens_mask[i] = 1;
        padded.offsets[i] = padded.byte_offsets[i] = (am_text_range){0};
        padded.word_ids[i] = -1;
        padded.sequence_ids[i] = sequence;
    }
    am_free(e->storage);
    *e = padded;
    return NULL;
}
