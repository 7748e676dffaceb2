#include "mapping/engine/mutate.h"

#include <algorithm>
#include <functional>

#include "mapping/engine/golden.h"
#include "mapping/engine/golden_file.h"
#include "mapping/engine/targets.h"

namespace porta::mapping {

namespace {

Yaml scalarLike(const Yaml& place, const std::string& text) {
    Yaml y;
    y.kind = Yaml::Kind::scalar;
    y.text = text;
    y.quoted = true;
    y.line = place.line;
    y.column = place.column;
    return y;
}

bool sameYaml(const Yaml& a, const Yaml& b) {
    if (a.kind != b.kind || a.text != b.text || a.keys != b.keys || a.items.size() != b.items.size()) return false;
    for (std::size_t i = 0; i < a.items.size(); ++i)
        if (!sameYaml(a.items[i], b.items[i])) return false;
    return true;
}

/// Walks a mapping and makes its mutants. A place is the way to it: the numbers of the items to go through.
class Mutants {
public:
    explicit Mutants(const Yaml& mapping) : root_(mapping) {}

    std::vector<Mutant> all() {
        const Yaml* input = root_.find("input");
        hl7v2_ = input != nullptr && input->get("format") == "hl7v2";
        each(root_, "", [&](const std::string& key, const Yaml& y) {
            if (key == "input") this->input(y);
            else if (key == "let") each(y, "let", [&](const std::string&, const Yaml& e) { let(e); });
            else if (key == "tables") each(y, "tables", [&](const std::string&, const Yaml& t) { table(t); });
            else if (key == "emit") items(y, [&](const Yaml& e) { emit(e); });
        });
        return std::move(out_);
    }

private:
    using Way = std::vector<std::size_t>;

    const Yaml& root_;
    bool hl7v2_ = false;
    Way way_;           ///< to the node that is looked at
    std::string name_;  ///< its name
    std::string entity_;
    std::vector<Mutant> out_;

    Yaml& at(Yaml& root, const Way& way, std::size_t steps) const {
        Yaml* y = &root;
        for (std::size_t i = 0; i < steps; ++i) y = &y->items[way[i]];
        return *y;
    }
    void add(const Yaml& place, const std::string& what, const std::function<void(Yaml&)>& change) {
        Mutant m{name_, what, place.line, place.column, root_};
        change(m.changed);
        out_.push_back(std::move(m));
    }
    void replace(const Yaml& place, const std::string& what, Yaml by) {
        add(place, what, [&](Yaml& root) { at(root, way_, way_.size()) = std::move(by); });
    }
    /// The node that is looked at is no more.
    void drop(const Yaml& place) {
        add(place, "dropped", [&](Yaml& root) {
            Yaml& parent = at(root, way_, way_.size() - 1);
            const auto i = static_cast<std::ptrdiff_t>(way_.back());
            parent.items.erase(parent.items.begin() + i);
            if (parent.kind != Yaml::Kind::map) return;
            parent.keys.erase(parent.keys.begin() + i);
            if (parent.places.size() > parent.items.size()) parent.places.erase(parent.places.begin() + i);
        });
    }
    template <class Visit>
    void below(std::size_t i, const std::string& step, Visit visit) {
        std::string name = name_ + step;
        std::swap(name, name_);
        way_.push_back(i);
        visit();
        way_.pop_back();
        std::swap(name, name_);
    }
    /// The members of a map. `top`: not empty when the names begin anew with it.
    template <class Visit>
    void each(const Yaml& y, const std::string& top, Visit visit) {
        for (std::size_t i = 0; y.kind == Yaml::Kind::map && i < y.keys.size(); ++i)
            below(i, (name_.empty() && top.empty() ? "" : ".") + y.keys[i], [&] { visit(y.keys[i], y.items[i]); });
    }
    template <class Visit>
    void items(const Yaml& y, Visit visit) {
        for (std::size_t i = 0; y.kind == Yaml::Kind::sequence && i < y.items.size(); ++i)
            below(i, "[" + std::to_string(i) + "]", [&] { visit(y.items[i]); });
    }

