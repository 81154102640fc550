#define _GNU_SOURCE
#include "cli/command.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

static int run_command(int argc, char **argv, am_globals *globals)
{
    if (argc < 2) {
        am_cli_put_help(stderr);
        return AM_INVALID_ARGUMENT;
    }
    const char *name = argv[1];
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) name = "help";
    if (strcmp(name, "--version") == 0) name = "version";
    if (*name == '-')
        return am_cli_fail(globals, AM_INVALID_ARGUMENT,
                           "%s: the command comes first (anymodel COMMAND %s ...); anymodel help lists them", name,
                           name);
    const am_command *command = am_command_find(name);
    return command ? command->run(argc - 1, argv + 1, globals) : am_cli_unknown_command(globals, name);
}

static void say(const char *text)
{
    ssize_t written = write(STDERR_FILENO, text, strlen(text));
    (void)written;
}

/* Weights are read where they lie. A file that somebody cuts short meanwhile has no bytes there any more, and the
   kernel tells so by SIGBUS; there is nothing to go on with. */
static void on_bus_error(int signal_number, siginfo_t *info, void *context)
{
    (void)context;
    const char *path = am_mapped_file_at(info->si_addr);
    if (!path) { /* not ours: as without a handler */
        signal(signal_number, SIG_DFL);
        return;
    }
    say("anymodel: 7 input/output error: ");
    say(path);
    say(": the file was cut short, or cannot be read any more, while it was in use\n");
    _exit(AM_IO);
}

static void on_warning(void *context, const char *message)
{
    (void)context;
    am_cli_progress_end();
    fprintf(stderr, "anymodel: warning: %s\n", message);
}

static void on_progress(void *context, const char *message)
{
    (void)context;
    am_cli_progress("%s", message);
}

/* Blocks of numbers that kernels work on lie on the stack. */
enum { STACK_BYTES = 1 << 20 };

static __attribute__((noinline)) void touch_stack(void)
{
    volatile char pages[STACK_BYTES]; /* the lowest of which is touched */
    pages[0] = 0;
    (void)pages[0];
}

/* Makes the stack as large as kernels need while there is memory: where its growth fails in the midst of work, the
   kernel can only end the program. False where there is no memory. */
static bool reserve_stack(void)
{
    struct rlimit limit;
    void *trial = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (trial == MAP_FAILED) return false;
    munmap(trial, STACK_BYTES);
    if (getrlimit(RLIMIT_STACK, &limit) == 0 && limit.rlim_cur >= 2 * STACK_BYTES) touch_stack();
    return true;
}

int main(int argc, char **argv)
{
    am_globals globals = {0};
    if (!reserve_stack())
        return am_cli_fail(&globals, AM_OUT_OF_MEMORY, "no memory for a stack of %d bytes", STACK_BYTES);
    am_set_message_handlers(on_warning, on_progress, NULL);
    struct sigaction action = {.sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO};
    sigaction(SIGBUS, &action, NULL);
    int code = run_command(argc, argv, &globals);
    errno = 0;
    if (fflush(stdout) || ferror(stdout)) {
        fprintf(stderr, "anymodel: %d %s: cannot write the output: %s\n", (int)AM_IO, am_code_text(AM_IO),
                errno ? strerror(errno) : "it was cut off");
        if (!code) code = AM_IO;
    }
    return code;
}
