#include "synth/municipality.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>

#include "base/canonical_json.h"
#include "base/crypto.h"
#include "base/hash.h"
#include "synth/codice_fiscale.h"
#include "synth/random.h"

namespace porta::synth {

namespace fs = std::filesystem;

namespace {

const std::vector<std::string> kFamilies{
    "Rossi",    "Russo",   "Ferrari", "Esposito", "Bianchi", "Romano",   "Colombo", "Ricci", "Marino",   "Greco",
    "Bruno",    "Gallo",   "Conti",   "De Luca",  "Costa",   "Giordano", "Mancini", "Rizzo", "Lombardi", "Moretti",
    "Barbieri", "Fontana", "Santoro", "Mariani",  "Rinaldi", "Caruso",   "Niccolò", "Forlì", "D'Angelo", "Nicolì"};
const std::vector<std::string> kMale{"Marco",  "Giuseppe", "Antonio", "Luca",   "Mario",     "Francesco",
                                     "Andrea", "Paolo",    "Nicolò",  "Davide", "Salvatore", "Pietro"};
const std::vector<std::string> kFemale{"Maria",  "Anna",  "Giulia",  "Rosa",   "Lucia", "Elena",
                                       "Chiara", "Sofia", "Niccolà", "Teresa", "Paola", "Sara"};
const std::vector<std::string> kPlaces{"F839", "A509", "B963", "H703", "A783"};
const std::vector<std::string> kWorkers{"Verdi Carla", "Neri Ugo", "Fabbri Ines", "Testa Livio", "Sala Nora"};
const std::vector<std::string> kCategories{"D01", "D02", "D03", "D04"};
/// A drop a week; the last one repeats an earlier register.
const std::vector<std::string> kDays{"20240301", "20240308", "20240315", "20240322", "20240329", "20240405"};
constexpr int kDrops = 5;

std::string padded(std::int64_t n, std::size_t width) {
    std::string t = std::to_string(n);
    return t.size() < width ? std::string(width - t.size(), '0') + t : t;
}

std::string plain(const std::string& text) {
    static const std::pair<const char*, const char*> folded[] = {{"ò", "o"}, {"ì", "i"}, {"à", "a"}};
    std::string out = text;
    for (const auto& [from, to] : folded)
        for (std::size_t at; (at = out.find(from)) != std::string::npos;) out.replace(at, 2, to);
    return out;
}

std::string latin1(const std::string& text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        auto c = static_cast<unsigned char>(text[i]);
        if (c < 0x80) out += text[i];
        else out += static_cast<char>(((c & 0x1f) << 6) | (static_cast<unsigned char>(text[++i]) & 0x3f));
    }
    return out;
}

struct Person {
    int no = 0;
    std::string family, given, code;
    int year = 0, month = 0, day = 0;
    bool male = false;
    std::string iso() const { return std::to_string(year) + "-" + padded(month, 2) + "-" + padded(day, 2); }
    std::string compact() const { return std::to_string(year) + padded(month, 2) + padded(day, 2); }
    std::string slashed() const { return padded(day, 2) + "/" + padded(month, 2) + "/" + std::to_string(year); }
    // What the generator knows of the person's end state.
    std::set<std::string> involved;
    int conflicts = 0, encounters = 0, open = 0, conditions = 0, work = 0, placements = 0;
    bool alive_record = false;
};

/// One municipality in the making: files grow in memory, counts beside them.
class City {
public:
    explicit City(const Wish& wish) : wish_(wish), random_(wish.seed * 7919 + 17) {}

