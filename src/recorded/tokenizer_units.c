/* Single components: normalizers, pre-tokenizers, decoders, truncation and padding, words instead of text. */
#include "recorded/tokenizers.h"

#include "base/file.h"
#include "base/memory.h"
#include "text/tokenizer/internal.h"

#include <stdio.h>

/* A tokenizer of one component around which there is nothing: WordLevel over no vocabulary. */
static am_status open_component(am_verify_run *run, am_json component, const char *field)
{
    am_tokenizer_parts parts = {0};
    if (strcmp(field, "normalizer") == 0) parts.normalizer = component;
    if (strcmp(field, "pre_tokenizer") == 0) parts.pre_tokenizer = component;
    if (strcmp(field, "decoder") == 0) parts.decoder = component;
    AM_TRY(am_tokenizer_create(&run->tokenizer));
    am_loader loader = {.arena = &run->tokenizer->arena, .regexes = &run->tokenizer->regexes, .name = run->where};
    return am_tokenizer_read_parts(run->tokenizer, &loader, &parts);
}

static void close_component(am_verify_run *run)
{
    am_tokenizer_close(run->tokenizer);
    run->tokenizer = NULL;
}

static am_text text_of_index(am_verify_run *run, size_t index)
{
    am_json found = {0};
    size_t at = 0;
    for (am_json_iterator i = am_json_iterate(run->texts); am_json_next(&i) && at <= index; at++) found = i.value;
    return am_text_of(found);
}

static am_piece whole_piece(am_text text)
{
    return (am_piece){
        .text = text.bytes, .length = (uint32_t)text.length, .original_length = (uint32_t)text.length, .added_id = -1};
}

/* ---- normalizers.jsonl: {"name", "component", "changed": [[text, result] ...]} ---- */

static am_status verify_normalized(am_verify_run *run, am_scratch *s, am_text text, am_text expected)
{
    am_piece piece = whole_piece(text);
    am_scratch_reset(s);
    AM_TRY(am_normalizer_apply(run->tokenizer->normalizer, s, &piece));
    am_verify_texts(run, "normalized", expected, (am_text){piece.text, piece.length});
    return NULL;
}

static am_text changed_text(am_json changed, size_t index, am_text fallback)
{
    for (am_json_iterator i = am_json_iterate(changed); am_json_next(&i);) {
        am_json_iterator pair = am_json_iterate(i.value);
        if (!am_json_next(&pair) || am_json_int(pair.value, -1) != (int64_t)index) continue;
        return am_json_next(&pair) ? am_text_of(pair.value) : fallback;
    }
    return fallback;
}

static am_status verify_normalizer(am_verify_run *run, am_json json)
{
    size_t index = 0;
    am_json changed = am_json_get(json, "changed");
    snprintf(run->where, sizeof run->where, "normalizer %.100s", am_json_text(am_json_get(json, "name")).bytes);
    am_scratch *s = am_scratch_create();
    am_status status = s ? open_component(run, am_json_get(json, "component"), "normalizer") : am_out_of_memory();
    for (am_json_iterator i = am_json_iterate(run->texts); !status && am_json_next(&i); index++) {
        am_verify_start_case(run, "text", (int64_t)index);
        status = verify_normalized(run, s, am_text_of(i.value), changed_text(changed, index, am_text_of(i.value)));
        am_verify_end_case(run);
    }
    am_scratch_destroy(s);
    close_component(run);
    return status;
}

/* ---- pre_tokenizers.jsonl: {"name", "component", "cases": [[text, offsets, pieces or none] ...] or "err"}
 * ---- */

