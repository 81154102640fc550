#include "base/file.h"
#include "base/memory.h"
#include "media/preprocessor_config.h"
#include "processors/class.h"
#include "processors/models.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* --- which class --- */

static const am_processor_class *find_row(const char *name)
{
    for (const am_processor_family *const *family = am_processor_family_registry; *family; family++)
        for (const am_processor_class *row = (*family)->classes; row->name; row++)
            if (strcmp(row->name, name) == 0) return row;
    return NULL;
}

static am_status open_file(am_arena *arena, const char *directory, const char *name, am_json_document **out)
{
    const char *path = am_path_join(arena, directory, name);
    *out = NULL;
    if (!path) return am_out_of_memory();
    return am_file_exists(path) ? am_json_open(path, out) : NULL;
}

static const char *model_class(am_json model_type)
{
    for (const am_processor_model *row = am_processor_models; row->model_type; row++)
        if (am_json_equals(model_type, row->model_type)) return row->class_name;
    return NULL;
}

/* The name that a file gives, or else, of config.json, that of its model type. */
static am_status read_name(am_arena *arena, const char *directory, const char *file, const char **out)
{
    am_json_document *document;
    AM_TRY(open_file(arena, directory, file, &document));
    if (!document) return NULL;
    am_json root = am_json_root(document);
    am_json_string name = am_json_text(am_json_get(root, "processor_class"));
    am_status status = NULL;
    if (name.length) *out = am_arena_string(arena, name.bytes, name.length);
    if (name.length && !*out) status = am_out_of_memory();
    if (!name.length && strcmp(file, "config.json") == 0) *out = model_class(am_json_get(root, "model_type"));
    am_json_close(document);
    return status;
}

/* Null: there is none. */
static am_status find_name(am_arena *arena, const char *directory, const char **out)
{
    static const char *const files[] = {"processor_config.json", "preprocessor_config.json", "tokenizer_config.json",
                                        "config.json"};
    *out = NULL;
    for (size_t i = 0; i < sizeof files / sizeof *files && !*out; i++)
        AM_TRY(read_name(arena, directory, files[i], out));
    return NULL;
}

static am_status find_class(am_processor *p, const char *directory)
{
    const char *name;
    AM_TRY(find_name(&p->arena, directory, &name));
    if (!name)
        return am_error(AM_NOT_FOUND, "%s: no file names a processor_class, and config.json no model_type that has one",
                        directory);
    p->kind = find_row(name);
    return p->kind ? NULL : am_error(AM_UNSUPPORTED, "processor class \"%.100s\" is not here", name);
}

/* --- settings --- */

am_json am_processor_setting(const am_processor *p, const char *key)
{
    const am_json_document *const levels[] = {p->arguments, p->config, p->defaults};
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++) {
        am_json value = levels[i] ? am_json_get(am_json_root(levels[i]), key) : (am_json){0};
        if (am_preprocessor_config_given(value)) return value;
    }
    return (am_json){0};
}

am_json am_processor_kwarg(const am_processor *p, const char *group, const char *key)
{
    am_json value = {0};
    if (p->arguments) value = am_json_get(am_json_get(am_json_root(p->arguments), group), key);
    if (am_json_kind_of(value) != AM_JSON_MISSING) return value;
    if (p->tokenizer_config && strcmp(group, "text_kwargs") == 0)
        value = am_json_get(am_json_root(p->tokenizer_config), key);
    if (am_preprocessor_config_given(value)) return value;
    return am_json_get(am_json_get(am_json_root(p->defaults), group), key);
}

static am_status check_integer(am_json value, const char *key, int64_t *out)
{
    if (!am_preprocessor_config_given(value))
        return am_error(AM_INVALID_FILE, "%s: expected an integer, found none", key);
    return am_preprocessor_config_integer(value, key, 0, INT32_MAX, out);
}

am_status am_processor_integer(const am_processor *p, const char *key, int64_t *out)
{
    return check_integer(am_processor_setting(p, key), key, out);
}

am_status am_processor_image_integer(const am_processor *p, const char *key, int64_t *out)
{
    return am_note(check_integer(am_image_setting(p->image_processor, key), key, out), "%s",
                   am_image_processor_name(p->image_processor));
}

am_status am_processor_video_integer(const am_processor *p, const char *key, int64_t *out)
{
    return am_note(check_integer(am_video_processor_setting(p->video_processor, key), key, out), "video processor");
}

static am_status choose_frames(void *context, const am_video *video, int64_t **out_indices, int64_t *out_count)
{
    const am_video_options options = {0};
    am_video_processor *processor = context;
    *out_indices = NULL;
    *out_count = 0;
    return processor ? am_video_processor_select(processor, video, &options, out_indices, out_count) : NULL;
}

