#include <algorithm>

#include "base/date_time.h"
#include "mapping/engine/compiled.h"

namespace porta::mapping {

using fhirpath::Value;
using fhirpath::ValueKind;
using formats::NodeId;
using schemas::How;
using schemas::Leaf;
using schemas::LeafKind;

namespace {

/// An index costs more than looking at each node, until so many texts of a record were looked for.
constexpr std::size_t kLooks = 16;

std::uint64_t spanKey(const formats::Span& s) { return (std::uint64_t(s.offset) << 32) | s.length; }

/// The decoded text of the first node with this span.
std::string_view textAt(RecordScope& scope, const formats::Span& span) {
    const formats::NodeTree& tree = scope.tree;
    if (scope.scratch.looks < kLooks) {
        ++scope.scratch.looks;
        for (NodeId i = 1; i < tree.size(); ++i)
            if (tree[i].span == span) return tree[i].text;
        return {};
    }
    auto& spans = scope.scratch.spans;
    if (spans.empty()) {
        for (NodeId i = 1; i < tree.size(); ++i) spans.emplace_back(spanKey(tree[i].span), i);
        std::sort(spans.begin(), spans.end());
    }
    auto found = std::lower_bound(spans.begin(), spans.end(), std::pair{spanKey(span), NodeId{0}});
    return found != spans.end() && found->first == spanKey(span) ? tree[found->second].text : std::string_view();
}

void addSources(RecordScope& scope, const Value& value, std::vector<schemas::Source>& to) {
    Refill<schemas::Source> out = scope.scratch.pool.refill(to);
    auto one = [&](const formats::Span& span, std::string_view decoded) {
        schemas::Source& s = out.next();
        s.offset = span.offset;
        s.length = span.length;
        s.decoded = decoded;
    };
    if (value.isNode()) return one(scope.tree[value.node].span, scope.tree[value.node].text);
    for (const formats::Span& s : value.spans) one(s, value.copied ? value.text : textAt(scope, s));
}

}  // namespace

Value plain(const RecordScope& scope, const Value& value) {
    if (scope.tree.dialect() != formats::Dialect::hl7v2 || !value.isNode()) return value;
    static const formats::Name component("c1"), subcomponent("s1");
    NodeId node = value.node;
    for (NodeId first = scope.tree[node].first_child; first != formats::kNoNode; first = scope.tree[node].first_child) {
        if (!scope.tree.named(first, component) && !scope.tree.named(first, subcomponent)) break;
        node = first;
    }
    return Value::ofNode(node);
}

Error at(const RecordScope& scope, const Value& value, Error error) {
    std::vector<formats::Span> spans = value.sources(scope.tree);
    if (!spans.empty()) {
        error.offset = spans.front().offset;
        error.length = spans.front().length;
    }
    return error;
}

Result<PartialDateTime> readTime(const RecordScope& scope, std::string_view text) {
    if (scope.tree.dialect() == formats::Dialect::hl7v2) return parseHl7(text);
    const std::string& own = scope.input.date_pattern.empty() ? scope.program.dates : scope.input.date_pattern;
    // A pattern has the size of what it takes.
    if (!own.empty() && text.size() == own.size()) {
        if (auto read = parsePattern(text, own)) return read;
    }
    return parseIso(text);
}

Result<void> addLeaf(RecordScope& scope, const ValueRule& rule, const Value& given, std::string_view path,
                     Leaves& leaves) {
    Value value = plain(scope, given);
    if (value.isNode() && scope.tree[value.node].kind == formats::NodeKind::object) {
        if (scope.tree.dialect() == formats::Dialect::hl7v2) return {};  // its first component is empty
        return at(scope, value, fail(Errc::malformed, "a single value expected, found a group", "mapping.group"));
    }
    if (value.kind == ValueKind::parts)
        return at(scope, value, fail(Errc::malformed, "a single value expected, found a group", "mapping.group"));
    const std::string_view text = value.str(scope.tree);
    if (text.empty()) return {};
    const bool constant = !value.isNode() && value.spans.empty();
    const How how = constant ? How::constant : value.isCopy() ? How::copied : How::computed;
    auto leaf = [&](std::string_view below, std::string_view v, How h, std::int32_t row) -> Leaf& {
        Leaf& l = leaves.next();
        l.path = path;
        if (!below.empty()) l.path.append(1, '/').append(below);
        l.kind = LeafKind::text;
        l.value = v;
        l.how = constant ? How::constant : h;
        l.rule = rule.rule;
        addSources(scope, value, l.sources);
        l.table_row = constant ? -1 : row;
        return l;
    };
    if (scope.scratch.probe) scope.scratch.probe->rule(rule.rule);

    if (rule.table) {
        const Choice choice = choose(*rule.table, text, rule.at ? scope.day : scope.input.object_time);
        const Row* row = choice.row;
        if (choice.ambiguous && !rule.many_first)
            return at(scope, value,
                      fail(Errc::unmapped,
                           "a code of " + std::to_string(text.size()) +
                               " bytes has several rows; `at`, `equivalence` or `onMany: first` decides",
                           rule.table->name));
        if (!row && !rule.unmapped_keep && scope.scratch.probe) scope.scratch.probe->untranslated(*rule.table, text);
        if (!row && !rule.unmapped_keep)
            return at(scope, value,
                      fail(Errc::unmapped,
                           "a code of " + std::to_string(text.size()) + " bytes has no row; add it to the table",
                           rule.table->name));
        if (row && scope.scratch.probe) scope.scratch.probe->row(*row);
        if (scope.scratch.probe) scope.scratch.probe->translated(*rule.table, choice, text);
        if (rule.type != Target::coded) {
            if (row) leaf("", row->code, How::translated, row->line);
            else leaf("", text, how, -1);
            return {};
        }
        if (row) {
            leaf("code", row->code, How::translated, row->line);
            if (!row->system.empty()) leaf("system", row->system, How::translated, row->line);
            if (!row->display.empty()) leaf("display", row->display, How::translated, row->line);
            leaf("equivalence", choice.of_group ? std::string_view("wider") : row->equivalence, How::translated,
                 row->line);
            if (!rule.table->source_system.empty())
                leaf("source_system", rule.table->source_system, How::translated, row->line);
        } else {
            leaf("code", text, how, -1);
        }
        leaf("source_code", text, how, -1);
        return {};
    }
    switch (rule.type) {
        case Target::coded:
            leaf("code", text, how, -1);
            leaf("source_code", text, how, -1);
            return {};
        case Target::date:
        case Target::instant: {
            auto read = readTime(scope, text);
            if (!read)
                return at(scope, value,
                          fail(Errc::malformed,
                               "not a date in the source's notation, " + std::to_string(text.size()) + " bytes",
                               "mapping.date"));
            if (rule.type == Target::date) {
                read->hour = read->minute = read->second = read->micros = -1;
                read->offset_minutes.reset();
            }
            std::string& iso = scope.scratch.iso;
            iso.clear();
            appendIso(iso, *read);
            leaf("", iso, iso == text ? how : How::computed, -1);
            return {};
        }
        case Target::boolean:
            if (text != "true" && text != "false")
                return at(
                    scope, value,
                    fail(Errc::malformed, "true or false expected, found " + std::to_string(text.size()) + " bytes",
                         "mapping.boolean"));
            leaf("", text, how, -1).kind = LeafKind::boolean;
            return {};
        default: leaf("", text, how, -1); return {};
    }
}

}  // namespace porta::mapping
