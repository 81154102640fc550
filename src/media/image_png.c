/* PNG by libpng. Its errors come by longjmp out of run_*; what they have allocated is kept in the state, so
   that the caller frees it on every way out. */
#include "media/image_codecs.h"

#include "base/hex.h"
#include "base/memory.h"

#include <png.h>

#include <stdio.h>
#include <string.h>

/* Of one chunk beside the image: a profile, a text, Exif. */
enum { CHUNK_LIMIT_BYTES = 8000000 };

/* Rows and tables take far less; some chunks (eXIf) are given memory as their length says all the same. */
enum { ALLOCATION_LIMIT_BYTES = 64 << 20 };

typedef struct png_state {
    const am_image_source *source;
    size_t position;
    png_structp png;
    png_infop info;
    uint16_t *wide; /* [height, width] of 16-bit grey */
    uint8_t *rgba;  /* [height, width, 4] where alpha counts */
    bool complete;  /* all rows are there */
    am_status status;
    char message[128];
} png_state;

static void on_error(png_structp png, png_const_charp message)
{
    png_state *state = png_get_error_ptr(png);
    snprintf(state->message, sizeof state->message, "%s", message);
    png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp message)
{
    (void)png;
    (void)message;
}

static png_voidp allocate(png_structp png, png_alloc_size_t bytes)
{
    (void)png;
    return bytes > ALLOCATION_LIMIT_BYTES ? NULL : am_alloc(bytes);
}

static void release(png_structp png, png_voidp block)
{
    (void)png;
    am_free(block);
}

static void read_bytes(png_structp png, png_bytep to, size_t count)
{
    png_state *state = png_get_io_ptr(png);
    if (count > state->source->size_bytes - state->position) png_error(png, "the file is truncated");
    memcpy(to, state->source->bytes + state->position, count);
    state->position += count;
}

/* Width and height are the first fields of the first chunk, IHDR (PNG specification, 5.6 and 11.2.2). */
static am_status check_header(const am_image_source *source)
{
    if (source->size_bytes < 33) return am_error(AM_INVALID_FILE, "the file is truncated in its header");
    const uint8_t *p = source->bytes + 16;
    int64_t width = (int64_t)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];
    int64_t height = (int64_t)p[4] << 24 | p[5] << 16 | p[6] << 8 | p[7];
    return am_image_check_size(source, width, height);
}

/* PIL's mode I;16, which becomes RGB by clipping. */
static bool is_wide_grey(const png_state *state)
{
    return png_get_color_type(state->png, state->info) == PNG_COLOR_TYPE_GRAY &&
           png_get_bit_depth(state->png, state->info) == 16;
}

static void ask_for_rgb(png_state *state)
{
    png_set_strip_16(state->png);
    png_set_palette_to_rgb(state->png);
    png_set_expand_gray_1_2_4_to_8(state->png);
    png_set_gray_to_rgb(state->png);
    if (!state->rgba) png_set_strip_alpha(state->png);
}

/* Of what is opened as it is stored. A colour that is transparent in a file without alpha or palette is no alpha. */
static bool has_alpha(const png_state *state)
{
    png_byte type = png_get_color_type(state->png, state->info);
    bool by_palette = type == PNG_COLOR_TYPE_PALETTE && png_get_valid(state->png, state->info, PNG_INFO_tRNS);
    return state->source->as_stored && (by_palette || (type & PNG_COLOR_MASK_ALPHA));
}

static int stored_channels(const png_state *state)
{
    switch (png_get_color_type(state->png, state->info)) {
    case PNG_COLOR_TYPE_GRAY_ALPHA:
        return 2;
    case PNG_COLOR_TYPE_RGB:
        return 3;
    case PNG_COLOR_TYPE_RGB_ALPHA:
        return 4;
    default:
        return 1;
    }
}

/* Exif as ImageMagick writes it into a text: three lines (an empty one, the kind, the length), then hexadecimal
   digits. The directory of the picture itself is at the begin: what is beyond `bytes` is not looked for. */
static int raw_profile_orientation(const char *text)
{
    uint8_t bytes[4096];
    size_t digits = 0;
    for (int lines = 0; lines < 3; lines++) {
        text = strchr(text, '\n');
        if (!text++) return 0;
    }
    for (; *text && digits < 2 * sizeof bytes; text++) {
        int digit = am_hex_value(*text);
        if (*text == '\n' || *text == ' ') continue;
        if (digit < 0) return 0;
        bytes[digits / 2] = (uint8_t)(digits % 2 ? bytes[digits / 2] << 4 | digit : digit);
        digits++;
    }
    return am_exif_orientation(bytes, digits / 2);
}