static void verify_pieces(am_verify_run *run, const am_scratch *s, am_text text, am_json ranges, am_json pieces)
{
    am_cursor c = am_cursor_at_start(text);
    am_text_range *offsets = am_alloc((s->piece_count + 1) * sizeof *offsets);
    am_text *texts = am_alloc((s->piece_count + 1) * sizeof *texts);
    bool given = am_json_kind_of(pieces) == AM_JSON_ARRAY;
    for (size_t i = 0; offsets && texts && i < s->piece_count; i++) {
        const am_piece *piece = &s->pieces[i];
        am_text_range bytes = {piece->original_start, piece->original_start + piece->original_length};
        offsets[i] = am_cursor_points(&c, bytes);
        texts[i] = (am_text){piece->text, piece->length};
        if (!given)
            am_verify_texts(run, "piece", (am_text){text.bytes + bytes.start, bytes.end - bytes.start}, texts[i]);
    }
    if (offsets && texts) am_verify_ranges(run, "offsets", ranges, offsets, s->piece_count);
    if (offsets && texts && given) am_verify_strings(run, "pieces", pieces, texts, s->piece_count);
    am_free(offsets);
    am_free(texts);
}

static am_status verify_pre_tokenized(am_verify_run *run, am_scratch *s, am_json json)
{
    am_json fields[3] = {{0}, {0}, {0}};
    size_t count = 0;
    for (am_json_iterator i = am_json_iterate(json); count < 3 && am_json_next(&i);) fields[count++] = i.value;
    am_text text = text_of_index(run, (size_t)am_json_int(fields[0], 0));
    am_verify_start_case(run, "text", am_json_int(fields[0], 0));
    am_scratch_reset(s);
    am_scratch_add_piece(s, whole_piece(text));
    am_scratch_take_new_pieces(s);
    am_status status = am_pre_tokenizer_apply(run->tokenizer->pre_tokenizer, s, false);
    if (!status) verify_pieces(run, s, text, fields[1], fields[2]);
    am_verify_end_case(run);
    return status;
}

static am_status verify_pre_tokenizer(am_verify_run *run, am_json json)
{
    bool error_expected = am_json_kind_of(am_json_get(json, "err")) != AM_JSON_MISSING;
    snprintf(run->where, sizeof run->where, "pre_tokenizer %.100s", am_json_text(am_json_get(json, "name")).bytes);
    am_scratch *s = am_scratch_create();
    am_status status = s ? open_component(run, am_json_get(json, "component"), "pre_tokenizer") : am_out_of_memory();
    if (status || error_expected) {
        am_verify_start_case(run, "open", 0);
        if (!status || !error_expected)
            am_verify_fail(run, "status", error_expected ? "an error" : "success", am_status_message(status));
        am_verify_end_case(run);
        am_status_free(status);
        status = NULL;
    } else {
        for (am_json_iterator i = am_json_iterate(am_json_get(json, "cases")); !status && am_json_next(&i);)
            status = verify_pre_tokenized(run, s, i.value);
    }
    am_scratch_destroy(s);
    close_component(run);
    return status;
}

/* ---- decoders.json: {"tokens": [[...] ...], "decoders": [{"name", "component", "out": [text ...]} ...]}
 * ---- */

static am_status verify_decoded(am_verify_run *run, am_json tokens, am_json expected)
{
    am_text *texts;
    size_t count;
    am_buffer out = {0};
    AM_TRY(am_verify_read_texts(tokens, &texts, &count));
    am_scratch *s = am_scratch_create();
    am_status status = s ? am_token_decoder_apply(run->tokenizer->decoder, s, texts, count, &out) : am_out_of_memory();
    bool error_expected = am_json_kind_of(expected) != AM_JSON_STRING;
    if (!status != !error_expected)
        am_verify_fail(run, "status", error_expected ? "an error" : "success", am_status_message(status));
    else if (!status) am_verify_texts(run, "text", am_text_of(expected), (am_text){am_buffer_text(&out), out.length});
    am_status_free(status);
    am_scratch_destroy(s);
    am_buffer_deinit(&out);
    am_free(texts);
    return NULL;
}

