/* Which class AutoTokenizer takes (AutoTokenizer.from_pretrained of transformers 5.23). */
#include "text/tokenizer/python_tokenizer.h"
#include "text/tokenizer/spm_classes.h"

#include <stdio.h>

/* Length of a class name without "Fast". */
static size_t base_length(am_text name)
{
    bool fast = name.length > 4 && memcmp(name.bytes + name.length - 4, "Fast", 4) == 0;
    return fast ? name.length - 4 : name.length;
}

static bool same_base(am_text a, am_text b)
{
    return am_text_equal((am_text){a.bytes, base_length(a)}, (am_text){b.bytes, base_length(b)});
}

static am_text text(const char *string)
{
    return (am_text){string, strlen(string)};
}

static const am_model_class *class_of_model_type(am_text model_type)
{
    for (size_t i = 0; am_model_classes[i].model_type; i++)
        if (am_text_is(model_type, am_model_classes[i].model_type)) return &am_model_classes[i];
    return NULL;
}

/* The class that a name stands for (tokenizer_class_from_name), or null. */
static const char *resolve(am_text name)
{
    static const am_auto_class *const tables[] = {am_wordpiece_classes, am_byte_level_classes, am_spm_bpe_classes,
                                                  am_unigram_classes};
    am_text base = {name.bytes, base_length(name)};
    if (am_text_is(base, "PreTrainedTokenizer") || am_text_is(base, "TokenizersBackend")) return "TokenizersBackend";
    for (size_t i = 0; am_old_class_names[i][0]; i++)
        if (am_text_is(base, am_old_class_names[i][0])) return am_old_class_names[i][1];
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++)
        for (const am_auto_class *row = tables[i]; row->name; row++)
            if (am_text_is(name, row->name)) return row->name;
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++)
        for (const am_auto_class *row = tables[i]; row->name; row++)
            if (am_text_is(base, row->name)) return row->name;
    for (size_t i = 0; am_foreign_classes[i]; i++)
        if (am_text_is(base, am_foreign_classes[i])) return am_foreign_classes[i];
    return NULL;
}

static bool is_backend(const char *name)
{
    return !name || strcmp(name, "TokenizersBackend") == 0;
}

/* Whether any string of the JSON is "ByteLevel". */
static bool mentions_byte_level(am_json json)
{
    if (am_json_equals(json, "ByteLevel")) return true;
    for (am_json_iterator i = am_json_iterate(json); am_json_next(&i);)
        if (mentions_byte_level(i.value)) return true;
    return false;
}

/* The parts of tokenizer.json that can name it; a token of that text would count too, but is none. */
static bool file_is_byte_level(const am_auto *a)
{
    static const char *const parts[] = {"normalizer", "pre_tokenizer", "post_processor", "decoder"};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (mentions_byte_level(am_json_get(a->file, parts[i]))) return true;
    return false;
}

/* Where the configuration names a class that is not the one of the model type. */
static const char *choose_between(am_text declared, const am_model_class *registered)
{
    static const char *const backends[] = {"TokenizersBackend", "PythonBackend", "MistralCommonBackend", NULL};
    if (am_name_index(text(registered->class_name), backends) >= 0) return "TokenizersBackend";
    const char *name = resolve(registered->wrong ? text(registered->class_name) : declared);
    return is_backend(name) ? "TokenizersBackend" : name;
}

static const char *choose(const am_auto *a, am_text declared, bool has_own_code)
{
    am_text model_type = am_text_of(am_json_get(a->model_config, "model_type"));
    am_text from_config = am_text_of(am_json_get(a->config, "tokenizer_class"));
    const am_model_class *registered = class_of_model_type(model_type);
    bool wrong = registered && registered->wrong;
    if (!has_own_code && declared.length && same_base(declared, text("LlamaTokenizer")) && !wrong &&
        file_is_byte_level(a))
        return "TokenizersBackend";
    if (!has_own_code && declared.length && registered && !same_base(text(registered->class_name), declared))
        return choose_between(declared, registered);
    if (from_config.length) from_config.length = base_length(from_config);
    const char *name = resolve(from_config.length ? from_config : declared);
    if (!declared.length && registered) name = resolve(text(registered->class_name));
    return name ? name : "TokenizersBackend";
}

am_status am_auto_class_name(am_auto *a, const char **out)
{
    am_text declared = am_text_of(am_json_get(a->config, "tokenizer_class"));
    if (!declared.length) declared = am_text_of(am_json_get(a->model_config, "tokenizer_class"));
    am_json map = am_json_get(a->config, "auto_map");
    bool has_own_code =
        am_json_kind_of(map) == AM_JSON_ARRAY || am_json_kind_of(am_json_get(map, "AutoTokenizer")) == AM_JSON_ARRAY;
    const am_model_class *registered = class_of_model_type(am_text_of(am_json_get(a->model_config, "model_type")));
    if (registered && registered->wrong) has_own_code = false;
    if (has_own_code && !registered && !resolve(declared))
        return am_error(AM_UNSUPPORTED, "%s: tokenizer class \"%.*s\" is Python code of the model's own",
                        a->loader.name, (int)declared.length, declared.bytes);
    *out = choose(a, declared, has_own_code);
    if (am_spm_class_exists(*out)) return NULL;
    for (size_t i = 0; am_foreign_classes[i]; i++) {
        if (strcmp(*out, am_foreign_classes[i]) != 0 || strcmp(*out, "Wav2Vec2CTCTokenizer") == 0) continue;
        if (am_python_class_named(text(*out))) continue;
        return am_error(AM_UNSUPPORTED, "%s: tokenizer class %s, which reads files of its own", a->loader.name, *out);
    }
    return NULL;
}
