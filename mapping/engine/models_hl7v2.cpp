// HL7 v2 as a shape, from the tables under schemas/models.
#include <algorithm>
#include <map>
#include <string_view>

#include "base/text.h"
#include "formats/hl7v2_structures.h"
#include "mapping/engine/models.h"

namespace porta::mapping {

using fhirpath::Leaf;
using fhirpath::PlaceId;
using fhirpath::Shape;
using formats::hl7v2::Part;
using formats::hl7v2::Structures;

namespace {

constexpr std::string_view k231 =
#include "schemas/models/hl7v2_2_3_1.inc"
    ;
constexpr std::string_view k251 =
#include "schemas/models/hl7v2_2_5_1.inc"
    ;
constexpr std::string_view k28 =
#include "schemas/models/hl7v2_2_8.inc"
    ;

/// `CX!*`: the name and its marks.
struct Entry {
    std::string name;
    bool required = false, many = false;
    explicit Entry(std::string_view text) {
        many = text.ends_with('*');
        if (many) text.remove_suffix(1);
        required = text.ends_with('!');
        if (required) text.remove_suffix(1);
        name = text;
    }
};

using Rows = std::map<std::string, std::vector<Entry>, std::less<>>;

struct Version {
    Rows types, segments;
    const Structures& structures;
    Version(std::string_view table, std::string_view name) : structures(*Structures::named(name)) {
        while (!table.empty()) {
            std::string_view line = until(table, '\n');
            const std::string_view kind = until(line, ' ');
            Rows& rows = kind == "type" ? types : segments;
            std::vector<Entry>& row = rows[std::string(until(line, ' '))];
            while (!line.empty()) row.emplace_back(until(line, ' '));
        }
    }
};

/// Types of data by what their text says (HL7 v2.5.1, 2.A). TS is an instant whose first component is its text.
Leaf leafOf(std::string_view type) {
    if (type == "DT") return Leaf::date;
    if (type == "DTM" || type == "TS") return Leaf::instant;
    if (type == "NM" || type == "SI" || type == "SNM") return Leaf::number;
    if (type == "varies" || type == "-" || type == "WD") return Leaf::any;
    return Leaf::text;
}

struct Maker {
    Shape& shape;
    const Version& version;
    std::map<std::pair<std::string, char>, PlaceId> made = {};

    /// A value whose parts are named by `prefix`: `c` in a field, `s` in a component; none below a subcomponent.
    PlaceId value(const std::string& type, char prefix) {
        if (auto found = made.find({type, prefix}); found != made.end()) return found->second;
        auto row = version.types.find(type);
        const Leaf leaf = leafOf(type);
        const bool parts = prefix != 0 && row != version.types.end();
        PlaceId id = shape.add({type, parts && leaf == Leaf::text ? Leaf::group : leaf, leaf == Leaf::any, {}});
        made[{type, prefix}] = id;
        if (!parts) return id;
        for (std::size_t i = 0; i < row->second.size(); ++i) {
            // v2.3.1 as packaged calls the point in time inside a TS a text.
            const std::string& below = type == "TS" && i == 0 ? "DTM" : row->second[i].name;
            const PlaceId part = value(below, prefix == 'c' ? 's' : '\0');
            shape.element(id, prefix + std::to_string(i + 1), part);
        }
        return id;
    }
    PlaceId segment(const std::string& name) {
        if (auto found = made.find({name, 'f'}); found != made.end()) return found->second;
        PlaceId id = shape.group(name);
        made[{name, 'f'}] = id;
        const auto& fields = version.segments.find(name)->second;
        for (std::size_t i = 0; i < fields.size(); ++i)
            if (fields[i].name != "-")
                shape.element(id, "f" + std::to_string(i + 1), value(fields[i].name, 'c'), fields[i].many,
                              fields[i].required);
        return id;
    }
    /// How often a segment may stand in a message: once, or (true) several times, as one of a repeated group does.
    void flat(const Part& group, bool repeated, std::map<std::string, bool>& found) const {
        for (const Part& part : version.structures.parts(group)) {
            const bool many = repeated || part.many;
            if (part.group) {
                flat(part, many, found);
                continue;
            }
            auto [segment, fresh] = found.try_emplace(std::string(part.name.text), many);
            if (!fresh) segment->second = true;
        }
    }
    /// A message or group with its segments and groups; a name may stand at several places of it.
    PlaceId grouped(const Part& group) {
        const PlaceId id = shape.group(std::string(group.name.text));
        for (const Part& part : version.structures.parts(group)) {
            const std::string name(part.name.text);
            if (!part.group && !version.segments.count(name)) continue;
            const PlaceId place = part.group ? grouped(part) : segment(name);
            const auto& elements = shape.types[id].elements;
            const bool again =
                std::any_of(elements.begin(), elements.end(), [&](const auto& e) { return e.name == name; });
            shape.element(id, name, place, part.many || again, part.required && !group.choice);
        }
        return id;
    }
    PlaceId root(const std::vector<std::string>& messages) {
        std::map<std::string, bool> segments;  // to: may stand several times
        for (const std::string& message : messages)
            if (const Part* found = version.structures.message(message)) {
                std::map<std::string, bool> own;
                flat(*found, false, own);
                for (const auto& [name, many] : own) segments[name] |= many;
            }
        if (messages.empty())
            for (const auto& [name, fields] : version.segments) segments[name] = false;
        PlaceId id = shape.group("message");
        for (const auto& [name, many] : segments)
            if (version.segments.count(name)) shape.element(id, name, segment(name), many);
        return id;
    }
};

const Version* versionNamed(const std::string& name) {
    static const Version v231(k231, "2.3.1"), v251(k251, "2.5.1"), v28(k28, "2.8");
    return name == "2.3.1" ? &v231 : name == "2.5.1" ? &v251 : name == "2.8" ? &v28 : nullptr;
}

}  // namespace

Result<std::shared_ptr<const Shape>> hl7v2Model(const std::vector<std::string>& versions,
                                                const std::vector<std::string>& messages, bool groups) {
    auto shape = std::make_shared<Shape>();
    shape->dialect = formats::Dialect::hl7v2;
    shape->root = shape->group("message");
    std::vector<std::string> known;
    for (const std::string& name : versions) {
        const Version* version = versionNamed(name);
        if (!version)
            return fail(Errc::misconfigured, "unknown version of HL7 v2 `" + name + "`", "model", 0, 0,
                        nearest(name, {"2.3.1", "2.5.1", "2.8"}));
        for (const Part& message : version->structures.messages()) known.emplace_back(message.name.text);
        Maker maker{*shape, *version};
        auto add = [&](PlaceId root) { shape->types[shape->root].alternatives.push_back(root); };
        if (!groups) add(maker.root(messages));
        for (const std::string& message : messages)
            if (const Part* found = version->structures.message(message); found && groups) add(maker.grouped(*found));
    }
    if (versions.empty())
        return fail(Errc::misconfigured, "`hl7v2` names versions: 2.3.1, 2.5.1, 2.8", "model", 0, 0, "2.5.1");
    if (groups && messages.empty())
        return fail(Errc::misconfigured,
                    "with `groups` the model names its messages: {hl7v2: [2.5.1], messages: [ORU_R01]}", "model");
    for (const std::string& message : messages)
        if (std::find(known.begin(), known.end(), message) == known.end())
            return fail(Errc::misconfigured, "unknown message structure `" + message + "`", "model", 0, 0,
                        nearest(message, known));
    return std::shared_ptr<const Shape>(shape);
}

}  // namespace porta::mapping
