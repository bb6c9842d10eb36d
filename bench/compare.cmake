# compare_llama_ours needs our library alone; compare_llama_theirs is built where LLAMA_CPP_DIR names the site-packages folder into which
# llama-cpp-python was installed (it carries include/llama.h and llama_cpp/lib/libllama.so). See compare_llama.sh.
set(LLAMA_CPP_DIR "" CACHE PATH "site-packages folder that holds llama-cpp-python")

add_executable(compare_llama_ours ${CMAKE_CURRENT_LIST_DIR}/compare_llama_ours.cpp)
target_link_libraries(compare_llama_ours PRIVATE g3n_options gemma3n_lib)

if(LLAMA_CPP_DIR)
  add_executable(compare_llama_theirs ${CMAKE_CURRENT_LIST_DIR}/compare_llama_theirs.cpp)
  target_link_libraries(compare_llama_theirs PRIVATE g3n_options)
  target_include_directories(compare_llama_theirs SYSTEM PRIVATE ${LLAMA_CPP_DIR}/include)
  target_link_directories(compare_llama_theirs PRIVATE ${LLAMA_CPP_DIR}/llama_cpp/lib)
  target_link_libraries(compare_llama_theirs PRIVATE llama ggml ggml-base)
  set_target_properties(compare_llama_theirs PROPERTIES BUILD_RPATH ${LLAMA_CPP_DIR}/llama_cpp/lib)
endif()
