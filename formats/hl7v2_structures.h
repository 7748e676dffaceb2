#pragma once
/// Message structures of HL7 v2 (schemas/models): which segments and groups a message has, in which order. The reader puts
/// segments below groups by them, and mapping/engine makes the models of its checks.
///
///     auto [structures, oru] = Structures::find("2.5", "ORU", "R01", "");
///     for (const Part& part : structures->parts(*oru)) …
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "formats/node.h"

namespace porta::formats::hl7v2 {

/// A segment or a group of a structure, or a structure itself.
struct Part {
    Name name;
    bool group = false, required = false, many = false;
    bool choice = false;  ///< of a group: one of its parts stands there
    std::uint32_t first = 0, count = 0;
    bool is(const Name& segment) const { return !group && name.is(segment.tag, segment.text); }
};

class Structures {
public:
    static constexpr std::string_view kVersions[] = {"2.3.1", "2.5.1", "2.8"};
    /// One of `kVersions`, else null.
    static const Structures* named(std::string_view version);
    struct Found {
        const Structures* structures = nullptr;
        const Part* message = nullptr;  ///< null: no structure is known
    };
    /// By MSH-12 and the components of MSH-9: in the first of `kVersions` that is not older (else the last), then in those before
    /// it, from which it may still be in use, then in the later ones.
    static Found find(std::string_view version, std::string_view type, std::string_view event,
                      std::string_view structure);

    const std::vector<Part>& messages() const { return messages_; }  ///< by name
    const Part* message(std::string_view name) const;
    /// The structure that MSH-9 names, else that of type and event (table 0354), else that of the type alone.
    const Part* structureOf(std::string_view type, std::string_view event, std::string_view structure) const;
    std::span<const Part> parts(const Part& group) const { return {parts_.data() + group.first, group.count}; }

private:
    explicit Structures(std::string_view table);
    std::vector<Part> read(std::string_view& line);
    void keep(Part& group, const std::vector<Part>& parts);
    std::vector<Part> messages_, parts_;
    std::vector<std::pair<std::string_view, std::string_view>> events_;  ///< to their structure
};

}  // namespace porta::formats::hl7v2
