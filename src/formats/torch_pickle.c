#include "formats/torch_pickle.h"

#include "base/memory.h"
#include "formats/torch_globals.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    PICKLE_LIMIT_BYTES = 64 << 20,
    VALUES_LIMIT_BYTES = 256 << 20,
    STACK_LIMIT = 1 << 20,
    NUMBER_TEXT = 64, /* bytes of a number written as text */
};

static const int64_t STORAGE_LIMIT = INT64_C(1) << 60;

typedef struct machine {
    const char *path;
    const uint8_t *bytes;
    size_t length, at;
    am_arena *arena;
    am_pickle_value *stack;
    size_t depth, stack_capacity;
    size_t *marks; /* depths of the stack */
    size_t mark_count, mark_capacity;
    am_pickle_value *memo;
    size_t memo_capacity, memo_next;
    const am_pickle_storage *last_storage;
    bool stopped;
} machine;

const char *am_pickle_kind_name(am_pickle_kind kind)
{
    static const char *const names[] = {"nothing",   "None",     "a boolean",     "an integer",   "a number",
                                        "a string",  "a tuple",  "a list",        "a dictionary", "a global",
                                        "a storage", "a tensor", "something else"};
    return names[kind];
}

static bool is_text(const am_pickle_value *value, const char *text)
{
    size_t length = strlen(text);
    return value->kind == AM_PICKLE_STRING && value->length == length && memcmp(value->as.text, text, length) == 0;
}

am_pickle_value am_pickle_get(const am_pickle_value *dict, const char *key)
{
    am_pickle_value found = {0};
    if (dict->kind != AM_PICKLE_DICT) return found;
    for (size_t i = 0; i + 1 < dict->as.items->count; i += 2)
        if (is_text(&dict->as.items->values[i], key)) found = dict->as.items->values[i + 1];
    return found;
}

/* An AM_INVALID_FILE status that says where in the pickle. */
static am_status malformed(const machine *m, const char *format, ...) AM_PRINTF(2, 3) AM_NODISCARD AM_NEVER_NULL;
static am_status malformed(const machine *m, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    am_status status = am_error_v(AM_INVALID_FILE, format, arguments);
    va_end(arguments);
    return am_note(status, "%s: pickle at byte %zu", m->path, m->at);
}

/* Zeroed memory of the arena, within the limit. */
static am_status new_node(machine *m, size_t count, size_t bytes, void *out)
{
    void *node = m->arena->total_bytes > VALUES_LIMIT_BYTES ? NULL : am_arena_array(m->arena, count, bytes);
    memcpy(out, &node, sizeof node);
    if (node) return NULL;
    if (m->arena->total_bytes > VALUES_LIMIT_BYTES)
        return malformed(m, "its values take more than %d bytes", VALUES_LIMIT_BYTES);
    return am_out_of_memory();
}

static am_status take(machine *m, size_t count, const uint8_t **out)
{
    if (count > m->length - m->at)
        return malformed(m, "truncated: %zu bytes wanted, %zu left", count, m->length - m->at);
    *out = m->bytes + m->at;
    m->at += count;
    return NULL;
}

/* A little-endian number of 1 to 8 bytes. */
static am_status take_number(machine *m, size_t bytes, uint64_t *out)
{
    const uint8_t *at;
    AM_TRY(take(m, bytes, &at));
    *out = 0;
    for (size_t i = bytes; i-- > 0;) *out = *out << 8 | at[i];
    return NULL;
}

/* Text up to a line feed, which is taken too. */
static am_status take_line(machine *m, am_pickle_value *out)
{
    const uint8_t *begin = m->bytes + m->at;
    const uint8_t *end = m->at < m->length ? memchr(begin, '\n', m->length - m->at) : NULL;
    if (!end) return malformed(m, "truncated: a line does not end");
    *out =
        (am_pickle_value){.kind = AM_PICKLE_STRING, .length = (uint32_t)(end - begin), .as.text = (const char *)begin};
    m->at += out->length + 1;
    return NULL;
}

