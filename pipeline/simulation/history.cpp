#include "pipeline/simulation/history.h"

#include "base/hash.h"
#include "pipeline/simulation/dice.h"

namespace porta::pipeline::simulation {

namespace {

struct Invented {
    const char *family, *given, *birth, *sex, *code;  ///< birth: yyyymmdd
};
/// The numbers are well formed for these names and dates; the people do not exist.
constexpr Invented kPeople[] = {
    {"Zxzorvattigi", "Niccola", "19610103", "F", "ZXZNCL61A43F839S"},
    {"Gallo", "Teresa", "20080725", "F", "GLLTRS08L65F839Z"},
    {"Mariani", "Pietro", "19490819", "M", "MRNPTR49M19A783J"},
    {"Nicoli", "Rosa", "19450812", "F", "NCLRSO45M52H703M"},
    {"Rossi", "Nicolo", "19970606", "M", "RSSNCL97H06F839T"},
    {"Rizzo", "Paolo", "19611210", "M", "RZZPLA61T10B963M"},
    {"Nicoli", "Paola", "20060905", "F", "NCLPLA06P45B963D"},
};
constexpr int kKnown = static_cast<int>(sizeof kPeople / sizeof kPeople[0]);
constexpr const char* kDays[] = {"20240301", "20240308", "20240315"};
constexpr int kFiles = 5;  ///< of the hospital

std::string two(int n) { return std::string(n < 10 ? "0" : "") + std::to_string(n); }

class Town {
public:
    explicit Town(std::uint64_t seed) : dice_(mix(seed ^ 0x706f727461ull)) {}

    History build() {
        people_ = 5 + dice_.below(2);
        for (int i = 0; i < people_; ++i) hospital(i);
        wrongMerge();
        for (int i = 0; i < people_; ++i)
            if (dice_.chance(35)) clinic(i);
        for (int i = 0; i < people_; ++i)
            if (dice_.chance(30)) contact(i);
        collect();
        registers();
        decisions();
        for (std::size_t i = 0; i < all_.size(); ++i) all_[i].no = static_cast<int>(i);
        return std::move(all_);
    }

private:
    Dice dice_;
    int people_ = 0, second_ = 0, visit_ = 0, resource_ = 0, fact_ = 0;
    History all_;
    std::vector<std::string> adt_[kFiles], contacts_[2];
    std::vector<std::vector<std::string>> pushed_;

    static std::string hospitalId(int i) { return "H" + std::to_string(7000 + i); }
    /// Moments of one story never repeat but where that is meant.
    std::string moment() {
        ++second_;
        return "202402" + two(1 + second_ / 60 % 28) + "10" + two(second_ % 60) + "00";
    }

    void message(const std::string& event, const std::string& when, const std::string& rest, const char* type = "ADT") {
        adt_[dice_.below(kFiles)].push_back(
            std::string("MSH|^~\\&|HIS|OSPEDALE|PORTA|COMUNE|") + when + "||" + type + "^" + event + "|M" +
            std::to_string(second_) + "|P|2.5||||||UNICODE UTF-8\rEVN|" + event + "|" + when + "\r" + rest + "\r\n");
    }
    static std::string pid(const std::string& id, const Invented* p, bool code, const std::string& rest = {}) {
        std::string ids = id + "^^^HOSP^MR" + (p && code ? std::string("~") + p->code + "^^^IT^NNITA" : "");
        return "PID|1||" + ids + "||" +
               (p ? std::string(p->family) + "^" + p->given + "||" + p->birth + "|" + p->sex : "|||") + rest + "\r";
    }
    static std::string visit(const std::string& number, const std::string& start, const std::string& end) {
        return "PV1|1|I|WARD^1||||W1^Verdi Carla|||MED|||||||||" + number + std::string(25, '|') + start + "|" + end +
               "\r";
    }

