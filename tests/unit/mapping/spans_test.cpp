// Spans are true, as properties over every golden of the mappings that we ship: what stands outside of a field's sources can
// be replaced and the field stays as it is, what stands inside cannot. The changes are random with a fixed seed and legal: the
// same kinds of characters, what stands in that place elsewhere in the goldens, codes of the mapping's tables.
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <random>
#include <set>

#include "fhirpath/encoding.h"
#include "mapping/engine/compiled.h"
#include "mapping/engine/explain.h"
#include "mapping/engine/golden_file.h"

namespace porta::mapping {
namespace {

namespace fs = std::filesystem;
using formats::NodeId;
using formats::NodeKind;
using formats::NodeTree;
using formats::Span;

struct Leaf {
    std::string path;  ///< without indexes
    Span span;
    NodeKind kind;
    std::string text;
    Span document = {};  ///< of the base64 around it, or nothing

    /// What stands there, in base64 what it is decoded.
    std::string contentIn(std::string_view bytes) const {
        return document.length ? text : std::string(bytes.substr(span.offset, span.length));
    }
    std::string replacedIn(std::string bytes, const std::string& by) const {
        if (document.length == 0) return bytes.replace(span.offset, span.length, by);
        std::string inner = *fhirpath::decoded(bytes.substr(document.offset, document.length), "base64");
        const std::size_t digits = span.offset - document.offset;
        inner.replace(digits / 4 * 3 + digits % 4, text.size(), by);
        return bytes.replace(document.offset, document.length, *fhirpath::encoded(inner, "base64"));
    }
};

constexpr const char* kDocument = "OBX.f5.c5.";  ///< of lab-reports.yaml

std::string pathOf(const NodeTree& tree, NodeId node) {
    std::string path;
    for (; node != tree.root(); node = tree[node].parent) path = std::string(tree[node].name) + "." + path;
    return path;
}

/// Of the tree as it is when the record was mapped: documents in values are open.
std::vector<Leaf> leavesOf(const Program& program, const Input& input) {
    std::vector<Leaf> out;
    NodeTree tree;
    program.map(program.format(), input, tree);
    for (NodeId i = 1; i < tree.size(); ++i) {
        std::string path = pathOf(tree, i);
        // These make the message readable; another content is another message.
        if (path == "MSH.f1." || path == "MSH.f2." || path == "MSH.f18.") continue;
        if (tree[i].kind == NodeKind::object) continue;
        out.push_back({path, tree[i].span, tree[i].kind, std::string(tree[i].text)});
        for (NodeId up = tree[i].parent; path.starts_with(kDocument) && up != tree.root(); up = tree[up].parent)
            if (pathOf(tree, up) == kDocument) out.back().document = tree[up].span;
    }
    return out;
}

/// One value, named so that it can be found again in another outcome.
using Fields = std::map<std::string, std::string>;
std::string nameOf(const Outcome& outcome, std::size_t operation, const schemas::Leaf& leaf) {
    auto kind = [](const schemas::Operation& op) {
        return op.key.entity + "|" + std::string(schemas::name(op.op)) + "|" + op.cls;
    };
    std::size_t nth = 0;
    for (std::size_t i = 0; i < operation; ++i)
        nth += kind(outcome.operations[i]) == kind(outcome.operations[operation]);
    return kind(outcome.operations[operation]) + "|" + std::to_string(nth) + "/" + leaf.path;
}
Fields fieldsOf(const Outcome& outcome) {
    Fields out;
    for (std::size_t i = 0; i < outcome.operations.size(); ++i)
        for (const schemas::Leaf& l : outcome.operations[i].leaves)
            out[nameOf(outcome, i, l)] = std::to_string(static_cast<int>(l.kind)) + l.value;
    return out;
}

/// A shipped mapping with the raw records of its goldens, and what may stand in them.
struct Shipped {
    std::shared_ptr<const Program> program;
    std::vector<GoldenCase> cases;
    std::map<std::string, std::set<std::string>> elsewhere;  ///< by path: the raw bytes that goldens have there
    std::vector<std::string> codes;
    std::mt19937 random{20240501};

