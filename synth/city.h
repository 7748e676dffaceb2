#pragma once
/// The generator of an invented municipality. Private to synth: municipality.cpp has the people and the order of things,
/// hospital.cpp the messages of the hospital, offices.cpp the other feeds, town_files.cpp decisions and what is written.
#include <array>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "synth/municipality.h"
#include "synth/random.h"

namespace porta::synth {

inline const std::vector<std::string> kFamilies{
    "Rossi",    "Russo",   "Ferrari", "Esposito", "Bianchi", "Romano",   "Colombo", "Ricci", "Marino",   "Greco",
    "Bruno",    "Gallo",   "Conti",   "De Luca",  "Costa",   "Giordano", "Mancini", "Rizzo", "Lombardi", "Moretti",
    "Barbieri", "Fontana", "Santoro", "Mariani",  "Rinaldi", "Caruso",   "Niccolò", "Forlì", "D'Angelo", "Nicolì"};
inline const std::vector<std::string> kWorkers{"Verdi Carla", "Neri Ugo", "Fabbri Ines", "Testa Livio", "Sala Nora"};
/// A drop a week; the last one repeats an earlier register.
inline const std::vector<std::string> kDays{"20240301", "20240308", "20240315", "20240322", "20240329", "20240405"};
inline constexpr int kDrops = 5;

inline std::string padded(std::int64_t n, std::size_t width) {
    std::string t = std::to_string(n);
    return t.size() < width ? std::string(width - t.size(), '0') + t : t;
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

    Result<void> build();

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

    // municipality.cpp
    void people();
    void truth(const std::string& source, const std::string& id, const Person& p);
    /// What a municipality must have however small it is: one person in forty has it for certain, others by chance.
    bool has(const Person& p, int per_mille, int slot);

    // hospital.cpp
    void hospital(Person& p);
    void message(int drop, const std::string& text);
    /// The k-th moment of a person's story: seconds never repeat within a person but where that is meant.
    static std::string moment(int k);
    std::string header(const std::string& event, const std::string& when, const char* type = "ADT");
    static std::string pid(const std::string& id, const Person& p, bool with_code, const std::string& rest = {});
    /// A patch that says nothing of the person but the identifiers, which replace each other as a set, and `rest` (PID-8 on).
    static std::string shortPid(const std::string& id, const Person& p, bool with_code, const std::string& rest = {});
    std::string visit(const std::string& id, const std::string& start, const std::string& end);

    // offices.cpp
    void registerRow(Person& p);
    /// Drop 1 holds unknown categories and a row of the wrong width, drop 2 bytes that windows-1252 does not define; what a
    /// later complete register says stands. The last register is drop 3 again, byte by byte, under a later date.
    void registers();
    void clinic(Person& p);
    void resource(const std::string& type, int drop, const std::string& json);
    void contact(Person& p);
    void care(Person& p);

    // town_files.cpp
    void decisions();
    Result<void> write();
    Result<void> writeFeeds();
    Result<void> writeConfiguration();
    Result<void> writeTruth();  ///< and the facts
    Result<void> writeManifest();
    std::string sourceFile(const std::string& id, const std::string& agency, const std::string& domain,
                           const std::string& pattern, const std::string& format, const std::string& more) const;
    /// Writes `name` below the wished directory.
    Result<void> put(const std::string& name, const std::string& bytes);
};

}  // namespace porta::synth
