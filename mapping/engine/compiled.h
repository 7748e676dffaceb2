#pragma once
/// What the loader makes of a mapping file and the runner walks: no YAML after load. Private to mapping/engine.
#include <array>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/date_time.h"
#include "fhirpath/expression.h"
#include "formats/within.h"
#include "mapping/engine/pool.h"
#include "mapping/engine/probe.h"
#include "mapping/engine/program.h"
#include "mapping/engine/targets.h"
#include "mapping/terminology/hierarchy.h"
#include "mapping/terminology/terms.h"

namespace porta::mapping {

struct Row {
    std::string code, system, display, equivalence;
    int line = 0, column = 0;
    std::string from = {}, to = {};  ///< ISO dates, both inclusive; empty: always
};

struct Table {
    std::string name, system, source_system;
    std::string file = {};  ///< of a code map; empty: the mapping itself
    std::map<std::string, Row, std::less<>> rows = {};
    std::map<std::string, std::vector<Row>, std::less<>> several =
        {};                                ///< of codes with periods, or with several targets
    std::optional<Row> otherwise = {};     ///< for every code that has no row
    const Hierarchy* hierarchy = nullptr;  ///< a code without a row takes that of its nearest group
};

/// The row of a code on a day (ISO; empty: rows that have not ended), by the better equivalence where several hold.
struct Choice {
    const Row* row = nullptr;
    bool of_group = false;   ///< the row is that of a group above the code
    bool ambiguous = false;  ///< several rows are equally good; `row` is the first
};
Choice choose(const Table& table, std::string_view code, std::string_view day);

/// One leaf (or, in a list, one leaf for each value).
struct ValueRule {
    std::optional<fhirpath::Expression> expr;  ///< missing: `delete: true`
    Target type = Target::text;
    const Table* table = nullptr;
    std::optional<fhirpath::Expression> at;  ///< the day that rows with periods are chosen by; else the object's
    bool unmapped_keep = false, many_first = false, empty_error = false;
    bool many_said = false;  ///< `onMany` stands there: several values are meant to be possible
    std::uint32_t rule = 0;
    std::uint32_t table_rule = 0;  ///< the same place, with the table's name
};

struct FieldRule {
    enum class Kind { value, group, list };
    Kind kind = Kind::value;
    std::string name;                          ///< empty for the items of a list
    ValueRule value;                           ///< value
    std::optional<fhirpath::Expression> each;  ///< a list's item that repeats
    std::optional<fhirpath::Expression> when;  ///< with each
    std::vector<FieldRule> fields;             ///< group: members; list: items
    std::uint32_t rule = 0;
};

struct SubjectRule {
    std::string entity;
    fhirpath::Expression id;
};

struct EmitRule {
    std::string name;  ///< `emit[0]`
    std::string entity;
    std::optional<fhirpath::Expression> each, when;
    std::optional<fhirpath::Expression> key, into, valid_from, valid_to;
    std::vector<fhirpath::Expression> version;  ///< empty: the object's time
    schemas::Order order = schemas::Order::instant;
    std::string zone;
    schemas::Op op = schemas::Op::upsert;
    std::string cls, cancels;
    std::vector<SubjectRule> subjects, mentions;
    bool partial = false;
    std::vector<FieldRule> fields;
    std::uint32_t rule = 0;
};

struct Program::Impl {
    std::string name, file;
    formats::Settings format;
    std::string dates, zone;  ///< defaults where the source declares none
    std::optional<fhirpath::Expression> when;
    std::vector<std::pair<std::string, fhirpath::Expression>> let;
    std::map<std::string, formats::Within> documents;  ///< by the name of the `let` whose values they are
    std::vector<std::string> variables = {"record", "source",
                                          "objectTime"};  ///< in the order of their setting; then `let`
    std::map<std::string, Table, std::less<>> tables;
    std::shared_ptr<Terms> terms = Terms::builtIn();  ///< what expressions ask: `tables` and more
    std::vector<EmitRule> emits;
    std::vector<Rule> rules;
    Sha256 digest{};
};

/// Memory of the calling thread that records are mapped in, one after the other.
struct Scratch {
    fhirpath::Variables vars = {};
    fhirpath::Collection let = {};                                      ///< of the named expression that is evaluated
    Arena arena = {};                                                   ///< computed values
    formats::Settings settings = {};                                    ///< a source's, as a program asks for them
    std::vector<std::pair<std::uint64_t, formats::NodeId>> spans = {};  ///< sorted; filled when many are looked for
    std::size_t looks = 0;                                              ///< for a span of this record, node by node
    std::array<std::size_t, 64> leaves = {};  ///< of the operations before, by their emit: as many as the next may have
    Probe* probe = nullptr;
    std::string iso = {};
    Pool pool = {};  ///< what outcomes before gave back
};

/// What one record's expressions and leaves need.
struct RecordScope {
    const Program::Impl& program;
    const formats::Settings& format;
    const Input& input;
    const formats::NodeTree& tree;
    Scratch& scratch;
    std::string day = {};  ///< what `at` said for the value in work
};

// Expressions (run.cpp).
/// The values that say something, appended; `null` tells that only explicit nulls stood there.
Result<void> said(RecordScope& scope, const fhirpath::Expression& e, formats::NodeId context, bool* null,
                  fhirpath::Collection& out);
/// True without an expression.
Result<bool> holds(RecordScope& scope, const std::optional<fhirpath::Expression>& when, formats::NodeId context);
/// The error with this path, unless it has one.
Error inField(Error error, std::string_view path);

/// The operations of an emit (emit.cpp).
Result<void> addOperations(RecordScope& scope, const EmitRule& e, Operations& out);
/// What a refused row of a full snapshot still tells: its keys are present (DESIGN §5, full snapshot, b).
void presences(RecordScope& scope, Operations& operations, Outcome& out);

/// The leaves of an emit's fields (fields.cpp).
Result<void> addFields(RecordScope& scope, const EmitRule& e, formats::NodeId context, schemas::Operation& op);

// Values (values.cpp).
/// Leaves of one value at `path`. An empty text adds nothing.
Result<void> addLeaf(RecordScope& scope, const ValueRule& rule, const fhirpath::Value& value, std::string_view path,
                     Leaves& leaves);
/// Where a value stands, for an error: first span.
Error at(const RecordScope& scope, const fhirpath::Value& value, Error error);
/// The node that carries the text: HL7 v2 takes the first component where a simpler type is expected (chapter 2, rules for
/// receivers).
fhirpath::Value plain(const RecordScope& scope, const fhirpath::Value& value);
/// A date or instant in the source's notation.
Result<PartialDateTime> readTime(const RecordScope& scope, std::string_view text);

}  // namespace porta::mapping
