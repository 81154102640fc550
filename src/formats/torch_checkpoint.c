#include "formats/torch_checkpoint.h"

#include "base/memory.h"
#include "base/utf8.h"
#include "formats/torch_pickle.h"
#include "formats/zip_archive.h"
#include "tensor/dtype.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* What may be copied into memory: this, and so much for each byte of the file. Weights seldom compress to
   half of their size, so that only a file made to exhaust memory asks for more. */
enum { COPY_ALLOWANCE_BYTES = 64 << 20, COPY_ALLOWANCE_FACTOR = 16, PICKLE_LIMIT_BYTES = 64 << 20 };

/* Bytes of one storage; of zip archives null until they are wanted. */
typedef struct block {
    const char *key; /* of the older form */
    size_t key_length;
    const uint8_t *data;
    uint64_t size_bytes;
} block;

typedef struct loader {
    const char *path, *file; /* `file` is the table's copy of the path */
    am_tensor_table *table;
    am_arena arena; /* of this call */
    am_mapped_file mapped;
    am_zip *zip;      /* null in the older form */
    const char *root; /* folder that all members are in */
    block *blocks;    /* one for each member; in the older form one for each storage, sorted by key */
    size_t block_count;
    uint64_t copied_bytes, copy_limit_bytes;
} loader;

/* Memory that the table owns. */
static am_status new_copy(loader *l, const char *what, uint64_t bytes, void **out)
{
    if (bytes > l->copy_limit_bytes - l->copied_bytes)
        return am_error(AM_INVALID_FILE, "%s: %s needs %" PRIu64 " bytes, too many for a file of %zu bytes", l->path,
                        what, bytes, l->mapped.size_bytes);
    l->copied_bytes += bytes;
    *out = am_alloc_aligned((size_t)bytes);
    return *out ? am_tensor_table_take_memory(l->table, *out) : am_out_of_memory();
}

static am_status load_member(loader *l, const am_zip_member *member, block *b)
{
    void *copy;
    b->size_bytes = member->size_bytes;
    AM_TRY(am_zip_view(l->zip, member, &b->data));
    if (b->data || !member->size_bytes) return NULL;
    AM_TRY(new_copy(l, member->name, member->size_bytes, &copy));
    b->data = copy;
    return am_zip_extract(l->zip, member, copy);
}

static am_status find_in_zip(loader *l, const am_pickle_storage *storage, block **out)
{
    am_zip_member member;
    const char *name = am_arena_printf(&l->arena, "%s/data/%.*s", l->root, (int)storage->key_length, storage->key);
    if (!name) return am_out_of_memory();
    AM_TRY(am_zip_find(l->zip, name, &member));
    *out = &l->blocks[member.index];
    return (*out)->data ? NULL : load_member(l, &member, *out);
}

static int compare_keys(const void *left, const void *right)
{
    const block *a = left, *b = right;
    int order = memcmp(a->key, b->key, a->key_length < b->key_length ? a->key_length : b->key_length);
    return order ? order : (a->key_length > b->key_length) - (a->key_length < b->key_length);
}

static block *block_of_key(const loader *l, const char *key, size_t key_length)
{
    block wanted = {.key = key, .key_length = key_length};
    return l->block_count ? bsearch(&wanted, l->blocks, l->block_count, sizeof wanted, compare_keys) : NULL;
}

static am_status find_by_key(loader *l, const am_pickle_storage *storage, block **out)
{
    *out = block_of_key(l, storage->key, storage->key_length);
    if (*out && (*out)->data) return NULL;
    return am_error(AM_INVALID_FILE, "%s: storage %.*s is missing", l->path, (int)storage->key_length, storage->key);
}

/* The storage's bytes, aligned for `dtype`. */
static am_status find_storage(loader *l, const am_pickle_storage *storage, am_dtype dtype, const uint8_t **out)
{
    block *b;
    void *copy;
    uint64_t bytes = (uint64_t)storage->count * am_dtype_bytes(storage->dtype);
    AM_TRY(l->zip ? find_in_zip(l, storage, &b) : find_by_key(l, storage, &b));
    if (b->size_bytes != bytes)
        return am_error(AM_INVALID_FILE, "%s: storage %.*s has %" PRIu64 " bytes, expected %" PRIu64, l->path,
                        (int)storage->key_length, storage->key, b->size_bytes, bytes);
    if ((uintptr_t)b->data % am_dtype_bytes(dtype) != 0) {
        AM_TRY(new_copy(l, "a storage", bytes, &copy));
        memcpy(copy, b->data, (size_t)bytes);
        b->data = copy;
    }
    *out = b->data;
    return NULL;
}

