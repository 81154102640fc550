#include "tasks/speech.h"
#include "text/tokenizer/languages.h"

#include <string.h>
#include <strings.h>

const char *am_whisper_language(const char *code, size_t length)
{
    for (const char *const(*row)[2] = am_whisper_languages; (*row)[0]; row++)
        if (strlen((*row)[0]) == length && memcmp((*row)[0], code, length) == 0) return (*row)[1];
    return NULL;
}

const char *am_whisper_language_code(const char *name)
{
    for (const char *const(*row)[2] = am_whisper_languages; (*row)[0]; row++)
        if (strcasecmp((*row)[1], name) == 0) return (*row)[0];
    for (const char *const(*row)[2] = am_whisper_language_names; (*row)[0]; row++)
        if (strcasecmp((*row)[0], name) == 0) return (*row)[1];
    return NULL;
}
