#include "formats/checkpoint.h"

#include "base/json.h"
#include "base/memory.h"
#include "formats/safetensors.h"
#include "formats/torch_checkpoint.h"

#include <string.h>

typedef am_status (*reader)(const char *path, am_tensor_table *table);

/* In the order in which transformers looks for them. */
static const struct candidate {
    const char *name;
    reader read;
    bool is_index;
} candidates[] = {
    {"model.safetensors", am_safetensors_read, false},
    {"model.safetensors.index.json", am_safetensors_read, true},
    {"pytorch_model.bin", am_torch_checkpoint_read, false},
    {"pytorch_model.bin.index.json", am_torch_checkpoint_read, true},
};

enum { CANDIDATE_COUNT = sizeof candidates / sizeof *candidates };

/* What a clone without git-lfs has in place of large files. */
static bool is_lfs_pointer(const char *path)
{
    static const char beginning[] = "version https://git-lfs";
    am_mapped_file file;
    am_status status = am_file_map(path, &file);
    bool found = !status && file.size_bytes < 1024 && file.size_bytes >= sizeof beginning &&
                 memcmp(file.bytes, beginning, sizeof beginning - 1) == 0;
    am_status_free(status);
    if (!status) am_file_unmap(&file);
    return found;
}

static am_status read_file(reader read, const char *path, am_tensor_table *table)
{
    am_status status = read(path, table);
    if (am_status_code(status) != AM_INVALID_FILE || !is_lfs_pointer(path)) return status;
    am_status_free(status);
    return am_error(AM_INVALID_FILE, "%s: this is a git-lfs pointer, not the weights (fetch them with git lfs pull)",
                    path);
}

/* What the index says and where. */
typedef struct sharded {
    const char *directory, *path;
    reader read;
    am_tensor_table *table;
    const char **shards; /* paths that were read */
    size_t count, capacity;
} sharded;

/* Shards are files in the model's folder or below it. */
static bool is_plain_path(am_json_string name)
{
    if (name.length == 0 || strlen(name.bytes) != name.length || name.bytes[0] == '/') return false;
    for (const char *part = name.bytes; part; part = strchr(part, '/')) {
        part += *part == '/';
        if (strncmp(part, "..", 2) == 0 && (part[2] == '/' || part[2] == 0)) return false;
    }
    return true;
}

static am_status remember_shard(sharded *s, const char *path)
{
    if (s->count == s->capacity) {
        size_t capacity = s->capacity ? s->capacity * 2 : 16;
        const char **shards = am_realloc(s->shards, capacity * sizeof *shards);
        if (!shards) return am_out_of_memory();
        s->shards = shards;
        s->capacity = capacity;
    }
    s->shards[s->count++] = path;
    return NULL;
}

/* Reads the shard unless that was done before. */
static am_status need_shard(sharded *s, const char *tensor, const char *path)
{
    for (size_t i = s->count; i-- > 0;) /* most often the one before */
        if (strcmp(s->shards[i], path) == 0) return NULL;
    am_status status = read_file(s->read, path, s->table);
    if (am_status_code(status) == AM_NOT_FOUND)
        return am_note(status, "%s: shard of tensor %s is missing", s->path, tensor);
    return status ? status : remember_shard(s, path);
}

static am_status read_member(sharded *s, am_json_string name, am_json file)
{
    if (strlen(name.bytes) != name.length)
        return am_error(AM_INVALID_FILE, "%s: tensor name %s has a zero byte in it", s->path, name.bytes);
    if (am_json_kind_of(file) != AM_JSON_STRING || !is_plain_path(am_json_text(file)))
        return am_error(AM_INVALID_FILE,
                        "%s: tensor %s: its shard must be the name of a file in the same folder, found %s", s->path,
                        name.bytes,
                        am_json_kind_of(file) == AM_JSON_STRING ? am_json_text(file).bytes
                                                                : am_json_kind_name(am_json_kind_of(file)));
    const char *path = am_path_join(&s->table->arena, s->directory, am_json_text(file).bytes);
    if (!path) return am_out_of_memory();
    AM_TRY(need_shard(s, name.bytes, path));
    const am_named_tensor *tensor = am_tensor_table_find(s->table, name.bytes);
    if (!tensor || strcmp(tensor->file, path) != 0)
        return am_error(AM_INVALID_FILE, "%s: tensor %s is not in %s, where the index says (found in: %s)", s->path,
                        name.bytes, path, tensor ? tensor->file : "none of the shards read so far");
    return NULL;
}

static am_status read_shards(sharded *s, am_json root)
{
    am_json map = am_json_get(root, "weight_map");
    if (am_json_kind_of(map) != AM_JSON_OBJECT || am_json_count(map) == 0)
        return am_error(AM_INVALID_FILE, "%s: weight_map must be an object with at least one member, found %s", s->path,
                        am_json_kind_name(am_json_kind_of(map)));
    for (am_json_iterator i = am_json_iterate(map); am_json_next(&i);) AM_TRY(read_member(s, i.key, i.value));
    return NULL;
}

static am_status read_index(const char *directory, const char *path, reader read, am_tensor_table *table)
{
    am_json_document *document;
    sharded s = {.directory = directory, .path = path, .read = read, .table = table};
    AM_TRY(am_json_open(path, &document));
    am_status status = read_shards(&s, am_json_root(document));
    am_free(s.shards);
    am_json_close(document);
    return status;
}

static am_status read_first(const char *directory, am_tensor_table *table)
{
    for (int i = 0; i < CANDIDATE_COUNT; i++) {
        const char *path = am_path_join(&table->arena, directory, candidates[i].name);
        if (!path) return am_out_of_memory();
        if (!am_file_exists(path) && !am_directory_exists(path)) continue;
        return candidates[i].is_index ? read_index(directory, path, candidates[i].read, table)
                                      : read_file(candidates[i].read, path, table);
    }
    return am_error(AM_NOT_FOUND, "%s: no weights: neither %s nor %s nor %s nor %s", directory, candidates[0].name,
                    candidates[1].name, candidates[2].name, candidates[3].name);
}

am_status am_checkpoint_read(const char *directory, am_tensor_table *table)
{
    am_status status = read_first(directory, table);
    if (status) am_tensor_table_deinit(table);
    return status;
}
