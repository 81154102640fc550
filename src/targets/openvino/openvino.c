#include "targets/openvino/library.h"
#include "targets/openvino/openvino.h"

#include <stdio.h>

static void probe(am_target_report *out)
{
    am_openvino_find(out);
}

const am_target am_target_openvino = {
    .name = "openvino",
    .summary = "Intel's OpenVINO",
    .probe = probe,
};
