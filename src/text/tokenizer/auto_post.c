/* Helpers of the classes: fields of tokenizer_config.json, and post-processors written as JSON. */
#include "text/tokenizer/auto.h"

#include <inttypes.h>
#include <stdlib.h>

/* ---- fields ---- */

bool am_auto_bool(const am_auto *a, const char *key, bool fallback)
{
    am_json value = am_json_get(a->config, key);
    return am_json_kind_of(value) == AM_JSON_MISSING ? fallback : am_json_bool(value, false);
}

const char *am_auto_json_bool(const am_auto *a, const char *key, bool fallback)
{
    return am_auto_bool(a, key, fallback) ? "true" : "false";
}

am_text am_auto_config_text(const am_auto *a, const char *key, const char *fallback)
{
    am_json value = am_json_get(a->config, key);
    return am_json_kind_of(value) == AM_JSON_STRING ? am_text_of(value) : (am_text){fallback, strlen(fallback)};
}

bool am_auto_file_has_post_processor(const am_auto *a)
{
    return am_json_kind_of(am_json_get(a->file, "post_processor")) == AM_JSON_OBJECT;
}

int64_t am_auto_find_piece(const am_auto *a, am_text piece, bool with_score_zero, int64_t first)
{
    int64_t index = 0;
    for (size_t i = (size_t)first; a->pieces && i < a->piece_count; i++)
        if (am_text_equal(a->pieces[i].text, piece) && (!with_score_zero || a->pieces[i].score == 0)) return (int64_t)i;
    for (am_json_iterator i = am_json_iterate(am_json_get_path(a->file, "model.vocab")); am_json_next(&i); index++) {
        am_json_iterator fields = am_json_iterate(i.value);
        if (index < first || !am_json_next(&fields) || !am_text_equal(am_text_of(fields.value), piece)) continue;
        bool zero = am_json_next(&fields) && am_json_real(fields.value, 1) == 0;
        if (zero || !with_score_zero) return index;
    }
    return -1;
}

void am_auto_append_item(am_buffer *out, const char *json)
{
    if (out->length && out->bytes[out->length - 1] != '[') am_buffer_append_char(out, ',');
    am_buffer_append_string(out, json);
}

int64_t am_auto_unk_id(const am_auto *a, int64_t fallback)
{
    return a->spm ? a->spm->unk_id : am_json_int(am_json_get(a->config, "unk_id"), fallback);
}

static void append_base64(am_buffer *out, am_text bytes)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t at = 0; at < bytes.length; at += 3) {
        size_t left = bytes.length - at;
        uint32_t bits = 0;
        for (size_t i = 0; i < 3; i++) bits = bits << 8 | (i < left ? (unsigned char)bytes.bytes[at + i] : 0);
        for (size_t i = 0; i < 4; i++) am_buffer_append_char(out, i <= left ? digits[bits >> (18 - 6 * i) & 63] : '=');
    }
}

bool am_auto_append_charsmap(am_auto *a, am_buffer *out)
{
    am_text map_bytes = a->spm ? a->spm->normalizer.charsmap : (am_text){0};
    if (map_bytes.length) {
        am_auto_append_item(out, "{\"type\":\"Precompiled\",\"precompiled_charsmap\":\"");
        append_base64(out, map_bytes);
        am_buffer_append_string(out, "\"}");
        return true;
    }
    am_json normalizer = am_json_get(a->file, "normalizer"), items = am_json_get(normalizer, "normalizers");
    am_json found = am_json_equals(am_json_get(normalizer, "type"), "Precompiled") ? normalizer : (am_json){0};
    for (am_json_iterator i = am_json_iterate(items); am_json_next(&i) && !found.document;)
        if (am_json_equals(am_json_get(i.value, "type"), "Precompiled")) found = i.value;
    am_json_string map = am_json_text(am_json_get(found, "precompiled_charsmap"));
    if (!found.document || !map.length) return false;
    am_auto_append_item(out, "{\"type\":\"Precompiled\",\"precompiled_charsmap\":");
    am_buffer_append_json_string(out, map.bytes, map.length);
    am_buffer_append_char(out, '}');
    return true;
}

void am_auto_append_metaspace(am_buffer *out, const char *scheme, bool split)
{
    am_buffer_printf(out,
                     "{\"type\":\"Metaspace\",\"replacement\":\"\xe2\x96\x81\",\"prepend_scheme\":\"%s\",\"split\":%s}",
                     scheme, split ? "true" : "false");
}

