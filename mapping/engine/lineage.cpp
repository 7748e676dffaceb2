#include "mapping/engine/lineage.h"

#include <algorithm>

#include "mapping/engine/readings.h"

namespace porta::mapping {

namespace {

using fhirpath::Expression;
using fhirpath::Read;

/// The parts of the record that an expression starts from.
using Contexts = std::vector<std::string>;

std::string absolute(const std::string& context, const std::string& path) {
    if (path == "$this") return context;
    return context.empty() ? path : context + "." + path;
}

/// Names as the record has them: without the backquotes of the language.
std::string plainNames(std::string path) {
    std::erase(path, '`');
    return path;
}

/// Walks a program's rules as the runner does, with paths in place of nodes.
class Walk {
public:
    explicit Walk(const Program& program) : program_(program.impl()), readings_(program_) {}

    std::vector<FieldLineage> all() {
        if (program_.when) decide(*program_.when, {""});
        for (const EmitRule& e : program_.emits) emit(e);
        return std::move(out_);
    }

private:
    const Program::Impl& program_;
    Readings readings_;
    std::vector<SourcePath> decisions_;  ///< what the fields to come depend on
    std::vector<FieldLineage> out_;
    const EmitRule* emit_ = nullptr;

    static void put(std::vector<SourcePath>& to, SourcePath s) {
        if (s.path.empty()) return;  // the whole record
        for (SourcePath& known : to) {
            if (known.path != s.path) continue;
            if (isDirect(known.influence) || known.influence == s.influence) return;
            if (isDirect(s.influence)) {
                known.influence = s.influence;
                return;
            }
        }
        to.push_back(std::move(s));
    }
    void read(const Expression& e, const Contexts& contexts, std::vector<SourcePath>& to, Influence value) {
        for (const Reading& r : readings_.of(e)) {
            const Influence influence = !isDirect(value)           ? value
                                        : r.use == Read::condition ? Influence::conditional
                                        : r.use == Read::filter    ? Influence::filter
                                        : r.use == Read::computed  ? Influence::transformation
                                                                   : value;
            for (const std::string& c : r.from_root ? Contexts{""} : contexts)
                put(to, {plainNames(absolute(c, r.path)), influence});
        }
    }
    void decide(const Expression& e, const Contexts& contexts) { read(e, contexts, decisions_, Influence::filter); }
    /// Where the expressions below an `each` start.
    Contexts entered(const Expression& each, const Contexts& contexts) {
        decide(each, contexts);
        Contexts out;
        for (const Reading& r : readings_.of(each))
            if (r.use == Read::value)
                for (const std::string& c : r.from_root ? Contexts{""} : contexts) out.push_back(absolute(c, r.path));
        return out;
    }
    void add(const std::string& path, std::uint32_t rule, const Expression* e, const Contexts& contexts,
             Influence value) {
        FieldLineage f{emit_->name, emit_->entity, path, rule, {}};
        if (e) read(*e, contexts, f.sources, value);
        for (const SourcePath& d : decisions_) put(f.sources, d);
        out_.push_back(std::move(f));
    }

