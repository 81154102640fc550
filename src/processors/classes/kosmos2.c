/* Kosmos-2: an image before each text, whose place fills ids of their own; boxes of phrases as tokens of patches. */
#include "processors/rules.h"
#include "text/tokenizer/python_text.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* --- boxes --- */

typedef struct box {
    double numbers[4]; /* two: patches; four: left, top, right, bottom from 0 to 1 */
    int count;
} box;

static bool is_number(am_json value)
{
    return am_json_kind_of(value) == AM_JSON_INTEGER || am_json_kind_of(value) == AM_JSON_REAL;
}

static am_status read_box(am_json value, box *out)
{
    size_t count = am_json_count(value);
    *out = (box){0};
    for (am_json_iterator i = am_json_iterate(value); am_json_next(&i) && out->count < 4;)
        if (is_number(i.value)) out->numbers[out->count++] = am_json_real(i.value, 0.0);
    if (am_json_kind_of(value) == AM_JSON_ARRAY && (size_t)out->count == count && (count == 2 || count == 4))
        return NULL;
    return am_error(AM_INVALID_ARGUMENT, "bboxes: expected a box to be 2 patches or 4 coordinates");
}

/* coordinate_to_patch_index: the patches at the corners. */
static am_status find_patches(const box *b, int64_t patches, int64_t out[2])
{
    double side = floor(sqrt((double)patches)), most = (double)patches;
    const double *n = b->numbers;
    if (b->count == 2 && !(n[0] >= 0.0 && n[1] >= 0.0 && n[0] < most && n[1] < most))
        return am_error(AM_INVALID_ARGUMENT, "bboxes: expected patches below %g, found %g and %g", most, n[0], n[1]);
    out[0] = (int64_t)n[0];
    out[1] = (int64_t)n[1];
    if (b->count == 2) return NULL;
    if (!(n[2] > n[0] && n[3] > n[1] && n[0] >= 0.0 && n[1] >= 0.0 && n[2] <= 1.0 && n[3] <= 1.0))
        return am_error(AM_INVALID_ARGUMENT, "bboxes: expected x1 < x2 and y1 < y2 from 0 to 1");
    out[0] = (int64_t)(floor(n[1] * side) * side + floor(n[0] * side));
    out[1] = (int64_t)(ceil(n[3] * side - 1.0) * side + ceil(n[2] * side - 1.0));
    return NULL;
}

static am_status put_box(const am_processor_call *run, am_json value, am_buffer *out)
{
    box b;
    int64_t patches, corners[2];
    AM_TRY(am_processor_integer(run->processor, "num_patch_index_tokens", &patches));
    AM_TRY(read_box(value, &b));
    AM_TRY(find_patches(&b, patches, corners));
    am_buffer_printf(out, "<patch_index_%04" PRId64 "> <patch_index_%04" PRId64 ">", corners[0], corners[1]);
    return NULL;
}

/* The boxes of a phrase: null, one or a list of them. */
static am_status put_boxes(const am_processor_call *run, am_json value, am_buffer *out)
{
    am_json_iterator i = am_json_iterate(value);
    if (am_json_kind_of(value) == AM_JSON_NULL || (am_json_kind_of(value) == AM_JSON_ARRAY && !am_json_count(value)))
        return NULL;
    bool is_list = am_json_kind_of(value) == AM_JSON_ARRAY && am_json_next(&i) && !is_number(i.value);
    am_buffer_append_string(out, "<object> ");
    if (!is_list) AM_TRY(put_box(run, value, out));
    for (size_t k = 0, count = is_list ? am_json_count(value) : 0; k < count; k++, am_json_next(&i)) {
        if (k) am_buffer_append_string(out, " </delimiter_of_multi_objects/> ");
        AM_TRY(put_box(run, i.value, out));
    }
    am_buffer_append_string(out, " </object>");
    return NULL;
}

/* The end of the next <phrase>.+?</phrase> from `at` on; 0: there is none. */
static size_t next_phrase(am_text text, size_t at)
{
    static const char begin[] = "<phrase>", end[] = "</phrase>";
    enum { BEGIN = sizeof begin - 1, END = sizeof end - 1 };
    for (; at + BEGIN + 1 + END <= text.length; at++) {
        if (memcmp(text.bytes + at, begin, BEGIN) != 0 || text.bytes[at + BEGIN] == '\n') continue;
        for (size_t k = at + BEGIN + 1; k + END <= text.length; k++) {
            if (memcmp(text.bytes + k, end, END) == 0) return k + END;
            if (text.bytes[k] == '\n') break;
        }
    }
    return 0;
}

