/* Templates of a model directory, as PreTrainedTokenizerBase and ProcessorMixin of transformers find them. */
#include "text/chat_template.h"

#include "base/arena.h"
#include "base/file.h"
#include "base/memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_TEMPLATES = 256, LONGEST_TEMPLATE_BYTES = 16 << 20 };

typedef struct named_template {
    const char *name;
    const char *path; /* file that it was found in */
    char *text;
    size_t length;
} named_template;

typedef struct templates {
    am_arena arena;
    named_template items[MOST_TEMPLATES];
    size_t count;
    bool is_plain; /* one template without a name */
} templates;

static const char *copy(templates *all, const char *text)
{
    return am_arena_string(&all->arena, text, strlen(text));
}

static am_status add(templates *all, const char *name, const char *path, const char *text, size_t length)
{
    if (all->count == MOST_TEMPLATES)
        return am_error(AM_INVALID_FILE, "%s: more than %d chat templates", path, MOST_TEMPLATES);
    named_template *item = &all->items[all->count];
    *item = (named_template){copy(all, name), copy(all, path), am_arena_string(&all->arena, text, length), length};
    if (!item->name || !item->path || !item->text) return am_out_of_memory();
    all->count++;
    return NULL;
}

/* ---- files of templates ---- */

static am_status add_file(templates *all, const char *name, const char *path)
{
    char *text;
    size_t length;
    AM_TRY(am_file_read(path, LONGEST_TEMPLATE_BYTES, &text, &length));
    am_status status = add(all, name, path, text, length);
    am_free(text);
    return status;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const named_template *)a)->name, ((const named_template *)b)->name);
}

/* The walk over a folder, with its first error. */
typedef struct folder_walk {
    templates *all;
    const char *folder;
    am_status status;
} folder_walk;

static am_status add_entry(templates *all, const char *folder, const char *file)
{
    const char *extension = am_path_extension(file);
    if (strcmp(extension, ".jinja") != 0 || *file == '.') return NULL;
    char *name = am_arena_string(&all->arena, file, (size_t)(extension - file));
    char *path = am_path_join(&all->arena, folder, file);
    if (!name || !path) return am_out_of_memory();
    return am_file_exists(path) ? add_file(all, name, path) : NULL;
}

static void on_entry(void *context, const char *file)
{
    folder_walk *walk = context;
    if (!walk->status) walk->status = add_entry(walk->all, walk->folder, file);
}

static am_status add_folder(templates *all, const char *folder)
{
    size_t first = all->count;
    folder_walk walk = {.all = all, .folder = folder};
    AM_TRY(am_directory_each(folder, on_entry, &walk));
    qsort(all->items + first, all->count - first, sizeof *all->items, by_name);
    return walk.status;
}

static am_status add_jinja_files(templates *all, const char *directory)
{
    char *path = am_path_join(&all->arena, directory, "chat_template.jinja");
    char *folder = am_path_join(&all->arena, directory, "additional_chat_templates");
    if (!path || !folder) return am_out_of_memory();
    if (am_directory_exists(folder)) AM_TRY(add_folder(all, folder));
    bool others = all->count != 0;
    if (!am_file_exists(path)) return NULL;
    AM_TRY(add_file(all, "default", path));
    all->is_plain = !others;
    return NULL;
}

/* ---- JSON ---- */

static am_status add_named(templates *all, am_json list, const char *path)
{
    for (am_json_iterator i = am_json_iterate(list); am_json_next(&i);) {
        am_json_string name = am_json_text(am_json_get(i.value, "name"));
        am_json text = am_json_get(i.value, "template");
        if (!name.length || am_json_kind_of(text) != AM_JSON_STRING)
            return am_error(AM_INVALID_FILE, "%s: chat_template: expected objects with \"name\" and \"template\"",
                            path);
        AM_TRY(add(all, name.bytes, path, am_json_text(text).bytes, am_json_text(text).length));
    }
    return NULL;
}

