/* Any bytes as a golden file: its cases are opened, their weights and inputs made. Files with long numbers are passed
   over: a case may ask for any amount of weights. */
#include "base/json.h"
#include "runtime/golden.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MOST_DIGITS = 3 };

static bool has_long_number(const uint8_t *data, size_t size)
{
    for (size_t i = 0, digits = 0; i < size; i++) {
        digits = isdigit(data[i]) ? digits + 1 : 0;
        if (digits > MOST_DIGITS || data[i] == 'e' || data[i] == 'E') digits += digits ? MOST_DIGITS : 0;
        if (digits > MOST_DIGITS) return true;
    }
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    am_json_document *document = NULL;
    am_tensor_table arrays = {0};
    if (has_long_number(data, size)) return 0;
    am_status status = am_json_parse((const char *)data, size, "golden.json", &document);
    am_json cases = status ? (am_json){0} : am_json_get(am_json_root(document), "cases");
    for (am_json_iterator i = am_json_iterate(cases); am_json_next(&i);) {
        am_golden_case c;
        am_status failed = am_golden_case_open(i.value, "golden.json", &arrays, &c);
        if (am_status_code(failed) == AM_INTERNAL) abort();
        am_golden_case_close(&c);
        am_status_free(failed);
    }
    am_status_free(status);
    am_json_close(document);
    return 0;
}