    void emit(const EmitRule& e) {
        emit_ = &e;
        const std::size_t before = decisions_.size();
        Contexts contexts = e.each ? entered(*e.each, {""}) : Contexts{""};
        if (e.when) decide(*e.when, contexts);
        auto part = [&](const char* name, const std::optional<Expression>& x, Influence how) {
            if (x) add(name, e.rule, &*x, contexts, how);
        };
        part("(key)", e.key, Influence::identity);
        part("(into)", e.into, Influence::identity);
        for (const Expression& v : e.version) add("(version)", e.rule, &v, contexts, Influence::transformation);
        part("(valid_from)", e.valid_from, Influence::transformation);
        part("(valid_to)", e.valid_to, Influence::transformation);
        for (const SubjectRule& s : e.subjects) add("(subjects)", e.rule, &s.id, contexts, Influence::identity);
        for (const SubjectRule& m : e.mentions) add("(mentions)", e.rule, &m.id, contexts, Influence::identity);
        for (const FieldRule& f : e.fields) field(f, f.name, contexts);
        decisions_.resize(before);
    }
    void field(const FieldRule& f, const std::string& path, const Contexts& contexts) {
        if (f.kind == FieldRule::Kind::value) return value(f.value, path, contexts);
        const std::size_t before = decisions_.size();
        Contexts below = f.each ? entered(*f.each, contexts) : contexts;
        if (f.when) decide(*f.when, below);
        for (const FieldRule& m : f.fields) field(m, m.name.empty() ? path : path + "/" + m.name, below);
        decisions_.resize(before);
    }
    void value(const ValueRule& v, const std::string& path, const Contexts& contexts) {
        const bool dated = v.type == Target::date || v.type == Target::instant;
        const Influence how = v.table || dated ? Influence::transformation : Influence::identity;
        if (v.type != Target::coded || !v.expr) return add(path, v.rule, v.expr ? &*v.expr : nullptr, contexts, how);
        add(path + "/code", v.rule, &*v.expr, contexts, how);
        if (v.table)
            for (const char* part : {"/system", "/display", "/equivalence"})
                add(path + part, v.rule, &*v.expr, contexts, how);
        if (v.table && !v.table->source_system.empty()) add(path + "/source_system", v.rule, &*v.expr, contexts, how);
        add(path + "/source_code", v.rule, &*v.expr, contexts, Influence::identity);
    }
};

constexpr const char* kProducer = "urn:porta:mapping";
constexpr const char* kSpec = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/JobEvent";
constexpr const char* kFacet =
    "https://openlineage.io/spec/facets/1-2-0/ColumnLineageDatasetFacet.json#/$defs/ColumnLineageDatasetFacet";

Json inputField(const Program& program, const FieldLineage& field, const SourcePath& source) {
    const Rule& rule = program.rules()[field.rule];
    Json t = Json::object();
    t["type"] = isDirect(source.influence) ? "DIRECT" : "INDIRECT";
    t["subtype"] = subtypeName(source.influence);
    t["description"] = rule.file + ":" + std::to_string(rule.line) + " " + rule.name;
    t["masking"] = false;
    Json f = Json::object();
    f["namespace"] = "porta.raw";
    f["name"] = program.name();
    f["field"] = source.path;
    f["transformations"] = Json::array();
    f["transformations"].push(t);
    return f;
}

/// The same field may come of several emits: one entry for each source and influence.
void addSources(const Program& program, const FieldLineage& field, Json& fields) {
    Json& entry = fields[field.path];
    Json& inputs = entry["inputFields"];
    if (inputs.isNull()) inputs = Json::array();
    for (const SourcePath& s : field.sources) {
        Json f = inputField(program, field, s);
        if (std::find(inputs.items().begin(), inputs.items().end(), f) == inputs.items().end()) inputs.push(f);
    }
}

}  // namespace

std::string_view subtypeName(Influence i) {
    switch (i) {
        case Influence::identity: return "IDENTITY";
        case Influence::transformation: return "TRANSFORMATION";
        case Influence::conditional: return "CONDITIONAL";
        case Influence::filter: return "FILTER";
    }
    return {};
}

std::vector<FieldLineage> lineageOf(const Program& program) { return Walk(program).all(); }

Json openLineage(const Program& program, const std::string& time) {
    const std::vector<FieldLineage> all = lineageOf(program);
    std::vector<std::string> entities;
    for (const FieldLineage& f : all)
        if (std::find(entities.begin(), entities.end(), f.entity) == entities.end()) entities.push_back(f.entity);

    auto dataset = [](const char* space, const std::string& name) {
        Json d = Json::object();
        d["namespace"] = space;
        d["name"] = name;
        return d;
    };
    Json event = Json::object();
    event["eventTime"] = time;
    event["producer"] = kProducer;
    event["schemaURL"] = kSpec;
    event["job"] = dataset("porta.mapping", program.name());
    event["inputs"] = Json::array();
    event["inputs"].push(dataset("porta.raw", program.name()));
    event["outputs"] = Json::array();
    for (const std::string& entity : entities) {
        Json facet = Json::object();
        facet["_producer"] = kProducer;
        facet["_schemaURL"] = kFacet;
        facet["fields"] = Json::object();
        for (const FieldLineage& f : all)
            if (f.entity == entity) addSources(program, f, facet["fields"]);
        Json output = dataset("porta.records", entity);
        output["facets"]["columnLineage"] = facet;
        event["outputs"].push(output);
    }
    return event;
}

}  // namespace porta::mapping
