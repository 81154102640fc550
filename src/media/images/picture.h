/* Pictures under work, and the steps that image processors are made of, as TorchvisionBackend and PilBackend of
   transformers (image_processing_backends.py) do them. */
#ifndef AM_MEDIA_IMAGES_PICTURE_H
#define AM_MEDIA_IMAGES_PICTURE_H

#include "media/image_resize.h"

/* transformers has every class twice; both agree to about a grey level. */
typedef enum am_image_backend { AM_IMAGE_TORCHVISION, AM_IMAGE_PIL } am_image_backend;

/* [channels, height, width] of bytes or floats; owned, all zeros holds nothing. Every function below that takes a
   picture and is not const replaces it; when it fails the picture is still to be deinited, and holds what it held. */
typedef struct am_picture {
    int64_t channels, height, width;
    bool is_float;
    union {
        uint8_t *bytes;
        float *floats;
        void *data;
    };
} am_picture;

/* All 0. Fails with AM_INVALID_ARGUMENT for sides that are not positive or too many pixels, AM_OUT_OF_MEMORY. */
am_status am_picture_create(int64_t channels, int64_t height, int64_t width, bool is_float,
                            am_picture *out) AM_NODISCARD;

/* The same, with all values for the caller to write. */
am_status am_picture_create_unset(int64_t channels, int64_t height, int64_t width, bool is_float,
                                  am_picture *out) AM_NODISCARD;
void am_picture_deinit(am_picture *picture);

/* A new picture like this one. */
am_status am_picture_copy(const am_picture *picture, am_picture *out) AM_NODISCARD;

/* Three channels of bytes. `convert_rgb` makes the colour white that the file calls transparent. Without it, fails with
   AM_INVALID_ARGUMENT for an image that is stored in other than 3 channels. */
am_status am_picture_of_image(const am_image *image, bool convert_rgb, am_picture *out) AM_NODISCARD;

/* Resizes to height, width. torchvision: bytes or floats, `antialias` as its argument. PIL: always antialiased; floats
   go through bytes as to_pil_image takes them (values 0 to 1 times 255, else 0 to 255 whole). */
am_status am_picture_resize(am_picture *picture, am_image_backend backend, am_plane_size to, am_resample resample,
                            bool antialias) AM_NODISCARD;

/* The same as a new picture. */
am_status am_picture_resized(const am_picture *picture, am_image_backend backend, am_plane_size to,
                             am_resample resample, bool antialias, am_picture *out) AM_NODISCARD;

/* PIL's resize of bytes with reducing_gap (am_resize_pil_reduced). */
am_status am_picture_resize_reduced(am_picture *picture, am_plane_size to, am_resample resample,
                                    double gap) AM_NODISCARD;

/* center_crop: with zeros around where the picture is smaller. */
am_status am_picture_center_crop(am_picture *picture, am_image_backend backend, am_plane_size to) AM_NODISCARD;

/* A window that lies inside. Fails with AM_INVALID_ARGUMENT when it does not. */
am_status am_picture_crop(am_picture *picture, int64_t top, int64_t left, am_plane_size size) AM_NODISCARD;

typedef struct am_margins {
    int64_t left, top, right, bottom; /* pixels, none negative */
} am_margins;

/* Puts `fill` around: one value for all channels, in the picture's own units. */
am_status am_picture_pad(am_picture *picture, am_margins padding, double fill) AM_NODISCARD;

/* The same with a value for each channel. */
am_status am_picture_pad_colored(am_picture *picture, am_margins padding, const double *fill) AM_NODISCARD;

/* Repeats the picture mirrored around, its border twice ("symmetric"). */
am_status am_picture_pad_mirrored(am_picture *picture, am_margins margins) AM_NODISCARD;

/* torch.nn.functional.interpolate with align_corners; the picture becomes floats. */
am_status am_picture_resize_corners(am_picture *picture, am_plane_size to, am_resample resample) AM_NODISCARD;

/* RGB to BGR. */
void am_picture_flip_channels(am_picture *picture);

/* Values as floats, the same numbers. */
am_status am_picture_to_floats(am_picture *picture) AM_NODISCARD;

/* Times `scale`. */
am_status am_picture_rescale(am_picture *picture, am_image_backend backend, double scale) AM_NODISCARD;

/* (value - mean) / std for each channel. */
am_status am_picture_normalize(am_picture *picture, const double *mean, const double *std) AM_NODISCARD;

/* The same to out: [channels, height, width]. */
void am_picture_normalize_into(const am_picture *picture, const double *mean, const double *std, float *out);

/* Copies the window of one channel that begins at (top, left) and lies inside to out: [height, width]; of a picture of
   floats. */
void am_picture_window(const am_picture *picture, int64_t channel, int64_t top, int64_t left, am_plane_size size,
                       float *out);

#endif
