#include <anymodel/anymodel.h>

#include "base/threads.h"

const char *am_version(void)
{
    return "0.1.0"; /* of CMakeLists.txt; a test compares them */
}

am_status am_set_threads(int count)
{
    return am_threads_set(count);
}

int am_get_threads(void)
{
    return am_threads_count();
}
