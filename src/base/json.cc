/* The one C++ file: a C face on simdjson's document tape (its doc/tape.md), which is an array of 64-bit
   words: a type in the top byte and a payload below. A value is named by the index of its word. */
#include "base/json.h"

extern "C" {
#include "base/file.h"
#include "base/memory.h"
#include "base/threads.h"
}

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <simdjson.h>
#include <string>

namespace dom = simdjson::dom;
using simdjson::internal::tape_ref;
using simdjson::internal::tape_type;

enum { DEPTH_LIMIT = 512 };

struct am_json_document {
    dom::document tape;
    bool has_bare_words = false; /* Infinity and the like were turned into strings */
};

static const am_json_document *document_of(am_json value)
{
    return static_cast<const am_json_document *>(value.document);
}

static tape_ref ref_of(am_json value)
{
    return tape_ref(&document_of(value)->tape, value.index);
}

static am_json value_at(am_json base, size_t index)
{
    return am_json{base.document, index};
}

static am_json missing()
{
    return am_json{nullptr, 0};
}

/* Stands before the words that were bare, so that "NaN" with quotes stays a string. */
static const char MARK[] = "\\u0000";

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Infinity, -Infinity or NaN at the start of the text (and not as a key), or null. */
static const char *bare_word(const char *text, size_t length)
{
    for (const char *word : {"-Infinity", "Infinity", "NaN"}) {
        size_t end = strlen(word);
        if (length < end || memcmp(text, word, end) != 0) continue;
        while (end < length && is_space(text[end])) end++;
        return end < length && text[end] == ':' ? nullptr : word;
    }
    return nullptr;
}

/* Copies a number that simdjson may refuse: integers beyond 64 bits become reals, reals beyond double
 * infinities. */
static bool rewrite_number(const std::string &number, std::string &out)
{
    char *end;
    double real = strtod(number.c_str(), &end);
    bool whole = number.find_first_of(".eE") == std::string::npos, beyond = std::fabs(real) >= 0x1p63;
    if (*end || !beyond || (!whole && !std::isinf(real))) {
        out.append(number);
        return false;
    }
    if (std::isinf(real)) out.append("\"").append(MARK).append(real < 0 ? "-Infinity\"" : "Infinity\"");
    else out.append(number).append(".0");
    return std::isinf(real);
}

/* Copies JSON as Python writes it into JSON as simdjson reads it. Sets *has_bare_words when it made marked
 * strings. */
static void rewrite_numbers(const char *text, size_t length, std::string &out, bool *has_bare_words)
{
    bool in_string = false;
    for (size_t i = 0; i < length;) {
        const char *word = in_string ? nullptr : bare_word(text + i, length - i);
        size_t digits = 0;
        if (!in_string && !word)
            while (i + digits < length && text[i + digits] && strchr("+-.0123456789eE", text[i + digits])) digits++;
        if (word) {
            out.append("\"").append(MARK).append(word).append("\"");
            i += strlen(word);
            *has_bare_words = true;
        } else if (digits) {
            if (rewrite_number(std::string(text + i, digits), out)) *has_bare_words = true;
            i += digits;
        } else {
            if (text[i] == '"') in_string = !in_string;
            if (in_string && text[i] == '\\' && i + 1 < length) out.push_back(text[i++]);
            out.push_back(text[i++]);
        }
    }
}

/* Texts of which the memory is made ready before they are parsed, and the most of each array that is. */
static const size_t LARGE_TEXT = 1 << 20, MOST_POPULATED = 1 << 26;

/* A text and the memory that parsing it takes. */
struct workspace {
    const char *text;
    size_t length;
    char *copy;
    uint32_t *indexes;
    uint64_t *tape;
    uint8_t *strings;
};

/* Copies the text, and has pages provided for the rest: about as many as a tokenizer.json needs. */
static void prepare_part(workspace *w, int64_t part)
{
    size_t bytes = w->length < LARGE_TEXT ? 0 : std::min(w->length, MOST_POPULATED);
    if (part == 0) memcpy(w->copy, w->text, w->length);
    else if (part == 1) am_memory_populate(w->indexes, bytes / 4 * 3);
    else if (part == 2) am_memory_populate(w->tape, bytes);
    else am_memory_populate(w->strings, bytes / 3 * 2);
}

