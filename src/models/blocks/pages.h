/* Pictures as a whole of them and tiles of it, whose rows stand one behind the other among the words. */
#ifndef AM_MODELS_BLOCKS_PAGES_H
#define AM_MODELS_BLOCKS_PAGES_H

#include "models/blocks/vision_language.h"

/* How pages become rows for the text. */
typedef struct am_pages {
    am_value (*look)(am_builder *b, am_value images); /* [n, channels, H, W] -> [n, P, C] */
    /* The tiles of page i, x: [n, P, C], as rows: [rows, C]; or the whole of a page, of one tile, where i is below 0.
       Null: one behind the other. */
    am_value (*arrange)(am_builder *b, am_value x, int64_t i);
    const char *mark; /* the weight of a row, [C], behind each page; or null */
} am_pages;

/* Rows of the pages of the inputs pixel_values, pixel_values_local and num_local_patches: of each its tiles, the whole
   of it and the mark, which are outputs image_hidden_states.i. All of them: [rows, C]. Files of classes with a head may
   have their weights below "model". */
am_value am_page_rows(am_builder *b, const am_pages *options);

#endif
