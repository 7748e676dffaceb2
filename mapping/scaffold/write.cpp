// The mapping of a scaffold, as text for people to go on from.
#include <algorithm>
#include <set>

#include "mapping/scaffold/forms.h"
#include "mapping/scaffold/scaffold.h"
#include "mapping/scaffold/words.h"

namespace porta::mapping {

namespace {

/// A text constant in an expression.
std::string constant(std::string_view text) {
    std::string out = "'";
    for (char c : text) {
        if (c == '\'' || c == '\\') out += '\\';
        out += c;
    }
    return out + "'";
}

/// The field without blanks around it and words that say nothing.
std::string clean(const Field& f) {
    std::string out = f.path;
    if (f.blanks) out += ".trim()";
    std::vector<std::string> nothing = f.placeholders;
    if (f.blanks) nothing.insert(nothing.begin(), "");
    if (nothing.size() == 1) return out + ".where($this != " + constant(nothing[0]) + ")";
    if (nothing.empty()) return out;
    std::string list;
    for (const std::string& word : nothing) list += (list.empty() ? "" : " | ") + constant(word);
    return out + ".where(($this in (" + list + ")).not())";
}

struct Writer {
    const Sample& sample;
    const Guess& g;
    const std::string& id;
    std::string out = {};

    void line(int indent, const std::string& text) {
        out += std::string(static_cast<std::size_t>(indent) * 2, ' ') + text + "\n";
    }
    std::string because(const Field& f) const {
        std::string why = "  # guess: " + std::to_string(f.number);
        if (auto date = g.dates.find(&f); date != g.dates.end() && date->second != "iso")
            why += ", dates as " + date->second;
        if (!sample.described && f.filled < sample.records)
            why += ", filled in " + std::to_string(f.filled * 100 / std::max<std::size_t>(1, sample.records)) + " %";
        return why;
    }
    std::string value(const Field& f) const {
        auto date = g.dates.find(&f);
        std::string from = clean(f);
        return date == g.dates.end()
                   ? from
                   : dateExpression(from, date->second, g.field("birth_date") == &f ? g.latest_year % 100 : 60);
    }
    /// Several fields joined; one alone as it is.
    std::string key(const std::vector<const Field*>& fields) const {
        if (fields.size() == 1) return clean(*fields[0]);
        std::string joined;
        for (const Field* f : fields) joined += (joined.empty() ? "" : " & '-' & ") + clean(*f);
        return joined;
    }
    void field(int indent, const std::string& name, const char* role) {
        if (const Field* f = g.field(role)) line(indent, name + ": " + quotedText(value(*f)) + because(*f));
    }
    void coded(int indent, const std::string& name, std::initializer_list<const char*> roles) {
        for (const char* role : roles)
            if (const Field* f = g.field(role)) {
                std::string codes;
                std::set<std::string> words(f->values.begin(), f->values.end());
                if (words.size() <= 12 && f->filled > 3 * words.size())
                    for (const std::string& w : words) codes += " " + w;
                std::replace(codes.begin(), codes.end(), '\n', ' ');
                line(indent, name + ": {expr: " + quotedText(clean(*f)) + ", unmapped: keep}" + because(*f) +
                                 (codes.empty() ? "" : ", codes:" + codes));
                return;
            }
    }