static am_status push(machine *m, am_pickle_value value)
{
    if (m->depth == STACK_LIMIT) return malformed(m, "stack deeper than %d", STACK_LIMIT);
    if (m->depth == m->stack_capacity) {
        size_t capacity = m->stack_capacity ? m->stack_capacity * 2 : 256;
        am_pickle_value *stack = am_realloc(m->stack, capacity * sizeof *stack);
        if (!stack) return am_out_of_memory();
        m->stack = stack;
        m->stack_capacity = capacity;
    }
    m->stack[m->depth++] = value;
    return NULL;
}

static am_status push_integer(machine *m, int64_t integer)
{
    return push(m, (am_pickle_value){.kind = AM_PICKLE_INTEGER, .as.integer = integer});
}

static am_status push_kind(machine *m, am_pickle_kind kind, int64_t integer)
{
    return push(m, (am_pickle_value){.kind = kind, .as.integer = integer});
}

/* Values above the last mark, which alone may be popped one by one. */
static size_t available(const machine *m)
{
    return m->depth - (m->mark_count ? m->marks[m->mark_count - 1] : 0);
}

static am_status pop(machine *m, am_pickle_value *out)
{
    if (!available(m)) return malformed(m, "nothing left on the stack");
    *out = m->stack[--m->depth];
    return NULL;
}

static am_status top(machine *m, am_pickle_value **out)
{
    if (!available(m)) return malformed(m, "nothing left on the stack");
    *out = &m->stack[m->depth - 1];
    return NULL;
}

static am_status push_mark(machine *m)
{
    if (m->mark_count == STACK_LIMIT) return malformed(m, "more than %d marks", STACK_LIMIT);
    if (m->mark_count == m->mark_capacity) {
        size_t capacity = m->mark_capacity ? m->mark_capacity * 2 : 64;
        size_t *marks = am_realloc(m->marks, capacity * sizeof *marks);
        if (!marks) return am_out_of_memory();
        m->marks = marks;
        m->mark_capacity = capacity;
    }
    m->marks[m->mark_count++] = m->depth;
    return NULL;
}

/* Takes the values above the last mark off the stack; they stay readable until the next push. */
static am_status pop_to_mark(machine *m, const am_pickle_value **out, size_t *out_count)
{
    if (!m->mark_count) return malformed(m, "no mark on the stack");
    size_t begin = m->marks[--m->mark_count];
    *out = m->stack ? m->stack + begin : NULL; /* no stack when nothing was ever pushed */
    *out_count = m->depth - begin;
    m->depth = begin;
    return NULL;
}

static am_status append(machine *m, am_pickle_items *items, const am_pickle_value *values, size_t count)
{
    if (count > items->capacity - items->count) {
        size_t capacity = items->capacity * 2 > items->count + count ? items->capacity * 2 : items->count + count;
        am_pickle_value *grown;
        AM_TRY(new_node(m, capacity, sizeof *grown, &grown));
        if (items->count) memcpy(grown, items->values, items->count * sizeof *grown);
        items->values = grown;
        items->capacity = capacity;
    }
    if (count) memcpy(items->values + items->count, values, count * sizeof *values);
    items->count += count;
    return NULL;
}

static am_status new_items(machine *m, am_pickle_kind kind, const am_pickle_value *values, size_t count,
                           am_pickle_value *out)
{
    *out = (am_pickle_value){.kind = kind};
    AM_TRY(new_node(m, 1, sizeof *out->as.items, &out->as.items));
    return append(m, out->as.items, values, count);
}

static am_status push_items(machine *m, am_pickle_kind kind, const am_pickle_value *values, size_t count)
{
    am_pickle_value value;
    if (kind == AM_PICKLE_DICT && count % 2) return malformed(m, "a dictionary with a key that has no value");
    AM_TRY(new_items(m, kind, values, count, &value));
    return push(m, value);
}

