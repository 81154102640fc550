/* Reads memory for the bench, in turns with engines whose time is that of reading their weights.

   read_worker THREADS   prints "ready LOAD_MS BYTES": those that a run reads
       run N             reads N times          "times MS ... MS"
   Any other line, or the end of input, ends it. */
#include "api/machine_peaks.h"
#include "base/clock.h"
#include "base/threads.h"

#include <stdio.h>
#include <stdlib.h>

static void must(am_status status)
{
    if (!status) return;
    fprintf(stderr, "read_worker: %s\n", am_status_message(status));
    exit(1);
}

static void run(am_machine_reading *reading, long count)
{
    fputs("times", stdout);
    for (long i = 0; i < count; i++) {
        double start = am_clock_ms();
        am_machine_reading_run(reading);
        printf(" %.4f", am_clock_ms() - start);
    }
    putchar('\n');
}

int main(int argc, char **argv)
{
    am_machine_reading *reading;
    char line[64];
    long count;
    double start = am_clock_ms();
    if (argc != 2) {
        fputs("usage: read_worker THREADS\n", stderr);
        return 1;
    }
    must(am_threads_set(atoi(argv[1])));
    must(am_machine_reading_new(&reading));
    printf("ready %.4f %.0f\n", am_clock_ms() - start, am_machine_reading_bytes(reading));
    fflush(stdout);
    for (; fgets(line, sizeof line, stdin) && sscanf(line, "run %ld", &count) == 1; fflush(stdout)) run(reading, count);
    am_machine_reading_free(reading);
    am_threads_shutdown();
    return 0;
}
