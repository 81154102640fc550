/* Checks chat templates against recorded answers of transformers. */
#ifndef AM_TEXT_CHAT_TEMPLATE_VERIFY_TEMPLATES_H
#define AM_TEXT_CHAT_TEMPLATE_VERIFY_TEMPLATES_H

#include "text/verify_text.h"

/* Runs the recorded cases of a folder and adds to `counts`; one line per case that failed is appended to
   `report`. In the folder: templates/NAME.jinja, cases/NAME.json (what apply_chat_template answers, or
   raises: class and message), and messages.json (sets of messages by name, tools, special tokens, the time
   for strftime_now). Fails with AM_NOT_FOUND and AM_INVALID_FILE when the folder holds no such files. */
am_status am_verify_chat_templates(const char *folder, am_verify_text_counts *counts, am_buffer *report) AM_NODISCARD;

#endif