    Result<void> build() {
        people();
        for (Person& p : people_) {
            bool child = p.year >= 2008;
            bool any = false;
            if (has(p, 650, -1) || (p.no % 40 >= 1 && p.no % 40 <= 6)) hospital(p), any = true;
            if (!child && random_.chance(550)) registerRow(p), any = true;
            if (has(p, 400, 8)) clinic(p), any = true;
            if (random_.chance(200)) contact(p), any = true;
            if (child && random_.chance(300)) care(p);
            if (!any) clinic(p);
        }
        registers();
        decisions();
        return write();
    }

private:
    const Wish& wish_;
    Random random_;
    std::vector<Person> people_;
    std::map<std::string, std::string> files_;  ///< path below feeds/ → bytes
    std::vector<std::array<std::string, 4>> truth_;
    std::map<std::string, std::int64_t> count_;
    std::vector<std::string> marked_;
    std::set<std::string> multi_;
    std::int64_t raw_ = 0, visit_ = 0, fact_ = 0, control_ = 0;
    std::vector<std::pair<std::string, std::string>>
        unlinked_;  ///< records of one person that only a decision can join
    struct RegisterRow {
        Person* person;
        std::string id, category;
        int from = 0, to = 99;  ///< first drop present, first drop absent
        bool unknown_category = false, broken_bytes = false, missing_code = false, ended = false;
    };
    std::vector<RegisterRow> rows_;

    void truth(const std::string& source, const std::string& id, const Person& p) {
        truth_.push_back({source, "person", id, "P" + padded(p.no, 6)});
    }

    void people() {
        static const char* const syllables[] = {"zor", "vat", "tig", "lian", "quer", "bost", "wex", "juk"};
        for (std::int64_t i = 0; i < wish_.people; ++i) {
            Person p;
            p.no = static_cast<int>(i);
            p.male = random_.chance(500);
            p.family = random_.pick(kFamilies);
            if (i % 25 == 0) {
                std::string unique = "Zx";
                for (std::int64_t k = i / 25, n = 0; n < 3; ++n, k /= 8) unique += syllables[(k + n) % 8];
                unique += padded(i, 1).back() % 2 ? "o" : "i";
                if (std::find(marked_.begin(), marked_.end(), unique) == marked_.end()) marked_.push_back(unique);
                p.family = unique;
            }
            p.given = random_.pick(p.male ? kMale : kFemale);
            p.year = 1930 + random_.below(92);
            p.month = 1 + random_.below(12);
            p.day = 1 + random_.below(28);
            p.code =
                codiceFiscale(plain(p.family), plain(p.given), p.year, p.month, p.day, p.male, random_.pick(kPlaces));
            people_.push_back(std::move(p));
        }
        // Two people with one code do not exist; a second one moves to another place of birth.
        std::set<std::string> codes;
        for (Person& p : people_)
            for (int place = 0; !codes.insert(p.code).second && place < 400; ++place)
                p.code = codiceFiscale(plain(p.family), plain(p.given), p.year, p.month, p.day, p.male,
                                       "F" + padded(100 + place, 3));
    }

    void message(int drop, const std::string& text) {
        files_["hospital/adt_" + kDays[static_cast<std::size_t>(drop)] + ".hl7"] += text + "\r\n";
        ++raw_;
    }

    /// The k-th moment of a person's story: seconds never repeat within a person but where that is meant.
    static std::string moment(int k) { return "202402" + padded(1 + k / 20, 2) + padded(k % 20, 2) + "1500"; }

    std::string header(const std::string& event, const std::string& when, const char* type = "ADT") {
        return std::string("MSH|^~\\&|HIS|OSPEDALE|PORTA|COMUNE|") + when + "||" + type + "^" + event + "|M" +
               padded(++control_, 8) + "|P|2.5||||||UNICODE UTF-8\rEVN|" + event + "|" + when + "\r";
    }
    static std::string pid(const std::string& id, const Person& p, bool with_code, const std::string& rest = {}) {
        std::string ids = id + "^^^HOSP^MR" + (with_code ? "~" + p.code + "^^^IT^NNITA" : "");
        return "PID|1||" + ids + "||" + p.family + "^" + p.given + "||" + p.compact() + "|" + (p.male ? "M" : "F") +
               rest + "\r";
    }
    /// A patch that says nothing of the person but the identifiers, which replace each other as a set, and `rest` (PID-8 on).
    static std::string shortPid(const std::string& id, const Person& p, bool with_code, const std::string& rest = {}) {
        return "PID|1||" + id + "^^^HOSP^MR" + (with_code ? "~" + p.code + "^^^IT^NNITA" : "") + "|||||" + rest + "\r";
    }
    /// What a municipality must have however small it is: one person in forty has it for certain, others by chance.
    bool has(const Person& p, int per_mille, int slot) { return random_.chance(per_mille) || p.no % 40 == slot; }
    std::string visit(const std::string& id, const std::string& start, const std::string& end) {
        std::string pv1 = "PV1|1|I|WARD^" + std::to_string(1 + random_.below(9)) + "||||" + "W" +
                          std::to_string(random_.below(5)) + "^" + random_.pick(kWorkers) + "|||MED|||||||||" + id;
        pv1 += std::string(25, '|') + start + "|" + end;
        return pv1 + "\r";
    }

