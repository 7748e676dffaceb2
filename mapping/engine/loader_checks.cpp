#include <algorithm>
#include <set>

#include "mapping/engine/loader.h"

namespace porta::mapping {

using fhirpath::bit;
using fhirpath::Expression;
using fhirpath::Known;
using fhirpath::Leaf;
using fhirpath::Many;
using fhirpath::Shape;

namespace {

constexpr unsigned kTimes = bit(Leaf::date) | bit(Leaf::instant);

/// HL7 v2 takes the first part of a value; segments and groups of them are none.
bool hasParts(const Shape::Type& type) {
    if (type.leaf != Leaf::group || type.elements.empty()) return false;
    const std::string& first = type.elements.front().name;
    return first == "c1" || first == "s1";
}

/// The kinds of values: made ones, and those of the places.
unsigned kindsOf(const Shape& shape, const Known& known, std::string* name) {
    unsigned kinds = known.computed;
    for (fhirpath::PlaceId place : known.places) {
        while (shape.dialect == formats::Dialect::hl7v2 && place != Shape::kOpen && hasParts(shape.types[place]))
            place = shape.types[place].elements.front().type;
        if (place == Shape::kOpen) {
            kinds |= bit(Leaf::any);
            continue;
        }
        const Shape::Type& type = shape.types[place];
        kinds |= bit(type.leaf);
        if (name->empty()) *name = type.name;
    }
    return kinds;
}

const char* nameOf(Target target) {
    switch (target) {
        case Target::date: return "a date";
        case Target::instant: return "a date or an instant";
        case Target::boolean: return "a boolean";
        case Target::coded: return "a code";
        default: return "a text";
    }
}

std::string kindNames(unsigned kinds) {
    static const char* const kNames[] = {"a group",   "anything", "a text",    "a number",
                                         "a boolean", "a date",   "an instant"};
    std::string all;
    for (unsigned i = 0; i < std::size(kNames); ++i)
        if (kinds & (1u << i)) all += (all.empty() ? "" : " or ") + std::string(kNames[i]);
    return all;
}

/// The kinds of values that can become one of the target.
unsigned allowed(Target target) {
    switch (target) {
        case Target::date:
        case Target::instant: return kTimes | bit(Leaf::text) | bit(Leaf::any);
        case Target::boolean: return bit(Leaf::boolean) | bit(Leaf::text) | bit(Leaf::any);
        default: return ~bit(Leaf::group);
    }
}

/// The name below `here` that is nearest to the field's and holds what fits, or the first that does.
std::string fitting(const Shape& shape, const Known& here, unsigned fit, const std::string& where) {
    std::vector<std::string> names;
    for (fhirpath::PlaceId place : here.places)
        if (place != Shape::kOpen)
            for (const Shape::Element& e : shape.types[place].elements)
                if (e.type != Shape::kOpen && (bit(shape.types[e.type].leaf) & fit & ~bit(Leaf::text)))
                    names.push_back(e.name);
    const std::string near = nearest(where, names);
    return near.empty() && !names.empty() ? names.front() : near;
}

}  // namespace

Error refusal(const std::vector<Finding>& findings) {
    std::string text;
    std::size_t shown = 0;
    for (const Finding& f : findings) {
        if (f.kind != Finding::Kind::error || ++shown > 20) continue;
        text += (text.empty() ? "" : "\n") + f.message();
    }
    if (shown > 20) text += "\n… and " + std::to_string(shown - 20) + " more";
    return fail(Errc::misconfigured, text, "mapping");
}

Finding Loader::finding(const Yaml& at, std::string rule, std::string message, std::string near) const {
    return {Finding::Kind::error, path, at.line, at.column, std::move(rule), std::move(message), std::move(near)};
}

void Loader::stop(const Yaml& at, std::string rule, std::string message, std::string near) const {
    throw Stop{finding(at, std::move(rule), std::move(message), std::move(near))};
}

void Loader::unknown(const Yaml& at, const std::string& rule, const std::string& what, const std::string& found,
                     const std::vector<std::string>& known) const {
    std::string near = nearest(found, known);
    if (near.empty() && !known.empty() && known.size() <= 8)
        for (const std::string& k : known) near += (near.empty() ? "" : ", ") + k;
    stop(at, rule, "unknown " + what + " `" + found + "`", near);
}

Yaml Loader::keyAt(const Yaml& map, std::size_t i) {
    Yaml at;
    at.kind = Yaml::Kind::scalar;
    at.text = map.keys[i];
    at.line = map.items[i].line;
    at.column = map.items[i].column;
    if (i < map.places.size()) std::tie(at.line, at.column) = map.places[i];
    return at;
}

void Loader::keys(const Yaml& map, const std::vector<std::string>& known) {
    if (map.kind != Yaml::Kind::map) stop(map, "shape", "a map expected");
    for (std::size_t i = 0; i < map.keys.size(); ++i)
        if (std::find(known.begin(), known.end(), map.keys[i]) == known.end())
            unknown(keyAt(map, i), "unknown-key", "key", map.keys[i], known);
}

std::string Loader::scalar(const Yaml& at, const std::string& what) {
    if (at.kind == Yaml::Kind::null) stop(at, "missing", what + ": nothing stands there; text expected");
    if (at.kind != Yaml::Kind::scalar) stop(at, "shape", what + ": plain text expected");
    unquoted(at);
    return at.text;
}

std::string Loader::member(const Yaml& map, const std::string& key, std::string otherwise) {
    const Yaml* found = map.find(key);
    if (!found || found->kind == Yaml::Kind::null) return otherwise;
    return scalar(*found, "`" + key + "`");
}

std::string Loader::choice(const Yaml& at, const std::string& what, const std::vector<std::string>& known) {
    if (at.kind != Yaml::Kind::scalar) stop(at, "shape", "`" + what + "`: plain text expected");
    if (std::find(known.begin(), known.end(), at.text) == known.end()) unknown(at, "choice", what, at.text, known);
    return at.text;
}

void Loader::unquoted(const Yaml& at) const {
    static const std::set<std::string> kWords = {"yes", "Yes", "YES", "no",  "No",  "NO",
                                                 "on",  "On",  "ON",  "off", "Off", "OFF"};
    if (at.quoted || !kWords.count(at.text)) return;
    // A key does not know whether it was quoted: its line does.
    const auto line = static_cast<std::size_t>(at.line - 1), column = static_cast<std::size_t>(at.column - 1);
    if (line < lines.size() && column < lines[line].size() &&
        (lines[line][column] == '"' || lines[line][column] == '\''))
        return;
    stop(at, "unquoted",
         "`" + at.text + "` without quotes is a boolean to many readers of YAML; quote it where text is meant",
         "\"" + at.text + "\"");
}

Expression Loader::expression(const Yaml& at) {
    if (at.kind == Yaml::Kind::null) stop(at, "missing", "nothing stands there; an expression expected");
    if (at.kind != Yaml::Kind::scalar) stop(at, "shape", "an expression expected");
    unquoted(at);
    // A place inside the expression, where it stands as it is on one line.
    auto inside = [&](std::uint32_t offset) {
        Yaml place = at;
        const auto line = static_cast<std::size_t>(at.line - 1);
        if (line < lines.size()) {
            const std::size_t from = static_cast<std::size_t>(at.column - 1) + (at.quoted ? 1 : 0);
            if (from < lines[line].size() && lines[line].compare(from, at.text.size(), at.text) == 0)
                place.column = static_cast<int>(from + 1 + offset);
        }
        return place;
    };
    fhirpath::Options options;
    options.profile = fhirpath::Profile::mapping;
    options.variables = out.variables;
    options.terminology = out.terms;
    auto made = Expression::compile(at.text, options);
    if (!made) {
        const auto offset = static_cast<std::uint32_t>(made.error().offset);
        const std::string what =
            "in the expression at character " + std::to_string(offset + 1) + ": " + made.error().message;
        const bool clock = made.error().message.find("clock") != std::string::npos;
        stop(inside(offset), clock ? "clock" : "expression", what, clock ? "%objectTime" : "");
    }
    for (std::string name : made->variables()) {
        if (!name.empty() && name[0] == '%') name.erase(0, 1);
        if (std::find(names.begin(), names.end(), name) != names.end()) continue;
        std::vector<std::string> known;
        for (const std::string& n : names) known.push_back("%" + n);
        const std::size_t offset = at.text.find("%" + name);
        unknown(inside(static_cast<std::uint32_t>(offset == std::string::npos ? 0 : offset)), "variable", "variable",
                "%" + name, known);
    }
    for (const fhirpath::UnknownTable& t : made->unknownTables())
        unknown(inside(t.offset), "terms", std::string(fhirpath::nameOf(t.kind)), t.url, out.terms->urls(t.kind));
    fhirpath::Analysis analysis = made->analyse(*shape, here, variables);
    for (const fhirpath::PathProblem& p : analysis.problems) {
        const Yaml place = inside(p.offset);
        if (!p.unproved)
            stop(place, "path", "the model of the input has no `" + p.name + "` in `" + p.path + "`", p.nearest);
        Finding f = finding(place, "path", "the input is open at `" + p.path + "`");
        f.kind = Finding::Kind::unproved;
        const bool told = std::any_of(findings.begin(), findings.end(), [&](const Finding& g) {
            return g.kind == f.kind && g.line == f.line && g.column == f.column && g.text == f.text;
        });
        if (!told) findings.push_back(std::move(f));
    }
    given = std::move(analysis.result);
    return *made;
}

std::optional<Expression> Loader::optional(const Yaml& map, std::string_view key) {
    const Yaml* y = map.find(key);
    if (!y) return std::nullopt;
    return expression(*y);
}

Expression Loader::single(const Yaml& at, const std::string& what) {
    Expression e = expression(at);
    if (given.many == Many::many)
        stop(at, "many", what + " takes one value, and `" + given.path + "` repeats; choose one",
             given.path + ".first()");
    return e;
}

Loader::Inside::Inside(Loader& l, bool moves) : loader(l), before(l.here) {
    if (!moves) return;
    l.here = l.given;
    l.here.many = Many::one;
    l.here.path.clear();
}

void Loader::fits(const Yaml& at, const ValueRule& rule, const std::string& entity, const std::string& where,
                  bool list) {
    if (given.broken) return;
    if (!list && given.many == Many::many && !rule.many_first && !rule.many_said)
        stop(at, "many",
             "`" + given.path + "` repeats, and `" + where + "` is a single value; take one, or say `onMany: first`",
             given.path + ".first()");
    std::string type;
    const unsigned kinds = kindsOf(*shape, given, &type);
    const unsigned fit = rule.table ? ~bit(Leaf::group) : allowed(rule.type);
    if (kinds != 0 && (kinds & fit) == 0)
        stop(at, "type",
             "`" + where + "` is " + nameOf(rule.type) + ", and the expression gives " + kindNames(kinds) +
                 (type.empty() ? "" : " (" + type + ")"),
             fitting(*shape, here, fit, where));
    if (rule.table) return;
    const bool only_literals = given.places.empty() && kinds == bit(Leaf::text) && !given.literals.empty();
    if (only_literals && (rule.type == Target::date || rule.type == Target::instant))
        for (const std::string& l : given.literals)
            if (!parseIso(l))
                stop(at, "type", "`" + where + "` is " + nameOf(rule.type) + ", and the constant is none");
    const std::vector<std::string> codes = valueSet(entity, where);
    if (codes.empty()) return;
    for (const std::string& l : given.literals)
        if (std::find(codes.begin(), codes.end(), l) == codes.end())
            unknown(at, "value-set", "value of `" + where + "`:", l, codes);
    bool proved = given.computed == 0 || !given.literals.empty();
    for (fhirpath::PlaceId place : given.places) {
        const bool listed = place != Shape::kOpen && !shape->types[place].codes.empty();
        proved = proved && listed;
        if (!listed) continue;
        for (const std::string& code : shape->types[place].codes)
            if (std::find(codes.begin(), codes.end(), code) == codes.end())
                unknown(at, "value-set", "value of `" + where + "`:", code, codes);
    }
    if (proved) return;
    Finding f = finding(at, "value-set", "nothing holds `" + where + "` to its values; `translate` does");
    f.kind = Finding::Kind::unproved;
    findings.push_back(std::move(f));
}

}  // namespace porta::mapping
