// FHIR R4 as a shape, from fhirpath's table of types.
#include <algorithm>
#include <cctype>
#include <map>

#include "fhirpath/model.h"
#include "mapping/engine/models.h"
#include "mapping/engine/resource_types.h"

namespace porta::mapping {

using fhirpath::Leaf;
using fhirpath::Model;
using fhirpath::PlaceId;
using fhirpath::Shape;

namespace {

Leaf leafOf(std::string_view type) {
    if (type == "boolean") return Leaf::boolean;
    if (type == "date") return Leaf::date;
    if (type == "dateTime" || type == "instant") return Leaf::instant;
    if (type == "integer" || type == "positiveInt" || type == "unsignedInt" || type == "decimal") return Leaf::number;
    return Leaf::text;
}

struct Maker {
    const Model& model;
    Shape& shape;
    std::map<std::string, PlaceId, std::less<>> made = {};

    PlaceId place(std::string_view name) {
        if (name == "Resource" || name == "DomainResource") return shape.root;
        if (auto found = made.find(name); found != made.end()) return found->second;
        const Model::Type* type = model.find(name);
        const bool primitive = type && model.isPrimitive(*type);
        PlaceId id = shape.add({std::string(name), primitive ? leafOf(name) : Leaf::group, type == nullptr, {}});
        made.emplace(name, id);
        if (!type) return id;
        if (model.isResource(*type)) shape.element(id, "resourceType", place("code"));
        for (const Model::Type* t = type; t; t = t->parent)
            for (const Model::Element& e : t->elements) element(id, e);
        return id;
    }
    void element(PlaceId in, const Model::Element& e) {
        for (std::string_view type : e.types) {
            const PlaceId id = place(type);
            shape.element(in, std::string(e.name), id, e.list);
            if (!e.choice) continue;
            std::string name(type);
            name[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(name[0])));
            shape.element(in, std::string(e.name) + name, id, e.list);
        }
    }
};

}  // namespace

Result<std::shared_ptr<const Shape>> fhirModel(const std::string& resource) {
    auto shape = std::make_shared<Shape>();
    shape->dialect = formats::Dialect::fhir;
    shape->root = shape->group("Resource");
    Maker maker{Model::of(fhirpath::Release::r4), *shape};
    std::vector<std::string> known;
    for (std::string_view name : kResourceTypes) {
        known.emplace_back(name);
        const PlaceId id = maker.place(name);
        shape->types[shape->root].alternatives.push_back(id);
    }
    if (resource.empty()) return std::shared_ptr<const Shape>(shape);
    if (std::find(known.begin(), known.end(), resource) == known.end())
        return fail(Errc::misconfigured, "unknown resource type `" + resource + "`", "model", 0, 0,
                    nearest(resource, known));
    // Contained resources stay any; only what the expressions start from is one.
    auto narrowed = std::make_shared<Shape>(*shape);
    narrowed->root = maker.place(resource);
    return std::shared_ptr<const Shape>(narrowed);
}

}  // namespace porta::mapping