static void prepare(void *context, int64_t begin, int64_t end)
{
    for (int64_t part = begin; part < end; part++) prepare_part(static_cast<workspace *>(context), part);
}

/* simdjson reads beyond the end, so that it gets a copy with room there. */
static simdjson::error_code parse_into(const char *text, size_t length, dom::document &out)
{
    dom::parser parser(simdjson::SIMDJSON_MAXSIZE_BYTES);
    std::unique_ptr<char, decltype(&am_free)> copy(
        static_cast<char *>(am_alloc_table(length + simdjson::SIMDJSON_PADDING, 1)), am_free);
    if (!copy) return simdjson::MEMALLOC;
    memset(copy.get() + length, 0, simdjson::SIMDJSON_PADDING);
    simdjson::error_code error = parser.allocate(length + 1, DEPTH_LIMIT);
    if (!error) error = out.allocate(length + 1);
    if (error) return error;
    am_memory_prefer_large_pages(parser.implementation->structural_indexes.get(), length * sizeof(uint32_t));
    am_memory_prefer_large_pages(out.tape.get(), length * sizeof(uint64_t));
    am_memory_prefer_large_pages(out.string_buf.get(), length);
    workspace w = {text,           length,
                   copy.get(),     parser.implementation->structural_indexes.get(),
                   out.tape.get(), out.string_buf.get()};
    am_parallel_for(4, length < LARGE_TEXT ? 4 : 1, prepare, &w);
    return parser.parse_into_document(out, copy.get(), length, false).error();
}

static am_status parse(const char *text, size_t length, const char *name, am_json_document *document)
{
    if (length >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) text += 3, length -= 3;
    if (length == 0) return am_error(AM_INVALID_FILE, "%s: not JSON: the text is empty", name);
    simdjson::error_code error = parse_into(text, length, document->tape);
    if (error && error != simdjson::DEPTH_ERROR && error != simdjson::MEMALLOC) {
        std::string rewritten;
        rewritten.reserve(length + 64);
        rewrite_numbers(text, length, rewritten, &document->has_bare_words);
        if (rewritten.size() != length) error = parse_into(rewritten.data(), rewritten.size(), document->tape);
    }
    if (error == simdjson::MEMALLOC) return am_out_of_memory();
    if (error == simdjson::DEPTH_ERROR)
        return am_error(AM_INVALID_FILE, "%s: JSON nested more than %d levels deep", name, DEPTH_LIMIT);
    if (error) return am_error(AM_INVALID_FILE, "%s: not JSON: %s", name, simdjson::error_message(error));
    return nullptr;
}

am_status am_json_parse(const char *text, size_t length, const char *name, am_json_document **out)
{
    *out = nullptr;
    void *memory = am_alloc(sizeof(am_json_document));
    if (!memory) return am_out_of_memory();
    auto *document = new (memory) am_json_document;
    am_status status;
    try {
        status = parse(text, length, name, document);
    } catch (const std::bad_alloc &) {
        status = am_out_of_memory();
    }
    if (status) am_json_close(document);
    else *out = document;
    return status;
}

am_status am_json_open(const char *path, am_json_document **out)
{
    am_mapped_file file;
    *out = nullptr;
    am_status status = am_file_map(path, &file);
    if (status) return status;
    if (file.size_bytes > (size_t)1 << 30)
        status =
            am_error(AM_INVALID_FILE, "%s: %zu bytes of JSON, more than the limit of 1 GiB", path, file.size_bytes);
    else status = am_json_parse(reinterpret_cast<const char *>(file.bytes), file.size_bytes, path, out);
    am_file_unmap(&file);
    return status;
}

void am_json_close(am_json_document *document)
{
    if (!document) return;
    document->~am_json_document();
    am_free(document);
}

am_json am_json_root(const am_json_document *document)
{
    return am_json{document, 1};
}

static bool is_bare_word(am_json value, std::string_view text)
{
    if (!document_of(value)->has_bare_words || text.empty() || text[0] != 0) return false;
    return text.substr(1) == "Infinity" || text.substr(1) == "-Infinity" || text.substr(1) == "NaN";
}

