#include "mapping/scaffold/scaffold.h"

#include <algorithm>
#include <filesystem>

#include "mapping/scaffold/forms.h"

namespace porta::mapping {

namespace {

namespace fs = std::filesystem;

/// Letters and digits of the file's name, without the date that many names end with.
std::string idOf(const std::string& path) {
    std::string stem = fs::path(path).filename().string();
    stem = stem.substr(0, stem.find('.'));
    std::string id;
    for (const std::string& word : wordsOf(stem)) {
        std::string plain;
        for (char c : word)
            if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) plain += c;
        const bool number = plain.find_first_not_of("0123456789") == plain.npos;
        if (!plain.empty() && !number) id += (id.empty() ? "" : "-") + plain;
    }
    return id.empty() ? "register" : id.substr(0, 60);
}

/// The file's name as a pattern of names; patterns are separated by blanks, so each of those is any character.
std::string patternOf(const std::string& path) {
    std::string name = fs::path(path).filename().string();
    for (char& c : name)
        if (c == ' ' || c == '*' || c == '[' || c == ']' || c == '"' || c == '\\') c = '?';
    return name;
}

std::string sourceText(const Scaffold& s, const Sample& sample, const std::string& path, const std::string& mapping,
                       const std::string& entity) {
    const std::string domain = entity == "job_seeking" || entity == "employment" ? "employment"
                               : entity == "encounter" || entity.empty()         ? "health"
                                                                                 : "social";
    std::string out = "# Made by `porta map new`: every line is a guess until the office has confirmed it.\n";
    out += "id: " + s.id + "\nkind: files\ntenant: local\n";
    out += "agency: {id: " + s.id + ", name: " + quotedText(s.id) + ", domain: " + domain + "}  # guess\n";
    const fs::path folder = fs::path(path).parent_path();
    out += "files: {path: " + quotedText(folder.string()) + ", pattern: " + quotedText(patternOf(path)) +
           ", compression: auto, on_done: keep}  # guess: this file alone; name_*.csv would take those to come\n";
    out += "format: {kind: " + std::string(nameOf(sample.format.kind));
    if (sample.format.kind == formats::Kind::csv)
        out += ", delimiter: " + quotedText(std::string(1, sample.format.delimiter)) +
               ", encoding: " + sample.format.encoding + ", header: " + (sample.format.header ? "true" : "false") +
               (sample.format.ragged ? ", ragged: true" : "");
    if (sample.format.fhir) out += ", dialect: fhir";
    out += ", time_zone: Europe/Rome}  # guess\n";
    out +=
        "feed: delta  # guess: a full export says `full`, with the time of each file in `object_time`\norder: "
        "arrival\n";
    out += "mapping: " + mapping + "\n";
    out += "coverage: {from: 1900-01-01, who: people of this register}  # guess: who is in it, since when\n";
    out += "no_data_means: not in this register  # guess\n";
    return out;
}

const char* const kPorta =
    "# Made by `porta map new`; state and keys stay inside this directory until they are given places of their own.\n"
    "state: state\nstore: {sqlite: {path: porta.db}}\nlog: embedded\n"
    "keys: {file: keys/key}  # whoever loses it loses the records: keep it elsewhere than the state\n"
    "tenants: [{id: local, name: Local}]\n";
const char* const kPurposes =
    "# Made by `porta map new`: who may see what, and why. Everything here is a guess.\n"
    "purposes:\n"
    "  care-coordination:\n"
    "    title: Care coordination\n"
    "    legal_basis: \"GDPR Art. 9(2)(h)\"  # guess\n"
    "    sections: all\n"
    "    sources: all\n"
    "  verification:\n"
    "    title: Verification of the gateway\n"
    "    legal_basis: \"GDPR Art. 6(1)(e)\"  # guess\n"
    "    sections: all\n"
    "    sources: all\n"
    "users:\n"
    "  admin: {purposes: [care-coordination, verification], role: case-manager}  # guess: replace by the people who "
    "work here\n";

/// Messages of which only the person is read, beside the library's mapping for those it knows.
std::string hl7Text(const std::string& id, const Sample& sample) {
    std::string kinds;
    for (const std::string& kind : sample.kinds) kinds += " " + kind;
    return "# Made by `porta map new` from a sample of " + std::to_string(sample.records) + " messages:" + kinds +
           "\n"
           "# Takes the person from messages that `library:hl7v2-adt` leaves; the segments behind PID are still "
           "unread.\n"
           "mapping: " +
           id +
           "\n"
           "input:\n"
           "  format: hl7v2\n"
           "  model: {hl7v2: [2.3.1, 2.5.1, 2.8]}\n"
           "  when: PID.exists()\n"
           "tables:\n"
           "  sex: {rows: {M: male, F: female, O: other, U: unknown, A: other, \"N\": other}, otherwise: unknown}\n"
           "emit:\n"
           "  - record: person\n"
           "    key: \"iif(PID.first().f3.c1.exists(), PID.first().f3.c1.first(), PID.first().f2.c1.first())\"\n"
           "    version: {expr: MSH.f7, order: instant}\n"
           "    op: patch\n"
           "    partial: allow\n"
           "    fields:\n"
           "      names: {each: PID.first().f5, family: c1.s1, given: [c2, c3]}\n"
           "      birth_date: {expr: PID.first().f7, onMany: first}\n"
           "      sex: {expr: PID.first().f8, translate: sex, onMany: first}\n"
           "      addresses: {each: PID.first().f11, thoroughfare: c1.s1, post_name: c3, post_code: c5, country: c6}\n";
}

}  // namespace

Result<Scaffold> scaffold(const std::string& path, std::string_view bytes, const Hints& hints, std::string id) {
    auto sample = readSample(path, bytes, hints);
    if (!sample) return sample.error();
    Scaffold s;
    s.id = id.empty() ? idOf(path) : id;
    s.format = sample->format;
    s.records = sample->records;
    s.broken = sample->broken;
    s.fields = sample->fields.size();
    s.files["porta.yaml"] = kPorta;
    s.files["purposes.yaml"] = kPurposes;
    std::string own = "mappings/" + s.id + ".yaml", mapping = own, entity;
    if (sample->format.fhir) {
        mapping = "library:fhir-r4";
    } else if (sample->format.kind == formats::Kind::hl7v2) {
        s.files[own] = hl7Text(s.id, *sample);
        s.mapping = own;
        mapping = "[library:hl7v2-adt, ../" + own + "]";
    } else {
        const Guess g = guess(*sample, fs::path(path).filename().string());
        if (sample->described) {
            // The schema goes along; one that leads to others stays where they are.
            const bool alone = bytes.find("schemaLocation") == bytes.npos;
            const std::string schema = fs::path(path).filename().string();
            if (alone) s.files["mappings/" + schema] = bytes;
            sample->model = (sample->format.kind == formats::Kind::xml ? "{xsd: " : "{json_schema: ") +
                            quotedText(alone ? schema : path) + "}";
        }
        entity = g.entity;
        for (const Field& f : sample->fields) s.used += g.uses(f) ? 1 : 0;
        s.files[own] = mappingText(s.id, *sample, g);
        s.mapping = own;
        mapping = "../" + own;
    }
    s.files["sources/" + s.id + ".yaml"] = sourceText(s, *sample, path, mapping, entity);
    return s;
}

}  // namespace porta::mapping
