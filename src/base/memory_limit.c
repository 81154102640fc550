#include "base/memory_limit.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { TEXT_BYTES = 8192, PATH_BYTES = 1024, LEAST_CHECKED_BYTES = 1 << 20 };

/* What limits, and how much it leaves. */
typedef struct limit {
    size_t bytes;
    const char *name;
} limit;

/* The beginning of a file of the kernel's; false when there is none. */
static bool read_text(const char *path, char text[TEXT_BYTES])
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? -1 : read(fd, text, TEXT_BYTES - 1);
    if (fd >= 0) close(fd);
    if (length < 0) return false;
    text[length] = 0;
    return true;
}

/* The number behind a word at the beginning of a line; 0 when there is none. */
static uint64_t number_of(const char *text, const char *word)
{
    size_t length = strlen(word);
    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, word, length) == 0) return strtoull(line + length, NULL, 10);
    }
    return 0;
}

static void lower(limit *l, uint64_t bytes, const char *name)
{
    if (bytes >= l->bytes) return;
    l->bytes = (size_t)bytes;
    l->name = name;
}

static void ask_machine(limit *l)
{
    char text[TEXT_BYTES];
    if (!read_text("/proc/meminfo", text)) return;
    uint64_t kib = number_of(text, "MemAvailable:");
    if (kib) lower(l, kib * 1024, "the machine's free memory");
}

static void ask_address_space(limit *l)
{
    char text[TEXT_BYTES];
    struct rlimit allowed;
    if (getrlimit(RLIMIT_AS, &allowed) != 0 || allowed.rlim_cur == RLIM_INFINITY) return;
    if (!read_text("/proc/self/statm", text)) return;
    uint64_t used = strtoull(text, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE);
    lower(l, allowed.rlim_cur > used ? allowed.rlim_cur - used : 0, "RLIMIT_AS");
}

/* One cgroup: its limit less what is used; pages of files can be given back. */
static void ask_group(limit *l, const char *folder, const char *limit_file, const char *used_file)
{
    char path[2 * PATH_BYTES], text[TEXT_BYTES];
    snprintf(path, sizeof path, "%s/%s", folder, limit_file);
    if (!read_text(path, text) || text[0] < '0' || text[0] > '9') return; /* "max": no limit */
    uint64_t most = strtoull(text, NULL, 10), used = 0, cached = 0;
    snprintf(path, sizeof path, "%s/%s", folder, used_file);
    if (read_text(path, text)) used = strtoull(text, NULL, 10);
    snprintf(path, sizeof path, "%s/memory.stat", folder);
    if (read_text(path, text)) cached = number_of(text, "inactive_file ") + number_of(text, "active_file ");
    used = used > cached ? used - cached : 0;
    lower(l, most > used ? most - used : 0, "the memory limit of the cgroup");
}

/* The process's group of version 2 and all around it; of version 1 what a container sees as its own. */
static void ask_groups(limit *l)
{
    char text[TEXT_BYTES], folder[PATH_BYTES];
    ask_group(l, "/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes");
    if (!read_text("/proc/self/cgroup", text)) return;
    const char *line = strstr(text, "0::/");
    if (!line) return;
    int length = snprintf(folder, sizeof folder, "/sys/fs/cgroup%.*s", (int)strcspn(line + 3, "\n"), line + 3);
    if (length < 0 || length >= PATH_BYTES) return;
    for (char *slash; (slash = strrchr(folder, '/')) && strlen(folder) >= strlen("/sys/fs/cgroup"); *slash = 0)
        ask_group(l, folder, "memory.max", "memory.current");
}

size_t am_memory_available(const char **out_limit)
{
    limit l = {SIZE_MAX, ""};
    ask_machine(&l);
    ask_groups(&l);
    ask_address_space(&l);
    if (out_limit) *out_limit = l.name;
    return l.bytes;
}

am_status am_memory_check(size_t bytes, const char *what)
{
    const double mib = 1 << 20;
    const char *name;
    if (bytes < LEAST_CHECKED_BYTES) return NULL;
    size_t available = am_memory_available(&name);
    if (bytes <= available) return NULL;
    return am_error(AM_OUT_OF_MEMORY, "%s: %.1f MiB are needed, %.1f MiB are available (%s)", what, (double)bytes / mib,
                    (double)available / mib, name);
}
