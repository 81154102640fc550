/* Any settings of a video processor, and what it makes of videos: six bytes choose these; then follow the
   configuration, which names the class, and, behind a zero byte, arguments of the call. */
#include "base/memory.h"
#include "media/video_processor.h"
#include "tensor/shape.h"

#include "fuzz_parts.h"
#include "fuzz_settings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEAD = 6, MOST_FRAMES = 24, MOST_RUN = 4 };

static void require(bool holds)
{
    if (!holds) abort();
}

static void fail(am_status status)
{
    require(!status || am_status_code(status) != AM_INTERNAL);
    am_status_free(status);
}

static void sample(const am_video_processor *processor, const am_video *video, const am_video_options *options)
{
    int64_t *indices, count;
    am_status status = am_video_processor_sample(processor, video, options, &indices, &count);
    for (int64_t i = 0; !status && i < count; i++) require(indices[i] >= 0 && indices[i] < video->count);
    if (!status) am_free(indices);
    fail(status);
}

static void run(const am_video_processor *processor, const am_video *video, const am_video_options *options)
{
    am_media_tensors out = {0};
    am_status status = am_video_processor_run(processor, video, 1, options, &out);
    for (int i = 0; !status && i < out.count; i++)
        for (int64_t k = 0; k < out.items[i].count; k++) require(am_shape_check(&out.items[i].tensors[k].shape));
    fail(status);
    am_media_tensors_deinit(&out);
}

static void use(const am_video_processor *processor, const uint8_t *head, bool is_small)
{
    am_image frames[MOST_FRAMES];
    am_video video = {.frames = frames, .count = 1 + head[0] % MOST_FRAMES, .fps = head[1] / 8.0};
    bool samples = head[5] & 1;
    am_video_options options = {.do_sample_frames = head[5] & 2 ? &samples : NULL,
                                .num_frames = head[5] & 4 ? head[2] : 0,
                                .fps = head[5] & 8 ? head[2] / 4.0 : 0.0};
    if (video.fps > 0.0 && !(head[5] & 16)) video.duration = (double)video.count / video.fps;
    for (int64_t i = 0; i < video.count; i++) fuzz_draw(1 + head[3] % 48, 1 + head[4] % 64, (unsigned)i, &frames[i]);
    sample(processor, &video, &options);
    int64_t count = video.count;
    if (video.count > MOST_RUN) video.count = MOST_RUN;
    if (is_small) run(processor, &video, &options);
    for (int64_t i = 0; i < count; i++) am_image_deinit(&frames[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    am_text parts[2];
    am_json_document *config = NULL, *arguments = NULL;
    am_video_processor *processor = NULL;
    if (size < HEAD) return 0;
    fuzz_cut(data + HEAD, size - HEAD, parts, 2);
    am_status status = am_json_parse(parts[0].bytes, parts[0].length, "config", &config);
    if (!status && parts[1].length) status = am_json_parse(parts[1].bytes, parts[1].length, "arguments", &arguments);
    am_json root = config ? am_json_root(config) : (am_json){0},
            call = arguments ? am_json_root(arguments) : (am_json){0};
    if (!status) status = am_video_processor_create_with(root, NULL, call, &processor);
    if (processor)
        use(processor, data, fuzz_is_small(root, FUZZ_MOST_SETTING) && fuzz_is_small(call, FUZZ_MOST_SETTING));
    am_video_processor_close(processor);
    am_json_close(config);
    am_json_close(arguments);
    fail(status);
    return 0;
}