    void hospital(int i) {
        const Invented& p = kPeople[i];
        const std::string id = hospitalId(i);
        const bool code = !dice_.chance(25);
        message("A28", moment(), pid(id, &p, code));
        if (dice_.chance(40))
            message("A08", moment(),
                    pid(id, &p, code, "|||Via Nuova " + std::to_string(second_) + "^^Salerno^^84100^IT"));
        if (dice_.chance(25)) {
            // Two corrections of one moment that disagree: neither may win by coming first.
            const std::string when = moment();
            for (int n = 1; n <= 2; ++n)
                message("A31", when, pid(id, &p, code, "|||Via Incerta " + std::to_string(n) + "^^Napoli^^80100^IT"));
        }
        if (dice_.chance(50)) {
            const std::string number = "V" + std::to_string(4000 + ++visit_), start = moment();
            message("A01", start, pid(id, &p, code) + visit(number, start, ""));
            if (dice_.chance(60)) {
                const std::string end = moment();
                message("A03", end, pid(id, &p, code) + visit(number, "", end));
                if (dice_.chance(50)) message("A13", moment(), pid(id, &p, code) + visit(number, "", ""));
            }
            if (dice_.chance(15)) message("A11", moment(), pid(id, &p, code) + visit(number, "", ""));
            else if (dice_.chance(15)) message("A23", moment(), pid(id, &p, code) + visit(number, "", ""));
        }
        if (dice_.chance(20)) {
            // Registered twice, and found out.
            const std::string other = "H" + std::to_string(7100 + i);
            message("A28", moment(), pid(other, &p, false));
            message("A40", moment(), pid(id, &p, code) + "MRG|" + other + "^^^HOSP^MR\r");
        }
        if (dice_.chance(12)) message("A29", moment(), pid(id, nullptr, false));
        if (dice_.chance(10)) message("R01", moment(), pid(id, nullptr, false) + "OBX|1|ST|X||n\r", "ORU");
        if (dice_.chance(10)) message("A08", moment(), "PID|1||" + id + "^^^HOSP^MR||||not-a-day\r");
        if (dice_.chance(8)) message("A08", moment(), "PID|1||" + id + "^^^HOSP^MR||Rov\xF2^X\r");
    }

    /// Two people are taken for one, and mostly told apart again: the one's id has to come back.
    void wrongMerge() {
        if (dice_.chance(25)) return;
        const int a = dice_.below(people_), b = (a + 1 + dice_.below(people_ - 1)) % people_;
        const std::string pair = pid(hospitalId(a), &kPeople[a], false) + "PID|2||" + hospitalId(b) + "^^^HOSP^MR\r";
        const std::string merged = moment(), parted = moment();
        message("A24", merged, pair);
        if (dice_.chance(80)) message("A37", parted, pair);
    }

    static std::string iso(const Invented& p) {
        std::string b = p.birth;
        return b.substr(0, 4) + "-" + b.substr(4, 2) + "-" + b.substr(6, 2);
    }

    void clinic(int i) {
        const Invented& p = kPeople[i];
        const std::string id = "pat-" + std::to_string(5000 + i);
        auto patient = [&](int day) {
            return "{\"resourceType\":\"Patient\",\"id\":\"" + id + "\",\"meta\":{\"lastUpdated\":\"2024-02-" +
                   two(day) +
                   "T10:00:00Z\"},\"identifier\":[{\"system\":\"urn:oid:2.16.840.1.113883.2.9.4.3.2\",\"value\":\"" +
                   p.code + "\"}],\"name\":[{\"family\":\"" + p.family + "\",\"given\":[\"" + p.given +
                   "\"]}],\"gender\":\"" + (*p.sex == 'M' ? "male" : "female") + "\",\"birthDate\":\"" + iso(p) +
                   "\",\"telecom\":[{\"system\":\"phone\",\"value\":\"333000" + two(day) + "\"}]}\n";
        };
        pushed_.push_back({patient(1)});
        if (dice_.chance(30)) pushed_.push_back({patient(9)});
        const std::string about = "\"subject\":{\"reference\":\"Patient/" + id + "\"},";
        if (dice_.chance(50))
            pushed_.back().push_back(
                "{\"resourceType\":\"Condition\",\"id\":\"con-" + std::to_string(++resource_) +
                "\",\"meta\":{\"lastUpdated\":\"2024-02-12T09:00:00Z\"}," + about +
                "\"code\":{\"coding\":[{\"system\":\"http://snomed.info/sct\",\"code\":\"38341003\"}]},"
                "\"onsetDateTime\":\"2023-05-01\"}\n");
        if (dice_.chance(20)) pushed_.back().push_back("{\"resourceType\":\"Patient\",\"id\":\n");
    }

