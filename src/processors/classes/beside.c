/* Images or sounds beside texts: what the tokenizer, the image processor and the feature extractor give, side by side.
 */
#include "processors/class.h"

/* Beside images or sounds the ids of the text are what the model is to answer: labels. */
static am_status encode_labels(am_processor_call *run)
{
    AM_TRY(am_processor_encode(run));
    if (!run->inputs->image_count && !run->inputs->sound_count) return NULL;
    am_media_rename(&run->out->tensors, "input_ids", "labels");
    am_media_drop(&run->out->tensors, "attention_mask");
    am_media_drop(&run->out->tensors, "token_type_ids");
    return NULL;
}

#define PADDED_TO_64 "{\"text_kwargs\": {\"padding\": \"max_length\", \"truncation\": true, \"max_length\": 64}"

static const am_processor_class classes[] = {
    {.name = "CLIPProcessor", .image.alone = true},
    {.name = "AltCLIPProcessor", .image.alone = true},
    {.name = "ChineseCLIPProcessor", .image.alone = true},
    {.name = "FlavaProcessor", .image.alone = true},
    {.name = "GitProcessor", .image.alone = true},
    {.name = "SiglipProcessor", .image.alone = true},
    {.name = "ViltProcessor", .image.alone = true},
    {.name = "VisionTextDualEncoderProcessor", .image.alone = true},
    {.name = "AlignProcessor",
     .settings = "{\"text_kwargs\": {\"padding\": \"max_length\", \"max_length\": 64}}",
     .image.alone = true},
    {.name = "BlipProcessor", .image.alone = true, .unused = "token_type_ids"},
    {.name = "BridgeTowerProcessor",
     .settings = "{\"images_kwargs\": {\"do_normalize\": true, \"do_center_crop\": true}}",
     .image.alone = true},
    {.name = "Siglip2Processor",
     .settings = PADDED_TO_64 ", \"images_kwargs\": {\"max_num_patches\": 256, \"patch_size\": 16}}",
     .image.alone = true},
    {.name = "Tipsv2Processor", .settings = PADDED_TO_64 "}", .image.alone = true},
    {.name = "BrosProcessor"},
    {.name = "ClapProcessor", .sound.alone = true},
    {.name = "TrOCRProcessor", .image.alone = true, .encode = encode_labels},
    {.name = "Speech2TextProcessor", .sound.alone = true, .encode = encode_labels},
    {.name = "Wav2Vec2Processor", .sound.alone = true, .encode = encode_labels},
    {.name = "Wav2Vec2BertProcessor", .sound.alone = true, .encode = encode_labels},
    {.name = "WhisperProcessor", .sound.alone = true, .encode = encode_labels},
    {0},
};

const am_processor_family am_processor_family_beside = {classes};
