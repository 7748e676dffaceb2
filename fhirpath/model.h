#pragma once
/// FHIR's types and their elements, of the releases R4 and R5: which element a type has, of which types, whether it repeats.
/// FHIRPath asks it for types of nodes and for the strict check; others may ask it for paths. A model is made on first use.
///
///     const fhirpath::Model& model = fhirpath::Model::of(fhirpath::Release::r4);
///     const auto* element = model.element(*model.find("Patient"), "birthDate");  // date, once
/// Source: models/fhir_r4.inc and fhir_r5.inc, made by models/generate_models.py.
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace porta::fhirpath {

enum class Release : std::uint8_t { r4, r5 };

/// Owner: the models live as long as the process, and so does every view of them. Threads: any number.
class Model {
public:
    struct Element {
        std::string_view name;  ///< of a choice without `[x]`
        bool choice = false, list = false;
        std::span<const std::string_view> types;  ///< one, of a choice several
    };
    struct Type {
        std::string_view
            name;  ///< `Patient`, `string`; of an element with parts of its own its path: `Patient.contact`
        const Type* parent = nullptr;
        std::span<const Element> elements = {};  ///< its own, without those of the parent, in the order of names
        std::string_view parent_name = {};
    };

    static const Model& of(Release release);

    const Type* find(std::string_view name) const;
    /// Own or inherited; a choice also by the name with its type (`valueQuantity`), which is how data name it.
    const Element* element(const Type& type, std::string_view name) const;
    /// The type of a child by its name in the data, or null.
    const Type* child(const Type& type, std::string_view name) const;
    bool isA(const Type& type, std::string_view ancestor) const;
    bool isResource(const Type& type) const { return isA(type, "Resource"); }
    /// Holds a value of its own: boolean, string and the like.
    bool isPrimitive(const Type& type) const;
    /// The element whose name is nearest to `name`, or "".
    std::string nearestElement(const Type& type, std::string_view name) const;
    std::string nearestType(std::string_view name) const;

private:
    explicit Model(std::string_view table);
    std::vector<Type> types_;
    std::vector<Element> elements_;
    std::vector<std::string_view> names_;  ///< of elements' types
};

}  // namespace porta::fhirpath
