/* WebP by libwebp; Exif, XMP and the first frame of animations by libwebpdemux. */
#include "media/image_codecs.h"

#include <webp/decode.h>
#include <webp/demux.h>

#include <string.h>

static am_status check_features(const am_image_source *source, WebPBitstreamFeatures *features)
{
    VP8StatusCode code = WebPGetFeatures(source->bytes, source->size_bytes, features);
    if (code == VP8_STATUS_NOT_ENOUGH_DATA) return am_error(AM_INVALID_FILE, "the file is truncated in its header");
    if (code == VP8_STATUS_OUT_OF_MEMORY) return am_out_of_memory();
    if (code != VP8_STATUS_OK) return am_error(AM_INVALID_FILE, "a corrupt header (libwebp status %d)", (int)code);
    return am_image_check_size(source, features->width, features->height);
}

/* The first frame on its canvas, where alpha does not count. */
static am_status decode_frame(const am_image_source *source, am_image *out)
{
    WebPData data = {.bytes = source->bytes, .size = source->size_bytes};
    WebPAnimDecoderOptions options;
    WebPAnimDecoderOptionsInit(&options);
    WebPAnimDecoder *decoder = WebPAnimDecoderNew(&data, &options);
    WebPAnimInfo info = {0};
    uint8_t *canvas = NULL;
    int timestamp = 0;
    if (!decoder || !WebPAnimDecoderGetInfo(decoder, &info) || info.canvas_width != (uint32_t)out->width ||
        info.canvas_height != (uint32_t)out->height || !WebPAnimDecoderGetNext(decoder, &canvas, &timestamp)) {
        WebPAnimDecoderDelete(decoder);
        return am_error(AM_INVALID_FILE, "the first frame is truncated or corrupt");
    }
    int64_t count = out->width * out->height;
    if (source->as_stored) am_image_put_on_white(canvas, count, out->pixels);
    for (int64_t i = 0; i < count && !source->as_stored; i++) memcpy(out->pixels + 3 * i, canvas + 4 * i, 3);
    WebPAnimDecoderDelete(decoder);
    return NULL;
}

static am_status decode_still(const am_image_source *source, am_image *out)
{
    size_t size_bytes = (size_t)(out->width * out->height * 3);
    if (WebPDecodeRGBInto(source->bytes, source->size_bytes, out->pixels, size_bytes, (int)out->width * 3)) return NULL;
    return am_error(AM_INVALID_FILE, "the file is truncated or corrupt");
}

static int chunk_orientation(const WebPDemuxer *demuxer, const char *name, int (*find)(const uint8_t *, size_t))
{
    WebPChunkIterator chunk;
    if (!WebPDemuxGetChunk(demuxer, name, 1, &chunk)) return 0;
    int orientation = find(chunk.chunk.bytes, chunk.chunk.size);
    WebPDemuxReleaseChunkIterator(&chunk);
    return orientation;
}

static int find_orientation(const am_image_source *source)
{
    WebPData data = {.bytes = source->bytes, .size = source->size_bytes};
    WebPDemuxer *demuxer = WebPDemux(&data);
    if (!demuxer) return 1;
    int orientation = chunk_orientation(demuxer, "EXIF", am_exif_orientation);
    if (!orientation) orientation = chunk_orientation(demuxer, "XMP ", am_xmp_orientation);
    WebPDemuxDelete(demuxer);
    return orientation ? orientation : 1;
}

am_status am_image_decode_webp(const am_image_source *source, am_image *out, int *orientation)
{
    WebPBitstreamFeatures features;
    AM_TRY(check_features(source, &features));
    AM_TRY(am_image_create(features.width, features.height, out));
    *orientation = find_orientation(source);
    bool with_alpha = source->as_stored && features.has_alpha;
    if (source->as_stored) out->channels = features.has_alpha ? 4 : 3;
    return features.has_animation || with_alpha ? decode_frame(source, out) : decode_still(source, out);
}
