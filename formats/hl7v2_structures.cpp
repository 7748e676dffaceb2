#include "formats/hl7v2_structures.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>

#include "base/text.h"

namespace porta::formats::hl7v2 {

namespace {

constexpr std::string_view k231 =
#include "schemas/models/hl7v2_structures_2_3_1.inc"
    ;
constexpr std::string_view k251 =
#include "schemas/models/hl7v2_structures_2_5_1.inc"
    ;
constexpr std::string_view k28 =
#include "schemas/models/hl7v2_structures_2_8.inc"
    ;

bool took(std::string_view& text, std::string_view mark) {
    const bool there = text.ends_with(mark);
    if (there) text.remove_suffix(mark.size());
    return there;
}

/// `PROCEDURE!*{`: the name and its marks, from behind.
Part partOf(std::string_view text) {
    Part part{.name = std::string_view()};
    part.choice = took(text, "{|");
    part.group = part.choice || took(text, "{");
    part.many = took(text, "*");
    part.required = took(text, "!");
    part.name = Name(text);
    return part;
}

/// 2.5.1 as 20501; 0: no version.
int numberOf(std::string_view version) {
    int number = 0;
    const char *at = version.data(), *end = at + version.size();
    for (int factor : {10000, 100, 1}) {
        int part = 0;
        auto read = std::from_chars(at, end, part);
        if (read.ec != std::errc() || part < 0 || part > 99) return 0;
        number += part * factor;
        if (read.ptr == end) return number;
        if (*read.ptr != '.') return 0;
        at = read.ptr + 1;
    }
    return 0;
}

}  // namespace

Structures::Structures(std::string_view table) {
    while (!table.empty()) {
        std::string_view line = until(table, '\n');
        const std::string_view kind = until(line, ' '), name = until(line, ' ');
        if (kind == "event") {
            events_.emplace_back(name, line);
            continue;
        }
        Part message{.name = name, .group = true};
        keep(message, read(line));
        messages_.push_back(message);
    }
    std::sort(messages_.begin(), messages_.end(),
              [](const Part& a, const Part& b) { return a.name.text < b.name.text; });
    std::sort(events_.begin(), events_.end());
}

/// The parts up to the group's `}` or the line's end.
std::vector<Part> Structures::read(std::string_view& line) {
    std::vector<Part> all;
    while (!line.empty()) {
        const std::string_view text = until(line, ' ');
        if (text == "}") break;
        Part part = partOf(text);
        if (part.group) keep(part, read(line));
        all.push_back(part);
    }
    return all;
}

void Structures::keep(Part& group, const std::vector<Part>& parts) {
    group.first = static_cast<std::uint32_t>(parts_.size());
    group.count = static_cast<std::uint32_t>(parts.size());
    parts_.insert(parts_.end(), parts.begin(), parts.end());
}

const Structures* Structures::named(std::string_view version) {
    static const Structures v231(k231), v251(k251), v28(k28);
    return version == "2.3.1" ? &v231 : version == "2.5.1" ? &v251 : version == "2.8" ? &v28 : nullptr;
}

Structures::Found Structures::find(std::string_view version, std::string_view type, std::string_view event,
                                   std::string_view structure) {
    const int wanted = numberOf(version);
    if (wanted == 0) return {};
    std::size_t nearest = 0;
    while (nearest + 1 < std::size(kVersions) && numberOf(kVersions[nearest]) < wanted) ++nearest;
    for (std::size_t i = 0; i < std::size(kVersions); ++i) {
        const Structures* in = named(kVersions[i <= nearest ? nearest - i : i]);
        if (const Part* message = in->structureOf(type, event, structure)) return {in, message};
    }
    return {};
}

const Part* Structures::message(std::string_view name) const {
    auto found = std::lower_bound(messages_.begin(), messages_.end(), name,
                                  [](const Part& m, std::string_view n) { return m.name.text < n; });
    return found != messages_.end() && found->name.text == name ? &*found : nullptr;
}

const Part* Structures::structureOf(std::string_view type, std::string_view event, std::string_view structure) const {
    if (const Part* stated = message(structure)) return stated;
    std::array<char, 16> text;
    if (event.empty() || type.size() + 1 + event.size() > text.size()) return message(type);
    char* end = std::copy(type.begin(), type.end(), text.data());
    *end++ = '_';
    end = std::copy(event.begin(), event.end(), end);
    const std::string_view name(text.data(), static_cast<std::size_t>(end - text.data()));
    if (const Part* own = message(name)) return own;
    auto found = std::lower_bound(events_.begin(), events_.end(), name,
                                  [](const auto& e, std::string_view n) { return e.first < n; });
    return message(found != events_.end() && found->first == name ? found->second : type);
}

}  // namespace porta::formats::hl7v2
