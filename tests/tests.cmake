include(tests/cli.cmake)
