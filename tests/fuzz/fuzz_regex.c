/* A pattern of tokenizer.json and, behind the first zero byte, a text that it is matched with. */
#include "base/utf8.h"
#include "text/tokenizer/internal.h"

#include "fuzz_parts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char fixed[] =
    "I'll  go\r\n to 12345 ABCd\xc3\xa9\xcc\x81 \xe4\xbd\xa0\xe5\xa5\xbd... <s>\xf0\x9f\x98\x80";

static void require(bool holds)
{
    if (!holds) abort();
}

/* What matched and what lies between are the text, in order, each of whole characters. */
static void check(const am_scratch *scratch, const char *text, uint32_t length)
{
    uint32_t at = 0;
    for (size_t i = 0; i < scratch->match_count; i++) {
        const am_match *m = &scratch->matches[i];
        require(m->start == at && m->end >= m->start && m->end <= length);
        require(am_utf8_valid(text + m->start, m->end - m->start, NULL));
        at = m->end;
    }
    require(at == length);
}

static void match(const am_regex *regex, am_text text)
{
    static am_scratch *scratch;
    if (!scratch) scratch = am_scratch_create();
    require(scratch != NULL);
    am_scratch_reset(scratch);
    am_status status = am_regex_match_all(regex, scratch, text.bytes, (uint32_t)text.length);
    if (!status && !scratch->failed) check(scratch, text.bytes, (uint32_t)text.length);
    require(!status || am_status_code(status) == AM_OUT_OF_RANGE || am_status_code(status) == AM_OUT_OF_MEMORY);
    am_status_free(status);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    am_text parts[2];
    fuzz_cut(data, size, parts, 2);
    if (!am_utf8_valid(parts[0].bytes, parts[0].length, NULL)) return 0;
    for (int literal = 0; literal < 2; literal++) {
        am_regex *regex;
        am_status status = am_regex_create(parts[0], literal, &regex);
        require((status == NULL) == (regex != NULL));
        require(!status || am_status_code(status) != AM_INTERNAL);
        if (regex) match(regex, (am_text){fixed, sizeof fixed - 1});
        if (regex && am_utf8_valid(parts[1].bytes, parts[1].length, NULL)) match(regex, parts[1]);
        am_regex_destroy(regex);
        am_status_free(status);
    }
    return 0;
}