am_status am_auto_token_id(am_auto *a, am_text token, int32_t *out)
{
    *out = am_tokenizer_token_to_id(a->tokenizer, token);
    if (*out < 0) *out = am_tokenizer_token_to_id(a->tokenizer, am_auto_text(a, "unk_token"));
    if (*out >= 0) return NULL;
    return am_error(AM_INVALID_FILE,
                    "%s: special token \"%.*s\" is not in the vocabulary, and neither is the unknown token",
                    a->loader.name, (int)(token.length < 60 ? token.length : 60), token.bytes);
}

/* ---- templates ---- */

/* A word of a template: a text, or a token with its id. */
typedef struct place {
    int sequence; /* -1: a token */
    int type_id;
    am_text token;
    int32_t id;
} place;

static am_status read_name(am_auto *a, am_text word, place *out)
{
    const char *at = word.length && word.bytes[0] == '=' ? memchr(word.bytes, '@', word.length) : word.bytes - 1;
    char name[40];
    if (word.length && word.bytes[0] == '=') {
        size_t end = at ? (size_t)(at - word.bytes) : word.length;
        out->token = (am_text){word.bytes + 1, end - 1};
        if (!at) return am_auto_token_id(a, out->token, &out->id);
    }
    size_t length = (size_t)(word.bytes + word.length - at - 1);
    if (length + 7 > sizeof name)
        return am_error(AM_INTERNAL, "a template names \"%.*s\"", (int)word.length, word.bytes);
    memcpy(name, at + 1, length);
    memcpy(name + length, "_token", 7);
    am_text named = am_auto_text(a, name);
    if (word.bytes[0] != '=') out->token = named;
    return am_auto_token_id(a, named, &out->id);
}

static am_status read_word(am_auto *a, am_text word, place *out)
{
    const char *colon = memchr(word.bytes, ':', word.length);
    *out = (place){.sequence = -1};
    if (colon) {
        out->type_id = atoi(colon + 1);
        word.length = (size_t)(colon - word.bytes);
    }
    if (am_text_is(word, "A") || am_text_is(word, "B")) {
        out->sequence = word.bytes[0] - 'A';
        return NULL;
    }
    return read_name(a, word, out);
}

static void put_place(am_buffer *out, const place *at, bool first)
{
    if (!first) am_buffer_append_char(out, ',');
    if (at->sequence >= 0) {
        am_buffer_printf(out, "{\"Sequence\":{\"id\":\"%c\",\"type_id\":%d}}", 'A' + at->sequence, at->type_id);
        return;
    }
    am_buffer_append_string(out, "{\"SpecialToken\":{\"id\":");
    am_buffer_append_json_string(out, at->token.bytes, at->token.length);
    am_buffer_printf(out, ",\"type_id\":%d}}", at->type_id);
}

static void put_special(am_buffer *out, const place *at)
{
    if (at->sequence >= 0) return;
    if (out->length) am_buffer_append_char(out, ',');
    am_buffer_append_json_string(out, at->token.bytes, at->token.length);
    am_buffer_append_string(out, ":{\"id\":");
    am_buffer_append_json_string(out, at->token.bytes, at->token.length);
    am_buffer_printf(out, ",\"ids\":[%" PRId32 "],\"tokens\":[", at->id);
    am_buffer_append_json_string(out, at->token.bytes, at->token.length);
    am_buffer_append_string(out, "]}");
}

/* Appends the places of one template and their tokens. */
static am_status put_words(am_auto *a, const char *words, am_buffer *out, am_buffer *specials)
{
    for (const char *word = words, *end; *word; word = *end ? end + 1 : end) {
        place at;
        end = word + strcspn(word, " ");
        AM_TRY(read_word(a, (am_text){word, (size_t)(end - word)}, &at));
        put_place(out, &at, word == words);
        put_special(specials, &at);
    }
    return NULL;
}

static void start_template(am_buffer *out)
{
    am_buffer_clear(out);
    am_buffer_append_string(out, "{\"type\":\"TemplateProcessing\",\"single\":[");
}

static am_status end_template(am_buffer *out, am_buffer *specials)
{
    am_buffer_append_string(out, "],\"special_tokens\":{");
    am_buffer_append(out, am_buffer_text(specials), specials->length);
    am_buffer_append_string(out, "}}");
    am_status status = am_buffer_status(specials);
    am_buffer_deinit(specials);
    return status ? status : am_buffer_status(out);
}

