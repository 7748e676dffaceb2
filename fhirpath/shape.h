#pragma once
/// What is known of an input before any record of it has come: a graph of named elements. `Expression::analyse` walks an
/// expression over it, so that a misspelt path is found when a mapping is loaded and not by an empty field.
///
///     Shape shape;                                   // columns of a CSV
///     shape.root = shape.group("row");
///     shape.element(shape.root, "surname", shape.leaf(Leaf::text));
///     Analysis a = expression->analyse(shape, Known::at(shape.root), {});
///     for (const PathProblem& p : a.problems) …
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "formats/node.h"

namespace porta::fhirpath {

enum class Leaf : std::uint8_t { group, any, text, number, boolean, date, instant };
inline constexpr unsigned bit(Leaf leaf) { return 1u << static_cast<unsigned>(leaf); }

using PlaceId = std::uint32_t;

struct Shape {
    /// A place of which nothing is known: everything below it is unproved.
    static constexpr PlaceId kOpen = ~PlaceId{0};

    struct Element {
        std::string name;
        PlaceId type = kOpen;
        bool many = false;
        bool required = false;
    };
    struct Type {
        std::string name;  ///< `CX`, `Patient`; what ofType() and a filter on `resourceType` narrow to
        Leaf leaf = Leaf::group;
        bool open = false;                    ///< elements that are not listed may stand there too
        std::vector<Element> elements;        ///< a name may stand several times: one of these types
        std::vector<PlaceId> alternatives{};  ///< it is one of these: any resource, one of several versions
        std::vector<std::string> codes{};     ///< the only values, where the model says so
    };
    std::vector<Type> types;
    PlaceId root = kOpen;
    formats::Dialect dialect = formats::Dialect::plain;

    PlaceId add(Type type) {
        types.push_back(std::move(type));
        return static_cast<PlaceId>(types.size() - 1);
    }
    PlaceId group(std::string name) { return add({std::move(name), Leaf::group, false, {}}); }
    PlaceId leaf(Leaf kind, std::string name = {}) { return add({std::move(name), kind, false, {}}); }
    void element(PlaceId in, std::string name, PlaceId type, bool many = false, bool required = false) {
        types[in].elements.push_back({std::move(name), type, many, required});
    }
    bool named(PlaceId place, const std::string& name) const { return place != kOpen && types[place].name == name; }
    /// The names that a place may have, each once.
    std::vector<std::string> names(PlaceId place) const;
};

enum class Many : std::uint8_t { one, maybe, many };

/// What an expression may give.
struct Known {
    std::vector<PlaceId> places = {};  ///< of the input; empty: nothing of it
    Many many = Many::one;
    unsigned computed = 0;                   ///< bits of Leaf: kinds of values that are made, not found
    std::vector<std::string> literals = {};  ///< constants among them
    std::string path = {};                   ///< where it stands, for messages
    bool broken = false;                     ///< a problem has been told; nothing more about what follows

    static Known at(PlaceId place) { return Known{{place}}; }
    static Known made(Leaf leaf) { return Known{{}, Many::one, bit(leaf)}; }
    bool open() const {
        for (PlaceId p : places)
            if (p == Shape::kOpen) return true;
        return false;
    }
};

/// A step that the shape does not have, or about which it says nothing.
struct PathProblem {
    std::uint32_t offset = 0;  ///< in the expression's text
    std::string path;          ///< up to and with the step
    std::string name;          ///< the step
    std::string nearest;       ///< what it may have meant, or ""
    bool unproved = false;     ///< nothing is known there: neither right nor wrong
};

struct Analysis {
    Known result;
    std::vector<PathProblem> problems;
};

}  // namespace porta::fhirpath
