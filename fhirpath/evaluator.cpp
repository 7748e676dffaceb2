#include "fhirpath/evaluator.h"

#include <algorithm>

namespace porta::fhirpath {
using formats::Dialect;
using formats::kNoNode;
using formats::NodeKind;

namespace {

bool upper(char c) { return c >= 'A' && c <= 'Z'; }

/// Types that a choice element's name can end in (FHIR R4, datatypes "open type list").
constexpr std::string_view kChoiceTypes[] = {
    "Base64Binary", "Boolean",      "Canonical", "Code",        "Date",       "DateTime",
    "Decimal",      "Id",           "Instant",   "Integer",     "Markdown",   "Oid",
    "PositiveInt",  "String",       "Time",      "UnsignedInt", "Uri",        "Url",
    "Uuid",         "Address",      "Age",       "Annotation",  "Attachment", "CodeableConcept",
    "Coding",       "ContactPoint", "Count",     "Distance",    "Duration",   "HumanName",
    "Identifier",   "Money",        "Period",    "Quantity",    "Range",      "Ratio",
    "Reference",    "SampledData",  "Signature", "Timing",      "Dosage",     "Meta"};

/// The choice type that `name` ends in, or "".
std::string_view choiceType(std::string_view name) {
    std::string_view best;
    for (auto t : kChoiceTypes)
        if (name.size() > t.size() && name.substr(name.size() - t.size()) == t && t.size() > best.size()) best = t;
    return best;
}

}  // namespace

bool Evaluator::raise(const AstNode& at, std::string what) {
    if (!error)
        error = fail(Errc::malformed, "FHIRPath: " + what + " at offset " + std::to_string(at.offset),
                     "fhirpath.evaluate", at.offset);
    return false;
}

void Evaluator::members(NodeId of, const formats::Name& name, Nodes& out) const {
    const std::size_t before = out.size();
    const bool hl7 = tree_.dialect() == Dialect::hl7v2;
    for (NodeId c = tree_[of].first_child; c != kNoNode; c = tree_[c].next_sibling)
        if (tree_.named(c, name) && (hl7 || tree_[c].kind != NodeKind::null)) out.push_back(c);
    if (out.size() != before) return;
    if (tree_.isFirstPart(of, name.text)) out.push_back(of);
    if (tree_.dialect() == Dialect::fhir) choices(of, name.text, out);
}

/// FHIR: choice elements, and what JSON keeps of a primitive in `_name`.
void Evaluator::choices(NodeId of, std::string_view name, Nodes& out) const {
    const std::size_t before = out.size();
    for (NodeId c = tree_[of].first_child; c != kNoNode; c = tree_[c].next_sibling) {
        std::string_view full = tree_[c].name;
        if (full.size() <= name.size()) continue;
        if (upper(full[name.size()]) && full.substr(0, name.size()) == name &&
            choiceType(full).size() == full.size() - name.size())
            out.push_back(c);
        else if (full[0] == '_' && full.substr(1) == name && tree_[c].kind == NodeKind::object)
            out.push_back(c);  // only extensions, no value
    }
    if (out.size() != before || tree_[of].kind == NodeKind::object || tree_[of].parent == kNoNode) return;
    // FHIR JSON keeps a primitive's id and extensions in the sibling `_name`, item by item.
    std::size_t position = 0;
    NodeId parent = tree_[of].parent;
    for (NodeId c = tree_[parent].first_child; c != of && c != kNoNode; c = tree_[c].next_sibling)
        position += tree_[c].name == tree_[of].name;
    for (NodeId c = tree_[parent].first_child; c != kNoNode; c = tree_[c].next_sibling) {
        std::string_view full = tree_[c].name;
        if (full.size() == tree_[of].name.size() + 1 && full[0] == '_' && full.substr(1) == tree_[of].name &&
            position-- == 0) {
            for (NodeId m = tree_[c].first_child; m != kNoNode; m = tree_[m].next_sibling)
                if (tree_[m].name == name) out.push_back(m);
            return;
        }
    }
}

void Evaluator::children(NodeId of, Collection& out) const {
    const bool fhir = tree_.dialect() == Dialect::fhir;
    for (NodeId c = tree_[of].first_child; c != kNoNode; c = tree_[c].next_sibling)
        if (!fhir || (tree_[c].name != "resourceType" && tree_[c].kind != NodeKind::null))
            out.push_back(Value::ofNode(c));
}

bool Evaluator::named(const AstNode& n, NodeId node) const {
    if (!n.type_like || tree_.dialect() == Dialect::hl7v2) return false;
    NodeId type = tree_.child(node, "resourceType");
    return type != kNoNode && (tree_[type].text == n.text || n.text == "Resource" || n.text == "DomainResource");
}

/// Profile::strict: the chain of plain names does not begin with the type of another resource.
bool Evaluator::fits(std::uint32_t id, NodeId start) {
    if (!ast_.strict) return true;
    while (ast_.nodes[id].focus != kNone) id = ast_.nodes[id].focus;
    const AstNode& head = ast_.nodes[id];
    const bool resource = tree_.child(start, "resourceType") != kNoNode;
    if (!head.type_like || !resource || named(head, start) || tree_.child(start, head.name) != kNoNode) return true;
    return raise(head, "the resource is not of that type");
}

/// The next child of that name from `c` on.
formats::NodeId Evaluator::nextNamed(NodeId c, const formats::Name& name) const {
    const bool hl7 = tree_.dialect() == Dialect::hl7v2;
    while (c != kNoNode && !(tree_.named(c, name) && (hl7 || tree_[c].kind != NodeKind::null)))
        c = tree_[c].next_sibling;
    return c;
}

/// Step by step: one node as long as there is only one, which is nearly always; then all nodes of a step at once.
void Evaluator::follow(const Path& path, NodeId start, Collection& out) const {
    NodeId one = start;
    const std::size_t last = path.size() - 1;
    for (std::size_t i = 0; i <= last; ++i) {
        const Step& step = path[i];
        if (step.kind == Step::Kind::self || (step.kind == Step::Kind::at && step.position == 0)) continue;
        if (step.kind == Step::Kind::at) return;
        if (step.kind == Step::Kind::type_or_member && named(ast_.nodes[step.node], start)) continue;
        const NodeId first = nextNamed(tree_[one].first_child, step.name);
        if (first != kNoNode) {
            const bool only = i < last && path[i + 1].kind == Step::Kind::at && path[i + 1].position == 0;
            if (only || nextNamed(tree_[first].next_sibling, step.name) == kNoNode) {
                one = first;
                continue;
            }
        } else if (tree_.isFirstPart(one, step.name.text)) {
            continue;
        } else if (tree_.dialect() != Dialect::fhir) {
            return;
        }
        followAll(path, i, one, out);
        return;
    }
    out.push_back(Value::ofNode(one));
}

void Evaluator::followAll(const Path& path, std::size_t i, NodeId start, Collection& out) const {
    Nodes from;
    from.push_back(start);
    for (; i < path.size() && !from.empty(); ++i) {
        const Step& step = path[i];
        if (step.kind == Step::Kind::at) {
            if (step.position >= from.size()) return;
            from[0] = from[step.position];
            from.shrink(1);
            continue;
        }
        Nodes found;
        for (NodeId node : from) members(node, step.name, found);
        from = std::move(found);
    }
    put(from, out);
}

/// A chain of plain names (Profile::strict, which has no paths).
void Evaluator::purePath(std::uint32_t id, NodeId start, Nodes& out) const {
    const AstNode& n = ast_.nodes[id];
    if (n.focus == kNone) {
        if (named(n, start)) out.push_back(start);
        else members(start, n.name, out);
        return;
    }
    Nodes above;
    purePath(n.focus, start, above);
    for (NodeId node : above) members(node, n.name, out);
}

void Evaluator::put(const Nodes& nodes, Collection& out) {
    for (NodeId node : nodes) out.push_back(Value::ofNode(node));
}

bool Evaluator::variable(const AstNode& n, Collection& out) {
    if (const Collection* found = vars_.find(n.text, n.place)) {
        out.append(found->begin(), found->end());
        return true;
    }
    if (n.text == "context") return out.push_back(Value::ofNode(context_)), true;
    if (n.text == "resource" || n.text == "rootResource") return out.push_back(Value::ofNode(tree_.root())), true;
    std::string fixed;
    if (n.text == "sct") fixed = "http://snomed.info/sct";
    else if (n.text == "loinc") fixed = "http://loinc.org";
    else if (n.text == "ucum") fixed = "http://unitsofmeasure.org";
    else if (n.text.rfind("vs-", 0) == 0) fixed = "http://hl7.org/fhir/ValueSet/" + n.text.substr(3);
    else if (n.text.rfind("ext-", 0) == 0) fixed = "http://hl7.org/fhir/StructureDefinition/" + n.text.substr(4);
    else return raise(n, "unknown variable");
    out.push_back(made(ValueKind::string, fixed));
    return true;
}

/// Of a node that is not a plain text.
Scalar Evaluator::typed(const formats::Node& n, NodeId node) const {
    Scalar s;
    s.text = n.text;
    switch (n.kind) {
        case NodeKind::boolean: s.kind = ValueKind::boolean; break;
        case NodeKind::number:
            s.kind = n.text.find_first_of(".eE") == std::string_view::npos ? ValueKind::integer : ValueKind::decimal;
            break;
        case NodeKind::text:
        case NodeKind::null: s.loose = true; break;
        case NodeKind::object:
            // XML elements may hold text beside children (attributes): then they are leaves.
            s.object = n.text.empty();
            s.loose = !s.object;
            if (s.object && tree_.dialect() == Dialect::fhir) {
                NodeId value = tree_.child(node, "value"), code = tree_.child(node, "code");
                if (code == kNoNode) code = tree_.child(node, "unit");
                if (value != kNoNode && code != kNoNode && tree_[value].kind != NodeKind::object) {
                    s.kind = ValueKind::quantity;
                    s.text = tree_[value].text;
                    s.unit = tree_[code].text;
                }
            }
            break;
    }
    return s;
}

bool Evaluator::isType(const Value& v, std::string_view type) const {
    const bool system = type.substr(0, 7) == "System.";
    const bool of_fhir = type.substr(0, 5) == "FHIR.";
    if (system) type.remove_prefix(7);
    if (of_fhir) type.remove_prefix(5);
    if (!v.isNode()) {
        constexpr std::string_view names[] = {"",     "String",   "Boolean", "Integer", "Decimal",
                                              "Date", "DateTime", "Time",    "Quantity"};
        return !of_fhir && (type == names[static_cast<int>(v.kind)] || type == "Any");
    }
    const formats::Node& n = tree_[v.node];
    if (tree_.dialect() != Dialect::fhir) {
        Scalar s = scalar(v);
        if (s.object) return false;
        return (type == "String" && s.kind == ValueKind::string) ||
               (type == "Boolean" && s.kind == ValueKind::boolean) ||
               (type == "Integer" && s.kind == ValueKind::integer) ||
               (type == "Decimal" && s.kind == ValueKind::decimal);
    }
    if (system) return false;
    NodeId resource = tree_.child(v.node, "resourceType");
    if (resource != kNoNode) return tree_[resource].text == type || type == "Resource" || type == "DomainResource";
    std::string capital(type);
    if (!capital.empty() && capital[0] >= 'a' && capital[0] <= 'z')
        capital[0] = static_cast<char>(capital[0] - 'a' + 'A');
    std::string_view choice = choiceType(n.name);
    if (!choice.empty()) {
        if (choice == "Quantity" || choice == "Age" || choice == "Count" || choice == "Distance" ||
            choice == "Duration")
            return choice == type || type == "Quantity";
        return choice == capital && (capital != type) == (n.kind != NodeKind::object);
    }
    if (n.kind == NodeKind::boolean) return type == "boolean";
    if (n.kind == NodeKind::number)
        return type == "decimal" || (type == "integer" && n.text.find('.') == std::string_view::npos);
    if (n.kind == NodeKind::object) {  // without a model only the shape tells
        if (type == "HumanName") return n.name == "name";
        if (type == "Quantity") return scalar(v).kind == ValueKind::quantity;
        return capital == type && !n.name.empty() &&
               std::find(std::begin(kChoiceTypes), std::end(kChoiceTypes), type) != std::end(kChoiceTypes) &&
               n.name[0] + ('A' - 'a') == type[0] && n.name.substr(1) == type.substr(1);
    }
    if (type == "boolean") return n.text == "true" || n.text == "false";
    if (type == "date" || type == "dateTime") {
        auto t = Temporal::parseDate(n.text);
        return t && t->has_t == (type == "dateTime");
    }
    if (type == "code" || type == "id" || type == "uri" || type == "string" || type == "markdown") {
        if (type == "code")
            return n.name == "code" || n.name == "use" || n.name == "gender" || n.name == "status" ||
                   n.name == "language";
        if (type == "id") return n.name == "id";
        if (type == "uri") return n.name == "system" || n.name == "url";
        return !Temporal::parseDate(n.text);
    }
    return false;
}

bool Evaluator::single(const AstNode& at, const Collection& c) {
    return c.size() <= 1 || raise(at, "one value expected, " + std::to_string(c.size()) + " found");
}

bool Evaluator::boolean(const AstNode& at, const Collection& c, std::optional<bool>& out) {
    out.reset();
    if (!single(at, c)) return false;
    if (c.empty()) return true;
    Scalar s = scalar(c[0]);
    // A text node "false" is a boolean of a format without types (XML, CSV).
    if (s.kind == ValueKind::boolean || (s.loose && tree_.dialect() == Dialect::fhir)) out = s.text != "false";
    else out = true;
    return true;
}

bool Evaluator::argument(const AstNode& n, std::uint32_t i, const Frame& f, Collection& out) {
    return eval(ast_.arg(n, i), f, out);
}

bool Evaluator::integerArgument(const AstNode& n, std::uint32_t i, const Frame& f, std::optional<std::int64_t>& out) {
    out.reset();
    Collection c;
    if (!argument(n, i, f, c) || !single(n, c)) return false;
    if (c.empty()) return true;
    auto d = Decimal::parse(scalar(c[0]).text);
    if (!d || !d->isWhole() || !(out = d->whole())) return raise(n, "an integer argument expected");
    return true;
}

bool Evaluator::textArgument(const AstNode& n, std::uint32_t i, const Frame& f, std::optional<std::string_view>& out,
                             Collection& from) {
    out.reset();
    if (!argument(n, i, f, from) || !single(n, from)) return false;
    if (from.empty()) return true;
    Scalar s = scalar(from[0]);
    if (s.object || (s.kind != ValueKind::string && !from[0].isNode())) return raise(n, "a string argument expected");
    out = s.text;
    return true;
}

/// Adds the spans of the first thousand values to those that `to` has.
void Evaluator::traceAll(Value& to, const Collection& from) {
    const std::size_t values = std::min<std::size_t>(from.size(), 1000);
    std::size_t room = to.spans.size();
    for (std::size_t i = 0; i < values; ++i) room += from[i].isNode() ? 1 : from[i].spans.size();
    if (room == to.spans.size()) return;
    formats::Span* spans = arena_.make<formats::Span>(room);
    std::size_t count = 0;
    for (const formats::Span& s : to.spans) spans[count++] = s;
    auto one = [&](const formats::Span& s) {
        if (std::find(spans, spans + count, s) == spans + count) spans[count++] = s;
    };
    for (std::size_t i = 0; i < values; ++i) {
        if (from[i].isNode()) one(tree_[from[i].node].span);
        else
            for (const formats::Span& s : from[i].spans) one(s);
    }
    to.spans = {spans, count};
}

void Evaluator::give(Collection& out, Value v, const Collection& a) {
    if (tracking_) traceAll(v, a);
    out.push_back(std::move(v));
}

void Evaluator::give(Collection& out, Value v, const Collection& a, const Collection& b) {
    if (tracking_) {
        traceAll(v, a);
        traceAll(v, b);
    }
    out.push_back(std::move(v));
}

bool Evaluator::eval(std::uint32_t id, const Frame& f, Collection& out) {
    const AstNode& n = ast_.nodes[id];
    if (!enter(n)) return false;
    struct Deep {
        int& depth;
        ~Deep() { --depth; }
    } deep{depth_};
    if (n.constant != kNone) {
        const Collection& values = ast_.constants[n.constant].values;
        out.append(values.begin(), values.end());
        return true;
    }
    if (n.path != kNone) {
        if (f.self->isNode()) follow(ast_.paths[n.path], f.self->node, out);
        return true;
    }
    switch (n.op) {
        case Op::literal: out.push_back(n.value); return true;
        case Op::empty: return true;
        case Op::self: out.push_back(*f.self); return true;
        case Op::index: out.push_back(made(ValueKind::integer, std::to_string(f.index))); return true;
        case Op::total:
            if (f.total != nullptr) out.append(f.total->begin(), f.total->end());
            return true;
        case Op::variable: return variable(n, out);
        case Op::member: {
            Nodes found;
            if (n.pure) {
                if (!f.self->isNode()) return true;
                if (!fits(id, f.self->node)) return false;
                purePath(id, f.self->node, found);
            } else {
                Collection focus;
                if (!eval(n.focus, f, focus)) return false;
                for (const Value& v : focus)
                    if (v.isNode()) members(v.node, n.name, found);
            }
            put(found, out);
            return true;
        }
        case Op::at: {
            Collection focus;
            std::optional<std::int64_t> i;
            if (!eval(n.focus, f, focus) || !integerArgument(n, 0, f, i)) return false;
            if (i && *i >= 0 && static_cast<std::size_t>(*i) < focus.size())
                out.push_back(focus[static_cast<std::size_t>(*i)]);
            return true;
        }
        case Op::call: return call(n, f, out);
        case Op::is:
        case Op::as: {
            Collection focus;
            if (!eval(n.focus, f, focus) || !single(n, focus)) return false;
            if (focus.empty()) return true;
            bool yes = isType(focus[0], n.text);
            if (n.op == Op::is) give(out, Value::ofBoolean(yes), focus);
            else if (yes) out.push_back(focus[0]);
            return true;
        }
        case Op::negate:
        case Op::plus: {
            Collection focus;
            if (!eval(n.focus, f, focus) || !single(n, focus)) return false;
            if (focus.empty()) return true;
            Scalar s = scalar(focus[0]);
            auto d = Decimal::parse(s.text, true);
            if (!d || (!s.loose && s.kind != ValueKind::integer && s.kind != ValueKind::decimal &&
                       s.kind != ValueKind::quantity))
                return raise(n, "a number expected");
            Value v = made(s.loose ? ValueKind::decimal : s.kind, n.op == Op::negate ? d->negated().text() : d->text());
            v.unit = s.unit;
            give(out, v, focus);
            return true;
        }
        default: return binary(n, f, out);
    }
}

}  // namespace porta::fhirpath
