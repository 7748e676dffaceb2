#include "mapping/engine/readings.h"

#include <algorithm>

namespace porta::mapping {

namespace {

using fhirpath::Read;

/// What a use inside a named expression is for whoever uses that one.
Read::Use through(Read::Use inner, Read::Use outer) {
    if (inner == Read::value) return outer;
    if (inner == Read::computed) return outer == Read::value ? Read::computed : outer;
    return inner;
}

std::string under(const std::string& path, const std::string& rest) {
    if (rest.empty()) return path;
    return path == "$this" ? rest.substr(1) : path + rest;
}

/// `.OBR.f4` of every OBR of a message, whichever group it stands in.
std::string anywhere(const std::string& rest) {
    const std::size_t end = std::min(rest.find('.', 1), rest.size());
    const std::string name = rest.substr(1, end - 1);
    return (name == "children()" ? "segment" : "segment.where(code = '" + name + "')") + rest.substr(end);
}

}  // namespace

const std::vector<Reading>& Readings::of(const fhirpath::Expression& e) {
    auto known = known_.find(&e);
    if (known != known_.end()) return known->second;
    std::vector<Reading> out;
    for (const Read& read : e.reads()) open(read, out);
    return known_[&e] = std::move(out);
}

void Readings::open(const Read& read, std::vector<Reading>& out) {
    if (!read.path.starts_with('%')) {
        out.push_back({read.path, false, read.use});
        return;
    }
    const std::size_t end = std::min(read.path.find('.'), read.path.size());
    const std::string name = read.path.substr(1, end - 1), rest = read.path.substr(end);
    auto let = std::find_if(program_.let.begin(), program_.let.end(), [&](const auto& l) { return l.first == name; });
    if (let != program_.let.end()) {
        for (const Reading& inner : of(let->second)) {
            const std::string path = inner.use == Read::value ? under(inner.path, rest) : inner.path;
            out.push_back({path, true, through(inner.use, read.use)});
        }
        return;
    }
    if (name == "segment()") {
        out.push_back({program_.format.groups ? anywhere(rest) : under("$this", rest), true, read.use});
        return;
    }
    const bool root = name == "record" || name == "resource" || name == "rootResource";
    if (root || name == "context") out.push_back({under("$this", rest), root, read.use});
    else out.push_back({read.path, true, read.use});
}

}  // namespace porta::mapping