    void hospital(Person& p) {
        std::string id = "H" + padded(70000000 + p.no * 2, 8);
        bool with_code = !random_.chance(60);
        if (!with_code) ++count_["ids_missing"];
        truth("hospital", id, p);
        int create_drop = p.no % 40 == 4 ? 1 + random_.below(kDrops - 1) : random_.below(kDrops);
        int k = 0;
        bool deleted = false;
        message(create_drop, header("A28", moment(k)) +
                                 pid(id, p, with_code,
                                     "|||Via " + random_.pick(kFamilies) + " " + std::to_string(1 + random_.below(99)) +
                                         "^^Napoli^^80100^IT||081" + padded(random_.below(1000000), 6)));
        if (random_.chance(350)) {
            message(random_.below(kDrops),
                    header("A08", moment(++k)) +
                        shortPid(id, p, with_code,
                                 "|||Via Nuova " + std::to_string(1 + random_.below(99)) + "^^Salerno^^84100^IT"));
            ++count_["patches"];
            multi_.insert("hospital|person|" + id);
        }
        if (random_.chance(120)) {
            message(random_.below(kDrops), header("A31", moment(++k)) + shortPid(id, p, with_code, "|||||\"\""));
            ++count_["patches"];
            multi_.insert("hospital|person|" + id);
        }
        if (has(p, 30, 1)) {
            ++k;
            for (int n = 0; n < 2; ++n)
                message(random_.below(kDrops),
                        header("A31", moment(k)) +
                            shortPid(id, p, with_code, std::string(21, '|') + "2024010" + std::to_string(1 + n)));
            ++count_["equal_version_conflicts"];
            ++p.conflicts;
            multi_.insert("hospital|person|" + id);
        }
        int encounters = 0, open = 0;
        for (int v = random_.below(3); v > 0; --v) {
            std::string number = "V" + padded(40000000 + ++visit_, 8);
            std::string start = moment(++k);
            int drop = random_.below(kDrops);
            message(drop, header("A01", start) + shortPid(id, p, with_code) + visit(number, start, ""));
            bool closed = false, gone = false;
            if (random_.chance(600)) {
                std::string end = moment(++k);
                message(random_.below(kDrops),
                        header("A03", end) + shortPid(id, p, with_code) + visit(number, "", end));
                ++count_["patches"];
                closed = true;
                if (random_.chance(200)) {
                    message(random_.below(kDrops),
                            header("A13", moment(++k)) + shortPid(id, p, with_code) + visit(number, "", ""));
                    ++count_["cancels"];
                    closed = false;
                }
                multi_.insert("hospital|encounter|" + number);
            }
            if (random_.chance(80)) {
                message(random_.below(kDrops),
                        header("A11", moment(++k)) + shortPid(id, p, with_code) + visit(number, "", ""));
                ++count_["cancels"];
                gone = true;
                multi_.insert("hospital|encounter|" + number);
            } else if (random_.chance(60)) {
                int at = drop ? random_.below(drop) : random_.below(kDrops);
                message(at, header("A23", moment(++k)) + shortPid(id, p, with_code) + visit(number, "", ""));
                ++count_["deletes"];
                count_["deletes_before_create"] += at < drop;
                gone = true;
                multi_.insert("hospital|encounter|" + number);
            }
            encounters += !gone;
            open += !gone && !closed;
        }
        if (p.no % 40 != 4 && (random_.chance(60) || p.no % 40 == 2 || p.no % 40 == 3)) {
            // Registered twice: the second number is merged into the first.
            std::string other = "H" + padded(70000001 + p.no * 2, 8);
            truth("hospital", other, p);
            int drop = random_.below(kDrops);
            message(drop, header("A28", moment(++k)) + pid(other, p, with_code));
            if (p.no % 40 == 2 || (p.no % 40 != 3 && random_.chance(500))) {
                message(random_.below(kDrops),
                        header("A40", moment(++k)) + shortPid(id, p, with_code) + "MRG|" + other + "^^^HOSP^MR\r");
                ++count_["merges"];
            } else {
                message(random_.below(kDrops),
                        header("A24", moment(++k)) + shortPid(id, p, with_code) + shortPid(other, p, with_code));
                message(random_.below(kDrops),
                        header("A37", moment(++k)) + shortPid(id, p, with_code) + shortPid(other, p, with_code));
                ++count_["merges"];
                ++count_["unmerges"];
            }
            multi_.insert("hospital|person|" + other);
        } else if (has(p, 45, 4)) {
            int at = create_drop ? random_.below(create_drop) : random_.below(kDrops);
            message(at, header("A29", moment(k + 2)) + shortPid(id, p, with_code));
            ++count_["deletes"];
            count_["deletes_before_create"] += at < create_drop;
            multi_.insert("hospital|person|" + id);
            deleted = true;
        }
        if (random_.chance(40)) {
            message(random_.below(kDrops),
                    header("R01", moment(k), "ORU") + shortPid(id, p, with_code) + "OBX|1|ST|X||n\r");
        }
        if (has(p, 25, 5)) {
            // A newer patch whose bytes are not the declared UTF-8: quarantined, so nothing of it counts.
            message(random_.below(kDrops), header("A08", moment(k + 3)) + "PID|1||" + id + "^^^HOSP^MR||Rov\xF2^X\r");
            ++count_["wrong_charset"];
        }
        if (has(p, 25, 6)) {
            message(random_.below(kDrops), header("A08", moment(k + 4)) + "PID|1||" + id + "^^^HOSP^MR||||not-a-day\r");
            ++count_["poisoned"];
        }
        if (deleted) {
            p.conflicts = 0;
            return;
        }
        p.alive_record = true;
        p.involved.insert("hospital");
        p.encounters += encounters;
        p.open += open;
        if (!with_code) unlinked_.push_back({"hospital|person|" + id, std::to_string(p.no)});
    }

