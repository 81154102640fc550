/* What the tests of src/media share. */
#ifndef AM_TEST_MEDIA_SUPPORT_H
#define AM_TEST_MEDIA_SUPPORT_H

#include "test_support.h"

#include "base/json.h"
#include "base/memory.h"
#include "media/image.h"

#include <stdlib.h>
#include <string.h>

static inline const char *media_data(const char *name)
{
    return am_test_source_path(am_test_format("tests/unit/media/data/%s", name));
}

/* Calls run(context) with the n-th allocation failing, for n = 0, 1, ... until it gets through, and expects
   AM_OUT_OF_MEMORY from all before. */
static inline void expect_clean_failures(am_status (*run)(void *context), void *context)
{
    for (int n = 0;; n++) {
        assert_true(n < 2000);
        am_memory_fail_after(n);
        am_status status = run(context);
        am_memory_fail_after(-1);
        if (!status) {
            assert_true(n > 0);
            return;
        }
        am_test_expect_error(status, AM_OUT_OF_MEMORY, "");
    }
}

/* The same bytes in a block of just their size, so that a sanitizer sees what is read past it. */
static inline uint8_t *exact_copy(const void *bytes, size_t size_bytes)
{
    uint8_t *copy = malloc(size_bytes ? size_bytes : 1);
    assert_non_null(copy);
    if (size_bytes) memcpy(copy, bytes, size_bytes);
    return copy;
}

static inline am_json_document *parse_json(const char *text)
{
    am_json_document *document = NULL;
    am_test_expect_ok(am_json_parse(text, strlen(text), "test", &document));
    return document;
}

#endif
