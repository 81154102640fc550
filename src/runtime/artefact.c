#include "runtime/artefact.h"

#include "base/file.h"
#include "base/file_digest.h"
#include "base/memory.h"
#include "base/mount.h"
#include "base/warning.h"
#include "formats/safetensors.h"
#include "runtime/artefact_internal.h"
#include "targets/cpu/isa.h"

#include <string.h>
#include <sys/stat.h>

typedef struct program {
    const char *signature;
    const char **blobs; /* by piece: name of what its target exported */
    am_compiled_piece *pieces;
    am_compiled_program compiled;
    bool is_checked; /* the blobs are whole */
} program;

struct am_artefact {
    am_arena arena;
    const char *path;
    am_json_document *document;
    am_tensor_table blobs;
    am_mount *mount;
    am_target_choice targets;
    bool is_required; /* what does not fit is an error */
    bool is_unfit;    /* it does not fit and is not required: all is the cpu's */
    const char *architecture;
    program *programs;
    int program_count;
};

/* --- fields of the manifest --- */

static am_status bad_field(const am_artefact *a, const char *name, const char *expected, am_json found)
{
    return am_error(AM_INVALID_FILE, "%s: manifest: %s: expected %s, found %s", a->path, name, expected,
                    am_json_kind_name(am_json_kind_of(found)));
}

/* A text without zero bytes; borrowed. */
static am_status get_text(const am_artefact *a, am_json object, const char *name, const char **out)
{
    am_json value = am_json_get(object, name);
    am_json_string text = am_json_text(value);
    *out = text.bytes;
    if (am_json_kind_of(value) != AM_JSON_STRING || strlen(text.bytes) != text.length)
        return bad_field(a, name, "a text", value);
    return NULL;
}

static am_status get_size(const am_artefact *a, am_json object, const char *name, size_t *out)
{
    am_json value = am_json_get(object, name);
    int64_t number = am_json_int(value, -1);
    *out = (size_t)number;
    if (am_json_kind_of(value) != AM_JSON_INTEGER || number < 0) return bad_field(a, name, "a number of bytes", value);
    return NULL;
}

static am_status get_list(const am_artefact *a, am_json object, const char *name, am_json *out)
{
    *out = am_json_get(object, name);
    return am_json_kind_of(*out) == AM_JSON_ARRAY ? NULL : bad_field(a, name, "a list", *out);
}

/* A file below the model directory, and not elsewhere. */
static am_status get_path(const am_artefact *a, am_json object, const char **out)
{
    AM_TRY(get_text(a, object, "name", out));
    bool is_plain = **out && **out != '/';
    for (const char *part = *out; part && is_plain; part = strchr(part, '/')) {
        part += *part == '/';
        is_plain = strncmp(part, "..", 2) != 0 || (part[2] && part[2] != '/');
    }
    return is_plain ? NULL : am_error(AM_INVALID_FILE, "%s: manifest: \"%s\" is no file of a model", a->path, *out);
}

/* The bytes of a blob of which the manifest says {"blob": digest, "bytes": n}; *out null where n is 0. */
static am_status get_blob(const am_artefact *a, am_json object, const char **name, const void **out, size_t *length)
{
    *out = NULL;
    AM_TRY(get_text(a, object, "blob", name));
    AM_TRY(get_size(a, object, "bytes", length));
    if (!*length) return NULL;
    const am_named_tensor *blob = am_tensor_table_find(&a->blobs, *name);
    if (!blob || blob->dtype != AM_U8 || blob->shape.rank != 1 || (size_t)blob->shape.dims[0] < *length)
        return am_error(AM_INVALID_FILE, "%s: it has no %zu bytes named %.64s (damaged?)", a->path, *length, *name);
    *out = blob->data;
    return NULL;
}

static am_status check_blob(const am_artefact *a, const char *name, const void *bytes, size_t length)
{
    char digits[AM_SHA256_TEXT];
    am_sha256_digits_of(bytes ? bytes : "", length, digits);
    if (strcmp(digits, name) == 0) return NULL;
    return am_error(AM_INVALID_FILE, "%s: damaged: %zu bytes have the SHA-256 %s, expected %.64s", a->path, length,
                    digits, name);
}

/* --- opening the file --- */

