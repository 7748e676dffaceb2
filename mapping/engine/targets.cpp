#include "mapping/engine/targets.h"

#include <algorithm>

namespace porta::mapping {

namespace {

struct Field {
    std::string_view entity, path;
    Target type;
    std::string_view codes;  ///< separated by `|`
    bool required;
};

// The entities' schemas are the truth.
constexpr Field kFields[] = {
#include "mapping/engine/target_fields.inc"
};

bool below(std::string_view path, std::string_view prefix) {
    return prefix.empty() ||
           (path.size() > prefix.size() && path.substr(0, prefix.size()) == prefix && path[prefix.size()] == '/');
}

}  // namespace

std::vector<std::string> entities() {
    std::vector<std::string> names;
    for (const Field& f : kFields)
        if (std::find(names.begin(), names.end(), f.entity) == names.end()) names.emplace_back(f.entity);
    return names;
}

bool isEntity(std::string_view entity) {
    return std::any_of(std::begin(kFields), std::end(kFields), [&](const Field& f) { return f.entity == entity; });
}

Target targetOf(std::string_view entity, std::string_view path) {
    Target found = Target::none;
    for (const Field& f : kFields) {
        if (f.entity != entity) continue;
        if (f.path == path) return f.type;
        if (below(f.path, path)) found = f.path.substr(path.size() + 1, 1) == "N" ? Target::list : Target::group;
    }
    return found;
}

std::vector<std::string> namesBelow(std::string_view entity, std::string_view path) {
    std::vector<std::string> names;
    for (const Field& f : kFields) {
        if (f.entity != entity || !below(f.path, path)) continue;
        std::string_view rest = path.empty() ? f.path : f.path.substr(path.size() + 1);
        std::string name(rest.substr(0, rest.find('/')));
        if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    }
    return names;
}

std::vector<std::string> requiredBelow(std::string_view entity, std::string_view path) {
    std::vector<std::string> names;
    for (const Field& f : kFields)
        if (f.required && f.entity == entity && below(f.path, path)) {
            std::string_view rest = path.empty() ? f.path : f.path.substr(path.size() + 1);
            if (rest.find('/') == std::string_view::npos) names.emplace_back(rest);
        }
    return names;
}

std::vector<std::pair<std::string, std::string>> valueSets() {
    std::vector<std::pair<std::string, std::string>> fields;
    for (const Field& f : kFields)
        if (!f.codes.empty()) fields.emplace_back(f.entity, f.path);
    return fields;
}

std::vector<std::string> valueSet(std::string_view entity, std::string_view path) {
    std::vector<std::string> codes;
    for (const Field& f : kFields) {
        if (f.entity != entity || f.path != path) continue;
        for (std::string_view rest = f.codes; !rest.empty();) {
            std::string_view code = rest.substr(0, rest.find('|'));
            codes.emplace_back(code);
            rest.remove_prefix(std::min(rest.size(), code.size() + 1));
        }
    }
    return codes;
}

}  // namespace porta::mapping
