/* Prompts with images and videos: of a text with placeholders, or of a conversation whose messages have parts that are
   such. */
#ifndef AM_TASKS_IMAGE_PROMPT_H
#define AM_TASKS_IMAGE_PROMPT_H

#include "processors/processor.h"
#include "tasks/task.h"
#include "tasks/text_generator.h"

/* All zeros holds nothing; freed with am_image_prompt_deinit. */
typedef struct am_image_prompt {
    am_image *images;
    int64_t count;
    am_video *videos;
    int64_t video_count;
    am_processed made; /* what am_image_prompt_read has made of them */
    am_arena arena;
} am_image_prompt;

void am_image_prompt_deinit(am_image_prompt *prompt);

/* Fails with AM_UNSUPPORTED, naming the model type, unless the class answers about images, and where the directory has
   no processor that takes them. */
am_status am_check_takes_images(am_pipeline *p) AM_NODISCARD;

/* The same of videos. */
am_status am_check_takes_videos(am_pipeline *p) AM_NODISCARD;

/* Whether a message of the conversation has a part {"type": "image"} or {"type": "video"}. */
bool am_chat_has_media(am_json messages);

/* Opens the images and videos of a conversation in their order: the file that a part names by its type, as "url" or
   "path"; `given` (may be null) for the first image that names none. Of video files those frames are decoded that the
   processor takes. Fails with AM_INVALID_ARGUMENT where a part is left without a file, or `given` without a part;
   AM_UNSUPPORTED for addresses in a network, and where the model takes no such parts. */
am_status am_image_prompt_open(am_pipeline *p, am_json messages, const am_task_input *given,
                               am_image_prompt *out) AM_NODISCARD;

/* The image of the input, as the only one. */
am_status am_image_prompt_open_input(const am_task_input *given, am_image_prompt *out) AM_NODISCARD;

/* Makes ids and inputs of *job of the text and the images; a text that a chat template has written, and that begins
   with bos_token, gets no special tokens. They live as long as the prompt. */
am_status am_image_prompt_read(am_pipeline *p, const char *text, bool is_chat, am_image_prompt *prompt,
                               am_text_job *job) AM_NODISCARD;

#endif
