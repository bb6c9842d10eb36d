// Version of the library, in step with the CMake project.
#pragma once

#define GEMMA3N_VERSION "0.1.0"
