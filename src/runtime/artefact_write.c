#include "base/file.h"
#include "base/file_digest.h"
#include "base/memory.h"
#include "formats/safetensors.h"
#include "runtime/artefact_internal.h"
#include "targets/cpu/isa.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILES = 1024, FILE_LIMIT_BYTES = 1 << 28 };

typedef struct writer {
    am_arena arena;
    const am_artefact_source *source;
    const am_loaded_model *model;
    void (*on_row)(void *context, const am_artefact_row *row);
    void *context;
    am_buffer manifest;
    am_named_tensor *blobs; /* data is owned */
    size_t blob_count, blob_capacity;
    const char *names[FILES]; /* of the directory's files, below it */
    size_t name_count;
    int program_count;
    am_session *session; /* whose programs are written */
    am_status status;    /* the first error of a walk */
} writer;

/* --- the manifest's text --- */

static void put_name(am_buffer *out, const char *name)
{
    char last = out->length ? out->bytes[out->length - 1] : '{';
    if (last != '{' && last != '[') am_buffer_append_char(out, ',');
    if (!name) return;
    am_buffer_append_json_string(out, name, strlen(name));
    am_buffer_append_char(out, ':');
}

static void put_text(am_buffer *out, const char *name, const char *text)
{
    put_name(out, name);
    am_buffer_append_json_string(out, text, strlen(text));
}

static void put_number(am_buffer *out, const char *name, int64_t number)
{
    put_name(out, name);
    am_buffer_printf(out, "%lld", (long long)number);
}

static void put_open(am_buffer *out, const char *name, char bracket)
{
    put_name(out, name);
    am_buffer_append_char(out, bracket);
}

/* --- blobs --- */

static bool has_blob(const writer *w, const char *name)
{
    for (size_t i = 0; i < w->blob_count; i++)
        if (strcmp(w->blobs[i].name, name) == 0) return true;
    return false;
}

static am_status grow_blobs(writer *w)
{
    if (w->blob_count < w->blob_capacity) return NULL;
    size_t larger = w->blob_capacity ? 2 * w->blob_capacity : 64;
    am_named_tensor *grown = am_realloc(w->blobs, larger * sizeof *grown);
    if (!grown) return am_out_of_memory();
    w->blobs = grown;
    w->blob_capacity = larger;
    return NULL;
}

/* Takes the bytes, padded with zeros so that the next blob begins at a multiple of 64. The name, of the bytes without
   what pads them, goes into the manifest. */
static am_status add_blob(writer *w, const char *field, am_buffer *bytes)
{
    static const char zeros[64];
    char digits[AM_SHA256_TEXT];
    size_t length = bytes->length;
    am_sha256_digits_of(am_buffer_text(bytes), length, digits);
    am_buffer_append(bytes, zeros, (64 - length % 64) % 64);
    am_status status = am_buffer_status(bytes);
    if (!status) status = grow_blobs(w);
    put_text(&w->manifest, field, digits);
    put_number(&w->manifest, "bytes", (int64_t)length);
    if (!status && length && !has_blob(w, digits)) {
        am_named_tensor *blob = &w->blobs[w->blob_count];
        *blob = (am_named_tensor){.name = am_arena_string(&w->arena, digits, sizeof digits - 1), .dtype = AM_U8};
        if (!blob->name) return am_out_of_memory();
        blob->shape = am_shape_of((int64_t)bytes->length);
        blob->data = am_buffer_take(bytes);
        w->blob_count++;
    }
    am_buffer_deinit(bytes);
    return status;
}

/* --- the directory --- */

/* What configurations, tokenizers and processors are made of. */
static bool is_small_file(const char *name)
{
    static const char *const endings[] = {".json", ".txt", ".model", ".jinja", ".bpe", ".spm", ".tiktoken", ".vocab"};
    const char *ending = am_path_extension(name);
    for (size_t i = 0; *name != '.' && i < sizeof endings / sizeof endings[0]; i++)
        if (strcmp(ending, endings[i]) == 0) return true;
    return false;
}

/* A walk over one folder of the model directory: prefix "" or "1_Pooling/". */
typedef struct walk {
    writer *w;
    const char *prefix;
} walk;

static void on_file(void *context, const char *file);

static am_status look_at(writer *w, const char *prefix, const char *file)
{
    char *name = am_arena_printf(&w->arena, "%s%s", prefix, file);
    char *path = name ? am_path_join(&w->arena, w->model->directory, name) : NULL;
    if (!path) return am_out_of_memory();
    if (*file == '.') return NULL;
    if (am_directory_exists(path)) {
        walk inner = {w, am_arena_printf(&w->arena, "%s/", name)};
        if (*prefix) return NULL; /* one level is all that transformers has */
        return inner.prefix ? am_directory_each(path, on_file, &inner) : am_out_of_memory();
    }
    if (!is_small_file(file)) return NULL;
    if (w->name_count == FILES) return am_error(AM_UNSUPPORTED, "%s: more than %d files", w->model->directory, FILES);
    w->names[w->name_count++] = name;
    return NULL;
}

