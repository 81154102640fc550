/* Regular expressions: Oniguruma's, run by PCRE2. Every pattern is compiled twice: as it is, and with the
   code points that are younger than PCRE2's tables spelled out, which is slower and only used for texts that
   hold such code points. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "text/tokenizer/internal.h"

#include "base/memory.h"

#include <pcre2.h>

struct am_regex {
    char *literal; /* null: a pattern */
    size_t literal_length;
    pcre2_code *fast, *exact;
    bool is_rare; /* what it has of Unicode 15 and 16 is more than new letters, numbers .. */
};

/* Steps of one search. The patterns of real tokenizers need a few per character. */
enum { MATCH_LIMIT = 10 * 1000 * 1000, HEAP_LIMIT_KIB = 64 * 1024, JIT_STACK_BYTES = 1 << 20, PATTERN_LIMIT = 1 << 16 };

static void *pcre2_alloc(size_t bytes, void *unused)
{
    (void)unused;
    return am_alloc(bytes);
}

static void pcre2_release(void *memory, void *unused)
{
    (void)unused;
    am_free(memory);
}

static am_status compile_error(am_text pattern, int code, size_t offset)
{
    PCRE2_UCHAR message[160] = "";
    if (code == PCRE2_ERROR_NOMEMORY || code == PCRE2_ERROR_HEAP_FAILED) return am_out_of_memory();
    pcre2_get_error_message(code, message, sizeof message);
    return am_error(AM_INVALID_FILE, "regular expression \"%.*s\": %s (near byte %zu of its translation)",
                    (int)(pattern.length < 200 ? pattern.length : 200), pattern.bytes, (const char *)message, offset);
}

static am_status compile(am_text pattern, bool exact, pcre2_code **out, bool *is_rare)
{
    am_buffer translated = {0};
    am_status status = am_regex_translate(pattern, exact, &translated, is_rare);
    if (!status) status = am_buffer_status(&translated);
    pcre2_general_context *memory = NULL;
    pcre2_compile_context *context = NULL;
    if (!status) {
        memory = pcre2_general_context_create(pcre2_alloc, pcre2_release, NULL);
        context = memory ? pcre2_compile_context_create(memory) : NULL;
        if (!context) status = am_out_of_memory();
    }
    if (!status) {
        int code;
        PCRE2_SIZE offset;
        pcre2_set_newline(context, PCRE2_NEWLINE_LF);
        pcre2_set_bsr(context, PCRE2_BSR_UNICODE);
        *out =
            pcre2_compile((PCRE2_SPTR)am_buffer_text(&translated), translated.length,
                          PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C, &code, &offset, context);
        if (!*out) status = compile_error(pattern, code, offset);
    }
    pcre2_compile_context_free(context);
    pcre2_general_context_free(memory);
    am_buffer_deinit(&translated);
    return status;
}

am_status am_regex_create(am_text pattern, bool literal, am_regex **out)
{
    *out = NULL;
    if (pattern.length > PATTERN_LIMIT)
        return am_error(AM_INVALID_FILE, "pattern of %zu bytes, more than the limit of %d", pattern.length,
                        PATTERN_LIMIT);
    am_regex *regex = am_alloc_zeroed(1, sizeof *regex);
    if (!regex) return am_out_of_memory();
    am_status status = NULL;
    if (literal) {
        regex->literal = am_copy_string(pattern.bytes, pattern.length);
        regex->literal_length = pattern.length;
        if (!regex->literal) status = am_out_of_memory();
    } else {
        status = compile(pattern, false, &regex->fast, &regex->is_rare);
        if (!status) status = compile(pattern, true, &regex->exact, &regex->is_rare);
        /* Without just-in-time compilation (no memory, no permission) the pattern is interpreted. */
        if (!status) (void)pcre2_jit_compile(regex->fast, PCRE2_JIT_COMPLETE);
    }
    if (status) am_regex_destroy(regex);
    else *out = regex;
    return status;
}

void am_regex_destroy(am_regex *regex)
{
    if (!regex) return;
    pcre2_code_free(regex->fast);
    pcre2_code_free(regex->exact);
    am_free(regex->literal);
    am_free(regex);
}