am_status am_auto_template(am_auto *a, const char *single, const char *pair)
{
    am_buffer specials = {0};
    start_template(&a->post_processor);
    am_status status = put_words(a, single, &a->post_processor, &specials);
    am_buffer_append_string(&a->post_processor, "],\"pair\":[");
    if (!status) status = put_words(a, pair, &a->post_processor, &specials);
    if (!status) return end_template(&a->post_processor, &specials);
    am_buffer_deinit(&specials);
    return status;
}

static am_status put_tokens(am_auto *a, const am_text *tokens, size_t count, bool first, int type_id,
                            am_buffer *specials)
{
    for (size_t i = 0; i < count; i++) {
        place at = {.sequence = -1, .token = tokens[i], .type_id = type_id};
        AM_TRY(am_auto_token_id(a, tokens[i], &at.id));
        put_place(&a->post_processor, &at, first && i == 0);
        put_special(specials, &at);
    }
    return NULL;
}

/* before A [B] after */
static am_status put_list(am_auto *a, const am_text *before, size_t before_count, const am_text *after,
                          size_t after_count, bool pair, int32_t pair_type, am_buffer *specials)
{
    place texts[2] = {{.sequence = 0}, {.sequence = 1, .type_id = pair_type}};
    AM_TRY(put_tokens(a, before, before_count, true, 0, specials));
    put_place(&a->post_processor, &texts[0], before_count == 0);
    if (pair) put_place(&a->post_processor, &texts[1], false);
    return put_tokens(a, after, after_count, false, pair ? pair_type : 0, specials);
}

am_status am_auto_template_of(am_auto *a, const am_text *before, size_t before_count, const am_text *after,
                              size_t after_count, int32_t pair_type)
{
    am_buffer specials = {0};
    start_template(&a->post_processor);
    am_status status = put_list(a, before, before_count, after, after_count, false, pair_type, &specials);
    am_buffer_append_string(&a->post_processor, "],\"pair\":[");
    if (!status) status = put_list(a, before, before_count, after, after_count, true, pair_type, &specials);
    if (!status) return end_template(&a->post_processor, &specials);
    am_buffer_deinit(&specials);
    return status;
}

static am_status put_pair(am_auto *a, const char *key, const char *name)
{
    int32_t id;
    am_text token = am_auto_text(a, name);
    AM_TRY(am_auto_token_id(a, token, &id));
    am_buffer_printf(&a->post_processor, ",\"%s\":[", key);
    am_buffer_append_json_string(&a->post_processor, token.bytes, token.length);
    am_buffer_printf(&a->post_processor, ",%" PRId32 "]", id);
    return NULL;
}

am_status am_auto_roberta(am_auto *a, const char *sep, const char *cls, bool trim_offsets, bool add_prefix_space)
{
    am_buffer_clear(&a->post_processor);
    am_buffer_append_string(&a->post_processor, "{\"type\":\"RobertaProcessing\"");
    AM_TRY(put_pair(a, "sep", sep));
    AM_TRY(put_pair(a, "cls", cls));
    am_buffer_printf(&a->post_processor, ",\"trim_offsets\":%s,\"add_prefix_space\":%s}",
                     trim_offsets ? "true" : "false", add_prefix_space ? "true" : "false");
    return am_buffer_status(&a->post_processor);
}

am_status am_auto_update_post_processor(am_auto *a)
{
    bool bos = a->add_bos && am_auto_named(a, "bos_token")->kind >= AM_AUTO_STRING;
    bool eos = a->add_eos && am_auto_named(a, "eos_token")->kind >= AM_AUTO_STRING;
    if (bos && eos) return am_auto_template(a, "bos A eos", "bos A eos bos:1 B:1 eos:1");
    if (bos) return am_auto_template(a, "bos A", "bos A bos:1 B:1");
    return eos ? am_auto_template(a, "A eos", "A eos B:1 eos:1") : am_auto_template(a, "A", "A B:1");
}

am_status am_auto_use_post_processor(am_auto *a)
{
    am_json_document *document;
    AM_TRY(am_json_parse(am_buffer_text(&a->post_processor), a->post_processor.length, a->loader.name, &document));
    am_status status = am_post_processor_parse(&a->loader, am_json_root(document), &a->tokenizer->post_processor);
    am_json_close(document);
    return status;
}
