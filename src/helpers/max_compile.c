/* anymodel-max-compile ROOT CACHE GRAPH: compiles the text of a graph with the MAX of ROOT, which leaves the result in
   its cache, the folder CACHE. Started by src/targets/max/compile.c, because MAX's compiler may end its process. */
#define _GNU_SOURCE
#include "targets/max/library.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>

static void set_variable(void *context, const char *name, const char *value)
{
    (void)context;
    setenv(name, value, 1);
}

static am_status compile(const char *path)
{
    const am_max *max;
    AM_TRY(am_max_open(true, 0, &max)); /* the version was looked at by who started this */
    max_handle *status = max->M_newStatus(), *configuration = max->M_newCompileConfig();
    max->M_setModelPath(configuration, path);
    max->M_compileModelSync(max->context, &configuration, status);
    return am_max_check(max, status, "compiling");
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: anymodel-max-compile ROOT CACHE GRAPH (started by anymodel)\n");
        return 2;
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* nobody waits for the result of one whose parent has gone */
    am_max_environment(argv[1], argv[2], set_variable, NULL);
    am_status status = compile(argv[3]);
    if (!status) return 0;
    fprintf(stderr, "error: %s\n", am_status_message(status));
    am_status_free(status);
    return 1;
}
