#include "tasks/text_generator.h"
#include "tasks/text_to_text.h"

/* src_lang and tgt_lang choose T5's prefix: "translate English to German: " is that of translation_en_to_de. mBART and
   NLLB have a token for each language. */
static am_status read_languages(am_json options, am_arena *arena, am_text_to_text *out)
{
    AM_TRY(am_option_text(options, "src_lang", arena, NULL, &out->from));
    AM_TRY(am_option_text(options, "tgt_lang", arena, NULL, &out->to));
    if (out->from && out->to) out->section = am_arena_printf(arena, "translation_%s_to_%s", out->from, out->to);
    return out->section ? NULL : am_out_of_memory();
}

static am_status run(am_pipeline *p, const am_task_input *input, am_json options, am_buffer *out)
{
    am_arena arena = {0};
    am_text_to_text task = {.section = "translation", .field = "translation_text", .is_translation = true};
    AM_TRY(am_need_text(input));
    am_status status = read_languages(options, &arena, &task);
    if (!status) status = am_answer_with_text(p, input->text, options, &task, out);
    am_arena_deinit(&arena);
    return status;
}

const am_task am_task_translation = {
    .name = "translation",
    .input = "text",
    .summary = "Translates a text.",
    .parameters = "src_lang, tgt_lang, " AM_GENERATION_PARAMETERS,
    .run = run,
};
