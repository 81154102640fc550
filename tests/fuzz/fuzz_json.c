/* Any text through the parser; of what it takes, every value is visited and the ways to reach it must agree.
 */
#include "base/json.h"
#include "base/utf8.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds) abort();
}

static void visit_string(am_json_string text)
{
    require(am_utf8_valid(text.bytes, text.length, NULL));
    require(text.bytes[text.length] == 0);
}

static void visit(am_json value)
{
    am_json_kind kind = am_json_kind_of(value);
    size_t count = 0;
    bool is_number = kind == AM_JSON_INTEGER || kind == AM_JSON_REAL;
    require(kind != AM_JSON_MISSING);
    require((am_json_real(value, 1) == am_json_real(value, 2) || am_json_real(value, 1) != am_json_real(value, 1)) ==
            is_number);
    require(kind != AM_JSON_INTEGER || am_json_int(value, 1) == am_json_int(value, 2));
    visit_string(am_json_text(value));
    for (am_json_iterator i = am_json_iterate(value); am_json_next(&i); count++) {
        if (kind == AM_JSON_OBJECT) {
            visit_string(i.key);
            if (count < 8 && strlen(i.key.bytes) == i.key.length)
                require(am_json_kind_of(am_json_get(value, i.key.bytes)) != AM_JSON_MISSING);
        }
        visit(i.value);
    }
    require(count == am_json_count(value));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    am_json_document *document;
    am_status status = am_json_parse((const char *)data, size, "fuzz", &document);
    require((status == NULL) == (document != NULL));
    if (document) visit(am_json_root(document));
    am_status_free(status);
    am_json_close(document);
    return 0;
}
