#include "tokens/chat_template.h"

#include <simdjson.h>

namespace gemma3n::tokens {

namespace {

// The field chat_template of a JSON file: a string, or a list of {name, template} with one called default.
std::string from_json_file(const std::string& json) {
    simdjson::dom::parser parser;
    simdjson::dom::element root;
    std::string_view text;
    if (parser.parse(json).get(root)) return {};
    const auto field = root["chat_template"];
    if (!field.get(text)) return std::string(text);
    simdjson::dom::array named;
    if (field.get(named)) return {};
    for (const auto entry : named) {
        std::string_view name;
        if (!entry["name"].get(name) && name == "default" && !entry["template"].get(text)) return std::string(text);
    }
    return {};
}

bool names(std::string_view s, std::string_view word) { return s.find(word) != std::string_view::npos; }

}  // namespace

std::string chat_template(const format::Checkpoint& c) {
    if (c.container() == format::Container::gguf) {
        const std::string* s = c.text("tokenizer.chat_template");
        return s ? *s : std::string();
    }
    if (auto jinja = c.side_file("chat_template.jinja")) return *jinja;
    for (const char* name : {"chat_template.json", "tokenizer_config.json"}) {
        auto json = c.side_file(name);
        if (!json) continue;
        if (std::string s = from_json_file(*json); !s.empty()) return s;
    }
    return {};
}

bool is_gemma_template(std::string_view s) {
    return names(s, "<start_of_turn>") && names(s, "<end_of_turn>") && (names(s, "'model'") || names(s, "\"model\"") || names(s, "<start_of_turn>model"));
}

std::string chat_template_note(const format::Checkpoint& c) {
    const std::string s = chat_template(c);
    if (s.find_first_not_of(" \t\r\n") == std::string::npos || is_gemma_template(s)) return {};
    return c.path() + ": carries a chat template that is not Gemma's turn format: conversations are written in Gemma's format all the same";
}

}  // namespace gemma3n::tokens
