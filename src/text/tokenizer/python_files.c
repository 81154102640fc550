/* Vocabulary files of the tokenizers that transformers writes in Python. */
#include "text/tokenizer/python_tokenizer.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/utf8.h"

/* Every end of a line becomes '\n'. */
static void translate_ends(am_python_lines *lines)
{
    size_t kept = 0;
    for (size_t at = 0; at < lines->length; at++) {
        if (lines->text[at] != '\r') lines->text[kept++] = lines->text[at];
        else if (at + 1 == lines->length || lines->text[at + 1] != '\n') lines->text[kept++] = '\n';
    }
    lines->length = kept;
}

am_status am_python_read_file(am_auto *a, const char *name, am_python_lines *out)
{
    size_t bad;
    *out = (am_python_lines){.path = am_path_join(a->loader.arena, a->directory, name)};
    if (!out->path) return am_out_of_memory();
    AM_TRY(am_file_read(out->path, (size_t)1 << 30, &out->text, &out->length));
    if (!am_utf8_valid(out->text, out->length, &bad)) {
        am_free(out->text);
        return am_error(AM_INVALID_FILE, "%s: not UTF-8 at byte %zu", out->path, bad);
    }
    translate_ends(out);
    return NULL;
}

am_status am_python_init_vocabulary(am_auto *a, size_t expected, am_vocabulary **out)
{
    am_model *model = &a->tokenizer->model;
    am_model_settings settings = {.kind = AM_MODEL_WORDLEVEL, .unk_id = -1};
    settings.unk_token = settings.continuing_subword_prefix = settings.end_of_word_suffix = (am_text){"", 0};
    *out = &model->vocabulary;
    return am_model_init(model, &settings, expected);
}

am_status am_python_read_vocab_lines(am_auto *a, const char *name, bool strip)
{
    am_python_lines lines;
    am_vocabulary *vocabulary;
    int64_t id = 0;
    AM_TRY(am_python_init_vocabulary(a, 1024, &vocabulary));
    AM_TRY(am_python_read_file(a, name, &lines));
    am_text rest = {lines.text, lines.length}, line;
    bool more = true;
    am_status status = NULL;
    while (!status && am_py_next_part(&rest, '\n', &more, &line)) {
        if (!more && line.length == 0) break;
        status = am_vocabulary_add(vocabulary, strip ? am_py_strip(line) : line, id++, false, lines.path);
    }
    am_free(lines.text);
    return status;
}

am_status am_python_read_vocab_json(am_auto *a, const char *name, am_vocabulary *out)
{
    const char *path = am_path_join(a->loader.arena, a->directory, name);
    am_json_document *document;
    if (!path) return am_out_of_memory();
    AM_TRY(am_json_open(path, &document));
    am_json root = am_json_root(document);
    am_status status = NULL;
    if (am_json_kind_of(root) != AM_JSON_OBJECT) status = am_error(AM_INVALID_FILE, "%s: expected an object", path);
    if (!status) status = am_vocabulary_init(out, am_json_count(root));
    for (am_json_iterator i = am_json_iterate(root); !status && am_json_next(&i);) {
        if (am_json_kind_of(i.value) == AM_JSON_INTEGER)
            status = am_vocabulary_add(out, (am_text){i.key.bytes, i.key.length}, am_json_int(i.value, -1), false, path);
        else
            status = am_error(AM_INVALID_FILE, "%s: id of \"%.60s\": expected a whole number, found %s", path,
                              i.key.bytes, am_json_kind_name(am_json_kind_of(i.value)));
    }
    am_json_close(document);
    return status;
}