am_status am_processor_open_video(const am_processor *processor, const am_video_source *source, am_arena *arena,
                                  am_video *out)
{
    return am_video_open(source, choose_frames, processor->video_processor, arena, out);
}

bool am_processor_flag(const am_processor *p, const char *key, bool fallback)
{
    return am_json_bool(am_processor_setting(p, key), fallback);
}

/* --- tokens --- */

const am_processor_token *am_processor_find_token(const am_processor *p, const char *name)
{
    for (int64_t i = 0; i < p->token_count; i++)
        if (strcmp(p->tokens[i].name, name) == 0) return p->tokens[i].text.length ? &p->tokens[i] : NULL;
    return NULL;
}

static am_text token_text(const am_processor *p, const char *name, bool of_tokenizer)
{
    am_text text = of_tokenizer ? am_tokenizer_special_token(p->tokenizer, name) : (am_text){0};
    if (text.length) return text;
    am_json_string setting = am_json_text(am_processor_setting(p, name));
    return (am_text){setting.bytes, setting.length};
}

static am_status resolve_token(am_processor *p, const char *name, bool of_tokenizer, bool optional)
{
    am_processor_token *token = &p->tokens[p->token_count++];
    am_text text = token_text(p, name, of_tokenizer);
    *token = (am_processor_token){.name = name, .id = -1};
    if (text.length) {
        token->text = (am_text){am_arena_string(&p->arena, text.bytes, text.length), text.length};
        if (!token->text.bytes) return am_out_of_memory();
        token->id = am_tokenizer_token_to_id(p->tokenizer, text);
    }
    if (optional || token->id >= 0) return NULL;
    if (text.length)
        return am_error(AM_INVALID_FILE, "%s needs the token \"%.*s\" (%s), which the tokenizer does not have",
                        p->kind->name, (int)text.length, text.bytes, name);
    return am_error(AM_INVALID_FILE, "%s needs %s, which neither the tokenizer nor processor_config.json has",
                    p->kind->name, name);
}

static am_status resolve_tokens(am_processor *p)
{
    char *names = am_arena_printf(&p->arena, "%s", p->kind->tokens ? p->kind->tokens : "");
    p->tokens = am_arena_array(&p->arena, names ? strlen(names) / 2 + 1 : 1, sizeof *p->tokens);
    if (!names || !p->tokens) return am_out_of_memory();
    while (*names) {
        size_t length = strcspn(names, " ");
        char *end = names + length, *next = *end ? end + 1 : end;
        bool of_tokenizer = false, optional = false;
        *end = 0;
        for (; length && (end[-1] == '*' || end[-1] == '?'); length--, *--end = 0) {
            of_tokenizer = of_tokenizer || end[-1] == '*';
            optional = optional || end[-1] == '?';
        }
        AM_TRY(resolve_token(p, names, of_tokenizer, optional));
        names = next;
    }
    return NULL;
}

/* --- parts --- */

/* Kwargs of a group of the class, and those of the call, as members of an object that is not closed: of members of one
   name the last counts. */
static void merge_arguments(const am_processor *p, const char *group, am_buffer *out)
{
    am_json levels[] = {am_json_get(am_json_root(p->defaults), group),
                        p->arguments ? am_json_get(am_json_root(p->arguments), group) : (am_json){0}};
    for (int i = 0; i < 2; i++) {
        for (am_json_iterator k = am_json_iterate(levels[i]); am_json_next(&k);) {
            am_buffer_append_char(out, out->length ? ',' : '{');
            am_buffer_append_json_string(out, k.key.bytes, k.key.length);
            am_buffer_append_char(out, ':');
            am_json_write(k.value, out);
        }
    }
    am_buffer_append_char(out, out->length ? ' ' : '{');
}

/* images_kwargs, and what follows from settings. */
static am_status merge_image_arguments(const am_processor *p, am_buffer *out)
{
    merge_arguments(p, "images_kwargs", out);
    if (p->kind->image_arguments) {
        am_buffer_append_char(out, out->length > 1 ? ',' : ' ');
        AM_TRY(p->kind->image_arguments(p, out));
    }
    am_buffer_append_char(out, '}');
    return am_buffer_status(out);
}

static am_status open_images(am_processor *p, const char *directory)
{
    am_buffer text = {0};
    am_json_document *arguments = NULL;
    am_status status = merge_image_arguments(p, &text);
    if (!status) status = am_json_parse(am_buffer_text(&text), text.length, "images_kwargs", &arguments);
    if (!status) status = am_image_processor_open_with(directory, am_json_root(arguments), &p->image_processor);
    am_json_close(arguments);
    am_buffer_deinit(&text);
    return status;
}

