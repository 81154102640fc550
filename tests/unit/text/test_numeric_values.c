/* Numbers and dates in texts, recorded by tools/record/record_numeric_values.py. */
#include "base/json.h"
#include "text/numeric_values.h"

#include "test_support.h"

#include <math.h>

static bool is_same(am_json expected, const am_numeric_value *found)
{
    int part = 0;
    if (am_json_kind_of(expected) != AM_JSON_ARRAY)
        return !found->is_date && am_json_real(expected, NAN) == found->parts[0];
    bool same = found->is_date;
    for (am_json_iterator i = am_json_iterate(expected); am_json_next(&i);)
        same = am_json_real(i.value, 0) == found->parts[part++] && same;
    return same;
}

static void check_values(am_json_string text, am_json expected)
{
    am_arena arena = {0};
    am_numeric_values found;
    size_t count = 0;
    am_test_expect_ok(am_numeric_values_find(text.bytes, text.length, &arena, &found));
    bool same = found.count == am_json_count(expected);
    for (am_json_iterator i = am_json_iterate(expected); am_json_next(&i) && same;)
        same = is_same(i.value, &found.items[count++]);
    if (!same) {
        am_buffer wanted = {0};
        am_json_write(expected, &wanted);
        fail_msg("\"%s\": expected %s, found %zu values, the first %g", text.bytes, am_buffer_text(&wanted),
                 found.count, found.count ? found.items[0].parts[0] : 0);
    }
    am_arena_deinit(&arena);
}

static void text_numeric_values__are_those_of_tapas(void **state)
{
    am_json_document *recorded;
    int count = 0;
    (void)state;
    am_test_expect_ok(am_json_open(am_test_source_path("tests/unit/text/data/numeric_values.json"), &recorded));
    for (am_json_iterator row = am_json_iterate(am_json_root(recorded)); am_json_next(&row); count++) {
        am_json fields[3];
        am_json_iterator i = am_json_iterate(row.value);
        for (int k = 0; k < 3; k++) {
            assert_true(am_json_next(&i));
            fields[k] = i.value;
        }
        am_json_string text = am_json_text(fields[0]);
        check_values(text, fields[1]);
        if (am_text_says_nothing(text.bytes, text.length) != am_json_bool(fields[2], false))
            fail_msg("\"%s\" says something or nothing", text.bytes);
    }
    assert_true(count > 200);
    am_json_close(recorded);
}