/* Whether all elements lie in the storage. The tensor has at least one. */
static bool is_inside(const am_pickle_tensor *tensor)
{
    const am_pickle_storage *storage = tensor->storage;
    int64_t last = tensor->offset, step;
    int64_t count = storage->count * (int64_t)am_dtype_bytes(storage->dtype) / (int64_t)am_dtype_bytes(tensor->dtype);
    for (int i = 0; i < tensor->shape.rank; i++)
        if (__builtin_mul_overflow(tensor->shape.dims[i] - 1, tensor->strides[i], &step) ||
            __builtin_add_overflow(last, step, &last))
            return false;
    return last < count;
}

static bool is_dense(const am_pickle_tensor *tensor)
{
    int64_t strides[AM_RANK_LIMIT];
    am_shape_strides(&tensor->shape, strides);
    for (int i = 0; i < tensor->shape.rank; i++)
        if (tensor->shape.dims[i] != 1 && tensor->strides[i] != strides[i]) return false;
    return true;
}

static void copy_row(char *out, const char *in, int64_t count, int64_t stride, size_t bytes)
{
    switch (bytes) {
    case 1:
        for (int64_t i = 0; i < count; i++) out[i] = in[i * stride];
        break;
    case 2:
        for (int64_t i = 0; i < count; i++) memcpy(out + 2 * i, in + 2 * i * stride, 2);
        break;
    case 4:
        for (int64_t i = 0; i < count; i++) memcpy(out + 4 * i, in + 4 * i * stride, 4);
        break;
    default:
        for (int64_t i = 0; i < count; i++) memcpy(out + 8 * i, in + 8 * i * stride, 8);
        break;
    }
}

/* Copies a view into row-major order, a row of the last dimension at a time. `data` is its first element. */
static void copy_view(char *out, const char *data, const am_pickle_tensor *tensor)
{
    int64_t index[AM_RANK_LIMIT] = {0}, strides[AM_RANK_LIMIT];
    int last = tensor->shape.rank - 1, axis;
    int64_t row = tensor->shape.dims[last], at = 0;
    size_t bytes = am_dtype_bytes(tensor->dtype);
    for (axis = 0; axis <= last; axis++) /* strides of dimensions of one may be anything */
        strides[axis] = tensor->shape.dims[axis] == 1 ? 0 : tensor->strides[axis];
    do {
        copy_row(out, data + at * (int64_t)bytes, row, strides[last], bytes);
        out += (size_t)row * bytes;
        for (axis = last - 1; axis >= 0; axis--) {
            at += strides[axis];
            if (++index[axis] < tensor->shape.dims[axis]) break;
            at -= index[axis] * strides[axis];
            index[axis] = 0;
        }
    } while (axis >= 0);
}

static am_status read_data(loader *l, const am_pickle_tensor *tensor, const void **out)
{
    const uint8_t *storage = NULL;
    void *copy;
    *out = NULL;
    if (am_shape_count(&tensor->shape) == 0) return NULL;
    if (!is_inside(tensor))
        return am_error(AM_INVALID_FILE, "%s: its elements lie beyond storage %.*s of %" PRId64 " elements", l->path,
                        (int)tensor->storage->key_length, tensor->storage->key, tensor->storage->count);
    AM_TRY(find_storage(l, tensor->storage, tensor->dtype, &storage));
    *out = storage + (size_t)tensor->offset * am_dtype_bytes(tensor->dtype);
    if (is_dense(tensor)) return NULL;
    AM_TRY(new_copy(l, "a dense copy", am_tensor_bytes(tensor->dtype, &tensor->shape), &copy));
    copy_view(copy, *out, tensor);
    *out = copy;
    return NULL;
}

static am_status add_tensor(loader *l, const am_pickle_value *name, const am_pickle_tensor *view)
{
    am_named_tensor tensor = {.name = name->as.text, .file = l->file, .dtype = view->dtype, .shape = view->shape};
    if (name->kind != AM_PICKLE_STRING)
        return am_error(AM_INVALID_FILE, "%s: a tensor whose name is %s, expected a string", l->path,
                        am_pickle_kind_name(name->kind));
    if (!am_utf8_valid(name->as.text, name->length, NULL))
        return am_error(AM_INVALID_FILE, "%s: a tensor whose name is not UTF-8", l->path);
    am_status status = read_data(l, view, &tensor.data);
    if (status) return am_note(status, "tensor %.*s", (int)name->length, name->as.text);
    return am_tensor_table_add(l->table, &tensor, name->length);
}

static bool has_tensors(const am_pickle_value *value)
{
    if (value->kind != AM_PICKLE_DICT) return false;
    for (size_t i = 1; i < value->as.items->count; i += 2)
        if (value->as.items->values[i].kind == AM_PICKLE_TENSOR) return true;
    return false;
}

