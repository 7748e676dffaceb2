#include <algorithm>

#include "mapping/engine/loader.h"

namespace porta::mapping {

namespace {

/// The parts of a code, where a source speaks in codes itself.
const std::vector<std::string> kCodeParts = {"code",        "system",        "display",
                                             "source_code", "source_system", "equivalence"};

bool hasAny(const Yaml& map, std::initializer_list<const char*> keys) {
    return std::any_of(keys.begin(), keys.end(), [&](const char* key) { return map.find(key) != nullptr; });
}

}  // namespace

std::uint32_t Loader::rule(const Yaml& at, const std::string& name, const std::string& table) {
    out.rules.push_back(Rule{out.file, at.line, name, table});
    return static_cast<std::uint32_t>(out.rules.size() - 1);
}

ValueRule Loader::value(const Yaml& y, const std::string& entity, const std::string& where, const std::string& name,
                        Target target, bool list) {
    ValueRule v;
    v.type = target;
    v.rule = v.table_rule = rule(y, name);
    const Yaml* expr = &y;
    const Yaml* translate = nullptr;
    if (y.kind == Yaml::Kind::map && y.find("delete")) {
        keys(y, {"delete"});
        return v;
    }
    if (y.kind == Yaml::Kind::map) {
        keys(y, {"expr", "translate", "at", "unmapped", "onMany", "onEmpty", "type"});
        expr = y.find("expr");
        if (!expr) stop(y, "missing", "`expr` is missing");
        translate = y.find("translate");
        if (translate) {
            auto found = out.tables.find(scalar(*translate, "`translate`"));
            if (found == out.tables.end()) {
                std::vector<std::string> known;
                for (const auto& entry : out.tables) known.push_back(entry.first);
                unknown(*translate, "table", "table", translate->text, known);
            }
            v.table = &found->second;
            out.rules.back().table = translate->text;
        }
        if (const Yaml* day = y.find("at")) {
            if (!translate) stop(*day, "shape", "`at` chooses among the rows of a table; `translate` is missing");
            v.at = single(*day, "`at`");
        }
        if (const Yaml* u = y.find("unmapped")) v.unmapped_keep = choice(*u, "unmapped", {"error", "keep"}) == "keep";
        if (const Yaml* m = y.find("onMany")) {
            v.many_first = choice(*m, "onMany", {"error", "first"}) == "first";
            v.many_said = true;
        }
        if (const Yaml* e = y.find("onEmpty")) v.empty_error = choice(*e, "onEmpty", {"error", "omit"}) == "error";
        if (const Yaml* t = y.find("type")) {
            std::string want = choice(*t, "type", {"date", "instant", "text", "boolean", "code"});
            Target stated = want == "date"      ? Target::date
                            : want == "instant" ? Target::instant
                            : want == "boolean" ? Target::boolean
                            : want == "code"    ? Target::coded
                                                : Target::text;
            auto time = [](Target type) { return type == Target::date || type == Target::instant; };
            if (stated != target && !(time(stated) && time(target)))
                stop(*t, "type", "the common schema has another type at `" + where + "`",
                     target == Target::date      ? "date"
                     : target == Target::instant ? "instant"
                     : target == Target::boolean ? "boolean"
                     : target == Target::coded   ? "code"
                                                 : "text");
            v.type = stated;
        }
    }
    v.expr = expression(*expr);
    if (target == Target::coded && !v.table && !v.unmapped_keep)
        stop(y, "missing", "a coded field needs `translate`, or `unmapped: keep`");
    fits(*expr, v, entity, where, list);
    if (v.table) valuesOf(*translate, *v.table, entity, where, target);
    if (v.table && !v.many_first) undecided(*translate, *v.table);
    return v;
}

void Loader::valuesOf(const Yaml& at, const Table& table, const std::string& entity, const std::string& where,
                      Target target) {
    std::vector<std::string> codes = valueSet(entity, where);
    if (target == Target::boolean) codes = {"true", "false"};
    const bool times = target == Target::date || target == Target::instant;
    auto held = [&](const Row& row) {
        Yaml place = at;
        place.line = row.line;
        place.column = row.column;
        if (times && !parseIso(row.code))
            stop(place, "type", "`" + where + "` is a date, and the row's target is none");
        if (!codes.empty() && std::find(codes.begin(), codes.end(), row.code) == codes.end())
            unknown(place, "value-set", "target of table `" + table.name + "` in `" + where + "`:", row.code, codes);
    };
    auto check = [&](const Row& row) {
        try {
            held(row);
        } catch (Stop& s) {
            if (!table.file.empty()) s.finding.file = table.file;
            throw;
        }
    };
    for (const auto& row : table.rows) guarded([&] { check(row.second); });
    for (const auto& [source, all] : table.several)
        for (const Row& row : all) guarded([&] { check(row); });
    if (table.otherwise) check(*table.otherwise);
}

void Loader::undecided(const Yaml& at, const Table& table) {
    auto apart = [](const Row& a, const Row& b) {
        return (!a.to.empty() && !b.from.empty() && a.to < b.from) ||
               (!b.to.empty() && !a.from.empty() && b.to < a.from);
    };
    for (const auto& [code, rows] : table.several)
        for (std::size_t i = 0; i < rows.size(); ++i)
            for (std::size_t k = i + 1; k < rows.size(); ++k) {
                if (rows[i].equivalence != rows[k].equivalence || apart(rows[i], rows[k])) continue;
                Finding f = finding(at, "many",
                                    "table `" + table.name + "` has equally good rows for one code, in lines " +
                                        std::to_string(rows[i].line) + " and " + std::to_string(rows[k].line) +
                                        "; a record with it is refused unless `onMany: first`");
                f.kind = Finding::Kind::unproved;
                findings.push_back(std::move(f));
                return;
            }
}

FieldRule Loader::field(const Yaml& y, const std::string& entity, const std::string& where, const std::string& name) {
    FieldRule f;
    Target target = targetOf(entity, where);
    bool is_value = y.kind == Yaml::Kind::scalar || y.kind == Yaml::Kind::null ||
                    (y.kind == Yaml::Kind::map && hasAny(y, {"expr", "delete"}));
    f.rule = 0;
    if (target == Target::list) {
        f.kind = FieldRule::Kind::list;
        std::string below = where + "/N";
        if (y.kind == Yaml::Kind::map && y.find("delete")) {
            f.kind = FieldRule::Kind::value;
            f.value = value(y, entity, where, name, Target::text, true);
        } else if (y.kind == Yaml::Kind::sequence) {
            for (std::size_t i = 0; i < y.items.size(); ++i)
                guarded(
                    [&] { f.fields.push_back(item(y.items[i], entity, below, name + "[" + std::to_string(i) + "]")); });
        } else {
            f.fields.push_back(item(y, entity, below, name));
        }
        return f;
    }
    if (target == Target::group) {
        if (is_value && y.kind == Yaml::Kind::map && y.find("delete")) {
            f.value = value(y, entity, where, name, Target::text, true);
            return f;
        }
        if (is_value || y.kind != Yaml::Kind::map) stop(y, "type", "`" + where + "` has fields below it");
        f.kind = FieldRule::Kind::group;
        f.fields = members(y, entity, where, name, {}, true);
        return f;
    }
    if (target == Target::coded && y.kind == Yaml::Kind::map && !is_value) {
        // A source that already speaks in codes: each part has its own expression.
        f.kind = FieldRule::Kind::group;
        if (y.find("translate")) keys(y, {"expr", "translate", "unmapped", "onMany", "onEmpty", "type"});
        keys(y, kCodeParts);
        if (!hasAny(y, {"code", "source_code", "display"}))
            stop(y, "required", "`" + where + "` is a code: `code`, `source_code` or `display` is missing", "code");
        for (std::size_t i = 0; i < y.keys.size(); ++i)
            guarded([&] {
                FieldRule part;
                part.name = y.keys[i];
                part.value =
                    value(y.items[i], entity, where + "/" + y.keys[i], name + "." + y.keys[i], Target::text, false);
                f.fields.push_back(std::move(part));
            });
        return f;
    }
    if (!is_value) {
        if (y.kind == Yaml::Kind::map)  // `{exp: …}`: the key is told, not the shape
            keys(y, {"expr", "delete", "translate", "unmapped", "onMany", "onEmpty", "type"});
        stop(y, "shape", "`" + where + "` is a single value: an expression or {expr, …} expected");
    }
    f.value = value(y, entity, where, name, target, false);
    return f;
}

FieldRule Loader::item(const Yaml& y, const std::string& entity, const std::string& where, const std::string& name) {
    Target target = targetOf(entity, where);
    FieldRule f;
    if (target != Target::group) {
        f.value = value(y, entity, where, name, target, true);
        return f;
    }
    if (y.kind != Yaml::Kind::map || y.find("expr"))
        stop(y, "type", "a group of fields expected, with `each` where it repeats");
    f.kind = FieldRule::Kind::group;
    f.each = optional(y, "each");
    Inside inside(*this, f.each.has_value());
    f.when = optional(y, "when");
    f.fields = members(y, entity, where, name, {"each", "when"}, true);
    return f;
}

std::vector<FieldRule> Loader::members(const Yaml& y, const std::string& entity, const std::string& where,
                                       const std::string& name, const std::vector<std::string>& besides, bool whole) {
    std::vector<FieldRule> fields;
    std::vector<std::string> known = namesBelow(entity, where);
    for (std::size_t i = 0; i < y.keys.size(); ++i)
        guarded([&] {
            const std::string& key = y.keys[i];
            if (std::find(besides.begin(), besides.end(), key) != besides.end()) return;
            if (std::find(known.begin(), known.end(), key) == known.end())
                unknown(keyAt(y, i), "unknown-field", "field", key, known);
            FieldRule f = field(y.items[i], entity, where.empty() ? key : where + "/" + key, name + "." + key);
            f.name = key;
            fields.push_back(std::move(f));
        });
    if (whole)
        for (const std::string& must : requiredBelow(entity, where))
            if (!y.find(must))
                stop(y, "required",
                     "`" + (where.empty() ? entity : where) + "` needs `" + must + "`, and no rule fills it", must);
    return fields;
}

}  // namespace porta::mapping