void am_regex_free_scratch(am_scratch *s)
{
    pcre2_match_data_free(s->regex_data);
    pcre2_match_context_free(s->regex_context);
    pcre2_jit_stack_free(s->regex_stack);
    s->regex_data = s->regex_context = s->regex_stack = NULL;
}

static bool prepare_scratch(am_scratch *s)
{
    if (s->regex_data) return true;
    pcre2_general_context *memory = pcre2_general_context_create(pcre2_alloc, pcre2_release, NULL);
    if (memory) {
        s->regex_context = pcre2_match_context_create(memory);
        s->regex_stack = pcre2_jit_stack_create(32 * 1024, JIT_STACK_BYTES, memory);
        s->regex_data = pcre2_match_data_create(1, memory);
        pcre2_general_context_free(memory);
    }
    if (!s->regex_context || !s->regex_stack || !s->regex_data) {
        am_regex_free_scratch(s);
        s->failed = true;
        return false;
    }
    pcre2_set_match_limit(s->regex_context, MATCH_LIMIT);
    pcre2_set_depth_limit(s->regex_context, MATCH_LIMIT);
    pcre2_set_heap_limit(s->regex_context, HEAP_LIMIT_KIB);
    pcre2_jit_stack_assign(s->regex_context, NULL, s->regex_stack);
    return true;
}

static void match_literal(const am_regex *regex, am_scratch *s, const char *text, uint32_t length)
{
    uint32_t last = 0, wanted = (uint32_t)regex->literal_length;
    for (uint32_t at = 0; wanted && at + wanted <= length;) {
        const char *found = memchr(text + at, regex->literal[0], length - at - wanted + 1);
        if (!found) break;
        at = (uint32_t)(found - text);
        if (memcmp(found, regex->literal, wanted) != 0) {
            at++;
            continue;
        }
        if (last < at) am_scratch_add_match(s, last, at, false);
        am_scratch_add_match(s, at, at + wanted, true);
        last = at += wanted;
    }
    if (last < length) am_scratch_add_match(s, last, length, false);
}

static am_status match_error(int code, uint32_t offset)
{
    if (code == PCRE2_ERROR_NOMEMORY) return am_out_of_memory();
    PCRE2_UCHAR message[160] = "";
    pcre2_get_error_message(code, message, sizeof message);
    return am_error(AM_OUT_OF_RANGE, "a regular expression of the tokenizer gave up at byte %u of the text: %s",
                    (unsigned)offset, (const char *)message);
}

am_status am_regex_match_all(const am_regex *regex, am_scratch *s, const char *text, uint32_t length)
{
    s->match_count = 0;
    if (length == 0) am_scratch_add_match(s, 0, 0, false);
    if (length == 0 || s->failed) return NULL;
    if (regex->literal) {
        match_literal(regex, s, text, length);
        return NULL;
    }
    if (!prepare_scratch(s)) return NULL;
    const pcre2_code *code = am_text_has_new_chars(text, length, regex->is_rare) ? regex->exact : regex->fast;
    const PCRE2_SIZE *found = pcre2_get_ovector_pointer(s->regex_data);
    uint32_t last = 0, last_match = UINT32_MAX;
    for (uint32_t from = 0; from <= length && !s->failed;) {
        int count =
            pcre2_match(code, (PCRE2_SPTR)text, length, from, PCRE2_NO_UTF_CHECK, s->regex_data, s->regex_context);
        if (count == PCRE2_ERROR_NOMATCH) break;
        if (count < 0) return match_error(count, from);
        uint32_t start = (uint32_t)found[0], end = (uint32_t)found[1];
        if (start > end) break;                  /* \K in a lookahead */
        if (start == end && last_match == end) { /* no empty match right behind a match */
            from += from < length ? am_char_length(text[from]) : 1;
            continue;
        }
        if (last < start) am_scratch_add_match(s, last, start, false);
        am_scratch_add_match(s, start, end, true);
        last = last_match = from = end;
    }
    if (last < length) am_scratch_add_match(s, last, length, false);
    return NULL;
}
