#include "mapping/engine/loader.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <utility>

#include "mapping/engine/models.h"

namespace porta::mapping {

using fhirpath::Expression;
using fhirpath::Known;
using fhirpath::Leaf;
using fhirpath::Shape;

namespace {

constexpr std::size_t kMaxDocuments = 8;  ///< that a record may hold, one inside another or beside it

/// Of a `let`: itself, or what is under `expr`.
const Yaml& expressionOf(const Yaml& let) {
    const Yaml* expr = let.kind == Yaml::Kind::map ? let.find("expr") : nullptr;
    return expr ? *expr : let;
}

/// A `let` whose value needs itself, by way of others.
std::vector<std::string> circle(const std::map<std::string, std::vector<std::string>>& needs, const std::string& from) {
    std::vector<std::string> way;
    std::set<std::string> seen;
    auto walk = [&](auto& self, const std::string& name) -> bool {
        way.push_back(name);
        if (auto found = needs.find(name); found != needs.end())
            for (const std::string& next : found->second) {
                if (next == from) return true;
                if (seen.insert(next).second && self(self, next)) return true;
            }
        way.pop_back();
        return false;
    };
    return walk(walk, from) ? way : std::vector<std::string>{};
}

}  // namespace

Json toJson(const Yaml& y) {
    switch (y.kind) {
        case Yaml::Kind::null: return Json();
        case Yaml::Kind::scalar: return Json(y.text);
        case Yaml::Kind::sequence: {
            Json a = Json::array();
            for (const Yaml& item : y.items) a.push(toJson(item));
            return a;
        }
        case Yaml::Kind::map: {
            Json o = Json::object();
            for (std::size_t i = 0; i < y.keys.size(); ++i) o[y.keys[i]] = toJson(y.items[i]);
            return o;
        }
    }
    return Json();
}

void Loader::input(const Yaml& y) {
    keys(y, {"format", "model", "when", "delimiter", "encoding", "header", "fhir", "dates", "zone", "columns", "ragged",
             "record", "groups"});
    const Yaml* format = y.find("format");
    if (!format) stop(y, "missing", "`format` is missing");
    out.format.kind =
        *formats::kindNamed(choice(*format, "format", {"json", "ndjson", "csv", "hl7v2", "xml", "fixed", "edifact"}));
    if (const Yaml* d = y.find("delimiter")) {
        if (d->text.size() != 1) stop(*d, "shape", "`delimiter` is one character");
        out.format.delimiter = d->text[0];
    }
    if (const Yaml* e = y.find("encoding")) out.format.encoding = scalar(*e, "encoding");
    if (const Yaml* h = y.find("header")) out.format.header = choice(*h, "header", {"true", "false"}) == "true";
    if (const Yaml* f = y.find("fhir")) out.format.fhir = choice(*f, "fhir", {"true", "false"}) == "true";
    if (const Yaml* r = y.find("record")) out.format.record = scalar(*r, "record");
    if (const Yaml* r = y.find("ragged")) out.format.ragged = choice(*r, "ragged", {"true", "false"}) == "true";
    if (const Yaml* g = y.find("groups")) {
        out.format.groups = choice(*g, "groups", {"true", "false"}) == "true";
        if (out.format.kind != formats::Kind::hl7v2) stop(*g, "shape", "`groups` belongs to format hl7v2");
    }
    if (const Yaml* c = y.find("columns"); c && out.format.kind == formats::Kind::fixed) {
        std::vector<std::string> texts;
        for (const Yaml& item : c->items) texts.push_back(scalar(item, "columns"));
        auto columns = formats::columnsFrom(texts);
        if (!columns) stop(*c, "columns", "`columns`: " + columns.error().message);
        out.format.columns = *columns;
    }
    if (auto fits = formats::checkEncoding(out.format); !fits)
        stop(y.find("encoding") ? *y.find("encoding") : *format, "encoding", "`encoding`: " + fits.error().message);
    out.dates = member(y, "dates");
    out.zone = member(y, "zone");
    if (const Yaml* m = y.find("model")) {
        auto model = modelOf(*m, std::filesystem::path(path).parent_path().string(), out.format.groups);
        if (!model) stop(*m, "model", model.error().message, model.error().path);
        shape = *model;
        model_named = !(m->kind == Yaml::Kind::scalar && m->text == "open");
        here = Known::at(shape->root);
        for (const char* name : {"record", "context", "resource", "rootResource"}) variables[name] = here;
    }
    guarded([&] { out.when = optional(y, "when"); });
}

std::vector<SubjectRule> Loader::subjects(const Yaml& y) {
    std::vector<SubjectRule> all;
    if (y.kind != Yaml::Kind::sequence) stop(y, "shape", "a list of {entity, id} expected");
    for (const Yaml& s : y.items) {
        keys(s, {"entity", "id"});
        const Yaml* id = s.find("id");
        if (!id) stop(s, "missing", "`id` is missing");
        std::string entity = member(s, "entity", "person");
        if (!isEntity(entity))
            unknown(s.find("entity") ? *s.find("entity") : s, "entity", "entity", entity, entities());
        all.push_back(SubjectRule{entity, single(*id, "`id`")});
    }
    return all;
}

void Loader::version(const Yaml& y, EmitRule& e) {
    const Yaml* expr = &y;
    if (y.kind == Yaml::Kind::map) {
        keys(y, {"expr", "order", "zone"});
        if (const Yaml* o = y.find("order")) {
            std::string order = choice(*o, "order", {"number", "instant", "arrival"});
            e.order = order == "number"    ? schemas::Order::number
                      : order == "arrival" ? schemas::Order::arrival
                                           : schemas::Order::instant;
        }
        e.zone = member(y, "zone");
        expr = y.find("expr");
    }
    if (e.order == schemas::Order::arrival) {
        if (expr) stop(*expr, "order", "order `arrival` takes no expression");
        return;
    }
    if (!expr) stop(y, "missing", "`expr` is missing");
    if (expr->kind == Yaml::Kind::sequence) {
        for (const Yaml& part : expr->items) e.version.push_back(single(part, "`version`"));
    } else {
        e.version.push_back(single(*expr, "`version`"));
    }
    if (e.order == schemas::Order::instant && e.version.size() > 1)
        stop(*expr, "order", "order `instant` takes one expression");
}

void Loader::emit(const Yaml& y, std::size_t index) {
    keys(y, {"record", "each", "when", "key", "version", "op", "class", "cancels", "into", "valid", "subjects",
             "mentions", "partial", "fields"});
    EmitRule e;
    e.name = "emit[" + std::to_string(index) + "]";
    e.rule = rule(y, e.name);
    const Yaml* record = y.find("record");
    if (!record) stop(y, "missing", "`record` is missing");
    e.entity = scalar(*record, "record");
    if (!isEntity(e.entity)) unknown(*record, "entity", "entity", e.entity, entities());
    e.each = optional(y, "each");
    Inside inside(*this, e.each.has_value());
    guarded([&] { e.when = optional(y, "when"); });
    guarded([&] {
        const Yaml* key = y.find("key");
        if (!key) stop(y, "missing", "`key` is missing");
        e.key = single(*key, "`key`");
    });
    if (const Yaml* v = y.find("version")) guarded([&] { version(*v, e); });
    if (const Yaml* o = y.find("op")) {
        std::string op = choice(*o, "op", {"upsert", "patch", "delete", "merge", "cancel", "unmerge"});
        e.op = op == "upsert"   ? schemas::Op::upsert
               : op == "patch"  ? schemas::Op::patch
               : op == "delete" ? schemas::Op::delete_
               : op == "merge"  ? schemas::Op::merge
               : op == "cancel" ? schemas::Op::cancel
                                : schemas::Op::unmerge;
    }
    e.cls = member(y, "class");
    e.cancels = member(y, "cancels");
    if (const Yaml* into = y.find("into")) guarded([&] { e.into = single(*into, "`into`"); });
    bool pair = e.op == schemas::Op::merge || e.op == schemas::Op::unmerge;
    bool data = e.op == schemas::Op::upsert || e.op == schemas::Op::patch;
    if (pair != (y.find("into") != nullptr))
        stop(y, "missing", pair ? "`into` is missing" : "`into` belongs to merge and unmerge");
    if ((e.op == schemas::Op::cancel) == e.cancels.empty())
        stop(y, "missing", e.cancels.empty() ? "`cancels` is missing" : "`cancels` belongs to op cancel");
    if (const Yaml* v = y.find("valid")) {
        keys(*v, {"from", "to"});
        if (const Yaml* from = v->find("from")) guarded([&] { e.valid_from = single(*from, "`valid.from`"); });
        if (const Yaml* to = v->find("to")) guarded([&] { e.valid_to = single(*to, "`valid.to`"); });
    }
    if (const Yaml* s = y.find("subjects")) guarded([&] { e.subjects = subjects(*s); });
    if (const Yaml* m = y.find("mentions")) guarded([&] { e.mentions = subjects(*m); });
    if (const Yaml* p = y.find("partial")) e.partial = choice(*p, "partial", {"allow", "refuse"}) == "allow";
    bool of_person = e.entity != "person" && e.entity != "human_fact";
    if (data && of_person && !y.find("subjects"))
        stop(y, "missing", "`subjects` is missing: every " + e.entity + " names its person");
    if (const Yaml* f = y.find("fields")) {
        if (!data) stop(*f, "shape", "`fields` belongs to upsert and patch");
        if (f->kind != Yaml::Kind::map) stop(*f, "shape", "a map of fields expected");
        e.fields = members(*f, e.entity, "", e.name + ".fields", {}, e.op == schemas::Op::upsert);
    } else if (data) {
        stop(y, "missing", "`fields` is missing");
    }
    out.emits.push_back(std::move(e));
}

void Loader::let(const Yaml& y) {
    if (y.kind != Yaml::Kind::map) stop(y, "shape", "a map of expressions expected");
    std::map<std::string, std::vector<std::string>> needs;
    for (std::size_t i = 0; i < y.keys.size(); ++i)
        if (auto made = Expression::compile(expressionOf(y.items[i]).text, fhirpath::Profile::mapping))
            for (std::string name : made->variables()) {
                if (!name.empty() && name[0] == '%') name.erase(0, 1);
                needs[y.keys[i]].push_back(name);
            }
    for (std::size_t i = 0; i < y.keys.size(); ++i)
        guarded([&] {
            const std::string& name = y.keys[i];
            given = Known::made(Leaf::any);
            // Known even where its expression is wrong: that is told once.
            struct Named {
                Loader& l;
                const std::string& name;
                ~Named() {
                    l.names.push_back(name);
                    l.out.variables.push_back(name);
                    l.variables[name] = l.given;
                }
            } named{*this, name};
            if (std::vector<std::string> way = circle(needs, name); !way.empty()) {
                std::string text = "`" + name + "` needs ";
                for (std::size_t k = 1; k < way.size(); ++k) text += "`" + way[k] + "`, which needs ";
                stop(y.items[i], "circular",
                     text + (way.size() == 1 ? "itself" : "`" + name + "`") +
                         "; `let` is evaluated in order, from above");
            }
            const Yaml& item = y.items[i];
            out.let.emplace_back(name, expression(expressionOf(item)));
            if (item.kind == Yaml::Kind::map) document(item, name);
        });
}

void Loader::document(const Yaml& y, const std::string& name) {
    const Known value = std::exchange(given, Known::made(Leaf::any));  // where something is wrong, nothing is known
    keys(y, {"expr", "document", "decode", "fhir", "model"});
    const Yaml* kind = y.find("document");
    if (!kind) stop(y, "missing", "`document` is missing: xml or json");
    if (out.documents.size() == kMaxDocuments)
        stop(*kind, "document", "more than " + std::to_string(kMaxDocuments) + " documents in one record");
    if (value.computed != 0)
        stop(*y.find("expr"), "document", "a document is a value as it stands in the record; this one is computed");
    formats::Within within;
    within.settings.kind = *formats::kindNamed(choice(*kind, "document", {"xml", "json"}));
    if (const Yaml* d = y.find("decode"); d && choice(*d, "decode", {"none", "base64"}) == "base64")
        within.decode = formats::Within::Decode::base64;
    if (const Yaml* f = y.find("fhir")) within.settings.fhir = choice(*f, "fhir", {"true", "false"}) == "true";
    Known inside = Known::at(Shape::kOpen);
    if (const Yaml* m = y.find("model")) {
        auto model = modelOf(*m, std::filesystem::path(path).parent_path().string());
        if (!model) stop(*m, "model", model.error().message, model.error().path);
        inside = Known::at(joined(**model));
    }
    inside.many = value.many;
    given = std::move(inside);
    out.documents.emplace(name, std::move(within));
}

/// Behind the shape of the record; what it is known as there.
fhirpath::PlaceId Loader::joined(const Shape& document) {
    auto both = std::make_shared<Shape>(*shape);
    const auto moved = static_cast<fhirpath::PlaceId>(both->types.size());
    auto move = [&](fhirpath::PlaceId& place) {
        if (place != Shape::kOpen) place += moved;
    };
    for (Shape::Type type : document.types) {
        for (Shape::Element& e : type.elements) move(e.type);
        for (fhirpath::PlaceId& one : type.alternatives) move(one);
        both->types.push_back(std::move(type));
    }
    shape = both;
    fhirpath::PlaceId root = document.root;
    move(root);
    return root;
}

void Loader::run(const Yaml& y) {
    shape = openModel();
    here = Known::at(shape->root);
    for (const char* name : {"record", "context", "resource", "rootResource"}) variables[name] = here;
    guarded([&] { keys(y, {"mapping", "about", "input", "let", "tables", "terms", "emit"}); });
    if (y.kind != Yaml::Kind::map) return;
    guarded([&] {
        out.name = member(y, "mapping");
        if (out.name.empty()) stop(y, "missing", "`mapping` (its name) is missing");
    });
    // Before all expressions, which may ask them.
    if (const Yaml* t = y.find("tables")) guarded([&] { tables(*t); });
    if (const Yaml* t = y.find("terms")) guarded([&] { terms(*t); });
    // Before `let`: what chooses the mapping is evaluated without its variables.
    const Yaml* in = y.find("input");
    guarded([&] {
        if (!in) stop(y, "missing", "`input` is missing");
        input(*in);
    });
    if (const Yaml* l = y.find("let")) guarded([&] { let(*l); });
    const Yaml* emits = y.find("emit");
    guarded([&] {
        if (!emits || emits->kind != Yaml::Kind::sequence || emits->items.empty())
            stop(y, "missing", "`emit` is missing: a list of records");
    });
    if (emits && emits->kind == Yaml::Kind::sequence)
        for (std::size_t i = 0; i < emits->items.size(); ++i) guarded([&] { emit(emits->items[i], i); });
    Json whole = toJson(y);
    if (terms_digest.size() > 0) {
        Json with = Json::object();
        with["mapping"] = std::move(whole);
        with["terms"] = terms_digest;
        whole = std::move(with);
    }
    out.digest = sha256(canonical(whole));
}

std::shared_ptr<const Program> Loader::load(const std::string& path, std::vector<Finding>& findings) {
    std::ifstream in(path, std::ios::binary);
    if (!in) {
        findings.push_back(
            {Finding::Kind::error, path, 1, 1, "open", "cannot be opened; check the path and its permissions"});
        return nullptr;
    }
    std::ostringstream bytes;
    bytes << in.rdbuf();
    auto yaml = parseYaml(bytes.str(), path);
    if (!yaml) {
        findings.push_back(placed(yaml.error(), path, yaml.error().rule));
        return nullptr;
    }
    return compile(*yaml, bytes.str(), path, findings);
}

std::shared_ptr<const Program> Loader::compile(const Yaml& yaml, std::string text, const std::string& path,
                                               std::vector<Finding>& findings) {
    std::shared_ptr<Program> program(new Program());
    // Two last steps of the path: the same text wherever the library is installed.
    std::filesystem::path p(path);
    program->impl_->file = (p.parent_path().filename() / p.filename()).generic_string();
    Loader loader{*program->impl_, path, std::move(text), findings};
    std::istringstream each(loader.text);
    for (std::string line; std::getline(each, line);) loader.lines.push_back(line);
    loader.run(yaml);
    const bool refused =
        std::any_of(findings.begin(), findings.end(), [](const Finding& f) { return f.kind == Finding::Kind::error; });
    return refused ? nullptr : program;
}

Program::Program() : impl_(std::make_unique<Impl>()) {}
Program::~Program() = default;
Result<std::shared_ptr<const Program>> Program::load(const std::string& path) {
    std::vector<Finding> findings;
    auto program = Loader::load(path, findings);
    if (!program) return refusal(findings);
    return program;
}
Result<std::shared_ptr<const Program>> Program::compile(const Yaml& mapping, const std::string& path) {
    std::vector<Finding> findings;
    auto program = Loader::compile(mapping, {}, path, findings);
    if (!program) return refusal(findings);
    return program;
}
const Sha256& Program::digest() const { return impl_->digest; }
const std::vector<Rule>& Program::rules() const { return impl_->rules; }
const std::string& Program::name() const { return impl_->name; }
const Terms& Program::terms() const { return *impl_->terms; }
const formats::Settings& Program::format() const { return impl_->format; }

}  // namespace porta::mapping