am_json_kind am_json_kind_of(am_json value)
{
    if (!value.document) return AM_JSON_MISSING;
    tape_ref ref = ref_of(value);
    switch (ref.tape_ref_type()) {
    case tape_type::START_OBJECT:
        return AM_JSON_OBJECT;
    case tape_type::START_ARRAY:
        return AM_JSON_ARRAY;
    case tape_type::STRING:
        return is_bare_word(value, ref.get_string_view()) ? AM_JSON_REAL : AM_JSON_STRING;
    case tape_type::INT64:
        return AM_JSON_INTEGER;
    case tape_type::UINT64:
    case tape_type::DOUBLE:
        return AM_JSON_REAL;
    case tape_type::TRUE_VALUE:
    case tape_type::FALSE_VALUE:
        return AM_JSON_BOOL;
    default:
        return AM_JSON_NULL;
    }
}

const char *am_json_kind_name(am_json_kind kind)
{
    static const char *const names[] = {"nothing",  "null",     "a boolean", "an integer",
                                        "a number", "a string", "an array",  "an object"};
    return names[kind];
}

static bool key_is(tape_ref key, const char *text, size_t length)
{
    return key.get_string_length() == length && memcmp(key.get_c_str(), text, length) == 0;
}

static am_json get(am_json object, const char *key, size_t length)
{
    am_json found = missing();
    if (am_json_kind_of(object) != AM_JSON_OBJECT) return found;
    size_t end = ref_of(object).matching_brace_index() - 1;
    for (size_t at = object.index + 1; at < end;) {
        am_json member = value_at(object, at + 1);
        if (key_is(ref_of(value_at(object, at)), key, length)) found = member;
        at = ref_of(member).after_element();
    }
    return found;
}

am_json am_json_get(am_json object, const char *key)
{
    return get(object, key, strlen(key));
}

am_json am_json_get_path(am_json object, const char *dotted_path)
{
    while (object.document) {
        const char *dot = strchr(dotted_path, '.');
        if (!dot) return am_json_get(object, dotted_path);
        object = get(object, dotted_path, (size_t)(dot - dotted_path));
        dotted_path = dot + 1;
    }
    return missing();
}

size_t am_json_count(am_json value)
{
    am_json_kind kind = am_json_kind_of(value);
    if (kind != AM_JSON_ARRAY && kind != AM_JSON_OBJECT) return 0;
    size_t count = ref_of(value).scope_count();
    if (count < 0xFFFFFF) return count;
    count = 0;
    for (am_json_iterator i = am_json_iterate(value); am_json_next(&i);) count++;
    return count;
}

bool am_json_bool(am_json value, bool fallback)
{
    return am_json_kind_of(value) == AM_JSON_BOOL ? ref_of(value).is_true() : fallback;
}

int64_t am_json_int(am_json value, int64_t fallback)
{
    am_json_kind kind = am_json_kind_of(value);
    if (kind == AM_JSON_INTEGER) return ref_of(value).next_tape_value<int64_t>();
    if (kind != AM_JSON_REAL) return fallback;
    double real = am_json_real(value, 0.5);
    return real >= -9.2e18 && real <= 9.2e18 && real == std::floor(real) ? static_cast<int64_t>(real) : fallback;
}

double am_json_real(am_json value, double fallback)
{
    am_json_kind kind = am_json_kind_of(value);
    if (kind == AM_JSON_INTEGER) return static_cast<double>(ref_of(value).next_tape_value<int64_t>());
    if (kind != AM_JSON_REAL) return fallback;
    tape_ref ref = ref_of(value);
    if (ref.is_double()) return ref.next_tape_value<double>();
    if (ref.is_uint64()) return static_cast<double>(ref.next_tape_value<uint64_t>());
    std::string_view word = ref.get_string_view();
    return word[1] == 'N' ? std::nan("") : word[1] == '-' ? -INFINITY : INFINITY;
}

am_json_string am_json_text(am_json value)
{
    if (am_json_kind_of(value) != AM_JSON_STRING) return am_json_string{"", 0};
    return am_json_string{ref_of(value).get_c_str(), ref_of(value).get_string_length()};
}