static am_status push_marked_items(machine *m, am_pickle_kind kind)
{
    const am_pickle_value *values;
    size_t count;
    AM_TRY(pop_to_mark(m, &values, &count));
    return push_items(m, kind, values, count);
}

static am_status push_tuple(machine *m, size_t count)
{
    if (available(m) < count) return malformed(m, "nothing left on the stack");
    m->depth -= count;
    return push_items(m, AM_PICKLE_TUPLE, m->stack + m->depth, count);
}

/* APPEND, SETITEM and their plurals: adds values to the container on top, of this kind. Sets are of no
   interest. */
static am_status extend(machine *m, am_pickle_kind kind, const am_pickle_value *values, size_t count)
{
    am_pickle_value *container;
    AM_TRY(top(m, &container));
    if (container->kind != kind)
        return malformed(m, "adds items to %s, expected %s", am_pickle_kind_name(container->kind),
                         am_pickle_kind_name(kind));
    if (kind == AM_PICKLE_OTHER) return NULL;
    if (kind == AM_PICKLE_DICT && count % 2) return malformed(m, "a dictionary with a key that has no value");
    return append(m, container->as.items, values, count);
}

static am_status extend_one(machine *m, am_pickle_kind kind, size_t count)
{
    if (available(m) < count) return malformed(m, "nothing left on the stack");
    m->depth -= count;
    return extend(m, kind, m->stack + m->depth, count);
}

static am_status extend_marked(machine *m, am_pickle_kind kind)
{
    const am_pickle_value *values;
    size_t count;
    AM_TRY(pop_to_mark(m, &values, &count));
    return extend(m, kind, values, count);
}

/* Every entry takes at least two bytes of the pickle and numbers count up, so that no honest number is above
   the position. */
static am_status put(machine *m, uint64_t number)
{
    am_pickle_value *value;
    AM_TRY(top(m, &value));
    if (number >= m->at) return malformed(m, "memo number %llu is too large", (unsigned long long)number);
    if (number >= m->memo_capacity) {
        size_t capacity = m->memo_capacity ? m->memo_capacity : 256;
        while (capacity <= number) capacity *= 2;
        am_pickle_value *memo = am_realloc(m->memo, capacity * sizeof *memo);
        if (!memo) return am_out_of_memory();
        memset(memo + m->memo_capacity, 0, (capacity - m->memo_capacity) * sizeof *memo);
        m->memo = memo;
        m->memo_capacity = capacity;
    }
    m->memo[number] = *value;
    return NULL;
}

static am_status get(machine *m, uint64_t number)
{
    if (number >= m->memo_capacity || m->memo[number].kind == AM_PICKLE_UNSET)
        return malformed(m, "memo number %llu was never set", (unsigned long long)number);
    return push(m, m->memo[number]);
}

static am_status put_sized(machine *m, size_t bytes)
{
    uint64_t number;
    AM_TRY(take_number(m, bytes, &number));
    return put(m, number);
}

static am_status get_sized(machine *m, size_t bytes)
{
    uint64_t number;
    AM_TRY(take_number(m, bytes, &number));
    return get(m, number);
}

/* A whole number written as text and ended by a line feed. */
static am_status take_text_integer(machine *m, int64_t *out, bool *fits)
{
    am_pickle_value line;
    char text[NUMBER_TEXT], *end;
    AM_TRY(take_line(m, &line));
    if (line.length && line.as.text[line.length - 1] == 'L') line.length--;
    *fits = line.length < sizeof text;
    if (!*fits) return NULL;
    memcpy(text, line.as.text, line.length);
    text[line.length] = 0;
    errno = 0;
    *out = strtoll(text, &end, 10);
    *fits = errno == 0;
    return line.length == 0 || *end ? malformed(m, "\"%s\" is no whole number", text) : NULL;
}

