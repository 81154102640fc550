/* Words of jieba-rs without its dictionary of Chinese: letters and digits together, all else alone. */
#include "text/tokenizer/jieba.h"

static bool is_ideograph(uint32_t c)
{
    return (c >= 0x3400 && c <= 0x4DBF) || (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0xF900 && c <= 0xFAFF) ||
           (c >= 0x20000 && c <= 0x2A6DF) || (c >= 0x2A700 && c <= 0x2EBEF) || (c >= 0x2F800 && c <= 0x2FA1F);
}

static bool is_alphanumeric(uint32_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* Characters that jieba looks up together. */
static bool is_in_block(uint32_t c)
{
    return is_alphanumeric(c) || (c && c < 0x80 && strchr("+#&._%-", (int)c)) || is_ideograph(c);
}

/* Length of the word of the dictionary at the start, of those that are ASCII; 0: none. */
static size_t listed_length(am_text text)
{
    static const char *const words[] = {"AT&T", "c#", "C#", "c++", "C++"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        size_t length = strlen(words[i]);
        if (length <= text.length && memcmp(text.bytes, words[i], length) == 0) return length;
    }
    return 0;
}

/* Fails when the block at the start holds an ideograph and more. */
static am_status check_block(am_text text)
{
    size_t count = 0, ideographs = 0;
    uint32_t size;
    for (size_t at = 0; at < text.length; at += size, count++) {
        uint32_t c = am_char_at(text.bytes + at, &size);
        if (!is_in_block(c)) break;
        ideographs += is_ideograph(c);
        if (ideographs > 0 && count > 0)
            return am_error(AM_UNSUPPORTED, "the text has Chinese words, which the dictionary of jieba would cut; texts "
                                            "without are read");
    }
    return NULL;
}

am_status am_jieba_next(am_text *rest, am_text *word)
{
    uint32_t size, c = am_char_at(rest->bytes, &size);
    size_t length = listed_length(*rest);
    if (!is_alphanumeric(c) && is_in_block(c)) AM_TRY(check_block(*rest));
    if (length == 0 && is_alphanumeric(c)) {
        AM_TRY(check_block(*rest));
        while (length < rest->length && is_alphanumeric((unsigned char)rest->bytes[length]) &&
               (length == 0 || !listed_length((am_text){rest->bytes + length, rest->length - length})))
            length++;
    }
    if (length == 0 && rest->length > 1 && memcmp(rest->bytes, "\r\n", 2) == 0) length = 2;
    if (length == 0) length = size;
    *word = (am_text){rest->bytes, length};
    rest->bytes += length;
    rest->length -= length;
    return NULL;
}
