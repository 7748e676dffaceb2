#include "mapping/engine/models.h"

#include <algorithm>
#include <filesystem>

namespace porta::mapping {

using fhirpath::Known;
using fhirpath::Leaf;
using fhirpath::Shape;

namespace {

Error told(std::string text, std::string nearest = {}) {
    return fail(Errc::misconfigured, std::move(text), "model", 0, 0, std::move(nearest));
}

std::vector<std::string> texts(const Yaml& y) {
    std::vector<std::string> all;
    if (y.kind == Yaml::Kind::scalar) all.push_back(y.text);
    for (const Yaml& item : y.items) all.push_back(item.text);
    return all;
}

Result<Leaf> leafNamed(const Yaml& y) {
    static const std::vector<std::pair<std::string, Leaf>> kLeaves = {
        {"text", Leaf::text}, {"number", Leaf::number},   {"boolean", Leaf::boolean},
        {"date", Leaf::date}, {"instant", Leaf::instant}, {"any", Leaf::any}};
    std::vector<std::string> known;
    for (const auto& [name, leaf] : kLeaves) {
        if (y.text == name) return leaf;
        known.push_back(name);
    }
    return told("unknown type of a column `" + y.text + "`", nearest(y.text, known));
}

/// `[surname, born]`, or `{surname: text, born: date}`.
Result<std::shared_ptr<const Shape>> columns(const Yaml& y) {
    auto shape = std::make_shared<Shape>();
    shape->root = shape->group("row");
    if (y.items.empty()) return told("`columns` names the columns: [surname, born] or {surname: text, born: date}");
    for (std::size_t i = 0; i < y.items.size(); ++i) {
        Leaf leaf = Leaf::text;
        if (y.kind == Yaml::Kind::map) {
            auto named = leafNamed(y.items[i]);
            if (!named) return named.error();
            leaf = *named;
        }
        const std::string& name = y.kind == Yaml::Kind::map ? y.keys[i] : y.items[i].text;
        shape->element(shape->root, name, shape->leaf(leaf));
    }
    return std::shared_ptr<const Shape>(shape);
}

std::string beside(const std::string& directory, const std::string& file) {
    std::filesystem::path path(file);
    return path.is_absolute() || directory.empty() ? file : (std::filesystem::path(directory) / path).string();
}

bool ends(const std::string& text, std::string_view with) {
    return text.size() > with.size() && text.compare(text.size() - with.size(), with.size(), with) == 0;
}

Result<std::shared_ptr<const Shape>> named(const std::string& name, const std::string& directory, bool groups) {
    if (name == "open") return openModel();
    if (name == "fhir-r4") return fhirModel({});
    if (name.rfind("hl7v2-", 0) == 0) return hl7v2Model({name.substr(6)}, {}, groups);
    if (ends(name, ".xsd")) return xsdModel(beside(directory, name), {});
    if (ends(name, ".json")) return jsonSchemaModel(beside(directory, name));
    return told("unknown model `" + name + "`",
                nearest(name, {"open", "fhir-r4", "hl7v2-2.3.1", "hl7v2-2.5.1", "hl7v2-2.8"}));
}

}  // namespace

std::shared_ptr<const Shape> openModel() { return std::make_shared<Shape>(); }

Result<std::shared_ptr<const Shape>> modelOf(const Yaml& model, const std::string& directory, bool groups) {
    if (model.kind == Yaml::Kind::scalar) return named(model.text, directory, groups);
    if (model.kind != Yaml::Kind::map || model.keys.empty())
        return told("`model` is a name (open, fhir-r4, hl7v2-2.5.1, FILE.xsd, FILE.json) or a map of one");
    const std::string& kind = model.keys[0];
    auto allow = [&](std::vector<std::string> keys) -> Result<void> {
        for (const std::string& key : model.keys)
            if (std::find(keys.begin(), keys.end(), key) == keys.end())
                return told("unknown key `" + key + "`", nearest(key, keys));
        return {};
    };
    Result<void> allowed = kind == "hl7v2"  ? allow({"hl7v2", "messages"})
                           : kind == "fhir" ? allow({"fhir", "resource"})
                           : kind == "xsd"  ? allow({"xsd", "element"})
                                            : allow({"hl7v2", "fhir", "xsd", "json_schema", "columns"});
    if (!allowed) return allowed.error();
    const Yaml& first = model.items[0];
    if (kind == "columns") return columns(first);
    if (kind == "json_schema") return jsonSchemaModel(beside(directory, first.text));
    if (kind == "xsd") return xsdModel(beside(directory, first.text), model.get("element"));
    if (kind == "fhir") {
        if (first.text != "R4") return told("unknown release of FHIR `" + first.text + "`", "R4");
        return fhirModel(model.get("resource"));
    }
    const Yaml* messages = model.find("messages");
    return hl7v2Model(texts(first), messages ? texts(*messages) : std::vector<std::string>{}, groups);
}

}  // namespace porta::mapping