static am_status verify_decoder(am_verify_run *run, am_json lists, am_json json)
{
    size_t index = 0;
    am_json_iterator out = am_json_iterate(am_json_get(json, "out"));
    snprintf(run->where, sizeof run->where, "decoder %.100s", am_json_text(am_json_get(json, "name")).bytes);
    am_status status = open_component(run, am_json_get(json, "component"), "decoder");
    for (am_json_iterator i = am_json_iterate(lists); !status && am_json_next(&i) && am_json_next(&out); index++) {
        am_verify_start_case(run, "tokens", (int64_t)index);
        status = verify_decoded(run, i.value, out.value);
        am_verify_end_case(run);
    }
    close_component(run);
    return status;
}

static am_status verify_decoders(am_verify_run *run, const char *path)
{
    am_json_document *document;
    AM_TRY(am_json_open(path, &document));
    am_json root = am_json_root(document);
    am_status status = NULL;
    for (am_json_iterator i = am_json_iterate(am_json_get(root, "decoders")); !status && am_json_next(&i);)
        status = verify_decoder(run, am_json_get(root, "tokens"), i.value);
    am_json_close(document);
    return status;
}

/* ---- truncation_padding.jsonl: settings at run time on ../wordlevel ---- */

static const char *const single_texts[] = {"one two three four five", "Hello world", "",
                                           "the quick brown fox , the cat .", "a b ! a b ! a b ! a b !"};
static const char *const pair_texts[][2] = {{"one two three four five", "the quick brown fox"},
                                            {"Hello world", "a b a b a b a b a b a b"},
                                            {"a", ""},
                                            {"the quick brown fox , the cat .", "b"}};

/* The settings as tokenizer.json has them. */
static am_limits read_settings(am_json json)
{
    am_json truncation = am_json_get(json, "truncation"), padding = am_json_get(json, "padding"),
            length = am_json_get(padding, "length");
    am_limits limits = {0};
    am_json strategy = am_json_get(truncation, "strategy");
    if (am_json_kind_of(truncation) == AM_JSON_OBJECT)
        limits.truncation = am_json_equals(strategy, "only_first")    ? AM_TRUNCATE_ONLY_FIRST
                            : am_json_equals(strategy, "only_second") ? AM_TRUNCATE_ONLY_SECOND
                                                                      : AM_TRUNCATE_LONGEST_FIRST;
    limits.truncate_left = am_json_equals(am_json_get(truncation, "direction"), "left");
    limits.max_length = (uint64_t)am_json_int(am_json_get(truncation, "max_length"), 0);
    limits.stride = (uint32_t)am_json_int(am_json_get(truncation, "stride"), 0);
    if (am_json_kind_of(padding) == AM_JSON_OBJECT)
        limits.padding = am_json_kind_of(length) == AM_JSON_INTEGER ? AM_PAD_MAX_LENGTH : AM_PAD_LONGEST;
    limits.pad_left = am_json_equals(am_json_get(padding, "direction"), "left");
    limits.pad_length = (uint64_t)am_json_int(length, 0);
    limits.pad_to_multiple_of = (uint64_t)am_json_int(am_json_get(padding, "pad_to_multiple_of"), 0);
    limits.pad_id = (int32_t)am_json_int(am_json_get(padding, "pad_id"), 0);
    limits.pad_type_id = (int32_t)am_json_int(am_json_get(padding, "pad_type_id"), 0);
    limits.pad_token = am_text_of(am_json_get(padding, "pad_token"));
    return limits;
}