static am_status push_text_integer(machine *m)
{
    int64_t integer;
    bool fits, is_bool = m->length - m->at > 2 && m->bytes[m->at] == '0' && m->bytes[m->at + 2] == '\n';
    AM_TRY(take_text_integer(m, &integer, &fits));
    if (!fits) return push_kind(m, AM_PICKLE_OTHER, 0);
    return push_kind(m, is_bool ? AM_PICKLE_BOOL : AM_PICKLE_INTEGER, integer); /* I00 and I01 are False and True */
}

static am_status push_text_real(machine *m)
{
    am_pickle_value line;
    char text[NUMBER_TEXT], *end;
    AM_TRY(take_line(m, &line));
    if (line.length == 0 || line.length >= sizeof text)
        return malformed(m, "a number of %u digits", (unsigned)line.length);
    memcpy(text, line.as.text, line.length);
    text[line.length] = 0;
    am_pickle_value value = {.kind = AM_PICKLE_REAL, .as.real = strtod(text, &end)};
    return *end ? malformed(m, "\"%s\" is no number", text) : push(m, value);
}

static am_status text_memo(machine *m, am_status (*act)(machine *m, uint64_t number))
{
    int64_t number;
    bool fits;
    AM_TRY(take_text_integer(m, &number, &fits));
    return !fits || number < 0 ? malformed(m, "a memo number out of range") : act(m, (uint64_t)number);
}

/* A string in lines: UNICODE as it is, STRING between quotes. Nothing that torch.save writes has escapes in
   one. */
static am_status push_text_string(machine *m, bool quoted)
{
    am_pickle_value line;
    AM_TRY(take_line(m, &line));
    if (line.length && memchr(line.as.text, '\\', line.length))
        return am_error(AM_UNSUPPORTED, "%s: pickle at byte %zu: escapes in a text string are not supported", m->path,
                        m->at);
    if (!quoted) return push(m, line);
    char quote = line.length >= 2 ? line.as.text[0] : 0;
    if ((quote != '\'' && quote != '"') || line.as.text[line.length - 1] != quote)
        return malformed(m, "a string without quotes");
    line.as.text++;
    line.length -= 2;
    return push(m, line);
}

/* Strings, or byte strings, with their length before them. */
static am_status push_counted(machine *m, am_pickle_kind kind, size_t length_bytes)
{
    uint64_t length;
    const uint8_t *text;
    AM_TRY(take_number(m, length_bytes, &length));
    if (length > PICKLE_LIMIT_BYTES) return malformed(m, "a string of %llu bytes", (unsigned long long)length);
    AM_TRY(take(m, (size_t)length, &text));
    return push(m, (am_pickle_value){.kind = kind, .length = (uint32_t)length, .as.text = (const char *)text});
}

static am_status push_binary_integer(machine *m, size_t bytes)
{
    uint64_t number;
    AM_TRY(take_number(m, bytes, &number));
    return push_integer(m, bytes == 4 ? (int32_t)(uint32_t)number : (int64_t)number);
}

/* Two's complement, little-endian, of any length. */
static am_status push_long(machine *m, size_t length_bytes)
{
    uint64_t length, number = 0;
    const uint8_t *at;
    AM_TRY(take_number(m, length_bytes, &length));
    if (length > PICKLE_LIMIT_BYTES) return malformed(m, "a number of %llu bytes", (unsigned long long)length);
    AM_TRY(take(m, (size_t)length, &at));
    if (length > 8) return push_kind(m, AM_PICKLE_OTHER, 0);
    if (length && at[length - 1] & 0x80) number = UINT64_MAX;
    for (size_t i = (size_t)length; i-- > 0;) number = number << 8 | at[i];
    return push_integer(m, (int64_t)number);
}

static am_status push_binary_real(machine *m)
{
    const uint8_t *at;
    uint64_t bits = 0;
    am_pickle_value value = {.kind = AM_PICKLE_REAL};
    AM_TRY(take(m, 8, &at));
    for (int i = 0; i < 8; i++) bits = bits << 8 | at[i];
    memcpy(&value.as.real, &bits, sizeof bits);
    return push(m, value);
}

