#include "test_support.h"

#include "base/utf8.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Another formulation of RFC 3629: decode by the lead byte's ones, then refuse what is too long, a surrogate
   or too large. */
static uint32_t decode(const unsigned char *text, size_t length, size_t *used)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t ones = 0;
    while (ones < 8 && text[0] & 0x80 >> ones) ones++;
    *used = ones ? ones : 1;
    if (ones == 0) return text[0];
    if (ones == 1 || ones > 4 || ones > length) return AM_UTF8_INVALID;
    uint32_t c = text[0] & (0x7Fu >> ones);
    for (size_t i = 1; i < ones; i++) {
        if ((text[i] & 0xC0) != 0x80) return AM_UTF8_INVALID;
        c = c << 6 | (text[i] & 0x3Fu);
    }
    bool bad = c < smallest[ones] || c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF);
    return bad ? AM_UTF8_INVALID : c;
}

static void base_utf8__every_scalar_value_survives(void **state)
{
    for (uint32_t c = 0; c <= 0x110010; c++) {
        char bytes[5] = {0};
        uint32_t back = 0;
        size_t length = am_utf8_put(c, bytes);
        bool scalar = c <= 0x10FFFF && !(c >= 0xD800 && c <= 0xDFFF);
        if (!scalar) {
            assert_int_equal(length, 0);
            continue;
        }
        size_t used = am_utf8_next(bytes, length, &back), expected = c <= 0x7F     ? 1
                                                                     : c <= 0x7FF  ? 2
                                                                     : c <= 0xFFFF ? 3
                                                                                   : 4;
        if (used != length || back != c || length != expected)
            fail_msg("U+%04X came back as U+%04X, %zu bytes of %zu", (unsigned)c, (unsigned)back, used, length);
    }
}

/* All texts of four bytes of which each is one of the borders of the encoding. */
static void base_utf8__decodes_as_the_standard_says(void **state)
{
    static const unsigned char borders[] = {0x00, 0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF,
                                            0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xEC, 0xED, 0xEE,
                                            0xEF, 0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xF8, 0xFF};
    enum { COUNT = sizeof borders };
    for (size_t i = 0; i < (size_t)COUNT * COUNT * COUNT * COUNT; i++) {
        unsigned char text[4] = {borders[i % COUNT], borders[i / COUNT % COUNT], borders[i / COUNT / COUNT % COUNT],
                                 borders[i / COUNT / COUNT / COUNT]};
        for (size_t length = 1; length <= 4; length++) {
            uint32_t c;
            size_t expected_used, used = am_utf8_next((const char *)text, length, &c);
            uint32_t expected = decode(text, length, &expected_used);
            if (c != expected || used < 1 || used > length || (c != AM_UTF8_INVALID && used != expected_used))
                fail_msg("%02x %02x %02x %02x of %zu: U+%04X, %zu bytes", text[0], text[1], text[2], text[3], length,
                         (unsigned)c, used);
        }
    }
}

/* Table 3-8 of the Unicode standard: how many replacement characters ill-formed text stands for. */
static void base_utf8__ill_formed_text_is_cut_at_maximal_subparts(void **state)
{
    assert_int_equal(am_utf8_count("\xC0\xAF\xE0\x80\xBF\xF0\x81\x82\x41", 9), 9);
    assert_int_equal(am_utf8_count("\xED\xA0\x80\xED\xBF\xBF\xED\xAF\x41", 9), 9);
    assert_int_equal(am_utf8_count("\xF4\x91\x92\x93\xFF\x41\x80\xBF\x42", 9), 9);
    assert_int_equal(am_utf8_count("\xE1\x80\xE2\xF0\x91\x92\xF1\xBF\x41", 9), 5);
}

static void base_utf8__finds_the_first_bad_byte(void **state)
{
    size_t bad = 99;
    assert_true(am_utf8_valid("", 0, &bad));
    assert_true(am_utf8_valid("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\0z", 12, &bad));
    assert_int_equal(bad, 99);
    assert_false(am_utf8_valid("a\xc3\xa9\xed\xa0\x80", 6, &bad));
    assert_int_equal(bad, 3);
    assert_false(am_utf8_valid("abc\xe2\x82", 5, &bad));
    assert_int_equal(bad, 3);
    assert_false(am_utf8_valid("\xff", 1, NULL));
}

static void base_utf8__counts_code_points(void **state)
{
    for (int prefix = 0; prefix < 20; prefix++) { /* runs of ASCII around the words that are looked at as a whole */
        char text[64];
        int length = snprintf(text, sizeof text, "%.*s\xE6\x9D\xB1%.*s\xFF%.*s", prefix, "abcdefghijklmnopqrst",
                              prefix % 9, "uvwxyz012", prefix % 5, "\x7F~!?");
        assert_int_equal(am_utf8_count(text, (size_t)length), prefix + 1 + prefix % 9 + 1 + prefix % 5);
    }
    assert_int_equal(am_utf8_count("", 0), 0);
    assert_int_equal(am_utf8_count("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", 10), 4);
}
