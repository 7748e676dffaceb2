#pragma once
/// The sections of a case view, each from the live records of permitted sources. Private to views: case_view.cpp says which
/// sections there are, identity.cpp has the identity with its conflicts, sections.cpp the others.
#include <set>
#include <string>
#include <vector>

#include "views/nodes.h"

namespace porta::views {

struct Assembler {
    const PurposeView& purpose;
    const std::vector<SourceFacts>& sources;
    std::int64_t as_of;
    std::vector<const schemas::FoldedRecord*> live;  ///< of permitted sources, sorted by key

    // identity.cpp
    ViewNode identity() const;
    /// Union over the person's records of a list field: one entry for each distinct (content, source).
    ViewNode unionOf(const std::string& field) const;
    int domainRank(const std::string& id) const;

    // sections.cpp
    ViewNode entries(const char* section, const std::vector<std::string>& entities, bool with_kind) const;
    ViewNode involved() const;
    ViewNode nothing() const;
    ViewNode timeline(const ViewNode& root) const;
    const SourceFacts* source(const std::string& id) const;
    ViewNode sourceLeaf(const std::string& id) const;

    struct Ordered {
        std::string content, key;
        ViewNode node;
    };
    /// A list by content, then key.
    static ViewNode ordered(std::vector<Ordered> entries);
};

/// The four kinds of nothing. `not-permitted` looks at source and purpose alone, never at records.
ViewNode nothingOf(const PurposeView& purpose, const std::vector<SourceFacts>& sources,
                   const std::set<std::string>& present, std::int64_t as_of);

}  // namespace porta::views