static am_status verify_settings(am_verify_run *run, am_json json)
{
    enum { SINGLES = sizeof single_texts / sizeof single_texts[0], PAIRS = sizeof pair_texts / sizeof pair_texts[0] };
    am_text texts[SINGLES], pairs[PAIRS];
    am_encode_options options = AM_ENCODE_OPTIONS;
    bool is_pair = am_json_equals(am_json_get(json, "kind"), "pair");
    size_t count = is_pair ? PAIRS : SINGLES;
    for (size_t i = 0; i < count; i++) {
        const char *text = is_pair ? pair_texts[i][0] : single_texts[i];
        texts[i] = (am_text){text, strlen(text)};
        if (is_pair) pairs[i] = (am_text){pair_texts[i][1], strlen(pair_texts[i][1])};
    }
    options.as_in_file = true;
    options.add_special_tokens = am_json_bool(am_json_get(json, "special"), true);
    run->tokenizer->file_limits = read_settings(json);
    am_verify_start_case(run, "line", (int64_t)++run->line);
    am_status status = am_verify_batch(run, texts, is_pair ? pairs : NULL, count, &options, json);
    am_verify_end_case(run);
    return status;
}

/* ---- pretokenized.jsonl: {"tokenizer", "words", "pair" or none, and the encoding} ---- */

static am_status encode_words(am_verify_run *run, am_json json, am_encoding *out)
{
    am_json pair = am_json_get(json, "pair");
    am_encode_options options = AM_ENCODE_OPTIONS;
    am_text *words = NULL, *pair_words = NULL;
    size_t count, pair_count = 0;
    options.as_in_file = true;
    am_status status = am_verify_read_texts(am_json_get(json, "words"), &words, &count);
    if (!status && am_json_kind_of(pair) == AM_JSON_ARRAY)
        status = am_verify_read_texts(pair, &pair_words, &pair_count);
    if (!status)
        status = am_tokenizer_encode_words(run->tokenizer, words, count, pair_words, pair_count, &options, out);
    am_free(words);
    am_free(pair_words);
    return status;
}

static am_status verify_words(am_verify_run *run, am_json json)
{
    static const char *const inputs[] = {"words", NULL}, *const answers[] = {"ids", NULL};
    if (!am_verify_is_known(run, json, inputs, answers)) return NULL;
    am_encoding e;
    am_buffer path = {0};
    am_buffer_printf(&path, "%s/../../%s", run->folder, am_json_text(am_json_get(json, "tokenizer")).bytes);
    am_verify_start_case(run, "line", (int64_t)++run->line);
    am_status status = am_buffer_status(&path);
    if (!status) status = am_tokenizer_open(am_buffer_text(&path), AM_TOKENIZER_FILE, &run->tokenizer);
    if (!status) status = encode_words(run, json, &e);
    if (!status) {
        am_verify_encoding(run, json, &e);
        am_encoding_deinit(&e);
    }
    am_verify_end_case(run);
    close_component(run);
    am_buffer_deinit(&path);
    return status;
}

am_status am_verify_units(am_verify_run *run, const char *folder)
{
    am_arena arena = {0};
    static const char *const names[] = {"normalizers.jsonl",        "pre_tokenizers.jsonl", "decoders.json",
                                        "truncation_padding.jsonl", "pretokenized.jsonl",   "../wordlevel"};
    char *paths[6];
    am_status status = NULL;
    for (size_t i = 0; i < 6; i++)
        if (!(paths[i] = am_path_join(&arena, folder, names[i]))) status = am_out_of_memory();
    run->folder = folder;
    if (!status) status = am_verify_lines(run, paths[0], verify_normalizer);
    if (!status) status = am_verify_lines(run, paths[1], verify_pre_tokenizer);
    if (!status) status = verify_decoders(run, paths[2]);
    if (!status) status = am_tokenizer_open(paths[5], AM_TOKENIZER_FILE, &run->tokenizer);
    snprintf(run->where, sizeof run->where, "truncation and padding");
    if (!status) status = am_verify_lines(run, paths[3], verify_settings);
    close_component(run);
    snprintf(run->where, sizeof run->where, "words");
    run->line = 0;
    if (!status) status = am_verify_lines(run, paths[4], verify_words);
    am_arena_deinit(&arena);
    return status;
}
