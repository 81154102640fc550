# The C side of `make bench`; everything else of bench/ is Python.
foreach(worker anymodel_worker processor_worker read_worker tokenizer_worker)
  add_executable(${worker} ${PROJECT_SOURCE_DIR}/bench/${worker}.c)
  target_include_directories(${worker} PRIVATE ${PROJECT_SOURCE_DIR}/src)
  target_link_libraries(${worker} PRIVATE anymodel_static)
  set_target_properties(${worker} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bench)
endforeach()
# Needs valgrind's header, which only `make bench-regress` installs.
add_executable(instruction_worker EXCLUDE_FROM_ALL ${PROJECT_SOURCE_DIR}/bench/instruction_worker.c
               ${PROJECT_SOURCE_DIR}/tests/unit/targets/cpu/calls.c)
target_include_directories(instruction_worker PRIVATE ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/src)
target_link_libraries(instruction_worker PRIVATE anymodel_static)
set_target_properties(instruction_worker PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bench)
if(Python3_FOUND AND NOT AM_SANITIZE)
  add_test(NAME bench.self_check COMMAND ${Python3_EXECUTABLE} ${PROJECT_SOURCE_DIR}/bench/self_check.py
           $<TARGET_FILE:anymodel_worker>)
  set_tests_properties(bench.self_check PROPERTIES LABELS bench TIMEOUT 60)
endif()

# Times the Mojo kernels beside the cpu's.
if(NOT EXISTS ${PROJECT_SOURCE_DIR}/src/targets/mojo)
  return()
endif()
add_executable(bench_mojo_kernels EXCLUDE_FROM_ALL ${PROJECT_SOURCE_DIR}/bench/mojo_kernels.c)
target_include_directories(bench_mojo_kernels PRIVATE ${PROJECT_SOURCE_DIR}/src)
target_link_libraries(bench_mojo_kernels PRIVATE anymodel_static)
set_target_properties(bench_mojo_kernels PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bench)
