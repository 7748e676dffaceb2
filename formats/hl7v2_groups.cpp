#include "formats/hl7v2_groups.h"

namespace porta::formats::hl7v2 {

namespace {

/// What structures require at the beginning of a group, and senders leave out: notes, and the order's common part where there is
/// nothing to say of it beside its detail.
bool oftenMissing(const Part& part) {
    static const Name notes("NTE"), common_order("ORC");
    return part.is(notes) || part.is(common_order);
}

}  // namespace

Grouping::Grouping(NodeTree& tree, const Structures& structures, const Part& message)
    : tree_(tree), structures_(structures) {
    levels_[0] = {&message, tree.root()};
    tree.setGrouped();
}

NodeId Grouping::place(const Name& segment) {
    if (!go(segment, &Grouping::begins) && places(*levels_[0].group, segment) == 1) go(segment, &Grouping::holds);
    return levels_[depth_ - 1].node;
}

void Grouping::covered(Span segment) {
    for (std::size_t level = 1; level < depth_; ++level) {
        Span& whole = tree_.at(levels_[level].node).span;
        if (whole.length == 0) whole.offset = segment.offset;
        whole.length = segment.offset + segment.length - whole.offset;
    }
}

/// Whether a part is the segment, or a group that may begin with it: nothing that must stand there stands before.
bool Grouping::begins(const Part& part, const Name& segment) const {
    if (!part.group) return part.is(segment);
    for (const Part& p : structures_.parts(part)) {
        if (begins(p, segment)) return true;
        if (p.required && !part.choice && !oftenMissing(p)) return false;
    }
    return false;
}

bool Grouping::holds(const Part& part, const Name& segment) const {
    return part.group ? places(part, segment) > 0 : part.is(segment);
}

std::size_t Grouping::places(const Part& group, const Name& segment) const {
    std::size_t found = 0;
    for (const Part& p : structures_.parts(group)) found += p.group ? places(p, segment) : p.is(segment);
    return found;
}

/// Moves the cursor to the next place of the segment, from the innermost open group outwards.
bool Grouping::go(const Name& segment, Fits fits) {
    for (std::size_t level = depth_; level-- > 0;) {
        const Level& open = levels_[level];
        const auto parts = structures_.parts(*open.group);
        const bool chosen = open.group->choice && open.at != kBefore;
        const std::size_t from = open.at == kBefore ? 0 : open.at;
        for (std::size_t i = from; i < (chosen ? from + 1 : parts.size()); ++i) {
            if (!(this->*fits)(parts[i], segment)) continue;
            if (i == open.at && !again(level, parts[i], segment, fits)) continue;
            // The second ORC of an order message begins its second order, not the prior results of the first.
            if (i != open.at && parts[i].group && !parts[i].required && anew(segment)) continue;
            enter(level, static_cast<std::uint32_t>(i), segment, fits);
            return true;
        }
    }
    return false;
}

/// Whether a group is open that began with such a segment and repeats.
bool Grouping::anew(const Name& segment) const {
    for (std::size_t level = 1; level < depth_; ++level)
        if (levels_[level].group->many && levels_[level].began == segment.tag) return true;
    return false;
}

/// Whether the part that is open may stand once more. Where something before the segment is missing, only a group that has begun
/// with such a segment, too: any other is still waiting for it.
bool Grouping::again(std::size_t level, const Part& part, const Name& segment, Fits fits) const {
    return part.many && (!part.group || fits == &Grouping::begins || levels_[level + 1].began == segment.tag);
}

void Grouping::enter(std::size_t level, std::uint32_t part, const Name& segment, Fits fits) {
    while (true) {
        Level& open = levels_[level];
        open.at = part;
        depth_ = level + 1;
        const Part& entered = structures_.parts(*open.group)[part];
        if (!entered.group) return;
        const NodeId node = tree_.addGroup(open.node, entered.name);
        levels_[++level] = {&entered, node, kBefore, segment.tag};
        const auto parts = structures_.parts(entered);
        part = 0;
        while (!(this->*fits)(parts[part], segment)) ++part;
    }
}

}  // namespace porta::formats::hl7v2