static const char *find_text(png_state *state, const char *key)
{
    png_textp texts = NULL;
    int count = 0;
    png_get_text(state->png, state->info, &texts, &count);
    for (int i = 0; i < count; i++)
        if (strcmp(texts[i].key, key) == 0 && texts[i].text) return texts[i].text;
    return NULL;
}

static int find_orientation(png_state *state)
{
    png_bytep exif = NULL;
    png_uint_32 exif_bytes = 0;
    int orientation = 0;
    const char *raw = find_text(state, "Raw profile type exif"), *xmp = find_text(state, "XML:com.adobe.xmp");
    if (png_get_eXIf_1(state->png, state->info, &exif_bytes, &exif))
        orientation = am_exif_orientation(exif, exif_bytes);
    else if (raw) orientation = raw_profile_orientation(raw);
    if (!orientation && xmp) orientation = am_xmp_orientation((const uint8_t *)xmp, strlen(xmp));
    return orientation ? orientation : 1;
}

/* The colour that PIL's info["transparency"] names after conversion to RGB, with its ways: samples of 2 and 4
   bits are not scaled, the lower 8 bits of 16 count, bits and 16-bit grey become a level of red; of palettes,
   only an index that alone is transparent, and fully, counts. */
static bool find_transparent_color(png_state *state, uint8_t color[3])
{
    png_bytep alphas = NULL;
    int count = 0, clear = -1, depth = png_get_bit_depth(state->png, state->info);
    png_color_16p key = NULL;
    if (!png_get_tRNS(state->png, state->info, &alphas, &count, &key)) return false;
    memset(color, 0, 3);
    switch (png_get_color_type(state->png, state->info)) {
    case PNG_COLOR_TYPE_RGB:
        color[0] = (uint8_t)key->red;
        color[1] = (uint8_t)key->green;
        color[2] = (uint8_t)key->blue;
        return true;
    case PNG_COLOR_TYPE_GRAY:
        if (depth == 1) color[0] = key->gray ? 255 : 0;
        else if (depth == 16) color[0] = (uint8_t)key->gray;
        else memset(color, key->gray, 3);
        return true;
    case PNG_COLOR_TYPE_PALETTE:
        for (int i = 0; i < count; i++) {
            if (alphas[i] == 255) continue;
            if (alphas[i] != 0 || clear >= 0) return false;
            clear = i;
        }
        break;
    default:
        break;
    }
    png_colorp palette = NULL;
    int colors = 0;
    png_get_PLTE(state->png, state->info, &palette, &colors);
    if (clear < 0 || clear >= colors) return false;
    memcpy(color, (uint8_t[]){palette[clear].red, palette[clear].green, palette[clear].blue}, 3);
    return true;
}

/* Interlaced files come in several passes over the same rows. */
static void read_rows(png_state *state, uint8_t *rows, size_t row_bytes, int64_t height)
{
    int passes = png_set_interlace_handling(state->png);
    png_read_update_info(state->png, state->info);
    if (png_get_rowbytes(state->png, state->info) != row_bytes) png_error(state->png, "rows of another length");
    for (int pass = 0; pass < passes; pass++)
        for (int64_t y = 0; y < height; y++) png_read_row(state->png, rows + (size_t)y * row_bytes, NULL);
    state->complete = true;
}

static void read_alpha(png_state *state, am_image *out)
{
    state->rgba = am_alloc_zeroed((size_t)(out->width * out->height), 4);
    if (!state->rgba) png_error(state->png, "out of memory");
    out->has_transparent_color = false;
    ask_for_rgb(state);
    png_set_tRNS_to_alpha(state->png);
    read_rows(state, state->rgba, (size_t)out->width * 4, out->height);
    am_image_put_on_white(state->rgba, out->width * out->height, out->pixels);
}

/* Samples come with their upper byte first. */
static void clip_wide_grey(png_state *state, am_image *out)
{
    for (int64_t i = 0; i < out->width * out->height; i++) {
        const uint8_t *bytes = (const uint8_t *)(state->wide + i);
        uint16_t sample = (uint16_t)(bytes[0] << 8 | bytes[1]);
        state->wide[i] = sample;
        memset(out->pixels + 3 * i, sample > 255 ? 255 : sample, 3);
    }
    if (!state->source->as_stored) return;
    out->wide = state->wide;
    state->wide = NULL;
}

