#include "synth/city.h"

namespace porta::synth {

void City::message(int drop, const std::string& text) {
    files_["hospital/adt_" + kDays[static_cast<std::size_t>(drop)] + ".hl7"] += text + "\r\n";
    ++raw_;
}

std::string City::moment(int k) { return "202402" + padded(1 + k / 20, 2) + padded(k % 20, 2) + "1500"; }

std::string City::header(const std::string& event, const std::string& when, const char* type) {
    return std::string("MSH|^~\\&|HIS|OSPEDALE|PORTA|COMUNE|") + when + "||" + type + "^" + event + "|M" +
           padded(++control_, 8) + "|P|2.5||||||UNICODE UTF-8\rEVN|" + event + "|" + when + "\r";
}

std::string City::pid(const std::string& id, const Person& p, bool with_code, const std::string& rest) {
    std::string ids = id + "^^^HOSP^MR" + (with_code ? "~" + p.code + "^^^IT^NNITA" : "");
    return "PID|1||" + ids + "||" + p.family + "^" + p.given + "||" + p.compact() + "|" + (p.male ? "M" : "F") + rest +
           "\r";
}

std::string City::shortPid(const std::string& id, const Person& p, bool with_code, const std::string& rest) {
    return "PID|1||" + id + "^^^HOSP^MR" + (with_code ? "~" + p.code + "^^^IT^NNITA" : "") + "|||||" + rest + "\r";
}

std::string City::visit(const std::string& id, const std::string& start, const std::string& end) {
    std::string pv1 = "PV1|1|I|WARD^" + std::to_string(1 + random_.below(9)) + "||||" + "W" +
                      std::to_string(random_.below(5)) + "^" + random_.pick(kWorkers) + "|||MED|||||||||" + id;
    pv1 += std::string(25, '|') + start + "|" + end;
    return pv1 + "\r";
}

void City::hospital(Person& p) {
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
            message(random_.below(kDrops), header("A03", end) + shortPid(id, p, with_code) + visit(number, "", end));
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

}  // namespace porta::synth
