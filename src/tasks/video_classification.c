/* VideoClassificationPipeline of transformers. */
#include "media/video_open.h"
#include "tasks/answers.h"
#include "tasks/task.h"

typedef struct job {
    am_video_processor *processor;
    am_video_options options;
    am_arena arena;
    am_video video;
    am_media_tensors made;
} job;

static am_status choose(void *context, const am_video *video, int64_t **out_indices, int64_t *out_count)
{
    const job *j = context;
    return am_video_processor_sample(j->processor, video, &j->options, out_indices, out_count);
}

/* num_frames: the option's, else the model's. */
static am_status read_options(am_pipeline *p, am_json options, job *j)
{
    static const bool samples = true;
    const am_config *c = am_pipeline_config(p);
    am_json given = am_json_get(options, "num_frames");
    int64_t count =
        am_json_int(am_json_kind_of(given) == AM_JSON_MISSING ? am_json_get(c->object, "num_frames") : given, 0);
    AM_TRY(am_check_option(options, "num_frames", AM_JSON_INTEGER));
    if (count < 1) return am_error(AM_INVALID_ARGUMENT, "num_frames: expected 1 or more, found %lld", (long long)count);
    j->options = (am_video_options){.do_sample_frames = &samples, .num_frames = count};
    return NULL;
}

static am_status open_video(const am_task_input *input, job *j)
{
    AM_TRY(am_need_media(input, "a video"));
    am_video_source source = {
        .file = input->bytes ? NULL : input->path, .bytes = input->bytes, .size_bytes = input->size_bytes};
    return am_video_open(&source, choose, j, &j->arena, &j->video);
}

static am_status classify(am_pipeline *p, const job *j, am_json options, am_buffer *out)
{
    am_session_input inputs[AM_FEATURES_LIMIT];
    am_tensor logits;
    int count = 0;
    for (int i = 0; i < j->made.count && count < AM_FEATURES_LIMIT; i++) {
        const am_tensor *x;
        AM_TRY(am_media_tensors_get(&j->made, j->made.items[i].name, &x));
        inputs[count++] = (am_session_input){j->made.items[i].name, *x};
    }
    AM_TRY(am_run_for_labels(p, inputs, count, 2, &logits));
    return am_append_classification(am_pipeline_config(p)->object, &logits, options, &am_video_classes, out);
}

static am_status run(am_pipeline *p, const am_task_input *input, am_json options, am_buffer *out)
{
    job j = {0};
    AM_TRY(read_options(p, options, &j));
    AM_TRY(am_pipeline_video_processor(p, &j.processor));
    am_status status = open_video(input, &j);
    if (!status) status = am_video_processor_run(j.processor, &j.video, 1, &j.options, &j.made);
    if (!status) status = classify(p, &j, options, out);
    am_media_tensors_deinit(&j.made);
    am_video_deinit(&j.video);
    am_arena_deinit(&j.arena);
    return status;
}

const am_task am_task_video_classification = {
    .name = "video-classification",
    .input = "video",
    .summary = "Labels a video by frames that are spread over it.",
    .parameters = "top_k, function_to_apply, num_frames",
    .run = run,
};