/* The first of the files, and of processor_config.json the member, that has a video processor; null: none has. */
static am_status find_video_config(am_processor *p, const char *directory, am_json *out, am_json_document **document)
{
    static const char *const files[] = {"video_preprocessor_config.json", "preprocessor_config.json"};
    *document = NULL;
    *out = p->config ? am_json_get(am_json_root(p->config), "video_processor") : (am_json){0};
    if (am_json_kind_of(*out) == AM_JSON_OBJECT) return NULL;
    for (size_t i = 0; i < sizeof files / sizeof *files && !*document; i++)
        AM_TRY(open_file(&p->arena, directory, files[i], document));
    *out = *document ? am_json_root(*document) : (am_json){0};
    return NULL;
}

static am_status open_video_config(am_processor *p, am_json config)
{
    am_buffer text = {0};
    am_json_document *arguments = NULL;
    bool named = am_json_text(am_json_get(config, "video_processor_type")).length > 0;
    merge_arguments(p, "videos_kwargs", &text);
    am_buffer_append_char(&text, '}');
    am_status status = am_buffer_status(&text);
    if (!status) status = am_json_parse(am_buffer_text(&text), text.length, "videos_kwargs", &arguments);
    if (!status)
        status = am_video_processor_create_with(config, named ? NULL : p->kind->video_processor,
                                                am_json_root(arguments), &p->video_processor);
    am_json_close(arguments);
    am_buffer_deinit(&text);
    return status;
}

static am_status open_videos(am_processor *p, const char *directory)
{
    am_json config;
    am_json_document *document;
    AM_TRY(find_video_config(p, directory, &config, &document));
    am_status status = am_json_kind_of(config) == AM_JSON_OBJECT ? open_video_config(p, config) : NULL;
    am_json_close(document);
    return status;
}

static bool takes(const am_modality *modality)
{
    return modality->placeholder || modality->alone;
}

static am_status open_parts(am_processor *p, const char *directory)
{
    if (!p->kind->without_texts)
        AM_TRY(am_note(am_tokenizer_open(directory, AM_TOKENIZER_AUTO, &p->tokenizer), "%s", p->kind->name));
    if (p->kind->second_tokenizer) {
        const char *second = am_path_join(&p->arena, directory, p->kind->second_tokenizer);
        if (!second) return am_out_of_memory();
        AM_TRY(am_tokenizer_open(second, AM_TOKENIZER_AUTO, &p->second_tokenizer));
    }
    if (p->kind->has_chat_template) AM_TRY(am_chat_template_open(directory, NULL, false, &p->chat_template));
    if (takes(&p->kind->image)) AM_TRY(open_images(p, directory));
    if (p->kind->video_processor) AM_TRY(open_videos(p, directory));
    return takes(&p->kind->sound) ? am_feature_extractor_open(directory, &p->feature_extractor) : NULL;
}

static am_status copy_arguments(am_json arguments, am_json_document **out)
{
    am_buffer text = {0};
    if (am_json_kind_of(arguments) == AM_JSON_MISSING) return NULL;
    am_json_write(arguments, &text);
    am_status status = am_buffer_status(&text);
    if (!status) status = am_json_parse(am_buffer_text(&text), text.length, "arguments of a processor", out);
    am_buffer_deinit(&text);
    return status;
}

/* Groups of kwargs and what the class itself has. */
static am_status check_arguments(const am_processor *p)
{
    static const char *const groups[] = {"images_kwargs", "videos_kwargs", "text_kwargs", "audio_kwargs"};
    if (!p->arguments) return NULL;
    for (am_json_iterator i = am_json_iterate(am_json_root(p->arguments)); am_json_next(&i);) {
        bool known = am_json_kind_of(am_json_get(am_json_root(p->defaults), i.key.bytes)) != AM_JSON_MISSING;
        for (size_t k = 0; k < sizeof groups / sizeof *groups; k++)
            known = known || strcmp(groups[k], i.key.bytes) == 0;
        if (!known) return am_error(AM_UNSUPPORTED, "%s: argument %s of a call", p->kind->name, i.key.bytes);
    }
    return NULL;
}

static am_status open_all(am_processor *p, const char *directory, am_json arguments)
{
    AM_TRY(open_file(&p->arena, directory, "processor_config.json", &p->config));
    AM_TRY(open_file(&p->arena, directory, "tokenizer_config.json", &p->tokenizer_config));
    AM_TRY(copy_arguments(arguments, &p->arguments));
    const char *defaults = p->kind->settings ? p->kind->settings : "{}";
    AM_TRY(am_json_parse(defaults, strlen(defaults), p->kind->name, &p->defaults));
    AM_TRY(check_arguments(p));
    AM_TRY(open_parts(p, directory));
    return resolve_tokens(p);
}

