#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/canonical_json.h"
#include "base/crypto.h"
#include "base/hash.h"
#include "synth/city.h"

namespace porta::synth {

namespace fs = std::filesystem;

void City::decisions() {
    std::map<std::string, std::vector<std::string>> keys;
    for (const auto& t : truth_) keys[t[3]].push_back(t[0] + "|" + t[1] + "|" + t[2]);
    auto fact = [&](const std::string& kind, const std::string& a, const std::string& b, int at) {
        std::string when = "2024-03-0" + std::to_string(1 + at % 9) + "T08:00:" + padded(fact_ % 60, 2) + "Z";
        std::string& file = files_["desk/decisions_000" + std::to_string(1 + fact_ % 3) + ".ndjson"];
        ++fact_;
        file += "{\"fact\":\"d-" + padded(fact_, 4) + "\",\"kind\":\"" + kind + "\",\"a\":\"" + a + "\",\"b\":\"" + b +
                "\",\"by\":\"steward\",\"reason\":\"seen together\",\"at\":\"" + when + "\"}\n";
        ++raw_;
        ++count_["decisions"];
    };
    for (const auto& [key, person] : unlinked_) {
        const auto& all = keys["P" + padded(std::strtoll(person.c_str(), nullptr, 10), 6)];
        for (const std::string& other : all)
            if (other != key && random_.chance(700)) {
                fact("same", std::min(key, other), std::max(key, other), static_cast<int>(fact_));
                break;
            }
    }
    for (std::size_t i = 1; i < people_.size(); i += 60) {
        const auto &a = keys["P" + padded(static_cast<std::int64_t>(i), 6)],
                   &b = keys["P" + padded(static_cast<std::int64_t>(i - 1), 6)];
        if (!a.empty() && !b.empty()) fact("different", std::min(a[0], b[0]), std::max(a[0], b[0]), 2);
    }
}

std::string City::sourceFile(const std::string& id, const std::string& agency, const std::string& domain,
                             const std::string& pattern, const std::string& format, const std::string& more) const {
    return "id: " + id + "\nkind: files\ntenant: comune-nord\n" +
           (agency.empty() ? "" : "agency: {id: " + id + ", name: \"" + agency + "\", domain: " + domain + "}\n") +
           "files: {path: ../feeds/" + id + ", pattern: \"" + pattern +
           "\", compression: auto, on_done: keep}\nformat: " + format + "\n" + more +
           "coverage: {area: [ITF33], from: 2015-01-01, who: residents}\nno_data_means: not known to this office "
           "since 2015\n";
}

Result<void> City::put(const std::string& name, const std::string& bytes) {
    const fs::path path = fs::path(wish_.out) / name;
    std::error_code error;
    fs::create_directories(path.parent_path(), error);
    std::ofstream out(path, std::ios::binary | std::ios::trunc);
    out << bytes;
    out.close();
    if (!out)
        return fail(Errc::unavailable, "a file cannot be written below --out; check its permissions and the disk",
                    "synth.write");
    return {};
}

Result<void> City::write() {
    for (auto part : {&City::writeFeeds, &City::writeConfiguration, &City::writeTruth, &City::writeManifest})
        if (auto r = (this->*part)(); !r) return r;
    return {};
}

Result<void> City::writeFeeds() {
    // The first hospital file again under another name: the same object.
    std::string again = files_["hospital/adt_" + kDays[0] + ".hl7"];
    files_["hospital/again_" + kDays[0] + ".hl7"] = again;
    for (std::size_t at = 0; (at = again.find("MSH|", at)) != std::string::npos; ++at) ++count_["duplicates"], ++raw_;
    for (const auto& [name, bytes] : files_)
        if (auto r = put("feeds/" + name, bytes); !r) return r;
    return {};
}

Result<void> City::writeConfiguration() {
    const std::string date = "object_time: {from: filename, pattern: \"_(\\\\d{8})\\\\.\"}\n";
    const std::string rome = "time_zone: Europe/Rome";
    std::map<std::string, std::string> sources{
        {"hospital",
         sourceFile("hospital", "Ospedale del Mare", "health", "*.hl7", "{kind: hl7v2, encoding: utf-8, " + rome + "}",
                    date + "feed: delta\nmapping: library:hl7v2-adt\nas_of: P60D\n")},
        {"unemployment",
         sourceFile(
             "unemployment", "Centro per l'impiego Nord", "employment", "*.csv",
             "{kind: csv, delimiter: \";\", encoding: windows-1252, header: true, dates: dd/MM/yyyy, " + rome + "}",
             date + "feed: full\nmapping: library:unemployment-register\nas_of: P60D\nlimits: {max_object_bytes: "
                    "1GiB, max_delete_share: 0.2}\n")},
        {"clinic",
         sourceFile("clinic", "Ambulatorio Nord", "health", "*.ndjson", "{kind: ndjson, dialect: fhir, time_zone: UTC}",
                    date + "feed: delta\nmapping: library:fhir-r4\nas_of: P90D\n")},
        {"contacts", sourceFile("contacts", "Servizi sociali", "social", "*.csv",
                                "{kind: csv, delimiter: \",\", encoding: utf-8, header: true, " + rome + "}",
                                "feed: delta\norder: arrival\nmapping: library:contacts\n")},
        {"care", sourceFile("care", "Tutela minori", "social", "*.csv",
                            "{kind: csv, delimiter: \",\", encoding: utf-8, header: true, dates: dd/MM/yyyy, "
                            "time_zone: Europe/London}",
                            date + "feed: delta\nmapping: [library:ssda903-header, library:ssda903-episodes]\n")},
        {"desk", sourceFile("desk", "", "other", "*.ndjson", "{kind: ndjson, time_zone: UTC}",
                            "feed: delta\nmapping: library:desk\n")}};
    for (const auto& [id, text] : sources)
        if (auto r = put("config/sources/" + id + ".yaml", text); !r) return r;
    if (auto r = put("config/porta.yaml",
                     "testing: true\nstate: ../state\nstore: {sqlite: {path: porta.db}}\nlog: embedded\nkeys: "
                     "{file: keys/key}\ntenants: [{id: comune-nord, name: Comune Nord}]\n");
        !r)
        return r;
    if (auto r =
            put("config/purposes.yaml",
                "purposes:\n  verification: {title: Verification of the gateway, legal_basis: \"GDPR Art. 6(1)(e)\", "
                "sections: all, sources: all}\n"
                "  care-coordination: {title: Care coordination, legal_basis: \"GDPR Art. 9(2)(h)\", sections: "
                "[identity, involved, encounters, work, placements, nothing, timeline], sources: [hospital, clinic, "
                "contacts, care, unemployment], recipients: [team-north]}\n"
                "  activation: {title: Activation, legal_basis: \"GDPR Art. 6(1)(e)\", sections: [identity, involved, "
                "work, nothing, timeline], sources: [unemployment, contacts]}\n"
                "users:\n  acceptance: {purposes: [verification], role: auditor}\n  anna: {purposes: "
                "[care-coordination], role: case-manager}\n  bruno: {purposes: [activation], role: job-counsellor}\n");
        !r)
        return r;
    Key key = randomKey();
    if (auto r = put("config/keys/key", hex(key.data(), key.size()) + "\n"); !r) return r;
    ::chmod((fs::path(wish_.out) / "config/keys/key").c_str(), 0600);
    return {};
}

Result<void> City::writeTruth() {
    std::string truth = "source,entity,local_id,person\n";
    for (const auto& t : truth_) truth += t[0] + "," + t[1] + "," + t[2] + "," + t[3] + "\n";
    if (auto r = put("truth.csv", truth); !r) return r;
    std::string facts;
    for (const Person& p : people_) {
        Json f = Json::object();
        f["person"] = "P" + padded(p.no, 6);
        f["deleted"] = !p.alive_record;
        f["involved"] = Json::array();
        for (const std::string& s : p.involved) f["involved"].push(s);
        f["birth_date"] = p.iso();
        // The contact list says nothing of sex.
        bool stated = p.involved.size() > p.involved.count("contacts");
        f["sex"] = stated ? Json(p.male ? "male" : "female") : Json();
        f["conflicts"] = p.conflicts;
        f["encounters"] = p.encounters;
        f["encounters_open"] = p.open;
        f["conditions"] = p.conditions;
        f["work"] = p.work;
        f["placements"] = p.placements;
        facts += print(f) + "\n";
    }
    return put("facts.ndjson", facts);
}

Result<void> City::writeManifest() {
    Json m = Json::object();
    m["as_of"] = "2024-04-05T12:00:00Z";
    m["people"] = wish_.people;
    m["raw"] = raw_;
    m["multi_version_keys"] = static_cast<std::int64_t>(multi_.size());
    for (const char* k : {"patches", "deletes", "deletes_before_create", "merges", "unmerges", "cancels",
                          "equal_version_conflicts", "decisions", "duplicates", "poisoned", "wrong_charset",
                          "ids_missing", "ids_of_relatives", "unchanged_snapshot_again"})
        m[k] = count_[k];
    m["arrival"] = Json::array();
    m["arrival"].push("contacts");
    m["marked_names"] = Json::array();
    for (const std::string& n : marked_)
        if (n.size() >= 8) m["marked_names"].push(n);
    return put("manifest.json", print(m) + "\n");
}

}  // namespace porta::synth
