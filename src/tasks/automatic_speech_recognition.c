#include "tasks/speech.h"

#include "tasks/text_generator.h"

static am_status run(am_pipeline *p, const am_task_input *input, am_json options, am_buffer *out)
{
    am_audio sound;
    bool generates = (p->model->architecture->flags & AM_GENERATES) != 0;
    AM_TRY(am_load_samples(p, input, &sound));
    am_status status =
        generates ? am_recognize_whisper(p, &sound, options, out) : am_recognize_ctc(p, &sound, options, out);
    am_audio_deinit(&sound);
    return status;
}

const am_task am_task_automatic_speech_recognition = {
    .name = "automatic-speech-recognition",
    .input = "sound",
    .summary = "Writes down what is said.",
    .parameters = "return_timestamps, decoder_kwargs, chunk_length_s, stride_length_s, return_language, language, "
                  "task, normalize, basic_normalize, remove_diacritics, condition_on_prev_tokens, prompt_ids, "
                  "prompt_condition_type, compression_ratio_threshold, logprob_threshold, "
                  "no_speech_threshold, " AM_GENERATION_PARAMETERS,
    .run = run,
};
