#include <algorithm>
#include <filesystem>

#include "base/canonical_json.h"
#include "base/yaml.h"
#include "mapping/engine/compiled.h"

namespace porta::mapping {

using fhirpath::Expression;

namespace {

/// Stops the load at the first thing that is wrong; turned into a Result at the door.
struct Stop {
    Error error;
};

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

}  // namespace

struct Loader {
    Program::Impl& out;
    const std::string& path;
    std::vector<std::string> names = {"record",       "source", "objectTime", "context", "resource",
                                      "rootResource", "ucum",   "sct",        "loinc"};

    YamlChecks checks{path};

    /// A check's result, or the end of the load.
    template <typename T>
    T need(Result<T> checked) {
        if (!checked) throw Stop{checked.error()};
        return std::move(*checked);
    }
    [[noreturn]] void stop(const Yaml& at, const std::string& message) { throw Stop{checks.error(at, message)}; }
    void keys(const Yaml& map, const std::vector<std::string>& known) {
        if (auto ok = checks.keys(map, known); !ok) throw Stop{ok.error()};
    }
    [[noreturn]] void unknown(const Yaml& at, const std::string& what, const std::string& found,
                              const std::vector<std::string>& known) {
        throw Stop{checks.unknown(at, what, found, known)};
    }
    std::string choice(const Yaml& at, const std::string& what, const std::vector<std::string>& known) {
        return need(checks.choice(at, what, known));
    }
    std::string scalar(const Yaml& at, const std::string& what) { return need(checks.text(at, what)); }
    std::string member(const Yaml& map, const std::string& key, std::string otherwise = {}) {
        return need(checks.member(map, key, std::move(otherwise)));
    }
    Expression expression(const Yaml& at) {
        if (at.kind != Yaml::Kind::scalar) stop(at, "an expression expected");
        auto made = Expression::compile(at.text, fhirpath::Profile::mapping, out.variables);
        if (!made)
            stop(at, "in the expression at character " + std::to_string(made.error().offset + 1) + ": " +
                         made.error().message);
        for (std::string name : made->variables()) {
            if (!name.empty() && name[0] == '%') name.erase(0, 1);
            if (std::find(names.begin(), names.end(), name) == names.end())
                unknown(at, "variable", "%" + name, withPercent());
        }
        return *made;
    }
    std::vector<std::string> withPercent() {
        std::vector<std::string> all;
        for (const std::string& n : names) all.push_back("%" + n);
        return all;
    }
    std::optional<Expression> optional(const Yaml& map, std::string_view key) {
        const Yaml* y = map.find(key);
        if (!y) return std::nullopt;
        return expression(*y);
    }
    std::uint32_t rule(const Yaml& at, const std::string& name, const std::string& table = {}) {
        out.rules.push_back(Rule{out.file, at.line, name, table});
        return static_cast<std::uint32_t>(out.rules.size() - 1);
    }

    void input(const Yaml& y) {
        keys(y, {"format", "when", "delimiter", "encoding", "header", "fhir", "dates", "zone", "columns", "ragged"});
        const Yaml* format = y.find("format");
        if (!format) stop(y, "`format` is missing");
        out.format.kind = *formats::kindNamed(
            choice(*format, "format", {"json", "ndjson", "csv", "hl7v2", "xml", "fixed", "edifact"}));
        if (const Yaml* d = y.find("delimiter")) {
            if (d->text.size() != 1) stop(*d, "`delimiter` is one character");
            out.format.delimiter = d->text[0];
        }
        if (const Yaml* e = y.find("encoding")) out.format.encoding = scalar(*e, "encoding");
        if (const Yaml* h = y.find("header")) out.format.header = choice(*h, "header", {"true", "false"}) == "true";
        if (const Yaml* f = y.find("fhir")) out.format.fhir = choice(*f, "fhir", {"true", "false"}) == "true";
        if (const Yaml* r = y.find("ragged")) out.format.ragged = choice(*r, "ragged", {"true", "false"}) == "true";
        if (const Yaml* c = y.find("columns"); c && out.format.kind == formats::Kind::fixed) {
            std::vector<std::string> texts;
            for (const Yaml& item : c->items) texts.push_back(scalar(item, "columns"));
            auto columns = formats::columnsFrom(texts);
            if (!columns) stop(*c, "`columns`: " + columns.error().message);
            out.format.columns = *columns;
        }
        if (auto fits = formats::checkEncoding(out.format); !fits)
            stop(y.find("encoding") ? *y.find("encoding") : *format, "`encoding`: " + fits.error().message);
        out.dates = member(y, "dates");
        out.zone = member(y, "zone");
        out.when = optional(y, "when");
    }

