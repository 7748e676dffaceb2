#include "mapping/engine/compare.h"

#include <algorithm>
#include <map>
#include <set>

#include "mapping/engine/compiled.h"

namespace porta::mapping {

namespace {

using Aspects = std::vector<std::pair<std::string, std::string>>;

/// What a mapping says of one field.
struct Meaning {
    std::string emit, path, rule;
    Aspects says;
};

const char* typeName(Target t) {
    switch (t) {
        case Target::date: return "date";
        case Target::instant: return "instant";
        case Target::boolean: return "boolean";
        case Target::coded: return "code";
        default: return "text";
    }
}

std::string rowText(const Row& r) {
    std::string text = r.code;
    for (const std::string& part : {r.system, r.display, r.equivalence})
        if (!part.empty()) text += " | " + part;
    return text;
}

class Walk {
public:
    explicit Walk(const Program& program) : program_(program.impl()) {}

    std::vector<Meaning> all() {
        Meaning input{"", "input", "", {}};
        put(input.says, "dates", program_.dates);
        put(input.says, "zone", program_.zone);
        put(input.says, "encoding", program_.format.encoding);
        put(input.says, "delimiter", std::string(1, program_.format.delimiter));
        put(input.says, "header", program_.format.header ? "true" : "false");
        if (program_.when) expression(input.says, "when", *program_.when);
        out_.push_back(std::move(input));
        std::map<std::string, int> seen;
        for (const EmitRule& e : program_.emits) emit(e, seen);
        return std::move(out_);
    }

private:
    const Program::Impl& program_;
    std::vector<Meaning> out_;
    std::string emit_;
    Aspects context_;  ///< each and when of the groups around a field