/* `kind` null: the class that the directory names. */
static am_status open_as(const am_processor_class *kind, const char *directory, am_json arguments, am_processor **out)
{
    *out = NULL;
    am_processor *p = am_alloc_zeroed(1, sizeof *p);
    if (!p) return am_out_of_memory();
    p->kind = kind;
    am_status status = kind ? NULL : find_class(p, directory);
    if (!status) status = open_all(p, directory, arguments);
    if (status) am_processor_close(p);
    else *out = p;
    return status;
}

am_status am_processor_open(const char *directory, am_json arguments, am_processor **out)
{
    return open_as(NULL, directory, arguments, out);
}

/* --- directories without a class --- */

/* What AutoProcessor tries one after another where there is no class. */
static const am_processor_class parts_alone[] = {
    {.name = "the tokenizer"},
    {.name = "the image processor", .without_texts = true, .image.alone = true},
    {.name = "the video processor", .without_texts = true, .video.alone = true, .video_processor = ""},
    {.name = "the feature extractor", .without_texts = true, .sound.alone = true},
};

static am_status open_part(const am_processor_class *kind, const char *directory, am_json arguments, am_processor **out)
{
    AM_TRY(open_as(kind, directory, arguments, out));
    if (!kind->video_processor || (*out)->video_processor) return NULL;
    am_processor_close(*out);
    *out = NULL;
    return am_error(AM_NOT_FOUND, "%s: there is no video processor", directory);
}

/* The first part that opens; where none does, the first reason that is not the want of its files. */
static am_status open_any_part(const char *directory, am_json arguments, am_processor **out)
{
    am_status reason = NULL;
    for (size_t i = 0; i < sizeof parts_alone / sizeof *parts_alone; i++) {
        am_status status = open_part(&parts_alone[i], directory, arguments, out);
        if (!status || reason || am_status_code(status) == AM_NOT_FOUND) am_status_free(status);
        else reason = status;
        if (*out) break;
    }
    if (!*out && reason) return reason;
    am_status_free(reason);
    if (*out) return NULL;
    return am_error(AM_NOT_FOUND,
                    "%s: there is no processor, tokenizer, image processor, video processor or feature extractor",
                    directory);
}

am_status am_processor_open_auto(const char *directory, am_json arguments, am_processor **out)
{
    am_arena arena = {0};
    const char *name = NULL;
    *out = NULL;
    if (!am_directory_exists(directory)) return am_error(AM_NOT_FOUND, "%s: there is no such directory", directory);
    am_status status = find_name(&arena, directory, &name);
    if (!status) status = (name ? am_processor_open : open_any_part)(directory, arguments, out);
    am_arena_deinit(&arena);
    return status;
}

void am_processor_close(am_processor *processor)
{
    if (!processor) return;
    am_tokenizer_close(processor->tokenizer);
    am_tokenizer_close(processor->second_tokenizer);
    am_chat_template_close(processor->chat_template);
    am_image_processor_close(processor->image_processor);
    am_video_processor_close(processor->video_processor);
    am_feature_extractor_deinit(&processor->feature_extractor);
    am_json_close(processor->arguments);
    am_json_close(processor->config);
    am_json_close(processor->tokenizer_config);
    am_json_close(processor->defaults);
    am_arena_deinit(&processor->arena);
    am_free(processor);
}

const char *am_processor_class_name(const am_processor *processor)
{
    if (processor->kind == &parts_alone[1]) return am_image_processor_name(processor->image_processor);
    if (processor->kind == &parts_alone[3]) return am_feature_extractor_name(&processor->feature_extractor);
    return processor->kind->name;
}

const am_tokenizer *am_processor_tokenizer(const am_processor *processor)
{
    return processor->tokenizer;
}

static am_text placeholder_text(const am_processor *p, const am_modality *modality)
{
    const am_processor_token *token = modality->placeholder ? am_processor_find_token(p, modality->placeholder) : NULL;
    return token ? token->text : (am_text){0};
}

am_text am_processor_image_placeholder(const am_processor *processor)
{
    return placeholder_text(processor, &processor->kind->image);
}

am_text am_processor_video_placeholder(const am_processor *processor)
{
    return processor->video_processor ? placeholder_text(processor, &processor->kind->video) : (am_text){0};
}

am_text am_processor_sound_placeholder(const am_processor *processor)
{
    return placeholder_text(processor, &processor->kind->sound);
}

int am_processor_sampling_rate(const am_processor *processor)
{
    return (int)processor->feature_extractor.sampling_rate;
}

int am_processor_sound_channels(const am_processor *processor)
{
    return processor->feature_extractor.kind ? am_feature_channels(&processor->feature_extractor) : 0;
}