    explicit Shipped(const fs::path& file) {
        auto loaded = Program::load(file.string());
        if (!loaded) throw std::runtime_error(loaded.error().message);
        program = *loaded;
        auto read = loadGoldens(goldenFolder(file.string()), program->format(), false);
        if (!read) throw std::runtime_error(read.error().message);
        cases = std::move(*read);
        for (const auto& [name, table] : program->impl().tables)
            for (const auto& row : table.rows) codes.push_back(row.first);
        for (const GoldenCase& c : cases)
            for (std::size_t i = 0; i < c.units.units.size(); ++i) {
                const Input input = c.input(i);
                for (const Leaf& l : leavesOf(*program, input)) elsewhere[l.path].insert(l.contentIn(input.bytes));
            }
    }
    bool fits(const std::string& text, const Leaf& leaf) const {
        const formats::Settings& f = program->format();
        std::string special = "\r\n\"";
        if (f.kind == formats::Kind::hl7v2) special += "|^~\\&";
        else if (f.kind == formats::Kind::csv) special += f.delimiter;
        else special += "\\";
        if (leaf.document.length) special = "<>&\"\r\n";
        if (leaf.kind == NodeKind::number) special += "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
        return !text.empty() && text.find_first_of(special) == std::string::npos;
    }
    std::string sameShape(std::string text) {
        auto one = [&](const char* of, std::size_t n) { return of[random() % n]; };
        for (char& c : text) {
            if (c >= '0' && c <= '9') c = one("0123456789", 10);
            else if (c >= 'a' && c <= 'z') c = one("abcdefghijklmnopqrstuvwxyz", 26);
            else if (c >= 'A' && c <= 'Z') c = one("ABCDEFGHIJKLMNOPQRSTUVWXYZ", 26);
        }
        return text;
    }
    /// Up to `n` contents for a leaf, none of them what stands there.
    std::set<std::string> others(const Leaf& leaf, const std::string& raw, std::size_t n) {
        std::set<std::string> out;
        auto offer = [&](const std::string& text) {
            if (text != raw && fits(text, leaf) && out.size() < n) out.insert(text);
        };
        for (std::size_t i = 0; i < n / 2; ++i) offer(sameShape(raw));
        const auto& same_place = elsewhere[leaf.path];
        for (const std::string& text : same_place)
            if (random() % same_place.size() < n / 4) offer(text);
        for (std::size_t i = 0; i < n && !codes.empty(); ++i) offer(codes[random() % codes.size()]);
        for (std::size_t i = 0; i < 2 * n; ++i) offer(sameShape(raw));
        // A cell or a component may also be empty.
        const formats::Kind kind = program->format().kind;
        if (kind == formats::Kind::hl7v2 || kind == formats::Kind::csv) out.insert("");
        return out;
    }
    Outcome with(const Input& input, const Leaf& leaf, const std::string& text) const {
        const std::string bytes = leaf.replacedIn(std::string(input.bytes), text);
        Input changed = input;
        changed.bytes = bytes;
        NodeTree tree;
        return program->map(program->format(), changed, tree);
    }
    /// Every raw record of the goldens, with its explanation.
    template <class Visit>
    void records(Visit visit) {
        Explainer explainer(*program);
        for (const GoldenCase& c : cases)
            for (std::size_t i = 0; i < c.units.units.size(); ++i) {
                const Input input = c.input(i);
                Explanation e = explainer.explain(program->format(), input);
                if (e.outcome.state == State::published) visit(input, e, c.name + " " + std::to_string(i));
            }
    }
};

bool covers(const ExplainedField& f, const Span& span, bool direct_only) {
    for (const FieldSource& s : f.sources)
        if (s.span == span && (!direct_only || isDirect(s.influence))) return true;
    return false;
}

class Spans : public testing::TestWithParam<std::string> {
protected:
    fs::path file() const {
        const fs::path name = GetParam() + ".yaml", shipped = fs::path(PORTA_ROOT) / "mapping/library" / name;
        return fs::exists(shipped) ? shipped : fs::path(PORTA_ROOT) / "config/examples/mappings" / name;
    }
};

/// Replaces what stands outside of each field's sources, and counts the fields that are another then.
struct Outside {
    std::size_t compared = 0, leaves = 0, legal = 0;
    std::vector<std::string> changed;