    static void put(Aspects& to, const std::string& name, const std::string& text) {
        if (!text.empty()) to.emplace_back(name, text);
    }
    std::string place(std::uint32_t rule) const {
        return program_.rules[rule].file + ":" + std::to_string(program_.rules[rule].line);
    }
    /// The text, and those of the named expressions that it uses.
    void expression(Aspects& to, const std::string& name, const fhirpath::Expression& e) const {
        put(to, name, e.text());
        std::set<std::string> told;
        named(to, e, told);
    }
    void named(Aspects& to, const fhirpath::Expression& e, std::set<std::string>& told) const {
        for (std::string variable : e.variables()) {
            if (variable.starts_with('%')) variable.erase(0, 1);
            for (const auto& [name, let] : program_.let) {
                if (name != variable || !told.insert(name).second) continue;
                std::string text = let.text();
                if (auto within = program_.documents.find(name); within != program_.documents.end()) {
                    text += within->second.settings.kind == formats::Kind::xml ? " as xml" : " as json";
                    if (within->second.decode == formats::Within::Decode::base64) text += " in base64";
                }
                put(to, "%" + name, text);
                named(to, let, told);
            }
        }
    }
    void part(const EmitRule& e, const std::string& path, const std::optional<fhirpath::Expression>& x) {
        if (!x) return;
        Meaning m{emit_, path, place(e.rule), {}};
        expression(m.says, "expression", *x);
        out_.push_back(std::move(m));
    }
    void emit(const EmitRule& e, std::map<std::string, int>& seen) {
        emit_ = e.entity + " " + std::string(schemas::name(e.op));
        for (const std::string& word : {e.cls, e.cancels})
            if (!word.empty()) emit_ += " " + word;
        if (int n = ++seen[emit_]; n > 1) emit_ += " " + std::to_string(n);
        part(e, "(each)", e.each);
        part(e, "(when)", e.when);
        part(e, "(key)", e.key);
        part(e, "(into)", e.into);
        part(e, "(valid from)", e.valid_from);
        part(e, "(valid to)", e.valid_to);
        Meaning version{emit_, "(version)", place(e.rule), {}};
        put(version.says, "order", std::string(schemas::name(e.order)));
        put(version.says, "zone", e.zone);
        for (std::size_t i = 0; i < e.version.size(); ++i)
            expression(version.says, i == 0 ? "expression" : "expression " + std::to_string(i), e.version[i]);
        out_.push_back(std::move(version));
        for (const auto* rules : {&e.subjects, &e.mentions})
            for (const SubjectRule& s : *rules)
                part(e, (rules == &e.subjects ? "(subject " : "(mention ") + s.entity + ")", s.id);
        if (e.partial) out_.push_back({emit_, "(partial)", place(e.rule), {{"partial", "allow"}}});
        for (const FieldRule& f : e.fields) field(f, f.name);
    }
    void field(const FieldRule& f, const std::string& path) {
        if (f.kind == FieldRule::Kind::value) return value(f.value, path);
        const std::size_t before = context_.size();
        if (f.each) expression(context_, "each of " + path, *f.each);
        if (f.when) expression(context_, "when of " + path, *f.when);
        for (std::size_t i = 0; i < f.fields.size(); ++i) {
            const FieldRule& m = f.fields[i];
            const bool item = f.kind == FieldRule::Kind::list;
            field(m, !item ? path + "/" + m.name : f.fields.size() > 1 ? path + "[" + std::to_string(i) + "]" : path);
        }
        context_.resize(before);
    }
    void value(const ValueRule& v, const std::string& path) {
        Meaning m{emit_, path, place(v.rule), {}};
        if (v.expr) expression(m.says, "expression", *v.expr);
        else put(m.says, "delete", "true");
        put(m.says, "type", typeName(v.type));
        if (v.unmapped_keep) put(m.says, "unmapped", "keep");
        if (v.many_first) put(m.says, "onMany", "first");
        if (v.empty_error) put(m.says, "onEmpty", "error");
        if (v.table) {
            put(m.says, "source system", v.table->source_system);
            for (const auto& [code, row] : v.table->rows) put(m.says, "table row " + code, rowText(row));
            if (v.table->otherwise) put(m.says, "table otherwise", rowText(*v.table->otherwise));
        }
        m.says.insert(m.says.end(), context_.begin(), context_.end());
        out_.push_back(std::move(m));
    }
};

/// What both say of a field, held against each other.
std::vector<FieldChange::Aspect> aspects(const Aspects& before, const Aspects& after) {
    auto find = [](const Aspects& in, const std::string& name) {
        auto found = std::find_if(in.begin(), in.end(), [&](const auto& a) { return a.first == name; });
        return found == in.end() ? std::string() : found->second;
    };
    std::vector<FieldChange::Aspect> out;
    for (const auto& [name, text] : after)
        if (std::string was = find(before, name); was != text) out.push_back({name, was, text});
    for (const auto& [name, text] : before)
        if (find(after, name).empty()) out.push_back({name, text, {}});
    return out;
}

}  // namespace

std::string_view name(FieldChange::Kind kind) {
    switch (kind) {
        case FieldChange::Kind::added: return "added";
        case FieldChange::Kind::removed: return "removed";
        case FieldChange::Kind::changed: return "changed";
    }
    return {};
}

std::vector<FieldChange> compareMappings(const Program& before, const Program& after) {
    const std::vector<Meaning> old = Walk(before).all(), now = Walk(after).all();
    auto find = [](const std::vector<Meaning>& in, const Meaning& m) {
        return std::find_if(in.begin(), in.end(),
                            [&](const Meaning& o) { return o.emit == m.emit && o.path == m.path; });
    };
    std::vector<FieldChange> out;
    for (const Meaning& m : now) {
        auto was = find(old, m);
        if (was == old.end()) {
            out.push_back({m.emit, m.path, FieldChange::Kind::added, aspects({}, m.says), {}, m.rule});
        } else if (auto differ = aspects(was->says, m.says); !differ.empty()) {
            out.push_back({m.emit, m.path, FieldChange::Kind::changed, std::move(differ), was->rule, m.rule});
        }
    }
    for (const Meaning& m : old)
        if (find(now, m) == now.end())
            out.push_back({m.emit, m.path, FieldChange::Kind::removed, aspects(m.says, {}), m.rule, {}});
    return out;
}

}  // namespace porta::mapping
