/* Any settings of an image processor, and what it makes of images: six bytes choose these; then follow the
   configuration, which names the class, and, behind a zero byte, arguments of the call. */
#include "media/image_processor.h"
#include "tensor/shape.h"

#include "fuzz_parts.h"
#include "fuzz_settings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEAD = 6, MOST_IMAGES = 3 };

static void require(bool holds)
{
    if (!holds) abort();
}

static void count_patches(const am_image_processor *processor, const uint8_t *head)
{
    am_image_patch_count patches;
    am_plane_size in = {1 + head[1] * (int64_t)head[2], 1 + head[3] * (int64_t)head[4]};
    am_status status = am_image_processor_count_patches(processor, in, &patches);
    require(status || patches.count >= 0);
    require(!status || am_status_code(status) != AM_INTERNAL);
    am_status_free(status);
}

static void run(const am_image_processor *processor, const uint8_t *head, am_json arguments)
{
    am_image images[MOST_IMAGES];
    am_media_tensors out = {0};
    am_image_inputs inputs = {.images = images, .count = 1 + head[0] % MOST_IMAGES, .arguments = arguments};
    for (int64_t i = 0; i < inputs.count; i++)
        fuzz_draw(1 + head[1 + i] % 64, 1 + head[2 + i] % 96, head[5], &images[i]);
    am_status status = am_image_processor_run(processor, &inputs, &out);
    require(!status || am_status_code(status) != AM_INTERNAL);
    for (int i = 0; !status && i < out.count; i++)
        for (int64_t k = 0; k < out.items[i].count; k++) require(am_shape_check(&out.items[i].tensors[k].shape));
    am_status_free(status);
    am_media_tensors_deinit(&out);
    for (int64_t i = 0; i < inputs.count; i++) am_image_deinit(&images[i]);
}

static void use(const uint8_t *head, am_json config, am_json arguments)
{
    am_image_processor *processor;
    am_status status = am_image_processor_create_with(config, NULL, arguments, &processor);
    require((status == NULL) == (processor != NULL));
    require(!status || am_status_code(status) != AM_INTERNAL);
    if (processor) count_patches(processor, head);
    if (processor && fuzz_is_small(config, FUZZ_MOST_SETTING) && fuzz_is_small(arguments, FUZZ_MOST_SETTING))
        run(processor, head, arguments);
    am_image_processor_close(processor);
    am_status_free(status);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    am_text parts[2];
    am_json_document *config = NULL, *arguments = NULL;
    if (size < HEAD) return 0;
    fuzz_cut(data + HEAD, size - HEAD, parts, 2);
    am_status status = am_json_parse(parts[0].bytes, parts[0].length, "config", &config);
    if (!status && parts[1].length) status = am_json_parse(parts[1].bytes, parts[1].length, "arguments", &arguments);
    if (!status) use(data, am_json_root(config), arguments ? am_json_root(arguments) : (am_json){0});
    am_json_close(config);
    am_json_close(arguments);
    am_status_free(status);
    return 0;
}
