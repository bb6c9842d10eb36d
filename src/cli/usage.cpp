#include "cli/usage.h"

#include "base/result.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace gemma3n::cli {

static CLI::Validator checked(std::function<std::string(std::string&)> f) { return CLI::Validator(std::move(f), ""); }

CLI::Validator whole(int64_t low, int64_t high) {
    return checked([=](std::string& s) -> std::string {
        int64_t value = 0;
        const auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), value);
        if (error != std::errc{} || end != s.data() + s.size() || value < low || value > high) {
            return text("'%s': expected a whole number, %lld to %lld", s.c_str(), static_cast<long long>(low), static_cast<long long>(high));
        }
        s = std::to_string(value);
        return "";
    });
}

CLI::Validator multiple(int64_t of, int64_t high) {
    return checked([=](std::string& s) -> std::string {
        int64_t value = 0;
        const auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), value);
        const bool good = error == std::errc{} && end == s.data() + s.size() && value >= of && value <= high && value % of == 0;
        return good ? "" : text("'%s': expected a multiple of %lld up to %lld", s.c_str(), static_cast<long long>(of), static_cast<long long>(high));
    });
}

CLI::Validator number(double low, double high) {
    return checked([=](std::string& s) -> std::string {
        double value = 0;
        const auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), value);
        const bool good = error == std::errc{} && end == s.data() + s.size() && value >= low && value <= high;  // no NaN passes
        return good ? "" : text("'%s': expected a number, %g to %g", s.c_str(), low, high);
    });
}

CLI::Validator byte_size() {
    return checked([=](std::string& s) -> std::string {
        double value = 0;
        const auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), value);
        const std::string_view unit(end, static_cast<size_t>(s.data() + s.size() - end));
        const double scale = unit.empty() ? 1 : unit == "G" || unit == "GB" ? 1e9 : unit == "M" || unit == "MB" ? 1e6 : unit == "K" || unit == "KB" ? 1e3 : 0;
        const double n = value * scale;
        if (error != std::errc{} || !(n >= 1 && n <= 1e15)) return text("'%s': expected a size such as 2G, 1500M, 2e9 or plain bytes; G is 1e9", s.c_str());
        s = std::to_string(static_cast<uint64_t>(n));
        return "";
    });
}

CLI::Validator not_empty(const std::string& expected) {
    return checked([=](std::string& s) { return s.empty() ? "'': expected " + expected : ""; });
}

static std::string joined(const std::vector<std::string>& words, const char* last) {
    std::string s;
    for (size_t i = 0; i < words.size(); i++) {
        if (i > 0) s += i + 1 == words.size() ? last : ", ";
        s += words[i];
    }
    return s;
}

CLI::Validator one_of(const std::vector<std::string>& words) {
    return checked([=](std::string& s) {
        const bool known = std::find(words.begin(), words.end(), s) != words.end();
        return known ? "" : text("'%s': expected %s", s.c_str(), joined(words, " or ").c_str());
    });
}

const CLI::App& named_command(const CLI::App& app) {
    const auto named = app.get_subcommands();
    return named.empty() ? app : *named.front();
}

// `left` is what nothing took.
static std::string unexpected(const CLI::App& app, const std::string& left) {
    const CLI::App& command = named_command(app);
    const bool dash = left.starts_with("-");
    std::vector<std::string> known;
    if (&command == &app) {
        for (const CLI::App* c : app.get_subcommands([](const CLI::App*) { return true; })) known.push_back(c->get_name());
        return text("'%s' is not %s of gemma3n: expected %s", left.c_str(), dash ? "an option" : "a command", joined(known, " or ").c_str());
    }
    if (dash) {
        const bool prose = left.find(' ') != std::string::npos;
        return text("'%s' is not an option of %s%s", left.c_str(), command.get_name().c_str(), prose ? ": text that starts with a dash needs -- in front of it" : "");
    }
    for (const CLI::Option* o : command.get_options([](const CLI::Option* option) { return option->get_positional(); })) known.push_back(o->get_name());
    if (known.empty()) return text("'%s' is one argument too many: %s takes options only", left.c_str(), command.get_name().c_str());
    return text("'%s' is one argument too many: %s takes %s, and text with spaces needs quotes", left.c_str(), command.get_name().c_str(), joined(known, " and ").c_str());
}

std::string sentence(const CLI::App& app, const CLI::ParseError& e) {
    const std::string what = e.what(), subject = what.substr(0, what.find_first_of(": "));
    if (dynamic_cast<const CLI::ExtrasError*>(&e)) {
        const auto left = app.remaining(true);
        return left.empty() ? what : unexpected(app, left.front());
    }
    if (dynamic_cast<const CLI::RequiredError*>(&e)) return named_command(app).get_name() + " needs " + subject;
    if (dynamic_cast<const CLI::ExcludesError*>(&e)) return subject + " and " + what.substr(what.rfind(' ') + 1) + " cannot be given together";
    if (dynamic_cast<const CLI::ArgumentMismatch*>(&e)) {
        const auto says = [&](const char* s) { return what.find(s) != std::string::npos; };
        if (says("override")) return "--" + subject + " takes no value";
        return subject + (says(" missing") ? " is given without a value" : " is given more than once");
    }
    if (dynamic_cast<const CLI::ValidationError*>(&e) && what.starts_with(subject + ": ")) return subject + " is " + what.substr(subject.size() + 2);
    return what;
}

}  // namespace gemma3n::cli