static am_status add_state(loader *l, const am_pickle_value *root)
{
    am_pickle_value state = *root;
    if (!has_tensors(&state)) state = am_pickle_get(root, "state_dict");
    if (!has_tensors(&state)) state = am_pickle_get(root, "model");
    if (!has_tensors(&state))
        return am_error(AM_INVALID_FILE, "%s: no tensors: expected a dictionary of names and tensors, found %s",
                        l->path, am_pickle_kind_name(root->kind));
    const am_pickle_items *items = state.as.items;
    for (size_t i = 0; i + 1 < items->count; i += 2)
        if (items->values[i + 1].kind == AM_PICKLE_TENSOR)
            AM_TRY(add_tensor(l, &items->values[i], items->values[i + 1].as.tensor));
    return NULL;
}

/* All members are in one folder, named after the file as it was saved. */
static am_status find_root(loader *l)
{
    am_zip_member first;
    if (am_zip_count(l->zip) == 0) return am_error(AM_INVALID_FILE, "%s: an empty zip archive", l->path);
    AM_TRY(am_zip_at(l->zip, 0, &first));
    const char *slash = strchr(first.name, '/');
    if (!slash) return am_error(AM_INVALID_FILE, "%s: a zip archive that torch.save did not write", l->path);
    l->root = am_arena_string(&l->arena, first.name, (size_t)(slash - first.name));
    return l->root ? NULL : am_out_of_memory();
}

static am_status find_member(loader *l, const char *name, bool *found, am_zip_member *out)
{
    const char *path = am_arena_printf(&l->arena, "%s/%s", l->root, name);
    if (!path) return am_out_of_memory();
    *found = am_zip_has(l->zip, path);
    return *found ? am_zip_find(l->zip, path, out) : NULL;
}

/* Reads a member, with a zero byte after it. */
static am_status read_member(loader *l, const am_zip_member *member, char **out)
{
    if (member->size_bytes > PICKLE_LIMIT_BYTES)
        return am_error(AM_INVALID_FILE, "%s: archive member %s declares %" PRIu64 " bytes, more than the limit of %d",
                        l->path, member->name, member->size_bytes, PICKLE_LIMIT_BYTES);
    *out = am_arena_alloc(&l->arena, (size_t)member->size_bytes + 1);
    return *out ? am_zip_extract(l->zip, member, *out) : am_out_of_memory();
}

static am_status check_kind(loader *l)
{
    bool found;
    char *order;
    am_zip_member member;
    AM_TRY(find_member(l, "constants.pkl", &found, &member));
    if (found) return am_error(AM_UNSUPPORTED, "%s: TorchScript is not supported", l->path);
    AM_TRY(find_member(l, "byteorder", &found, &member));
    if (!found) return NULL;
    AM_TRY(read_member(l, &member, &order));
    if (strcmp(order, "little") == 0) return NULL;
    return am_error(AM_UNSUPPORTED, "%s: byte order is \"%.16s\", expected \"little\"", l->path, order);
}

static am_status read_zip(loader *l)
{
    bool found;
    char *bytes;
    am_pickle pickle;
    am_zip_member member;
    AM_TRY(am_zip_open(&l->mapped, l->path, &l->zip));
    AM_TRY(find_root(l));
    AM_TRY(check_kind(l));
    AM_TRY(find_member(l, "data.pkl", &found, &member));
    if (!found)
        return am_error(AM_INVALID_FILE, "%s: no %s/data.pkl in it: torch.save did not write this", l->path, l->root);
    AM_TRY(read_member(l, &member, &bytes));
    AM_TRY(am_torch_unpickle((const uint8_t *)bytes, (size_t)member.size_bytes, l->path, &l->arena, &pickle));
    l->block_count = am_zip_count(l->zip);
    l->blocks = am_arena_array(&l->arena, l->block_count, sizeof *l->blocks);
    return l->blocks ? add_state(l, &pickle.root) : am_out_of_memory();
}

/* The older form begins with pickles of torch's magic number and of its version, 1001. */
static bool is_old_form(const am_mapped_file *file)
{
    static const uint8_t magic[] = {0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19};
    enum { SEARCHED_BYTES = 32 };
    if (file->size_bytes < SEARCHED_BYTES || file->bytes[0] != 0x80) return false;
    for (size_t i = 0; i + sizeof magic <= SEARCHED_BYTES; i++)
        if (memcmp(file->bytes + i, magic, sizeof magic) == 0) return true;
    return false;
}

static am_status unpickle_at(loader *l, size_t *at, am_pickle *out)
{
    AM_TRY(am_torch_unpickle(l->mapped.bytes + *at, l->mapped.size_bytes - *at, l->path, &l->arena, out));
    *at += out->size_bytes;
    return NULL;
}

