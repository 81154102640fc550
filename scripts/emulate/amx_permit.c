/* Preloaded into the programs under test: answers that they may use AMX's tiles, which amx_states.c has seen to, where the
   kernel would know nothing of them. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdarg.h>
#include <sys/syscall.h>

enum { ARGUMENTS = 6, REQUEST_PERMISSION = 0x1023 };

long syscall(long number, ...)
{
    static long (*next)(long, ...);
    long a[ARGUMENTS];
    va_list list;
    va_start(list, number);
    for (int i = 0; i < ARGUMENTS; i++) a[i] = va_arg(list, long);
    va_end(list);
    if (number == SYS_arch_prctl && a[0] == REQUEST_PERMISSION) return 0;
    if (!next) *(void **)&next = dlsym(RTLD_NEXT, "syscall");
    return next(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