    void names(int indent) {
        const Field *family = g.field("family"), *given = g.field("given"), *full = g.field("full_name");
        if (!family && !given && !full) return;
        line(indent, "names:");
        if (family) familyName(indent + 1, *family);
        if (given) line(indent + 1, "given: [" + quotedText(clean(*given)) + "]" + because(*given));
        if (full && !family && !given) {
            const std::string whole = clean(*full);
            const bool comma = share(full->values, [](const std::string& v) { return v.find(',') != v.npos; }) > 0.5;
            if (comma) {
                line(indent + 1, "family: " + quotedText(whole + ".split(',').first().trim()") + because(*full) +
                                     ": what stands before the comma");
                line(indent + 1, "given: [" + quotedText(whole + ".split(',').skip(1).first().trim()") + "]");
            } else {
                // `Cognome e nome`: the family's comes first where the column says so.
                const std::vector<std::string> words = wordsOf(full->label);
                const bool first =
                    words.size() > 1 && (matches({words[0]}, "family") == 1000 ||
                                         (matches({words[0]}, "name") == 1000 && matches({words[1]}, "given") == 1000));
                line(indent + 1,
                     "family: " + quotedText(whole + (first ? ".split(' ').first()" : ".split(' ').last()")) +
                         because(*full) +
                         (first ? ": the first word is the family's" : ": the last word is the family's"));
                line(indent + 1,
                     "given: [" + quotedText(whole + (first ? ".split(' ').last()" : ".split(' ').first()")) + "]");
            }
        }
        field(indent + 1, "birth_family", "birth_family");
        field(indent + 1, "prefix", "prefix");
    }
    /// With the second surname behind it, and the particle before it.
    void familyName(int indent, const Field& family) {
        std::string name = clean(family);
        if (const Field* second = g.field("family2"))
            name = "iif(" + clean(*second) + ".exists(), " + name + " & ' ' & " + clean(*second) + ", " + name + ")";
        if (const Field* particle = g.field("particle"))
            name =
                "iif(" + clean(*particle) + ".exists(), " + clean(*particle) + " & ' ' & " + name + ", " + name + ")";
        line(indent, "family: " + quotedText(name) + because(family));
    }
    void identifiers(int indent) {
        std::vector<std::pair<std::string, const Field*>> all;
        for (const auto& [role, f] : g.roles)
            if (role.rfind("id:", 0) == 0) all.emplace_back(role.substr(3), f);
        if (const Field* own = g.field("person_id")) all.emplace_back("local", own);
        if (all.empty()) return;
        line(indent, "identifiers:");
        for (const auto& [type, f] : all) {
            line(indent + 1, "- when: " + quotedText(clean(*f) + ".exists()"));
            line(indent + 2, "value: " + quotedText(clean(*f)) + because(*f));
            line(indent + 2, "type: " + quotedText(constant(type)));
        }
    }
    void address(int indent) {
        if (!g.field("street") && !g.field("city") && !g.field("post_code")) return;
        line(indent, "addresses:");
        field(indent + 1, "thoroughfare", "street");
        field(indent + 1, "post_code", "post_code");
        field(indent + 1, "post_name", "city");
        field(indent + 1, "country", "country");
    }
    void contacts(int indent) {
        if (!g.field("phone") && !g.field("email")) return;
        line(indent, "contacts:");
        for (const char* kind : {"phone", "email"})
            if (const Field* f = g.field(kind)) {
                line(indent + 1, "- when: " + quotedText(clean(*f) + ".exists()"));
                line(indent + 2, "kind: " + quotedText(constant(kind)));
                line(indent + 2, "value: " + quotedText(clean(*f)) + because(*f));
            }
    }
    void sexes() {
        const Field* f = g.field("sex");
        if (!f) return;
        line(0, "tables:");
        std::set<std::string> words(f->values.begin(), f->values.end());
        if (words.empty()) words = {"M", "F", "1", "2"};
        std::string rows;
        for (const std::string& w : words)
            if (std::string sex = sexOf(w, f->values); !sex.empty())
                rows += (rows.empty() ? "" : ", ") + ("\"" + w + "\": " + sex);
        line(1, "sex: {rows: {" + rows + "}, otherwise: unknown}  # guess");
    }