static am_status check_manifest(const am_artefact *a, const char *text)
{
    enum { DIGITS = AM_SHA256_TEXT - 1 };
    char digits[AM_SHA256_TEXT];
    if (!text)
        return am_error(AM_INVALID_FILE, "%s: this is no file of `anymodel compile`; give the model directory",
                        a->path);
    if (strlen(text) < DIGITS) return am_error(AM_INVALID_FILE, "%s: the manifest is cut off", a->path);
    am_sha256_digits_of(text + DIGITS, strlen(text + DIGITS), digits);
    if (strncmp(digits, text, DIGITS) == 0) return NULL;
    return am_error(AM_INVALID_FILE, "%s: damaged: the manifest has the SHA-256 %s, expected %.64s", a->path, digits,
                    text);
}

static am_status read_file(am_artefact *a, am_json *out)
{
    const char *text;
    AM_TRY(am_safetensors_metadata(a->path, AM_ARTEFACT_KEY, &a->arena, &text));
    AM_TRY(check_manifest(a, text));
    text += AM_SHA256_TEXT - 1;
    AM_TRY(am_json_parse(text, strlen(text), a->path, &a->document));
    *out = am_json_root(a->document);
    am_json format = am_json_get(*out, "format");
    if (am_json_kind_of(format) != AM_JSON_INTEGER) return bad_field(a, "format", "a number", format);
    if (am_json_int(format, 0) != AM_ARTEFACT_FORMAT)
        return am_error(AM_UNSUPPORTED, "%s: format %lld of such files, this program reads %d: compile it again",
                        a->path, (long long)am_json_int(format, 0), AM_ARTEFACT_FORMAT);
    return am_safetensors_read(a->path, &a->blobs);
}

/* --- what it was made for --- */

/* An error where it is required, else a warning, and the cpu does everything. */
static am_status note_unfit(am_artefact *a, am_status why)
{
    if (!why || a->is_required) return why;
    am_warn("%s; all of it runs on the cpu", am_status_message(why));
    am_status_free(why);
    a->is_unfit = true;
    return NULL;
}

static am_status compare(const am_artefact *a, const char *what, const char *then, const char *now)
{
    if (strcmp(then, now) == 0) return NULL;
    return am_error(AM_UNSUPPORTED, "%s: compiled with %s %s, here is %s: compile it again", a->path, what,
                    *then ? then : "unknown", *now ? now : "unknown");
}

static am_status compare_target(const am_artefact *a, am_json row)
{
    const char *name, *version;
    am_target_report report = {0};
    AM_TRY(get_text(a, row, "target", &name));
    AM_TRY(get_text(a, row, "version", &version));
    const am_target *target = am_target_find(name, strlen(name));
    if (!target) return am_error(AM_UNSUPPORTED, "%s: this program has no target %.100s", a->path, name);
    target->probe(&report);
    return report.present ? compare(a, name, version, report.version) : NULL; /* absence was told already */
}

static am_status compare_versions(am_artefact *a, am_json manifest, const char *program_version)
{
    const char *made_by, *cpu;
    am_json versions;
    am_status status = NULL;
    AM_TRY(get_text(a, manifest, "program", &made_by));
    AM_TRY(get_text(a, manifest, "cpu", &cpu));
    AM_TRY(get_list(a, manifest, "versions", &versions));
    AM_TRY(note_unfit(a, compare(a, "anymodel", made_by, program_version)));
    if (am_json_count(versions)) status = compare(a, "a cpu with", cpu, am_cpu_features_text());
    for (am_json_iterator i = am_json_iterate(versions); !status && am_json_next(&i);)
        status = compare_target(a, i.value);
    return note_unfit(a, status);
}

static am_status choose_targets(am_artefact *a, am_json manifest, const am_artefact_options *o)
{
    const char *targets, *policy = o->policy ? o->policy : "require", *recorded;
    AM_TRY(get_text(a, manifest, "targets", &targets));
    AM_TRY(get_text(a, manifest, "policy", &recorded));
    if (o->target && strcmp(o->target, targets) != 0)
        return am_error(AM_INVALID_ARGUMENT, "%s is compiled for %s, not for %s: compile the model for that", a->path,
                        targets, o->target);
    if (strcmp(policy, "auto") == 0)
        return am_error(AM_INVALID_ARGUMENT, "%s: the target policy of what is compiled is require or prefer, not auto",
                        a->path);
    am_status status = am_target_choose(targets, policy, &a->targets);
    a->is_required = a->targets.policy == AM_TARGET_REQUIRE;
    a->targets.policy = strcmp(recorded, "require") == 0 ? AM_TARGET_REQUIRE : AM_TARGET_PREFER;
    return am_note(status, "%s", a->path);
}

/* --- the model's files --- */

