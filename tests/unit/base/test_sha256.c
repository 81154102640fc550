#include "test_support.h"

#include "base/sha256.h"

#include <string.h>

static void expect_digest(const char *text, size_t length, size_t part, const char *expected)
{
    uint8_t digest[AM_SHA256_BYTES];
    char found[AM_SHA256_TEXT];
    am_sha256 hash;
    am_sha256_begin(&hash);
    for (size_t i = 0; i < length; i += part) am_sha256_add(&hash, text + i, length - i < part ? length - i : part);
    am_sha256_end(&hash, digest);
    am_sha256_text(digest, found);
    assert_string_equal(found, expected);
}

/* The examples of FIPS 180-4 (NIST's SHA256.pdf). */
static void base_sha256__gives_the_digests_of_the_standard(void **state)
{
    const char *two = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
    expect_digest("", 0, 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    expect_digest("abc", 3, 3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    for (size_t part = 1; part <= 56; part += 5)
        expect_digest(two, 56, part, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

/* A million letters a, also of NIST; in parts that never end where blocks do. */
static void base_sha256__takes_long_texts_in_parts(void **state)
{
    static char letters[1000000];
    memset(letters, 'a', sizeof letters);
    expect_digest(letters, sizeof letters, 7919, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}