static void on_file(void *context, const char *file)
{
    const walk *at = context;
    if (!at->w->status) at->w->status = look_at(at->w, at->prefix, file);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static am_status write_file(writer *w, const char *name)
{
    char *path = am_path_join(&w->arena, w->model->directory, name), *bytes;
    am_buffer buffer = {0};
    size_t length;
    if (!path) return am_out_of_memory();
    AM_TRY(am_file_read(path, FILE_LIMIT_BYTES, &bytes, &length));
    am_buffer_append(&buffer, bytes, length);
    am_free(bytes);
    put_open(&w->manifest, NULL, '{');
    put_text(&w->manifest, "name", name);
    am_status status = add_blob(w, "blob", &buffer);
    am_buffer_append_char(&w->manifest, '}');
    return status;
}

static am_status write_files(writer *w)
{
    walk all = {w, ""};
    AM_TRY(am_directory_each(w->model->directory, on_file, &all));
    am_status status = w->status;
    w->status = NULL;
    qsort(w->names, w->name_count, sizeof w->names[0], by_text);
    put_open(&w->manifest, "files", '[');
    for (size_t i = 0; i < w->name_count && !status; i++) status = write_file(w, w->names[i]);
    am_buffer_append_char(&w->manifest, ']');
    return status;
}

/* --- weights --- */

static am_status write_weight(writer *w, const char *file)
{
    uint8_t digest[AM_SHA256_BYTES];
    char digits[AM_SHA256_TEXT];
    am_mapped_file mapped;
    AM_TRY(am_file_digest(file, digest));
    am_sha256_text(digest, digits);
    AM_TRY(am_file_map(file, &mapped));
    const char *name = file + strlen(w->model->directory);
    put_open(&w->manifest, NULL, '{');
    put_text(&w->manifest, "name", name + strspn(name, "/"));
    put_number(&w->manifest, "bytes", (int64_t)mapped.size_bytes);
    put_text(&w->manifest, "sha256", digits);
    am_buffer_append_char(&w->manifest, '}');
    am_file_unmap(&mapped);
    return NULL;
}

static bool was_seen(const am_tensor_table *table, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (strcmp(table->tensors[k].file, table->tensors[i].file) == 0) return true;
    return false;
}

static am_status write_weights(writer *w)
{
    const am_tensor_table *table = &w->model->weights;
    put_open(&w->manifest, "weights", '[');
    for (size_t i = 0; i < table->count; i++) {
        bool is_next = i && strcmp(table->tensors[i - 1].file, table->tensors[i].file) == 0;
        if (!is_next && !was_seen(table, i)) AM_TRY(write_weight(w, table->tensors[i].file));
    }
    am_buffer_append_char(&w->manifest, ']');
    return NULL;
}

/* How to get from one absolute path to another. */
static void put_relative(am_buffer *out, const char *from, const char *to)
{
    size_t same = 0;
    am_buffer path = {0};
    for (size_t i = 0;; i++) {
        bool ends = (!from[i] || from[i] == '/') && (!to[i] || to[i] == '/');
        if (ends) same = i;
        if (!from[i] || from[i] != to[i]) break;
    }
    for (const char *rest = from + same; *rest; rest++)
        if (*rest == '/' && rest[1]) am_buffer_append_string(&path, path.length ? "/.." : "..");
    const char *down = to + same + strspn(to + same, "/");
    if (*down) am_buffer_printf(&path, "%s%s", path.length ? "/" : "", down);
    put_text(out, "relative", path.length ? path.bytes : ".");
    if (path.failed) out->failed = true;
    am_buffer_deinit(&path);
}

/* Where the weights lie, seen from the artefact and from the root. */
static am_status write_directory(writer *w, const char *path)
{
    const char *base = am_path_base(path);
    char from[PATH_MAX], to[PATH_MAX], *folder = am_arena_printf(&w->arena, "%.*s.", (int)(base - path), path);
    if (!folder) return am_out_of_memory();
    if (!am_path_real(folder, from)) return am_error_from_errno("find", folder);
    if (!am_path_real(w->model->directory, to)) return am_error_from_errno("find", w->model->directory);
    put_relative(&w->manifest, from, to);
    put_text(&w->manifest, "directory", to);
    return NULL;
}

/* --- programs --- */

static am_status write_graph(writer *w, const char *field, const am_graph *graph)
{
    am_buffer text = {0};
    am_graph_print(graph, &text);
    return add_blob(w, field, &text);
}

static am_status write_piece(writer *w, am_program *program, int i, am_artefact_row *row)
{
    am_buffer exported = {0};
    am_status status = am_program_export(program, i, &exported);
    row->piece = i;
    row->target = am_program_piece_target(program, i)->name;
    row->nodes = am_program_plan(program)->pieces[i].node_count;
    row->bytes = exported.length;
    put_open(&w->manifest, NULL, '{');
    put_text(&w->manifest, "target", row->target);
    put_open(&w->manifest, "graph", '{');
    if (!status) status = write_graph(w, "blob", am_program_piece_graph(program, i));
    am_buffer_append_char(&w->manifest, '}');
    put_open(&w->manifest, "compiled", '{');
    if (!status) status = add_blob(w, "blob", &exported);
    am_buffer_append_string(&w->manifest, "}}");
    am_buffer_deinit(&exported);
    if (!status && w->on_row) w->on_row(w->context, row);
    return status;
}

static am_status write_program(writer *w, const am_signature *signature, am_program *program)
{
    am_artefact_row row = {0};
    const char *text = am_artefact_signature(&w->arena, am_session_model(w->session)->architecture->name, signature);
    if (!text) return am_out_of_memory();
    if (am_program_state(program))
        return am_error(AM_INVALID_ARGUMENT, "under the policy auto targets are chosen while a model runs: name one");
    snprintf(row.signature, sizeof row.signature, "%s", text);
    w->program_count++;
    put_open(&w->manifest, NULL, '{');
    put_text(&w->manifest, "signature", text);
    put_open(&w->manifest, "pieces", '[');
    for (int i = 0; i < am_program_plan(program)->piece_count; i++) AM_TRY(write_piece(w, program, i, &row));
    am_buffer_append_string(&w->manifest, "]}");
    return NULL;
}

static void on_program(void *context, const am_signature *signature, am_program *program)
{
    writer *w = context;
    if (!w->status) w->status = write_program(w, signature, program);
}

static am_status write_programs(writer *w)
{
    put_open(&w->manifest, "programs", '[');
    for (int i = 0; i < w->source->session_count; i++) {
        w->session = w->source->sessions[i];
        am_session_each_compiled(w->session, on_program, w);
    }
    am_buffer_append_char(&w->manifest, ']');
    am_status status = w->status;
    w->status = NULL;
    if (!status && !w->program_count) return am_error(AM_INVALID_ARGUMENT, "the model has not compiled any graph yet");
    return status;
}

/* --- all of it --- */

static void write_targets(writer *w)
{
    const am_target_choice *choice = w->source->targets;
    am_buffer names = {0};
    put_open(&w->manifest, "versions", '[');
    for (int i = 0; i < choice->count; i++) {
        const am_target_pick *pick = &choice->picks[i];
        am_target_report report = {0};
        pick->target->probe(&report);
        am_buffer_printf(&names, "%s%s%s%s", i ? "," : "", pick->target->name, pick->device[0] ? ":" : "",
                         pick->device);
        if (strcmp(pick->target->name, "cpu") == 0) continue;
        put_open(&w->manifest, NULL, '{');
        put_text(&w->manifest, "target", pick->target->name);
        put_text(&w->manifest, "version", report.version);
        am_buffer_append_char(&w->manifest, '}');
    }
    am_buffer_append_char(&w->manifest, ']');
    put_text(&w->manifest, "targets", names.length ? names.bytes : "cpu");
    put_text(&w->manifest, "policy", am_target_policy_name(choice->policy));
    if (names.failed) w->manifest.failed = true;
    am_buffer_deinit(&names);
}

static am_status write_manifest(writer *w, const char *path)
{
    am_buffer_append_char(&w->manifest, '{');
    put_number(&w->manifest, "format", AM_ARTEFACT_FORMAT);
    put_text(&w->manifest, "program", w->source->program_version);
    put_text(&w->manifest, "architecture", w->model->architecture->name);
    put_text(&w->manifest, "cpu", am_cpu_features_text());
    write_targets(w);
    AM_TRY(write_directory(w, path));
    AM_TRY(write_programs(w));
    AM_TRY(write_weights(w));
    AM_TRY(write_files(w));
    am_buffer_append_char(&w->manifest, '}');
    return am_buffer_status(&w->manifest);
}

static am_status write(writer *w, const char *path)
{
    char digits[AM_SHA256_TEXT];
    AM_TRY(write_manifest(w, path));
    am_sha256_digits_of(w->manifest.bytes, w->manifest.length, digits);
    char *text = am_arena_printf(&w->arena, "%s%s", digits, w->manifest.bytes);
    if (!text) return am_out_of_memory();
    return am_safetensors_write_with(path, AM_ARTEFACT_KEY, text, w->blobs, w->blob_count);
}

am_status am_artefact_write(const char *path, const am_artefact_source *source,
                            void (*on_row)(void *context, const am_artefact_row *row), void *context)
{
    writer w = {.source = source, .model = am_session_model(source->sessions[0]), .on_row = on_row, .context = context};
    if (!w.model->directory) return am_error(AM_UNSUPPORTED, "an artefact is made of a model directory");
    am_status status = write(&w, path);
    for (size_t i = 0; i < w.blob_count; i++) am_free((void *)(uintptr_t)w.blobs[i].data);
    am_free(w.blobs);
    am_buffer_deinit(&w.manifest);
    am_arena_deinit(&w.arena);
    return status;
}