    Row row(const Yaml& y, const Table& table) {
        Row r;
        r.line = y.line;
        r.system = table.system;
        r.equivalence = "equal";
        if (y.kind == Yaml::Kind::scalar) {
            r.code = y.text;
        } else {
            keys(y, {"code", "system", "display", "equivalence"});
            r.code = member(y, "code");
            r.system = member(y, "system", table.system);
            r.display = member(y, "display");
            if (const Yaml* e = y.find("equivalence"))
                r.equivalence = choice(*e, "equivalence", {"equal", "wider", "narrower", "inexact", "unmatched"});
        }
        if (r.code.empty()) stop(y, "a row needs a target code");
        return r;
    }
    void tables(const Yaml& y) {
        if (y.kind != Yaml::Kind::map) stop(y, "a map of tables expected");
        for (std::size_t i = 0; i < y.keys.size(); ++i) {
            const Yaml& t = y.items[i];
            keys(t, {"system", "source_system", "rows", "otherwise"});
            Table table;
            table.name = y.keys[i];
            table.system = member(t, "system");
            table.source_system = member(t, "source_system");
            const Yaml* rows = t.find("rows");
            if (!rows || rows->kind != Yaml::Kind::map) stop(t, "`rows` is missing");
            for (std::size_t r = 0; r < rows->keys.size(); ++r)
                table.rows.emplace(rows->keys[r], row(rows->items[r], table));
            if (const Yaml* o = t.find("otherwise")) table.otherwise = row(*o, table);
            out.tables.emplace(table.name, std::move(table));
        }
    }

    ValueRule value(const Yaml& y, Target target, const std::string& name) {
        ValueRule v;
        v.type = target;
        v.rule = v.table_rule = rule(y, name);
        if (y.kind == Yaml::Kind::scalar) {
            v.expr = expression(y);
        } else if (y.find("delete")) {
            keys(y, {"delete"});
        } else {
            keys(y, {"expr", "translate", "unmapped", "onMany", "onEmpty", "type"});
            v.expr = expression(*y.find("expr"));
            if (const Yaml* t = y.find("translate")) {
                auto found = out.tables.find(scalar(*t, "translate"));
                if (found == out.tables.end()) {
                    std::vector<std::string> known;
                    for (const auto& entry : out.tables) known.push_back(entry.first);
                    unknown(*t, "table", t->text, known);
                }
                v.table = &found->second;
                out.rules.back().table = t->text;
            }
            if (const Yaml* u = y.find("unmapped"))
                v.unmapped_keep = choice(*u, "unmapped", {"error", "keep"}) == "keep";
            if (const Yaml* m = y.find("onMany")) v.many_first = choice(*m, "onMany", {"error", "first"}) == "first";
            if (const Yaml* e = y.find("onEmpty")) v.empty_error = choice(*e, "onEmpty", {"error", "omit"}) == "error";
            if (const Yaml* t = y.find("type")) {
                std::string want = choice(*t, "type", {"date", "instant", "text", "boolean", "code"});
                Target given = want == "date"      ? Target::date
                               : want == "instant" ? Target::instant
                               : want == "boolean" ? Target::boolean
                               : want == "code"    ? Target::coded
                                                   : Target::text;
                bool times = (given == Target::date || given == Target::instant) &&
                             (target == Target::date || target == Target::instant);
                if (given != target && !times) stop(*t, "the common schema has another type here");
                v.type = given;
            }
        }
        if (target == Target::coded && v.expr && !v.table && !v.unmapped_keep)
            stop(y, "a coded field needs `translate`, or `unmapped: keep`");
        return v;
    }