    void head(const std::string& entity) {
        line(1, "- record: " + entity);
        if (!sample.each.empty()) line(2, "each: " + quotedText(sample.each));
    }
    void person() {
        head("person");
        line(2, "key: " + quotedText(key(g.person_key)) +
                    (g.keys_complete
                         ? "  # guess"
                         : "  # guess: no field names the person in every record; a number of the person is better"));
        line(2, "version: {order: arrival}  # guess: the later file counts" +
                    (g.field("updated") ? ", or the time in field " + std::to_string(g.field("updated")->number)
                                        : std::string()));
        line(2, "partial: allow  # guess: a field that cannot be read is left out and noted, the record stays");
        line(2, "fields:");
        const std::size_t before = out.size();
        identifiers(3);
        names(3);
        field(3, "mother_birth_family", "mother_birth_family");
        field(3, "birth_date", "birth_date");
        field(3, "death_date", "death_date");
        if (const Field* f = g.field("sex"))
            line(3, "sex: {expr: " + quotedText(clean(*f)) + ", translate: sex}" + because(*f));
        for (auto [name, role] : {std::pair{"citizenships", "citizenship"}, std::pair{"languages", "language"}})
            if (const Field* f = g.field(role))
                line(3, std::string(name) + ": [" + quotedText(clean(*f)) + "]" + because(*f));
        address(3);
        contacts(3);
        if (out.size() == before) {
            line(3, "identifiers:");
            line(4, "value: " + quotedText(key(g.person_key)));
            line(4, "type: " + quotedText(constant("local")));
        }
    }
    void worker(int indent, bool phone) {
        if (!g.field("worker")) return;
        line(indent, "worker:");
        field(indent + 1, "name", "worker");
        if (phone) field(indent + 1, "phone", "worker_phone");
    }
    void second() {
        head(g.entity);
        line(2, "key: " + quotedText(key(g.row_key)) + "  # guess");
        line(2, "version: {order: arrival}");
        line(2, "subjects: [{entity: person, id: " + quotedText(key(g.person_key)) + "}]");
        line(2, "partial: allow");
        line(2, "fields:");
        const std::size_t before = out.size();
        if (g.entity == "involvement") {
            worker(3, true);
            std::string role;
            for (char c : id) role += c == '-' || c == '_' ? ' ' : c;
            line(3, "role: " + quotedText(constant(role)) + "  # guess: what this register does for the person");
            if (!g.field("worker")) field(3, "contact", "provider");
        }
        if (g.entity == "employment") {
            field(3, "employer", "employer");
            coded(3, "occupation", {"occupation"});
        }
        if (g.entity == "job_seeking") {
            coded(3, "category", {"category"});
            worker(3, true);
        }
        if (g.entity == "placement") {
            coded(3, "kind", {"placement_kind", "category"});
            coded(3, "legal_status", {"legal_status"});
            coded(3, "need", {"need"});
            coded(3, "provider", {"provider"});
        }
        if (g.entity == "encounter") {
            coded(3, "kind", {"category"});
            field(3, "service", "service");
            field(3, "location", "location");
            coded(3, "reason", {"reason"});
            worker(3, false);
        }
        field(3, "start", "start");
        field(3, "end", "end");
        if (g.entity == "involvement") field(3, "last_contact", "last_contact");
        if (g.entity != "involvement" && g.entity != "job_seeking" && g.entity != "encounter")
            field(3, "end_reason", "end_reason");
        if (out.size() == before) line(3, "{}");
    }
    /// Fields that the mapping reads: those whose path stands in it.
    void unread() {
        line(0, "# Still unread (no rule above takes these fields; delete the line or give each a place):");
        for (const Field& f : sample.fields) {
            if (out.find(f.path) != std::string::npos && g.uses(f) && written(f)) continue;
            std::string text = "#   " + std::to_string(f.number) + "  " + f.path;
            if (f.filled == 0 && !sample.described) text += "  empty";
            else if (auto date = g.dates.find(&f); date != g.dates.end()) text += "  dates as " + date->second;
            else if (!sample.described && share(f.values, isNumber) > 0.95) text += "  numbers";
            else text += "  text";
            if (!sample.described && f.filled)
                text += ", " + std::to_string(f.filled) + " filled, " + std::to_string(f.distinct) + " different";
            std::replace(text.begin(), text.end(), '\n', ' ');
            line(0, text);
        }
    }
    /// A role that this entity has no place for is not read, though guessed.
    bool written(const Field& f) const {
        const std::size_t emits = out.find("\nemit:");
        return emits != std::string::npos && out.find(quotedPart(f.path), emits) != std::string::npos;
    }
    static std::string quotedPart(const std::string& path) {
        std::string text = quotedText(path);
        return text.size() > 1 && text[0] == '"' ? text.substr(1, text.size() - 2) : text;
    }

    void model() {
        if (!sample.model.empty()) {
            line(1, "model: " + sample.model);
            return;
        }
        if (sample.format.kind != formats::Kind::csv) return;
        line(1, "model:");
        line(2, "columns:");
        for (const Field& f : sample.fields)
            line(3, quotedText(f.label) + ": " + (g.dates.count(&f) ? "date" : "text"));
    }
};

}  // namespace

std::string quotedText(std::string_view text) {
    static const std::string kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.()";
    static const std::set<std::string_view> kWords = {"yes", "no",  "on", "off", "true", "false", "null",
                                                      "y",   "n",   "~",  "Yes", "No",   "On",    "Off",
                                                      "NO",  "YES", "ON", "OFF", "Y",    "N"};
    const bool plain =
        !text.empty() && !kWords.count(text) && text.find_first_not_of(kPlain) == text.npos && text[0] != '.';
    if (plain) return std::string(text);
    std::string out = "\"";
    for (char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        if (c == '\n') out += "\\n";
        else if (c == '\t') out += "\\t";
        else if (c == '\r') out += "\\r";
        else out += c;
    }
    return out + "\"";
}

std::string mappingText(const std::string& id, const Sample& sample, const Guess& guess) {
    Writer w{sample, guess, id};
    w.line(0, sample.described
                  ? "# Made by `porta map new` from a schema: no record has been seen."
                  : "# Made by `porta map new` from a sample of " + std::to_string(sample.records) + " records.");
    w.line(0,
           "# What is marked `guess` is a guess: the number behind it is that of the field. Next: `porta map check`, "
           "`porta map run`.");
    w.line(0, "mapping: " + id);
    w.line(0, "input:");
    w.line(1, "format: " + std::string(nameOf(sample.format.kind)));
    if (sample.format.kind == formats::Kind::csv) {
        w.line(1, "delimiter: " + quotedText(std::string(1, sample.format.delimiter)) + "  # guess");
        w.line(1, "encoding: " + sample.format.encoding + "  # guess");
        if (sample.format.ragged) w.line(1, "ragged: true  # guess: rows leave out what is empty at their end");
        w.line(1, std::string("header: ") + (sample.format.header ? "true" : "false") + "  # guess");
    }
    w.model();
    w.sexes();
    w.line(0, "emit:");
    w.person();
    w.second();
    w.unread();
    return std::move(w.out);
}

}  // namespace porta::mapping
