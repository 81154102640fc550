#include "media/preprocessor_config.h"

#include "base/arena.h"
#include "base/file.h"

typedef am_status (*config_reader)(am_json config, void *context);

static am_status read_file(const char *path, const char *member, config_reader read, void *context, bool *found)
{
    am_json_document *document = NULL;
    AM_TRY(am_json_open(path, &document));
    am_json config = am_json_root(document);
    if (member) config = am_json_get(config, member);
    *found = !member || am_json_kind_of(config) == AM_JSON_OBJECT;
    am_status status = *found ? read(config, context) : NULL;
    am_json_close(document);
    return am_note(status, "%s", path);
}

am_status am_preprocessor_config_open(const char *directory, const char *member, config_reader read, void *context)
{
    am_arena arena = {0};
    char *nested = am_path_join(&arena, directory, "processor_config.json");
    char *plain = am_path_join(&arena, directory, "preprocessor_config.json");
    bool found = false;
    am_status status = nested && plain ? NULL : am_out_of_memory();
    if (!status && am_file_exists(nested)) status = read_file(nested, member, read, context, &found);
    if (!status && !found) status = read_file(plain, NULL, read, context, &found);
    am_arena_deinit(&arena);
    return status;
}

bool am_preprocessor_config_given(am_json value)
{
    am_json_kind kind = am_json_kind_of(value);
    return kind != AM_JSON_MISSING && kind != AM_JSON_NULL;
}

am_status am_preprocessor_config_bool(am_json config, const char *key, bool *out)
{
    am_json value = am_json_get(config, key);
    if (!am_preprocessor_config_given(value)) return NULL;
    am_json_kind kind = am_json_kind_of(value);
    if (kind != AM_JSON_BOOL)
        return am_error(AM_INVALID_FILE, "%s: expected true or false, found %s", key, am_json_kind_name(kind));
    *out = am_json_bool(value, *out);
    return NULL;
}
