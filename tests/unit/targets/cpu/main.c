/* Checks the cpu's vector routines, or times them.

   Usage: test_unit_targets_cpu [--verbose] [--level NAME] [PATTERN...]
                                                  runs the tests whose name matches one (shell patterns), or all.
                                                  --verbose: says how near results come to their bounds; --level: of
                                                  this level alone, without plain loops by themselves
          test_unit_targets_cpu --bench [PATTERN] times functions by plain loops and by every level: those whose name,
                                                  or name and shape, matches, or all */
#include "check.h"
#include "timing.h"

#include <stdio.h>

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "--bench") == 0) return timing_print(argc > 2 ? argv[2] : NULL);
    bool verbose = argc > 1 && strcmp(argv[1], "--verbose") == 0;
    argc -= verbose, argv += verbose;
    if (argc > 2 && strcmp(argv[1], "--level") == 0) {
        if (!check_only_level(argv[2])) {
            fprintf(stderr, "%s: this build or this cpu lacks it\n", argv[2]);
            return 2;
        }
        argc -= 2, argv += 2;
    }
    int failed = am_test_main(argc, argv, am_test_files);
    if (verbose) check_report();
    return failed;
}