    Outside(Shipped& shipped, bool direct_only) {
        shipped.records([&](const Input& input, const Explanation& e, const std::string& where) {
            const Fields before = fieldsOf(e.outcome);
            for (const Leaf& leaf : leavesOf(*shipped.program, input)) {
                ++leaves;
                bool any = false;
                const std::string raw = leaf.contentIn(input.bytes);
                for (const std::string& text : shipped.others(leaf, raw, 8)) {
                    Outcome other = shipped.with(input, leaf, text);
                    if (other.state != State::published) continue;  // not legal there
                    any = true;
                    const Fields after = fieldsOf(other);
                    for (const ExplainedField& f : e.fields) {
                        if (covers(f, leaf.span, direct_only)) continue;
                        const std::string name =
                            nameOf(e.outcome, f.operation, e.outcome.operations[f.operation].leaves[f.leaf]);
                        auto found = after.find(name);
                        ++compared;
                        if (found == after.end() || found->second != before.at(name))
                            changed.push_back(where + ": " + name + " changes with " + leaf.path);
                    }
                }
                legal += any;
            }
        });
    }
};

TEST_P(Spans, WhatStandsOutsideLeavesTheFieldAsItIs) {
    Shipped shipped(file());
    Outside outside(shipped, false);
    EXPECT_EQ(outside.changed.size(), 0u) << outside.changed.front();
    RecordProperty("compared", static_cast<int>(outside.compared));
    EXPECT_GT(outside.compared, 50u);
    EXPECT_GT(outside.legal * 2, outside.leaves) << "too few legal changes to say anything";
}

// The negative control: without the INDIRECT sources the property does not hold where conditions decide.
TEST(SpansOf, AMappingWithoutItsConditionsAreNotTrue) {
    for (const char* mapping : {"fhir-r4", "hl7v2-adt"}) {
        Shipped shipped(fs::path(PORTA_ROOT) / "mapping/library" / (std::string(mapping) + ".yaml"));
        EXPECT_GT(Outside(shipped, true).changed.size(), 0u) << mapping;
    }
}

TEST_P(Spans, WhatStandsInsideChangesTheField) {
    Shipped shipped(file());
    std::size_t copied = 0, lossy = 0;
    shipped.records([&](const Input& input, const Explanation& e, const std::string& where) {
        const std::vector<Leaf> leaves = leavesOf(*shipped.program, input);
        const Fields before = fieldsOf(e.outcome);
        for (const ExplainedField& f : e.fields) {
            const schemas::Leaf& field = e.outcome.operations[f.operation].leaves[f.leaf];
            const std::string name = nameOf(e.outcome, f.operation, field);
            const bool copy = field.how == schemas::How::copied;
            for (const Leaf& leaf : leaves) {
                if (leaf.kind == NodeKind::null || !covers(f, leaf.span, true)) continue;
                const std::string raw = leaf.contentIn(input.bytes);
                std::size_t changes = 0, tried = 0;
                for (const std::string& text : shipped.others(leaf, raw, copy ? 6 : 64)) {
                    Outcome changed = shipped.with(input, leaf, text);
                    const Fields after = fieldsOf(changed);
                    auto found = after.find(name);
                    const bool other = found == after.end() || found->second != before.at(name);
                    ++tried;
                    changes += other;
                    if (copy) ASSERT_TRUE(other) << where << ": " << name << " is no copy of " << leaf.path;
                    else if (other) break;
                }
                if (tried == 0) continue;
                (copy ? copied : lossy) += 1;
                ASSERT_GT(changes, 0u) << where << ": " << name << " does not come from " << leaf.path;
            }
        }
    });
    EXPECT_GT(copied + lossy, 5u);
}

INSTANTIATE_TEST_SUITE_P(Library, Spans,
                         testing::Values("contacts", "desk", "fhir-r4", "hl7v2-adt", "lab-reports", "ssda903-episodes",
                                         "ssda903-header", "unemployment-register"),
                         [](const testing::TestParamInfo<std::string>& info) {
                             std::string name = info.param;
                             for (char& c : name) c = c == '-' ? '_' : c;
                             return name;
                         });

/// A new mapping of the library belongs into the list above.
TEST(SpansOf, EveryMappingOfTheLibrary) {
    std::size_t mappings = 0;
    for (const auto& entry : fs::directory_iterator(fs::path(PORTA_ROOT) / "mapping/library"))
        mappings += entry.path().extension() == ".yaml";
    EXPECT_EQ(mappings, 7u);
}

}  // namespace
}  // namespace porta::mapping