    /// One thing wrong in the text; `constant`: what a constant of its type looks like, or nothing.
    void expression(const Yaml& y, const std::string& constant) {
        if (y.kind != Yaml::Kind::scalar) return;
        for (ChangedText& c : changedExpressions(y.text, hl7v2_)) replace(y, c.what, scalarLike(y, c.text));
        const std::string literal = "'" + constant + "'";
        if (!constant.empty() && y.text != literal)
            replace(y, "became the constant " + literal, scalarLike(y, literal));
    }
    void let(const Yaml& y) {
        if (y.kind == Yaml::Kind::scalar) return expression(y, "text");
        each(y, "", [&](const std::string& key, const Yaml& v) {
            if (key == "expr") expression(v, "text");
            else if (key == "decode") drop(v);
        });
    }
    void condition(const Yaml& y) {
        drop(y);
        replace(y, "negated", scalarLike(y, "(" + y.text + ").not()"));
        expression(y, "");
    }
    void input(const Yaml& y) {
        each(y, "", [&](const std::string& key, const Yaml& v) {
            if (key == "when") condition(v);
            const bool standard = (key == "delimiter" && v.text == ",") || (key == "encoding" && v.text == "utf-8") ||
                                  (key == "header" && v.text == "true");
            if ((key == "delimiter" || key == "encoding" || key == "header" || key == "dates") && !standard) drop(v);
        });
    }
    void table(const Yaml& t) {
        const Yaml* otherwise = t.find("otherwise");
        each(t, "", [&](const std::string& key, const Yaml& y) {
            if (key == "system" || key == "source_system" || key == "otherwise") drop(y);
            if (key == "rows") rows(y, otherwise);
        });
    }
    void rows(const Yaml& y, const Yaml* otherwise) {
        for (std::size_t i = 0; i < y.items.size(); ++i)
            below(i, "." + y.keys[i], [&] {
                const Yaml& row = y.items[i];
                if (otherwise == nullptr || !sameYaml(row, *otherwise)) drop(row);
                // The next row's, which says something else.
                for (std::size_t n = 1; n < y.items.size(); ++n) {
                    const std::size_t other = (i + n) % y.items.size();
                    if (sameYaml(y.items[other], row)) continue;
                    replace(row, "took the row of `" + y.keys[other] + "`", y.items[other]);
                    break;
                }
                each(row, "", [&](const std::string& key, const Yaml& part) {
                    if (key != "code" && !(key == "equivalence" && part.text == "equal")) drop(part);
                });
            });
    }
    void emit(const Yaml& e) {
        drop(e);
        entity_ = e.get("record");
        const std::string op = e.get("op");
        each(e, "", [&](const std::string& key, const Yaml& y) {
            if (key == "when") condition(y);
            else if (key == "each" || key == "into") expression(y, key == "into" ? "constant" : "");
            else if (key == "key") expression(y, "constant");
            else if (key == "version") version(y);
            else if (key == "valid")
                each(y, "", [&](const std::string&, const Yaml& v) { drop(v), expression(v, "2001-01-01"); });
            else if (key == "subjects" || key == "mentions") items(y, [&](const Yaml& s) { subject(s); });
            else if (key == "class" || key == "partial") drop(y);
            else if (key == "op") operation(y);
            else if (key == "fields") fields(y, "");
        });
    }
    void operation(const Yaml& y) {
        const std::string other = y.text == "patch"     ? "upsert"
                                  : y.text == "upsert"  ? "patch"
                                  : y.text == "merge"   ? "unmerge"
                                  : y.text == "unmerge" ? "merge"
                                                        : "";
        if (!other.empty()) replace(y, "became " + other, scalarLike(y, other));
    }
    void version(const Yaml& y) {
        drop(y);
        if (y.kind == Yaml::Kind::scalar) return expression(y, "2001-01-01");
        const std::string constant = y.get("order") == "number" ? "7" : "2001-01-01";
        each(y, "", [&](const std::string& key, const Yaml& v) {
            if (key == "expr")
                expression(v, constant), items(v, [&](const Yaml& part) { drop(part), expression(part, constant); });
            if (key == "zone" || (key == "order" && v.text != "instant")) drop(v);
        });
    }
    void subject(const Yaml& s) {
        drop(s);
        each(s, "", [&](const std::string& key, const Yaml& y) {
            if (key == "id") expression(y, "constant");
        });
    }