    /// `where` is the place in the schema (`names/N/given`), `name` the rule's.
    FieldRule field(const Yaml& y, const std::string& entity, const std::string& where, const std::string& name) {
        FieldRule f;
        Target target = targetOf(entity, where);
        bool is_value =
            y.kind == Yaml::Kind::scalar || (y.kind == Yaml::Kind::map && (y.find("expr") || y.find("delete")));
        f.rule = 0;
        if (target == Target::list) {
            f.kind = FieldRule::Kind::list;
            std::string below = where + "/N";
            if (y.kind == Yaml::Kind::map && y.find("delete")) {
                f.kind = FieldRule::Kind::value;
                f.value = value(y, Target::text, name);
            } else if (y.kind == Yaml::Kind::sequence) {
                for (std::size_t i = 0; i < y.items.size(); ++i)
                    f.fields.push_back(item(y.items[i], entity, below, name + "[" + std::to_string(i) + "]"));
            } else {
                f.fields.push_back(item(y, entity, below, name));
            }
            return f;
        }
        if (target == Target::group) {
            if (is_value && y.kind == Yaml::Kind::map && y.find("delete")) {
                f.value = value(y, Target::text, name);
                return f;
            }
            if (is_value || y.kind != Yaml::Kind::map) stop(y, "`" + where + "` has fields below it");
            f.kind = FieldRule::Kind::group;
            f.fields = members(y, entity, where, name, {});
            return f;
        }
        if (target == Target::coded && y.kind == Yaml::Kind::map && !is_value) {
            // A source that already speaks in codes: each part has its own expression.
            f.kind = FieldRule::Kind::group;
            keys(y, {"code", "system", "display", "source_code", "source_system", "equivalence"});
            for (std::size_t i = 0; i < y.keys.size(); ++i) {
                FieldRule part;
                part.name = y.keys[i];
                part.value = value(y.items[i], Target::text, name + "." + y.keys[i]);
                f.fields.push_back(std::move(part));
            }
            return f;
        }
        if (!is_value) stop(y, "`" + where + "` is a single value: an expression or {expr, …} expected");
        f.value = value(y, target, name);
        return f;
    }
    /// An item of a list: a value for each result of its expression, or a group, repeated by `each`.
    FieldRule item(const Yaml& y, const std::string& entity, const std::string& where, const std::string& name) {
        Target target = targetOf(entity, where);
        FieldRule f;
        if (target != Target::group) {
            f.value = value(y, target, name);
            return f;
        }
        if (y.kind != Yaml::Kind::map || y.find("expr"))
            stop(y, "a group of fields expected, with `each` where it repeats");
        f.kind = FieldRule::Kind::group;
        f.each = optional(y, "each");
        f.when = optional(y, "when");
        f.fields = members(y, entity, where, name, {"each", "when"});
        return f;
    }
    std::vector<FieldRule> members(const Yaml& y, const std::string& entity, const std::string& where,
                                   const std::string& name, const std::vector<std::string>& besides) {
        std::vector<FieldRule> fields;
        std::vector<std::string> known = namesBelow(entity, where);
        for (std::size_t i = 0; i < y.keys.size(); ++i) {
            const std::string& key = y.keys[i];
            if (std::find(besides.begin(), besides.end(), key) != besides.end()) continue;
            if (std::find(known.begin(), known.end(), key) == known.end()) unknown(y.items[i], "field", key, known);
            FieldRule f = field(y.items[i], entity, where.empty() ? key : where + "/" + key, name + "." + key);
            f.name = key;
            fields.push_back(std::move(f));
        }
        return fields;
    }

    std::vector<SubjectRule> subjects(const Yaml& y) {
        std::vector<SubjectRule> all;
        if (y.kind != Yaml::Kind::sequence) stop(y, "a list of {entity, id} expected");
        for (const Yaml& s : y.items) {
            keys(s, {"entity", "id"});
            const Yaml* id = s.find("id");
            if (!id) stop(s, "`id` is missing");
            std::string entity = member(s, "entity", "person");
            if (!isEntity(entity)) unknown(s, "entity", entity, entities());
            all.push_back(SubjectRule{entity, expression(*id)});
        }
        return all;
    }

    void version(const Yaml& y, EmitRule& e) {
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
            if (expr) stop(*expr, "order `arrival` takes no expression");
            return;
        }
        if (!expr) stop(y, "`expr` is missing");
        if (expr->kind == Yaml::Kind::sequence) {
            for (const Yaml& part : expr->items) e.version.push_back(expression(part));
        } else {
            e.version.push_back(expression(*expr));
        }
        if (e.order == schemas::Order::instant && e.version.size() > 1)
            stop(*expr, "order `instant` takes one expression");
    }

