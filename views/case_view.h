#pragma once
/// One person's case view for one purpose: a pure, total-ordered projection of folded records. Every leaf knows its origin.
/// Records of sources outside the purpose are dropped before anything else is looked at.
///
///     CaseView view = assemble("p12", records, purpose, sources, as_of);
///     std::string line = print(toJson(view));
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/canonical_json.h"
#include "schemas/fold.h"
#include "schemas/value_origin.h"

namespace porta::views {

/// What the configuration declares of a source.
struct SourceFacts {
    std::string id, agency_name, domain, config_file;
    std::string coverage_from;        ///< ISO date or empty
    std::int64_t newest_instant = 0;  ///< micros since 1970 UTC of its newest source time, 0: none
    std::int64_t promise_micros = 0;  ///< how old its data may be, 0: no promise
};

struct PurposeView {
    std::string id;
    bool all_sections = true, all_sources = true;
    bool sealed = false;  ///< sealed persons are there for this purpose
    std::set<std::string> sections, sources;
    std::map<std::string, std::set<std::string>> fields;  ///< section → the only fields shown; not named: all
    bool section(const std::string& name) const { return all_sections || sections.count(name) > 0; }
    bool source(const std::string& name) const { return all_sources || sources.count(name) > 0; }
    bool field(const std::string& in, const std::string& name) const {
        auto limit = fields.find(in);
        return limit == fields.end() || limit->second.count(name) > 0;
    }
};

/// A value, list or object of a view.
struct ViewNode {
    enum class Kind { leaf, list, object };
    Kind kind = Kind::leaf;
    Json value;                     ///< leaves
    schemas::ValueOrigin origin;    ///< leaves
    std::vector<std::string> keys;  ///< objects: parallel to items
    std::vector<ViewNode> items;

    ViewNode& member(const std::string& key);
    const ViewNode* find(const std::string& key) const;
    std::string text(const std::string& key) const;  ///< of a leaf member, or ""
};

/// The section that shows records of this entity, or "".
std::string sectionOf(const std::string& entity);

/// A record of any source seals the person, also one that the purpose does not see: protection outweighs completeness.
bool isSealed(const std::vector<schemas::FoldedRecord>& records);

struct CaseView {
    std::string person, purpose;
    bool visible = false;  ///< else the person is not there for this purpose: sealed, or known to other sources only
    ViewNode root;
};

/// Shape:  `records` are all folded records of the person; `person` is how it is named in the answer. Empty `person`:
///         the canonical form, where the smallest live record key names it.
/// Owner:  the view points into the operations behind `records`.
CaseView assemble(const std::string& person, const std::vector<schemas::FoldedRecord>& records,
                  const PurposeView& purpose, const std::vector<SourceFacts>& sources, std::int64_t as_of);
Json toJson(const CaseView& view);
/// Time does not tick inside a view that is kept: it is assembled at `as_of` 0 without newest times, and this says when it is
/// read which sources are silent or outside their coverage (section `nothing`).
void joinTimes(Json& view, const PurposeView& purpose, const std::vector<SourceFacts>& sources, std::int64_t as_of);
/// One record as a view shows it, without policy: its fields with their origins.
ViewNode recordNode(const schemas::FoldedRecord& record);
Json toJson(const ViewNode& node);
/// Every leaf but schema, person and purpose.
std::vector<schemas::TracedValue> traced(const CaseView& view);
/// For a terminal, 80 columns.
std::string toText(const CaseView& view);

}  // namespace porta::views