static am_status push_global_named(machine *m, const am_pickle_value *module, const am_pickle_value *name)
{
    if (module->kind != AM_PICKLE_STRING || name->kind != AM_PICKLE_STRING)
        return malformed(m, "a global whose name is %s", am_pickle_kind_name(name->kind));
    const am_torch_global *found = am_torch_global_find(module->as.text, module->length, name->as.text, name->length);
    if (found && found->role == AM_ROLE_UNSUPPORTED)
        return am_error(AM_UNSUPPORTED, "%s: %s.%s is not supported", m->path, found->module, found->name);
    if (found) return push(m, (am_pickle_value){.kind = AM_PICKLE_GLOBAL, .as.global = found});
    return malformed(m, "%.*s.%.*s refused: a checkpoint may hold tensors and plain containers only",
                     (int)module->length, module->as.text, (int)name->length, name->as.text);
}

static am_status push_global(machine *m)
{
    am_pickle_value module, name;
    AM_TRY(take_line(m, &module));
    AM_TRY(take_line(m, &name));
    return push_global_named(m, &module, &name);
}

static am_status push_stack_global(machine *m)
{
    am_pickle_value module, name;
    AM_TRY(pop(m, &name));
    AM_TRY(pop(m, &module));
    return push_global_named(m, &module, &name);
}

static am_status argument(const machine *m, const am_pickle_items *arguments, size_t i, am_pickle_kind kind,
                          const am_pickle_value **out)
{
    am_pickle_kind found = i < arguments->count ? arguments->values[i].kind : AM_PICKLE_UNSET;
    if (found != kind)
        return malformed(m, "argument %zu must be %s, found %s", i, am_pickle_kind_name(kind),
                         am_pickle_kind_name(found));
    *out = &arguments->values[i];
    return NULL;
}

static am_status read_numbers(const machine *m, const am_pickle_items *items, int64_t out[AM_RANK_LIMIT])
{
    if (items->count > AM_RANK_LIMIT)
        return malformed(m, "a tensor of %zu dimensions, at most %d are possible", items->count, AM_RANK_LIMIT);
    for (size_t i = 0; i < items->count; i++) {
        const am_pickle_value *value = &items->values[i];
        if (value->kind != AM_PICKLE_INTEGER || value->as.integer < 0)
            return malformed(m, "dimension or stride %zu of a tensor is not a whole number from 0 to 2^63 - 1", i);
        out[i] = value->as.integer;
    }
    return NULL;
}

static am_status read_view(const machine *m, const am_pickle_items *arguments, am_pickle_tensor *tensor)
{
    const am_pickle_value *storage, *offset, *size, *strides;
    AM_TRY(argument(m, arguments, 0, AM_PICKLE_STORAGE, &storage));
    AM_TRY(argument(m, arguments, 1, AM_PICKLE_INTEGER, &offset));
    AM_TRY(argument(m, arguments, 2, AM_PICKLE_TUPLE, &size));
    AM_TRY(argument(m, arguments, 3, AM_PICKLE_TUPLE, &strides));
    tensor->storage = storage->as.storage;
    tensor->offset = offset->as.integer;
    AM_TRY(read_numbers(m, size->as.items, tensor->shape.dims));
    AM_TRY(read_numbers(m, strides->as.items, tensor->strides));
    tensor->shape.rank = (int)size->as.items->count;
    if (tensor->offset < 0 || strides->as.items->count != size->as.items->count || !am_shape_check(&tensor->shape))
        return malformed(m, "a tensor with a shape, strides or an offset that cannot be");
    return NULL;
}