/* The "chat_template" of a JSON file: a text, a list of named ones, or an object of them. */
static am_status add_json_value(templates *all, am_json value, const char *path)
{
    am_json_string text = am_json_text(value);
    switch (am_json_kind_of(value)) {
    case AM_JSON_MISSING:
    case AM_JSON_NULL:
        return NULL;
    case AM_JSON_STRING:
        AM_TRY(add(all, "default", path, text.bytes, text.length));
        all->is_plain = true;
        return NULL;
    case AM_JSON_ARRAY:
        return add_named(all, value, path);
    case AM_JSON_OBJECT:
        for (am_json_iterator i = am_json_iterate(value); am_json_next(&i);)
            AM_TRY(add(all, i.key.bytes, path, am_json_text(i.value).bytes, am_json_text(i.value).length));
        return NULL;
    default:
        return am_error(AM_INVALID_FILE, "%s: chat_template: expected a string or an array, found %s", path,
                        am_json_kind_name(am_json_kind_of(value)));
    }
}

static am_status add_json_file(templates *all, const char *directory, const char *file)
{
    am_json_document *document;
    char *path = am_path_join(&all->arena, directory, file);
    if (!path) return am_out_of_memory();
    if (all->count || !am_file_exists(path)) return NULL;
    AM_TRY(am_json_open(path, &document));
    am_status status = add_json_value(all, am_json_get(am_json_root(document), "chat_template"), path);
    am_json_close(document);
    return status;
}

/* ---- choosing ---- */

static const named_template *find(const templates *all, const char *name)
{
    /* The last of a name counts, as in a dict. */
    for (size_t i = all->count; i-- > 0;)
        if (strcmp(all->items[i].name, name) == 0) return &all->items[i];
    return NULL;
}

static am_status no_template(templates *all, const char *directory, const char *name)
{
    char *names = am_arena_string(&all->arena, "", 0);
    for (size_t i = 0; names && i < all->count; i++)
        names = am_arena_printf(&all->arena, "%s%s%s", names, i ? ", " : "", all->items[i].name);
    if (!names) return am_out_of_memory();
    if (!all->count)
        return am_error(AM_NOT_FOUND,
                        "%s: no chat template: neither chat_template.jinja, chat_template.json nor "
                        "\"chat_template\" in tokenizer_config.json",
                        directory);
    if (name)
        return am_error(AM_NOT_FOUND, "%s: no chat template is named \"%s\"; there are: %s", directory, name, names);
    return am_error(AM_NOT_FOUND, "%s: several chat templates and none is the default; choose one of: %s", directory,
                    names);
}

static am_status choose(templates *all, const char *directory, const char *name, bool has_tools, am_chat_template **out)
{
    const named_template *chosen = name ? find(all, name) : NULL;
    if (!name && has_tools && !all->is_plain) chosen = find(all, "tool_use");
    if (!name && !chosen) chosen = find(all, "default");
    if (!chosen) return no_template(all, directory, name);
    return am_chat_template_parse(chosen->text, chosen->length, chosen->path, out);
}

static am_status load(templates *all, const char *directory)
{
    if (!am_directory_exists(directory)) {
        errno = ENOENT;
        return am_error_from_errno("open the directory", directory);
    }
    AM_TRY(add_jinja_files(all, directory));
    AM_TRY(add_json_file(all, directory, "chat_template.json"));
    AM_TRY(add_json_file(all, directory, "tokenizer_config.json"));
    return add_json_file(all, directory, "processor_config.json");
}

am_status am_chat_template_open(const char *directory, const char *name, bool has_tools, am_chat_template **out)
{
    *out = NULL;
    templates *all = am_alloc_zeroed(1, sizeof *all);
    if (!all) return am_out_of_memory();
    am_status status = load(all, directory);
    if (!status) status = choose(all, directory, name, has_tools, out);
    am_arena_deinit(&all->arena);
    am_free(all);
    return status;
}