/* Everything that libpng may leave by longjmp. Whatever goes wrong after the last row is forgiven, as PIL
   does. */
static void run_decode(png_state *state, am_image *out, int *orientation)
{
    if (setjmp(png_jmpbuf(state->png))) return;
    png_set_read_fn(state->png, state, read_bytes);
    png_set_chunk_malloc_max(state->png, CHUNK_LIMIT_BYTES); /* a chunk's length is believed before it is read */
    png_read_info(state->png, state->info);
    state->status = am_image_create(png_get_image_width(state->png, state->info),
                                    png_get_image_height(state->png, state->info), out);
    if (state->status) return;
    out->has_transparent_color = find_transparent_color(state, out->transparent_color);
    if (state->source->as_stored) out->channels = stored_channels(state);
    if (has_alpha(state)) {
        read_alpha(state, out);
    } else if (is_wide_grey(state)) {
        state->wide = am_alloc_zeroed((size_t)(out->width * out->height), sizeof *state->wide);
        if (!state->wide) png_error(state->png, "out of memory");
        read_rows(state, (uint8_t *)state->wide, (size_t)out->width * sizeof *state->wide, out->height);
        clip_wide_grey(state, out);
    } else {
        ask_for_rgb(state);
        read_rows(state, out->pixels, (size_t)out->width * 3, out->height);
    }
    *orientation = find_orientation(state);
    png_read_end(state->png, state->info);
    *orientation = find_orientation(state);
}

am_status am_image_decode_png(const am_image_source *source, am_image *out, int *orientation)
{
    AM_TRY(check_header(source));
    png_state state = {.source = source};
    state.png = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, &state, on_error, on_warning, NULL, allocate, release);
    if (state.png) state.info = png_create_info_struct(state.png);
    if (!state.info) {
        png_destroy_read_struct(&state.png, NULL, NULL);
        return am_out_of_memory();
    }
    run_decode(&state, out, orientation);
    png_destroy_read_struct(&state.png, &state.info, NULL);
    am_free(state.wide);
    am_free(state.rgba);
    if (state.status || state.complete) return state.status;
    return am_error(strstr(state.message, "memory") ? AM_OUT_OF_MEMORY : AM_INVALID_FILE, "%s", state.message);
}

typedef struct png_writer {
    const am_image *image;
    am_buffer *out;
    png_structp png;
    png_infop info;
    bool complete;
    char message[128];
} png_writer;

static void on_write_error(png_structp png, png_const_charp message)
{
    png_writer *writer = png_get_error_ptr(png);
    snprintf(writer->message, sizeof writer->message, "%s", message);
    png_longjmp(png, 1);
}

static void write_bytes(png_structp png, png_bytep bytes, size_t count)
{
    png_writer *writer = png_get_io_ptr(png);
    am_buffer_append(writer->out, bytes, count);
}

static void flush(png_structp png)
{
    (void)png;
}

static void run_encode(png_writer *writer)
{
    if (setjmp(png_jmpbuf(writer->png))) return;
    const am_image *image = writer->image;
    png_set_write_fn(writer->png, writer, write_bytes, flush);
    png_set_IHDR(writer->png, writer->info, (png_uint_32)image->width, (png_uint_32)image->height, 8,
                 PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_write_info(writer->png, writer->info);
    for (int64_t y = 0; y < image->height; y++) png_write_row(writer->png, image->pixels + y * image->width * 3);
    png_write_end(writer->png, writer->info);
    writer->complete = true;
}

am_status am_image_encode_png(const am_image *image, am_buffer *out)
{
    png_writer writer = {.image = image, .out = out};
    writer.png =
        png_create_write_struct_2(PNG_LIBPNG_VER_STRING, &writer, on_write_error, on_warning, NULL, allocate, release);
    if (writer.png) writer.info = png_create_info_struct(writer.png);
    if (!writer.info) {
        png_destroy_write_struct(&writer.png, NULL);
        return am_out_of_memory();
    }
    run_encode(&writer);
    png_destroy_write_struct(&writer.png, &writer.info);
    if (!writer.complete)
        return am_error(strstr(writer.message, "memory") ? AM_OUT_OF_MEMORY : AM_INVALID_ARGUMENT, "%s",
                        writer.message);
    return am_buffer_status(out);
}
