/* GIF by giflib: the first frame on its screen, as PIL shows it. Pixels outside of the frame have the colour
   of the transparent index, or else of index 0. */
#include "media/image_codecs.h"

#include "base/memory.h"

#include <gif_lib.h>

#include <string.h>

typedef struct gif_state {
    const am_image_source *source;
    size_t position;
    GifFileType *gif;
    int transparent; /* index; -1: none */
    uint8_t colors[256][3];
    uint8_t *row;
} gif_state;

static int read_bytes(GifFileType *gif, GifByteType *to, int count)
{
    gif_state *state = gif->UserData;
    size_t left = state->source->size_bytes - state->position;
    size_t take = count < 0 ? 0 : (size_t)count < left ? (size_t)count : left;
    memcpy(to, state->source->bytes + state->position, take);
    state->position += take;
    return (int)take;
}

static am_status gif_error(const gif_state *state, int code)
{
    if (state->position >= state->source->size_bytes) return am_error(AM_INVALID_FILE, "the file is truncated");
    if (code == D_GIF_ERR_NOT_ENOUGH_MEM) return am_out_of_memory();
    const char *text = GifErrorString(code);
    return am_error(AM_INVALID_FILE, "%s", text ? text : "a corrupt file");
}

/* Walks to the first image descriptor, noting the transparent index of a graphic control extension. */
static am_status find_frame(gif_state *state)
{
    for (;;) {
        GifRecordType record;
        if (DGifGetRecordType(state->gif, &record) == GIF_ERROR) return gif_error(state, state->gif->Error);
        if (record == TERMINATE_RECORD_TYPE) return am_error(AM_INVALID_FILE, "no image in the file");
        if (record == IMAGE_DESC_RECORD_TYPE) break;
        if (record != EXTENSION_RECORD_TYPE) continue;
        int kind = 0;
        GifByteType *block = NULL;
        if (DGifGetExtension(state->gif, &kind, &block) == GIF_ERROR) return gif_error(state, state->gif->Error);
        if (kind == GRAPHICS_EXT_FUNC_CODE && block && block[0] >= 4 && block[1] & 1) state->transparent = block[4];
        while (block) {
            if (DGifGetExtensionNext(state->gif, &block) == GIF_ERROR) return gif_error(state, state->gif->Error);
        }
    }
    if (DGifGetImageHeader(state->gif) == GIF_ERROR) return gif_error(state, state->gif->Error);
    return NULL;
}

/* Indices beyond the palette are black; without one, and where it is a ramp of greys, an index is a level
   of grey. */
static void take_palette(gif_state *state)
{
    const ColorMapObject *map = state->gif->Image.ColorMap ? state->gif->Image.ColorMap : state->gif->SColorMap;
    bool ramp = true;
    for (int i = 0; map && i < map->ColorCount && i < 256; i++) {
        const GifColorType *color = &map->Colors[i];
        memcpy(state->colors[i], (uint8_t[]){color->Red, color->Green, color->Blue}, 3);
        ramp = ramp && color->Red == i && color->Green == i && color->Blue == i;
    }
    for (int i = 0; ramp && i < 256; i++) memset(state->colors[i], i, 3);
}

static am_status read_row(gif_state *state, am_image *out, int64_t y)
{
    const GifImageDesc *frame = &state->gif->Image;
    if (DGifGetLine(state->gif, state->row, frame->Width) == GIF_ERROR) return gif_error(state, state->gif->Error);
    uint8_t *to = out->pixels + 3 * ((frame->Top + y) * out->width + frame->Left);
    for (int x = 0; x < frame->Width; x++, to += 3) memcpy(to, state->colors[state->row[x]], 3);
    return NULL;
}

/* Interlaced rows come as every 8th, every 8th from 4, every 4th from 2, every 2nd from 1 (GIF89a,
   appendix E). */
static am_status read_rows(gif_state *state, am_image *out)
{
    static const int starts[] = {0, 4, 2, 1}, steps[] = {8, 8, 4, 2};
    const GifImageDesc *frame = &state->gif->Image;
    int passes = frame->Interlace ? 4 : 1;
    for (int pass = 0; pass < passes; pass++) {
        int step = frame->Interlace ? steps[pass] : 1;
        for (int64_t y = frame->Interlace ? starts[pass] : 0; y < frame->Height; y += step)
            AM_TRY(read_row(state, out, y));
    }
    return NULL;
}

static am_status decode_frame(gif_state *state, am_image *out)
{
    AM_TRY(find_frame(state));
    const GifImageDesc *frame = &state->gif->Image;
    int64_t width = state->gif->SWidth, height = state->gif->SHeight;
    if (width < (int64_t)frame->Left + frame->Width) width = (int64_t)frame->Left + frame->Width;
    if (height < (int64_t)frame->Top + frame->Height) height = (int64_t)frame->Top + frame->Height;
    AM_TRY(am_image_check_size(state->source, width, height));
    AM_TRY(am_image_check_size(state->source, frame->Width, frame->Height));
    AM_TRY(am_image_create(width, height, out));
    state->row = am_alloc((size_t)frame->Width);
    if (!state->row) return am_out_of_memory();
    take_palette(state);
    if (state->source->as_stored) {
        out->channels = 1;
        if (state->transparent >= 0) memset(state->colors[state->transparent], 255, 3);
    }
    const uint8_t *background = state->colors[state->transparent < 0 ? 0 : state->transparent];
    for (int64_t i = 0; i < width * height; i++) memcpy(out->pixels + 3 * i, background, 3);
    out->has_transparent_color = state->transparent >= 0;
    memcpy(out->transparent_color, background, sizeof out->transparent_color);
    return read_rows(state, out);
}

am_status am_image_decode_gif(const am_image_source *source, am_image *out, int *orientation)
{
    (void)orientation;
    gif_state state = {.source = source, .transparent = -1};
    int code = D_GIF_SUCCEEDED;
    state.gif = DGifOpen(&state, read_bytes, &code);
    if (!state.gif) return gif_error(&state, code);
    am_status status = decode_frame(&state, out);
    am_free(state.row);
    DGifCloseFile(state.gif, &code);
    return status;
}
