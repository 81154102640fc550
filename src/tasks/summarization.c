#include "tasks/text_generator.h"
#include "tasks/text_to_text.h"

static am_status run(am_pipeline *p, const am_task_input *input, am_json options, am_buffer *out)
{
    AM_TRY(am_need_text(input));
    return am_answer_with_text(p, input->text, options,
                               &(am_text_to_text){.section = "summarization", .field = "summary_text"}, out);
}

const am_task am_task_summarization = {
    .name = "summarization",
    .input = "text",
    .summary = "Says a text in fewer words.",
    .parameters = AM_GENERATION_PARAMETERS,
    .run = run,
};
