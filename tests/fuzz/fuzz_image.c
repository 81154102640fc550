/* Image files, and what follows when they can be read: turning them into a tensor, writing and reading them
   again. Input that begins with '{' is a preprocessor_config.json instead. */
#include "base/json.h"
#include "base/memory.h"
#include "media/images/processor.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const classes[] = {
    "ViTImageProcessor",         "CLIPImageProcessorPil",  "ConvNextImageProcessor", "FlavaImageProcessor",
    "TimmWrapperImageProcessor", "Owlv2ImageProcessorPil", "VitPoseImageProcessor",  NULL};

static void read_config(const uint8_t *data, size_t size)
{
    am_json_document *document = NULL;
    am_status status = am_json_parse((const char *)data, size, "config", &document);
    for (size_t i = 0; i < sizeof classes / sizeof *classes && !status; i++) {
        am_image_processor *processor;
        am_plane_size out;
        am_status read = am_image_processor_create(am_json_root(document), classes[i], &processor);
        if (!read) read = am_image_fit(&processor->size, (am_plane_size){37, 211}, &out);
        if (!read && (out.height < 1 || out.width < 1)) abort();
        am_image_processor_close(processor);
        am_status_free(read);
    }
    am_json_close(document);
    am_status_free(status);
}

static void make_tensor(const am_image *image)
{
    am_json_document *document = NULL;
    const char *config = "{\"size\": {\"height\": 9, \"width\": 14}, \"resample\": 3}";
    am_image_processor *processor = NULL;
    am_image_inputs inputs = {.images = image, .count = 1};
    am_media_tensors out = {0};
    am_status status = am_json_parse(config, strlen(config), "config", &document);
    if (!status) status = am_image_processor_create(am_json_root(document), "SiglipImageProcessor", &processor);
    if (!status) status = am_image_processor_run(processor, &inputs, &out);
    if (status) abort();
    am_media_tensors_deinit(&out);
    am_image_processor_close(processor);
    am_json_close(document);
}

static void write_and_read(const am_image *image)
{
    am_buffer file = {0};
    am_image again;
    if (am_image_encode_png(image, &file)) abort();
    if (am_image_decode(file.bytes, file.length, "again", 0, &again)) abort();
    if (again.width != image->width || again.height != image->height ||
        memcmp(again.pixels, image->pixels, (size_t)(image->width * image->height * 3)) != 0)
        abort();
    am_image_deinit(&again);
    am_buffer_deinit(&file);
}

/* What PIL alone would give has the same pixels, on their side or not. */
static void decode_stored(const uint8_t *data, size_t size, const am_image *upright)
{
    am_image image;
    am_status status = am_image_decode_stored(data, size, "input", 1 << 18, &image);
    if (!status && (image.channels < 1 || image.channels > 4)) abort();
    if (!status && upright && image.width * image.height != upright->width * upright->height) abort();
    if (!status) write_and_read(&image);
    am_status_free(status);
    am_image_deinit(&image);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size && data[0] == '{') {
        read_config(data, size);
        return 0;
    }
    am_image image;
    am_status status = am_image_decode(data, size, "input", 1 << 18, &image);
    if (!status) {
        make_tensor(&image);
        write_and_read(&image);
    }
    decode_stored(data, size, status ? NULL : &image);
    am_status_free(status);
    am_image_deinit(&image);
    return 0;
}
