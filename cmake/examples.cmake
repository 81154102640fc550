# Programs of examples/c, each built against the shared library and the public headers alone, and run once.
if(AM_CORE_ONLY)
  return()
endif()

add_executable(example_embed ${PROJECT_SOURCE_DIR}/examples/c/embed.c)
target_link_libraries(example_embed PRIVATE anymodel_shared)
if(AM_SANITIZE) # the sanitizers' C++ part, which the library needs then
  set_target_properties(example_embed PROPERTIES LINKER_LANGUAGE CXX)
endif()
add_test(NAME examples.embed COMMAND example_embed ${PROJECT_SOURCE_DIR}/examples/models/tiny-llama-text "The cat sat on the mat.")
set_tests_properties(examples.embed PROPERTIES LABELS examples TIMEOUT ${AM_TEST_TIMEOUT_S} ENVIRONMENT "${AM_TEST_ENVIRONMENT}"
                     PASS_REGULAR_EXPRESSION "^(-?[01]\\.[0-9]+\n)+$")
add_test(NAME examples.embed_says_what_is_missing COMMAND example_embed ${PROJECT_SOURCE_DIR}/examples/models/none "Words.")
set_tests_properties(examples.embed_says_what_is_missing PROPERTIES LABELS examples TIMEOUT ${AM_TEST_TIMEOUT_S}
                     ENVIRONMENT "${AM_TEST_ENVIRONMENT}" PASS_REGULAR_EXPRESSION "^embed: not found: .*models/none")