/* _insert_patch_index_tokens: after each phrase its boxes. */
static am_status put_phrases(const am_processor_call *run, am_text text, am_json boxes, am_buffer *out)
{
    size_t count = am_json_count(boxes), found = 0, at = 0;
    for (size_t end = 0; count && (end = next_phrase(text, end));) found++;
    if (found != count)
        return am_error(AM_INVALID_ARGUMENT, "bboxes of %zu phrases, but the text has %zu", count, found);
    for (am_json_iterator i = am_json_iterate(boxes); am_json_next(&i);) {
        size_t end = next_phrase(text, at);
        am_buffer_append(out, text.bytes + at, end - at);
        AM_TRY(put_boxes(run, i.value, out));
        at = end;
    }
    am_buffer_append(out, text.bytes + at, text.length - at);
    return NULL;
}

/* --- texts --- */

static bool adds_special(const am_processor_call *run)
{
    return am_json_bool(am_processor_kwarg(run->processor, "text_kwargs", "add_special_tokens"), true) &&
           !run->inputs->no_special_tokens;
}

static am_status put_text(am_processor_call *run, int64_t text, am_json boxes)
{
    int64_t count;
    am_buffer whole = {0}, made = {0};
    const am_buffer *in = &run->out->texts[text];
    am_text stripped = am_py_strip((am_text){am_buffer_text(in), in->length});
    AM_TRY(am_processor_integer(run->processor, "num_image_tokens", &count));
    for (int64_t i = 0; i <= count && run->inputs->image_count; i++) am_buffer_append_string(&whole, "<image> ");
    if (run->inputs->image_count) am_buffer_append_string(&whole, "</image> ");
    am_buffer_append(&whole, stripped.bytes, stripped.length);
    if (adds_special(run) && !am_processor_flag(run->processor, "add_eos_token", false))
        am_buffer_append_string(&made, am_special_text(run, "bos_token"));
    am_status status = am_buffer_status(&whole);
    if (!status) status = put_phrases(run, (am_text){am_buffer_text(&whole), whole.length}, boxes, &made);
    am_buffer_deinit(&whole);
    am_set_text(run, text, &made);
    return status ? status : am_buffer_status(&run->out->texts[text]);
}

static am_status prepare(am_processor_call *run)
{
    int64_t texts = run->out->text_count, images = run->inputs->image_count, next = 0;
    am_json boxes = am_processor_setting(run->processor, "bboxes");
    bool boxed = am_json_kind_of(boxes) != AM_JSON_MISSING;
    if (images && images != texts)
        return am_error(AM_INVALID_ARGUMENT, "%" PRId64 " images for %" PRId64 " texts", images, texts);
    if (boxed && (int64_t)am_json_count(boxes) != texts)
        return am_error(AM_INVALID_ARGUMENT, "bboxes: expected a list of %" PRId64 ", one item a text", texts);
    am_json_iterator i = am_json_iterate(boxes);
    for (; next < texts; next++) AM_TRY(put_text(run, next, boxed && am_json_next(&i) ? i.value : (am_json){0}));
    return NULL;
}

/* --- ids --- */

typedef struct rows {
    int64_t *lengths, **ids, **masks, **places; /* [texts] */
} rows;

static am_status make_rows(am_processor_call *run, rows *out)
{
    size_t texts = (size_t)run->out->text_count;
    out->lengths = am_arena_array(&run->arena, texts, sizeof *out->lengths);
    out->ids = am_arena_array(&run->arena, texts, sizeof *out->ids);
    out->masks = am_arena_array(&run->arena, texts, sizeof *out->masks);
    out->places = am_arena_array(&run->arena, texts, sizeof *out->places);
    return out->lengths && out->ids && out->masks && out->places ? NULL : am_out_of_memory();
}

