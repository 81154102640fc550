/* Any bytes as the files that hold chat templates, with zero bytes between: chat_template.jinja, chat_template.json,
   tokenizer_config.json, processor_config.json, one of additional_chat_templates. */
#include "text/chat_template.h"

#include "fuzz_parts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FILES = 5 };

static void open_template(const char *directory, const char *name, bool has_tools)
{
    am_chat_template *chat_template;
    size_t length;
    am_status status = am_chat_template_open(directory, name, has_tools, &chat_template);
    if ((status == NULL) != (chat_template != NULL)) abort();
    if (chat_template && (!am_chat_template_text(chat_template, &length) || !am_chat_template_name(chat_template)))
        abort();
    if (status && am_status_code(status) == AM_INTERNAL) abort();
    am_status_free(status);
    am_chat_template_close(chat_template);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[FILES] = {"chat_template.jinja", "chat_template.json", "tokenizer_config.json",
                                             "processor_config.json", "additional_chat_templates/rag.jinja"};
    am_text parts[FILES];
    fuzz_cut(data, size, parts, FILES);
    am_mount *mount = fuzz_mount(names, parts, FILES);
    open_template(am_mount_path(mount), NULL, false);
    open_template(am_mount_path(mount), NULL, true);
    open_template(am_mount_path(mount), "rag", false);
    am_unmount(mount);
    return 0;
}
