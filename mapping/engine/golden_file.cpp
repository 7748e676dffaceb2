#include "mapping/engine/golden_file.h"

#include <re2/re2.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <tuple>

#include "mapping/engine/targets.h"

namespace porta::mapping {

namespace fs = std::filesystem;

namespace {

const std::vector<std::string> kStates = {"published", "skipped", "quarantined"};
const std::vector<std::string> kHows = {"copied", "translated", "computed", "constant", "declared", "absent"};
const std::vector<std::string> kOps = {"upsert", "patch", "merge", "delete", "cancel", "unmerge", "presence"};
const std::vector<std::string> kMatchers = {"$any", "$matches"};

std::string slurp(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
}

bool isMatcher(const Yaml& y) { return y.kind == Yaml::Kind::map && y.keys.size() == 1 && y.keys[0].starts_with('$'); }

/// Where a key stands, for an error.
Yaml keyAt(const Yaml& map, std::size_t i) {
    Yaml at;
    std::tie(at.line, at.column) = map.places[i];
    return at;
}

/// The form of an expected file. The first thing that is wrong ends the check.
class Form {
public:
    explicit Form(const std::string& file) : checks_(file) {}

    Result<void> file(const Yaml& y) const {
        if (y.kind != Yaml::Kind::sequence)
            return checks_.error(y, "a list with one outcome for each raw record expected");
        for (const Yaml& outcome : y.items)
            if (auto ok = this->outcome(outcome); !ok) return ok;
        return {};
    }

private:
    YamlChecks checks_;