/* A text's ids, the image's in its places, padded to `length`. */
static am_status fill_row(am_processor_call *run, const am_encoding *e, int64_t text, int64_t length, rows *out)
{
    const am_tokenizer *tokenizer = run->processor->tokenizer;
    am_json given = am_processor_setting(run->processor, "first_image_token_id");
    int64_t count, start = adds_special(run) ? 2 : 1, pad = length - (int64_t)e->count;
    int64_t first = am_tokenizer_token_to_id(tokenizer, am_tokenizer_special_token(tokenizer, "unk_token")) + 1;
    AM_TRY(am_processor_integer(run->processor, "num_image_tokens", &count));
    if (am_json_kind_of(given) != AM_JSON_MISSING)
        AM_TRY(am_processor_integer(run->processor, "first_image_token_id", &first));
    if ((int64_t)e->count < start + count + 1)
        return am_error(AM_INVALID_ARGUMENT, "a text cut to %zu tokens has no place for an image of %" PRId64, e->count,
                        count);
    int64_t *ids = am_arena_array(&run->arena, (size_t)length, sizeof *ids);
    int64_t *mask = am_arena_array(&run->arena, (size_t)length, sizeof *mask);
    int64_t *places = am_arena_array(&run->arena, (size_t)length, sizeof *places);
    if (!ids || !mask || !places) return am_out_of_memory();
    int64_t before = am_tokenizer_padding_side(tokenizer) == AM_SIDE_LEFT ? pad : 0;
    for (int64_t k = 0; k < length; k++)
        ids[k] = am_tokenizer_token_to_id(tokenizer, am_tokenizer_special_token(tokenizer, "pad_token"));
    for (int64_t k = 0; k < (int64_t)e->count; k++) {
        places[before + k] = k >= start && k < start + count;
        ids[before + k] = places[before + k] ? first + k - start : e->ids[k];
        mask[before + k] = e->attention_mask[k];
    }
    out->lengths[text] = length;
    out->ids[text] = ids;
    out->masks[text] = mask;
    out->places[text] = places;
    return NULL;
}

/* What the longest text becomes under the padding that the call asks for. */
static am_status padded_length(const am_processor_call *run, const am_encoding *encodings, am_encode_options options,
                               int64_t *out)
{
    int64_t longest = 0;
    am_encoding padded;
    for (int64_t i = 1; i < run->out->text_count; i++)
        if (encodings[i].count > encodings[longest].count) longest = i;
    const am_buffer *text = &run->out->texts[longest];
    AM_TRY(am_tokenizer_encode(run->processor->tokenizer, (am_text){am_buffer_text(text), text->length}, NULL, &options,
                               &padded));
    *out = (int64_t)padded.count;
    am_encoding_deinit(&padded);
    return NULL;
}

static am_status give(am_processor_call *run, const am_encoding *encodings, am_encode_options options)
{
    rows made;
    int64_t length, texts = run->out->text_count;
    AM_TRY(make_rows(run, &made));
    AM_TRY(padded_length(run, encodings, options, &length));
    for (int64_t i = 0; i < texts; i++) AM_TRY(fill_row(run, &encodings[i], i, length, &made));
    AM_TRY(am_give_rows(run, "input_ids", texts, made.lengths, made.ids));
    AM_TRY(am_give_rows(run, "attention_mask", texts, made.lengths, made.masks));
    return am_give_rows(run, "image_embeds_position_mask", texts, made.lengths, made.places);
}

/* Texts with images are padded to the longest, whatever the call says. */
static am_status encode(am_processor_call *run)
{
    size_t texts = (size_t)run->out->text_count;
    am_encode_options options, plain;
    AM_TRY(am_processor_encode_options(run->processor, &options));
    options.add_special_tokens = adds_special(run) && am_processor_flag(run->processor, "add_eos_token", false);
    if (!run->inputs->image_count) return am_processor_encode_with(run, run->processor->tokenizer, &options);
    plain = options;
    plain.padding = AM_PAD_NEVER;
    am_text *in = am_arena_array(&run->arena, texts, sizeof *in);
    am_encoding *encodings = am_arena_array(&run->arena, texts, sizeof *encodings);
    if (!in || !encodings) return am_out_of_memory();
    for (size_t i = 0; i < texts; i++)
        in[i] = (am_text){am_buffer_text(&run->out->texts[i]), run->out->texts[i].length};
    AM_TRY(am_tokenizer_encode_batch(run->processor->tokenizer, in, NULL, texts, &plain, encodings));
    am_status status = give(run, encodings, options);
    for (size_t i = 0; i < texts; i++) am_encoding_deinit(&encodings[i]);
    return status;
}

/* --- rows of the table --- */

/* clang-format off */
static const am_processor_class classes[] = {
    {.name = "Kosmos2Processor",
     .settings = AM_JSON({"num_patch_index_tokens": 1024, "num_image_tokens": 64, "first_image_token_id": null,
                          "add_eos_token": false, "bboxes": null, "image_token": "<image>",
                          "text_kwargs": {"add_special_tokens": true, "return_token_type_ids": false}}),
     .tokens = "image_token", .image = {.placeholder = "image_token"}, .prepare = prepare, .encode = encode},
    {0},
};
/* clang-format on */

const am_processor_family am_processor_family_kosmos2 = {classes};
