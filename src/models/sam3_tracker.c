/* Segment Anything 3's tracker, for images: SAM 2's prompts and decoder over SAM 3's image encoder. transformers:
   models/sam3_tracker/modeling_sam3_tracker.py */
#include "models/blocks/sam2.h"
#include "models/blocks/sam3_vision.h"

#include <stdio.h>

/* Where the weights of a part lie: files have the tracker's beside those of the detector, whose encoder it reads. */
typedef struct places {
    const char *backbone, *neck, *rest;
} places;

static places find_places(am_builder *b)
{
    static const places all[] = {
        {"tracker_model.detector_model.vision_encoder.backbone", "tracker_model.tracker_neck", "tracker_model"},
        {"detector_model.vision_encoder.backbone", "tracker_neck", "tracker_model"},
        {"vision_encoder.backbone", "vision_encoder.neck", ""},
    };
    char name[128];
    for (int i = 0; i < 2; i++) {
        snprintf(name, sizeof name, "%s.layer_norm.weight", all[i].backbone);
        if (am_has_weight(b, name)) return all[i];
    }
    return all[2];
}

static void tracker_model(am_builder *b)
{
    am_value image[AM_SAM2_LEVELS];
    am_config c = am_config_child(am_model_config(b), "vision_config");
    places where = find_places(b);
    am_sam3_image found = {.count = 0};
    bool has_pixels = am_has_input(b, "pixel_values");
    if (am_config_has(&c, "model_type") && !am_config_is(&c, "model_type", "sam3_vision_model"))
        am_config_unsupported(&c, "model_type", "the vision encoder is not SAM 3's own");
    if (has_pixels) found = am_sam3_vision(b, &c, where.backbone, where.neck, "vision_hidden_states");
    am_scope(b, "%s", where.rest);
    am_sam2_embed(b, has_pixels ? found.maps : NULL, found.count, image);
    am_sam2_segment(b, image);
    am_end_scope(b);
}

static const am_architecture architectures[] = {
    {"Sam3TrackerModel", tracker_model, NULL, 0},
    {0},
};

const am_model_type am_model_sam3_tracker = {
    .name = "sam3_tracker", .base_prefix = "sam3_tracker", .architectures = architectures};
