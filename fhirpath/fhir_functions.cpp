// What FHIR, C-CDA and SQL on FHIR add to FHIRPath (FHIR R4 and R5, chapter "FHIRPath", "Additional functions").
#include <algorithm>

#include "fhirpath/narrative.h"
#include "fhirpath/quantity.h"

namespace porta::fhirpath {
using formats::kNoNode;
using formats::NodeId;

namespace {

constexpr std::string_view kDefinitions = "http://hl7.org/fhir/StructureDefinition/";

/// Document templates of C-CDA R2.1 (HL7 CDA R2 IG: Consolidated CDA Templates, volume 2, chapter 1), by the name of the profile.
constexpr std::pair<std::string_view, std::string_view> kTemplates[] = {
    {"USRealmHeader", "2.16.840.1.113883.10.20.22.1.1"},
    {"ContinuityofCareDocumentCCD", "2.16.840.1.113883.10.20.22.1.2"},
    {"HistoryandPhysical", "2.16.840.1.113883.10.20.22.1.3"},
    {"ConsultationNote", "2.16.840.1.113883.10.20.22.1.4"},
    {"DiagnosticImagingReport", "2.16.840.1.113883.10.20.22.1.5"},
    {"ProcedureNote", "2.16.840.1.113883.10.20.22.1.6"},
    {"OperativeNote", "2.16.840.1.113883.10.20.22.1.7"},
    {"DischargeSummary", "2.16.840.1.113883.10.20.22.1.8"},
    {"ProgressNote", "2.16.840.1.113883.10.20.22.1.9"},
    {"UnstructuredDocument", "2.16.840.1.113883.10.20.22.1.10"},
    {"TransferSummary", "2.16.840.1.113883.10.20.22.1.13"},
    {"ReferralNote", "2.16.840.1.113883.10.20.22.1.14"},
    {"CarePlan", "2.16.840.1.113883.10.20.22.1.15"},
    {"USRealmHeaderforPatientGeneratedDocument", "2.16.840.1.113883.10.20.29.1"},
};
constexpr std::string_view kTemplateProfiles = "http://hl7.org/cda/us/ccda/StructureDefinition/";

/// `Patient/7` of `https://example.org/fhir/Patient/7/_history/1`.
std::string_view relative(std::string_view reference) {
    reference = reference.substr(0, reference.find("/_history/"));
    const std::size_t id = reference.rfind('/');
    const std::size_t type = id == std::string_view::npos || id == 0 ? id : reference.rfind('/', id - 1);
    if (id == std::string_view::npos) return {};
    return type == std::string_view::npos ? reference : reference.substr(type + 1);
}

}  // namespace

/// The resource that a reference leads to inside the tree: contained, or an entry of the bundle around it.
NodeId Evaluator::resolved(const Value& from) const {
    if (!from.isNode() && from.kind != ValueKind::string) return kNoNode;
    std::string_view target = from.str(tree_);
    NodeId around = from.isNode() ? from.node : context_;
    if (from.isNode() && tree_[from.node].kind == formats::NodeKind::object) {
        const NodeId text = tree_.child(from.node, "reference");
        if (text == kNoNode) return kNoNode;
        target = tree_[text].text;
    }
    auto text = [&](NodeId of, std::string_view name) {
        const NodeId child = tree_.child(of, name);
        return child == kNoNode ? std::string_view() : tree_[child].text;
    };
    std::string_view base;
    for (NodeId node = resourceOf(around);; node = resourceOf(tree_[node].parent)) {
        if (target == "#" && tree_[node].name != "contained") return node;
        for (NodeId c = tree_[node].first_child; c != kNoNode && target.starts_with('#'); c = tree_[c].next_sibling)
            if (tree_[c].name == "contained" && text(c, "id") == target.substr(1)) return c;
        const NodeId entry = tree_[node].parent;
        if (entry != kNoNode && base.empty()) base = text(entry, "fullUrl");
        for (NodeId c = tree_[node].first_child; c != kNoNode && !target.starts_with('#'); c = tree_[c].next_sibling) {
            if (tree_[c].name != "entry") continue;
            const NodeId resource = tree_.child(c, "resource");
            const std::string_view url = text(c, "fullUrl");
            if (resource == kNoNode) continue;
            if (!url.empty() && url == target.substr(0, target.find("/_history/"))) return resource;
            // A relative reference: below the same base, or, in an entry without one, by type and id.
            const std::string_view wanted = relative(target);
            if (wanted.empty() || target.find(':') != std::string_view::npos) continue;
            const std::string own =
                std::string(text(resource, "resourceType")) + "/" + std::string(text(resource, "id"));
            if (own == wanted && (url.empty() || base.empty() || url.ends_with(wanted))) return resource;
        }
        if (tree_[node].parent == kNoNode) return kNoNode;
    }
}

/// pathname(): `Patient.name[0].given[1]`; short: an index only where the element may repeat.
bool Evaluator::pathnames(const AstNode& n, const Frame& f, const Collection& focus, Collection& out) {
    Collection given;
    std::optional<bool> brief = false;
    if (n.count > 0 && (!argument(n, 0, f, given) || !boolean(n, given, brief))) return false;
    for (const Value& v : focus) {
        if (!v.isNode()) continue;
        std::string path;
        for (NodeId node = v.node; tree_[node].parent != kNoNode; node = tree_[node].parent) {
            const NodeId parent = tree_[node].parent;
            std::string_view name = tree_[node].name;
            std::size_t index = 0, count = 0;
            for (NodeId c = tree_[parent].first_child; c != kNoNode; c = tree_[c].next_sibling) {
                if (tree_[c].name != name) continue;
                if (c == node) index = count;
                ++count;
            }
            bool repeats = count > 1;
            if (const Model::Type* type = modelType(parent))
                if (const Model::Element* e = ast_.model->element(*type, name)) {
                    name = e->name;
                    repeats = e->list;
                }
            std::string step(name);
            if (brief != true || repeats) step += "[" + std::to_string(index) + "]";
            path = path.empty() ? step : step + "." + path;
        }
        const NodeId type = tree_.child(tree_.root(), "resourceType");
        if (type != kNoNode) path = std::string(tree_[type].text) + (path.empty() ? "" : "." + path);
        give(out, made(ValueKind::string, path), {v});
    }
    return true;
}

bool Evaluator::fhirFunction(const AstNode& n, const Frame& f, Collection& focus, Collection& out) {
    Collection from;
    std::optional<std::string_view> url;
    auto answer = [&](bool yes) {
        give(out, Value::ofBoolean(yes), focus, from);
        return true;
    };
    auto text = [&](NodeId of, std::string_view name) {
        const NodeId child = tree_.child(of, name);
        return child == kNoNode ? std::string_view() : tree_[child].text;
    };
    switch (n.fn) {
        case Fn::extension: {
            if (!textArgument(n, 0, f, url, from) || !url) return !error;
            Nodes found;
            for (const Value& v : focus)
                if (v.isNode()) members(v.node, "extension", found);
            for (NodeId node : found)
                if (text(node, "url") == *url) out.push_back(Value::ofNode(node));
            return true;
        }
        case Fn::has_value: {
            if (focus.size() != 1) return answer(false);
            const bool null = focus[0].isNode() && tree_[focus[0].node].kind == formats::NodeKind::null;
            return answer(!scalar(focus[0]).object && !null);
        }
        case Fn::get_value:
            if (focus.size() == 1 && !scalar(focus[0]).object) out.push_back(focus[0]);
            return true;
        case Fn::conforms_to: {
            if (!textArgument(n, 0, f, url, from) || !url || !single(n, focus)) return !error;
            const std::string_view name =
                url->starts_with(kDefinitions) ? url->substr(kDefinitions.size()) : std::string_view();
            if (ast_.model->find(name) == nullptr) return raise(n, "an unknown profile");
            if (focus.empty() || !focus[0].isNode()) return true;
            return answer(isType(focus[0], name));
        }
        case Fn::comparable: {
            if (!argument(n, 0, f, from) || !single(n, focus) || !single(n, from)) return false;
            if (focus.empty() || from.empty()) return true;
            Scalar a = exact(focus[0]), b = exact(from[0]);
            for (Scalar* s : {&a, &b}) {
                if (isNumber(*s)) s->unit = "'1'";
                else if (s->kind != ValueKind::quantity) return true;
            }
            return answer(commensurable(a, b).has_value());
        }
        case Fn::pathname: return pathnames(n, f, focus, out);
        case Fn::resolve:
            for (const Value& v : focus)
                if (const NodeId found = resolved(v); found != kNoNode) out.push_back(Value::ofNode(found));
            return true;
        case Fn::check_modifiers: {
            Collection known;
            for (std::uint32_t i = 0; i < n.count; ++i)
                if (!argument(n, i, f, known)) return false;
            for (const Value& v : focus) {
                Nodes found;
                if (v.isNode()) members(v.node, "modifierExtension", found);
                for (NodeId node : found)
                    if (!std::any_of(known.begin(), known.end(),
                                     [&](const Value& k) { return k.str(tree_) == text(node, "url"); }))
                        return raise(n, "a modifier extension that the expression does not expect");
            }
            out.append(focus.begin(), focus.end());
            return true;
        }
        case Fn::html_checks:
            if (!single(n, focus)) return false;
            return focus.empty() || answer(narrativeHolds(focus[0].str(tree_)));
        case Fn::has_template_id: {
            if (!textArgument(n, 0, f, url, from) || !url || !single(n, focus)) return !error;
            const std::string_view name =
                url->starts_with(kTemplateProfiles) ? url->substr(kTemplateProfiles.size()) : std::string_view();
            auto known = std::find_if(std::begin(kTemplates), std::end(kTemplates),
                                      [&](const auto& t) { return t.first == name; });
            if (known == std::end(kTemplates)) return raise(n, "an unknown template");
            if (focus.empty() || !focus[0].isNode()) return answer(false);
            for (NodeId c = tree_[focus[0].node].first_child; c != kNoNode; c = tree_[c].next_sibling)
                if (tree_[c].name == "templateId" && text(c, "root") == known->second) return answer(true);
            return answer(false);
        }
        case Fn::resource_key: {
            if (!single(n, focus)) return false;
            const NodeId id = focus.empty() || !focus[0].isNode() ? kNoNode : tree_.child(focus[0].node, "id");
            if (id != kNoNode) out.push_back(Value::ofNode(id));
            return true;
        }
        case Fn::reference_key:
            for (const Value& v : focus) {
                const std::string_view target = v.isNode() ? text(v.node, "reference") : std::string_view();
                const std::string_view key = target.find(':') == std::string_view::npos || target.starts_with("http")
                                                 ? relative(target)
                                                 : std::string_view();
                const std::size_t slash = key.find('/');
                std::string_view type = n.text;
                if (type.starts_with("FHIR.")) type.remove_prefix(5);
                if (slash == std::string_view::npos || (n.typed && key.substr(0, slash) != type)) continue;
                give(out, made(ValueKind::string, key.substr(slash + 1)), {v});
            }
            return true;
        case Fn::slice:
        case Fn::element_definition: return raise(n, "no profile with its definitions is loaded");
        default: return termFunction(n, f, focus, out);
    }
}

}  // namespace porta::fhirpath