static am_status rebuild_tensor(machine *m, const am_pickle_items *arguments, bool has_dtype, am_pickle_value *out)
{
    am_pickle_tensor *tensor;
    const am_pickle_value *dtype;
    AM_TRY(new_node(m, 1, sizeof *tensor, &tensor));
    AM_TRY(read_view(m, arguments, tensor));
    tensor->dtype = tensor->storage->dtype;
    if (has_dtype) {
        AM_TRY(argument(m, arguments, 6, AM_PICKLE_GLOBAL, &dtype));
        if (dtype->as.global->role != AM_ROLE_DTYPE)
            return malformed(m, "argument 6 must be a dtype, found %s", dtype->as.global->name);
        tensor->dtype = dtype->as.global->dtype;
    }
    *out = (am_pickle_value){.kind = AM_PICKLE_TENSOR, .as.tensor = tensor};
    return NULL;
}

/* OrderedDict() or OrderedDict([[key, value], ...]). */
static am_status build_dict(machine *m, const am_pickle_items *arguments, am_pickle_value *out)
{
    AM_TRY(new_items(m, AM_PICKLE_DICT, NULL, 0, out));
    if (!arguments->count) return NULL;
    const am_pickle_value *pairs;
    AM_TRY(argument(m, arguments, 0, AM_PICKLE_LIST, &pairs));
    for (size_t i = 0; i < pairs->as.items->count; i++) {
        const am_pickle_value *pair = &pairs->as.items->values[i];
        bool is_pair = (pair->kind == AM_PICKLE_TUPLE || pair->kind == AM_PICKLE_LIST) && pair->as.items->count == 2;
        if (!is_pair) return malformed(m, "a dictionary made of %s, expected pairs", am_pickle_kind_name(pair->kind));
        AM_TRY(append(m, out->as.items, pair->as.items->values, 2));
    }
    return NULL;
}

static am_status call(machine *m, const am_torch_global *function, const am_pickle_items *arguments,
                      am_pickle_value *out)
{
    const am_pickle_value *value, *inner;
    *out = (am_pickle_value){.kind = AM_PICKLE_OTHER};
    switch (function->role) {
    case AM_ROLE_DICT:
        return build_dict(m, arguments, out);
    case AM_ROLE_OTHER:
        return NULL;
    case AM_ROLE_TENSOR:
        return rebuild_tensor(m, arguments, false, out);
    case AM_ROLE_TENSOR_WITH_DTYPE:
        return rebuild_tensor(m, arguments, true, out);
    case AM_ROLE_SIZE:
        AM_TRY(argument(m, arguments, 0, AM_PICKLE_TUPLE, &value));
        *out = *value;
        return NULL;
    case AM_ROLE_PARAMETER:
        AM_TRY(argument(m, arguments, 0, AM_PICKLE_TENSOR, &value));
        *out = *value;
        return NULL;
    case AM_ROLE_FROM_TYPE:
        AM_TRY(argument(m, arguments, 0, AM_PICKLE_GLOBAL, &value));
        AM_TRY(argument(m, arguments, 2, AM_PICKLE_TUPLE, &inner));
        if (value->as.global->role == AM_ROLE_FROM_TYPE) break;
        return call(m, value->as.global, inner->as.items, out);
    default:
        break;
    }
    return malformed(m, "%s.%s cannot be called", function->module, function->name);
}

static am_status reduce(machine *m)
{
    am_pickle_value arguments, function, result;
    AM_TRY(pop(m, &arguments));
    AM_TRY(pop(m, &function));
    if (arguments.kind != AM_PICKLE_TUPLE || function.kind != AM_PICKLE_GLOBAL)
        return malformed(m, "calls %s with %s", am_pickle_kind_name(function.kind),
                         am_pickle_kind_name(arguments.kind));
    AM_TRY(call(m, function.as.global, arguments.as.items, &result));
    return push(m, result);
}

/* Attributes (the `_metadata` of a state dictionary, those of a parameter) are of no interest. */
static am_status build(machine *m)
{
    am_pickle_value state, *object;
    AM_TRY(pop(m, &state));
    AM_TRY(top(m, &object));
    if (object->kind == AM_PICKLE_DICT || object->kind == AM_PICKLE_TENSOR || object->kind == AM_PICKLE_OTHER)
        return NULL;
    return malformed(m, "sets attributes of %s", am_pickle_kind_name(object->kind));
}