    void registerRow(Person& p) {
        RegisterRow r;
        r.person = &p;
        r.id = "NR" + padded(30000000 + p.no, 8);
        truth("unemployment", r.id, p);
        r.category = random_.pick(kCategories);
        if (random_.chance(150)) r.from = random_.below(kDrops);
        if (random_.chance(120)) r.to = std::min(kDrops, r.from + 1 + random_.below(kDrops));
        if (random_.chance(30)) r.unknown_category = true;
        if (random_.chance(30)) r.broken_bytes = true;
        r.ended = random_.chance(200);
        r.missing_code = random_.chance(50);
        if (r.missing_code) ++count_["ids_missing"];
        rows_.push_back(r);
    }

    /// Drop 1 holds unknown categories and a row of the wrong width, drop 2 bytes that windows-1252 does not define; what a
    /// later complete register says stands. The last register is drop 3 again, byte by byte, under a later date.
    void registers() {
        const std::string head =
            "id_iscrizione;codice_fiscale;cognome;nome;data_nascita;sesso;comune;data_iscrizione;data_cessazione;"
            "categoria;operatore\r\n";
        for (int drop = 0; drop < kDrops; ++drop) {
            std::string text = head;
            for (const RegisterRow& r : rows_) {
                if (drop < r.from || drop >= r.to) continue;
                const Person& p = *r.person;
                std::string category = drop == 1 && r.unknown_category ? "X99" : r.category;
                std::string family = drop == 2 && r.broken_bytes ? std::string("Ro\x81u") : latin1(p.family);
                if (drop == 1 && r.unknown_category) ++count_["poisoned"];
                if (drop == 2 && r.broken_bytes) ++count_["wrong_charset"];
                text += r.id + ";" + (r.missing_code ? "" : p.code) + ";" + family + ";" + latin1(p.given) + ";" +
                        p.slashed() + ";" + (p.male ? "M" : "F") + ";Napoli;01/0" + std::to_string(1 + p.no % 9) +
                        "/2023;" + (r.ended && drop >= 3 ? "15/03/2024" : "") + ";" + category + ";" +
                        kWorkers[static_cast<std::size_t>((p.no + drop / 3) % 5)] + "\r\n";
                ++raw_;
                multi_.insert("unemployment|person|" + r.id);
                multi_.insert("unemployment|job_seeking|" + r.id);
            }
            if (drop == 1) {
                text += "NR39999999;;row;of;the wrong width\r\n";
                ++count_["poisoned"];
                ++raw_;
            }
            files_["unemployment/register_" + kDays[static_cast<std::size_t>(drop)] + ".csv"] = text;
            if (drop == 3) files_["unemployment/register_" + kDays[5] + ".csv"] = text;
        }
        for (const RegisterRow& r : rows_) {
            bool last = r.from <= 3 && 3 < r.to;
            if (last) ++raw_, ++count_["unchanged_snapshot_again"];
            if (!last) continue;
            Person& p = *r.person;
            p.alive_record = true;
            p.involved.insert("unemployment");
            ++p.work;
            if (r.missing_code) unlinked_.push_back({"unemployment|person|" + r.id, std::to_string(p.no)});
        }
    }

