/* The vocabulary a class is built around: that of tokenizer.json, or vocab.txt, or vocab.json with
 * merges.txt. */
#include "text/tokenizer/auto.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/utf8.h"

am_status am_auto_read_lines(am_auto *a, const char *path, am_auto_line line)
{
    char *text;
    size_t length, number = 0, bad;
    AM_TRY(am_file_read(path, (size_t)1 << 30, &text, &length));
    am_status status = NULL;
    if (!am_utf8_valid(text, length, &bad)) status = am_error(AM_INVALID_FILE, "%s: not UTF-8 at byte %zu", path, bad);
    for (char *at = text, *end; !status && at < text + length; at = end + 1) {
        end = memchr(at, '\n', (size_t)(text + length - at));
        if (!end) end = text + length;
        size_t size = (size_t)(end - at);
        if (size && at[size - 1] == '\r') size--;
        status = line(a, (am_text){at, size}, number++, path);
    }
    am_free(text);
    return status;
}

/* vocab.txt: a token a line, its number is the id. */
static am_status read_vocab_line(am_auto *a, am_text line, size_t number, const char *path)
{
    uint32_t size;
    while (line.length) {
        uint32_t before = am_char_before(line.bytes, (uint32_t)line.length);
        if (!am_char_is_whitespace(am_char_at(line.bytes + before, &size))) break;
        line.length = before;
    }
    return am_model_add_token(&a->tokenizer->model, line, (int64_t)number, 0, path);
}

/* merges.txt: two tokens a line with a space between, the best first; "#version" is no merge. */
static am_status read_merge_line(am_auto *a, am_text line, size_t number, const char *path)
{
    const char *space = memchr(line.bytes, ' ', line.length);
    size_t left = space ? (size_t)(space - line.bytes) : 0;
    if (line.length >= 8 && memcmp(line.bytes, "#version", 8) == 0) return NULL;
    if (!space || memchr(space + 1, ' ', line.length - left - 1))
        return am_error(AM_INVALID_FILE, "%s: line %zu is not two tokens with a space between", path, number + 1);
    am_merge_text merge = am_merge_of((am_text){line.bytes, left}, (am_text){space + 1, line.length - left - 1});
    return am_bpe_add_merges(&a->tokenizer->model, &merge, 1, number, path);
}

static am_status count_line(am_auto *a, am_text line, size_t number, const char *path)
{
    (void)line, (void)path;
    a->line_count = number + 1;
    return NULL;
}

am_status am_auto_count_lines(am_auto *a, const char *path)
{
    a->line_count = 0;
    return am_auto_read_lines(a, path, count_line);
}

/* vocab.json: {"token": id, ...} */
static am_status read_vocab_json(am_auto *a, const char *path)
{
    am_json_document *document;
    AM_TRY(am_json_open(path, &document));
    am_json root = am_json_root(document);
    am_status status = am_json_kind_of(root) == AM_JSON_OBJECT
                           ? am_model_init(&a->tokenizer->model, &a->settings, am_json_count(root))
                           : am_error(AM_INVALID_FILE, "%s: expected an object", path);
    for (am_json_iterator i = am_json_iterate(root); !status && am_json_next(&i);)
        if (am_json_kind_of(i.value) == AM_JSON_INTEGER)
            status = am_model_add_token(&a->tokenizer->model, (am_text){i.key.bytes, i.key.length},
                                        am_json_int(i.value, -1), 0, path);
    am_json_close(document);
    return status;
}

static am_status not_found(const am_auto *a, const char *path)
{
    return am_error(AM_NOT_FOUND, "%s: no tokenizer.json%s%s", a->directory, path ? ", and no " : "",
                    path ? am_path_base(path) : "");
}

static am_status read_separate_files(am_auto *a)
{
    const char *vocab = a->class->vocab_file ? am_path_join(a->loader.arena, a->directory, a->class->vocab_file) : NULL;
    const char *merges =
        a->class->merges_file ? am_path_join(a->loader.arena, a->directory, a->class->merges_file) : NULL;
    am_model *model = &a->tokenizer->model;
    if (!vocab || !am_file_exists(vocab)) return not_found(a, vocab ? vocab : a->class->model_file);
    if (!merges) {
        AM_TRY(am_auto_count_lines(a, vocab));
        AM_TRY(am_model_init(model, &a->settings, a->line_count));
        AM_TRY(am_auto_read_lines(a, vocab, read_vocab_line));
        return am_model_finish(model);
    }
    AM_TRY(read_vocab_json(a, vocab));
    AM_TRY(am_auto_count_lines(a, merges));
    AM_TRY(am_bpe_start_merges(model, a->line_count));
    AM_TRY(am_auto_read_lines(a, merges, read_merge_line));
    return am_model_finish(model);
}

am_status am_auto_read_model(am_auto *a)
{
    if (a->pieces) return am_auto_read_pieces(a);
    if (!a->has_file) return read_separate_files(a);
    return am_model_read(&a->loader, am_json_get(a->file, "model"), &a->settings, &a->tokenizer->model);
}
