#include <anymodel/anymodel.h>

#include "base/threads.h"
#include "base/warning.h"

const char *am_version(void)
{
    return "0.1.0"; /* of CMakeLists.txt; a test compares them */
}

am_status am_set_threads(int count)
{
    return am_threads_set(count);
}

void am_set_message_handlers(void (*on_warning)(void *context, const char *message),
                             void (*on_progress)(void *context, const char *message), void *context)
{
    am_warning_set_handler(on_warning, on_progress, context);
}

int am_get_threads(void)
{
    return am_threads_count();
}
