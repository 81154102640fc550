#include "formats/safetensors.h"

#include "base/buffer.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "tensor/dtype.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* The reference implementation's limit. */
static const uint64_t HEADER_LIMIT_BYTES = 100000000;
static const char METADATA[] = "__metadata__";

/* A tensor of the header; `begin` and `end` count bytes from the start of the data. */
typedef struct entry {
    am_named_tensor tensor;
    size_t name_length;
    uint64_t begin, end;
} entry;

typedef struct reader {
    const char *path;
    const uint8_t *data;
    uint64_t data_bytes;
    entry *entries; /* in the order of the header */
    size_t count;
} reader;

static am_status read_dtype(const reader *r, const char *name, am_json info, am_dtype *out)
{
    static const char *const others[] = {"U16",     "U32",     "U64",     "C64",         "F4",
                                         "F6_E2M3", "F6_E3M2", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ"};
    am_json dtype = am_json_get(info, "dtype");
    for (int i = 0; i < AM_DTYPE_COUNT; i++) {
        *out = (am_dtype)i;
        if (am_json_equals(dtype, am_dtype_file_name(*out))) return NULL;
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (am_json_equals(dtype, others[i]))
            return am_error(AM_UNSUPPORTED, "%s: tensor %s: dtype %s is not supported", r->path, name, others[i]);
    if (am_json_kind_of(dtype) == AM_JSON_STRING)
        return am_error(AM_INVALID_FILE, "%s: tensor %s: unknown dtype \"%s\"", r->path, name,
                        am_json_text(dtype).bytes);
    return am_error(AM_INVALID_FILE, "%s: tensor %s: dtype must be a string, found %s", r->path, name,
                    am_json_kind_name(am_json_kind_of(dtype)));
}

static bool is_size(am_json value)
{
    return am_json_kind_of(value) == AM_JSON_INTEGER && am_json_int(value, -1) >= 0;
}

static am_status read_shape(const reader *r, const char *name, am_json info, am_shape *out)
{
    am_json dims = am_json_get(info, "shape");
    size_t rank = am_json_count(dims);
    *out = (am_shape){0};
    if (am_json_kind_of(dims) != AM_JSON_ARRAY)
        return am_error(AM_INVALID_FILE, "%s: tensor %s: shape must be an array, found %s", r->path, name,
                        am_json_kind_name(am_json_kind_of(dims)));
    if (rank > AM_RANK_LIMIT)
        return am_error(AM_INVALID_FILE, "%s: tensor %s: %zu dimensions, at most %d are possible", r->path, name, rank,
                        AM_RANK_LIMIT);
    for (am_json_iterator i = am_json_iterate(dims); am_json_next(&i); out->rank++) {
        if (!is_size(i.value))
            return am_error(AM_INVALID_FILE,
                            "%s: tensor %s: dimension %d of its shape is not a whole number from 0 to 2^63 - 1",
                            r->path, name, out->rank);
        out->dims[out->rank] = am_json_int(i.value, 0);
    }
    char text[AM_SHAPE_TEXT];
    if (!am_shape_check(out))
        return am_error(AM_INVALID_FILE, "%s: tensor %s: shape %s is too large", r->path, name,
                        am_shape_text(out, text));
    return NULL;
}

static am_status read_offsets(const reader *r, const char *name, am_json info, entry *e)
{
    am_json offsets = am_json_get(info, "data_offsets");
    am_json pair[2] = {{0}};
    size_t count = 0;
    for (am_json_iterator i = am_json_iterate(offsets); am_json_next(&i); count++)
        if (count < 2) pair[count] = i.value;
    if (am_json_kind_of(offsets) != AM_JSON_ARRAY || count != 2 || !is_size(pair[0]) || !is_size(pair[1]))
        return am_error(AM_INVALID_FILE, "%s: tensor %s: data_offsets must be two whole numbers from 0 to 2^63 - 1",
                        r->path, name);
    e->begin = (uint64_t)am_json_int(pair[0], 0);
    e->end = (uint64_t)am_json_int(pair[1], 0);
    if (e->begin > e->end)
        return am_error(AM_INVALID_FILE, "%s: tensor %s: data_offsets [%" PRIu64 ", %" PRIu64 "] end before they begin",
                        r->path, name, e->begin, e->end);
    if (e->end > r->data_bytes)
        return am_error(AM_INVALID_FILE,
                        "%s: tensor %s: data_offsets [%" PRIu64 ", %" PRIu64 "] go beyond the file, which has %" PRIu64
                        " bytes of data (truncated?)",
                        r->path, name, e->begin, e->end, r->data_bytes);
    return NULL;
}

static am_status read_entry(const reader *r, am_json_string name, am_json info, entry *e)
{
    char text[AM_SHAPE_TEXT];
    *e = (entry){.tensor = {.name = name.bytes}, .name_length = name.length};
    am_named_tensor *tensor = &e->tensor;
    if (strlen(name.bytes) != name.length)
        return am_error(AM_INVALID_FILE, "%s: tensor name %s has a zero byte in it", r->path, name.bytes);
    if (am_json_kind_of(info) != AM_JSON_OBJECT)
        return am_error(AM_INVALID_FILE, "%s: tensor %s: must be an object, found %s", r->path, name.bytes,
                        am_json_kind_name(am_json_kind_of(info)));
    AM_TRY(read_dtype(r, name.bytes, info, &tensor->dtype));
    AM_TRY(read_shape(r, name.bytes, info, &tensor->shape));
    AM_TRY(read_offsets(r, name.bytes, info, e));
    size_t bytes = am_tensor_bytes(tensor->dtype, &tensor->shape);
    if (e->end - e->begin != bytes)
        return am_error(AM_INVALID_FILE, "%s: tensor %s: %s of shape %s takes %zu bytes, found %" PRIu64, r->path,
                        name.bytes, am_dtype_file_name(tensor->dtype), am_shape_text(&tensor->shape, text), bytes,
                        e->end - e->begin);
    if (bytes) tensor->data = r->data + e->begin;
    return NULL;
}

static am_status check_metadata(const reader *r, am_json metadata)
{
    if (am_json_kind_of(metadata) != AM_JSON_OBJECT)
        return am_error(AM_INVALID_FILE, "%s: %s must be an object, found %s", r->path, METADATA,
                        am_json_kind_name(am_json_kind_of(metadata)));
    for (am_json_iterator i = am_json_iterate(metadata); am_json_next(&i);)
        if (am_json_kind_of(i.value) != AM_JSON_STRING)
            return am_error(AM_INVALID_FILE, "%s: %s.%s must be a string, found %s", r->path, METADATA, i.key.bytes,
                            am_json_kind_name(am_json_kind_of(i.value)));
    return NULL;
}

static am_status read_entries(reader *r, am_json header)
{
    if (am_json_kind_of(header) != AM_JSON_OBJECT)
        return am_error(AM_INVALID_FILE, "%s: header must be a JSON object, found %s", r->path,
                        am_json_kind_name(am_json_kind_of(header)));
    r->entries = am_alloc_zeroed(am_json_count(header), sizeof *r->entries);
    if (!r->entries) return am_out_of_memory();
    for (am_json_iterator i = am_json_iterate(header); am_json_next(&i);) {
        if (strcmp(i.key.bytes, METADATA) == 0 && i.key.length == sizeof METADATA - 1)
            AM_TRY(check_metadata(r, i.value));
        else AM_TRY(read_entry(r, i.key, i.value, &r->entries[r->count++]));
    }
    return NULL;
}

static int compare_offsets(const void *left, const void *right)
{
    const entry *a = *(const entry *const *)left, *b = *(const entry *const *)right;
    if (a->begin != b->begin) return a->begin < b->begin ? -1 : 1;
    if (a->end != b->end) return a->end < b->end ? -1 : 1;
    return a < b ? -1 : 1;
}

/* Tensors must cover the data without overlap and without holes. */
static am_status check_layout(const reader *r, const entry **order)
{
    uint64_t at = 0;
    for (size_t i = 0; i < r->count; i++) order[i] = &r->entries[i];
    qsort(order, r->count, sizeof *order, compare_offsets);
    for (size_t i = 0; i < r->count; at = order[i++]->end) {
        const entry *e = order[i];
        if (e->begin < at)
            return am_error(AM_INVALID_FILE,
                            "%s: tensors %s and %s overlap: one ends at %" PRIu64 ", the other begins at %" PRIu64,
                            r->path, order[i - 1]->tensor.name, e->tensor.name, at, e->begin);
        if (e->begin > at)
            return am_error(AM_INVALID_FILE, "%s: hole in the data: tensor %s begins at %" PRIu64 ", expected %" PRIu64,
                            r->path, e->tensor.name, e->begin, at);
    }
    if (at != r->data_bytes)
        return am_error(AM_INVALID_FILE, "%s: tensors end at byte %" PRIu64 " of the data, the file at %" PRIu64,
                        r->path, at, r->data_bytes);
    return NULL;
}

/* Replaces data that is not aligned by an aligned copy. */
static am_status align_data(am_tensor_table *table, am_named_tensor *tensor)
{
    if ((uintptr_t)tensor->data % am_dtype_bytes(tensor->dtype) == 0) return NULL;
    size_t bytes = am_tensor_bytes(tensor->dtype, &tensor->shape);
    void *copy = am_alloc_aligned(bytes);
    if (!copy) return am_out_of_memory();
    memcpy(copy, tensor->data, bytes);
    tensor->data = copy;
    return am_tensor_table_take_memory(table, copy);
}

static am_status add_all(reader *r, am_tensor_table *table)
{
    const char *file = am_arena_string(&table->arena, r->path, strlen(r->path));
    if (!file) return am_out_of_memory();
    for (size_t i = 0; i < r->count; i++) {
        am_named_tensor tensor = r->entries[i].tensor;
        tensor.file = file;
        AM_TRY(align_data(table, &tensor));
        AM_TRY(am_tensor_table_add(table, &tensor, r->entries[i].name_length));
    }
    return NULL;
}

static am_status read_header(reader *r, am_json header)
{
    AM_TRY(read_entries(r, header));
    const entry **order = am_alloc_zeroed(r->count, sizeof *order);
    if (!order) return am_out_of_memory();
    am_status status = check_layout(r, order);
    am_free(order);
    return status;
}

/* Parses the header of the mapped file. The names in r->entries are borrowed from *document. */
static am_status parse_file(reader *r, const am_mapped_file *file, am_json_document **document)
{
    uint64_t length = 0;
    if (file->size_bytes < 8)
        return am_error(AM_INVALID_FILE, "%s: %zu bytes, too short for a safetensors file (truncated?)", r->path,
                        file->size_bytes);
    for (int i = 7; i >= 0; i--) length = length << 8 | file->bytes[i];
    if (length > file->size_bytes - 8)
        return am_error(AM_INVALID_FILE, "%s: header length %" PRIu64 " goes beyond the file of %zu bytes (truncated?)",
                        r->path, length, file->size_bytes);
    if (length > HEADER_LIMIT_BYTES)
        return am_error(AM_INVALID_FILE, "%s: header length %" PRIu64 " is above the limit of %" PRIu64, r->path,
                        length, HEADER_LIMIT_BYTES);
    r->data = file->bytes + 8 + length;
    r->data_bytes = file->size_bytes - 8 - length;
    AM_TRY(am_json_parse((const char *)file->bytes + 8, (size_t)length, r->path, document));
    return read_header(r, am_json_root(*document));
}

am_status am_safetensors_read(const char *path, am_tensor_table *table)
{
    am_mapped_file file;
    am_json_document *document = NULL;
    reader r = {.path = path};
    AM_TRY(am_file_map(path, &file));
    am_status status = parse_file(&r, &file, &document);
    if (status) am_file_unmap(&file);
    else status = am_tensor_table_take_file(table, &file);
    if (!status) status = add_all(&r, table);
    am_free(r.entries);
    am_json_close(document);
    return status;
}

am_status am_safetensors_metadata(const char *path, const char *key, am_arena *arena, const char **out)
{
    am_mapped_file file;
    am_json_document *document = NULL;
    reader r = {.path = path};
    *out = NULL;
    AM_TRY(am_file_map(path, &file));
    am_status status = parse_file(&r, &file, &document);
    am_json value = status ? (am_json){0} : am_json_get(am_json_get(am_json_root(document), METADATA), key);
    if (!status && am_json_kind_of(value) == AM_JSON_STRING) {
        am_json_string text = am_json_text(value);
        *out = am_arena_string(arena, text.bytes, text.length);
        if (!*out) status = am_out_of_memory();
    }
    am_free(r.entries);
    am_json_close(document);
    am_file_unmap(&file);
    return status;
}

/* The reference implementation writes tensors by falling rank in this list, then by name. */
static int write_rank(am_dtype dtype)
{
    static const am_dtype order[] = {AM_BOOL, AM_U8,   AM_I8,  AM_F8_E5M2, AM_F8_E4M3, AM_I16,
                                     AM_F16,  AM_BF16, AM_I32, AM_F32,     AM_F64,     AM_I64};
    int rank = 0;
    while (order[rank] != dtype) rank++;
    return rank;
}

static int compare_names(const void *left, const void *right)
{
    return strcmp((*(const am_named_tensor *const *)left)->name, (*(const am_named_tensor *const *)right)->name);
}

static int compare_write_order(const void *left, const void *right)
{
    const am_named_tensor *a = *(const am_named_tensor *const *)left, *b = *(const am_named_tensor *const *)right;
    int difference = write_rank(b->dtype) - write_rank(a->dtype);
    return difference ? difference : strcmp(a->name, b->name);
}

static am_status order_for_writing(const am_named_tensor *tensors, size_t count, const am_named_tensor **order)
{
    for (size_t i = 0; i < count; i++) {
        order[i] = &tensors[i];
        if (strcmp(tensors[i].name, METADATA) == 0 || !am_utf8_valid(tensors[i].name, strlen(tensors[i].name), NULL))
            return am_error(AM_INVALID_ARGUMENT, "a tensor cannot be named %s", tensors[i].name);
        if (!am_shape_check(&tensors[i].shape))
            return am_error(AM_INVALID_ARGUMENT, "tensor %s has an impossible shape", tensors[i].name);
    }
    qsort(order, count, sizeof *order, compare_names);
    for (size_t i = 1; i < count; i++)
        if (strcmp(order[i - 1]->name, order[i]->name) == 0)
            return am_error(AM_INVALID_ARGUMENT, "two tensors are named %s", order[i]->name);
    qsort(order, count, sizeof *order, compare_write_order);
    return NULL;
}

/* key null: no text of the caller's. */
static void append_header(am_buffer *buffer, const char *key, const char *text, const am_named_tensor *const *order,
                          size_t count)
{
    uint8_t length_bytes[8] = {0};
    size_t at = 0, alignment = key ? 64 : 8;
    am_buffer_append(buffer, length_bytes, 8);
    am_buffer_printf(buffer, "{\"%s\":{\"format\":\"pt\"", METADATA);
    if (key) {
        am_buffer_append_char(buffer, ',');
        am_buffer_append_json_string(buffer, key, strlen(key));
        am_buffer_append_char(buffer, ':');
        am_buffer_append_json_string(buffer, text, strlen(text));
    }
    am_buffer_append_char(buffer, '}');
    for (size_t i = 0; i < count; i++) {
        size_t end = at + am_tensor_bytes(order[i]->dtype, &order[i]->shape);
        am_buffer_append_char(buffer, ',');
        am_buffer_append_json_string(buffer, order[i]->name, strlen(order[i]->name));
        am_buffer_printf(buffer, ":{\"dtype\":\"%s\",\"shape\":[", am_dtype_file_name(order[i]->dtype));
        for (int d = 0; d < order[i]->shape.rank; d++)
            am_buffer_printf(buffer, d ? ",%" PRId64 : "%" PRId64, order[i]->shape.dims[d]);
        am_buffer_printf(buffer, "],\"data_offsets\":[%zu,%zu]}", at, end);
        at = end;
    }
    am_buffer_append_char(buffer, '}');
    while (buffer->length % alignment && !buffer->failed) am_buffer_append_char(buffer, ' ');
    for (int i = 0; i < 8 && !buffer->failed; i++)
        buffer->bytes[i] = (char)((uint64_t)(buffer->length - 8) >> (8 * i) & 0xFF);
}

static am_status write_all(const char *path, const char *key, const char *text, const am_named_tensor *tensors,
                           size_t count)
{
    am_buffer buffer = {0};
    const am_named_tensor **order = am_alloc_zeroed(count, sizeof *order);
    if (!order) return am_out_of_memory();
    am_status status = order_for_writing(tensors, count, order);
    if (!status) {
        append_header(&buffer, key, text, order, count);
        for (size_t i = 0; i < count; i++)
            am_buffer_append(&buffer, order[i]->data, am_tensor_bytes(order[i]->dtype, &order[i]->shape));
        status = am_buffer_status(&buffer);
    }
    if (!status) status = am_file_write(path, buffer.bytes, buffer.length);
    am_buffer_deinit(&buffer);
    am_free(order);
    return status;
}

am_status am_safetensors_write(const char *path, const am_named_tensor *tensors, size_t count)
{
    return write_all(path, NULL, NULL, tensors, count);
}

am_status am_safetensors_write_with(const char *path, const char *key, const char *text, const am_named_tensor *tensors,
                                    size_t count)
{
    return write_all(path, key, text, tensors, count);
}
