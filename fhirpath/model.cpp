#include "fhirpath/model.h"

#include <algorithm>

#include "base/text.h"
#include "base/yaml.h"

namespace porta::fhirpath {
namespace {

constexpr std::string_view kR4 =
#include "fhirpath/models/fhir_r4.inc"
    ;
constexpr std::string_view kR5 =
#include "fhirpath/models/fhir_r5.inc"
    ;

bool upper(char c) { return c >= 'A' && c <= 'Z'; }

/// Whether `suffix` is the type's name with a capital.
bool suffixOf(std::string_view suffix, std::string_view type) {
    return suffix.size() == type.size() && !suffix.empty() && upper(suffix[0]) &&
           (suffix[0] | 0x20) == (type[0] | 0x20) && suffix.substr(1) == type.substr(1);
}

}  // namespace

Model::Model(std::string_view table) {
    // Counted first: spans and pointers into the vectors stay where they are.
    std::size_t types = 0, elements = 0, names = 0;
    for (std::string_view rest = table; !rest.empty();) {
        std::string_view line = until(rest, '\n');
        if (line.empty()) continue;
        if (line[0] != ' ') ++types;
        else ++elements, names += 1 + static_cast<std::size_t>(std::count(line.begin(), line.end(), '|'));
    }
    types_.reserve(types);
    elements_.reserve(elements);
    names_.reserve(names);
    for (std::string_view rest = table; !rest.empty();) {
        std::string_view line = until(rest, '\n');
        if (line.empty()) continue;
        if (line[0] != ' ') {
            Type type;
            type.name = until(line, ' ');
            type.parent_name = line;
            type.elements = {elements_.data() + elements_.size(), 0};
            types_.push_back(type);
            continue;
        }
        line.remove_prefix(1);
        Element element;
        element.name = until(line, ' ');
        element.choice = element.name.ends_with("[x]");
        if (element.choice) element.name.remove_suffix(3);
        element.list = line.ends_with(" *");
        if (element.list) line.remove_suffix(2);
        const std::size_t first = names_.size();
        while (!line.empty()) names_.push_back(until(line, '|'));
        element.types = {names_.data() + first, names_.size() - first};
        elements_.push_back(element);
        Type& owner = types_.back();
        owner.elements = {owner.elements.data(), owner.elements.size() + 1};
    }
    for (Type& type : types_) type.parent = find(type.parent_name);
}

const Model& Model::of(Release release) {
    static const Model r4(kR4);
    if (release == Release::r4) return r4;
    static const Model r5(kR5);
    return r5;
}

const Model::Type* Model::find(std::string_view name) const {
    auto found = std::lower_bound(types_.begin(), types_.end(), name,
                                  [](const Type& type, std::string_view wanted) { return type.name < wanted; });
    return found != types_.end() && found->name == name ? &*found : nullptr;
}

const Model::Element* Model::element(const Type& type, std::string_view name) const {
    for (const Type* t = &type; t != nullptr; t = t->parent)
        for (const Element& e : t->elements) {
            if (e.name == name) return &e;
            if (!e.choice || name.size() <= e.name.size() || !name.starts_with(e.name)) continue;
            for (std::string_view kind : e.types)
                if (suffixOf(name.substr(e.name.size()), kind)) return &e;
        }
    return nullptr;
}

const Model::Type* Model::child(const Type& type, std::string_view name) const {
    const Element* e = element(type, name);
    if (e == nullptr) return nullptr;
    if (!e->choice || e->types.size() == 1) return find(e->types[0]);
    for (std::string_view kind : e->types)
        if (suffixOf(name.substr(e->name.size()), kind)) return find(kind);
    return nullptr;
}

bool Model::isA(const Type& type, std::string_view ancestor) const {
    for (const Type* t = &type; t != nullptr; t = t->parent)
        if (t->name == ancestor) return true;
    return false;
}

bool Model::isPrimitive(const Type& type) const {
    for (const Type* t = &type; t != nullptr; t = t->parent)
        if (t->name[0] >= 'a' && t->name[0] <= 'z') return true;
    return false;
}

std::string Model::nearestElement(const Type& type, std::string_view name) const {
    std::vector<std::string> all;
    for (const Type* t = &type; t != nullptr; t = t->parent)
        for (const Element& e : t->elements) all.emplace_back(e.name);
    return nearest(std::string(name), all);
}

std::string Model::nearestType(std::string_view name) const {
    std::vector<std::string> all;
    for (const Type& t : types_)
        if (t.name.find('.') == std::string_view::npos) all.emplace_back(t.name);
    return nearest(std::string(name), all);
}

}  // namespace porta::fhirpath