/* ("storage", type, key, location, count) and, before zip files, the view of another storage. */
static am_status push_storage(machine *m)
{
    am_pickle_value id;
    am_pickle_storage *storage;
    const am_pickle_value *type, *key, *count;
    AM_TRY(pop(m, &id));
    if (id.kind != AM_PICKLE_TUPLE || !id.as.items->count || !is_text(&id.as.items->values[0], "storage"))
        return malformed(m, "a persistent id that is no storage");
    AM_TRY(argument(m, id.as.items, 1, AM_PICKLE_GLOBAL, &type));
    AM_TRY(argument(m, id.as.items, 2, AM_PICKLE_STRING, &key));
    AM_TRY(argument(m, id.as.items, 4, AM_PICKLE_INTEGER, &count));
    const am_torch_global *g = type->as.global;
    if (g->role != AM_ROLE_STORAGE) return malformed(m, "argument 1 must be a type of storage, found %s", g->name);
    if (count->as.integer < 0 || count->as.integer >= STORAGE_LIMIT)
        return malformed(m, "a storage of %lld elements", (long long)count->as.integer);
    if (id.as.items->count > 5 && id.as.items->values[5].kind != AM_PICKLE_NONE)
        return am_error(AM_UNSUPPORTED, "%s: storage %.*s is a view of another one, which is not supported", m->path,
                        (int)key->length, key->as.text);
    AM_TRY(new_node(m, 1, sizeof *storage, &storage));
    *storage = (am_pickle_storage){m->last_storage, key->as.text, key->length, g->dtype, count->as.integer};
    m->last_storage = storage;
    return push(m, (am_pickle_value){.kind = AM_PICKLE_STORAGE, .as.storage = storage});
}

static am_status discard(machine *m)
{
    am_pickle_value unused;
    if (!available(m) && m->mark_count) { /* POP of a mark */
        m->mark_count--;
        return NULL;
    }
    return pop(m, &unused);
}

static am_status discard_to_mark(machine *m)
{
    const am_pickle_value *values;
    size_t count;
    return pop_to_mark(m, &values, &count);
}

static am_status duplicate(machine *m)
{
    am_pickle_value *value;
    AM_TRY(top(m, &value));
    return push(m, *value);
}

static am_status skip_number(machine *m, size_t bytes)
{
    uint64_t unused;
    return take_number(m, bytes, &unused);
}

static am_status push_frozen_set(machine *m)
{
    AM_TRY(discard_to_mark(m));
    return push_kind(m, AM_PICKLE_OTHER, 0);
}

static am_status read_protocol(machine *m)
{
    uint64_t version;
    AM_TRY(take_number(m, 1, &version));
    return version > 5 ? malformed(m, "protocol %d, at most 5 is known", (int)version) : NULL;
}

static am_status stop(machine *m)
{
    m->stopped = true;
    return NULL;
}