/* Looked for beside the artefact, then where the directory was. */
static am_status find_weight(am_artefact *a, am_json manifest, const char *name, char **out)
{
    const char *relative, *absolute;
    char whole[PATH_MAX];
    const char *from = am_path_real(a->path, whole) ? whole : a->path;
    AM_TRY(get_text(a, manifest, "relative", &relative));
    AM_TRY(get_text(a, manifest, "directory", &absolute));
    bool is_here = strcmp(relative, ".") == 0;
    char *near = am_arena_printf(&a->arena, "%.*s%s%s%s", (int)(am_path_base(from) - from), from,
                                 is_here ? "" : relative, is_here ? "" : "/", name);
    char *there = am_arena_printf(&a->arena, "%s/%s", absolute, name);
    if (!near || !there) return am_out_of_memory();
    *out = am_file_exists(near) ? near : there;
    if (am_file_exists(*out)) return NULL;
    return am_error(AM_NOT_FOUND, "%s: its weights are gone: neither %s nor %s is there", a->path, near, there);
}

static am_status check_weight(am_artefact *a, am_json manifest, am_json row, am_mounted_file *out)
{
    const char *expected;
    char digits[AM_SHA256_TEXT], *path = NULL;
    uint8_t digest[AM_SHA256_BYTES];
    size_t bytes;
    struct stat info;
    AM_TRY(get_path(a, row, &out->name));
    AM_TRY(get_text(a, row, "sha256", &expected));
    AM_TRY(get_size(a, row, "bytes", &bytes));
    AM_TRY(find_weight(a, manifest, out->name, &path));
    if (stat(path, &info) != 0) return am_error_from_errno("open", path);
    if ((size_t)info.st_size != bytes)
        return am_error(AM_INVALID_FILE,
                        "%s: the weights %s are %lld bytes, %zu when it was compiled: compile it again", a->path, path,
                        (long long)info.st_size, bytes);
    AM_TRY(am_file_digest(path, digest));
    am_sha256_text(digest, digits);
    out->path = path;
    if (strcmp(digits, expected) == 0) return NULL;
    return am_error(AM_INVALID_FILE,
                    "%s: the weights %s are others than when it was compiled (SHA-256 %s, expected %.64s): compile it "
                    "again",
                    a->path, path, digits, expected);
}

static am_status take_file(am_artefact *a, am_json row, am_mounted_file *out)
{
    const char *blob;
    AM_TRY(get_path(a, row, &out->name));
    AM_TRY(get_blob(a, row, &blob, &out->bytes, &out->length));
    return check_blob(a, blob, out->bytes, out->length);
}

static am_status mount_files(am_artefact *a, am_json manifest)
{
    am_json weights, files;
    AM_TRY(get_list(a, manifest, "weights", &weights));
    AM_TRY(get_list(a, manifest, "files", &files));
    size_t count = 0;
    am_mounted_file *all = am_arena_array(&a->arena, am_json_count(weights) + am_json_count(files) + 1, sizeof *all);
    if (!all) return am_out_of_memory();
    for (am_json_iterator i = am_json_iterate(files); am_json_next(&i);) AM_TRY(take_file(a, i.value, &all[count++]));
    for (am_json_iterator i = am_json_iterate(weights); am_json_next(&i);)
        AM_TRY(check_weight(a, manifest, i.value, &all[count++]));
    return am_mount_create(a->path, all, count, &a->mount);
}

/* --- programs --- */

static am_status read_piece(const am_artefact *a, am_json row, am_compiled_piece *piece, const char **blob)
{
    const char *name, *graph;
    const void *text;
    size_t length;
    AM_TRY(get_text(a, row, "target", &name));
    piece->target = am_target_find(name, strlen(name));
    if (!piece->target) return am_error(AM_UNSUPPORTED, "%s: this program has no target %.100s", a->path, name);
    AM_TRY(get_blob(a, am_json_get(row, "graph"), &graph, &text, &length));
    AM_TRY(check_blob(a, graph, text, length));
    am_sha256_of(text ? text : "", length, piece->graph);
    return get_blob(a, am_json_get(row, "compiled"), blob, &piece->bytes, &piece->length);
}

static am_status read_program(am_artefact *a, am_json row, program *p)
{
    am_json pieces;
    int count = 0;
    AM_TRY(get_text(a, row, "signature", &p->signature));
    AM_TRY(get_list(a, row, "pieces", &pieces));
    p->pieces = am_arena_array(&a->arena, am_json_count(pieces) + 1, sizeof *p->pieces);
    p->blobs = am_arena_array(&a->arena, am_json_count(pieces) + 1, sizeof *p->blobs);
    if (!p->pieces || !p->blobs) return am_out_of_memory();
    for (am_json_iterator i = am_json_iterate(pieces); am_json_next(&i); count++)
        AM_TRY(read_piece(a, i.value, &p->pieces[count], &p->blobs[count]));
    p->compiled = (am_compiled_program){
        .file = a->path, .pieces = p->pieces, .piece_count = count, .is_required = a->is_required};
    return NULL;
}