    /// `where`: the place in the common schema, as `targetOf` takes it.
    void fields(const Yaml& y, const std::string& where) {
        each(y, "", [&](const std::string& key, const Yaml& f) {
            if (key == "when") return condition(f);
            if (key == "each") return drop(f), expression(f, "");
            drop(f);
            field(f, where.empty() ? key : where + "/" + key);
        });
        swaps(y);
    }
    /// Neighbours that give each other's values.
    void swaps(const Yaml& y) {
        auto expr = [](const Yaml& f) {
            return f.kind == Yaml::Kind::map ? f.find("expr") : f.kind == Yaml::Kind::scalar ? &f : nullptr;
        };
        for (std::size_t i = 0; i + 1 < y.items.size(); ++i) {
            auto condition = [&](std::size_t k) { return y.keys[k] == "when" || y.keys[k] == "each"; };
            const Yaml *a = expr(y.items[i]), *b = expr(y.items[i + 1]);
            if (a == nullptr || b == nullptr || condition(i) || condition(i + 1) || a->text == b->text) continue;
            below(i, "." + y.keys[i], [&] {
                add(y.items[i], "exchanged with `" + y.keys[i + 1] + "`", [&](Yaml& root) {
                    Yaml& map = at(root, way_, way_.size() - 1);
                    auto text = [](Yaml& f) -> std::string& {
                        if (f.kind == Yaml::Kind::scalar) return f.text;
                        return f
                            .items[static_cast<std::size_t>(std::find(f.keys.begin(), f.keys.end(), "expr") -
                                                            f.keys.begin())]
                            .text;
                    };
                    std::swap(text(map.items[i]), text(map.items[i + 1]));
                });
            });
        }
    }
    void field(const Yaml& f, const std::string& where) {
        const Target target = targetOf(entity_, where);
        if (f.kind == Yaml::Kind::sequence) {
            items(f, [&](const Yaml& item) {
                drop(item);
                field(item, where + "/N");
            });
        } else if (f.kind == Yaml::Kind::scalar) {
            expression(f, constantOf(target));
        } else if (f.find("expr") != nullptr) {
            value(f, target);
        } else if (f.find("delete") == nullptr) {
            fields(f, target == Target::list ? where + "/N" : where);
        }
    }
    void value(const Yaml& f, Target target) {
        std::string constant = constantOf(target);
        if (const Yaml* table = f.find("translate")) {
            const Yaml* tables = root_.find("tables");
            const Yaml* mine = tables ? tables->find(table->text) : nullptr;
            const Yaml* rows = mine ? mine->find("rows") : nullptr;
            if (rows != nullptr && !rows->keys.empty()) constant = rows->keys.back();
        }
        each(f, "", [&](const std::string& key, const Yaml& y) {
            if (key == "expr") expression(y, constant);
            const bool standard = y.text == "error" || (key == "onEmpty" && y.text == "omit");
            if (key == "translate" || key == "type" || key == "onEmpty" ||
                ((key == "unmapped" || key == "onMany") && !standard))
                drop(y);
        });
    }
    static std::string constantOf(Target target) {
        return target == Target::date || target == Target::instant ? "2001-01-01"
               : target == Target::boolean                         ? "true"
                                                                   : "constant";
    }
};

/// What comes out of every case, in the form of expected files.
std::vector<std::vector<Json>> outcomesOf(const Program& program, const std::vector<GoldenCase>& cases) {
    std::vector<std::vector<Json>> all;
    formats::NodeTree tree;
    for (const GoldenCase& c : cases) {
        auto& found = all.emplace_back();
        for (std::size_t i = 0; i < c.units.units.size(); ++i)
            found.push_back(describeOutcome(program.map(program.format(), c.input(i), tree)));
    }
    return all;
}

/// Whether some golden comes out otherwise. Most records come out as they did, which is seen without reading the golden.
bool killed(const Program& mutant, const std::vector<GoldenCase>& cases,
            const std::vector<std::vector<std::string>>& usual) {
    formats::NodeTree tree;
    for (std::size_t c = 0; c < cases.size(); ++c) {
        auto units = formats::split(mutant.format(), cases[c].bytes);
        if (!units || units->units.size() != cases[c].units.units.size()) return true;
        for (std::size_t i = 0; i < units->units.size(); ++i) {
            Json found = describeOutcome(mutant.map(mutant.format(), cases[c].input(i), tree));
            if (print(found) != usual[c][i] && !differences(cases[c].outcomes[i], found).empty()) return true;
        }
    }
    return false;
}

}  // namespace

std::vector<Mutant> mutantsOf(const Yaml& mapping) { return Mutants(mapping).all(); }

Result<MutationReport> testMutants(const std::string& mapping, std::string goldens) {
    auto yaml = loadYaml(mapping);
    if (!yaml) return yaml.error();
    auto program = Program::compile(*yaml, mapping);
    if (!program) return program.error();
    if (goldens.empty()) goldens = goldenFolder(mapping);
    auto cases = loadGoldens(goldens, (*program)->format(), false);
    if (!cases) return cases.error();
    std::vector<std::vector<std::string>> usual;
    for (const auto& found : outcomesOf(**program, *cases)) {
        const GoldenCase& c = (*cases)[usual.size()];
        auto& texts = usual.emplace_back();
        for (std::size_t i = 0; i < found.size(); ++i) {
            if (i >= c.outcomes.size() || !differences(c.outcomes[i], found[i]).empty())
                return fail(Errc::misconfigured, mapping + ": the goldens differ already: " + c.name,
                            "mapping.goldens");
            texts.push_back(print(found[i]));
        }
    }

    MutationReport report;
    report.file = (*program)->rules().front().file;
    for (Mutant& m : mutantsOf(*yaml)) {
        auto mutant = Program::compile(m.changed, mapping);
        if (!mutant) {
            ++report.refused;
        } else if (killed(**mutant, *cases, usual)) {
            ++report.killed;
        } else {
            m.changed = {};
            report.survived.push_back(std::move(m));
        }
    }
    return report;
}

}  // namespace porta::mapping