    void emit(const Yaml& y, std::size_t index) {
        keys(y, {"record", "each", "when", "key", "version", "op", "class", "cancels", "into", "valid", "subjects",
                 "mentions", "partial", "fields"});
        EmitRule e;
        e.name = "emit[" + std::to_string(index) + "]";
        e.rule = rule(y, e.name);
        const Yaml* record = y.find("record");
        if (!record) stop(y, "`record` is missing");
        e.entity = scalar(*record, "record");
        if (!isEntity(e.entity)) unknown(*record, "entity", e.entity, entities());
        e.each = optional(y, "each");
        e.when = optional(y, "when");
        e.key = optional(y, "key");
        if (!e.key) stop(y, "`key` is missing");
        if (const Yaml* v = y.find("version")) version(*v, e);
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
        e.into = optional(y, "into");
        bool pair = e.op == schemas::Op::merge || e.op == schemas::Op::unmerge;
        bool data = e.op == schemas::Op::upsert || e.op == schemas::Op::patch;
        if (pair != e.into.has_value()) stop(y, pair ? "`into` is missing" : "`into` belongs to merge and unmerge");
        if ((e.op == schemas::Op::cancel) == e.cancels.empty())
            stop(y, e.cancels.empty() ? "`cancels` is missing" : "`cancels` belongs to op cancel");
        if (const Yaml* v = y.find("valid")) {
            keys(*v, {"from", "to"});
            e.valid_from = optional(*v, "from");
            e.valid_to = optional(*v, "to");
        }
        if (const Yaml* s = y.find("subjects")) e.subjects = subjects(*s);
        if (const Yaml* m = y.find("mentions")) e.mentions = subjects(*m);
        if (const Yaml* p = y.find("partial")) e.partial = choice(*p, "partial", {"allow", "refuse"}) == "allow";
        bool of_person = e.entity != "person" && e.entity != "human_fact";
        if (data && of_person && e.subjects.empty())
            stop(y, "`subjects` is missing: every " + e.entity + " names its person");
        if (const Yaml* f = y.find("fields")) {
            if (!data) stop(*f, "`fields` belongs to upsert and patch");
            if (f->kind != Yaml::Kind::map) stop(*f, "a map of fields expected");
            e.fields = members(*f, e.entity, "", e.name + ".fields", {});
        } else if (data) {
            stop(y, "`fields` is missing");
        }
        out.emits.push_back(std::move(e));
    }

    void run(const Yaml& y) {
        keys(y, {"mapping", "about", "input", "let", "tables", "emit"});
        out.name = member(y, "mapping");
        if (out.name.empty()) stop(y, "`mapping` (its name) is missing");
        const Yaml* in = y.find("input");
        if (!in) stop(y, "`input` is missing");
        input(*in);  // before `let`: what chooses the mapping is evaluated without its variables
        if (const Yaml* t = y.find("tables")) tables(*t);
        if (const Yaml* l = y.find("let")) {
            if (l->kind != Yaml::Kind::map) stop(*l, "a map of expressions expected");
            for (std::size_t i = 0; i < l->keys.size(); ++i) {
                out.let.emplace_back(l->keys[i], expression(l->items[i]));
                names.push_back(l->keys[i]);
                out.variables.push_back(l->keys[i]);
            }
        }
        const Yaml* emits = y.find("emit");
        if (!emits || emits->kind != Yaml::Kind::sequence || emits->items.empty())
            stop(y, "`emit` is missing: a list of records");
        for (std::size_t i = 0; i < emits->items.size(); ++i) emit(emits->items[i], i);
        out.digest = sha256(canonical(toJson(y)));
    }

    static Result<std::shared_ptr<const Program>> load(const std::string& path) {
        auto yaml = loadYaml(path);
        if (!yaml) return yaml.error();
        std::shared_ptr<Program> program(new Program());
        // Two last steps of the path: the same text wherever the library is installed.
        std::filesystem::path p(path);
        program->impl_->file = (p.parent_path().filename() / p.filename()).generic_string();
        Loader loader{*program->impl_, path};
        try {
            loader.run(*yaml);
        } catch (const Stop& s) {
            return s.error;
        }
        return std::shared_ptr<const Program>(program);
    }
};

Program::Program() : impl_(std::make_unique<Impl>()) {}
Program::~Program() = default;
Result<std::shared_ptr<const Program>> Program::load(const std::string& path) { return Loader::load(path); }
const Sha256& Program::digest() const { return impl_->digest; }
const std::vector<Rule>& Program::rules() const { return impl_->rules; }
const std::string& Program::name() const { return impl_->name; }
const formats::Settings& Program::format() const { return impl_->format; }

}  // namespace porta::mapping