    void resource(const std::string& type, int drop, const std::string& json) {
        files_["clinic/" + type + "_" + kDays[static_cast<std::size_t>(drop)] + ".ndjson"] += json + "\n";
        ++raw_;
    }

    void clinic(Person& p) {
        std::string id = "pat-" + padded(5000000000 + p.no, 10);
        truth("clinic", id, p);
        bool with_code = !random_.chance(50), relative = false;
        std::string code = p.code;
        if (p.no && has(p, 80, 8)) {
            // A child's record with the number of somebody of the family.
            const Person& other = people_[static_cast<std::size_t>(p.no - 1)];
            if (other.iso() != p.iso()) {
                code = other.code;
                relative = with_code = true;
                ++count_["ids_of_relatives"];
            }
        }
        if (!with_code) ++count_["ids_missing"];
        auto patient = [&](const std::string& when, const std::string& phone) {
            std::string j =
                "{\"resourceType\":\"Patient\",\"id\":\"" + id + "\",\"meta\":{\"lastUpdated\":\"" + when + "\"}";
            if (with_code)
                j +=
                    ",\"identifier\":[{\"system\":\"urn:oid:2.16.840.1.113883.2.9.4.3.2\",\"value\":\"" + code + "\"}]";
            return j + ",\"name\":[{\"family\":\"" + p.family + "\",\"given\":[\"" + p.given + "\"]}],\"gender\":\"" +
                   (p.male ? "male" : "female") + "\",\"birthDate\":\"" + p.iso() +
                   "\",\"telecom\":[{\"system\":\"phone\",\"value\":\"" + phone + "\"}]}";
        };
        resource("Patient", random_.below(kDrops),
                 patient("2024-02-01T10:00:00Z", "333" + padded(random_.below(10000000), 7)));
        if (random_.chance(400)) {
            resource("Patient", random_.below(kDrops),
                     patient("2024-02-10T10:00:00Z", "347" + padded(random_.below(10000000), 7)));
            multi_.insert("clinic|person|" + id);
        }
        for (int e = random_.below(3); e > 0; --e) {
            std::string enc = "enc-" + padded(6000000000 + ++visit_, 10);
            bool ended = random_.chance(700);
            resource("Encounter", random_.below(kDrops),
                     "{\"resourceType\":\"Encounter\",\"id\":\"" + enc +
                         "\",\"meta\":{\"lastUpdated\":\"2024-02-11T09:00:00Z\"},\"status\":\"" +
                         (ended ? "finished" : "in-progress") +
                         "\",\"class\":{\"system\":\"http://terminology.hl7.org/CodeSystem/"
                         "v3-ActCode\",\"code\":\"AMB\"},\"subject\":{\"reference\":\"Patient/" +
                         id + "\"},\"period\":{\"start\":\"2024-02-11T09:00:00Z\"" +
                         (ended ? ",\"end\":\"2024-02-11T10:00:00Z\"" : "") + "}}");
            ++p.encounters;
            p.open += !ended;
        }
        for (int c = random_.below(3); c > 0; --c) {
            resource("Condition", random_.below(kDrops),
                     "{\"resourceType\":\"Condition\",\"id\":\"con-" + padded(8000000000 + ++visit_, 10) +
                         "\",\"meta\":{\"lastUpdated\":\"2024-02-12T09:00:00Z\"},\"clinicalStatus\":{\"coding\":[{"
                         "\"system\":\"http://terminology.hl7.org/CodeSystem/"
                         "condition-clinical\",\"code\":\"active\"}]},\"code\":{\"coding\":[{\"system\":\"http://"
                         "snomed.info/"
                         "sct\",\"code\":\"38341003\",\"display\":\"Hypertension\"}]},\"subject\":{\"reference\":"
                         "\"Patient/" +
                         id + "\"},\"onsetDateTime\":\"2023-05-0" + std::to_string(1 + random_.below(9)) + "\"}");
            ++p.conditions;
        }
        p.alive_record = true;
        p.involved.insert("clinic");
        if (!with_code || relative) unlinked_.push_back({"clinic|person|" + id, std::to_string(p.no)});
    }

