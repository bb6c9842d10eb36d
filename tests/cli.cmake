# The command as a person drives it: spawned, with pipes or a pseudo-terminal. The library is linked for what trace is held against.
file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/cli/*_test.cpp)
add_executable(test_cli ${sources} ${PROJECT_SOURCE_DIR}/src/cli/sound_queue.cpp ${PROJECT_SOURCE_DIR}/src/cli/drawing.cpp ${PROJECT_SOURCE_DIR}/src/cli/sketch.cpp)
target_link_libraries(test_cli PRIVATE g3n_options gemma3n_lib simdjson::simdjson GTest::gtest GTest::gtest_main)
target_include_directories(test_cli PRIVATE ${PROJECT_SOURCE_DIR}/tests ${PROJECT_SOURCE_DIR}/src)
target_compile_definitions(test_cli PRIVATE G3N_SOURCE_DIR="${PROJECT_SOURCE_DIR}" G3N_COMMAND="$<TARGET_FILE:gemma3n>")
add_dependencies(test_cli gemma3n)
add_test(NAME cli COMMAND test_cli)
