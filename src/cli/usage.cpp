#include "cli/usage.h"

#include <charconv>
#include <cmath>

namespace gemma3n::cli {

static CLI::Validator checked(std::function<std::string(std::string&)> f) { return CLI::Validator(std::move(f), ""); }

CLI::Validator whole(int64_t low, int64_t high) {
    return checked([=](std::string& s) -> std::string {
        int64_t value = 0;
        const auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), value);
        if (error != std::errc{} || end != s.data() + s.size() || value < low || value > high) {
            return "'" + s + "': expected a whole number, " + std::to_string(low) + " to " + std::to_string(high);
        }
        s = std::to_string(value);
        return "";
    });
}

CLI::Validator number(double low, double high) {
    return checked([=](std::string& s) -> std::string {
        double value = 0;
        const auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), value);
        const bool good = error == std::errc{} && end == s.data() + s.size() && value >= low && value <= high;  // no NaN passes
        char range[64];
        snprintf(range, sizeof range, "%g to %g", low, high);
        return good ? "" : "'" + s + "': expected a number, " + range;
    });
}

CLI::Validator either(const std::string& a, const std::string& b) {
    return checked([=](std::string& s) { return s == a || s == b ? "" : "'" + s + "': expected " + a + " or " + b; });
}

const CLI::App& named_command(const CLI::App& app) {
    const auto named = app.get_subcommands();
    return named.empty() ? app : *named.front();
}

static std::string commands_of(const CLI::App& app) {
    std::string s;
    const auto all = app.get_subcommands([](const CLI::App*) { return true; });
    for (size_t i = 0; i < all.size(); i++) s += (i == 0 ? "" : i + 1 == all.size() ? " or " : ", ") + all[i]->get_name();
    return s;
}

static std::string positionals_of(const CLI::App& command) {
    std::string s;
    for (const CLI::Option* o : command.get_options([](const CLI::Option* option) { return option->get_positional(); })) s += (s.empty() ? "" : " and ") + o->get_name();
    return s;
}

// `left` is what nothing took.
static std::string unexpected(const CLI::App& app, const std::string& left) {
    const CLI::App& command = named_command(app);
    if (&command == &app) {
        return "'" + left + "' is not " + (left.starts_with("-") ? "an option" : "a command") + " of gemma3n: expected " + commands_of(app);
    }
    if (!left.starts_with("-")) return "'" + left + "' is one argument too many for " + command.get_name() + ", which takes " + positionals_of(command) + ": text with spaces needs quotes";
    std::string s = "'" + left + "' is not an option of " + command.get_name();
    if (left.find(' ') != std::string::npos) s += ": text that starts with a dash needs -- in front of it";
    return s;
}

std::string sentence(const CLI::App& app, const CLI::ParseError& e) {
    const CLI::App& command = named_command(app);
    const std::string what = e.what(), name = e.get_name();
    if (name == "ExtrasError") {
        const auto left = app.remaining(true);
        return left.empty() ? what : unexpected(app, left.front());
    }
    if (name == "RequiredError") return command.get_name() + " needs " + what.substr(0, what.find(' '));
    if (name == "ExcludesError") {
        const size_t middle = what.find(" excludes ");
        return what.substr(0, middle) + " and " + what.substr(middle + 10) + " cannot be given together";
    }
    if (name == "ArgumentMismatch") {
        const std::string option = what.substr(0, what.find(':'));
        return option + (what.find(" missing") != std::string::npos ? " is given without a value" : " is given more than once");
    }
    return what;
}

}  // namespace gemma3n::cli