    void contact(int i) {
        const Invented& p = kPeople[i];
        for (int file = dice_.below(2); file < 2; ++file)
            contacts_[file].push_back("CL" + std::to_string(9000 + i) + "," + p.family + "," + p.given + "," + iso(p) +
                                      "," + p.code + ",Verdi Carla,08155" + std::to_string(file) + ",2024-02-" +
                                      two(10 + file) + "\n");
    }

    void collect() {
        for (int f = 0; f < kFiles; ++f)
            if (!adt_[f].empty())
                all_.push_back(
                    {"hospital", "adt" + std::to_string(f) + "_20240301.hl7", "", adt_[f], false, false, "2024-03-01"});
        // The first again under another name: the same object.
        if (dice_.chance(40)) {
            Sending again = all_.front();
            again.path = "again_20240301.hl7";
            all_.push_back(std::move(again));
        }
        for (std::size_t i = 0; i < pushed_.size(); ++i)
            all_.push_back({"clinic", "delivery-" + std::to_string(i), "", pushed_[i], true, false, ""});
        for (int f = 0; f < 2; ++f)
            if (!contacts_[f].empty())
                all_.push_back({"contacts", "000" + std::to_string(f + 1) + ".csv",
                                "client_id,surname,name,birth_date,tax_code,worker,phone,last_contact\n", contacts_[f],
                                false, true, ""});
    }

    void registers() {
        const int gone = dice_.below(people_ + 3), unknown = dice_.below(people_ + 6);
        std::vector<int> rows;
        for (int i = 0; i < people_; ++i)
            if (dice_.chance(70)) rows.push_back(i);
        const int last = 1 + dice_.below(3);
        for (int day = 0; day < last; ++day) {
            Sending s{
                "unemployment",
                "register_" + std::string(kDays[day]) + ".csv",
                "id_iscrizione;codice_fiscale;cognome;nome;data_nascita;sesso;comune;data_iscrizione;data_cessazione;"
                "categoria;operatore\r\n",
                {},
                false,
                false,
                std::string("2024-03-") + (kDays[day] + 6)};
            for (int i : rows) {
                if (i == gone && day == 1) continue;
                const Invented& p = kPeople[i];
                const std::string b = p.birth;
                s.rows.push_back("NR" + std::to_string(3000 + i) + ";" + p.code + ";" + p.family + ";" + p.given + ";" +
                                 b.substr(6, 2) + "/" + b.substr(4, 2) + "/" + b.substr(0, 4) + ";" + p.sex +
                                 ";Napoli;01/03/2023;;" + (i == unknown && day == 1 ? "X99" : "D01") + ";Neri Ugo\r\n");
            }
            if (day == 2 && dice_.chance(25)) s.rows.resize(s.rows.size() / 3);  // drops more than it may
            if (dice_.chance(8)) s.rows.push_back(";;row;of;the wrong width\r\n");
            if (!s.rows.empty()) all_.push_back(std::move(s));
        }
        if (last == 3 && dice_.chance(30)) confirm_ = hex(sha256(all_.back().bytes()));
    }

    std::string confirm_;

