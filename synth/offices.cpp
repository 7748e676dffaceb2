#include <algorithm>

#include "synth/city.h"

namespace porta::synth {

namespace {

const std::vector<std::string> kCategories{"D01", "D02", "D03", "D04"};

std::string latin1(const std::string& text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        auto c = static_cast<unsigned char>(text[i]);
        if (c < 0x80) out += text[i];
        else out += static_cast<char>(((c & 0x1f) << 6) | (static_cast<unsigned char>(text[++i]) & 0x3f));
    }
    return out;
}

}  // namespace

void City::registerRow(Person& p) {
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

void City::registers() {
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

void City::resource(const std::string& type, int drop, const std::string& json) {
    files_["clinic/" + type + "_" + kDays[static_cast<std::size_t>(drop)] + ".ndjson"] += json + "\n";
    ++raw_;
}

void City::clinic(Person& p) {
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
            j += ",\"identifier\":[{\"system\":\"urn:oid:2.16.840.1.113883.2.9.4.3.2\",\"value\":\"" + code + "\"}]";
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

void City::contact(Person& p) {
    std::string id = "CL" + padded(90000000 + p.no, 8);
    truth("contacts", id, p);
    for (int file = 1 + random_.below(2), changes = 1 + random_.below(3); changes > 0 && file <= 4; ++file, --changes) {
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

void City::care(Person& p) {
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

}  // namespace porta::synth
