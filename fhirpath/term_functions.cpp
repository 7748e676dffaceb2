// Functions that ask tables of a terminology: memberOf(), subsumes(), subsumedBy(), and those of %terminologies (FHIR R5, chapter
// "FHIRPath", "Additional functions" and "Terminology Service API"). What no table decides is an error, never "no".
#include <algorithm>

#include "base/date_time.h"
#include "base/yaml.h"
#include "fhirpath/encoding.h"
#include "fhirpath/evaluator.h"
#include "fhirpath/parameters.h"

namespace porta::fhirpath {
using formats::kNoNode;
using formats::NodeId;

using Answer = Terminology::Answer;
using Kind = Terminology::Kind;

namespace {

constexpr std::size_t kNamed = 8;  ///< tables in a message
constexpr const char* kCoded = "a code, Coding or CodeableConcept expected";

}  // namespace

std::string_view nameOf(Kind kind) {
    switch (kind) {
        case Kind::value_set: return "value set";
        case Kind::code_system: return "code system";
        case Kind::code_map: return "code map";
    }
    return {};
}

bool asksService(const Ast& ast, const AstNode& call) {
    if (call.focus == kNone) return false;
    const AstNode& focus = ast.nodes[call.focus];
    return focus.op == Op::variable && focus.text == "terminologies";
}

std::optional<Kind> tableKind(const Ast& ast, const AstNode& call) {
    if (call.op != Op::call) return std::nullopt;
    switch (call.fn) {
        case Fn::member_of:
        case Fn::validate_vs:
        case Fn::expand: return Kind::value_set;
        case Fn::translate: return Kind::code_map;
        case Fn::validate_cs: return Kind::code_system;
        case Fn::subsumes: return asksService(ast, call) ? std::optional(Kind::code_system) : std::nullopt;
        default: return std::nullopt;
    }
}

std::vector<UnknownTable> Expression::unknownTables() const {
    std::vector<UnknownTable> out;
    for (const AstNode& n : impl_->ast.nodes) {
        const auto kind = tableKind(impl_->ast, n);
        if (!kind || n.table != Terminology::kNone) continue;
        const AstNode& url = impl_->ast.nodes[impl_->ast.arg(n, 0)];
        if (url.op == Op::literal) out.push_back({url.offset, *kind, std::string(url.value.text)});
    }
    return out;
}

/// The values of a member of what %terminologies answers.
void Evaluator::partsNamed(std::string_view name, const Value& v, Collection& out) {
    SmallVector<std::string_view, 8> found;
    findMembers(v.text, name, found);
    for (std::string_view json : found) {
        Value value = Value::ofText(ValueKind::integer, json);
        if (json[0] == '{') value.kind = ValueKind::parts;
        if (json == "true" || json == "false") value.kind = ValueKind::boolean;
        if (json[0] == '"') {
            value = Value::ofString(json.substr(1, json.size() - 2));
            if (json.find('\\') != std::string_view::npos)
                value = made(ValueKind::string, unescaped(json.substr(1, json.size() - 2), false));
        }
        give(out, value, {v});
    }
}

/// Adds the codings of a code, Coding or CodeableConcept; none of an empty text.
bool Evaluator::codings(const AstNode& n, const Value& v, Codings& out) {
    auto each = [&](std::string_view name, Collection& to) {
        if (!v.isNode()) return partsNamed(name, v, to);
        for (NodeId c = tree_[v.node].first_child; c != kNoNode; c = tree_[c].next_sibling)
            if (tree_[c].name == name) to.push_back(Value::ofNode(c));
    };
    const Scalar s = scalar(v);
    if (!s.object) {
        if (s.kind != ValueKind::string && s.kind != ValueKind::integer) return raise(n, kCoded);
        if (!s.text.empty()) out.push_back({{}, s.text, {}});
        return true;
    }
    Collection inside;
    // HL7 v2 (CWE) and EDIFACT: the first component is the code.
    const bool parts = tree_.dialect() == formats::Dialect::hl7v2 || tree_.dialect() == formats::Dialect::edifact;
    if (parts && v.isNode()) {
        for (const char* first : {"c1", "s1"}) each(first, inside);
        return inside.empty() || codings(n, inside[0], out);
    }
    each("coding", inside);
    for (const Value& c : inside)
        if (!codings(n, c, out)) return false;
    if (!inside.empty()) return true;
    Coding one;
    bool known = false;
    for (auto [name, to] : {std::pair{"system", &one.system}, {"code", &one.code}, {"display", &one.display}}) {
        Collection part;
        each(name, part);
        if (part.empty()) continue;
        if (scalar(part[0]).object) return raise(n, kCoded);
        known = known || name != std::string_view("system");  // an identifier has one, too
        *to = part[0].str(tree_);
    }
    each("text", inside);
    if (!known && inside.empty()) return raise(n, kCoded);
    if (!one.code.empty()) out.push_back(one);
    return true;
}

/// The table of the first argument; none where the argument is empty.
bool Evaluator::tableArgument(const AstNode& n, const Frame& f, Table& out, Collection& from) {
    if (n.table != Terminology::kNone) return out = n.table, true;
    const Kind kind = *tableKind(ast_, n);
    std::optional<std::string_view> url;
    if (!textArgument(n, 0, f, url, from) || !url) return !error;
    const Terminology::Id found = ast_.options.terminology->find(kind, *url);
    const AstNode& named = ast_.nodes[ast_.arg(n, 0)];
    // A URL of the record is not shown: a variable may be the caller's.
    const bool environment = named.op == Op::variable && named.text.starts_with("vs-") && !defined(named.text) &&
                             !vars_.find(named.text, named.place);
    const bool quoted = named.op == Op::literal || environment;
    if (found == Terminology::kNone) return noTable(n, kind, *url, quoted);
    return out = found, true;
}

bool Evaluator::noTable(const AstNode& n, Kind kind, std::string_view url, bool quoted) {
    const std::vector<std::string> known = ast_.options.terminology->urls(kind);
    std::string text = "there is no " + std::string(nameOf(kind)) + " ";
    text += quoted ? "`" + std::string(url) + "`" : "of the name that is asked for";
    const std::string near = quoted ? nearest(url, known) : std::string();
    if (!near.empty()) return raise(n, text + "; did you mean `" + near + "`?");
    for (std::size_t i = 0; i < known.size() && i < kNamed; ++i) text += (i ? ", `" : "; there are `") + known[i] + "`";
    if (known.size() > kNamed) text += " and " + std::to_string(known.size() - kNamed) + " more";
    return raise(n, known.empty() ? text + ", and no other" : text);
}

/// An argument that is one code, Coding or CodeableConcept.
bool Evaluator::codedArgument(const AstNode& n, std::uint32_t i, const Frame& f, Codings& out, Collection& from) {
    return argument(n, i, f, from) && single(n, from) && (from.empty() || codings(n, from[0], out));
}

/// The first that is of the code system, or may be.
const Coding* Evaluator::codingOf(const Codings& codings, Terminology::Id system) const {
    for (const Coding& c : codings)
        if (c.system.empty() || ast_.options.terminology->find(Kind::code_system, c.system) == system) return &c;
    return nullptr;
}

/// Whether a value set or a code system has any of the codings, and which. Codings of other systems are not of a system.
bool Evaluator::anyHeld(const AstNode& n, Kind kind, Terminology::Id table, const Codings& codings, bool& out,
                        Coding& found) {
    const Terminology& tables = *ast_.options.terminology;
    const bool set = kind == Kind::value_set;
    bool undecided = false;
    out = false;
    for (const Coding& c : codings) {
        if (set && c.system.empty() && tables.mixed(table))
            return raise(n, "the value set has codes of several systems, and a code without one is in none of them");
        if (!set && !c.system.empty() && tables.find(kind, c.system) != table) continue;
        const Answer answer = set ? tables.member(table, c, found.display) : tables.holds(table, c.code, found.display);
        undecided = undecided || answer == Answer::unknown;
        if (answer != Answer::yes) continue;
        found.code = c.code;
        return out = true;
    }
    return !undecided || raise(n, "the " + std::string(nameOf(kind)) + " `" + std::string(tables.url(kind, table)) +
                                      (set ? "` has all codes of a system that is not listed here down to this one"
                                           : "` is not listed here down to this code"));
}

/// Says how long the code is, never which.
bool Evaluator::noCode(const AstNode& n, Terminology::Id system, std::string_view code) {
    return raise(n, "a code of " + std::to_string(code.size()) + " bytes is none of the code system `" +
                        std::string(ast_.options.terminology->url(Kind::code_system, system)) + "`");
}

bool Evaluator::memberOf(const AstNode& n, const Frame& f, const Collection& focus, Collection& out) {
    Table set;
    Collection from;
    Codings codes;
    if (!tableArgument(n, f, set, from) || !single(n, focus)) return false;
    if (!set || focus.empty()) return true;
    if (!codings(n, focus[0], codes)) return false;
    if (codes.empty() && !scalar(focus[0]).object) return true;
    bool yes = false;
    Coding found;
    if (!anyHeld(n, Kind::value_set, *set, codes, yes, found)) return false;
    give(out, Value::ofBoolean(yes), focus, from);
    return true;
}

/// How two codes of a system stand: FHIR's concept-subsumption-outcome.
bool Evaluator::compared(const AstNode& n, Terminology::Id system, std::string_view a, std::string_view b,
                         std::string_view& out) {
    const Terminology& tables = *ast_.options.terminology;
    const std::string_view name = tables.url(Kind::code_system, system);
    std::string_view display;
    for (std::string_view code : {a, b})
        if (tables.holds(system, code, display) == Answer::no) return noCode(n, system, code);
    const Answer over = a == b ? Answer::yes : tables.above(system, a, b), under = tables.above(system, b, a);
    if (over == Answer::unknown || (over == Answer::no && under == Answer::unknown))
        return raise(n, "no table here says what stands above what in the code system `" + std::string(name) + "`");
    out = a == b                 ? "equivalent"
          : over == Answer::yes  ? "subsumes"
          : under == Answer::yes ? "subsumed-by"
                                 : "not-subsumed";
    return true;
}

/// Whether any of the one subsumes any of the other.
bool Evaluator::above(const AstNode& n, const Codings& upper, const Codings& lower, bool& out) {
    const Terminology& tables = *ast_.options.terminology;
    bool met = false;
    out = false;
    for (const Coding& a : upper)
        for (const Coding& b : lower) {
            if (a.system.empty() || b.system.empty()) return raise(n, "a Coding with its system expected");
            const Terminology::Id system = tables.find(Kind::code_system, a.system);
            const bool same = a.system == b.system ||
                              (system != Terminology::kNone && tables.find(Kind::code_system, b.system) == system);
            if (!same) continue;
            met = true;
            if (a.code == b.code) return out = true;
            if (system == Terminology::kNone) return noTable(n, Kind::code_system, a.system, false);
            std::string_view how;
            if (!compared(n, system, a.code, b.code, how)) return false;
            if (how == "subsumes") return out = true;
        }
    return met || raise(n, "codes of different code systems");
}

bool Evaluator::subsumption(const AstNode& n, const Frame& f, const Collection& focus, Collection& out) {
    Collection from;
    Codings codes, others;
    if (!codedArgument(n, 0, f, others, from) || !single(n, focus)) return false;
    if (focus.empty() || from.empty()) return true;
    if (!codings(n, focus[0], codes)) return false;
    if (codes.empty() || others.empty()) return true;
    bool yes = false;
    if (!(n.fn == Fn::subsumes ? above(n, codes, others, yes) : above(n, others, codes, yes))) return false;
    give(out, Value::ofBoolean(yes), focus, from);
    return true;
}

bool Evaluator::expanded(const AstNode& n, Terminology::Id set, std::string& out) {
    const Terminology& tables = *ast_.options.terminology;
    const std::string url(tables.url(Kind::value_set, set));
    std::vector<Coding> all;
    if (!tables.expand(set, all)) return raise(n, "not all codes of the value set `" + url + "` are listed here");
    out = R"({"resourceType":"ValueSet")";
    writeMember(out, "url", url);
    out += R"(,"status":"active","expansion":{"total":)" + std::to_string(all.size()) + R"(,"contains":[)";
    for (const Coding& c : all) {
        if (out.back() == '}') out += ',';
        writeCoding(out, c);
    }
    out += "]}}";
    return true;
}

bool Evaluator::lookedUp(const AstNode& n, const Codings& codings, std::string& out) {
    const Terminology& tables = *ast_.options.terminology;
    if (codings.size() != 1 || codings[0].system.empty()) return raise(n, "one Coding with its system expected");
    const Terminology::Id system = tables.find(Kind::code_system, codings[0].system);
    if (system == Terminology::kNone) return noTable(n, Kind::code_system, codings[0].system, false);
    bool yes = false;
    Coding found;
    if (!anyHeld(n, Kind::code_system, system, codings, yes, found)) return false;
    const std::string name(tables.url(Kind::code_system, system));
    if (!yes) return noCode(n, system, codings[0].code);
    Parameters answer(out);
    answer.text("name", "valueString", name);
    answer.text("display", "valueString", found.display);
    for (const std::string& parent : tables.parents(system, found.code)) {
        answer.parts("property");
        answer.text("code", "valueCode", "parent");
        answer.text("value", "valueCode", parent);
        answer.end();
    }
    answer.end();
    return true;
}

bool Evaluator::translated(const AstNode& n, Terminology::Id map, const Codings& codings, std::string_view day,
                           std::string& out) {
    static thread_local std::vector<Terminology::Match> matches;
    matches.clear();
    for (const Coding& c : codings)
        if (!ast_.options.terminology->translate(map, c, day, matches))
            return raise(n, "the code map has several rows for the code, and none of them is the best");
    const bool r4 = ast_.options.release == Release::r4;
    Parameters answer(out);
    answer.result(std::any_of(matches.begin(), matches.end(),
                              [](const Terminology::Match& m) { return m.equivalence != "unmatched"; }));
    for (const Terminology::Match& m : matches) {
        answer.parts("match");
        answer.text(r4 ? "equivalence" : "relationship", "valueCode",
                    equivalenceWord(m.equivalence, ast_.options.release));
        answer.coded("concept", m.target);
        answer.text(r4 ? "source" : "originMap", "valueUri", ast_.options.terminology->url(Kind::code_map, map));
        answer.end();
    }
    answer.end();
    return true;
}

/// %terminologies: what the service answers, with the spans of what it was asked.
bool Evaluator::service(const AstNode& n, const Frame& f, Collection& out) {
    static thread_local std::string text;  // so that a record asks the system for no memory
    Table table;
    Collection from, asked, options;
    Codings codes, others;
    std::optional<std::string_view> parameters;
    const std::uint32_t first = n.fn == Fn::lookup ? 0 : 1;
    if (first == 1 && !tableArgument(n, f, table, from)) return false;
    if (first == 1 && !table) return true;
    std::uint32_t next = first;
    if (n.fn != Fn::expand && !codedArgument(n, next++, f, codes, asked)) return false;
    if (n.fn == Fn::subsumes && !codedArgument(n, next++, f, others, options)) return false;
    asked.append(options.begin(), options.end());
    options.clear();
    if (next < n.count && !textArgument(n, next, f, parameters, options)) return false;
    std::string_view day = parameters.value_or("");
    if (n.fn == Fn::translate && day.starts_with("date=")) {
        day.remove_prefix(5);
        if (!parseIso(day)) return raise(n, "`date=` of translate() takes a date of ISO 8601");
    } else if (!day.empty()) return raise(n, "no parameter is answered here but `date=` of translate()");
    if (n.fn != Fn::expand && codes.empty()) return true;
    if (n.fn == Fn::subsumes) {
        if (others.empty()) return true;
        std::string_view how;
        const Coding *a = codingOf(codes, *table), *b = codingOf(others, *table);
        if (a == nullptr || b == nullptr) return raise(n, "a code of another code system");
        if (!compared(n, *table, a->code, b->code, how)) return false;
        give(out, Value::ofString(how), asked, from);
        return true;
    }
    bool yes = false;
    Coding found;
    switch (n.fn) {
        case Fn::expand:
            if (!expanded(n, *table, text)) return false;
            break;
        case Fn::lookup:
            if (!lookedUp(n, codes, text)) return false;
            break;
        case Fn::translate:
            if (!translated(n, *table, codes, day, text)) return false;
            break;
        default: {
            if (!anyHeld(n, *tableKind(ast_, n), *table, codes, yes, found)) return false;
            Parameters answer(text);
            answer.result(yes);
            if (yes) answer.text("display", "valueString", found.display);
            answer.end();
        }
    }
    give(out, made(ValueKind::parts, text), asked, from);
    return true;
}

bool Evaluator::termFunction(const AstNode& n, const Frame& f, const Collection& focus, Collection& out) {
    if (!ast_.options.terminology)
        return raise(n, "no table of a terminology answers this; ask a terminology server beforehand");
    if (n.fn == Fn::member_of) return memberOf(n, f, focus, out);
    return asksService(ast_, n) ? service(n, f, out) : subsumption(n, f, focus, out);
}

}  // namespace porta::fhirpath
