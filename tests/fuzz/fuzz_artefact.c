/* Any manifest with any files in an artefact. Input: the manifest, a zero byte, and bytes that are the only blob. The
   digests are made right, so that what lies behind them is reached. */
#define _GNU_SOURCE
#include "base/file.h"
#include "base/memory.h"
#include "formats/safetensors.h"
#include "runtime/artefact_internal.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Replaces "@" where the digest of the blob is to stand. */
static char *with_digests(const char *manifest, size_t length, const char *digits)
{
    am_buffer text = {0}, out = {0};
    for (size_t i = 0; i < length; i++) {
        if (manifest[i] == '@') am_buffer_append_string(&text, digits);
        else am_buffer_append_char(&text, manifest[i]);
    }
    char whole[AM_SHA256_TEXT];
    am_sha256_digits_of(am_buffer_text(&text), strlen(am_buffer_text(&text)), whole);
    am_buffer_printf(&out, "%s%s", whole, am_buffer_text(&text));
    am_buffer_deinit(&text);
    return am_buffer_take(&out);
}

static void open_file(const char *path)
{
    static const char *const policies[] = {"require", "prefer"};
    for (int i = 0; i < 2; i++) {
        am_artefact *artefact;
        am_artefact_options options = {.policy = policies[i], .program_version = "0.1.0"};
        am_status status = am_artefact_open(path, &options, &artefact);
        if (!status && (!am_directory_exists(am_artefact_directory(artefact)) || !am_artefact_architecture(artefact)))
            abort();
        am_status_free(status);
        am_artefact_close(artefact);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char path[] = "/tmp/fuzz-artefact-XXXXXX";
    static bool is_made;
    char digits[AM_SHA256_TEXT];
    const uint8_t *end = size ? memchr(data, 0, size) : NULL;
    size_t length = end ? (size_t)(end - data) : size, rest = end ? size - length - 1 : 0;
    if (!is_made) close(mkstemp(path));
    is_made = true;
    am_sha256_digits_of(end ? (const char *)end + 1 : "", rest, digits);
    am_named_tensor blob = {
        .name = digits, .dtype = AM_U8, .shape = am_shape_of((int64_t)rest), .data = end ? end + 1 : NULL};
    char *manifest = with_digests((const char *)data, length, digits);
    if (!manifest) return 0;
    am_status status = am_safetensors_write_with(path, AM_ARTEFACT_KEY, manifest, &blob, rest ? 1 : 0);
    if (!status) open_file(path);
    am_status_free(status);
    am_free(manifest);
    unlink(path);
    return 0;
}