    void contact(Person& p) {
        std::string id = "CL" + padded(90000000 + p.no, 8);
        truth("contacts", id, p);
        for (int file = 1 + random_.below(2), changes = 1 + random_.below(3); changes > 0 && file <= 4;
             ++file, --changes) {
            std::string& text = files_["contacts/000" + std::to_string(file) + ".csv"];
            if (text.empty()) text = "client_id,surname,name,birth_date,tax_code,worker,phone,last_contact\n";
            text += id + "," + p.family + "," + p.given + "," + p.iso() + "," + p.code + "," +
                    kWorkers[static_cast<std::size_t>(p.no % 5)] + ",0815550" + padded(p.no % 1000, 3) + ",2024-02-" +
                    padded(9 + file, 2) + "\n";
            ++raw_;
            multi_.insert("contacts|person|" + id);
            multi_.insert("contacts|involvement|" + id);
        }
        p.alive_record = true;
        p.involved.insert("contacts");
    }

    void care(Person& p) {
        std::string id = padded(80000000 + p.no, 8);
        truth("care", id, p);
        int drop = random_.below(kDrops);
        std::string& heads = files_["care/header_" + kDays[static_cast<std::size_t>(drop)] + ".csv"];
        if (heads.empty()) heads = "CHILD,SEX,DOB,ETHNIC,UPN,MOTHER,MC_DOB\n";
        heads += id + "," + (p.male ? "1" : "2") + "," + p.slashed() + ",WBRI,,,\n";
        ++raw_;
        for (int e = 1 + random_.below(2); e > 0; --e) {
            std::string& episodes =
                files_["care/episodes_" + kDays[static_cast<std::size_t>(random_.below(kDrops))] + ".csv"];
            if (episodes.empty())
                episodes =
                    "CHILD,DECOM,RNE,LS,CIN,PLACE,PLACE_PROVIDER,DEC,REC,REASON_PLACE_CHANGE,HOME_POST,PL_POST,URN\n";
            episodes += id + ",0" + std::to_string(e) + "/02/2023,S,C2,N1,U1,PR1," +
                        (random_.chance(500) ? "15/06/2023" : "") + ",X1,,,,\n";
            ++raw_;
            ++p.placements;
        }
        p.alive_record = true;
        p.involved.insert("care");
        unlinked_.push_back({"care|person|" + id, std::to_string(p.no)});
    }

