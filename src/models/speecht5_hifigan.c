/* SpeechT5's vocoder: HiFi-GAN. transformers: models/speecht5/modeling_speecht5.py */
#include "models/blocks/hifigan.h"

static void vocoder(am_builder *b)
{
    static const int64_t rates[] = {4, 4, 4, 4}, kernels[] = {8, 8, 8, 8};
    am_output(b, "output", am_hifigan_vocoder(b, am_model_config(b), am_input(b, "spectrogram", -1), rates, kernels));
}

static const am_architecture architectures[] = {
    {"SpeechT5HifiGan", vocoder, NULL, 0},
    {0},
};

const am_model_type am_model_speecht5_hifigan = {.name = "speecht5_hifigan", .architectures = architectures};
