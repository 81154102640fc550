/* Checks the cpu's vector routines, or times them.

   Usage: test_unit_targets_cpu [--verbose] [PATTERN...]     runs the tests whose name matches one (shell patterns), or
                                                             all. --verbose: says how near results come to their bounds
          test_unit_targets_cpu --bench [PATTERN]            times functions by plain loops and by every level: those
                                                             whose name, or name and shape, matches, or all */
#include "check.h"
#include "timing.h"

int main(int argc, char **argv)
{
    bool verbose = argc > 1 && strcmp(argv[1], "--verbose") == 0;
    if (argc > 1 && strcmp(argv[1], "--bench") == 0) return timing_print(argc > 2 ? argv[2] : NULL);
    int failed = am_test_main(argc - verbose, argv + verbose, am_test_files);
    if (verbose) check_report();
    return failed;
}
