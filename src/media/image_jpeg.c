/* JPEG by libjpeg-turbo. Its errors come by longjmp out of run_decode; what it has allocated is kept in the
   state, so that the caller frees it on every way out. */
#include "media/image_codecs.h"

#include "base/memory.h"

#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <jpeglib.h>
#include <jerror.h>

/* Progressive files may say the same pixels again and again; each scan costs as much as a picture. */
enum { SCAN_LIMIT = 500 };

typedef struct jpeg_state {
    struct jpeg_error_mgr errors; /* first: libjpeg knows this one */
    struct jpeg_progress_mgr progress;
    struct jpeg_decompress_struct jpeg;
    const am_image_source *source;
    uint8_t *row; /* [width, 4] of CMYK, inverted: a convention of Adobe that PIL takes for granted */
    bool complete;
    am_status status;
    jmp_buf jump;
    char message[JMSG_LENGTH_MAX];
} jpeg_state;

static void fail(jpeg_state *state, const char *message)
{
    snprintf(state->message, sizeof state->message, "%s", message);
    longjmp(state->jump, 1);
}

static void on_error(j_common_ptr jpeg)
{
    jpeg_state *state = (jpeg_state *)jpeg->err;
    jpeg->err->format_message(jpeg, state->message);
    longjmp(state->jump, 1);
}

/* Warnings (level -1) pass, as in PIL, save that the file ends too early. */
static void on_message(j_common_ptr jpeg, int level)
{
    if (level < 0 && jpeg->err->msg_code == JWRN_JPEG_EOF) fail((jpeg_state *)jpeg->err, "the file is truncated");
}

static void on_output(j_common_ptr jpeg)
{
    (void)jpeg;
}

static void on_progress(j_common_ptr jpeg)
{
    jpeg_state *state = (jpeg_state *)jpeg->err;
    if (state->jpeg.input_scan_number > SCAN_LIMIT) fail(state, "more than 500 scans");
}

static int find_orientation(const struct jpeg_decompress_struct *jpeg)
{
    static const char xmp[] = "http://ns.adobe.com/xap/1.0/";
    int by_exif = 0, by_xmp = 0;
    for (jpeg_saved_marker_ptr marker = jpeg->marker_list; marker; marker = marker->next) {
        if (!by_exif && marker->data_length >= 6 && memcmp(marker->data, "Exif\0", 6) == 0)
            by_exif = am_exif_orientation(marker->data, marker->data_length);
        if (!by_xmp && marker->data_length > sizeof xmp && memcmp(marker->data, xmp, sizeof xmp) == 0)
            by_xmp = am_xmp_orientation(marker->data + sizeof xmp, marker->data_length - sizeof xmp);
    }
    if (by_exif) return by_exif;
    return by_xmp ? by_xmp : 1;
}

static void read_rows(jpeg_state *state, am_image *out)
{
    struct jpeg_decompress_struct *jpeg = &state->jpeg;
    while (jpeg->output_scanline < jpeg->output_height) {
        uint8_t *to = out->pixels + (int64_t)jpeg->output_scanline * out->width * 3;
        JSAMPROW row = state->row ? state->row : to;
        if (jpeg_read_scanlines(jpeg, &row, 1) == 1 && state->row) am_image_inks_to_rgb(state->row, out->width, to);
    }
}

/* Everything that libjpeg may leave by longjmp. */
static void run_decode(jpeg_state *state, am_image *out, int *orientation)
{
    struct jpeg_decompress_struct *jpeg = &state->jpeg;
    if (setjmp(state->jump)) return;
    jpeg_create_decompress(jpeg);
    jpeg->progress = &state->progress;
    jpeg_mem_src(jpeg, state->source->bytes, state->source->size_bytes);
    jpeg_save_markers(jpeg, JPEG_APP0 + 1, 0xffff);
    jpeg_read_header(jpeg, TRUE);
    state->status = am_image_check_size(state->source, jpeg->image_width, jpeg->image_height);
    if (state->status) return;
    int components = jpeg->num_components;
    if (components != 1 && components != 3 && components != 4) fail(state, "neither 1, 3 nor 4 components");
    *orientation = find_orientation(jpeg);
    jpeg->out_color_space = components == 4 ? JCS_CMYK : JCS_RGB;
    jpeg_start_decompress(jpeg);
    state->status = am_image_create(jpeg->output_width, jpeg->output_height, out);
    if (!state->status && components == 4 && !(state->row = am_alloc((size_t)out->width * 4)))
        state->status = am_out_of_memory();
    if (state->status) return;
    if (state->source->as_stored) out->channels = components;
    read_rows(state, out);
    jpeg_finish_decompress(jpeg);
    state->complete = true;
}

am_status am_image_decode_jpeg(const am_image_source *source, am_image *out, int *orientation)
{
    jpeg_state *state = am_alloc_zeroed(1, sizeof *state);
    if (!state) return am_out_of_memory();
    state->source = source;
    state->jpeg.err = jpeg_std_error(&state->errors);
    state->errors.error_exit = on_error;
    state->errors.emit_message = on_message;
    state->errors.output_message = on_output;
    state->progress.progress_monitor = on_progress;
    run_decode(state, out, orientation);
    jpeg_destroy_decompress(&state->jpeg);
    am_status status = state->status;
    if (!status && !state->complete) {
        am_code code = strstr(state->message, "memory") ? AM_OUT_OF_MEMORY : AM_INVALID_FILE;
        if (strstr(state->message, "nsupported") || strstr(state->message, "not supported")) code = AM_UNSUPPORTED;
        status = am_error(code, "%s", state->message);
    }
    am_free(state->row);
    am_free(state);
    return status;
}