    void decisions() {
        auto fact = [&](const std::string& kind, const std::string& more, int minute) {
            ++fact_;
            all_.push_back({"desk",
                            "decision-" + std::to_string(fact_) + ".ndjson",
                            "",
                            {"{\"fact\":\"d-" + std::to_string(fact_) + "\",\"kind\":\"" + kind + "\"," + more +
                             "\"by\":\"steward\",\"reason\":\"seen together\",\"at\":\"2024-03-01T08:" + two(minute) +
                             ":00Z\"}\n"},
                            dice_.chance(50),
                            false,
                            ""});
        };
        for (int n = dice_.below(3); n > 0; --n) {
            const int i = dice_.below(people_), j = dice_.below(people_);
            std::string a = "hospital|person|" + hospitalId(i);
            std::string b = dice_.chance(50) && i != j ? "hospital|person|" + hospitalId(j)
                                                       : "unemployment|person|NR" + std::to_string(3000 + j);
            const std::string pair = "\"a\":\"" + std::min(a, b) + "\",\"b\":\"" + std::max(a, b) + "\",";
            fact(i == j || dice_.chance(60) ? "same" : "different", pair, n * 3);
            if (dice_.chance(50)) fact("withdraw", pair, n * 3 + 1);
        }
        if (!confirm_.empty()) fact("confirm", "\"object\":\"" + confirm_ + "\",", 30);
    }
};

}  // namespace

std::string Sending::bytes() const {
    std::string out = head;
    for (const std::string& row : rows) out += row;
    return out;
}

History invent(std::uint64_t seed) { return Town(seed).build(); }

std::size_t rowsOf(const History& history) {
    std::size_t n = 0;
    for (const Sending& s : history) n += s.rows.size();
    return n;
}

std::string describe(const History& history) {
    std::string out;
    for (const Sending& s : history) {
        out += "  " + s.source + " " + s.path + (s.pushed ? " (pushed)" : "") + "\n";
        for (const std::string& row : s.rows) {
            out += "    ";
            for (char c : row)
                if (c == '\r') out += " / ";
                else if (c != '\n') out += static_cast<unsigned char>(c) < 0x80 ? c : '?';
            out += "\n";
        }
    }
    return out;
}

std::map<std::string, std::string> townConfiguration() {
    auto source = [](const std::string& id, const std::string& domain, const std::string& format,
                     const std::string& more) {
        return "id: " + id + "\nkind: files\ntenant: town\nagency: {id: " + id + ", name: " + id +
               " office, domain: " + domain + "}\nfiles: {path: ../feeds/" + id +
               ", pattern: \"*\", compression: auto, on_done: keep}\nformat: " + format + "\n" + more +
               "coverage: {from: 2015-01-01, who: residents}\nno_data_means: not known here\n";
    };
    const std::string date = "object_time: {from: filename, pattern: \"_(\\\\d{8})\\\\.\"}\n";
    return {
        {"porta.yaml",
         "testing: true\nstate: ../state\nstore: {sqlite: {path: porta.db}}\nlog: embedded\nkeys: {file: "
         "keys/key}\ntenants: [{id: town, name: Town}]\n"},
        {"purposes.yaml", std::string("purposes:\n  ") + kWholePurpose +
                              ": {legal_basis: simulation, sections: all, sources: all}\n  " + kLimitedPurpose +
                              ": {legal_basis: simulation, sections: all, sources: [contacts, hospital, unemployment], "
                              "recipients: [team]}\nusers: {}\n"},
        {"sources/hospital.yaml", source("hospital", "health", "{kind: hl7v2, encoding: utf-8, time_zone: Europe/Rome}",
                                         date + "feed: delta\nmapping: library:hl7v2-adt\nas_of: P60D\n")},
        {"sources/unemployment.yaml",
         source("unemployment", "employment",
                "{kind: csv, delimiter: \";\", encoding: windows-1252, header: true, dates: dd/MM/yyyy, time_zone: "
                "Europe/Rome}",
                date + "feed: full\nmapping: library:unemployment-register\nlimits: {max_object_bytes: 1GiB, "
                       "max_delete_share: 0.5}\n")},
        {"sources/clinic.yaml", source("clinic", "health", "{kind: ndjson, dialect: fhir, time_zone: UTC}",
                                       "feed: delta\nmapping: library:fhir-r4\n")},
        {"sources/contacts.yaml",
         source("contacts", "social",
                "{kind: csv, delimiter: \",\", encoding: utf-8, header: true, time_zone: Europe/Rome}",
                "feed: delta\norder: arrival\nmapping: library:contacts\n")},
        {"sources/desk.yaml",
         "id: desk\nkind: files\ntenant: town\nfiles: {path: ../feeds/desk, pattern: \"*\", compression: auto, "
         "on_done: "
         "keep}\nformat: {kind: ndjson, time_zone: UTC}\nfeed: delta\nmapping: library:desk\ncoverage: {from: "
         "2015-01-01, "
         "who: residents}\nno_data_means: nothing was decided\n"},
    };
}

}  // namespace porta::pipeline::simulation