static am_status read_programs(am_artefact *a, am_json manifest)
{
    am_json rows;
    AM_TRY(get_text(a, manifest, "architecture", &a->architecture));
    AM_TRY(get_list(a, manifest, "programs", &rows));
    a->programs = am_arena_array(&a->arena, am_json_count(rows) + 1, sizeof *a->programs);
    if (!a->programs) return am_out_of_memory();
    for (am_json_iterator i = am_json_iterate(rows); am_json_next(&i);)
        AM_TRY(read_program(a, i.value, &a->programs[a->program_count++]));
    return NULL;
}

static am_status open_artefact(am_artefact *a, const char *path, const am_artefact_options *options)
{
    am_json manifest;
    a->path = am_arena_string(&a->arena, path, strlen(path));
    if (!a->path) return am_out_of_memory();
    AM_TRY(read_file(a, &manifest));
    AM_TRY(choose_targets(a, manifest, options));
    AM_TRY(compare_versions(a, manifest, options->program_version));
    AM_TRY(read_programs(a, manifest));
    return mount_files(a, manifest);
}

am_status am_artefact_open(const char *path, const am_artefact_options *options, am_artefact **out)
{
    *out = NULL;
    am_artefact *a = am_alloc_zeroed(1, sizeof *a);
    if (!a) return am_out_of_memory();
    am_status status = open_artefact(a, path, options);
    if (status) am_artefact_close(a);
    else *out = a;
    return status;
}

void am_artefact_close(am_artefact *a)
{
    if (!a) return;
    am_unmount(a->mount);
    am_tensor_table_deinit(&a->blobs);
    am_json_close(a->document);
    am_arena_deinit(&a->arena);
    am_free(a);
}

const char *am_artefact_directory(const am_artefact *a)
{
    return am_mount_path(a->mount);
}

const char *am_artefact_architecture(const am_artefact *a)
{
    return a->architecture;
}

const am_target_choice *am_artefact_targets(const am_artefact *a)
{
    return &a->targets;
}

/* --- finding --- */

static bool compiles_nothing(const am_artefact *a)
{
    for (int i = 0; i < a->targets.count; i++)
        if (strcmp(a->targets.picks[i].target->name, "cpu") != 0) return false;
    return true;
}

static am_status not_compiled(am_artefact *a, const char *wanted)
{
    enum { LISTED = 12 };
    am_buffer list = {0};
    for (int i = 0; i < a->program_count && i < LISTED; i++)
        am_buffer_printf(&list, "%s%s", i ? "; " : "", a->programs[i].signature);
    if (a->program_count > LISTED) am_buffer_append_string(&list, "; ..");
    am_status why = am_error(AM_UNSUPPORTED,
                             "%s: %s is not among what it was compiled for: %s. Compile the model for this input too%s",
                             a->path, wanted, am_buffer_text(&list),
                             a->is_required ? ", or let the cpu compute it (--target-policy prefer)" : "");
    am_buffer_deinit(&list);
    if (a->is_required) return why;
    am_warn("%s; the cpu computes it", am_status_message(why));
    am_status_free(why);
    return NULL;
}

static am_status check_program(const am_artefact *a, program *p)
{
    for (int i = 0; i < p->compiled.piece_count && !p->is_checked; i++)
        AM_TRY(check_blob(a, p->blobs[i], p->pieces[i].bytes, p->pieces[i].length));
    p->is_checked = true;
    return NULL;
}

am_status am_artefact_find(am_artefact *a, const char *architecture, const am_signature *signature,
                           const am_compiled_program **out)
{
    am_arena arena = {0};
    *out = NULL;
    if (a->is_unfit) return NULL;
    const char *wanted = am_artefact_signature(&arena, architecture, signature);
    am_status status = wanted ? NULL : am_out_of_memory();
    program *found = NULL;
    for (int i = 0; i < a->program_count && !status && !found; i++)
        if (strcmp(a->programs[i].signature, wanted) == 0) found = &a->programs[i];
    if (found) status = check_program(a, found);
    else if (!status && !compiles_nothing(a)) status = not_compiled(a, wanted);
    if (!status && found) *out = &found->compiled;
    am_arena_deinit(&arena);
    return status;
}