    void decisions() {
        std::map<std::string, std::vector<std::string>> keys;
        for (const auto& t : truth_) keys[t[3]].push_back(t[0] + "|" + t[1] + "|" + t[2]);
        auto fact = [&](const std::string& kind, const std::string& a, const std::string& b, int at) {
            std::string when = "2024-03-0" + std::to_string(1 + at % 9) + "T08:00:" + padded(fact_ % 60, 2) + "Z";
            std::string& file = files_["desk/decisions_000" + std::to_string(1 + fact_ % 3) + ".ndjson"];
            ++fact_;
            file += "{\"fact\":\"d-" + padded(fact_, 4) + "\",\"kind\":\"" + kind + "\",\"a\":\"" + a + "\",\"b\":\"" +
                    b + "\",\"by\":\"steward\",\"reason\":\"seen together\",\"at\":\"" + when + "\"}\n";
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

    std::string sourceFile(const std::string& id, const std::string& agency, const std::string& domain,
                           const std::string& pattern, const std::string& format, const std::string& more) const {
        return "id: " + id + "\nkind: files\ntenant: comune-nord\n" +
               (agency.empty() ? "" : "agency: {id: " + id + ", name: \"" + agency + "\", domain: " + domain + "}\n") +
               "files: {path: ../feeds/" + id + ", pattern: \"" + pattern +
               "\", compression: auto, on_done: keep}\nformat: " + format + "\n" + more +
               "coverage: {area: [ITF33], from: 2015-01-01, who: residents}\nno_data_means: not known to this office "
               "since 2015\n";
    }

    Result<void> put(const fs::path& path, const std::string& bytes) {
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

    Result<void> write() {
        fs::path root = wish_.out;
        // The first hospital file again under another name: the same object.
        std::string again = files_["hospital/adt_" + kDays[0] + ".hl7"];
        files_["hospital/again_" + kDays[0] + ".hl7"] = again;
        for (std::size_t at = 0; (at = again.find("MSH|", at)) != std::string::npos; ++at)
            ++count_["duplicates"], ++raw_;
        for (const auto& [name, bytes] : files_)
            if (auto r = put(root / "feeds" / name, bytes); !r) return r;

        const std::string date = "object_time: {from: filename, pattern: \"_(\\\\d{8})\\\\.\"}\n";
        const std::string rome = "time_zone: Europe/Rome";
        std::map<std::string, std::string> sources{
            {"hospital", sourceFile("hospital", "Ospedale del Mare", "health", "*.hl7",
                                    "{kind: hl7v2, encoding: utf-8, " + rome + "}",
                                    date + "feed: delta\nmapping: library:hl7v2-adt\nas_of: P60D\n")},
            {"unemployment",
             sourceFile(
                 "unemployment", "Centro per l'impiego Nord", "employment", "*.csv",
                 "{kind: csv, delimiter: \";\", encoding: windows-1252, header: true, dates: dd/MM/yyyy, " + rome + "}",
                 date + "feed: full\nmapping: library:unemployment-register\nas_of: P60D\nlimits: {max_object_bytes: "
                        "1GiB, max_delete_share: 0.2}\n")},
            {"clinic", sourceFile("clinic", "Ambulatorio Nord", "health", "*.ndjson",
                                  "{kind: ndjson, dialect: fhir, time_zone: UTC}",
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
            if (auto r = put(root / "config" / "sources" / (id + ".yaml"), text); !r) return r;
        if (auto r = put(root / "config/porta.yaml",
                         "testing: true\nstate: ../state\nstore: {sqlite: {path: porta.db}}\nlog: embedded\nkeys: "
                         "{file: keys/key}\ntenants: [{id: comune-nord, name: Comune Nord}]\n");
            !r)
            return r;
        if (auto r = put(
                root / "config/purposes.yaml",
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
        if (auto r = put(root / "config/keys/key", hex(key.data(), key.size()) + "\n"); !r) return r;
        ::chmod((root / "config/keys/key").c_str(), 0600);

        std::string truth = "source,entity,local_id,person\n";
        for (const auto& t : truth_) truth += t[0] + "," + t[1] + "," + t[2] + "," + t[3] + "\n";
        if (auto r = put(root / "truth.csv", truth); !r) return r;
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
        if (auto r = put(root / "facts.ndjson", facts); !r) return r;
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
        return put(root / "manifest.json", print(m) + "\n");
    }
};

}  // namespace

Result<void> invent(const Wish& wish) { return City(wish).build(); }

}  // namespace porta::synth