/* Makes a block of each storage that the pickle names, still without data. */
static am_status list_storages(loader *l, const am_pickle_storage *last)
{
    size_t count = 0;
    for (const am_pickle_storage *s = last; s; s = s->before) count++;
    l->blocks = am_arena_array(&l->arena, count, sizeof *l->blocks);
    if (!l->blocks) return am_out_of_memory();
    for (const am_pickle_storage *s = last; s; s = s->before)
        l->blocks[l->block_count++] =
            (block){.key = s->key, .key_length = s->key_length, .size_bytes = am_dtype_bytes(s->dtype)};
    qsort(l->blocks, count, sizeof *l->blocks, compare_keys);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || compare_keys(&l->blocks[kept - 1], &l->blocks[i]) != 0) l->blocks[kept++] = l->blocks[i];
    l->block_count = kept;
    return NULL;
}

/* A storage: the number of its elements as 8 bytes, then the elements, whose size its block holds until now.
 */
static am_status place_storage(loader *l, const am_pickle_value *key, size_t *at)
{
    const uint8_t *bytes = l->mapped.bytes + *at;
    size_t left = l->mapped.size_bytes - *at;
    uint64_t count = 0;
    if (key->kind != AM_PICKLE_STRING)
        return am_error(AM_INVALID_FILE, "%s: a storage whose key is %s", l->path, am_pickle_kind_name(key->kind));
    block *b = block_of_key(l, key->as.text, key->length);
    if (!b || b->data)
        return am_error(AM_INVALID_FILE, "%s: storage %.*s is %s", l->path, (int)key->length, key->as.text,
                        b ? "there twice" : "of no tensor");
    for (int i = 7; i >= 0 && left >= 8; i--) count = count << 8 | bytes[i];
    if (left < 8 || count > (left - 8) / b->size_bytes)
        return am_error(AM_INVALID_FILE, "%s: truncated: storage %.*s of %" PRIu64 " elements, %zu bytes left", l->path,
                        (int)key->length, key->as.text, count, left);
    b->data = bytes + 8;
    b->size_bytes *= count;
    *at += 8 + (size_t)b->size_bytes;
    return NULL;
}

static am_status read_old_form(loader *l)
{
    size_t at = 0;
    am_pickle magic, version, system, state, keys;
    AM_TRY(unpickle_at(l, &at, &magic));
    AM_TRY(unpickle_at(l, &at, &version));
    if (version.root.kind != AM_PICKLE_INTEGER || version.root.as.integer != 1001)
        return am_error(AM_UNSUPPORTED, "%s: its version is not 1001", l->path);
    AM_TRY(unpickle_at(l, &at, &system));
    am_pickle_value little = am_pickle_get(&system.root, "little_endian");
    if (little.kind != AM_PICKLE_BOOL || !little.as.integer)
        return am_error(AM_UNSUPPORTED, "%s: byte order is not said to be little-endian", l->path);
    AM_TRY(unpickle_at(l, &at, &state));
    AM_TRY(unpickle_at(l, &at, &keys));
    if (keys.root.kind != AM_PICKLE_LIST)
        return am_error(AM_INVALID_FILE, "%s: the keys of its storages are %s, expected a list", l->path,
                        am_pickle_kind_name(keys.root.kind));
    AM_TRY(list_storages(l, state.last_storage));
    for (size_t i = 0; i < keys.root.as.items->count; i++)
        AM_TRY(place_storage(l, &keys.root.as.items->values[i], &at));
    return add_state(l, &state.root);
}

am_status am_torch_checkpoint_read(const char *path, am_tensor_table *table)
{
    am_mapped_file file;
    loader l = {.path = path, .table = table, .file = am_arena_string(&table->arena, path, strlen(path))};
    if (!l.file) return am_out_of_memory();
    AM_TRY(am_file_map(path, &file));
    l.mapped = file;
    l.copy_limit_bytes = COPY_ALLOWANCE_BYTES + (uint64_t)COPY_ALLOWANCE_FACTOR * file.size_bytes;
    am_status status = am_tensor_table_take_file(table, &file);
    if (!status) {
        if (l.mapped.size_bytes >= 4 && memcmp(l.mapped.bytes, "PK\3\4", 4) == 0) status = read_zip(&l);
        else if (is_old_form(&l.mapped)) status = read_old_form(&l);
        else
            status = am_error(AM_INVALID_FILE, "%s: torch.save did not write this: no zip archive and no known pickle",
                              path);
    }
    am_zip_close(l.zip);
    am_arena_deinit(&l.arena);
    return status;
}
