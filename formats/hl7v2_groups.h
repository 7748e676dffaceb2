#pragma once
/// Puts the segments of one message below the groups of its structure, by a cursor that only moves on. A segment goes to the next
/// place that the structure has for it, in the group that is open, else in those around it; where a group repeats, a new one
/// begins, and comes before an optional group that might begin likewise. A group is entered by a segment that may begin it; failing
/// that, by one that has no other place in the structure, as IN2 where its IN1 is missing. A segment without a place stays in the
/// group that is open. Inside formats only.
#include <array>
#include <cstdint>

#include "formats/hl7v2_structures.h"

namespace porta::formats::hl7v2 {

class Grouping {
public:
    /// Nothing allocates: groups are nodes of the tree, and the cursor is as deep as the deepest structure.
    Grouping(NodeTree& tree, const Structures& structures, const Part& message);
    /// The node that the next segment belongs below.
    NodeId place(const Name& segment);
    /// Where the segment that was placed last begins and ends.
    void covered(Span segment);

    static constexpr std::size_t kDeepest = 12;

private:
    static constexpr std::uint32_t kBefore = ~std::uint32_t{0};
    /// An open group: the part that its last segment went to, and the name that its first one has.
    struct Level {
        const Part* group = nullptr;
        NodeId node = kNoNode;
        std::uint32_t at = kBefore;
        std::uint64_t began = 0;
    };
    NodeTree& tree_;
    const Structures& structures_;
    std::array<Level, kDeepest> levels_ = {};
    std::size_t depth_ = 1;

    using Fits = bool (Grouping::*)(const Part&, const Name&) const;
    bool begins(const Part& part, const Name& segment) const;
    bool holds(const Part& part, const Name& segment) const;
    std::size_t places(const Part& group, const Name& segment) const;
    bool go(const Name& segment, Fits fits);
    bool anew(const Name& segment) const;
    bool again(std::size_t level, const Part& part, const Name& segment, Fits fits) const;
    void enter(std::size_t level, std::uint32_t part, const Name& segment, Fits fits);
};

}  // namespace porta::formats::hl7v2
