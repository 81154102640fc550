/* A dictionary of jieba and, behind the first zero byte, a text that it cuts. Without a dictionary: the built-in one.
 */
#include "base/utf8.h"
#include "text/tokenizer/jieba.h"

#include "fuzz_parts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Words are the text, in order, each of whole characters. */
static void cut_words(const am_jieba *jieba, am_text text)
{
    am_jieba_cut cut = am_jieba_begin(jieba, text);
    const char *at = text.bytes;
    am_text word;
    am_status status = am_jieba_next(&cut, &word);
    for (; !status && word.length; status = am_jieba_next(&cut, &word)) {
        if (word.bytes != at || !am_utf8_valid(word.bytes, word.length, NULL)) abort();
        at += word.length;
    }
    if (!status && at != text.bytes + text.length) abort();
    if (status && am_status_code(status) != AM_UNSUPPORTED) abort();
    am_status_free(status);
    am_jieba_end(&cut);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char fixed[] = "\xe6\x88\x91\xe7\x88\xb1\xe5\x8c\x97\xe4\xba\xac C++ 3.14\r\nAT&T\xf0\xa0\x80\x80 ";
    am_text parts[2];
    am_jieba *jieba;
    fuzz_cut(data, size, parts, 2);
    setenv("ANYMODEL_JIEBA", "", 1);
    am_status status = parts[0].length ? am_jieba_parse(parts[0], "fuzz", &jieba) : am_jieba_open("/nowhere", &jieba);
    if ((status == NULL) != (jieba != NULL)) abort();
    if (jieba) cut_words(jieba, (am_text){fixed, sizeof fixed - 1});
    if (jieba && am_utf8_valid(parts[1].bytes, parts[1].length, NULL)) cut_words(jieba, parts[1]);
    am_jieba_destroy(jieba);
    am_status_free(status);
    return 0;
}
