#include "fhirpath/regex.h"

#include <re2/re2.h>

namespace porta::fhirpath {
namespace {

constexpr std::size_t kMaxPattern = 10000;
constexpr int kMaxMemory = 8 << 20;

re2::StringPiece piece(std::string_view s) { return {s.data(), s.size()}; }

bool digit(char c) { return c >= '0' && c <= '9'; }

/// `(?<name>` is `(?P<name>` for RE2.
std::string asRe2(std::string_view pattern) {
    std::string out;
    for (std::size_t i = 0; i < pattern.size(); ++i) {
        out += pattern[i];
        if (pattern[i] == '\\' && i + 1 < pattern.size()) out += pattern[++i];
        else if (pattern.substr(i, 3) == "(?<" && pattern.substr(i, 4) != "(?<=" && pattern.substr(i, 4) != "(?<!") {
            out += "?P";
            ++i;
        }
    }
    return out;
}

/// The substitution as RE2 writes it, where `\\1` is a group.
std::string rewrite(const RE2& regex, std::string_view s) {
    std::string out;
    for (std::size_t i = 0; i < s.size(); ++i) {
        const std::string_view rest = s.substr(i);
        const std::size_t close = rest.find('}');
        if (s[i] == '\\') {
            out += "\\\\";
        } else if (rest.substr(0, 2) == "$$") {
            out += '$';
            ++i;
        } else if (rest.size() > 1 && rest[0] == '$' && digit(rest[1])) {
            out += '\\';
        } else if (rest.substr(0, 2) == "${" && close != std::string_view::npos) {
            const std::string name(rest.substr(2, close - 2));
            const auto& groups = regex.NamedCapturingGroups();
            auto found = groups.find(name);
            if (found != groups.end() && found->second < 10) out += "\\" + std::to_string(found->second);
            else if (name.size() == 1 && digit(name[0])) out += "\\" + name;
            else out += rest.substr(0, close + 1);
            i += close;
        } else {
            out += s[i];
        }
    }
    return out;
}

}  // namespace

Result<std::shared_ptr<const RE2>> compileRegex(std::string_view pattern, std::string_view flags) {
    auto refused = [](std::string what) { return fail(Errc::malformed, std::move(what), "fhirpath.regex"); };
    RE2::Options options;
    options.set_dot_nl(true);
    options.set_log_errors(false);
    options.set_max_mem(kMaxMemory);
    bool lines = false;
    for (char c : flags) {
        if (c == 'i') options.set_case_sensitive(false);
        else if (c == 'm') lines = true;
        else return refused("the flags of a regular expression are i and m");
    }
    if (pattern.size() > kMaxPattern) return refused("the regular expression is too long");
    const std::string text = (lines ? "(?m)" : "") + asRe2(pattern);
    auto regex = std::make_shared<const RE2>(text, options);
    if (!regex->ok()) return refused("the regular expression is not one RE2 accepts");
    return std::shared_ptr<const RE2>(std::move(regex));
}

bool matchesPart(const RE2& regex, std::string_view text) { return RE2::PartialMatch(piece(text), regex); }
bool matchesWhole(const RE2& regex, std::string_view text) { return RE2::FullMatch(piece(text), regex); }

std::string replaceMatches(const RE2& regex, std::string_view text, std::string_view substitution) {
    std::string out(text);
    RE2::GlobalReplace(&out, regex, rewrite(regex, substitution));
    return out;
}

}  // namespace porta::fhirpath
