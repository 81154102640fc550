#include "text/call_options.h"

#include <string.h>

static am_side read_side(am_json value)
{
    return am_json_equals(value, "left")    ? AM_SIDE_LEFT
           : am_json_equals(value, "right") ? AM_SIDE_RIGHT
                                            : AM_SIDE_DEFAULT;
}

static am_truncation read_truncation(am_json truncation, am_json max_length, am_json padding)
{
    if (am_json_equals(truncation, "only_first")) return AM_TRUNCATE_ONLY_FIRST;
    if (am_json_equals(truncation, "only_second")) return AM_TRUNCATE_ONLY_SECOND;
    bool asked = am_json_bool(truncation, false) || am_json_equals(truncation, "longest_first");
    bool implied = am_json_kind_of(truncation) == AM_JSON_MISSING && am_json_kind_of(padding) == AM_JSON_MISSING &&
                   am_json_kind_of(max_length) != AM_JSON_MISSING;
    return asked || implied ? AM_TRUNCATE_LONGEST_FIRST : AM_TRUNCATE_NEVER;
}

am_encode_options am_call_options_read(am_json arguments)
{
    am_encode_options options = AM_ENCODE_OPTIONS;
    am_json padding = am_json_get(arguments, "padding"), max_length = am_json_get(arguments, "max_length");
    options.add_special_tokens = am_json_bool(am_json_get(arguments, "add_special_tokens"), true);
    options.split_special_tokens = am_json_bool(am_json_get(arguments, "split_special_tokens"), false);
    options.truncation = read_truncation(am_json_get(arguments, "truncation"), max_length, padding);
    options.max_length = (uint64_t)am_json_int(max_length, 0);
    options.stride = (uint32_t)am_json_int(am_json_get(arguments, "stride"), 0);
    options.pad_to_multiple_of = (uint32_t)am_json_int(am_json_get(arguments, "pad_to_multiple_of"), 0);
    options.padding_side = read_side(am_json_get(arguments, "padding_side"));
    options.truncation_side = read_side(am_json_get(arguments, "truncation_side"));
    if (am_json_bool(padding, false) || am_json_equals(padding, "longest")) options.padding = AM_PAD_LONGEST;
    if (am_json_equals(padding, "max_length")) options.padding = AM_PAD_MAX_LENGTH;
    return options;
}

/* --- checking --- */

/* What a member may be: a bool, one of the words, or a whole number up to `most`. */
typedef struct argument {
    const char *name, *expected;
    bool is_flag;
    const char *words[4];
    int64_t most;
} argument;

/* clang-format off */
static const argument known[] = {
    {"add_special_tokens", "true or false", true, {NULL}, 0},
    {"split_special_tokens", "true or false", true, {NULL}, 0},
    {"padding", "true, false, longest, max_length or do_not_pad", true, {"longest", "max_length", "do_not_pad"}, 0},
    {"truncation", "true, false, longest_first, only_first, only_second or do_not_truncate", true,
     {"longest_first", "only_first", "only_second", "do_not_truncate"}, 0},
    {"padding_side", "left or right", false, {"left", "right"}, 0},
    {"truncation_side", "left or right", false, {"left", "right"}, 0},
    {"max_length", "a whole number of tokens", false, {NULL}, INT64_C(1) << 40},
    {"stride", "a whole number of tokens", false, {NULL}, INT32_MAX},
    {"pad_to_multiple_of", "a whole number up to 1048576", false, {NULL}, 1 << 20},
};
/* clang-format on */

static const argument *find_argument(am_json_string name)
{
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strcmp(name.bytes, known[i].name) == 0) return &known[i];
    return NULL;
}

static bool may_be(const argument *a, am_json value)
{
    if (am_json_kind_of(value) == AM_JSON_BOOL) return a->is_flag;
    for (int i = 0; i < 4 && a->words[i]; i++)
        if (am_json_equals(value, a->words[i])) return true;
    int64_t number = am_json_int(value, -1);
    return a->most > 0 && number >= 0 && number <= a->most;
}

am_status am_call_options_check(am_json arguments)
{
    for (am_json_iterator i = am_json_iterate(arguments); am_json_next(&i);) {
        const argument *a = find_argument(i.key);
        if (!a)
            return am_error(AM_INVALID_ARGUMENT, "a tokenizer takes no argument \"%.*s\"",
                            (int)(i.key.length < 64 ? i.key.length : 64), i.key.bytes);
        if (!may_be(a, i.value)) return am_error(AM_INVALID_ARGUMENT, "%s: expected %s", a->name, a->expected);
    }
    return NULL;
}