bool am_json_equals(am_json value, const char *text)
{
    am_json_string string = am_json_text(value);
    return am_json_kind_of(value) == AM_JSON_STRING && string.length == strlen(text) &&
           memcmp(string.bytes, text, string.length) == 0;
}

bool am_json_strings(am_json value, am_json_string *out, size_t count)
{
    if (am_json_kind_of(value) != AM_JSON_ARRAY || ref_of(value).scope_count() != count) return false;
    for (size_t i = 0; i < count; i++) { /* strings take a word each */
        tape_ref ref = ref_of(value_at(value, value.index + 1 + i));
        if (ref.tape_ref_type() != tape_type::STRING || is_bare_word(value, ref.get_string_view())) return false;
    }
    for (size_t i = 0; i < count; i++) {
        tape_ref ref = ref_of(value_at(value, value.index + 1 + i));
        out[i] = am_json_string{ref.get_c_str(), ref.get_string_length()};
    }
    return true;
}

am_json_iterator am_json_iterate(am_json value)
{
    am_json_kind kind = am_json_kind_of(value);
    am_json_iterator iterator = {value, 0, 0, {"", 0}, missing()};
    if (kind != AM_JSON_ARRAY && kind != AM_JSON_OBJECT) return iterator;
    iterator.position = value.index + 1;
    iterator.end = ref_of(value).matching_brace_index() - 1;
    return iterator;
}

bool am_json_next(am_json_iterator *iterator)
{
    if (iterator->position >= iterator->end) return false;
    am_json container = iterator->container;
    if (am_json_kind_of(container) == AM_JSON_OBJECT) {
        tape_ref key = ref_of(value_at(container, iterator->position));
        iterator->key = am_json_string{key.get_c_str(), key.get_string_length()};
        iterator->position++;
    }
    iterator->value = value_at(container, iterator->position);
    iterator->position = ref_of(iterator->value).after_element();
    return true;
}

static void write_number(am_json value, am_buffer *out)
{
    double real = am_json_real(value, 0);
    if (am_json_kind_of(value) == AM_JSON_INTEGER)
        am_buffer_printf(out, "%lld", static_cast<long long>(am_json_int(value, 0)));
    else if (std::isnan(real)) am_buffer_append_string(out, "NaN");
    else if (std::isinf(real)) am_buffer_append_string(out, real > 0 ? "Infinity" : "-Infinity");
    else if (ref_of(value).is_uint64())
        am_buffer_printf(out, "%llu", static_cast<unsigned long long>(ref_of(value).next_tape_value<uint64_t>()));
    else {
        size_t start = out->length;
        am_buffer_printf(out, "%.17g", real);
        if (!out->failed && !strpbrk(out->bytes + start, ".eE")) am_buffer_append_string(out, ".0");
    }
}

static void write_container(am_json value, am_buffer *out, bool is_object)
{
    bool first = true;
    am_buffer_append_char(out, is_object ? '{' : '[');
    for (am_json_iterator i = am_json_iterate(value); am_json_next(&i); first = false) {
        if (!first) am_buffer_append_char(out, ',');
        if (is_object) {
            am_buffer_append_json_string(out, i.key.bytes, i.key.length);
            am_buffer_append_char(out, ':');
        }
        am_json_write(i.value, out);
    }
    am_buffer_append_char(out, is_object ? '}' : ']');
}

void am_json_write(am_json value, am_buffer *out)
{
    am_json_kind kind = am_json_kind_of(value);
    switch (kind) {
    case AM_JSON_MISSING:
        break;
    case AM_JSON_NULL:
        am_buffer_append_string(out, "null");
        break;
    case AM_JSON_BOOL:
        am_buffer_append_string(out, am_json_bool(value, false) ? "true" : "false");
        break;
    case AM_JSON_STRING:
        am_buffer_append_json_string(out, am_json_text(value).bytes, am_json_text(value).length);
        break;
    case AM_JSON_ARRAY:
    case AM_JSON_OBJECT:
        write_container(value, out, kind == AM_JSON_OBJECT);
        break;
    default:
        write_number(value, out);
        break;
    }
}
