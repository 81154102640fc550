/* Checks the cpu's vector routines.

   Usage: test_unit_targets_cpu [--verbose] [PATTERN...]     runs the tests whose name matches one (shell patterns), or
                                                             all. --verbose: says how near results come to their bounds
 */
#include "check.h"

int main(int argc, char **argv)
{
    bool verbose = argc > 1 && strcmp(argv[1], "--verbose") == 0;
    int failed = am_test_main(argc - verbose, argv + verbose, am_test_files);
    if (verbose) check_report();
    return failed;
}