static am_status run_opcode(machine *m, uint8_t opcode)
{
    switch (opcode) {
    case 0x80:
        return read_protocol(m);
    case 0x95:
        return skip_number(m, 8); /* FRAME */
    case '.':
        return stop(m);
    case 'N':
        return push_kind(m, AM_PICKLE_NONE, 0);
    case 0x88:
        return push_kind(m, AM_PICKLE_BOOL, 1);
    case 0x89:
        return push_kind(m, AM_PICKLE_BOOL, 0);
    case 'I':
    case 'L':
        return push_text_integer(m);
    case 'J':
        return push_binary_integer(m, 4);
    case 'K':
        return push_binary_integer(m, 1);
    case 'M':
        return push_binary_integer(m, 2);
    case 0x8a:
        return push_long(m, 1);
    case 0x8b:
        return push_long(m, 4);
    case 'F':
        return push_text_real(m);
    case 'G':
        return push_binary_real(m);
    case 'S':
        return push_text_string(m, true);
    case 'V':
        return push_text_string(m, false);
    case 'U':
    case 0x8c:
        return push_counted(m, AM_PICKLE_STRING, 1);
    case 'T':
    case 'X':
        return push_counted(m, AM_PICKLE_STRING, 4);
    case 0x8d:
        return push_counted(m, AM_PICKLE_STRING, 8);
    case 'C':
        return push_counted(m, AM_PICKLE_OTHER, 1); /* bytes */
    case 'B':
        return push_counted(m, AM_PICKLE_OTHER, 4);
    case 0x8e:
    case 0x96:
        return push_counted(m, AM_PICKLE_OTHER, 8);
    case '(':
        return push_mark(m);
    case '0':
        return discard(m);
    case '1':
        return discard_to_mark(m);
    case '2':
        return duplicate(m);
    case ')':
        return push_items(m, AM_PICKLE_TUPLE, NULL, 0);
    case ']':
        return push_items(m, AM_PICKLE_LIST, NULL, 0);
    case '}':
        return push_items(m, AM_PICKLE_DICT, NULL, 0);
    case 0x8f:
        return push_kind(m, AM_PICKLE_OTHER, 0); /* EMPTY_SET */
    case 't':
        return push_marked_items(m, AM_PICKLE_TUPLE);
    case 'l':
        return push_marked_items(m, AM_PICKLE_LIST);
    case 'd':
        return push_marked_items(m, AM_PICKLE_DICT);
    case 0x85:
        return push_tuple(m, 1);
    case 0x86:
        return push_tuple(m, 2);
    case 0x87:
        return push_tuple(m, 3);
    case 0x91:
        return push_frozen_set(m);
    case 'a':
        return extend_one(m, AM_PICKLE_LIST, 1);
    case 's':
        return extend_one(m, AM_PICKLE_DICT, 2);
    case 'e':
        return extend_marked(m, AM_PICKLE_LIST);
    case 'u':
        return extend_marked(m, AM_PICKLE_DICT);
    case 0x90:
        return extend_marked(m, AM_PICKLE_OTHER); /* ADDITEMS */
    case 'p':
        return text_memo(m, put);
    case 'g':
        return text_memo(m, get);
    case 'q':
        return put_sized(m, 1);
    case 'r':
        return put_sized(m, 4);
    case 'h':
        return get_sized(m, 1);
    case 'j':
        return get_sized(m, 4);
    case 0x94:
        return put(m, m->memo_next++); /* MEMOIZE */
    case 'c':
        return push_global(m);
    case 0x93:
        return push_stack_global(m);
    case 'R':
    case 0x81:
        return reduce(m); /* NEWOBJ: cls.__new__(cls, *args) */
    case 'b':
        return build(m);
    case 'Q':
        return push_storage(m);
    default:
        return malformed(m, "opcode 0x%02x refused: torch.save does not write it", opcode);
    }
}

static am_status run(machine *m, am_pickle_value *out)
{
    uint64_t opcode;
    while (!m->stopped) {
        AM_TRY(take_number(m, 1, &opcode));
        AM_TRY(run_opcode(m, (uint8_t)opcode));
    }
    return pop(m, out);
}

am_status am_torch_unpickle(const uint8_t *bytes, size_t length, const char *path, am_arena *arena, am_pickle *out)
{
    machine m = {.path = path, .bytes = bytes, .length = length, .arena = arena};
    if (m.length > PICKLE_LIMIT_BYTES) m.length = PICKLE_LIMIT_BYTES;
    *out = (am_pickle){0};
    am_status status = run(&m, &out->root);
    out->last_storage = m.last_storage;
    out->size_bytes = m.at;
    am_free(m.stack);
    am_free(m.marks);
    am_free(m.memo);
    return status;
}
