#include "tasks/text_generator.h"
#include "tasks/text_to_text.h"

/* src_lang and tgt_lang choose T5's prefix: "translate English to German: " is that of translation_en_to_de.
 */
static am_status section_name(am_json options, am_arena *arena, const char **out)
{
    const char *from, *to;
    AM_TRY(am_option_text(options, "src_lang", arena, NULL, &from));
    AM_TRY(am_option_text(options, "tgt_lang", arena, NULL, &to));
    *out = from && to ? am_arena_printf(arena, "translation_%s_to_%s", from, to) : "translation";
    return *out ? NULL : am_out_of_memory();
}

static am_status run(am_pipeline *p, const am_task_input *input, am_json options, am_buffer *out)
{
    am_arena arena = {0};
    const char *section;
    AM_TRY(am_need_text(input));
    am_status status = section_name(options, &arena, &section);
    if (!status) status = am_answer_with_text(p, input->text, options, section, "translation_text", out);
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