    Result<void> outcome(const Yaml& y) const {
        if (auto ok = checks_.keys(y, {"state", "rule", "code", "path", "message", "key_unreadable", "operations"});
            !ok)
            return ok;
        const Yaml* state = y.find("state");
        if (!state) return checks_.error(y, "`state` is missing");
        if (auto ok = oneOf(*state, "state", kStates); !ok) return ok;
        const Yaml* operations = y.find("operations");
        if (!operations || operations->kind != Yaml::Kind::sequence)
            return checks_.error(y, "`operations` is missing: a list");
        for (const Yaml& op : operations->items)
            if (auto ok = operation(op); !ok) return ok;
        return matchers(y);
    }
    Result<void> operation(const Yaml& y) const {
        static const std::vector<std::string> known = {"key",      "entity", "op",         "version",  "class",
                                                       "cancels",  "into",   "valid_from", "valid_to", "subjects",
                                                       "mentions", "record", "issues",     "how"};
        if (auto ok = checks_.keys(y, known); !ok) return ok;
        for (const char* key : {"key", "entity", "op", "record", "how"})
            if (!y.find(key)) return checks_.error(y, std::string("`") + key + "` is missing");
        const Yaml& entity = *y.find("entity");
        if (!isEntity(entity.text)) return checks_.unknown(entity, "entity", entity.text, entities());
        if (auto ok = oneOf(*y.find("op"), "op", kOps); !ok) return ok;
        const Yaml& record = *y.find("record");
        if (record.kind == Yaml::Kind::map && !isMatcher(record))
            if (auto ok = checks_.keys(record, namesBelow(entity.text, "")); !ok) return ok;
        const Yaml& how = *y.find("how");
        if (how.kind != Yaml::Kind::map) return checks_.error(how, "a map from fields to how they were made expected");
        for (const Yaml& kind : how.items)
            if (auto ok = oneOf(kind, "kind of value", kHows); !ok) return ok;
        return {};
    }
    Result<void> oneOf(const Yaml& y, const std::string& what, const std::vector<std::string>& known) const {
        if (y.kind == Yaml::Kind::map) return {};  // a matcher, checked by itself
        if (auto ok = checks_.choice(y, what, known); !ok) return ok.error();
        return {};
    }
    Result<void> matchers(const Yaml& y) const {
        for (std::size_t i = 0; i < y.keys.size(); ++i) {
            const std::string& key = y.keys[i];
            if (key.empty() || key[0] != '$') continue;
            if (std::find(kMatchers.begin(), kMatchers.end(), key) == kMatchers.end())
                return checks_.unknown(keyAt(y, i), "matcher", key, kMatchers);
            if (y.keys.size() > 1) return checks_.error(y, "a matcher stands alone");
            if (y.items[i].kind != Yaml::Kind::scalar) return checks_.error(y.items[i], "a text expected");
            if (key == "$any") {
                if (auto ok = oneOf(y.items[i], "kind", {"text", "boolean", "list", "map"}); !ok) return ok;
            } else if (!re2::RE2(y.items[i].text, re2::RE2::Quiet).ok()) {
                return checks_.error(y.items[i], "no regular expression");
            }
        }
        for (const Yaml& item : y.items)
            if (auto ok = matchers(item); !ok) return ok;
        return {};
    }
};

Json jsonOf(const Yaml& y) {
    switch (y.kind) {
        case Yaml::Kind::null: return Json();
        case Yaml::Kind::scalar:
            if (!y.quoted && (y.text == "true" || y.text == "false")) return Json(y.text == "true");
            if (!y.quoted) {
                auto number = parseJson(y.text);
                if (number) return *number;
            }
            return Json(y.text);
        case Yaml::Kind::sequence: {
            Json a = Json::array();
            for (const Yaml& item : y.items) a.push(jsonOf(item));
            return a;
        }
        case Yaml::Kind::map: {
            Json o = Json::object();
            for (std::size_t i = 0; i < y.keys.size(); ++i) o[y.keys[i]] = jsonOf(y.items[i]);
            return o;
        }
    }
    return Json();
}

bool matches(const Yaml& matcher, const Json& found) {
    const std::string& argument = matcher.items[0].text;
    if (matcher.keys[0] == "$matches") return found.isString() && re2::RE2::FullMatch(found.string(), argument);
    return argument == "text"      ? found.isString()
           : argument == "boolean" ? found.kind() == Json::Kind::boolean
           : argument == "list"    ? found.isArray()
                                   : found.isObject();
}

void compare(const Yaml& expected, const Json& found, const std::string& path, std::vector<std::string>& out) {
    auto differs = [&] { out.push_back(path + ": expected " + print(jsonOf(expected)) + ", found " + print(found)); };
    if (isMatcher(expected)) {
        if (!matches(expected, found)) differs();
        return;
    }
    auto below = [&](const std::string& step) { return path.empty() ? step : path + "/" + step; };
    if (expected.kind == Yaml::Kind::map && found.isObject()) {
        for (std::size_t i = 0; i < expected.keys.size(); ++i) {
            const Json* value = found.find(expected.keys[i]);
            if (value) compare(expected.items[i], *value, below(expected.keys[i]), out);
            else
                out.push_back(below(expected.keys[i]) + ": expected " + print(jsonOf(expected.items[i])) + ", missing");
        }
        for (std::size_t i = 0; i < found.size(); ++i)
            if (!expected.find(found.keys()[i]))
                out.push_back(below(found.keys()[i]) + ": not expected, found " + print(found.items()[i]));
        return;
    }
    if (expected.kind == Yaml::Kind::sequence && found.isArray()) {
        const std::size_t both = std::min(expected.items.size(), found.size());
        for (std::size_t i = 0; i < both; ++i)
            compare(expected.items[i], found.items()[i], below(std::to_string(i)), out);
        for (std::size_t i = both; i < expected.items.size(); ++i)
            out.push_back(below(std::to_string(i)) + ": expected " + print(jsonOf(expected.items[i])) + ", missing");
        for (std::size_t i = both; i < found.size(); ++i)
            out.push_back(below(std::to_string(i)) + ": not expected, found " + print(found.items()[i]));
        return;
    }
    if (!(jsonOf(expected) == found)) differs();
}

/// The lines of the form that we write: `[`, an outcome a line, `]`.
std::vector<std::string> linesOf(const std::string& text, std::size_t outcomes) {
    std::vector<std::string> lines;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    if (lines.size() != outcomes + 2 || lines.front() != "[" || lines.back() != "]") return {};
    lines.erase(lines.begin());
    lines.pop_back();
    for (std::string& line : lines)
        if (!line.empty() && line.back() == ',') line.pop_back();
    return lines;
}

Result<GoldenCase> loadCase(const fs::path& path, const formats::Settings& format, bool missing_ok) {
    GoldenCase c;
    c.name = path.filename().string();
    c.bytes = slurp(path);
    c.full = path.stem().string().rfind("full", 0) == 0;
    auto units = formats::split(format, c.bytes);
    if (!units) return fail(Errc::misconfigured, path.string() + ": " + units.error().message, "mapping.goldens");
    c.units = std::move(*units);
    fs::path expected = path;
    expected.replace_extension(".expected.json");
    c.expected_path = expected.string();
    c.written = fs::exists(expected);
    if (!c.written) {
        if (missing_ok) return c;
        return fail(Errc::misconfigured,
                    path.string() + ": " + expected.filename().string() + " is missing; --bless writes it",
                    "mapping.goldens");
    }
    auto yaml = loadYaml(c.expected_path);
    if (!yaml) return yaml.error();
    if (auto ok = Form(c.expected_path).file(*yaml); !ok) return ok.error();
    c.outcomes = std::move(yaml->items);
    c.text = linesOf(slurp(expected), c.outcomes.size());
    return c;
}

}  // namespace

Input GoldenCase::input(std::size_t unit) const {
    const formats::Unit& u = units.units[unit];
    Input in;
    in.bytes = std::string_view(bytes).substr(u.offset, u.length);
    in.context = units.context;
    in.source = "example";
    in.time_zone = "Europe/Rome";
    in.object_time = "2024-05-01";
    in.full_snapshot = full;
    return in;
}

std::string goldenFolder(const std::string& mapping) {
    fs::path file(mapping);
    return (file.parent_path() / "goldens" / file.stem()).string();
}

Result<std::vector<GoldenCase>> loadGoldens(const std::string& folder, const formats::Settings& format,
                                            bool missing_ok) {
    constexpr std::string_view kExpected = ".expected.json";
    std::vector<fs::path> inputs, expected;
    std::error_code missing;
    for (const auto& entry : fs::directory_iterator(folder, missing)) {
        const std::string name = entry.path().filename().string();
        const bool answer = name.size() > kExpected.size() && name.ends_with(kExpected);
        (answer ? expected : inputs).push_back(entry.path());
    }
    if (inputs.empty())
        return fail(Errc::misconfigured, folder + ": no golden cases; add <case>.<ext> and <case>.expected.json",
                    "mapping.goldens");
    std::sort(inputs.begin(), inputs.end());
    for (const fs::path& answer : expected) {
        const std::string name = answer.filename().string();
        const std::string stem = name.substr(0, name.size() - kExpected.size());
        if (std::none_of(inputs.begin(), inputs.end(), [&](const fs::path& in) { return in.stem() == stem; }))
            return fail(Errc::misconfigured,
                        answer.string() + ": expected of no input; remove it or add `" + stem + ".<ext>`",
                        "mapping.goldens");
    }
    std::vector<GoldenCase> cases;
    for (const fs::path& path : inputs) {
        auto c = loadCase(path, format, missing_ok);
        if (!c) return c.error();
        cases.push_back(std::move(*c));
    }
    return cases;
}

std::vector<std::string> differences(const Yaml& expected, const Json& found) {
    std::vector<std::string> out;
    compare(expected, found, {}, out);
    return out;
}

}  // namespace porta::mapping
