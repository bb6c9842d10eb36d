// The Jinja template that a checkpoint carries. It is never run: turns are Gemma's own format (tokens/turns). It is looked at only to
// say so when a model was made for another one.
#pragma once

#include "format/checkpoint.h"

#include <string>
#include <string_view>

namespace gemma3n::tokens {

// As the file has it: GGUF metadata, chat_template.jinja, chat_template.json or tokenizer_config.json; empty if there is none.
std::string chat_template(const format::Checkpoint& checkpoint);

// Whether it writes Gemma's turns, judged by the marks it names.
bool is_gemma_template(std::string_view chat_template);

// A sentence when the checkpoint carries a template of another format, else empty.
std::string chat_template_note(const format::Checkpoint& checkpoint);

}  // namespace gemma3n::tokens
